import type { Notice } from "./gather.ts"
import { notice } from "./gather.ts"
import { isPcap, readPcap } from "./pcap.ts"
import { isPcapng, readPcapng } from "./pcapng.ts"
import type { Form, FoundPacket, Problem, ReadError, Skipped, SkipReason } from "./reading.ts"
import type { CaptureEnd, CaptureItem } from "./record.ts"

/** Is this a capture file, by its first four octets? */
export const isCapture = (bytes: Uint8Array): boolean => isPcap(bytes) || isPcapng(bytes)

/**
 * Steps through a capture file, pcap or pcapng, one record at a time: a message, or a packet that is left out with the
 * reason, or a problem, each with how far the file has been read. Any octets end in a value; a file that is no capture, or
 * whose header cannot be read, ends at once with `ok: false`.
 *
 *     const steps = readCapture(file)
 *     let step = steps.next()
 *     while (step.done !== true) { progress(step.value.end / file.length); step = steps.next() }
 *
 * `ports` are those between which UDP is kept; left out, those of PCP and NAT-PMP, 5350 and 5351.
 */
export function* readCapture(bytes: Uint8Array, ports?: ReadonlySet<number>): Generator<CaptureItem, CaptureEnd> {
  if (isPcap(bytes)) return yield* readPcap(bytes, ports)
  if (isPcapng(bytes)) return yield* readPcapng(bytes, ports)
  return { ok: false, code: "capture-header", text: "neither pcap nor pcapng by its first octets", offset: 0 }
}

/** All of a capture file at once. */
export const collectCapture = (
  bytes: Uint8Array,
  ports?: ReadonlySet<number>,
):
  | { readonly form: Form; readonly packets: FoundPacket[]; readonly skipped: Skipped[]; readonly problems: Problem[] }
  | { readonly error: ReadError } => {
  const packets: FoundPacket[] = []
  const skipped = new Map<SkipReason, { count: number; first: number }>()
  const notices: Notice[] = []
  const steps = readCapture(bytes, ports)
  let step = steps.next()
  while (step.done !== true) {
    const item = step.value
    if (item.kind === "packet") packets.push(item.packet)
    else if (item.kind === "problem") notice(notices, item.severity, item.code, item.offset, item.text)
    else {
      const known = skipped.get(item.reason)
      if (item.reason === "link-type")
        notice(notices, "warning", "link-type", item.offset, `link type ${item.linkType} is not read`)
      if (item.reason === "fragment") notice(notices, "note", "fragment", item.offset, "fragments are not put together")
      if (known === undefined) skipped.set(item.reason, { count: 1, first: item.offset })
      else known.count++
    }
    step = steps.next()
  }
  const end = step.value
  if (!end.ok) return { error: { code: end.code, text: end.text, place: { offset: end.offset } } }
  return {
    form: end.form,
    packets,
    skipped: [...skipped].map(([reason, { count, first }]) => ({ reason, count, first: { offset: first } })),
    problems: notices.map(({ offsets, ...rest }) => ({ ...rest, places: offsets.map((offset) => ({ offset })) })),
  }
}
