import { type Draft, end, enter, put, setServer, tell, writableWanted } from "./draft.ts"
import type { Command, SavedLease } from "./input.ts"
import { checkRequest, isPort, ownRequest, type RequestError } from "./request.ts"
import { RENEWAL_GAP } from "./schedule.ts"
import type { ServerState } from "./server.ts"
import { isSuited, newLease, newTask } from "./start.ts"
import type { Lease } from "./task.ts"

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
  for (const name of new Set(names)) {
    const server = draft.servers.get(name)
    if (server === undefined) return { code: "server", text: `No server is called ${name}.` }
    servers.push(server)
  }
  return servers.length > 0 ? servers : { code: "server", text: "No server is named." }
}

const isError = (value: readonly ServerState[] | RequestError): value is RequestError => "code" in value

export const request = (draft: Draft, command: Of<"request">): void => {
  const { id, mode = { kind: "keep" } } = command
  const ways = waysOf(draft, command, mode)
  if (ways === undefined) return
  const wanted = ownRequest(command.request)
  if (command.servers === undefined && mode.kind === "keep") writableWanted(draft).set(id, wanted)
  for (const { server, nonce, saved } of ways) put(draft, newLease(draft, server, id, wanted, { mode, nonce, saved }))
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
  for (const { server, nonce, saved } of waysOf(draft, command, mode) ?? []) {
    const lease = newLease(draft, server, id, ownRequest(wanted), { mode, nonce, saved })
    // One of NAT-PMP is NAT-PMP's to delete, however little is left of it.
    const isOpen = (server.server.protocol ?? "auto") === "auto"
    const protocol = isOpen && saved !== undefined ? saved.protocol : lease.protocol
    put(draft, { ...lease, protocol, goal: "delete", grant: undefined, urgent: undefined })
  }
}

/** A server that a command is for, and what the caller knows of the mapping there. */
interface Way {
  readonly server: ServerState
  readonly nonce: Lease["nonce"] | undefined
  readonly saved: SavedLease | undefined
}

/** Where a command goes; `undefined`: it was refused. */
const waysOf = (
  draft: Draft,
  command: Of<"request"> | Of<"delete">,
  mode: Lease["mode"],
): readonly Way[] | undefined => {
  const { id, request: wanted, nonce, resume = [] } = command
  const refused = (error: RequestError): undefined => {
    refuse(draft, id, error)
    return undefined
  }
  const error = checkRequest(wanted) ?? checkId(draft, id) ?? checkMode(mode) ?? checkSaved(resume)
  if (error !== undefined) return refused(error)
  const servers = serversOf(draft, command.servers)
  if (isError(servers)) return refused(servers)
  const suited = servers.filter((server) => isSuited(server, wanted))
  if (suited.length === 0) return refused(unsuited(wanted))
  if (nonce !== undefined && suited.length > 1)
    return refused({
      code: "contradiction",
      text: "Each server has another nonce (RFC 6887 11.2): give one for one server.",
    })
  return suited.map((server) => {
    const saved = resume.find((one) => one.server === server.server.name)
    return { server, nonce, saved }
  })
}

const unsuited = ({ thirdParty }: Lease["request"]): RequestError =>
  thirdParty === undefined
    ? { code: "server", text: "No server has the addresses' family in common with the request." }
    : { code: "contradiction", text: "The third party is the client itself: leave THIRD_PARTY out (RFC 6887 13.1)." }

const checkId = (draft: Draft, id: string): RequestError | undefined => {
  if (id === "") return { code: "id", text: "An id is some text." }
  if (draft.wanted.has(id) || [...draft.tasks.values()].some((task) => task.id === id))
    return { code: "id", text: `Id ${id} is in use.` }
  if (draft.stopping) return { code: "contradiction", text: "The client is stopping." }
  return undefined
}

const checkMode = (mode: Lease["mode"]): RequestError | undefined =>
  mode.kind === "repeat" && !(Number.isInteger(mode.times) && mode.times >= 0)
    ? { code: "range", text: `${mode.times} renewals are none.` }
    : undefined

const checkSaved = (saved: readonly SavedLease[]): RequestError | undefined => {
  for (const { externalPort, remaining } of saved) {
    if (!isPort(externalPort))
      return { code: "range", text: `Saved external port ${externalPort} is none: 0 to 65535.` }
    if (!Number.isFinite(remaining))
      return { code: "range", text: `Saved remaining time ${remaining} is none: seconds.` }
  }
  return undefined
}

const leasesNamed = (draft: Draft, id: string): readonly Lease[] =>
  [...draft.tasks.values()].filter((task): task is Lease => task.kind === "lease" && task.id === id)

/** The mappings of that id, or a `refused` event. */
const named = (draft: Draft, id: string): readonly Lease[] => {
  const leases = leasesNamed(draft, id)
  if (leases.length === 0 && !draft.wanted.has(id))
    refuse(draft, id, { code: "id", text: `No mapping is called ${id}.` })
  return leases
}

export const renew = (draft: Draft, { id, lifetime }: Of<"renew">): void => {
  const leases = named(draft, id)
  const changed = <T extends Lease["request"]>(wanted: T): T =>
    lifetime === undefined ? wanted : { ...wanted, lifetime }
  const before = draft.wanted.get(id) ?? leases.at(0)?.request
  const error = before === undefined ? undefined : checkRequest(changed(before))
  if (error !== undefined) {
    refuse(draft, id, error)
    return
  }
  if (before !== undefined && draft.wanted.has(id)) writableWanted(draft).set(id, changed(before))
  for (const lease of leases)
    if (lease.goal === "hold") renewLease(draft, { ...lease, request: changed(lease.request) })
}

/** Now, but not within four seconds of the last datagram, and not while an error holds. */
const renewLease = (draft: Draft, lease: Lease): void => {
  const due = Math.max(draft.now, lease.lastSent + RENEWAL_GAP)
  put(draft, {
    ...lease,
    urgent: lease.urgent ?? "demand",
    // Retransmission begins anew where the datagrams so far were those of slots.
    exchange:
      lease.grant !== undefined && lease.urgent === undefined && lease.protocol === "pcp" ? undefined : lease.exchange,
    due: Math.min(due, Math.max(lease.due, draft.now)),
  })
}

/** Deletes a mapping at its server; one that was never asked for is just forgotten. */
const revokeLease = (draft: Draft, lease: Lease): void => {
  // A PEER mapping cannot be deleted (RFC 6887 section 12.1).
  if (lease.request.kind === "outbound") {
    dropLease(draft, lease)
    return
  }
  if (lease.goal === "delete") return
  if (lease.grant === undefined && (lease.lastSent === Number.NEGATIVE_INFINITY || isRefused(lease))) {
    end(draft, enter(draft, lease, { kind: "revoked", answered: false }))
    return
  }
  if (draft.servers.get(lease.server)?.natPmpTask === lease.key)
    setServer(draft, lease.server, { natPmpTask: undefined })
  put(draft, {
    ...lease,
    goal: "delete",
    exchange: undefined,
    urgent: undefined,
    due: draft.now,
    heldUntil: Number.NEGATIVE_INFINITY,
  })
}

/** The server's last word was that there is no such mapping. */
const isRefused = ({ exchange, heldFor }: Lease): boolean =>
  exchange === undefined && (heldFor?.kind === "result" || heldFor?.kind === "natpmp-result")

export const dropLease = (draft: Draft, lease: Lease): void => end(draft, enter(draft, lease, { kind: "dropped" }))

export const revoke = (draft: Draft, { id }: Of<"revoke">): void => {
  for (const lease of named(draft, id)) revokeLease(draft, lease)
  writableWanted(draft).delete(id)
}

export const drop = (draft: Draft, { id }: Of<"drop">): void => {
  for (const lease of named(draft, id)) dropLease(draft, lease)
  writableWanted(draft).delete(id)
}

/** `announce`, `external-address` and `unmap-all`, at each server. */
export const errand = (draft: Draft, command: Of<"announce" | "external-address" | "unmap-all">): void => {
  const { id } = command
  const tries = command.type === "announce" ? (command.tries ?? PROBE_TRIES) : PROBE_TRIES
  const isCount = Number.isInteger(tries) && tries >= 1
  const error =
    checkId(draft, id) ?? (isCount ? undefined : ({ code: "range", text: `${tries} tries are none.` } as const))
  const servers = error ?? serversOf(draft, command.servers)
  if (isError(servers)) {
    refuse(draft, id, servers)
    return
  }
  for (const server of servers) {
    const task = newTask(draft, server, id)
    switch (command.type) {
      case "announce":
        put(draft, { ...task, kind: "probe", tries })
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
  writableWanted(draft).clear()
  for (const task of [...draft.tasks.values()]) {
    if (task.kind !== "lease") {
      end(draft, task)
      continue
    }
    if (deletes) revokeLease(draft, task)
    else dropLease(draft, task)
  }
}
