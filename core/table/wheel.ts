import { type BitTree, clearBit, ensureBits, makeBitTree, nextBit, setBit } from "./bit-tree.ts"
import { type Extent, makeExtent, read, write } from "./memory.ts"
import type { WheelShape } from "./shape.ts"
import type { Table } from "./table.ts"

/**
 * A timing wheel (G. Varghese, T. Lauck, SOSP 1987) with a slot a second: rows linked both ways through three of their
 * words, a head a slot, and a tree of bits that says which slots have rows. It is lazy: a row whose deadline moves away stays
 * where it is, comes up early and is scheduled again, so a renewal costs nothing here.
 *
 * All linked rows lie in the seconds [cursor, cursor + slots), so a slot stands for one second. Deadlines beyond are
 * parked in the last. Seconds are 0 to 2^32 - 1.
 */
export interface Wheel {
  readonly shape: WheelShape
  readonly slotMask: number
  /** A head row a slot, then the tree of bits. */
  readonly slots: Extent
  readonly occupied: BitTree
  /** Where the table's header has the cursor. */
  readonly cursorAt: number
}

/** The deadline that never comes. */
const NEVER = 0xffffffff

export const makeWheel = (shape: WheelShape, slots: number, cursorAt: number): Wheel => ({
  shape,
  slotMask: slots - 1,
  slots: makeExtent(),
  occupied: makeBitTree(slots, slots),
  cursorAt,
})

const get = (table: Table, wheel: Wheel, row: number, field: number): number => {
  const { rows, widthBits } = table.families[wheel.shape.family]
  return read(table, rows, (row << widthBits) | field)
}

const set = (table: Table, wheel: Wheel, row: number, field: number, value: number): void => {
  const { rows, widthBits } = table.families[wheel.shape.family]
  write(table, rows, (row << widthBits) | field, value)
}

const cursorOf = (table: Table, wheel: Wheel): number => read(table, table.header, wheel.cursorAt) >>> 0

const link = (table: Table, wheel: Wheel, row: number, slot: number): void => {
  const { next, prev, slot: slotWord } = wheel.shape
  ensureBits(table, wheel.slots, wheel.occupied)
  const head = read(table, wheel.slots, slot)
  if (head === 0) setBit(table, wheel.slots, wheel.occupied, slot)
  else set(table, wheel, head, prev, row)
  set(table, wheel, row, next, head)
  set(table, wheel, row, slotWord, slot + 1)
  write(table, wheel.slots, slot, row)
}

const unlink = (table: Table, wheel: Wheel, row: number): void => {
  const { next, prev, slot: slotWord } = wheel.shape
  const slot = get(table, wheel, row, slotWord) - 1
  const after = get(table, wheel, row, next)
  const before = get(table, wheel, row, prev)
  if (after !== 0) set(table, wheel, after, prev, before)
  if (before !== 0) {
    set(table, wheel, before, next, after)
  } else {
    write(table, wheel.slots, slot, after)
    if (after === 0) clearBit(table, wheel.slots, wheel.occupied, slot)
  }
  set(table, wheel, row, next, 0)
  set(table, wheel, row, prev, 0)
  set(table, wheel, row, slotWord, 0)
}

/** First slot with rows from `from` on, round the wheel, or -1. */
const firstSlot = (table: Table, wheel: Wheel, from: number): number => {
  if (wheel.slots.reach === 0) return -1
  const slot = nextBit(table, wheel.slots, wheel.occupied, from)
  return slot !== -1 ? slot : nextBit(table, wheel.slots, wheel.occupied, 0)
}

/**
 * Makes a row of the wheel's family come up at `deadline` (seconds; 0xffffffff: never) or earlier. Relinks only if the
 * row is linked for a later second, so one whose deadline moved away comes up early: schedule it again then.
 */
export const schedule = (table: Table, row: number, deadline: number): void => {
  const { wheel } = table
  if (wheel === undefined) return
  if (deadline === NEVER) {
    unschedule(table, row)
    return
  }
  const cursor = cursorOf(table, wheel)
  const ahead = Math.min(Math.max(deadline - cursor, 0), wheel.slotMask)
  const linked = get(table, wheel, row, wheel.shape.slot)
  if (linked !== 0) {
    if (((linked - 1 - cursor) & wheel.slotMask) <= ahead) return
    unlink(table, wheel, row)
  }
  link(table, wheel, row, (cursor + ahead) & wheel.slotMask)
}

/** Takes a row off the wheel; nothing if it is not on it. */
export const unschedule = (table: Table, row: number): void => {
  const { wheel } = table
  if (wheel !== undefined && get(table, wheel, row, wheel.shape.slot) !== 0) unlink(table, wheel, row)
}

/** For a row that is being dropped. */
export const leaveWheel = (table: Table, family: number, row: number): void => {
  if (table.wheel !== undefined && table.wheel.shape.family === family) unschedule(table, row)
}

/**
 * Takes one row due at or before `nowSecond` off the wheel and returns it, earlier seconds first, or 0 when none is left.
 * The caller expires it or, if its deadline is later, schedules it again. Advances the cursor, never past `nowSecond`.
 */
export const popDue = (table: Table, nowSecond: number): number => {
  const { wheel } = table
  if (wheel === undefined) return 0
  let cursor = cursorOf(table, wheel)
  // After more than a turn all rows are due whatever their slot; from here on, rows scheduled again are parked from now on.
  if (nowSecond - cursor > wheel.slotMask) {
    cursor = nowSecond - wheel.slotMask
    write(table, table.header, wheel.cursorAt, cursor)
  }
  const slot = firstSlot(table, wheel, cursor & wheel.slotMask)
  const second = slot === -1 ? Infinity : cursor + ((slot - cursor) & wheel.slotMask)
  write(table, table.header, wheel.cursorAt, Math.max(cursor, Math.min(second, nowSecond)))
  if (second > nowSecond) return 0
  const row = read(table, wheel.slots, slot)
  unlink(table, wheel, row)
  return row
}

/** The second of the first slot that has rows, at or after the cursor; undefined when none has: when to call `popDue`. */
export const nextDue = (table: Table): number | undefined => {
  const { wheel } = table
  if (wheel === undefined) return undefined
  const cursor = cursorOf(table, wheel)
  const slot = firstSlot(table, wheel, cursor & wheel.slotMask)
  return slot === -1 ? undefined : cursor + ((slot - cursor) & wheel.slotMask)
}
