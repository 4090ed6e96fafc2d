import type { QosSpec } from "./qos.ts"

/** Asks for a flow to a name: `FLOW_REQ`. */
export interface FlowRequest {
  readonly kind: "flow-request"
  /** The endpoint id under which the requester is to be reached, not 0. */
  readonly requester: number
  /** What the flow is to be like. */
  readonly qos: QosSpec
  /** MD5 of the name, 16 octets. */
  readonly hash: Uint8Array
  /** What goes with the request to the application there; opaque here. */
  readonly data: Uint8Array
}

/** Answers a request: `FLOW_REPLY`. */
export interface FlowReply {
  readonly kind: "flow-reply"
  /** The requester's endpoint id, as it asked. */
  readonly requester: number
  /** The responder's own endpoint id; 0 where there is no flow. */
  readonly responder: number
  /** 0: accepted; else a negated error number, 32 bits signed. */
  readonly response: number
  /** What goes with the reply to the application; opaque here. */
  readonly data: Uint8Array
}

/** A message of a flow; one without octets keeps the flow alive. */
export interface FlowData {
  readonly kind: "flow-data"
  /** The receiver's endpoint id, not 0. */
  readonly eid: number
  /** The message's octets. */
  readonly data: Uint8Array
}

/** A datagram of today's form. */
export type FlowMessage = FlowRequest | FlowReply | FlowData

/** Why octets are no datagram of the form. A receiver drops them all. */
export type FlowParseErrorCode =
  | "too-short" // fewer octets than the endpoint id, a management message or the hash has
  | "too-long" // more than any layer carries
  | "unknown-code" // neither FLOW_REQ nor FLOW_REPLY
  | "no-requester" // the requester's endpoint id is that of management
  | "no-responder" // accepted, but with no endpoint id to reach
  | "name" // a name of no octets, of more than 255, or with a NUL

/** What is wrong, and where. */
export interface FlowParseError {
  /** Short and stable, for programs. */
  readonly code: FlowParseErrorCode
  /** The octet where reading stopped. */
  readonly offset: number
  /** Where the rule is from: a structure or function of the reference. */
  readonly clause: string
  /** One sentence for people. */
  readonly text: string
}

/** The result of `parseFlow`. */
export type ParsedFlow =
  | { readonly ok: true; readonly message: FlowMessage }
  | { readonly ok: false; readonly error: FlowParseError }

/** A failed parse. */
export const flowFault = (
  code: FlowParseErrorCode,
  offset: number,
  clause: string,
  text: string,
): { readonly ok: false; readonly error: FlowParseError } => ({ ok: false, error: { code, offset, clause, text } })
