/**
 * The persistent packed table: rows, indexes, sets and a timing wheel on one memory, every state of which stays valid.
 *
 * @module
 */
export { hintOf, setHint } from "./hint.ts"
export { countKey, find, indexRow, keyOf, unindexRow } from "./key.ts"
export { hasWords, makeReader, type Reader, takeFloat, takeWord, takeWords } from "./reader.ts"
export { freeRows, type RestoreFault, restoreTable } from "./restore.ts"
export { addRow, dropRow, rowCount, rowLimit, setWord, setWords, word } from "./row.ts"
export { give, isTaken, nextFree, nextFreeInBoth, nextTaken, take, takenCount } from "./set.ts"
export type { FamilyShape, KeyShape, Shape, Sizes, Through, WheelShape } from "./shape.ts"
export { siphash24 } from "./siphash.ts"
export { saveTable } from "./snapshot.ts"
export { increment, peek, poke } from "./sparse.ts"
export { memoryBytes, type Table } from "./table.ts"
export { copy, createTable, historyBytes, open, seal, type Version } from "./version.ts"
export { nextDue, popDue, schedule, unschedule } from "./wheel.ts"
export { makeWriter, partsOf, putFloat, putWord, putWords, type Writer } from "./writer.ts"
