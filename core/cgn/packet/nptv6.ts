import type { Address } from "../../wire/index.ts"
import { writeAddress } from "../../wire/index.ts"
import { inbound, outbound, type Translator } from "../stateless/prefix.ts"
import { type Drop, drop } from "./drop.ts"
import { destinationAddress, hopLimit, sourceAddress } from "./flow.ts"
import type { IpPacket } from "./packet.ts"
import type { Rewritten } from "./rewrite.ts"
import { type Allocate, allocateEach, copyOf } from "./room.ts"

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
): Rewritten => {
  const source = packet.version === 6 ? outbound(translator, sourceAddress(packet)) : undefined
  if (source === undefined) return refusal(packet, 8, translator.external.prefixLength)
  const { embedded } = packet
  const back = embedded === undefined ? undefined : outbound(translator, destinationAddress(embedded))
  return put(packet, 8, source, 24, back, hops, allocate)
}

/** The other way: a packet from the external network, with the internal prefix in its destination (RFC 6296 section 3.3). */
export const nptv6Inbound = (
  translator: Translator,
  packet: IpPacket,
  hops: 0 | 1 = 1,
  allocate: Allocate = allocateEach,
): Rewritten => {
  const destination = packet.version === 6 ? inbound(translator, destinationAddress(packet)) : undefined
  if (destination === undefined) return refusal(packet, 24, translator.external.prefixLength)
  const { embedded } = packet
  const back = embedded === undefined ? undefined : inbound(translator, sourceAddress(embedded))
  return put(packet, 24, destination, 8, back, hops, allocate)
}

const refusal = ({ bytes, version, start }: IpPacket, at: number, prefixLength: number): Drop => {
  if (version !== 6) return drop("wrong-family", start)
  const identifier = start + at + 8
  if (prefixLength > 48 && bytes.subarray(identifier, identifier + 8).every((octet) => octet === 0))
    return drop("zero-identifier", identifier, { kind: "parameter", pointer: at + 8 })
  return drop("prefix-unmapped", start + at, { kind: "no-route" })
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
