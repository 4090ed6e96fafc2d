import { type Change, counted } from "../cgn/index.ts"
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
import { count, countServed } from "./counts.ts"
import { serveMap } from "./map.ts"
import { serveNatPmp, versionError } from "./natpmp.ts"
import { readOptions } from "./option.ts"
import { servePeer } from "./peer.ts"
import { epochTime, refuse, type Served, writeHeader } from "./reply.ts"
import { DROP_REASONS, type DropReason, type Request, type Response } from "./request.ts"
import type { ServerState } from "./settings.ts"

/**
 * The server (RFC 6887 section 8.2, RFC 6886 section 3): one datagram in; the next state, the reply and what changed out.
 * Total: any bytes give a reply or a drop. The given state stays valid.
 *
 * Where section 8.2 leaves the order open, the opcode is looked at before the length that it has, and the length before
 * the client address (reference trap 6.12); a short ANNOUNCE is a short message: dropped (trap 6.3).
 */
export const process = <S>(state: ServerState<S>, request: Request): readonly [ServerState<S>, Response] => {
  const { bytes } = request
  const { settings } = state
  if (request.side === "outside") return drop(state, "outside")
  if (bytes.length < 2) return drop(state, "too-short")
  if ((bytes[1] & 0x80) !== 0) return drop(state, "response")
  if (bytes[0] === NATPMP_VERSION && settings.natPmp) {
    if (bytes.length < 12 && (bytes[1] === 1 || bytes[1] === 2)) return drop(state, "too-short")
    return finish(state, request, serveNatPmp(state, request), true)
  }
  if (!settings.pcp) return finish(state, request, versionError(state, request), true)
  if (bytes[0] !== PCP_VERSION) return finish(state, request, refuse(state, request, ResultCode.UNSUPP_VERSION), false)
  if (bytes.length < HEADER_LENGTH) return drop(state, "too-short")
  return finish(state, request, serve(state, request), false)
}

const serve = <S>(state: ServerState<S>, request: Request): Served<S> => {
  const { bytes, source } = request
  const { settings } = state
  if (bytes.length > MAX_MESSAGE || (bytes.length & 3) !== 0)
    return refuse(state, request, ResultCode.MALFORMED_REQUEST)
  const opcode = bytes[1]
  const length = bodyEnd(opcode)
  const on = opcode === Opcode.MAP ? settings.map : opcode === Opcode.PEER ? settings.peer : settings.announce
  if (length === 0 || !on) return refuse(state, request, ResultCode.UNSUPP_OPCODE)
  if (bytes.length < length) return refuse(state, request, ResultCode.MALFORMED_REQUEST)
  if (!isClient(bytes, source)) return refuse(state, request, ResultCode.ADDRESS_MISMATCH)
  const options = readOptions(bytes, length, source, settings)
  const served =
    options.code !== ResultCode.SUCCESS ? refuse(state, request, options.code) : dispatch(state, request, options)
  return options.seen.length === 0 ? served : { ...served, options: options.seen }
}

const dispatch = <S>(state: ServerState<S>, request: Request, options: ReturnType<typeof readOptions>): Served<S> => {
  switch (request.bytes[1]) {
    case Opcode.MAP:
      return serveMap(state, request, options)
    case Opcode.PEER:
      return servePeer(state, request, options)
    default:
      return serveAnnounce(state, request)
  }
}

/** RFC 6887 section 14.1.2: SUCCESS, lifetime 0, no payload. */
const serveAnnounce = <S>(state: ServerState<S>, request: Request): Served<S> => {
  const reply = new Uint8Array(HEADER_LENGTH)
  writeHeader(reply, Opcode.ANNOUNCE, ResultCode.SUCCESS, 0, epochTime(state, request.now))
  return { cgnState: state.cgnState, reply, code: ResultCode.SUCCESS, changes: [], options: [] }
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
  state: ServerState<S>,
  request: Request,
  served: Served<S>,
  natPmp: boolean,
): readonly [ServerState<S>, Response] => {
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
  return [
    { settings, cgn, cgnState: served.cgnState, epochStart, counts },
    { reply: served.reply, dropped: undefined, changes, next: soonest(own) },
  ]
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
