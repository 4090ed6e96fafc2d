import { protocolKeyword } from "./protocol-names.ts"

/** What the registries' numbers are called and mean, for people. Codes nobody has assigned are named by their range. */

/** How long an error is expected to last: RFC 6887 section 7.4 recommends 30 s for short, 30 min for long. */
export type LifetimeClass = "short" | "long"

/** One result code. `lifetime` is `undefined` where the RFC gives none: not an error, or it depends on the reason. */
export interface ResultEntry {
  /** As the registry has it: `NOT_AUTHORIZED`. */
  readonly name: string
  /** One sentence for people, after the RFC's. */
  readonly meaning: string
  /** How long to expect the error to last. */
  readonly lifetime: LifetimeClass | undefined
  /** Where it is defined. */
  readonly clause: string
}

const result = (name: string, lifetime: LifetimeClass | undefined, clause: string, meaning: string): ResultEntry => ({
  name,
  meaning,
  lifetime,
  clause,
})

/** PCP result codes 0 to 26, by code. */
export const RESULTS: readonly ResultEntry[] = [
  result("SUCCESS", undefined, "RFC 6887 7.4", "Success."),
  result(
    "UNSUPP_VERSION",
    "long",
    "RFC 6887 7.4",
    "The version number at the start of the request header is not recognized by this server.",
  ),
  result(
    "NOT_AUTHORIZED",
    "long",
    "RFC 6887 7.4",
    "The operation is disabled for this client, or the server's security policy does not allow it.",
  ),
  result("MALFORMED_REQUEST", "long", "RFC 6887 7.4", "The request could not be successfully parsed."),
  result("UNSUPP_OPCODE", "long", "RFC 6887 7.4", "Unsupported Opcode."),
  result(
    "UNSUPP_OPTION",
    "long",
    "RFC 6887 7.4",
    "Unsupported option; only for options in the mandatory-to-process range.",
  ),
  result(
    "MALFORMED_OPTION",
    "long",
    "RFC 6887 7.4",
    "Malformed option, for example one that appears too many times or has an invalid length.",
  ),
  result(
    "NETWORK_FAILURE",
    "short",
    "RFC 6887 7.4",
    "The server or the device it controls has a network failure, for example no external address yet.",
  ),
  result(
    "NO_RESOURCES",
    "short",
    "RFC 6887 7.4",
    "The request is valid, but the server has insufficient resources for it at this time.",
  ),
  result(
    "UNSUPP_PROTOCOL",
    "long",
    "RFC 6887 7.4",
    "Unsupported transport protocol, for example SCTP in a NAT that handles only UDP and TCP.",
  ),
  result("USER_EX_QUOTA", "short", "RFC 6887 7.4", "A new mapping would exceed this subscriber's port quota."),
  result(
    "CANNOT_PROVIDE_EXTERNAL",
    undefined,
    "RFC 6887 7.4",
    "The suggested external port or external address cannot be provided.",
  ),
  result(
    "ADDRESS_MISMATCH",
    "long",
    "RFC 6887 7.4",
    "The packet's source address is not the one in its PCP Client's IP Address field: there is an unexpected NAT between.",
  ),
  result(
    "EXCESSIVE_REMOTE_PEERS",
    "long",
    "RFC 6887 7.4",
    "The server was not able to create the filters in this request.",
  ),
  result("INITIATION", undefined, "RFC 7652 7", "The client asks the server for authentication."),
  result("AUTHENTICATION_REQUIRED", undefined, "RFC 7652 7", "EAP authentication is required."),
  result("AUTHENTICATION_FAILED", undefined, "RFC 7652 7", "EAP authentication failed."),
  result("AUTHENTICATION_SUCCEEDED", undefined, "RFC 7652 7", "EAP authentication succeeded."),
  result("AUTHORIZATION_FAILED", undefined, "RFC 7652 7", "EAP authentication succeeded but authorization failed."),
  result("SESSION_TERMINATED", undefined, "RFC 7652 7", "The authentication session must be terminated."),
  result(
    "UNKNOWN_SESSION_ID",
    undefined,
    "RFC 7652 7",
    "The server knows no authentication session with the Session ID in the request.",
  ),
  result("DOWNGRADE_ATTACK_DETECTED", undefined, "RFC 7652 7", "The server detected a downgrade attack."),
  result("AUTHENTICATION_REQUEST", undefined, "RFC 7652 7", "The message contains an EAP request."),
  result("AUTHENTICATION_REPLY", undefined, "RFC 7652 7", "The message contains an EAP response."),
  result(
    "THIRD_PARTY_ID_UNKNOWN",
    "long",
    "RFC 7843 4.1",
    "The identifier in a THIRD_PARTY_ID option is unknown or unavailable to the server.",
  ),
  result(
    "THIRD_PARTY_MISSING_OPTION",
    "long",
    "RFC 7843 4.1",
    "Both THIRD_PARTY and THIRD_PARTY_ID options are expected, but one is missing.",
  ),
  result(
    "UNSUPP_THIRD_PARTY_ID_LENGTH",
    "long",
    "RFC 7843 4.1",
    "The length of the THIRD_PARTY_ID option is not supported.",
  ),
]

/** NAT-PMP result codes 0 to 5, by code (RFC 6886 section 3.5). It has no error lifetimes. */
export const NATPMP_RESULTS: readonly ResultEntry[] = [
  result("Success", undefined, "RFC 6886 3.5", "Success."),
  result("Unsupported Version", undefined, "RFC 6886 3.5", "The gateway does not speak the version of the request."),
  result(
    "Not Authorized/Refused",
    undefined,
    "RFC 6886 3.5",
    "The gateway supports mapping, but its user has turned the feature off.",
  ),
  result(
    "Network Failure",
    undefined,
    "RFC 6886 3.5",
    "The gateway itself has no external address yet, for example no DHCP lease.",
  ),
  result("Out of resources", undefined, "RFC 6886 3.5", "The gateway cannot create any more mappings at this time."),
  result("Unsupported opcode", undefined, "RFC 6886 3.5", "The gateway does not know the opcode of the request."),
]

const OPCODES: readonly string[] = ["ANNOUNCE", "MAP", "PEER", "AUTHENTICATION"]

const NATPMP_OPCODES: readonly string[] = ["external address", "map UDP", "map TCP"]

const OPTIONS: ReadonlyMap<number, string> = new Map([
  [1, "THIRD_PARTY"],
  [2, "PREFER_FAILURE"],
  [3, "FILTER"],
  [4, "NONCE"],
  [5, "AUTHENTICATION_TAG"],
  [6, "PA_AUTHENTICATION_TAG"],
  [7, "EAP_PAYLOAD"],
  [8, "PRF"],
  [9, "MAC_ALGORITHM"],
  [10, "SESSION_LIFETIME"],
  [11, "RECEIVED_PAK"],
  [12, "ID_INDICATOR"],
  [13, "THIRD_PARTY_ID"],
  [128, "DESCRIPTION"],
  [129, "PREFIX64"],
  [130, "PORT_SET"],
])

/** Numbers that PCP has a meaning of its own for (RFC 6887 section 11.1), or that the registry has no keyword for. */
const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [0, "all protocols"],
  [253, "experiment 1"],
  [254, "experiment 2"],
  [255, "Reserved"],
])

// RFC ambiguity 18: in RFC 6887 section 19.3 code 191 stands in two ranges; the private one is taken.
const resultRange = (code: number): string =>
  code === 255 ? "reserved" : code >= 191 && code <= 254 ? "private use" : "unassigned"
// Section 19.2.
const opcodeRange = (code: number): string =>
  code === 127 ? "reserved" : code >= 96 && code <= 126 ? "private use" : "unassigned"
// Section 19.4.
const optionRange = (code: number): string => {
  if (code === 0 || code === 127 || code === 255) return "reserved"
  return (code >= 96 && code <= 126) || (code >= 224 && code <= 254) ? "private use" : "unassigned"
}

/** `MALFORMED_OPTION`, or `unassigned result code 77`. */
export const resultName = (code: number): string => RESULTS[code]?.name ?? `${resultRange(code)} result code ${code}`

/** One sentence that says what a PCP result code means. */
export const resultMeaning = (code: number): string =>
  RESULTS[code]?.meaning ?? `Result code ${code} is ${resultRange(code)} (RFC 6887 19.3).`

/** The recommended class of the error's lifetime, where its RFC gives one. */
export const resultLifetime = (code: number): LifetimeClass | undefined => RESULTS[code]?.lifetime

/** `MAP`, or `private use opcode 96`. Without the R bit. */
export const opcodeName = (code: number): string => OPCODES[code] ?? `${opcodeRange(code)} opcode ${code}`

/** `FILTER`, or `unassigned option 77`. */
export const optionName = (code: number): string => OPTIONS.get(code) ?? `${optionRange(code)} option ${code}`

/** Is it one of the sixteen options whose contents are decoded here? */
export const isKnownOption = (code: number): boolean => OPTIONS.has(code)

/** Must a server that does not know this option refuse the request? RFC 6887 section 7.3: most significant bit clear. */
export const isMandatoryOption = (code: number): boolean => code < 128

/** `UDP`, or `protocol 200`. */
export const protocolName = (code: number): string => PROTOCOLS.get(code) ?? protocolKeyword(code) ?? `protocol ${code}`

/** `map UDP`, or `opcode 77`; the request's opcode, without 128. */
export const natPmpOpcodeName = (code: number): string => NATPMP_OPCODES[code] ?? `opcode ${code}`

/** `Out of resources`, or `result code 77`. */
export const natPmpResultName = (code: number): string => NATPMP_RESULTS[code]?.name ?? `result code ${code}`

/** One sentence that says what a NAT-PMP result code means. */
export const natPmpResultMeaning = (code: number): string =>
  NATPMP_RESULTS[code]?.meaning ??
  `Result code ${code} is not defined by RFC 6886: fatal for the request (section 3.5).`
