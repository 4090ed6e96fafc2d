import type { Place } from "./reading.ts"

/** Lines and columns, both from 1, of offsets into a text: one pass over it however many there are. A line ends with LF. */
export const locate = (text: string, offsets: readonly number[]): Map<number, Place> => {
  const places = new Map<number, Place>()
  let line = 1
  let start = 0
  let next = text.indexOf("\n")
  for (const offset of [...offsets].sort((a, b) => a - b)) {
    while (next >= 0 && next < offset) {
      line++
      start = next + 1
      next = text.indexOf("\n", start)
    }
    places.set(offset, { offset, line, column: offset - start + 1 })
  }
  return places
}
