import {
  type Address,
  type Encoded,
  putU16,
  putU32,
  readAddress,
  sliceOctets,
  u16,
  u32,
  writeAddress,
} from "../../wire/index.ts"
import { type Mac, readMac, writeMac } from "../mac.ts"
import { endsEarly, type OverlayParsed, readAs, tooWide, unread, unwritable } from "../parsed.ts"
import { checksumOf, sumOctets, sumPseudo } from "./checksum.ts"

/** Octets of an IPv6 header. */
export const IPV6_HEADER = 40
/** Octets of a neighbour message before its options. */
export const NEIGHBOR_HEADER = 24

/** Protocol numbers of IP that are looked at. */
export const IpProtocol = { UDP: 17, ICMPV6: 58 } as const
/** ICMPv6 types (RFC 4861 sections 4.3 and 4.4). */
export const Icmpv6Type = { NEIGHBOR_SOLICITATION: 135, NEIGHBOR_ADVERTISEMENT: 136 } as const
/** Neighbour discovery options (RFC 4861 section 4.6). */
export const NeighborOptionType = { SOURCE_LINK_LAYER: 1, TARGET_LINK_LAYER: 2 } as const

/** An option of neighbour discovery: type 1 | length 1, in units of 8 octets | data. */
export type NeighborOption =
  /** The Ethernet address of the packet's sender (RFC 4861 section 4.6.1, RFC 2464 section 6). */
  | { readonly kind: "source-link-layer"; readonly mac: Mac }
  /** The Ethernet address of the target. */
  | { readonly kind: "target-link-layer"; readonly mac: Mac }
  /** Another one, or one of those with another length; `data` is 6 octets, or 8 more each. */
  | { readonly kind: "other"; readonly type: number; readonly data: Uint8Array }

/**
 * A neighbour solicitation or advertisement with the IPv6 header before it (RFC 8200 section 3, RFC 4861 sections 4.3 and 4.4):
 * header 40 | type 1 | code 1 | checksum 2 | flags 3 bits, reserved 29 bits | target 16 | options.
 */
export interface NeighborMessage {
  /** Type 135 or 136. */
  readonly kind: "neighbor-solicitation" | "neighbor-advertisement"
  /** 8 bits. */
  readonly trafficClass: number
  /** 20 bits. */
  readonly flowLabel: number
  /** 255, or it came from elsewhere (RFC 4861 section 7.1). */
  readonly hopLimit: number
  /** The unspecified address in duplicate address detection. */
  readonly source: Address
  /** Solicitations go to the target's solicited-node group, or to the target. */
  readonly destination: Address
  /** 0. */
  readonly code: number
  /** Only where it is wrong: what stands there. */
  readonly checksum?: number
  /** The flags R, S and O, 3 bits, of which a solicitation has none. */
  readonly flags: number
  /** 29 bits, 0. */
  readonly reserved: number
  /** Whom it is about. */
  readonly target: Address
  /** In the order of the packet. */
  readonly options: readonly NeighborOption[]
  /** Octets behind the IPv6 packet: the padding of a short frame. */
  readonly trailing: Uint8Array
}

/** Flags of an advertisement (RFC 4861 section 4.4). */
export const NeighborFlag = { ROUTER: 4, SOLICITED: 2, OVERRIDE: 1 } as const

const IPV6 = "RFC 8200 3"
const MESSAGE = "RFC 4861 4.3"
const OPTIONS = "RFC 4861 4.6"

/** Reads an Ethernet payload of type 0x86dd that is a neighbour message with no extension header before it. */
export const parseNeighbor = (bytes: Uint8Array): OverlayParsed<NeighborMessage> => {
  const least = IPV6_HEADER + NEIGHBOR_HEADER
  if (bytes.length < least) return endsEarly(bytes, "a neighbour message with its IPv6 header", least, MESSAGE)
  if (bytes[0] >>> 4 !== 6) return unread("version", 0, IPV6, `IP version ${bytes[0] >>> 4}, not 6`)
  if (bytes[6] !== IpProtocol.ICMPV6) return unread("value", 6, IPV6, `next header ${bytes[6]} is not ICMPv6`)
  const length = u16(bytes, 4)
  const end = IPV6_HEADER + length
  if (length < NEIGHBOR_HEADER) return unread("length", 4, MESSAGE, `a payload of ${length} octets is too short`)
  if (end > bytes.length) return endsEarly(bytes, "the IPv6 packet", end, IPV6)
  const kind = kindOf(bytes[IPV6_HEADER])
  if (kind === undefined)
    return unread("value", IPV6_HEADER, MESSAGE, `ICMPv6 type ${bytes[IPV6_HEADER]} is no neighbour message`)
  const options = readOptions(bytes, least, end)
  if (!options.ok) return options
  const checksum = u16(bytes, IPV6_HEADER + 2)
  const word = u32(bytes, IPV6_HEADER + 4)
  const head = u32(bytes, 0)
  return readAs({
    kind,
    trafficClass: (head >>> 20) & 0xff,
    flowLabel: head & 0xfffff,
    hopLimit: bytes[7],
    source: readAddress(bytes, 8),
    destination: readAddress(bytes, 24),
    code: bytes[IPV6_HEADER + 1],
    ...(checksum === icmpv6Checksum(bytes, end) ? {} : { checksum }),
    flags: word >>> 29,
    reserved: word & 0x1fffffff,
    target: readAddress(bytes, IPV6_HEADER + 8),
    options: options.value,
    trailing: sliceOctets(bytes, end),
  })
}

const kindOf = (type: number): NeighborMessage["kind"] | undefined => {
  if (type === Icmpv6Type.NEIGHBOR_SOLICITATION) return "neighbor-solicitation"
  return type === Icmpv6Type.NEIGHBOR_ADVERTISEMENT ? "neighbor-advertisement" : undefined
}

const readOptions = (bytes: Uint8Array, from: number, end: number): OverlayParsed<readonly NeighborOption[]> => {
  const options: NeighborOption[] = []
  let at = from
  while (at < end) {
    if (at + 2 > end) return unread("length", at, OPTIONS, "half an option")
    const size = bytes[at + 1] * 8
    if (size === 0) return unread("length", at + 1, OPTIONS, "an option of length 0")
    if (at + size > end) return unread("length", at + 1, OPTIONS, `an option of ${size} octets, ${end - at} are left`)
    options.push(readOption(bytes, at, size))
    at += size
  }
  return readAs(options)
}

const readOption = (bytes: Uint8Array, at: number, size: number): NeighborOption => {
  const type = bytes[at]
  if (size === 8 && type === NeighborOptionType.SOURCE_LINK_LAYER)
    return { kind: "source-link-layer", mac: readMac(bytes, at + 2) }
  if (size === 8 && type === NeighborOptionType.TARGET_LINK_LAYER)
    return { kind: "target-link-layer", mac: readMac(bytes, at + 2) }
  return { kind: "other", type, data: sliceOctets(bytes, at + 2, at + size) }
}

/** What the checksum of the ICMPv6 message up to `end` is to be: RFC 4443 section 2.3, over the pseudo-header too. */
export const icmpv6Checksum = (bytes: Uint8Array, end: number): number => {
  const length = end - IPV6_HEADER
  const pseudo = sumPseudo(readAddress(bytes, 8), readAddress(bytes, 24), IpProtocol.ICMPV6, length)
  return checksumOf(sumOctets(bytes, IPV6_HEADER, end, pseudo) - u16(bytes, IPV6_HEADER + 2))
}

const sizeOf = (option: NeighborOption): number => (option.kind === "other" ? option.data.length + 2 : 8)

/** The octets of a neighbour message, with its IPv6 header. */
export const encodeNeighbor = (message: NeighborMessage): Encoded => {
  const { kind, options, trailing, code, flags, reserved, checksum } = message
  const size = options.reduce((sum, option) => sum + sizeOf(option), NEIGHBOR_HEADER)
  const wide = tooWide([
    ["trafficClass", message.trafficClass, 8],
    ["flowLabel", message.flowLabel, 20],
    ["hopLimit", message.hopLimit, 8],
    ["code", code, 8],
    ["checksum", checksum ?? 0, 16],
    ["flags", flags, 3],
    ["reserved", reserved, 29],
    ["payload length", size, 16],
    ...options.map((option) => ["option", option.kind === "other" ? option.type : 0, 8] as const),
    ...options.map((option) => ["option length", sizeOf(option) / 8, 8] as const),
  ])
  if (wide !== undefined) return wide
  if (options.some((option) => sizeOf(option) === 0)) return unwritable("an option has 8 octets at least")
  const end = IPV6_HEADER + size
  const bytes = new Uint8Array(end + trailing.length)
  putU32(bytes, 0, (6 << 28) | (message.trafficClass << 20) | message.flowLabel)
  putU16(bytes, 4, size)
  bytes[6] = IpProtocol.ICMPV6
  bytes[7] = message.hopLimit
  writeAddress(bytes, 8, message.source)
  writeAddress(bytes, 24, message.destination)
  bytes[IPV6_HEADER] =
    kind === "neighbor-solicitation" ? Icmpv6Type.NEIGHBOR_SOLICITATION : Icmpv6Type.NEIGHBOR_ADVERTISEMENT
  bytes[IPV6_HEADER + 1] = code
  putU32(bytes, IPV6_HEADER + 4, (flags << 29) | reserved)
  writeAddress(bytes, IPV6_HEADER + 8, message.target)
  let at = IPV6_HEADER + NEIGHBOR_HEADER
  for (const option of options) {
    writeOption(bytes, at, option)
    at += sizeOf(option)
  }
  putU16(bytes, IPV6_HEADER + 2, checksum ?? icmpv6Checksum(bytes, end))
  bytes.set(trailing, end)
  return { ok: true, bytes }
}

const writeOption = (bytes: Uint8Array, at: number, option: NeighborOption): void => {
  bytes[at + 1] = sizeOf(option) / 8
  switch (option.kind) {
    case "source-link-layer":
      bytes[at] = NeighborOptionType.SOURCE_LINK_LAYER
      writeMac(bytes, at + 2, option.mac)
      break
    case "target-link-layer":
      bytes[at] = NeighborOptionType.TARGET_LINK_LAYER
      writeMac(bytes, at + 2, option.mac)
      break
    case "other":
      bytes[at] = option.type
      bytes.set(option.data, at + 2)
  }
}
