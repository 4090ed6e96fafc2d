/** The numbers of RFC 6887 section 19, RFC 6886 section 3 and their registries, with names and meanings. */

/** UDP port of PCP and NAT-PMP servers (RFC 6887 section 7, RFC 6886 section 3). */
export const SERVER_PORT = 5351
/** UDP port where clients hear multicast announcements (RFC 6887 section 14.1, RFC 6886 section 3.2.1). */
export const CLIENT_PORT = 5350
/** The PCP version spoken here (RFC 6887 section 7.1). */
export const PCP_VERSION = 2
/** NAT-PMP's version octet (RFC 6886 section 3). */
export const NATPMP_VERSION = 0
/** Largest PCP message, octets of UDP payload (RFC 6887 section 7). */
export const MAX_MESSAGE = 1100
/** Octets of the common header, both directions (RFC 6887 sections 7.1 and 7.2). */
export const HEADER_LENGTH = 24
/** Octets of a MAP message without options (RFC 6887 section 11.1). */
export const MAP_LENGTH = 60
/** Octets of a PEER message without options (RFC 6887 section 12.1). */
export const PEER_LENGTH = 80

/** PCP opcodes, 7 bits (RFC 6887 section 19.2). */
export const Opcode = {
  ANNOUNCE: 0,
  MAP: 1,
  PEER: 2,
  /** RFC 7652 section 5.3. */
  AUTHENTICATION: 3,
} as const

/** PCP option codes: below 128 a server must understand them, or refuse the request (RFC 6887 sections 7.3 and 19.4). */
export const OptionCode = {
  THIRD_PARTY: 1,
  PREFER_FAILURE: 2,
  FILTER: 3,
  NONCE: 4,
  AUTHENTICATION_TAG: 5,
  PA_AUTHENTICATION_TAG: 6,
  EAP_PAYLOAD: 7,
  PRF: 8,
  MAC_ALGORITHM: 9,
  SESSION_LIFETIME: 10,
  RECEIVED_PAK: 11,
  ID_INDICATOR: 12,
  THIRD_PARTY_ID: 13,
  DESCRIPTION: 128,
  PREFIX64: 129,
  PORT_SET: 130,
} as const

/** PCP result codes (RFC 6887 section 7.4, RFC 7652 section 7, RFC 7843 section 4.1). */
export const ResultCode = {
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
  INITIATION: 14,
  AUTHENTICATION_REQUIRED: 15,
  AUTHENTICATION_FAILED: 16,
  AUTHENTICATION_SUCCEEDED: 17,
  AUTHORIZATION_FAILED: 18,
  SESSION_TERMINATED: 19,
  UNKNOWN_SESSION_ID: 20,
  DOWNGRADE_ATTACK_DETECTED: 21,
  AUTHENTICATION_REQUEST: 22,
  AUTHENTICATION_REPLY: 23,
  THIRD_PARTY_ID_UNKNOWN: 24,
  THIRD_PARTY_MISSING_OPTION: 25,
  UNSUPP_THIRD_PARTY_ID_LENGTH: 26,
} as const

/** NAT-PMP opcodes of requests; a response adds 128 (RFC 6886 section 3). */
export const NatPmpOpcode = { EXTERNAL_ADDRESS: 0, MAP_UDP: 1, MAP_TCP: 2 } as const

/** RFC 6886 section 3.5. */
export const NatPmpResult = {
  SUCCESS: 0,
  UNSUPPORTED_VERSION: 1,
  NOT_AUTHORIZED: 2,
  NETWORK_FAILURE: 3,
  OUT_OF_RESOURCES: 4,
  UNSUPPORTED_OPCODE: 5,
} as const

/** IANA protocol numbers that the core decides on by name. */
export const Protocol = { ALL: 0, ICMP: 1, TCP: 6, UDP: 17, DCCP: 33, ICMPV6: 58, SCTP: 132, UDP_LITE: 136 } as const
