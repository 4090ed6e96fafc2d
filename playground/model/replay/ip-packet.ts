import {
  type Address,
  addressWord,
  formatAddress,
  hasPorts,
  isIpv4,
  protocolName,
  putU16,
  putU32,
  readAddress,
  readIpv4,
  u16,
  writeAddress,
} from "../../../core/wire/index.ts"
import type { DataPacket } from "../session/index.ts"

const TCP = 6
const UDP = 17
const ICMP = 1
const ICMPV6 = 58
const IPV4_IN_IPV6 = 4
const HOP_LIMIT = 64
const FLAGS = { FIN: 1, SYN: 2, RST: 4, ACK: 16 } as const

/** The octets of a data packet: IPv4 (RFC 791) or IPv6 (RFC 8200) by its ends, with valid checksums; in a softwire where it has a B4 (RFC 2473). */
export const ipPacket = (packet: DataPacket, aftr: Address): Uint8Array => {
  const { source, destination, b4 } = packet
  const ipv4 = isIpv4(source.address) && isIpv4(destination.address)
  const [protocol, transport] = transportOf(packet, ipv4)
  const whole = header(source.address, destination.address, protocol, transport, ipv4)
  return b4 === undefined || !ipv4 ? whole : header(b4, aftr, IPV4_IN_IPV6, whole, false)
}

/** Header and payload of the transport with a checksum over the pseudo-header (RFC 768, RFC 9293 section 3.1, RFC 4443 section 2.3). */
const transportOf = (packet: DataPacket, ipv4: boolean): readonly [number, Uint8Array] => {
  const { protocol, source, destination, flags, payload } = packet
  switch (protocol) {
    case "udp": {
      const octets = new Uint8Array(8 + payload)
      putU16(octets, 0, source.port)
      putU16(octets, 2, destination.port)
      putU16(octets, 4, octets.length)
      const sum = checksum(octets, pseudo(packet, UDP, octets.length, ipv4))
      putU16(octets, 6, sum === 0 ? 0xffff : sum)
      return [UDP, octets]
    }
    case "tcp": {
      const octets = new Uint8Array(20 + payload)
      putU16(octets, 0, source.port)
      putU16(octets, 2, destination.port)
      putU32(octets, 4, 1000)
      octets[12] = 0x50
      for (const flag of flags) octets[13] |= FLAGS[flag]
      putU16(octets, 14, 65535)
      putU16(octets, 16, checksum(octets, pseudo(packet, TCP, octets.length, ipv4)))
      return [TCP, octets]
    }
    case "icmp": {
      const octets = new Uint8Array(8 + payload)
      octets[0] = ipv4 ? 8 : 128
      putU16(octets, 4, source.port)
      putU16(octets, 6, 1)
      putU16(octets, 2, checksum(octets, ipv4 ? 0 : pseudo(packet, ICMPV6, octets.length, false)))
      return [ipv4 ? ICMP : ICMPV6, octets]
    }
  }
}

const pseudo = ({ source, destination }: DataPacket, protocol: number, length: number, ipv4: boolean): number => {
  let sum = protocol + length
  for (const address of [source.address, destination.address])
    for (const word of ipv4 ? ([3] as const) : ([0, 1, 2, 3] as const)) {
      const value = addressWord(address, word)
      sum += (value >>> 16) + (value & 0xffff)
    }
  return sum
}

/** The Internet checksum (RFC 1071) of octets after a sum of what precedes them. */
const checksum = (octets: Uint8Array, before: number): number => {
  let sum = before
  for (let i = 0; i < octets.length; i += 2) sum += (octets[i] << 8) | (octets[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}

const header = (
  source: Address,
  destination: Address,
  protocol: number,
  data: Uint8Array,
  ipv4: boolean,
): Uint8Array => {
  const size = ipv4 ? 20 : 40
  const octets = new Uint8Array(size + data.length)
  octets.set(data, size)
  if (ipv4) {
    putU16(octets, 0, 0x4500)
    putU16(octets, 2, octets.length)
    octets[8] = HOP_LIMIT
    octets[9] = protocol
    putU32(octets, 12, addressWord(source, 3))
    putU32(octets, 16, addressWord(destination, 3))
    putU16(octets, 10, checksum(octets.subarray(0, 20), 0))
  } else {
    putU32(octets, 0, 0x60000000)
    putU16(octets, 4, data.length)
    octets[6] = protocol
    octets[7] = HOP_LIMIT
    writeAddress(octets, 8, source)
    writeAddress(octets, 24, destination)
  }
  return octets
}

/** What an IP packet's headers say, for arrows and lists. */
export interface IpSummary {
  readonly version: number
  readonly source: Address
  readonly destination: Address
  /** IANA number of what is in it. */
  readonly protocol: number
  /** 0 where there are none; of an ICMP echo its identifier, in both. */
  readonly sourcePort: number
  readonly destinationPort: number
  /** In a softwire: what is in it. */
  readonly inner: IpSummary | undefined
  /** `UDP 10.0.0.1:5000 → 198.51.100.7:53`. */
  readonly text: string
}

/** Reads the headers of an IP packet; `undefined` for what is none. */
export const readIp = (octets: Uint8Array): IpSummary | undefined => {
  const version = (octets[0] ?? 0) >>> 4
  const size = version === 4 ? 4 * (octets[0] & 15) : 40
  if ((version !== 4 && version !== 6) || octets.length < Math.max(20, size)) return undefined
  const source = version === 4 ? readIpv4(octets, 12) : readAddress(octets, 8)
  const destination = version === 4 ? readIpv4(octets, 16) : readAddress(octets, 24)
  const protocol = version === 4 ? octets[9] : octets[6]
  const inner = version === 6 && protocol === IPV4_IN_IPV6 ? readIp(octets.subarray(40)) : undefined
  const ports = portsOf(octets, size, protocol)
  const text =
    inner === undefined ? textOf(protocol, source, destination, ports, octets[size]) : `${inner.text}, in a softwire`
  return { version, source, destination, protocol, sourcePort: ports[0], destinationPort: ports[1], inner, text }
}

const portsOf = (octets: Uint8Array, at: number, protocol: number): readonly [number, number] => {
  if (hasPorts(protocol) && octets.length >= at + 4) return [u16(octets, at), u16(octets, at + 2)]
  const type = octets[at]
  const isEcho =
    (protocol === ICMP && (type === 8 || type === 0)) || (protocol === ICMPV6 && (type === 128 || type === 129))
  return isEcho && octets.length >= at + 6 ? [u16(octets, at + 4), u16(octets, at + 4)] : [0, 0]
}

const textOf = (
  protocol: number,
  source: Address,
  destination: Address,
  [from, to]: readonly [number, number],
  type: number,
): string => {
  const isIcmp = protocol === ICMP || protocol === ICMPV6
  const name = isIcmp ? `${protocolName(protocol)} type ${type}` : protocolName(protocol)
  const end = (address: Address, port: number) => {
    const host = formatAddress(address)
    if (port === 0 || isIcmp) return host
    return isIpv4(address) ? `${host}:${port}` : `[${host}]:${port}`
  }
  return `${name} ${end(source, from)} → ${end(destination, to)}${isIcmp && from > 0 ? `, identifier ${from}` : ""}`
}
