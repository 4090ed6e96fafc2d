import { type Encoded, putU32, u32 } from "../../wire/index.ts"
import { endsEarly, type OverlayParsed, readAs, tooWide, unread } from "../parsed.ts"

/** Octets of a VXLAN header. */
export const VXLAN_HEADER = 8
/** The UDP port of VXLAN (RFC 7348 section 8). */
export const VXLAN_PORT = 4789
/** The highest vnetid: 24 bits. */
export const MAX_VNETID = 0xffffff

/** VXLAN (RFC 7348 section 5): flags 1 | reserved 3 | vnetid 3 | reserved 1 | Ethernet frame. */
export interface VxlanPacket {
  /** The VXLAN network identifier, 24 bits. */
  readonly vnetid: number
  /** The frame inside, without its check sequence. A view of what was parsed. */
  readonly frame: Uint8Array
  /**
   * The header's other bits, 0 in what is sent and ignored in what is received: flags but for I (7 bits around it), 24 bits, 8 bits. Left
   * out: all 0.
   */
  readonly reserved?: { readonly flags: number; readonly middle: number; readonly last: number }
}

const CLAUSE = "RFC 7348 5"
const I_FLAG = 0x08

/**
 * Reads the payload of a UDP datagram: fewer than 8 octets, or the I flag clear, is no VXLAN (the reference's EINVAL). What is inside may
 * be anything.
 */
export const parseVxlan = (bytes: Uint8Array): OverlayParsed<VxlanPacket> => {
  if (bytes.length < VXLAN_HEADER) return endsEarly(bytes, "a VXLAN header", VXLAN_HEADER, CLAUSE)
  if ((bytes[0] & I_FLAG) === 0) return unread("value", 0, CLAUSE, "the flag I is clear: there is no valid vnetid")
  const [first, second] = [u32(bytes, 0), u32(bytes, 4)]
  const vnetid = second >>> 8
  const frame = bytes.subarray(VXLAN_HEADER)
  const [flags, middle, last] = [(first >>> 24) & ~I_FLAG, first & 0xffffff, second & 0xff]
  return readAs(
    flags === 0 && middle === 0 && last === 0
      ? { vnetid, frame }
      : { vnetid, frame, reserved: { flags, middle, last } },
  )
}

/**
 * A frame behind a VXLAN header. `memory`: where it is written, if it fits; what is given back is then a view of it, good until it is used
 * again. Left out, or too small: new octets.
 */
export const encodeVxlan = ({ vnetid, frame, reserved }: VxlanPacket, memory?: Uint8Array): Encoded => {
  const { flags, middle, last } = reserved ?? NOTHING
  // Most packets are as they are to be: no list of their fields is made.
  if (reserved !== undefined || !Number.isInteger(vnetid) || vnetid < 0 || vnetid > MAX_VNETID) {
    const wide = tooWide([
      ["vnetid", vnetid, 24],
      ["reserved flags", flags, 8],
      ["reserved", middle, 24],
      ["reserved", last, 8],
    ])
    if (wide !== undefined) return wide
  }
  const size = VXLAN_HEADER + frame.length
  const bytes = memory === undefined || memory.length < size ? new Uint8Array(size) : memory.subarray(0, size)
  putU32(bytes, 0, ((I_FLAG | flags) << 24) | middle)
  putU32(bytes, 4, (vnetid << 8) | last)
  bytes.set(frame, VXLAN_HEADER)
  return { ok: true, bytes }
}

const NOTHING = { flags: 0, middle: 0, last: 0 } as const
