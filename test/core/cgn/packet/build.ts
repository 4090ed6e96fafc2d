/**
 * Packets from what is said of them, with code of its own: nothing of core/ is used, checksums are computed in full, as the
 * whole number that the octets are modulo 65535.
 */

export type Octets = readonly number[] | Uint8Array

export const octets = (...parts: readonly (number | Octets)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...part])))

export const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(/\s/g, "").match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))

export const toHex = (bytes: Uint8Array): string =>
  [...bytes].map((octet) => octet.toString(16).padStart(2, "0")).join("")

export const w16 = (value: number): number[] => [(value >> 8) & 255, value & 255]
export const w32 = (value: number): number[] => [...w16(Math.floor(value / 65536)), ...w16(value % 65536)]

/** `10.0.0.1` or `2001:db8::1` in 4 or 16 octets. */
export const addr = (text: string): number[] => {
  if (!text.includes(":")) return text.split(".").map(Number)
  const [head, tail] = text.split("::").map((half) => half.split(":").filter((unit) => unit !== ""))
  const units = tail === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail]
  return units.flatMap((unit) => w16(Number.parseInt(unit, 16)))
}

/** The Internet checksum of octets in which the checksum field is zero, or 0 when it is right in them. */
export const inet = (...parts: readonly Octets[]): number => {
  const all = parts.flatMap((part) => [...part, ...(part.length % 2 === 1 ? [0] : [])])
  const value = BigInt(`0x${all.map((octet) => octet.toString(16).padStart(2, "0")).join("")}`)
  if (value === 0n) return 0xffff
  const rest = Number(value % 65535n)
  return rest === 0 ? 0 : 65535 - rest
}

const with16 = (bytes: Octets, at: number, value: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy.set(w16(value), at)
  return copy
}

/** Source, destination, length and protocol: the same sum in both families. */
const pseudo = (source: string, destination: string, length: number, protocol: number): number[] => [
  ...addr(source),
  ...addr(destination),
  ...w32(length),
  ...w32(protocol),
]

export interface Ends {
  readonly source: string
  readonly destination: string
}
export interface PortEnds extends Ends {
  readonly sourcePort: number
  readonly destinationPort: number
}

export const DATA = octets(...Array.from({ length: 18 }, (_, i) => 0x41 + i))

/** `checksum`: instead of the right one. */
export const udp = (ends: PortEnds, data: Octets = DATA, checksum?: number): Uint8Array => {
  const length = 8 + data.length
  const raw = octets(w16(ends.sourcePort), w16(ends.destinationPort), w16(length), [0, 0], data)
  const sum = inet(pseudo(ends.source, ends.destination, length, 17), raw)
  return with16(raw, 6, checksum ?? (sum === 0 ? 0xffff : sum))
}

/** `coverage`: octets that the checksum covers, 0 for all. */
export const udpLite = (ends: PortEnds, data: Octets = DATA, coverage = 0): Uint8Array => {
  const length = 8 + data.length
  const raw = octets(w16(ends.sourcePort), w16(ends.destinationPort), w16(coverage), [0, 0], data)
  const covered = coverage === 0 ? raw : raw.subarray(0, coverage)
  const sum = inet(pseudo(ends.source, ends.destination, length, 136), covered)
  return with16(raw, 6, sum === 0 ? 0xffff : sum)
}

export const tcp = (ends: PortEnds, data: Octets = DATA, flags = 0x18, checksum?: number): Uint8Array => {
  const ports = [...w16(ends.sourcePort), ...w16(ends.destinationPort)]
  const raw = octets(ports, w32(1000), w32(2000), [0x50, flags, 0x20, 0, 0, 0, 0, 0], data)
  return with16(raw, 16, checksum ?? inet(pseudo(ends.source, ends.destination, raw.length, 6), raw))
}

export const dccp = (ends: PortEnds, data: Octets = DATA): Uint8Array => {
  const ports = [...w16(ends.sourcePort), ...w16(ends.destinationPort)]
  const raw = octets(ports, [4, 0, 0, 0, 0x05, 0, 0, 1, 0, 0, 0, 2], data)
  return with16(raw, 6, inet(pseudo(ends.source, ends.destination, raw.length, 33), raw))
}

/** A DATA chunk with the CRC32c of RFC 9260 appendix A, computed bit by bit. */
export const sctp = (sourcePort: number, destinationPort: number): Uint8Array => {
  const chunk = [0, 3, ...w16(20), ...w32(1), ...w16(0), ...w16(0), ...w32(0), ...[1, 2, 3, 4]]
  const raw = octets(w16(sourcePort), w16(destinationPort), w32(7), [0, 0, 0, 0], chunk)
  let crc = 0xffffffff
  for (const octet of raw) {
    crc ^= octet
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  const sum = ~crc >>> 0
  raw.set([sum & 255, (sum >>> 8) & 255, (sum >>> 16) & 255, sum >>> 24], 8)
  return raw
}

/** `rest`: the four octets behind the checksum. */
export const icmp4 = (type: number, code: number, rest: Octets, data: Octets, checksum?: number): Uint8Array => {
  const raw = octets(type, code, [0, 0], rest, data)
  return with16(raw, 2, checksum ?? inet(raw))
}

export const icmp6 = (ends: Ends, type: number, code: number, rest: Octets, data: Octets, checksum?: number) => {
  const raw = octets(type, code, [0, 0], rest, data)
  return with16(raw, 2, checksum ?? inet(pseudo(ends.source, ends.destination, raw.length, 58), raw))
}

export interface Ip4 extends Ends {
  readonly protocol: number
  readonly ttl?: number
  readonly tos?: number
  readonly id?: number
  /** DF: 2, MF: 1. */
  readonly flags?: number
  /** In 8 octets. */
  readonly offset?: number
  readonly options?: Octets
  readonly totalLength?: number
}

export const ip4 = (header: Ip4, payload: Octets): Uint8Array => {
  const { ttl = 64, tos = 0, id = 0x1234, flags = 0, offset = 0, options = [] } = header
  const length = 20 + options.length
  const raw = octets(
    [0x40 | (length / 4), tos, ...w16(header.totalLength ?? length + payload.length), ...w16(id)],
    [...w16((flags << 13) | offset), ttl, header.protocol, 0, 0],
    addr(header.source),
    addr(header.destination),
    options,
  )
  return octets(with16(raw, 10, inet(raw)), payload)
}

export interface Ip6 extends Ends {
  readonly protocol: number
  readonly hopLimit?: number
  readonly trafficClass?: number
  readonly flowLabel?: number
  /** Extension headers in order: their number, and their octets from the third on (the first two are made). */
  readonly extensions?: readonly (readonly [number, Octets])[]
  readonly payloadLength?: number
}

export const ip6 = (header: Ip6, payload: Octets): Uint8Array => {
  const { hopLimit = 64, trafficClass = 0, flowLabel = 0, extensions = [] } = header
  const numbers = [...extensions.map(([number]) => number), header.protocol]
  const chain = extensions.flatMap(([number, rest], i) => [
    numbers[i + 1],
    number === 44 ? 0 : (rest.length + 2) / 8 - 1,
    ...rest,
  ])
  return octets(
    w32(0x60000000 + trafficClass * 0x100000 + flowLabel),
    w16(header.payloadLength ?? chain.length + payload.length),
    [numbers[0], hopLimit],
    addr(header.source),
    addr(header.destination),
    chain,
    payload,
  )
}

/** A Fragment header: offset in 8 octets. */
export const fragmentHeader = (offset: number, more: boolean, id: number): readonly [number, Octets] => [
  44,
  [...w16(offset * 8 + (more ? 1 : 0)), ...w32(id)],
]
