import type { Assigned, MappingState } from "./event.ts"
import { assignedOf } from "./granted.ts"
import type { MappingRequest } from "./request.ts"
import type { ClientState } from "./state.ts"

/** One mapping at one server. */
export interface ListedMapping {
  /** The request's. */
  readonly id: string
  /** The server's name. */
  readonly server: string
  /** What is asked for. */
  readonly request: MappingRequest
  /** Where it stands. */
  readonly state: MappingState
  /** What is granted; `undefined`: nothing, or not all of it is known yet, or it is not yet known whether it still is. */
  readonly mapping: Assigned | undefined
}

/** What the client wants and has, one a mapping and server: partial success is there to see. */
export const listLeases = (state: ClientState): readonly ListedMapping[] =>
  [...state.tasks.values()].flatMap((task) => {
    if (task.kind !== "lease") return []
    const { id, server, request, grant, isTold } = task
    const mapping = isTold && grant?.isWhole ? assignedOf(task, grant) : undefined
    return [{ id, server, request, state: task.state, mapping }]
  })
