/**
 * PCP and NAT-PMP messages as templates, put together from the figures of RFC 6887 and RFC 6886: what the vectors are
 * written in. No code under test has a part in it.
 */

const hex = (value: number, octets: number): string => value.toString(16).padStart(2 * octets, "0")
export const u8 = (value: number): string => hex(value, 1)
export const u16 = (value: number): string => hex(value, 2)
export const u32 = (value: number): string => hex(value, 4)

/** Sixteen octets of an IPv4 address (RFC 6887 section 5). */
export const ip4 = (text: string): string => `00000000000000000000ffff${text.split(".").map(Number).map(u8).join("")}`

export const ANY4 = ip4("0.0.0.0")
export const ANY6 = "0".repeat(32)
export const ZERO12 = "0".repeat(24)
export const UDP = 17
export const TCP = 6
export const SCTP = 132

/** Octets of RFC 6887 figures 9 and 11 that a case gives another value; numbers or templates. */
export interface Fields {
  readonly version?: string
  readonly opcode?: string
  readonly reserved?: string
  readonly lifetime?: number | string
  readonly client?: string
  readonly nonce?: string
  readonly protocol?: number
  readonly reserved3?: string
  readonly port?: string
  readonly suggestedPort?: string
  readonly suggested?: string
  readonly remotePort?: string
  readonly reserved2?: string
  readonly remote?: string
  readonly options?: string
}

const seconds = (lifetime: number | string): string => (typeof lifetime === "number" ? u32(lifetime) : lifetime)

/** RFC 6887 figure 2: version, opcode, reserved 2, requested lifetime 4, client address 16. */
const header = (opcode: string, fields: Fields, lifetime: number | string): string =>
  `${fields.version ?? "02"} ${fields.opcode ?? opcode} ${fields.reserved ?? "0000"} ${seconds(fields.lifetime ?? lifetime)} ${fields.client ?? "{client}"}`

/** RFC 6887 figure 9: nonce 12, protocol, reserved 3, internal port 2, suggested external port 2 and address 16. */
const data = (fields: Fields): string =>
  [
    fields.nonce ?? "{nonce}",
    u8(fields.protocol ?? UDP),
    fields.reserved3 ?? "000000",
    fields.port ?? "{port}",
    fields.suggestedPort ?? "0000",
    fields.suggested ?? "{any}",
  ].join(" ")

/** RFC 6887 figure 11 after MAP's part: remote peer port 2, reserved 2, remote peer address 16. */
const peerData = (fields: Fields): string =>
  `${fields.remotePort ?? u16(443)} ${fields.reserved2 ?? "0000"} ${fields.remote ?? "{remote}"}`

const line = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join(" ")

/** What follows the header of a MAP request: an error response has the same there. */
export const mapBody = (fields: Fields = {}): string => line(data(fields), fields.options ?? "")
export const peerBody = (fields: Fields = {}): string => line(data(fields), peerData(fields), fields.options ?? "")

export const map = (fields: Fields = {}): string => line(header("01", fields, 7200), mapBody(fields))
export const peer = (fields: Fields = {}): string => line(header("02", fields, 120), peerBody(fields))
/** RFC 6887 section 14.1.1: the header alone. */
export const announce = (fields: Fields = {}): string => line(header("00", fields, 0), fields.options ?? "")

/** An option (RFC 6887 figure 4) with its padding; `octets` is the length of `content` where that is a template. */
export const option = (code: number, content = "", octets = content.replaceAll(" ", "").length / 2): string =>
  line(u8(code), "00", u16(octets), content, "00".repeat((4 - (octets % 4)) % 4))

export const thirdParty = (address: string): string => option(1, address, 16)
export const PREFER_FAILURE = option(2)
export const filter = (prefixLength: number, port: number, remote = "{remote}"): string =>
  option(3, `00 ${u8(prefixLength)} ${u16(port)} ${remote}`, 20)
export const thirdPartyId = (id: string): string => option(13, id)
export const description = (text: string): string =>
  option(128, Array.from(new TextEncoder().encode(text), (octet) => u8(octet)).join(""))
export const portSet = (size: number, first = "{port}", parity = 0): string =>
  option(130, `${u16(size)} ${first} ${u8(parity)}`, 5)

/** What a success response has; members left out may be anything, but for those that must be the request's. */
export interface Answer extends Fields {
  readonly epoch?: string
  readonly reserved96?: string
  /** Assigned; kept as `externalPort` and `external` when left out. */
  readonly externalPort?: string
  readonly external?: string
}

/** RFC 6887 figure 3: version, opcode with R, reserved, result, lifetime 4, epoch 4, reserved 12. */
const answerHeader = (opcode: string, result: string, answer: Answer): string =>
  line(
    answer.version ?? "02",
    answer.opcode ?? opcode,
    answer.reserved ?? "?1",
    result,
    seconds(answer.lifetime ?? "?4"),
    answer.epoch ?? "?4",
    answer.reserved96 ?? "?12",
  )

const answerData = (answer: Answer): string =>
  line(
    answer.nonce ?? "{nonce}",
    u8(answer.protocol ?? UDP),
    answer.reserved3 ?? "?3",
    answer.port ?? "{port}",
    answer.externalPort ?? "{externalPort:2}",
    answer.external ?? "{external:16}",
  )

/** A successful answer to {@link map}: other options than `options` would be one mismatch. */
export const mapped = (answer: Answer = {}): string =>
  line(answerHeader("81", "00", answer), answerData(answer), answer.options ?? "")

export const peered = (answer: Answer = {}): string =>
  line(
    answerHeader("82", "00", answer),
    answerData(answer),
    `${answer.remotePort ?? u16(443)} ${answer.reserved2 ?? "?2"} ${answer.remote ?? "{remote}"}`,
    answer.options ?? "",
  )

export const announced = (answer: Answer = {}): string => line(answerHeader("80", "00", answer), answer.options ?? "")

/** A success response to a deletion (RFC 6887 section 15.1): lifetime 0, and the suggested fields of the request come back. */
export const deleted = (
  fields: {
    port?: string
    protocol?: string
    suggestedPort?: string
    suggested?: string
    nonce?: string
    lifetime?: string
  } = {},
) =>
  `02 81 ?1 00 ${fields.lifetime ?? "00000000"} ?4 ?12 ${fields.nonce ?? "{nonce}"} ${fields.protocol ?? "11"} ?3 ${fields.port ?? "{port}"} ${fields.suggestedPort ?? "?2"} ${fields.suggested ?? "?16"}`

/** An error response of any length; `body` where it matters. */
export const refused = (
  opcode: "80" | "81" | "82" | string,
  result: number,
  answer: Answer = {},
  body = "...",
): string => line(answerHeader(opcode, u8(result), answer), body)

export const RESULT = {
  SUCCESS: 0,
  UNSUPP_VERSION: 1,
  NOT_AUTHORIZED: 2,
  MALFORMED_REQUEST: 3,
  UNSUPP_OPCODE: 4,
  UNSUPP_OPTION: 5,
  MALFORMED_OPTION: 6,
  NETWORK_FAILURE: 7,
  NO_RESOURCES: 8,
  UNSUPP_PROTOCOL: 9,
  USER_EX_QUOTA: 10,
  CANNOT_PROVIDE_EXTERNAL: 11,
  ADDRESS_MISMATCH: 12,
  EXCESSIVE_REMOTE_PEERS: 13,
  THIRD_PARTY_ID_UNKNOWN: 24,
  THIRD_PARTY_MISSING_OPTION: 25,
  UNSUPP_THIRD_PARTY_ID_LENGTH: 26,
} as const

/** RFC 6886 section 3.3: version, opcode, reserved 2, internal port 2, suggested external port 2, lifetime 4. */
export const pmpMap = (opcode: 1 | 2, port: string, suggested: string, lifetime: number | string, reserved = "0000") =>
  `00 ${u8(opcode)} ${reserved} ${port} ${suggested} ${seconds(lifetime)}`
export const PMP_ADDRESS = "00 00"

/** RFC 6886 section 3.3: version, opcode with 128, result 2, epoch 4, internal port 2, external port 2, lifetime 4. */
export const pmpMapped = (
  opcode: 1 | 2,
  answer: { result?: number; epoch?: string; port?: string; externalPort?: string; lifetime?: number | string } = {},
): string =>
  line(
    `00 ${u8(128 + opcode)}`,
    u16(answer.result ?? 0),
    answer.epoch ?? "?4",
    answer.port ?? "{port}",
    answer.externalPort ?? "{externalPort:2}",
    seconds(answer.lifetime ?? "{lifetime:4}"),
  )
