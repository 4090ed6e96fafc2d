import {
  type Activation,
  activate,
  createInstance,
  createVarpd,
  destroyInstance,
  type FrameQuery,
  filesOf,
  getProperty,
  type Instance,
  instanceOf,
  listProperties,
  lookup,
  type Outcome,
  type PluginInput,
  type PluginRegistry,
  restoreInstance,
  type SavedInstance,
  saveInstance,
  setProperty,
  tell,
  type Varpd,
  type VarpdEffect,
  type VarpdStep,
} from "../../core/overlay/index.ts"
import type { Clock } from "../host.ts"
import { setText, VXLAN_DESTINATION } from "./check.ts"
import type { PropertyValue } from "./contract.ts"
import { type Find, type Outside, openOutside } from "./outside.ts"
import { readText, type WatchedFile, watchFile } from "./watched-file.ts"

/** What is done with frames and people for an instance; all else is done here. */
export type LinkEffect = Extract<
  VarpdEffect,
  { type: "respond" | "drop" | "inject" | "resend" | "cache" | "status" | "fault" }
>

/** The instances of an endpoint: the provider's state, with timers, files, names and connections. */
export interface Instances {
  state(): Varpd
  create(vnetid: number, plugin: string): Outcome<number>
  /** One of which something was kept. */
  restore(kept: SavedInstance, vnetid: number): Outcome<number>
  mode(id: number): Instance["mode"]
  /** Starts it. `keep` writes what is to be kept, before anything else happens; where it says why not, the instance is no more. */
  activate(id: number, keep: (saved: SavedInstance) => Promise<Outcome<undefined>>): Promise<Outcome<Activation>>
  /** What the activation wanted done, once the link is there for it. */
  begin(id: number): void
  lookup(id: number, lookup: number, query: FrameQuery, frame: Uint8Array): void
  properties(id: number): readonly PropertyValue[]
  set(id: number, name: string, octets: Uint8Array): Outcome<undefined>
  /** The same by its text. */
  setText(id: number, name: string, text: string): Outcome<undefined>
  saved(id: number): SavedInstance | undefined
  /** Ends one. */
  destroy(id: number): void
}

interface World {
  outside: Outside
  files: readonly WatchedFile[]
  timer: (() => void) | undefined
  effects: readonly VarpdEffect[]
}

/** No instance yet. `run` is told what its link has to do. */
export const openInstances = (
  plugins: PluginRegistry,
  clock: Clock,
  find: Find | undefined,
  run: (effect: LinkEffect) => void,
): Instances => {
  let varpd = createVarpd(plugins)
  const worlds = new Map<number, World>()

  const follow = ([next, effects]: VarpdStep): void => {
    varpd = next
    for (const effect of effects) act(effect)
  }

  const hear = (id: number, input: PluginInput): void => {
    if (worlds.has(id)) follow(tell(varpd, id, input))
  }

  const act = (effect: VarpdEffect): void => {
    switch (effect.type) {
      case "outside":
        worlds.get(effect.id)?.outside.request(effect.request)
        break
      case "wake":
        arm(effect.id, effect.at)
        break
      case "service":
      case "link":
      case "forget":
        // Each instance tells its own status; what is known still serves, so that no link goes down; what is kept is for the next start.
        break
      default:
        run(effect)
    }
  }

  const arm = (id: number, at: number): void => {
    const world = worlds.get(id)
    if (world === undefined) return
    world.timer?.()
    world.timer = clock.after(Math.max(1, at - clock.now()), () => {
      world.timer = undefined
      hear(id, { type: "tick", now: clock.now() })
    })
  }

  const changed = (next: Outcome<Varpd>): Outcome<undefined> => {
    if (!next.ok) return next
    varpd = next.value
    return { ok: true, value: undefined }
  }

  const leave = (id: number): void => {
    const world = worlds.get(id)
    worlds.delete(id)
    world?.timer?.()
    for (const file of world?.files ?? []) file.close()
    world?.outside.close()
  }

  return {
    state: () => varpd,
    create: (vnetid, plugin) => {
      const made = createInstance(varpd, { link: vnetid, plugin, vnetid, destination: VXLAN_DESTINATION })
      if (!made.ok) return made
      const [next, id] = made.value
      varpd = next
      return { ok: true, value: id }
    },
    restore: (kept, vnetid) => {
      const made = restoreInstance(varpd, kept, { vnetid, destination: VXLAN_DESTINATION })
      if (!made.ok) return made
      varpd = made.value
      return { ok: true, value: kept.id }
    },
    mode: (id) => varpd.instances.get(id)?.mode ?? "dynamic",
    activate: async (id, keep) => {
      const found = instanceOf(varpd, id)
      if (!found.ok) return found
      const texts = new Map<string, string>()
      const why: string[] = []
      for (const path of filesOf(found.value)) {
        const read = await readText(path)
        if (read.ok) texts.set(path, read.text)
        else why.push(`${path}: ${read.text}`)
      }
      const [next, result, effects] = activate(varpd, id, { files: texts, now: clock.now(), wall: Date.now() })
      varpd = next
      if (!result.ok) return why.length > 0 ? { ...result, text: why.join("; ") } : result
      const kept = await keep(result.value.saved)
      if (!kept.ok) return kept
      const outside = openOutside((input) => hear(id, { ...input, now: clock.now() }), find)
      const world: World = { outside, files: [], timer: undefined, effects }
      worlds.set(id, world)
      world.files = [...texts].map(([path, text]) =>
        watchFile(path, text, (changed) =>
          hear(id, { type: "file", path, text: changed, now: clock.now(), wall: Date.now() }),
        ),
      )
      return result
    },
    begin: (id) => {
      for (const effect of worlds.get(id)?.effects ?? []) act(effect)
    },
    lookup: (id, number, query, frame) => follow(lookup(varpd, id, number, query, frame)),
    properties: (id) => {
      const all = listProperties(varpd, id)
      return (all.ok ? all.value : []).map((info) => {
        const octets = getProperty(varpd, id, info.name)
        return { info, octets: octets.ok ? octets.value : new Uint8Array(0) }
      })
    },
    set: (id, name, octets) => changed(setProperty(varpd, id, name, octets)),
    setText: (id, name, text) => changed(setText(varpd, id, name, text)),
    saved: (id) => {
      const instance = varpd.instances.get(id)
      return instance?.phase === "activated" ? saveInstance(instance) : undefined
    },
    destroy: (id) => {
      const step = destroyInstance(varpd, id)
      if (step.ok) follow(step.value)
      leave(id)
    },
  }
}
