import { fullBudget } from "./budget.ts"
import type { Draft } from "./draft.ts"
import { firstProtocol, type ServerState } from "./server.ts"
import { type Task, taskKey } from "./task.ts"

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
