import type { FrameQuery } from "../proxy/query.ts"

/** Frames that wait for the answer about their MAC. */
export interface Queue {
  /** The lookup that is under way. */
  readonly lookup: number
  /** What is asked, of the first frame. */
  readonly query: FrameQuery
  /** Each at least until the answer: the first one is what a proxy reads. */
  readonly frames: readonly Uint8Array[]
  /** Octets of all of them. */
  readonly octets: number
}
