import {
  type Allocate,
  allocateEach,
  type Drop,
  destinationAddress,
  type IpPacket,
  icmpError,
  nptv6Inbound,
  nptv6Outbound,
  type Rewritten,
  readPacket,
  sourceAddress,
} from "../packet/index.ts"
import type { Out, Passage, Passed, Side } from "../passage.ts"
import { isInPrefix } from "../rule.ts"
import { type NptState, nptInbound, nptOutbound } from "./npt.ts"

/**
 * A packet at an NPTv6 device (RFC 6296). One from the inside to an external address of the device goes out and in again,
 * hairpinned (section 4.3), so that whoever gets it sees its sender's external address. Nothing is remembered: `state` is
 * the one given, and `changes` is empty.
 *
 * It takes one hop from the packet however often that is translated, and sends no more than one ICMP error for it; how
 * many in a second is the caller's to limit (RFC 4443 section 2.4).
 */
export const translateNpt = (
  state: NptState,
  { bytes, side }: Passage,
  allocate: Allocate = allocateEach,
): Passed<NptState> => ({ state, out: pass(state, bytes, side, allocate), changes: [], next: undefined })

const pass = (state: NptState, bytes: Uint8Array, side: Side, allocate: Allocate): Out => {
  const packet = readPacket(bytes)
  if (!packet.ok) return { kind: "dropped", reason: packet.code }
  if (side === "outside") {
    const passed = inwards(state, packet, 1, allocate)
    return passed.ok ? forwarded("inside", passed.bytes) : refusal(state, side, packet, passed)
  }
  const external = outwards(state, packet, allocate)
  if (!external.ok) return refusal(state, side, packet, external)
  const destination = destinationAddress(packet)
  if (!state.translators.some((translator) => isInPrefix(destination, translator.external)))
    return forwarded("outside", external.bytes)
  const hairpin = readPacket(external.bytes)
  const passed = hairpin.ok ? inwards(state, hairpin, 0, allocate) : hairpin
  return passed.ok ? forwarded("inside", passed.bytes) : refusal(state, side, packet, passed)
}

/** Through the translator that its source is of; where that is none's, as the first refuses it. */
const outwards = (state: NptState, packet: IpPacket, allocate: Allocate): Rewritten => {
  const { translators } = state
  const source = sourceAddress(packet)
  const own = translators.find((translator) => isInPrefix(source, translator.internal)) ?? translators[0]
  return nptv6Outbound(own, packet, 1, allocate, (internal) => nptOutbound(state, internal))
}

const inwards = (state: NptState, packet: IpPacket, hops: 0 | 1, allocate: Allocate): Rewritten => {
  const { translators } = state
  const destination = destinationAddress(packet)
  const own = translators.find((translator) => isInPrefix(destination, translator.external)) ?? translators[0]
  return nptv6Inbound(own, packet, hops, allocate, (external) => nptInbound(state, external))
}

const forwarded = (side: Side, bytes: Uint8Array): Out => ({
  kind: "forwarded",
  side,
  packets: [bytes],
  realm: undefined,
})

const refusal = ({ routers }: NptState, side: Side, packet: IpPacket, { code, reply }: Drop): Out => {
  const error =
    reply === undefined || routers === undefined || packet.version !== 6
      ? undefined
      : icmpError(packet, reply, routers[side])
  return error === undefined ? { kind: "dropped", reason: code } : { kind: "returned", packet: error, reason: code }
}
