import type { Mapping } from "../../core/cgn/index.ts"
import { formatCountdown, mappingEnds, secondsLeft, shortOrigin, shortProtocol } from "./mapping-text.ts"
import type { Paint } from "./paint.ts"
import { plainTable } from "./plain-table.ts"

/**
 * The table of mappings that `serve` prints: aligned, within 80 columns for IPv4 without remote peers. `total` may be more
 * than the mappings given; the last line then says so.
 */
export const mappingTable = (mappings: readonly Mapping[], now: number, total: number, paint: Paint): string => {
  if (mappings.length === 0) return `${paint.bold("No mappings.")}\n`
  // Only PEER mappings have a remote peer: without any, its column would only cost width.
  const peers = mappings.some(({ remote }) => remote !== undefined)
  const titles = ["KIND", "PROT", "INTERNAL", "EXTERNAL", ...(peers ? ["REMOTE"] : []), "+LEFT", "FROM"]
  const rows = mappings.map((mapping) => {
    const { internal, external, remote } = mappingEnds(mapping)
    const left = formatCountdown(secondsLeft(mapping, now))
    const ends = peers ? [internal, external, remote] : [internal, external]
    return [mapping.kind, shortProtocol(mapping.protocol), ...ends, left, shortOrigin(mapping)]
  })
  const more = total - mappings.length
  const head = paint.bold(`${total} ${total === 1 ? "mapping" : "mappings"}`)
  const rest = more > 0 ? `... and ${more} more; --json lists them all\n` : ""
  return `${head}\n${plainTable(titles, rows, paint)}${rest}`
}
