import type { Realm } from "../cgn/index.ts"
import {
  type Address,
  MAP_LENGTH,
  MAX_MESSAGE,
  NATPMP_VERSION,
  Opcode,
  OptionCode,
  PCP_VERSION,
  PEER_LENGTH,
  Protocol,
  putU16,
  ResultCode,
  readAddress,
  u16,
  writeAddress,
} from "../wire/index.ts"
import { type Destination, mappingKey, type Update } from "./push.ts"
import type { Pushed } from "./request.ts"
import type { ServerState } from "./state.ts"
import { begin } from "./update.ts"

/** What {@link updateRecycle} makes an update of. */
export interface RecycleAsk {
  /** A previous response to the client, or a request of its that matches the mapping: PCP MAP or PEER, or NAT-PMP. */
  readonly packet: Uint8Array
  /** Where the update goes. */
  readonly client: Destination
  /** The client's; left out, none. */
  readonly realm?: Realm
  /** The external address to tell of. */
  readonly external: Address
  /** The external port to tell of. */
  readonly externalPort: number
  /** Seconds from now. */
  readonly lifetime: number
}

/** The server with the update to be sent, or why there is none. */
export type Recycled<S> =
  | { readonly ok: true; readonly state: ServerState<S>; readonly pushed: Pushed }
  | { readonly ok: false; readonly error: { readonly code: "not-a-mapping"; readonly text: string } }

/**
 * libpcpd's `pcpd_update_recycle`: {@link update} from a message at hand, of which only the external end, lifetime and epoch
 * are rewritten. THIRD_PARTY, THIRD_PARTY_ID and FILTER stay, all other options go (RFC 6887 section 14.2); one with
 * PREFER_FAILURE and another external end becomes CANNOT_PROVIDE_EXTERNAL. The octets are copied.
 */
export const updateRecycle = <S>(state: ServerState<S>, ask: RecycleAsk, now: number): Recycled<S> => {
  const made = ask.packet[0] === NATPMP_VERSION ? recycledNatPmp(ask, now) : recycledPcp(state, ask, now)
  if (made === undefined) {
    const text = "neither a MAP or PEER message of PCP version 2 nor a NAT-PMP mapping message"
    return { ok: false, error: { code: "not-a-mapping", text } }
  }
  const [after, done] = begin(state, made, now)
  return { ok: true, state: after, pushed: done }
}

const recycledNatPmp = (ask: RecycleAsk, now: number): Update | undefined => {
  const { packet, client, realm, externalPort, lifetime } = ask
  const opcode = packet[1] & 0x7f
  if ((opcode !== 1 && opcode !== 2) || packet.length < ((packet[1] & 0x80) === 0 ? 12 : 16)) return undefined
  const internalPort = u16(packet, (packet[1] & 0x80) === 0 ? 4 : 8)
  const bytes = new Uint8Array(16)
  bytes[1] = 0x80 | opcode
  putU16(bytes, 8, internalPort)
  putU16(bytes, 10, externalPort)
  const protocol = opcode === 1 ? Protocol.UDP : Protocol.TCP
  const end = { protocol, internal: client.address, internalPort, realm, remote: undefined, remotePort: 0 }
  return {
    key: mappingKey({ kind: "map", ...end }),
    bytes,
    destination: client,
    subscriber: client.address,
    realm,
    expires: now + lifetime * 1000,
    errorLifetime: undefined,
  }
}

const recycledPcp = <S>(state: ServerState<S>, ask: RecycleAsk, now: number): Update | undefined => {
  const { packet, client, realm, external, externalPort, lifetime } = ask
  const opcode = packet[1] & 0x7f
  const length = opcode === Opcode.MAP ? MAP_LENGTH : opcode === Opcode.PEER ? PEER_LENGTH : 0
  if (packet[0] !== PCP_VERSION || length === 0 || packet.length < length || packet.length > MAX_MESSAGE)
    return undefined
  const bytes = new Uint8Array(packet.length)
  bytes[0] = PCP_VERSION
  bytes[1] = 0x80 | opcode
  bytes.set(packet.subarray(24, length), 24)
  putU16(bytes, 42, externalPort)
  writeAddress(bytes, 44, external)
  const moved = u16(packet, 42) !== externalPort || readAddress(packet, 44) !== external
  let internal = client.address
  let preferFailure = false
  let end = length
  for (let at = length; at < packet.length; ) {
    const padded = at + 4 > packet.length ? 0 : (4 + u16(packet, at + 2) + 3) & ~3
    if (padded === 0 || at + padded > packet.length) return undefined
    const code = packet[at]
    if (code === OptionCode.THIRD_PARTY && padded === 20) internal = readAddress(packet, at + 4)
    if (code === OptionCode.PREFER_FAILURE) preferFailure = true
    if (code === OptionCode.THIRD_PARTY || code === OptionCode.THIRD_PARTY_ID || code === OptionCode.FILTER) {
      bytes.set(packet.subarray(at, at + padded), end)
      end += padded
    }
    at += padded
  }
  const failed = preferFailure && moved
  bytes[3] = failed ? ResultCode.CANNOT_PROVIDE_EXTERNAL : ResultCode.SUCCESS
  const peer = opcode === Opcode.PEER
  return {
    key: mappingKey({
      kind: peer ? "peer" : "map",
      protocol: packet[36],
      internal,
      internalPort: u16(packet, 40),
      realm,
      remote: peer ? readAddress(packet, 64) : undefined,
      remotePort: peer ? u16(packet, 60) : 0,
    }),
    bytes: bytes.slice(0, end),
    destination: client,
    subscriber: client.address,
    realm: internal === client.address ? realm : undefined,
    expires: now + lifetime * 1000,
    errorLifetime: failed ? state.settings.shortError : undefined,
  }
}
