import { lstatSync, realpathSync } from "node:fs"
import { networkInterfaces } from "node:os"
import { resolve } from "node:path"
import { type Address, CLIENT_PORT, parseAddress, SERVER_PORT } from "../../../core/wire/index.ts"
import type { Endpoint } from "../../udp.ts"
import { readEndpoint } from "../endpoint.ts"
import type { Grounds, KernelPlan } from "../kernel/plan.ts"
import type { Read } from "../read.ts"
import { METRICS_PORT, optionOf, type ServeOptions } from "../serve-options.ts"
import { type Fault, formatFault, type SettingPath } from "./fault.ts"
import type { LoadedConfig } from "./load.ts"
import { makeSettings, type ServeSettings } from "./settings.ts"
import { readWritten } from "./written.ts"

/** What `serve` is to do, by its command line and its configuration file. */
export interface ServePlan {
  readonly settings: ServeSettings
  /** `undefined`: nobody said where. */
  readonly listen: readonly Endpoint[] | undefined
  readonly state: { readonly file: string; readonly period: number } | undefined
  readonly metrics: Endpoint | undefined
  readonly control: string | false | undefined
  /** `undefined`: the kernel is let alone. */
  readonly kernel: KernelPlan | undefined
  /** What is allowed and yet most likely a mistake. */
  readonly warnings: readonly string[]
  /** Says of a rule that the core found broken where the setting stands. */
  readonly line: (path: SettingPath, rule: string) => string
}

export type Planned =
  | { readonly ok: true; readonly value: ServePlan }
  | { readonly ok: false; readonly lines: readonly string[] }

/** Seconds from one snapshot to the next. */
const PERIOD = 60

/**
 * Reads the configuration file, if there is one, and lays the command line's options over it. `again`: for a server that runs,
 * and answers nobody while it waits for a pipe.
 */
export const planServe = async (options: ServeOptions, again = false): Promise<Planned> => {
  const loaded = await load(options.config, again)
  if (!loaded.ok) return loaded
  const { config, fault } = loaded.value
  const file = options.config ?? ""
  const line = (path: SettingPath, rule: string): string =>
    isFromOption(options, path[0]) || options.config === undefined
      ? `option ${optionOf(path[0])}: ${rule}`
      : formatFault(file, fault(path, rule))
  const kernelOptions = kernelOptionsAlone(options)
  if (kernelOptions !== undefined) return { ok: false, lines: [`option '${kernelOptions}' goes with '--nftables'`] }
  // Loaded when it is asked for: most servers carry nothing.
  const kernelPlan = options.nftables ? await import("../kernel/plan.ts") : undefined
  const grounds = await kernelPlan?.groundsOf(options, config)
  if (grounds?.ok === false) return { ok: false, lines: [grounds.text] }
  const settings = makeSettings(config, grounds === undefined ? options : onGrounds(options, grounds.value))
  const lines = settings.ok ? [] : settings.faults.map(({ path, text }) => line(path, text))
  const metrics = config.metrics === undefined ? undefined : readEndpoint(config.metrics, METRICS_PORT)
  if (metrics?.ok === false) lines.push(line(["metrics"], metrics.text))
  const listen = listenOf(options, config)
  if (!listen.ok) lines.push(line(["interfaces"], listen.text))
  if (!settings.ok || !listen.ok || metrics?.ok === false || lines.length > 0) return { ok: false, lines }
  const kernel = grounds && kernelPlan?.planKernel(options, grounds.value, settings.value)
  if (kernel?.ok === false) return { ok: false, lines: [kernel.text] }
  const stateFile = options.state ?? config.state?.file
  return {
    ok: true,
    value: {
      settings: settings.value,
      listen: listen.value,
      state:
        stateFile === undefined
          ? undefined
          : { file: behindLinks(resolve(stateFile)), period: config.state?.period ?? PERIOD },
      metrics: options.metrics ?? metrics?.value,
      control: options.control ?? config.control,
      kernel: kernel?.value,
      warnings: [...warningsOf(settings.value), ...(grounds?.ok ? absentWarnings(grounds.value) : [])],
      line,
    },
  }
}

const onGrounds = (options: ServeOptions, { external, ports }: Grounds): ServeOptions => ({
  ...options,
  ...(external === undefined ? {} : { external }),
  ...(ports === undefined ? {} : { ports }),
})

const kernelOptionsAlone = ({ nftables, outside, implicitPorts, keepRules }: ServeOptions): string | undefined => {
  if (nftables) return undefined
  if (outside !== undefined) return "--outside"
  if (implicitPorts !== undefined) return "--implicit-ports"
  return keepRules ? "--keep-rules" : undefined
}

/**
 * The file behind a link: its lock is beside it, whatever name each server knows it by, and what is renamed into place is not
 * to take the place of the link.
 */
const behindLinks = (path: string): string => {
  try {
    return lstatSync(path).isSymbolicLink() ? realpathSync(path) : path
  } catch {
    return path
  }
}

type Loaded =
  | { readonly ok: true; readonly value: LoadedConfig }
  | { readonly ok: false; readonly lines: readonly string[] }

/** The settings of a configuration file alone, with nothing asked of the machine that it is read on. */
export const planSettings = async (file: string): Promise<Read<ServeSettings>> => {
  const loaded = await load(file)
  if (!loaded.ok) return { ok: false, text: loaded.lines.join("; ") }
  const { config, fault } = loaded.value
  const made = makeSettings(config, { pcp: true, natPmp: true })
  if (made.ok) return made
  return { ok: false, text: made.faults.map(({ path, text }) => formatFault(file, fault(path, text))).join("; ") }
}

/** No file: no settings, and nowhere to point to. */
const NONE: LoadedConfig = {
  config: {},
  fault: (path, text): Fault => ({ line: 1, column: 1, setting: String(path[0] ?? ""), text }),
}

const load = async (file: string | undefined, again = false): Promise<Loaded> => {
  if (file === undefined) return { ok: true, value: NONE }
  const read = readWritten(file, again)
  if (!read.ok) return { ok: false, lines: [`option '--config': ${read.text}`] }
  // Loaded when it runs: a server without a file starts without a parser and a schema.
  const { readConfig } = await import("./load.ts")
  const config = readConfig(read.value)
  return config.ok ? config : { ok: false, lines: config.faults.map((fault) => formatFault(file, fault)) }
}

const isFromOption = (options: ServeOptions, setting: string | number | undefined): boolean => {
  switch (setting) {
    case "external":
    case "ports":
    case "quota":
    case "state":
      return options[setting] !== undefined
    case "lifetimes":
      return options.minLifetime !== undefined || options.maxLifetime !== undefined
    case "pcp":
      return !options.pcp || !options.natPmp
    default:
      return false
  }
}

const listenOf = ({ listen }: ServeOptions, config: LoadedConfig["config"]): Read<readonly Endpoint[] | undefined> => {
  if (listen !== undefined) return { ok: true, value: listen }
  if (config.interfaces === undefined) return { ok: true, value: config.listen }
  const ends = [...(config.listen ?? [])]
  const there = networkInterfaces()
  for (const name of config.interfaces) {
    const found = (there[name] ?? []).flatMap(({ address, scopeid }) => {
      const parsed = parseAddress(address)
      return parsed === undefined ? [] : [{ address: parsed, port: SERVER_PORT, ...(scopeid ? { zone: name } : {}) }]
    })
    if (found.length === 0) return { ok: false, text: `the interface ${name} is not there, or has no address` }
    ends.push(...found.filter(({ address }) => !hasEnd(ends, address)))
  }
  return { ok: true, value: ends }
}

const hasEnd = (ends: readonly Endpoint[], address: Address): boolean => ends.some((end) => end.address === address)

/** RFC 6887 section 11.3: external UDP ports 5350 and 5351 are nobody's. */
/** A name with a slip is an interface that never comes, and what is outside is taken for inside. */
const absentWarnings = ({ absent }: Grounds): readonly string[] =>
  absent.map((name) => `there is no interface ${name} now: until there is, nothing is known to be outside by that name`)

const warningsOf = ({ cgn: { ports } }: ServeSettings): readonly string[] =>
  ports.first >= CLIENT_PORT && ports.last <= SERVER_PORT
    ? [
        `the external ports ${ports.first}-${ports.last} are PCP's own for UDP (RFC 6887 section 11.3): only TCP can be mapped`,
      ]
    : []
