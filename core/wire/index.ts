/**
 * PCP and NAT-PMP packets: octets to values and back, what is wrong with them, a field for every octet; addresses and names.
 *
 * @module
 */
export * from "./address.ts"
export * from "./dissect/index.ts"
export { encode, encodeWith } from "./encode.ts"
export type { Encoded, EncodeError } from "./encoded.ts"
export type { Finding, Severity } from "./finding.ts"
export * from "./names.ts"
export * from "./natpmp.ts"
export * from "./nonce.ts"
export * from "./octets.ts"
export * from "./option.ts"
export * from "./packet.ts"
export { parse } from "./parse.ts"
export type { Header, Parsed, ParseError, ParseErrorCode } from "./parsed.ts"
export * from "./profile.ts"
export { hasPorts } from "./protocol.ts"
export * from "./registry.ts"
export { NO_RESIDUE, type Residue } from "./residue.ts"
export { validate } from "./validate.ts"
export { familyOf, isLinkLocal6, isLoopback, isMulticast } from "./validate-address.ts"
