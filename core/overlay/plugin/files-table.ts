import { type Address, isIpv4, parseAddress } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import { type Mac, parseMac } from "../mac.ts"
import type { TargetPoint } from "../point.ts"

/** One host of a file. What cannot be read of it is as if it were not there, and frames for the host are dropped. */
export interface FilesEntry {
  /** `ip` and `port`; `undefined`: one of them is missing or wrong. */
  readonly target: TargetPoint | undefined
  /** `arp`: its IPv4 address in the overlay. */
  readonly arp: Address | undefined
  /** `ndp`: its IPv6 address in the overlay. */
  readonly ndp: Address | undefined
  /** `dhcp-proxy`: to whom its DHCP broadcasts go. */
  readonly dhcpProxy: Mac | undefined
  /** `expires`: the second since 1970 from which `ip` and `port` count no more; only the plugin `portmap` looks at it. */
  readonly expires: number | undefined
}

/** What a file says, with the hosts in its order. */
export interface FilesTable {
  /** By MAC. */
  readonly hosts: ReadonlyMap<Mac, FilesEntry>
  /** The first host that has an overlay address. */
  readonly addresses: ReadonlyMap<Address, Mac>
}

/** An object of JSON, no array. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Reads a file of the plugin `files`: an object of MACs, each with an object of `ip`, `port`, `arp`, `ndp` and `dhcp-proxy`; other keys
 * are ignored. EPROTO: no JSON; EINVAL: no such object, or a key that is no MAC; ENOTSUP: a port with a fraction. MACs that
 * differ in leading zeros or in case are one, and the last one counts.
 *
 * It is JSON as RFC 8259 has it. The reference takes an escape `\u0041` for a decimal number, and what follows the object for nothing.
 */
export const readFilesTable = (text: string): Outcome<FilesTable> => {
  const root = parseJson(text)
  if (!root.ok) return root
  if (!isObject(root.value)) return failed("EINVAL", "the file is no object")
  const hosts = new Map<Mac, FilesEntry>()
  for (const [key, value] of Object.entries(root.value)) {
    const mac = parseMac(key)
    if (mac === undefined) return failed("EINVAL", `${JSON.stringify(key)} is no MAC`)
    if (!isObject(value)) return failed("EINVAL", `${key} has no object`)
    if (typeof value.port === "number" && !Number.isInteger(value.port))
      return failed("ENOTSUP", `the port of ${key} has a fraction`)
    hosts.set(mac, entryOf(value))
  }
  const addresses = new Map<Address, Mac>()
  for (const [mac, { arp, ndp }] of hosts)
    for (const address of [arp, ndp]) if (address !== undefined && !addresses.has(address)) addresses.set(address, mac)
  return done({ hosts, addresses })
}

/** What a text of JSON says. EPROTO: it is none. */
export const parseJson = (text: string): Outcome<unknown> => {
  try {
    return done(JSON.parse(text))
  } catch {
    return failed("EPROTO", "the file is no JSON")
  }
}

/** What can be read of an entry. */
export const entryOf = (value: Readonly<Record<string, unknown>>): FilesEntry => {
  const { ip, port, arp, ndp, "dhcp-proxy": proxy, expires } = value
  const address = addressOf(ip)
  const isPort = typeof port === "number" && port >= 1 && port <= 65535
  const four = addressOf(arp)
  const six = typeof ndp === "string" && ndp.includes(":") ? addressOf(ndp) : undefined
  return {
    target: address !== undefined && isPort ? { address, port } : undefined,
    arp: four !== undefined && isIpv4(four) && typeof arp === "string" && !arp.includes(":") ? four : undefined,
    ndp: six,
    dhcpProxy: typeof proxy === "string" ? parseMac(proxy) : undefined,
    expires: typeof expires === "number" && Number.isFinite(expires) ? expires : undefined,
  }
}

const addressOf = (value: unknown): Address | undefined => (typeof value === "string" ? parseAddress(value) : undefined)
