import { readAddress } from "./address.ts"
import { readNonce } from "./nonce.ts"
import { sliceOctets, u16, u32 } from "./octets.ts"
import type { PcpOption } from "./option.ts"
import type {
  MapBody,
  OpaqueBody,
  Packet,
  PcpRequest,
  PcpResponse,
  PeerBody,
  RequestBody,
  ResponseBody,
} from "./packet.ts"
import { ANNOUNCE_BODY, NO_OPTIONS } from "./packet.ts"
import { parseNatPmp } from "./parse-natpmp.ts"
import { parseOptions } from "./parse-options.ts"
import type { Parsed } from "./parsed.ts"
import { errorOf } from "./parsed.ts"
import {
  HEADER_LENGTH,
  MAP_LENGTH,
  MAX_MESSAGE,
  NATPMP_VERSION,
  Opcode,
  PCP_VERSION,
  PEER_LENGTH,
  ResultCode,
} from "./registry.ts"
import type { Residue } from "./residue.ts"
import { NO_RESIDUE, residueOf, shortOf } from "./residue.ts"

/** Octets before the options of an AUTHENTICATION message (RFC 7652 section 5.2). */
const AUTHENTICATION_LENGTH = 32

/**
 * Reads one UDP payload: PCP version 2 (RFC 6887 with RFC 7220, 7225, 7652, 7753 and 7843), NAT-PMP (RFC 6886) or, by its first two octets, any
 * other version. Total: every input gives a packet or an error, nothing throws, and `bytes` is not kept.
 *
 * Reserved fields, padding and octets in excess are ignored as the RFCs want and handed back as residue. An option that is known
 * but malformed does not fail the packet; it is among the options as `malformed`. In an error response whatever follows the
 * header may be an arbitrary copy (RFC 6887 section 8.2), so what cannot be read there is an opaque body. An UNSUPP_VERSION
 * response copies a request of another version: its body is always opaque, and it is read from 4 octets on.
 */
export const parse = (bytes: Uint8Array): Parsed => {
  if (bytes.length < 2) return errorOf(bytes, "too-short", 0, "RFC 6887 8.2", "fewer than 2 octets are no message")
  switch (bytes[0]) {
    case PCP_VERSION:
      return bytes[1] < 128 ? parseRequest(bytes) : parseResponse(bytes)
    case NATPMP_VERSION:
      return parseNatPmp(bytes)
    default: {
      const packet: Packet = {
        kind: "other-version",
        version: bytes[0],
        response: bytes[1] >= 128,
        opcode: bytes[1] & 127,
        bytes: sliceOctets(bytes, 2),
      }
      return { ok: true, packet, residue: NO_RESIDUE }
    }
  }
}

const parseRequest = (bytes: Uint8Array): Parsed => {
  const length = bytes.length
  if (length < HEADER_LENGTH) {
    return errorOf(bytes, "too-short", length, "RFC 6887 8.2", `a request has 24 octets of header, here are ${length}`)
  }
  if (length > MAX_MESSAGE) return tooLong(bytes)
  const opcode = bytes[1]
  let residue: Residue[] | undefined
  if (opcode === Opcode.AUTHENTICATION) {
    if (bytes[2] !== 0) residue = [residueOf("reserved", bytes, 2, 3)]
  } else if ((bytes[2] | bytes[3]) !== 0) residue = [residueOf("reserved", bytes, 2, 4)]

  const end = bodyEnd(opcode)
  if (length < end) return bodyTooShort(bytes, end)
  let body: RequestBody
  switch (opcode) {
    case Opcode.MAP:
      residue = mapReserved(bytes, residue)
      body = readMap(bytes)
      break
    case Opcode.PEER:
      residue = peerReserved(bytes, residue)
      body = readPeer(bytes)
      break
    case Opcode.ANNOUNCE:
      body = ANNOUNCE_BODY
      break
    case Opcode.AUTHENTICATION:
      body = { kind: "authentication", result: bytes[3], sessionId: u32(bytes, 24), sequence: u32(bytes, 28) }
      break
    default:
      body = opaque(bytes)
      residue = opaqueShort(length, residue)
  }
  let options = NO_OPTIONS
  if (length > end && body.kind !== "opaque") {
    residue ??= []
    const read = parseOptions(bytes, end, residue)
    if ("code" in read) return { ok: false, error: read }
    options = read
  }
  const packet: PcpRequest = {
    kind: "pcp-request",
    lifetime: u32(bytes, 4),
    client: readAddress(bytes, 8),
    body,
    options,
  }
  return { ok: true, packet, residue: residue === undefined || residue.length === 0 ? NO_RESIDUE : residue }
}

const parseResponse = (bytes: Uint8Array): Parsed => {
  const length = bytes.length
  if (length < HEADER_LENGTH) {
    if (length >= 4 && bytes[3] === ResultCode.UNSUPP_VERSION) return parseShortVersionError(bytes)
    return errorOf(bytes, "too-short", length, "RFC 6887 8.3", `a response has 24 octets of header, here are ${length}`)
  }
  if (length > MAX_MESSAGE) return tooLong(bytes)
  const opcode = bytes[1] & 127
  const result = bytes[3]
  let residue: Residue[] | undefined
  if (bytes[2] !== 0) residue = [residueOf("reserved", bytes, 2, 3)]
  let clientTail: Uint8Array | undefined
  if ((u32(bytes, 12) | u32(bytes, 16) | u32(bytes, 20)) !== 0) {
    if (result === ResultCode.SUCCESS) {
      residue ??= []
      residue.push(residueOf("reserved", bytes, 12, 24))
    } else clientTail = sliceOctets(bytes, 12, 24)
  }

  const end = bodyEnd(opcode)
  let body: ResponseBody | undefined
  let options: readonly PcpOption[] = NO_OPTIONS
  if (length < end) {
    if (result === ResultCode.SUCCESS) return bodyTooShort(bytes, end)
  } else if (result !== ResultCode.UNSUPP_VERSION) body = readResponseBody(bytes, opcode)
  if (body !== undefined && length > end) {
    const found: Residue[] = []
    const read = parseOptions(bytes, end, found)
    if (!("code" in read)) {
      options = read
      residue = bodyReserved(bytes, opcode, residue)
      if (found.length > 0) residue = residue === undefined ? found : [...residue, ...found]
    } else if (result === ResultCode.SUCCESS) return { ok: false, error: read }
    else body = undefined
  } else if (body !== undefined) residue = bodyReserved(bytes, opcode, residue)
  if (body === undefined) {
    body = opaque(bytes)
    residue = opaqueShort(length, residue)
  }
  const packet: PcpResponse = {
    kind: "pcp-response",
    result,
    lifetime: u32(bytes, 4),
    epoch: u32(bytes, 8),
    clientTail,
    body,
    options,
  }
  return { ok: true, packet, residue: residue ?? NO_RESIDUE }
}

/** Octets up to the first option; a body nobody knows begins right after the header. */
export const bodyEnd = (opcode: number): number => {
  switch (opcode) {
    case Opcode.MAP:
      return MAP_LENGTH
    case Opcode.PEER:
      return PEER_LENGTH
    case Opcode.AUTHENTICATION:
      return AUTHENTICATION_LENGTH
    default:
      return HEADER_LENGTH
  }
}

const readMap = (bytes: Uint8Array): MapBody => ({
  kind: "map",
  nonce: readNonce(bytes, 24),
  protocol: bytes[36],
  internalPort: u16(bytes, 40),
  externalPort: u16(bytes, 42),
  external: readAddress(bytes, 44),
})

const readPeer = (bytes: Uint8Array): PeerBody => ({
  kind: "peer",
  nonce: readNonce(bytes, 24),
  protocol: bytes[36],
  internalPort: u16(bytes, 40),
  externalPort: u16(bytes, 42),
  external: readAddress(bytes, 44),
  remotePort: u16(bytes, 60),
  remote: readAddress(bytes, 64),
})

/** `undefined` for an opcode whose data nobody knows. */
const readResponseBody = (bytes: Uint8Array, opcode: number): ResponseBody | undefined => {
  switch (opcode) {
    case Opcode.MAP:
      return readMap(bytes)
    case Opcode.PEER:
      return readPeer(bytes)
    case Opcode.ANNOUNCE:
      return ANNOUNCE_BODY
    case Opcode.AUTHENTICATION:
      return { kind: "authentication", sessionId: u32(bytes, 24), sequence: u32(bytes, 28) }
    default:
      return undefined
  }
}

const bodyReserved = (bytes: Uint8Array, opcode: number, residue: Residue[] | undefined): Residue[] | undefined => {
  if (opcode === Opcode.MAP) return mapReserved(bytes, residue)
  return opcode === Opcode.PEER ? peerReserved(bytes, residue) : residue
}

const mapReserved = (bytes: Uint8Array, residue: Residue[] | undefined): Residue[] | undefined => {
  if ((bytes[37] | bytes[38] | bytes[39]) === 0) return residue
  const found = residueOf("reserved", bytes, 37, 40)
  return residue === undefined ? [found] : [...residue, found]
}

const peerReserved = (bytes: Uint8Array, residue: Residue[] | undefined): Residue[] | undefined => {
  const before = mapReserved(bytes, residue)
  if ((bytes[62] | bytes[63]) === 0) return before
  const found = residueOf("reserved", bytes, 62, 64)
  return before === undefined ? [found] : [...before, found]
}

const opaque = (bytes: Uint8Array): OpaqueBody => ({
  kind: "opaque",
  opcode: bytes[1] & 127,
  bytes: sliceOctets(bytes, HEADER_LENGTH),
})

const opaqueShort = (length: number, residue: Residue[] | undefined): Residue[] | undefined => {
  if (length % 4 === 0) return residue
  const found = shortOf(length)
  return residue === undefined ? [found] : [...residue, found]
}

/** RFC 6887 section 8.3 has a client look at the version and result of a response from 4 octets on, before the 24-octet check. */
const parseShortVersionError = (bytes: Uint8Array): Parsed => {
  const full = new Uint8Array(HEADER_LENGTH)
  full.set(bytes)
  const parsed = parseResponse(full)
  if (!parsed.ok) return parsed
  return { ok: true, packet: parsed.packet, residue: [...parsed.residue, shortOf(bytes.length)] }
}

const tooLong = (bytes: Uint8Array): Parsed =>
  errorOf(
    bytes,
    "too-long",
    MAX_MESSAGE,
    "RFC 6887 7",
    `${bytes.length} octets are more than the 1100 of a PCP message`,
  )

const bodyTooShort = (bytes: Uint8Array, end: number): Parsed =>
  errorOf(
    bytes,
    "body-too-short",
    bytes.length,
    "RFC 6887 8.2",
    `${bytes.length} octets are too short for the opcode, which takes ${end}`,
  )
