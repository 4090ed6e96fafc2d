import type { Address } from "./address.ts"
import type { NatPmpPacket } from "./natpmp.ts"
import type { Nonce } from "./nonce.ts"
import type { PcpOption } from "./option.ts"
import { Opcode } from "./registry.ts"

/**
 * The opcode-specific data of MAP, 36 octets at offset 24 (RFC 6887 section 11.1):
 * nonce 12 | protocol 1 | reserved 3 | internal port 2 | external port 2 | external address 16.
 */
export interface MapBody {
  readonly kind: "map"
  /** The mapping nonce, 96 bits: a response and each later request for the mapping have the same one (RFC 6887 section 11.1). */
  readonly nonce: Nonce
  /** IANA protocol number; 0 is all protocols. */
  readonly protocol: number
  /** 0 is all ports. */
  readonly internalPort: number
  /** Suggested in a request and in an error response, assigned in a success response; 0 suggests nothing. */
  readonly externalPort: number
  /** Suggested or assigned, as the port is; all-zeros of its family suggests nothing. */
  readonly external: Address
}

/** The opcode-specific data of PEER, 56 octets (RFC 6887 section 12.1): as MAP, then remote port 2 | reserved 2 | remote address 16. */
export interface PeerBody {
  readonly kind: "peer"
  /** The mapping nonce, 96 bits, as in MAP. */
  readonly nonce: Nonce
  /** IANA protocol number; 0 is not allowed here (RFC 6887 section 12.1). */
  readonly protocol: number
  /** Where the client sends from; 0 is not allowed here. */
  readonly internalPort: number
  /** Suggested or assigned, as in MAP. */
  readonly externalPort: number
  /** Suggested or assigned, as in MAP. */
  readonly external: Address
  /** Of the remote peer; 0 is not allowed here. */
  readonly remotePort: number
  /** As the client sees it (RFC 6887 section 12.1). */
  readonly remote: Address
}

/** ANNOUNCE has no opcode-specific data (RFC 6887 section 14.1.1). */
export interface AnnounceBody {
  readonly kind: "announce"
}

/** The opcode-specific data of AUTHENTICATION, 8 octets (RFC 7652 section 5.2). */
export interface AuthenticationBody {
  readonly kind: "authentication"
  /** 32 bits, unsigned; 0 before the server has chosen one (RFC 7652 section 3.1.1). */
  readonly sessionId: number
  /** 32 bits, unsigned: one more in each PCP-Auth message of its sender (RFC 7652 section 6.4). */
  readonly sequence: number
}

/** The same in a PA-Client message, with the result code that the request header carries in octet 3 (RFC 7652 section 5.1). */
export interface AuthenticationRequestBody extends AuthenticationBody {
  /** Result code, 8 bits: what a response has in its header. */
  readonly result: number
}

/**
 * What follows the header, kept as it is: of an opcode not known here, where nobody can say where options begin; and of an
 * error response whose copy of the request cannot be read, for it may be anything (RFC 6887 section 8.2, S-08, S-11).
 */
export interface OpaqueBody {
  readonly kind: "opaque"
  /** 0 to 127. */
  readonly opcode: number
  /** All octets after the header, copied. */
  readonly bytes: Uint8Array
}

/** What a request may carry after its header. */
export type RequestBody = MapBody | PeerBody | AnnounceBody | AuthenticationRequestBody | OpaqueBody
/** What a response may carry after its header. */
export type ResponseBody = MapBody | PeerBody | AnnounceBody | AuthenticationBody | OpaqueBody

/** A PCP version 2 request (RFC 6887 section 7.1). */
export interface PcpRequest {
  readonly kind: "pcp-request"
  /** Requested lifetime, seconds. */
  readonly lifetime: number
  /** The PCP Client's IP Address field. */
  readonly client: Address
  /** The opcode-specific data, which names the opcode. */
  readonly body: RequestBody
  /** In the order of the packet, in which they must be processed. Empty with an opaque body. */
  readonly options: readonly PcpOption[]
}

/** A PCP version 2 response (RFC 6887 section 7.2). */
export interface PcpResponse {
  readonly kind: "pcp-response"
  /** Result code, 8 bits; 0 is success (RFC 6887 section 7.4). */
  readonly result: number
  /** Seconds: of the mapping, or how long the error will last. */
  readonly lifetime: number
  /** The server's epoch time, seconds. */
  readonly epoch: number
  /**
   * The last 12 octets of the request's client address, which a response to a request that could not be parsed carries in
   * its reserved field; `undefined` when they are zero, as in every success response.
   */
  readonly clientTail: Uint8Array | undefined
  /** The opcode-specific data, which names the opcode. In an error response it is the request's. */
  readonly body: ResponseBody
  /** In the order of the packet. Empty with an opaque body. */
  readonly options: readonly PcpOption[]
}

/**
 * A packet of neither NAT-PMP (version 0) nor PCP version 2. Version 1 is the nonce-less PCP of drafts before RFC 6887, which
 * nobody may send any more (RFC 6886 section 1.1). The first two octets and, in a response, the result code are the
 * same in every version (RFC 6887 section 9).
 */
export interface OtherVersion {
  readonly kind: "other-version"
  /** Octet 0: neither 0 nor 2. */
  readonly version: number
  /** The R bit. */
  readonly response: boolean
  /** 0 to 127. */
  readonly opcode: number
  /** Everything from octet 2 on: `bytes[1]` is the result code of a response. */
  readonly bytes: Uint8Array
}

/** A PCP version 2 message of either direction. */
export type PcpPacket = PcpRequest | PcpResponse

/** Whatever UDP ports 5350 and 5351 carry. */
export type Packet = PcpPacket | NatPmpPacket | OtherVersion

/** The options of a packet that has none: one shared array, so that such a packet costs no garbage for them. */
export const NO_OPTIONS: readonly PcpOption[] = Object.freeze([])

/** The one body of ANNOUNCE. */
export const ANNOUNCE_BODY: AnnounceBody = Object.freeze({ kind: "announce" })

/** The opcode, 0 to 127, that a body stands for. */
export const opcodeOf = (body: RequestBody | ResponseBody): number => {
  switch (body.kind) {
    case "map":
      return Opcode.MAP
    case "peer":
      return Opcode.PEER
    case "announce":
      return Opcode.ANNOUNCE
    case "authentication":
      return Opcode.AUTHENTICATION
    case "opaque":
      return body.opcode
  }
}

/** What a version octet stands for, for people. */
export const versionName = (version: number): string => {
  if (version === 0) return "NAT-PMP"
  if (version === 1) return "PCP before RFC 6887 (drafts)"
  return version === 2 ? "PCP" : `PCP version ${version} (unknown)`
}
