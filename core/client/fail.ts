import { NatPmpResult, RESULTS, ResultCode } from "../wire/index.ts"
import { type Draft, end, enter, freeNatPmp, put, setServer, tell } from "./draft.ts"
import type { Failure } from "./event.ts"
import { isKept, nextRenewal } from "./renewal.ts"
import { endOf, type ServerState } from "./server.ts"
import type { ClientSettings } from "./settings.ts"
import type { Lease, Task } from "./task.ts"
import { mostTransmissions } from "./transmit.ts"

/** Seconds that RFC 6887 section 7.4 recommends for errors that pass soon and for those that do not. */
const SHORT = 30
const LONG = 1800

/**
 * Seconds for which an error holds (C-52), within what can be believed. A server that says 0, as miniupnpd does for all long errors,
 * would be asked again at once: then it is what the RFC recommends for that result. An unknown version holds for `versionCache`, or
 * the lifetime if that is less (RFC 6887 section 9, C-22).
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
      return clamp(
        failure.code === NatPmpResult.NETWORK_FAILURE || failure.code === NatPmpResult.OUT_OF_RESOURCES ? SHORT : LONG,
      )
    case "no-answer":
    case "unreachable":
      return exhaustedWait
    case "unsupported-version":
      return failure.lifetime === 0 ? versionCache : Math.min(versionCache, clamp(failure.lifetime))
    case "beyond-nat-pmp":
      return versionCache
  }
}

/** Nobody said anything: there is no error to respect, and no mapping to doubt. */
export const isSilence = ({ kind }: Failure): boolean => kind === "no-answer" || kind === "unreachable"

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
  if (failure.kind === "natpmp-result" && failure.code === NatPmpResult.OUT_OF_RESOURCES)
    setServer(draft, name, { noNewUntil: Math.max(server.noNewUntil, retryAt) })
  if (task.goal === "delete") {
    end(draft, enter(draft, task, { kind: "error", failure, retryAt: undefined }))
    return
  }
  const held: Lease = {
    ...task,
    exchange: undefined,
    heldUntil: retryAt,
    heldFor: failure,
    switches: 0,
    suggestsInternal: false,
  }
  if (task.grant !== undefined) {
    keepGrant(draft, held, task.grant.until, failure)
    return
  }
  if (task.mode.kind === "once") {
    end(draft, enter(draft, held, { kind: "error", failure, retryAt: undefined }))
    return
  }
  put(draft, { ...enter(draft, held, { kind: "error", failure, retryAt }), due: retryAt })
}

/**
 * What was granted stays until it ends, whatever became of its renewal. An error is respected; where nobody answered, the next
 * renewal is sent in its slot as if this one were lost (RFC 6887 section 11.2.1).
 */
const keepGrant = (draft: Draft, held: Lease, until: number, failure: Failure): void => {
  const { id, server, urgent, heldUntil } = held
  const next = isSilence(failure) ? { ...held, heldUntil: Number.NEGATIVE_INFINITY } : held
  const slot = isSilence(failure) ? nextRenewal(draft, next) : heldUntil
  const at = urgent === undefined ? slot : Math.min(slot, heldUntil)
  const retryAt = urgent !== undefined || isKept(held) ? at : undefined
  tell(draft, { type: "renewal-refused", id, server, failure, retryAt, until })
  put(draft, { ...enter(draft, next, { kind: "running" }), due: Math.min(at, until) })
}

/** No answer came, or ICMP says that none will: the server's next address, or none for a while (RFC 7488 section 3). */
export const giveUp = (draft: Draft, task: Task, server: ServerState, failure: Failure): void => {
  if (failure.kind === "no-answer" && !isServerSilent(draft, task, server)) {
    fail(draft, task, server, failure)
    return
  }
  if (server.tried + 1 < server.server.ends.length) tryNextEnd(draft, server)
  else exhaust(draft, task, server, failure)
}

/** Did this task wait for so long, and the server say so little meanwhile, that its address counts as silent? */
const isServerSilent = (draft: Draft, { kind, protocol, exchange }: Task, server: ServerState): boolean => {
  if (exchange === undefined || server.answeredAt >= exchange.first) return false
  // A probe of few tries says that its caller is in a hurry.
  const most = mostTransmissions(draft, server)
  return kind !== "probe" || protocol === "nat-pmp" || (most !== 0 && exchange.sent >= most)
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
  for (const task of waitingAt(draft, name)) put(draft, { ...task, exchange: undefined, due: draft.now, switches: 0 })
}

/** None of its addresses answers: the whole is tried again later, from the first one on. */
const exhaust = (draft: Draft, task: Task, server: ServerState, failure: Failure): void => {
  const { now, settings } = draft
  const { name, ends } = server.server
  const retryAt = now + settings.exhaustedWait * 1000
  // What waits for the same silent address waits no longer; of a single address, each has its own time.
  const failed = ends.length > 1 || failure.kind === "unreachable" ? waitingAt(draft, name) : [task]
  if (server.exhaustedUntil <= now) tell(draft, { type: "exhausted", server: name, retryAt })
  setServer(draft, name, { exhaustedUntil: retryAt, tried: 0, end: 0, ...FORGOTTEN })
  for (const one of failed) {
    const after = draft.servers.get(name)
    const sent = one.exchange?.sent ?? 0
    if (after !== undefined)
      fail(draft, one, after, failure.kind === "no-answer" ? { kind: "no-answer", sent } : failure)
  }
}

const waitingAt = (draft: Draft, server: string): readonly Task[] =>
  [...draft.tasks.values()].filter((task) => task.server === server && task.exchange !== undefined)
