import { useComputed } from "@preact/signals"
import { useMemo, useRef } from "preact/hooks"
import type { DiagramCell, Inspection } from "../model/inspect/index.ts"
import { fieldOf, hoverHandlers } from "./field-target.ts"
import type { Workbench } from "./workbench.ts"

/** Rows that are drawn of a box of whole rows: it says how many bits it has, and empty rows say nothing more. */
const MOST_ROWS = 2

const BITS: readonly number[] = Array.from({ length: 32 }, (_, bit) => bit)

interface Placed {
  readonly cell: DiagramCell
  /** In rows that are drawn. */
  readonly row: number
  readonly rows: number
}

/** The cells by the rows that they begin in, with the rows of high boxes drawn together. */
const placeCells = ({ diagram }: Inspection): readonly (readonly Placed[])[] => {
  let saved = 0
  let drawn = -1
  let last = -1
  const rows: Placed[][] = []
  for (const cell of diagram.cells) {
    if (cell.row !== last) {
      last = cell.row
      drawn = cell.row - saved
      rows.push([])
    }
    const high = Math.min(cell.rows, MOST_ROWS)
    rows[rows.length - 1].push({ cell, row: drawn, rows: high })
    saved += cell.rows - high
  }
  return rows
}

interface BoxProps {
  readonly placed: Placed
  readonly bench: Workbench
  readonly first: boolean
}

/** Drawn anew where it is another box: its key says which it is. */
const Box = ({ placed: { cell, row, rows }, bench, first }: BoxProps) => {
  const { marked, selected, inspection } = bench
  const { name, class: own, text, id } = inspection.value.fields[cell.field]
  const isMarked = useComputed(() => marked.value.has(id))
  const tabIndex = useComputed(() => {
    const isLeaf = inspection.value.fields[selected.value]?.children.length === 0
    return (isLeaf ? selected.value === id && cell.labelled : first) ? 0 : -1
  })
  const edges = `${cell.begins ? "" : " goes-on"}${cell.ends ? "" : " goes-off"}`
  const small = cell.bits < 7 ? " small" : cell.bits <= 8 ? " narrow" : ""
  const value = cell.present ? (cell.bits <= 8 ? text.replace(/ \(.*\)$/, "") : text) : "missing"
  return (
    <span
      role="gridcell"
      class={`box${edges}${small}${cell.present ? "" : " missing"}`}
      data-marked={useComputed(() => (isMarked.value ? "" : undefined))}
      data-class={own}
      data-field={id}
      data-labelled={cell.labelled}
      tabIndex={tabIndex}
      aria-selected={useComputed(() => (isMarked.value ? "true" : "false"))}
      aria-label={cell.labelled ? undefined : `${name}, more of it`}
      style={{ gridRow: `${row + 1} / span ${rows}`, gridColumn: `${cell.bit + 1} / span ${cell.bits}` }}
    >
      {cell.labelled && (
        <>
          <b>{name}</b>
          <span class="hidden">: </span>
          <span class={cell.bits >= 7 ? "value" : "hidden"}>{value}</span>
          {cell.rows > MOST_ROWS && <span class="width">{cell.bits * cell.rows} bits</span>}
        </>
      )}
    </span>
  )
}

/** The packet as the RFCs draw it, 32 bits a row. */
export const DiagramView = ({ bench }: { readonly bench: Workbench }) => {
  const inspection = bench.inspection.value
  const rows = useMemo(() => placeCells(inspection), [inspection])
  const grid = useRef<HTMLDivElement>(null)
  const go = (field: number | undefined): void => {
    if (field === undefined) return
    bench.select(field)
    const box = grid.current?.querySelector(`[data-field="${field}"][data-labelled="true"]`)
    if (box instanceof HTMLElement) box.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const flat = rows.flat().filter(({ cell }) => cell.labelled)
    const at = flat.findIndex(({ cell }) => cell.field === (fieldOf(event.target) ?? -1))
    const here = flat[Math.max(0, at)]
    if (here === undefined) return
    const bit = here.cell.bit
    const over = ({ cell }: Placed): boolean => cell.bit <= bit && bit < cell.bit + cell.bits
    const to =
      event.key === "ArrowRight"
        ? flat[at + 1]
        : event.key === "ArrowLeft"
          ? flat[at - 1]
          : event.key === "ArrowDown"
            ? flat.find((one) => one.row >= here.row + here.rows && over(one))
            : event.key === "ArrowUp"
              ? flat.findLast((one) => one.row + one.rows <= here.row && over(one))
              : event.key === "Home"
                ? flat[0]
                : event.key === "End"
                  ? flat.at(-1)
                  : undefined
    if (event.key === "Enter") bench.editing.value = here.cell.field
    else if (!/^(?:Arrow|Home|End)/.test(event.key)) return
    else go(to?.cell.field)
    event.preventDefault()
  }
  return (
    <div class="diagram-body">
      <div class="bit-ruler" aria-hidden="true">
        {BITS.map((bit) => (
          <span key={bit} class={bit % 8 === 0 || bit === 31 ? "" : "minor"}>
            {bit}
          </span>
        ))}
      </div>
      <div
        ref={grid}
        class="diagram"
        role="grid"
        aria-label="Diagram, 32 bits a row"
        tabIndex={-1}
        onKeyDown={onKeyDown}
        {...hoverHandlers(bench, ({ target }) => fieldOf(target))}
        onClick={(event) => go(fieldOf(event.target))}
        onDblClick={(event) => {
          bench.editing.value = fieldOf(event.target)
        }}
      >
        {rows.map((cells) => (
          <div role="row" class="contents" key={cells[0].cell.row}>
            {cells.map((placed) => (
              <Box
                key={`${placed.cell.field} ${placed.cell.row} ${placed.cell.bit} ${placed.cell.labelled}`}
                placed={placed}
                bench={bench}
                first={placed === rows[0][0]}
              />
            ))}
          </div>
        ))}
      </div>
    </div>
  )
}
