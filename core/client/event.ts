import type { Address, Prefix64 } from "../wire/index.ts"
import type { QuirkName } from "./quirk.ts"
import type { RequestError } from "./request.ts"
import type { AddressClass } from "./special-block.ts"

/** Why there is no mapping, or no answer. */
export type Failure =
  /** The server said so: a PCP result code (RFC 6887 section 7.4), and for how many seconds. */
  | { readonly kind: "result"; readonly code: number; readonly lifetime: number }
  /** A NAT-PMP result code (RFC 6886 section 3.5). */
  | { readonly kind: "natpmp-result"; readonly code: number }
  /** Not one answer to as many transmissions as there may be. */
  | { readonly kind: "no-answer"; readonly sent: number }
  /** ICMP says that nothing listens there. */
  | { readonly kind: "unreachable" }
  /** It speaks neither PCP 2 nor NAT-PMP, or not what was asked of it; for how many seconds, 0 where it did not say. */
  | { readonly kind: "unsupported-version"; readonly version: number; readonly lifetime: number }
  /** NAT-PMP is all that it speaks, which cannot say this. */
  | { readonly kind: "beyond-nat-pmp"; readonly text: string }

/** Where a mapping stands at one server. */
export type MappingState =
  /** Nothing was sent yet. */
  | { readonly kind: "requested" }
  /** Asked for, and so many times again. */
  | { readonly kind: "starting"; readonly retransmissions: number }
  /** There, and asked for anew. */
  | { readonly kind: "updating"; readonly retransmissions: number }
  | { readonly kind: "running" }
  /** Not there. `retryAt`, milliseconds; `undefined`: that was all. */
  | { readonly kind: "error"; readonly failure: Failure; readonly retryAt: number | undefined }
  /** Its lifetime is over; if it is kept, it is asked for again. */
  | { readonly kind: "expired" }
  /**
   * Deleted; `answered` is false where the server did not say so. `lifetime`: seconds for which the server leaves it all the same, as
   * there was traffic (RFC 6887 section 15); without it, it is gone.
   */
  | { readonly kind: "revoked"; readonly answered: boolean; readonly lifetime?: number }
  /** Left as it is: it ends by itself. */
  | { readonly kind: "dropped" }

/** What a server granted, for whoever asked. */
export interface Assigned {
  /** The protocol that it was granted in. */
  readonly protocol: "pcp" | "nat-pmp"
  /** The external address. */
  readonly external: Address
  /** Whether the Internet reaches that address, or what else it is. */
  readonly class: AddressClass
  /** The external port; of a port set, the first. */
  readonly externalPort: number
  /** The internal port that this is for: of a port set, the first that is mapped (RFC 7753 section 4). */
  readonly internalPort: number
  /** Ports from these on: 1 but for a port set. */
  readonly ports: number
  /** Seconds, as the server said. */
  readonly lifetime: number
  /** When it ends, milliseconds. */
  readonly until: number
  /** The NAT64's prefixes, if they were asked for and told (RFC 7225). */
  readonly prefixes: readonly Prefix64[]
}

/** Why a datagram is nobody's answer. */
export type IgnoredReason =
  | "source" // from no server's address and port (C-50)
  | "malformed"
  | "not-a-response"
  | "no-request" // nothing like it was asked
  | "mismatch" // another nonce, protocol, port, address or peer than was asked for
  | "update-race" // PREFER_FAILURE, and another end than the suggested one (C-111)

/** What happened, in its order. */
export type ClientEvent =
  | { readonly type: "state"; readonly id: string; readonly server: string; readonly state: MappingState }
  /** At the first assignment, after an expiry, and at each change of the external end. */
  | { readonly type: "assigned"; readonly id: string; readonly server: string; readonly mapping: Assigned }
  /** The same end once more, for another lifetime. */
  | { readonly type: "renewed"; readonly id: string; readonly server: string; readonly mapping: Assigned }
  /**
   * A renewal was refused, or came to nothing; the mapping stays until `until`, and the next try is at `retryAt`, milliseconds;
   * `undefined`: there is none.
   */
  | {
      readonly type: "renewal-refused"
      readonly id: string
      readonly server: string
      readonly failure: Failure
      readonly retryAt: number | undefined
      readonly until: number
    }
  /** It is there: the answer to `announce`, or an announcement of its own (without an id). */
  | {
      readonly type: "announced"
      readonly id: string | undefined
      readonly server: string
      readonly protocol: "pcp" | "nat-pmp"
      /** Seconds. */
      readonly epoch: number
      /** PCP's result code: NOT_AUTHORIZED where PCP is there and switched off. */
      readonly result: number
    }
  /** NAT-PMP's answer to what the external address is, or its announcement. */
  | {
      readonly type: "external-address"
      readonly id: string | undefined
      readonly server: string
      readonly external: Address
      readonly class: AddressClass
    }
  | { readonly type: "unmapped-all"; readonly id: string; readonly server: string; readonly transport: "udp" | "tcp" }
  /** `announce`, `external-address` or `unmap-all` came to nothing. */
  | { readonly type: "failed"; readonly id: string; readonly server: string; readonly failure: Failure }
  /** From now on in this version, or at this address. */
  | { readonly type: "speaks"; readonly server: string; readonly protocol: "pcp" | "nat-pmp" }
  | { readonly type: "failover"; readonly server: string; readonly address: Address }
  /** None of its addresses answers; the next try is at `retryAt`, milliseconds. */
  | { readonly type: "exhausted"; readonly server: string; readonly retryAt: number }
  /** Its Epoch Time says that it lost its mappings: they are made again at `recoverAt`, milliseconds. */
  | { readonly type: "state-lost"; readonly server: string; readonly recoverAt: number }
  | { readonly type: "quirk"; readonly server: string; readonly id: string | undefined; readonly quirk: QuirkName }
  | { readonly type: "ignored"; readonly source: Address; readonly sourcePort: number; readonly reason: IgnoredReason }
  /** A command that could not be taken; nothing was sent. */
  | { readonly type: "refused"; readonly id: string | undefined; readonly error: RequestError }
  /** All is done that `stop` began. */
  | { readonly type: "stopped" }
