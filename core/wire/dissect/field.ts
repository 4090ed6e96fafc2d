/**
 * How a field's octets are to be read by people: the key by which {@link describe} words a node, and by which its value
 * is printed the way tshark does.
 */
export type Kind =
  | "message"
  | "group"
  | "option"
  | "version"
  | "direction"
  | "opcode"
  | "natPmpOpcode"
  | "result"
  | "natPmpResult"
  | "seconds"
  | "uint"
  | "protocol"
  | "optionCode"
  | "prefixLength"
  | "prefix64Length"
  | "prefix64"
  | "ipv4Prefix"
  | "flag"
  | "prf"
  | "mac"
  | "address"
  | "ipv4"
  | "text"
  | "zeros"
  | "bytes"

/** What a specification says of a field: shared by all nodes of it, so that a node itself stays small. */
export type Field = {
  /** The RFC's own name. */
  readonly name: string
  readonly kind: Kind
  /** Octets, 0 where another field or the end of the packet says how many. */
  readonly size: number
  /** Where smaller than an octet: its first bit, 0 the most significant, as RFC diagrams count. */
  readonly bit: number
  /** How many bits; 0 for whole octets. */
  readonly bits: number
  /** Where it is specified, for example `RFC 6887 section 7.1`. */
  readonly rfc: string
  /** Wireshark's name of it, where Wireshark has one. */
  readonly wireshark: string | undefined
  /** What the value zero means, where it means something of its own. */
  readonly zero: string | undefined
  /** The fields that this one is made of. */
  readonly parts: readonly Field[] | undefined
}

type Extra = {
  readonly zero?: string
  readonly bit?: number
  readonly bits?: number
  readonly parts?: readonly Field[]
}

/** One constructor for all fields keeps them one hidden class, so that reads of them stay monomorphic. */
export const field = (
  name: string,
  kind: Kind,
  size: number,
  rfc: string,
  wireshark?: string,
  extra: Extra = {},
): Field => ({
  name,
  kind,
  size,
  bit: extra.bit ?? 0,
  bits: extra.bits ?? 0,
  rfc,
  wireshark,
  zero: extra.zero,
  parts: extra.parts,
})
