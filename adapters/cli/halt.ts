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

/** What a running server is asked for by these signals. */
export interface Heed {
  /** From now on each does this, and what came before is done at once. */
  begin(act: (signal: NodeJS.Signals) => void): void
  end(): void
}

/** Hears these signals until the end, so that none of them ends a server that only starts, or that is about to write its last state. */
export const heed = (signals: readonly NodeJS.Signals[]): Heed => {
  const early = new Set<NodeJS.Signals>()
  let hear = (signal: NodeJS.Signals): void => void early.add(signal)
  const listeners = signals.map((signal) => [signal, () => hear(signal)] as const)
  for (const [signal, listener] of listeners) process.on(signal, listener)
  return {
    begin: (act) => {
      hear = act
      for (const signal of early) act(signal)
    },
    end: () => {
      for (const [signal, listener] of listeners) process.off(signal, listener)
    },
  }
}
