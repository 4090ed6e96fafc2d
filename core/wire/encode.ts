import { writeAddress } from "./address.ts"
import { encodeNatPmp } from "./encode-natpmp.ts"
import { optionsError, optionsLength, writeOptions } from "./encode-options.ts"
import type { Encoded, EncodeError } from "./encoded.ts"
import { impossible, isU8, isU16, isU32 } from "./encoded.ts"
import { writeNonce } from "./nonce.ts"
import { putU16, putU32 } from "./octets.ts"
import type {
  MapBody,
  OtherVersion,
  Packet,
  PcpRequest,
  PcpResponse,
  PeerBody,
  RequestBody,
  ResponseBody,
} from "./packet.ts"
import { opcodeOf } from "./packet.ts"
import { HEADER_LENGTH, MAP_LENGTH, MAX_MESSAGE, Opcode, PCP_VERSION, PEER_LENGTH, ResultCode } from "./registry.ts"
import type { Residue } from "./residue.ts"

/**
 * The canonical bytes of a packet: reserved fields and padding zero, a PCP message a multiple of 4 octets long. The inverse of `parse`:
 * `encode(parse(b).packet)` is `b` for every `b` that parses without residue.
 *
 * A packet that no bytes can carry gives an error instead, never a throw: a number out of its field's range, a PCP message of more than
 * 1100 octets, a text that is not Unicode, a client tail in a success response.
 *
 * @example
 * ```ts
 * import { encode } from "sallyport/wire"
 *
 * const ask = { kind: "natpmp-map-request", protocol: "tcp", internalPort: 8080, externalPort: 8080 } as const
 * const encoded = encode({ ...ask, lifetime: 3600 })
 * if (encoded.ok) console.log(encoded.bytes.join(" ")) // 0 2 0 0 31 144 31 144 0 0 14 16
 *
 * const none = encode({ ...ask, lifetime: -1 })
 * if (!none.ok) console.log(none.error.code) // range
 * ```
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
        if (item.offset + item.bytes.length > bytes.length) return misfit(item)
        // These bits are zero in the canonical form; the other bits of the octet may be a field.
        for (let i = 0; i < item.bytes.length; i++) bytes[item.offset + i] |= item.bytes[i]
        break
      case "trailing": {
        if (item.offset !== bytes.length) return misfit(item)
        const longer = new Uint8Array(bytes.length + item.bytes.length)
        longer.set(bytes)
        longer.set(item.bytes, item.offset)
        bytes = longer
        break
      }
      case "short":
        if (item.offset > bytes.length) return misfit(item)
        bytes = bytes.slice(0, item.offset)
        break
    }
  }
  return { ok: true, bytes }
}

const misfit = (item: Residue): Encoded =>
  impossible("residue", `the ${item.kind} residue at octet ${item.offset} does not fit`)

const encodeRequest = (packet: PcpRequest): Encoded => {
  const body = packet.body
  const end = bodyEnd(body)
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
  const end = bodyEnd(body)
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
  if (!isU8(packet.version) || packet.version === 0 || packet.version === PCP_VERSION) {
    return impossible("range", `version ${packet.version} is not another version`)
  }
  if (!isOpcode(packet.opcode)) return impossible("range", `opcode ${packet.opcode} does not fit 7 bits`)
  const bytes = new Uint8Array(2 + packet.bytes.length)
  bytes[0] = packet.version
  bytes[1] = packet.response ? 128 | packet.opcode : packet.opcode
  bytes.set(packet.bytes, 2)
  return { ok: true, bytes }
}

const padded = (length: number): number => (length + 3) & ~3

const isOpcode = (opcode: number): boolean => (opcode & 127) === opcode

/** Octets up to the options. */
const bodyEnd = (body: RequestBody | ResponseBody): number => {
  switch (body.kind) {
    case "map":
      return MAP_LENGTH
    case "peer":
      return PEER_LENGTH
    case "announce":
      return HEADER_LENGTH
    case "authentication":
      return HEADER_LENGTH + 8
    case "opaque":
      return HEADER_LENGTH + body.bytes.length
  }
}

const requestError = (packet: PcpRequest, length: number): EncodeError | undefined => {
  if (!isU32(packet.lifetime)) return range("lifetime", packet.lifetime, 32)
  const body = packet.body
  if (body.kind === "authentication" && !isU8(body.result)) return range("result", body.result, 8)
  if (body.kind === "opaque" && body.opcode <= Opcode.AUTHENTICATION) {
    return { code: "contradiction", text: `a request with opcode ${body.opcode} has a body that is no opaque one` }
  }
  return bodyError(body, packet.options.length) ?? commonError(packet, length)
}

const responseError = (packet: PcpResponse, length: number): EncodeError | undefined => {
  if (!isU32(packet.lifetime)) return range("lifetime", packet.lifetime, 32)
  if (!isU32(packet.epoch)) return range("epoch", packet.epoch, 32)
  if (!isU8(packet.result)) return range("result", packet.result, 8)
  const tail = packet.clientTail
  if (tail !== undefined) {
    if (tail.length !== 12) return { code: "range", text: `the client tail has ${tail.length} octets, not 12` }
    if (packet.result === ResultCode.SUCCESS) {
      return { code: "contradiction", text: "a success response has zeros where an error has the client tail" }
    }
  }
  const body = packet.body
  if (packet.result === ResultCode.UNSUPP_VERSION && body.kind !== "opaque") {
    return {
      code: "contradiction",
      text: "an UNSUPP_VERSION response copies a packet of another version: its body is opaque",
    }
  }
  if (packet.result === ResultCode.SUCCESS && body.kind === "opaque" && body.opcode <= Opcode.AUTHENTICATION) {
    return {
      code: "contradiction",
      text: `a success response with opcode ${body.opcode} has a body that is no opaque one`,
    }
  }
  return bodyError(body, packet.options.length) ?? commonError(packet, length)
}

const bodyError = (body: RequestBody | ResponseBody, options: number): EncodeError | undefined => {
  switch (body.kind) {
    case "map":
      return mappingError(body)
    case "peer":
      return isU16(body.remotePort) ? mappingError(body) : range("remotePort", body.remotePort, 16)
    case "announce":
      return undefined
    case "authentication":
      if (!isU32(body.sessionId)) return range("sessionId", body.sessionId, 32)
      return isU32(body.sequence) ? undefined : range("sequence", body.sequence, 32)
    case "opaque":
      if (!isOpcode(body.opcode)) return range("opcode", body.opcode, 7)
      if (options > 0) return { code: "contradiction", text: "an opaque body already has the options in its bytes" }
  }
}

const mappingError = (body: MapBody | PeerBody): EncodeError | undefined => {
  if (!isU8(body.protocol)) return range("protocol", body.protocol, 8)
  if (!isU16(body.internalPort)) return range("internalPort", body.internalPort, 16)
  return isU16(body.externalPort) ? undefined : range("externalPort", body.externalPort, 16)
}

const commonError = (packet: PcpRequest | PcpResponse, length: number): EncodeError | undefined => {
  if (length > MAX_MESSAGE) {
    return { code: "too-long", text: `${length} octets are more than the 1100 of a PCP message (RFC 6887 7)` }
  }
  return packet.options.length === 0 ? undefined : optionsError(packet.options)
}

const range = (field: string, value: number, bits: number): EncodeError => ({
  code: "range",
  text: `${field} ${value} does not fit ${bits} bits`,
})

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
