import type { Change } from "../../../core/cgn/index.ts"
import type { Subject } from "../../../core/server/index.ts"
import type { ServerEvent } from "../../server-machine.ts"

/**
 * The events that one of several workers tells: what they all do at once, one of them tells. Where Epoch Time begins again in one it
 * does in all, which is told then; what the administrator maps is in all of them, and its host's owner tells of it, as of a host's
 * revocation.
 */
export const toldHere = (isOwn: (subject: Subject) => boolean) => {
  const isTold = (change: Change): boolean => {
    if (change.type === "epoch-reset") return false
    if (change.type === "subscriber-reset") return isOwn(change)
    return !("mapping" in change) || change.mapping.kind !== "static" || isOwn(change.mapping)
  }
  return (events: readonly ServerEvent[]): readonly ServerEvent[] =>
    events.flatMap((event): readonly ServerEvent[] => {
      // A request changes what is its owner's alone.
      if (event.type !== "advanced") return [event]
      const changes = event.changes.filter(isTold)
      return changes.length === 0 ? [] : [{ ...event, changes }]
    })
}
