import { type Address, encode, parseNonce, ZERO_NONCE } from "../../../core/wire/index.ts"
import { CLIENTS, type DataPacket, PRESETS, type Session, type SessionStep } from "../session/index.ts"
import type { Example } from "./example.ts"
import { address, MAP, request } from "./packet.ts"

const datagram = (at: number, client: Address, bytes: Uint8Array): SessionStep => ({
  type: "datagram",
  at,
  side: "inside",
  source: { address: client, port: 49152 },
  bytes,
})

interface Ask {
  readonly internalPort: number
  readonly lifetime?: number
  readonly protocol?: number
  readonly externalPort?: number
  readonly external?: Address
  readonly nonce?: number
  readonly filter?: string
}

const map = (at: number, client: Address, ask: Ask): SessionStep => {
  const {
    internalPort,
    lifetime = 600,
    protocol = 6,
    externalPort = 0,
    external = MAP.external,
    nonce = 1,
    filter,
  } = ask
  const own = parseNonce(nonce.toString(16).padStart(24, "5a")) ?? ZERO_NONCE
  const body = { ...MAP, nonce: own, internalPort, protocol, externalPort, external }
  const options =
    filter === undefined ? [] : [{ kind: "FILTER", prefixLength: 120, remotePort: 0, remote: address(filter) } as const]
  const encoded = encode(request(body, options, { client, lifetime }))
  return datagram(at, client, encoded.ok ? encoded.bytes : new Uint8Array(0))
}

const data = (
  at: number,
  side: "inside" | "outside",
  source: readonly [string, number],
  destination: readonly [string, number],
  more: Partial<DataPacket> = {},
): SessionStep => ({
  type: "packet",
  at,
  side,
  packet: {
    protocol: "tcp",
    source: { address: address(source[0]), port: source[1] },
    destination: { address: address(destination[0]), port: destination[1] },
    flags: ["SYN"],
    payload: 0,
    ...more,
  },
})

const [ONE, TWO] = [address("10.0.0.1"), address("10.0.0.2")]

/** A home's NAT: two hosts, a filter, a refusal, a renewal, an expiry and a restart. */
const home = (): Session => ({
  title: "A home's NAT, ten minutes",
  note: "Two hosts open ports, somebody is let in and somebody is not, one mapping is renewed and one runs out.",
  configuration: { ...PRESETS.nat444, quota: 3 },
  until: 900_000,
  steps: [
    map(1000, ONE, { internalPort: 8080, externalPort: 41000, filter: "198.51.100.0" }),
    data(4000, "outside", ["198.51.100.7", 50000], ["203.0.113.1", 41000]),
    data(6000, "outside", ["192.0.2.99", 50000], ["203.0.113.1", 41000]),
    map(10_000, TWO, { internalPort: 22, externalPort: 41000, nonce: 2 }),
    data(15_000, "inside", ["10.0.0.2", 50123], ["198.51.100.7", 443]),
    map(20_000, TWO, { internalPort: 8080, nonce: 3, lifetime: 120 }),
    map(25_000, TWO, { internalPort: 8081, nonce: 4 }),
    map(30_000, TWO, { internalPort: 8082, nonce: 5 }),
    map(40_000, ONE, { internalPort: 8080, nonce: 9 }),
    data(60_000, "outside", ["192.0.2.99", 50000], ["203.0.113.1", 41999]),
    map(301_000, ONE, { internalPort: 8080, externalPort: 41000, filter: "198.51.100.0" }),
    map(400_000, TWO, { internalPort: 22, nonce: 2, lifetime: 0 }),
    { type: "announce", at: 420_000 },
  ],
})

/** Two hosts behind one CGN reach each other by their external ends. */
const hairpin = (): Session => ({
  title: "Two hosts behind one CGN",
  note: "A game server inside, and a player inside who knows only its external end, there and back (RFC 4787 REQ-9).",
  configuration: PRESETS.nat444,
  until: 60_000,
  steps: [
    map(0, ONE, { internalPort: 27015, protocol: 17, externalPort: 27015 }),
    map(500, TWO, { internalPort: 40000, protocol: 17, externalPort: 40000, nonce: 2 }),
    data(1000, "inside", ["10.0.0.2", 40000], ["203.0.113.1", 27015], { protocol: "udp", flags: [] }),
    data(1020, "inside", ["10.0.0.1", 27015], ["203.0.113.1", 40000], { protocol: "udp", flags: [] }),
  ],
})

/** A pool that runs out of ports. */
const crowd = (): Session => ({
  title: "A crowd and eight ports",
  note: "One address, eight external ports: the ninth host is told NO_RESOURCES, until a port that ran out has waited (RFC 6887 section 15).",
  configuration: { ...PRESETS.nat444, ports: { first: 40000, last: 40007 }, seed: "crowd" },
  until: 600_000,
  steps: [
    ...Array.from({ length: 9 }, (_, i) =>
      map(1000 * i, address(`10.0.0.${i + 1}`), { internalPort: 80, lifetime: 120 + 20 * i, nonce: i }),
    ),
    map(130_000, address("10.0.0.9"), { internalPort: 80, nonce: 8 }),
    map(260_000, address("10.0.0.9"), { internalPort: 80, nonce: 8 }),
  ],
})

/** An IPv6 firewall: a pinhole, and what comes through it. */
const pinhole = (): Session => {
  const host = CLIENTS.firewall6
  return {
    title: "A pinhole in an IPv6 firewall",
    note: "Nothing is translated: the external end is the internal one, and outsiders get in through the pinhole alone.",
    configuration: PRESETS.firewall6,
    until: 300_000,
    steps: [
      data(0, "outside", ["2001:db8:99::7", 50000], ["2001:db8:1::10", 443]),
      map(1000, host, { internalPort: 443, lifetime: 120, external: address("::") }),
      data(2000, "outside", ["2001:db8:99::7", 50000], ["2001:db8:1::10", 443]),
      data(130_000, "outside", ["2001:db8:99::7", 50001], ["2001:db8:1::10", 443]),
    ],
  }
}

/** An IPv6 host behind a NAT64. */
const nat64 = (): Session => {
  const host = CLIENTS.nat64
  return {
    title: "An IPv6 host behind a NAT64",
    note: "It opens an IPv4 port, and IPv4 reaches it from behind the NAT64's prefix (RFC 6146).",
    configuration: PRESETS.nat64,
    until: 120_000,
    steps: [
      map(0, host, { internalPort: 443, externalPort: 443 + 40000 }),
      data(1000, "outside", ["198.51.100.7", 50000], ["203.0.113.1", 40443]),
      data(2000, "inside", ["2001:db8:1::10", 5000], ["2001:db8:64::c633:6407", 53], { protocol: "udp", flags: [] }),
    ],
  }
}

const session = (id: string, make: () => Session): Example => {
  const { title, note } = make()
  return { id, group: "sessions", title, why: note, kind: "session", session: make }
}

/** Whole sessions to replay. */
export const SESSION_EXAMPLES: readonly Example[] = [
  session("home", home),
  session("hairpin", hairpin),
  session("crowd", crowd),
  session("pinhole", pinhole),
  session("nat64", nat64),
]
