import { NATPMP_VERSION, NatPmpResult, u16 } from "../../../core/wire/index.ts"
import type { Direction } from "./opened.ts"

/** Octets of NAT-PMP's answer to another version (RFC 6886 section 3.5), which has no response bit. */
const VERSION_ERROR = 8

/** Which way a message goes by its second octet (RFC 6887 section 7, RFC 6886 section 3), and for NAT-PMP's version error by its length. */
export const directionOf = (bytes: Uint8Array): Direction | undefined => {
  if (bytes.length < 2) return undefined
  if (bytes[1] >= 128) return "response"
  const isVersionError =
    bytes[0] === NATPMP_VERSION &&
    bytes[1] === 0 &&
    bytes.length === VERSION_ERROR &&
    u16(bytes, 2) === NatPmpResult.UNSUPPORTED_VERSION
  return isVersionError ? "response" : "request"
}
