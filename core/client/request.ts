import {
  type Address,
  ANY6,
  encode,
  familyOf,
  hasPorts,
  isAny,
  optionCodeOf,
  type PcpOption,
  ZERO_NONCE,
} from "../wire/index.ts"
import { bodyOf, optionsOf } from "./compose.ts"

/** Which remote peers may come in through a mapping (RFC 6887 section 13.3). */
export interface RemoteFilter {
  /** The address whose first bits count. */
  readonly remote: Address
  /** Bits of the address's own family: 1 to 32, or 1 to 128. */
  readonly prefixLength: number
  /** 0 is all ports. */
  readonly remotePort: number
}

/** What requests of both directions have. */
export interface CommonRequest {
  /** IANA protocol number; 0 is all protocols, with internal port 0. */
  readonly protocol: number
  /** 1 to 65535; 0 is all ports, and the only one for a protocol without ports. */
  readonly internalPort: number
  /** Requested lifetime, seconds, 1 to 2^32-1: to delete is `revoke`, never a lifetime of 0. */
  readonly lifetime: number
  /** Suggested; left out or 0, the server chooses. */
  readonly externalPort?: number | undefined
  /** Suggested; left out, the server chooses. */
  readonly external?: Address | undefined
  /** The host that the mapping is for, if it is another one (RFC 6887 section 13.1). */
  readonly thirdParty?: Address | undefined
  /** Tells apart hosts of one address (RFC 7843); with `thirdParty` only. */
  readonly thirdPartyId?: Uint8Array | undefined
  /** Text for the server's administrator, up to 1016 octets of UTF-8 (RFC 7220). */
  readonly description?: string | undefined
  /** Options that have no field here, in the order in which they are sent, after those above. */
  readonly options?: readonly PcpOption[] | undefined
}

/** A mapping for whoever wants to come in: MAP (RFC 6887 section 11), or NAT-PMP's (RFC 6886 section 3.3). */
export interface InboundRequest extends CommonRequest {
  readonly kind: "inbound"
  /** Rather nothing than another external end (RFC 6887 section 13.2): suggest a port with it. */
  readonly preferFailure?: boolean | undefined
  /** Who may come in; left out, anybody. */
  readonly filters?: readonly RemoteFilter[] | undefined
  /** Consecutive ports from `internalPort` on (RFC 7753), 2 to 65535; 65535 is as many as there are. */
  readonly portSet?: { readonly size: number; readonly parity: boolean } | undefined
  /** Also ask which IPv6 prefix the NAT64 uses (RFC 7225). */
  readonly prefix64?: boolean | undefined
}

/** A mapping for packets to one remote peer and back: PEER (RFC 6887 section 12). */
export interface OutboundRequest extends CommonRequest {
  readonly kind: "outbound"
  /** The remote peer. */
  readonly remote: Address
  /** 1 to 65535. */
  readonly remotePort: number
}

/** What a client can be asked to map. */
export type MappingRequest = InboundRequest | OutboundRequest

/** Why a request cannot be sent; nothing of it was. */
export interface RequestError {
  /** Short and stable, for programs. */
  readonly code:
    | "range" // a number does not fit its field
    | "lifetime-zero" // deleting is `revoke`
    | "ports" // the protocol and the ports contradict each other
    | "remote" // a remote peer of all-zeros, port 0, or a bad prefix
    | "suggestion" // PREFER_FAILURE without a port to prefer, or an address no NAT can have
    | "option-twice" // an option that may be there once (RFC 6887 section 7.3) is there again
    | "contradiction" // options that exclude each other
    | "too-long" // more than the 1100 octets of a message (RFC 6887 section 7)
    | "option" // an option that no bytes can carry
    | "id" // the id is in use, or is no such mapping
    | "server" // no server has that name, or none suits
  /** One sentence for people. */
  readonly text: string
}

/** The request with octets and lists of its own: whatever the caller does to theirs changes nothing. */
export const ownRequest = (request: MappingRequest): MappingRequest => {
  const { thirdPartyId, options } = request
  const common = {
    ...(thirdPartyId === undefined ? {} : { thirdPartyId: Uint8Array.from(thirdPartyId) }),
    ...(options === undefined ? {} : { options: options.map(ownOption) }),
  }
  if (request.kind === "outbound" || request.filters === undefined) return { ...request, ...common }
  return { ...request, ...common, filters: [...request.filters] }
}

const ownOption = (option: PcpOption): PcpOption => {
  if ("data" in option) return { ...option, data: Uint8Array.from(option.data) }
  return "message" in option ? { ...option, message: Uint8Array.from(option.message) } : option
}

const wrong = (code: RequestError["code"], text: string): RequestError => ({ code, text })

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65535

/** The first fault of a request, in a sentence for people; `undefined`: it can be sent. */
export const checkRequest = (request: MappingRequest): RequestError | undefined =>
  checkNumbers(request) ??
  checkPorts(request) ??
  (request.kind === "outbound" ? checkRemote(request) : checkInbound(request)) ??
  checkOptions(request)

const checkNumbers = ({
  protocol,
  internalPort,
  lifetime,
  externalPort = 0,
}: MappingRequest): RequestError | undefined => {
  if (!Number.isInteger(protocol) || protocol < 0 || protocol > 255)
    return wrong("range", `Protocol ${protocol} is none: 0 to 255.`)
  if (!isPort(internalPort)) return wrong("range", `Internal port ${internalPort} is none: 0 to 65535.`)
  if (!isPort(externalPort)) return wrong("range", `External port ${externalPort} is none: 0 to 65535.`)
  if (lifetime === 0) return wrong("lifetime-zero", "A lifetime of 0 deletes a mapping: revoke does that.")
  if (!Number.isInteger(lifetime) || lifetime < 0 || lifetime > 0xffffffff)
    return wrong("range", `Lifetime ${lifetime} is none: whole seconds, 1 to 4294967295.`)
  return undefined
}

/** RFC 6887 sections 11.1 and 11.2: all protocols have no port, and neither has a protocol without ports (C-04). */
const checkPorts = ({ protocol, internalPort, externalPort = 0 }: MappingRequest): RequestError | undefined => {
  if (protocol === 0 && internalPort !== 0)
    return wrong("ports", "All protocols have no internal port but 0 (RFC 6887 11.1).")
  if (!hasPorts(protocol) && (internalPort !== 0 || externalPort !== 0))
    return wrong("ports", `Protocol ${protocol} has no ports: both are 0 (RFC 6887 11.2).`)
  if (internalPort === 0 && externalPort !== 0)
    return wrong("ports", "A mapping of all ports has no external port but 0.")
  return undefined
}

const checkRemote = ({ protocol, internalPort, remote, remotePort }: OutboundRequest): RequestError | undefined => {
  if (protocol === 0 || !hasPorts(protocol) || internalPort === 0)
    return wrong("ports", "An outbound mapping has a protocol and an internal port (RFC 6887 12.1).")
  if (isAny(remote)) return wrong("remote", "An outbound mapping has a remote peer (RFC 6887 12.1).")
  if (!isPort(remotePort) || remotePort === 0)
    return wrong("remote", `Remote port ${remotePort} is none: 1 to 65535 (RFC 6887 12.1).`)
  return undefined
}

const checkInbound = (request: InboundRequest): RequestError | undefined => {
  const { preferFailure = false, externalPort = 0, internalPort, portSet, filters = [] } = request
  if (preferFailure && externalPort === 0)
    return wrong("suggestion", "PREFER_FAILURE needs an external port to prefer (RFC 6887 13.2).")
  if (preferFailure && portSet !== undefined)
    return wrong("contradiction", "PREFER_FAILURE and PORT_SET exclude each other (RFC 7753 4.1).")
  if (portSet !== undefined) {
    if (internalPort === 0) return wrong("contradiction", "A port set begins with an internal port.")
    if (!isPort(portSet.size) || portSet.size < 2)
      return wrong("range", `A port set of ${portSet.size} is none: 2 to 65535 ports (RFC 7753 4.1).`)
  }
  for (const { remote, prefixLength, remotePort } of filters) {
    const bits = familyOf(remote) === "ipv4" ? 32 : 128
    if (!Number.isInteger(prefixLength) || prefixLength < 1 || prefixLength > bits)
      return wrong("remote", `Prefix length ${prefixLength} is none of this family: 1 to ${bits}.`)
    if (!isPort(remotePort)) return wrong("range", `Remote port ${remotePort} is none: 0 to 65535.`)
  }
  return undefined
}

/** Options that a request says by a field of its own. */
const FIELDS: ReadonlyMap<PcpOption["kind"], string> = new Map([
  ["THIRD_PARTY", "thirdParty"],
  ["THIRD_PARTY_ID", "thirdPartyId"],
  ["DESCRIPTION", "description"],
  ["PREFER_FAILURE", "preferFailure"],
  ["FILTER", "filters"],
  ["PORT_SET", "portSet"],
  ["PREFIX64", "prefix64"],
])

const isGiven = (request: MappingRequest, field: string): boolean =>
  Object.entries(request).some(([name, value]) => name === field && value !== undefined && value !== false)

/** Octets of an option at most: what a message has room for besides PEER (RFC 7220 section 3, RFC 7843 section 4). */
const LONGEST_OPTION = 1016

const checkOptions = (request: MappingRequest): RequestError | undefined => {
  const { thirdParty, thirdPartyId, description = "", options = [] } = request
  if (description.includes("\0")) return wrong("option", "A description has no NUL (RFC 7220 section 3).")
  if (new TextEncoder().encode(description).length > LONGEST_OPTION)
    return wrong("option", `A description has ${LONGEST_OPTION} octets of UTF-8 at most (RFC 7220 section 3).`)
  if (thirdPartyId !== undefined && thirdPartyId.length > LONGEST_OPTION)
    return wrong("option", `THIRD_PARTY_ID has ${LONGEST_OPTION} octets at most (RFC 7843 section 4).`)
  if (thirdPartyId !== undefined && thirdParty === undefined)
    return wrong("contradiction", "THIRD_PARTY_ID needs THIRD_PARTY (RFC 7843 section 5).")
  if (thirdParty !== undefined && isAny(thirdParty))
    return wrong("contradiction", "THIRD_PARTY names one host, not all of them.")
  for (const { kind } of options) {
    const field = FIELDS.get(kind)
    if (field === undefined) continue
    return isGiven(request, field)
      ? wrong("option-twice", `${kind} is there twice: as ${field}, and among the other options (RFC 6887 7.3).`)
      : wrong("option", `${kind} is said by ${field}, not among the other options.`)
  }
  const seen = new Set<number>()
  for (const option of optionsOf(request, "create")) {
    const code = optionCodeOf(option)
    // FILTER may come again (RFC 6887 section 13.3), and nobody here knows what an unknown one may.
    if (option.kind === "FILTER" || option.kind === "unknown") continue
    if (seen.has(code)) return wrong("option-twice", `${option.kind} is there twice (RFC 6887 7.3).`)
    seen.add(code)
  }
  const body = bodyOf(request, { nonce: ZERO_NONCE, externalPort: 0, external: ANY6 })
  const encoded = encode({
    kind: "pcp-request",
    lifetime: request.lifetime,
    client: ANY6,
    body,
    options: optionsOf(request, "create"),
  })
  if (encoded.ok) return undefined
  return wrong(encoded.error.code === "too-long" ? "too-long" : "option", `${encoded.error.text}.`)
}
