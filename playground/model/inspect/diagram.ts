import type { InspectedField } from "./field-list.ts"

/** One box of the diagram. A field that begins or ends inside a row has several. */
export interface DiagramCell {
  /** Id of a leaf field. */
  readonly field: number
  /** From 0; a row has 32 bits, as RFCs draw. */
  readonly row: number
  /** Rows that it is high: more than 1 for whole rows alone. */
  readonly rows: number
  /** 0 to 31, and how many. */
  readonly bit: number
  readonly bits: number
  /** Does the field begin here, and end here? The label stands in the largest cell. */
  readonly begins: boolean
  readonly ends: boolean
  readonly labelled: boolean
  /** False: these octets should be there and are not. */
  readonly present: boolean
}

export interface Diagram {
  readonly rows: number
  readonly cells: readonly DiagramCell[]
}

const ROW = 32
/** Missing octets that are drawn: a length of 65535 in a packet of 60 is no reason to draw 64 kB. */
const MOST_MISSING = 64

/** The boxes of all leaves, 32 bits a row as the RFCs draw them (RFC 6887 figures 2 to 12). */
export const drawDiagram = (fields: readonly InspectedField[]): Diagram => {
  const cells: DiagramCell[] = []
  let end = 0
  for (const field of fields) {
    if (field.children.length > 0) continue
    const { firstBit, endBit, missing } = field
    const wanted = endBit + 8 * Math.min(missing, MOST_MISSING)
    const own = [...boxes(field.id, firstBit, endBit, true), ...boxes(field.id, endBit, wanted, false)]
    if (own.length === 0) continue
    const largest = own.reduce((best, cell) => (cell.rows * cell.bits > best.rows * best.bits ? cell : best))
    own.forEach((cell, i) => {
      cells.push({ ...cell, begins: i === 0, ends: i === own.length - 1, labelled: cell === largest })
    })
    end = Math.max(end, wanted)
  }
  return { rows: Math.ceil(end / ROW), cells }
}

type Box = Omit<DiagramCell, "begins" | "ends" | "labelled">

/** A run of bits as a part of a row, whole rows together, and another part of a row. */
const boxes = (field: number, from: number, to: number, present: boolean): readonly Box[] => {
  const found: Box[] = []
  let at = from
  while (at < to) {
    const row = Math.floor(at / ROW)
    const bit = at % ROW
    const whole = bit === 0 ? Math.floor((to - at) / ROW) : 0
    const bits = whole > 0 ? ROW : Math.min(ROW - bit, to - at)
    found.push({ field, row, rows: Math.max(1, whole), bit, bits, present })
    at += whole > 0 ? whole * ROW : bits
  }
  return found
}
