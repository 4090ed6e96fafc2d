import type { Shape } from "../table/index.ts"

/** The families of a layer's table. */
export const FLOW = 0
export const NAME = 1
export const OCTETS = 2

/** Words of a flow's row. Instants are ticks. */
export const Flow = {
  /** Its own endpoint id: the first key. */
  EID: 0,
  /**
   * The second key, words 1 to 6: who asked for it. Of a request that came in, the requester's endpoint id, address and port; of all others the own
   * endpoint id and OUTGOING in the port, so that no two are equal.
   */
  REQUESTER: 1,
  ADDRESS: 2,
  PORT: 6,
  PEER_EID: 7,
  STATE: 8,
  TRIES: 9,
  NEXT_TRY: 10,
  DEADLINE: 11,
  HEARD: 12,
  SENT: 13,
  /** Milliseconds. */
  TIMEOUT: 14,
  /** Octets kept for it: the request as it was sent or came, the reply's data. */
  KEPT: 15,
  RESPONSE: 16,
  /** Neighbours among those of a name that wait. */
  NEXT: 17,
  PREVIOUS: 18,
  NAME: 19,
  FLAGS: 20,
  BORN: 21,
  DIGEST: 22,
  /** Echoes of the first form that may still come. */
  ECHOES: 23,
  ENDED: 24,
  WHEEL_NEXT: 25,
  WHEEL_PREVIOUS: 26,
  WHEEL_SLOT: 27,
} as const
const FLOW_WORDS = 28

/** In the word of the port: the flow was asked for here. */
export const OUTGOING = 0x10000

/** Bits of a flow's FLAGS. */
export const Flag = {
  /** Accepted as soon as a request comes. */
  AUTO: 1,
  /** A request came, and the application is to answer it. */
  OFFERED: 2,
  /** The caller gave a timeout of its own. */
  TIMED: 4,
  /** The bound program was asked to start. */
  SPAWNED: 8,
} as const

/** Words of a name's row. */
export const Name = {
  /** MD5 of the name: the key, 4 words. */
  HASH: 0,
  TEXT: 4,
  FLAGS: 5,
  PROGRAM: 6,
  ACCEPT_HEAD: 7,
  ACCEPT_TAIL: 8,
  ARRIVE_HEAD: 9,
  ARRIVE_TAIL: 10,
  ARRIVED: 11,
} as const
const NAME_WORDS = 12

/** Bits of a name's FLAGS. */
export const NameFlag = { REGISTERED: 1, AUTO: 2 } as const

/** Words of a row of octets: the next row, how many octets there are in all, then octets. */
export const Octets = { NEXT: 0, LENGTH: 1, FIRST: 2 } as const
export const OCTETS_WORDS = 16

/** How often each reason to drop a datagram was met. */
export const DROPS = 0

export const shapeOf = (hashKey: readonly [number, number]): Shape => ({
  families: [
    {
      width: FLOW_WORDS,
      key: { from: Flow.EID, to: Flow.EID + 1 },
      secondKey: { from: Flow.REQUESTER, to: Flow.PORT + 1 },
    },
    { width: NAME_WORDS, key: { from: Name.HASH, to: Name.HASH + 4 } },
    { width: OCTETS_WORDS, key: undefined },
  ],
  sparse: 1,
  sets: 0,
  wheel: { family: FLOW, next: Flow.WHEEL_NEXT, prev: Flow.WHEEL_PREVIOUS, slot: Flow.WHEEL_SLOT },
  hashKey,
  sizes: { pageBits: 5 },
})
