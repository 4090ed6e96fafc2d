import type { Filter, Mapping } from "../cgn/index.ts"
import {
  ANY4,
  ANY6,
  encode,
  isIpv4,
  NATPMP_VERSION,
  NatPmpResult,
  type Packet,
  type PcpOption,
  Protocol,
  putU32,
  ResultCode,
  ZERO_NONCE,
} from "../wire/index.ts"
import { epochOf } from "./epoch.ts"
import { hasRoom, mappingKey, pushUpdate, type Update } from "./push.ts"
import type { Outgoing, Pushed } from "./request.ts"
import type { ServerState } from "./state.ts"

/** What {@link update} tells a client of. */
export interface UpdateAsk {
  /** As it is now. Where it goes is its `clientPort` at its `details.requester`, else at its internal address. */
  readonly mapping: Mapping
  /** Its filters, which the update carries (RFC 6887 section 14.2). */
  readonly filters?: readonly Filter[]
  /** The mapping could not be kept: the result code of why, with the mapping as it was. Default: SUCCESS. */
  readonly code?: number
}

const NOTHING: Pushed = { changes: [], next: undefined }

/**
 * libpcpd's `pcpd_update`: an unsolicited MAP or PEER response, made from scratch, that tells a client of the external end
 * that its mapping has now (RFC 6887 section 14.2); for a NAT-PMP mapping an unsolicited NAT-PMP response, as updates speak
 * the protocol that created the mapping (RFC 6887 section 9). THIRD_PARTY, THIRD_PARTY_ID and the filters come with it.
 *
 * As with `announce`, nothing is sent before `advance`: three transmissions at 0, 250 and 750 ms, each with epoch and
 * lifetime of its time, and no more once the client has refreshed that mapping. A mapping whose client is not known
 * (`clientPort` 0), or a profile without `updateCallback`: nothing comes of it.
 */
export const update = <S>(state: ServerState<S>, ask: UpdateAsk, now: number): readonly [ServerState<S>, Pushed] => {
  const made = mayUpdate(state) ? updateOf(state, ask) : undefined
  return made === undefined ? [state, NOTHING] : begin(state, made, now)
}

/** May one more update be under way? Looked at before it is made, as there may be a million that may not. */
export const mayUpdate = <S>({ pushes, settings }: ServerState<S>): boolean =>
  settings.profile.updateCallback && settings.updateCount > 0 && hasRoom(pushes, settings.updateLimit)

/** Puts an update under way, where it may be. */
export const begin = <S>(state: ServerState<S>, made: Update, now: number): readonly [ServerState<S>, Pushed] =>
  mayUpdate(state)
    ? [
        { ...state, pushes: pushUpdate(state.pushes, made, now) },
        { changes: [], next: now },
      ]
    : [state, NOTHING]

const updateOf = <S>(state: ServerState<S>, ask: UpdateAsk): Update | undefined => {
  const { mapping, code = ResultCode.SUCCESS } = ask
  const { clientPort, details, internal } = mapping
  if (clientPort === 0) return undefined
  const encoded = encode(mapping.origin === "nat-pmp" ? natPmpUpdate(mapping, code) : pcpUpdate(ask, code))
  if (!encoded.ok) return undefined
  const client = details?.requester ?? internal
  return {
    key: mappingKey(mapping),
    bytes: encoded.bytes,
    destination: { address: client, port: clientPort },
    subscriber: client,
    realm: details?.requester === undefined ? mapping.realm : undefined,
    expires: mapping.expires,
    errorLifetime:
      code === ResultCode.SUCCESS ? undefined : mapping.origin === "nat-pmp" ? 0 : state.settings.shortError,
  }
}

const natPmpUpdate = ({ protocol, internalPort, externalPort }: Mapping, code: number): Packet => ({
  kind: "natpmp-map-response",
  protocol: protocol === Protocol.TCP ? "tcp" : "udp",
  result: code === ResultCode.SUCCESS ? NatPmpResult.SUCCESS : NatPmpResult.OUT_OF_RESOURCES,
  epoch: 0,
  internalPort,
  externalPort: code === ResultCode.SUCCESS ? externalPort : 0,
  lifetime: 0,
})

const pcpUpdate = ({ mapping, filters = [] }: UpdateAsk, code: number): Packet => {
  const { protocol, internalPort, external, externalPort, nonce = ZERO_NONCE, remote, remotePort } = mapping
  const body = { nonce, protocol, internalPort, external, externalPort }
  return {
    kind: "pcp-response",
    result: code,
    lifetime: 0,
    epoch: 0,
    clientTail: undefined,
    body:
      mapping.kind === "peer" && remote !== undefined
        ? { kind: "peer", ...body, remote, remotePort }
        : { kind: "map", ...body },
    options: optionsOf(mapping, filters, code),
  }
}

const octetsOf = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length >>> 1 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))

/**
 * What RFC 6887 section 14.2 has an update carry; an error is a copy of the request, PREFER_FAILURE among its options. Who
 * asked for itself with THIRD_PARTY asked with the all-zeros address: see `thirdPartyZeroOnly`.
 */
const optionsOf = ({ details, internal }: Mapping, filters: readonly Filter[], code: number): readonly PcpOption[] => {
  const options: PcpOption[] = []
  if (details?.requester === internal) options.push({ kind: "THIRD_PARTY", internal: isIpv4(internal) ? ANY4 : ANY6 })
  else if (details?.requester !== undefined) options.push({ kind: "THIRD_PARTY", internal })
  if (details?.thirdPartyId !== undefined) options.push({ kind: "THIRD_PARTY_ID", id: octetsOf(details.thirdPartyId) })
  if (details?.preferFailure === true && code !== ResultCode.SUCCESS) options.push({ kind: "PREFER_FAILURE" })
  for (const { remote, prefixLength, remotePort } of filters)
    options.push({ kind: "FILTER", prefixLength, remotePort, remote })
  return options
}

/** One transmission of an update, with epoch and lifetime of its time. */
export const transmission = <S>(state: ServerState<S>, made: Update, now: number): Outgoing => {
  const { destination, errorLifetime, expires } = made
  const bytes = made.bytes.slice()
  const left = expires === Number.POSITIVE_INFINITY ? 0xffffffff : Math.max(0, Math.floor((expires - now) / 1000))
  const natPmp = bytes[0] === NATPMP_VERSION
  putU32(bytes, natPmp ? 12 : 4, errorLifetime ?? Math.min(left, 0xffffffff))
  putU32(bytes, natPmp ? 4 : 8, epochOf(state, made.subscriber, made.realm, now))
  return { bytes, destination: destination.address, port: destination.port }
}
