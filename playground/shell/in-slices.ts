/** Milliseconds that a slice of work may hold the page up. */
const SLICE = 10

/**
 * Runs a generator to its end in slices, between which the page draws and listens; `undefined`: it was not wanted any more before that.
 * `onProgress` gets what it yielded last, once a slice.
 */
export const inSlices = async <P, R>(
  steps: Generator<P, R>,
  isWanted: () => boolean,
  onProgress: (progress: P) => void = () => undefined,
): Promise<R | undefined> => {
  while (isWanted()) {
    const began = performance.now()
    let step = steps.next()
    while (step.done !== true && performance.now() - began < SLICE) step = steps.next()
    if (step.done === true) return step.value
    onProgress(step.value)
    await new Promise((resolve) => setTimeout(resolve))
  }
  return undefined
}
