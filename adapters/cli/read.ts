import { InvalidArgumentError } from "commander"

/** What was read from one argument, or why it was refused, in a sentence. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly text: string }

const take = <T>(read: Read<T>): T => {
  if (read.ok) return read.value
  // Commander turns this into one line that names the option, and exit code 1.
  throw new InvalidArgumentError(read.text)
}

/** For commander: an option that stands once. */
export const once =
  <T>(read: (text: string) => Read<T>) =>
  (text: string): T =>
    take(read(text))

/** For commander: an option whose values add up. */
export const repeated =
  <T>(read: (text: string) => Read<readonly T[]>) =>
  (text: string, before: readonly T[] | undefined): readonly T[] => [...(before ?? []), ...take(read(text))]

/** A whole number from `least` to `most`. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): Read<number> =>
    /^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most
      ? { ok: true, value: Number(text) }
      : { ok: false, text: `Expected a whole number from ${least} to ${most}.` }
