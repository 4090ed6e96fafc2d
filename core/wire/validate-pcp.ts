import { formatAddress, isAny } from "./address.ts"
import type { Report } from "./finding.ts"
import { opcodeName, protocolName, resultLifetime, resultName } from "./names.ts"
import { ZERO_NONCE } from "./nonce.ts"
import type { MapBody, PcpPacket, PcpRequest, PcpResponse, PeerBody } from "./packet.ts"
import { opcodeOf } from "./packet.ts"
import type { WireProfile } from "./profile.ts"
import { hasPorts, isReservedPort } from "./protocol.ts"
import { Opcode, Protocol, ResultCode } from "./registry.ts"
import { familyName, familyOf, isMulticast, isNoHost, validateMappedForm } from "./validate-address.ts"
import { validateAuthentication } from "./validate-authentication.ts"
import { validateSameEnd } from "./validate-firewall.ts"
import { validateOptions } from "./validate-options.ts"

const STATIC_LIFETIME = 0xffffffff

/** The rules of a PCP version 2 message. */
export const validatePcp = (packet: PcpPacket, profile: WireProfile, report: Report): void => {
  if (packet.kind === "pcp-request") validateRequestHeader(packet, profile, report)
  else validateResponseHeader(packet, profile, report)
  switch (packet.body.kind) {
    case "map":
      validateMappedForm(packet.body.external, 44, "the external address", report)
      if (packet.kind === "pcp-request") validateMapRequest(packet, packet.body, profile, report)
      else validateAssigned(packet, packet.body, profile, report)
      if (profile.firewall) validateSameEnd(packet, packet.body, profile, report)
      break
    case "peer":
      validateMappedForm(packet.body.external, 44, "the external address", report)
      validatePeer(packet, packet.body, profile, report)
      if (packet.kind === "pcp-response") validateAssigned(packet, packet.body, profile, report)
      break
    case "authentication":
      validateAuthentication(packet, report)
      break
    case "announce":
    case "opaque":
      break
  }
  validateOptions(packet, profile, report)
}

const validateRequestHeader = (packet: PcpRequest, profile: WireProfile, report: Report): void => {
  validateOpcode(packet, profile, report)
  validateClient(packet, profile, report)
  const { lifetime } = packet
  switch (packet.body.kind) {
    case "announce":
      if (lifetime !== 0) report("warning", "announce-lifetime", 4, "RFC 6887 14.1.2", "ANNOUNCE has lifetime 0")
      break
    case "authentication":
      if (lifetime !== 0)
        report("warning", "authentication-lifetime", 4, "RFC 7652 5.1", "AUTHENTICATION has lifetime 0")
      break
    case "map":
    case "peer":
      if (lifetime > profile.maxLifetime) {
        const text = `a lifetime of ${lifetime} s is above the ${profile.maxLifetime} s that a server grants at most`
        report("note", "lifetime-above", 4, "RFC 6887 15", text)
      } else if (lifetime !== 0 && lifetime < profile.minLifetime) {
        const text = `a lifetime of ${lifetime} s is below the ${profile.minLifetime} s that a server grants at least`
        report("note", "lifetime-below", 4, "RFC 6887 15", text)
      }
      break
    case "opaque":
      break
  }
}

const validateOpcode = (packet: PcpPacket, profile: WireProfile, report: Report): void => {
  const opcode = opcodeOf(packet.body)
  if (opcode > Opcode.AUTHENTICATION) {
    report("warning", "opcode-unknown", 1, "RFC 6887 19.2", `${opcodeName(opcode)}: a server answers UNSUPP_OPCODE`)
  } else if (profile.opcodes !== undefined && !profile.opcodes.includes(opcode)) {
    report("error", "opcode-disabled", 1, "RFC 6887 8.2", `${opcodeName(opcode)} is not offered here: UNSUPP_OPCODE`)
  }
}

const validateClient = (packet: PcpRequest, profile: WireProfile, report: Report): void => {
  const { client } = packet
  validateMappedForm(client, 8, "the client's address", report)
  if (profile.source !== undefined && client !== profile.source) {
    const text = `the packet came from ${formatAddress(profile.source)}, not ${formatAddress(client)}: ADDRESS_MISMATCH`
    report("error", "address-mismatch", 8, "RFC 6887 8.2", text)
  }
  if (isAny(client) || isMulticast(client)) {
    const text = `the client's address ${formatAddress(client)} is no host's: ADDRESS_MISMATCH`
    report("error", "client-address", 8, "RFC 6887 7.1", text)
  } else if (profile.clientFamily !== undefined && familyOf(client) !== profile.clientFamily) {
    const text = `the client's address is not ${familyName(profile.clientFamily)}`
    report("error", "client-family", 8, "RFC 6887 10", text)
  }
}

const validateResponseHeader = (packet: PcpResponse, profile: WireProfile, report: Report): void => {
  validateOpcode(packet, profile, report)
  const { body, lifetime, result } = packet
  if (result > ResultCode.UNSUPP_THIRD_PARTY_ID_LENGTH) {
    report("warning", "result-unknown", 3, "RFC 6887 19.3", `${resultName(result)} has no meaning here`)
  }
  if (body.kind === "announce" || body.kind === "authentication") {
    const clause = body.kind === "announce" ? "RFC 6887 14.1.1" : "RFC 7652 5.1"
    if (lifetime !== 0 && (result === ResultCode.SUCCESS || body.kind === "authentication")) {
      report("warning", `${body.kind}-lifetime`, 4, clause, `${opcodeName(opcodeOf(body))} has lifetime 0`)
    }
  } else if (result !== ResultCode.SUCCESS && lifetime > profile.maxLifetime) {
    const text = `an error that lasts ${lifetime} s: a client goes by ${profile.maxLifetime} s at most`
    report("warning", "error-lifetime", 4, "RFC 6887 8.3", text)
  } else if (result === ResultCode.SUCCESS && lifetime === STATIC_LIFETIME) {
    report("note", "lifetime-static", 4, "RFC 6887 11.3", "the lifetime of a static mapping: it does not expire")
  } else if (result === ResultCode.SUCCESS && lifetime > profile.maxLifetime) {
    const text = `a lifetime of ${lifetime} s: a client goes by ${profile.maxLifetime} s at most`
    report("warning", "lifetime-above", 4, "RFC 6887 15", text)
  }
  // A version error may end before its lifetime.
  const lasts = resultLifetime(result) !== undefined && result !== ResultCode.UNSUPP_VERSION
  if (lasts && lifetime === 0 && body.kind !== "announce") {
    report(
      "note",
      "error-lifetime-zero",
      4,
      "RFC 6887 7.4",
      "an error with lifetime 0: the client may try again at once",
    )
  }
  validateCopy(packet, report)
  validateResult(packet, report)
}

/** An error response is a complete copy of its request (RFC 6887 section 7.3): without one, a client cannot tell which. */
const validateCopy = (packet: PcpResponse, report: Report): void => {
  const { body, result } = packet
  if (body.kind !== "opaque" || body.opcode > Opcode.AUTHENTICATION || result === ResultCode.UNSUPP_VERSION) return
  const asked = result === ResultCode.MALFORMED_REQUEST || result === ResultCode.MALFORMED_OPTION
  const text = `the copy of the ${opcodeName(body.opcode)} request is cut or cannot be read: no client can match it`
  report(asked ? "note" : "warning", "error-copy", 24, "RFC 6887 7.3", text)
}

/** Result codes that "MUST only be returned" for certain requests; the copy shows the request. */
const validateResult = (packet: PcpResponse, report: Report): void => {
  const { body, options, result } = packet
  if (body.kind === "opaque") return
  if (result === ResultCode.CANNOT_PROVIDE_EXTERNAL) {
    const allowed =
      body.kind === "peer" ||
      (body.kind === "map" &&
        (body.protocol === Protocol.SCTP || options.some(({ kind }) => kind === "PREFER_FAILURE")))
    if (!allowed) {
      const text = "CANNOT_PROVIDE_EXTERNAL is for PEER, MAP with PREFER_FAILURE and MAP of SCTP alone"
      report("error", "result-scope", 3, "RFC 6887 7.4", text)
    }
  } else if (result === ResultCode.EXCESSIVE_REMOTE_PEERS) {
    if (body.kind !== "map" || !options.some(({ kind }) => kind === "FILTER")) {
      report("error", "result-scope", 3, "RFC 6887 7.4", "EXCESSIVE_REMOTE_PEERS is for MAP with FILTER alone")
    }
  }
}

const validateNonce = (body: MapBody | PeerBody, clause: string, report: Report): void => {
  if (body.nonce === ZERO_NONCE) {
    report("warning", "nonce-zero", 24, clause, "a nonce of zeros is legal, but one random nonce in 2^96")
  } else if (body.nonce.startsWith("\0\0\0\0") || body.nonce[0].repeat(6) === body.nonce) {
    report("warning", "nonce-weak", 24, clause, "the nonce does not look random")
  }
}

/** The parts of a request that MAP and PEER share. */
const validateSuggestion = (
  packet: PcpRequest,
  body: MapBody | PeerBody,
  profile: WireProfile,
  report: Report,
): void => {
  const clause = body.kind === "map" ? "RFC 6887 11.1" : "RFC 6887 12.1"
  const { external } = body
  const family = familyOf(external)
  if (isAny(external)) {
    // What family a client expects is known with the CGN; without one, its own is the likely one.
    const wanted = profile.externalFamily ?? familyOf(packet.client)
    if (family !== wanted) {
      const text = `no suggestion in ${familyName(wanted)} is ${wanted === "ipv4" ? "::ffff:0.0.0.0" : "::"}`
      report(profile.externalFamily === undefined ? "note" : "warning", "zero-form", 44, "RFC 6887 5", text)
    }
  } else if (profile.externalFamily !== undefined && family !== profile.externalFamily) {
    const text = `${formatAddress(external)} is not ${familyName(profile.externalFamily)} and cannot be assigned`
    report("warning", "external-family", 44, clause, text)
  } else if (isNoHost(external)) {
    report("warning", "external-address", 44, clause, `${formatAddress(external)} cannot be assigned`)
  }
  if (body.protocol === Protocol.UDP && isReservedPort(body.externalPort)) {
    report("note", "external-port", 42, "RFC 6887 11.3", `external UDP port ${body.externalPort} is never assigned`)
  }
  const deletes = body.kind === "map" && packet.lifetime === 0
  if (!profile.otherProtocols && !deletes && body.protocol !== Protocol.ALL && !isTcpOrUdp(body.protocol)) {
    const text = `${protocolName(body.protocol)} is not mapped here: UNSUPP_PROTOCOL`
    report("error", "protocol", 36, "RFC 6887 11.3", text)
  }
}

const isTcpOrUdp = (protocol: number): boolean => protocol === Protocol.TCP || protocol === Protocol.UDP

const validateMapRequest = (packet: PcpRequest, body: MapBody, profile: WireProfile, report: Report): void => {
  validateNonce(body, "RFC 6887 11.2", report)
  const { internalPort, protocol } = body
  const named = protocolName(protocol)
  if (protocol === Protocol.ALL && internalPort !== 0) {
    // RFC 7753 section 5.2 discovers a stateless port set with protocol 0 and port 1.
    const portSet = packet.options.some(({ kind }) => kind === "PORT_SET")
    const text = `all protocols and port ${internalPort}: MALFORMED_REQUEST`
    report(portSet ? "warning" : "error", "protocol-0-port", 40, "RFC 6887 11.3", text)
  } else if (protocol !== Protocol.ALL && internalPort !== 0 && !hasPorts(protocol)) {
    report("warning", "port-without-ports", 40, "RFC 6887 11.1", `${named} has no 16-bit ports: the port is 0`)
  }
  if (packet.lifetime === 0) {
    if (body.externalPort !== 0) {
      report("warning", "delete-suggestion", 42, "RFC 6887 15.1", "a deletion suggests external port 0; it is ignored")
    }
    if (!isAny(body.external)) {
      report("warning", "delete-suggestion", 44, "RFC 6887 15.1", "a deletion suggests the address zero; it is ignored")
    }
  } else if (internalPort === 0 && protocol === Protocol.ALL) {
    const text = "asks for all ports of all protocols"
    if (profile.protocol0) report("note", "all-protocols", 36, "RFC 6887 11.3", text)
    else report("error", "all-protocols", 36, "RFC 6887 11.3", `${text}, not mapped here: UNSUPP_PROTOCOL`)
  } else if (internalPort === 0) {
    const text = hasPorts(protocol) ? `asks for all ports of ${named}` : `asks for ${named}, which has no ports`
    if (!profile.port0) report("error", "all-ports", 40, "RFC 6887 11.3", `${text}, not mapped here: UNSUPP_PROTOCOL`)
    else if (hasPorts(protocol)) report("note", "all-ports", 40, "RFC 6887 11.3", text)
  }
  validateSuggestion(packet, body, profile, report)
}

const validatePeer = (packet: PcpPacket, body: PeerBody, profile: WireProfile, report: Report): void => {
  const clause = "RFC 6887 12.1"
  validateMappedForm(body.remote, 64, "the remote peer's address", report)
  if (body.protocol === 0) report("error", "peer-protocol-0", 36, clause, "PEER has a protocol: MALFORMED_REQUEST")
  if (body.internalPort === 0)
    report("error", "peer-port-0", 40, clause, "PEER has an internal port: MALFORMED_REQUEST")
  if (body.remotePort === 0) report("error", "peer-port-0", 60, clause, "PEER has a remote port: MALFORMED_REQUEST")
  const wanted = profile.remoteFamily ?? (packet.kind === "pcp-request" ? familyOf(packet.client) : undefined)
  if (isNoHost(body.remote)) {
    const text = `${formatAddress(body.remote)} is no remote peer: MALFORMED_REQUEST`
    report("error", "remote-address", 64, "RFC 6887 12.3", text)
  } else if (wanted !== undefined && familyOf(body.remote) !== wanted) {
    const severity = profile.remoteFamily === undefined ? "warning" : "error"
    const text = `the remote peer as the client sees it is ${familyName(wanted)}`
    report(severity, "remote-family", 64, "RFC 6887 10", text)
  }
  if (packet.kind !== "pcp-request") return
  validateNonce(body, "RFC 6887 12.2", report)
  if (packet.lifetime === 0) {
    report("warning", "peer-delete", 4, clause, "PEER cannot delete a mapping or shorten its lifetime")
  }
  validateSuggestion(packet, body, profile, report)
}

/** A success response with a lifetime assigns an address and a port. */
const validateAssigned = (
  packet: PcpResponse,
  body: MapBody | PeerBody,
  profile: WireProfile,
  report: Report,
): void => {
  if (packet.result !== ResultCode.SUCCESS || packet.lifetime === 0) return
  const clause = body.kind === "map" ? "RFC 6887 11.1" : "RFC 6887 12.1"
  const { external, externalPort } = body
  if (isNoHost(external)) {
    report("error", "assigned-address", 44, clause, `${formatAddress(external)} cannot be reached from outside`)
  } else if (profile.externalFamily !== undefined && familyOf(external) !== profile.externalFamily) {
    report("error", "external-family", 44, clause, `the assigned address is not ${familyName(profile.externalFamily)}`)
  }
  if (externalPort === 0 && body.internalPort !== 0) {
    report("error", "assigned-port", 42, clause, "no external port is assigned")
  } else if (body.kind === "map" && body.protocol === Protocol.UDP) {
    if (isReservedPort(externalPort)) {
      const text = `external UDP port ${externalPort} must not be mapped for a client`
      report("error", "assigned-port", 42, "RFC 6887 11.3", text)
    }
  }
}
