/** How the command ends: one table for all its subcommands. */
export const Exit = {
  DONE: 0,
  /** Wrong usage or configuration, or input that cannot be read. */
  USAGE: 1,
  TIMEOUT: 2,
  /** The peer refused for a short while (RFC 6887 section 7.4). */
  SHORT_ERROR: 3,
  /** Refused by the peer, a long-lifetime error, or a conformance failure. */
  FAILED: 4,
  PARTLY: 5,
} as const

export type ExitCode = (typeof Exit)[keyof typeof Exit]

export const EXIT_HELP = `
Exit codes:
  0  done
  1  wrong usage or configuration, or input that cannot be read
  2  time-out
  3  refused for a short while (short-lifetime error)
  4  failed: refused by the peer, long-lifetime error, or a conformance failure
  5  partly done`
