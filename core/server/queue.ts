/** A first-in first-out queue that stays valid: two lists, the back one turned round when the front one is used up. */
export interface Queue<T> {
  readonly front: Link<T> | undefined
  readonly back: Link<T> | undefined
  readonly size: number
}

interface Link<T> {
  readonly item: T
  readonly next: Link<T> | undefined
}

const EMPTY: Queue<never> = { front: undefined, back: undefined, size: 0 }

export const emptyQueue = <T>(): Queue<T> => EMPTY

export const pushed = <T>({ front, back, size }: Queue<T>, item: T): Queue<T> =>
  front === undefined
    ? { front: { item, next: undefined }, back: undefined, size: 1 }
    : { front, back: { item, next: back }, size: size + 1 }

/** The item that came first; `undefined` of an empty queue. */
export const firstOf = <T>(queue: Queue<T>): T | undefined => queue.front?.item

/** The queue without its first item. */
export const shifted = <T>({ front, back, size }: Queue<T>): Queue<T> => {
  if (front === undefined || size === 1) return EMPTY
  return front.next !== undefined
    ? { front: front.next, back, size: size - 1 }
    : { front: turned(back), back: undefined, size: size - 1 }
}

const turned = <T>(link: Link<T> | undefined): Link<T> | undefined => {
  let result: Link<T> | undefined
  for (let one = link; one !== undefined; one = one.next) result = { item: one.item, next: result }
  return result
}
