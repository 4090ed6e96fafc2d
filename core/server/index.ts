/**
 * The PCP and NAT-PMP server over any CGN. `createServer` makes one; each datagram goes through `process` (or `runOnce`), time
 * through `advance`, and what else happens through `announce`, `update`, `adopt`, `reconfigure` and `revoke`: all of them
 * pure functions from a state to the next. libpcpd.md, beside this file, has what stands for each part of libpcpd.
 *
 * @module
 */
import {
  type CgnState,
  type Counters,
  type Filter,
  type InternalEnd,
  listFilters,
  listMappings,
  type Page,
  mappingCount as rowsOf,
} from "../cgn/index.ts"
import { type Counts, listCounts } from "./counts.ts"
import type { ServerState } from "./state.ts"

export { adopt, type CgnStep, uncache } from "./adopt.ts"
export { advance, apply } from "./advance.ts"
export { announce } from "./announce.ts"
export { createServer, type ServerOptions } from "./create.ts"
export { epochOf, epochTime } from "./epoch.ts"
export { process } from "./process.ts"
export type { Destination } from "./push.ts"
export type { Rate, RateLimits } from "./rate.ts"
export { reconfigure, reconfigureOver, revoke, type ServerReconfigured } from "./reconfigure.ts"
export { type RecycleAsk, type Recycled, updateRecycle } from "./recycle.ts"
export {
  type Advance,
  DROP_REASONS,
  type DropReason,
  type Outgoing,
  type Pushed,
  type Request,
  type Response,
} from "./request.ts"
export {
  type Restored,
  type RestoreError,
  type RestoreOptions,
  type RestoreServer,
  restore,
  restoreOver,
} from "./restore.ts"
export { type Context, runOnce } from "./run-once.ts"
export { DEFAULT_SETTINGS, hasThirdParty, type ServerSettings, type ServerSettingsError } from "./settings.ts"
export { type Hasher, type SaveCgn, type SnapshotTime, snapshot, snapshotOver, snapshotParts } from "./snapshot.ts"
export { type Created, createServerOver, type ServerState } from "./state.ts"
export { type Subject, subjectOf } from "./subject.ts"
export { id2str, type Naming, strerror } from "./text.ts"
export { type UpdateAsk, update } from "./update.ts"

/** One page of a server's live mappings: see `listMappings` of the CGN. `after` is 0 to start. */
export const mappings = (state: ServerState<CgnState>, now: number, after = 0, limit = 1000): Page =>
  listMappings(state.cgnState, now, after, limit)

/** How many internal ends are mapped. */
export const mappingCount = (state: ServerState<CgnState>): number => rowsOf(state.cgnState)

/** All counters that are not zero. */
export const counters = (state: { readonly counts: Counts }): Counters => listCounts(state.counts)

/** The filters of a MAP mapping, in order. */
export const filters = (state: ServerState<CgnState>, end: InternalEnd): readonly Filter[] =>
  listFilters(state.cgnState, end)
