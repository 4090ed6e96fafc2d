import { familyOf, isAny } from "../wire/index.ts"
import { fullBudget } from "./budget.ts"
import { type Draft, put, tell } from "./draft.ts"
import type { SavedLease } from "./input.ts"
import { nonceFor } from "./nonce.ts"
import type { MappingRequest } from "./request.ts"
import { endOf, firstProtocol, type ServerState } from "./server.ts"
import { type Grant, type Lease, type Task, taskKey } from "./task.ts"

/** Asks a NAT-PMP gateway for its external address at an instant, milliseconds, if that is not under way already. */
export const askAddress = (draft: Draft, name: string, due: number): void => {
  const server = draft.servers.get(name)
  if (server === undefined || draft.tasks.has(taskKey(name, ""))) return
  put(draft, { ...newTask(draft, server, ""), kind: "address", protocol: "nat-pmp", due })
}

/** What every task has when it begins: due at once. */
export const newTask = (
  draft: Draft,
  server: ServerState,
  id: string,
): Pick<Task, "key" | "id" | "server" | "protocol" | "exchange" | "due" | "lastSent" | "budget" | "switches"> => ({
  key: taskKey(server.server.name, id),
  id,
  server: server.server.name,
  protocol: firstProtocol(server, draft.now),
  exchange: undefined,
  due: draft.now,
  lastSent: Number.NEGATIVE_INFINITY,
  budget: fullBudget(draft.settings.mappingBudget, draft.now),
  switches: 0,
})

/**
 * Can this server be asked for it? A peer is reached over its own family (RFC 6887 section 12), and nobody is a third party to
 * himself (section 13.1, C-100).
 */
export const isSuited = (server: ServerState, request: MappingRequest): boolean => {
  const { thirdParty } = request
  if (thirdParty !== undefined) return server.server.ends.every(({ client }) => client !== thirdParty)
  if (request.kind !== "outbound") return true
  const { client } = endOf(server)
  return isAny(client) || familyOf(request.remote) === familyOf(client)
}

/** What a new mapping may bring along. */
export interface LeaseStart {
  readonly mode: Lease["mode"]
  readonly nonce?: Lease["nonce"] | undefined
  readonly saved?: SavedLease | undefined
}

/** A mapping to ask a server for, or one that an earlier run had there. */
export const newLease = (
  draft: Draft,
  server: ServerState,
  id: string,
  request: MappingRequest,
  { mode, nonce: given, saved }: LeaseStart,
): Lease => {
  const { client } = endOf(server)
  const known = given ?? saved?.nonce
  const [nonce, random] =
    known === undefined
      ? nonceFor(draft.random, draft.settings.nonces, server.server.name, client, request)
      : [known, draft.random]
  draft.random = random
  const lease: Lease = {
    ...newTask(draft, server, id),
    kind: "lease",
    request,
    mode,
    goal: "hold",
    nonce,
    grant: undefined,
    last: undefined,
    urgent: undefined,
    slot: 0,
    renewals: 0,
    heldUntil: Number.NEGATIVE_INFINITY,
    heldFor: undefined,
    isTold: false,
    suggestsInternal: false,
    state: { kind: "requested" },
    client,
  }
  tell(draft, { type: "state", id, server: lease.server, state: lease.state })
  return saved === undefined ? lease : resumed(draft, lease, server, saved)
}

/** Goes on with a mapping. Nobody knows what became of it since it was saved: it is renewed at once. */
const resumed = (draft: Draft, lease: Lease, server: ServerState, saved: SavedLease): Lease => {
  const { now, settings } = draft
  const { external, externalPort, remaining } = saved
  if (external === undefined) return lease
  if (remaining <= 0) return { ...lease, last: { external, externalPort } }
  const lifetime = Math.min(remaining, settings.lifetimeCeiling)
  const grant: Grant = {
    external,
    isWhole: true,
    externalPort,
    internalPort: lease.request.internalPort,
    lifetime,
    at: now,
    until: now + lifetime * 1000,
    ports: 1,
    prefixes: [],
  }
  const { protocol = "auto" } = server.server
  return { ...lease, protocol: protocol === "auto" ? saved.protocol : protocol, grant, urgent: "loss" }
}
