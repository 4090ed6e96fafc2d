import { Table } from "console-table-printer"
import type { Paint } from "./paint.ts"

const NONE = { left: "", mid: "", right: "", other: "" }
const BORDERLESS = { headerTop: NONE, headerBottom: NONE, tableBottom: NONE, vertical: "", rowSeparator: NONE }

/** An aligned table without borders. A title that begins with + is that of a column of numbers, to the right. */
export const plainTable = (titles: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string => {
  const columns = titles.map((title, i) => ({
    name: `${i}`,
    title: title.replace("+", ""),
    alignment: title.startsWith("+") ? ("right" as const) : ("left" as const),
  }))
  const table = new Table({ columns, style: BORDERLESS, shouldDisableColors: true })
  for (const row of rows) table.addRow(Object.fromEntries(row.map((text, i) => [`${i}`, text])))
  const [head, ...lines] = table
    .render()
    .split("\n")
    .map((line) => line.slice(1).trimEnd())
    .filter((line) => line !== "")
  return `${[paint.dim(head), ...lines].join("\n")}\n`
}
