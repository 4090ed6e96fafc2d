import { choose, type Draft, freeNatPmp, leasesOf, put, setServer, tell } from "./draft.ts"
import { isNatPmpEpochValid, isPcpEpochValid } from "./epoch.ts"
import { RENEWAL_GAP } from "./schedule.ts"
import { askAddress } from "./start.ts"

/** Milliseconds that a server's second loss in a row adds to the delay; each later one doubles it, to the longest at last. */
const PENALTY = 10_000
const LONGEST_PENALTY = 640_000
/** Milliseconds without a loss, beside twice the penalty, after which one is the first again. */
const QUIET = 60_000

/**
 * Takes note of a server's Epoch Time, seconds. If it says that the server lost its state, all that the server granted is asked
 * for anew after a random 0 to 5 s (RFC 6887 sections 8.5 and 14.1.3, RFC 6886 section 3.7). A server that loses it time and
 * again is waited for longer and longer: nothing that it sends makes a storm.
 */
export const noteEpoch = (draft: Draft, name: string, protocol: "pcp" | "nat-pmp", epoch: number): void => {
  const server = draft.servers.get(name)
  if (server === undefined) return
  const client = Math.floor(draft.now / 1000)
  const mark = { server: epoch, client }
  const isValid =
    protocol === "pcp"
      ? isPcpEpochValid(server.pcpEpoch, epoch, client)
      : isNatPmpEpochValid(server.natPmpEpoch, epoch, client)
  setServer(draft, name, protocol === "pcp" ? { pcpEpoch: mark } : { natPmpEpoch: mark })
  if (!isValid) recover(draft, name, protocol)
}

/** All that was granted, also what is not renewed otherwise: that is asked for what is left of its lifetime (C-55). */
const recover = (draft: Draft, name: string, protocol: "pcp" | "nat-pmp"): void => {
  const server = draft.servers.get(name)
  if (server === undefined) return
  const { now, settings } = draft
  const before = penaltyOf(server.losses)
  const losses = now - server.lostAt < QUIET + 2 * before ? server.losses + 1 : 0
  const recoverAt = now + choose(draft) * settings.recoveryDelay * 1000 + penaltyOf(losses)
  setServer(draft, name, { lostAt: now, losses })
  tell(draft, { type: "state-lost", server: name, recoverAt })
  // What lost its mappings may have another address outside (RFC 6886 section 3.6).
  if (protocol === "nat-pmp" && server.external !== undefined) askAddress(draft, name, recoverAt)
  for (const lease of leasesOf(draft, name)) {
    if (lease.grant === undefined || lease.goal === "delete" || lease.protocol !== protocol) continue
    const due = Math.max(recoverAt, lease.lastSent + RENEWAL_GAP, lease.heldUntil)
    // Losses that never end must neither keep a mapping from being renewed until it is gone, so what is due sooner stays so, nor
    // begin the retransmissions of a server that says nothing else over and over again.
    const exchange = losses > 0 && lease.urgent === "loss" ? lease.exchange : undefined
    if (exchange === undefined) freeNatPmp(draft, lease)
    put(draft, { ...lease, urgent: "loss", exchange, due: Math.min(due, lease.due, lease.grant.until) })
  }
}

const penaltyOf = (losses: number): number =>
  losses === 0 ? 0 : Math.min(LONGEST_PENALTY, PENALTY * 2 ** (losses - 1))
