import type { PcpOption } from "./option.ts"
import { Opcode } from "./registry.ts"

/** Where an option may stand, as its RFC's template says: valid opcodes, direction, maximum occurrences and length. */
export interface OptionRule {
  readonly opcodes: readonly number[]
  readonly inRequest: boolean
  readonly inResponse: boolean
  readonly maxInRequest: number
  readonly maxInResponse: number
  /** Octets of data. */
  readonly maxLength: number
  readonly clause: string
}

const { ANNOUNCE, AUTHENTICATION, MAP, PEER } = Opcode
const MANY = Number.POSITIVE_INFINITY

const rule = (clause: string, opcodes: readonly number[], max: number, more?: Partial<OptionRule>): OptionRule => ({
  opcodes,
  inRequest: true,
  inResponse: true,
  maxInRequest: max,
  maxInResponse: max,
  maxLength: MANY,
  clause,
  ...more,
})

/** By the option's name. */
export const OPTION_RULES: Readonly<Record<Exclude<PcpOption["kind"], "unknown" | "malformed">, OptionRule>> = {
  THIRD_PARTY: rule("RFC 6887 13.1", [MAP, PEER], 1),
  PREFER_FAILURE: rule("RFC 6887 13.2", [MAP], 1),
  FILTER: rule("RFC 6887 13.3", [MAP], MANY),
  NONCE: rule("RFC 7652 7.1", [AUTHENTICATION], 1),
  AUTHENTICATION_TAG: rule("RFC 7652 7.2", [MAP, PEER, ANNOUNCE], 1),
  PA_AUTHENTICATION_TAG: rule("RFC 7652 7.3", [AUTHENTICATION], 1),
  EAP_PAYLOAD: rule("RFC 7652 7.4", [AUTHENTICATION], 1),
  PRF: rule("RFC 7652 7.5", [AUTHENTICATION], MANY),
  MAC_ALGORITHM: rule("RFC 7652 7.6", [AUTHENTICATION], MANY),
  SESSION_LIFETIME: rule("RFC 7652 7.7", [AUTHENTICATION], 1, { inRequest: false }),
  RECEIVED_PAK: rule("RFC 7652 7.8", [AUTHENTICATION], 1),
  ID_INDICATOR: rule("RFC 7652 7.9", [AUTHENTICATION], 1, { inRequest: false }),
  THIRD_PARTY_ID: rule("RFC 7843 4", [MAP, PEER], 1, { maxLength: 1016 }),
  DESCRIPTION: rule("RFC 7220 2", [MAP, PEER], 1, { maxLength: 1016 }),
  PREFIX64: rule("RFC 7225 4.1", [MAP, ANNOUNCE], 1, { maxInResponse: MANY }),
  PORT_SET: rule("RFC 7753 4", [MAP], 1),
}
