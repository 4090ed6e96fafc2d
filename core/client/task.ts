import type { Address, Nonce, Prefix64 } from "../wire/index.ts"
import type { Budget } from "./budget.ts"
import type { Failure, MappingState } from "./event.ts"
import type { MappingRequest } from "./request.ts"

/** How long a mapping is wanted: until it ends by itself, for so many renewals more, or until it is revoked. */
export type Mode =
  | { readonly kind: "once" }
  | { readonly kind: "repeat"; readonly times: number }
  | { readonly kind: "keep" }

/** One request under way: sent, and not answered. Instants are milliseconds. */
export interface Exchange {
  readonly sent: number
  readonly first: number
  /** RT, milliseconds: the time from the last transmission to the next one (RFC 6887 section 8.1.1). */
  readonly wait: number
  readonly purpose: "create" | "renew" | "delete"
}

/** Why a mapping is asked for anew before its time: its owner wants it, or the server may have lost it. */
export type Urgency = "demand" | "loss"

/** What a server granted. */
export interface Grant {
  readonly external: Address
  /** NAT-PMP tells the external address apart from the mapping (RFC 6886 section 3.2), so it may not be known yet. */
  readonly isWhole: boolean
  readonly externalPort: number
  /** The first internal port: of a port set perhaps a later one than was asked for (RFC 7753 section 4). */
  readonly internalPort: number
  /** Seconds, as the server said. */
  readonly lifetime: number
  readonly at: number
  /** When it ends, by a lifetime that can be believed (C-131). */
  readonly until: number
  /** Ports from the internal and the external port on: 1 but for a port set (RFC 7753). */
  readonly ports: number
  readonly prefixes: readonly Prefix64[]
}

interface CommonTask {
  readonly key: string
  readonly id: string
  readonly server: string
  readonly protocol: "pcp" | "nat-pmp"
  readonly exchange: Exchange | undefined
  /** When something is to be done, milliseconds; `Infinity`: nothing. */
  readonly due: number
  readonly lastSent: number
  readonly budget: Budget
  /** Versions changed since the last answer: at most once up and once down. */
  readonly switches: number
}

/** One mapping at one server. */
export interface Lease extends CommonTask {
  readonly kind: "lease"
  readonly request: MappingRequest
  readonly mode: Mode
  readonly goal: "hold" | "delete"
  readonly nonce: Nonce
  readonly grant: Grant | undefined
  /** What to suggest once the grant is gone: the external end that it was (RFC 6887 section 11.2.1). */
  readonly last: { readonly external: Address; readonly externalPort: number } | undefined
  /** Ask until there is an answer, and not in the slots of a renewal; `undefined`: there is time. */
  readonly urgent: Urgency | undefined
  /** Renewals sent since the grant. */
  readonly slot: number
  /** Grants after the first that were asked for, but for those that made lost ones good. */
  readonly renewals: number
  /** An error holds until then (C-52), and which. */
  readonly heldUntil: number
  readonly heldFor: Failure | undefined
  /** The caller was told what is granted. */
  readonly isTold: boolean
  /** Suggest the internal port, since the server refuses a suggestion of 0. */
  readonly suggestsInternal: boolean
  readonly state: MappingState
  /** The client's own address when it was asked for. */
  readonly client: Address
}

/** Is the server there? ANNOUNCE (RFC 6887 section 14.1.2), or for NAT-PMP its external address. */
export interface Probe extends CommonTask {
  readonly kind: "probe"
  readonly tries: number
}

/** NAT-PMP's request for the external address (RFC 6886 section 3.2). */
export interface AddressTask extends CommonTask {
  readonly kind: "address"
}

/** NAT-PMP's deletion of all mappings of a protocol (RFC 6886 section 3.4). */
export interface UnmapAll extends CommonTask {
  readonly kind: "unmap-all"
  readonly transport: "udp" | "tcp"
}

export type Task = Lease | Probe | AddressTask | UnmapAll

/** One task a server and id. */
export const taskKey = (server: string, id: string): string => `${id}\0${server}`
