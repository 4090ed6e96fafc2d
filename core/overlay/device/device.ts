import { type Address, formatMapped } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import { MAX_VNETID, VXLAN_PORT } from "../frame/vxlan.ts"
import { is6to4, isCompatible, isGroup, isPoint, type TargetPoint } from "../point.ts"
import { Destination } from "../provider/plugin.ts"
import {
  ipOctets,
  ipOf,
  optionalProperty,
  type PropertyInfo,
  requiredProperty,
  stringOctets,
  uintOctets,
  uintOf,
  withRange,
  withString,
} from "../provider/property.ts"

/** The link of an overlay, as the reference's kernel has it: plain data. */
export interface OverlayDevice {
  /** Its number. */
  readonly link: number
  /** The overlay's id, 0 to 16777215. */
  readonly vnetid: number
  /** Octets behind the Ethernet header at most, 576 to 8900. */
  readonly mtu: number
  /** `vxlan/listen_ip`; `undefined`: not set. */
  readonly listenAddress: Address | undefined
  /** `vxlan/listen_port`. */
  readonly listenPort: number
  /** The instance that answers for it. */
  readonly varpd: DeviceVarpd | undefined
  /** Does it take and give frames? */
  readonly active: boolean
}

/** What a device knows of its instance. */
export interface DeviceVarpd {
  /** The instance's number. */
  readonly id: number
  /** The plugin's name. */
  readonly plugin: string
}

/** Devices by the number of their link. */
export type OverlayDevices = ReadonlyMap<number, OverlayDevice>

/** The encapsulations that there are, by name. */
export const ENCAPSULATIONS: readonly string[] = ["vxlan"]
/** MTUs: the reference's code says 8900 where its manual says 9000. */
export const MTU = { DEFAULT: 1400, LEAST: 576, MOST: 8900 } as const

/** A new device. EINVAL: no such encapsulation (`encap`) or vnetid; EEXIST: the link has one, or the pair of encapsulation and vnetid. */
export const createDevice = (
  devices: OverlayDevices,
  link: number,
  encap: string,
  vnetid: number,
): Outcome<OverlayDevices> => {
  if (!ENCAPSULATIONS.includes(encap)) return failed("EINVAL", `there is no encapsulation ${encap}`)
  const id = checkVnetid(vnetid)
  if (!id.ok) return id
  if (devices.has(link)) return failed("EEXIST", `link ${link} is an overlay`)
  const taken = vnetidTaken(devices, vnetid)
  if (taken !== undefined) return taken
  const device = { link, vnetid, mtu: MTU.DEFAULT, listenAddress: undefined, listenPort: VXLAN_PORT }
  return done(new Map(devices).set(link, { ...device, varpd: undefined, active: false }))
}

const checkVnetid = (vnetid: number): Outcome<number> =>
  Number.isInteger(vnetid) && vnetid >= 0 && vnetid <= MAX_VNETID
    ? done(vnetid)
    : failed("EINVAL", `a vnetid of VXLAN is 0 to ${MAX_VNETID}`)

const vnetidTaken = (devices: OverlayDevices, vnetid: number): Outcome<never> | undefined =>
  [...devices.values()].some((one) => one.vnetid === vnetid)
    ? failed("EEXIST", `there is an overlay of vxlan with vnetid ${vnetid}`)
    : undefined

const deviceOf = (devices: OverlayDevices, link: number): Outcome<OverlayDevice> => {
  const device = devices.get(link)
  return device === undefined ? failed("ENOENT", `link ${link} is no overlay`) : done(device)
}

/** What an instance says of itself when it is to answer for a device. */
export interface Association {
  /** Its number, not 0. */
  readonly id: number
  /** Its plugin's name. */
  readonly plugin: string
  /** Its plugin's mode. */
  readonly mode: "point" | "dynamic"
  /** What its targets are made of: bits of `Destination`, here IP and PORT. */
  readonly destination: number
  /** Of point mode. */
  readonly point: TargetPoint | undefined
}

/**
 * An instance answers for a device from now on (ASSOCIATE). ENOENT: no such device; EEXIST: another one does; EINVAL: its number is 0, its
 * targets are not those of VXLAN, it is of point mode without a point that frames can go to, or of dynamic mode with one.
 */
export const associateDevice = (devices: OverlayDevices, link: number, by: Association): Outcome<OverlayDevices> => {
  const device = deviceOf(devices, link)
  if (!device.ok) return device
  if (!Number.isInteger(by.id) || by.id < 1) return failed("EINVAL", "an instance has a number from 1 on")
  if (by.destination !== (Destination.IP | Destination.PORT))
    return failed("EINVAL", "VXLAN has IP addresses and ports")
  if ((by.mode === "point") !== (by.point !== undefined)) return failed("EINVAL", "point mode alone has a point")
  if (by.point !== undefined && !isPoint(by.point)) return failed("EINVAL", "no frame can be sent there")
  if (device.value.varpd !== undefined) return failed("EEXIST", `link ${link} has an instance`)
  return done(new Map(devices).set(link, { ...device.value, varpd: { id: by.id, plugin: by.plugin } }))
}

/** Nobody answers for a device any more (DISASSOCIATE). ENOENT: no such device; ENXIO: nobody did. */
export const disassociateDevice = (devices: OverlayDevices, link: number): Outcome<OverlayDevices> => {
  const device = deviceOf(devices, link)
  if (!device.ok) return device
  if (device.value.varpd === undefined) return failed("ENXIO", `link ${link} has no instance`)
  return done(new Map(devices).set(link, { ...device.value, varpd: undefined }))
}

/** A device takes and gives frames from now on. ENOENT; EEXIST: it does; EINVAL: a required property is not set; ENXIO: nobody answers for it. */
export const activateDevice = (devices: OverlayDevices, link: number): Outcome<OverlayDevices> => {
  const device = deviceOf(devices, link)
  if (!device.ok) return device
  if (device.value.active) return failed("EEXIST", `link ${link} is active`)
  const unset = deviceProperties(device.value).find(
    (info) => info.required && info.default === undefined && octetsOf(device.value, info.name).length === 0,
  )
  if (unset !== undefined) return failed("EINVAL", `${unset.name} is not set`)
  if (device.value.varpd === undefined) return failed("ENXIO", `link ${link} has no instance`)
  return done(new Map(devices).set(link, { ...device.value, active: true }))
}

/** A device is gone. ENOENT; EBUSY: it is active, and `deactivateDevice` comes first. */
export const deleteDevice = (devices: OverlayDevices, link: number): Outcome<OverlayDevices> => {
  const device = deviceOf(devices, link)
  if (!device.ok) return device
  if (device.value.active) return failed("EBUSY", `link ${link} is in use`)
  const left = new Map(devices)
  left.delete(link)
  return done(left)
}

/** A device takes and gives no more frames, and may be deleted. ENOENT; ENXIO: it did not. */
export const deactivateDevice = (devices: OverlayDevices, link: number): Outcome<OverlayDevices> => {
  const device = deviceOf(devices, link)
  if (!device.ok) return device
  if (!device.value.active) return failed("ENXIO", `link ${link} is not active`)
  return done(new Map(devices).set(link, { ...device.value, active: false }))
}

const readOnly = (info: PropertyInfo): PropertyInfo => ({ ...info, required: false, writable: false })

/** All properties of a device, in order: the generic ones, and those of its encapsulation. `plugins`: what `search` may be. */
export const deviceProperties = (_: OverlayDevice, plugins: readonly string[] = []): readonly PropertyInfo[] => [
  { ...withRange(optionalProperty("mtu", "uint"), MTU.LEAST, MTU.MOST), default: uintOctets(MTU.DEFAULT) },
  withRange(optionalProperty("vnetid", "uint"), 0, MAX_VNETID),
  ENCAPSULATIONS.reduce(withString, readOnly(requiredProperty("encap", "string"))),
  readOnly(requiredProperty("varpd/id", "uint")),
  [...plugins]
    .sort((one, other) => (one < other ? -1 : 1))
    .reduce(withString, readOnly(requiredProperty("search", "string"))),
  requiredProperty("vxlan/listen_ip", "ip"),
  { ...withRange(requiredProperty("vxlan/listen_port", "uint"), 1, 65_535), default: uintOctets(VXLAN_PORT) },
]

const NONE: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

const octetsOf = (device: OverlayDevice, name: string): Uint8Array => {
  switch (name) {
    case "mtu":
      return uintOctets(device.mtu)
    case "vnetid":
      return uintOctets(device.vnetid)
    case "encap":
      return stringOctets("vxlan")
    case "varpd/id":
      return device.varpd === undefined ? NONE : uintOctets(device.varpd.id)
    case "search":
      return device.varpd === undefined ? NONE : stringOctets(device.varpd.plugin)
    case "vxlan/listen_ip":
      return device.listenAddress === undefined ? NONE : ipOctets(device.listenAddress)
    default:
      return uintOctets(device.listenPort)
  }
}

const known = (device: OverlayDevice, name: string): Outcome<PropertyInfo> => {
  const info = deviceProperties(device).find((one) => one.name === name)
  return info === undefined ? failed("EINVAL", `there is no property ${name}`) : done(info)
}

/** A property's octets, none where it is not set. ENOENT: no such device; EINVAL: none of the name; EOVERFLOW: they do not fit so many octets. */
export const getDeviceProperty = (
  devices: OverlayDevices,
  link: number,
  name: string,
  room = 256,
): Outcome<Uint8Array> => {
  const device = deviceOf(devices, link)
  if (!device.ok) return device
  const info = known(device.value, name)
  if (!info.ok) return info
  const octets = octetsOf(device.value, name)
  return octets.length > room ? failed("EOVERFLOW", `${name} has ${octets.length} octets`) : done(octets)
}

/**
 * Sets a property. ENOENT: no such device; EINVAL: none of the name, octets of another size than its type, or a value that cannot be; EPERM: it
 * may only be read; ENOTSUP: the device is active; EEXIST: another device has the vnetid.
 *
 * The reference takes vnetid 16777215 at the creation alone: here it is one as the others.
 */
export const setDeviceProperty = (
  devices: OverlayDevices,
  link: number,
  name: string,
  octets: Uint8Array,
): Outcome<OverlayDevices> => {
  const device = deviceOf(devices, link)
  if (!device.ok) return device
  if (device.value.active) return failed("ENOTSUP", `link ${link} is active: its properties stay as they are`)
  const info = known(device.value, name)
  if (!info.ok) return info
  if (!info.value.writable) return failed("EPERM", `${name} may not be written`)
  if (octets.length !== (info.value.type === "ip" ? 16 : 8))
    return failed("EINVAL", `${octets.length} octets for ${name}`)
  const next = changed(devices, device.value, name, octets)
  return next.ok ? done(new Map(devices).set(link, next.value)) : next
}

const changed = (
  devices: OverlayDevices,
  device: OverlayDevice,
  name: string,
  octets: Uint8Array,
): Outcome<OverlayDevice> => {
  if (name === "vxlan/listen_ip") {
    const address = ipOf(octets)
    if (!address.ok) return address
    const { value } = address
    return isCompatible(value) || is6to4(value) || isGroup(value)
      ? failed("EINVAL", `${formatMapped(value)} is IPv4-compatible, of 6to4, or a group`)
      : done({ ...device, listenAddress: value })
  }
  const number = uintOf(octets)
  if (!number.ok) return number
  const { value } = number
  if (name === "vnetid") {
    const id = checkVnetid(value)
    if (!id.ok) return id
    return (value === device.vnetid ? undefined : vnetidTaken(devices, value)) ?? done({ ...device, vnetid: value })
  }
  const [least, most] = name === "mtu" ? [MTU.LEAST, MTU.MOST] : [1, 65_535]
  if (value < least || value > most) return failed("EINVAL", `${name} is ${least} to ${most}`)
  return done(name === "mtu" ? { ...device, mtu: value } : { ...device, listenPort: value })
}
