import { RESULTS, ResultCode } from "../wire/index.ts"
import { type Draft, end, enter, freeNatPmp, put, setServer, tell } from "./draft.ts"
import type { Failure } from "./event.ts"
import { endOf, type ServerState } from "./server.ts"
import type { ClientSettings } from "./settings.ts"
import type { Lease, Task } from "./task.ts"

/** Seconds that RFC 6887 section 7.4 recommends for errors that pass soon and for those that do not. */
const SHORT = 30
const LONG = 1800

/**
 * Seconds for which an error holds (C-52), within what can be believed. A server that says 0, as miniupnpd does for all long errors,
 * would be asked again at once: then it is what the RFC recommends for that result.
 */
export const errorLifetime = (
  failure: Failure,
  { errorFloor, errorCeiling, versionCache, exhaustedWait }: ClientSettings,
): number => {
  const clamp = (seconds: number): number => Math.min(Math.max(seconds, errorFloor), errorCeiling)
  switch (failure.kind) {
    case "result": {
      const usual = RESULTS[failure.code]?.lifetime === "long" ? LONG : SHORT
      return clamp(failure.lifetime === 0 ? usual : failure.lifetime)
    }
    case "natpmp-result":
      // Network failure and out of resources pass; a refusal, or an unknown code, which is fatal (N-21), does not.
      return clamp(failure.code === 3 || failure.code === 4 ? SHORT : LONG)
    case "no-answer":
    case "unreachable":
      return exhaustedWait
    case "unsupported-version":
    case "beyond-nat-pmp":
      return versionCache
  }
}

/** A task came to nothing: it ends, or waits until the failure is over. */
export const fail = (draft: Draft, task: Task, server: ServerState, failure: Failure): void => {
  freeNatPmp(draft, task)
  const { id, server: name } = task
  if (task.kind !== "lease") {
    end(draft, task)
    if (id !== "") tell(draft, { type: "failed", id, server: name, failure })
    return
  }
  const { now, settings } = draft
  const retryAt = now + errorLifetime(failure, settings) * 1000
  if (failure.kind === "result" && failure.code === ResultCode.NO_RESOURCES) {
    // RFC 6887 section 11.4: no new mappings, and after a deletion nothing of any kind.
    if (task.goal === "delete") setServer(draft, name, { silentUntil: Math.max(server.silentUntil, retryAt) })
    else setServer(draft, name, { noNewUntil: Math.max(server.noNewUntil, retryAt) })
  }
  if (failure.kind === "natpmp-result" && failure.code === 4)
    setServer(draft, name, { noNewUntil: Math.max(server.noNewUntil, retryAt) })
  if (task.goal === "delete") {
    end(draft, enter(draft, task, { kind: "error", failure, retryAt: undefined }))
    return
  }
  const held: Lease = {
    ...task,
    exchange: undefined,
    urgent: false,
    heldUntil: retryAt,
    switches: 0,
    suggestsInternal: false,
  }
  if (task.grant !== undefined) {
    // What was granted stays until it ends, whatever became of its renewal.
    const { until } = task.grant
    tell(draft, { type: "renewal-refused", id, server: name, failure, retryAt, until })
    put(draft, { ...enter(draft, held, { kind: "running" }), due: Math.min(retryAt, until) })
    return
  }
  if (task.mode.kind === "once") {
    end(draft, enter(draft, held, { kind: "error", failure, retryAt: undefined }))
    return
  }
  put(draft, { ...enter(draft, held, { kind: "error", failure, retryAt }), due: retryAt })
}

/** No answer came, or ICMP says that none will: the server's next address, or none for a while (RFC 7488 section 3). */
export const giveUp = (draft: Draft, task: Task, server: ServerState, failure: Failure): void => {
  const { now, settings } = draft
  const { name, ends } = server.server
  const isSilent = task.exchange !== undefined && server.answeredAt < task.exchange.first
  if (!isSilent && failure.kind === "no-answer") {
    fail(draft, task, server, failure)
    return
  }
  if (server.tried + 1 < ends.length) {
    tryNextEnd(draft, server)
    return
  }
  if (server.exhaustedUntil <= now) {
    const retryAt = now + settings.exhaustedWait * 1000
    setServer(draft, name, { exhaustedUntil: retryAt, tried: 0, end: (server.end + 1) % ends.length, ...FORGOTTEN })
    tell(draft, { type: "exhausted", server: name, retryAt })
  }
  const after = draft.servers.get(name)
  if (after !== undefined) fail(draft, task, after, failure)
}

/** What was learned of one address says nothing of another one. */
const FORGOTTEN = { pcpEpoch: undefined, natPmpEpoch: undefined, natPmpUntil: Number.NEGATIVE_INFINITY } as const

const tryNextEnd = (draft: Draft, server: ServerState): void => {
  const { name, ends } = server.server
  const next = (server.end + 1) % ends.length
  setServer(draft, name, { end: next, tried: server.tried + 1, natPmpTask: undefined, ...FORGOTTEN })
  const after = draft.servers.get(name)
  if (after === undefined) return
  tell(draft, { type: "failover", server: name, address: endOf(after).address })
  for (const task of [...draft.tasks.values()])
    if (task.server === name && task.exchange !== undefined)
      put(draft, { ...task, exchange: undefined, due: draft.now, switches: 0 })
}
