import {
  type Address,
  ANNOUNCE_BODY,
  ANY4,
  CLIENT_PORT,
  encode,
  isIpv4,
  NatPmpResult,
  type Packet,
  parseAddress,
  ResultCode,
} from "../wire/index.ts"
import { epochOf } from "./epoch.ts"
import { type Destination, pushSeries } from "./push.ts"
import type { Outgoing, Pushed } from "./request.ts"
import type { ServerState } from "./state.ts"

const multicast = (text: string): Destination => ({ address: parseAddress(text) ?? ANY4, port: CLIENT_PORT })
const ALL_HOSTS = multicast("224.0.0.1")
const ALL_NODES = multicast("ff02::1")

/**
 * libpcpd's `pcpd_announce`: tells clients of the server's epoch, after a start, a loss of state or a change of external
 * addresses (RFC 6887 section 14.1.3, RFC 6886 section 3.2.1). Without `to` by multicast: PCP to 224.0.0.1:5350 and
 * [ff02::1]:5350, NAT-PMP's external address to 224.0.0.1:5350; with it to one client, in PCP where that is on.
 *
 * Nothing is sent yet: `advance` at once, and when its `next` says, gives each of up to 10 transmissions with the epoch of
 * its own time, 250 ms apart and then twice as long each time. An announcement to the same place begins again. Where the
 * profile has no `announceCallback`, nothing comes of it.
 */
export const announce = <S>(
  state: ServerState<S>,
  now: number,
  to?: Destination,
): readonly [ServerState<S>, Pushed] => {
  const { settings, pushes } = state
  if (!settings.profile.announceCallback || settings.announceCount === 0)
    return [state, { changes: [], next: undefined }]
  return [
    { ...state, pushes: pushSeries(pushes, to, now) },
    { changes: [], next: now },
  ]
}

/** The datagrams of one transmission. */
export const announcement = <S>(
  state: ServerState<S>,
  to: Destination | undefined,
  now: number,
): readonly Outgoing[] => {
  const { pcp, natPmp } = state.settings
  if (to !== undefined)
    return outgoing(pcp ? pcpAnnouncement(state, to.address, now) : natPmpAnnouncement(state, to.address, now), to)
  const own = pcpAnnouncement(state, undefined, now)
  return [
    ...(pcp ? [...outgoing(own, ALL_HOSTS), ...outgoing(own, ALL_NODES)] : []),
    ...(natPmp ? outgoing(natPmpAnnouncement(state, undefined, now), ALL_HOSTS) : []),
  ]
}

const outgoing = (packet: Packet, { address, port }: Destination): readonly Outgoing[] => {
  const encoded = encode(packet)
  return encoded.ok ? [{ bytes: encoded.bytes, destination: address, port }] : []
}

/** RFC 7225 section 4.2 lets a NAT64's announcements tell its prefixes. */
const pcpAnnouncement = <S>(state: ServerState<S>, to: Address | undefined, now: number): Packet => ({
  kind: "pcp-response",
  result: ResultCode.SUCCESS,
  lifetime: 0,
  epoch: epochOf(state, to, undefined, now),
  clientTail: undefined,
  body: ANNOUNCE_BODY,
  options: state.settings.prefix64,
})

/**
 * RFC 6886 knows one external address. Where the CGN has a pool, a multicast tells the one that 0.0.0.0 would get: clients
 * renew their mappings by the epoch beside it, and learn their own address from the answer to a request.
 */
const natPmpAnnouncement = <S>(state: ServerState<S>, to: Address | undefined, now: number): Packet => {
  const external = state.cgn.externalAddress(state.cgnState, to ?? ANY4, undefined, now)
  const found = external !== undefined && isIpv4(external)
  return {
    kind: "natpmp-address-response",
    result: found ? NatPmpResult.SUCCESS : NatPmpResult.NETWORK_FAILURE,
    epoch: epochOf(state, to, undefined, now),
    external: found ? external : ANY4,
  }
}
