import { open, seal, word } from "../table/index.ts"
import type { Address } from "../wire/index.ts"
import { applyChange, place, takeAway } from "./apply.ts"
import { leaveBlock } from "./block.ts"
import type { Change } from "./change.ts"
import type { CgnDone, CgnRefused } from "./contract.ts"
import { idleDeadline } from "./deadline.ts"
import { addressOf, portOf } from "./end.ts"
import { freedAsData, freeHeld, heldAsData, heldUntil } from "./hold.ts"
import {
  type CgnState,
  deadlineAt,
  deadlineOf,
  instantOf,
  MAPPING,
  MappingWord,
  NEVER,
  type Step,
  secondOf,
} from "./layout.ts"
import type { Mapping } from "./mapping.ts"

export const stepOf = (state: CgnState, now: number): Step => ({
  table: open(state.version),
  config: state.config,
  second: secondOf(state.config, now),
  now,
  waiting: state.waiting,
})

export const sealed = (step: Step): CgnState => ({
  version: seal(step.table),
  config: step.config,
  waiting: step.waiting,
})

/** A request met, the step's changes sealed into its state. */
export const done = (
  step: Step,
  outcome: "static" | "new" | "ok",
  end: { readonly external: Address; readonly externalPort: number },
  lifetime: number,
  changes: readonly Change[],
  description?: string,
  ports = 1,
): CgnDone<CgnState> => ({
  outcome,
  state: sealed(step),
  external: end.external,
  externalPort: end.externalPort,
  lifetime,
  changes,
  ports,
  description,
})

export const refused = (code: CgnRefused["code"], lifetime?: number): CgnRefused => ({
  outcome: "refused",
  code,
  lifetime,
})

/** Whole seconds until a deadline; at least 1, since it has not come yet. */
export const secondsLeft = (step: Step, deadline: number, now: number): number =>
  deadline === NEVER ? NEVER : Math.max(1, Math.floor((instantOf(step.config, deadline) - now) / 1000))

/** Seconds, rounded up, for which outbound traffic alone would keep the mapping: no lifetime goes below (RFC 6887 section 15). */
export const idleLeft = (step: Step, row: number, now: number): number => {
  const deadline = idleDeadline(step, row)
  return deadline === 0 ? 0 : Math.ceil((instantOf(step.config, deadline) - now) / 1000)
}

/** Makes or renews a mapping and puts that on the list; `row` is the mapping's row where it is known, else 0. */
export const change = (
  step: Step,
  row: number,
  changes: Change[],
  type: "created" | "renewed",
  mapping: Mapping,
): void => {
  const made: Change = { type, mapping }
  changes.push(made)
  applyChange(step, made, row)
}

/**
 * Ends a mapping of this row and puts that on the list. When an explicit mapping was the last that wanted the row, its
 * external end is held for the recycle delay, from now for one that is deleted and from its end for one that ran out:
 * however late that is noticed.
 */
export const end = (
  step: Step,
  row: number,
  changes: Change[],
  type: "deleted" | "expired",
  mapping: Mapping,
): void => {
  changes.push({ type, mapping })
  const { config } = step
  const from = type === "deleted" ? deadlineOf(config, step.now, 0) : deadlineAt(config, mapping.expires)
  const explicit = mapping.kind === "map" || mapping.kind === "peer"
  const until = explicit ? heldUntil(step, mapping.protocol, from) : 0
  if (takeAway(step, mapping, row, until)) changes.push(heldAsData(step, mapping, until))
  else if (config.blocks !== undefined) leaveBlock(step, mapping.external, mapping.externalPort, changes)
}

/** An external end that was chosen. */
export interface ChosenEnd {
  /** The number of its address. */
  readonly external: number
  readonly port: number
  /** The row that holds it for whoever asks; 0: it is free. */
  readonly held: number
}

/** Makes a mapping at an external end that was just chosen, and puts that on the list; a locked one when it is unlocked. Its row. */
export const create = (
  step: Step,
  subscriber: number,
  chosen: ChosenEnd,
  changes: Change[],
  mapping: Mapping,
  locked = false,
): number => {
  if (chosen.held !== 0) {
    changes.push(freedAsData(step, chosen.held))
    freeHeld(step, chosen.held)
  }
  if (!locked) changes.push({ type: "created", mapping })
  return place(step, subscriber, chosen.external, mapping, locked)
}

/** An external end as addresses and ports are known outside. */
export interface External {
  readonly external: Address
  readonly externalPort: number
}

export const externalOf = (step: Step, row: number): External => {
  const at = word(step.table, MAPPING, row, MappingWord.EXTERNAL)
  return { external: step.config.addresses[addressOf(at)], externalPort: portOf(at) }
}
