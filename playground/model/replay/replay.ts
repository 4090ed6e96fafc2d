import { endOf, type Session, type SessionStep } from "../session/index.ts"
import { ipPacket } from "./ip-packet.ts"
import { advance, announce, pass, request, revoke, type Stepped } from "./machine.ts"
import { type Made, makeMachine } from "./make.ts"
import type { Moment } from "./moment.ts"
import { verdictOf } from "./verdict.ts"

/** A session played: every moment with the machine of that moment. */
export interface Replay {
  readonly session: Session
  readonly moments: readonly Moment[]
  /** Milliseconds. */
  readonly end: number
  /** Where it left another replay: the first moment that is not shared. 0: it is none's branch. */
  readonly forkedAt: number
  /** It was cut short: more would have happened than is kept. */
  readonly cut: boolean
}

export interface ReplayLimits {
  /** Moments that are kept. Default 250,000. */
  readonly moments?: number
  /** Moments between two reports of progress. Default 1024. */
  readonly every?: number
}

const MOST_MOMENTS = 250_000
const EVERY = 1024

/** Plays a session at once; or says what is wrong with its configuration. */
export const play = (session: Session, limits?: ReplayLimits): Made<Replay> => finish(playInSteps(session, limits))

/** The same step by step, so that a page can show how far it is and stays alive: yields moments so far. */
export function* playInSteps(session: Session, limits: ReplayLimits = {}): Generator<number, Made<Replay>> {
  const made = makeMachine(session.configuration)
  if (!made.ok) return made
  const start: Moment = {
    ...NOTHING,
    at: 0,
    cause: { type: "start" },
    machine: made.value,
    changes: [],
    due: undefined,
  }
  return { ok: true, value: yield* goOn(session, [start], session.steps, 0, limits) }
}

const finish = <T>(steps: Generator<number, T>): T => {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

const NOTHING = { reply: undefined, dropped: undefined, verdict: undefined, sent: [], packets: [] } as const

/** From the last of some moments on: steps, and between them what is due at instants of its own. */
function* goOn(
  session: Session,
  before: readonly Moment[],
  steps: readonly SessionStep[],
  forkedAt: number,
  { moments: most = MOST_MOMENTS, every = EVERY }: ReplayLimits,
): Generator<number, Replay> {
  const moments = [...before]
  const end = endOf(session)
  let last = moments[moments.length - 1]
  let turns = 0
  for (let next = 0; moments.length < most; ) {
    if (++turns % every === 0) yield moments.length
    const step = steps[next]
    const until = step?.at ?? end
    if (last.due !== undefined && last.due <= until) {
      const after = passTime(last, Math.max(last.due, last.at))
      // An instant at which nothing was to be seen is none to stop at.
      if (after.changes.length + after.sent.length + after.packets.length > 0) moments.push(after)
      last = after
      // Whatever is due at once again and again would never end.
      if (turns > 4 * most) break
      continue
    }
    if (step === undefined) return { session, moments, end, forkedAt, cut: false }
    last = take(last, step)
    moments.push(last)
    next++
  }
  return { session, moments, end, forkedAt, cut: true }
}

const sooner = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : Math.min(one, other)

const passTime = (before: Moment, at: number): Moment => {
  const { machine, changes, sent, packets, next } = advance(before.machine, at)
  const due =
    next === undefined ? undefined : Math.max(next, changes.length + sent.length + packets.length > 0 ? at : at + 1)
  return { ...NOTHING, at, cause: { type: "due" }, machine, changes, sent, packets, due }
}

const take = (before: Moment, step: SessionStep): Moment => {
  const { machine } = before
  const { at } = step
  const moment = ({ machine: after, changes, next }: Stepped, more: Partial<Moment> = {}): Moment => ({
    ...NOTHING,
    at,
    cause: { type: "step", step },
    machine: after,
    changes,
    due: sooner(before.due, next),
    ...more,
  })
  switch (step.type) {
    case "datagram": {
      const { bytes, side, source, realm } = step
      const asked = { bytes, now: at, source: source.address, sourcePort: source.port, side, realm }
      const { reply, dropped, ...stepped } = request(machine, asked)
      return moment(stepped, { reply, dropped })
    }
    case "packet": {
      const bytes = dataOctets(step, before)
      const { out, ...stepped } = pass(machine, { bytes, now: at, side: step.side, realm: step.realm })
      return moment(stepped, { verdict: verdictOf(bytes, step.side, out) })
    }
    case "announce":
      return moment(announce(machine, at))
    case "revoke":
      return moment(revoke(machine, step.internal, step.realm, at))
  }
}

const dataOctets = (step: Extract<SessionStep, { type: "packet" }>, { machine }: Moment): Uint8Array => {
  const inside = machine.family === "nat" ? machine.state.cgnState.config.translation.inside : undefined
  return ipPacket(step.packet, inside?.kind === "dslite" ? inside.aftr : step.packet.destination.address)
}

/** The place of the last moment at or before an instant, milliseconds: O(log n), however far it is away. */
export const seek = ({ moments }: Replay, at: number): number => {
  let low = 0
  let high = moments.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (moments[middle].at <= at) low = middle
    else high = middle
  }
  return low
}

/**
 * Another future: everything up to `at`, milliseconds, then `step`, then the steps of the session that came after that instant
 * (`rest`) or none of them. The replay given stays what it is, and both share the moments before the fork.
 */
export const fork = (
  replay: Replay,
  at: number,
  step: SessionStep,
  then: "rest" | "nothing" = "rest",
  limits: ReplayLimits = {},
): Replay => finish(forkInSteps(replay, at, step, then, limits))

export function* forkInSteps(
  replay: Replay,
  at: number,
  step: SessionStep,
  then: "rest" | "nothing" = "rest",
  limits: ReplayLimits = {},
): Generator<number, Replay> {
  const { session, moments } = replay
  const kept = seek(replay, at) + 1
  const own = { ...step, at: Math.max(step.at, moments[kept - 1].at) }
  const past = session.steps.filter((one) => one.at <= at)
  const future = then === "rest" ? session.steps.filter((one) => one.at > at) : []
  const steps = [own, ...future].sort((one, other) => one.at - other.at)
  const branch: Session = { ...session, steps: [...past, ...steps] }
  // What passed unseen after the last moment that is kept is passed again: it changed nothing that shows.
  return yield* goOn({ ...branch, until: Math.max(replay.end, own.at) }, moments.slice(0, kept), steps, kept, limits)
}
