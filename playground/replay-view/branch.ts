import { forkInSteps, type Made, playInSteps, type Replay, seek } from "../model/replay/index.ts"
import type { Session, SessionStep, Try } from "../model/session/index.ts"

/** How a branch leaves another one. */
export interface Attempt {
  /** Id of the branch that it leaves. */
  readonly parent: number
  /** Milliseconds. */
  readonly at: number
  readonly step: SessionStep
  readonly after: "rest" | "nothing"
}

/** One future. Branch 0 is the session as it is. */
export interface Branch {
  readonly id: number
  readonly name: string
  readonly replay: Replay
  readonly attempt: Attempt | undefined
}

/** Moments that all branches may have of their own together: each keeps a machine, about 1.1 kB. */
const MOST_MOMENTS = 250_000

const ownMoments = ({ replay }: Branch): number => replay.moments.length - replay.forkedAt

/** The branch that an attempt makes; the one that it leaves stays what it is. Yields its progress, moments so far. */
export function* branchInSteps(
  branches: readonly Branch[],
  id: number,
  name: string,
  attempt: Attempt,
): Generator<number, Branch | undefined> {
  const parent = branches.find((one) => one.id === attempt.parent)
  if (parent === undefined) return undefined
  const { at, step, after } = attempt
  const kept = seek(parent.replay, at) + 1
  const used = branches.filter((one) => one.attempt !== undefined).reduce((sum, one) => sum + ownMoments(one), 0)
  const limits = { moments: kept + Math.max(1, MOST_MOMENTS - used) }
  return { id, name, attempt, replay: yield* forkInSteps(parent.replay, at, step, after, limits) }
}

/** A session played, with all that was tried over it: `known` branches stay who they are where they are of the same session. */
export function* plantInSteps(session: Session, known: readonly Branch[]): Generator<number, Made<readonly Branch[]>> {
  const main = yield* playInSteps(session)
  if (!main.ok) return main
  const grown: Branch[] = [{ id: 0, name: "as it is", replay: main.value, attempt: undefined }]
  for (const { id, name, attempt } of known.length > 0 ? known : branchesOf(session)) {
    const branch = attempt && (yield* branchInSteps(grown, id, name, attempt))
    if (branch !== undefined) grown.push(branch)
  }
  return { ok: true, value: grown }
}

/** What a session has tried, each under the number of its place. */
const branchesOf = ({ tries = [] }: Session): readonly Omit<Branch, "replay">[] =>
  tries.map(({ of, name, step, after }, i) => ({ id: i + 1, name, attempt: { parent: of, at: step.at, step, after } }))

/** The branches as a session holds them. */
export const triesOf = (branches: readonly Branch[]): readonly Try[] => {
  const places = new Map(branches.map(({ id }, place) => [id, place]))
  return branches.flatMap(({ name, attempt }) =>
    attempt === undefined
      ? []
      : [{ of: places.get(attempt.parent) ?? 0, name, step: attempt.step, after: attempt.after }],
  )
}

/** Instants of the moments before and after one: `undefined` where there are none. */
export const neighbours = (
  replay: Replay,
  at: number,
): { readonly before: number | undefined; readonly after: number | undefined } => {
  const { moments } = replay
  const place = seek(replay, at)
  const own = moments[place].at
  let first = place
  while (first > 0 && moments[first - 1].at === own) first--
  const before = own < at ? own : moments[first - 1]?.at
  return { before, after: moments[place + 1]?.at }
}
