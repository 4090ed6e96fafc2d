import { type FoundPacket, formatForm, type Place, type Reading, type SkipReason } from "../../core/wire/text/index.ts"

/** A packet of the input, with its place among those printed, from 1, and the form in which it was found. */
export type InputPacket = FoundPacket & { readonly number: number; readonly form: string }

/** What reading gives, one after another. `progress` is the part of the input that has been read, 0 to 1. */
export type InputItem =
  | { readonly kind: "form"; readonly text: string }
  | { readonly kind: "packet"; readonly packet: FoundPacket; readonly form: string; readonly progress: number }
  | { readonly kind: "remark"; readonly severity: "note" | "warning"; readonly text: string }
  /** The rest cannot be read. `nothing`: not even its start. */
  | { readonly kind: "failure"; readonly text: string; readonly nothing: boolean }

/** What was read, as items. */
export function* itemsOf(reading: Reading): Generator<InputItem, void, undefined> {
  if (!reading.ok) {
    yield { kind: "failure", text: `${reading.error.text}, ${placeText(reading.error.place)}`, nothing: true }
    return
  }
  const form = formatForm(reading.form)
  yield { kind: "form", text: form }
  for (const { code, severity, text, count, places } of reading.problems) {
    if (code === "file-truncated" || code === "file-corrupt") continue
    const where = places.length === 0 ? "" : `, ${placeText(places[0])}`
    const more = count > 1 ? ` (and ${count - 1} more)` : ""
    yield { kind: "remark", severity, text: `${text}${where}${more}` }
  }
  for (const packet of reading.packets) yield { kind: "packet", packet, form, progress: 1 }
  for (const { reason, count } of reading.skipped) yield skippedItem(reason, count)
  for (const { code, text, places } of reading.problems)
    if (code === "file-truncated" || code === "file-corrupt")
      yield { kind: "failure", text: places.length === 0 ? text : `${text}, ${placeText(places[0])}`, nothing: false }
}

const REASONS: Readonly<Record<SkipReason, string>> = {
  "not-ip": "not IP",
  "not-udp": "not UDP",
  "other-port": "UDP, but neither from nor to port 5350, 5351, 3359, 3435 or 4789",
  fragment: "fragments",
  truncated: "cut before the end of their headers",
  malformed: "with headers that contradict themselves",
  "link-type": "of a link type that is not read",
}

/** Says what was left out. */
export const skippedItem = (reason: SkipReason, count: number): InputItem => ({
  kind: "remark",
  severity: "note",
  text: `left out ${count === 1 ? "1 packet" : `${count} packets`}: ${REASONS[reason]}`,
})

/** `at line 3, column 7`, or `at octet 24`. */
export const placeText = ({ offset, line, column }: Place): string =>
  line === undefined ? `at octet ${offset}` : `at line ${line}, column ${column ?? 1}`
