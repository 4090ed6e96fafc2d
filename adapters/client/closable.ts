/// <reference lib="esnext.disposable" preserve="true" />

/** What `await using` closes at the end of its block. The declarations say which library of TypeScript's they need. */
export interface Closable extends AsyncDisposable {
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What `using` closes as well, without waiting. */
export interface ClosableAtOnce extends Closable, Disposable {
  /** Begins to close. */
  [Symbol.dispose](): void
}
