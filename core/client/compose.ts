import {
  type Address,
  ANY4,
  ANY6,
  type Encoded,
  encode,
  type FilterOption,
  familyOf,
  isMandatoryOption,
  type MapBody,
  NO_OPTIONS,
  type Nonce,
  optionCodeOf,
  type PcpOption,
  type PeerBody,
  Protocol,
} from "../wire/index.ts"
import type { MappingRequest, RemoteFilter } from "./request.ts"

/** What a datagram about a mapping is for. A renewal says all that its mapping's first request said. */
export type Purpose = "create" | "renew" | "delete"

/** What is suggested, and the nonce, which are not the request's own. */
export interface Suggestion {
  readonly nonce: Nonce
  /** 0 suggests nothing. */
  readonly externalPort: number
  /** All-zeros of its family suggests nothing (C-04). */
  readonly external: Address
}

/** The all-zeros address of another one's family (RFC 6887 section 5). */
export const anyLike = (address: Address): Address => (familyOf(address) === "ipv4" ? ANY4 : ANY6)

/** MAP's or PEER's opcode-specific data. */
export const bodyOf = (request: MappingRequest, suggestion: Suggestion): MapBody | PeerBody => {
  const { protocol, internalPort } = request
  return request.kind === "inbound"
    ? { kind: "map", ...suggestion, protocol, internalPort }
    : { kind: "peer", ...suggestion, protocol, internalPort, remotePort: request.remotePort, remote: request.remote }
}

/**
 * The options of a mapping's datagram. A renewal sets its filters anew, since those of a request are added to what is there
 * (RFC 6887 section 13.3): first one of prefix length 0. A deletion may not have PREFER_FAILURE and FILTER
 * (sections 11.3 and 13.3), and has PORT_SET, which names what is deleted (RFC 7753 section 5.1).
 */
export const optionsOf = (request: MappingRequest, purpose: Purpose): readonly PcpOption[] => {
  const { thirdParty, thirdPartyId, description, options: others = NO_OPTIONS } = request
  const options: PcpOption[] = []
  if (thirdParty !== undefined) options.push({ kind: "THIRD_PARTY", internal: thirdParty })
  if (thirdPartyId !== undefined) options.push({ kind: "THIRD_PARTY_ID", id: thirdPartyId })
  if (request.kind === "inbound") {
    const { preferFailure, filters = [], portSet, internalPort, prefix64 } = request
    if (purpose !== "delete") {
      if (preferFailure) options.push({ kind: "PREFER_FAILURE" })
      if (purpose === "renew" && filters.length > 0) options.push(removeFilters(filters[0].remote))
      options.push(...filters.map(filterOption))
    }
    if (portSet !== undefined) options.push({ kind: "PORT_SET", firstInternalPort: internalPort, ...portSet })
    if (prefix64 && purpose !== "delete") options.push(ASK_PREFIX64)
  }
  if (purpose === "delete") return options
  if (description !== undefined) options.push({ kind: "DESCRIPTION", text: description })
  return [...options, ...others]
}

/** RFC 7225 section 4.1: a request has the prefix ::/96 and an empty list. */
const ASK_PREFIX64: PcpOption = {
  kind: "PREFIX64",
  prefix: new Uint8Array(12),
  suffix: new Uint8Array(0),
  ipv4Prefixes: [],
}

/** An IPv4 prefix counts from bit 96 (RFC 6887 section 13.3). */
const filterOption = ({ remote, prefixLength, remotePort }: RemoteFilter): FilterOption => ({
  kind: "FILTER",
  prefixLength: familyOf(remote) === "ipv4" ? 96 + prefixLength : prefixLength,
  remotePort,
  remote,
})

const removeFilters = (remote: Address): FilterOption => ({
  kind: "FILTER",
  prefixLength: 0,
  remotePort: 0,
  remote: anyLike(remote),
})

/** The octets of a PCP request about a mapping; an error only where a full set of filters leaves no room to renew them. */
export const composePcp = (
  request: MappingRequest,
  purpose: Purpose,
  client: Address,
  suggestion: Suggestion,
  lifetime: number,
): Encoded => {
  const body = bodyOf(request, suggestion)
  const whole = encode({ kind: "pcp-request", lifetime, client, body, options: optionsOf(request, purpose) })
  if (whole.ok || purpose !== "renew") return whole
  return encode({ kind: "pcp-request", lifetime, client, body, options: optionsOf(request, "create") })
}

/** Why a request cannot be one of NAT-PMP, for people; `undefined`: it can (RFC 6886 section 3.3). */
export const beyondNatPmp = (request: MappingRequest): string | undefined => {
  if (request.kind === "outbound") return "NAT-PMP has no outbound mappings"
  if (request.protocol !== Protocol.TCP && request.protocol !== Protocol.UDP) return "NAT-PMP maps TCP and UDP only"
  if (request.internalPort === 0) return "NAT-PMP maps one port at a time"
  if (request.thirdParty !== undefined) return "NAT-PMP maps for nobody but the sender"
  if (request.preferFailure) return "NAT-PMP has no PREFER_FAILURE"
  if (request.filters !== undefined && request.filters.length > 0) return "NAT-PMP has no filters"
  if (request.portSet !== undefined) return "NAT-PMP has no port sets"
  // What is optional to process may be left out; what is mandatory may not (RFC 6887 section 7.3).
  if (request.options?.some((option) => isMandatoryOption(optionCodeOf(option)))) return "NAT-PMP has no options"
  return undefined
}

/** 12 octets (RFC 6886 section 3.3). What it cannot carry, such as a description, is left out. */
export const composeNatPmp = (request: MappingRequest, externalPort: number, lifetime: number): Encoded =>
  encode({
    kind: "natpmp-map-request",
    protocol: request.protocol === Protocol.TCP ? "tcp" : "udp",
    internalPort: request.internalPort,
    externalPort,
    lifetime,
  })
