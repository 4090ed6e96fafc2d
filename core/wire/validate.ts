import type { Finding, Report, Severity } from "./finding.ts"
import type { OtherVersion, Packet, PcpPacket } from "./packet.ts"
import { opcodeOf, versionName } from "./packet.ts"
import { parse } from "./parse.ts"
import type { Parsed } from "./parsed.ts"
import type { WireProfile } from "./profile.ts"
import { ANY_PROFILE } from "./profile.ts"
import { HEADER_LENGTH, MAP_LENGTH, Opcode, PEER_LENGTH, ResultCode } from "./registry.ts"
import type { Residue } from "./residue.ts"
import { NO_RESIDUE } from "./residue.ts"
import { validateNatPmp } from "./validate-natpmp.ts"
import { validatePcp } from "./validate-pcp.ts"

/**
 * Everything that can be said against one message, by itself and under `profile`, in the order of its octets: why it cannot be read, what is not
 * canonical in it, and which rules of RFC 6886, 6887, 7220, 7225, 7652, 7753 and 7843 it breaks. An empty list is a message without fault.
 *
 * `subject` is the UDP payload, or what `parse` gave for it, or a packet about to be sent. What takes more than one message to see, such as a reused
 * nonce or an answer to the wrong request, is not seen here.
 */
export const validate = (
  subject: Uint8Array | Parsed | Packet,
  profile: WireProfile = ANY_PROFILE,
): readonly Finding[] => {
  const findings: Finding[] = []
  const report: Report = (severity, code, offset, clause, text) => {
    findings.push({ severity, code, offset, clause, text })
  }
  const parsed = toParsed(subject)
  if (parsed.ok) {
    validateRole(parsed.packet, profile, report)
    validatePacket(parsed.packet, profile, report)
    for (const residue of parsed.residue) validateResidue(parsed.packet, residue, report)
  } else {
    const { code, offset, clause, text } = parsed.error
    report("error", code, offset, clause, text)
  }
  return findings.sort((a, b) => a.offset - b.offset)
}

const toParsed = (subject: Uint8Array | Parsed | Packet): Parsed => {
  if (subject instanceof Uint8Array) return parse(subject)
  return "ok" in subject ? subject : { ok: true, packet: subject, residue: NO_RESIDUE }
}

const validatePacket = (packet: Packet, profile: WireProfile, report: Report): void => {
  switch (packet.kind) {
    case "pcp-request":
    case "pcp-response":
      validatePcp(packet, profile, report)
      break
    case "other-version":
      validateOtherVersion(packet, report)
      break
    default:
      validateNatPmp(packet, profile, report)
  }
}

const validateOtherVersion = (packet: OtherVersion, report: Report): void => {
  if (packet.version === 1) {
    report("error", "version-1", 0, "RFC 6886 1.1", "version 1 is PCP of the drafts before RFC 6887: nobody may use it")
  } else {
    report(
      "error",
      "version-unknown",
      0,
      "RFC 6887 9",
      `${versionName(packet.version)}: a server answers UNSUPP_VERSION`,
    )
  }
}

/** RFC 6887 sections 8.2 and 8.3, RFC 6886 section 3.5: each side drops what is meant for the other. */
const validateRole = (packet: Packet, profile: WireProfile, report: Report): void => {
  if (profile.role === undefined || isResponse(packet) === (profile.role === "response")) return
  const natPmp = packet.kind.startsWith("natpmp")
  if (profile.role === "request") {
    report("error", "role", 1, natPmp ? "RFC 6886 3.5" : "RFC 6887 8.2", "a response: a server drops it silently")
  } else {
    report("error", "role", 1, natPmp ? "RFC 6886 3" : "RFC 6887 8.3", "a request: a client drops it silently")
  }
}

const isResponse = (packet: Packet): boolean =>
  packet.kind === "other-version"
    ? packet.response
    : packet.kind === "natpmp-version-error" || packet.kind.endsWith("-response")

const validateResidue = (packet: Packet, residue: Residue, report: Report): void => {
  if (packet.kind === "pcp-request" || packet.kind === "pcp-response") {
    validatePcpResidue(packet, residue, report)
  } else if (residue.kind === "reserved") {
    report("warning", "reserved-nonzero", residue.offset, "RFC 6886 3.3", "reserved octets are not zero")
  } else {
    const text = `${residue.bytes.length} octets after the end of the message`
    report("warning", "trailing", residue.offset, "RFC 6886 3", text)
  }
}

const validatePcpResidue = (packet: PcpPacket, residue: Residue, report: Report): void => {
  const { kind, offset } = residue
  const error = packet.kind === "pcp-response" && packet.result !== ResultCode.SUCCESS
  // Behind its header an error response copies the request (RFC 6887 section 7.3): the faults there are the client's.
  const severity: Severity = error && offset >= HEADER_LENGTH ? "note" : "warning"
  switch (kind) {
    case "reserved":
      report(severity, "reserved-nonzero", offset, reservedClause(packet, offset), "reserved bits are not zero")
      break
    case "padding":
      report(severity, "padding-nonzero", offset, "RFC 6887 7.3", "the padding of an option is not zero")
      break
    case "trailing":
    case "short":
      if (kind === "short" && offset < HEADER_LENGTH) {
        const text = `an UNSUPP_VERSION response of ${offset} octets: its fields after that are missing`
        report("warning", "version-error-short", offset, "RFC 6887 8.3", text)
      } else {
        const clause = packet.kind === "pcp-response" ? "RFC 6887 8.3" : "RFC 6887 8.2"
        const length = offset + residue.bytes.length
        report("error", "length-multiple-of-4", offset, clause, `a length of ${length} octets is no multiple of 4`)
      }
  }
}

const reservedClause = (packet: PcpPacket, offset: number): string => {
  if (offset < HEADER_LENGTH) return packet.kind === "pcp-request" ? "RFC 6887 7.1" : "RFC 6887 7.2"
  const opcode = opcodeOf(packet.body)
  if (opcode === Opcode.MAP && offset < MAP_LENGTH) return "RFC 6887 11.1"
  return opcode === Opcode.PEER && offset < PEER_LENGTH ? "RFC 6887 12.1" : "RFC 6887 7.3"
}
