import { readAddress, readIpv4 } from "./address.ts"
import { sliceOctets, u16, u32 } from "./octets.ts"
import type { Ipv4Prefix, MalformedOption, PcpOption } from "./option.ts"
import { OPTION_HEADER } from "./option.ts"
import type { ParseError } from "./parsed.ts"
import { headerOf } from "./parsed.ts"
import { OptionCode } from "./registry.ts"
import type { Residue } from "./residue.ts"
import { reservedBits, residueOf, shortOf } from "./residue.ts"

/** `ignoreBOM`, because a byte order mark is text here like any other: it must come back out. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * Reads the options from `start` to the end (RFC 6887 section 7.3), in the order of the packet. What is not canonical goes to
 * `residue`. One to three octets at the end are no option: they are `trailing`. An option whose data run past the end is an error.
 */
export const parseOptions = (
  bytes: Uint8Array,
  start: number,
  residue: Residue[],
): readonly PcpOption[] | ParseError => {
  const length = bytes.length
  const options: PcpOption[] = []
  let offset = start
  while (length - offset >= OPTION_HEADER) {
    const dataStart = offset + OPTION_HEADER
    const dataEnd = dataStart + u16(bytes, offset + 2)
    if (dataEnd > length) return overrun(bytes, offset, dataEnd)
    if (bytes[offset + 1] !== 0) residue.push(residueOf("reserved", bytes, offset + 1, offset + 2))
    options.push(readOption(bytes, bytes[offset], dataStart, dataEnd, residue))
    const next = (dataEnd + 3) & ~3
    const paddingEnd = Math.min(next, length)
    for (let i = dataEnd; i < paddingEnd; i++) {
      if (bytes[i] === 0) continue
      residue.push(residueOf("padding", bytes, dataEnd, paddingEnd))
      break
    }
    if (next > length) residue.push(shortOf(length))
    offset = next
  }
  if (offset < length) residue.push(residueOf("trailing", bytes, offset, length))
  return options
}

const overrun = (bytes: Uint8Array, offset: number, dataEnd: number): ParseError => ({
  code: "option-overrun",
  offset,
  clause: "RFC 6887 7.3",
  text: `option ${bytes[offset]} says that its data end at octet ${dataEnd}, but the packet has ${bytes.length} octets`,
  header: headerOf(bytes),
})

const readOption = (bytes: Uint8Array, code: number, start: number, end: number, residue: Residue[]): PcpOption => {
  const length = end - start
  switch (code) {
    case OptionCode.THIRD_PARTY:
      if (length !== 16) return wrongLength(bytes, code, start, end, "16", "RFC 6887 13.1")
      return { kind: "THIRD_PARTY", internal: readAddress(bytes, start) }
    case OptionCode.PREFER_FAILURE:
      if (length !== 0) return wrongLength(bytes, code, start, end, "0", "RFC 6887 13.2")
      return { kind: "PREFER_FAILURE" }
    case OptionCode.FILTER:
      if (length !== 20) return wrongLength(bytes, code, start, end, "20", "RFC 6887 13.3")
      if (bytes[start] !== 0) residue.push(residueOf("reserved", bytes, start, start + 1))
      return {
        kind: "FILTER",
        prefixLength: bytes[start + 1],
        remotePort: u16(bytes, start + 2),
        remote: readAddress(bytes, start + 4),
      }
    case OptionCode.NONCE:
      if (length !== 4) return wrongLength(bytes, code, start, end, "4", "RFC 7652 5.3")
      return { kind: "NONCE", nonce: u32(bytes, start) }
    case OptionCode.AUTHENTICATION_TAG:
      if (length < 12) return wrongLength(bytes, code, start, end, "at least 12", "RFC 7652 5.4")
      return {
        kind: "AUTHENTICATION_TAG",
        sessionId: u32(bytes, start),
        sequence: u32(bytes, start + 4),
        keyId: u32(bytes, start + 8),
        data: sliceOctets(bytes, start + 12, end),
      }
    case OptionCode.PA_AUTHENTICATION_TAG:
      if (length < 4) return wrongLength(bytes, code, start, end, "at least 4", "RFC 7652 5.5")
      return { kind: "PA_AUTHENTICATION_TAG", keyId: u32(bytes, start), data: sliceOctets(bytes, start + 4, end) }
    case OptionCode.EAP_PAYLOAD:
      return { kind: "EAP_PAYLOAD", message: sliceOctets(bytes, start, end) }
    case OptionCode.PRF:
      if (length !== 4) return wrongLength(bytes, code, start, end, "4", "RFC 7652 5.7")
      return { kind: "PRF", transform: u32(bytes, start) }
    case OptionCode.MAC_ALGORITHM:
      if (length !== 4) return wrongLength(bytes, code, start, end, "4", "RFC 7652 5.8")
      return { kind: "MAC_ALGORITHM", transform: u32(bytes, start) }
    case OptionCode.SESSION_LIFETIME:
      if (length !== 4) return wrongLength(bytes, code, start, end, "4", "RFC 7652 5.9")
      return { kind: "SESSION_LIFETIME", lifetime: u32(bytes, start) }
    case OptionCode.RECEIVED_PAK:
      if (length !== 4) return wrongLength(bytes, code, start, end, "4", "RFC 7652 5.10")
      return { kind: "RECEIVED_PAK", sequence: u32(bytes, start) }
    case OptionCode.ID_INDICATOR: {
      const indicator = readText(bytes, start, end)
      return indicator === undefined
        ? malformed(bytes, code, start, end, "RFC 7652 5.11", "the ID indicator is not UTF-8")
        : { kind: "ID_INDICATOR", indicator }
    }
    case OptionCode.THIRD_PARTY_ID:
      return { kind: "THIRD_PARTY_ID", id: sliceOctets(bytes, start, end) }
    case OptionCode.DESCRIPTION: {
      const text = readText(bytes, start, end)
      return text === undefined
        ? malformed(bytes, code, start, end, "RFC 7220 2", "the description is not UTF-8")
        : { kind: "DESCRIPTION", text }
    }
    case OptionCode.PREFIX64:
      return readPrefix64(bytes, start, end)
    case OptionCode.PORT_SET: {
      if (length !== 5) return wrongLength(bytes, code, start, end, "5", "RFC 7753 4")
      const last = bytes[start + 4]
      if (last > 1) residue.push(reservedBits(start + 4, last & 0xfe))
      return {
        kind: "PORT_SET",
        size: u16(bytes, start),
        firstInternalPort: u16(bytes, start + 2),
        parity: (last & 1) === 1,
      }
    }
    default:
      return { kind: "unknown", code, data: sliceOctets(bytes, start, end) }
  }
}

/** Prefix length 2, prefix and suffix 12 together, and perhaps a list of {count 2, {length 2, address 4} each}. */
const readPrefix64 = (bytes: Uint8Array, start: number, end: number): PcpOption => {
  const code = OptionCode.PREFIX64
  const length = end - start
  if (length < 14) return wrongLength(bytes, code, start, end, "at least 14", "RFC 7225 4.1")
  const prefixLength = u16(bytes, start)
  if (!isPrefix64Length(prefixLength)) {
    const problem = `a prefix of ${prefixLength} octets is none of 4, 5, 6, 7, 8 and 12`
    return malformed(bytes, code, start, end, "RFC 7225 4.1", problem)
  }
  const suffixStart = start + 2 + prefixLength
  const list = start + 14
  const prefix = sliceOctets(bytes, start + 2, suffixStart)
  const suffix = sliceOctets(bytes, suffixStart, list)
  if (length === 14) return { kind: "PREFIX64", prefix, suffix, ipv4Prefixes: undefined }
  if (length < 16 || length !== 16 + 6 * u16(bytes, list)) {
    return malformed(
      bytes,
      code,
      start,
      end,
      "RFC 7225 4.1",
      "the list of IPv4 prefixes does not have its counted length",
    )
  }
  const ipv4Prefixes: Ipv4Prefix[] = []
  for (let o = list + 2; o < end; o += 6) {
    ipv4Prefixes.push({ length: u16(bytes, o), address: readIpv4(bytes, o + 2) })
  }
  return { kind: "PREFIX64", prefix, suffix, ipv4Prefixes }
}

/** Octets that a Pref64::/n may have (RFC 6052 section 2.2). */
export const isPrefix64Length = (octets: number): boolean => (octets >= 4 && octets <= 8) || octets === 12

const readText = (bytes: Uint8Array, start: number, end: number): string | undefined => {
  try {
    return utf8.decode(bytes.subarray(start, end))
  } catch {
    return undefined
  }
}

const malformed = (
  bytes: Uint8Array,
  code: number,
  start: number,
  end: number,
  clause: string,
  problem: string,
): MalformedOption => ({ kind: "malformed", code, data: sliceOctets(bytes, start, end), clause, problem })

const wrongLength = (
  bytes: Uint8Array,
  code: number,
  start: number,
  end: number,
  wanted: string,
  clause: string,
): MalformedOption => malformed(bytes, code, start, end, clause, `the length is ${end - start}, not ${wanted}`)
