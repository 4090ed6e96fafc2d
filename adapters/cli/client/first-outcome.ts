import { type Board, isSettled } from "./board.ts"
import type { Session } from "./session.ts"
import { isSilent } from "./verdict.ts"

/** Milliseconds that a gateway which was only guessed at has, where another one has the mapping already: one more transmission. */
const GRACE = 4000

/**
 * Waits until every server has answered, for so many milliseconds at most. Default gateways may well speak no PCP: where one has the
 * mapping, the silent ones are not waited for as long as servers that the user named.
 */
export const firstOutcome = async (
  session: Session,
  board: () => Board,
  named: boolean,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> => {
  const began = performance.now()
  const left = (limit: number): number => Math.max(0, limit - (performance.now() - began))
  const isEnough = (): boolean => isSettled(board())
  const isGood = (): boolean => !named && hasSpoken(board())
  await session.wait(() => isEnough() || isGood(), { milliseconds, signal })
  if (isGood() && !isEnough() && !signal.aborted)
    await session.wait(isEnough, { milliseconds: left(Math.min(GRACE, milliseconds)), signal })
}

/** Does each mapping have a server that made it, and is the rest silence? */
const hasSpoken = (board: Board): boolean => {
  const mapped = new Set(board.filter(({ standing }) => standing.kind === "mapped").map(({ id }) => id))
  return (
    board.length > 0 &&
    board.every((place) => mapped.has(place.id) && (place.standing.kind === "mapped" || isSilent(place)))
  )
}
