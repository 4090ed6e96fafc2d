import { fullBudget } from "./budget.ts"
import { dropLease } from "./command.ts"
import { type Draft, end, put, replaceServers, tell } from "./draft.ts"
import type { Command } from "./input.ts"
import { askAnew } from "./lease.ts"
import { nonceFor } from "./nonce.ts"
import { type ClientServer, endOf, newServer, type ServerState } from "./server.ts"
import { newTask } from "./start.ts"
import { checkServers } from "./state.ts"
import type { Lease } from "./task.ts"

/**
 * Other servers, other own addresses, or the same ones after a cable was out. Mappings of a server that is gone are dropped, those
 * of one that stays are renewed, and what is mapped everywhere is asked of a new one too. What was learned of versions and errors
 * is forgotten (RFC 6887 section 8.3, RFC 6886 section 3.1); budgets are not.
 */
export const changeNetwork = (draft: Draft, { servers }: Extract<Command, { type: "network-changed" }>): void => {
  const error = checkServers(servers)
  if (error !== undefined) {
    tell(draft, { type: "refused", id: undefined, error: { code: "server", text: `${error.text}.` } })
    return
  }
  const before = draft.servers
  replaceServers(
    draft,
    new Map(servers.map((server) => [server.name, knownServer(draft, before.get(server.name), server)])),
  )
  const wanted = everywhere(draft, before)
  for (const task of [...draft.tasks.values()]) {
    const server = draft.servers.get(task.server)
    if (server === undefined) {
      if (task.kind === "lease") dropLease(draft, task)
      else {
        end(draft, task)
        if (task.id !== "")
          tell(draft, { type: "failed", id: task.id, server: task.server, failure: { kind: "unreachable" } })
      }
    } else if (task.kind === "lease") moveLease(draft, task, server)
    else
      put(draft, {
        ...task,
        ...newTask(draft, server, task.id),
        protocol: task.protocol,
        budget: task.budget,
        lastSent: task.lastSent,
      })
  }
  for (const lease of wanted)
    for (const server of draft.servers.values()) if (!before.has(server.server.name)) copyLease(draft, lease, server)
}

const knownServer = (draft: Draft, known: ServerState | undefined, server: ClientServer): ServerState => {
  const fresh = newServer(server, known?.budget ?? fullBudget(draft.settings.serverBudget, draft.now))
  if (known === undefined || JSON.stringify(known.server.ends) !== JSON.stringify(server.ends)) return fresh
  const { end: used, pcpEpoch, natPmpEpoch, external, lostAt, losses } = known
  return { ...fresh, end: used, pcpEpoch, natPmpEpoch, external, lostAt, losses }
}

/** One lease of each mapping that is at every server: those of a mapping for some servers alone stay there. */
const everywhere = (draft: Draft, before: ReadonlyMap<string, ServerState>): readonly Lease[] => {
  const byId = new Map<string, Lease[]>()
  for (const task of draft.tasks.values())
    if (task.kind === "lease" && task.goal === "hold") byId.set(task.id, [...(byId.get(task.id) ?? []), task])
  return [...byId.values()].flatMap((leases) => (leases.length >= before.size ? leases.slice(0, 1) : []))
}

const moveLease = (draft: Draft, lease: Lease, server: ServerState): void => {
  const { client } = endOf(server)
  const free: Lease = { ...lease, heldUntil: Number.NEGATIVE_INFINITY, exchange: undefined }
  if (lease.goal === "delete") {
    // What was mapped for another address of ours cannot be deleted from this one.
    if (lease.client !== client) dropLease(draft, lease)
    else put(draft, { ...free, due: draft.now })
    return
  }
  if (lease.client === client && lease.grant !== undefined) {
    put(draft, { ...free, urgent: true, due: draft.now })
    return
  }
  if (lease.client === client) {
    askAnew(draft, free, server, 0)
    return
  }
  // Another internal address is another mapping (RFC 6887 section 11.5), with a nonce of its own.
  const [nonce, random] = nonceFor(draft.random, draft.settings.nonces, lease.server, client, lease.request)
  draft.random = random
  askAnew(draft, { ...free, nonce }, server, 0)
}

const copyLease = (draft: Draft, lease: Lease, server: ServerState): void => {
  const { client } = endOf(server)
  const { name } = server.server
  const [nonce, random] = nonceFor(draft.random, draft.settings.nonces, name, client, lease.request)
  draft.random = random
  const state = { kind: "requested" } as const
  tell(draft, { type: "state", id: lease.id, server: name, state })
  put(draft, {
    ...lease,
    ...newTask(draft, server, lease.id),
    nonce,
    grant: undefined,
    last: undefined,
    urgent: false,
    slot: 0,
    renewals: 0,
    heldUntil: Number.NEGATIVE_INFINITY,
    state,
    client,
  })
}
