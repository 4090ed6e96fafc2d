import { addressFromIpv4 } from "./address.ts"
import { optionDataLength, optionLength } from "./encode-options.ts"
import type { Report } from "./finding.ts"
import { isMandatoryOption, opcodeName, optionName } from "./names.ts"
import type { PcpOption } from "./option.ts"
import { optionCodeOf } from "./option.ts"
import { OPTION_RULES, type OptionRule } from "./option-rule.ts"
import type { PcpPacket } from "./packet.ts"
import { opcodeOf } from "./packet.ts"
import { bodyEnd } from "./parse.ts"
import type { WireProfile } from "./profile.ts"
import { Opcode, OptionCode, ResultCode } from "./registry.ts"
import { validateOption } from "./validate-option.ts"

/**
 * The rules of options among themselves and under their opcode (RFC 6887 sections 7.3 and 13). An error response copies what the client sent, so
 * that only a request and a success response are held to them.
 */
export const validateOptions = (packet: PcpPacket, profile: WireProfile, report: Report): void => {
  if (packet.body.kind === "opaque") return
  if (packet.kind === "pcp-response" && packet.result !== ResultCode.SUCCESS && packet.body.kind !== "authentication")
    return
  const opcode = opcodeOf(packet.body)
  const request = packet.kind === "pcp-request"
  let offset = bodyEnd(opcode)
  const seen = new Map<number, number>()
  packet.options.forEach((option, index) => {
    const code = optionCodeOf(option)
    const count = (seen.get(code) ?? 0) + 1
    seen.set(code, count)
    validatePlace(option, code, opcode, request, isOffered(code, packet, profile), offset, report)
    if (option.kind !== "unknown" && option.kind !== "malformed") {
      validateRule(option.kind, OPTION_RULES[option.kind], optionDataLength(option), count, request, offset, report)
      validateOption(packet, option, index, offset, profile, report)
    }
    offset += optionLength(option)
  })
}

/** The B4's own address in each softwire (RFC 6333 section 5.7). */
const B4_ADDRESS = addressFromIpv4(0xc0000002)

/** Does the server offer this option to whoever sent the packet? `undefined` where that is not known. */
const isOffered = (code: number, packet: PcpPacket, profile: WireProfile): boolean | undefined => {
  const source = profile.source ?? (packet.kind === "pcp-request" ? packet.client : undefined)
  if (code === OptionCode.THIRD_PARTY && profile.thirdPartyB4Only && source !== B4_ADDRESS) return false
  return profile.options?.includes(code)
}

/** What can be said of an option by its code: known, offered, well formed, legal here. */
const validatePlace = (
  option: PcpOption,
  code: number,
  opcode: number,
  request: boolean,
  offered: boolean | undefined,
  offset: number,
  report: Report,
): void => {
  const mandatory = isMandatoryOption(code)
  const name = optionName(code)
  if (option.kind === "malformed") {
    if (code === OptionCode.PREFER_FAILURE && opcode === Opcode.PEER && request) {
      reportPreferFailureInPeer(offset, report)
      return
    }
    // RFC 7220 section 3 has a server go on without a description that is not UTF-8.
    const answer =
      !mandatory || !request ? "" : offered !== false ? ": MALFORMED_OPTION" : ", nor is it offered here: UNSUPP_OPTION"
    report("error", "option-malformed", offset, option.clause, `${name}: ${option.problem}${answer}`)
    return
  }
  if (option.kind === "unknown") {
    if (code === 0 || code === 127 || code === 255) {
      report("warning", "option-reserved", offset, "RFC 6887 19.4", `option code ${code} is reserved`)
    }
    if (!request) report("note", "option-unknown", offset, "RFC 6887 7.3", `${name}: a client ignores it`)
    else if (mandatory && offered === false)
      report("error", "option-unknown", offset, "RFC 6887 7.3", `${name} is not offered here: UNSUPP_OPTION`)
    else if (mandatory)
      report("warning", "option-unknown", offset, "RFC 6887 7.3", `${name}: UNSUPP_OPTION where not known`)
    else report("note", "option-unknown", offset, "RFC 6887 7.3", `${name}: a server may ignore it`)
    return
  }
  const rule = OPTION_RULES[option.kind]
  if (!rule.opcodes.includes(opcode)) {
    if (option.kind === "PREFER_FAILURE" && opcode === Opcode.PEER) reportPreferFailureInPeer(offset, report)
    else {
      report(
        mandatory ? "error" : "warning",
        "option-opcode",
        offset,
        rule.clause,
        `${name} is not for ${opcodeName(opcode)}`,
      )
    }
  } else if (request && offered === false) {
    const text = mandatory ? `${name} is not offered here: UNSUPP_OPTION` : `${name} is not offered here and ignored`
    report(mandatory ? "error" : "note", "option-disabled", offset, "RFC 6887 7.3", text)
  }
}

/** RFC 6887 section 12.1 gives this one pair a result of its own. */
const reportPreferFailureInPeer = (offset: number, report: Report): void =>
  report("error", "option-opcode", offset, "RFC 6887 12.1", "PREFER_FAILURE in PEER: MALFORMED_REQUEST")

const validateRule = (
  name: string,
  rule: OptionRule,
  length: number,
  count: number,
  request: boolean,
  offset: number,
  report: Report,
): void => {
  if (!(request ? rule.inRequest : rule.inResponse)) {
    report("error", "option-direction", offset, rule.clause, `${name} is not for a ${request ? "request" : "response"}`)
  }
  if (count > (request ? rule.maxInRequest : rule.maxInResponse)) {
    const text = `${name} may appear once and appears for the ${ordinal(count)} time`
    report("error", "option-repeated", offset, rule.clause, request ? `${text}: MALFORMED_OPTION` : text)
  }
  if (length > rule.maxLength) {
    const text = `${length} octets are more than the ${rule.maxLength} of ${name}`
    report("error", "option-length", offset + 2, rule.clause, text)
  }
}

const ordinal = (count: number): string => (count === 2 ? "second" : count === 3 ? "third" : `${count}th`)
