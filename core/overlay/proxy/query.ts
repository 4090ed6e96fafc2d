import { u16 } from "../../wire/index.ts"
import { ETHERNET_HEADER, EtherType, isTagType, VLAN_TAG } from "../frame/ethernet.ts"
import { type Mac, readMac } from "../mac.ts"

/** What is known of a frame whose destination is looked up: `overlay_targ_lookup`. */
export interface FrameQuery {
  /** Octets of the Ethernet header, 14 or 18 with a VLAN tag. */
  readonly headerSize: number
  /** Octets behind it. */
  readonly packetSize: number
  /** Who sends it. */
  readonly source: Mac
  /** Whose place is looked up. */
  readonly destination: Mac
  /** The EtherType of what it carries. */
  readonly etherType: number
  /** The VLAN; 0 for none. */
  readonly vlan: number
}

/** Octets of the reference's packet buffer: the largest Ethernet frame, 1514, and a VLAN tag. */
export const LARGEST_FRAME = 1518

/** What is asked about a frame; `undefined`: it is none. Of several tags only the outer one counts as header, as for the kernel. */
export const queryOf = (frame: Uint8Array): FrameQuery | undefined => {
  if (frame.length < ETHERNET_HEADER) return undefined
  const isTagged = isTagType(u16(frame, 12))
  const headerSize = isTagged ? ETHERNET_HEADER + VLAN_TAG : ETHERNET_HEADER
  if (frame.length < headerSize) return undefined
  return {
    headerSize,
    packetSize: frame.length - headerSize,
    source: readMac(frame, 6),
    destination: readMac(frame, 0),
    etherType: u16(frame, headerSize - 2),
    vlan: isTagged ? u16(frame, 14) & 0xfff : 0,
  }
}

/** Do the sizes that are said fit the buffer, with so many octets behind the header at least? */
export const fitsBuffer = ({ headerSize, packetSize }: FrameQuery, least: number): boolean =>
  headerSize + packetSize <= LARGEST_FRAME && packetSize >= least && headerSize >= ETHERNET_HEADER

/** Is it of this type? */
export const isOfType = ({ etherType }: FrameQuery, type: keyof typeof EtherType): boolean =>
  etherType === EtherType[type]
