/** ICMP <-> ICMPv6: types, codes, pointers and MTUs of RFC 7915 sections 4.2 and 5.2, as data. */

import { Icmp4, Icmp6, MIN_IPV6_MTU } from "./protocol.ts"

/** Type, code and the 32 bits behind the checksum of an ICMP error in the other family. */
export interface IcmpError {
  readonly type: number
  readonly code: number
  /** A pointer, an MTU or zeros. A length attribute (RFC 4884) is not in it. */
  readonly value: number
}

/** An MTU that a router told, and what it is about. */
export interface ToldMtu {
  readonly mtu: number
  /** Octets of the packet in error as its own header has them. */
  readonly totalLength: number
  /** Does the packet in error have an IPv6 Fragment header? */
  readonly fragment: boolean
  readonly ipv4Mtu: number
  readonly ipv6Mtu: number
}

/** Codes of ICMPv6 Destination Unreachable for those of ICMP; codes 2 and 4 are other types, -1 is dropped. */
const UNREACHABLE6 = [0, 0, -1, 4, -1, 0, 0, 0, 0, 1, 1, 0, 0, 1, -1, 1]

/** Codes of ICMP Destination Unreachable for those of ICMPv6. */
const UNREACHABLE4 = [1, 10, 1, 1, 3]

/** Figure 3: the octet of IPv4's header, the octet of IPv6's; -1: n/a. */
const POINTER6 = [0, 1, 4, 4, -1, -1, -1, -1, 7, 6, -1, -1, 8, 8, 8, 8, 24, 24, 24, 24]

/** Figure 6, for the first 8 octets: behind them stand the addresses. */
const POINTER4 = [0, 1, -1, -1, 2, 2, 9, 8]

/** RFC 1191 section 7, those that an IPv6 packet can have. */
const PLATEAUS = [65535, 32000, 17914, 8166, 4352, 2002, 1492]

/** The ICMPv6 error for an ICMP error; `undefined`: silently dropped (section 4.2). `value`: the 32 bits behind the checksum. */
export const icmpErrorTo6 = (type: number, code: number, value: number, told: ToldMtu): IcmpError | undefined => {
  switch (type) {
    case Icmp4.UNREACHABLE: {
      if (code === 2) return { type: Icmp6.PARAMETER_PROBLEM, code: 1, value: 6 }
      if (code === 4) return { type: Icmp6.PACKET_TOO_BIG, code: 0, value: mtuTo6(told) }
      const code6 = UNREACHABLE6[code] ?? -1
      return code6 < 0 ? undefined : { type: Icmp6.UNREACHABLE, code: code6, value: 0 }
    }
    case Icmp4.TIME_EXCEEDED:
      return { type: Icmp6.TIME_EXCEEDED, code, value: 0 }
    case Icmp4.PARAMETER_PROBLEM: {
      if (code !== 0 && code !== 2) return undefined
      const pointer = POINTER6[value >>> 24] ?? -1
      return pointer < 0 ? undefined : { type: Icmp6.PARAMETER_PROBLEM, code: 0, value: pointer }
    }
    default:
      return undefined
  }
}

/** The ICMP error for an ICMPv6 error; `undefined`: silently dropped (section 5.2). */
export const icmpErrorTo4 = (type: number, code: number, value: number, told: ToldMtu): IcmpError | undefined => {
  switch (type) {
    case Icmp6.UNREACHABLE: {
      const code4 = UNREACHABLE4[code]
      return code4 === undefined ? undefined : { type: Icmp4.UNREACHABLE, code: code4, value: 0 }
    }
    case Icmp6.PACKET_TOO_BIG:
      return { type: Icmp4.UNREACHABLE, code: 4, value: mtuTo4(told) }
    case Icmp6.TIME_EXCEEDED:
      return { type: Icmp4.TIME_EXCEEDED, code, value: 0 }
    case Icmp6.PARAMETER_PROBLEM: {
      if (code === 1) return { type: Icmp4.UNREACHABLE, code: 2, value: 0 }
      if (code !== 0) return undefined
      const at = value >>> 0
      const pointer = at < 8 ? POINTER4[at] : at < 24 ? 12 : at < 40 ? 16 : -1
      return pointer < 0 ? undefined : { type: Icmp4.PARAMETER_PROBLEM, code: 0, value: pointer << 24 }
    }
    default:
      return undefined
  }
}

/**
 * Section 4.2, code 4. A router from before RFC 1191 tells no MTU: the plateau is then the path's MTU as the text has it,
 * with nothing added for the longer header.
 */
const mtuTo6 = ({ mtu, totalLength, ipv4Mtu, ipv6Mtu }: ToldMtu): number => {
  const path = mtu === 0 ? (PLATEAUS.find((plateau) => plateau < totalLength) ?? MIN_IPV6_MTU) : mtu + 20
  return Math.max(MIN_IPV6_MTU, Math.min(path, ipv6Mtu, ipv4Mtu + 20))
}

/** Section 5.2, type 2: the Fragment header's 8 octets go as well. ICMP has 16 bits for it, and 68 is IPv4's least. */
const mtuTo4 = ({ mtu, fragment, ipv4Mtu, ipv6Mtu }: ToldMtu): number =>
  Math.max(68, Math.min(mtu - (fragment ? 28 : 20), ipv4Mtu, ipv6Mtu - 20, 0xffff))
