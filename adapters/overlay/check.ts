import {
  activate,
  createInstance,
  createVarpd,
  Destination,
  filesOf,
  getProperty,
  instanceOf,
  listProperties,
  MAX_VNETID,
  MTU,
  type Outcome,
  type PluginRegistry,
  type PropertyInfo,
  setProperty,
  type Varpd,
} from "../../core/overlay/index.ts"
import type { Endpoint } from "../udp.ts"
import type { OverlayOptions } from "./contract.ts"
import { OverlayError, type OverlayFailure } from "./overlay-error.ts"
import { readProperty } from "./property-text.ts"
import { readText } from "./watched-file.ts"

/** All targets of VXLAN have an address and a port. */
export const VXLAN_DESTINATION: number = Destination.IP | Destination.PORT

/** An error that says where it is. */
export const errorAt = (
  code: OverlayFailure,
  text: string,
  overlay: number,
  setting: readonly string[],
  cause?: unknown,
): OverlayError => new OverlayError(code, text, { at: { overlay, setting }, cause })

/** A socket by its address and port: the same text for the same socket, but for a port of 0, of which each is another. */
export const socketKey = ({ address, port, zone = "" }: Endpoint): string => `${address} ${port} ${zone}`

/**
 * All that is wrong with overlays and can be seen without a socket, in their order: vnetids, names, properties, and what their plugins say of
 * a start. Nothing of it is left behind.
 */
export const checkOverlays = async (
  overlays: readonly OverlayOptions[],
  plugins: PluginRegistry,
): Promise<readonly OverlayError[]> => {
  const errors: OverlayError[] = []
  for (const [place, one] of overlays.entries()) {
    errors.push(...checkPlace(overlays, place, one))
    errors.push(...(await checkPlugin(plugins, place, one)))
  }
  return errors
}

const checkPlace = (
  overlays: readonly OverlayOptions[],
  place: number,
  one: OverlayOptions,
): readonly OverlayError[] => {
  const { name, vnetid, mtu = MTU.DEFAULT, kernel } = one
  const errors: OverlayError[] = []
  const wrong = (code: OverlayFailure, text: string, ...setting: readonly string[]): void => {
    errors.push(errorAt(code, text, place, setting))
  }
  const before = overlays.slice(0, place)
  if (!Number.isInteger(vnetid) || vnetid < 0 || vnetid > MAX_VNETID)
    wrong("EINVAL", `a vnetid is 0 to ${MAX_VNETID}`, "vnetid")
  if (before.some((other) => other.vnetid === vnetid))
    wrong("EEXIST", `another overlay has the vnetid ${vnetid}`, "vnetid")
  if (before.some((other) => other.name === name)) wrong("EEXIST", `another overlay has the name ${name}`, "name")
  if (!Number.isInteger(mtu) || mtu < MTU.LEAST || mtu > MTU.MOST)
    wrong("EINVAL", `an MTU is ${MTU.LEAST} to ${MTU.MOST}`, "mtu")
  const isUnderlay = (end: Endpoint): boolean => overlays.some(({ listen }) => socketKey(listen) === socketKey(end))
  if (kernel !== undefined && isUnderlay(kernel.listen))
    wrong("EEXIST", "the kernel's device has a socket of its own", "kernel", "listen")
  return errors
}

const checkPlugin = async (
  plugins: PluginRegistry,
  place: number,
  { plugin, properties = {} }: OverlayOptions,
): Promise<readonly OverlayError[]> => {
  const made = createInstance(createVarpd(plugins), { link: 1, plugin, vnetid: 0, destination: VXLAN_DESTINATION })
  if (!made.ok) return [errorAt(made.error, made.text, place, ["plugin"])]
  let [varpd] = made.value
  const [, id] = made.value
  const errors: OverlayError[] = []
  for (const [name, text] of Object.entries(properties)) {
    const set = setText(varpd, id, name, text)
    if (set.ok) varpd = set.value
    else errors.push(errorAt(set.error, set.text, place, ["properties", name]))
  }
  if (errors.length > 0) return errors
  const found = instanceOf(varpd, id)
  if (!found.ok) return []
  const texts = new Map<string, string>()
  for (const path of filesOf(found.value)) {
    const read = await readText(path)
    if (!read.ok)
      return [errorAt("ENOENT", `${path}: ${read.text}`, place, ["properties", ...nameOf(properties, path)])]
    texts.set(path, read.text)
  }
  const [, started] = activate(varpd, id, { files: texts, now: 0, wall: Date.now() })
  if (started.ok) return []
  const unset = started.error === "EAGAIN" ? unsetOf(varpd, id) : []
  const [path] = texts.keys()
  const text = `${path === undefined ? "" : `${path}: `}${started.text}`
  const setting = path === undefined ? [] : nameOf(properties, path)
  return [
    errorAt(started.error, unset.length === 0 ? text : `${text}; not set: ${unset.join(", ")}`, place, [
      "properties",
      ...setting,
    ]),
  ]
}

const nameOf = (properties: Readonly<Record<string, string>>, value: string): readonly string[] =>
  Object.entries(properties).flatMap(([name, text]) => (text === value ? [name] : []))

/** Required properties without a value: what people are told where an activation says EAGAIN. */
const unsetOf = (varpd: Varpd, id: number): readonly string[] => {
  const all = listProperties(varpd, id)
  return (all.ok ? all.value : []).flatMap(({ required, name }) => {
    const octets = getProperty(varpd, id, name)
    return required && octets.ok && octets.value.length === 0 ? [name] : []
  })
}

/** Sets a property by its text. */
export const setText = (varpd: Varpd, id: number, name: string, text: string): Outcome<Varpd> => {
  const all = listProperties(varpd, id)
  if (!all.ok) return all
  const known: PropertyInfo | undefined = all.value.find((info) => info.name === name)
  if (known === undefined) return { ok: false, error: "EINVAL", text: `the plugin has no property ${name}` }
  const octets = readProperty(known, text)
  return octets.ok ? setProperty(varpd, id, name, octets.value) : octets
}
