import type { Address } from "../wire/index.ts"
import type { FlowErrorName } from "./failure.ts"
import type { QosSpec } from "./qos.ts"

/** The socket of the layer's own port, which all datagrams of today's form and the requests of the first one come to. */
export const LAYER_SOCKET = 0

/** An end of datagrams. */
export interface FlowEnd {
  /** IPv4 is IPv4-mapped. */
  readonly address: Address
  /** 1 to 65535. */
  readonly port: number
}

/** What a flow's owner is told. A flow is named by its own endpoint id. */
export type FlowEvent =
  /** Somebody asks for a flow to `name`; answer with `respond`. `data` came with it. */
  | {
      readonly type: "request"
      readonly flow: number
      readonly name: string
      readonly qos: QosSpec
      readonly data: Uint8Array
      readonly peer: FlowEnd
    }
  /** The flow is there. `data` came with the reply, or with the request that was accepted at once. */
  | { readonly type: "allocated"; readonly flow: number; readonly data: Uint8Array; readonly peer: FlowEnd }
  /** The other side refused, with that response; `error`, if the number has a name. */
  | {
      readonly type: "refused"
      readonly flow: number
      readonly response: number
      readonly error: FlowErrorName | undefined
    }
  /** Nothing came of it: EPERM or ETIMEDOUT for time, EPIPE where the name or the process went, EIPCP where there is no socket. */
  | { readonly type: "failed"; readonly flow: number; readonly error: FlowErrorName }
  /** A message. Its octets are a view of the datagram: valid until the next step. */
  | { readonly type: "data"; readonly flow: number; readonly data: Uint8Array }
  /** An allocated flow is no more: EFLOWPEER for silence, EFLOWDOWN where its socket went. */
  | { readonly type: "down"; readonly flow: number; readonly error: FlowErrorName }
  /** Its endpoint id is free again. */
  | { readonly type: "destroyed"; readonly flow: number }
  /** Nobody accepts on a name to which a program is bound: start it. */
  | { readonly type: "spawn"; readonly name: string; readonly program: string }
  /** A datagram was dropped. */
  | { readonly type: "dropped"; readonly reason: FlowDrop }

/** Why datagrams are dropped. */
export const FLOW_DROPS = [
  "runt", // shorter than its form
  "malformed", // a management message that cannot be
  "wrong-source", // from another end than the flow's peer
  "unknown-eid", // for no flow
  "not-allocated", // a message for a flow that is not there yet
  "late", // a message for a flow that is no more
  "late-reply", // a reply to an allocation that is over: EBADF
  "duplicate", // a request, a reply or an echo that came before
  "unknown-name", // a request for a name that is not registered
  "no-room", // a bound of the settings is reached
] as const

/** One of {@link FLOW_DROPS}. */
export type FlowDrop = (typeof FLOW_DROPS)[number]

/** What a step wants done, in order. */
export type FlowEffect =
  /** Send from that socket. */
  | {
      readonly type: "send"
      readonly socket: number
      readonly bytes: Uint8Array
      readonly destination: FlowEnd
    }
  /** The first form: open a socket on a port of the system's choice, known by this number, for datagrams of `peer`'s family. */
  | { readonly type: "open"; readonly socket: number; readonly peer: FlowEnd }
  /** Close it. */
  | { readonly type: "close"; readonly socket: number }
  /** Make the name's label known to the directory, or take it out. */
  | { readonly type: "publish" | "withdraw"; readonly name: string; readonly label: string }
  /** What became of the command: `flow` is the flow that it is about, 0 for those of names. A `write` that succeeds has none. */
  | { readonly type: "result"; readonly ok: true; readonly flow: number }
  | { readonly type: "result"; readonly ok: false; readonly error: FlowErrorName; readonly text: string }
  | { readonly type: "event"; readonly event: FlowEvent }
  /** Come back with a tick at this instant, milliseconds; `undefined`: nothing is pending. Only where it is another one than before. */
  | { readonly type: "wake"; readonly at: number | undefined }
