/** The fields of frames, as their specifications name them. */

import { type FieldNode, u16 } from "../../wire/index.ts"
import { IPV6_HEADER as IPV6_SIZE, icmpv6Checksum } from "../frame/neighbor.ts"
import { ipv4Checksum, udp4Checksum } from "../frame/udp4.ts"
import { field, type WordedField } from "./tree.ts"
import { addressText, checked, flagText, hexNamed, ipv4Text, macText, named, vnetidText } from "./words.ts"

const IEEE = "IEEE 802.3 section 3.2"
const QTAG = "IEEE 802.1Q section 9.3"
const R826 = "RFC 826 Packet format"
const R791 = "RFC 791 section 3.1"
const R8200 = "RFC 8200 section 3"
const R768 = "RFC 768"
const R4861 = "RFC 4861 section 4.3"
const R2131 = "RFC 2131 section 2"
const R7348 = "RFC 7348 section 5"

const TYPES = { 2048: "IPv4", 2054: "ARP", 33024: "VLAN tag", 34525: "IPv6", 34984: "service VLAN tag" }
const PROTOCOLS = { 1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6" }

export const ETHERNET: WordedField = field("Ethernet", "message", 0, IEEE)
export const DATA: WordedField = field("Data", "bytes", 0, IEEE)
export const TRAILING: WordedField = field("Data", "bytes", 0, IEEE)
export const ETHERNET_ADDRESSES: readonly WordedField[] = [
  field("Destination", "bytes", 6, IEEE, macText),
  field("Source", "bytes", 6, IEEE, macText),
]
export const ETHERTYPE: WordedField = field("Type", "uint", 2, IEEE, hexNamed(TYPES))
export const VLAN_TAG: readonly WordedField[] = [
  field("Tag type", "uint", 2, QTAG, hexNamed(TYPES)),
  field("Tag control", "uint", 2, QTAG, (_, { value }) => {
    const eligible = (value & 0x1000) === 0 ? "" : ", drop eligible"
    return `VLAN ${value & 0xfff}, priority ${value >>> 13}${eligible}`
  }),
]

const operation = field("Operation (ar$op)", "uint", 2, R826, named({ 1: "request", 2: "reply" }))
export const ARP: WordedField = field("Address Resolution Protocol", "message", 0, R826)
export const ARP_HEAD: readonly WordedField[] = [
  field("Hardware (ar$hrd)", "uint", 2, R826, named({ 1: "Ethernet" })),
  field("Protocol (ar$pro)", "uint", 2, R826, hexNamed(TYPES)),
  field("Hardware address length (ar$hln)", "uint", 1, R826),
  field("Protocol address length (ar$pln)", "uint", 1, R826),
  operation,
]
export const ARP_IPV4: readonly WordedField[] = [
  field("Sender hardware address (ar$sha)", "bytes", 6, R826, macText),
  field("Sender protocol address (ar$spa)", "ipv4", 4, R826, ipv4Text),
  field("Target hardware address (ar$tha)", "bytes", 6, R826, macText),
  field("Target protocol address (ar$tpa)", "ipv4", 4, R826, ipv4Text),
]
export const ARP_OTHER: readonly { readonly side: "hardware" | "protocol"; readonly field: WordedField }[] = [
  { side: "hardware", field: field("Sender hardware address (ar$sha)", "bytes", 0, R826) },
  { side: "protocol", field: field("Sender protocol address (ar$spa)", "bytes", 0, R826) },
  { side: "hardware", field: field("Target hardware address (ar$tha)", "bytes", 0, R826) },
  { side: "protocol", field: field("Target protocol address (ar$tpa)", "bytes", 0, R826) },
]

export const IPV4: WordedField = field("Internet Protocol version 4", "message", 0, R791)
export const IPV4_HEADER: readonly WordedField[] = [
  field("Version and IHL", "uint", 1, R791, (_, { value }) => `version ${value >>> 4}, ${(value & 15) * 4} octets`),
  field("Type of Service", "uint", 1, R791),
  field("Total Length", "uint", 2, R791),
  field("Identification", "uint", 2, R791),
  field("Flags and Fragment Offset", "uint", 2, R791, (_, { value }) => {
    const flags = `${(value & 0x4000) === 0 ? "" : "DF "}${(value & 0x2000) === 0 ? "" : "MF "}`
    return `${flags}offset ${(value & 0x1fff) * 8}`
  }),
  field("Time to Live", "uint", 1, R791),
  field("Protocol", "uint", 1, R791, named(PROTOCOLS)),
  field(
    "Header Checksum",
    "uint",
    2,
    R791,
    checked((bytes, node) => headerChecksum(bytes, node.offset - 10)),
  ),
  field("Source Address", "ipv4", 4, R791, ipv4Text),
  field("Destination Address", "ipv4", 4, R791, ipv4Text),
]
export const IPV4_OPTIONS: WordedField = field("Options", "bytes", 0, R791)

const headerChecksum = (bytes: Uint8Array, from: number): number | undefined => {
  const header = (bytes[from] & 15) * 4
  return header < 20 || from + header > bytes.length ? undefined : ipv4Checksum(bytes.subarray(from), header)
}

export const IPV6: WordedField = field("Internet Protocol version 6", "message", 0, R8200)
export const IPV6_HEADER: readonly WordedField[] = [
  field("Version, Traffic Class and Flow Label", "uint", 4, R8200, (_, { value }) => {
    return `version ${value >>> 28}, class ${(value >>> 20) & 0xff}, label 0x${(value & 0xfffff).toString(16)}`
  }),
  field("Payload Length", "uint", 2, R8200),
  field("Next Header", "uint", 1, R8200, named(PROTOCOLS)),
  field("Hop Limit", "uint", 1, R8200),
  field("Source Address", "address", 16, R8200, addressText),
  field("Destination Address", "address", 16, R8200, addressText),
]

const messageChecksum = (bytes: Uint8Array, { offset }: FieldNode): number | undefined => {
  const packet = bytes.subarray(offset - 2 - IPV6_SIZE)
  const end = IPV6_SIZE + u16(packet, 4)
  return end > packet.length ? undefined : icmpv6Checksum(packet, end)
}

export const ICMPV6: WordedField = field(
  "Internet Control Message Protocol for IPv6",
  "message",
  0,
  "RFC 4443 section 2.1",
)
export const ICMPV6_HEAD: readonly WordedField[] = [
  field(
    "Type",
    "uint",
    1,
    R4861,
    named({
      128: "Echo Request",
      129: "Echo Reply",
      133: "Router Solicitation",
      134: "Router Advertisement",
      135: "Neighbor Solicitation",
      136: "Neighbor Advertisement",
    }),
  ),
  field("Code", "uint", 1, R4861),
  field("Checksum", "uint", 2, R4861, checked(messageChecksum)),
]
export const NEIGHBOR: readonly WordedField[] = [
  field(
    "Flags and Reserved",
    "uint",
    4,
    "RFC 4861 section 4.4",
    flagText([
      [0x80000000, "Router"],
      [0x40000000, "Solicited"],
      [0x20000000, "Override"],
      [0x1fffffff, "reserved bits"],
    ]),
  ),
  field("Target Address", "address", 16, R4861, addressText),
]
const R46 = "RFC 4861 section 4.6"
export const NEIGHBOR_OPTION: WordedField = field("Option", "option", 0, R46)
export const NEIGHBOR_OPTION_HEAD: readonly WordedField[] = [
  field("Type", "uint", 1, R46, named({ 1: "Source Link-Layer Address", 2: "Target Link-Layer Address" })),
  field("Length", "uint", 1, R46, (_, { value }) => `${value * 8} octets`),
]
export const LINK_LAYER: WordedField = field("Link-Layer Address", "bytes", 6, "RFC 4861 section 4.6.1", macText)

const datagramChecksum = (bytes: Uint8Array, { offset, value }: FieldNode): number | undefined => {
  const udp = offset - 6
  // No sum is none to check; of IPv6 and of headers with options, whose start is not at hand, none is checked.
  if (value === 0 || udp < 20 || bytes[udp - 20] !== 0x45 || udp + u16(bytes, udp + 4) > bytes.length) return undefined
  return udp4Checksum(bytes.subarray(udp - 20), 20)
}

export const UDP: WordedField = field("User Datagram Protocol", "message", 0, R768)
export const UDP_HEADER: readonly WordedField[] = [
  field("Source Port", "uint", 2, R768),
  field("Destination Port", "uint", 2, R768),
  field("Length", "uint", 2, R768),
  field("Checksum", "uint", 2, R768, checked(datagramChecksum)),
]

export const DHCP: WordedField = field("Dynamic Host Configuration Protocol", "message", 0, R2131)
export const DHCP_HEADER: readonly WordedField[] = [
  field("op", "uint", 1, R2131, named({ 1: "BOOTREQUEST", 2: "BOOTREPLY" })),
  field("htype", "uint", 1, R2131, named({ 1: "Ethernet" })),
  field("hlen", "uint", 1, R2131),
  field("hops", "uint", 1, R2131),
  field("xid", "uint", 4, R2131, (_, { value }) => `0x${value.toString(16).padStart(8, "0")}`),
  field("secs", "uint", 2, R2131),
  field(
    "flags",
    "uint",
    2,
    R2131,
    flagText([
      [0x8000, "broadcast"],
      [0x7fff, "reserved bits"],
    ]),
  ),
  field("ciaddr", "ipv4", 4, R2131, ipv4Text),
  field("yiaddr", "ipv4", 4, R2131, ipv4Text),
  field("siaddr", "ipv4", 4, R2131, ipv4Text),
  field("giaddr", "ipv4", 4, R2131, ipv4Text),
  field("chaddr", "bytes", 16, R2131),
  field("sname", "bytes", 64, R2131),
  field("file", "bytes", 128, R2131),
]
export const DHCP_COOKIE: WordedField = field("Magic cookie", "bytes", 4, "RFC 2131 section 3")
const R2132 = "RFC 2132 section 2"
export const DHCP_OPTION: WordedField = field("Option", "option", 0, R2132)
export const DHCP_OPTION_CODE: WordedField = field(
  "Code",
  "uint",
  1,
  R2132,
  named({
    0: "pad",
    1: "subnet mask",
    3: "router",
    12: "host name",
    50: "requested address",
    51: "lease time",
    53: "message type",
    54: "server",
    55: "parameters",
    61: "client id",
    82: "relay agent",
    255: "end",
  }),
)
export const DHCP_OPTION_LENGTH: WordedField = field("Length", "uint", 1, R2132)

export const VXLAN: WordedField = field("Virtual eXtensible Local Area Network", "message", 0, R7348)
export const VXLAN_HEADER: readonly WordedField[] = [
  field(
    "Flags",
    "uint",
    1,
    R7348,
    flagText([
      [0x08, "I"],
      [0xf7, "reserved bits"],
    ]),
  ),
  field("Reserved", "zeros", 3, R7348),
  field("VXLAN Network Identifier", "uint", 3, R7348, vnetidText),
  field("Reserved", "zeros", 1, R7348),
]
