import { addressWord, formatAddress, isAny } from "./address.ts"
import { optionDataLength } from "./encode-options.ts"
import type { Report } from "./finding.ts"
import type { FilterOption, PcpOption, PortSet, Prefix64, ThirdParty } from "./option.ts"
import type { MapBody, PcpPacket } from "./packet.ts"
import type { WireProfile } from "./profile.ts"
import { familyName, familyOf, isMulticast, validateMappedForm } from "./validate-address.ts"

/** What one well-formed option says that its packet does not allow. `offset` is that of its header. */
export const validateOption = (
  packet: PcpPacket,
  option: PcpOption,
  index: number,
  offset: number,
  profile: WireProfile,
  report: Report,
): void => {
  switch (option.kind) {
    case "THIRD_PARTY":
      validateThirdParty(packet, option, offset, profile, report)
      break
    case "PREFER_FAILURE":
      validatePreferFailure(packet, offset, report)
      break
    case "FILTER":
      validateFilter(packet, option, index, offset, profile, report)
      break
    case "THIRD_PARTY_ID":
      if (packet.kind === "pcp-request" && !packet.options.some(({ kind }) => kind === "THIRD_PARTY")) {
        const text = "THIRD_PARTY_ID without THIRD_PARTY: THIRD_PARTY_MISSING_OPTION"
        report("error", "third-party-missing", offset, "RFC 7843 5.2", text)
      }
      if (option.id.length === 0) {
        report("warning", "third-party-id-empty", offset + 2, "RFC 7843 4", "an empty identifier identifies nobody")
      }
      break
    case "DESCRIPTION":
      validateText("DESCRIPTION", option.text, offset, "RFC 7220 2", report)
      if (optionDataLength(option) > 128) {
        report("note", "description-long", offset + 2, "RFC 7220 3", "servers need not keep more than 128 octets of it")
      }
      break
    case "ID_INDICATOR":
      validateText("ID_INDICATOR", option.indicator, offset, "RFC 7652 5.11", report)
      break
    case "PREFIX64":
      validatePrefix64(packet, option, offset, report)
      break
    case "PORT_SET":
      validatePortSet(packet, option, offset, report)
      break
    case "AUTHENTICATION_TAG":
    case "PA_AUTHENTICATION_TAG":
      if (index !== packet.options.length - 1) {
        report("error", "tag-not-last", offset, "RFC 7652 6.1", `${option.kind} stands at the end of the message`)
      }
      break
    case "PRF":
      if (option.transform === 0)
        report("warning", "transform-0", offset + 4, "RFC 7652 5.7", "transform 0 is reserved")
      break
    case "MAC_ALGORITHM":
      if (option.transform === 0)
        report("warning", "transform-0", offset + 4, "RFC 7652 5.8", "transform 0 is no algorithm")
      break
    default:
      break
  }
}

const mapOf = (packet: PcpPacket): MapBody | undefined => (packet.body.kind === "map" ? packet.body : undefined)

const validateThirdParty = (
  packet: PcpPacket,
  option: ThirdParty,
  offset: number,
  profile: WireProfile,
  report: Report,
): void => {
  const { internal } = option
  const at = offset + 4
  validateMappedForm(internal, at, "the internal address", report)
  if (packet.kind === "pcp-request") {
    const source = profile.source ?? packet.client
    if (internal === source && !profile.thirdPartyZeroOnly) {
      const text = `${formatAddress(internal)} is the client itself: MALFORMED_REQUEST`
      report("error", "third-party-self", at, "RFC 6887 13.1", text)
    }
  }
  if (profile.thirdPartyZeroOnly) {
    if (isAny(internal)) return
    const text = `${formatAddress(internal)} is not the address zero, which alone is served: UNSUPP_OPTION`
    report("error", "third-party-nonzero", at, "RFC 6887 13.1", text)
  } else if (isMulticast(internal)) {
    report("error", "third-party-address", at, "RFC 6887 13.1", `${formatAddress(internal)} is no host's address`)
  } else if (isAny(internal)) {
    // A server unknown may be one of libpcpd's, for whom it stands for the source itself.
    const severity = profile.options === undefined ? "note" : "error"
    const answer = profile.options === undefined ? "" : ": MALFORMED_OPTION"
    report(severity, "third-party-zero", at, "RFC 6887 13.1", `the address zero stands for no one host${answer}`)
  } else if (profile.internalFamily !== undefined && familyOf(internal) !== profile.internalFamily) {
    const text = `the internal address is not ${familyName(profile.internalFamily)}`
    report("error", "internal-family", at, "RFC 6887 10", text)
  }
}

const validatePreferFailure = (packet: PcpPacket, offset: number, report: Report): void => {
  const body = mapOf(packet)
  if (packet.kind !== "pcp-request" || body === undefined) return
  if (packet.lifetime === 0) {
    report("error", "prefer-failure-delete", offset, "RFC 6887 11.3", "PREFER_FAILURE in a deletion: MALFORMED_OPTION")
  } else if (body.externalPort === 0) {
    const text = "PREFER_FAILURE with no suggested external port: MALFORMED_OPTION"
    report("error", "prefer-failure-port", offset, "RFC 6887 13.2", text)
  } else if (isAny(body.external)) {
    const text = "PREFER_FAILURE with a port but no address: any external address with that port will do"
    report("note", "prefer-failure-address", offset, "RFC 6887 13.2", text)
  }
}

const validateFilter = (
  packet: PcpPacket,
  option: FilterOption,
  index: number,
  offset: number,
  profile: WireProfile,
  report: Report,
): void => {
  const clause = "RFC 6887 13.3"
  const { prefixLength, remote } = option
  if (packet.kind === "pcp-request" && packet.lifetime === 0) {
    report("error", "filter-delete", offset, clause, "FILTER in a deletion: MALFORMED_OPTION")
  }
  if (prefixLength === 0) {
    // 0 is out of IPv4's range 96 to 128 and still means "no filter" (section 13.3): the address plays no part.
    const earlier = packet.options.slice(0, index).some((other) => other.kind === "FILTER" && other.prefixLength !== 0)
    if (earlier) {
      report("warning", "filter-order", offset, clause, "removes all filters, those before it in this packet too")
    } else report("note", "filter-clear", offset, clause, "removes all filters")
    return
  }
  validateMappedForm(remote, offset + 8, "the remote peer's address", report)
  const low = (profile.remoteFamily ?? familyOf(remote)) === "ipv4" ? 96 : 1
  if (prefixLength < low || prefixLength > 128) {
    const text = `prefix length ${prefixLength} is not within ${low} to 128: MALFORMED_OPTION`
    report("error", "filter-prefix", offset + 5, clause, text)
  } else if (hasHostBits(option)) {
    report("note", "filter-host-bits", offset + 8, clause, `bits behind the first ${prefixLength} are not looked at`)
  }
  if (profile.remoteFamily !== undefined && familyOf(remote) !== profile.remoteFamily) {
    const text = `the remote peer as the client sees it is ${familyName(profile.remoteFamily)}`
    report("error", "remote-family", offset + 8, "RFC 6887 10", text)
  }
}

/** Are there bits set behind the prefix? */
const hasHostBits = ({ prefixLength, remote }: FilterOption): boolean => {
  for (const word of [0, 1, 2, 3] as const) {
    const inside = Math.min(32, Math.max(0, prefixLength - 32 * word))
    // A shift by 32 would be a shift by 0.
    if (inside < 32 && addressWord(remote, word) << inside !== 0) return true
  }
  return false
}

const validateText = (name: string, text: string, offset: number, clause: string, report: Report): void => {
  if (text.endsWith("\0")) {
    report("error", "text-nul", offset + 4, clause, `${name} must not be terminated by a NUL`)
  } else if (text.includes("\0")) {
    report("warning", "text-nul", offset + 4, clause, `${name} has a NUL, which many take for its end`)
  }
}

const validatePrefix64 = (packet: PcpPacket, option: Prefix64, offset: number, report: Report): void => {
  const { ipv4Prefixes, prefix } = option
  if (packet.kind === "pcp-request") {
    if (prefix.length !== 12 || prefix.some((octet) => octet !== 0)) {
      report("error", "prefix64-request", offset + 4, "RFC 7225 4.3", "a request asks with the prefix ::/96")
    }
    if (ipv4Prefixes !== undefined && ipv4Prefixes.length > 0) {
      report("error", "prefix64-list", offset + 18, "RFC 7225 4.1", "the IPv4 prefix count of a request is 0")
    }
    return
  }
  if (prefix.every((octet) => octet === 0)) {
    report("error", "prefix64-empty", offset + 4, "RFC 7225 4.2", "a server without a prefix sends no PREFIX64")
  }
  if (prefix.length === 12 && prefix[8] !== 0) {
    report("error", "prefix64-u", offset + 14, "RFC 6052 2.2", "bits 64 to 71 of a Pref64::/96 are zero")
  }
  ipv4Prefixes?.forEach(({ address, length }, i) => {
    const at = offset + 20 + 6 * i
    if (length > 32) {
      report("error", "prefix64-ipv4", at, "RFC 7225 4.1", `an IPv4 prefix of ${length} bits`)
    } else if (length < 32 && addressWord(address, 3) << length !== 0) {
      report(
        "warning",
        "prefix64-ipv4",
        at + 2,
        "RFC 4632 3.1",
        `${formatAddress(address)} has bits behind the first ${length}`,
      )
    }
  })
}

const validatePortSet = (packet: PcpPacket, option: PortSet, offset: number, report: Report): void => {
  const body = mapOf(packet)
  if (body === undefined) return
  const { firstInternalPort, size } = option
  if (packet.kind === "pcp-response") {
    if (size < 2) {
      const text = `PORT_SET with ${size} ports: a response with a single port has none`
      report("error", "port-set-size", offset + 4, "RFC 7753 4.2", text)
    }
    return
  }
  if (size === 0) {
    const severity = packet.lifetime === 0 ? "warning" : "error"
    report(severity, "port-set-size", offset + 4, "RFC 7753 4.2", "a port set of 0 ports: MALFORMED_OPTION")
  } else if (size === 1) {
    report("warning", "port-set-size", offset + 4, "RFC 7753 4.1", "PORT_SET is not for a single port")
  } else if (size !== 0xffff && firstInternalPort + size > 0x10000) {
    report("warning", "port-set-range", offset + 4, "RFC 7753 4", "the set runs past port 65535")
  }
  if (firstInternalPort !== body.internalPort) {
    const text = `the first internal port ${firstInternalPort} is not the internal port ${body.internalPort} of MAP`
    report("error", "port-set-first", offset + 6, "RFC 7753 4", text)
  }
  if (packet.options.some(({ kind }) => kind === "PREFER_FAILURE")) {
    const severity = packet.lifetime === 0 ? "warning" : "error"
    report(
      severity,
      "port-set-prefer-failure",
      offset,
      "RFC 7753 4.2",
      "PORT_SET with PREFER_FAILURE: MALFORMED_OPTION",
    )
  }
}
