import { word } from "../table/index.ts"
import { applyChange, takeAway } from "./apply.ts"
import { leaveBlock } from "./block.ts"
import type { Change } from "./change.ts"
import { implicitAsData, mapAsData, peerAsData } from "./data.ts"
import { Flag, MAPPING, MappingWord, PEER, PeerWord, type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import type { Mapping, Realm } from "./mapping.ts"
import { end } from "./step.ts"
import { findSubscriber } from "./subscriber.ts"
import { sweepRow } from "./sweep.ts"

/** All that wants a mapping row but for the administrator: traffic, then PEERs, then MAP. */
export const wantsOf = (step: Step, row: number): readonly Mapping[] => {
  const { table } = step
  const wants: Mapping[] = []
  if (word(table, MAPPING, row, MappingWord.IDLE) !== 0) wants.push(implicitAsData(step, row))
  for (
    let peer = word(table, MAPPING, row, MappingWord.PEERS);
    peer !== 0;
    peer = word(table, PEER, peer, PeerWord.NEXT)
  )
    wants.push(peerAsData(step, peer))
  if ((word(table, MAPPING, row, MappingWord.FLAGS) & Flag.MAP) !== 0) wants.push(mapAsData(step, row))
  return wants
}

/** Deletes a mapping whose external end is nobody's any more: it is not held. */
export const dropEnd = (step: Step, row: number, changes: Change[], mapping: Mapping): void => {
  changes.push({ type: "deleted", mapping })
  takeAway(step, mapping, row, 0)
  if (step.config.blocks !== undefined) leaveBlock(step, mapping.external, mapping.externalPort, changes)
}

/** The rows of a subscriber's lists. */
const rowsOf = (step: Step, subscriber: number): readonly number[] => {
  const { table } = step
  const rows: number[] = []
  for (const list of [Subscriber.MAPPINGS, Subscriber.NATPMP, Subscriber.NATPMP + 1])
    for (
      let row = word(table, SUBSCRIBER, subscriber, list);
      row !== 0;
      row = word(table, MAPPING, row, MappingWord.NEXT)
    )
      rows.push(row)
  return rows
}

/**
 * Deletes all mappings of an internal address but the administrator's, and starts its Epoch Time again: its DHCP lease
 * ended (S-137), or its subscriber was reset.
 */
export const clearSubscriber = (
  step: Step,
  internal: Parameters<typeof findSubscriber>[1],
  realm: Realm | undefined,
  changes: Change[],
): void => {
  const subscriber = findSubscriber(step.table, internal, realm)
  const rows = subscriber === 0 ? [] : rowsOf(step, subscriber)
  for (const row of rows) {
    if (sweepRow(step, row, changes)) continue
    for (const mapping of wantsOf(step, row)) end(step, row, changes, "deleted", mapping)
  }
  const reset: Change = { type: "subscriber-reset", internal, realm, at: step.now }
  changes.push(reset)
  applyChange(step, reset, 0)
}
