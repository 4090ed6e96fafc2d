/** What is to happen, by time: a binary heap; what is due at the same instant comes in the order in which it was put in. */
export interface EventQueue<T> {
  readonly put: (at: number, event: T) => void
  readonly take: () => { readonly at: number; readonly event: T } | undefined
}

interface Entry<T> {
  readonly at: number
  readonly order: number
  readonly event: T
}

export const eventQueue = <T>(): EventQueue<T> => {
  const heap: Entry<T>[] = []
  let order = 0
  const isBefore = (one: Entry<T>, other: Entry<T>): boolean =>
    one.at < other.at || (one.at === other.at && one.order < other.order)
  const swap = (i: number, j: number): void => {
    const entry = heap[i]
    heap[i] = heap[j]
    heap[j] = entry
  }
  return {
    put: (at, event) => {
      heap.push({ at, order: order++, event })
      for (let i = heap.length - 1; i > 0; ) {
        const parent = (i - 1) >>> 1
        if (!isBefore(heap[i], heap[parent])) break
        swap(i, parent)
        i = parent
      }
    },
    take: () => {
      const first = heap[0]
      const last = heap.pop()
      if (first === undefined || last === undefined) return undefined
      if (heap.length > 0) {
        heap[0] = last
        for (let i = 0; ; ) {
          const left = 2 * i + 1
          let least = i
          if (left < heap.length && isBefore(heap[left], heap[least])) least = left
          if (left + 1 < heap.length && isBefore(heap[left + 1], heap[least])) least = left + 1
          if (least === i) break
          swap(i, least)
          i = least
        }
      }
      return first
    },
  }
}
