import { familyOf, isAny } from "../wire/index.ts"
import { type Draft, end, enter, put, setServer, tell } from "./draft.ts"
import type { Command, SavedLease } from "./input.ts"
import { nonceFor } from "./nonce.ts"
import { checkRequest, type RequestError } from "./request.ts"
import { RENEWAL_GAP } from "./schedule.ts"
import { endOf, type ServerState } from "./server.ts"
import { newTask } from "./start.ts"
import type { Grant, Lease } from "./task.ts"

/** Transmissions of ANNOUNCE when the caller does not say. */
const PROBE_TRIES = 4

type Of<T extends Command["type"]> = Extract<Command, { readonly type: T }>

const refuse = (draft: Draft, id: string | undefined, error: RequestError): void =>
  tell(draft, { type: "refused", id, error })

/** The servers of those names; all of them if none is named. */
const serversOf = (draft: Draft, names: readonly string[] | undefined): readonly ServerState[] | RequestError => {
  if (names === undefined) {
    const all = [...draft.servers.values()]
    return all.length > 0 ? all : { code: "server", text: "There is no server." }
  }
  const servers: ServerState[] = []
  for (const name of names) {
    const server = draft.servers.get(name)
    if (server === undefined) return { code: "server", text: `No server is called ${name}.` }
    servers.push(server)
  }
  return servers.length > 0 ? servers : { code: "server", text: "No server is named." }
}

const isError = (value: readonly ServerState[] | RequestError): value is RequestError => "code" in value

export const request = (draft: Draft, command: Of<"request">): void => {
  const { mode = { kind: "keep" } } = command
  for (const { server, nonce, saved } of wayOf(draft, command, mode) ?? [])
    put(draft, newLease(draft, server, command.id, command.request, mode, nonce, saved))
}

/** Deletes what an earlier run has mapped. Its suggestion says nothing, and neither does what is left of it (C-132). */
export const remove = (draft: Draft, command: Of<"delete">): void => {
  const { id, request: wanted } = command
  if (wanted.kind === "outbound") {
    refuse(draft, id, {
      code: "contradiction",
      text: "An outbound mapping cannot be deleted: it ends by itself (RFC 6887 12.1).",
    })
    return
  }
  const mode = { kind: "once" } as const
  for (const { server, nonce, saved } of wayOf(draft, command, mode) ?? []) {
    const lease = newLease(draft, server, id, wanted, mode, nonce, saved)
    put(draft, {
      ...lease,
      protocol: saved?.protocol ?? lease.protocol,
      goal: "delete",
      grant: undefined,
      urgent: false,
    })
  }
}

/** A server that a command is for, and what the caller knows of the mapping there. */
interface WayOfCommand {
  readonly server: ServerState
  readonly nonce: Lease["nonce"] | undefined
  readonly saved: SavedLease | undefined
}

/** Where a command goes; `undefined`: it was refused. */
const wayOf = (
  draft: Draft,
  command: Of<"request"> | Of<"delete">,
  mode: Lease["mode"],
): readonly WayOfCommand[] | undefined => {
  const { id, request: wanted, nonce, resume = [] } = command
  const refused = (error: RequestError): undefined => {
    refuse(draft, id, error)
    return undefined
  }
  const error = checkRequest(wanted) ?? checkCommand(draft, id, mode)
  if (error !== undefined) return refused(error)
  const servers = serversOf(draft, command.servers)
  if (isError(servers)) return refused(servers)
  const suited = servers.filter((server) => isSuited(server, wanted))
  if (suited.length === 0)
    return refused({
      code: "server",
      text: "No server has the addresses' family in common with the request.",
    })
  if (nonce !== undefined && suited.length > 1)
    return refused({
      code: "contradiction",
      text: "Each server has another nonce (RFC 6887 11.2): give one for one server.",
    })
  return suited.map((server) => {
    const saved = resume.find((one) => one.server === server.server.name)
    return { server, nonce: nonce ?? saved?.nonce, saved }
  })
}

const checkCommand = (draft: Draft, id: string, mode: Lease["mode"]): RequestError | undefined => {
  if (id === "") return { code: "id", text: "An id is some text." }
  if ([...draft.tasks.values()].some((task) => task.id === id)) return { code: "id", text: `Id ${id} is in use.` }
  if (draft.stopping) return { code: "contradiction", text: "The client is stopping." }
  if (mode.kind === "repeat" && !(Number.isInteger(mode.times) && mode.times >= 0))
    return { code: "range", text: `${mode.times} renewals are none.` }
  return undefined
}

/** RFC 6887 section 12: a peer is reached over its own family; an internal address is the client's own. */
const isSuited = (server: ServerState, wanted: Of<"request">["request"]): boolean => {
  const { client } = endOf(server)
  if (wanted.thirdParty !== undefined) return true
  return wanted.kind !== "outbound" || isAny(client) || familyOf(wanted.remote) === familyOf(client)
}

/** A mapping to ask a server for, or one that an earlier run had there. */
const newLease = (
  draft: Draft,
  server: ServerState,
  id: string,
  wanted: Lease["request"],
  mode: Lease["mode"],
  given: Lease["nonce"] | undefined,
  saved: SavedLease | undefined,
): Lease => {
  const { now, settings } = draft
  const { client } = endOf(server)
  const [nonce, random] =
    given === undefined
      ? nonceFor(draft.random, settings.nonces, server.server.name, client, wanted)
      : [given, draft.random]
  draft.random = random
  const lease: Lease = {
    ...newTask(draft, server, id),
    kind: "lease",
    request: wanted,
    mode,
    goal: "hold",
    nonce,
    grant: undefined,
    last: undefined,
    urgent: false,
    slot: 0,
    renewals: 0,
    heldUntil: Number.NEGATIVE_INFINITY,
    suggestsInternal: false,
    state: { kind: "requested" },
    client,
  }
  tell(draft, { type: "state", id, server: lease.server, state: lease.state })
  if (saved?.external === undefined) return lease
  const { external, externalPort, remaining, protocol } = saved
  if (!(remaining > 0)) return { ...lease, last: { external, externalPort } }
  const lifetime = Math.min(remaining, settings.lifetimeCeiling)
  const grant: Grant = {
    external,
    isWhole: true,
    externalPort,
    lifetime,
    at: now,
    until: now + lifetime * 1000,
    ports: 1,
    prefixes: [],
  }
  // Nobody knows what became of it since: it is renewed at once.
  return { ...lease, protocol, grant, urgent: true }
}

const leasesNamed = (draft: Draft, id: string): readonly Lease[] =>
  [...draft.tasks.values()].filter((task): task is Lease => task.kind === "lease" && task.id === id)

/** The mappings of that id, or a `refused` event. */
const named = (draft: Draft, id: string): readonly Lease[] => {
  const leases = leasesNamed(draft, id)
  if (leases.length === 0) refuse(draft, id, { code: "id", text: `No mapping is called ${id}.` })
  return leases
}

export const renew = (draft: Draft, { id, lifetime }: Of<"renew">): void => {
  const leases = named(draft, id)
  for (const lease of leases) {
    if (lease.goal === "delete") continue
    const request = lifetime === undefined ? lease.request : { ...lease.request, lifetime }
    const error = checkRequest(request)
    if (error !== undefined) {
      refuse(draft, id, error)
      return
    }
    const due = Math.max(draft.now, lease.lastSent + RENEWAL_GAP)
    put(draft, { ...lease, request, urgent: true, due: Math.min(due, Math.max(lease.due, draft.now)) })
  }
}

/** Deletes a mapping at its server; one that was never asked for is just forgotten. */
export const revokeLease = (draft: Draft, lease: Lease): void => {
  if (lease.request.kind === "outbound") {
    dropLease(draft, lease)
    return
  }
  if (lease.goal === "delete") return
  if (lease.lastSent === Number.NEGATIVE_INFINITY && lease.grant === undefined) {
    end(draft, enter(draft, lease, { kind: "revoked", answered: false }))
    return
  }
  if (draft.servers.get(lease.server)?.natPmpTask === lease.key)
    setServer(draft, lease.server, { natPmpTask: undefined })
  put(draft, { ...lease, goal: "delete", exchange: undefined, urgent: false, due: draft.now, heldUntil: draft.now })
}

export const dropLease = (draft: Draft, lease: Lease): void => end(draft, enter(draft, lease, { kind: "dropped" }))

export const revoke = (draft: Draft, { id }: Of<"revoke">): void => {
  for (const lease of named(draft, id)) revokeLease(draft, lease)
}

export const drop = (draft: Draft, { id }: Of<"drop">): void => {
  for (const lease of named(draft, id)) dropLease(draft, lease)
}

/** `announce`, `external-address` and `unmap-all`, at each server. */
export const errand = (draft: Draft, command: Of<"announce" | "external-address" | "unmap-all">): void => {
  const { id } = command
  const servers = serversOf(draft, command.servers)
  if (isError(servers)) {
    refuse(draft, id, servers)
    return
  }
  if (id === "" || [...draft.tasks.values()].some((task) => task.id === id)) {
    refuse(draft, id, { code: "id", text: id === "" ? "An id is some text." : `Id ${id} is in use.` })
    return
  }
  for (const server of servers) {
    const task = newTask(draft, server, id)
    switch (command.type) {
      case "announce":
        put(draft, { ...task, kind: "probe", tries: Math.max(1, command.tries ?? PROBE_TRIES) })
        break
      case "external-address":
        put(draft, { ...task, kind: "address", protocol: "nat-pmp" })
        break
      case "unmap-all":
        put(draft, { ...task, kind: "unmap-all", protocol: "nat-pmp", transport: command.transport })
    }
  }
}

export const stop = (draft: Draft, { revoke: deletes }: Of<"stop">): void => {
  draft.stopping = true
  for (const task of [...draft.tasks.values()]) {
    if (task.kind !== "lease") {
      end(draft, task)
      continue
    }
    if (deletes) revokeLease(draft, task)
    else dropLease(draft, task)
  }
}
