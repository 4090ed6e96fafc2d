/** Packets at a NAPT44 whose state goes on, each built and read in full by code of the tests' own. */
import assert from "node:assert/strict"
import { type CgnState, type Change, memoryCgn, type Out, type Passed, translate } from "../../../../core/cgn/index.ts"
import { type Address, formatAddress } from "../../../../core/wire/index.ts"
import { icmp4, inet, ip4, type Octets, type PortEnds, tcp, toHex, udp, w16 } from "../packet/build.ts"

export const HOST = "10.0.0.1"
export const OTHER_HOST = "10.0.0.2"
export const EXTERNAL = "203.0.113.1"
export const REMOTE = "198.51.100.7"
export const STRANGER = "192.0.2.99"

export const FIN = 1
export const SYN = 2
export const RST = 4
export const ACK = 16

export const ends = (source: string, sourcePort: number, destination: string, destinationPort: number): PortEnds => ({
  source,
  sourcePort,
  destination,
  destinationPort,
})

/** `ttl` 63: one that has gone through. */
export const udp4 = (at: PortEnds, ttl = 64, data?: Octets): Uint8Array =>
  ip4({ ...at, protocol: 17, ttl }, udp(at, data))
export const tcp4 = (at: PortEnds, flags: number, ttl = 64): Uint8Array =>
  ip4({ ...at, protocol: 6, ttl }, tcp(at, [], flags))
/** An ICMP echo request (8) or reply (0) with sequence number 1. */
export const echo4 = (type: number, source: string, destination: string, identifier: number, ttl = 64): Uint8Array =>
  ip4({ source, destination, protocol: 1, ttl }, icmp4(type, 0, [...w16(identifier), 0, 1], [1, 2, 3, 4]))
/** An ICMP error about a packet. */
export const error4 = (type: number, code: number, source: string, destination: string, about: Uint8Array, ttl = 64) =>
  ip4({ source, destination, protocol: 1, ttl }, icmp4(type, code, [0, 0, 0, 0], about))

/** A CGN that packets go through, one after the other. */
export const network = (first: CgnState) => {
  let state = first
  const changes: Change[] = []
  const take = (passed: Passed<CgnState>): Out => {
    state = passed.state
    changes.push(...passed.changes)
    return passed.out
  }
  return {
    get state() {
      return state
    },
    /** Everything that changed since the start, or the last time that this was read. */
    changes: () => changes.splice(0),
    /** Goes on from another state, of a PCP request for instance. */
    set: (next: CgnState) => {
      state = next
    },
    out: (bytes: Uint8Array, now = 0, realm?: Address) => take(translate(state, { bytes, now, side: "inside", realm })),
    in: (bytes: Uint8Array, now = 0) => take(translate(state, { bytes, now, side: "outside" })),
    expire: (now: number) => {
      const expired = memoryCgn.expire(state, now, 1_000_000)
      state = expired.state
      changes.push(...expired.changes)
    },
  }
}

/** The one packet that was forwarded to a side. */
export const sent = (out: Out, side: "inside" | "outside"): Uint8Array => {
  assert.ok(out.kind === "forwarded", JSON.stringify(out))
  assert.equal(out.side, side)
  assert.equal(out.packets.length, 1)
  return out.packets[0]
}

/** Are these octets the packet that is expected? */
export const isPacket = (actual: Uint8Array, expected: Uint8Array): void => assert.equal(toHex(actual), toHex(expected))

export const reason = (out: Out): string => {
  assert.ok(out.kind === "dropped" || out.kind === "returned", JSON.stringify(out.kind))
  return out.reason
}

/** Source address and port of an IPv4 packet without options; of an ICMP query its identifier. */
export const sourceOf = (bytes: Uint8Array): { readonly address: string; readonly port: number } => {
  assert.equal(inet(bytes.subarray(0, 20)), 0, "header checksum")
  const at = bytes[9] === 1 ? 24 : 20
  return { address: bytes.subarray(12, 16).join("."), port: (bytes[at] << 8) | bytes[at + 1] }
}

/** `created implicit`, `session established` and so on. */
export const said = (changes: readonly Change[]): string[] =>
  changes.map((change) => {
    if ("mapping" in change) return `${change.type} ${change.mapping.kind}`
    if (change.type === "session") return `session ${change.connection ?? "open"}`
    return change.type
  })

export const text = formatAddress
