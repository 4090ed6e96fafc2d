import type { Clock } from "../host.ts"
import { type Waiting, wait } from "./waiting.ts"

/** What one listener hears, in its order: a `for await` loop, or by hand. */
export interface Subscription<T> extends AsyncIterableIterator<T> {
  /** The next one if it is there already. */
  poll(): T | undefined
  /** The next one; `undefined`: it ended. */
  take(waiting?: Waiting): Promise<T | undefined>
  /** Hears no more. */
  return(): Promise<IteratorReturnResult<undefined>>
}

/** Tells any number of listeners the same. */
export interface Broadcast<T> extends AsyncIterable<T> {
  tell(value: T): void
  /** Listeners hear what is left, and then the end. */
  end(): void
  /** Each hears what is told from now on. */
  subscribe(): Subscription<T>
  [Symbol.asyncIterator](): Subscription<T>
}

/** Values that a listener may leave unread: of more, the oldest are lost, so that one who forgot to read costs no more. */
const MOST_UNREAD = 1000

interface Listener<T> {
  readonly unread: T[]
  readonly waiting: ((value: T | undefined) => void)[]
}

/** `first` is what each listener hears before anything else. */
export const broadcast = <T>(clock: Clock, first: () => readonly T[] = () => []): Broadcast<T> => {
  const listeners = new Set<Listener<T>>()
  let isEnded = false

  const subscribe = (): Subscription<T> => {
    const listener: Listener<T> = { unread: [...first()], waiting: [] }
    let isOver = isEnded
    if (!isOver) listeners.add(listener)
    const take = (waiting: Waiting = {}): Promise<T | undefined> => {
      if (listener.unread.length > 0) return Promise.resolve(listener.unread.shift())
      if (isOver || isEnded) return Promise.resolve(undefined)
      return wait(clock, waiting, ({ resolve }) => {
        listener.waiting.push(resolve)
        return () => {
          const at = listener.waiting.indexOf(resolve)
          if (at !== -1) listener.waiting.splice(at, 1)
        }
      })
    }
    const next = async (): Promise<IteratorResult<T, undefined>> => {
      const value = await take()
      return value === undefined ? { done: true, value: undefined } : { done: false, value }
    }
    const subscription: Subscription<T> = {
      take,
      next,
      poll: () => listener.unread.shift(),
      return: async () => {
        isOver = true
        listeners.delete(listener)
        listener.unread.length = 0
        for (const resolve of listener.waiting.splice(0)) resolve(undefined)
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => subscription,
    }
    return subscription
  }

  return {
    subscribe,
    [Symbol.asyncIterator]: subscribe,
    tell: (value) => {
      for (const { unread, waiting } of listeners) {
        const next = waiting.shift()
        if (next !== undefined) next(value)
        else {
          unread.push(value)
          if (unread.length > MOST_UNREAD) unread.shift()
        }
      }
    },
    end: () => {
      isEnded = true
      for (const { waiting } of listeners) for (const resolve of waiting.splice(0)) resolve(undefined)
      listeners.clear()
    },
  }
}
