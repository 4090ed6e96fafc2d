import { Table } from "console-table-printer"
import type { Mapping } from "../../core/cgn/index.ts"
import { formatCountdown, mappingEnds, secondsLeft, shortOrigin, shortProtocol } from "./mapping-text.ts"
import type { Paint } from "./paint.ts"

/**
 * The table of mappings that `serve` prints: aligned, within 80 columns for IPv4 without remote peers. `total` may be more
 * than the mappings given; the last line then says so.
 */
export const mappingTable = (mappings: readonly Mapping[], now: number, total: number, paint: Paint): string => {
  if (mappings.length === 0) return `${paint.bold("No mappings.")}\n`
  // Only PEER mappings have a remote peer: without any, its column would only cost width.
  const peers = mappings.some(({ remote }) => remote !== undefined)
  const columns = COLUMNS.filter(({ name }) => name !== "remote" || peers)
  const table = new Table({ columns, style: BORDERLESS, shouldDisableColors: true })
  for (const mapping of mappings) {
    const { internal, external, remote } = mappingEnds(mapping)
    const left = formatCountdown(secondsLeft(mapping, now))
    const row = { kind: mapping.kind, protocol: shortProtocol(mapping.protocol), internal, external }
    table.addRow({ ...row, ...(peers ? { remote } : {}), left, from: shortOrigin(mapping) })
  }
  const [head, ...rows] = table
    .render()
    .split("\n")
    .map((line) => line.slice(1).trimEnd())
    .filter((line) => line !== "")
  const more = total - mappings.length
  const lines = [
    paint.bold(`${total} ${total === 1 ? "mapping" : "mappings"}`),
    paint.dim(head),
    ...rows,
    ...(more > 0 ? [`... and ${more} more; --json lists them all`] : []),
  ]
  return `${lines.join("\n")}\n`
}

const COLUMNS = [
  { name: "kind", title: "KIND", alignment: "left" },
  { name: "protocol", title: "PROT", alignment: "left" },
  { name: "internal", title: "INTERNAL", alignment: "left" },
  { name: "external", title: "EXTERNAL", alignment: "left" },
  { name: "remote", title: "REMOTE", alignment: "left" },
  { name: "left", title: "LEFT", alignment: "right" },
  { name: "from", title: "FROM", alignment: "left" },
] as const

const NONE = { left: "", mid: "", right: "", other: "" }
const BORDERLESS = { headerTop: NONE, headerBottom: NONE, tableBottom: NONE, vertical: "", rowSeparator: NONE }
