import { protocolKeyword } from "./protocol-names.ts"
import { Opcode, OptionCode } from "./registry.ts"

/** What the registries' numbers are called and mean, for people. Codes nobody has assigned are named by their range. */

/** How long an error is expected to last: RFC 6887 section 7.4 recommends 30 s for short, 30 min for long. */
export type LifetimeClass = "short" | "long"

/** One result code. `lifetime` is `undefined` where the RFC gives none: not an error, or it depends on the reason. */
export interface ResultEntry {
  readonly name: string
  readonly meaning: string
  readonly lifetime: LifetimeClass | undefined
  /** Where it is defined. */
  readonly clause: string
}

type Meaning = readonly [meaning: string, lifetime?: LifetimeClass]

const results = (clause: string, meanings: Readonly<Record<string, Meaning>>): readonly ResultEntry[] =>
  Object.entries(meanings).map(([name, [meaning, lifetime]]) => ({ name, meaning, lifetime, clause }))

/** PCP result codes 0 to 26, by code. */
export const RESULTS: readonly ResultEntry[] = [
  ...results("RFC 6887 7.4", {
    SUCCESS: ["Success."],
    UNSUPP_VERSION: ["The version number at the start of the request header is not recognized by this server.", "long"],
    NOT_AUTHORIZED: [
      "The operation is disabled for this client, or the server's security policy does not allow it.",
      "long",
    ],
    MALFORMED_REQUEST: ["The request could not be successfully parsed.", "long"],
    UNSUPP_OPCODE: ["Unsupported Opcode.", "long"],
    UNSUPP_OPTION: ["Unsupported option; only for options in the mandatory-to-process range.", "long"],
    MALFORMED_OPTION: [
      "Malformed option, for example one that appears too many times or has an invalid length.",
      "long",
    ],
    NETWORK_FAILURE: [
      "The server or the device it controls has a network failure, for example no external address yet.",
      "short",
    ],
    NO_RESOURCES: ["The request is valid, but the server has insufficient resources for it at this time.", "short"],
    UNSUPP_PROTOCOL: [
      "Unsupported transport protocol, for example SCTP in a NAT that handles only UDP and TCP.",
      "long",
    ],
    USER_EX_QUOTA: ["A new mapping would exceed this subscriber's port quota.", "short"],
    CANNOT_PROVIDE_EXTERNAL: ["The suggested external port or external address cannot be provided."],
    ADDRESS_MISMATCH: [
      "The packet's source address is not the one in its PCP Client's IP Address field: there is an unexpected NAT between.",
      "long",
    ],
    EXCESSIVE_REMOTE_PEERS: ["The server was not able to create the filters in this request.", "long"],
  }),
  ...results("RFC 7652 7", {
    INITIATION: ["The client asks the server for authentication."],
    AUTHENTICATION_REQUIRED: ["EAP authentication is required."],
    AUTHENTICATION_FAILED: ["EAP authentication failed."],
    AUTHENTICATION_SUCCEEDED: ["EAP authentication succeeded."],
    AUTHORIZATION_FAILED: ["EAP authentication succeeded but authorization failed."],
    SESSION_TERMINATED: ["The authentication session must be terminated."],
    UNKNOWN_SESSION_ID: ["The server knows no authentication session with the Session ID in the request."],
    DOWNGRADE_ATTACK_DETECTED: ["The server detected a downgrade attack."],
    AUTHENTICATION_REQUEST: ["The message contains an EAP request."],
    AUTHENTICATION_REPLY: ["The message contains an EAP response."],
  }),
  ...results("RFC 7843 4.1", {
    THIRD_PARTY_ID_UNKNOWN: [
      "The identifier in a THIRD_PARTY_ID option is unknown or unavailable to the server.",
      "long",
    ],
    THIRD_PARTY_MISSING_OPTION: [
      "Both THIRD_PARTY and THIRD_PARTY_ID options are expected, but one is missing.",
      "long",
    ],
    UNSUPP_THIRD_PARTY_ID_LENGTH: ["The length of the THIRD_PARTY_ID option is not supported.", "long"],
  }),
]

/** NAT-PMP result codes 0 to 5, by code (RFC 6886 section 3.5). It has no error lifetimes. */
export const NATPMP_RESULTS: readonly ResultEntry[] = results("RFC 6886 3.5", {
  Success: ["Success."],
  "Unsupported Version": ["The gateway does not speak the version of the request."],
  "Not Authorized/Refused": ["The gateway supports mapping, but its user has turned the feature off."],
  "Network Failure": ["The gateway itself has no external address yet, for example no DHCP lease."],
  "Out of resources": ["The gateway cannot create any more mappings at this time."],
  "Unsupported opcode": ["The gateway does not know the opcode of the request."],
})

const OPCODES: readonly string[] = Object.keys(Opcode)

const NATPMP_OPCODES: readonly string[] = ["external address", "map UDP", "map TCP"]

const OPTIONS: ReadonlyMap<number, string> = new Map(Object.entries(OptionCode).map(([name, code]) => [code, name]))

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
