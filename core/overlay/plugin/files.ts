import type { Address } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import { EtherType } from "../frame/ethernet.ts"
import { BROADCAST_MAC, isIpv6GroupMac, type Mac } from "../mac.ts"
import type { TargetPoint } from "../point.ts"
import {
  Destination,
  PLUGIN_VERSION,
  type PluginAnswer,
  type PluginDefinition,
  type PluginEffect,
  type PluginGiven,
  type PluginInput,
  type PluginOps,
  type PluginStep,
} from "../provider/plugin.ts"
import { requiredProperty, stringOctets, stringOf } from "../provider/property.ts"
import type { FrameQuery } from "../proxy/query.ts"
import { type FilesTable, readFilesTable } from "./files-table.ts"

/** An instance of `files`: a file says where each MAC lives. */
export interface FilesState {
  /** `files/config`: the file's path. */
  readonly path: string | undefined
  /** What it says; `undefined`: not started. */
  readonly table: FilesTable | undefined
  /** `files/vaf_nmisses`: lookups that had no answer. */
  readonly misses: number
  /** `files/vaf_narp`: ARP requests and neighbour solicitations that had one. */
  readonly arps: number
}

const CONFIG = "files/config"
const MISSES = "files/vaf_nmisses"
const ARPS = "files/vaf_narp"
const SERVED = Destination.IP | Destination.PORT

const create = ({ destination }: PluginGiven): Outcome<FilesState> =>
  destination !== 0 && (destination & ~SERVED) === 0
    ? done({ path: undefined, table: undefined, misses: 0, arps: 0 })
    : failed("ENOTSUP", "files has targets of an IP address, a port, or both")

/** What was found, or that nothing was. */
export const answer = <T>(found: T | undefined): PluginAnswer<T> =>
  found === undefined ? { kind: "drop" } : { kind: "ok", found }

/** Which proxy a frame is for, by what a table says; `undefined`: none, its destination is looked up. */
export const proxyOf = (
  table: FilesTable | undefined,
  lookup: number,
  { etherType, destination, source }: FrameQuery,
): PluginEffect | undefined => {
  if (etherType === EtherType.ARP) return { type: "proxy-arp", lookup }
  if (etherType === EtherType.IPV6 && isIpv6GroupMac(destination)) return { type: "proxy-ndp", lookup }
  if (etherType !== EtherType.IPV4 || destination !== BROADCAST_MAC) return undefined
  return table?.hosts.get(source)?.dhcpProxy === undefined
    ? { type: "query-reply", lookup, answer: { kind: "drop" } }
    : { type: "proxy-dhcp", lookup }
}

const effectOf = ({ table }: FilesState, lookup: number, query: FrameQuery): PluginEffect =>
  proxyOf(table, lookup, query) ?? {
    type: "query-reply",
    lookup,
    answer: answer(table?.hosts.get(query.destination)?.target),
  }

const isMiss = (effect: PluginEffect): boolean => effect.type === "query-reply" && effect.answer.kind === "drop"

const lookup = (state: FilesState, number: number, query: FrameQuery): PluginStep<FilesState> => {
  const effect = effectOf(state, number, query)
  // The reference keeps both counters and never counts.
  return [isMiss(effect) ? { ...state, misses: state.misses + 1 } : state, [effect]]
}

const arp = (state: FilesState, request: number, address: Address): PluginStep<FilesState> => {
  const found = state.table?.addresses.get(address)
  const next = found === undefined ? state : { ...state, arps: state.arps + 1 }
  return [next, [{ type: "arp-reply", request, answer: answer(found) }]]
}

const dhcp = (state: FilesState, request: number, source: Mac): PluginStep<FilesState> => [
  state,
  [{ type: "dhcp-reply", request, answer: answer(state.table?.hosts.get(source)?.dhcpProxy) }],
]

/** A file that changed is read again; one that is bad changes nothing but what people are told. The reference reads at its start alone. */
const input = (state: FilesState, input: PluginInput): PluginStep<FilesState> => {
  if (input.type !== "file" || input.path !== state.path || state.table === undefined) return [state, []]
  const table = readFilesTable(input.text)
  if (!table.ok) return [state, [{ type: "fma-degrade", text: `${input.path}: ${table.text}` }]]
  const moved = changedMacs(state.table, table.value)
  return [
    { ...state, table: table.value },
    [{ type: "fma-restore" }, ...moved.map((mac): PluginEffect => ({ type: "inject-varp", mac, target: undefined }))],
  ]
}

/** The MACs of a table that live elsewhere in the next one, or nowhere. */
export const changedMacs = (before: FilesTable, after: FilesTable): readonly Mac[] =>
  [...before.hosts].flatMap(([mac, { target }]) => (isSame(target, after.hosts.get(mac)?.target) ? [] : [mac]))

const isSame = (one: TargetPoint | undefined, other: TargetPoint | undefined): boolean =>
  one?.address === other?.address && one?.port === other?.port

const ops: PluginOps<FilesState> = {
  create,
  files: ({ path }) => (path === undefined ? [] : [path]),
  start: (state, { files }) => {
    if (state.path === undefined) return failed("EAGAIN", `${CONFIG} is not set`)
    const text = files.get(state.path)
    if (text === undefined) return failed("ENOENT", `${state.path} cannot be read`)
    const table = readFilesTable(text)
    return table.ok ? done([{ ...state, table: table.value }, []]) : table
  },
  stop: (state) => [{ ...state, table: undefined }, []],
  lookup,
  arp,
  dhcp,
  input,
  properties: () => [requiredProperty(CONFIG, "string")],
  get: ({ path }) => (path === undefined ? new Uint8Array(0) : stringOctets(path)),
  set: (state, _, octets) => done({ ...state, path: stringOf(octets) }),
  save: ({ path, misses, arps }) => (path === undefined ? {} : { [CONFIG]: path, [MISSES]: misses, [ARPS]: arps }),
  restore: (saved, given) => {
    const state = create(given)
    if (!state.ok) return failed("EINVAL", state.text)
    const { [CONFIG]: path, [MISSES]: misses, [ARPS]: arps } = saved
    if (path === undefined) return state
    return typeof path === "string" && isCount(misses) && isCount(arps)
      ? done({ ...state.value, path, misses, arps })
      : failed("EINVAL", "a path without its counters")
  },
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0

/** The plugin `files`, of dynamic mode: a JSON file says where each MAC lives, and answers ARP, neighbour discovery and DHCP (`libvarpd_files`). */
export const FILES_PLUGIN: PluginDefinition<FilesState> = {
  name: "files",
  version: PLUGIN_VERSION,
  mode: "dynamic",
  ops,
}
