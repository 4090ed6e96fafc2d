import type { Clock } from "../host.ts"
import { PortControlError } from "./error.ts"

/** How long a caller waits. */
export interface Waiting {
  /** Ends it early: the call rejects with the code `aborted`. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds; `Infinity` waits for as long as it takes. */
  readonly timeout?: number | undefined
}

/** Settles a promise once; what comes later is nothing. */
export interface Settle<T> {
  resolve(value: T): void
  reject(error: PortControlError): void
}

/** The caller's patience is at an end; `cause` is the signal's reason. */
export type Impatience =
  | { readonly code: "timeout"; readonly text: string }
  | { readonly code: "aborted"; readonly text: string; readonly cause: unknown }

/**
 * A promise that `begin` settles, unless the caller's patience ends first: then `end` says how it is settled. What `begin` returns
 * is called at the end in any case, and nothing is left behind: no timer, no listener on the signal.
 */
export const wait = <T>(
  clock: Clock,
  { signal, timeout = Number.POSITIVE_INFINITY }: Waiting,
  begin: (settle: Settle<T>) => () => void,
  end: (why: Impatience, settle: Settle<T>) => void = (why, settle) => settle.reject(impatient(why)),
): Promise<T> =>
  new Promise((resolve, reject) => {
    let isOver = false
    let release = (): void => {}
    let cancel = (): void => {}
    const finish = (): boolean => {
      if (isOver) return false
      isOver = true
      cancel()
      signal?.removeEventListener("abort", abort)
      release()
      return true
    }
    const settle: Settle<T> = {
      resolve: (value) => {
        if (finish()) resolve(value)
      },
      reject: (error) => {
        if (finish()) reject(error)
      },
    }
    const abort = (): void => {
      if (!isOver) end({ code: "aborted", text: "the call was aborted", cause: signal?.reason }, settle)
    }
    const expire = (): void => {
      if (!isOver) end({ code: "timeout", text: `nothing came of it within ${durationText(timeout)}` }, settle)
    }
    if (!(timeout >= 0)) {
      settle.reject(badTimeout(timeout))
      return
    }
    if (signal?.aborted) {
      abort()
      return
    }
    signal?.addEventListener("abort", abort, { once: true })
    release = begin(settle)
    if (isOver) release()
    else if (timeout !== Number.POSITIVE_INFINITY) cancel = clock.after(timeout, expire)
  })

/** Milliseconds for people: `250 ms`, `30 s`, `2.5 s`. */
export const durationText = (duration: number): string =>
  duration < 1000 ? `${Math.round(duration)} ms` : `${Math.round(duration / 100) / 10} s`

/** Milliseconds that closing waits, which never rejects: what is no timeout is as if it were left out. */
export const closeTimeout = (timeout: number = CLOSE_TIMEOUT): number => (timeout >= 0 ? timeout : CLOSE_TIMEOUT)

const CLOSE_TIMEOUT = 3000

/** Throws what calls reject with, before anything else is done. */
export const checkWaiting = ({ timeout = 0 }: Waiting): void => {
  if (!(timeout >= 0)) throw badTimeout(timeout)
}

const badTimeout = (timeout: number): PortControlError =>
  new PortControlError("bad-options", `a timeout of ${timeout} ms is none`)

/** What a call rejects with then. */
export const impatient = (
  why: Impatience,
  more: ConstructorParameters<typeof PortControlError>[2] = {},
): PortControlError =>
  new PortControlError(why.code, why.text, { ...more, ...("cause" in why ? { cause: why.cause } : {}) })
