import {
  completeChecksum,
  DIRECT_PLUGIN,
  FILES_PLUGIN,
  getEntry,
  listEntries,
  macOf,
  type Outcome,
  type PluginRegistry,
  registerPlugin,
  SVP_PLUGIN,
  type TargetPoint,
  writeMac,
} from "../../core/overlay/index.ts"
import { u32 } from "../../core/wire/index.ts"
import type { Endpoint, UdpError } from "../udp.ts"
import { checkOverlays, errorAt, OverlayMtu, socketKey } from "./check.ts"
import type { EndpointCounters, Overlay, OverlayEndpoint, OverlayEndpointOptions, OverlayOptions } from "./contract.ts"
import { type Instances, type LinkEffect, openInstances } from "./instances.ts"
import { type Link, openLink } from "./link.ts"
import { openLookups } from "./lookups.ts"
import { type Mux, openMux } from "./mux.ts"
import { OverlayError } from "./overlay-error.ts"

/** Lookups of one overlay under way at most. */
const LOOKUPS = 1024
/** Milliseconds that {@link Overlay.lookup} waits. */
const PATIENCE = 30_000

/** The plugins of `sallyport/overlay`. */
export const overlayPlugins = (): PluginRegistry => {
  const add = (registry: PluginRegistry, made: Outcome<PluginRegistry>): PluginRegistry =>
    made.ok ? made.value : registry
  let plugins: PluginRegistry = new Map()
  plugins = add(plugins, registerPlugin(plugins, DIRECT_PLUGIN))
  plugins = add(plugins, registerPlugin(plugins, FILES_PLUGIN))
  return add(plugins, registerPlugin(plugins, SVP_PLUGIN))
}

/**
 * Starts overlays: frames that `transmit` or the kernel's device gives are looked up, encapsulated and sent; what comes by VXLAN is given to the
 * link. All of them or none: rejects with an {@link OverlayError} that says which overlay, and which setting of it, cannot be.
 */
export const startOverlayEndpoint = async (options: OverlayEndpointOptions): Promise<OverlayEndpoint> => {
  const { udp, clock, entropy, note = () => {}, plugins = overlayPlugins() } = options
  const [wrong] = await checkOverlays(options.overlays, plugins)
  if (wrong !== undefined) throw wrong
  const counts = { noVxlan: 0, unknownVnetid: 0 }
  const muxes = new Map<string, Mux>()
  const links = new Map<number, { readonly link: Link; readonly name: string }>()
  const manual = openLookups(clock)
  let closing: Promise<void> | undefined

  const run = (effect: LinkEffect): void => {
    if (effect.type === "respond" || effect.type === "drop") {
      const target = effect.type === "respond" ? effect.target : "drop"
      if (manual.settle(effect.lookup, target)) return
    }
    const there = links.get(effect.id)
    if (there === undefined) return
    const { link, name } = there
    switch (effect.type) {
      case "respond":
        link.respond(effect.lookup, effect.target)
        break
      case "drop":
        link.drop(effect.lookup)
        break
      case "inject":
        link.inject(effect.frame)
        break
      case "resend":
        link.resend(effect.frame)
        break
      case "cache":
        // One that is not known need not be forgotten; one more than there is room for is looked up.
        if (effect.target === undefined) link.remove(effect.mac)
        else link.set(effect.mac, effect.target)
        break
      case "status":
        note({ type: "status", overlay: name, text: effect.text })
        break
      case "fault":
        note({ type: "fault", overlay: name, text: effect.text })
    }
  }
  const instances = openInstances(plugins, clock, run)

  const muxOf = async (local: Endpoint): Promise<Mux> => {
    const key = socketKey(local)
    const known = muxes.get(key)
    if (known !== undefined) return known
    const mux = await openMux(udp, local, {
      noVxlan: () => {
        counts.noVxlan++
      },
      unknownVnetid: () => {
        counts.unknownVnetid++
      },
      socketError: (at: Endpoint, error: UdpError) => {
        if (closing === undefined) note({ type: "socket", local: at, error })
      },
    })
    muxes.set(key, mux)
    return mux
  }

  /** Puts an overlay on its sockets, where nothing comes or goes before its plugin is there. */
  const open = async (one: OverlayOptions, place: number, id: number): Promise<Overlay> => {
    const { vnetid, mtu = OverlayMtu.DEFAULT, kernel, deliver } = one
    const bind = (local: Endpoint, setting: readonly string[]): Promise<Mux> =>
      muxOf(local).catch((cause: unknown) => {
        throw cause instanceof OverlayError ? placed(cause, place, setting) : cause
      })
    const mux = await bind(one.listen, ["listen"])
    const device = kernel === undefined ? undefined : await bind(kernel.listen, ["kernel", "listen"])
    const [first, second] = [u32(entropy(4), 0), u32(entropy(4), 0)]
    const link = openLink({
      ...one,
      mode: instances.mode(id),
      hashKey: [first, second],
      mtu,
      lookups: one.lookups ?? LOOKUPS,
      send: (frame, target) => mux.send(vnetid, frame, target),
      deliver: (frame) => {
        if (kernel !== undefined) device?.send(vnetid, frame, kernel.peer)
        deliver?.(frame)
      },
      ask: (lookup, query, frame) => instances.lookup(id, lookup, query, frame),
    })
    links.set(id, { link, name: one.name })
    mux.users.set(vnetid, (frame) => {
      // Of a device in this machine, which has no network card to do it either.
      if (device !== undefined) completeChecksum(frame)
      link.receive(frame)
    })
    device?.users.set(vnetid, (frame, source) => {
      if (source.address !== kernel?.peer.address) {
        link.foreign()
        return
      }
      completeChecksum(frame)
      link.transmit(frame)
    })
    return overlayOf(one, { id, mtu, link, mux, device, instances, manual })
  }

  const begin = async (place: number, id: number): Promise<void> => {
    const link = links.get(id)?.link
    const started = await instances.activate(id, async () => ({ ok: true, value: undefined }))
    const associated = started.ok ? link?.associate(started.value.point) : started
    if (associated?.ok === false) throw errorAt(associated.error, associated.text, place, ["properties"])
  }

  const close = (): Promise<void> => {
    closing ??= (async () => {
      for (const id of [...instances.state().instances.keys()]) instances.destroy(id)
      manual.close()
      await Promise.all([...muxes.values()].map((mux) => mux.close()))
    })()
    return closing
  }

  const overlays: Overlay[] = []
  try {
    for (const [place, one] of options.overlays.entries()) {
      const made = instances.create(one.vnetid, one.plugin)
      if (!made.ok) throw errorAt(made.error, made.text, place, ["plugin"])
      for (const [name, text] of Object.entries(one.properties ?? {})) {
        const set = instances.setText(made.value, name, text)
        if (!set.ok) throw errorAt(set.error, set.text, place, ["properties", name])
      }
      overlays.push(await open(one, place, made.value))
    }
    for (const [place, { id }] of overlays.entries()) await begin(place, id)
  } catch (cause) {
    await close()
    throw cause
  }
  for (const { id } of overlays) instances.begin(id)

  return {
    overlays,
    overlay: (name) => overlays.find((one) => one.name === name),
    state: instances.state,
    counters: (): EndpointCounters => ({ ...counts }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** What a socket said, with where it was asked for. */
const placed = (error: OverlayError, overlay: number, setting: readonly string[]): OverlayError =>
  errorAt(error.code, error.message.slice(error.code.length + 2), overlay, setting, error)

interface Parts {
  readonly id: number
  readonly mtu: number
  readonly link: Link
  readonly mux: Mux
  readonly device: Mux | undefined
  readonly instances: Instances
  readonly manual: ReturnType<typeof openLookups>
}

const overlayOf = ({ name, vnetid, plugin }: OverlayOptions, parts: Parts): Overlay => {
  const { id, mtu, link, mux, device, instances, manual } = parts
  return {
    name,
    vnetid,
    mtu,
    plugin,
    id,
    local: mux.local,
    kernel: device?.local,
    transmit: link.transmit,
    lookup: (mac, { timeout = PATIENCE } = {}): Promise<TargetPoint | "drop"> => {
      const known = getEntry(link.cache(), mac)
      if (known.ok) return Promise.resolve(known.value)
      const { number, end } = manual.open(timeout)
      // As for the first frame to it, of the shortest kind and from nobody.
      const frame = new Uint8Array(60)
      writeMac(frame, 0, mac)
      frame[12] = 8
      const query = { headerSize: 14, packetSize: 46, source: macOf(0), destination: mac, etherType: 0x0800, vlan: 0 }
      instances.lookup(id, number, query, frame)
      return end
    },
    list: (from, count) => listEntries(link.cache(), from, count),
    get: (mac) => getEntry(link.cache(), mac),
    set: ({ mac, target }) => link.set(mac, target),
    remove: link.remove,
    flush: link.flush,
    properties: () => instances.properties(id),
    setProperty: async (property, octets) => instances.set(id, property, octets),
    degraded: () => instances.state().instances.get(id)?.degraded,
    counters: link.counters,
  }
}
