import { COUNTER_VECTORS, type Counters, type CounterVector, REASON_CLAUSES } from "../../core/cgn/index.ts"
import { DROP_REASONS } from "../../core/server/index.ts"
import { natPmpOpcodeName, natPmpResultName, opcodeName, optionName, resultName } from "../../core/wire/index.ts"

/** One counter with names for people and labels for programs. */
export interface NamedCounter {
  readonly vector: CounterVector
  readonly index: number
  readonly name: string
  readonly count: number
  readonly labels: Readonly<Record<string, string>>
}

const LABELS: Readonly<Record<CounterVector, (index: number) => readonly [string, Readonly<Record<string, string>>]>> =
  {
    operation: (index) => named("opcode", opcodeName(index), "pcp"),
    result: (index) => named("result", resultName(index), "pcp"),
    option: (index) => named("option", optionName(index)),
    "natpmp-operation": (index) => named("opcode", natPmpOpcodeName(index), "nat-pmp"),
    "natpmp-result": (index) => named("result", natPmpResultName(index), "nat-pmp"),
    cache: (index) => named("answer", index === 0 ? "hit" : "miss"),
    packet: (index) => named("reason", Object.keys(REASON_CLAUSES)[index] ?? `reason ${index}`),
    drop: (index) => named("reason", DROP_REASONS[index] ?? `reason ${index}`),
  }

const named = (label: string, name: string, protocol?: string): readonly [string, Readonly<Record<string, string>>] => [
  name,
  protocol === undefined ? { [label]: name } : { protocol, [label]: name },
]

/** All counters that are not zero, by vector and number. */
export const countersOf = (counters: Counters): readonly NamedCounter[] => {
  return COUNTER_VECTORS.flatMap((vector) =>
    counters[vector].map(({ index, count }) => {
      const [name, labels] = LABELS[vector](index)
      return { vector, index, name, count, labels }
    }),
  )
}
