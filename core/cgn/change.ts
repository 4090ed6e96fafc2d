import type { Address } from "../wire/index.ts"
import type { Filter, Mapping } from "./mapping.ts"

/** The counter vectors of libpcpd (`PCPS_OPERATION`, `PCPS_RESULT`, `PCPS_OPTION`), NAT-PMP's own, and one for drops. */
export type CounterVector = "operation" | "result" | "option" | "natpmp-operation" | "natpmp-result" | "drop"

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
