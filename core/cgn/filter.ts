import { word } from "../table/index.ts"
import { ResultCode } from "../wire/index.ts"
import { applyChange } from "./apply.ts"
import type { Change } from "./change.ts"
import type { CgnResult, FilterAsk } from "./contract.ts"
import { mapAsData } from "./data.ts"
import { isStatic, mapDeadline } from "./deadline.ts"
import { areSame, filtersAfter } from "./filter-list.ts"
import { type CgnState, Flag, MAPPING, MappingWord } from "./layout.ts"
import { filtersOf, findRow, setFlags } from "./row.ts"
import { done, externalOf, refused, secondsLeft, stepOf } from "./step.ts"

/**
 * RFC 6887 section 13.3. A locked mapping becomes active, and is told of, with `unlockOnSuccess`. When this fails, the state before that mapping is
 * all the cleaning up there is; whoever keeps the one with it has it taken away by the next request for its internal end.
 * The administrator's mappings take no filters from clients.
 */
export const filter = (state: CgnState, ask: FilterAsk, now: number): CgnResult<CgnState> => {
  const step = stepOf(state, now)
  const row = findRow(step.table, ask)
  const deadline = row === 0 ? 0 : mapDeadline(step, row)
  if (row !== 0 && isStatic(step.table, row)) return refused(ResultCode.NOT_AUTHORIZED)
  if (deadline === 0) return refused(ResultCode.NO_RESOURCES)
  const before = filtersOf(step.table, row)
  const after = filtersAfter(before, ask)
  if (after.length > step.config.filterLimit) return refused(ResultCode.EXCESSIVE_REMOTE_PEERS)
  const changes: Change[] = []
  const flags = word(step.table, MAPPING, row, MappingWord.FLAGS)
  if (ask.unlockOnSuccess === true && (flags & Flag.LOCKED) !== 0) {
    setFlags(step, row, flags & ~Flag.LOCKED)
    changes.push({ type: "created", mapping: mapAsData(step, row) })
  }
  if (!areSame(before, after)) {
    const { protocol, internal, internalPort, realm } = ask
    const made: Change = { type: "filtered", protocol, internal, internalPort, realm, filters: after }
    changes.push(made)
    applyChange(step, made, row)
  }
  const lifetime = secondsLeft(step, deadline, now)
  return done(step, "ok", externalOf(step, row), lifetime, changes)
}
