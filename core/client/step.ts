import { SERVER_PORT } from "../wire/index.ts"
import { tokenAt } from "./budget.ts"
import * as command from "./command.ts"
import { closeDraft, type Draft, isUntouched, openDraft, tell } from "./draft.ts"
import type { Effect } from "./effect.ts"
import { runErrand } from "./errand.ts"
import { giveUp } from "./fail.ts"
import { tellWithoutExternal } from "./granted.ts"
import type { ClientInput } from "./input.ts"
import { runLease } from "./lease.ts"
import { changeNetwork } from "./network.ts"
import { receive } from "./receive.ts"
import { endOf } from "./server.ts"
import type { ClientState } from "./state.ts"
import type { Task } from "./task.ts"

/**
 * One step of the client: what is asked of it, a datagram, or the time. Gives the next state and what to do, in that order; the last
 * effect says when to come back. Never throws, and the state given stays valid.
 *
 * @example
 * ```ts
 * import { createClient, step } from "sallyport/client"
 * import { parse, parseAddress } from "sallyport/wire"
 *
 * const [router, own] = [parseAddress("192.0.2.1"), parseAddress("192.0.2.10")]
 * if (router === undefined || own === undefined) throw new Error("not an address")
 * const seed = crypto.getRandomValues(new Uint8Array(32))
 * const servers = [{ name: "router", ends: [{ address: router, client: own }] }]
 * const made = createClient({ seed, now: 0, servers })
 * if (!made.ok) throw new Error(made.error.text)
 *
 * const request = { kind: "inbound", protocol: 6, internalPort: 8080, lifetime: 3600 } as const
 * const [state, effects] = step(made.state, { type: "request", id: "web", request, now: 0 })
 * for (const effect of effects) {
 *   if (effect.type !== "send") continue
 *   const parsed = parse(effect.bytes)
 *   console.log(effect.destination.port, parsed.ok && parsed.packet.kind) // 5351 pcp-request
 * }
 * // Nobody answered: it is sent again when the last effect said.
 * console.log(step(state, { type: "tick", now: 5000 })[1][0]?.type) // send
 * ```
 */
export const step = (state: ClientState, input: ClientInput): readonly [ClientState, readonly Effect[]] => {
  const draft = openDraft(state, Number.isFinite(input.now) ? input.now : state.now)
  take(draft, input)
  const { wake } = state
  if (isUntouched(draft) && !draft.stopping && (wake === undefined || wake > draft.now)) return closeDraft(draft, wake)
  runDue(draft)
  tellWithoutExternal(draft)
  if (draft.stopping && draft.tasks.size === 0) {
    draft.stopping = false
    tell(draft, { type: "stopped" })
  }
  return closeDraft(draft, wakeAt(draft))
}

const take = (draft: Draft, input: ClientInput): void => {
  switch (input.type) {
    case "request":
      command.request(draft, input)
      break
    case "renew":
      command.renew(draft, input)
      break
    case "revoke":
      command.revoke(draft, input)
      break
    case "delete":
      command.remove(draft, input)
      break
    case "drop":
      command.drop(draft, input)
      break
    case "announce":
    case "external-address":
    case "unmap-all":
      command.errand(draft, input)
      break
    case "network-changed":
      changeNetwork(draft, input)
      break
    case "stop":
      command.stop(draft, input)
      break
    case "datagram":
      receive(draft, input)
      break
    case "unreachable":
      unreachable(draft, input)
      break
    case "tick":
      return
  }
}

/** What waits for an answer from there gets none (RFC 7488 section 3, RFC 6886 section 3.1). */
const unreachable = (draft: Draft, { address, port }: Extract<ClientInput, { type: "unreachable" }>): void => {
  for (const { server } of [...draft.servers.values()]) {
    for (const { key } of [...draft.tasks.values()]) {
      const task = draft.tasks.get(key)
      const now = draft.servers.get(server.name)
      if (now === undefined || task?.server !== server.name || task.exchange === undefined) continue
      const used = endOf(now)
      if (used.address === address && (used.port ?? SERVER_PORT) === port)
        giveUp(draft, task, now, { kind: "unreachable" })
    }
  }
}

/** Passes over what is due: a task that ends may let another one go. */
const PASSES = 8

const runDue = (draft: Draft): void => {
  for (let pass = 0; pass < PASSES; pass++) {
    const due = [...draft.tasks.values()]
      .filter((task) => dueOf(draft, task) <= draft.now)
      .sort((one, other) => one.due - other.due)
    if (due.length === 0) return
    for (const { key } of due) {
      const task = draft.tasks.get(key)
      if (task !== undefined && dueOf(draft, task) <= draft.now) run(draft, task)
    }
  }
}

/**
 * When something can be done for a task, milliseconds: not before another NAT-PMP request at that server is over (RFC 6886
 * section 3.1, N-20), nor before the server's budget has room; those that wait for it come in the order in which they were due.
 * But a mapping ends when it ends.
 */
const dueOf = ({ servers, settings }: Draft, task: Task): number => {
  const server = servers.get(task.server)
  if (server === undefined) return task.due
  const { natPmpTask: busy, budget } = server
  const isQueued = task.protocol === "nat-pmp" && busy !== undefined && busy !== task.key
  const due = isQueued ? Number.POSITIVE_INFINITY : Math.max(task.due, tokenAt(budget, settings.serverBudget))
  return task.kind === "lease" && task.grant !== undefined && due > task.due
    ? Math.min(due, Math.max(task.due, task.grant.until))
    : due
}

const run = (draft: Draft, task: Task): void => {
  const server = draft.servers.get(task.server)
  if (server === undefined) return
  if (task.kind === "lease") runLease(draft, task, server)
  else runErrand(draft, task, server)
}

const wakeAt = (draft: Draft): number | undefined => {
  let at = Number.POSITIVE_INFINITY
  for (const task of draft.tasks.values()) at = Math.min(at, dueOf(draft, task))
  return at === Number.POSITIVE_INFINITY ? undefined : Math.max(at, draft.now)
}
