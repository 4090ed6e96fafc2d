import type { Side } from "../../../core/cgn/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import type { Endpoint } from "../../../core/wire/text/index.ts"
import type { CgnConfiguration } from "./configuration.ts"

/** A packet of data as people write one; the octets are made from it. Both ends are of one family, as the sender sees them. */
export interface DataPacket {
  readonly protocol: "udp" | "tcp" | "icmp"
  /** The port of an ICMP echo is its identifier; its destination's does not count. */
  readonly source: Endpoint
  readonly destination: Endpoint
  /** Of TCP: some of `SYN`, `ACK`, `FIN`, `RST`. */
  readonly flags: readonly TcpFlagName[]
  /** Octets of payload, all zero. */
  readonly payload: number
  /** Of DS-Lite, from the inside: the B4 in whose softwire it comes. */
  readonly b4?: Address
}

export const TCP_FLAGS = ["SYN", "ACK", "FIN", "RST"] as const
export type TcpFlagName = (typeof TCP_FLAGS)[number]

/** What happens at one moment. `at` is milliseconds since the session began. */
export type SessionStep =
  | {
      readonly type: "datagram"
      readonly at: number
      readonly side: Side
      readonly source: Endpoint
      /** A UDP payload for the PCP server. */
      readonly bytes: Uint8Array
      /** What was answered when this was captured; `undefined`: not known, or nothing. */
      readonly answer?: Uint8Array
      readonly realm?: Address
    }
  | {
      readonly type: "packet"
      readonly at: number
      readonly side: Side
      readonly packet: DataPacket
      readonly realm?: Address
    }
  /** The server announces itself, as after a restart (RFC 6887 section 14.1). */
  | { readonly type: "announce"; readonly at: number }
  /** The host is gone: its mappings are deleted. */
  | { readonly type: "revoke"; readonly at: number; readonly internal: Address; readonly realm?: Address }

/** Another future of a session: a step that is tried at its instant, and what comes after it. */
export interface Try {
  /** Which future it leaves: 0 the session as it is, n the n-th of the session's tries, an earlier one. */
  readonly of: number
  readonly name: string
  readonly step: SessionStep
  /** `rest`: what the future that it leaves has after that instant. */
  readonly after: "rest" | "nothing"
}

/** A CGN and what reaches it, in the order of time. */
export interface Session {
  readonly title: string
  readonly note: string
  readonly configuration: CgnConfiguration
  readonly steps: readonly SessionStep[]
  /** Milliseconds until which it is played; `undefined`: ten minutes more than the last step. */
  readonly until?: number
  /** What was tried over it; left out: nothing. */
  readonly tries?: readonly Try[]
}

/** How long a session goes on after its last step where it does not say, milliseconds. */
export const AFTERMATH = 600_000

/** When a session ends, milliseconds. */
export const endOf = ({ steps, until }: Session): number =>
  Math.max(until ?? (steps.at(-1)?.at ?? 0) + AFTERMATH, steps.at(-1)?.at ?? 0)

/** The session with one step more, in its place; after those of the same moment. */
export const withStep = (session: Session, step: SessionStep): Session => {
  const at = session.steps.findLastIndex((one) => one.at <= step.at) + 1
  return { ...session, steps: session.steps.toSpliced(at, 0, step) }
}
