import { type Address, formatMapped, isIpv4, parseAddress } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import { EtherType } from "../frame/ethernet.ts"
import { BROADCAST_MAC, isGroupMac, isIpv6GroupMac } from "../mac.ts"
import { is6to4, isCompatible, isGroup } from "../point.ts"
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
import {
  ipOctets,
  ipOf,
  type PropertyInfo,
  portOf,
  requiredProperty,
  stringOctets,
  stringOf,
  uintOctets,
  withRange,
} from "../provider/property.ts"
import type { FrameQuery } from "../proxy/query.ts"
import { SVP_PORT } from "../svp/registry.ts"
import {
  createSvpRemote,
  type SvpAnswer,
  type SvpEffect,
  type SvpInput,
  type SvpQuestion,
  type SvpRemote,
} from "../svp/remote.ts"
import { stepSvp } from "../svp/step.ts"

/** An instance of `svp`: a server says where each MAC lives. */
export interface SvpState {
  /** The overlay's id. */
  readonly vnetid: number
  /** `svp/host`; `undefined`: not set. */
  readonly host: string | undefined
  /** `svp/port`; 0: not set. */
  readonly port: number
  /** `svp/underlay_ip`; `undefined`: not set. */
  readonly underlay: Address | undefined
  /** `svp/underlay_port`; 0: not set. */
  readonly underlayPort: number
  /** The server's connections; `undefined`: not started. */
  readonly remote: SvpRemote | undefined
}

const HOST = "svp/host"
const PORT = "svp/port"
const UNDERLAY = "svp/underlay_ip"
const UNDERLAY_PORT = "svp/underlay_port"
/** The reference's default of `svp/underlay_port`. */
const DEFAULT_UNDERLAY_PORT = 1339

const portInfo = (name: string, port: number): PropertyInfo => ({
  ...withRange(requiredProperty(name, "uint"), 1, 65535),
  default: uintOctets(port),
})

const create = ({ vnetid, destination }: PluginGiven): Outcome<SvpState> =>
  destination === (Destination.IP | Destination.PORT)
    ? done({
        vnetid,
        host: undefined,
        port: SVP_PORT,
        underlay: undefined,
        underlayPort: DEFAULT_UNDERLAY_PORT,
        remote: undefined,
      })
    : failed("ENOTSUP", "svp has targets of an IP address and a port")

const checkUnderlay = (address: Address): Outcome<Address> =>
  isCompatible(address) || is6to4(address) || isGroup(address)
    ? failed("EINVAL", `${formatMapped(address)} is IPv4-compatible, of 6to4, or a group`)
    : done(address)

/** What the remote backend wants, as the plugin's own wishes. A question of ARP has an odd number of its own, a lookup an even one. */
const translate = (state: SvpState, effects: readonly SvpEffect[]): readonly PluginEffect[] =>
  effects.flatMap((effect) => wishesOf(state, effect))

const wishesOf = (state: SvpState, effect: SvpEffect): readonly PluginEffect[] => {
  switch (effect.type) {
    case "resolve":
    case "connect":
    case "send":
    case "close":
      return [{ type: "outside", request: effect }]
    case "answer":
      return answerOf(effect.query, effect.answer)
    // The log is that of the host: what another overlay of it is to know is passed on, as it is nobody else's to read again.
    case "shootdown":
      return [{ type: "inject-varp", ...overlayOf(state, effect.vnetid), mac: effect.mac, target: undefined }]
    case "moved": {
      const { vlan, mac, overlay: address } = effect
      if (!isIpv4(address)) return []
      const of = overlayOf(state, effect.vnetid)
      return [{ type: "inject-arp", ...of, vlan, mac, address, destination: BROADCAST_MAC }]
    }
    case "degrade":
      return [{ type: "fma-degrade", text: effect.text }]
    case "restore":
      return [{ type: "fma-restore" }]
    case "wake":
      return [{ type: "wake", at: effect.at }]
    case "warning":
    case "refused":
      return []
  }
}

const overlayOf = ({ vnetid: own }: SvpState, vnetid: number): { readonly vnetid?: number } =>
  vnetid === own ? {} : { vnetid }

const DROP = { kind: "drop" } as const

const answerOf = (query: number, answer: SvpAnswer): readonly PluginEffect[] => {
  if (query % 2 === 0) {
    const found: PluginAnswer<{ readonly address: Address; readonly port: number }> =
      answer.kind === "vl2" && isUsable(answer)
        ? { kind: "ok", found: { address: answer.address, port: answer.port } }
        : DROP
    return [{ type: "query-reply", lookup: query / 2, answer: found }]
  }
  const request = (query - 1) / 2
  if (answer.kind !== "vl3") return [{ type: "arp-reply", request, answer: DROP }]
  const { mac, address, port } = answer
  // First the cache, so that what is sent to the MAC next is not looked up.
  return [
    ...(isUsable(answer) ? [{ type: "inject-varp", mac, target: { address, port } } as const] : []),
    { type: "arp-reply", request, answer: { kind: "ok", found: mac } },
  ]
}

/** A server's word is no law: an answer that no frame can go to is none. */
const isUsable = ({ address, port }: { readonly address: Address; readonly port: number }): boolean =>
  port >= 1 && port <= 65535 && checkUnderlay(address).ok

const advance = (state: SvpState, input: SvpInput): PluginStep<SvpState> => {
  if (state.remote === undefined) return [state, []]
  const [remote, effects] = stepSvp(state.remote, input)
  return [{ ...state, remote }, translate(state, effects)]
}

const ask = (
  state: SvpState,
  query: number,
  question: Extract<SvpQuestion, { kind: "vl2" | "vl3" }>,
): PluginStep<SvpState> => advance(state, { type: "ask", query, question, now: state.remote?.now ?? 0 })

const lookup = (state: SvpState, number: number, query: FrameQuery): PluginStep<SvpState> => {
  const { etherType, destination } = query
  const only = (effect: PluginEffect): PluginStep<SvpState> => [state, [effect]]
  if (etherType === EtherType.ARP) return only({ type: "proxy-arp", lookup: number })
  if (isIpv6GroupMac(destination) && etherType === EtherType.IPV6) return only({ type: "proxy-ndp", lookup: number })
  if (isGroupMac(destination)) return only({ type: "query-reply", lookup: number, answer: DROP })
  return ask(state, 2 * number, { kind: "vl2", vnetid: state.vnetid, mac: destination })
}

const begin = (state: SvpState, now: number): Outcome<PluginStep<SvpState>> => {
  const { host, port, underlay, underlayPort, vnetid } = state
  if (host === undefined || port === 0 || underlay === undefined || underlayPort === 0)
    return failed("EAGAIN", `${HOST}, ${PORT}, ${UNDERLAY} and ${UNDERLAY_PORT} have to be set`)
  const seed = Uint8Array.of(...ipOctets(underlay), ...stringOctets(host))
  const remote = createSvpRemote({ host, port, underlay, seed, now })
  return done(advance({ ...state, remote }, { type: "attach", vnetid, now }))
}

const set = (state: SvpState, name: string, octets: Uint8Array): Outcome<SvpState> => {
  if (name === HOST) return done({ ...state, host: stringOf(octets) })
  if (name === UNDERLAY) {
    const given = ipOf(octets)
    const underlay = given.ok ? checkUnderlay(given.value) : given
    return underlay.ok ? done({ ...state, underlay: underlay.value }) : underlay
  }
  const port = portOf(octets)
  if (!port.ok) return port
  return done(name === PORT ? { ...state, port: port.value } : { ...state, underlayPort: port.value })
}

const get = ({ host, port, underlay, underlayPort }: SvpState, name: string): Uint8Array => {
  const none = new Uint8Array(0)
  if (name === HOST) return host === undefined ? none : stringOctets(host)
  if (name === UNDERLAY) return underlay === undefined ? none : ipOctets(underlay)
  const value = name === PORT ? port : underlayPort
  return value === 0 ? none : uintOctets(value)
}

const ops: PluginOps<SvpState> = {
  create,
  start: (state, { now }) => begin(state, now),
  stop: (state) => {
    const closed = [...(state.remote?.connections.values() ?? [])].filter(
      ({ phase }) => phase !== "initial" && phase !== "back-off",
    )
    return [
      { ...state, remote: undefined },
      closed.map(({ number }): PluginEffect => ({ type: "outside", request: { type: "close", connection: number } })),
    ]
  },
  lookup,
  arp: (state, request, address) => ask(state, 2 * request + 1, { kind: "vl3", vnetid: state.vnetid, address }),
  input: (state, input: PluginInput) =>
    input.type === "file" || input.type === "found" ? [state, []] : advance(state, input),
  properties: () => [
    requiredProperty(HOST, "string"),
    portInfo(PORT, SVP_PORT),
    requiredProperty(UNDERLAY, "ip"),
    portInfo(UNDERLAY_PORT, DEFAULT_UNDERLAY_PORT),
  ],
  get,
  set,
  save: ({ host, port, underlay, underlayPort }) => ({
    ...(host === undefined ? {} : { [HOST]: host }),
    ...(port === 0 ? {} : { [PORT]: port }),
    ...(underlay === undefined ? {} : { [UNDERLAY]: formatMapped(underlay) }),
    ...(underlayPort === 0 ? {} : { [UNDERLAY_PORT]: underlayPort }),
  }),
  restore: (saved, given) => {
    const state = create(given)
    if (!state.ok) return failed("EINVAL", state.text)
    const { [HOST]: host, [PORT]: port = 0, [UNDERLAY]: text, [UNDERLAY_PORT]: underlayPort = 0 } = saved
    const parsed = typeof text === "string" ? parseAddress(text) : undefined
    const isSound = (host === undefined || typeof host === "string") && (text === undefined || parsed !== undefined)
    if (!isSound || !isPort(port) || !isPort(underlayPort)) return failed("EINVAL", "what was kept of svp cannot be")
    return done({ ...state.value, host, port, underlay: parsed, underlayPort })
  },
}

/** 0 stands for a key that is not there: the start says EAGAIN. */
const isPort = (value: string | number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65535

/** The plugin `svp`, of dynamic mode: an SVP server says where each MAC lives, and which MAC has an address (`libvarpd_svp`). */
export const SVP_PLUGIN: PluginDefinition<SvpState> = {
  name: "svp",
  version: PLUGIN_VERSION,
  mode: "dynamic",
  ops,
}
