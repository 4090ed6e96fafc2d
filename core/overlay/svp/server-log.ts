import { sha256 } from "@noble/hashes/sha2.js"
import { type Address, putU32, u16, u32, writeAddress } from "../../wire/index.ts"
import type { Mac } from "../mac.ts"
import {
  emptyNumbers,
  type NumberMap,
  numberAt,
  numberFrom,
  numbersFrom,
  withNumber,
  withoutNumber,
} from "../number-map.ts"
import type { SvpLogRecord, Uuid } from "./message.ts"
import { SVP_RECORD_SIZES } from "./parse.ts"
import { SvpLogType } from "./registry.ts"

/** What has changed: where a MAC lives, or which MAC has an address. */
export type SvpChange =
  | { readonly kind: "vl2"; readonly vnetid: number; readonly mac: Mac }
  | { readonly kind: "vl3"; readonly vnetid: number; readonly address: Address; readonly vlan: number }

/** One line of a server's log. */
export interface SvpLogLine {
  /** What has changed. */
  readonly change: SvpChange
  /** When, milliseconds. */
  readonly at: number
}

/** An underlay address that reads the log. */
export interface SvpReader {
  /** By which its records' UUIDs name it. */
  readonly number: number
  /** Whose it is. */
  readonly address: Address
  /** The first line that it has not had removed. */
  readonly from: number
  /** Lines behind that one that it has had removed. */
  readonly removed: NumberMap<true>
  /** Its place among all readers by when they asked last. */
  readonly turn: number
}

/** A server's log, for all who read it: plain data. */
export interface SvpServerLog {
  /** By number, oldest first. */
  readonly lines: NumberMap<SvpLogLine>
  /** The next line's number. */
  readonly next: number
  /** By number. */
  readonly readers: NumberMap<SvpReader>
  /** Their numbers, by keys of their addresses that only who knows the seed can make. */
  readonly byAddress: NumberMap<number>
  /** Their numbers, by their turns: whoever asked longest ago is the first. */
  readonly byTurn: NumberMap<number>
  /** The next turn. */
  readonly nextTurn: number
  /** The next reader's number, 32 bits. */
  readonly nextReader: number
}

/** Limits of a server's log. */
export const SVP_LOG_LIMITS = {
  /** Most lines that are kept; older ones are lost to who has not read them. */
  LINES: 65_536,
  /** Most readers: the one that asked longest ago makes room. */
  READERS: 4096,
  /** How far back a reader begins that is new, milliseconds: it may have asked for hosts before it first asked for the log. */
  BACK: 60_000,
} as const

/** Without lines and readers. */
export const EMPTY_SVP_LOG: SvpServerLog = /* @__PURE__ */ (() => ({
  lines: emptyNumbers<SvpLogLine>(),
  next: 1,
  readers: emptyNumbers<SvpReader>(),
  byAddress: emptyNumbers<number>(),
  byTurn: emptyNumbers<number>(),
  nextTurn: 1,
  nextReader: 1,
}))()

/** With a line more. */
export const withLine = (log: SvpServerLog, change: SvpChange, at: number): SvpServerLog => {
  const lines = withNumber(log.lines, log.next, { change, at })
  const oldest = lines.size > SVP_LOG_LIMITS.LINES ? numberFrom(lines) : undefined
  return { ...log, lines: oldest === undefined ? lines : withoutNumber(lines, oldest[0]), next: log.next + 1 }
}

/** Octets of a UUID: reader 4 | line 6 | a tag of both that only who knows the seed can make, 6. */
const uuidOf = (seed: Uint8Array, reader: number, line: number): Uuid => {
  const named = new Uint8Array(10)
  putU32(named, 0, reader)
  putU32(named, 4, Math.floor(line / 2 ** 16))
  named[8] = line >>> 8
  named[9] = line
  const tag = sha256.create().update(seed).update(named).digest().subarray(0, 6)
  return Array.from(Uint8Array.of(...named, ...tag), (octet) => octet.toString(16).padStart(2, "0")).join("")
}

/** The first line that is no older than an instant. */
const lineSince = ({ lines, next }: SvpServerLog, instant: number): number => {
  let [low, high] = [numberFrom(lines)?.[0] ?? next, next]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((numberAt(lines, middle)?.at ?? 0) < instant) low = middle + 1
    else high = middle
  }
  return low
}

/** Where a reader is found by its address: 48 bits that nobody else can foresee. */
const keyOf = (seed: Uint8Array, address: Address): number => {
  const octets = new Uint8Array(16)
  writeAddress(octets, 0, address)
  const hash = sha256.create().update(seed).update(octets).digest()
  return u16(hash, 0) * 2 ** 32 + u32(hash, 2)
}

/** With an address among the readers, as of now. */
const withReader = (
  log: SvpServerLog,
  seed: Uint8Array,
  address: Address,
  now: number,
): readonly [SvpServerLog, SvpReader] => {
  const key = keyOf(seed, address)
  const turn = log.nextTurn
  const found = numberAt(log.readers, numberAt(log.byAddress, key) ?? 0)
  if (found?.address === address) {
    const reader = { ...found, turn }
    const byTurn = withNumber(withoutNumber(log.byTurn, found.turn), turn, reader.number)
    return [{ ...log, readers: withNumber(log.readers, reader.number, reader), byTurn, nextTurn: turn + 1 }, reader]
  }
  const { readers, byAddress, byTurn } = withRoom(log, seed)
  const from = lineSince(log, now - SVP_LOG_LIMITS.BACK)
  const reader = { number: log.nextReader, address, from, removed: emptyNumbers<true>(), turn }
  return [
    {
      ...log,
      readers: withNumber(readers, reader.number, reader),
      byAddress: withNumber(byAddress, key, reader.number),
      byTurn: withNumber(byTurn, turn, reader.number),
      nextTurn: turn + 1,
      nextReader: log.nextReader === 0xffffffff ? 1 : log.nextReader + 1,
    },
    reader,
  ]
}

/** With room for a reader more: where there is none, without the one that asked longest ago. */
const withRoom = (log: SvpServerLog, seed: Uint8Array): Pick<SvpServerLog, "readers" | "byAddress" | "byTurn"> => {
  const { readers, byAddress, byTurn } = log
  const [turn, number] = numberFrom(byTurn) ?? []
  const idlest = number === undefined ? undefined : numberAt(readers, number)
  if (turn === undefined || idlest === undefined || readers.size < SVP_LOG_LIMITS.READERS) return log
  return {
    readers: withoutNumber(readers, idlest.number),
    byAddress: withoutNumber(byAddress, keyOf(seed, idlest.address)),
    byTurn: withoutNumber(byTurn, turn),
  }
}

const recordOf = (change: SvpChange, uuid: Uuid): SvpLogRecord =>
  change.kind === "vl2"
    ? { kind: "vl2", uuid, mac: change.mac, pad: 0, vnetid: change.vnetid }
    : { kind: "vl3", uuid, address: change.address, pad: 0, vlan: change.vlan, vnetid: change.vnetid }

/** What a reader gets. */
export interface SvpReading {
  /** Oldest first. */
  readonly records: readonly SvpLogRecord[]
  /** Lines that it never read and that are no longer kept. */
  readonly lost: number
}

/** The oldest records that an address has not had removed, in so many octets. */
export const readLog = (
  log: SvpServerLog,
  seed: Uint8Array,
  address: Address,
  octets: number,
  now: number,
): readonly [SvpServerLog, SvpReading] => {
  const [after, reader] = withReader(log, seed, address, now)
  const oldest = numberFrom(after.lines)?.[0] ?? after.next
  const records: SvpLogRecord[] = []
  let room = octets
  for (const [line, { change }] of numbersFrom(after.lines, reader.from)) {
    if (numberAt(reader.removed, line) === true) continue
    room -= SVP_RECORD_SIZES[change.kind === "vl2" ? SvpLogType.VL2 : SvpLogType.VL3] ?? 0
    if (room < 0) break
    records.push(recordOf(change, uuidOf(seed, reader.number, line)))
  }
  const lost = Math.max(0, oldest - reader.from)
  if (lost === 0) return [after, { records, lost }]
  const readers = withNumber(after.readers, reader.number, { ...reader, from: oldest })
  return [
    { ...after, readers },
    { records, lost },
  ]
}

/** Without the records of these UUIDs for whom they were made; false: one of them is of no record here. */
export const removeRecords = (
  log: SvpServerLog,
  seed: Uint8Array,
  uuids: readonly Uuid[],
): readonly [SvpServerLog, boolean] => {
  let { readers } = log
  let isKnown = true
  for (const uuid of uuids) {
    const number = Number.parseInt(uuid.slice(0, 8), 16)
    const line = Number.parseInt(uuid.slice(8, 20), 16)
    const reader = numberAt(readers, number)
    if (reader === undefined || line >= log.next || uuidOf(seed, number, line) !== uuid) isKnown = false
    else readers = withNumber(readers, number, without(reader, line))
  }
  return [{ ...log, readers }, isKnown]
}

const without = (reader: SvpReader, line: number): SvpReader => {
  if (line < reader.from) return reader
  let { from } = reader
  let removed = withNumber(reader.removed, line, true as const)
  while (numberAt(removed, from) === true) {
    removed = withoutNumber(removed, from)
    from++
  }
  return { ...reader, from, removed }
}
