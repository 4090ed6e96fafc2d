import { type Address, i32, Protocol, putU16, putU32 } from "../../wire/index.ts"
import { sourceAddress, trafficClass } from "./flow.ts"
import type { IpPacket } from "./packet.ts"
import { Icmp4, Icmp6, IPV4_HEADER, IPV6_HEADER, MIN_IPV6_MTU } from "./protocol.ts"
import { copyOctets, pseudo6, putIcmpChecksum, putIpv4Header, putIpv6Header } from "./put-header.ts"
import { isLegalIpv4Source } from "./rfc6052.ts"

/** What the sender of a dropped packet is told. */
export type IcmpCause =
  | {
      readonly kind:
        | "hop-limit"
        | "reassembly-time"
        | "no-route"
        | "address-unreachable"
        | "port-unreachable"
        /** RFC 6146 section 3.4 tells an IPv6 host of it as of a port. */
        | "protocol-unreachable"
        /** Of resources or of policy (RFC 5508 REQ-8, RFC 7915 sections 4.4 and 5.4). */
        | "prohibited"
        | "source-route-failed"
    }
  /** `mtu`: of the next hop as this sender is to see it, octets. */
  | { readonly kind: "too-big"; readonly mtu: number }
  /** `pointer`: octet of the packet, 0 the first of its header. */
  | { readonly kind: "parameter"; readonly pointer: number }

/** Type and code in one word each (RFC 792, RFC 1812 section 5.2.7; RFC 4443 section 3). */
const TYPE_AND_CODE: Readonly<Record<IcmpCause["kind"], readonly [number, number]>> = {
  "hop-limit": [Icmp4.TIME_EXCEEDED << 8, Icmp6.TIME_EXCEEDED << 8],
  "reassembly-time": [(Icmp4.TIME_EXCEEDED << 8) | 1, (Icmp6.TIME_EXCEEDED << 8) | 1],
  "no-route": [Icmp4.UNREACHABLE << 8, Icmp6.UNREACHABLE << 8],
  "address-unreachable": [(Icmp4.UNREACHABLE << 8) | 1, (Icmp6.UNREACHABLE << 8) | 3],
  "port-unreachable": [(Icmp4.UNREACHABLE << 8) | 3, (Icmp6.UNREACHABLE << 8) | 4],
  "protocol-unreachable": [(Icmp4.UNREACHABLE << 8) | 2, (Icmp6.UNREACHABLE << 8) | 4],
  prohibited: [(Icmp4.UNREACHABLE << 8) | 13, (Icmp6.UNREACHABLE << 8) | 1],
  "source-route-failed": [(Icmp4.UNREACHABLE << 8) | 5, Icmp6.UNREACHABLE << 8],
  "too-big": [(Icmp4.UNREACHABLE << 8) | 4, Icmp6.PACKET_TOO_BIG << 8],
  parameter: [Icmp4.PARAMETER_PROBLEM << 8, Icmp6.PARAMETER_PROBLEM << 8],
}

/** The largest ICMP error over IPv4 (RFC 1812 section 4.3.2.3). */
const MAX_IPV4_ERROR = 576
const HOP_LIMIT = 64

/**
 * The ICMP error that tells the sender of `packet`, as it was received, why it goes no further; `undefined` where none may be
 * sent (RFC 1812 section 4.3.2.7, RFC 4443 section 2.4): about an ICMP error or redirect, about a later fragment, to or
 * because of multicast and broadcast, but for an IPv6 packet that is too big.
 *
 * `from` is the translator's own address on that side, of the packet's family. The packet is quoted up to 576 octets of error
 * over IPv4, 1280 over IPv6; the error has its DSCP (RFC 5508 section 7.7). How often errors are sent is the caller's.
 */
export const icmpError = (packet: IpPacket, cause: IcmpCause, from: Address): Uint8Array | undefined => {
  if (packet.fragmentOffset > 0 || packet.content === "error" || isIcmpError(packet) || !answerable(packet, cause))
    return undefined
  const { bytes, start, end, version } = packet
  const header = version === 4 ? IPV4_HEADER : IPV6_HEADER
  const most = version === 4 ? MAX_IPV4_ERROR : MIN_IPV6_MTU
  const quoted = Math.min(end - start, most - header - 8)
  const length = 8 + quoted
  const out = new Uint8Array(header + length)
  const destination = sourceAddress(packet)
  const dscp = trafficClass(packet) & 0xfc
  if (version === 4)
    putIpv4Header(out, 0, {
      tos: dscp,
      totalLength: header + length,
      // A whole packet with DF needs no identification (RFC 6864 section 4.1).
      identification: 0,
      fragment: 0x4000,
      timeToLive: HOP_LIMIT,
      protocol: Protocol.ICMP,
      source: from,
      destination,
    })
  else
    putIpv6Header(out, 0, {
      trafficClass: dscp,
      payloadLength: length,
      nextHeader: Protocol.ICMPV6,
      hopLimit: HOP_LIMIT,
      source: from,
      destination,
    })
  putU16(out, header, TYPE_AND_CODE[cause.kind][version === 4 ? 0 : 1])
  putU32(out, header + 4, restOf(cause, version))
  copyOctets(out, header + 8, bytes, start, start + quoted)
  putIcmpChecksum(out, header, version === 4 ? 0 : pseudo6(out, 0, length, Protocol.ICMPV6))
  return out
}

/** The 32 bits behind the checksum: an MTU (RFC 1191 section 4, RFC 4443 section 3.2), or a pointer. */
const restOf = (cause: IcmpCause, version: 4 | 6): number => {
  if (cause.kind === "too-big") return version === 4 ? Math.min(cause.mtu, 0xffff) : cause.mtu
  if (cause.kind === "parameter") return version === 4 ? cause.pointer << 24 : cause.pointer
  return 0
}

/** Errors that carry no packet that is read, and redirects: ICMP 4 and 5, ICMPv6 below 128 and 137. */
const isIcmpError = ({ bytes, content, version, payload }: IpPacket): boolean => {
  if (content !== "icmp") return false
  const type = bytes[payload]
  return version === 4 ? type === 4 || type === 5 : type < 128 || type === 137
}

const answerable = ({ bytes, start, version }: IpPacket, cause: IcmpCause): boolean => {
  if (version === 4) return isLegalIpv4Source(i32(bytes, start + 12)) && bytes[start + 16] < 224
  const unspecified = i32(bytes, start + 8) === 0 && i32(bytes, start + 12) === 0 && i32(bytes, start + 16) === 0
  if (bytes[start + 8] === 0xff || (unspecified && i32(bytes, start + 20) === 0)) return false
  return bytes[start + 24] !== 0xff || cause.kind === "too-big"
}
