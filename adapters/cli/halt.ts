/** What ends a server, from before it has begun. */
export interface Halt {
  readonly signal: AbortSignal
  readonly halted: Promise<void>
  /** As one of the signals does. */
  readonly now: () => void
}

/** Of these signals the first halts, and the second ends the process at once. */
export const haltBy = (signals: readonly NodeJS.Signals[]): Halt => {
  const halt = new AbortController()
  const halted = new Promise<void>((resolve) => halt.signal.addEventListener("abort", () => resolve(), { once: true }))
  const now = (): void => {
    for (const signal of signals) process.off(signal, now)
    halt.abort()
  }
  for (const signal of signals) process.on(signal, now)
  return { signal: halt.signal, halted, now }
}
