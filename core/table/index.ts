import type { Shape } from "./shape.ts"

export type { FamilyShape, Shape, Sizes, WheelShape } from "./shape.ts"

/** Signatures only, for now: bodies follow. */
declare const opaque: unique symbol
export interface Version {
  readonly [opaque]: "version"
}
export interface Table {
  readonly [opaque]: "table"
}
export declare const createTable: (shape: Shape) => Version
export declare const open: (version: Version) => Table
export declare const seal: (table: Table) => Version
export declare const copy: (version: Version) => Version
export declare const historyBytes: (version: Version) => number
export declare const memoryBytes: (table: Table) => number
export declare const addRow: (table: Table, family: number) => number
export declare const dropRow: (table: Table, family: number, row: number) => void
export declare const word: (table: Table, family: number, row: number, index: number) => number
export declare const setWord: (table: Table, family: number, row: number, index: number, value: number) => void
export declare const rowCount: (table: Table, family: number) => number
/** Every row id in use is below this. */
export declare const rowLimit: (table: Table, family: number) => number
export declare const indexRow: (table: Table, family: number, row: number) => void
export declare const unindexRow: (table: Table, family: number, row: number) => void
export declare const keyOf: (table: Table, family: number) => Int32Array
export declare const find: (table: Table, family: number) => number
export declare const peek: (table: Table, sparse: number, index: number) => number
export declare const poke: (table: Table, sparse: number, index: number, value: number) => void
export declare const isTaken: (table: Table, group: number, set: number, n: number) => boolean
export declare const take: (table: Table, group: number, set: number, n: number) => void
export declare const give: (table: Table, group: number, set: number, n: number) => void
export declare const takenCount: (table: Table, group: number, set: number) => number
export declare const nextFree: (
  table: Table,
  group: number,
  set: number,
  from: number,
  first: number,
  last: number,
) => number
export declare const schedule: (table: Table, row: number, deadline: number) => void
export declare const unschedule: (table: Table, row: number) => void
export declare const popDue: (table: Table, nowSecond: number) => number
export declare const nextDue: (table: Table) => number | undefined
export declare const siphash24: (
  key: readonly [number, number, number, number],
  words: Int32Array,
  count: number,
) => number
