import {
  makeReader,
  makeWriter,
  open,
  partsOf,
  peek,
  putFloat,
  putWord,
  restoreTable,
  saveTable,
  type Table,
  takeFloat,
  takeWord,
  word,
} from "../../table/index.ts"
import type { AddressFamily } from "../../wire/index.ts"
import { type Exam, each, examOf, isList, isUsed, type List } from "../exam.ts"
import { NEXT_FILTER } from "../filter-list.ts"
import { LONGEST, type RestoredCgn, type RestoreTime } from "../restore.ts"
import { isFlow } from "./flow.ts"
import {
  configureFirewall,
  FILTER,
  type FirewallState,
  FLOWS,
  firewallShape,
  HOST,
  Host,
  PINHOLE,
  Pinhole,
  REMOTE,
  Remote,
} from "./layout.ts"
import { checkFirewall, type FirewallSettings } from "./settings.ts"

/** What the words of a firewall's rows mean, and of which family; no number of a NAT's. */
const layoutOf = (family: AddressFamily): number => (family === "ipv4" ? 0x10402 : 0x10602)

/**
 * A firewall as octets, in parts: 1 word that says so, with the version of its layout; its start and `now`, milliseconds on
 * one clock, as 64-bit floats; the table (see `saveTable`). It has every pinhole's nonce.
 */
export const saveFirewall = ({ version, config }: FirewallState, now: number): readonly Uint8Array[] => {
  const writer = makeWriter()
  putWord(writer, layoutOf(config.family))
  putFloat(writer, config.now)
  putFloat(writer, now)
  saveTable(version, writer)
  return partsOf(writer)
}

/**
 * The firewall that `saveFirewall` wrote, on another clock and with the settings of today: pinholes that these would not
 * grant any more stay until they end. Total: any octets give a firewall whose rows hold together, or a fault.
 */
export const restoreFirewall = (
  bytes: Uint8Array,
  settings: Omit<FirewallSettings, "now">,
  { now, elapsed }: RestoreTime,
): RestoredCgn<FirewallState> => {
  const error = checkFirewall({ ...settings, now })
  if (error !== undefined) return { ok: false, code: "settings", error }
  const reader = makeReader(bytes)
  if (takeWord(reader) !== layoutOf(settings.family)) return { ok: false, code: "layout" }
  const start = takeFloat(reader)
  const age = takeFloat(reader) - start
  if (!(age >= 0 && age + elapsed < LONGEST)) return { ok: false, code: "contents" }
  const version = restoreTable(firewallShape(settings.secret), reader)
  if (version === "shape") return { ok: false, code: "layout" }
  if (version === "contents" || reader.at !== bytes.length || !isSound(open(version)))
    return { ok: false, code: "contents" }
  return { ok: true, state: { version, config: configureFirewall({ ...settings, now: now - elapsed - age }) } }
}

const PINHOLES: List = { family: PINHOLE, next: Pinhole.NEXT, prev: Pinhole.PREV, owner: Pinhole.HOST }
const FILTERS: List = { family: FILTER, next: NEXT_FILTER }

/** Is every list whole and of its owner, and does every host count its pinholes? */
const isSound = (table: Table): boolean => {
  const exam = examOf(table, REMOTE + 1)
  const { met } = exam
  return (
    each(exam, HOST, (host) => {
      let count = 0
      const first = word(table, HOST, host, Host.PINHOLES)
      return isList(exam, PINHOLES, first, host, () => ++count > 0) && word(table, HOST, host, Host.COUNT) === count
    }) &&
    areFlows(exam) &&
    each(exam, PINHOLE, (row) => {
      if (isFlow(table, row)) return met[PINHOLE][row] === 0
      const first = word(table, PINHOLE, row, Pinhole.FILTERS)
      return met[PINHOLE][row] === 1 && isList(exam, FILTERS, first, row)
    }) &&
    each(exam, FILTER, (row) => met[FILTER][row] === 1)
  )
}

/** Is every flow of a host and a remote peer that are there, and counted with both and in all? */
const areFlows = (exam: Exam): boolean => {
  const { table } = exam
  const hosts = new Int32Array(exam.met[HOST].length)
  const remotes = new Int32Array(exam.met[REMOTE].length)
  let all = 0
  const good = each(exam, PINHOLE, (row) => {
    if (!isFlow(table, row)) return true
    const host = word(table, PINHOLE, row, Pinhole.HOST)
    const remote = word(table, PINHOLE, row, Pinhole.REMOTE)
    if (!isUsed(exam, HOST, host) || !isUsed(exam, REMOTE, remote)) return false
    hosts[host]++
    remotes[remote]++
    all++
    return [Pinhole.NEXT, Pinhole.PREV, Pinhole.FILTERS].every((at) => word(table, PINHOLE, row, at) === 0)
  })
  return (
    good &&
    peek(table, FLOWS, 0) === all &&
    each(exam, HOST, (row) => word(table, HOST, row, Host.FLOWS) === hosts[row]) &&
    each(exam, REMOTE, (row) => word(table, REMOTE, row, Remote.COUNT) === remotes[row])
  )
}
