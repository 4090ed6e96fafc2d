import { ANY4, ANY6, ip4 } from "./packet.ts"

/** Octets in hex for the variables of all cases, but for those of hosts and remote peers. */
const COMMON = {
  nonce: "6e6f6e63652d6f6e652d3131",
  nonce2: "6e6f6e63652d74776f2d3232",
  nonce3: "6e6f6e63652d7468726533aa",
  port: "0fa0",
  port2: "1388",
  port3: "1770",
  suggested: "7594",
  suggested2: "7a9e",
  pcp5350: "14e6",
  pcp5351: "14e7",
  staticPort: "20fb",
}

const inside4 = {
  client: ip4("10.0.0.1"),
  client4: "0a000001",
  clientTail: ip4("10.0.0.1").slice(8),
  client2: ip4("10.0.0.2"),
  client3: ip4("10.0.0.3"),
  remote: ip4("198.51.100.7"),
  remote2: ip4("198.51.100.77"),
}

const ip6 = (last: string): string => `20010db8000100000000000000000000`.slice(0, 32 - last.length) + last
const inside6 = {
  client: ip6("0001"),
  client4: "0a000001",
  clientTail: ip6("0001").slice(8),
  client2: ip6("0002"),
  client3: ip6("0003"),
  remote: "20010db8ffff00000000000000000007",
  remote2: "20010db8ffff00000000000000000077",
}

/** By kind of device: addresses of the families that RFC 6887 section 10, figure 5, gives it. */
export const variables = {
  nat444: { ...COMMON, ...inside4, any: ANY4 },
  l2dslite: { ...COMMON, ...inside4, any: ANY4 },
  firewall4: { ...COMMON, ...inside4, any: ANY4 },
  nat46: { ...COMMON, ...inside4, any: ANY6 },
  nat64: { ...COMMON, ...inside6, any: ANY4 },
  nptv6: { ...COMMON, ...inside6, any: ANY6 },
  firewall6: { ...COMMON, ...inside6, any: ANY6 },
  // The B4s ask over IPv6, for IPv4 hosts behind them.
  dslite: { ...COMMON, ...inside6, remote: inside4.remote, remote2: inside4.remote2, any: ANY4 },
} as const
