import { group } from "../../wire/dissect/make.ts"
import { type Dissection, type FieldNode, u16, u32 } from "../../wire/index.ts"
import { DHCP_COOKIE, DHCP_HEADER, DhcpPort } from "../frame/dhcp.ts"
import { EtherType, isTagType } from "../frame/ethernet.ts"
import { Icmpv6Type, IPV6_HEADER, IpProtocol, NeighborOptionType } from "../frame/neighbor.ts"
import { IPV4_HEADER, UDP_HEADER } from "../frame/udp4.ts"
import { VXLAN_PORT } from "../frame/vxlan.ts"
import * as fields from "./frame-field.ts"
import { nest, put, type Reading, readFrom, rest, take } from "./tree.ts"

/** Frames within frames that are taken apart; what is deeper is data. */
const DEEPEST = 4

/**
 * Takes an Ethernet frame apart into the tree of fields that `dissect` makes of PCP: any octets give a tree, nothing throws, and every octet
 * belongs to exactly one leaf. It reads VLAN tags, ARP, neighbour discovery, IPv4 and IPv6, UDP, DHCPv4, and VXLAN with the frame in it.
 * {@link describeOverlay} gives the texts.
 */
export const dissectFrame = (bytes: Uint8Array): Dissection => ({ bytes, root: whole(bytes, 0, bytes.length, DEEPEST) })

/** Takes the payload of a UDP datagram apart as VXLAN, with the frame in it, in the same way. */
export const dissectVxlan = (bytes: Uint8Array): Dissection => {
  const reading = readFrom(bytes, 0, bytes.length)
  vxlan(reading, DEEPEST)
  rest(reading, fields.DATA)
  return { bytes, root: group(fields.VXLAN, 0, bytes.length, 0, reading.nodes) }
}

const whole = (bytes: Uint8Array, from: number, end: number, depth: number): FieldNode => {
  const reading = readFrom(bytes, from, end)
  ethernet(reading, depth)
  rest(reading, fields.DATA)
  return group(fields.ETHERNET, from, end, 0, reading.nodes)
}

const ethernet = (reading: Reading, depth: number): void => {
  if (!take(reading, ...fields.ETHERNET_ADDRESSES)) return
  while (reading.at + 2 <= reading.end && isTagType(u16(reading.bytes, reading.at)))
    if (!take(reading, ...fields.VLAN_TAG)) return
  const type = reading.at + 2 <= reading.end ? u16(reading.bytes, reading.at) : -1
  if (!take(reading, fields.ETHERTYPE)) return
  const from = reading.at
  if (type === EtherType.ARP) nest(reading, fields.ARP, reading.end, fields.TRAILING, arp)
  else if (type === EtherType.IPV4 && isVersion(reading, 4))
    nest(reading, fields.IPV4, reading.end, fields.TRAILING, (inner) => ipv4(inner, from, depth))
  else if (type === EtherType.IPV6 && isVersion(reading, 6))
    nest(reading, fields.IPV6, reading.end, fields.TRAILING, (inner) => ipv6(inner, from, depth))
}

const isVersion = ({ bytes, at, end }: Reading, version: number): boolean => at < end && bytes[at] >>> 4 === version

const arp = (reading: Reading): void => {
  const { bytes, at: from } = reading
  if (!take(reading, ...fields.ARP_HEAD)) return
  const [hardware, protocol] = [bytes[from + 4], bytes[from + 5]]
  if (hardware === 6 && protocol === 4 && u16(bytes, from + 2) === EtherType.IPV4) take(reading, ...fields.ARP_IPV4)
  else
    for (const name of fields.ARP_OTHER) {
      const size = name.side === "hardware" ? hardware : protocol
      if (reading.at + size > reading.end) return
      put(reading, name.field, size)
    }
}

const ipv4 = (reading: Reading, from: number, depth: number): void => {
  const { bytes } = reading
  if (!take(reading, ...fields.IPV4_HEADER)) return
  const header = (bytes[from] & 15) * 4
  const options = header - IPV4_HEADER
  if (options < 0 || reading.at + options > reading.end) return
  if (options > 0) put(reading, fields.IPV4_OPTIONS, options)
  const end = Math.min(reading.end, from + u16(bytes, from + 2))
  const isWhole = (u16(bytes, from + 6) & 0x1fff) === 0
  if (bytes[from + 9] === IpProtocol.UDP && isWhole && end >= reading.at) udp(reading, end, depth)
}

const ipv6 = (reading: Reading, from: number, depth: number): void => {
  const { bytes } = reading
  if (!take(reading, ...fields.IPV6_HEADER)) return
  const end = Math.min(reading.end, from + IPV6_HEADER + u16(bytes, from + 4))
  if (bytes[from + 6] === IpProtocol.UDP) udp(reading, end, depth)
  else if (bytes[from + 6] === IpProtocol.ICMPV6) nest(reading, fields.ICMPV6, end, fields.DATA, icmpv6)
}

const icmpv6 = (reading: Reading): void => {
  const { bytes, at: from, end } = reading
  if (!take(reading, ...fields.ICMPV6_HEAD)) return
  const isNeighbor =
    bytes[from] === Icmpv6Type.NEIGHBOR_SOLICITATION || bytes[from] === Icmpv6Type.NEIGHBOR_ADVERTISEMENT
  if (!isNeighbor || !take(reading, ...fields.NEIGHBOR)) return
  while (reading.at + 2 <= end) {
    const [type, size] = [bytes[reading.at], bytes[reading.at + 1] * 8]
    if (size === 0 || reading.at + size > end) return
    nest(reading, fields.NEIGHBOR_OPTION, reading.at + size, fields.DATA, (option) => {
      const isLinkLayer = type === NeighborOptionType.SOURCE_LINK_LAYER || type === NeighborOptionType.TARGET_LINK_LAYER
      take(option, ...fields.NEIGHBOR_OPTION_HEAD)
      if (isLinkLayer && size === 8) take(option, fields.LINK_LAYER)
    })
  }
}

const udp = (reading: Reading, end: number, depth: number): void =>
  nest(reading, fields.UDP, end, fields.DATA, (inner) => {
    const { bytes, at: from } = inner
    if (!take(inner, ...fields.UDP_HEADER)) return
    const length = u16(bytes, from + 4)
    if (length < UDP_HEADER || from + length > end) return
    const [source, destination] = [u16(bytes, from), u16(bytes, from + 2)]
    if (destination === VXLAN_PORT && depth > 0)
      nest(inner, fields.VXLAN, from + length, fields.DATA, (tunnel) => vxlan(tunnel, depth))
    else if (isDhcp(source, destination)) nest(inner, fields.DHCP, from + length, fields.DATA, dhcp)
  })

const isDhcp = (source: number, destination: number): boolean =>
  (source === DhcpPort.CLIENT && destination === DhcpPort.SERVER) ||
  (source === DhcpPort.SERVER && (destination === DhcpPort.CLIENT || destination === DhcpPort.SERVER))

const dhcp = (reading: Reading): void => {
  const { bytes, at: from, end } = reading
  if (!take(reading, ...fields.DHCP_HEADER)) return
  if (end - from < DHCP_HEADER + 4 || u32(bytes, reading.at) !== DHCP_COOKIE) return
  take(reading, fields.DHCP_COOKIE)
  while (reading.at < end) {
    const code = bytes[reading.at]
    const isBare = code === 0 || code === 255
    const to = isBare ? reading.at + 1 : reading.at + 2 + (reading.at + 1 < end ? bytes[reading.at + 1] : end)
    if (to > end) return
    nest(reading, fields.DHCP_OPTION, to, fields.DATA, (option) => {
      take(option, fields.DHCP_OPTION_CODE)
      if (!isBare) take(option, fields.DHCP_OPTION_LENGTH)
    })
    if (code === 255) return
  }
}

const vxlan = (reading: Reading, depth: number): void => {
  const { bytes, end } = reading
  if (!take(reading, ...fields.VXLAN_HEADER)) return
  if (reading.at < end) {
    reading.nodes.push(whole(bytes, reading.at, end, depth - 1))
    reading.at = end
  }
}
