import type { Run } from "./run.ts"

/** How long the client waited before it asked again, and how long it may wait by RFC 6887. All are milliseconds. */
export interface Timing {
  /** When it asked. */
  readonly at: number
  /** `retransmission`: for want of an answer (section 8.1.1). `renewal`: to keep what it has (section 11.2.1). */
  readonly kind: "retransmission" | "renewal"
  /** Which retransmission it is, or in which of the slots for renewals it is: from 1. */
  readonly number: number
  /** Since the transmission before, or since the mapping was granted last. */
  readonly waited: number
  readonly least: number
  readonly most: number
}

/** IRT and MRT of RFC 6887 section 8.1.1, and how far RAND goes. */
const INITIAL = 3000
const MOST = 1_024_000
const RAND = 0.1

interface Granted {
  readonly asked: number
  readonly at: number
  readonly lifetime: number
}

/** Every wait of a run of one mapping over PCP, in the order of time. */
export const timingsOf = ({ marks, flights }: Run): readonly Timing[] => {
  const timings: Timing[] = []
  let granted: Granted | undefined
  let asked: readonly [now: number, before: number] = [0, 0]
  let last = 0
  const ask = (at: number, number: number): void => {
    const own = granted
    const waited = at - asked[1]
    if (own !== undefined && at < own.at + own.lifetime) timings.push(renewal(own, at))
    else if (number > 0) {
      const nominal = number === 1 ? INITIAL : Math.min(2 * last, MOST)
      const [least, most] = [nominal * (1 - RAND), nominal * (1 + RAND)]
      timings.push({ at, kind: "retransmission", number, waited, least, most })
      last = waited
    }
  }
  for (const mark of marks) {
    const { at } = mark
    if (mark.type === "flight" && flights[mark.flight].from === "client") asked = [at, asked[0]]
    if (mark.type !== "event") continue
    const { event } = mark
    if (event.type === "assigned" || event.type === "renewed")
      granted = { asked: asked[0], at, lifetime: 1000 * event.mapping.lifetime }
    // What follows is asked for because of what the server said (section 14.1.3), and not to renew.
    else if (event.type === "state-lost") granted = undefined
    // How often it asked is said right after the datagram.
    else if (event.type === "state" && (event.state.kind === "starting" || event.state.kind === "updating"))
      ask(at, event.state.retransmissions)
  }
  return timings
}

/** Slot k begins 1/2^k before the end of the lifetime, and is a quarter of that long. */
const renewal = ({ asked, at: since, lifetime }: Granted, at: number): Timing => {
  const waited = at - since
  const number = Math.max(1, Math.floor(-Math.log2(Math.max(2 ** -20, 1 - (at - asked) / lifetime))))
  const start = 1 - 2 ** -number
  // The client may count from when it asked, or from when it was answered.
  const least = Math.max(0, start * lifetime - (since - asked))
  return { at, kind: "renewal", number, waited, least, most: (start + 2 ** -(number + 2)) * lifetime }
}
