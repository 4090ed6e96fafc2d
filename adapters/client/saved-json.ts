import type { SavedMapping } from "../../core/client/index.ts"
import {
  type Address,
  ANNOUNCE_BODY,
  ANY6,
  encode,
  formatAddress,
  formatNonce,
  HEADER_LENGTH,
  type PcpOption,
} from "../../core/wire/index.ts"

/** What a file or a database keeps of a client: plain JSON. Nonces are secrets: who has one can delete the mapping. */
export interface SavedJson {
  /** Tells such JSON from any other. */
  readonly format: typeof SAVED_FORMAT
  /** Of the format: another one is not read. */
  readonly version: typeof SAVED_VERSION
  /** Milliseconds since 1970: what was left of the lifetimes then. */
  readonly savedAt: number
  /** One for each request. */
  readonly mappings: readonly SavedMappingJson[]
}

export const SAVED_FORMAT = "sallyport-client"
export const SAVED_VERSION = 1

interface SavedMappingJson {
  readonly id: string
  readonly mode: SavedMapping["mode"]
  readonly request: Readonly<Record<string, unknown>>
  readonly leases: readonly Readonly<Record<string, unknown>>[]
}

/** Saved mappings as JSON: addresses as text, octets and nonces as hex; `wallClock` is milliseconds since 1970. */
export const savedToJson = (mappings: readonly SavedMapping[], wallClock: number): SavedJson => ({
  format: SAVED_FORMAT,
  version: SAVED_VERSION,
  savedAt: wallClock,
  mappings: mappings.map(({ id, mode, request, leases }) => ({
    id,
    mode,
    request: requestToJson(request),
    leases: leases.map(({ server, protocol, nonce, external, externalPort, remaining }) =>
      given({
        server,
        protocol,
        nonce: formatNonce(nonce),
        external: textOf(external),
        externalPort,
        remaining,
      }),
    ),
  })),
})

const requestToJson = (request: SavedMapping["request"]): Readonly<Record<string, unknown>> => {
  const { external, thirdParty, thirdPartyId, options } = request
  const common = {
    kind: request.kind,
    protocol: request.protocol,
    internalPort: request.internalPort,
    lifetime: request.lifetime,
    externalPort: request.externalPort,
    external: textOf(external),
    thirdParty: textOf(thirdParty),
    thirdPartyId: thirdPartyId === undefined ? undefined : toHex(thirdPartyId),
    description: request.description,
    options: options === undefined || options.length === 0 ? undefined : toHex(optionOctets(options)),
  }
  if (request.kind === "outbound")
    return given({ ...common, remote: textOf(request.remote), remotePort: request.remotePort })
  const { preferFailure, filters, portSet, prefix64 } = request
  return given({
    ...common,
    preferFailure,
    filters: filters?.map(({ remote, prefixLength, remotePort }) => ({
      remote: textOf(remote),
      prefixLength,
      remotePort,
    })),
    portSet,
    prefix64,
  })
}

/** JSON has no `undefined`. */
const given = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const textOf = (address: Address | undefined): string | undefined =>
  address === undefined ? undefined : formatAddress(address)

const toHex = (bytes: Uint8Array): string => [...bytes].map((octet) => octet.toString(16).padStart(2, "0")).join("")

/** The options as a request carries them (RFC 6887 section 7.3); the client has checked that they can be. */
const optionOctets = (options: readonly PcpOption[]): Uint8Array => {
  const encoded = encode({ kind: "pcp-request", lifetime: 0, client: ANY6, body: ANNOUNCE_BODY, options })
  return encoded.ok ? encoded.bytes.subarray(HEADER_LENGTH) : new Uint8Array()
}
