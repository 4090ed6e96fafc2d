import type { Side } from "../passage.ts"
import type { TranslationSettings } from "./settings.ts"

/** What is left of a token bucket: how many ICMP errors may be sent at an instant, milliseconds. */
export interface Credit {
  readonly errors: number
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
  const since = before === undefined ? 0 : Math.max(0, now - before.at)
  const errors = before === undefined ? burst : Math.min(burst, before.errors + (since * perSecond) / 1000)
  return errors < 1
    ? { ok: false, credit: before }
    : { ok: true, credit: { errors: errors - 1, at: before === undefined ? now : Math.max(now, before.at) } }
}
