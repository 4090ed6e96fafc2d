import type { Address } from "../../wire/index.ts"
import type { Mac } from "../mac.ts"
import { emptyNumbers, type NumberMap } from "../number-map.ts"
import type { Uuid } from "./message.ts"

/** What makes a remote backend: instances with the same host, port and underlay address share one. */
export interface SvpRemoteOptions {
  /** The server's name, as `svp/host` has it. */
  readonly host: string
  /** The server's TCP port, 1 to 65535. */
  readonly port: number
  /** The underlay address of this host, whose log is read. */
  readonly underlay: Address
  /**
   * The highest version to speak; left out, 1, and a connection is of use at once. A client of version 2 first asks by a PING which one
   * the server speaks.
   */
  readonly version?: 1 | 2
  /** Any octets: the pauses between looks at the log come from them. */
  readonly seed: Uint8Array
  /** Milliseconds, on the clock of all later inputs. */
  readonly now: number
}

/** Where a connection is; the reference's numbers in order: 1 to 6. An erring one is in back-off at once. `versioning` waits for a PONG. */
export type SvpPhase = "initial" | "connecting" | "back-off" | "active" | "winding-down" | "versioning"

/** One TCP connection, to one address of the server's. */
export interface SvpConnection {
  /** Its number, by which effects and inputs name it. */
  readonly number: number
  /** The server's address. */
  readonly address: Address
  /** Where it is. */
  readonly phase: SvpPhase
  /** Consecutive failures to connect. */
  readonly failures: number
  /** When it connects again, milliseconds, in `initial` and `back-off`; in `versioning` when the PONG is to be there. */
  readonly due: number
  /** The version that is spoken on it. */
  readonly version: 1 | 2
  /** The id of the PING that asks for it; 0: none was sent. */
  readonly ping: number
  /** The beginning of a message that is not whole. */
  readonly held: Uint8Array
}

/** What is asked of the server. */
export type SvpQuestion =
  | { readonly kind: "vl2"; readonly vnetid: number; readonly mac: Mac }
  | { readonly kind: "vl3"; readonly vnetid: number; readonly address: Address }
  | { readonly kind: "log" }
  | { readonly kind: "log-remove"; readonly uuids: readonly Uuid[] }

/** Who asked: a caller by its own number, or the log by a record's UUID. */
export type SvpAsker =
  | { readonly kind: "caller"; readonly query: number }
  | { readonly kind: "record"; readonly uuid: Uuid; readonly vlan: number }
  | { readonly kind: "log" }

/** A question that is under way. */
export interface SvpQuery {
  /** The message's id, 1 to 2^31 - 1. */
  readonly id: number
  /** What is asked. */
  readonly question: SvpQuestion
  /** Who asks. */
  readonly asker: SvpAsker
  /** On which connection. */
  readonly connection: number
  /** When it was sent there, milliseconds. */
  readonly sent: number
}

/** The reading of the server's log: one thing at a time. */
export interface SvpLog {
  /**
   * `waiting` until `due`, `asked` for records, `working` on those that need an answer, `removing` after `due`, `removed` until that
   * is acknowledged.
   */
  readonly phase: "waiting" | "asked" | "working" | "removing" | "removed"
  /** Milliseconds. */
  readonly due: number
  /** Records that wait for an answer. */
  readonly open: number
  /** Records that are done with. */
  readonly done: readonly Uuid[]
}

/** A remote backend: plain data that is never written to again. */
export interface SvpRemote {
  /** As given. */
  readonly options: SvpRemoteOptions
  /** By number. */
  readonly connections: ReadonlyMap<number, SvpConnection>
  /** The next connection's number. */
  readonly nextConnection: number
  /** The connection that was asked last: the next question goes to the next one. */
  readonly turn: number
  /** Questions under way, by id. */
  readonly queries: NumberMap<SvpQuery>
  /** The next question's id. */
  readonly nextId: number
  /** The overlays whose instances use it. */
  readonly vnetids: ReadonlySet<number>
  /** The log. */
  readonly log: SvpLog
  /** Random pauses so far. */
  readonly drawn: number
  /** When the name is to be resolved next, milliseconds. */
  readonly resolveAt: number
  /** The name has no addresses. */
  readonly unresolved: boolean
  /** What instances were told that is wrong; `undefined`: nothing is. */
  readonly degraded: string | undefined
  /** The instant of the last input, milliseconds. */
  readonly now: number
}

/** What happens to a remote backend. `now`, milliseconds, is in each. */
export type SvpInput = { readonly now: number } & (
  | { readonly type: "tick" }
  /** An instance of an overlay begins or ends to use it. */
  | { readonly type: "attach"; readonly vnetid: number }
  | { readonly type: "detach"; readonly vnetid: number }
  /** The server's addresses, IPv4 mapped; none: the name has none (EAI_FAIL, EAI_NODATA, EAI_NONAME). */
  | { readonly type: "resolved"; readonly addresses: readonly Address[] }
  /** It could not be asked for now (EAI_AGAIN, EAI_MEMORY, EAI_SYSTEM). */
  | { readonly type: "unresolved" }
  | { readonly type: "connected"; readonly connection: number }
  /** It failed to connect, or it ended. */
  | { readonly type: "closed"; readonly connection: number }
  | { readonly type: "data"; readonly connection: number; readonly bytes: Uint8Array }
  /** A question; `query` is the caller's own number for it. */
  | {
      readonly type: "ask"
      readonly query: number
      readonly question: Extract<SvpQuestion, { kind: "vl2" | "vl3" }>
    }
)

/** How a question ends. */
export type SvpAnswer =
  | { readonly kind: "vl2"; readonly address: Address; readonly port: number }
  | { readonly kind: "vl3"; readonly mac: Mac; readonly address: Address; readonly port: number }
  /** A status that is not OK: NOTFOUND, or FATAL where nobody could be asked. */
  | { readonly kind: "none"; readonly status: number }

/** What a remote backend wants done. */
export type SvpEffect =
  | { readonly type: "resolve"; readonly host: string }
  | { readonly type: "connect"; readonly connection: number; readonly address: Address; readonly port: number }
  | { readonly type: "send"; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly type: "close"; readonly connection: number }
  | { readonly type: "answer"; readonly query: number; readonly answer: SvpAnswer }
  /** Forget what is known of a MAC. */
  | { readonly type: "shootdown"; readonly vnetid: number; readonly mac: Mac }
  /** An address has moved to a MAC, which lives there: tell the overlay by a gratuitous ARP, in a VLAN if it is not 0. */
  | {
      readonly type: "moved"
      readonly vnetid: number
      readonly vlan: number
      readonly overlay: Address
      readonly mac: Mac
      readonly address: Address
      readonly port: number
    }
  /** Something is wrong, or is so for another reason; and nothing is any more. */
  | { readonly type: "degrade"; readonly text: string }
  | { readonly type: "restore" }
  /** For the log of whoever runs it. */
  | { readonly type: "warning"; readonly text: string }
  /** An input that cannot be: a vnetid that is in use here already (the reference panics), or one that is not. */
  | { readonly type: "refused"; readonly error: "EEXIST" | "ENOENT" }
  /** Come back with a tick at this instant, milliseconds. The last effect of each step. */
  | { readonly type: "wake"; readonly at: number }

/** Times of the reference, milliseconds. */
export const SVP_TIMES = {
  /** The name is resolved again. */
  RESOLVE: 30_000,
  /** A question that has no answer by then ends its connection. */
  QUERY: 30_000,
  /** The reference's timer: the least pause before something is tried again. */
  TICK: 1000,
  /** The longest back-off. */
  LONGEST: 32_000,
  /** The log is looked at after this and at most as much again, and after work after a tick. */
  LOG: 5000,
} as const

/** Failures in a row after which a connection counts as degraded: the 7th. */
export const SVP_DEGRADED_AT = 7

/** Octets that the log is asked for, and so the largest payload of any answer. */
export const SVP_LOG_OCTETS = 1024

/** A backend that nobody uses yet. It wants a tick at once. */
export const createSvpRemote = (options: SvpRemoteOptions): SvpRemote => ({
  options,
  connections: new Map(),
  nextConnection: 1,
  turn: 0,
  queries: emptyNumbers(),
  nextId: 1,
  vnetids: new Set(),
  log: { phase: "waiting", due: options.now + SVP_TIMES.LOG, open: 0, done: [] },
  drawn: 0,
  resolveAt: options.now,
  unresolved: false,
  degraded: undefined,
  now: options.now,
})
