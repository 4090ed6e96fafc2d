import { ipv4Value, isAny } from "./address.ts"
import type { Report } from "./finding.ts"
import { natPmpResultName } from "./names.ts"
import type { NatPmpMapRequest, NatPmpMapResponse, NatPmpPacket } from "./natpmp.ts"
import type { WireProfile } from "./profile.ts"
import { isReservedPort } from "./protocol.ts"
import { NatPmpResult } from "./registry.ts"

/** The rules of a NAT-PMP message (RFC 6886 section 3). */
export const validateNatPmp = (packet: NatPmpPacket, profile: WireProfile, report: Report): void => {
  switch (packet.kind) {
    case "natpmp-address-request":
      break
    case "natpmp-address-response":
      validateResult(packet.result, report)
      if (packet.result !== NatPmpResult.SUCCESS && !isAny(packet.external)) {
        report("warning", "error-address", 8, "RFC 6886 3.2", "the external address of an error is 0.0.0.0")
      } else if (packet.result === NatPmpResult.SUCCESS && ipv4Value(packet.external) === 0) {
        report("warning", "assigned-address", 8, "RFC 6886 3.2", "success, but there is no external address")
      }
      break
    case "natpmp-map-request":
      validateMapRequest(packet, profile, report)
      break
    case "natpmp-map-response":
      validateMapResponse(packet, profile, report)
      break
    case "natpmp-version-error":
      if (packet.opcode !== 0) {
        report("note", "version-error-opcode", 1, "RFC 6886 3.5", "the version error has opcode 0, response bit clear")
      }
      break
    case "natpmp-other-request":
      report("error", "opcode-unknown", 1, "RFC 6886 3.5", `opcode ${packet.opcode}: Unsupported opcode`)
      break
    case "natpmp-other-response":
      if (packet.result !== NatPmpResult.UNSUPPORTED_OPCODE) {
        const text = `an answer to opcode ${packet.opcode} has result ${NatPmpResult.UNSUPPORTED_OPCODE}`
        report("warning", "opcode-unknown", 2, "RFC 6886 3.5", text)
      }
  }
}

const validateResult = (result: number, report: Report): void => {
  if (result > NatPmpResult.UNSUPPORTED_OPCODE) {
    const text = `${natPmpResultName(result)} is not defined: fatal for the request`
    report("warning", "result-unknown", 2, "RFC 6886 3.5", text)
  }
}

const validateMapRequest = (packet: NatPmpMapRequest, profile: WireProfile, report: Report): void => {
  const { externalPort, internalPort, lifetime, protocol } = packet
  if (lifetime === 0) {
    if (externalPort !== 0) {
      report("warning", "delete-suggestion", 6, "RFC 6886 3.4", "a deletion suggests external port 0; it is ignored")
    }
    if (internalPort === 0) {
      report("note", "delete-all", 4, "RFC 6886 3.4", `deletes all ${protocol.toUpperCase()} mappings of the client`)
    }
    return
  }
  if (internalPort === 0) report("error", "port-0", 4, "RFC 6886 3.3", "there is no internal port 0 to map")
  if (lifetime > profile.maxLifetime) {
    const text = `a lifetime of ${lifetime} s, where 7200 s are recommended: milliseconds by mistake?`
    report("warning", "lifetime-above", 8, "RFC 6886 3.3", text)
  }
  if (protocol === "udp" && isReservedPort(externalPort)) {
    report("note", "external-port", 6, "RFC 6887 11.3", `external UDP port ${externalPort} is never assigned`)
  }
}

const validateMapResponse = (packet: NatPmpMapResponse, profile: WireProfile, report: Report): void => {
  validateResult(packet.result, report)
  const { externalPort, internalPort, lifetime } = packet
  if (packet.result !== NatPmpResult.SUCCESS) {
    if (externalPort !== 0) report("warning", "error-port", 10, "RFC 6886 3.5", "the external port of an error is 0")
    if (lifetime !== 0) report("warning", "error-lifetime", 12, "RFC 6886 3.5", "the lifetime of an error is 0")
  } else if (lifetime === 0) {
    if (externalPort !== 0) report("warning", "delete-port", 10, "RFC 6886 3.4", "a deletion answers external port 0")
  } else {
    if (externalPort === 0) report("error", "assigned-port", 10, "RFC 6886 3.3", "no external port is assigned")
    if (internalPort === 0) report("error", "port-0", 8, "RFC 6886 3.3", "there is no internal port 0 to map")
    if (lifetime > profile.maxLifetime) {
      report("warning", "lifetime-above", 12, "RFC 6886 3.3", `a lifetime of ${lifetime} s`)
    }
  }
}
