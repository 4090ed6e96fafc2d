import {
  type Allocate,
  allocateEach,
  type Crossing,
  type Drop,
  flowOf,
  type IpPacket,
  icmpError,
  isHost,
  readPacket,
  sourceAddress,
  toIpv4,
  toIpv6,
} from "../packet/index.ts"
import type { Out, Passage, Passed } from "../passage.ts"
import { type SiitState, siitAddress, siitVersion } from "./siit.ts"

/**
 * A packet at a stateless translator between IPv4 and IPv6 (RFC 7915): NAT46, or NAT64 without bindings. Both its addresses
 * become those that stand for them, ports stay; fragments are translated one by one. `changes` is empty: of the state a packet
 * changes nothing but the IPv4 identification of the next.
 */
export const translateSiit = (
  state: SiitState,
  { bytes, side }: Passage,
  allocate: Allocate = allocateEach,
): Passed<SiitState> => {
  const passed = (out: Out, after = state): Passed<SiitState> => ({ state: after, out, changes: [], next: undefined })
  const packet = readPacket(bytes)
  if (!packet.ok) return passed({ kind: "dropped", reason: packet.code })
  if (packet.version !== siitVersion(state, side)) return passed({ kind: "dropped", reason: "wrong-family" })
  const to = crossingOf(state, packet)
  if (!to.ok) return passed(refusal(state, packet, to))
  const four = packet.version === 6
  const made = four
    ? toIpv4(packet, to.crossing, state.packetId, state.crossing, allocate)
    : toIpv6(packet, to.crossing, state.crossing, allocate)
  if (!made.ok) return passed(refusal(state, packet, made))
  const onwards = side === "inside" ? "outside" : "inside"
  const out: Out = { kind: "forwarded", side: onwards, packets: made.packets, realm: undefined }
  return passed(out, four ? { ...state, packetId: (state.packetId + 1) & 0xffff } : state)
}

/** The other family's ends of a packet's flow. A router's error comes from the far end where the router itself has no address. */
const crossingOf = (state: SiitState, packet: IpPacket): { readonly ok: true; readonly crossing: Crossing } | Drop => {
  const flow = flowOf(packet)
  const source = siitAddress(state, flow.source)
  const destination = siitAddress(state, flow.destination)
  const { start, version } = packet
  // Behind a prefix of the network's own any 32 bits can stand: loopback and multicast would come out (RFC 7915 section 1.2).
  if (source === undefined || !isHost(version === 4 ? flow.source : source))
    return { ok: false, code: "illegal-source", offset: start + (version === 4 ? 12 : 8), reply: undefined }
  if (destination === undefined || !isHost(version === 4 ? flow.destination : destination))
    return {
      ok: false,
      code: "prefix-unmapped",
      offset: start + (version === 4 ? 16 : 24),
      reply: { kind: "no-route" },
    }
  const errorSource = packet.embedded === undefined ? undefined : siitAddress(state, sourceAddress(packet))
  return { ok: true, crossing: { source, sourcePort: undefined, destination, destinationPort: undefined, errorSource } }
}

const refusal = ({ routers }: SiitState, packet: IpPacket, { code, reply }: Drop): Out => {
  const from = packet.version === 4 ? routers?.ipv4 : routers?.ipv6
  const error = reply === undefined || from === undefined ? undefined : icmpError(packet, reply, from)
  return error === undefined ? { kind: "dropped", reason: code } : { kind: "returned", packet: error, reason: code }
}
