import { counted } from "../change.ts"
import type { CgnState } from "../layout.ts"
import type { IpPacket } from "../packet/index.ts"
import { type Out, type Passed, type Reason, reasonIndex, type Side } from "../passage.ts"
import { allowError } from "./credit.ts"
import { NOTHING_WAITS, nextLate, withSyn } from "./late.ts"

/** A packet that goes no further. */
type Refused = Extract<Out, { readonly reason: Reason }>

/** It is counted, and that is all; `next`: when `sendLate` has something to do because of it. */
export const lost = (state: CgnState, out: Refused, next?: number): Passed<CgnState> => ({
  state,
  out,
  changes: [counted("packet", reasonIndex(out.reason))],
  next,
})

/**
 * The same of one whose sender is told, if the settings have an ICMP error sent on that side and so often; or may be told later,
 * of a SYN that nobody asked for.
 */
export const refuse = (state: CgnState, out: Refused, packet: IpPacket, side: Side, now: number): Passed<CgnState> => {
  const { config } = state
  const waiting = state.waiting ?? NOTHING_WAITS
  if (out.kind === "returned") {
    const { ok, credit } = allowError(config.translation, waiting.credit, side, now)
    return ok
      ? lost({ ...state, waiting: { ...waiting, credit } }, out)
      : lost(state, { kind: "dropped", reason: out.reason })
  }
  if (side !== "outside" || (out.reason !== "no-mapping" && out.reason !== "filtered")) return lost(state, out)
  const after = withSyn(waiting, config, packet, now)
  return after === waiting ? lost(state, out) : lost({ ...state, waiting: after }, out, nextLate(after, config))
}
