import { writeAddress } from "./address.ts"
import { encodeNatPmp } from "./encode-natpmp.ts"
import { optionsError, optionsLength, writeOptions } from "./encode-options.ts"
import type { Encoded, EncodeError } from "./encoded.ts"
import { fits, impossible, misfit } from "./encoded.ts"
import { writeNonce } from "./nonce.ts"
import { putU16, putU32 } from "./octets.ts"
import type {
  MapBody,
  OpaqueBody,
  OtherVersion,
  Packet,
  PcpRequest,
  PcpResponse,
  PeerBody,
  RequestBody,
  ResponseBody,
} from "./packet.ts"
import { opcodeOf } from "./packet.ts"
import { bodyEnd } from "./parse.ts"
import { HEADER_LENGTH, MAX_MESSAGE, Opcode, PCP_VERSION, ResultCode } from "./registry.ts"
import type { Residue } from "./residue.ts"

/**
 * The canonical bytes of a packet: reserved fields and padding zero, a PCP message a multiple of 4 octets long. The inverse of `parse`:
 * `encode(parse(b).packet)` is `b` for every `b` that parses without residue.
 *
 * A packet that no bytes can carry gives an error instead, never a throw: a number out of its field's range, a PCP message of more than
 * 1100 octets, a text that is not Unicode, a client tail in a success response.
 */
export const encode = (packet: Packet): Encoded => {
  switch (packet.kind) {
    case "pcp-request":
      return encodeRequest(packet)
    case "pcp-response":
      return encodeResponse(packet)
    case "other-version":
      return encodeOtherVersion(packet)
    default:
      return encodeNatPmp(packet)
  }
}

/**
 * The bytes of a packet with its residue put back: `encodeWith(packet, residue)` of what `parse` gave for `b` is `b`, for every `b` that
 * parses. Residue that does not fit the packet is an error.
 */
export const encodeWith = (packet: Packet, residue: readonly Residue[]): Encoded => {
  const encoded = encode(packet)
  if (!encoded.ok || residue.length === 0) return encoded
  let bytes = encoded.bytes
  for (const item of residue) {
    switch (item.kind) {
      case "reserved":
      case "padding":
        if (item.offset + item.bytes.length > bytes.length) return strange(item)
        // These bits are zero in the canonical form; the other bits of the octet may be a field.
        for (let i = 0; i < item.bytes.length; i++) bytes[item.offset + i] |= item.bytes[i]
        break
      case "trailing": {
        if (item.offset !== bytes.length) return strange(item)
        const longer = new Uint8Array(bytes.length + item.bytes.length)
        longer.set(bytes)
        longer.set(item.bytes, item.offset)
        bytes = longer
        break
      }
      case "short":
        if (item.offset > bytes.length) return strange(item)
        bytes = bytes.slice(0, item.offset)
        break
    }
  }
  return { ok: true, bytes }
}

const strange = (item: Residue): Encoded =>
  impossible("residue", `the ${item.kind} residue at octet ${item.offset} does not fit`)

const encodeRequest = (packet: PcpRequest): Encoded => {
  const body = packet.body
  const end = endOf(body)
  const length = padded(end + optionsLength(packet.options))
  const error = requestError(packet, length)
  if (error !== undefined) return { ok: false, error }
  const bytes = new Uint8Array(length)
  bytes[0] = PCP_VERSION
  bytes[1] = opcodeOf(body)
  if (body.kind === "authentication") bytes[3] = body.result
  putU32(bytes, 4, packet.lifetime)
  writeAddress(bytes, 8, packet.client)
  writeBody(bytes, body)
  if (packet.options.length > 0) writeOptions(bytes, end, packet.options)
  return { ok: true, bytes }
}

const encodeResponse = (packet: PcpResponse): Encoded => {
  const body = packet.body
  const end = endOf(body)
  const length = padded(end + optionsLength(packet.options))
  const error = responseError(packet, length)
  if (error !== undefined) return { ok: false, error }
  const bytes = new Uint8Array(length)
  bytes[0] = PCP_VERSION
  bytes[1] = 128 | opcodeOf(body)
  bytes[3] = packet.result
  putU32(bytes, 4, packet.lifetime)
  putU32(bytes, 8, packet.epoch)
  if (packet.clientTail !== undefined) bytes.set(packet.clientTail, 12)
  writeBody(bytes, body)
  if (packet.options.length > 0) writeOptions(bytes, end, packet.options)
  return { ok: true, bytes }
}

const encodeOtherVersion = (packet: OtherVersion): Encoded => {
  if (!fits(packet.version, 8) || packet.version === 0 || packet.version === PCP_VERSION) {
    return impossible("range", `version ${packet.version} is not another version`)
  }
  const error = misfit("opcode", packet.opcode, 7)
  if (error !== undefined) return { ok: false, error }
  const bytes = new Uint8Array(2 + packet.bytes.length)
  bytes[0] = packet.version
  bytes[1] = packet.response ? 128 | packet.opcode : packet.opcode
  bytes.set(packet.bytes, 2)
  return { ok: true, bytes }
}

const padded = (length: number): number => (length + 3) & ~3

/** Octets up to the options. */
const endOf = (body: RequestBody | ResponseBody): number =>
  body.kind === "opaque" ? HEADER_LENGTH + body.bytes.length : bodyEnd(opcodeOf(body))

const requestError = (packet: PcpRequest, length: number): EncodeError | undefined => {
  const body = packet.body
  return (
    misfit("lifetime", packet.lifetime, 32) ??
    (body.kind === "authentication" ? misfit("result", body.result, 8) : undefined) ??
    (body.kind === "opaque" ? opaqueError("request", body) : undefined) ??
    bodyError(body, packet.options.length) ??
    commonError(packet, length)
  )
}

/** Only in an error response may the body of an opcode known here be anything. */
const opaqueError = (what: string, { opcode }: OpaqueBody): EncodeError | undefined =>
  opcode <= Opcode.AUTHENTICATION
    ? contradiction(`a ${what} with opcode ${opcode} has a body that is no opaque one`)
    : undefined

const contradiction = (text: string): EncodeError => ({ code: "contradiction", text })

const responseError = (packet: PcpResponse, length: number): EncodeError | undefined => {
  const { body, clientTail, result } = packet
  return (
    misfit("lifetime", packet.lifetime, 32) ??
    misfit("epoch", packet.epoch, 32) ??
    misfit("result", result, 8) ??
    (clientTail === undefined ? undefined : tailError(clientTail, result)) ??
    (result === ResultCode.UNSUPP_VERSION && body.kind !== "opaque"
      ? contradiction("an UNSUPP_VERSION response copies a packet of another version: its body is opaque")
      : undefined) ??
    (result === ResultCode.SUCCESS && body.kind === "opaque" ? opaqueError("success response", body) : undefined) ??
    bodyError(body, packet.options.length) ??
    commonError(packet, length)
  )
}

const tailError = (tail: Uint8Array, result: number): EncodeError | undefined => {
  if (tail.length !== 12) return { code: "range", text: `the client tail has ${tail.length} octets, not 12` }
  return result === ResultCode.SUCCESS
    ? contradiction("a success response has zeros where an error has the client tail")
    : undefined
}

const bodyError = (body: RequestBody | ResponseBody, options: number): EncodeError | undefined => {
  switch (body.kind) {
    case "map":
      return mappingError(body)
    case "peer":
      return misfit("remotePort", body.remotePort, 16) ?? mappingError(body)
    case "announce":
      return undefined
    case "authentication":
      return misfit("sessionId", body.sessionId, 32) ?? misfit("sequence", body.sequence, 32)
    case "opaque":
      return (
        misfit("opcode", body.opcode, 7) ??
        (options > 0 ? contradiction("an opaque body already has the options in its bytes") : undefined)
      )
  }
}

const mappingError = (body: MapBody | PeerBody): EncodeError | undefined =>
  misfit("protocol", body.protocol, 8) ??
  misfit("internalPort", body.internalPort, 16) ??
  misfit("externalPort", body.externalPort, 16)

const commonError = (packet: PcpRequest | PcpResponse, length: number): EncodeError | undefined => {
  if (length > MAX_MESSAGE) {
    return { code: "too-long", text: `${length} octets are more than the 1100 of a PCP message (RFC 6887 7)` }
  }
  return packet.options.length === 0 ? undefined : optionsError(packet.options)
}

const writeBody = (bytes: Uint8Array, body: RequestBody | ResponseBody): void => {
  switch (body.kind) {
    case "map":
      writeMapping(bytes, body)
      break
    case "peer":
      writeMapping(bytes, body)
      putU16(bytes, 60, body.remotePort)
      writeAddress(bytes, 64, body.remote)
      break
    case "authentication":
      putU32(bytes, 24, body.sessionId)
      putU32(bytes, 28, body.sequence)
      break
    case "opaque":
      bytes.set(body.bytes, HEADER_LENGTH)
  }
}

const writeMapping = (bytes: Uint8Array, body: MapBody | PeerBody): void => {
  writeNonce(bytes, 24, body.nonce)
  bytes[36] = body.protocol
  putU16(bytes, 40, body.internalPort)
  putU16(bytes, 42, body.externalPort)
  writeAddress(bytes, 44, body.external)
}
