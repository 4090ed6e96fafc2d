/** The table's contents as plain maps, copied whole for each version: slow, and nothing shared with the real one. */
export interface Model {
  readonly families: readonly FamilyModel[]
  /** Index -> word, for each sparse array. */
  readonly sparse: readonly Map<number, number>[]
  /** "group/set" -> numbers. */
  readonly sets: Map<string, Set<number>>
  /** Row -> the second in which it comes up. */
  readonly linked: Map<number, number>
  cursor: number
}

export interface FamilyModel {
  readonly rows: Map<number, number[]>
  readonly dropped: number[]
  readonly index: Map<string, number>
  used: number
}

export const emptyModel = (families: number, sparse: number): Model => ({
  families: Array.from({ length: families }, () => ({ rows: new Map(), dropped: [], index: new Map(), used: 0 })),
  sparse: Array.from({ length: sparse }, () => new Map()),
  sets: new Map(),
  linked: new Map(),
  cursor: 0,
})

export const copyModel = (model: Model): Model => ({
  families: model.families.map(({ rows, dropped, index, used }) => ({
    rows: new Map([...rows].map(([row, words]) => [row, words.slice()])),
    dropped: dropped.slice(),
    index: new Map(index),
    used,
  })),
  sparse: model.sparse.map((words) => new Map(words)),
  sets: new Map([...model.sets].map(([name, numbers]) => [name, new Set(numbers)])),
  linked: new Map(model.linked),
  cursor: model.cursor,
})

export const setOf = (model: Model, name: string): Set<number> => {
  const known = model.sets.get(name)
  if (known !== undefined) return known
  const made = new Set<number>()
  model.sets.set(name, made)
  return made
}

/** Free number by definition. */
export const freeNumber = (taken: ReadonlySet<number>, from: number, first: number, last: number): number => {
  const start = from < first || from > last ? first : from
  for (let n = start; n <= last; n++) if (!taken.has(n)) return n
  for (let n = first; n < start; n++) if (!taken.has(n)) return n
  return -1
}

/** The second for which a deadline is linked: not before the cursor, not beyond the turn that begins there. */
export const secondFor = (model: Model, turn: number, deadline: number): number =>
  Math.min(Math.max(deadline, model.cursor), model.cursor + turn - 1)

/** Rows that `popDue` may return at `now`, after moving the cursor as it does. */
export const dueRows = (model: Model, turn: number, now: number): readonly number[] => {
  // A gap of more than a turn: each row's second moves on by whole turns, to the last one not beyond now.
  if (now - model.cursor >= turn) {
    model.cursor = now - turn + 1
    for (const [row, second] of model.linked) {
      let moved = second
      while (moved < model.cursor) moved += turn
      model.linked.set(row, moved)
    }
  }
  const first = Math.min(Infinity, ...model.linked.values())
  model.cursor = Math.max(model.cursor, Math.min(first, now))
  return first > now ? [] : [...model.linked].filter(([, second]) => second === first).map(([row]) => row)
}
