import type { Address } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import { type Mac, parseMac } from "../mac.ts"
import { emptyNumbers, type NumberMap, numberAt, numberFrom, withNumber, withoutNumber } from "../number-map.ts"
import { isPoint, type TargetPoint } from "../point.ts"
import {
  Destination,
  PLUGIN_VERSION,
  type PluginDefinition,
  type PluginEffect,
  type PluginGiven,
  type PluginInput,
  type PluginOps,
  type PluginStart,
  type PluginStep,
} from "../provider/plugin.ts"
import {
  optionalProperty,
  type PropertyInfo,
  requiredProperty,
  stringOctets,
  stringOf,
  uintOctets,
  uintOf,
  withRange,
  withString,
} from "../provider/property.ts"
import type { FrameQuery } from "../proxy/query.ts"
import { answer, changedMacs, proxyOf } from "./files.ts"
import { type FilesTable, readFilesTable } from "./files-table.ts"
import { portmapName } from "./portmap-publish.ts"
import { SVP_PLUGIN, type SvpState } from "./svp.ts"

/** Through what hosts publish their ends: a file, an SVP server, or the flow directory. */
export type PortmapSource = "files" | "svp" | "directory"

/** What the directory said of a host, and until when that counts. */
export interface PortmapEnd {
  /** `undefined`: it has no end. */
  readonly target: TargetPoint | undefined
  /** Milliseconds. */
  readonly until: number
}

/** An instance of `portmap`: hosts are where their gateways let them be reached. */
export interface PortmapState {
  /** The overlay's id. */
  readonly vnetid: number
  /** `portmap/source`. */
  readonly source: PortmapSource
  /** `portmap/config`; `undefined`: not set. */
  readonly path: string | undefined
  /** `portmap/name`. */
  readonly name: string
  /** `portmap/lifetime`, seconds. */
  readonly lifetime: number
  /** The other properties, and what the server says. */
  readonly svp: SvpState
  /** The source that is in force; `undefined`: not started. */
  readonly running: PortmapSource | undefined
  /** What the file says. */
  readonly table: FilesTable | undefined
  /** What is added to a date of the file, in milliseconds, for an instant; `undefined`: dates count for nothing. */
  readonly shift: number | undefined
  /** The file's ends that expire, soonest first, milliseconds. */
  readonly due: readonly (readonly [at: number, mac: Mac])[]
  /** How many of them are over. */
  readonly over: number
  /** Hosts of which the directory has said something. */
  readonly ends: NumberMap<PortmapEnd>
  /** Their MACs, in the order in which that ends. */
  readonly order: NumberMap<Mac>
  /** Lookups that wait for the directory, by MAC. */
  readonly waiting: NumberMap<{ readonly lookups: readonly number[]; readonly turn: number; readonly until: number }>
  /** Their MACs, in the order in which they were asked for. */
  readonly asked: NumberMap<Mac>
  /** The next place in both orders. */
  readonly next: number
  /** The instant of the last input, milliseconds. */
  readonly now: number
}

const SOURCE = "portmap/source"
const CONFIG = "portmap/config"
const NAME = "portmap/name"
const LIFETIME = "portmap/lifetime"
/** Properties that are those of `svp`, by its names. */
const SERVED: Readonly<Record<string, string | undefined>> = {
  "portmap/host": "svp/host",
  "portmap/port": "svp/port",
  "portmap/underlay_ip": "svp/underlay_ip",
}
const SOURCES: readonly PortmapSource[] = ["files", "svp", "directory"]
const DEFAULT_NAME = "overlay"
/** Seconds: a host that has moved is found again after this. */
const DEFAULT_LIFETIME = 30
const LONGEST = 86_400
/** Milliseconds that the directory may take. */
const PATIENCE = 10_000

const svpOps = SVP_PLUGIN.ops

const create = (given: PluginGiven): Outcome<PortmapState> => {
  const svp = svpOps.create(given)
  if (given.destination !== (Destination.IP | Destination.PORT) || !svp.ok)
    return failed("ENOTSUP", "portmap has targets of an IP address and a port")
  return done({
    vnetid: given.vnetid,
    source: "files",
    path: undefined,
    name: DEFAULT_NAME,
    lifetime: DEFAULT_LIFETIME,
    svp: svp.value,
    ...IDLE,
  })
}

const IDLE = {
  running: undefined,
  table: undefined,
  shift: undefined,
  due: [],
  over: 0,
  ends: emptyNumbers<PortmapEnd>(),
  order: emptyNumbers<Mac>(),
  waiting: emptyNumbers<{ readonly lookups: readonly number[]; readonly turn: number; readonly until: number }>(),
  asked: emptyNumbers<Mac>(),
  next: 1,
  now: 0,
} as const

/** What an answer is to a lookup. */
const reply = (lookup: number, target: TargetPoint | undefined): PluginEffect => ({
  type: "query-reply",
  lookup,
  answer: answer(target),
})

const forget = (mac: Mac): PluginEffect => ({ type: "inject-varp", mac, target: undefined })

/** What a file says, read at an instant: its ends expire by the wall clock. */
const filed = (
  table: FilesTable,
  now: number,
  wall: number | undefined,
): Pick<PortmapState, "table" | "shift" | "due" | "over"> => {
  const shift = wall === undefined ? undefined : now - wall
  const due =
    shift === undefined
      ? []
      : [...table.hosts]
          .flatMap(([mac, { expires }]) => (expires === undefined ? [] : [[expires * 1000 + shift, mac] as const]))
          .sort(([one], [other]) => one - other)
  return { table, shift, due, over: 0 }
}

/** All that has ended by now: ends of the file and of the directory, and questions without an answer. */
const settle = (state: PortmapState, given: number): PluginStep<PortmapState> => {
  const now = Number.isFinite(given) ? Math.max(given, state.now) : state.now
  const effects: PluginEffect[] = []
  let { over, ends, order, waiting, asked } = state
  for (; over < state.due.length && state.due[over][0] <= now; over++) effects.push(forget(state.due[over][1]))
  for (let first = numberFrom(order); first !== undefined; first = numberFrom(order)) {
    const [turn, mac] = first
    const end = numberAt(ends, mac)
    if (end !== undefined && end.until > now) break
    order = withoutNumber(order, turn)
    ends = withoutNumber(ends, mac)
    if (end?.target !== undefined) effects.push(forget(mac))
  }
  for (let first = numberFrom(asked); first !== undefined; first = numberFrom(asked)) {
    const [turn, mac] = first
    const question = numberAt(waiting, mac)
    if (question !== undefined && question.until > now) break
    asked = withoutNumber(asked, turn)
    waiting = withoutNumber(waiting, mac)
    for (const lookup of question?.lookups ?? []) effects.push(reply(lookup, undefined))
  }
  return [{ ...state, over, ends, order, waiting, asked, now }, effects]
}

/** When something ends next. */
const wake = ({ due, over, order, ends, asked, waiting }: PortmapState): readonly PluginEffect[] => {
  const end = numberAt(ends, numberFrom(order)?.[1] ?? -1)
  const question = numberAt(waiting, numberFrom(asked)?.[1] ?? -1)
  const at = Math.min(
    due[over]?.[0] ?? Number.POSITIVE_INFINITY,
    end?.until ?? Number.POSITIVE_INFINITY,
    question?.until ?? Number.POSITIVE_INFINITY,
  )
  return Number.isFinite(at) ? [{ type: "wake", at }] : []
}

/** Where the file says that a host is now. */
const inFile = ({ table, shift, now }: PortmapState, mac: Mac): TargetPoint | undefined => {
  const { target, expires } = table?.hosts.get(mac) ?? {}
  return expires !== undefined && shift !== undefined && expires * 1000 + shift <= now ? undefined : target
}

const lookup = (state: PortmapState, number: number, query: FrameQuery): PluginStep<PortmapState> => {
  if (state.running === "svp") return served(state, svpOps.lookup?.(state.svp, number, query))
  const proxy = proxyOf(state.table, number, query)
  if (proxy !== undefined) return [state, [proxy]]
  const mac = query.destination
  if (state.running === "files") return [state, [reply(number, inFile(state, mac))]]
  const end = numberAt(state.ends, mac)
  return end === undefined ? find(state, number, mac) : [state, [reply(number, end.target)]]
}

/** Has the directory asked, once for all lookups of a MAC. */
const find = (state: PortmapState, number: number, mac: Mac): PluginStep<PortmapState> => {
  const open = numberAt(state.waiting, mac)
  if (open !== undefined)
    return [{ ...state, waiting: withNumber(state.waiting, mac, { ...open, lookups: [...open.lookups, number] }) }, []]
  const { next: turn, now } = state
  const waiting = withNumber(state.waiting, mac, { lookups: [number], turn, until: now + PATIENCE })
  const next = { ...state, waiting, asked: withNumber(state.asked, turn, mac), next: turn + 1 }
  const name = portmapName(state.name, state.vnetid, mac)
  return [next, [{ type: "outside", request: { type: "find", name } }, ...wake(next)]]
}

/** The MAC of a name that the directory was asked for. */
const macOfName = ({ name, vnetid }: PortmapState, asked: string): Mac | undefined => {
  const mac = parseMac(asked.slice(asked.lastIndexOf("/") + 1))
  return mac !== undefined && portmapName(name, vnetid, mac) === asked ? mac : undefined
}

/** What the directory says: the first end that frames can go to. What it does not know is asked for again with the next frame. */
const found = (state: PortmapState, input: Extract<PluginInput, { type: "found" }>): PluginStep<PortmapState> => {
  const mac = macOfName(state, input.name)
  const open = mac === undefined ? undefined : numberAt(state.waiting, mac)
  if (mac === undefined || open === undefined) return [state, []]
  const target = input.ends.find(isPoint)
  const answered = {
    ...state,
    waiting: withoutNumber(state.waiting, mac),
    asked: withoutNumber(state.asked, open.turn),
  }
  const replies = open.lookups.map((lookup) => reply(lookup, target))
  if (target === undefined) return [answered, replies]
  const { next } = state
  const ends = withNumber(state.ends, mac, { target, until: state.now + state.lifetime * 1000 })
  return [{ ...answered, ends, order: withNumber(state.order, next, mac), next: next + 1 }, replies]
}

/** A file that changed is read again, and hosts that have moved are forgotten; one that is bad changes nothing but what people are told. */
const changed = (state: PortmapState, input: Extract<PluginInput, { type: "file" }>): PluginStep<PortmapState> => {
  if (state.table === undefined || input.path !== state.path) return [state, []]
  const read = readFilesTable(input.text)
  if (!read.ok) return [state, [{ type: "fma-degrade", text: `${input.path}: ${read.text}` }]]
  const moved = changedMacs(state.table, read.value)
  const [next, ended] = settle({ ...state, ...filed(read.value, state.now, input.wall) }, state.now)
  return [next, [{ type: "fma-restore" }, ...moved.map(forget), ...ended]]
}

const input = (state: PortmapState, input: PluginInput): PluginStep<PortmapState> => {
  if (state.running === undefined) return [state, []]
  if (state.running === "svp") return served(state, svpOps.input?.(state.svp, input))
  const [settled, ended] = settle(state, input.now)
  const [next, effects] =
    input.type === "found"
      ? found(settled, input)
      : input.type === "file"
        ? changed(settled, input)
        : ([settled, []] as const)
  return [next, [...ended, ...effects, ...wake(next)]]
}

/** What `svp` makes of it. */
const served = (state: PortmapState, step: PluginStep<SvpState> | undefined): PluginStep<PortmapState> =>
  step === undefined ? [state, []] : [{ ...state, svp: step[0] }, step[1]]

const start = (state: PortmapState, given: PluginStart): Outcome<PluginStep<PortmapState>> => {
  const begun = { ...state, ...IDLE, running: state.source, now: given.now }
  if (state.source === "svp") {
    const step = svpOps.start(state.svp, given)
    if (step.ok) return done(served(begun, step.value))
    return step.error === "EAGAIN" ? failed("EAGAIN", `${Object.keys(SERVED).join(", ")} have to be set`) : step
  }
  if (state.path === undefined)
    return state.source === "files" ? failed("EAGAIN", `${CONFIG} is not set`) : done([begun, []])
  const text = given.files.get(state.path)
  if (text === undefined) return failed("ENOENT", `${state.path} cannot be read`)
  const table = readFilesTable(text)
  if (!table.ok) return table
  const [next, effects] = settle({ ...begun, ...filed(table.value, given.now, given.wall) }, given.now)
  return done([next, [...effects, ...wake(next)]])
}

const stop = (state: PortmapState): PluginStep<PortmapState> => {
  const [stopped, effects] = state.running === "svp" ? served(state, svpOps.stop(state.svp)) : [state, []]
  return [{ ...stopped, ...IDLE }, effects]
}

const isSource = (text: string): text is PortmapSource => SOURCES.some((one) => one === text)

const set = (state: PortmapState, name: string, octets: Uint8Array): Outcome<PortmapState> => {
  const own = SERVED[name]
  if (own !== undefined) {
    const svp = svpOps.set(state.svp, own, octets)
    return svp.ok ? done({ ...state, svp: svp.value }) : svp
  }
  if (name === LIFETIME) {
    const value = uintOf(octets)
    if (!value.ok) return value
    return isLifetime(value.value)
      ? done({ ...state, lifetime: value.value })
      : failed("EINVAL", `a lifetime is 1 to ${LONGEST} seconds`)
  }
  const text = stringOf(octets)
  if (name === CONFIG) return done({ ...state, path: text })
  if (name === NAME)
    return isName(text) ? done({ ...state, name: text }) : failed("EINVAL", "a name has 1 to 200 octets")
  return isSource(text)
    ? done({ ...state, source: text })
    : failed("EINVAL", `a source is one of ${SOURCES.join(", ")}`)
}

const isLifetime = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= LONGEST
/** With vnetid and MAC it is within the 255 octets of a name of the directory. */
const isName = (text: string): boolean => text !== "" && new TextEncoder().encode(text).length <= 200

const get = (state: PortmapState, name: string): Uint8Array => {
  const own = SERVED[name]
  if (own !== undefined) return svpOps.get(state.svp, own)
  if (name === LIFETIME) return uintOctets(state.lifetime)
  if (name === CONFIG) return state.path === undefined ? new Uint8Array(0) : stringOctets(state.path)
  return stringOctets(name === NAME ? state.name : state.source)
}

const properties = (state: PortmapState): readonly PropertyInfo[] => [
  SOURCES.reduce(withString, { ...requiredProperty(SOURCE, "string"), default: stringOctets("files") }),
  optionalProperty(CONFIG, "string"),
  { ...optionalProperty(NAME, "string"), default: stringOctets(DEFAULT_NAME) },
  { ...withRange(optionalProperty(LIFETIME, "uint"), 1, LONGEST), default: uintOctets(DEFAULT_LIFETIME) },
  // As `svp` has them, but nothing is required that another source has no use for.
  ...svpOps.properties(state.svp).flatMap((info) => {
    const name = Object.keys(SERVED).find((key) => SERVED[key] === info.name)
    return name === undefined ? [] : [{ ...info, name, required: false }]
  }),
]

const ops: PluginOps<PortmapState> = {
  create,
  files: ({ path, source }) => (path === undefined || source === "svp" ? [] : [path]),
  start,
  stop,
  lookup,
  arp: (state, request, address: Address) =>
    state.running === "svp"
      ? served(state, svpOps.arp?.(state.svp, request, address))
      : [state, [{ type: "arp-reply", request, answer: answer(state.table?.addresses.get(address)) }]],
  dhcp: (state, request, source) => [
    state,
    [{ type: "dhcp-reply", request, answer: answer(state.table?.hosts.get(source)?.dhcpProxy) }],
  ],
  input,
  properties,
  get,
  set,
  save: (state) => {
    const kept = svpOps.save(state.svp)
    const own = Object.entries(SERVED).flatMap(([name, key = ""]) =>
      kept[key] === undefined ? [] : [[name, kept[key]]],
    )
    return {
      [SOURCE]: state.source,
      ...(state.path === undefined ? {} : { [CONFIG]: state.path }),
      [NAME]: state.name,
      [LIFETIME]: state.lifetime,
      ...Object.fromEntries(own),
    }
  },
  restore: (saved, given) => {
    const made = create(given)
    if (!made.ok) return failed("EINVAL", made.text)
    const { [SOURCE]: source, [CONFIG]: path, [NAME]: name, [LIFETIME]: lifetime } = saved
    const kept = Object.entries(SERVED).flatMap(([key, own = ""]) =>
      saved[key] === undefined ? [] : [[own, saved[key]]],
    )
    const svp = svpOps.restore({ ...svpOps.save(made.value.svp), ...Object.fromEntries(kept) }, given)
    if (!svp.ok) return svp
    const isSound = typeof source === "string" && isSource(source) && typeof name === "string" && isName(name)
    if (!isSound || !isLifetime(lifetime) || typeof path === "number")
      return failed("EINVAL", "what was kept of portmap cannot be")
    return done({ ...made.value, source, path, name, lifetime, svp: svp.value })
  },
}

/**
 * The plugin `portmap`, of dynamic mode: a MAC is at the external address and port that its host has from its gateway by PCP or NAT-PMP, as
 * the host publishes it: in a file, at an SVP server, or in the flow directory. It is followed: an end that is another one, or whose
 * mapping is over, is forgotten, and the next frame has it looked up again.
 */
export const PORTMAP_PLUGIN: PluginDefinition<PortmapState> = {
  name: "portmap",
  version: PLUGIN_VERSION,
  mode: "dynamic",
  ops,
}
