import { open, seal, word } from "../table/index.ts"
import type { Address } from "../wire/index.ts"
import { applyChange, place } from "./apply.ts"
import type { Change } from "./change.ts"
import type { CgnDone, CgnRefused, InternalEnd } from "./contract.ts"
import { type CgnState, instantOf, MAPPING, MappingWord, NEVER, type Step, secondOf } from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import { addressOf, portOf } from "./ports.ts"
import { findMapping, findSubscriber, idleDeadline } from "./row.ts"

export const stepOf = (state: CgnState, now: number): Step => ({
  table: open(state.version),
  config: state.config,
  second: secondOf(state.config, now),
})

export const sealed = (step: Step): CgnState => ({ version: seal(step.table), config: step.config })

/** A request met, the step's changes sealed into its state. */
export const done = (
  step: Step,
  outcome: "new" | "ok",
  end: { readonly external: Address; readonly externalPort: number },
  lifetime: number,
  changes: readonly Change[],
): CgnDone<CgnState> => ({
  outcome,
  state: sealed(step),
  external: end.external,
  externalPort: end.externalPort,
  lifetime,
  changes,
  ports: 1,
  description: undefined,
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

/** Makes a change and puts it on the list; `row` is the mapping's row where it is known, else 0. */
export const change = (
  step: Step,
  row: number,
  changes: Change[],
  type: "created" | "renewed" | "deleted" | "expired",
  mapping: Mapping,
) => {
  const made: Change = { type, mapping }
  changes.push(made)
  applyChange(step, made, row)
}

/** Makes a mapping at an external end that was just chosen, and puts that on the list. */
export const create = (step: Step, subscriber: number, external: number, changes: Change[], mapping: Mapping): void => {
  changes.push({ type: "created", mapping })
  place(step, subscriber, external, mapping)
}

export const findRow = (step: Step, end: InternalEnd): number =>
  findMapping(step.table, findSubscriber(step.table, end.internal), end.protocol, end.internalPort)

export const externalOf = (step: Step, row: number): { readonly external: Address; readonly externalPort: number } => {
  const end = word(step.table, MAPPING, row, MappingWord.EXTERNAL)
  return { external: step.config.addresses[addressOf(end)], externalPort: portOf(end) }
}
