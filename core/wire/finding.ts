/**
 * How bad it is:
 * - `error`: the receiver must refuse or ignore the packet, or cannot do what it says.
 * - `warning`: the sender breaks a rule that receivers bear with, or asks for trouble.
 * - `note`: legal, and worth knowing.
 */
export type Severity = "error" | "warning" | "note"

/** One remark on a packet. */
export interface Finding {
  /** How bad it is. */
  readonly severity: Severity
  /** Short and stable, for programs: `filter-prefix`. */
  readonly code: string
  /** The octet of the packet that it is about. */
  readonly offset: number
  /** The rule, as `RFC 6887 13.3`. */
  readonly clause: string
  /** One sentence for people. */
  readonly text: string
}

/** Where the checks of one packet put what they find: called with severity, code, offset, clause and text. */
export type Report = (severity: Severity, code: string, offset: number, clause: string, text: string) => void
