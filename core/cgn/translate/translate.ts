import { isIpv4 } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import type { CgnState, Step } from "../layout.ts"
import type { Realm } from "../mapping.ts"
import {
  type Allocate,
  allocateEach,
  type Drop,
  decapsulate,
  destinationAddress,
  encapsulate,
  fitLink,
  hopLimit,
  type IcmpCause,
  type IpPacket,
  icmpError,
  isFragment,
  readPacket,
} from "../packet/index.ts"
import type { Out, Passage, Passed, Reason, Side } from "../passage.ts"
import { sealed, stepOf } from "../step.ts"
import { type Ended, identifyTunnel, inwards, no, outwards, stopped } from "./ends.ts"
import { dueOf, passEstablished, passed } from "./established.ts"
import { gather } from "./fragments.ts"
import { NOTHING_WAITS, nextLate, withOutbound, withoutOld } from "./late.ts"
import { lost, refuse } from "./refuse.ts"
import { passPlain } from "./untranslated.ts"

/** A packet on its way; of a softwire, what was in it. */
interface Carried {
  readonly packet: IpPacket
  readonly side: Side
  readonly realm: Realm | undefined
}

type Way = (Ended & { readonly ok: false }) | (Ended & { readonly ok: true; readonly side: Side })

/** Hop limit of a softwire's packets (RFC 2473 section 6.3). */
const HOP_LIMIT = 64

/**
 * A packet at a NAPT44 (RFC 4787, RFC 5382, RFC 5508), NAT64 (RFC 6146) or DS-Lite AFTR (RFC 6333), by the mappings that PCP, the
 * administrator and traffic have made; from the inside it makes an implicit one where there is none. What it changes is in
 * `changes`, as with a request; a packet that goes no further changes nothing but a counter of the vector `packet`.
 *
 * Fragments wait until their packet is whole, which then goes on in as many as the next link wants. ICMP errors that are
 * not to be sent at once wait for {@link sendLate}.
 *
 * @example
 * ```ts
 * import { createCgn, translate } from "sallyport/cgn"
 * import { parseAddress } from "sallyport/wire"
 *
 * const external = parseAddress("203.0.113.7")
 * if (external === undefined) throw new Error("not an address")
 * const cgn = createCgn({
 *   external: [external],
 *   ports: { first: 1024, last: 65535 },
 *   quota: 64,
 *   filterLimit: 8,
 *   idleTimeout: { udp: 300, tcp: 7440 },
 *   translation: {},
 *   secret: crypto.getRandomValues(new Uint8Array(32)),
 *   now: 0,
 * })
 * if (!cgn.ok) throw new Error(cgn.error.text)
 *
 * // UDP from 10.0.0.1 port 5000 to 198.51.100.7 port 53.
 * const header = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0x46, 0x96, 10, 0, 0, 1, 198, 51, 100, 7]
 * const bytes = Uint8Array.from([...header, 0x13, 0x88, 0, 53, 0, 8, 0, 0])
 * const { out } = translate(cgn.state, { bytes, now: 1000, side: "inside" })
 * if (out.kind === "forwarded") console.log(out.packets[0]?.subarray(12, 16).join(".")) // 203.0.113.7
 * ```
 */
export const translate = (state: CgnState, passage: Passage, allocate: Allocate = allocateEach): Passed<CgnState> =>
  passEstablished(state, passage, allocate, false) ?? translateAny(state, passage, allocate)

/**
 * {@link translate} of a packet whose octets the caller gives away: the packet that comes out may lie in them, and they are
 * to be used no more. So it is with TCP and UDP of established flows that keep their family: no copy is made, which of a long
 * packet is most of the work. State, changes and the octets that come out are those of `translate`.
 */
export const translateInPlace = (
  state: CgnState,
  passage: Passage,
  allocate: Allocate = allocateEach,
): Passed<CgnState> => passEstablished(state, passage, allocate, true) ?? translateAny(state, passage, allocate)

/** The long way of a packet, whatever it is. */
export const translateAny = (
  state: CgnState,
  { bytes, now, side, realm }: Passage,
  allocate: Allocate,
): Passed<CgnState> => {
  const packet = readPacket(bytes)
  if (!packet.ok) return lost(state, { kind: "dropped", reason: packet.code })
  return arrive(state, { packet, side, realm: side === "inside" ? realm : undefined }, now, allocate)
}

/** A packet that was read: put together if it is one of several, and taken out of its softwire. */
const arrive = (state: CgnState, carried: Carried, now: number, allocate: Allocate): Passed<CgnState> => {
  const { packet, side, realm } = carried
  const { inside } = state.config.translation
  if (isFragment(packet)) {
    const before = withoutOld(state.waiting ?? NOTHING_WAITS, state.config, now)
    const gathered = gather(before.fragments, packet, side, realm, now, state.config.translation)
    const waiting = { ...before, fragments: gathered.waiting }
    const after = { ...state, waiting }
    switch (gathered.kind) {
      case "waits":
        return { state: after, out: { kind: "kept" }, changes: [], next: nextLate(waiting, state.config) }
      case "dropped":
        return lost(after, { kind: "dropped", reason: gathered.reason })
      case "whole":
        return arrive(after, { packet: gathered.packet, side, realm }, now, allocate)
    }
  }
  if (side === "outside" || inside.kind !== "dslite" || packet.version === 4) {
    // What comes to an AFTR's inside without a softwire is nobody's.
    if (side === "inside" && inside.kind === "dslite" && realm === undefined)
      return lost(state, { kind: "dropped", reason: "not-served" })
    return carry(state, carried, now, allocate)
  }
  const softwire = decapsulate(packet)
  if (!softwire.ok) return lost(state, { kind: "dropped", reason: softwire.code })
  if (softwire.local !== inside.aftr) return lost(state, { kind: "dropped", reason: "not-served" })
  return arrive(state, { packet: softwire.packet, side, realm: softwire.remote }, now, allocate)
}

const carry = (state: CgnState, carried: Carried, now: number, allocate: Allocate): Passed<CgnState> => {
  const step = stepOf(state, now)
  const changes: Change[] = []
  const way = wayOf(step, carried, changes, allocate)
  const { packet, side } = carried
  if (!way.ok) {
    // A packet that turned and is filtered went out all the same: its sender lets the other host in (RFC 6146 section 3.8).
    const turned = side === "inside" && way.reason === "filtered" && changes.length > 0
    const refused = refusal(step, carried, way.reason, way.reply)
    const after = refuse(turned ? sealed(step) : state, refused, packet, side, now)
    return turned ? { ...after, changes: [...changes, ...after.changes], next: dueOf(step) } : after
  }
  const sent = send(step, way.side, way.packets, way.realm, allocate)
  if (!sent.ok) return refuse(state, refusal(step, carried, sent.code, sent.reply), packet, side, now)
  const out: Out = { kind: "forwarded", side: way.side, packets: sent.packets, realm: way.realm }
  const after = passed(state, step, out, changes)
  return way.side === "outside" ? { ...after, state: withOutbound(after.state, packet, sent.packets[0]) } : after
}

type Sent = { readonly ok: true; readonly packets: readonly Uint8Array[] } | Drop

/** Packets as the link on a side carries them, to a host of a realm. */
const send = (
  { config }: Step,
  side: Side,
  packets: readonly Uint8Array[],
  realm: Realm | undefined,
  allocate: Allocate,
): Sent => {
  const { inside, mtu } = config.translation
  const softwire = side === "inside" && inside.kind === "dslite" && realm !== undefined
  // What changed its family fits already.
  if (!softwire && (packets.length > 1 || packets[0].length <= mtu[side])) return { ok: true, packets }
  const packet = readPacket(packets[0])
  if (!packet.ok) return packet
  if (!softwire) return packet.version === 6 ? { ok: true, packets } : fitLink(packet, mtu[side])
  const tunnel = { local: inside.aftr, remote: realm, mtu: mtu.inside, hopLimit: HOP_LIMIT }
  return encapsulate(packet, tunnel, identifyTunnel(packet), allocate)
}

const wayOf = (step: Step, { packet, side, realm }: Carried, changes: Change[], allocate: Allocate): Way => {
  const { inside } = step.config.translation
  const prefix = inside.kind === "nat64" ? inside.prefix : undefined
  if (packet.version !== (side === "inside" && prefix !== undefined ? 6 : 4)) return no("wrong-family")
  if (hopLimit(packet) <= 1) return no("hop-limit", { kind: "hop-limit" })
  const plain = passPlain(step, packet, side, realm, allocate)
  if (plain !== undefined) return plain.ok ? { ...plain, side: side === "inside" ? "outside" : "inside" } : plain
  if (side === "outside") return into(inwards(step, packet, prefix, 1, changes, allocate))
  const out = outwards(step, packet, realm, prefix, changes, allocate)
  if (!out.ok) return out
  if (!out.turns) return { ok: true, side: "outside", packets: out.packets, realm: undefined }
  // To an external address of this CGN: in again, so that whoever gets it sees its sender's external end (RFC 4787 REQ-9).
  const turned = readPacket(out.packets[0])
  return turned.ok ? into(inwards(step, turned, prefix, 0, changes, allocate)) : stopped(turned)
}

const into = (ended: Ended): Way =>
  ended.ok ? { ok: true, side: "inside", packets: ended.packets, realm: ended.realm } : ended

/** What becomes of a packet that goes no further: its sender is told where there is a cause to tell. */
const refusal = (
  step: Step,
  { packet, side, realm }: Carried,
  reason: Reason,
  reply: IcmpCause | undefined,
): Extract<Out, { readonly reason: Reason }> => {
  const { config } = step
  const { routers } = config.translation
  const destination = destinationAddress(packet)
  const outside = config.addressIndex.has(destination)
    ? destination
    : (routers.outside ?? config.addresses[config.pool[0]])
  const from = side === "inside" ? routers.inside : outside
  const error =
    reply === undefined || isIpv4(from) !== (packet.version === 4) ? undefined : icmpError(packet, reply, from)
  const sent = error === undefined ? undefined : send(step, side, [error], realm, allocateEach)
  return sent?.ok ? { kind: "returned", packet: sent.packets[0], reason } : { kind: "dropped", reason }
}
