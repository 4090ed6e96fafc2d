import type { CgnResult, Change } from "../cgn/index.ts"
import {
  MAP_LENGTH,
  Opcode,
  putU16,
  ResultCode,
  readAddress,
  readNonce,
  u16,
  u32,
  writeAddress,
} from "../wire/index.ts"
import { copyOptions, type Options, optionsLength } from "./option.ts"
import { epochTime, NO_OPTION_CODES, refuse, type Served, writeHeader } from "./reply.ts"
import type { Request } from "./request.ts"
import type { ServerSettings, ServerState } from "./settings.ts"

/** The lifetime to grant for one asked for, seconds (RFC 6887 section 15). */
export const grantedLifetime = (settings: ServerSettings, asked: number): number =>
  Math.min(settings.maxLifetime, Math.max(settings.minLifetime, asked))

/**
 * MAP (RFC 6887 sections 11.3 and 15.1), its syntax and options found good. Octets: nonce 24 to 35, protocol 36, internal
 * port 40, suggested external port 42 and address 44 to 59.
 */
export const serveMap = <S>(state: ServerState<S>, request: Request, options: Options): Served<S> => {
  const { bytes, source, now } = request
  const { cgn, cgnState, settings } = state
  const protocol = bytes[36]
  const internalPort = u16(bytes, 40)
  const asked = u32(bytes, 4)
  if (protocol === 0 && internalPort !== 0) return refuse(state, request, ResultCode.MALFORMED_REQUEST)
  const internal = options.thirdParty ?? source
  const { code } = cgn.getSubscriber(cgnState, internal, undefined)
  if (code !== ResultCode.SUCCESS) return refuse(state, request, code)
  const nonce = readNonce(bytes, 24)
  if (asked === 0) {
    const done = cgn.delMapping(cgnState, { protocol, internal, internalPort, origin: "pcp", nonce }, now)
    return done.outcome === "refused"
      ? refuse(state, request, done.code, done.lifetime)
      : succeed(state, request, options, done, done.changes)
  }
  // A mapping of all ports, or of all protocols, is none that a NAT44 of shared addresses can give in its entirety.
  if (!cgn.supports(cgnState, protocol, internalPort)) return refuse(state, request, ResultCode.UNSUPP_PROTOCOL)
  const done = cgn.addMapping(
    cgnState,
    {
      protocol,
      internal,
      internalPort,
      origin: "pcp",
      nonce,
      suggested: readAddress(bytes, 44),
      suggestedPort: u16(bytes, 42),
      lifetime: grantedLifetime(settings, asked),
      preferFailure: options.preferFailure,
      clientPort: request.sourcePort,
    },
    now,
  )
  if (done.outcome === "refused") return refuse(state, request, done.code, done.lifetime)
  if (!options.deleteFilters && options.filters.length === 0)
    return succeed(state, request, options, done, done.changes)
  const { deleteFilters, filters } = options
  const filtered = cgn.filter(done.state, { protocol, internal, internalPort, deleteFilters, filters }, now)
  // The state with the new mapping and without its filters is never kept: that is all the rolling back there is.
  if (filtered.outcome === "refused") return refuse(state, request, filtered.code, filtered.lifetime)
  return succeed(state, request, options, { ...done, state: filtered.state }, [...done.changes, ...filtered.changes])
}

const succeed = <S>(
  state: ServerState<S>,
  request: Request,
  options: Options,
  done: Exclude<CgnResult<S>, { outcome: "refused" }>,
  changes: readonly Change[],
): Served<S> => {
  const { bytes } = request
  const reply = new Uint8Array(MAP_LENGTH + optionsLength(options))
  writeHeader(reply, Opcode.MAP, ResultCode.SUCCESS, done.lifetime, epochTime(state, request.now))
  for (let i = 24; i < 37; i++) reply[i] = bytes[i]
  reply[40] = bytes[40]
  reply[41] = bytes[41]
  if (u32(bytes, 4) === 0) {
    // RFC 6887 section 15.1: a deletion's suggested external address and port come back as they are.
    for (let i = 42; i < MAP_LENGTH; i++) reply[i] = bytes[i]
  } else {
    putU16(reply, 42, done.externalPort)
    writeAddress(reply, 44, done.external)
  }
  copyOptions(bytes, options, reply, MAP_LENGTH)
  return { cgnState: done.state, reply, code: ResultCode.SUCCESS, changes, options: NO_OPTION_CODES }
}
