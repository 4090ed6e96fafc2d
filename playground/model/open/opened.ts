import type { Encapsulation, Endpoint, Place, Timestamp } from "../../../core/wire/text/index.ts"

/** Which way a message goes, as it says itself; `undefined`: it has not even the two octets that say it. */
export type Direction = "request" | "response"

/** One message out of what was pasted or dropped: plain data, which a Web Worker can hand over. */
export interface OpenedPacket {
  /** The UDP payload. */
  readonly bytes: Uint8Array
  readonly direction: Direction | undefined
  /** When it was captured. */
  readonly at?: Timestamp
  /** The time as the text has it, where it names no moment by itself. */
  readonly timeText?: string
  readonly source?: Endpoint
  readonly destination?: Endpoint
  readonly encapsulation?: Encapsulation
}

/** Something that was not read, or read with a doubt, and where it stands. */
export interface Unread {
  readonly severity: "error" | "warning" | "note"
  /** For people. */
  readonly text: string
  /** How often; `places` has the first ten at most. */
  readonly count: number
  readonly places: readonly Place[]
}

/** What became of a paste or a drop. There may be packets and things that could not be read. */
export interface Opened {
  /** In words: `tcpdump, 2 packets, link, IP and UDP headers taken off`; what it is not, where nothing was found. */
  readonly takenFor: string
  /** What else the same text could be, in words. */
  readonly otherwise: readonly string[]
  readonly packets: readonly OpenedPacket[]
  readonly unread: readonly Unread[]
}

/** How far a big input has been read. `done` and `total` are octets of the file, or UTF-16 units of the text. */
export interface OpenProgress {
  readonly done: number
  readonly total: number
  readonly packets: number
}
