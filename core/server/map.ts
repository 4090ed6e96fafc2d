import type { CgnDone, Change, Mapping } from "../cgn/index.ts"
import {
  type Address,
  isAny,
  MAP_LENGTH,
  Opcode,
  Protocol,
  putU16,
  ResultCode,
  readAddress,
  readNonce,
  u16,
  u32,
  writeAddress,
} from "../wire/index.ts"
import { type Answer, answer, withUpdates } from "./answer.ts"
import type { Call } from "./call.ts"
import type { Options } from "./option.ts"
import { replyWithOptions } from "./option-reply.ts"
import { refuse, writeHeader } from "./reply.ts"
import type { ServerSettings } from "./settings.ts"

/** The lifetime to grant for one asked for, seconds (RFC 6887 section 15). */
export const grantedLifetime = (settings: ServerSettings, asked: number): number =>
  Math.min(settings.maxLifetime, Math.max(settings.minLifetime, asked))

/** May a MAP that deletes nothing have this protocol and internal port by the profile (S-43)? Port 0 is all ports. */
export const hasProtocol = ({ profile }: ServerSettings, protocol: number, internalPort: number): boolean => {
  if (protocol === Protocol.ALL) return profile.oneToOne
  if (internalPort === 0 && !profile.port0) return false
  return protocol === Protocol.TCP || protocol === Protocol.UDP || profile.otherProtocols
}

/** Ports of a set with filters that one request maps at most: each port has filters of its own to be written. */
const FILTERED_SET = 32

/**
 * MAP (RFC 6887 sections 11.3 and 15.1), its syntax and options found good. Octets: nonce 24 to 35, protocol 36, internal
 * port 40, suggested external port 42 and address 44 to 59.
 *
 * RFC ambiguity 4: protocol 0 with a port is MALFORMED_REQUEST (sections 11.3 and 15.1) rather than ignored (11.1).
 */
export const serveMap = <S>(call: Call<S>, options: Options): Answer<S> => {
  const { request, state } = call
  const { bytes, source, now } = request
  const { cgn, cgnState, settings } = state
  const protocol = bytes[36]
  const internalPort = u16(bytes, 40)
  const asked = u32(bytes, 4)
  if (protocol === Protocol.ALL && internalPort !== 0) return refuse(call, ResultCode.MALFORMED_REQUEST)
  const internal = options.thirdParty ?? source
  const realm = options.realm ?? call.realm
  const code = authorize(call, options, internal)
  if (code !== ResultCode.SUCCESS) return refuse(call, code)
  const nonce = readNonce(bytes, 24)
  const { portSet } = options
  if (asked === 0) {
    const done = cgn.delMapping(
      cgnState,
      { protocol, internal, internalPort, realm, origin: "pcp", nonce, portSet },
      now,
    )
    return done.outcome === "refused"
      ? refuse(call, done.code, done.lifetime)
      : succeed(call, options, done, done.state, done.changes)
  }
  if (!hasProtocol(settings, protocol, internalPort) || !cgn.supports(cgnState, protocol, internalPort))
    return refuse(call, ResultCode.UNSUPP_PROTOCOL)
  const { deleteFilters, filters } = options
  const filtering = deleteFilters || filters.length > 0
  let suggested = readAddress(bytes, 44)
  let suggestedPort = u16(bytes, 42)
  if (settings.profile.firewall) {
    // Nothing is translated: the external end is the internal one.
    if (options.preferFailure && !isSame(suggested, suggestedPort, internal, internalPort))
      return refuse(call, ResultCode.CANNOT_PROVIDE_EXTERNAL)
    suggested = internal
    suggestedPort = internalPort
  }
  const done = cgn.addMapping(
    cgnState,
    {
      protocol,
      internal,
      internalPort,
      realm,
      origin: "pcp",
      nonce,
      suggested,
      suggestedPort,
      lifetime: grantedLifetime(settings, asked),
      preferFailure: options.preferFailure,
      clientPort: request.sourcePort,
      requester: options.thirdPartyAt === 0 ? undefined : source,
      thirdPartyId: options.thirdPartyId,
      createAsLocked: filtering,
      // RFC 7753 section 4.2 lets a server map fewer.
      portSet:
        filtering && portSet !== undefined ? { ...portSet, size: Math.min(portSet.size, FILTERED_SET) } : portSet,
      description: options.description,
    },
    now,
  )
  if (done.outcome === "refused") return refuse(call, done.code, done.lifetime)
  if (!filtering) return succeed(call, options, done, done.state, done.changes)
  let filtered: S = done.state
  const changes: Change[] = [...done.changes]
  const unlockOnSuccess = done.outcome === "new"
  for (let port = internalPort; port < internalPort + done.ports; port++) {
    const end = { protocol, internal, internalPort: port, realm }
    const result = cgn.filter(filtered, { ...end, deleteFilters, filters, unlockOnSuccess }, now)
    // The state with the locked mapping is never kept: that is all the cleaning up there is.
    if (result.outcome === "refused") return refuse(call, result.code, result.lifetime)
    filtered = result.state
    for (const change of result.changes) changes.push(change)
  }
  return succeed(call, options, done, filtered, changes)
}

const isSame = (suggested: Address, suggestedPort: number, internal: Address, internalPort: number): boolean =>
  suggestedPort === internalPort && (isAny(suggested) || suggested === internal)

/**
 * libpcpd's `getsubscriber` for whom the request is, then its `authorize` with the offset of THIRD_PARTY: a result code.
 * The subscriber cache holds sources alone: a third party is asked for anew.
 */
export const authorize = <S>(call: Call<S>, options: Options, internal: Address): number => {
  const { realm, request, state, subscriber } = call
  const { cgn, cgnState } = state
  const { code } =
    internal === request.source && options.realm === undefined
      ? subscriber
      : cgn.getSubscriber(cgnState, internal, options.realm ?? realm)
  return code === ResultCode.SUCCESS
    ? cgn.authorize(cgnState, request.bytes, request.source, options.thirdPartyAt)
    : code
}

const succeed = <S>(
  call: Call<S>,
  options: Options,
  done: CgnDone<S>,
  cgnState: S,
  changes: readonly Change[],
): Answer<S> => {
  const { bytes } = call.request
  const reply = replyWithOptions(call.request, MAP_LENGTH, options, call.state.settings, done)
  if (reply === undefined) return refuse(call, ResultCode.MALFORMED_REQUEST)
  writeHeader(reply, Opcode.MAP, ResultCode.SUCCESS, done.lifetime, call.epoch)
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
  const met = answer(call, false, ResultCode.SUCCESS, reply, cgnState, changes)
  return options.portSet === undefined ? met : withUpdates(met, overlapped(changes), call.request.now)
}

/**
 * RFC 7753 section 4.4.1: where a set overlaps mappings that were there before, each of them is refreshed and has a Mapping
 * Update of its own. A set of which all is there is renewed as one: the response says it all.
 */
const overlapped = (changes: readonly Change[]): readonly Mapping[] => {
  if (!changes.some(({ type }) => type === "created")) return []
  return changes.flatMap((change) => (change.type === "renewed" ? [change.mapping] : []))
}
