import { type Element, type Plane, TABLE } from "./plane.ts"
import type { ElementChanges } from "./set-elements.ts"

/** An element as it is to be. */
export interface Wanted {
  readonly element: Element
  /** Milliseconds until it ends by itself; `undefined`: never. */
  readonly left: number | undefined
}

/** Elements taken away and put in, folded into what each key is in the end: one transaction. */
export interface Batch {
  add(wanted: Wanted): void
  remove(element: Element): void
  /** What is taken away and put in, in this order. */
  changes(): ElementChanges
  /** The same as nft's commands; empty: nothing changes. */
  commands(): string
}

interface Folded {
  /** What the kernel had before the batch; `undefined`: nothing that the server knows of. */
  readonly before: Element | undefined
  after: Wanted | undefined
}

/**
 * Taking away is done in two steps, put in and taken out: of an element that the kernel let run out a moment before, taking out
 * alone would fail the whole batch. What the kernel has of a key with other data than the server knows is an error on purpose.
 */
export const createBatch = ({ family, timed }: Pick<Plane, "family" | "timed">): Batch => {
  const all = new Map<string, Folded>()
  const keyOf = ({ set, key }: Element): string => `${set} ${key}`
  const command = (verb: string, elements: readonly (readonly [string, string])[]): string => {
    const bySet = new Map<string, string[]>()
    for (const [set, text] of elements) {
      const texts = bySet.get(set)
      if (texts === undefined) bySet.set(set, [text])
      else texts.push(text)
    }
    return [...bySet]
      .map(([set, texts]) => `${verb} element ${family} ${TABLE} ${set} { ${texts.join(", ")} }\n`)
      .join("")
  }
  const changes = (): ElementChanges => ({
    gone: [...all.values()].flatMap(({ before }) => before ?? []),
    put: [...all.values()].flatMap(({ after }) => after ?? []),
  })
  return {
    add: (wanted) => {
      const folded = all.get(keyOf(wanted.element))
      if (folded === undefined) all.set(keyOf(wanted.element), { before: undefined, after: wanted })
      else folded.after = wanted
    },
    remove: (element) => {
      const folded = all.get(keyOf(element))
      if (folded === undefined) all.set(keyOf(element), { before: element, after: undefined })
      else folded.after = undefined
    },
    changes,
    commands: () => {
      const { gone, put } = changes()
      return (
        command(
          "add",
          gone.map((element) => [element.set, elementText(element, undefined)]),
        ) +
        command(
          "delete",
          gone.map(({ set, key }) => [set, key]),
        ) +
        command(
          "add",
          put.map(({ element, left }) => [
            element.set,
            elementText(element, timed.has(element.set) ? left : undefined),
          ]),
        )
      )
    },
  }
}

/** An element for a command: the time-out goes between key and data. */
export const elementText = ({ key, data }: Element, left: number | undefined): string =>
  `${key}${left === undefined ? "" : ` timeout ${timeText(Math.max(1, Math.ceil(left)))}`}${data === undefined ? "" : ` : ${data}`}`

const DAY = 86_400_000

/** A time as nft has it, which reads no number of more than eight digits: 28 hours are too many milliseconds. */
const timeText = (milliseconds: number): string => {
  const days = Math.floor(milliseconds / DAY)
  return `${days === 0 ? "" : `${days}d`}${milliseconds % DAY}ms`
}
