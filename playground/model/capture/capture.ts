import type { OpenedPacket } from "../open/index.ts"
import { type EpochSeries, epochWatch } from "./epoch.ts"
import { type Exchange, pairing } from "./exchange.ts"
import { millisecondsOf, pairedRow, type Row, unpairedRow } from "./row.ts"

/** A capture as the packet list shows it: plain data, which a Web Worker can hand over. */
export interface Capture {
  readonly rows: readonly Row[]
  readonly exchanges: readonly Exchange[]
  readonly epochs: readonly EpochSeries[]
}

/** Packets between two reports of progress. */
const EVERY = 1024

/** Reads, pairs and checks all packets at once; {@link captureInSteps} is for a Web Worker. */
export const readPackets = (packets: readonly OpenedPacket[]): Capture => {
  const steps = captureInSteps(packets)
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/** The same step by step: yields how many packets are done. Linear in their number. */
export function* captureInSteps(packets: readonly OpenedPacket[], every = EVERY): Generator<number, Capture> {
  const first = packets.find(({ at }) => at !== undefined)
  const start = first && millisecondsOf(first)
  const rows: Row[] = []
  const pairs = pairing()
  const epochs = epochWatch()
  for (const [index, packet] of packets.entries()) {
    const row = unpairedRow(packet, index, start)
    rows.push(pairedRow(row, pairs.add(row)))
    epochs.add(row)
    if ((index + 1) % every === 0) yield index + 1
  }
  return { rows, exchanges: pairs.exchanges(rows), epochs: epochs.series() }
}
