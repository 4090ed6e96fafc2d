import { type Encoded, joinOctets, putU16, sliceOctets, u16 } from "../../wire/index.ts"
import { type Mac, readMac, writeMac } from "../mac.ts"
import { endsEarly, type OverlayParsed, readAs, tooWide } from "../parsed.ts"

/** EtherTypes that overlays decide by. */
export const EtherType = { IPV4: 0x0800, ARP: 0x0806, VLAN: 0x8100, IPV6: 0x86dd, SERVICE_VLAN: 0x88a8 } as const

/** Octets of an Ethernet header without tags. */
export const ETHERNET_HEADER = 14
/** Octets of a VLAN tag. */
export const VLAN_TAG = 4

/** A VLAN tag (IEEE 802.1Q): type 2 | priority 3 bits, drop eligible 1 bit, VLAN id 12 bits. */
export interface VlanTag {
  /** The tag's own type: 0x8100, or 0x88a8 for the outer one of two (IEEE 802.1ad). */
  readonly type: number
  /** 0 to 7. */
  readonly priority: number
  /** Drop eligible; CFI in older editions. */
  readonly dropEligible: boolean
  /** 0 to 4095; 0: priority alone. */
  readonly id: number
}

/** An Ethernet frame: destination 6 | source 6 | tags, 4 each | type 2 | payload, padding and all. */
export interface EthernetFrame {
  /** Whom it is for. */
  readonly destination: Mac
  /** Who sends it. */
  readonly source: Mac
  /** Outermost first. */
  readonly tags: readonly VlanTag[]
  /** EtherType; below 1536, the length of an IEEE 802.3 frame. */
  readonly type: number
  /** What is behind the type, with the padding of a short frame. A view of what was parsed. */
  readonly payload: Uint8Array
}

const CLAUSE = "IEEE 802.3 3.2"
const TAGS = "IEEE 802.1Q 9.3"

/** Is it the type of a tag? */
export const isTagType = (type: number): boolean => type === EtherType.VLAN || type === EtherType.SERVICE_VLAN

/** Reads a frame without its check sequence. All tags are read; a frame that ends inside them is none. */
export const parseEthernet = (bytes: Uint8Array): OverlayParsed<EthernetFrame> => {
  if (bytes.length < ETHERNET_HEADER) return endsEarly(bytes, "an Ethernet header", ETHERNET_HEADER, CLAUSE)
  const tags: VlanTag[] = []
  let at = 12
  let type = u16(bytes, at)
  while (isTagType(type)) {
    if (bytes.length < at + VLAN_TAG + 2) return endsEarly(bytes, "a tagged Ethernet header", at + VLAN_TAG + 2, TAGS)
    const control = u16(bytes, at + 2)
    tags.push({ type, priority: control >>> 13, dropEligible: (control & 0x1000) !== 0, id: control & 0xfff })
    at += VLAN_TAG
    type = u16(bytes, at)
  }
  return readAs({
    destination: readMac(bytes, 0),
    source: readMac(bytes, 6),
    tags,
    type,
    payload: bytes.subarray(at + 2),
  })
}

/** The octets of a frame; no padding is added, and no check sequence. */
export const encodeEthernet = (frame: EthernetFrame): Encoded => {
  const { destination, source, tags, type, payload } = frame
  const wide = tooWide([
    ["type", type, 16],
    ...tags.flatMap(({ priority, id }) => [["priority", priority, 3] as const, ["VLAN id", id, 12] as const]),
  ])
  if (wide !== undefined) return wide
  if (isTagType(type) || !tags.every((tag) => isTagType(tag.type)))
    return { ok: false, error: { code: "contradiction", text: "a tag has the type of a tag, and the payload has not" } }
  const header = new Uint8Array(ETHERNET_HEADER + VLAN_TAG * tags.length)
  writeMac(header, 0, destination)
  writeMac(header, 6, source)
  let at = 12
  for (const tag of tags) {
    putU16(header, at, tag.type)
    putU16(header, at + 2, (tag.priority << 13) | (tag.dropEligible ? 0x1000 : 0) | tag.id)
    at += VLAN_TAG
  }
  putU16(header, at, type)
  return { ok: true, bytes: joinOctets([header, payload]) }
}

/** A copy of a frame for another destination: what the DHCP proxy makes of a broadcast. The caller has checked that it is a frame. */
export const redirected = (bytes: Uint8Array, destination: Mac): Uint8Array => {
  const copy = sliceOctets(bytes)
  writeMac(copy, 0, destination)
  return copy
}
