import { forkInSteps, type Made, playInSteps, type Replay, seek } from "../model/replay/index.ts"
import type { Session, SessionStep } from "../model/session/index.ts"

/** How a branch leaves another one. */
export interface Attempt {
  /** Id of the branch that it leaves. */
  readonly parent: number
  /** Milliseconds. */
  readonly at: number
  readonly step: SessionStep
  readonly then: "rest" | "nothing"
}

/** One future. Branch 0 is the session as it is. */
export interface Branch {
  readonly id: number
  readonly name: string
  readonly replay: Replay
  readonly attempt: Attempt | undefined
}

/** The branch that an attempt makes; the one that it leaves stays what it is. Yields its progress, moments so far. */
export function* branchInSteps(
  branches: readonly Branch[],
  id: number,
  name: string,
  attempt: Attempt,
): Generator<number, Branch | undefined> {
  const parent = branches.find((one) => one.id === attempt.parent)
  if (parent === undefined) return undefined
  const { at, step, then } = attempt
  return { id, name, attempt, replay: yield* forkInSteps(parent.replay, at, step, then) }
}

/** A session played, and the same attempts over it, as after its configuration was changed. */
export function* plantInSteps(
  session: Session,
  branches: readonly Branch[],
): Generator<number, Made<readonly Branch[]>> {
  const main = yield* playInSteps(session)
  if (!main.ok) return main
  const grown: Branch[] = [{ id: 0, name: "as it is", replay: main.value, attempt: undefined }]
  for (const { id, name, attempt } of branches) {
    const branch = attempt && (yield* branchInSteps(grown, id, name, attempt))
    if (branch !== undefined) grown.push(branch)
  }
  return { ok: true, value: grown }
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
