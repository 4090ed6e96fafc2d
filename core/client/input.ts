import type { Address, Nonce } from "../wire/index.ts"
import type { MappingRequest } from "./request.ts"
import type { ClientServer } from "./server.ts"
import type { Mode } from "./task.ts"

/** A mapping that an earlier run of the client had at a server: see `saveMappings`. */
export interface SavedLease {
  /** The server's name. */
  readonly server: string
  /** The protocol that the server spoke. */
  readonly protocol: "pcp" | "nat-pmp"
  /** The mapping nonce: who has it can delete the mapping. */
  readonly nonce: Nonce
  /** `undefined`: never granted. */
  readonly external: Address | undefined
  /** 0: never granted. */
  readonly externalPort: number
  /** Seconds that are left of it. */
  readonly remaining: number
}

/** What is asked of a client. An `id` is any text of the caller's that names what it is about. */
export type Command =
  | {
      readonly type: "request"
      readonly id: string
      readonly request: MappingRequest
      /** Left out: keep. */
      readonly mode?: Mode | undefined
      /** At these servers; left out, at all of them. */
      readonly servers?: readonly string[] | undefined
      /** The nonce, for one server (C-03): left out, a new one for each. */
      readonly nonce?: Nonce | undefined
      /** Go on with what an earlier run had. */
      readonly resume?: readonly SavedLease[] | undefined
    }
  /** Renew now; another lifetime, seconds, stays for later renewals. */
  | { readonly type: "renew"; readonly id: string; readonly lifetime?: number | undefined }
  /** Delete at the servers. An outbound mapping cannot be deleted (RFC 6887 section 12.1): it is dropped. */
  | { readonly type: "revoke"; readonly id: string }
  /**
   * Delete what an earlier run mapped, without asking for it first (RFC 6887 section 15.1): with its nonce, or as `resume` has it.
   * An outbound mapping cannot be deleted.
   */
  | {
      readonly type: "delete"
      readonly id: string
      readonly request: MappingRequest
      readonly servers?: readonly string[] | undefined
      readonly nonce?: Nonce | undefined
      readonly resume?: readonly SavedLease[] | undefined
    }
  /** Forget it and leave it to end by itself. */
  | { readonly type: "drop"; readonly id: string }
  /** Ask whether servers are there, `tries` times at most; left out, 4. */
  | {
      readonly type: "announce"
      readonly id: string
      readonly servers?: readonly string[] | undefined
      readonly tries?: number | undefined
    }
  /** NAT-PMP's external address. */
  | { readonly type: "external-address"; readonly id: string; readonly servers?: readonly string[] | undefined }
  /** NAT-PMP: delete all mappings of this host. */
  | {
      readonly type: "unmap-all"
      readonly id: string
      readonly transport: "udp" | "tcp"
      readonly servers?: readonly string[] | undefined
    }
  /** Other servers, other own addresses, or perhaps the same behind a cable that was out: nothing that was learned of them holds. */
  | { readonly type: "network-changed"; readonly servers: readonly ClientServer[] }
  /** End: delete all mappings, or leave them. */
  | { readonly type: "stop"; readonly revoke: boolean }

/** What a client is told. `now` is milliseconds on one clock that never goes back (C-141). */
export type ClientInput =
  | (Command & { readonly now: number })
  | {
      readonly type: "datagram"
      readonly now: number
      readonly bytes: Uint8Array
      readonly source: Address
      readonly sourcePort: number
      /** The interface of a link-local source. */
      readonly zone?: string | undefined
      /** The address that it was sent to, if that is known; all-zeros or a multicast group is not. */
      readonly local?: Address | undefined
    }
  /** ICMP says that a server's address, or its port, cannot be reached (RFC 7488 section 3, RFC 6886 section 3.1). */
  | { readonly type: "unreachable"; readonly now: number; readonly address: Address; readonly port: number }
  | { readonly type: "tick"; readonly now: number }
