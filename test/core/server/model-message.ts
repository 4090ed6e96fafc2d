/**
 * Octets for the model: read and written by the figures of RFC 6887 and RFC 6886 alone. Addresses are text: dotted IPv4
 * for an IPv4-mapped one, else 32 hexadecimal digits; nonces are 24 hexadecimal digits.
 */
export const word16 = (bytes: Uint8Array, at: number): number => bytes[at] * 256 + bytes[at + 1]
export const word32 = (bytes: Uint8Array, at: number): number => word16(bytes, at) * 65536 + word16(bytes, at + 2)

export const put16 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = Math.floor(value / 256)
  bytes[at + 1] = value % 256
}
export const put32 = (bytes: Uint8Array, at: number, value: number): void => {
  put16(bytes, at, Math.floor(value / 65536))
  put16(bytes, at + 2, value % 65536)
}

export const hexAt = (bytes: Uint8Array, from: number, to: number): string => {
  let text = ""
  for (let i = from; i < to; i++) text += (bytes[i] < 16 ? "0" : "") + bytes[i].toString(16)
  return text
}

const MAPPED = "00000000000000000000ffff"

/** The 16 octets at `at` as text. */
export const addressText = (bytes: Uint8Array, at: number): string =>
  hexAt(bytes, at, at + 12) === MAPPED
    ? Array.from(bytes.subarray(at + 12, at + 16)).join(".")
    : hexAt(bytes, at, at + 16)

/** The inverse of {@link addressText}. */
export const putAddress = (bytes: Uint8Array, at: number, text: string): void => {
  const hex = text.includes(".") ? MAPPED : text
  for (let i = 0; i < hex.length / 2; i++) bytes[at + i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  if (text.includes(".")) bytes.set(text.split(".").map(Number), at + 12)
}

export const isV4 = (text: string): boolean => text.includes(".")
export const isZero = (text: string): boolean => text === "0.0.0.0" || text === "0".repeat(32)

export interface ModelFilter {
  readonly remote: string
  readonly prefixLength: number
  readonly remotePort: number
}

/** What the options of a request come to by RFC 6887 sections 7.3 and 13. */
export interface ModelOptions {
  readonly code: number
  readonly thirdParty: string | undefined
  readonly preferFailure: boolean
  readonly deleteFilters: boolean
  readonly filters: readonly ModelFilter[]
  /** RFC 7843: the identifier in hexadecimal, known to the server. */
  readonly thirdPartyId: string | undefined
  /** RFC 7220: its octets in hexadecimal; `undefined`: none that could be kept. */
  readonly description: string | undefined
  /** RFC 7753; `undefined` for one port. */
  readonly portSet: { readonly size: number; readonly parity: boolean } | undefined
  /** The options that a success response carries, as octets. */
  readonly echoed: readonly number[]
  readonly seen: readonly number[]
}

/** Splits the options, or `undefined` from the first that runs past the end on; `seen` has the codes before it. */
const split = (bytes: Uint8Array, start: number) => {
  const options: { code: number; data: Uint8Array }[] = []
  for (let at = start; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? word16(bytes, at + 2) : 65536
    if (at + 4 + length > bytes.length) return { whole: false, options }
    options.push({ code: bytes[at], data: bytes.subarray(at + 4, at + 4 + length) })
    at += 4 + 4 * Math.ceil(length / 4)
  }
  return { whole: true, options }
}

const THIRD_PARTY = 1
const PREFER_FAILURE = 2
const FILTER = 3
const THIRD_PARTY_ID = 13
const DESCRIPTION = 128
const PORT_SET = 130

/** What of the settings says which options are served. */
export interface OptionSettings {
  readonly thirdParty: boolean
  readonly thirdPartyId: boolean
  readonly description: boolean
  readonly portSet: boolean
}

/** The identifiers of RFC 7843 that a server knows which serves them, each naming the realm with its place here. */
export const THIRD_PARTY_IDS: readonly string[] = ["aa", "0102030405060708"]

/** Is this UTF-8 without NUL, as a percent-decoder has it (RFC 7220 section 3)? */
const isText = (hex: string): boolean => {
  try {
    return !decodeURIComponent(hex.replace(/../g, "%$&")).includes("\0")
  } catch {
    return false
  }
}

const NO_OPTIONS = {
  thirdParty: undefined,
  preferFailure: false,
  deleteFilters: false,
  filters: [],
  thirdPartyId: undefined,
  description: undefined,
  portSet: undefined,
  echoed: [],
} as const

/** A request without options: NAT-PMP's. */
export const noOptions: ModelOptions = { ...NO_OPTIONS, code: 0, seen: [] }

export const modelOptions = (
  bytes: Uint8Array,
  start: number,
  source: string,
  settings: OptionSettings,
): ModelOptions => {
  const { whole, options } = split(bytes, start)
  const seen = options.map((option) => option.code)
  const refused = (code: number): ModelOptions => ({ ...NO_OPTIONS, code, seen })
  if (!whole) return refused(6)
  const opcode = bytes[1]
  const deleting = word32(bytes, 4) === 0
  const echoed: number[] = []
  let filters: ModelFilter[] = []
  let deleteFilters = false
  let preferFailure = false
  let thirdParty: string | undefined
  let thirdPartyId: string | undefined
  let description: string | undefined
  let portSet: { size: number; parity: boolean } | undefined
  for (const { code, data } of options) {
    if (code === THIRD_PARTY) {
      if (!settings.thirdParty) return refused(5)
      if (opcode === 0 || thirdParty !== undefined || data.length !== 16) return refused(6)
      thirdParty = addressText(data, 0)
      if (thirdParty === source) return refused(3)
      if (isZero(thirdParty)) return refused(6)
    } else if (code === PREFER_FAILURE) {
      if (opcode === 2) return refused(3)
      if (opcode === 0 || deleting || preferFailure || data.length !== 0 || word16(bytes, 42) === 0) return refused(6)
      preferFailure = true
    } else if (code === FILTER) {
      if (opcode !== 1 || deleting || data.length !== 20) return refused(6)
      const prefixLength = data[1]
      if (prefixLength === 0) {
        deleteFilters = true
        filters = []
      } else {
        const remote = addressText(data, 4)
        if (!isV4(remote) || prefixLength < 96 || prefixLength > 128) return refused(6)
        filters.push({ remote, prefixLength, remotePort: word16(data, 2) })
      }
    } else if (code === THIRD_PARTY_ID) {
      if (!settings.thirdParty || !settings.thirdPartyId) return refused(5)
      if (opcode === 0 || thirdPartyId !== undefined) return refused(6)
      thirdPartyId = hexAt(data, 0, data.length)
      if (!THIRD_PARTY_IDS.some((id) => id.length === 2 * data.length)) return refused(26)
      if (!THIRD_PARTY_IDS.includes(thirdPartyId)) return refused(24)
    } else if (code === DESCRIPTION && settings.description && opcode !== 0) {
      // Not copied to the response: that has what is stored.
      if (description !== undefined) return refused(6)
      const hex = hexAt(data, 0, data.length)
      if (data.length <= 1016 && !deleting && isText(hex)) description = hex
      continue
    } else if (code === PORT_SET && settings.portSet && opcode === 1) {
      if (portSet !== undefined || data.length !== 5) return refused(6)
      const size = word16(data, 0)
      if (!deleting && (size === 0 || word16(data, 2) !== word16(bytes, 40))) return refused(6)
      portSet = { size: Math.max(1, size), parity: data[4] % 2 === 1 }
      continue
    } else if (code < 128) return refused(5)
    else continue
    // Reserved octets go back as zero: the option header's, and FILTER's first (S-04).
    echoed.push(...optionOctets(code, code === FILTER ? [0, ...data.subarray(1)] : [...data]))
  }
  if (thirdPartyId !== undefined && thirdParty === undefined) return refused(25)
  if (portSet !== undefined && preferFailure) return refused(6)
  if (portSet?.size === 1) portSet = undefined
  const read = { thirdParty, preferFailure, deleteFilters, filters, thirdPartyId, description, portSet, echoed }
  return { ...read, code: 0, seen }
}

/** An option as it is sent, with zeros to a multiple of four octets (RFC 6887 section 7.3). */
export const optionOctets = (code: number, data: readonly number[]): readonly number[] => {
  const octets = [code, 0, Math.floor(data.length / 256), data.length % 256, ...data]
  while (octets.length % 4 !== 0) octets.push(0)
  return octets
}

/** DESCRIPTION as a response has it. */
export const descriptionOctets = (hex: string | undefined): readonly number[] =>
  hex === undefined
    ? []
    : optionOctets(
        DESCRIPTION,
        (hex.match(/../g) ?? []).map((octet) => Number.parseInt(octet, 16)),
      )

/** PORT_SET as a response to a request for one has it; one port needs none (RFC 7753 section 4.2). */
export const portSetOctets = (firstPort: number, size: number, parity: boolean): readonly number[] => {
  if (size <= 1) return []
  const [a, b] = [size, firstPort].map((value) => [Math.floor(value / 256), value % 256])
  return optionOctets(PORT_SET, [...a, ...b, parity ? 1 : 0])
}

/** The error reply of RFC 6887 section 8.2: a copy of at most 1100 octets, padded, fields set. */
export const errorReply = (bytes: Uint8Array, code: number, lifetime: number, epoch: number): Uint8Array => {
  const copy = bytes.slice(0, 1100)
  const reply = new Uint8Array(Math.max(24, 4 * Math.ceil(copy.length / 4)))
  reply.set(copy)
  header(reply, bytes[1], code, lifetime, epoch)
  // Parsed requests have zeros in the 96 reserved bits, others the octets that they came with (S-06).
  if (![1, 3, 4, 6].includes(code)) reply.fill(0, 12, 24)
  return reply
}

/** The success reply to a PCP request: its opcode-specific part with the assigned external end, then the options. */
export const successReply = (
  bytes: Uint8Array,
  length: number,
  lifetime: number,
  epoch: number,
  end: { readonly external: string; readonly externalPort: number } | undefined,
  echoed: readonly number[],
): Uint8Array => {
  const reply = new Uint8Array(length + echoed.length)
  header(reply, bytes[1], 0, lifetime, epoch)
  if (length >= 60) {
    reply.set(bytes.subarray(24, 37), 24)
    reply.set(bytes.subarray(40, 60), 40)
  }
  if (length === 80) {
    reply.set(bytes.subarray(60, 62), 60)
    reply.set(bytes.subarray(64, 80), 64)
  }
  if (end !== undefined) {
    put16(reply, 42, end.externalPort)
    putAddress(reply, 44, end.external)
  }
  reply.set(echoed, length)
  return reply
}

const header = (reply: Uint8Array, opcode: number, code: number, lifetime: number, epoch: number): void => {
  reply.set([2, 128 + opcode, 0, code])
  put32(reply, 4, lifetime)
  put32(reply, 8, epoch)
}

/** RFC 6886 sections 3.2 and 3.3. */
export const natPmpReply = (opcode: number, code: number, epoch: number, rest: readonly number[]): Uint8Array => {
  const reply = new Uint8Array(8 + rest.length)
  reply[1] = 128 + opcode
  put16(reply, 2, code)
  put32(reply, 4, epoch)
  reply.set(rest, 8)
  return reply
}
