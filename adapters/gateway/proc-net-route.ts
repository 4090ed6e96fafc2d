import { addressFromIpv4 } from "../../core/wire/index.ts"
import { type Gateway, gatewayOf, inOrder } from "./gateway.ts"
import { linesOf, wordsOf } from "./lines.ts"

/** Flags of `linux/route.h`. */
const RTF_UP = 0x1
const RTF_GATEWAY = 0x2
const RTF_REJECT = 0x200

const HEX = /^[0-9A-Fa-f]{1,8}$/
const WORD = /^[0-9A-Fa-f]{8}$/

/**
 * The IPv4 gateways of Linux's `/proc/net/route`, the smallest metric first: the main table, with a header and a line for each
 * route, `Iface Destination Gateway Flags RefCnt Use Metric Mask …`. The addresses are the words of memory in hex, so their
 * octets are in the order of the machine: `endian`.
 *
 * What the file doesn't show, and no reader of it can know: of a route over several next hops it has the first alone, and a
 * next hop that is IPv6 (RFC 5549) as 0. Text of any other form has no gateways.
 */
export const parseProcNetRoute = (text: string, endian: "little" | "big" = "little"): readonly Gateway[] =>
  inOrder(
    linesOf(text).flatMap((line) => {
      const [interfaceName, destination, gateway, flags, , , metric, mask] = wordsOf(line)
      if (mask === undefined || !WORD.test(destination) || !WORD.test(gateway) || !WORD.test(mask)) return []
      if (!HEX.test(flags) || !/^-?\d{1,10}$/.test(metric)) return []
      if (Number.parseInt(destination, 16) !== 0 || Number.parseInt(mask, 16) !== 0) return []
      const bits = Number.parseInt(flags, 16)
      if ((bits & (RTF_UP | RTF_GATEWAY | RTF_REJECT)) !== (RTF_UP | RTF_GATEWAY)) return []
      const value = Number.parseInt(gateway, 16)
      const found = gatewayOf({
        address: addressFromIpv4(endian === "little" ? swapped(value) : value),
        interfaceName,
        zone: undefined,
        // Older kernels print the unsigned metric as a signed number.
        metric: Number(metric) >>> 0,
      })
      return found === undefined ? [] : [found]
    }),
  )

/** The 32-bit value whose octets are those of `value` from behind. */
const swapped = (value: number): number =>
  ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0
