import type { Failure } from "../../../core/client/index.ts"
import { Exit, type ExitCode } from "../exit.ts"
import type { Board, Place } from "./board.ts"
import { exitOf } from "./failure.ts"

/** Said by a server, and not by its silence. */
const isAnswer = ({ kind }: Failure): boolean => kind !== "no-answer" && kind !== "unreachable"

/** Has nothing there said that it speaks either protocol? */
export const isSilent = ({ standing }: Place): boolean =>
  standing.kind === "waiting" || (standing.kind === "failed" && !isAnswer(standing.failure))

/**
 * How a command that mapped ends. Servers that were only guessed at, the default gateways, may be silent where another one has the
 * mapping: `named` says that they were not.
 */
export const verdictOf = (board: Board, named: boolean): ExitCode => {
  const mapped = new Set(board.filter(({ standing }) => standing.kind === "mapped").map(({ id }) => id))
  const rest = board.filter(
    (place) => place.standing.kind !== "mapped" && (named || !isSilent(place) || !mapped.has(place.id)),
  )
  if (mapped.size > 0) return rest.length === 0 ? Exit.DONE : Exit.PARTLY
  return worstOf(board.map(({ standing }) => (standing.kind === "failed" ? standing.failure : undefined)))
}

/** How a command ends that came to nothing at all; `undefined` is one without an answer until the time was up. */
export const worstOf = (failures: readonly (Failure | undefined)[]): ExitCode => {
  const known = failures.filter((failure) => failure !== undefined)
  const answers = known.filter(isAnswer).map(exitOf)
  if (answers.length > 0) return answers.every((exit) => exit === Exit.SHORT_ERROR) ? Exit.SHORT_ERROR : Exit.FAILED
  return known.length > 0 && known.length === failures.length && known.every(({ kind }) => kind === "unreachable")
    ? Exit.FAILED
    : Exit.TIMEOUT
}
