import { isAny, isMulticast, NatPmpResult, type Packet, parse, ResultCode, SERVER_PORT, u32 } from "../wire/index.ts"
import { type Draft, tell } from "./draft.ts"
import type { IgnoredReason } from "./event.ts"
import type { ClientInput } from "./input.ts"
import { takeNatPmp } from "./receive-natpmp.ts"
import { takePcp } from "./receive-pcp.ts"
import { endOf, type ServerState } from "./server.ts"
import { takeVersionError } from "./version.ts"

type DatagramInput = Extract<ClientInput, { type: "datagram" }>

/** Octets up to a result code (RFC 6887 section 8.3). */
const SHORTEST = 4

/**
 * A datagram, in the order of RFC 6887 section 8.3 (C-50): source, length, R bit, version, then what it answers. Whatever is
 * nobody's answer is an `ignored` event and changes nothing.
 *
 * RFC ambiguity 1: NAT-PMP's version error has no R bit, and is looked at before that bit.
 */
export const receive = (draft: Draft, input: DatagramInput): void => {
  const { source, sourcePort } = input
  const reason = reasonToIgnore(draft, input)
  if (reason !== undefined) tell(draft, { type: "ignored", source, sourcePort, reason })
}

const reasonToIgnore = (draft: Draft, input: DatagramInput): IgnoredReason | undefined => {
  const { bytes } = input
  const candidates = [...draft.servers.values()].filter((server) => isFrom(server, input))
  if (candidates.length === 0) {
    const stranger = strangerOf(draft, input)
    if (stranger !== undefined) tell(draft, { type: "quirk", ...stranger, quirk: "reply-from-other-address" })
    return "source"
  }
  if (bytes.length < SHORTEST) {
    tell(draft, { type: "quirk", server: candidates[0].server.name, id: undefined, quirk: "short-reply" })
    return "malformed"
  }
  const parsed = parse(bytes)
  if (!parsed.ok || isUneven(bytes, parsed.packet)) return "malformed"
  let reason: IgnoredReason = "no-request"
  // Two of the caller's servers may be one host: the one that the answer is for takes it.
  for (const { server } of candidates) {
    const taken = takeFrom(draft, server.name, parsed.packet)
    if (taken === undefined) return undefined
    if (reason === "no-request") reason = taken
  }
  return reason
}

/** RFC 6887 section 8.3: a response has whole words of four octets, but for a version error, which comes before. */
const isUneven = ({ length }: Uint8Array, packet: Packet): boolean =>
  packet.kind === "pcp-response" && packet.result !== ResultCode.UNSUPP_VERSION && length % 4 !== 0

const takeFrom = (draft: Draft, name: string, packet: Packet): IgnoredReason | undefined => {
  switch (packet.kind) {
    case "pcp-response":
      return takePcp(draft, name, packet)
    case "natpmp-version-error":
      return takeVersionError(draft, name, { version: 0, lifetime: 0, lacksBit: packet.opcode < 128 })
    case "natpmp-address-response":
    case "natpmp-map-response":
    case "natpmp-other-response":
      if (packet.result === NatPmpResult.UNSUPPORTED_VERSION)
        return takeVersionError(draft, name, { version: 0, lifetime: 0 })
      return packet.kind === "natpmp-other-response" ? "no-request" : takeNatPmp(draft, name, packet)
    case "other-version":
      // The result code is at octet 3 in every version (RFC 6887 section 9), and in those of PCP the lifetime from octet 4 on.
      if (!packet.response || packet.bytes[1] !== ResultCode.UNSUPP_VERSION) return "not-a-response"
      return takeVersionError(draft, name, {
        version: packet.version,
        lifetime: packet.bytes.length < 6 ? 0 : u32(packet.bytes, 2),
      })
    default:
      return "not-a-response"
  }
}

/** Is this a datagram of that server, for us? An announcement comes to a group, and a socket may be bound to all addresses. */
const isFrom = (server: ServerState, { source, sourcePort, zone, local }: DatagramInput): boolean => {
  const { address, port = SERVER_PORT, zone: ours, client } = endOf(server)
  const isTheirs = source === address || server.server.acceptResponsesFrom?.includes(source) === true
  if (!isTheirs || sourcePort !== port) return false
  if (ours !== undefined && zone !== undefined && ours !== zone) return false
  return local === undefined || local === client || isAny(local) || isMulticast(local)
}

/** Whose answer it would have been, had it come from the right address. */
const strangerOf = (
  draft: Draft,
  { bytes }: DatagramInput,
): { readonly server: string; readonly id: string } | undefined => {
  const parsed = parse(bytes)
  if (!parsed.ok || parsed.packet.kind !== "pcp-response") return undefined
  const { body } = parsed.packet
  if (body.kind !== "map" && body.kind !== "peer") return undefined
  for (const task of draft.tasks.values())
    if (task.kind === "lease" && task.nonce === body.nonce && task.protocol === "pcp")
      return { server: task.server, id: task.id }
  return undefined
}
