import { fullBudget } from "./budget.ts"
import { dropLease } from "./command.ts"
import { type Draft, end, put, replaceServers, tell } from "./draft.ts"
import type { Command } from "./input.ts"
import { askAnew } from "./lease.ts"
import { nonceFor } from "./nonce.ts"
import { type ClientServer, endOf, newServer, type ServerState } from "./server.ts"
import { isSuited, newLease, newTask } from "./start.ts"
import { checkServers } from "./state.ts"
import { type Lease, type Task, taskKey } from "./task.ts"

/**
 * Other servers, other own addresses, or the same ones after a cable was out. Mappings of a server that is gone are dropped, those
 * of one that stays are renewed, and what is kept everywhere is asked of a new one too, also where there was none for a while. What
 * was learned of versions and errors is forgotten (RFC 6887 section 8.3, RFC 6886 section 3.1); budgets are not.
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
  for (const task of [...draft.tasks.values()]) moveTask(draft, task)
  for (const [id, request] of draft.wanted)
    for (const server of draft.servers.values())
      if (!draft.tasks.has(taskKey(server.server.name, id)) && isSuited(server, request))
        put(draft, newLease(draft, server, id, request, { mode: { kind: "keep" } }))
}

const knownServer = (draft: Draft, known: ServerState | undefined, server: ClientServer): ServerState => {
  const fresh = newServer(server, known?.budget ?? fullBudget(draft.settings.serverBudget, draft.now))
  if (known === undefined || JSON.stringify(known.server.ends) !== JSON.stringify(server.ends)) return fresh
  const { end: used, pcpEpoch, natPmpEpoch, external, lostAt, losses } = known
  return { ...fresh, end: used, pcpEpoch, natPmpEpoch, external, lostAt, losses }
}

const moveTask = (draft: Draft, task: Task): void => {
  const server = draft.servers.get(task.server)
  if (server === undefined) {
    if (task.kind === "lease") dropLease(draft, task)
    else {
      end(draft, task)
      if (task.id !== "")
        tell(draft, { type: "failed", id: task.id, server: task.server, failure: { kind: "unreachable" } })
    }
  } else if (task.kind === "lease") moveLease(draft, task, server)
  else {
    const anew = newTask(draft, server, task.id)
    const protocol = task.kind === "probe" ? anew.protocol : task.protocol
    put(draft, { ...task, ...anew, protocol, budget: task.budget, lastSent: task.lastSent })
  }
}

const moveLease = (draft: Draft, lease: Lease, server: ServerState): void => {
  const { client } = endOf(server)
  const free: Lease = {
    ...lease,
    heldUntil: Number.NEGATIVE_INFINITY,
    heldFor: undefined,
    exchange: undefined,
    switches: 0,
  }
  const isSame = lease.client === client
  // What was mapped for another address of ours cannot be deleted from this one.
  if (!isSuited(server, lease.request) || (lease.goal === "delete" && !isSame)) dropLease(draft, lease)
  else if (lease.goal === "delete") put(draft, { ...free, due: draft.now })
  else if (isSame && lease.grant !== undefined) put(draft, { ...free, urgent: "loss", due: draft.now })
  else if (isSame) askAnew(draft, free, server, 0)
  else {
    // Another internal address is another mapping (RFC 6887 section 11.5), with a nonce of its own.
    const [nonce, random] = nonceFor(draft.random, draft.settings.nonces, lease.server, client, lease.request)
    draft.random = random
    askAnew(draft, { ...free, nonce }, server, 0)
  }
}
