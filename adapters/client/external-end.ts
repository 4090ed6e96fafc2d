import {
  type AddressClass,
  type Assigned,
  classOfAddress,
  type Failure,
  isDoubleNat,
  type MappingState,
} from "../../core/client/index.ts"
import { type Address, formatAddress, type Prefix64 } from "../../core/wire/index.ts"

/** An address outside, for people and for programs. */
export interface ExternalAddress {
  /** For programs; IPv4 is IPv4-mapped. */
  readonly address: Address
  /** `203.0.113.7`, `2001:db8::7`. */
  readonly text: string
  /** Whether the Internet reaches it, or what else it is. */
  readonly class: AddressClass
  /** Another NAT is in front of the one that said so: the Internet does not reach this address. */
  readonly isDoubleNat: boolean
}

/** Where a mapping is reached from outside. */
export interface ExternalEnd extends ExternalAddress {
  /** The external port; of a port set, the first. */
  readonly port: number
  /** Consecutive ports from there on: 1 but for a port set. */
  readonly ports: number
}

/** Where a mapping stands at one server. */
export interface ServerResult {
  /** The server's name. */
  readonly server: string
  /** Asked, granted, refused, lost: see the machine's states. */
  readonly state: MappingState
  /** What is granted now; `undefined`: nothing. */
  readonly granted: Granted | undefined
  /** What went wrong last; a grant makes it `undefined` again. */
  readonly failure: Failure | undefined
}

/** What one server granted. */
export interface Granted {
  /** Where it is reached. */
  readonly external: ExternalEnd
  /** The protocol that it was granted in. */
  readonly protocol: "pcp" | "nat-pmp"
  /** Seconds, as the server said. */
  readonly lifetime: number
  /** When it ends, milliseconds on the runtime's clock. */
  readonly until: number
  /** The NAT64's prefixes, if they were asked for and told (RFC 7225). */
  readonly prefixes: readonly Prefix64[]
}

export const externalAddressOf = (address: Address): ExternalAddress => {
  const kind = classOfAddress(address)
  return { address, text: formatAddress(address), class: kind, isDoubleNat: isDoubleNat(kind) }
}

export const grantedOf = (assigned: Assigned): Granted => {
  const { external, externalPort: port, ports, protocol, lifetime, until, prefixes } = assigned
  return { external: { ...externalAddressOf(external), port, ports }, protocol, lifetime, until, prefixes }
}

/** One at a public address rather than any other; the order of the servers decides among equals. */
export const bestOf = (granted: readonly Granted[]): Granted | undefined =>
  granted.find(({ external }) => external.class === "public") ?? granted[0]
