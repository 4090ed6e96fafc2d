import { compare, type FieldPair } from "../edit/index.ts"
import { changeLines } from "./change-words.ts"
import type { Happening, Moment } from "./moment.ts"
import type { Replay } from "./replay.ts"
import { viewAt } from "./view.ts"

/** A field of the captured answer that ours has otherwise. */
export interface AnswerDifference {
  readonly pair: FieldPair
  /**
   * `clock`: Epoch Times begin at different instants. `choice`: an external end, which each CGN chooses for itself. `difference`: all
   * else, which is a finding.
   */
  readonly weight: "clock" | "choice" | "difference"
}

export interface AnswerComparison {
  readonly captured: Uint8Array | undefined
  readonly ours: Uint8Array | undefined
  /** Only what differs. */
  readonly differences: readonly AnswerDifference[]
  /** `same` but for clock and choice; `missing`: one of the two has no answer. */
  readonly outcome: "same" | "different" | "missing"
}

/** The captured answer beside ours; `undefined` where nothing was captured to compare with. */
export const compareAnswers = ({ cause, reply }: Happening): AnswerComparison | undefined => {
  if (cause.type !== "step" || cause.step.type !== "datagram") return undefined
  const { answer } = cause.step
  if (answer === undefined) return undefined
  if (reply === undefined) return { captured: answer, ours: undefined, differences: [], outcome: "missing" }
  const differences = compare(answer, reply)
    .fields.filter(({ state }) => state !== "same")
    .map((pair) => ({ pair, weight: weightOf(pair) }))
  const outcome = differences.some(({ weight }) => weight === "difference") ? "different" : "same"
  return { captured: answer, ours: reply, differences, outcome }
}

const weightOf = ({ path, state }: FieldPair): AnswerDifference["weight"] => {
  if (state !== "changed") return "difference"
  if (path.includes("Epoch") || path.startsWith("Seconds Since")) return "clock"
  const isChosen = /^(?:Assigned|Mapped) External|^External IPv4/.test(path)
  return isChosen ? "choice" : "difference"
}

/** Something that two futures do not have in common. */
export interface FutureDifference {
  /** Milliseconds. */
  readonly at: number
  readonly kind: "answer" | "event" | "mapping"
  readonly side: "left" | "right" | "both"
  readonly text: string
  /** Of an answer that both gave: its fields that differ. */
  readonly fields: readonly FieldPair[]
}

/** Differences that are listed. */
const MOST = 1000

/**
 * Two replays of one beginning: steps of both that were answered otherwise, what happened in one of them alone, and which mappings
 * are there in the end in only one. In the order of time.
 */
export const compareFutures = (left: Replay, right: Replay): readonly FutureDifference[] => {
  const found = [...compareMoments(left, right), ...compareEnds(left, right)]
  return found.sort((one, other) => one.at - other.at).slice(0, MOST)
}

/** What a moment did, in a line that is the same where the same happened. */
const eventOf = ({ at, cause, verdict, changes }: Moment): string => {
  const what = cause.type === "step" ? cause.step.type : cause.type
  const lines = changeLines(changes).map(({ sign, text }) => `${sign} ${text}`)
  return [`${at}`, what, verdict?.text ?? "", ...lines].join("\n")
}

const titleOf = (moment: Moment): string => {
  const [first, ...more] = changeLines(moment.changes)
  const { cause, verdict } = moment
  const base = cause.type === "step" ? stepTitle(cause.step.type) : "something was due"
  const detail = verdict?.text ?? (first === undefined ? "nothing changed" : `${first.sign} ${first.text}`)
  return `${base}: ${detail}${more.length > 0 ? `, and ${more.length} more` : ""}`
}

const stepTitle = (type: "datagram" | "packet" | "announce" | "revoke"): string =>
  ({ datagram: "request", packet: "packet", announce: "announcement", revoke: "host gone" })[type]

/** Moments of two futures that belong together, by their places: the same step, or the same thing that was due. */
export interface MomentPair {
  /** Milliseconds. */
  readonly at: number
  readonly left: number | undefined
  readonly right: number | undefined
  /** `shared`: from before they parted. `same`: it went alike in both. */
  readonly state: "shared" | "same" | "different" | "left" | "right"
}

/** Two replays of one beginning moment by moment, in the order of time. */
export const alignFutures = (left: Replay, right: Replay): readonly MomentPair[] => {
  const shared = sharedMoments(left, right)
  const pairs: MomentPair[] = []
  for (let i = 0; i < shared; i++) pairs.push({ at: left.moments[i].at, left: i, right: i, state: "shared" })
  const ofRight = new Map<object | string, number[]>()
  const keyOf = (moment: Moment): object | string =>
    moment.cause.type === "step" ? moment.cause.step : eventOf(moment)
  for (let i = shared; i < right.moments.length; i++) {
    const key = keyOf(right.moments[i])
    const known = ofRight.get(key)
    if (known === undefined) ofRight.set(key, [i])
    else known.push(i)
  }
  const parted: MomentPair[] = []
  for (let i = shared; i < left.moments.length; i++) {
    const own = left.moments[i]
    const twin = ofRight.get(keyOf(own))?.shift()
    const state = twin === undefined ? "left" : isAlike(own, right.moments[twin]) ? "same" : "different"
    parted.push({ at: own.at, left: i, right: twin, state })
  }
  for (const rest of ofRight.values())
    for (const i of rest) parted.push({ at: right.moments[i].at, left: undefined, right: i, state: "right" })
  return [...pairs, ...parted.sort((one, other) => one.at - other.at)]
}

const isAlike = (left: Moment, right: Moment): boolean =>
  left.reply !== undefined && right.reply !== undefined
    ? compare(left.reply, right.reply).same
    : eventOf(left) === eventOf(right)

const compareMoments = (left: Replay, right: Replay): readonly FutureDifference[] =>
  alignFutures(left, right).flatMap(({ left: one, right: other, state }) => {
    if (state === "shared" || state === "same") return []
    if (one === undefined) return other === undefined ? [] : [alone(right.moments[other], "right")]
    return other === undefined ? [alone(left.moments[one], "left")] : both(left.moments[one], right.moments[other])
  })

const alone = (moment: Moment, side: "left" | "right"): FutureDifference => ({
  at: moment.at,
  kind: "event",
  side,
  text: titleOf(moment),
  fields: [],
})

const both = (left: Moment, right: Moment): readonly FutureDifference[] => {
  const { at } = left
  if (left.reply !== undefined && right.reply !== undefined) {
    const { same, fields } = compare(left.reply, right.reply)
    if (same) return []
    const changed = fields.filter(({ state }) => state !== "same")
    const text = changed
      .map((pair) => `${pair.path}: ${pair.left?.text ?? "none"}, or ${pair.right?.text ?? "none"}`)
      .join("; ")
    return [{ at, kind: "answer", side: "both", text, fields: changed }]
  }
  if (eventOf(left) === eventOf(right)) return []
  return [{ at, kind: "event", side: "both", text: `${titleOf(left)}, or ${titleOf(right)}`, fields: [] }]
}

const sharedMoments = (left: Replay, right: Replay): number => {
  const most = Math.min(left.moments.length, right.moments.length)
  let shared = 0
  while (shared < most && left.moments[shared] === right.moments[shared]) shared++
  return shared
}

const compareEnds = (left: Replay, right: Replay): readonly FutureDifference[] => {
  const at = Math.min(left.end, right.end)
  const ends = ([left, right] as const).map(
    (replay) => new Map(viewAt(replay, at).mappings.map(({ key, text }) => [key, text])),
  )
  const [ofLeft, ofRight] = ends
  const difference = (side: FutureDifference["side"], text: string): FutureDifference => ({
    at,
    kind: "mapping",
    side,
    text: `in the end: ${text}`,
    fields: [],
  })
  const found: FutureDifference[] = []
  for (const [key, text] of ofLeft) {
    const other = ofRight.get(key)
    if (other === undefined) found.push(difference("left", text))
    else if (other !== text) found.push(difference("both", `${text}, or ${other}`))
  }
  for (const [key, text] of ofRight) if (!ofLeft.has(key)) found.push(difference("right", text))
  return found
}
