import type { Filter } from "../cgn/index.ts"
import { type Address, isAny, isIpv4, Opcode, OptionCode, ResultCode, readAddress, u16, u32 } from "../wire/index.ts"
import type { ServerSettings } from "./settings.ts"

/** The options of a request that the server processed, or the result code that refuses it. */
export interface Options {
  /** 0, or why the request is refused. */
  readonly code: number
  readonly thirdParty: Address | undefined
  readonly preferFailure: boolean
  /** A FILTER with prefix length 0 was seen: those before it, here and in the mapping, go (RFC 6887 section 13.3). */
  readonly deleteFilters: boolean
  readonly filters: readonly Filter[]
  /** Octets of the processed options, each with its header and padding, that the success response carries. */
  readonly processed: readonly { readonly offset: number; readonly length: number }[]
  /** Codes of all options seen, for the counters. */
  readonly seen: readonly number[]
}

export const NO_OPTIONS: Options = {
  code: ResultCode.SUCCESS,
  thirdParty: undefined,
  preferFailure: false,
  deleteFilters: false,
  filters: [],
  processed: [],
  seen: [],
}

/**
 * Reads the options of a MAP, PEER or ANNOUNCE request from `start` on, in the order in which they came (RFC 6887 section
 * 7.3). First the structure of them all: what runs past the end is MALFORMED_OPTION whatever its code. Then each:
 * unknown mandatory ones are UNSUPP_OPTION, unknown optional ones are passed over. FILTER with PEER or ANNOUNCE, and any
 * of the three with ANNOUNCE, make no sense: MALFORMED_OPTION (section 11.3's rule; reference trap 6.5).
 */
export const readOptions = (bytes: Uint8Array, start: number, source: Address, settings: ServerSettings): Options => {
  if (start === bytes.length) return NO_OPTIONS
  const seen: number[] = []
  const fail = (code: number): Options => ({ ...NO_OPTIONS, code, seen })
  for (let at = start; at < bytes.length; at += paddedLength(bytes, at)) {
    if (at + 4 > bytes.length || at + 4 + u16(bytes, at + 2) > bytes.length) return fail(ResultCode.MALFORMED_OPTION)
    seen.push(bytes[at])
  }
  const opcode = bytes[1]
  const lifetime = u32(bytes, 4)
  const processed: { offset: number; length: number }[] = []
  let thirdParty: Address | undefined
  let preferFailure = false
  let deleteFilters = false
  let filters: Filter[] = []
  for (let at = start; at < bytes.length; at += paddedLength(bytes, at)) {
    const code = bytes[at]
    const length = u16(bytes, at + 2)
    switch (code) {
      case OptionCode.THIRD_PARTY: {
        if (!settings.thirdParty) return fail(ResultCode.UNSUPP_OPTION)
        if (opcode === Opcode.ANNOUNCE || thirdParty !== undefined || length !== 16)
          return fail(ResultCode.MALFORMED_OPTION)
        thirdParty = readAddress(bytes, at + 4)
        if (thirdParty === source) return fail(ResultCode.MALFORMED_REQUEST)
        if (isAny(thirdParty)) return fail(ResultCode.MALFORMED_OPTION)
        break
      }
      case OptionCode.PREFER_FAILURE:
        // RFC 6887 section 13.2: with PEER the request, not the option, is malformed.
        if (opcode === Opcode.PEER) return fail(ResultCode.MALFORMED_REQUEST)
        if (opcode !== Opcode.MAP || preferFailure || length !== 0 || lifetime === 0)
          return fail(ResultCode.MALFORMED_OPTION)
        if (u16(bytes, 42) === 0) return fail(ResultCode.MALFORMED_OPTION)
        preferFailure = true
        break
      case OptionCode.FILTER: {
        if (opcode !== Opcode.MAP || length !== 20 || lifetime === 0) return fail(ResultCode.MALFORMED_OPTION)
        const prefixLength = bytes[at + 5]
        if (prefixLength === 0) {
          deleteFilters = true
          filters = []
          break
        }
        const remote = readAddress(bytes, at + 8)
        // A NAT44 has IPv4 remote peers only: 96 to 128 bits of an IPv4-mapped address.
        if (!isIpv4(remote) || prefixLength < 96 || prefixLength > 128) return fail(ResultCode.MALFORMED_OPTION)
        filters.push({ remote, prefixLength, remotePort: u16(bytes, at + 6) })
        break
      }
      default:
        if (code < 128) return fail(ResultCode.UNSUPP_OPTION)
        continue
    }
    processed.push({ offset: at, length: paddedLength(bytes, at) })
  }
  return { code: ResultCode.SUCCESS, thirdParty, preferFailure, deleteFilters, filters, processed, seen }
}

/** Octets of the option at `at` with its header and padding. */
const paddedLength = (bytes: Uint8Array, at: number): number => (4 + u16(bytes, at + 2) + 3) & ~3

/** Copies the processed options to a success response from `at` on, reserved octets and padding zero (S-04). */
export const copyOptions = (request: Uint8Array, options: Options, reply: Uint8Array, at: number): void => {
  for (const { offset, length } of options.processed) {
    const data = u16(request, offset + 2)
    reply.set(request.subarray(offset, offset + 4 + data), at)
    reply[at + 1] = 0
    if (request[offset] === OptionCode.FILTER) reply[at + 4] = 0
    at += length
  }
}

/** Octets that {@link copyOptions} writes. */
export const optionsLength = (options: Options): number => {
  let length = 0
  for (const option of options.processed) length += option.length
  return length
}
