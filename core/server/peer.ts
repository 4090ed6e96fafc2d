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
import { type Answer, answer } from "./answer.ts"
import type { Call } from "./call.ts"
import { authorize, grantedLifetime, hasProtocol } from "./map.ts"
import type { Options } from "./option.ts"
import { replyWithOptions } from "./option-reply.ts"
import { refuse, writeHeader } from "./reply.ts"

/**
 * PEER (RFC 6887 section 12.3), its syntax and options found good. Octets as MAP's, then remote peer port 60 and address
 * 64 to 79. A zero protocol or port is MALFORMED_REQUEST: section 12.1 forbids them and names no code (S-61).
 */
export const servePeer = <S>(call: Call<S>, options: Options): Answer<S> => {
  const { request, state } = call
  const { bytes, source, now } = request
  const { cgn, cgnState, settings } = state
  const protocol = bytes[36]
  const internalPort = u16(bytes, 40)
  const remotePort = u16(bytes, 60)
  const remote = readAddress(bytes, 64)
  if (
    protocol === 0 ||
    internalPort === 0 ||
    remotePort === 0 ||
    !isRemotePeer(remote, settings.profile.mapDestination)
  )
    return refuse(call, ResultCode.MALFORMED_REQUEST)
  const internal = options.thirdParty ?? source
  const code = authorize(call, options, internal)
  if (code !== ResultCode.SUCCESS) return refuse(call, code)
  if (!hasProtocol(settings, protocol, internalPort) || !cgn.supports(cgnState, protocol, internalPort))
    return refuse(call, ResultCode.UNSUPP_PROTOCOL)
  const asked = u32(bytes, 4)
  const done = cgn.addDynamic(
    cgnState,
    {
      protocol,
      internal,
      internalPort,
      realm: options.realm ?? call.realm,
      nonce: readNonce(bytes, 24),
      remote,
      remotePort,
      suggested: readAddress(bytes, 44),
      suggestedPort: u16(bytes, 42),
      lifetime: asked === 0 ? 0 : grantedLifetime(settings, asked),
      clientPort: request.sourcePort,
      requester: options.thirdPartyAt === 0 ? undefined : source,
      thirdPartyId: options.thirdPartyId,
      description: options.description,
    },
    now,
  )
  if (done.outcome === "refused") return refuse(call, done.code, done.lifetime)
  const reply = replyWithOptions(request, PEER_LENGTH, options, settings, done)
  if (reply === undefined) return refuse(call, ResultCode.MALFORMED_REQUEST)
  writeHeader(reply, Opcode.PEER, ResultCode.SUCCESS, done.lifetime, call.epoch)
  for (let i = 24; i < 37; i++) reply[i] = bytes[i]
  reply[40] = bytes[40]
  reply[41] = bytes[41]
  putU16(reply, 42, done.externalPort)
  writeAddress(reply, 44, done.external)
  reply[60] = bytes[60]
  reply[61] = bytes[61]
  for (let i = 64; i < PEER_LENGTH; i++) reply[i] = bytes[i]
  return answer(call, false, ResultCode.SUCCESS, reply, done.state, done.changes)
}

/**
 * An address that a host beyond the device can have, of the family in which the client sees it (RFC 6887 section 10): not
 * this network, loopback, multicast or broadcast (S-63).
 */
const isRemotePeer = (remote: Address, ipv4: boolean): boolean => {
  if (isIpv4(remote) !== ipv4 || isAny(remote)) return false
  if (!ipv4) return remote !== LOOPBACK6 && remote.charCodeAt(0) >>> 8 !== 0xff
  const first = ipv4Value(remote) >>> 24
  return first !== 0 && first !== 127 && first < 224
}

const LOOPBACK6 = "\0\0\0\0\0\0\0\x01"
