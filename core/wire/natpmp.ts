import type { Address } from "./address.ts"

/** `{0, 0}`: what is the external address? (RFC 6886 section 3.2) */
export interface NatPmpAddressRequest {
  readonly kind: "natpmp-address-request"
}

/** 12 octets: 0 | 128 | result 2 | epoch 4 | IPv4 address 4 (RFC 6886 section 3.2); also the multicast announcement (3.2.1). */
export interface NatPmpAddressResponse {
  readonly kind: "natpmp-address-response"
  /** Result code, 16 bits; 0 is success (RFC 6886 section 3.5). */
  readonly result: number
  /** Seconds since start of epoch. */
  readonly epoch: number
  /** IPv4-mapped; `::ffff:0.0.0.0` with an error. */
  readonly external: Address
}

/** 12 octets: 0 | opcode | reserved 2 | internal port 2 | suggested external port 2 | lifetime 4 (RFC 6886 section 3.3). */
export interface NatPmpMapRequest {
  readonly kind: "natpmp-map-request"
  /** Opcode 1 is UDP, 2 is TCP. */
  readonly protocol: "udp" | "tcp"
  /** Where the host listens; 0, with lifetime 0, is all of its mappings of the protocol (section 3.4). */
  readonly internalPort: number
  /** Suggested; 0 suggests nothing, and stands in a deletion. */
  readonly externalPort: number
  /** Seconds; 0 deletes (section 3.4). */
  readonly lifetime: number
}

/** 16 octets: 0 | 128 + opcode | result 2 | epoch 4 | internal port 2 | mapped external port 2 | lifetime 4 (RFC 6886 section 3.3). */
export interface NatPmpMapResponse {
  readonly kind: "natpmp-map-response"
  /** Opcode 129 is UDP, 130 is TCP. */
  readonly protocol: "udp" | "tcp"
  /** Result code, 16 bits; 0 is success (RFC 6886 section 3.5). */
  readonly result: number
  /** Seconds since start of epoch (section 3.6). */
  readonly epoch: number
  /** As in the request. */
  readonly internalPort: number
  /** Mapped: it may be another than the suggested one. 0 after a deletion. */
  readonly externalPort: number
  /** Seconds, as granted; 0 after a deletion. */
  readonly lifetime: number
}

/**
 * "Unsupported Version", 8 octets: 0 | 0 | 1 as 16 bits | epoch 4 (RFC 6886 section 3.5). It is a response although its top opcode bit
 * is clear; a client that drops it for that, as RFC 6887 section 8.3 has it, never falls back to NAT-PMP (RFC ambiguity 1).
 */
export interface NatPmpVersionError {
  readonly kind: "natpmp-version-error"
  /** The whole second octet: 0 by the RFC; older gateways send 128 plus the opcode of the request. */
  readonly opcode: number
  /** Seconds since start of epoch (section 3.6). */
  readonly epoch: number
}

/** A request with an opcode that RFC 6886 does not define, 3 to 127. */
export interface NatPmpOtherRequest {
  readonly kind: "natpmp-other-request"
  /** 3 to 127. */
  readonly opcode: number
  /** Everything from octet 2 on. */
  readonly bytes: Uint8Array
}

/** The answer to it: the whole request back with the top bit set and a result, 5 (RFC 6886 section 3.5). */
export interface NatPmpOtherResponse {
  readonly kind: "natpmp-other-response"
  /** 3 to 127, without 128. */
  readonly opcode: number
  /** Result code, 16 bits: 5 is "unsupported opcode". */
  readonly result: number
  /** Everything from octet 4 on. */
  readonly bytes: Uint8Array
}

/** A NAT-PMP message: version octet 0 (RFC 6886 section 3). */
export type NatPmpPacket =
  | NatPmpAddressRequest
  | NatPmpAddressResponse
  | NatPmpMapRequest
  | NatPmpMapResponse
  | NatPmpVersionError
  | NatPmpOtherRequest
  | NatPmpOtherResponse
