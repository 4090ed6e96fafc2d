import type { Filter, PortSetAsk, Realm } from "../cgn/index.ts"
import {
  type Address,
  isAny,
  isIpv4,
  Opcode,
  OptionCode,
  parseAddress,
  ResultCode,
  readAddress,
  u16,
  u32,
} from "../wire/index.ts"
import { hasThirdParty, type ServerSettings } from "./settings.ts"

/** The options of a request that the server processed, or the result code that refuses it. */
export interface Options {
  /** 0, or why the request is refused. */
  readonly code: number
  /** The internal address instead of the source's. */
  readonly thirdParty: Address | undefined
  /** Offset of THIRD_PARTY in the request; 0: it has none. */
  readonly thirdPartyAt: number
  /** THIRD_PARTY_ID's octets in hex, and the realm that they name (RFC 7843). */
  readonly thirdPartyId: string | undefined
  readonly realm: Realm | undefined
  readonly preferFailure: boolean
  /** A FILTER with prefix length 0 was seen: those before it, here and in the mapping, go (RFC 6887 section 13.3). */
  readonly deleteFilters: boolean
  readonly filters: readonly Filter[]
  /** RFC 7753; `undefined` for a single port too, which needs no option. */
  readonly portSet: PortSetAsk | undefined
  /** RFC 7220; `undefined`: none that could be kept. */
  readonly description: string | undefined
  /** The client asks for the Pref64s (RFC 7225). */
  readonly prefix64: boolean
  /** Octets of the options that the success response carries as they came, each with its header and padding. */
  readonly processed: readonly { readonly offset: number; readonly length: number }[]
  /** Codes of all options seen, for the counters. */
  readonly seen: readonly number[]
}

export const NO_OPTIONS: Options = {
  code: ResultCode.SUCCESS,
  thirdParty: undefined,
  thirdPartyAt: 0,
  thirdPartyId: undefined,
  realm: undefined,
  preferFailure: false,
  deleteFilters: false,
  filters: [],
  portSet: undefined,
  description: undefined,
  prefix64: false,
  processed: [],
  seen: [],
}

/** {@link Options} while they are read. */
type Draft = { -readonly [Name in keyof Options]: Options[Name] } & { filters: Filter[] }

/**
 * Reads the options of a MAP, PEER or ANNOUNCE request from `start` on, in the order in which they came (RFC 6887 section
 * 7.3). First the structure of them all: what runs past the end is MALFORMED_OPTION whatever its code. Then each:
 * unknown mandatory ones are UNSUPP_OPTION, unknown optional ones are passed over.
 *
 * RFC ambiguity 5: FILTER with PEER or ANNOUNCE, and any of RFC 6887's three with ANNOUNCE, make no sense: MALFORMED_OPTION,
 * as section 11.3 has it of PREFER_FAILURE in a deletion. PREFER_FAILURE with PEER is MALFORMED_REQUEST (section 12.1).
 */
export const readOptions = (bytes: Uint8Array, start: number, source: Address, settings: ServerSettings): Options => {
  if (start === bytes.length) return NO_OPTIONS
  const seen: number[] = []
  for (let at = start; at < bytes.length; at += paddedLength(bytes, at)) {
    if (at + 4 > bytes.length || at + 4 + u16(bytes, at + 2) > bytes.length)
      return { ...NO_OPTIONS, code: ResultCode.MALFORMED_OPTION, seen }
    seen.push(bytes[at])
  }
  const draft: Draft = { ...NO_OPTIONS, filters: [], seen }
  const processed: { offset: number; length: number }[] = []
  for (let at = start; at < bytes.length; at += paddedLength(bytes, at)) {
    const code = readOption(draft, bytes, at, source, settings)
    if (code > 0) return { ...NO_OPTIONS, code, seen }
    if (code === ECHO) processed.push({ offset: at, length: paddedLength(bytes, at) })
  }
  draft.processed = processed
  if (draft.thirdPartyId !== undefined && draft.thirdPartyAt === 0)
    return { ...NO_OPTIONS, code: ResultCode.THIRD_PARTY_MISSING_OPTION, seen }
  // RFC 7753 section 4.2: a set of ports is never to be refused for the first one's sake.
  if (draft.portSet !== undefined && draft.preferFailure)
    return { ...NO_OPTIONS, code: ResultCode.MALFORMED_OPTION, seen }
  if (draft.portSet?.size === 1) draft.portSet = undefined
  return draft
}

/** What {@link readOption} gives but for a result code: processed and to be copied to the response, or not. */
const ECHO = 0
const KEEP_OUT = -1

const readOption = (draft: Draft, bytes: Uint8Array, at: number, source: Address, settings: ServerSettings): number => {
  switch (bytes[at]) {
    case OptionCode.THIRD_PARTY:
      return readThirdParty(draft, bytes, at, source, settings)
    case OptionCode.PREFER_FAILURE:
      return readPreferFailure(draft, bytes, at)
    case OptionCode.FILTER:
      return readFilter(draft, bytes, at, settings)
    case OptionCode.THIRD_PARTY_ID:
      return readThirdPartyId(draft, bytes, at, settings)
    case OptionCode.DESCRIPTION:
      return readDescription(draft, bytes, at, settings)
    case OptionCode.PREFIX64:
      return readPrefix64(draft, bytes, at, settings)
    case OptionCode.PORT_SET:
      return readPortSet(draft, bytes, at, settings)
    default:
      return bytes[at] < 128 ? ResultCode.UNSUPP_OPTION : KEEP_OUT
  }
}

/** The B4's own address in each softwire (RFC 6333 section 5.7). */
const B4_ADDRESS = parseAddress("192.0.0.2")

/**
 * RFC 6887 section 13.1. All-zeros is nobody's address: MALFORMED_OPTION; but where the profile has nothing else
 * (`thirdPartyZeroOnly`), it stands for the source itself.
 */
const readThirdParty = (
  draft: Draft,
  bytes: Uint8Array,
  at: number,
  source: Address,
  settings: ServerSettings,
): number => {
  const { thirdPartyB4Only, thirdPartyZeroOnly } = settings.profile
  if (!hasThirdParty(settings)) return ResultCode.UNSUPP_OPTION
  if (thirdPartyB4Only && source !== B4_ADDRESS) return ResultCode.UNSUPP_OPTION
  if (bytes[1] === Opcode.ANNOUNCE || draft.thirdPartyAt !== 0 || u16(bytes, at + 2) !== 16)
    return ResultCode.MALFORMED_OPTION
  draft.thirdPartyAt = at
  const internal = readAddress(bytes, at + 4)
  if (thirdPartyZeroOnly) return isAny(internal) ? ECHO : ResultCode.UNSUPP_OPTION
  if (internal === source) return ResultCode.MALFORMED_REQUEST
  if (isAny(internal)) return ResultCode.MALFORMED_OPTION
  draft.thirdParty = internal
  return ECHO
}

/**
 * RFC 6887 section 13.2.
 *
 * RFC ambiguity 9: a suggested port is needed, an all-zeros address beside it is no preference.
 */
const readPreferFailure = (draft: Draft, bytes: Uint8Array, at: number): number => {
  // RFC 6887 section 13.2: with PEER the request, not the option, is malformed.
  if (bytes[1] === Opcode.PEER) return ResultCode.MALFORMED_REQUEST
  if (bytes[1] !== Opcode.MAP || draft.preferFailure || u16(bytes, at + 2) !== 0) return ResultCode.MALFORMED_OPTION
  if (isDeletion(bytes) || u16(bytes, 42) === 0) return ResultCode.MALFORMED_OPTION
  draft.preferFailure = true
  return ECHO
}

/**
 * RFC 6887 section 13.3, octets from `at`: code, reserved, length 2, reserved, prefix length 5, port 6, address 8 to 23. The
 * address has the family of remote peers as the client sees them, and the prefix length that family's range.
 *
 * RFC ambiguity 8: prefix length 0 removes all filters in either family, and its address is not looked at.
 */
const readFilter = (draft: Draft, bytes: Uint8Array, at: number, settings: ServerSettings): number => {
  if (bytes[1] !== Opcode.MAP || u16(bytes, at + 2) !== 20 || isDeletion(bytes)) return ResultCode.MALFORMED_OPTION
  const prefixLength = bytes[at + 5]
  if (prefixLength === 0) {
    draft.deleteFilters = true
    draft.filters = []
    return ECHO
  }
  const remote = readAddress(bytes, at + 8)
  const ipv4 = settings.profile.mapDestination
  if (isIpv4(remote) !== ipv4 || prefixLength < (ipv4 ? 96 : 1) || prefixLength > 128)
    return ResultCode.MALFORMED_OPTION
  draft.filters.push({ remote, prefixLength, remotePort: u16(bytes, at + 6) })
  return ECHO
}

/** RFC 7843 section 5.2. */
const readThirdPartyId = (draft: Draft, bytes: Uint8Array, at: number, settings: ServerSettings): number => {
  const { thirdPartyIds } = settings
  if (!hasThirdParty(settings) || thirdPartyIds.size === 0) return ResultCode.UNSUPP_OPTION
  if (bytes[1] === Opcode.ANNOUNCE || draft.thirdPartyId !== undefined) return ResultCode.MALFORMED_OPTION
  const length = u16(bytes, at + 2)
  const id = hexOf(bytes, at + 4, length)
  const realm = thirdPartyIds.get(id)
  if (realm === undefined) {
    const known = lengthsOf(thirdPartyIds).has(length)
    return known ? ResultCode.THIRD_PARTY_ID_UNKNOWN : ResultCode.UNSUPP_THIRD_PARTY_ID_LENGTH
  }
  draft.thirdPartyId = id
  draft.realm = realm
  return ECHO
}

/** The lengths of each server's identifiers, so that not every unknown one has them all walked over. */
const lengths = new WeakMap<ServerSettings["thirdPartyIds"], ReadonlySet<number>>()

const lengthsOf = (ids: ServerSettings["thirdPartyIds"]): ReadonlySet<number> => {
  const known = lengths.get(ids)
  if (known !== undefined) return known
  const made = new Set([...ids.keys()].map((id) => id.length / 2))
  lengths.set(ids, made)
  return made
}

const hexOf = (bytes: Uint8Array, start: number, length: number): string => {
  let text = ""
  for (let i = start; i < start + length; i++) text += bytes[i].toString(16).padStart(2, "0")
  return text
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** RFC 7220 section 3: one that is not UTF-8, or has a NUL, is as if it were not there. The response has what was stored. */
const readDescription = (draft: Draft, bytes: Uint8Array, at: number, settings: ServerSettings): number => {
  if (!settings.description || bytes[1] === Opcode.ANNOUNCE) return KEEP_OUT
  if (draft.description !== undefined) return ResultCode.MALFORMED_OPTION
  const length = u16(bytes, at + 2)
  if (length > 1016 || isDeletion(bytes)) return KEEP_OUT
  try {
    const text = utf8.decode(bytes.subarray(at + 4, at + 4 + length))
    if (!text.includes("\0")) draft.description = text
  } catch {
    // Not UTF-8.
  }
  return KEEP_OUT
}

/** RFC 7225 section 4: the request only asks; what prefix it names, `::/96` by the RFC, changes no answer. */
const readPrefix64 = (draft: Draft, bytes: Uint8Array, at: number, settings: ServerSettings): number => {
  if (settings.prefix64.length === 0 || bytes[1] === Opcode.PEER) return KEEP_OUT
  if (draft.prefix64 || u16(bytes, at + 2) < 14) return ResultCode.MALFORMED_OPTION
  draft.prefix64 = true
  return KEEP_OUT
}

/** RFC 7753 section 4, octets from `at`: code, reserved, length 2, size 4, first internal port 6, parity in bit 0 of 8. */
const readPortSet = (draft: Draft, bytes: Uint8Array, at: number, settings: ServerSettings): number => {
  if (!settings.portSet || bytes[1] !== Opcode.MAP) return KEEP_OUT
  if (draft.portSet !== undefined || u16(bytes, at + 2) !== 5) return ResultCode.MALFORMED_OPTION
  const size = u16(bytes, at + 4)
  if (!isDeletion(bytes) && (size === 0 || u16(bytes, at + 6) !== u16(bytes, 40))) return ResultCode.MALFORMED_OPTION
  draft.portSet = { size: Math.max(1, size), parity: (bytes[at + 8] & 1) !== 0 }
  return KEEP_OUT
}

/** A requested lifetime of 0. */
const isDeletion = (bytes: Uint8Array): boolean => u32(bytes, 4) === 0

/** Octets of the option at `at` with its header and padding. */
const paddedLength = (bytes: Uint8Array, at: number): number => (4 + u16(bytes, at + 2) + 3) & ~3
