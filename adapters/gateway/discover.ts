import { isIpv4 } from "../../core/wire/index.ts"
import { type Gateway, inOrder } from "./gateway.ts"
import { NETSTAT, parseNetstat } from "./netstat.ts"
import { POWERSHELL, parsePowershell } from "./powershell.ts"
import { parseProcNetIpv6Route } from "./proc-net-ipv6-route.ts"
import { parseProcNetRoute } from "./proc-net-route.ts"
import { parseRouteGet, ROUTE_GET } from "./route-get.ts"
import { parseRoutePrint, ROUTE_PRINT } from "./route-print.ts"

/** Where a system tells its routes. */
export type GatewaySource =
  | "proc-net-route"
  | "proc-net-ipv6-route"
  | "netstat"
  | "route-get"
  | "route-get-inet6"
  | "powershell"
  | "route-print"

/** Programs that tell routes; where each of them is, the runtime's adapter knows. */
export type GatewayProgram = "netstat" | "route" | "powershell"

/** What came of reading a file or of running a program. Neither rejects. */
export type Output =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: FailureReason; readonly text: string }

/** Why a file or a program told nothing, for programs. */
export type FailureReason =
  | "absent" // there is no such file or program
  | "refused" // this user may not
  | "exit" // the program ended with a code that isn't 0, or by a signal
  | "timeout"
  | "aborted"
  | "other"

/** What discovery needs of a runtime: a short adapter, as `adapters/node/gateway.ts` and its like are. */
export interface GatewaySystem {
  /** As Node's `process.platform` has it: `linux`, `darwin`, `win32`, `freebsd`, … */
  readonly platform: string
  /** The order of octets in a word of this machine. */
  readonly endian: "little" | "big"
  /** A file as text. Never rejects. */
  read(path: string, signal: AbortSignal | undefined): Promise<Output>
  /** A program's standard output as text. Never rejects. */
  run(program: GatewayProgram, args: readonly string[], signal: AbortSignal | undefined): Promise<Output>
}

/** One source that was asked. */
export type Trial =
  /** It was read, and has so many default routes with a gateway. */
  | { readonly source: GatewaySource; readonly outcome: "read"; readonly found: number }
  /** `text` is one line for people, in the system's words. */
  | {
      readonly source: GatewaySource
      readonly outcome: "failed"
      readonly reason: FailureReason
      readonly text: string
    }

/** Why there are no gateways. */
export type NoGateways =
  | "no-default-route" // what could be read has none that leads to a gateway
  | "unreadable" // every source failed: the trials say why
  | "unsupported" // no source is known for this platform
  | "aborted"

/** The same, for people. */
export const NO_GATEWAYS: Readonly<Record<NoGateways, string>> = {
  "no-default-route": "this host has no default route to a gateway",
  unreadable: "the system does not say what its routes are",
  unsupported: "how to ask this system for its routes is not known here",
  aborted: "the search was ended",
}

/** The default gateways that were found, and how. */
export interface Discovery {
  /** IPv4 first, then by metric: of each family the first is the one that the system likes best. */
  readonly gateways: readonly Gateway[]
  /** What was asked, in order. */
  readonly trials: readonly Trial[]
  /** `undefined` when there are some. */
  readonly none: NoGateways | undefined
}

/** One way to ask. `wanted` is false where what was found so far is enough. */
interface Step {
  readonly source: GatewaySource
  readonly wanted: (found: readonly Gateway[]) => boolean
  readonly ask: (system: GatewaySystem, signal: AbortSignal | undefined) => Promise<Output>
  readonly parse: (text: string, system: GatewaySystem) => readonly Gateway[]
}

const always = (): boolean => true
const noneYet = (found: readonly Gateway[]): boolean => found.length === 0
const noneOf =
  (family: 4 | 6) =>
  (found: readonly Gateway[]): boolean =>
    !found.some(({ address }) => isIpv4(address) === (family === 4))

const LINUX: readonly Step[] = [
  {
    source: "proc-net-route",
    wanted: always,
    ask: (system, signal) => system.read("/proc/net/route", signal),
    parse: (text, { endian }) => parseProcNetRoute(text, endian),
  },
  {
    source: "proc-net-ipv6-route",
    wanted: always,
    ask: (system, signal) => system.read("/proc/net/ipv6_route", signal),
    parse: parseProcNetIpv6Route,
  },
]

const BSD: readonly Step[] = [
  {
    source: "netstat",
    wanted: always,
    ask: (system, signal) => system.run("netstat", NETSTAT, signal),
    parse: parseNetstat,
  },
  {
    source: "route-get",
    wanted: noneOf(4),
    ask: (system, signal) => system.run("route", ROUTE_GET[4], signal),
    parse: parseRouteGet,
  },
  {
    source: "route-get-inet6",
    wanted: noneOf(6),
    ask: (system, signal) => system.run("route", ROUTE_GET[6], signal),
    parse: parseRouteGet,
  },
]

const WINDOWS: readonly Step[] = [
  {
    source: "powershell",
    wanted: always,
    ask: (system, signal) => system.run("powershell", POWERSHELL, signal),
    parse: parsePowershell,
  },
  {
    source: "route-print",
    wanted: noneYet,
    ask: (system, signal) => system.run("route", ROUTE_PRINT, signal),
    parse: parseRoutePrint,
  },
]

const STEPS: ReadonlyMap<string, readonly Step[]> = new Map([
  ["linux", LINUX],
  ["android", LINUX],
  ["darwin", BSD],
  ["freebsd", BSD],
  ["openbsd", BSD],
  ["netbsd", BSD],
  ["win32", WINDOWS],
])

/** The default gateways of a host, from the first of its sources that know; never rejects. */
export const discoverGatewaysOf = async (system: GatewaySystem, signal?: AbortSignal): Promise<Discovery> => {
  const steps = STEPS.get(system.platform) ?? []
  const trials: Trial[] = []
  let found: readonly Gateway[] = []
  for (const { source, wanted, ask, parse } of steps) {
    if (signal?.aborted) break
    if (!wanted(found)) continue
    const output = await ask(system, signal)
    if (output.ok) {
      const more = parse(output.text, system)
      trials.push({ source, outcome: "read", found: more.length })
      found = [...found, ...more]
    } else trials.push({ source, outcome: "failed", reason: output.reason, text: output.text })
  }
  const gateways = inOrder(found)
  return { gateways, trials, none: gateways.length > 0 ? undefined : whyNone(steps, trials, signal) }
}

const whyNone = (steps: readonly Step[], trials: readonly Trial[], signal: AbortSignal | undefined): NoGateways => {
  if (signal?.aborted) return "aborted"
  if (steps.length === 0) return "unsupported"
  return trials.some(({ outcome }) => outcome === "read") ? "no-default-route" : "unreadable"
}
