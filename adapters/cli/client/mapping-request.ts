import {
  checkRequest,
  type InboundRequest,
  type MappingRequest,
  type OutboundRequest,
} from "../../../core/client/index.ts"
import { hasPorts } from "../../../core/wire/index.ts"
import type { Endpoint } from "../../udp.ts"
import type { Read } from "../read.ts"
import { type InboundOptions, LIFETIME, type MappingOptions } from "./mapping-options.ts"
import { type Target, targetText } from "./target.ts"

/** One mapping that the user wants, and what it is called in events and in what is printed. */
export interface Wanted {
  readonly id: string
  readonly request: MappingRequest
}

const commonOf = ({ protocol, port }: Target, options: MappingOptions) => ({
  protocol,
  internalPort: port,
  lifetime: options.lifetime ?? LIFETIME,
  external: options.external,
  thirdParty: options.thirdParty,
  thirdPartyId: options.thirdPartyId,
  description: options.description,
})

const checked = (id: string, request: MappingRequest): Read<Wanted> => {
  const error = checkRequest(request)
  return error === undefined ? { ok: true, value: { id, request } } : { ok: false, text: `${id}: ${error.text}` }
}

/** What MAP is asked for. */
export const inboundOf = (target: Target, options: InboundOptions): Read<Wanted> => {
  const { preferFailure, filter, portSet, parity = false, prefix64 } = options
  if (parity && portSet === undefined) return { ok: false, text: "option '--parity' needs '--port-set <ports>'" }
  const request: InboundRequest = {
    kind: "inbound",
    ...commonOf(target, options),
    // Most people want the port outside that they have inside; whoever does not says 0.
    externalPort: options.externalPort ?? (hasPorts(target.protocol) ? target.port : 0),
    preferFailure,
    filters: filter,
    portSet: portSet === undefined ? undefined : { size: portSet, parity },
    prefix64,
  }
  return checked(targetText(target), request)
}

/** What PEER is asked for. */
export const outboundOf = (target: Target, remote: Endpoint, name: string, options: MappingOptions): Read<Wanted> => {
  const request: OutboundRequest = {
    kind: "outbound",
    ...commonOf(target, options),
    // A server that cannot have it refuses (RFC 6887 section 12.3): only what was asked for is suggested.
    externalPort: options.externalPort ?? 0,
    remote: remote.address,
    remotePort: remote.port,
  }
  return checked(`${targetText(target)} to ${name}`, request)
}
