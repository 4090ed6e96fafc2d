import { putU16 } from "../../wire/index.ts"
import { fold, sumOctets } from "./checksum.ts"
import { type Drop, drop } from "./drop.ts"
import type { IpPacket } from "./packet.ts"
import { FRAGMENT_HEADER, IPV6_HEADER, IpProtocol } from "./protocol.ts"

/**
 * The whole packet of fragments in any order, all of one source, destination, protocol and identification, which the caller
 * has seen to (RFC 791 section 3.2, RFC 8200 section 4.5). `undefined`: some are still missing.
 *
 * Its header is that of the first fragment, IPv4's without DF, so that it can go on in fragments; IPv6's without the Fragment
 * header, or with `atomic` one that says it is whole, from which `toIpv4` takes the identification, and that it may be
 * fragmented again (RFC 7915 section 5.1.1). The same fragment twice counts once; other
 * overlaps drop the packet (RFC 5722 section 4, held for IPv4 as well), as do fragments that are no packet together. How many
 * are kept, and how long, is the caller's (RFC 6146 section 3.4, RFC 4787 REQ-14).
 */
export const reassemble = (
  fragments: readonly IpPacket[],
  atomic = false,
): { readonly ok: true; readonly bytes: Uint8Array } | Drop | undefined => {
  const inOrder = [...fragments].sort((a, b) => a.fragmentOffset - b.fragmentOffset)
  let end = 0
  let complete = false
  for (const [i, fragment] of inOrder.entries()) {
    const { fragmentOffset, moreFragments, start } = fragment
    const before = inOrder[i - 1]
    if (before !== undefined && fragmentOffset === before.fragmentOffset && lengthOf(fragment) === lengthOf(before)) {
      if (moreFragments === before.moreFragments && isSame(fragment, before)) continue
      return drop("overlapping-fragment", start)
    }
    // Data behind the last fragment is an overlap too, of what its end says.
    if (fragmentOffset < end || complete) return drop("overlapping-fragment", start)
    if (fragmentOffset > end) return undefined
    end += lengthOf(fragment)
    complete = !moreFragments
  }
  if (!complete) return undefined
  const first = inOrder[0]
  const at = dataAt(first)
  const header = at - first.start - (first.fragmentAt === 0 || atomic ? 0 : FRAGMENT_HEADER)
  const length = header + end
  if (length - (first.version === 6 ? IPV6_HEADER : 0) > 0xffff) return drop("bad-fragment", first.start)
  const bytes = new Uint8Array(length)
  bytes.set(first.bytes.subarray(first.start, first.start + header))
  for (const fragment of inOrder)
    bytes.set(fragment.bytes.subarray(dataAt(fragment), fragment.end), header + fragment.fragmentOffset)
  if (first.version === 4) finishIpv4(bytes, header)
  else if (atomic) finishAtomic(bytes, first)
  else finishIpv6(bytes, first)
  return { ok: true, bytes }
}

/** Where a fragment's part of the packet begins: in an IPv6 packet's first, that may be before its transport header. */
const dataAt = ({ fragmentAt, payload }: IpPacket): number =>
  fragmentAt === 0 ? payload : fragmentAt + FRAGMENT_HEADER

const lengthOf = (fragment: IpPacket): number => fragment.end - dataAt(fragment)

const isSame = (a: IpPacket, b: IpPacket): boolean => {
  const from = dataAt(b) - dataAt(a)
  for (let i = dataAt(a); i < a.end; i++) if (a.bytes[i] !== b.bytes[i + from]) return false
  return true
}

/** Length, no fragment any more, and a checksum for them. */
const finishIpv4 = (bytes: Uint8Array, header: number): void => {
  putU16(bytes, 2, bytes.length)
  bytes[6] &= 0x80
  bytes[7] = 0
  putU16(bytes, 10, 0)
  putU16(bytes, 10, ~fold(sumOctets(bytes, 0, header, 0)) & 0xffff)
}

/** Length, and a Fragment header with offset and M flag 0 (RFC 6946). */
const finishAtomic = (bytes: Uint8Array, { start, fragmentAt }: IpPacket): void => {
  putU16(bytes, 4, bytes.length - IPV6_HEADER)
  putU16(bytes, fragmentAt - start + 2, 0)
}

/** Length, and what the Fragment header had as next header in the octet that had led to it. */
const finishIpv6 = (bytes: Uint8Array, { bytes: from, start, fragmentAt }: IpPacket): void => {
  putU16(bytes, 4, bytes.length - IPV6_HEADER)
  let next = 6
  let at = IPV6_HEADER
  while (at < fragmentAt - start && bytes[next] !== IpProtocol.FRAGMENT) {
    next = at
    at += (bytes[at + 1] + 1) * 8
  }
  bytes[next] = from[fragmentAt]
}
