import type { Change } from "../../../core/cgn/index.ts"
import type { DropReason, Outgoing } from "../../../core/server/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import type { SessionStep } from "../session/index.ts"
import type { Machine } from "./family.ts"
import type { OwnPacket } from "./machine.ts"
import type { Verdict } from "./verdict.ts"

/** Why there is a moment. */
export type Cause =
  | { readonly type: "start" }
  | { readonly type: "step"; readonly step: SessionStep }
  /** Something ran out, or was due to be sent. */
  | { readonly type: "due" }

/** What happened at one instant. */
export interface Happening {
  /** Milliseconds since the session began. */
  readonly at: number
  readonly cause: Cause
  readonly changes: readonly Change[]
  /** Of a datagram: our answer, or why there is none. */
  readonly reply: Uint8Array | undefined
  readonly dropped: DropReason | undefined
  /** Of a packet of data. */
  readonly verdict: Verdict | undefined
  /** What the server sent of its own accord, to clients; and what the CGN did. */
  readonly sent: readonly Outgoing[]
  readonly packets: readonly OwnPacket[]
  /** When the machine has something to do next, milliseconds. */
  readonly due: number | undefined
}

/** That with the machine right after it: an old one stays valid, so that any moment is there at once. */
export interface Moment extends Happening {
  readonly machine: Machine
}

/** What happened, in the order of time: a session that is replayed, or a server that is watched. */
export interface Story {
  readonly moments: readonly Happening[]
  /** Hosts in the order in which they came, where the moments do not tell it. */
  readonly order?: ReadonlyMap<Address, number>
}
