import {
  type Address,
  ipv4Value,
  isAny,
  isIpv4,
  Opcode,
  PEER_LENGTH,
  putU16,
  ResultCode,
  readAddress,
  readNonce,
  u16,
  u32,
  writeAddress,
} from "../wire/index.ts"
import { grantedLifetime } from "./map.ts"
import { copyOptions, type Options, optionsLength } from "./option.ts"
import { epochTime, refuse, type Served, writeHeader } from "./reply.ts"
import type { Request } from "./request.ts"
import type { ServerState } from "./settings.ts"

/**
 * PEER (RFC 6887 section 12.3), its syntax and options found good. Octets as MAP's, then remote peer port 60 and address
 * 64 to 79. A zero protocol or port is MALFORMED_REQUEST: section 12.1 forbids them and names no code (S-61).
 */
export const servePeer = <S>(state: ServerState<S>, request: Request, options: Options): Served<S> => {
  const { bytes, source, now } = request
  const { cgn, cgnState, settings } = state
  const protocol = bytes[36]
  const internalPort = u16(bytes, 40)
  const remotePort = u16(bytes, 60)
  const remote = readAddress(bytes, 64)
  if (protocol === 0 || internalPort === 0 || remotePort === 0 || !isRemotePeer(remote))
    return refuse(state, request, ResultCode.MALFORMED_REQUEST)
  const internal = options.thirdParty ?? source
  const { code } = cgn.getSubscriber(cgnState, internal, undefined)
  if (code !== ResultCode.SUCCESS) return refuse(state, request, code)
  if (!cgn.supports(cgnState, protocol, internalPort)) return refuse(state, request, ResultCode.UNSUPP_PROTOCOL)
  const asked = u32(bytes, 4)
  const done = cgn.addDynamic(
    cgnState,
    {
      protocol,
      internal,
      internalPort,
      nonce: readNonce(bytes, 24),
      remote,
      remotePort,
      suggested: readAddress(bytes, 44),
      suggestedPort: u16(bytes, 42),
      lifetime: asked === 0 ? 0 : grantedLifetime(settings, asked),
    },
    now,
  )
  if (done.outcome === "refused") return refuse(state, request, done.code, done.lifetime)
  const reply = new Uint8Array(PEER_LENGTH + optionsLength(options))
  writeHeader(reply, Opcode.PEER, ResultCode.SUCCESS, done.lifetime, epochTime(state, now))
  for (let i = 24; i < 37; i++) reply[i] = bytes[i]
  reply[40] = bytes[40]
  reply[41] = bytes[41]
  putU16(reply, 42, done.externalPort)
  writeAddress(reply, 44, done.external)
  reply[60] = bytes[60]
  reply[61] = bytes[61]
  for (let i = 64; i < PEER_LENGTH; i++) reply[i] = bytes[i]
  copyOptions(bytes, options, reply, PEER_LENGTH)
  return { cgnState: done.state, reply, code: ResultCode.SUCCESS, changes: done.changes, options: [] }
}

/** An IPv4 address that a host beyond the NAT can have: not this network, loopback, multicast or broadcast (S-63). */
const isRemotePeer = (remote: Address): boolean => {
  if (!isIpv4(remote) || isAny(remote)) return false
  const first = ipv4Value(remote) >>> 24
  return first !== 0 && first !== 127 && first < 224
}
