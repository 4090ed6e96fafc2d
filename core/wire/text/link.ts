import { i32, u16 } from "../octets.ts"
import type { Encapsulation, SkipReason } from "./reading.ts"

/** Where the IP packet of a frame starts, and what lies around it. */
export type Link = {
  readonly link: Encapsulation["link"]
  readonly vlans: readonly number[]
  readonly from: number
}

const NO_VLANS: readonly number[] = []

/** LINKTYPE_ numbers (draft-ietf-opsawg-pcaplinktype) that are read here. */
export const LinkType = {
  NULL: 0,
  ETHERNET: 1,
  RAW: 101,
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const

/** The IP packet in the frame of `linkType` between `from` and `end`, or why there is none. */
export const stripLink = (linkType: number, bytes: Uint8Array, from: number, end: number): Link | SkipReason => {
  switch (linkType) {
    case LinkType.ETHERNET:
      return stripType("ethernet", bytes, from + 12, from + 14, end)
    case LinkType.LINUX_SLL:
      return stripType("sll", bytes, from + 14, from + 16, end)
    case LinkType.LINUX_SLL2:
      return stripType("sll2", bytes, from, from + 20, end)
    case LinkType.NULL:
    case LinkType.LOOP:
      return stripFamily(bytes, from, end)
    // 12 and 14 are DLT_RAW of some systems, found in files that they wrote.
    case 12:
    case 14:
    case LinkType.RAW:
    case LinkType.IPV4:
    case LinkType.IPV6:
      return { link: "raw", vlans: NO_VLANS, from }
    default:
      return "link-type"
  }
}

/** EtherTypes of VLAN tags: 802.1Q, 802.1ad (QinQ), and two that older switches use for the outer one. */
const isVlan = (type: number): boolean => type === 0x8100 || type === 0x88a8 || type === 0x9100 || type === 0x9200

const stripType = (
  link: Encapsulation["link"],
  bytes: Uint8Array,
  typeAt: number,
  header: number,
  end: number,
): Link | SkipReason => {
  if (header > end) return "truncated"
  let type = u16(bytes, typeAt)
  let from = header
  let vlans = NO_VLANS
  while (isVlan(type)) {
    if (from + 4 > end) return "truncated"
    vlans = [...vlans, u16(bytes, from) & 0x0fff]
    type = u16(bytes, from + 2)
    from += 4
    // Two tags are QinQ; a frame of nothing but tags is no frame.
    if (vlans.length > 8) return "malformed"
  }
  return type === 0x0800 || type === 0x86dd ? { link, vlans, from } : "not-ip"
}

/** BSD null has the address family in the order of the machine that captured, loop in network order: both are looked for. */
const stripFamily = (bytes: Uint8Array, from: number, end: number): Link | SkipReason => {
  if (from + 4 > end) return "truncated"
  const word = i32(bytes, from)
  const family = (word & 0xffffff) === 0 ? word >>> 24 : word
  // AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 23 on Windows, 24, 28 and 30 on the BSDs and macOS.
  const known = family === 2 || family === 10 || family === 23 || family === 24 || family === 28 || family === 30
  return known ? { link: "null", vlans: NO_VLANS, from: from + 4 } : "not-ip"
}
