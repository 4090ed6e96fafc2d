import { createTable, type FamilyShape, type Sizes, type Table, type Version } from "../table/index.ts"
import type { CgnConfig } from "./settings.ts"

/**
 * How the CGN lies in the table's 32-bit words. A subscriber row stands for one internal address; a mapping row for one
 * internal end (subscriber, protocol, internal port) and its external end, whoever wants it: MAP, PEERs, traffic, or
 * several of them (an endpoint-independent NAT44, so that one internal end has one external end). It is found by either
 * end. Peer rows hang on their mapping, filter rows too. A mapping row goes when nothing wants it any more.
 */
export const SUBSCRIBER = 0
export const MAPPING = 1
export const PEER = 2
export const FILTER = 3

/** Words of a subscriber row: the internal address, the realm that keeps overlapping addresses apart, and the rest. */
export const Subscriber = {
  ADDRESS: 0, // 4 words
  REALM: 4,
  /** Number of its external address in the pool, plus 1: all its mappings share it while they can (RFC 4787 REQ-2). */
  EXTERNAL: 5,
  /** MAP and PEER mappings, for the quota. */
  COUNT: 6,
  /** First row in its list of mappings. */
  MAPPINGS: 7,
} as const

/** What a renewal touches comes first: a row of 64 octets mostly lies across two lines of the processor's cache, 48 and 16. */
export const MappingWord = {
  SUBSCRIBER: 0,
  /** Protocol << 16 | internal port. */
  INTERNAL: 1,
  /** The external end in one word: see {@link endWord}. */
  EXTERNAL: 2,
  NONCE: 3, // 3 words
  FLAGS: 6,
  /** Seconds from the CGN's start when the MAP mapping ends; 0 without {@link Flag.MAP}. */
  EXPIRES: 7,
  /** The same for the implicit mapping that outbound traffic keeps alive; 0: none. */
  IDLE: 8,
  /** First row in its list of peers. */
  PEERS: 9,
  WHEEL_SLOT: 10,
  /** First row in its list of filters. */
  FILTERS: 11,
  WHEEL_NEXT: 12,
  WHEEL_PREV: 13,
  /** Neighbours in the subscriber's list. */
  NEXT: 14,
  PREV: 15,
} as const

export const Flag = {
  /** An explicit inbound mapping is there. */
  MAP: 1,
  /** It was made with a mapping nonce. */
  NONCE: 2,
  /** NAT-PMP made it: its companion port is reserved (RFC 6886 section 3.3). */
  NATPMP: 4,
} as const

export const PeerWord = {
  MAPPING: 0,
  REMOTE: 1, // 4 words
  PORT: 5,
  NONCE: 6, // 3 words
  EXPIRES: 9,
  NEXT: 10,
  PREV: 11,
} as const

export const FilterWord = { REMOTE: 0, PREFIX: 4, PORT: 5, NEXT: 6 } as const

/** Set group: taken external ports, three sets an address. */
export const PORTS = 0
/** Set group: external addresses with no free port left, one set a slot. */
export const FULL = 1

const families: readonly FamilyShape[] = [
  { width: 8, key: { from: 0, to: 5 } },
  { width: 16, key: { from: 0, to: 2 }, secondKey: { from: 2, to: 3 } },
  { width: 16, key: { from: 0, to: 6 } },
  { width: 8, key: undefined },
]

/** An empty table for a CGN; `sizes` is for tests, which make every part tiny. */
export const createCgnTable = (config: CgnConfig, sizes: Sizes = {}): Version =>
  createTable({
    families,
    sparse: 0,
    sets: 2,
    wheel: {
      family: MAPPING,
      next: MappingWord.WHEEL_NEXT,
      prev: MappingWord.WHEEL_PREV,
      slot: MappingWord.WHEEL_SLOT,
    },
    hashKey: config.indexKey,
    sizes,
  })

/** A CGN's state: a handle that stays valid whatever newer states come to be. */
export interface CgnState {
  readonly version: Version
  readonly config: CgnConfig
}

/** One step's view of a state: its table, open, and the second that it is, whole seconds from the CGN's start. */
export interface Step {
  readonly table: Table
  readonly config: CgnConfig
  readonly second: number
}

/** A deadline that never comes. */
export const NEVER = 0xffffffff

/** When a CGN started, milliseconds on the clock of every `now`: the second 0 of its deadlines. */
export interface Clock {
  readonly now: number
}

/** The whole second, from the CGN's start, in which the instant lies. */
export const secondOf = ({ now: start }: Clock, now: number): number => Math.max(0, Math.floor((now - start) / 1000))

/**
 * The second at whose start a mapping ends that was granted `lifetime` seconds at `now`: rounded up, so that a client
 * never has less than it was promised.
 */
export const deadlineOf = ({ now: start }: Clock, now: number, lifetime: number): number =>
  Math.min(NEVER, Math.ceil((now - start) / 1000) + lifetime)

/** The instant of a deadline on the caller's clock, milliseconds; `Infinity` for one that never comes. */
export const instantOf = ({ now: start }: Clock, deadline: number): number =>
  deadline === NEVER ? Number.POSITIVE_INFINITY : start + deadline * 1000

/** The deadline of an instant: the inverse of {@link instantOf}. */
export const deadlineAt = ({ now: start }: Clock, instant: number): number =>
  instant === Number.POSITIVE_INFINITY ? NEVER : Math.min(NEVER, Math.max(0, Math.ceil((instant - start) / 1000)))
