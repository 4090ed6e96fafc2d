/**
 * A value with what it was before and what was undone: a persistent stack on each side, so that every step costs one small
 * object and an older history stays what it was.
 */
export interface History<T> {
  readonly present: T
  readonly past: Stack<T> | undefined
  readonly future: Stack<T> | undefined
}

export interface Stack<T> {
  readonly top: T
  readonly below: Stack<T> | undefined
  readonly depth: number
}

/** Steps back that are kept. */
const DEPTH = 1000

const push = <T>(top: T, below: Stack<T> | undefined): Stack<T> => ({ top, below, depth: (below?.depth ?? 0) + 1 })

export const beginHistory = <T>(present: T): History<T> => ({ present, past: undefined, future: undefined })

/** Goes on with another value; what was undone is gone. */
export const record = <T>(history: History<T>, present: T): History<T> => {
  const past = push(history.present, history.past)
  // Twice as many are there at most, so that dropping the oldest costs little a step.
  return { present, past: past.depth > 2 * DEPTH ? newest(past, DEPTH) : past, future: undefined }
}

const newest = <T>(stack: Stack<T>, count: number): Stack<T> | undefined => {
  const kept: T[] = []
  for (let at: Stack<T> | undefined = stack; at !== undefined && kept.length < count; at = at.below) kept.push(at.top)
  return kept.reduceRight<Stack<T> | undefined>((below, top) => push(top, below), undefined)
}

/** The value in place of the present one without a step of its own: for keystrokes within one edit. */
export const amend = <T>(history: History<T>, present: T): History<T> => ({ ...history, present })

export const canUndo = <T>({ past }: History<T>): boolean => past !== undefined
export const canRedo = <T>({ future }: History<T>): boolean => future !== undefined

/** One step back; the same history where there is none. */
export const undo = <T>(history: History<T>): History<T> => {
  const { past, present, future } = history
  return past === undefined ? history : { present: past.top, past: past.below, future: push(present, future) }
}

/** One step forward again; the same history where there is none. */
export const redo = <T>(history: History<T>): History<T> => {
  const { past, present, future } = history
  return future === undefined ? history : { present: future.top, past: push(present, past), future: future.below }
}
