import { sha256 } from "@noble/hashes/sha2.js"
import { u32 } from "../../wire/index.ts"
import { type NumberMap, numberFrom, numbersFrom } from "../number-map.ts"
import type { SvpConnection, SvpEffect, SvpLog, SvpQuery, SvpRemote } from "./remote.ts"
import { SVP_DEGRADED_AT, SVP_TIMES } from "./remote.ts"

/** A remote backend while a step works on it, and what the step wants done. */
export interface SvpDraft extends Omit<SvpRemote, "connections" | "queries" | "vnetids"> {
  readonly connections: Map<number, SvpConnection>
  queries: NumberMap<SvpQuery>
  readonly vnetids: Set<number>
  readonly effects: SvpEffect[]
  nextConnection: number
  turn: number
  nextId: number
  log: SvpLog
  drawn: number
  resolveAt: number
  unresolved: boolean
  degraded: string | undefined
  now: number
}

/** Time does not go back: an earlier instant counts as the last one. */
export const openDraft = (remote: SvpRemote, now: number): SvpDraft => ({
  ...remote,
  connections: new Map(remote.connections),
  vnetids: new Set(remote.vnetids),
  effects: [],
  now: Number.isFinite(now) ? Math.max(now, remote.now) : remote.now,
})

/** Puts some of a connection anew. */
export const change = (draft: SvpDraft, connection: SvpConnection, changes: Partial<SvpConnection>): void => {
  draft.connections.set(connection.number, { ...connection, ...changes })
}

/** A pause before the log is looked at when there was nothing to do: 5 to 10 seconds. */
export const idlePause = (draft: SvpDraft): number => {
  const count = new Uint8Array(4)
  new DataView(count.buffer).setUint32(0, draft.drawn)
  const octets = sha256.create().update(draft.options.seed).update(count).digest()
  draft.drawn++
  return SVP_TIMES.LOG + Math.floor((u32(octets, 0) / 2 ** 32) * SVP_TIMES.LOG)
}

/** Says what is wrong, where that is another thing than was said last. An unknown name comes before servers that cannot be reached. */
export const judge = (draft: SvpDraft): void => {
  const all = [...draft.connections.values()].filter(({ phase }) => phase !== "winding-down")
  const text = draft.unresolved
    ? `failed to resolve or find entries for hostname ${draft.options.host}`
    : all.length > 0 && all.every(({ failures }) => failures >= SVP_DEGRADED_AT)
      ? "cannot reach any remote peers"
      : undefined
  if (text === draft.degraded) return
  draft.degraded = text
  draft.effects.push(text === undefined ? { type: "restore" } : { type: "degrade", text })
}

/** The question that was sent first: ids go round, so it is the first one from the next id on. `undefined`: none is under way. */
export const oldestQuery = ({ queries, nextId }: SvpDraft): SvpQuery | undefined =>
  (numberFrom(queries, nextId) ?? numberFrom(queries))?.[1]

/** A connection's questions, in the order in which they were sent. */
export const queriesOn = ({ queries, nextId }: SvpDraft, connection: number): readonly SvpQuery[] => {
  const [before, after]: readonly [SvpQuery[], SvpQuery[]] = [[], []]
  for (const [id, query] of numbersFrom(queries))
    if (query.connection === connection) (id < nextId ? before : after).push(query)
  return [...after, ...before]
}

/** When something is due. */
const wakeOf = (draft: SvpDraft): number => {
  const { connections, log, resolveAt, now } = draft
  let at = resolveAt
  for (const { phase, due } of connections.values())
    if (phase === "initial" || phase === "back-off" || phase === "versioning") at = Math.min(at, due)
  const oldest = oldestQuery(draft)
  if (oldest !== undefined) at = Math.min(at, oldest.sent + SVP_TIMES.QUERY)
  if (log.phase === "waiting" || log.phase === "removing") at = Math.min(at, log.due)
  return Math.max(at, now)
}

/** The next state, and all that is to be done. */
export const closeDraft = (draft: SvpDraft): readonly [SvpRemote, readonly SvpEffect[]] => {
  judge(draft)
  const { effects, ...state } = draft
  return [state, [...effects, { type: "wake", at: wakeOf(draft) }]]
}
