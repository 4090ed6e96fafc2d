import type { Effect } from "./effect.ts"
import type { ClientEvent } from "./event.ts"
import { draw, type Randomness } from "./random.ts"
import type { MappingRequest } from "./request.ts"
import type { ServerState } from "./server.ts"
import type { ClientSettings } from "./settings.ts"
import type { ClientState } from "./state.ts"
import type { Lease, Task } from "./task.ts"

/**
 * The next state while a step makes it: nobody outside the step has seen it yet, so it may be written to, its maps by the functions
 * below. They are the old state's until the first change: what is ignored, as most of a flood is, costs no copy of all mappings.
 */
export interface Draft {
  readonly now: number
  readonly settings: ClientSettings
  random: Randomness
  servers: ReadonlyMap<string, ServerState>
  tasks: ReadonlyMap<string, Task>
  wanted: ReadonlyMap<string, MappingRequest>
  ownServers: Map<string, ServerState> | undefined
  ownTasks: Map<string, Task> | undefined
  ownWanted: Map<string, MappingRequest> | undefined
  stopping: boolean
  readonly effects: Effect[]
}

/** Time never goes back (C-141): an input of an earlier instant is taken as one of now. */
export const openDraft = (state: ClientState, now: number): Draft => ({
  now: now > state.now ? now : state.now,
  settings: state.settings,
  random: state.random,
  servers: state.servers,
  tasks: state.tasks,
  wanted: state.wanted,
  ownServers: undefined,
  ownTasks: undefined,
  ownWanted: undefined,
  stopping: state.stopping,
  effects: [],
})

/** The step is over; `wake` is when to come back, milliseconds. */
export const closeDraft = (
  { now, settings, random, servers, tasks, wanted, stopping, effects }: Draft,
  wake: number | undefined,
): readonly [ClientState, readonly Effect[]] => {
  effects.push({ type: "wake", at: wake })
  return [{ now, settings, random, servers, tasks, wanted, stopping, wake }, effects]
}

/** Are all servers and tasks as they were? */
export const isUntouched = (draft: Draft): boolean => draft.ownServers === undefined && draft.ownTasks === undefined

const writableTasks = (draft: Draft): Map<string, Task> => {
  draft.ownTasks ??= new Map(draft.tasks)
  draft.tasks = draft.ownTasks
  return draft.ownTasks
}

/** What is to be kept at every server, to be written to. */
export const writableWanted = (draft: Draft): Map<string, MappingRequest> => {
  draft.ownWanted ??= new Map(draft.wanted)
  draft.wanted = draft.ownWanted
  return draft.ownWanted
}

export const replaceServers = (draft: Draft, servers: Map<string, ServerState>): void => {
  draft.ownServers = servers
  draft.servers = servers
}

export const tell = (draft: Draft, event: ClientEvent): void => {
  draft.effects.push({ type: "event", event })
}

/** The next random choice, uniform in [0, 1). */
export const choose = (draft: Draft): number => {
  const [value, random] = draw(draft.random)
  draft.random = random
  return value
}

export const put = <T extends Task>(draft: Draft, task: T): T => {
  writableTasks(draft).set(task.key, task)
  return task
}

export const setServer = (draft: Draft, name: string, change: Partial<ServerState>): void => {
  const server = draft.servers.get(name)
  if (server === undefined) return
  if (draft.ownServers === undefined) replaceServers(draft, new Map(draft.servers))
  draft.ownServers?.set(name, { ...server, ...change })
}

/** The server's leases. */
export const leasesOf = (draft: Draft, server: string): readonly Lease[] =>
  [...draft.tasks.values()].filter((task): task is Lease => task.kind === "lease" && task.server === server)

/** The task is over. */
export const end = (draft: Draft, task: Task): void => {
  writableTasks(draft).delete(task.key)
  freeNatPmp(draft, task)
}

/** Lets the next NAT-PMP request go, if this task's was the one under way. */
export const freeNatPmp = (draft: Draft, { server, key }: Task): void => {
  if (draft.servers.get(server)?.natPmpTask === key) setServer(draft, server, { natPmpTask: undefined })
}

/** Says where the mapping stands, if that is news. */
export const enter = (draft: Draft, lease: Lease, state: Lease["state"]): Lease => {
  if (isSameState(lease.state, state)) return lease
  tell(draft, { type: "state", id: lease.id, server: lease.server, state })
  return { ...lease, state }
}

const isSameState = (a: Lease["state"], b: Lease["state"]): boolean =>
  a.kind === b.kind &&
  (a.kind === "requested" ||
    a.kind === "running" ||
    ((a.kind === "starting" || a.kind === "updating") &&
      "retransmissions" in b &&
      a.retransmissions === b.retransmissions))
