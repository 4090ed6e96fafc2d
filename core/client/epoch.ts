/** The Epoch Time that a server sent last, seconds, and the client's whole seconds then. */
export interface EpochMark {
  /** The server's Epoch Time, seconds. */
  readonly server: number
  /** The client's clock, whole seconds. */
  readonly client: number
}

/**
 * Is this Epoch Time what a server that lost no state would send? RFC 6887 section 8.5, in integers (C-140).
 *
 * RFC ambiguity 15: within the tolerance of one second the server's time may have gone backwards, and the difference, which the RFC
 * computes unsigned, is 0 then.
 */
export const isPcpEpochValid = (mark: EpochMark | undefined, server: number, client: number): boolean => {
  if (mark === undefined) return true
  if (server + 1 < mark.server) return false
  const clientDelta = Math.max(0, client - mark.client)
  const serverDelta = Math.max(0, server - mark.server)
  return (
    clientDelta + 2 >= serverDelta - Math.floor(serverDelta / 16) &&
    serverDelta + 2 >= clientDelta - Math.floor(clientDelta / 16)
  )
}

/** The same for NAT-PMP: not more than 2 s under the last one and 7/8 of the time since (RFC 6886 section 3.6, N-22). */
export const isNatPmpEpochValid = (mark: EpochMark | undefined, server: number, client: number): boolean =>
  mark === undefined || server >= mark.server + (7 * Math.max(0, client - mark.client)) / 8 - 2
