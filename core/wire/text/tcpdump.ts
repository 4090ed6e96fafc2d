import type { Address } from "../address.ts"
import { parseAddress } from "../address.ts"
import type { Timestamp } from "./reading.ts"

/** What a header line of tcpdump says of the packet below it. */
export type Header = {
  /** The time, when the line has it in seconds since 1970 (`-tt`). */
  readonly at?: Timestamp
  /** The time as it stands there, else. */
  readonly timeText?: string
  readonly source?: Address
  readonly sourcePort?: number
  readonly destination?: Address
  readonly destinationPort?: number
}

const LINE =
  /^\s*(?:(\d{9,11})\.(\d{6,9})\s|((?:\d{4}-\d\d-\d\d\s)?\d\d:\d\d:\d\d\.\d{6,9})\s)?.{0,160}?\b(?:IP6?|ethertype|ARP)\b/
const ENDS = /([0-9A-Fa-f.:]+)\.(\d{1,5}) > ([0-9A-Fa-f.:]+)\.(\d{1,5}): /

/** Longest start of a line that is looked at. */
const LOOK = 320

/**
 * Is the line between these offsets a header line? `12:00:00.000000 IP 192.0.2.2.49152 > 192.0.2.1.5351: …`, with any of tcpdump's
 * time formats, with `-e`'s link addresses or `-v`'s parenthesis before the ends.
 */
export const isHeader = (text: string, start: number, end: number): boolean =>
  LINE.test(text.slice(start, Math.min(end, start + LOOK)))

/** The header of a packet: the line at `start`, and with `-v` its ends from the line below, up to `end`. */
export const readHeader = (text: string, start: number, end: number): Header => {
  const head = text.slice(start, Math.min(end, start + 2 * LOOK))
  const time = LINE.exec(head)
  const ends = ENDS.exec(head)
  const source = ends === null ? undefined : parseAddress(ends[1])
  const destination = ends === null ? undefined : parseAddress(ends[3])
  return {
    ...(time?.[1] === undefined
      ? {}
      : { at: { seconds: Number(time[1]), nanoseconds: Number(time[2].padEnd(9, "0")) } }),
    ...(time?.[3] === undefined ? {} : { timeText: time[3] }),
    ...(ends === null || source === undefined || destination === undefined
      ? {}
      : { source, sourcePort: Number(ends[2]), destination, destinationPort: Number(ends[4]) }),
  }
}
