import { type Address, addressFromIpv4, addressWord, isLinkLocal6 } from "../../core/wire/index.ts"
import { readWords, swap32, writeWords } from "./sockaddr.ts"

/**
 * The control message that says where a datagram was sent to, and from where one is to leave (ip(7), RFC 3542 section 6), in 32-bit words:
 * octets of the whole, as 64 bits; level; type; then struct in_pktinfo (interface, the machine's own address, the header's destination) or
 * struct in6_pktinfo (address, interface).
 */
export const CONTROL_WORDS = 16
const IPPROTO_IP = 0
const IP_PKTINFO = 8
const IPPROTO_IPV6 = 41
const IPV6_PKTINFO = 50
/** Octets of the two, with what pads them (CMSG_SPACE). */
const SPACE4 = 32
const SPACE6 = 40

/** Where a datagram was sent to. */
export interface Arrived {
  readonly address: Address
  /** Index of the interface that it came in by. */
  readonly scope: number
}

/**
 * What a control message of `octets` octets says, if it says it. Of a datagram to a group or to everybody it is the address that the
 * system would answer from; `undefined` where it tells none (IPv6).
 */
export const readArrived = (words: Uint32Array, at: number, octets: number): Arrived | undefined => {
  if (octets >= 28 && words[at + 2] === IPPROTO_IP && words[at + 3] === IP_PKTINFO)
    return { address: addressFromIpv4(swap32(words[at + 5]) >>> 0), scope: words[at + 4] }
  if (octets < 36 || words[at + 2] !== IPPROTO_IPV6 || words[at + 3] !== IPV6_PKTINFO) return undefined
  // ff00::/8
  if ((words[at + 4] & 0xff) === 0xff) return undefined
  return { address: readWords(words, at + 4), scope: words[at + 8] }
}

/** Are these words of two control messages, of which the second has so many octets, the same? */
export const isSameArrived = (one: Uint32Array, words: Uint32Array, at: number, octets: number): boolean => {
  if (one[0] !== octets) return false
  for (let i = 2; i < 9; i++) if (one[i] !== words[at + i]) return false
  return true
}

/** From where a datagram is to leave: an address of the machine, and of a link-local one the interface. */
export type From = Arrived

/** Writes from where a datagram is to leave, by a socket of that family; gives the octets. */
export const writeFrom = (words: Uint32Array, at: number, family: 4 | 6, { address, scope }: From): number => {
  words[at + 1] = 0
  if (family === 4) {
    words[at] = 28
    words[at + 2] = IPPROTO_IP
    words[at + 3] = IP_PKTINFO
    words[at + 4] = 0
    words[at + 5] = swap32(addressWord(address, 3))
    words[at + 6] = 0
    return SPACE4
  }
  words[at] = 36
  words[at + 2] = IPPROTO_IPV6
  words[at + 3] = IPV6_PKTINFO
  writeWords(words, at + 4, address)
  // Of any other address the interface is the one that the routes choose.
  words[at + 8] = isLinkLocal6(address) ? scope : 0
  return SPACE6
}
