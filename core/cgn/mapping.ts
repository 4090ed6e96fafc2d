import type { Address, Nonce } from "../wire/index.ts"

/**
 * How a mapping came to be (RFC 6887 section 3): `map` explicit dynamic inbound, `peer` explicit dynamic outbound for one
 * remote peer, `implicit` dynamic from outbound traffic.
 */
export type MappingKind = "map" | "peer" | "implicit"

/** Which protocol, or what else, asked for it; NAT-PMP mappings reserve their companion port (RFC 6886 section 3.3). */
export type MappingOrigin = "pcp" | "nat-pmp" | "traffic"

/** A mapping as data. Times are milliseconds on the clock that the caller passes as `now`. */
export interface Mapping {
  readonly kind: MappingKind
  readonly origin: MappingOrigin
  /** IANA protocol number. */
  readonly protocol: number
  readonly internal: Address
  readonly internalPort: number
  readonly external: Address
  readonly externalPort: number
  /** The remote peer of a `peer` mapping; `undefined` and 0 otherwise. */
  readonly remote: Address | undefined
  readonly remotePort: number
  /** `undefined` where no PCP request made it: NAT-PMP has no nonce. */
  readonly nonce: Nonce | undefined
  /** The instant from which it counts as absent; `Infinity` for a mapping that does not expire. */
  readonly expires: number
}

/** One remote peer filter (RFC 6887 section 13.3). */
export interface Filter {
  readonly remote: Address
  /** Bits of the 128-bit address that must match: 96 to 128 for IPv4. */
  readonly prefixLength: number
  /** 0 is every port. */
  readonly remotePort: number
}
