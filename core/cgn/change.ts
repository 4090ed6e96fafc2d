import type { Address, Nonce } from "../wire/index.ts"
import type { Connection } from "./connection.ts"
import type { Filter, Mapping, Realm, RemoteDependence } from "./mapping.ts"

/**
 * The counter vectors of libpcpd (`PCPS_OPERATION`, `PCPS_RESULT`, `PCPS_OPTION`), NAT-PMP's own, one for drops of requests, one
 * for the subscriber cache: 0 counts hits, 1 misses; and one for packets that were not let through, by `reasonIndex`.
 */
export const COUNTER_VECTORS = [
  "operation",
  "result",
  "option",
  "natpmp-operation",
  "natpmp-result",
  "drop",
  "cache",
  "packet",
] as const

/** One of {@link COUNTER_VECTORS}. */
export type CounterVector = (typeof COUNTER_VECTORS)[number]

/** Counters a vector. */
const VECTOR_LENGTH = 256

/** The number of the cell that holds a counter; -1 for an index that no vector has. */
export const counterCell = (vector: CounterVector, index: number): number =>
  index >= 0 && index < VECTOR_LENGTH ? vectorNumber(vector) * VECTOR_LENGTH + index : -1

const vectorNumber = (vector: CounterVector): number => {
  switch (vector) {
    case "operation":
      return 0
    case "result":
      return 1
    case "option":
      return 2
    case "natpmp-operation":
      return 3
    case "natpmp-result":
      return 4
    case "drop":
      return 5
    case "cache":
      return 6
    case "packet":
      return 7
  }
}

const COUNTED: readonly Change[] = COUNTER_VECTORS.flatMap((vector) =>
  Array.from({ length: VECTOR_LENGTH }, (_, index): Change => ({ type: "counted", vector, index })),
)

/** The change that counts one up; made once each, as every request needs two. `index` is 0 to 255. */
export const counted = (vector: CounterVector, index: number): Change => COUNTED[counterCell(vector, index)]

/** All counters that are not zero, read by cell. */
export const countersFrom = (read: (cell: number) => number): Counters => {
  const vector = (name: CounterVector) => {
    const counts: { index: number; count: number }[] = []
    for (let index = 0; index < VECTOR_LENGTH; index++) {
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
    cache: vector("cache"),
    packet: vector("packet"),
  }
}

/** Counts that are not zero, by vector. */
export type Counters = Readonly<Record<CounterVector, readonly { readonly index: number; readonly count: number }[]>>

/** Whose session it is. */
export interface SessionEnds {
  /** The internal end of its mapping; that of a mapping of all ports, or all protocols, is 0 there. */
  readonly mapped: {
    readonly protocol: number
    readonly internal: Address
    readonly internalPort: number
    /** Of a mapping of ICMP queries with the identifier 0, as in {@link Mapping}. */
    readonly identifier?: 0 | undefined
    readonly realm: Realm | undefined
    /** The remote peer that its mapping is of alone, as in {@link Mapping}; absent where it is of all. */
    readonly dependence?: RemoteDependence | undefined
    readonly remote?: Address | undefined
    readonly remotePort?: number | undefined
  }
  /** IANA protocol number. */
  readonly protocol: number
  /** Of the session itself; of ICMP queries the identifier. */
  readonly internalPort: number
  /** The remote peer, in the family of the inside. */
  readonly remote: Address
  /** 0 for protocols without ports. */
  readonly remotePort: number
}

/**
 * Consecutive ports of one external address that are one subscriber's, for UDP, TCP and ICMP queries alike: what a log has
 * in place of each mapping there (RFC 6888 REQ-14).
 */
export interface Block {
  /** The subscriber: all internal addresses that share this prefix, none of whose bits count in a realm of its own. */
  readonly internal: Address
  /** Of 128 bits. */
  readonly prefixLength: number
  /** `undefined`: none. */
  readonly realm: Realm | undefined
  /** The external address that the ports are of. */
  readonly external: Address
  /** The first of them. */
  readonly firstPort: number
  /** The last of them. */
  readonly lastPort: number
}

/**
 * What a step changed, as data: the one source for journals, replicas, kernel backends, metrics and timelines.
 * Folding `apply` over the changes of a run gives the run's last state.
 */
export type Change =
  /** A mapping came to be, was given a new lifetime, was deleted on request, or ran out. */
  | { readonly type: "created" | "renewed" | "deleted" | "expired"; readonly mapping: Mapping }
  /** Its external end became another one: the pool changed. `mapping` has the new end (RFC 6887 section 14.2). */
  | {
      readonly type: "moved"
      readonly mapping: Mapping
      readonly external: Address
      readonly externalPort: number
    }
  /** An external end that was freed waits until `until`, milliseconds, before others get it (RFC 6887 section 15). */
  | {
      readonly type: "held"
      readonly protocol: number
      readonly internal: Address
      readonly internalPort: number
      readonly realm: Realm | undefined
      readonly external: Address
      readonly externalPort: number
      readonly nonce: Nonce | undefined
      readonly until: number
    }
  /** A held external end is free again: reclaimed, or its time is over. */
  | { readonly type: "freed"; readonly protocol: number; readonly external: Address; readonly externalPort: number }
  /** A subscriber was given a block of external ports, or has none of its ends in use or held any more. */
  | ({ readonly type: "block" | "block-over" } & Block)
  /** The filters of a MAP mapping are now exactly these (RFC 6887 section 13.3). */
  | {
      readonly type: "filtered"
      readonly protocol: number
      readonly internal: Address
      readonly internalPort: number
      readonly realm: Realm | undefined
      readonly filters: readonly Filter[]
    }
  /** A session of a mapping with a remote peer came to be, or changed; `connection`: how far it is, in TCP. */
  | ({ readonly type: "session"; readonly connection: Connection | undefined; readonly expires: number } & SessionEnds)
  /** It is there no longer. Those of a mapping that goes go with it, and are not told of. */
  | ({ readonly type: "session-over" } & SessionEnds)
  /** One counter went up by one: `index` is the opcode, result code, option code or drop reason's number. */
  | { readonly type: "counted"; readonly vector: CounterVector; readonly index: number }
  /** Epoch Time starts again from 0 at `at`, milliseconds (RFC 6887 section 8.5). */
  | { readonly type: "epoch-reset"; readonly at: number }
  /** One subscriber's Epoch Time starts again from 0 at `at`, milliseconds. */
  | {
      readonly type: "subscriber-reset"
      readonly internal: Address
      readonly realm: Realm | undefined
      readonly at: number
    }
