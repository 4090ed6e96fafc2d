import { readFileSync } from "node:fs"
import { discoverGateways, ownAddresses } from "#runtime"
import type { CgnKind, PortRange } from "../../../core/cgn/index.ts"
import { ipv4Value, isIpv4 } from "../../../core/wire/index.ts"
import { familyOf } from "../../address-text.ts"
import { isInterfaceName } from "../../linux/index.ts"
import type { ServeConfig } from "../config/schema.ts"
import type { ServeSettings } from "../config/settings.ts"
import type { Span } from "../pool.ts"
import type { Read } from "../read.ts"
import type { ServeOptions } from "../serve-options.ts"

/** What `serve` is to do with the kernel's packet filter. */
export interface KernelPlan {
  /** Interfaces that lead outside. */
  readonly outside: readonly string[]
  /** External ports of connections without a mapping. */
  readonly implicitPorts: PortRange
  /** The table stays when the server stops. */
  readonly keepRules: boolean
  /** The pool is what addresses the interfaces have: it goes with them. */
  readonly follows: boolean
}

/** Where mappings and other connections have their external ports when nobody says so: apart, and half of all to each. */
const MAPPED: PortRange = { first: 1024, last: 32767 }
const LAST_PORT = 65535

/** What the interfaces decide, before the settings are made of it. */
export interface Grounds {
  readonly outside: readonly string[]
  /** Those of them that are not there, or not yet. */
  readonly absent: readonly string[]
  /** `undefined`: somebody said what the pool is. */
  readonly external: readonly Span[] | undefined
  /** `undefined`: somebody said which ports it has. */
  readonly ports: PortRange | undefined
}

/** The kinds that the kernel does, and the family of what leads outside. */
const FAMILIES: Readonly<Partial<Record<CgnKind, 4 | 6>>> = { nat444: 4, firewall4: 4, firewall6: 6, nptv6: 6 }

/** Looks at the machine's interfaces. */
export const groundsOf = async (options: ServeOptions, config: ServeConfig): Promise<Read<Grounds>> => {
  if (process.platform !== "linux") return { ok: false, text: "option '--nftables': only Linux has nftables" }
  if (options.workers !== undefined)
    return { ok: false, text: "option '--nftables': the main thread has the kernel's table: not with '--workers'" }
  const kind = typeof config.profile === "object" ? config.profile.kind : (config.profile ?? "nat444")
  const family = FAMILIES[kind]
  if (family === undefined) {
    const text = `option '--nftables': there are tables for ${Object.keys(FAMILIES).join(", ")}: ${kind} has none`
    return { ok: false, text }
  }
  const named = options.outside ?? (await defaultInterfaces(family))
  if (named.length === 0)
    return {
      ok: false,
      text: "option '--nftables': there is no default route to tell what is outside: --outside names it",
    }
  const wrong = named.find((name) => !isInterfaceName(name))
  if (wrong !== undefined) return { ok: false, text: `option '--outside': "${wrong}" is no interface's name` }
  const absent = absentOf(named)
  const ports = options.ports === undefined && config.ports === undefined ? MAPPED : undefined
  if (kind !== "nat444" || options.external !== undefined || config.external !== undefined)
    return {
      ok: true,
      value: { outside: named, absent, external: undefined, ports: kind === "nat444" ? ports : undefined },
    }
  const external = externalOf(named)
  if (external.length > 0) return { ok: true, value: { outside: named, absent, external, ports } }
  return absent.length > 0
    ? { ok: false, text: `option '--outside': there is no interface ${absent.join(", ")}` }
    : { ok: false, text: `option '--nftables': ${named.join(", ")} has no IPv4 address: --external gives the pool` }
}

/** Those of these interfaces that are not there; none where the system does not say. */
const absentOf = (names: readonly string[]): readonly string[] => {
  try {
    const lines = readFileSync("/proc/net/dev", "utf8").split("\n")
    const there = new Set(lines.flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? []))
    return names.filter((name) => !there.has(name))
  } catch {
    return []
  }
}

const defaultInterfaces = async (family: 4 | 6): Promise<readonly string[]> => {
  const { gateways } = await discoverGateways()
  const names = gateways.flatMap(({ address, interfaceName }) =>
    interfaceName !== undefined && familyOf(address) === family ? [interfaceName] : [],
  )
  return [...new Set(names)]
}

/** The IPv4 addresses of interfaces, as a pool. */
export const externalOf = (names: readonly string[]): readonly Span[] =>
  ownAddresses().flatMap(({ address, interfaceName }) =>
    isIpv4(address) && names.includes(interfaceName) ? [{ first: ipv4Value(address), count: 1 }] : [],
  )

/** What the kernel is to do for these settings; or what of them it cannot. */
export const planKernel = (
  { implicitPorts: given, keepRules = false }: ServeOptions,
  { outside, external }: Grounds,
  { cgn, server }: ServeSettings,
): Read<KernelPlan> => {
  const refuse = (text: string): Read<KernelPlan> => ({ ok: false, text: `option '--nftables': ${text}` })
  if (server.thirdPartyIds.size > 0) return refuse("the kernel tells no hosts of the same address apart: thirdPartyIds")
  const statics = cgn.staticMappings ?? []
  if (server.profile.kind === "nat444" && (cgn.port0 || statics.some(({ internalPort }) => internalPort === 0)))
    return refuse("the kernel's NAT maps single ports: neither port0 nor static mappings of all ports")
  const implicitPorts = given ?? beside(cgn.ports)
  if (server.profile.kind !== "nat444")
    return { ok: true, value: { outside, implicitPorts, keepRules, follows: false } }
  if (overlaps(implicitPorts, cgn.ports)) {
    const [mapped, implicit] = [cgn.ports, implicitPorts].map(({ first, last }) => `${first}-${last}`)
    const text = `external ports of mappings (${mapped}) and of other connections (${implicit}) are not apart`
    return refuse(`${text}: --ports and --implicit-ports say which they are`)
  }
  const among = statics.find(({ externalPort: port }) => port >= implicitPorts.first && port <= implicitPorts.last)
  if (among !== undefined)
    return refuse(`the static mapping's port ${among.externalPort} is one of other connections: --implicit-ports`)
  return { ok: true, value: { outside, implicitPorts, keepRules, follows: external !== undefined } }
}

/** The larger part that a range leaves of the ports from 1024 up; all of them where it leaves nothing. */
const beside = ({ first, last }: PortRange): PortRange => {
  const below = { first: MAPPED.first, last: first - 1 }
  const above = { first: Math.max(MAPPED.first, last + 1), last: LAST_PORT }
  const larger = below.last - below.first > above.last - above.first ? below : above
  return larger.first <= larger.last ? larger : { first: MAPPED.first, last: LAST_PORT }
}

const overlaps = (a: PortRange, b: PortRange): boolean => a.first <= b.last && b.first <= a.last
