import type { SavedLease } from "./input.ts"
import type { MappingRequest } from "./request.ts"
import type { ClientState } from "./state.ts"
import type { Mode } from "./task.ts"

/** A mapping as a restarted program needs it to renew and delete it: `request` with `resume` takes it up again. */
export interface SavedMapping {
  /** Its name in commands and events. */
  readonly id: string
  /** What was asked for. */
  readonly request: MappingRequest
  /** How long it was to be kept. */
  readonly mode: Mode
  /** None: it is kept, and there is no server to keep it at. */
  readonly leases: readonly SavedLease[]
}

/** All mappings at `now`, milliseconds, with their nonces, which are secrets: who has one can delete the mapping. */
export const saveMappings = (state: ClientState, now: number): readonly SavedMapping[] => {
  const saved = new Map<string, SavedMapping>()
  for (const [id, request] of state.wanted) saved.set(id, { id, request, mode: { kind: "keep" }, leases: [] })
  for (const task of state.tasks.values()) {
    if (task.kind !== "lease" || task.goal === "delete") continue
    const { id, request, mode, server, protocol, nonce, grant, last } = task
    const lease: SavedLease = {
      server,
      protocol,
      nonce,
      external: (grant ?? last)?.external,
      externalPort: (grant ?? last)?.externalPort ?? 0,
      remaining: grant === undefined ? 0 : Math.max(0, Math.floor((grant.until - now) / 1000)),
    }
    saved.set(id, { id, request, mode, leases: [...(saved.get(id)?.leases ?? []), lease] })
  }
  return [...saved.values()]
}
