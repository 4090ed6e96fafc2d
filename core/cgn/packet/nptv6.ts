import { type Address, addressWord, writeAddress } from "../../wire/index.ts"
import { isInPrefix, type Prefix } from "../rule.ts"
import { inbound, outbound, type Translator } from "../stateless/prefix.ts"
import { type Drop, drop } from "./drop.ts"
import { destinationAddress, hopLimit, sourceAddress } from "./flow.ts"
import type { IpPacket } from "./packet.ts"
import type { Rewritten } from "./rewrite.ts"
import { type Allocate, allocateEach, copyOf } from "./room.ts"

/** The address on the other side of a packet in error's end, which may be of another pair of prefixes than the error's own. */
export type Counterpart = (address: Address) => Address | undefined

/**
 * An IPv6 packet from the internal network with the external prefix in its source (RFC 6296 section 3.2). The mapping is
 * checksum-neutral: nothing behind the IPv6 header changes, whatever it is, but for the destination of the packet in error of
 * an ICMPv6 error, which goes back to what its sender knows; that leaves the error's own checksum right too.
 *
 * Dropped: a source without an external address (section 3.2), or with an interface identifier of zeros behind a prefix of
 * more than 48 bits (section 3.7).
 */
export const nptv6Outbound = (
  translator: Translator,
  packet: IpPacket,
  hops: 0 | 1 = 1,
  allocate: Allocate = allocateEach,
  externalOf: Counterpart = (address) => outbound(translator, address),
): Rewritten => {
  if (packet.version !== 6) return drop("wrong-family", packet.start)
  const internal = sourceAddress(packet)
  const source = outbound(translator, internal)
  if (source === undefined) return refusal(packet, 8, internal, translator.internal)
  const { embedded } = packet
  const back = embedded === undefined ? undefined : externalOf(destinationAddress(embedded))
  return put(packet, 8, source, 24, back, hops, allocate)
}

/** The other way: a packet from the external network, with the internal prefix in its destination (RFC 6296 section 3.3). */
export const nptv6Inbound = (
  translator: Translator,
  packet: IpPacket,
  hops: 0 | 1 = 1,
  allocate: Allocate = allocateEach,
  internalOf: Counterpart = (address) => inbound(translator, address),
): Rewritten => {
  if (packet.version !== 6) return drop("wrong-family", packet.start)
  const external = destinationAddress(packet)
  const destination = inbound(translator, external)
  if (destination === undefined) return refusal(packet, 24, external, translator.external)
  const { embedded } = packet
  const back = embedded === undefined ? undefined : internalOf(sourceAddress(embedded))
  return put(packet, 24, destination, 8, back, hops, allocate)
}

/** Why the address at `at` of the header has none on the other side. */
const refusal = ({ start }: IpPacket, at: number, address: Address, prefix: Prefix): Drop => {
  const isZero = addressWord(address, 2) === 0 && addressWord(address, 3) === 0
  return isZero && prefix.prefixLength > 48 && isInPrefix(address, prefix)
    ? drop("zero-identifier", start + at + 8, { kind: "parameter", pointer: at + 8 })
    : drop("prefix-unmapped", start + at, { kind: "no-route" })
}

const put = (
  packet: IpPacket,
  at: number,
  address: Address,
  backAt: number,
  back: Address | undefined,
  hops: 0 | 1,
  allocate: Allocate,
): Rewritten => {
  const { bytes, start, end, embedded } = packet
  if (hops !== 0 && hopLimit(packet) <= hops) return drop("hop-limit", start + 7, { kind: "hop-limit" })
  const out = copyOf(bytes, start, end, allocate)
  out[7] -= hops
  writeAddress(out, at, address)
  if (embedded !== undefined && back !== undefined) writeAddress(out, embedded.start - start + backAt, back)
  return { ok: true, bytes: out }
}
