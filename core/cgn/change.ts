import type { Address } from "../wire/index.ts"
import type { Filter, Mapping } from "./mapping.ts"

/** The counter vectors of libpcpd (`PCPS_OPERATION`, `PCPS_RESULT`, `PCPS_OPTION`), NAT-PMP's own, and one for drops. */
export type CounterVector = "operation" | "result" | "option" | "natpmp-operation" | "natpmp-result" | "drop"

const VECTORS: readonly CounterVector[] = ["operation", "result", "option", "natpmp-operation", "natpmp-result", "drop"]

/** The number of the cell that holds a counter: 256 a vector; -1 for an index that no vector has. */
export const counterCell = (vector: CounterVector, index: number): number =>
  index >= 0 && index < 256 ? VECTORS.indexOf(vector) * 256 + index : -1

/** All counters that are not zero, read by cell. */
export const countersFrom = (read: (cell: number) => number): Counters => {
  const vector = (name: CounterVector) => {
    const counts: { index: number; count: number }[] = []
    for (let index = 0; index < 256; index++) {
      const count = read(counterCell(name, index))
      if (count !== 0) counts.push({ index, count })
    }
    return counts
  }
  return {
    operation: vector("operation"),
    result: vector("result"),
    option: vector("option"),
    "natpmp-operation": vector("natpmp-operation"),
    "natpmp-result": vector("natpmp-result"),
    drop: vector("drop"),
  }
}

/** Counts that are not zero, by vector. */
export type Counters = Readonly<Record<CounterVector, readonly { readonly index: number; readonly count: number }[]>>

/**
 * What a step changed, as data: the one source for journals, replicas, kernel backends, metrics and timelines.
 * Folding `apply` over the changes of a run gives the run's last state.
 */
export type Change =
  /** A mapping came to be, was given a new lifetime, was deleted on request, or ran out. */
  | { readonly type: "created" | "renewed" | "deleted" | "expired"; readonly mapping: Mapping }
  /** The filters of a MAP mapping are now exactly these (RFC 6887 section 13.3). */
  | {
      readonly type: "filtered"
      readonly protocol: number
      readonly internal: Address
      readonly internalPort: number
      readonly filters: readonly Filter[]
    }
  /** One counter went up by one: `index` is the opcode, result code, option code or drop reason's number. */
  | { readonly type: "counted"; readonly vector: CounterVector; readonly index: number }
  /** Epoch Time starts again from 0 at `at`, milliseconds (RFC 6887 section 8.5). */
  | { readonly type: "epoch-reset"; readonly at: number }
