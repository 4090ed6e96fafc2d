import type { PortRange } from "../../core/cgn/index.ts"
import { LITTLE } from "./netlink.ts"

/**
 * Which events of connections a socket hears, as a program of the kernel's socket filters (linux/filter.h): not those of connections
 * whose port the kernel chose, which are nearly all of a router's. It hears of connections that came to another destination
 * than they were sent to, and of those whose answers go to a port outside `chosen`.
 */
export interface EventFilter {
  /** Ports that the kernel chooses. */
  readonly chosen: PortRange
  /** All ends of connections are heard, whatever their ports. */
  readonly allEnded: boolean
}

type Label = "accept" | "drop" | "ports"
interface Instruction {
  readonly code: number
  readonly k: number
  /** Where to go on if it holds, and if not; left out: behind it. */
  readonly holds?: Label
  readonly else?: Label
  /** What this place is called. */
  readonly label?: Label
}

const [LOAD, LOAD_X, LOAD_HALF, TO_X] = [0x00, 0x01, 0x28, 0x07]
/** Octets that lie `k` behind X. */
const [LOAD_WORD_AT, LOAD_HALF_AT] = [0x40, 0x48]
const [EQUAL, AT_LEAST, MORE, HAS_BITS] = [0x15, 0x35, 0x25, 0x45]
const RETURN = 0x06
const LOAD_EXTENSION = 0x20
/** SKF_AD_OFF + SKF_AD_NLATTR and SKF_AD_NLATTR_NEST: the first attribute of the type in X from A on, or in the one at A; or 0. */
const [ATTRIBUTE, NESTED] = [0xfffff00c, 0xfffff010]

/** Where the attributes of a message begin, and its type lies. */
const [ATTRIBUTES, TYPE] = [20, 4]
const DELETE = LITTLE ? 0x0201 : 0x0102
const [CTA_TUPLE_REPLY, CTA_STATUS, CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT] = [2, 3, 2, 3]
const IPS_DST_NAT = 0x20
/** Octets of an attribute's header. */
const HEADER = 4

const program = ({ chosen, allEnded }: EventFilter): readonly Instruction[] => [
  { code: LOAD_HALF, k: TYPE },
  ...(allEnded ? [{ code: EQUAL, k: DELETE, holds: "accept" } as const] : []),
  { code: LOAD, k: ATTRIBUTES },
  { code: LOAD_X, k: CTA_STATUS },
  { code: LOAD_EXTENSION, k: ATTRIBUTE },
  { code: EQUAL, k: 0, holds: "ports" },
  { code: TO_X, k: 0 },
  { code: LOAD_WORD_AT, k: HEADER },
  { code: HAS_BITS, k: IPS_DST_NAT, holds: "accept" },
  { code: LOAD, k: ATTRIBUTES, label: "ports" },
  { code: LOAD_X, k: CTA_TUPLE_REPLY },
  { code: LOAD_EXTENSION, k: ATTRIBUTE },
  { code: EQUAL, k: 0, holds: "drop" },
  { code: LOAD_X, k: CTA_TUPLE_PROTO },
  { code: LOAD_EXTENSION, k: NESTED },
  { code: EQUAL, k: 0, holds: "drop" },
  { code: LOAD_X, k: CTA_PROTO_DST_PORT },
  { code: LOAD_EXTENSION, k: NESTED },
  { code: EQUAL, k: 0, holds: "drop" },
  { code: TO_X, k: 0 },
  { code: LOAD_HALF_AT, k: HEADER },
  { code: AT_LEAST, k: chosen.first, else: "accept" },
  { code: MORE, k: chosen.last, holds: "accept" },
  { code: RETURN, k: 0, label: "drop" },
  { code: RETURN, k: 0xffffffff, label: "accept" },
]

/** The program as an array of struct sock_filter: code of 16 bits, how many to leave out if it holds and if not, and k of 32. */
export const filterOctets = (filter: EventFilter): Uint8Array => {
  const instructions = program(filter)
  const view = new DataView(new ArrayBuffer(instructions.length * 8))
  const skip = (from: number, label: Label | undefined): number =>
    label === undefined ? 0 : instructions.findIndex((one) => one.label === label) - from - 1
  for (const [i, { code, k, holds, else: other }] of instructions.entries()) {
    view.setUint16(i * 8, code, LITTLE)
    view.setUint8(i * 8 + 2, skip(i, holds))
    view.setUint8(i * 8 + 3, skip(i, other))
    view.setUint32(i * 8 + 4, k, LITTLE)
  }
  return new Uint8Array(view.buffer)
}
