import { type Address, addressWord, parseAddress } from "../core/wire/index.ts"
import { familyOf } from "./address-text.ts"
import type { Endpoint } from "./udp.ts"

/** One address of an interface of this machine, as every runtime tells it. */
export interface InterfaceEntry {
  readonly name: string
  readonly family: string
  readonly address: string
  /** The address and the length of its link's prefix. */
  readonly cidr: string | null
  /** The interface's index, of a link-local address; else 0 or nothing. */
  readonly scopeid?: number | null
}

type Entries = readonly InterfaceEntry[]

/** An address that this machine has on one of its interfaces. */
export interface OwnAddress {
  /** The address; IPv4 is IPv4-mapped. */
  readonly address: Address
  /** Such as `eth0`: the zone of a link-local address. */
  readonly interfaceName: string
}

/**
 * All addresses of interfaces that are up, in the system's order; none where the system does not tell: Android does not tell apps,
 * Linux no process that is out of descriptors, and Deno nobody without `--allow-sys=networkInterfaces`.
 */
export const ownAddressesOf = (entries: () => Entries): readonly OwnAddress[] => {
  try {
    return entries().flatMap((entry) => {
      const address = addressOf(entry)
      return address === undefined ? [] : [{ address, interfaceName: entry.name }]
    })
  } catch {
    return []
  }
}

/** How sockets want an interface named in a family: by an address of its own for IPv4, by its zone for IPv6; `undefined`: there is none. */
export const interfaceText = (entries: Entries, family: 4 | 6, name: string): string | undefined => {
  const found = entries.find((entry) => entry.name === name && entry.family === `IPv${family}`)
  if (found === undefined) return undefined
  return family === 4 ? found.address : `::%${name}`
}

/** The interface that has an address. */
export const interfaceNameOf = (entries: Entries, address: Address): string | undefined =>
  entries.find((entry) => addressOf(entry) === address)?.name

/** Milliseconds for which the interface of a zone is remembered. */
const REMEMBERED = 1000

/**
 * Ends with the interface's name for a zone, whether it was said as that or as an index: an adapter's runtime takes what it does
 * not know for no zone at all, and the datagram leaves somewhere else. Throws ENODEV where there is no such interface.
 */
export const zoneNamer = (entries: () => Entries): ((end: Endpoint) => Endpoint) => {
  let names = new Map<string, string>()
  let forget = 0
  return (end) => {
    const { zone } = end
    if (zone === undefined) return end
    if (performance.now() >= forget) {
      names = new Map()
      forget = performance.now() + REMEMBERED
    }
    const name = names.get(zone) ?? zoneName(entries(), zone)
    if (name === undefined) throw Object.assign(new Error(`no interface ${zone}`), { code: "ENODEV" })
    names.set(zone, name)
    return name === zone ? end : { ...end, zone: name }
  }
}

/** The interface of a zone (RFC 4007 section 11): its name, or that of its index; `undefined`: there is none. */
export const zoneName = (entries: Entries, zone: string): string | undefined =>
  entries.find(({ name }) => name === zone)?.name ??
  entries.find(({ scopeid }) => (scopeid ?? 0) > 0 && String(scopeid) === zone)?.name

/** The index of an interface that has a link-local address. */
export const indexOf = (entries: Entries, name: string): number | undefined =>
  entries.find((entry) => entry.name === name && (entry.scopeid ?? 0) > 0)?.scopeid ?? undefined

/** The machine's own address on the link of another host: that of the longest prefix that both have. */
export const onLink = (entries: Entries, { address: remote, zone }: Endpoint): Address | undefined => {
  const place = zone === undefined ? undefined : zoneName(entries, zone)
  let best: { readonly address: Address; readonly length: number } | undefined
  for (const entry of entries) {
    const address = addressOf(entry)
    if (address === undefined || familyOf(address) !== familyOf(remote)) continue
    if (zone !== undefined && entry.name !== place) continue
    const length = Number(entry.cidr?.split("/")[1] ?? 128) + (familyOf(address) === 4 ? 96 : 0)
    if (length > (best?.length ?? -1) && sameBits(address, remote, length)) best = { address, length }
  }
  return best?.address
}

const addressOf = ({ address }: InterfaceEntry): Address | undefined => parseAddress(address.split("%")[0])

/** Are the first bits of both the same? */
const sameBits = (one: Address, other: Address, length: number): boolean =>
  ([0, 1, 2, 3] as const).every((word) => {
    const bits = Math.min(Math.max(length - 32 * word, 0), 32)
    // A shift by 32 is one by 0.
    return bits === 0 || (addressWord(one, word) ^ addressWord(other, word)) >>> (32 - bits) === 0
  })
