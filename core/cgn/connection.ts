import { TcpFlag } from "./packet/index.ts"
import type { Side } from "./passage.ts"

/**
 * How far a TCP connection has got, as far as its segments tell: the states of RFC 6146 section 3.5.2.1, which RFC 7857
 * section 2.2 has every NAT follow for RST. With "inside" for IPv6 and "outside" for IPv4 they are:
 *
 * - `opening-inside`, `opening-outside`: V6 INIT, V4 INIT; a SYN came from that side
 * - `established`: ESTABLISHED
 * - `closed-inside`, `closed-outside`: V6 FIN RCV, V4 FIN RCV; that side sends no more
 * - `closing`: V4 FIN + V6 FIN RCV
 * - `reset`: TRANS; a RST was seen, and may have been nobody's
 */
export type Connection =
  | "opening-inside"
  | "opening-outside"
  | "established"
  | "closed-inside"
  | "closed-outside"
  | "closing"
  | "reset"

/** What a segment with these flags (a sum of `TcpFlag`) of no connection that is known begins; `undefined`: none. */
export const connectionFrom = (flags: number, from: Side): Connection | undefined => {
  const { SYN, ACK, RST, FIN } = TcpFlag
  if ((flags & (SYN | ACK | RST | FIN)) !== SYN) return undefined
  return from === "inside" ? "opening-inside" : "opening-outside"
}

/**
 * The state behind a segment from a side (RFC 6146 section 3.5.2.2). Two things are not of that section: a RST in any state
 * is one to wait for (RFC 7857 section 2.2), and a new SYN on a connection that is over opens it anew (RFC 9293
 * section 3.6.1).
 */
export const connectionAfter = (before: Connection, flags: number, from: Side): Connection => {
  const { SYN, RST, FIN } = TcpFlag
  if (before === "closing" || before === "reset") {
    const anew = connectionFrom(flags, from)
    if (anew !== undefined) return anew
    return before === "reset" && (flags & RST) === 0 ? "established" : before
  }
  if ((flags & RST) !== 0) return "reset"
  switch (before) {
    case "opening-inside":
    case "opening-outside":
      return (flags & SYN) !== 0 && before !== `opening-${from}` ? "established" : before
    case "established":
      return (flags & FIN) === 0 ? before : `closed-${from}`
    case "closed-inside":
    case "closed-outside":
      return (flags & FIN) !== 0 && before !== `closed-${from}` ? "closing" : before
  }
}

/** Idle times of TCP, seconds. RFC 5382 REQ-5: established at least 7440, the others at least 240. */
export interface TcpTimeouts {
  /** Of an open connection, seconds: at least 7440 (RFC 5382 REQ-5). */
  readonly established: number
  /** Of connections that open (RFC 7857 section 2.1). */
  readonly opening: number
  /** Of connections that close, or were reset. */
  readonly closing: number
}

/** RFC 5382 REQ-5, RFC 7857 section 2.1. */
export const TCP_TIMEOUTS: TcpTimeouts = { established: 7440, opening: 240, closing: 240 }

/** Seconds that a connection is kept behind a segment that left it in this state. */
export const connectionTimeout = (connection: Connection, timeouts: TcpTimeouts): number => {
  switch (connection) {
    case "opening-inside":
    case "opening-outside":
      return timeouts.opening
    case "established":
    case "closed-inside":
    case "closed-outside":
      return timeouts.established
    case "closing":
    case "reset":
      return timeouts.closing
  }
}

/** The states in the order of their numbers, from 1: what a table's words have. */
const NUMBERED: readonly Connection[] = [
  "opening-inside",
  "opening-outside",
  "established",
  "closed-inside",
  "closed-outside",
  "closing",
  "reset",
]

/** 1 to 7; 0 for `undefined`. */
export const connectionNumber = (connection: Connection | undefined): number =>
  connection === undefined ? 0 : NUMBERED.indexOf(connection) + 1

/** The state of a number; `undefined` for one that no state has. */
export const connectionOf = (number: number): Connection | undefined => NUMBERED[number - 1]
