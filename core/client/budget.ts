import type { SendRate } from "./settings.ts"

/** A bucket as it was at `at`, milliseconds: full to begin with. */
export interface Budget {
  readonly tokens: number
  readonly at: number
}

export const fullBudget = ({ burst }: SendRate, now: number): Budget => ({ tokens: burst, at: now })

const refilled = (budget: Budget, { perSecond, burst }: SendRate, now: number): number =>
  Math.min(burst, budget.tokens + (Math.max(0, now - budget.at) * perSecond) / 1000)

/** The bucket with one token less, or when there will be one, milliseconds. */
export const spend = (
  budget: Budget,
  rate: SendRate,
  now: number,
): { readonly ok: true; readonly budget: Budget } | { readonly ok: false; readonly at: number } => {
  const tokens = refilled(budget, rate, now)
  return tokens >= 1
    ? { ok: true, budget: { tokens: tokens - 1, at: Math.max(now, budget.at) } }
    : { ok: false, at: now + Math.ceil(((1 - tokens) * 1000) / rate.perSecond) }
}

/** When there is one, milliseconds, on or before its time; where there is one already, before all times. */
export const tokenAt = ({ tokens, at }: Budget, { perSecond }: SendRate): number =>
  tokens >= 1 ? Number.NEGATIVE_INFINITY : at + Math.ceil(((1 - tokens) * 1000) / perSecond)
