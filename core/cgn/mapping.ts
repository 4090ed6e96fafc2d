import type { Address, Nonce } from "../wire/index.ts"
import type { Connection } from "./connection.ts"

/**
 * How a mapping came to be (RFC 6887 section 3): `map` explicit dynamic inbound, `peer` explicit dynamic outbound for one
 * remote peer, `implicit` dynamic from outbound traffic, `static` by the administrator.
 */
export type MappingKind = "map" | "peer" | "implicit" | "static"

/** Which protocol, or what else, asked for it; NAT-PMP mappings reserve their companion port (RFC 6886 section 3.3). */
export type MappingOrigin = "pcp" | "nat-pmp" | "traffic" | "administrator"

/**
 * What keeps overlapping internal addresses apart: a softwire's B4 address (RFC 6333), a layer-2 id, a THIRD_PARTY_ID
 * (RFC 7843), as 128 bits. Two equal internal addresses in different realms are different hosts.
 */
export type Realm = Address

/** What few mappings have. */
export interface MappingDetails {
  /** Made with PREFER_FAILURE: an update must not move it (RFC 6887 section 14.2). */
  readonly preferFailure: boolean
  /** Who asked for it with THIRD_PARTY; `undefined`: the internal host itself. */
  readonly requester: Address | undefined
  /** The THIRD_PARTY_ID option's octets (RFC 7843), in hex, for echoing it. */
  readonly thirdPartyId: string | undefined
  /** DESCRIPTION as it was stored (RFC 7220). */
  readonly description: string | undefined
}

/** What of a remote peer a mapping is of alone: its address, or that and its port (RFC 4787 section 4.1). */
export type RemoteDependence = "address-dependent" | "address-and-port-dependent"

/** A mapping as data. Times are milliseconds on the clock that the caller passes as `now`. */
export interface Mapping {
  /** How it came to be. */
  readonly kind: MappingKind
  /** Who asked for it. */
  readonly origin: MappingOrigin
  /** IANA protocol number. */
  readonly protocol: number
  /** The host's address; IPv4 is IPv4-mapped. */
  readonly internal: Address
  /** 0: all ports of the protocol, or all that it has; but of ICMP with an `identifier` queries that have this one. */
  readonly internalPort: number
  /** Of an `implicit` mapping of ICMP queries with the identifier 0; absent in all others. It has an external port, unlike one of all ICMP. */
  readonly identifier?: 0 | undefined
  /** `undefined`: none. */
  readonly realm: Realm | undefined
  /** The external address. */
  readonly external: Address
  /** 0: all ports. */
  readonly externalPort: number
  /**
   * The remote peer of a `peer` mapping, and of an `implicit` one that is of one remote peer or flow; `undefined` and 0
   * otherwise. In the family of the inside. The port is 0 as well in an implicit mapping of all ports of the address.
   */
  readonly remote: Address | undefined
  /** The port of `remote`. */
  readonly remotePort: number
  /**
   * Of a `peer` or `implicit` mapping: its external end is for that remote address, or that address and port, alone. Else
   * absent: whatever the internal end sends leaves from this external end.
   */
  readonly dependence?: RemoteDependence | undefined
  /** `undefined` where no PCP request made it: NAT-PMP has no nonce. */
  readonly nonce: Nonce | undefined
  /** The instant from which it counts as absent; `Infinity` for a mapping that does not expire. */
  readonly expires: number
  /** UDP source port of the request that made or renewed it last, where updates go (RFC 6887 section 14.2); 0: nobody's. */
  readonly clientPort: number
  /** What few mappings have; `undefined`: nothing of it. */
  readonly details: MappingDetails | undefined
  /** Of an implicit mapping that is one TCP flow's: how far it has got. */
  readonly connection?: Connection | undefined
}

/** One remote peer filter (RFC 6887 section 13.3). */
export interface Filter {
  /** The address whose first bits count. */
  readonly remote: Address
  /** Bits of the 128-bit address that must match: 96 to 128 for IPv4. */
  readonly prefixLength: number
  /** 0 is every port. */
  readonly remotePort: number
}
