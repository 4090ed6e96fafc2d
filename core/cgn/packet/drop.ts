import type { IcmpCause } from "./icmp-error.ts"

/** Why a packet goes no further, with the clause that says so. */
export const DROP_CLAUSES = {
  /** The packet ends before its header or its own length says. */
  truncated: "RFC 791 section 3.1, RFC 8200 section 3",
  /** Neither version 4 nor 6. */
  "bad-version": "RFC 791 section 3.1, RFC 8200 section 3",
  /** IPv4: a header length below 20 octets, or beyond the total length. */
  "bad-header-length": "RFC 791 section 3.1",
  "bad-header-checksum": "RFC 1812 section 4.2.2.5",
  /** IPv6 with `::ffff:0:0/96` in an address: IPv4 would not be told from it (RFC 4291 section 2.5.5.2). */
  "mapped-address": "RFC 4291 section 2.5.5.2",
  /** IPv6: a Hop-by-Hop Options header that is not the first, or a second Fragment header. */
  "bad-extension-order": "RFC 8200 section 4.1",
  /** Not a multiple of 8 octets with more to follow, or an end beyond 65535. */
  "bad-fragment": "RFC 791 section 3.2, RFC 8200 section 4.5",
  /** A fragment without its whole transport header, or that writes over one. */
  "tiny-fragment": "RFC 1858 section 3, RFC 6146 section 3.4",
  /** Fragments of one packet that both have the same part of it. */
  "overlapping-fragment": "RFC 5722 section 4, RFC 8200 section 4.5",
  "short-transport": "RFC 768, RFC 9293 section 3.1, RFC 792",
  "bad-udp-length": "RFC 768",
  "bad-tcp-offset": "RFC 9293 section 3.1",
  "bad-udp-lite-coverage": "RFC 3828 section 3.1",
  /** An ICMP error whose checksum is wrong; that of a query is the receiver's to judge. */
  "bad-icmp-checksum": "RFC 5508 REQ-3",
  /** An ICMP error, or over a change of family any ICMP message, in fragments. */
  "fragmented-icmp": "RFC 7915 section 1.2, RFC 6146 section 3.4",
  /** An ICMP error whose packet in error is not there, or not far enough to say whose it was. */
  "bad-embedded-packet": "RFC 5508 REQ-3a, RFC 6146 section 3.4",
  /** An ICMP error about an ICMP error. */
  "embedded-error": "RFC 7915 sections 4.3 and 5.3, RFC 6146 section 3.4",
  "hop-limit": "RFC 7915 sections 4.1 and 5.1, RFC 5508 section 7.2",
  /** Longer than the next link carries, and not to be fragmented. */
  "too-big": "RFC 7915 section 4.1, RFC 4787 REQ-13, RFC 2473 section 7.2",
  /** The packet is not of the family that is translated here. */
  "wrong-family": "RFC 7915 sections 4.6 and 5.6",
  "illegal-source": "RFC 7915 sections 4.1 and 5.1, RFC 1812 section 5.3.7, RFC 4291 section 2.7",
  "source-route": "RFC 7915 section 4.1, RFC 5508 section 7.3",
  /** IPv6: a Routing header with segments left. */
  "routing-header": "RFC 7915 section 5.1",
  /** IPv6: a fragment whose data begins with a further extension header. */
  "fragmented-extension": "RFC 7915 section 5.1.1",
  /** An ICMP message, or protocol, that has no meaning in the other family, or no place for another address. */
  "not-translatable": "RFC 7915 sections 4.2 and 5.2, RFC 5508 REQ-11",
  /** UDP over IPv4 without checksum, where none can or shall be computed for IPv6. */
  "udp-zero-checksum": "RFC 7915 section 4.5",
  /** A new port for SCTP: its CRC32c covers the port. */
  "port-not-rewritable": "RFC 6887 section 16.3.3",
  /** NPTv6: an address without one on the other side. */
  "prefix-unmapped": "RFC 6296 section 3.2",
  /** NPTv6: an interface identifier of zeros behind a prefix of more than 48 bits. */
  "zero-identifier": "RFC 6296 section 3.7",
  /** A tunnel packet that carries no IPv4. */
  "not-a-tunnel": "RFC 2473 section 3.3",
  /** A fragment of a tunnel packet: reassembly comes before decapsulation. */
  "tunnel-fragment": "RFC 6333 section 6.3",
  /** Congestion was signalled in the tunnel, and the packet in it cannot carry the signal. */
  "tunnel-congestion": "RFC 6040 section 4.2",
} as const

/** What a packet itself is dropped for, wherever it comes. */
export type DropCode = keyof typeof DROP_CLAUSES

/** A packet that goes no further. */
export interface Drop {
  readonly ok: false
  readonly code: DropCode
  /** Octet of the packet at fault, counted as in the bytes that were read. */
  readonly offset: number
  /** What its sender should be told, by {@link icmpError}; `undefined`: nothing. */
  readonly reply: IcmpCause | undefined
}

export const drop = (code: DropCode, offset: number, reply?: IcmpCause): Drop => ({ ok: false, code, offset, reply })
