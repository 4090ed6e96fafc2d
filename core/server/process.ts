import { counted } from "../cgn/index.ts"
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
import { type Answer, answer, withOptions } from "./answer.ts"
import { type Call, openCachedCall, openCall } from "./call.ts"
import { count } from "./counts.ts"
import { serveMap } from "./map.ts"
import { outOfResources, serveNatPmp, versionError } from "./natpmp.ts"
import { type Options, readOptions } from "./option.ts"
import { replyWithOptions } from "./option-reply.ts"
import { servePeer } from "./peer.ts"
import { take } from "./rate.ts"
import { refuse, writeHeader } from "./reply.ts"
import { DROP_REASONS, type DropReason, type Request, type Response } from "./request.ts"
import type { ServerSettings } from "./settings.ts"
import type { ServerState } from "./state.ts"

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
 *
 * @example
 * ```ts
 * import { createServer, parse, parseAddress, process } from "sallyport"
 *
 * const [external, source] = [parseAddress("203.0.113.7"), parseAddress("192.0.2.10")]
 * if (external === undefined || source === undefined) throw new Error("not an address")
 * const secret = crypto.getRandomValues(new Uint8Array(32))
 * const made = createServer({ external: [external], secret, now: 0 })
 * if (!made.ok) throw new Error(made.error.text)
 *
 * // NAT-PMP asks for TCP port 8080 for an hour.
 * const bytes = Uint8Array.of(0, 2, 0, 0, 0x1f, 0x90, 0x1f, 0x90, 0, 0, 14, 16)
 * const [next, { reply, changes }] = process(made.state, { bytes, now: 1000, source, sourcePort: 5350 })
 * console.log(changes[0]?.type) // created
 * const answer = parse(reply ?? new Uint8Array())
 * if (answer.ok && answer.packet.kind === "natpmp-map-response") console.log(answer.packet.externalPort) // 8080
 * console.log(next === made.state) // false
 * ```
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
  const { rateLimits } = settings
  if (rateLimits === undefined) return admit(state, request, format)
  const taken = take(state.rates, rateLimits, request.source, request.now)
  if (taken.ok) return admit({ ...state, rates: taken.rates }, request, format)
  // A version that nobody here speaks has no answer that says NO_RESOURCES.
  if (rateLimits.over === "drop" || format === "no-such-version") return drop(state, taken.reason)
  const call = openCall(state, request)
  return format === "nat-pmp" ? outOfResources(call) : refuse(call, ResultCode.NO_RESOURCES)
}

/** Serves a request with the subscriber cache in between, where there is one. */
const admit = <S>(state: ServerState<S>, request: Request, format: Format): Answer<S> => {
  if (!state.settings.profile.cacheCallback) return dispatch(openCall(state, request), format)
  const { call, hit } = openCachedCall(state, request)
  const [after, response] = dispatch(call, format)
  if (hit === undefined) return [after, response]
  const index = hit ? 0 : 1
  return [
    { ...after, counts: count(after.counts, "cache", index) },
    { ...response, changes: [...response.changes, counted("cache", index)] },
  ]
}

const formatOf = (settings: ServerSettings, version: number): Format => {
  if (version === NATPMP_VERSION && settings.natPmp) return "nat-pmp"
  return version === PCP_VERSION && settings.pcp ? "pcp" : "no-such-version"
}

const dispatch = <S>(call: Call<S>, format: Format): Answer<S> => {
  switch (format) {
    case "pcp":
      return serve(call)
    case "nat-pmp":
      return serveNatPmp(call)
    case "no-such-version":
      return call.state.settings.pcp ? refuse(call, ResultCode.UNSUPP_VERSION) : versionError(call)
  }
}

const serve = <S>(call: Call<S>): Answer<S> => {
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
  const served = options.code !== ResultCode.SUCCESS ? refuse(call, options.code) : serveOpcode(call, options)
  return options.seen.length === 0 ? served : withOptions(served, options.seen)
}

const serveOpcode = <S>(call: Call<S>, options: Options): Answer<S> => {
  switch (call.request.bytes[1]) {
    case Opcode.MAP:
      return serveMap(call, options)
    case Opcode.PEER:
      return servePeer(call, options)
    default:
      return serveAnnounce(call, options)
  }
}

/**
 * RFC 6887 section 14.1.2: SUCCESS, lifetime 0, no payload; PREFIX64 where it was asked for (RFC 7225 section 4.1). The
 * CGN's rules hold for it as for the other opcodes.
 */
const serveAnnounce = <S>(call: Call<S>, options: Options): Answer<S> => {
  const { request, state } = call
  const code = state.cgn.authorize(state.cgnState, request.bytes, request.source, 0)
  if (code !== ResultCode.SUCCESS) return refuse(call, code)
  const reply = replyWithOptions(request, HEADER_LENGTH, options, state.settings, undefined)
  if (reply === undefined) return refuse(call, ResultCode.MALFORMED_REQUEST)
  writeHeader(reply, Opcode.ANNOUNCE, ResultCode.SUCCESS, 0, call.epoch)
  return answer(call, false, ResultCode.SUCCESS, reply, state.cgnState, [])
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

const drop = <S>(state: ServerState<S>, reason: DropReason): Answer<S> => {
  const number = DROP_REASONS.indexOf(reason)
  return [
    { ...state, counts: count(state.counts, "drop", number) },
    { reply: undefined, dropped: reason, changes: [counted("drop", number)], next: undefined },
  ]
}
