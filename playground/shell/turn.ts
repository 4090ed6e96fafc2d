import type { PageState } from "./page-state.ts"

/**
 * Begins to open something: what was being opened is given up, for whatever comes later is what somebody wants to see. The function that it
 * gives says whether nothing came later still.
 */
export const takeTurn = ({ turn, opening }: PageState): (() => boolean) => {
  const own = turn.peek() + 1
  turn.value = own
  opening.peek()?.end()
  return () => turn.peek() === own
}
