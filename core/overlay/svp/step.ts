import type { Address } from "../../wire/index.ts"
import { answeredAll } from "./answered.ts"
import { change, closeDraft, oldestQuery, openDraft, queriesOn, type SvpDraft } from "./draft.ts"
import { ask, lose, ping, reset } from "./query.ts"
import type { SvpConnection, SvpEffect, SvpInput, SvpRemote } from "./remote.ts"
import { SVP_LOG_OCTETS, SVP_TIMES } from "./remote.ts"
import { NO_OCTETS, receiveSvp } from "./stream.ts"

/**
 * One step of a remote backend: what is asked of it, what the network says, or the time. Gives the next state and what to do, in that
 * order; the last effect says when to come back. Never throws, and the state given stays valid.
 */
export const stepSvp = (remote: SvpRemote, input: SvpInput): readonly [SvpRemote, readonly SvpEffect[]] => {
  const draft = openDraft(remote, input.now)
  take(draft, input)
  runDue(draft)
  drain(draft)
  return closeDraft(draft)
}

const take = (draft: SvpDraft, input: SvpInput): void => {
  switch (input.type) {
    case "tick":
      break
    case "attach":
      if (draft.vnetids.has(input.vnetid)) draft.effects.push({ type: "refused", error: "EEXIST" })
      else draft.vnetids.add(input.vnetid)
      break
    case "detach":
      if (!draft.vnetids.delete(input.vnetid)) draft.effects.push({ type: "refused", error: "ENOENT" })
      break
    case "resolved":
      resolved(draft, input.addresses)
      break
    case "unresolved":
      // The reference asks again without a pause.
      draft.resolveAt = draft.now + SVP_TIMES.TICK
      break
    case "ask":
      ask(draft, input.question, { kind: "caller", query: input.query })
      break
    case "connected":
    case "closed":
    case "data": {
      const connection = draft.connections.get(input.connection)
      // One that is gone from the set has been closed: what still comes of it is nobody's.
      if (connection !== undefined) network(draft, connection, input)
    }
  }
}

const network = (
  draft: SvpDraft,
  connection: SvpConnection,
  input: Extract<SvpInput, { type: "connected" | "closed" | "data" }>,
): void => {
  const { phase } = connection
  const isUp = phase === "active" || phase === "winding-down" || phase === "versioning"
  switch (input.type) {
    case "connected":
      if (phase !== "connecting") return
      if (draft.options.version === 2) ping(draft, connection, 2)
      else change(draft, connection, { phase: "active", failures: 0 })
      break
    case "closed":
      if (isUp || phase === "connecting") lose(draft, connection)
      break
    case "data": {
      if (!isUp) return
      const { held, messages, error } = receiveSvp(connection.held, input.bytes, SVP_LOG_OCTETS)
      change(draft, connection, { held })
      answeredAll(draft, connection.number, messages, error !== undefined)
    }
  }
}

/** An address that is new gets a connection; of one that is gone an active connection ends with its last question, any other at once. */
const resolved = (draft: SvpDraft, addresses: readonly Address[]): void => {
  draft.unresolved = addresses.length === 0
  draft.resolveAt = draft.now + SVP_TIMES.RESOLVE
  if (draft.unresolved) return
  for (const connection of [...draft.connections.values()]) {
    if (addresses.includes(connection.address) || connection.phase === "winding-down") continue
    if (connection.phase === "active") change(draft, connection, { phase: "winding-down" })
    else {
      if (connection.phase === "connecting" || connection.phase === "versioning")
        draft.effects.push({ type: "close", connection: connection.number })
      draft.connections.delete(connection.number)
    }
  }
  for (const address of new Set(addresses)) {
    const known = [...draft.connections.values()].find((one) => one.address === address && one.phase !== "winding-down")
    if (known !== undefined) continue
    const number = draft.nextConnection
    draft.nextConnection++
    const due = draft.now
    draft.connections.set(number, {
      number,
      address,
      phase: "initial",
      failures: 0,
      due,
      version: 1,
      ping: 0,
      held: NO_OCTETS,
    })
  }
}

const runDue = (draft: SvpDraft): void => {
  const { now, options } = draft
  // With a connection end all its questions: the others go to others, with the time of today.
  for (let oldest = oldestQuery(draft); oldest !== undefined; oldest = oldestQuery(draft)) {
    const late = oldest.sent + SVP_TIMES.QUERY <= now ? draft.connections.get(oldest.connection) : undefined
    if (late === undefined) break
    reset(draft, late)
  }
  if (draft.resolveAt <= now) {
    draft.resolveAt = now + SVP_TIMES.RESOLVE
    draft.effects.push({ type: "resolve", host: options.host })
  }
  for (const connection of [...draft.connections.values()]) {
    const { phase, due, number, address } = connection
    if (phase === "versioning" && due <= now) reset(draft, connection)
    if ((phase !== "initial" && phase !== "back-off") || due > now) continue
    change(draft, connection, { phase: "connecting" })
    draft.effects.push({ type: "connect", connection: number, address, port: options.port })
  }
  runLog(draft)
}

const runLog = (draft: SvpDraft): void => {
  const { log, now } = draft
  if (log.due > now) return
  if (log.phase === "waiting") {
    draft.log = { phase: "asked", due: now, open: 0, done: [] }
    ask(draft, { kind: "log" }, { kind: "log" })
  } else if (log.phase === "removing") {
    draft.log = { ...log, phase: "removed" }
    ask(draft, { kind: "log-remove", uuids: log.done }, { kind: "log" })
  }
}

/** A connection that winds down is closed when nothing is asked on it any more. */
const drain = (draft: SvpDraft): void => {
  for (const { number, phase } of [...draft.connections.values()]) {
    if (phase !== "winding-down") continue
    if (queriesOn(draft, number).length > 0) continue
    draft.effects.push({ type: "close", connection: number })
    draft.connections.delete(number)
  }
}
