import {
  completeChecksum,
  DIRECT_PLUGIN,
  deviceProperties,
  FILES_PLUGIN,
  getDeviceProperty,
  getEntry,
  listEntries,
  MTU,
  macOf,
  type Outcome,
  type PluginRegistry,
  PORTMAP_PLUGIN,
  registerPlugin,
  SVP_PLUGIN,
  setDeviceProperty,
  type TargetPoint,
  writeMac,
} from "../../core/overlay/index.ts"
import { u32 } from "../../core/wire/index.ts"
import type { Endpoint, UdpError } from "../udp.ts"
import { checkOverlays, errorAt, socketKey } from "./check.ts"
import type { EndpointCounters, Overlay, OverlayEndpoint, OverlayEndpointOptions, OverlayOptions } from "./contract.ts"
import { type Instances, type LinkEffect, openInstances } from "./instances.ts"
import { type Kept, keptIn } from "./kept.ts"
import { type Link, openLink } from "./link.ts"
import { openLookups } from "./lookups.ts"
import { type Mux, openMux } from "./mux.ts"
import { OverlayError } from "./overlay-error.ts"

/** Lookups of one overlay under way at most. */
const LOOKUPS = 1024
/** Milliseconds that {@link Overlay.lookup} waits. */
const PATIENCE = 30_000

/** All plugins of `sallyport/overlay`: `direct`, `files`, `svp` and `portmap`. */
export const overlayPlugins = (): PluginRegistry => {
  let plugins: PluginRegistry = new Map()
  const add = (made: Outcome<PluginRegistry>): void => {
    if (made.ok) plugins = made.value
  }
  add(registerPlugin(plugins, DIRECT_PLUGIN))
  add(registerPlugin(plugins, FILES_PLUGIN))
  add(registerPlugin(plugins, SVP_PLUGIN))
  add(registerPlugin(plugins, PORTMAP_PLUGIN))
  return plugins
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
  let begun = false

  const linkOf = (vnetid: number | undefined) =>
    [...instances.state().instances.values()].flatMap((one) =>
      one.vnetid === vnetid ? (links.get(one.id) ?? []) : [],
    )[0]

  const run = (effect: LinkEffect): void => {
    if (effect.type === "respond" || effect.type === "drop") {
      const target = effect.type === "respond" ? effect.target : "drop"
      if (manual.settle(effect.lookup, target)) return
    }
    const there = "vnetid" in effect ? linkOf(effect.vnetid) : links.get(effect.id)
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
  const instances = openInstances(plugins, clock, options.find, run)
  const kept =
    options.folder === undefined
      ? undefined
      : keptIn(options.folder, (path, text) => note({ type: "kept", path, text }))

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
    const { vnetid, mtu = MTU.DEFAULT, kernel, deliver } = one
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
    return overlayOf(one, { id, mtu, link, mux, device, instances, manual, kept })
  }

  const begin = async (place: number, id: number): Promise<void> => {
    const link = links.get(id)?.link
    const started = await instances.activate(id, async (saved) => kept?.save(saved) ?? { ok: true, value: undefined })
    const associated = started.ok ? link?.associate(started.value.point) : started
    if (associated?.ok === false) throw errorAt(associated.error, associated.text, place, ["properties"])
  }

  const close = (): Promise<void> => {
    closing ??= (async () => {
      for (const { id } of overlays) {
        // With what it counted to the end.
        const saved = begun ? instances.saved(id) : undefined
        if (saved !== undefined) await kept?.save(saved)
      }
      for (const id of [...instances.state().instances.keys()]) instances.destroy(id)
      manual.close()
      await Promise.all([...muxes.values()].map((mux) => mux.close()))
    })()
    return closing
  }

  /** Numbers by vnetid. What was kept of an overlay that is no more, or has another plugin now, is set aside. */
  const restoreAll = async (): Promise<ReadonlyMap<number, number>> => {
    const restored = new Map<number, number>()
    const found = await kept?.load()
    if (found === undefined) return restored
    if (!found.ok) throw new OverlayError(found.error, found.text)
    for (const saved of found.value) {
      const { id, link: vnetid, plugin } = saved
      const one = options.overlays.find((overlay) => overlay.vnetid === vnetid)
      const why =
        one === undefined
          ? `no overlay has the vnetid ${vnetid}`
          : one.plugin === plugin
            ? undefined
            : `${one.name} has the plugin ${one.plugin} now, and not ${plugin}`
      const made = why === undefined ? instances.restore(saved, vnetid) : undefined
      if (made?.ok === true) restored.set(vnetid, id)
      else await kept?.aside(id, why ?? (made?.ok === false ? made.text : ""))
    }
    return restored
  }

  const overlays: Overlay[] = []
  try {
    const restored = await restoreAll()
    for (const [place, one] of options.overlays.entries()) {
      const known = restored.get(one.vnetid)
      const made = known === undefined ? instances.create(one.vnetid, one.plugin) : { ok: true as const, value: known }
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
  begun = true
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
  readonly kept: Kept | undefined
}

const overlayOf = ({ name, vnetid, plugin }: OverlayOptions, parts: Parts): Overlay => {
  const { id, mtu, link, mux, instances, manual, kept } = parts
  const { address: listenAddress, port: listenPort } = mux.local
  const device = { link: vnetid, vnetid, mtu, listenAddress, listenPort, varpd: { id, plugin }, active: true }
  const devices = new Map([[vnetid, device]])
  // `search` is among those of the instance as well.
  const generic = deviceProperties(device).filter((info) => info.name !== "search")
  return {
    name,
    vnetid,
    mtu,
    plugin,
    id,
    local: mux.local,
    kernel: parts.device?.local,
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
    properties: () => [
      ...generic.map((info) => {
        const octets = getDeviceProperty(devices, vnetid, info.name)
        return { info, octets: octets.ok ? octets.value : new Uint8Array(0) }
      }),
      ...instances.properties(id),
    ],
    setProperty: async (property, octets) => {
      if (generic.some((info) => info.name === property)) {
        const refused = setDeviceProperty(devices, vnetid, property, octets)
        return refused.ok ? { ok: true, value: undefined } : refused
      }
      const set = instances.set(id, property, octets)
      const saved = set.ok ? instances.saved(id) : undefined
      return saved === undefined ? set : ((await kept?.save(saved)) ?? set)
    },
    degraded: () => instances.state().instances.get(id)?.degraded,
    counters: link.counters,
  }
}
