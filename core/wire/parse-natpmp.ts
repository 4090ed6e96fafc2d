import { readIpv4 } from "./address.ts"
import type { NatPmpPacket } from "./natpmp.ts"
import { sliceOctets, u16, u32 } from "./octets.ts"
import type { Parsed } from "./parsed.ts"
import { errorOf } from "./parsed.ts"
import { NatPmpOpcode, NatPmpResult } from "./registry.ts"
import { NO_RESIDUE, residueOf } from "./residue.ts"

const VERSION_ERROR_LENGTH = 8

/** Reads a payload whose first octet is 0 and that has at least 2 octets (RFC 6886 section 3). */
export const parseNatPmp = (bytes: Uint8Array): Parsed => {
  if (isVersionError(bytes)) {
    return whole(bytes, { kind: "natpmp-version-error", opcode: bytes[1], epoch: u32(bytes, 4) }, VERSION_ERROR_LENGTH)
  }
  return bytes[1] < 128 ? parseRequest(bytes) : parseResponse(bytes)
}

/**
 * RFC 6886 section 3.5 sends the version error with the response bit clear, where it looks like an external address request with six
 * octets too many. Exactly 8 octets with result 1 are taken for the error: no client sends that request so.
 */
const isVersionError = (bytes: Uint8Array): boolean =>
  bytes.length === VERSION_ERROR_LENGTH &&
  (bytes[1] === 0 || bytes[1] >= 128) &&
  u16(bytes, 2) === NatPmpResult.UNSUPPORTED_VERSION

const parseRequest = (bytes: Uint8Array): Parsed => {
  switch (bytes[1]) {
    case NatPmpOpcode.EXTERNAL_ADDRESS:
      return whole(bytes, { kind: "natpmp-address-request" }, 2)
    case NatPmpOpcode.MAP_UDP:
    case NatPmpOpcode.MAP_TCP: {
      if (bytes.length < 12) return tooShort(bytes, "a mapping request", 12, "RFC 6886 3.3")
      const packet: NatPmpPacket = {
        kind: "natpmp-map-request",
        protocol: bytes[1] === NatPmpOpcode.MAP_UDP ? "udp" : "tcp",
        internalPort: u16(bytes, 4),
        externalPort: u16(bytes, 6),
        lifetime: u32(bytes, 8),
      }
      if (u16(bytes, 2) === 0) return whole(bytes, packet, 12)
      const reserved = residueOf("reserved", bytes, 2, 4)
      const residue = bytes.length > 12 ? [reserved, residueOf("trailing", bytes, 12, bytes.length)] : [reserved]
      return { ok: true, packet, residue }
    }
    default:
      return whole(
        bytes,
        { kind: "natpmp-other-request", opcode: bytes[1], bytes: sliceOctets(bytes, 2) },
        bytes.length,
      )
  }
}

const parseResponse = (bytes: Uint8Array): Parsed => {
  const opcode = bytes[1] & 127
  switch (opcode) {
    case NatPmpOpcode.EXTERNAL_ADDRESS:
      if (bytes.length < 12) return tooShort(bytes, "an external address response", 12, "RFC 6886 3.2")
      return whole(
        bytes,
        {
          kind: "natpmp-address-response",
          result: u16(bytes, 2),
          epoch: u32(bytes, 4),
          external: readIpv4(bytes, 8),
        },
        12,
      )
    case NatPmpOpcode.MAP_UDP:
    case NatPmpOpcode.MAP_TCP:
      if (bytes.length < 16) return tooShort(bytes, "a mapping response", 16, "RFC 6886 3.3")
      return whole(
        bytes,
        {
          kind: "natpmp-map-response",
          protocol: opcode === NatPmpOpcode.MAP_UDP ? "udp" : "tcp",
          result: u16(bytes, 2),
          epoch: u32(bytes, 4),
          internalPort: u16(bytes, 8),
          externalPort: u16(bytes, 10),
          lifetime: u32(bytes, 12),
        },
        16,
      )
    default:
      if (bytes.length < 4) return tooShort(bytes, "a response", 4, "RFC 6886 3.5")
      return whole(
        bytes,
        { kind: "natpmp-other-response", opcode, result: u16(bytes, 2), bytes: sliceOctets(bytes, 4) },
        bytes.length,
      )
  }
}

const whole = (bytes: Uint8Array, packet: NatPmpPacket, length: number): Parsed => ({
  ok: true,
  packet,
  residue: bytes.length > length ? [residueOf("trailing", bytes, length, bytes.length)] : NO_RESIDUE,
})

const tooShort = (bytes: Uint8Array, what: string, length: number, clause: string): Parsed =>
  errorOf(
    bytes,
    "body-too-short",
    bytes.length,
    clause,
    `${what} of NAT-PMP has ${length} octets, here are ${bytes.length}`,
  )
