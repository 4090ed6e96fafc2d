import { open, popDue, schedule, seal, setWord, type Table, word } from "../../table/index.ts"
import type { Change } from "../change.ts"
import { connectionNumber } from "../connection.ts"
import { deadlineAt, NEVER } from "../layout.ts"
import type { Mapping } from "../mapping.ts"
import { addFlow, dropFlow, findFlow, flowAsData, isFlow } from "./flow.ts"
import { type FirewallState, type FirewallStep, PINHOLE, Pinhole, PinholeFlag, stepAt } from "./layout.ts"
import { addPinhole, deadlineOfRow, dropPinhole, findEnd, pinholeAsData, setFilters, setNonce } from "./row.ts"

/**
 * Replays one change on the open table: the only code that writes pinholes. One that does not fit, such as an external
 * end that is not the internal one, is passed over: a replica that missed something stays whole.
 */
const applyChange = (step: FirewallStep, change: Change): void => {
  const { table } = step
  switch (change.type) {
    case "created":
    case "renewed":
      put(step, change.mapping)
      return
    case "deleted":
    case "expired": {
      const row = rowOf(table, change.mapping)
      if (row === 0) return
      if (change.mapping.kind === "map") dropPinhole(table, row)
      else dropFlow(table, row)
      return
    }
    case "filtered": {
      const row = findEnd(table, change)
      if (row !== 0) setFilters(table, row, change.filters)
      return
    }
    default:
      // Nothing here moves, is held or is counted, and epochs are the server's.
      return
  }
}

const put = (step: FirewallStep, mapping: Mapping): void => {
  const { table, config } = step
  if (mapping.kind === "implicit") {
    putFlow(step, mapping)
    return
  }
  const { kind, internal, internalPort, external, externalPort, nonce, origin, clientPort, expires } = mapping
  if (kind !== "map" || external !== internal || externalPort !== internalPort) return
  const row = findEnd(table, mapping) || addPinhole(table, mapping)
  const deadline = deadlineAt(config, expires)
  if (nonce !== undefined) setNonce(table, row, nonce)
  const flags = (nonce === undefined ? 0 : PinholeFlag.NONCE) | (origin === "nat-pmp" ? PinholeFlag.NATPMP : 0)
  setWord(table, PINHOLE, row, Pinhole.FLAGS, flags | (clientPort << 16))
  setWord(table, PINHOLE, row, Pinhole.EXPIRES, deadline)
  // Never comes, for one that stays: the wheel would only hold it.
  if (deadline !== NEVER) schedule(table, row, deadline)
}

const rowOf = (table: Table, mapping: Mapping): number =>
  mapping.kind === "map" ? findEnd(table, mapping) : mapping.kind === "implicit" ? findFlow(table, mapping) : 0

const putFlow = (step: FirewallStep, mapping: Mapping): void => {
  const { table, config } = step
  const { internal, internalPort, external, externalPort, remote, connection, expires } = mapping
  if (remote === undefined || external !== internal || externalPort !== internalPort) return
  const row = findFlow(table, mapping) || addFlow(table, mapping, remote)
  const deadline = deadlineAt(config, expires)
  setWord(table, PINHOLE, row, Pinhole.FLAGS, connectionNumber(connection))
  setWord(table, PINHOLE, row, Pinhole.EXPIRES, deadline)
  if (deadline !== NEVER) schedule(table, row, deadline)
}

/** Makes a change and puts it on the list. */
export const make = (step: FirewallStep, changes: Change[], change: Change): void => {
  changes.push(change)
  applyChange(step, change)
}

/** Takes a pinhole away where it has run out; true when it is gone. */
export const sweep = (step: FirewallStep, row: number, changes: Change[]): boolean => {
  if (deadlineOfRow(step, row) !== 0) return false
  make(step, changes, {
    type: "expired",
    mapping: isFlow(step.table, row) ? flowAsData(step, row) : pinholeAsData(step, row),
  })
  return true
}

/** Takes away at most `limit` rows that are due, and returns how many came up. */
export const sweepDue = (step: FirewallStep, limit: number, changes: Change[]): number => {
  for (let n = 0; n < limit; n++) {
    const row = popDue(step.table, step.second)
    if (row === 0) return n
    // The wheel is lazy: a pinhole that was renewed comes up early.
    if (!sweep(step, row, changes)) schedule(step.table, row, word(step.table, PINHOLE, row, Pinhole.EXPIRES) >>> 0)
  }
  return limit
}

/** Replays changes in order: all those of a run, over its first state, give its last. */
export const apply = (state: FirewallState, changes: readonly Change[]): FirewallState => {
  const step = stepAt(open(state.version), state.config, state.config.now)
  for (const change of changes) applyChange(step, change)
  return { version: seal(step.table), config: state.config }
}
