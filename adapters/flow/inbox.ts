import { FlowError } from "./flow-error.ts"

/** How a message is read. */
export interface ReadOptions {
  /** Octets to read at most; left out, the whole message. */
  readonly size?: number | undefined
  /**
   * With `size`: may a message come in parts? Default true: what is left comes next, and where nothing is left of a message that filled the
   * buffer to its last octet, the next read gives no octets, which marks its end. False: a longer message is dropped, with EMSGSIZE.
   */
  readonly partial?: boolean | undefined
  /** False: EAGAIN where there is nothing to read yet. Default true: waits. */
  readonly wait?: boolean | undefined
  /** Milliseconds to wait at most: ETIMEDOUT after it. */
  readonly timeout?: number | undefined
  /** Ends the wait: ECANCELED. */
  readonly signal?: AbortSignal | undefined
}

/** Messages that have come and nobody has read yet, bounded; what comes when it is full is lost, as UDP loses it. */
export interface Inbox {
  /** False: there was no room. */
  put(message: Uint8Array): boolean
  /** The next message or part of one; `undefined`: nothing is there, and nothing will come. Throws why, if it went wrong. */
  read(options: ReadOptions): Promise<Uint8Array | undefined>
  /** False: what comes is dropped, and not counted, until it is true again; what is there can still be read. */
  take(on: boolean): void
  /** Nothing more will come; what is there can still be read. */
  end(error: FlowError | undefined): void
  /** Messages that were lost for want of room. */
  lost(): number
}

/** Messages in it at most, and octets. */
export interface InboxBounds {
  /** 1 or more. */
  readonly messages: number
  /** Of all of them together. */
  readonly octets: number
}

export const inbox = ({ messages, octets }: InboxBounds): Inbox => {
  let queue: Uint8Array[] = []
  let next = 0
  let held = 0
  let lost = 0
  /** What is left of a message that is being read in parts; no octets: its end is still to be marked. */
  let rest: Uint8Array | undefined
  let ended = false
  let taking = true
  let failure: FlowError | undefined
  const waiting: (() => void)[] = []

  const shift = (): Uint8Array | undefined => {
    const message = queue[next]
    if (message === undefined) return undefined
    next++
    held -= message.length
    if (next === queue.length || next >= 1024) {
      queue = queue.slice(next)
      next = 0
    }
    return message
  }

  /** What is there now; `undefined`: nothing. */
  const take = ({ size, partial = true }: ReadOptions): Uint8Array | undefined => {
    if (size === undefined) {
      const part = rest
      rest = undefined
      return part !== undefined && part.length > 0 ? part : shift()
    }
    const message = rest ?? shift()
    rest = undefined
    if (message === undefined || message.length < size) return message
    if (partial) {
      rest = message.subarray(size)
      return message.subarray(0, size)
    }
    if (message.length === size) return message
    throw new FlowError("EMSGSIZE", `a message of ${message.length} octets does not fit ${size}: it is dropped`)
  }

  const wake = (): void => {
    for (const call of waiting.splice(0)) call()
  }

  const arrival = ({ signal, timeout }: ReadOptions): Promise<void> =>
    signal === undefined && timeout === undefined
      ? new Promise((resolve) => waiting.push(resolve))
      : guardedArrival(signal, timeout)

  const guardedArrival = (signal: AbortSignal | undefined, timeout: number | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener("abort", abort)
        const at = waiting.indexOf(call)
        if (at >= 0) waiting.splice(at, 1)
      }
      const call = (): void => {
        finish()
        resolve()
      }
      const abort = (): void => {
        finish()
        reject(new FlowError("ECANCELED", "the read was aborted", { cause: signal?.reason }))
      }
      const expire = (): void => {
        finish()
        reject(new FlowError("ETIMEDOUT", `nothing came within ${timeout} ms`))
      }
      const timer = timeout === undefined ? undefined : setTimeout(expire, timeout)
      waiting.push(call)
      if (signal?.aborted) abort()
      else signal?.addEventListener("abort", abort, { once: true })
    })

  return {
    put: (message) => {
      if (ended || !taking) return false
      if (queue.length - next >= messages || held + message.length > octets) {
        lost++
        return false
      }
      queue.push(message)
      held += message.length
      wake()
      return true
    },
    read: async (options) => {
      const { size, wait = true } = options
      if (size !== undefined && (!Number.isInteger(size) || size < 1))
        throw new FlowError("EINVAL", "a size is 1 or more octets")
      for (;;) {
        const message = take(options)
        if (message !== undefined) return message
        if (failure !== undefined) throw failure
        if (ended) return undefined
        if (!wait) throw new FlowError("EAGAIN", "there is nothing to read yet")
        await arrival(options)
      }
    },
    take: (on) => {
      taking = on
    },
    end: (error) => {
      if (ended) return
      ended = true
      failure = error
      wake()
    },
    lost: () => lost,
  }
}
