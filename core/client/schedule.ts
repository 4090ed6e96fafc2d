import type { ClientSettings } from "./settings.ts"

/** Renewals are never closer than this, milliseconds (RFC 6887 section 11.2.1). */
export const RENEWAL_GAP = 4000

/**
 * Milliseconds until a PCP request is sent again: RFC 6887 section 8.1.1. `previous` is the last such time, `undefined` before the
 * first transmission; `random` is in [0, 1).
 */
export const retransmissionTime = (
  { initialRetransmission, retransmissionTime: longest }: ClientSettings,
  previous: number | undefined,
  random: number,
): number => {
  const most = longest === 0 ? Number.POSITIVE_INFINITY : longest * 1000
  const base = previous === undefined ? initialRetransmission * 1000 : Math.min(2 * previous, most)
  // RAND is uniform in -0.1 to +0.1.
  return (0.9 + 0.2 * random) * base
}

/** Milliseconds after the n-th transmission of a NAT-PMP request, n from 1: 250, 500, ... (RFC 6886 section 3.1, N-20). */
export const natPmpWait = ({ natPmpInterval }: ClientSettings, sent: number): number => natPmpInterval * 2 ** (sent - 1)

/**
 * When to renew for the n-th time, n from 1, milliseconds after the grant: from 1 - 2^-n of the lifetime, over 2^-(n+2) of it, so
 * 1/2 to 5/8, then 3/4 to 13/16, then 7/8 to 29/32 (RFC 6887 section 11.2.1). `lifetime` is in seconds.
 */
export const renewalTime = (lifetime: number, renewal: number, random: number): number =>
  lifetime * 1000 * (1 - 2 ** -renewal + random * 2 ** -(renewal + 2))
