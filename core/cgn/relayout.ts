import { give, take, takenCount, word } from "../table/index.ts"
import type { BlockLayout } from "./assignment.ts"
import { blockRows, closeBlock, closeIfEmpty, NO_BLOCK } from "./block.ts"
import type { Change } from "./change.ts"
import { BLOCK, BLOCKS, BlockWord, FULL, type Step } from "./layout.ts"
import type { CgnConfig } from "./settings.ts"

/** Has all blocks in which no end is left go back, and puts that on the list. */
export const closeEmptyBlocks = (step: Step, changes: Change[]): void => {
  for (const row of blockRows(step.table)) closeIfEmpty(step, row, changes)
}

/** Takes all blocks from their subscribers, as these were laid out before, and puts that on the list. */
export const closeBlocks = (step: Step, { size }: BlockLayout, changes: Change[]): void => {
  for (const row of blockRows(step.table)) closeBlock(step, row, size, changes)
}

/** Do blocks lie, and belong to whom, as before? */
export const isSameLayout = (before: CgnConfig, after: CgnConfig): boolean => {
  const [a, b] = [before.blocks, after.blocks]
  if (a === undefined || b === undefined) return a === b
  const [was, is] = [before.subscriberPrefix, after.subscriberPrefix]
  return a.first === b.first && a.size === b.size && was.ipv4 === is.ipv4 && was.ipv6 === is.ipv6
}

/** Takes all blocks out of the sets of those taken: they are not as they were laid out any more. */
export const forgetBlocks = (step: Step, { first, size }: BlockLayout): void => {
  const { table } = step
  for (const row of blockRows(table)) {
    const end = word(table, BLOCK, row, BlockWord.END)
    give(table, BLOCKS, end >>> 16, ((end & 0xffff) - first) / size)
  }
}

/** Notes whether an address has a block left to give: after the pool or the layout changed. */
export const refreshBlocks = ({ table, config }: Step, address: number): void => {
  const { blocks, inPool } = config
  if (blocks === undefined) return
  const full = !inPool[address] || takenCount(table, BLOCKS, address) >= blocks.count
  if (full) take(table, FULL, NO_BLOCK, address)
  else give(table, FULL, NO_BLOCK, address)
}
