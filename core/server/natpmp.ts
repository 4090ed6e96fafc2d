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
import { epochTime, type Served } from "./reply.ts"
import type { Request } from "./request.ts"
import type { ServerState } from "./settings.ts"

const NO_CHANGES: readonly Change[] = []

/** NAT-PMP (RFC 6886 section 3): opcode under 128, and 12 octets at least for a mapping request. */
export const serveNatPmp = <S>(state: ServerState<S>, request: Request): Served<S> => {
  switch (request.bytes[1]) {
    case NatPmpOpcode.EXTERNAL_ADDRESS:
      return serveExternalAddress(state, request)
    case NatPmpOpcode.MAP_UDP:
      return serveMapping(state, request, Protocol.UDP)
    case NatPmpOpcode.MAP_TCP:
      return serveMapping(state, request, Protocol.TCP)
    default:
      return unsupportedOpcode(state, request)
  }
}

/** RFC 6886 section 3.5: a NAT-PMP server answers any other version with 8 octets whose opcode is 0, response bit and all. */
export const versionError = <S>(state: ServerState<S>, request: Request): Served<S> => {
  const reply = new Uint8Array(8)
  putU16(reply, 2, NatPmpResult.UNSUPPORTED_VERSION)
  putU32(reply, 4, epochTime(state, request.now))
  return { cgnState: state.cgnState, reply, code: NatPmpResult.UNSUPPORTED_VERSION, changes: NO_CHANGES, options: [] }
}

/** RFC 6886 section 3.5: the whole request comes back, top bit of the opcode set, result code 5. */
const unsupportedOpcode = <S>(state: ServerState<S>, request: Request): Served<S> => {
  const copied = Math.min(request.bytes.length, MAX_MESSAGE)
  // The result code needs 4 octets, whatever the request had.
  const reply = new Uint8Array(Math.max(4, copied))
  reply.set(request.bytes.subarray(0, copied))
  reply[1] |= 0x80
  putU16(reply, 2, NatPmpResult.UNSUPPORTED_OPCODE)
  return { cgnState: state.cgnState, reply, code: NatPmpResult.UNSUPPORTED_OPCODE, changes: NO_CHANGES, options: [] }
}

/** RFC 6886 section 3.2: 12 octets: version, opcode, result code 2, epoch 4, external address 4 (zero on failure). */
const serveExternalAddress = <S>(state: ServerState<S>, request: Request): Served<S> => {
  const { source, now } = request
  const { cgn, cgnState } = state
  const served = cgn.getSubscriber(cgnState, source, undefined).code === ResultCode.SUCCESS
  const external = served ? cgn.externalAddress(cgnState, source, undefined, now) : undefined
  const found = external !== undefined && isIpv4(external)
  const code = found ? NatPmpResult.SUCCESS : served ? NatPmpResult.NETWORK_FAILURE : NatPmpResult.NOT_AUTHORIZED
  const reply = new Uint8Array(12)
  reply[1] = 0x80
  putU16(reply, 2, code)
  putU32(reply, 4, epochTime(state, now))
  if (found) putU32(reply, 8, ipv4Value(external))
  return { cgnState, reply, code, changes: NO_CHANGES, options: [] }
}

/**
 * RFC 6886 sections 3.3 and 3.4. Octets: internal port 4, suggested external port 6, lifetime 8. Lifetime 0 deletes; with
 * internal port 0 it deletes all of the host's mappings of the protocol. Internal port 0 with a lifetime has no meaning
 * in the RFC: refused, result code 2.
 */
const serveMapping = <S>(state: ServerState<S>, request: Request, protocol: number): Served<S> => {
  const { bytes, source, now } = request
  const { cgn, cgnState, settings } = state
  const internalPort = u16(bytes, 4)
  const asked = u32(bytes, 8)
  const end = { protocol, internal: source, internalPort }
  if (cgn.getSubscriber(cgnState, source, undefined).code !== ResultCode.SUCCESS)
    return answer(state, request, cgnState, NatPmpResult.NOT_AUTHORIZED, 0, 0, NO_CHANGES)
  if (asked === 0 && internalPort === 0) {
    const all = cgn.delMappings(cgnState, source, undefined, protocol, now)
    const code = all.complete ? NatPmpResult.SUCCESS : NatPmpResult.NOT_AUTHORIZED
    return answer(state, request, all.state, code, 0, 0, all.changes)
  }
  if (internalPort === 0) return answer(state, request, cgnState, NatPmpResult.NOT_AUTHORIZED, 0, 0, NO_CHANGES)
  if (asked === 0) {
    const done = cgn.delMapping(cgnState, { ...end, origin: "nat-pmp", nonce: undefined }, now)
    if (done.outcome === "refused") return answer(state, request, cgnState, resultOf(done.code), 0, 0, NO_CHANGES)
    return answer(state, request, done.state, NatPmpResult.SUCCESS, 0, 0, done.changes)
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
    },
    now,
  )
  if (done.outcome === "refused") return answer(state, request, cgnState, resultOf(done.code), 0, 0, NO_CHANGES)
  return answer(state, request, done.state, NatPmpResult.SUCCESS, done.externalPort, done.lifetime, done.changes)
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

const answer = <S>(
  state: ServerState<S>,
  request: Request,
  cgnState: S,
  code: number,
  externalPort: number,
  lifetime: number,
  changes: readonly Change[],
): Served<S> => {
  const { bytes, now } = request
  const reply = new Uint8Array(16)
  reply[1] = bytes[1] | 0x80
  putU16(reply, 2, code)
  putU32(reply, 4, epochTime(state, now))
  reply[8] = bytes[4]
  reply[9] = bytes[5]
  putU16(reply, 10, externalPort)
  putU32(reply, 12, lifetime)
  return { cgnState, reply, code, changes, options: [] }
}
