import { addressFromWords, isIpv4 } from "../../core/wire/index.ts"
import { type Gateway, gatewayOf, inOrder } from "./gateway.ts"
import { linesOf, wordsOf } from "./lines.ts"

/** Flags of `linux/route.h` and `linux/ipv6_route.h`. */
const RTF_UP = 0x1
const RTF_GATEWAY = 0x2
const RTF_REJECT = 0x200
/** A route that the kernel made for one destination out of another. */
const RTF_CACHE = 0x01000000

/** Where the flags have the preference of a router advertisement: medium, high, reserved for medium, low (RFC 4191 section 2.1). */
const PREFERENCE_SHIFT = 27
const RANKS = [1, 0, 1, 2]

const ADDRESS = /^[0-9A-Fa-f]{32}$/
const WORD = /^[0-9A-Fa-f]{8}$/

/**
 * The IPv6 gateways of Linux's `/proc/net/ipv6_route`, the smallest metric first, and of equal metrics the router that prefers
 * itself more (RFC 4191). A line for each route, all numbers hex: destination, its prefix length, source, its prefix length, next
 * hop, metric, two counts, flags, interface. Each next hop of several has its own line, unless it is one of a nexthop object.
 *
 * Routes for some sources only are left out, as are those that refuse, among them the one on `lo` that stands where there is no
 * other. The kernel lists the routes of all its tables here and doesn't say which: where policies route by other tables, their
 * gateways are found as well. Text of any other form has no gateways.
 */
export const parseProcNetIpv6Route = (text: string): readonly Gateway[] =>
  inOrder(
    linesOf(text)
      .flatMap((line) => {
        const [destination, length, source, sourceLength, nextHop, metric, , , flags, interfaceName] = wordsOf(line)
        if (interfaceName === undefined || length !== "00" || sourceLength !== "00") return []
        if (!isZero(destination) || !isZero(source) || !ADDRESS.test(nextHop)) return []
        if (!WORD.test(metric) || !WORD.test(flags)) return []
        const bits = Number.parseInt(flags, 16)
        if ((bits & (RTF_UP | RTF_GATEWAY | RTF_REJECT | RTF_CACHE)) !== (RTF_UP | RTF_GATEWAY)) return []
        const word = (at: number): number => Number.parseInt(nextHop.slice(at, at + 8), 16)
        const address = addressFromWords(word(0), word(8), word(16), word(24))
        const found = gatewayOf({ address, interfaceName, zone: interfaceName, metric: Number.parseInt(metric, 16) })
        return found === undefined || isIpv4(address) ? [] : [{ found, rank: RANKS[(bits >>> PREFERENCE_SHIFT) & 3] }]
      })
      .sort((one, other) => one.rank - other.rank)
      .map(({ found }) => found),
  )

const isZero = (hex: string): boolean => ADDRESS.test(hex) && /^0+$/.test(hex)
