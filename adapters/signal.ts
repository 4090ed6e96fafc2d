/** Signals of the system that a program may act upon; Windows knows but the first of them, and a console's end as SIGHUP. */
export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR1" | "SIGUSR2"

/**
 * Has a signal call a function instead of what it would do, which is to end the program, until `stop` is called. It does not keep the
 * program running. Never throws: where this system or runtime has no such signal the text says so.
 */
export type OnSignal = (signal: Signal, call: () => void) => Listened

/** What came of listening to a signal. */
export type Listened = { readonly ok: true; readonly stop: () => void } | { readonly ok: false; readonly text: string }
