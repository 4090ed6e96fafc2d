import type { CgnRefused, Change } from "../cgn/index.ts"
import {
  ANY4,
  ipv4Value,
  isIpv4,
  MAX_MESSAGE,
  NatPmpOpcode,
  NatPmpResult,
  Protocol,
  putU16,
  putU32,
  ResultCode,
  u16,
  u32,
} from "../wire/index.ts"
import { type Answer, answer } from "./answer.ts"
import type { Call } from "./call.ts"
import { replyOctets } from "./request.ts"

const NO_CHANGES: readonly Change[] = []

/** NAT-PMP (RFC 6886 section 3): opcode under 128, and 12 octets at least for a mapping request. */
export const serveNatPmp = <S>(call: Call<S>): Answer<S> => {
  switch (call.request.bytes[1]) {
    case NatPmpOpcode.EXTERNAL_ADDRESS:
      return serveExternalAddress(call)
    case NatPmpOpcode.MAP_UDP:
      return serveMapping(call, Protocol.UDP)
    case NatPmpOpcode.MAP_TCP:
      return serveMapping(call, Protocol.TCP)
    default:
      return unsupportedOpcode(call)
  }
}

/** RFC 6886 section 3.5: a NAT-PMP server answers any other version with 8 octets whose opcode is 0, response bit and all. */
export const versionError = <S>(call: Call<S>): Answer<S> => {
  const reply = replyOctets(call.request, 8)
  putU16(reply, 2, NatPmpResult.UNSUPPORTED_VERSION)
  putU32(reply, 4, call.epoch)
  return answer(call, true, NatPmpResult.UNSUPPORTED_VERSION, reply, call.state.cgnState, NO_CHANGES)
}

/** RFC 6886 section 3.5: the whole request comes back, top bit of the opcode set, result code 5. */
const unsupportedOpcode = <S>(call: Call<S>): Answer<S> => {
  const { bytes } = call.request
  const copied = Math.min(bytes.length, MAX_MESSAGE)
  // The result code needs 4 octets, whatever the request had.
  const reply = replyOctets(call.request, Math.max(4, copied))
  reply.set(bytes.subarray(0, copied))
  reply[1] |= 0x80
  putU16(reply, 2, NatPmpResult.UNSUPPORTED_OPCODE)
  return answer(call, true, NatPmpResult.UNSUPPORTED_OPCODE, reply, call.state.cgnState, NO_CHANGES)
}

/** RFC 6886 section 3.2: 12 octets: version, opcode, result code 2, epoch 4, external address 4 (zero on failure). */
const serveExternalAddress = <S>(call: Call<S>): Answer<S> => {
  const { source, now } = call.request
  const { cgn, cgnState } = call.state
  const served = isServed(call)
  const external = served ? cgn.externalAddress(cgnState, source, call.realm, now) : undefined
  const found = external !== undefined && isIpv4(external)
  const code = found ? NatPmpResult.SUCCESS : served ? NatPmpResult.NETWORK_FAILURE : NatPmpResult.NOT_AUTHORIZED
  const reply = replyOctets(call.request, 12)
  reply[1] = 0x80
  putU16(reply, 2, code)
  putU32(reply, 4, call.epoch)
  if (found) putU32(reply, 8, ipv4Value(external))
  return answer(call, true, code, reply, cgnState, NO_CHANGES)
}

/**
 * RFC 6886 sections 3.3 and 3.4. Octets: internal port 4, suggested external port 6, lifetime 8. Lifetime 0 deletes; with
 * internal port 0 it deletes all of the host's mappings of the protocol. Internal port 0 with a lifetime has no meaning
 * in the RFC: refused, result code 2.
 */
const serveMapping = <S>(call: Call<S>, protocol: number): Answer<S> => {
  const { realm, request, state } = call
  const { bytes, source, now } = request
  const { cgn, cgnState, settings } = state
  const internalPort = u16(bytes, 4)
  const asked = u32(bytes, 8)
  const end = { protocol, internal: source, internalPort, realm }
  if (!isServed(call)) return answerMapping(call, cgnState, NatPmpResult.NOT_AUTHORIZED, 0, 0, NO_CHANGES)
  if (asked === 0 && internalPort === 0) {
    const all = cgn.delMappings(cgnState, source, realm, protocol, now)
    const code = all.complete ? NatPmpResult.SUCCESS : NatPmpResult.NOT_AUTHORIZED
    return answerMapping(call, all.state, code, 0, 0, all.changes)
  }
  if (internalPort === 0) return answerMapping(call, cgnState, NatPmpResult.NOT_AUTHORIZED, 0, 0, NO_CHANGES)
  if (asked === 0) {
    const done = cgn.delMapping(cgnState, { ...end, origin: "nat-pmp", nonce: undefined }, now)
    if (done.outcome === "refused") return answerMapping(call, cgnState, resultOf(done.code), 0, 0, NO_CHANGES)
    return answerMapping(call, done.state, NatPmpResult.SUCCESS, 0, 0, done.changes)
  }
  const done = cgn.addMapping(
    cgnState,
    {
      ...end,
      origin: "nat-pmp",
      nonce: undefined,
      suggested: ANY4,
      suggestedPort: u16(bytes, 6),
      lifetime: Math.min(settings.maxLifetime, asked),
      preferFailure: false,
      clientPort: request.sourcePort,
      requester: undefined,
      thirdPartyId: undefined,
      createAsLocked: false,
      portSet: undefined,
      description: undefined,
    },
    now,
  )
  if (done.outcome === "refused") return answerMapping(call, cgnState, resultOf(done.code), 0, 0, NO_CHANGES)
  return answerMapping(call, done.state, NatPmpResult.SUCCESS, done.externalPort, done.lifetime, done.changes)
}

/** Does the CGN serve the source, and authorize the request? NAT-PMP speaks of IPv4 addresses alone (RFC 6886 section 3.2). */
const isServed = <S>({ request, state, subscriber }: Call<S>): boolean =>
  isIpv4(request.source) &&
  subscriber.code === ResultCode.SUCCESS &&
  state.cgn.authorize(state.cgnState, request.bytes, request.source, 0) === ResultCode.SUCCESS

/** What a server without resources, or one over its rate limit, says: an error of the request's own format. */
export const outOfResources = <S>(call: Call<S>): Answer<S> => {
  const opcode = call.request.bytes[1]
  if (opcode === NatPmpOpcode.MAP_UDP || opcode === NatPmpOpcode.MAP_TCP)
    return answerMapping(call, call.state.cgnState, NatPmpResult.OUT_OF_RESOURCES, 0, 0, NO_CHANGES)
  const reply = replyOctets(call.request, 12)
  reply[1] = 0x80 | opcode
  putU16(reply, 2, NatPmpResult.OUT_OF_RESOURCES)
  putU32(reply, 4, call.epoch)
  return answer(call, true, NatPmpResult.OUT_OF_RESOURCES, reply, call.state.cgnState, NO_CHANGES)
}

/** The NAT-PMP result code that says best what a PCP one says. */
const resultOf = (code: CgnRefused["code"]): number => {
  switch (code) {
    case ResultCode.NOT_AUTHORIZED:
      return NatPmpResult.NOT_AUTHORIZED
    case ResultCode.NETWORK_FAILURE:
      return NatPmpResult.NETWORK_FAILURE
    default:
      return NatPmpResult.OUT_OF_RESOURCES
  }
}

const answerMapping = <S>(
  call: Call<S>,
  cgnState: S,
  code: number,
  externalPort: number,
  lifetime: number,
  changes: readonly Change[],
): Answer<S> => {
  const { bytes } = call.request
  const reply = replyOctets(call.request, 16)
  reply[1] = bytes[1] | 0x80
  putU16(reply, 2, code)
  putU32(reply, 4, call.epoch)
  reply[8] = bytes[4]
  reply[9] = bytes[5]
  putU16(reply, 10, externalPort)
  putU32(reply, 12, lifetime)
  return answer(call, true, code, reply, cgnState, changes)
}
