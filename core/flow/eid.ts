import { find, keyOf, rowCount } from "../table/index.ts"
import { u32 } from "../wire/index.ts"
import { octetsFor } from "./layer.ts"
import { FLOW } from "./layout.ts"
import type { Turn } from "./turn.ts"

/** The flow's row, or 0. */
export const findEid = ({ table }: Turn, eid: number): number => {
  keyOf(table, FLOW)[0] = eid
  return find(table, FLOW)
}

/** Draws before the next free one is taken instead: with half of all endpoint ids in use, one of 10^9 needs more. */
const DRAWS = 30

/** An endpoint id that no flow has and none had lately; `undefined`: as many flows as may be are there. */
export const freeEid = (turn: Turn): number | undefined => {
  const { eids, firstEid, lastEid, maxFlows } = turn.settings
  if (rowCount(turn.table, FLOW) >= maxFlows) return undefined
  const span = lastEid - firstEid + 1
  if (eids === "random")
    for (let i = 0; i < DRAWS; i++) {
      const octets = octetsFor(turn.seed, "eid", turn.drawn++)
      // 53 bits, so that no endpoint id is likelier than another by more than one in a million.
      const number = u32(octets, 0) * 0x200000 + (u32(octets, 4) >>> 11)
      const eid = firstEid + (number % span)
      if (findEid(turn, eid) === 0) return eid
    }
  for (let eid = turn.nextEid; ; ) {
    const next = eid === lastEid ? firstEid : eid + 1
    if (findEid(turn, eid) === 0) {
      turn.nextEid = next
      return eid
    }
    // There are fewer flows than endpoint ids.
    eid = next
  }
}
