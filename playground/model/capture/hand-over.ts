import type { Opened } from "../open/index.ts"
import type { EpochPoint, EpochSeries } from "./epoch.ts"
import type { Exchange } from "./exchange.ts"
import type { OpenedCapture } from "./open-capture.ts"
import type { Row } from "./row.ts"

/**
 * A part of an opened capture: plain data, so little of it that whoever takes it over is not held up. The octets of a part's packets lie
 * together in one buffer of their own: to post a view of a file's buffer would be to copy the file, each time.
 */
export type CapturePart =
  | { readonly kind: "rows"; readonly rows: readonly Row[]; readonly octets: Uint8Array<ArrayBuffer> }
  | { readonly kind: "exchanges"; readonly exchanges: readonly Exchange[] }
  | { readonly kind: "series"; readonly series: Omit<EpochSeries, "points"> }
  /** Of the last series. */
  | { readonly kind: "points"; readonly points: readonly EpochPoint[] }
  /** The last part. */
  | { readonly kind: "end"; readonly opened: Omit<Opened, "packets"> }

/** Rows, exchanges and points of a part. */
const SIZE = 500

/** The parts of an opened capture, in the order in which {@link collectParts} takes them. */
export function* partsOf({ opened, capture }: OpenedCapture, size = SIZE): Generator<CapturePart, void> {
  for (const rows of slices(capture.rows, size)) yield packed(rows)
  for (const exchanges of slices(capture.exchanges, size)) yield { kind: "exchanges", exchanges }
  for (const { points, ...series } of capture.epochs) {
    yield { kind: "series", series }
    for (const some of slices(points, size)) yield { kind: "points", points: some }
  }
  const { packets: _, ...rest } = opened
  yield { kind: "end", opened: rest }
}

/** Puts parts together again; gives the whole with the last of them. */
export const collectParts = (): ((part: CapturePart) => OpenedCapture | undefined) => {
  const rows: Row[] = []
  const exchanges: Exchange[] = []
  const epochs: (Omit<EpochSeries, "points"> & { readonly points: EpochPoint[] })[] = []
  return (part) => {
    switch (part.kind) {
      case "rows":
        for (const row of part.rows) rows.push(row)
        return undefined
      case "exchanges":
        for (const exchange of part.exchanges) exchanges.push(exchange)
        return undefined
      case "series":
        epochs.push({ ...part.series, points: [] })
        return undefined
      case "points":
        for (const point of part.points) epochs.at(-1)?.points.push(point)
        return undefined
      case "end":
        return {
          opened: { ...part.opened, packets: rows.map(({ packet }) => packet) },
          capture: { rows, exchanges, epochs },
        }
    }
  }
}

function* slices<T>(list: readonly T[], size: number): Generator<readonly T[], void> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size)
}

const packed = (rows: readonly Row[]): CapturePart => {
  const octets = new Uint8Array(rows.reduce((sum, { packet }) => sum + packet.bytes.length, 0))
  let at = 0
  const moved = rows.map((row) => {
    const bytes = octets.subarray(at, at + row.packet.bytes.length)
    bytes.set(row.packet.bytes)
    at += bytes.length
    return { ...row, packet: { ...row.packet, bytes } }
  })
  return { kind: "rows", rows: moved, octets }
}
