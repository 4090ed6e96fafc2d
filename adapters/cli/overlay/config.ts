import { z } from "zod"
import { MTU, VXLAN_PORT } from "../../../core/overlay/index.ts"
import { ANY4 } from "../../../core/wire/index.ts"
import type { Directory } from "../../flow/index.ts"
import { checkOverlays, OverlayError, type OverlayOptions, overlayPlugins } from "../../overlay/index.ts"
import { reasonOf } from "../../system-error.ts"
import { type Fault, formatFault, type SettingPath } from "../config/fault.ts"
import { inOrder, type LoadedConfig, readSettings } from "../config/load.ts"
import { textual } from "../config/text.ts"
import { readWritten } from "../config/written.ts"
import { readEndpoint } from "../endpoint.ts"
import { openDirectory } from "./directory.ts"
import type { MapSettings } from "./map-port.ts"
import { readMacText } from "./target.ts"

const vxlanEnd = textual((text) => readEndpoint(text, VXLAN_PORT), "An address, with a port or without.", [
  "192.0.2.1",
  "[2001:db8::1]:4789",
])

const mac = textual(readMacText, "A MAC.", ["de:ad:be:ef:0:1"])

const directory = z.strictObject({
  dns: z.string().min(1).optional(),
  zone: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
})

const map = z.strictObject({
  servers: z.array(z.string().min(1)).min(1).optional(),
  macs: z.array(mac).min(1),
  file: z.string().min(1).optional(),
  name: z.string().min(1).max(200).optional(),
})

const count = (most: number) => z.int().min(1).max(most).optional()

const overlay = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(31)
    .regex(/^[\w.-]+$/, "expected letters, digits, and . _ -"),
  vnetid: z.int().min(0).max(0xffffff),
  listen: vxlanEnd,
  mtu: z.int().min(MTU.LEAST).max(MTU.MOST).optional(),
  plugin: z.string().min(1),
  properties: z.record(z.string(), z.union([z.string(), z.int().min(0)]).transform(String)).optional(),
  kernel: z.strictObject({ listen: vxlanEnd, device: vxlanEnd }).optional(),
  map: map.optional(),
  pendingOctets: count(2 ** 30),
  lookups: count(2 ** 20),
  entries: count(2 ** 24),
})

const OVERLAY_CONFIG = z.strictObject({
  overlays: z.array(overlay).min(1),
  directory: directory.optional(),
  state: z.string().min(1).optional(),
  control: z.union([z.string().min(1), z.literal(false)], { error: "expected a path, or false" }).optional(),
})

/** Of an overlay with other faults, what its plugin can be asked about. */
const readable = z.object({
  name: overlay.shape.name.optional().catch(undefined),
  vnetid: overlay.shape.vnetid.optional().catch(undefined),
  plugin: overlay.shape.plugin,
  properties: overlay.shape.properties,
})

const toOverlay = ({ kernel, map: _, ...one }: z.infer<typeof overlay>): OverlayOptions => ({
  ...one,
  kernel: kernel === undefined ? undefined : { listen: kernel.listen, peer: kernel.device },
})

/** `fault` of an error that an overlay has. */
const placed = (fault: LoadedConfig<unknown>["fault"], { at, message }: OverlayError): Fault => {
  const path: SettingPath = at === undefined ? [] : ["overlays", at.overlay, ...at.setting]
  return fault(path, message)
}

/** Where nothing is bound: the settings that could not be read have faults of their own. */
const NOWHERE = { address: ANY4, port: 0 }

/** What can be said of a file's overlays though some of its settings cannot be read. */
const faultsBeside = async ({ config, fault }: LoadedConfig<unknown>): Promise<readonly Fault[]> => {
  const list = z.object({ overlays: z.array(z.unknown()) }).safeParse(config)
  const known = (list.success ? list.data.overlays : []).flatMap((one, place) => {
    const read = readable.safeParse(one)
    if (!read.success) return []
    const { name = `${place} `, vnetid = -1 - place, plugin, properties } = read.data
    return [{ place, name, vnetid, plugin, properties }]
  })
  const errors = await checkOverlays(
    known.map(({ name, vnetid, plugin, properties }) => ({ name, vnetid, plugin, properties, listen: NOWHERE })),
    overlayPlugins(),
  )
  return errors.flatMap(({ at, message }) => {
    const own = at && known[at.overlay]
    // A vnetid that stands for one that could not be read is none.
    if (at === undefined || own === undefined || (own.vnetid < 0 && at.setting[0] === "vnetid")) return []
    return [fault(["overlays", own.place, ...at.setting], message)]
  })
}

/** What `overlay run` is to do. */
export interface OverlayPlan {
  readonly overlays: readonly OverlayOptions[]
  /** Of each, how the host is reached in front of a NAT. */
  readonly maps: readonly (MapSettings | undefined)[]
  /** Where ends of names are; `undefined`: nowhere. */
  readonly directory: Directory | undefined
  /** A folder; `undefined`: nothing is kept. */
  readonly state: string | undefined
  /** The control socket's path; `false`: none; `undefined`: its own. */
  readonly control: string | false | undefined
  /** Says of an error that an overlay has where its setting stands. */
  readonly line: (error: OverlayError) => string
}

export type OverlayPlanned =
  | { readonly ok: true; readonly value: OverlayPlan }
  | { readonly ok: false; readonly lines: readonly string[] }

/** Reads a configuration file: what is to be done, or every fault of it, a line each. */
export const planOverlays = async (file: string): Promise<OverlayPlanned> => {
  const written = readWritten(file)
  if (!written.ok) return { ok: false, lines: [`option '--config': ${written.text}`] }
  const read = readSettings(written.value, OVERLAY_CONFIG)
  if (!read.ok) {
    const more = read.written === undefined ? [] : await faultsBeside(read.written)
    return { ok: false, lines: inOrder([...read.faults, ...more]).map((fault) => formatFault(file, fault)) }
  }
  const { config, fault } = read.value
  const overlays = config.overlays.map(toOverlay)
  const faultOf = (error: OverlayError): Fault => placed(fault, error)
  const errors = await checkOverlays(overlays, overlayPlugins())
  if (errors.length > 0) return { ok: false, lines: errors.map((error) => formatFault(file, faultOf(error))) }
  const { state, control } = config
  const maps = config.overlays.map((one) => one.map)
  const line = (error: OverlayError): string => formatFault(file, faultOf(error))
  try {
    const directory = config.directory === undefined ? undefined : openDirectory(config.directory)
    return { ok: true, value: { overlays, maps, directory, state, control, line } }
  } catch (cause) {
    return { ok: false, lines: [formatFault(file, fault(["directory"], reasonOf(cause)))] }
  }
}

/** An error's line, whatever it is about. */
export const lineOf = (plan: OverlayPlan, cause: unknown): string => {
  if (!(cause instanceof OverlayError)) throw cause
  return plan.line(cause)
}
