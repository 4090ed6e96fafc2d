import { type Change, counted, type Mapping } from "../cgn/index.ts"
import {
  type Address,
  addressWord,
  HEADER_LENGTH,
  i32,
  MAP_LENGTH,
  MAX_MESSAGE,
  NATPMP_VERSION,
  Opcode,
  PCP_VERSION,
  PEER_LENGTH,
  ResultCode,
} from "../wire/index.ts"
import type { Cache } from "./cache.ts"
import { type Call, openCachedCall, openCall } from "./call.ts"
import { count, countServed } from "./counts.ts"
import { serveMap } from "./map.ts"
import { outOfResources, serveNatPmp, versionError } from "./natpmp.ts"
import { type Options, readOptions } from "./option.ts"
import { replyWithOptions } from "./option-reply.ts"
import { servePeer } from "./peer.ts"
import { NO_PUSHES, stopUpdates } from "./push.ts"
import { type Rates, take } from "./rate.ts"
import { NO_OPTION_CODES, refuse, type Served, writeHeader } from "./reply.ts"
import { DROP_REASONS, type DropReason, type Request, type Response } from "./request.ts"
import type { ServerSettings } from "./settings.ts"
import type { ServerState } from "./state.ts"
import { update } from "./update.ts"

/** Whose rules a datagram is read by: its first octet says (RFC 6887 section 9, RFC 6886 section 3.5). */
type Format = "pcp" | "nat-pmp" | "no-such-version"

/**
 * The server (RFC 6887 section 8.2, RFC 6886 section 3): one datagram in; the next state, the reply and what changed out.
 * Total: any bytes give a reply or a drop. The given state stays valid.
 *
 * RFC ambiguity 12: where section 8.2 leaves the order open, the opcode is looked at before the length that it has, and the
 * length before the client address.
 *
 * RFC ambiguity 3: an ANNOUNCE under 24 octets is a short message: dropped (section 8.2), not answered (14.1.1).
 */
export const process = <S>(state: ServerState<S>, request: Request): readonly [ServerState<S>, Response] => {
  const { bytes } = request
  const { settings } = state
  if (request.side === "outside") return drop(state, "outside")
  if (request.sourcePort === 0) return drop(state, "source-port-0")
  if (bytes.length < 2) return drop(state, "too-short")
  if ((bytes[1] & 0x80) !== 0) return drop(state, "response")
  const format = formatOf(settings, bytes[0])
  if (format === "nat-pmp" && bytes.length < 12 && (bytes[1] === 1 || bytes[1] === 2)) return drop(state, "too-short")
  if (format === "pcp" && bytes.length < HEADER_LENGTH) return drop(state, "too-short")
  let rates = state.rates
  if (settings.rateLimits !== undefined) {
    const taken = take(rates, settings.rateLimits, request.source, request.now)
    // A version that nobody here speaks has no answer that says NO_RESOURCES.
    if (!taken.ok && (settings.rateLimits.over === "drop" || format === "no-such-version"))
      return drop(state, taken.reason)
    if (!taken.ok) return overloaded(state, request, format)
    rates = taken.rates
  }
  if (!settings.profile.cacheCallback) return answer(openCall(state, request), format, rates, state.cache)
  const { cache, call, hit } = openCachedCall(state, request)
  const [after, response] = answer(call, format, rates, cache)
  if (hit === undefined) return [after, response]
  const counter = counted("cache", hit ? 0 : 1)
  return [
    { ...after, counts: count(after.counts, "cache", hit ? 0 : 1) },
    { ...response, changes: [...response.changes, counter] },
  ]
}

const formatOf = (settings: ServerSettings, version: number): Format => {
  if (version === NATPMP_VERSION && settings.natPmp) return "nat-pmp"
  return version === PCP_VERSION && settings.pcp ? "pcp" : "no-such-version"
}

const answer = <S>(call: Call<S>, format: Format, rates: Rates, cache: Cache): readonly [ServerState<S>, Response] => {
  switch (format) {
    case "pcp":
      return finish(call, serve(call), false, rates, cache)
    case "nat-pmp":
      return finish(call, serveNatPmp(call), true, rates, cache)
    case "no-such-version":
      return call.state.settings.pcp
        ? finish(call, refuse(call, ResultCode.UNSUPP_VERSION), false, rates, cache)
        : finish(call, versionError(call), true, rates, cache)
  }
}

/** RFC 6887 section 8.2: an overloaded server may answer NO_RESOURCES without looking further. */
const overloaded = <S>(
  state: ServerState<S>,
  request: Request,
  format: Format,
): readonly [ServerState<S>, Response] => {
  const call = openCall(state, request)
  const natPmp = format === "nat-pmp"
  const served = natPmp ? outOfResources(call) : refuse(call, ResultCode.NO_RESOURCES)
  return finish(call, served, natPmp, state.rates, state.cache)
}

const serve = <S>(call: Call<S>): Served<S> => {
  const { bytes, source } = call.request
  const { settings } = call.state
  if (bytes.length > MAX_MESSAGE || (bytes.length & 3) !== 0) return refuse(call, ResultCode.MALFORMED_REQUEST)
  const opcode = bytes[1]
  const length = bodyEnd(opcode)
  const { announce, map, peer } = settings.profile
  const on = opcode === Opcode.MAP ? map : opcode === Opcode.PEER ? peer : announce
  if (length === 0 || !on) return refuse(call, ResultCode.UNSUPP_OPCODE)
  if (bytes.length < length) return refuse(call, ResultCode.MALFORMED_REQUEST)
  if (!isClient(bytes, source)) return refuse(call, ResultCode.ADDRESS_MISMATCH)
  const options = readOptions(bytes, length, source, settings)
  const served = options.code !== ResultCode.SUCCESS ? refuse(call, options.code) : dispatch(call, options)
  return options.seen.length === 0 ? served : { ...served, options: options.seen }
}

const dispatch = <S>(call: Call<S>, options: Options): Served<S> => {
  switch (call.request.bytes[1]) {
    case Opcode.MAP:
      return serveMap(call, options)
    case Opcode.PEER:
      return servePeer(call, options)
    default:
      return serveAnnounce(call, options)
  }
}

/** RFC 6887 section 14.1.2: SUCCESS, lifetime 0, no payload; PREFIX64 where it was asked for (RFC 7225 section 4.1). */
const serveAnnounce = <S>(call: Call<S>, options: Options): Served<S> => {
  const { request, state } = call
  const reply = replyWithOptions(request.bytes, HEADER_LENGTH, options, state.settings, undefined)
  if (reply === undefined) return refuse(call, ResultCode.MALFORMED_REQUEST)
  writeHeader(reply, Opcode.ANNOUNCE, ResultCode.SUCCESS, 0, call.epoch)
  return { cgnState: state.cgnState, reply, code: ResultCode.SUCCESS, changes: [], options: NO_OPTION_CODES }
}

/** Where a message's options begin; 0 for an opcode that this server does not know. */
const bodyEnd = (opcode: number): number => {
  switch (opcode) {
    case Opcode.ANNOUNCE:
      return HEADER_LENGTH
    case Opcode.MAP:
      return MAP_LENGTH
    case Opcode.PEER:
      return PEER_LENGTH
    default:
      return 0
  }
}

/** Does the PCP Client's IP Address field have the source address? */
const isClient = (bytes: Uint8Array, source: Address): boolean =>
  i32(bytes, 20) === addressWord(source, 3) &&
  i32(bytes, 16) === addressWord(source, 2) &&
  i32(bytes, 12) === addressWord(source, 1) &&
  i32(bytes, 8) === addressWord(source, 0)

const finish = <S>(
  call: Call<S>,
  served: Served<S>,
  natPmp: boolean,
  rates: Rates,
  cache: Cache,
): readonly [ServerState<S>, Response] => {
  const { request, state } = call
  const opcode = request.bytes[1]
  const operation = counted(natPmp ? "natpmp-operation" : "operation", opcode)
  const result = counted(natPmp ? "natpmp-result" : "result", served.code)
  const own = served.changes
  const { settings, cgn, epochStart } = state
  let counts = countServed(state.counts, natPmp, opcode, served.code)
  let changes = own.length === 1 ? [own[0], operation, result] : [...own, operation, result]
  if (served.options.length > 0) {
    for (const code of served.options) counts = count(counts, "option", code)
    changes = [...changes, ...served.options.map((code) => counted("option", code))]
  }
  // A client that renewed its mapping needs no more updates of it (RFC 6887 section 14.2).
  const pushes = state.pushes === NO_PUSHES ? NO_PUSHES : stopUpdates(state.pushes, own)
  const after = { settings, cgn, cgnState: served.cgnState, epochStart, counts, pushes, cache, rates }
  const response = { reply: served.reply, dropped: undefined, changes, next: soonest(own) }
  return served.updates === undefined || served.updates.length === 0
    ? [after, response]
    : withUpdates(after, response, served.updates, request.now)
}

const withUpdates = <S>(
  state: ServerState<S>,
  response: Response,
  mappings: readonly Mapping[],
  now: number,
): readonly [ServerState<S>, Response] => {
  let after = state
  for (const mapping of mappings) after = update(after, { mapping }, now)[0]
  return [after, after === state ? response : { ...response, next: now }]
}

const drop = <S>(state: ServerState<S>, reason: DropReason): readonly [ServerState<S>, Response] => {
  const number = DROP_REASONS.indexOf(reason)
  return [
    { ...state, counts: count(state.counts, "drop", number) },
    { reply: undefined, dropped: reason, changes: [counted("drop", number)], next: undefined },
  ]
}

/** The earliest end among mappings that a request made or renewed, milliseconds. */
const soonest = (changes: readonly Change[]): number | undefined => {
  if (changes.length === 0) return undefined
  let granted = false
  let next = Number.POSITIVE_INFINITY
  for (const change of changes) {
    if (change.type !== "created" && change.type !== "renewed") continue
    granted = true
    next = Math.min(next, change.mapping.expires)
  }
  return granted ? next : undefined
}
