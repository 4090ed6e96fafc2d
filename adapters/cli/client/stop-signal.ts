/** Ctrl-C and its like, once: a second one ends the command at once. */
export interface StopSignal {
  readonly signal: AbortSignal
  /** As if there had been one. */
  now(): void
  /** Signals mean again what they mean to any program. */
  forget(): void
}

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"]

export const stopSignal = (): StopSignal => {
  const controller = new AbortController()
  const forget = (): void => {
    for (const name of SIGNALS) process.off(name, stop)
  }
  const stop = (): void => {
    // Not at once: whoever else listens would take it that nobody handles this one, and end the process.
    setImmediate(forget)
    controller.abort()
  }
  for (const name of SIGNALS) process.on(name, stop)
  return { signal: controller.signal, now: stop, forget }
}
