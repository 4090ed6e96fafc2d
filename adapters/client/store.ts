import { type ClientState, type SavedLease, type SavedMapping, saveMappings } from "../../core/client/index.ts"
import { PortControlError } from "./error.ts"
import type { ClientRuntime } from "./runtime.ts"
import { type SavedJson, savedToJson } from "./saved-json.ts"
import { savedFromJson } from "./saved-read.ts"

/** Keeps a client's mappings, nonces among them, over a restart of its program: a file, or whatever the caller has. */
export interface ClientStore {
  /** What was saved last; `undefined`: nothing yet. */
  load(): Promise<unknown>
  /** Replaces it. Calls never overlap. */
  save(json: SavedJson): Promise<void>
}

/** What a client does with its store. */
export interface Keeper {
  /** What an earlier run had under that id. It is the mapping's now, and is saved as what becomes of it. */
  takeUp(id: string): readonly SavedLease[]
  /** All that nobody has taken up. */
  left(): readonly SavedMapping[]
  /** What a mapping was when it was left at its servers, for a later run. */
  leave(mappings: readonly SavedMapping[]): void
  /** Something has changed: it is saved soon. */
  changed(): void
  /** What is saved is the state of now; resolves when that is done. */
  flush(): Promise<void>
}

export const NO_KEEPER: Keeper = {
  takeUp: () => [],
  left: () => [],
  leave: () => {},
  changed: () => {},
  flush: async () => {},
}

/** Reads the store; rejects if what it has cannot be read: saving would destroy it. */
export const openKeeper = async (
  { clock, wallClock }: ClientRuntime,
  store: ClientStore,
  state: () => ClientState,
  failed: (cause: unknown) => void,
): Promise<Keeper> => {
  const left = new Map<string, { readonly mapping: SavedMapping; readonly at: number }>()
  const leave = (mappings: readonly SavedMapping[]): void => {
    for (const mapping of mappings) left.set(mapping.id, { mapping, at: clock.now() })
  }
  leave(await load(store, wallClock()))
  let running: Promise<void> | undefined
  let isChanged = false

  /** What is left of the mappings that nobody has taken up. */
  const still = (): readonly SavedMapping[] =>
    [...left.values()].flatMap(({ mapping, at }) => {
      const elapsed = (clock.now() - at) / 1000
      const leases = mapping.leases
        .map((lease) => ({ ...lease, remaining: Math.floor(lease.remaining - elapsed) }))
        .filter(({ remaining }) => remaining > 0)
      return leases.length > 0 ? [{ ...mapping, leases }] : []
    })

  const savedNow = (): readonly SavedMapping[] => {
    const held = saveMappings(state(), clock.now())
    const ids = new Set(held.map(({ id }) => id))
    return [...still().filter(({ id }) => !ids.has(id)), ...held]
  }

  const save = async (): Promise<void> => {
    while (isChanged) {
      isChanged = false
      try {
        await store.save(savedToJson(savedNow(), wallClock()))
      } catch (cause) {
        failed(cause)
      }
    }
    running = undefined
  }

  const changed = (): void => {
    isChanged = true
    running ??= Promise.resolve().then(save)
  }

  return {
    takeUp: (id) => {
      const leases = still().find((mapping) => mapping.id === id)?.leases ?? []
      left.delete(id)
      return leases
    },
    left: still,
    leave,
    changed,
    flush: async () => {
      changed()
      await running
    },
  }
}

const load = async (store: ClientStore, wallClock: number): Promise<readonly SavedMapping[]> => {
  let json: unknown
  try {
    json = await store.load()
  } catch (cause) {
    throw new PortControlError("bad-store", "the saved mappings cannot be read", { cause })
  }
  if (json === undefined) return []
  const read = savedFromJson(json, wallClock)
  if (read.ok) return read.mappings
  const [first] = read.errors
  throw new PortControlError("bad-store", `the saved mappings are none: ${first.path}: ${first.text}`)
}
