/** Packets at a NAT64 over the same CGN. */
import assert from "node:assert/strict"
import type { CgnSettings } from "../../../../core/cgn/index.ts"
import { icmp6, inet, ip6, type Octets, type PortEnds, tcp, udp, w16 } from "../packet/build.ts"
import { address, cgnWith } from "../scene.ts"
import { isPacket, network } from "./scene.ts"

export const HOST6 = "2001:db8:1::10"
export const ROUTER6 = "2001:db8:1::1"
/** 198.51.100.7 behind 2001:db8:64::/96. */
export const REMOTE6 = "2001:db8:64::c633:6407"
/** 203.0.113.1, the CGN's own, there. */
export const EXTERNAL6 = "2001:db8:64::cb00:7101"
const prefix = { address: address("2001:db8:64::"), prefixLength: 96 }

export const nat64 = (translation: NonNullable<CgnSettings["translation"]> = {}, settings: Partial<CgnSettings> = {}) =>
  network(
    cgnWith({
      internalFamily: "ipv6",
      ...settings,
      translation: {
        inside: { kind: "nat64", prefix },
        routers: { inside: address(ROUTER6), outside: undefined },
        filteredErrors: true,
        ...translation,
      },
    }),
  )

export const udp6 = (at: PortEnds, hopLimit = 64, data?: Octets): Uint8Array =>
  ip6({ ...at, protocol: 17, hopLimit }, udp(at, data))
export const tcp6 = (at: PortEnds, flags: number, hopLimit = 64): Uint8Array =>
  ip6({ ...at, protocol: 6, hopLimit }, tcp(at, [], flags))
export const echo6 = (type: number, source: string, destination: string, identifier: number, hopLimit = 64) =>
  ip6(
    { source, destination, protocol: 58, hopLimit },
    icmp6({ source, destination }, type, 0, [...w16(identifier), 0, 1], [1, 2, 3, 4]),
  )
/** An ICMPv6 error about a packet; `rest`: the four octets behind the checksum. */
export const error6 = (
  type: number,
  code: number,
  at: { readonly source: string; readonly destination: string },
  about: Uint8Array,
  hopLimit = 64,
  rest: Octets = [0, 0, 0, 0],
): Uint8Array => ip6({ ...at, protocol: 58, hopLimit }, icmp6(at, type, code, rest, about))

/** Are these the packet expected but for the IPv4 identification, which is the translator's own? */
export const isIpv4 = (actual: Uint8Array, expected: Uint8Array): void => {
  assert.equal(inet(actual.subarray(0, 20)), 0)
  const copy = actual.slice()
  copy.set(expected.subarray(4, 6), 4)
  copy.set(expected.subarray(10, 12), 10)
  isPacket(copy, expected)
}
