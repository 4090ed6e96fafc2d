import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { setOctet } from "../model/edit/index.ts"
import { MOST_OCTETS, type Octet } from "../model/inspect/index.ts"
import { hoverHandlers } from "./field-target.ts"
import type { Workbench } from "./workbench.ts"

const WIDTH = 16

interface OctetProps {
  readonly octet: Octet
  readonly offset: number
  readonly bench: Workbench
  readonly at: ReadonlySignal<number>
  readonly found: boolean
}

const OctetCell = ({ octet, offset, bench, at, found }: OctetProps) => {
  const { marked, inspection } = bench
  const { fields } = inspection.value
  const [first] = octet.parts
  const isMarked = useComputed(
    () => inspection.value.octets[offset]?.parts.some(({ field }) => marked.value.has(field)) ?? false,
  )
  const tabIndex = useComputed(() => (at.value === offset ? 0 : -1))
  const own = fields[first?.field ?? 0]
  const names = octet.parts.map(({ field }) => fields[field].name).join(", ")
  return (
    <span
      role="gridcell"
      class={found ? "octet found" : "octet"}
      data-marked={useComputed(() => (isMarked.value ? "" : undefined))}
      data-class={own.class}
      data-offset={offset}
      tabIndex={tabIndex}
      aria-selected={useComputed(() => (isMarked.value ? "true" : "false"))}
      aria-label={`${octet.hex}, octet ${offset}, ${names}`}
    >
      {octet.hex}
      <span class="parts">
        {octet.parts.map(({ field, bits, bit }) => (
          <PartBar key={`${field} ${bit}`} field={field} bits={bits} of={fields[field].class} marked={marked} />
        ))}
      </span>
    </span>
  )
}

interface PartProps {
  readonly field: number
  readonly bits: number
  readonly of: string
  readonly marked: ReadonlySignal<ReadonlySet<number>>
}

/** A field's share of an octet, as wide as it has bits. */
const PartBar = ({ field, bits, of, marked }: PartProps) => (
  <i
    class="part"
    data-marked={useComputed(() => (marked.value.has(field) ? "" : undefined))}
    data-class={of}
    data-field={field}
    style={{ flexGrow: bits }}
  />
)

/** All octets, sixteen a row, each under its field's colour. Typing two hex digits overtypes the octet that has the focus. */
export const BytesView = ({ bench }: { readonly bench: Workbench }) => {
  const inspection = bench.inspection.value
  const { octets, fields, findings } = inspection
  const cursor = useSignal(0)
  const nibble = useSignal("")
  const grid = useRef<HTMLDivElement>(null)
  const at = useComputed(() => Math.min(cursor.value, Math.max(0, bench.inspection.value.octets.length - 1)))

  useEffect(
    () =>
      bench.selected.subscribe((id) => {
        const field = bench.inspection.value.fields[id]
        const inside = field.offset <= cursor.peek() && cursor.peek() < field.offset + field.length
        if (field.length > 0 && !inside) cursor.value = field.offset
      }),
    [bench, cursor],
  )

  const offsetOf = (target: EventTarget | null): number | undefined => {
    const cell = target instanceof Element ? target.closest("[data-offset]") : null
    return cell instanceof HTMLElement ? Number(cell.dataset.offset) : undefined
  }
  /** The part under the pointer where an octet has several, and else the octet's first. */
  const fieldOf = (target: EventTarget | null, x: number): number | undefined => {
    const offset = offsetOf(target)
    const parts = offset === undefined ? undefined : octets[offset]?.parts
    if (parts === undefined || parts.length < 2 || !(target instanceof Element)) return parts?.[0]?.field
    const box = target.closest("[data-offset]")?.getBoundingClientRect()
    if (box === undefined) return parts[0].field
    const bit = Math.max(0, Math.min(7, Math.floor((8 * (x - box.left)) / box.width)))
    return parts.find((part) => part.bit <= bit && bit < part.bit + part.bits)?.field
  }
  const moveTo = (offset: number, field?: number): void => {
    const to = Math.max(0, Math.min(octets.length - 1, offset))
    nibble.value = ""
    cursor.value = to
    const own = field ?? octets[to]?.parts[0]?.field
    if (own !== undefined) bench.select(own)
    const cell = grid.current?.querySelector(`[data-offset="${to}"]`)
    if (cell instanceof HTMLElement) cell.focus()
  }
  const overtype = (digit: string): void => {
    const typed = nibble.value + digit
    if (typed.length < 2) {
      nibble.value = typed
      bench.said.value = `${typed}_ at octet ${cursor.value}`
      return
    }
    const offset = cursor.value
    bench.edit(setOctet(bench.packet.value.bytes, offset, Number.parseInt(typed, 16)), `octet ${offset} is ${typed}`)
    moveTo(offset + 1)
  }
  const STEPS: Readonly<Record<string, (offset: number) => number>> = {
    ArrowRight: (offset) => offset + 1,
    ArrowLeft: (offset) => offset - 1,
    ArrowDown: (offset) => (offset + WIDTH < octets.length ? offset + WIDTH : offset),
    ArrowUp: (offset) => (offset >= WIDTH ? offset - WIDTH : offset),
    Home: (offset) => offset - (offset % WIDTH),
    End: (offset) => offset - (offset % WIDTH) + WIDTH - 1,
    PageUp: () => 0,
    PageDown: () => octets.length - 1,
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const step = STEPS[event.key]
    if (step !== undefined) moveTo(step(cursor.value))
    else if (/^[\da-f]$/i.test(event.key)) overtype(event.key.toLowerCase())
    else if (event.key === "Escape") nibble.value = ""
    else if (event.key === "Enter") bench.editing.value = bench.selected.value
    else return
    event.preventDefault()
  }
  const spoken = new Set(findings.flatMap(({ field }) => (field > 0 ? [field] : [])))
  const isFound = ({ parts }: Octet): boolean => parts.some(({ field }) => spoken.has(field))
  const cells = octets.map((octet, offset) => ({ octet, offset }))
  const rows = Array.from({ length: Math.ceil(octets.length / WIDTH) }, (_, row) => row)
  return (
    <section class="pane bytes" aria-labelledby="bytes-title">
      <h2 id="bytes-title">bytes</h2>
      {octets.length === 0 ? (
        <p class="empty">There are no octets. Paste some, or build a packet.</p>
      ) : (
        <div
          ref={grid}
          class="octets"
          role="grid"
          aria-label={`Octets of ${fields[0].text}`}
          tabIndex={-1}
          onKeyDown={onKeyDown}
          {...hoverHandlers(bench, ({ target, clientX }) => fieldOf(target, clientX))}
          onClick={(event) => {
            const offset = offsetOf(event.target)
            if (offset !== undefined) moveTo(offset, fieldOf(event.target, event.clientX))
          }}
        >
          {rows.map((row) => (
            <div class="octet-row" role="row" key={row}>
              <span class="offset" role="rowheader" tabIndex={-1}>
                {(row * WIDTH).toString(16).padStart(4, "0")}
              </span>
              {cells.slice(row * WIDTH, (row + 1) * WIDTH).map(({ octet, offset }) => (
                <OctetCell key={offset} octet={octet} offset={offset} bench={bench} at={at} found={isFound(octet)} />
              ))}
              <span class="characters" aria-hidden="true">
                {octets
                  .slice(row * WIDTH, (row + 1) * WIDTH)
                  .map(({ character }) => character)
                  .join("")}
              </span>
            </div>
          ))}
        </div>
      )}
      {inspection.cut > 0 && (
        <p class="empty">
          {inspection.cut} octets more are not shown: the first {MOST_OCTETS} are looked at.
        </p>
      )}
    </section>
  )
}
