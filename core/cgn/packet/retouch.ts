import { type Address, addressWord, i32, Protocol, putU16, putU32, u16 } from "../../wire/index.ts"
import { adjustAt, changed, changed32 } from "./checksum.ts"
import { type Drop, drop } from "./drop.ts"
import { flowOf, subjectOf } from "./flow.ts"
import type { IpPacket } from "./packet.ts"

/** Writes an IPv4 address; gives what that adds to a sum over it. */
export const putIpv4Address = (out: Uint8Array, at: number, address: Address): number => {
  const before = i32(out, at)
  const after = addressWord(address, 3)
  putU32(out, at, after)
  return changed32(before, after)
}

/** Writes an IPv6 address; gives what that adds to a sum over it. */
export const putIpv6Address = (out: Uint8Array, at: number, address: Address): number => {
  let delta = 0
  for (let i = 0; i < 8; i++) {
    const after = address.charCodeAt(i)
    delta += changed(u16(out, at + 2 * i), after)
    putU16(out, at + 2 * i, after)
  }
  return delta
}

/** Writes a port or an identifier, where it is a new one; gives what that adds to a sum over it. */
const putPort = (out: Uint8Array, at: number, port: number | undefined): number => {
  if (port === undefined) return 0
  const before = u16(out, at)
  if (before === port) return 0
  putU16(out, at, port)
  return changed(before, port)
}

/** Does a pseudo-header with the addresses go into the transport checksum? ICMP has none, SCTP's CRC32c neither. */
const hasPseudoHeader = (protocol: number): boolean => protocol !== Protocol.ICMP

/**
 * Writes new ports, or a new query identifier, into the transport header at `at` of `out`, a copy of `packet`'s, and makes its
 * checksum right for them and for `delta`, what the change of the pseudo-header adds to a sum. Gives what all its changes
 * add to a sum over the transport header.
 *
 * A UDP checksum of zero says that there is none and stays (RFC 768); a computed one of zero is sent as ones, UDP-Lite's
 * too (RFC 3828 section 3.1). UDP-Lite's checksum covers header and pseudo-header always, whatever its coverage.
 */
export const retouch = (
  out: Uint8Array,
  at: number,
  packet: IpPacket,
  delta: number,
  sourcePort: number | undefined,
  destinationPort: number | undefined,
): number => {
  const { content, protocol } = packet
  let ports = 0
  if (content === "ports") ports = putPort(out, at, sourcePort) + putPort(out, at + 2, destinationPort)
  else if (content === "query") ports = putPort(out, at + 4, sourcePort ?? destinationPort)
  const total = ports + (hasPseudoHeader(protocol) ? delta : 0)
  if (packet.checksumAt === 0 || total === 0) return ports
  const checksum = at + packet.checksumAt - packet.payload
  if (protocol !== Protocol.UDP && protocol !== Protocol.UDP_LITE) return ports + adjustAt(out, checksum, total)
  const before = u16(out, checksum)
  if (before === 0 && protocol === Protocol.UDP) return ports
  adjustAt(out, checksum, total)
  if (u16(out, checksum) === 0) putU16(out, checksum, 0xffff)
  return ports + changed(before, u16(out, checksum))
}

/** New ports, as of a packet's flow. */
interface NewPorts {
  readonly sourcePort: number | undefined
  readonly destinationPort: number | undefined
}

/** The reason why a packet cannot have these ports: SCTP's are under its CRC32c (RFC 6887 section 16.3.3). */
export const fixedPorts = (packet: IpPacket, to: NewPorts): Drop | undefined => {
  const { protocol, content, payload } = subjectOf(packet)
  if (protocol !== Protocol.SCTP || content !== "ports") return undefined
  const { sourcePort, destinationPort } = flowOf(packet)
  return (to.sourcePort ?? sourcePort) === sourcePort && (to.destinationPort ?? destinationPort) === destinationPort
    ? undefined
    : drop("port-not-rewritable", payload)
}
