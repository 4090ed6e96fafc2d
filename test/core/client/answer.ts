/** A server's datagrams, octet by octet after the figures of RFC 6887 and RFC 6886, without the encoder under test. */
import { type Address, parseAddress, writeAddress } from "../../../core/wire/index.ts"

const EXTERNAL_TEXT = "203.0.113.7"

/** What an answer says; the rest is as the request has it. */
export interface AnswerFields {
  readonly result?: number
  readonly lifetime?: number
  readonly epoch?: number
  readonly externalPort?: number
  readonly external?: Address | undefined
  /** Options instead of those of the request, in octets. */
  readonly options?: readonly number[]
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** Octets of opcode-specific data and header: RFC 6887 figures 9, 11 and 14. */
const LENGTHS = [24, 60, 80] as const

const header = (bytes: Uint8Array, { result = 0, lifetime = 3600, epoch = 100 }: AnswerFields): void => {
  bytes[1] |= 128
  bytes[2] = 0
  bytes[3] = result
  view(bytes).setUint32(4, lifetime)
  view(bytes).setUint32(8, epoch)
  bytes.fill(0, 12, 24)
}

/** A success: RFC 6887 sections 11.3, 12.3 and 14.1.2. Grants the suggested port, or the internal one. */
export const success = (request: Uint8Array, fields: AnswerFields = {}): Uint8Array => {
  const length = LENGTHS[request[1] === 1 ? 1 : request[1] === 2 ? 2 : 0]
  const tail = fields.options ?? [...request.subarray(length)]
  const bytes = Uint8Array.from([...request.subarray(0, length), ...tail])
  const requested = view(request).getUint32(4)
  header(bytes, { lifetime: requested, ...fields, result: 0 })
  if (length === 24 || requested === 0) return bytes
  const suggested = view(request).getUint16(42)
  const port = fields.externalPort ?? (suggested === 0 ? view(request).getUint16(40) : suggested)
  view(bytes).setUint16(42, port)
  const external = fields.external ?? parseAddress(EXTERNAL_TEXT)
  if (external !== undefined) writeAddress(bytes, 44, external)
  return bytes
}

/** An error is a copy of the request: RFC 6887 section 7.3. */
export const failure = (request: Uint8Array, result: number, lifetime = 30, epoch = 100): Uint8Array => {
  const bytes = Uint8Array.from(request)
  header(bytes, { result, lifetime, epoch })
  return bytes
}

/** An unsolicited ANNOUNCE: RFC 6887 section 14.1.3. */
export const announcement = (epoch: number): Uint8Array => {
  const bytes = new Uint8Array(24)
  bytes[0] = 2
  header(bytes, { lifetime: 0, epoch })
  return bytes
}

const u16 = (value: number): number[] => [value >>> 8, value & 255]
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)]

/** NAT-PMP's answer to a request of RFC 6886 section 3.2 or 3.3. */
export const natPmpAnswer = (
  request: Uint8Array,
  { result = 0, lifetime, epoch = 100, externalPort, external = "203.0.113.7" }: NatPmpFields = {},
): Uint8Array => {
  if (request[1] === 0) return natPmpAddress(epoch, external, result)
  const internal = view(request).getUint16(4)
  const suggested = view(request).getUint16(6)
  const requested = view(request).getUint32(8)
  const isGrant = result === 0 && requested !== 0
  const port = isGrant ? (externalPort ?? (suggested === 0 ? internal : suggested)) : 0
  return Uint8Array.from([
    ...[0, request[1] | 128, ...u16(result), ...u32(epoch), ...u16(internal), ...u16(port)],
    ...u32(isGrant ? (lifetime ?? requested) : 0),
  ])
}

export interface NatPmpFields {
  readonly result?: number
  readonly lifetime?: number
  readonly epoch?: number
  readonly externalPort?: number
  readonly external?: string
}

/** The external address, asked for or announced: RFC 6886 sections 3.2 and 3.2.1. */
export const natPmpAddress = (epoch: number, external = "203.0.113.7", result = 0): Uint8Array =>
  Uint8Array.from([0, 128, ...u16(result), ...u32(epoch), ...external.split(".").map(Number)])

/** NAT-PMP's version error: RFC 6886 section 3.5, without the response bit, or as older gateways send it. */
export const natPmpVersionError = (opcode = 0, epoch = 100): Uint8Array =>
  Uint8Array.from([0, opcode, 0, 1, ...u32(epoch)])

/** A gateway of NAT-PMP alone. */
export const natPmpGateway =
  (fields: NatPmpFields | (() => NatPmpFields) = {}) =>
  ({ bytes }: { readonly bytes: Uint8Array }): readonly Uint8Array[] => [
    bytes[0] === 0
      ? natPmpAnswer(bytes, typeof fields === "function" ? fields() : fields)
      : natPmpVersionError(0, (typeof fields === "function" ? fields() : fields).epoch),
  ]

/** PCP's UNSUPP_VERSION with the closest version that is known: RFC 6887 section 9. */
export const versionError = (request: Uint8Array, version: number, lifetime = 1800, epoch = 100): Uint8Array => {
  const bytes = new Uint8Array(Math.max(24, Math.ceil(request.length / 4) * 4))
  bytes.set(request)
  header(bytes, { result: 1, lifetime, epoch })
  bytes[0] = version
  return bytes
}
