import { type Address, formatMapped, parseAddress } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import { is6to4, isCompatible } from "../point.ts"
import {
  Destination,
  PLUGIN_VERSION,
  type PluginDefinition,
  type PluginGiven,
  type PluginOps,
} from "../provider/plugin.ts"
import { ipOctets, ipOf, portOf, requiredProperty, uintOctets, withRange } from "../provider/property.ts"

/** An instance of `direct`: everything goes to one point. */
export interface DirectState {
  /** Of the overlay's targets, bits of `Destination`: IP, PORT or both. */
  readonly destination: number
  /** `direct/dest_ip`. */
  readonly address: Address | undefined
  /** `direct/dest_port`. */
  readonly port: number | undefined
}

const IP = "direct/dest_ip"
const PORT = "direct/dest_port"
const SERVED = Destination.IP | Destination.PORT

const create = ({ destination }: PluginGiven): Outcome<DirectState> =>
  destination !== 0 && (destination & ~SERVED) === 0
    ? done({ destination, address: undefined, port: undefined })
    : failed("ENOTSUP", "direct has targets of an IP address, a port, or both")

const needs = ({ destination }: DirectState, bit: number): boolean => (destination & bit) !== 0

const checkAddress = (address: Address): Outcome<Address> =>
  isCompatible(address) || is6to4(address)
    ? failed("EINVAL", `${formatMapped(address)} is IPv4-compatible, or of 6to4`)
    : done(address)

const ops: PluginOps<DirectState> = {
  create,
  // The reference looks for the port when the IP bit is set: it means the PORT bit.
  start: (state) => {
    if (needs(state, Destination.IP) && state.address === undefined) return failed("EAGAIN", `${IP} is not set`)
    if (needs(state, Destination.PORT) && state.port === undefined) return failed("EAGAIN", `${PORT} is not set`)
    return done([state, []])
  },
  stop: (state) => [state, []],
  point: ({ address, port }) =>
    address === undefined || port === undefined
      ? failed("EINVAL", "a point of VXLAN has an address and a port")
      : done({ address, port }),
  properties: (state) => [
    ...(needs(state, Destination.IP) ? [requiredProperty(IP, "ip")] : []),
    ...(needs(state, Destination.PORT) ? [withRange(requiredProperty(PORT, "uint"), 1, 65535)] : []),
  ],
  get: ({ address, port }, name) => {
    if (name === IP) return address === undefined ? NONE : ipOctets(address)
    return port === undefined ? NONE : uintOctets(port)
  },
  set: (state, name, octets) => {
    if (name === PORT) {
      const port = portOf(octets)
      return port.ok ? done({ ...state, port: port.value }) : port
    }
    const given = ipOf(octets)
    const address = given.ok ? checkAddress(given.value) : given
    return address.ok ? done({ ...state, address: address.value }) : address
  },
  save: ({ address, port }) => ({
    ...(port === undefined ? {} : { [PORT]: port }),
    ...(address === undefined ? {} : { [IP]: formatMapped(address) }),
  }),
  // The reference restores neither that the address is set nor the destination.
  restore: (saved, given) => {
    const state = create(given)
    if (!state.ok) return failed("EINVAL", state.text)
    const { [PORT]: port, [IP]: text } = saved
    const address = typeof text === "string" ? parseAddress(text) : undefined
    if (text !== undefined && address === undefined) return failed("EINVAL", `${IP} is no address`)
    const isPort = typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65535
    if (port !== undefined && !isPort) return failed("EINVAL", `${PORT} is no port`)
    return done({ ...state.value, address, port: isPort ? port : undefined })
  },
}

const NONE: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

/** The plugin `direct`, of point mode: all frames go to the address and port of its properties (`libvarpd_direct`). */
export const DIRECT_PLUGIN: PluginDefinition<DirectState> = {
  name: "direct",
  version: PLUGIN_VERSION,
  mode: "point",
  ops,
}
