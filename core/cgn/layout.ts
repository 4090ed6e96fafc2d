import { createTable, type FamilyShape, type Shape, type Sizes, type Table, type Version } from "../table/index.ts"
import type { CgnConfig } from "./settings.ts"
import type { Waiting } from "./translate/late.ts"

/**
 * How the CGN lies in the table's 32-bit words. A subscriber row stands for one internal address in its realm; a mapping
 * row for one internal end (subscriber, protocol, internal port) and its external end, whoever wants it: MAP, the
 * administrator, PEERs, traffic, or several of them (endpoint-independent: one internal end has one external end), or for
 * an internal end towards one remote peer, wanted by traffic and PEERs alone. It is found by either end. Peer rows hang on their mapping, filter rows too. A mapping row goes when
 * nothing wants it any more, or stays for a while as one that holds its external end.
 */
export const SUBSCRIBER = 0
export const MAPPING = 1
export const PEER = 2
export const FILTER = 3
/** Realms in use, so that a subscriber needs one word for its own. */
export const REALM = 4
/** Subscribers in the sense of the subscriber quota: realms, or prefixes of internal addresses. */
export const GROUP = 5
/** Internal addresses whose Epoch Time is their own. */
export const EPOCH = 6
/** What few mappings have. */
export const DETAILS = 7
/** Octet strings of details, in pieces. */
export const TEXT = 8
/** Sessions with remote peers, of mappings for which they decide something. */
export const SESSION = 9
/** Mapping rows that have sessions. */
export const SESSIONS = 10
/** Mapping rows that are of one remote peer alone: see `dependent.ts`. */
export const DEPENDENT = 11
/** Blocks of external ports that subscribers have. */
export const BLOCK = 12

/** Words of a subscriber row: the internal address, the realm that keeps overlapping addresses apart, and the rest. */
export const Subscriber = {
  ADDRESS: 0, // 4 words
  /** Row of its realm; 0: none. */
  REALM: 4,
  /** Number of its external address, plus 1: all its mappings share it while they can (RFC 4787 REQ-2). */
  EXTERNAL: 5,
  /** MAP and PEER mappings, for the quota. */
  COUNT: 6,
  /** First row in its list of mappings other than NAT-PMP's. */
  MAPPINGS: 7,
  /** First rows in its lists of NAT-PMP's mappings: UDP's, TCP's. */
  NATPMP: 8, // 2 words
  /** Mappings that NAT-PMP's deletion of all may not touch, those that have run out among them: UDP's, TCP's. */
  FIRM: 10, // 2 words
  /** Row of its group; 0: none. */
  GROUP: 12,
} as const

/** Words of a realm row; `USES` counts the rows that name it. */
export const RealmWord = { REALM: 0, USES: 4 } as const

/**
 * Words of a group row: the masked address and the realm; its subscriber rows; their MAP and PEER mappings; its newest block;
 * their implicit mappings of UDP, of TCP and SCTP, and of ICMP.
 */
export const GroupWord = { ADDRESS: 0, REALM: 4, SUBSCRIBERS: 5, COUNT: 6, BLOCKS: 7, IMPLICIT: 8 } as const

/**
 * Words of a block row: its group, the number of its address << 16 | its first port, its realm, its neighbours,
 * and the length of its subscriber's prefix.
 */
export const BlockWord = { GROUP: 0, END: 1, REALM: 2, NEXT: 3, PREV: 4, LENGTH: 5 } as const

/** Words of an epoch row: address and realm, then the instant as a 64-bit float. */
export const EpochWord = { ADDRESS: 0, REALM: 4, AT: 5 } as const

/** Words of a details row. `OWNER` is the mapping's row << 1, or the peer's << 1 | 1. */
export const DetailWord = { OWNER: 0, REQUESTER: 1, THIRD_PARTY_ID: 5, DESCRIPTION: 6, HAS_REQUESTER: 7 } as const

/** Words of a piece of text: the next piece, its octets, and up to 56 of them. */
export const TextWord = { NEXT: 0, LENGTH: 1, OCTETS: 2 } as const

/** What a renewal touches comes first: a row of 64 octets mostly lies across two lines of the processor's cache, 48 and 16. */
export const MappingWord = {
  /** 0: a row that holds an external end. */
  SUBSCRIBER: 0,
  /**
   * Protocol and internal port, as `internalWordOf` has them; of a mapping of one remote peer alone, its dependent row with the
   * top bit set. Of a held end: a hash of its former internal end and nonce.
   */
  INTERNAL: 1,
  /** The external end in one word: see `endWord`. */
  EXTERNAL: 2,
  NONCE: 3, // 3 words
  /** {@link Flag}s, and the client's UDP port << 16; of a held end the internal port there. */
  FLAGS: 6,
  /** Seconds from the CGN's start when the MAP mapping ends; 0 without {@link Flag.MAP}. Of a held end: when it is free. */
  EXPIRES: 7,
  /** The same for the implicit mapping that outbound traffic keeps alive; 0: none. */
  IDLE: 8,
  /** First row in its list of peers. */
  PEERS: 9,
  WHEEL_SLOT: 10,
  /** Neighbours in the subscriber's list: a new mapping looks at its neighbour's deadline, and writes this there. */
  PREV: 11,
  NEXT: 12,
  WHEEL_NEXT: 13,
  WHEEL_PREV: 14,
  /** First row in its list of filters. */
  FILTERS: 15,
} as const

/** Words of a mapping row. */
export const MAPPING_WORDS = 16

/** Where a row that holds an external end has who may reclaim it: words that only a mapping needs. */
export const HELD_ADDRESS: readonly number[] = [
  MappingWord.IDLE,
  MappingWord.PEERS,
  MappingWord.FILTERS,
  MappingWord.NEXT,
]
export const HELD_REALM: number = MappingWord.PREV

/** Of 16 bits. */
export const Flag = {
  /** An explicit inbound mapping is there. */
  MAP: 1,
  /** It was made with a mapping nonce; of a held end: only that nonce reclaims it. */
  NONCE: 2,
  /** NAT-PMP made it: its companion port is reserved (RFC 6886 section 3.3). */
  NATPMP: 4,
  /** The administrator's mapping is there. */
  STATIC: 8,
  /** The MAP mapping was made locked and is not active yet. */
  LOCKED: 16,
  /** It was made with PREFER_FAILURE. */
  EXACT: 32,
  /** It has a details row. */
  DETAILS: 64,
} as const

export const PeerWord = {
  MAPPING: 0,
  REMOTE: 1, // 4 words
  PORT: 5,
  NONCE: 6, // 3 words
  EXPIRES: 9,
  NEXT: 10,
  PREV: 11,
  /** {@link Flag.DETAILS}, and the client's UDP port << 16. */
  FLAGS: 12,
} as const

export const SessionWord = {
  MAPPING: 0,
  REMOTE: 1, // 4 words
  /** Internal port << 16 | remote port: a mapping of all ports has sessions of many. */
  PORTS: 5,
  PROTOCOL: 6,
  STATE: 7,
  EXPIRES: 8,
  NEXT: 9,
  PREV: 10,
} as const

/** Words of a dependent row: whose mapping it is, of which end inside and which remote peer, and its row. */
export const DependentWord = {
  SUBSCRIBER: 0,
  /** Protocol and internal port. */
  INTERNAL: 1,
  REMOTE: 2, // 4 words
  /** 1 << 16 | remote port; 0: the mapping is of all ports of the address. */
  PORT: 6,
  MAPPING: 7,
} as const

/** Words of what a mapping row has of sessions: the newest first, the last, and how many. */
export const SessionsWord = { MAPPING: 0, FIRST: 1, LAST: 2, COUNT: 3 } as const

/** Set group: taken external ports, five sets an address. */
export const PORTS = 0
/** Set group: external addresses with no free port left, one set a kind of ports; and with no free block. */
export const FULL = 1
/** Set group: taken blocks, one set an address. */
export const BLOCKS = 2

/** Sparse array of totals. */
export const TOTALS = 0
/** `BARE`: mapping rows without a MAP mapping, so that making and deleting those counts nothing. */
export const Total = { HELD: 0, BARE: 1, IMPLICIT: 2, STATIC: 3, NEXT_EPOCH: 4 } as const

const families: readonly FamilyShape[] = [
  { width: 16, key: { from: 0, to: 5 } },
  // One client may have several ends held, and hashes of two may be one.
  {
    width: MAPPING_WORDS,
    key: {
      from: 0,
      to: 2,
      repeats: true,
      through: { family: SUBSCRIBER, from: Subscriber.ADDRESS, to: Subscriber.EXTERNAL },
    },
    secondKey: { from: 2, to: 3 },
  },
  { width: 16, key: { from: 0, to: 6 } },
  { width: 8, key: undefined },
  { width: 8, key: { from: 0, to: 4 } },
  { width: 16, key: { from: 0, to: 5 } },
  { width: 8, key: { from: 0, to: 5 } },
  { width: 8, key: { from: 0, to: 1 } },
  { width: 16, key: undefined },
  { width: 16, key: { from: 0, to: 7 } },
  { width: 4, key: { from: 0, to: 1 } },
  {
    width: 8,
    key: { from: 0, to: 7, through: { family: SUBSCRIBER, from: Subscriber.ADDRESS, to: Subscriber.EXTERNAL } },
  },
  { width: 8, key: { from: 1, to: 2 } },
]

/** The shape of a CGN's table; `sizes` is for tests, which make every part tiny. */
export const cgnShape = (config: CgnConfig, sizes: Sizes = {}): Shape => ({
  families,
  sparse: 1,
  sets: 3,
  wheel: {
    family: MAPPING,
    next: MappingWord.WHEEL_NEXT,
    prev: MappingWord.WHEEL_PREV,
    slot: MappingWord.WHEEL_SLOT,
  },
  hashKey: config.indexKey,
  sizes,
})

/** An empty table for a CGN. */
export const createCgnTable = (config: CgnConfig, sizes: Sizes = {}): Version => createTable(cgnShape(config, sizes))

/** A CGN's state: a handle that stays valid whatever newer states come to be. */
export interface CgnState {
  readonly version: Version
  readonly config: CgnConfig
  /** Fragments and ICMP errors that wait, which are in no change, and in no snapshot; `undefined`: none. */
  readonly waiting: Waiting | undefined
}

/** One step's view of a state: its table, open, and the second that it is, whole seconds from the CGN's start. */
export interface Step {
  readonly table: Table
  readonly config: CgnConfig
  readonly second: number
  /** Milliseconds on the caller's clock. */
  readonly now: number
  /** Goes over into the next state. */
  readonly waiting: Waiting | undefined
}

/** A deadline that never comes. */
export const NEVER = 0xffffffff

/** When a CGN started, milliseconds on the clock of every `now`: the second 0 of its deadlines. */
export interface Clock {
  readonly now: number
}

/**
 * A microsecond, in seconds: a clock with fractions gives sums that are off by less. Without it a deadline's own instant would
 * lie in the second before at times, and come back as the deadline after it.
 */
const SLACK = 1e-6

/** The whole second, from the CGN's start, in which the instant lies: of 32 bits, 0 for one before the start or for NaN. */
export const secondOf = ({ now: start }: Clock, now: number): number => {
  const second = Math.floor((now - start) / 1000 + SLACK)
  return second > 0 ? Math.min(NEVER - 1, second) : 0
}

/**
 * The second at whose start a mapping ends that was granted `lifetime` seconds at `now`: rounded up, so that a client
 * never has less than it was promised.
 */
export const deadlineOf = ({ now: start }: Clock, now: number, lifetime: number): number => {
  const second = Math.ceil((now - start) / 1000 - SLACK)
  return Math.min(NEVER, (second > 0 ? second : 0) + lifetime)
}

/** The instant of a deadline on the caller's clock, milliseconds; `Infinity` for one that never comes. */
export const instantOf = ({ now: start }: Clock, deadline: number): number =>
  deadline === NEVER ? Number.POSITIVE_INFINITY : start + deadline * 1000

/** The deadline of an instant: the inverse of {@link instantOf}. */
export const deadlineAt = ({ now: start }: Clock, instant: number): number =>
  instant === Number.POSITIVE_INFINITY
    ? NEVER
    : Math.min(NEVER, Math.max(0, Math.ceil((instant - start) / 1000 - SLACK)))
