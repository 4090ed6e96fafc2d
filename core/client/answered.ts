import { choose, type Draft, leasesOf, put, setServer, tell } from "./draft.ts"
import { isSilence } from "./fail.ts"
import { noteEpoch } from "./lost.ts"
import { RENEWAL_GAP } from "./schedule.ts"
import { firstProtocol } from "./server.ts"

/**
 * A server said something that is for us: it is there, in this protocol, with this Epoch Time, seconds. The end that answers is the
 * one for all that follows (RFC 7488 section 3). An announcement is no answer: addresses that send nothing else were tried all the
 * same.
 */
export const noteAnswer = (
  draft: Draft,
  name: string,
  protocol: "pcp" | "nat-pmp",
  epoch: number,
  isAnswer = true,
): void => {
  const server = draft.servers.get(name)
  if (server === undefined) return
  const { speaks, exhaustedUntil } = server
  const never = Number.NEGATIVE_INFINITY
  setServer(draft, name, {
    ...(isAnswer ? { answeredAt: draft.now, tried: 0 } : {}),
    exhaustedUntil: never,
    speaks: protocol,
    ...(protocol === "pcp" ? { natPmpUntil: never } : {}),
  })
  if (speaks !== protocol) tell(draft, { type: "speaks", server: name, protocol })
  noteEpoch(draft, name, protocol, epoch)
  const isBack = exhaustedUntil > draft.now
  const backAt = exhaustedUntil - draft.settings.exhaustedWait * 1000 + draft.settings.errorFloor * 1000
  if (isBack || (protocol === "pcp" && speaks !== "pcp"))
    release(draft, name, isBack, protocol, isBack ? backAt : draft.now)
}

/**
 * A server that was silent is back, or one that knew NAT-PMP alone speaks PCP: what waits because of that waits no longer than the
 * random delay after a loss (RFC 6886 section 3.1 discards such knowledge at an announcement), and not before `from`, milliseconds:
 * one that announces itself and refuses all that it is sent would be asked for ever.
 */
const release = (draft: Draft, name: string, isBack: boolean, protocol: "pcp" | "nat-pmp", from: number): void => {
  const server = draft.servers.get(name)
  if (server === undefined) return
  const { now, settings } = draft
  const at = Math.max(from, now + choose(draft) * settings.recoveryDelay * 1000)
  for (const lease of leasesOf(draft, name)) {
    const { heldFor, grant, urgent, lastSent } = lease
    if (heldFor === undefined || lease.goal === "delete" || lease.exchange !== undefined) continue
    if (heldFor.kind === "result" || heldFor.kind === "natpmp-result") continue
    if (!(isSilence(heldFor) ? isBack : protocol === "pcp")) continue
    if (grant !== undefined && urgent === undefined) continue
    const due = Math.min(lease.due, Math.max(at, lastSent + RENEWAL_GAP))
    put(draft, {
      ...lease,
      protocol: firstProtocol(server, now),
      heldUntil: Number.NEGATIVE_INFINITY,
      heldFor: undefined,
      due,
    })
  }
}
