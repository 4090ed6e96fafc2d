import { fullBudget } from "./budget.ts"
import { type Draft, put } from "./draft.ts"
import { firstProtocol, type ServerState } from "./server.ts"
import { type Task, taskKey } from "./task.ts"

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
