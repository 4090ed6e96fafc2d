import {
  addRow,
  dropRow,
  find,
  give,
  indexRow,
  isTaken,
  keyOf,
  nextFree,
  rowLimit,
  setWord,
  type Table,
  take,
  unindexRow,
  word,
} from "../table/index.ts"
import { type Address, isIpv4 } from "../wire/index.ts"
import type { BlockLayout } from "./assignment.ts"
import type { Block, Change } from "./change.ts"
import { isStatic } from "./deadline.ts"
import { holderOf, QUERY, TCP, UDP } from "./end.ts"
import { BLOCK, BLOCKS, BlockWord, FULL, GROUP, GroupWord, type Step } from "./layout.ts"
import type { Realm } from "./mapping.ts"
import { firstMarked, hashInternalEnd } from "./ports.ts"
import type { PortRange } from "./rule.ts"
import { type CgnConfig, numberOf } from "./settings.ts"
import {
  addressAt,
  findGroup,
  groupAddress,
  leaveRealm,
  openGroup,
  realmAt,
  tidyGroup,
  useRealm,
} from "./subscriber.ts"

/** Which of the sets of full addresses says of which no block is free; the others are slots'. */
export const NO_BLOCK = 6

/** Whose ports are asked for. */
export interface Host {
  readonly internal: Address
  readonly realm?: Realm | undefined
}

/** Ports of one external address, by the number of that. */
export interface Area extends PortRange {
  readonly external: number
}

const endOf = (address: number, first: number): number => (address << 16) | first

const areaOf = (table: Table, layout: BlockLayout, row: number): Area => {
  const end = word(table, BLOCK, row, BlockWord.END)
  const first = end & 0xffff
  return { external: end >>> 16, first, last: first + layout.size - 1 }
}

const findAt = (table: Table, address: number, first: number): number => {
  keyOf(table, BLOCK)[0] = endOf(address, first)
  return find(table, BLOCK)
}

/** The block that a port of an address lies in, if it is somebody's, else 0. */
export const findBlock = ({ table, config }: Step, address: number, port: number): number => {
  const { blocks } = config
  if (blocks === undefined || port < blocks.first) return 0
  return findAt(table, address, port - ((port - blocks.first) % blocks.size))
}

/** The blocks that a host has with the others of its subscriber, on addresses of the pool, the newest first. */
export const blocksOf = (step: Step, { internal, realm }: Host): readonly Area[] => {
  const { table, config } = step
  const { blocks, inPool, ports } = config
  const group = blocks === undefined ? 0 : findGroup(step, internal, realm)
  if (blocks === undefined || group === 0) return []
  const areas: Area[] = []
  for (
    let row = word(table, GROUP, group, GroupWord.BLOCKS);
    row !== 0;
    row = word(table, BLOCK, row, BlockWord.NEXT)
  ) {
    const area = areaOf(table, blocks, row)
    if (inPool[area.external] && area.last <= ports.last) areas.push(area)
  }
  return areas
}

/** Does a block belong to a host's subscriber? */
export const isBlockOf = (step: Step, row: number, { internal, realm }: Host): boolean =>
  word(step.table, BLOCK, row, BlockWord.GROUP) === findGroup(step, internal, realm)

/**
 * Gives a host's subscriber another block and puts that on the list: on this address, or where that has none left and it
 * is not `only` that one, on the next which has. `undefined`: none is free. Which of the address's blocks a keyed hash
 * says, as of ports.
 */
export const openBlock = (
  step: Step,
  { internal, realm }: Host,
  address: number,
  only: boolean,
  had: number,
  changes: Change[],
): Area | undefined => {
  const { table, config } = step
  const { blocks, addresses } = config
  if (blocks === undefined || blocks.count === 0) return undefined
  const external = nextFree(table, FULL, NO_BLOCK, address, 0, addresses.length - 1)
  if (external < 0 || (only && external !== address)) return undefined
  const whose = groupAddress(config, internal, realm)
  const start = (hashInternalEnd(config, whose, realm, had) >>> 0) % blocks.count
  const index = nextFree(table, BLOCKS, external, start, 0, blocks.count - 1)
  if (index < 0) return undefined
  const first = blocks.first + index * blocks.size
  const last = first + blocks.size - 1
  const prefixLength = prefixLengthOf(config, internal, realm)
  const opened: Change = {
    type: "block",
    internal: whose,
    prefixLength,
    realm,
    external: addresses[external],
    firstPort: first,
    lastPort: last,
  }
  changes.push(opened)
  addBlock(step, opened)
  return { external, first, last }
}

const prefixLengthOf = ({ subscriberPrefix }: CgnConfig, internal: Address, realm: Realm | undefined): number =>
  realm !== undefined ? 0 : isIpv4(internal) ? 96 + subscriberPrefix.ipv4 : subscriberPrefix.ipv6

/** Replays that a subscriber has a block; nothing if somebody has it, or no block is just there. */
export const addBlock = (step: Step, block: Block): void => {
  const { table, config } = step
  const address = config.poolIndex.get(block.external)
  const { blocks } = config
  if (address === undefined || blocks === undefined) return
  const index = (block.firstPort - blocks.first) / blocks.size
  if (!Number.isInteger(index) || index < 0 || index >= blocks.count) return
  if (block.lastPort !== block.firstPort + blocks.size - 1 || findAt(table, address, block.firstPort) !== 0) return
  const realm = useRealm(table, block.realm)
  const group = openGroup(step, block.internal, block.realm, realm)
  const row = addRow(table, BLOCK)
  setWord(table, BLOCK, row, BlockWord.GROUP, group)
  setWord(table, BLOCK, row, BlockWord.END, endOf(address, block.firstPort))
  setWord(table, BLOCK, row, BlockWord.REALM, realm)
  setWord(table, BLOCK, row, BlockWord.LENGTH, block.prefixLength)
  const next = word(table, GROUP, group, GroupWord.BLOCKS)
  setWord(table, BLOCK, row, BlockWord.NEXT, next)
  if (next !== 0) setWord(table, BLOCK, next, BlockWord.PREV, row)
  setWord(table, GROUP, group, GroupWord.BLOCKS, row)
  indexRow(table, BLOCK, row)
  if (take(table, BLOCKS, address, index) >= blocks.count) take(table, FULL, NO_BLOCK, address)
}

/** Replays that a block is nobody's any more; nothing if it is nobody's. */
export const replayBlockOver = (step: Step, block: Block): void => {
  const address = numberOf(step.config, block.external)
  const row = address === undefined ? 0 : findAt(step.table, address, block.firstPort)
  if (row !== 0) dropBlock(step, row)
}

const dropBlock = (step: Step, row: number): void => {
  const { table, config } = step
  const { blocks, inPool } = config
  const end = word(table, BLOCK, row, BlockWord.END)
  const group = word(table, BLOCK, row, BlockWord.GROUP)
  const realm = word(table, BLOCK, row, BlockWord.REALM)
  const next = word(table, BLOCK, row, BlockWord.NEXT)
  const prev = word(table, BLOCK, row, BlockWord.PREV)
  if (next !== 0) setWord(table, BLOCK, next, BlockWord.PREV, prev)
  if (prev !== 0) setWord(table, BLOCK, prev, BlockWord.NEXT, next)
  else setWord(table, GROUP, group, GroupWord.BLOCKS, next)
  unindexRow(table, BLOCK, row)
  dropRow(table, BLOCK, row)
  tidyGroup(table, group)
  leaveRealm(table, realm)
  const address = end >>> 16
  const index = blocks === undefined ? -1 : ((end & 0xffff) - blocks.first) / blocks.size
  // One of a layout that is no more has no number in this one.
  if (!Number.isInteger(index) || index < 0 || give(table, BLOCKS, address, index) < 0) return
  if (inPool[address]) give(table, FULL, NO_BLOCK, address)
}

/** A row's block of so many ports. */
const blockAsData = ({ table, config }: Step, row: number, size: number): Block => {
  const end = word(table, BLOCK, row, BlockWord.END)
  const firstPort = end & 0xffff
  return {
    internal: addressAt(table, GROUP, word(table, BLOCK, row, BlockWord.GROUP), GroupWord.ADDRESS),
    prefixLength: word(table, BLOCK, row, BlockWord.LENGTH),
    realm: realmAt(table, word(table, BLOCK, row, BlockWord.REALM)),
    external: config.addresses[end >>> 16],
    firstPort,
    lastPort: firstPort + size - 1,
  }
}

/** Takes a block of so many ports from its subscriber, and puts that on the list. */
export const closeBlock = (step: Step, row: number, size: number, changes: Change[]): void => {
  changes.push({ type: "block-over", ...blockAsData(step, row, size) })
  dropBlock(step, row)
}

/** Has the block around an external end go back if that was the last end in it, and puts that on the list. */
export const leaveBlock = (step: Step, external: Address, port: number, changes: Change[]): void => {
  const { config } = step
  const address = numberOf(config, external)
  const row = address === undefined ? 0 : findBlock(step, address, port)
  if (row !== 0) closeIfEmpty(step, row, changes)
}

export const closeIfEmpty = (step: Step, row: number, changes: Change[]): void => {
  const { blocks } = step.config
  if (blocks === undefined) return
  const area = areaOf(step.table, blocks, row)
  if ([UDP, TCP, QUERY].every((slot) => isEmpty(step, area, slot))) closeBlock(step, row, blocks.size, changes)
}

/** Is no port of these in use or held, but for the administrator's? */
const isEmpty = (step: Step, { external, first, last }: Area, slot: number): boolean => {
  const { table } = step
  for (let from = first; from <= last; ) {
    const port = firstMarked(step, external, slot, from, last)
    if (port < 0) return true
    const holder = holderOf(table, external, slot, port)
    // Without a holder it is a companion that NAT-PMP reserves.
    if (holder === 0 || !isStatic(table, holder)) return false
    from = port + 1
  }
  return true
}

/** Rows of blocks that are somebody's. */
export const blockRows = (table: Table): readonly number[] => {
  const rows: number[] = []
  const end = rowLimit(table, BLOCK)
  for (let row = 1; row < end; row++) if (word(table, BLOCK, row, BlockWord.END) !== 0) rows.push(row)
  return rows
}

/** Do a restored table's blocks lie where this layout has them, and are they the ones that are taken? */
export const isSoundBlock = ({ table, config }: Pick<Step, "table" | "config">, row: number): boolean => {
  const { blocks } = config
  const end = word(table, BLOCK, row, BlockWord.END)
  if (blocks === undefined) return false
  const index = ((end & 0xffff) - blocks.first) / blocks.size
  return Number.isInteger(index) && index >= 0 && index < blocks.count && isTaken(table, BLOCKS, end >>> 16, index)
}

/** Some blocks, rows after `after`, 0 from the start, until `limit` are found; where the next go on, `undefined` at the end. */
export const blocksFrom = (
  step: Step,
  after: number,
  limit: number,
): { readonly blocks: readonly Block[]; readonly after: number | undefined } => {
  const { table } = step
  const layout = step.config.blocks
  const blocks: Block[] = []
  const end = layout === undefined ? 0 : rowLimit(table, BLOCK)
  for (let row = after + 1; row < end && layout !== undefined; row++) {
    if (word(table, BLOCK, row, BlockWord.END) === 0) continue
    blocks.push(blockAsData(step, row, layout.size))
    if (blocks.length >= limit) return { blocks, after: row }
  }
  return { blocks, after: undefined }
}
