import type { OpenedPacket } from "../open/index.ts"
import type { Session } from "../session/index.ts"

/** The groups of the gallery, in their order. */
export const EXAMPLE_GROUPS = [
  "first",
  "opcodes",
  "options",
  "errors",
  "NAT-PMP",
  "authentication",
  "flows",
  "overlays",
  "broken routers",
  "broken packets",
  "sessions",
] as const

export type ExampleGroup = (typeof EXAMPLE_GROUPS)[number]

interface Titled {
  /** Stable, for links: `map-request`. */
  readonly id: string
  readonly group: ExampleGroup
  readonly title: string
  /** One line: why somebody would look at it, with the RFC or the report that it is from. */
  readonly why: string
}

/** Something ready to look at: packets, or a session to replay. Made when it is asked for. */
export type Example =
  | (Titled & { readonly kind: "packets"; readonly packets: () => readonly OpenedPacket[] })
  | (Titled & { readonly kind: "session"; readonly session: () => Session })
