import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { type Address, formatAddress, i32, isAny, isIpv4 } from "../wire/index.ts"

/** What a CGN is made from. */
export interface CgnSettings {
  /** Pool of external IPv4 addresses, 1 to 16384, each once. */
  readonly external: readonly Address[]
  /** External ports that may be assigned, both ends included. */
  readonly ports: { readonly first: number; readonly last: number }
  /** MAP and PEER mappings that one subscriber may hold (RFC 6887 sections 11.3 and 17.2); 0 is no limit. */
  readonly quota: number
  /** FILTERs that one mapping may have, at least 1 (RFC 6887 section 13.3). */
  readonly filterLimit: number
  /** Seconds without outbound traffic after which an implicit mapping ends: RFC 4787 REQ-5, RFC 5382 REQ-5. */
  readonly idleTimeout: { readonly udp: number; readonly tcp: number }
  /** 32 octets of entropy; every random choice is computed from them. */
  readonly secret: Uint8Array
  /** The instant when the CGN starts, milliseconds on the clock of every later `now`. */
  readonly now: number
}

/** Settings with what is computed from them once. */
export interface CgnConfig extends CgnSettings {
  readonly poolIndex: ReadonlyMap<Address, number>
  /** Key of the port choice: its own, so that answers say nothing of the index hash's secret. */
  readonly portKey: readonly [number, number, number, number]
  readonly indexKey: readonly [number, number]
}

export interface SettingsError {
  readonly code:
    | "empty-pool"
    | "pool-too-large"
    | "bad-address"
    | "bad-ports"
    | "bad-quota"
    | "bad-filters"
    | "bad-secret"
  readonly text: string
}

/** Each address of the pool costs a bit set a protocol, and its number must fit the page index. */
export const MAX_POOL = 16384

/** The first rule that the settings break, or `undefined`. */
export const checkCgnSettings = (settings: CgnSettings): SettingsError | undefined => {
  const { external, ports } = settings
  if (external.length === 0) return { code: "empty-pool", text: "the pool of external addresses is empty" }
  if (external.length > MAX_POOL)
    return { code: "pool-too-large", text: `the pool has ${external.length} addresses; ${MAX_POOL} is the most` }
  const seen = new Set<Address>()
  for (const address of external) {
    if (!isIpv4(address) || isAny(address))
      return { code: "bad-address", text: `${formatAddress(address)} can't be an external address of a NAT44` }
    if (seen.has(address)) return { code: "bad-address", text: `${formatAddress(address)} is in the pool twice` }
    seen.add(address)
  }
  if (!isPort(ports.first) || !isPort(ports.last) || ports.first > ports.last)
    return { code: "bad-ports", text: `${ports.first}-${ports.last} is no range of ports 1 to 65535` }
  if (!isCount(settings.quota))
    return { code: "bad-quota", text: "the quota must be 0 (no limit) or a whole number up to 2^31-1" }
  if (!isCount(settings.filterLimit) || settings.filterLimit < 1)
    return { code: "bad-filters", text: "at least one filter a mapping must be supported (RFC 6887 section 13.3)" }
  if (settings.secret.length !== 32) return { code: "bad-secret", text: "the secret must be 32 octets" }
  return undefined
}

const isPort = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65535
const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0x7fffffff

/** The configuration that a CGN runs with. */
export const configureCgn = (settings: CgnSettings): CgnConfig => {
  const key = (label: string, length: number) =>
    hkdf(sha256, settings.secret, undefined, new TextEncoder().encode(`sallyport ${label}`), length)
  const port = key("port choice", 16)
  const index = key("index hash", 8)
  return {
    ...settings,
    secret: settings.secret.slice(),
    poolIndex: new Map(settings.external.map((address, i) => [address, i])),
    portKey: [i32(port, 0), i32(port, 4), i32(port, 8), i32(port, 12)],
    indexKey: [i32(index, 0), i32(index, 4)],
  }
}
