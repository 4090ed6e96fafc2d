import type { Side } from "../passage.ts"
import type { TranslationSettings } from "./settings.ts"

/** What is left of a token bucket: how many ICMP errors, in thousandths of one, may be sent at an instant, milliseconds. */
export interface Credit {
  readonly thousandths: number
  readonly at: number
}

/**
 * May the CGN send an ICMP error of its own on a side now? Not where the settings keep that side free of them (RFC 5508 REQ-9),
 * nor more of them than their rate (RFC 1812 section 4.3.2.8, RFC 6888 REQ-11).
 */
export const allowError = (
  { ownErrors, errorRate }: TranslationSettings,
  before: Credit | undefined,
  side: Side,
  now: number,
): { readonly ok: boolean; readonly credit: Credit | undefined } => {
  if (!ownErrors[side]) return { ok: false, credit: before }
  const { perSecond, burst } = errorRate
  if (before === undefined) return { ok: true, credit: { thousandths: (burst - 1) * 1000, at: now } }
  const at = Math.max(now, before.at)
  const left = Math.min(burst * 1000, before.thousandths + (at - before.at) * perSecond) - 1000
  return left < 0 ? { ok: false, credit: before } : { ok: true, credit: { thousandths: left, at } }
}
