import {
  type Address,
  type Encoded,
  ipv4Value,
  isIpv4,
  joinOctets,
  putU16,
  putU32,
  readIpv4,
  sliceOctets,
  u16,
} from "../../wire/index.ts"
import { type Mac, readMac, writeMac } from "../mac.ts"
import { endsEarly, type OverlayParsed, readAs, tooWide, unwritable } from "../parsed.ts"
import { EtherType } from "./ethernet.ts"

/** ARP for IPv4 on Ethernet (RFC 826): type 1, protocol 0x0800, addresses of 6 and 4 octets; 28 octets. */
export interface ArpPacket {
  readonly kind: "arp"
  /** 1: request, 2: reply. */
  readonly operation: number
  /** `ar$sha`. */
  readonly senderMac: Mac
  /** `ar$spa`, IPv4-mapped. */
  readonly sender: Address
  /** `ar$tha`; nothing in a request. */
  readonly targetMac: Mac
  /** `ar$tpa`, IPv4-mapped. */
  readonly target: Address
  /** What follows: the padding of a short frame. */
  readonly trailing: Uint8Array
}

/** ARP for other hardware or another protocol. */
export interface OtherArpPacket {
  readonly kind: "other-arp"
  /** `ar$hrd`, 16 bits. */
  readonly hardware: number
  /** `ar$pro`, 16 bits: an EtherType. */
  readonly protocol: number
  /** 1: request, 2: reply. */
  readonly operation: number
  /** `ar$sha`; as long as `targetHardware`. */
  readonly senderHardware: Uint8Array
  /** `ar$spa`; as long as `target`. */
  readonly sender: Uint8Array
  /** `ar$tha`. */
  readonly targetHardware: Uint8Array
  /** `ar$tpa`. */
  readonly target: Uint8Array
  /** What follows. */
  readonly trailing: Uint8Array
}

/** Operations of ARP. */
export const ArpOperation = { REQUEST: 1, REPLY: 2 } as const

/** Octets of ARP for IPv4 on Ethernet. */
export const ARP_LENGTH = 28

const CLAUSE = "RFC 826 Packet format"
const ETHERNET = 1

/** Reads an Ethernet payload of type 0x0806. */
export const parseArp = (bytes: Uint8Array): OverlayParsed<ArpPacket | OtherArpPacket> => {
  if (bytes.length < 8) return endsEarly(bytes, "the head of ARP", 8, CLAUSE)
  const [hardware, protocol, operation] = [u16(bytes, 0), u16(bytes, 2), u16(bytes, 6)]
  const [hardwareLength, protocolLength] = [bytes[4], bytes[5]]
  const end = 8 + 2 * (hardwareLength + protocolLength)
  if (bytes.length < end) return endsEarly(bytes, "ARP with these address lengths", end, CLAUSE)
  const trailing = sliceOctets(bytes, end)
  if (hardware === ETHERNET && protocol === EtherType.IPV4 && hardwareLength === 6 && protocolLength === 4)
    return readAs({
      kind: "arp",
      operation,
      senderMac: readMac(bytes, 8),
      sender: readIpv4(bytes, 14),
      targetMac: readMac(bytes, 18),
      target: readIpv4(bytes, 24),
      trailing,
    })
  const half = 8 + hardwareLength + protocolLength
  return readAs({
    kind: "other-arp",
    hardware,
    protocol,
    operation,
    senderHardware: sliceOctets(bytes, 8, 8 + hardwareLength),
    sender: sliceOctets(bytes, 8 + hardwareLength, half),
    targetHardware: sliceOctets(bytes, half, half + hardwareLength),
    target: sliceOctets(bytes, half + hardwareLength, end),
    trailing,
  })
}

/** The octets of ARP. */
export const encodeArp = (packet: ArpPacket | OtherArpPacket): Encoded =>
  packet.kind === "arp" ? encodeKnown(packet) : encodeOther(packet)

const encodeKnown = ({ operation, senderMac, sender, targetMac, target, trailing }: ArpPacket): Encoded => {
  const wide = tooWide([["operation", operation, 16]])
  if (wide !== undefined) return wide
  if (!isIpv4(sender) || !isIpv4(target)) return unwritable("ARP has IPv4 addresses")
  const bytes = head(ETHERNET, EtherType.IPV4, 6, 4, operation, ARP_LENGTH)
  writeMac(bytes, 8, senderMac)
  putU32(bytes, 14, ipv4Value(sender))
  writeMac(bytes, 18, targetMac)
  putU32(bytes, 24, ipv4Value(target))
  return { ok: true, bytes: joinOctets([bytes, trailing]) }
}

const encodeOther = (packet: OtherArpPacket): Encoded => {
  const { hardware, protocol, operation, senderHardware, sender, targetHardware, target, trailing } = packet
  const wide = tooWide([
    ["hardware", hardware, 16],
    ["protocol", protocol, 16],
    ["operation", operation, 16],
    ["hardware length", senderHardware.length, 8],
    ["protocol length", sender.length, 8],
  ])
  if (wide !== undefined) return wide
  if (senderHardware.length !== targetHardware.length || sender.length !== target.length)
    return unwritable("ARP has addresses of one length each")
  const bytes = head(hardware, protocol, senderHardware.length, sender.length, operation, 8)
  return { ok: true, bytes: joinOctets([bytes, senderHardware, sender, targetHardware, target, trailing]) }
}

const head = (
  hardware: number,
  protocol: number,
  hardwareLength: number,
  protocolLength: number,
  operation: number,
  length: number,
): Uint8Array => {
  const bytes = new Uint8Array(length)
  putU16(bytes, 0, hardware)
  putU16(bytes, 2, protocol)
  bytes[4] = hardwareLength
  bytes[5] = protocolLength
  putU16(bytes, 6, operation)
  return bytes
}
