import type { Read } from "../read.ts"

const UNITS: readonly (readonly [number, string])[] = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
]

/** `2 h`, `1 h 30 min`, `0 s`: whole seconds for people, in no more than two units. */
export const durationText = (seconds: number): string => {
  let left = Math.max(0, Math.round(seconds))
  const parts: string[] = []
  for (const [size, unit] of UNITS) {
    const count = Math.floor(left / size)
    left -= count * size
    if (count > 0) parts.push(`${count} ${unit}`)
  }
  return parts.length === 0 ? "0 s" : parts.slice(0, 2).join(" ")
}

/** What to say after that a mapping is deleted, where the server leaves it for so many seconds all the same (RFC 6887 section 15). */
export const leftText = (seconds: number | undefined): string =>
  seconds === undefined ? "" : `, but stays open for ${durationText(seconds)} more, as there was traffic`

/** Reads seconds, up to a day, perhaps with a fraction; gives milliseconds. */
export const readTimeout = (text: string): Read<number> => {
  const seconds = /^\d{1,5}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  return seconds > 0 && seconds <= 86400
    ? { ok: true, value: Math.round(seconds * 1000) }
    : { ok: false, text: "Expected seconds, more than 0 and at most 86400." }
}
