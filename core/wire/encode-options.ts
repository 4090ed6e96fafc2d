import { ipv4Value, isIpv4, writeAddress } from "./address.ts"
import type { EncodeError } from "./encoded.ts"
import { fits } from "./encoded.ts"
import { putU16, putU32 } from "./octets.ts"
import type { PcpOption, Prefix64 } from "./option.ts"
import { OPTION_HEADER, optionCodeOf } from "./option.ts"
import { isPrefix64Length } from "./parse-options.ts"

const utf8 = new TextEncoder()

/** Octets of all options on the wire, headers and padding included. */
export const optionsLength = (options: readonly PcpOption[]): number => {
  let length = 0
  for (let i = 0; i < options.length; i++) length += optionLength(options[i])
  return length
}

/** Octets of one option on the wire, header and padding included (RFC 6887 section 7.3). */
export const optionLength = (option: PcpOption): number => OPTION_HEADER + ((optionDataLength(option) + 3) & ~3)

/** Octets of its data: the Option Length field. */
export const optionDataLength = (option: PcpOption): number => {
  switch (option.kind) {
    case "THIRD_PARTY":
      return 16
    case "PREFER_FAILURE":
      return 0
    case "FILTER":
      return 20
    case "NONCE":
    case "PRF":
    case "MAC_ALGORITHM":
    case "SESSION_LIFETIME":
    case "RECEIVED_PAK":
      return 4
    case "AUTHENTICATION_TAG":
      return 12 + option.data.length
    case "PA_AUTHENTICATION_TAG":
      return 4 + option.data.length
    case "EAP_PAYLOAD":
      return option.message.length
    case "ID_INDICATOR":
      return utf8Length(option.indicator)
    case "THIRD_PARTY_ID":
      return option.id.length
    case "DESCRIPTION":
      return utf8Length(option.text)
    case "PREFIX64":
      return 14 + (option.ipv4Prefixes === undefined ? 0 : 2 + 6 * option.ipv4Prefixes.length)
    case "PORT_SET":
      return 5
    case "unknown":
    case "malformed":
      return option.data.length
  }
}

/** Counted, not encoded: a text may be far too long for a packet. A lone surrogate counts as 3, the length of its replacement. */
const utf8Length = (text: string): number => {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    // Both halves of a pair have 2 octets each.
    length += unit < 0x800 || isPair(text, i) ? 1 : 2
  }
  return length
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000
/** Is the unit at `i` half of a surrogate pair? */
const isPair = (text: string, i: number): boolean => {
  const unit = text.charCodeAt(i)
  return (isHigh(unit) && isLow(text.charCodeAt(i + 1))) || (isLow(unit) && isHigh(text.charCodeAt(i - 1)))
}

/** The first option that no bytes can carry. */
export const optionsError = (options: readonly PcpOption[]): EncodeError | undefined => {
  for (const option of options) {
    const error = optionError(option)
    if (error !== undefined) return error
  }
  return undefined
}

const optionError = (option: PcpOption): EncodeError | undefined => {
  switch (option.kind) {
    case "ID_INDICATOR":
      return textError(option.kind, option.indicator)
    case "DESCRIPTION":
      return textError(option.kind, option.text)
    case "PREFIX64":
      return prefix64Error(option)
    default: {
      if (numbersFit(option)) return undefined
      const what = option.kind === "unknown" || option.kind === "malformed" ? "option code" : option.kind
      return { code: "range", text: `${what} has a number that does not fit its field` }
    }
  }
}

const numbersFit = (option: PcpOption): boolean => {
  switch (option.kind) {
    case "FILTER":
      return fits(option.prefixLength, 8) && fits(option.remotePort, 16)
    case "NONCE":
      return fits(option.nonce, 32)
    case "AUTHENTICATION_TAG":
      return fits(option.sessionId, 32) && fits(option.sequence, 32) && fits(option.keyId, 32)
    case "PA_AUTHENTICATION_TAG":
      return fits(option.keyId, 32)
    case "PRF":
    case "MAC_ALGORITHM":
      return fits(option.transform, 32)
    case "SESSION_LIFETIME":
      return fits(option.lifetime, 32)
    case "RECEIVED_PAK":
      return fits(option.sequence, 32)
    case "PORT_SET":
      return fits(option.size, 16) && fits(option.firstInternalPort, 16)
    case "unknown":
    case "malformed":
      return fits(option.code, 8)
    default:
      return true
  }
}

const prefix64Error = (option: Prefix64): EncodeError | undefined => {
  if (!isPrefix64Length(option.prefix.length) || option.prefix.length + option.suffix.length !== 12) {
    return { code: "range", text: "PREFIX64 has a prefix of 4, 5, 6, 7, 8 or 12 octets and a suffix up to 12" }
  }
  const list = option.ipv4Prefixes
  return list === undefined || list.every((item) => fits(item.length, 16) && isIpv4(item.address))
    ? undefined
    : { code: "range", text: "PREFIX64 lists IPv4 addresses with 16-bit prefix lengths" }
}

const textError = (what: string, value: string): EncodeError | undefined =>
  /\p{Surrogate}/u.test(value)
    ? { code: "text", text: `${what} has a lone surrogate, which UTF-8 cannot carry` }
    : undefined

/** Writes all options from `start` on; the caller has checked them and sized `bytes`, whose octets there are zero. */
export const writeOptions = (bytes: Uint8Array, start: number, options: readonly PcpOption[]): void => {
  let offset = start
  for (let i = 0; i < options.length; i++) {
    const option = options[i]
    const length = optionDataLength(option)
    bytes[offset] = optionCodeOf(option)
    putU16(bytes, offset + 2, length)
    writeData(bytes, offset + OPTION_HEADER, option)
    offset += OPTION_HEADER + ((length + 3) & ~3)
  }
}

const writeData = (bytes: Uint8Array, o: number, option: PcpOption): void => {
  switch (option.kind) {
    case "THIRD_PARTY":
      writeAddress(bytes, o, option.internal)
      break
    case "PREFER_FAILURE":
      break
    case "FILTER":
      bytes[o + 1] = option.prefixLength
      putU16(bytes, o + 2, option.remotePort)
      writeAddress(bytes, o + 4, option.remote)
      break
    case "NONCE":
      putU32(bytes, o, option.nonce)
      break
    case "AUTHENTICATION_TAG":
      putU32(bytes, o, option.sessionId)
      putU32(bytes, o + 4, option.sequence)
      putU32(bytes, o + 8, option.keyId)
      bytes.set(option.data, o + 12)
      break
    case "PA_AUTHENTICATION_TAG":
      putU32(bytes, o, option.keyId)
      bytes.set(option.data, o + 4)
      break
    case "EAP_PAYLOAD":
      bytes.set(option.message, o)
      break
    case "PRF":
    case "MAC_ALGORITHM":
      putU32(bytes, o, option.transform)
      break
    case "SESSION_LIFETIME":
      putU32(bytes, o, option.lifetime)
      break
    case "RECEIVED_PAK":
      putU32(bytes, o, option.sequence)
      break
    case "ID_INDICATOR":
      bytes.set(utf8.encode(option.indicator), o)
      break
    case "THIRD_PARTY_ID":
      bytes.set(option.id, o)
      break
    case "DESCRIPTION":
      bytes.set(utf8.encode(option.text), o)
      break
    case "PREFIX64":
      writePrefix64(bytes, o, option)
      break
    case "PORT_SET":
      putU16(bytes, o, option.size)
      putU16(bytes, o + 2, option.firstInternalPort)
      bytes[o + 4] = option.parity ? 1 : 0
      break
    case "unknown":
    case "malformed":
      bytes.set(option.data, o)
  }
}

const writePrefix64 = (bytes: Uint8Array, o: number, option: Prefix64): void => {
  putU16(bytes, o, option.prefix.length)
  bytes.set(option.prefix, o + 2)
  bytes.set(option.suffix, o + 2 + option.prefix.length)
  const list = option.ipv4Prefixes
  if (list === undefined) return
  putU16(bytes, o + 14, list.length)
  for (let i = 0; i < list.length; i++) {
    putU16(bytes, o + 16 + 6 * i, list[i].length)
    putU32(bytes, o + 18 + 6 * i, ipv4Value(list[i].address))
  }
}
