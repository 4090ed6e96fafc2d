import { choose, type Draft } from "./draft.ts"
import { RENEWAL_GAP, renewalTime } from "./schedule.ts"
import type { Lease } from "./task.ts"

/** Is it to be asked for again when it ends? */
export const isKept = ({ mode, renewals }: Pick<Lease, "mode" | "renewals">): boolean =>
  mode.kind === "keep" || (mode.kind === "repeat" && renewals < mode.times)

/** Slots of a renewal beyond which those of the longest lifetime are less than a millisecond apart. */
const MOST_SLOTS = 32

/**
 * When the mapping is renewed next, milliseconds; never closer than four seconds, and never after its end, which is when it is
 * looked at then (RFC 6887 section 11.2.1). A slot that went by unused is not made up for. NAT-PMP renews at half the lifetime
 * (RFC 6886 section 3.3, N-21).
 */
export const nextRenewal = (draft: Draft, lease: Lease): number => {
  const { grant, slot, lastSent, protocol } = lease
  if (grant === undefined) return draft.now
  if (!isKept(lease)) return grant.until
  const lifetime = (grant.until - grant.at) / 1000
  const earliest = Math.max(draft.now, lastSent + RENEWAL_GAP)
  let next = slot + 1
  while (next < MOST_SLOTS && grant.at + renewalTime(lifetime, next, 1) < earliest) next++
  const at = grant.at + renewalTime(lifetime, next, protocol === "pcp" ? choose(draft) : 0)
  return Math.min(grant.until, Math.max(at, earliest))
}
