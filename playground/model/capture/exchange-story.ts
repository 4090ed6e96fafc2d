import type { Capture } from "./capture.ts"
import type { EpochPoint, EpochSeries } from "./epoch.ts"
import type { Exchange, Gap } from "./exchange.ts"

/** One sentence on an exchange, with the rows that it speaks of. */
export interface StoryLine {
  readonly text: string
  /** Places in the list of rows. */
  readonly rows: readonly number[]
  /** Is it other than the RFCs have it? */
  readonly odd: boolean
  /** The clause that says how it should be; empty where there is nothing to say. */
  readonly clause: string
}

/** Milliseconds that a host's timers and a capture's clock may be wrong before a wait is called odd. */
const SLACK = 50

/** Transmissions that are told one by one. */
const MOST_SENT = 12

/** What is known of a row's exchange: transmissions with their waits, the answer with its latency, and what its epoch time says. */
export const storyOf = (capture: Capture, index: number): readonly StoryLine[] => {
  const row = capture.rows[index]
  if (row === undefined) return []
  const exchange = capture.exchanges[row.exchange]
  if (exchange === undefined) {
    const alone: StoryLine = { text: "nobody in this capture asked for it", rows: [], odd: false, clause: "" }
    return [...(row.part === "unsolicited" ? [alone] : []), ...epochLine(capture, index)]
  }
  const natPmp = capture.rows[exchange.requests[0]].facts.protocol === "NAT-PMP"
  return [
    ...sentLines(exchange, natPmp),
    ...answerLines(exchange),
    ...(exchange.answers.length === 0 ? [] : epochLine(capture, exchange.answers[0])),
  ]
}

const isOdd = ({ milliseconds, least, most }: Gap): boolean =>
  milliseconds < least - SLACK || milliseconds > most + SLACK

const sentLines = ({ requests, gaps }: Exchange, natPmp: boolean): readonly StoryLine[] => {
  const lines: StoryLine[] = [{ text: "asked by", rows: [requests[0]], odd: false, clause: "" }]
  for (const [i, row] of requests.slice(1, MOST_SENT).entries()) {
    const gap = gaps.length === requests.length - 1 ? gaps[i] : undefined
    if (gap === undefined) lines.push({ text: "asked again by", rows: [row], odd: false, clause: "" })
    else {
      const odd = isOdd(gap)
      const range =
        gap.least === gap.most
          ? secondsOf(gap.least)
          : `${secondsOf(gap.least).replace(" s", "")} to ${secondsOf(gap.most)}`
      lines.push({
        text: `asked again after ${secondsOf(gap.milliseconds)}${odd ? `, where ${range} is the wait,` : ""} by`,
        rows: [row],
        odd,
        clause: odd ? (natPmp ? "RFC 6886 section 3.1" : "RFC 6887 section 8.1.1") : "",
      })
    }
  }
  if (requests.length > MOST_SENT)
    lines.push({ text: `and ${requests.length - MOST_SENT} times more`, rows: [], odd: false, clause: "" })
  return lines
}

const answerLines = ({ requests, answers, latency, sinceLast, answeredElsewhere }: Exchange): readonly StoryLine[] => {
  if (answers.length === 0) return [{ text: "no answer is in the capture", rows: [], odd: true, clause: "" }]
  const after = latency === undefined ? "answered" : `answered after ${latencyText(latency)}`
  const last = requests.length > 1 && sinceLast !== undefined ? `, ${latencyText(sinceLast)} since the last,` : ""
  const lines: StoryLine[] = [{ text: `${after}${last} by`, rows: [answers[0]], odd: false, clause: "" }]
  if (answers.length > 1)
    lines.push({ text: "and again by", rows: answers.slice(1, MOST_SENT), odd: false, clause: "" })
  if (answeredElsewhere)
    lines.push({
      text: "the answer came from another address than was asked, so a client drops it",
      rows: [],
      odd: true,
      clause: "RFC 6887 section 8.3",
    })
  return lines
}

const epochLine = ({ epochs }: Capture, row: number): readonly StoryLine[] => {
  for (const series of epochs) {
    const point = pointOf(series, row)
    if (point === undefined) continue
    const text = point.valid
      ? `its epoch time, ${point.epoch} s, is as expected`
      : `its epoch time, ${point.epoch} s, says that the server lost its state`
    const clause = series.protocol === "PCP" ? "RFC 6887 section 8.5" : "RFC 6886 section 3.6"
    return [{ text, rows: [], odd: !point.valid, clause: point.valid ? "" : clause }]
  }
  return []
}

/** The point of a row: points are in the order of rows. */
export const pointOf = ({ points }: EpochSeries, row: number): EpochPoint | undefined => {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (points[middle].row < row) low = middle + 1
    else high = middle
  }
  return points[low]?.row === row ? points[low] : undefined
}

const secondsOf = (milliseconds: number): string =>
  `${Number((milliseconds / 1000).toFixed(milliseconds < 995 ? 2 : 1))} s`

/** `4.2 ms`, `25 ms`, `3.1 s`. */
export const latencyText = (milliseconds: number): string =>
  milliseconds < 10
    ? `${milliseconds.toFixed(1)} ms`
    : milliseconds < 995
      ? `${Math.round(milliseconds)} ms`
      : secondsOf(milliseconds)
