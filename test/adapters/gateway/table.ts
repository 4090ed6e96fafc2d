import fc from "fast-check"
import { type Address, addressFromIpv4, addressFromWords, formatAddress } from "../../../core/wire/index.ts"

/** One route of a made-up routing table, of which each system prints what it can. */
export interface TableRoute {
  readonly family: 4 | 6
  /** Octets of the destination and its length; 0 is the default route. */
  readonly length: number
  readonly destination: Address
  /** Where it goes: to a router, to the link itself, or nowhere. */
  readonly to: "router" | "link" | "reject"
  readonly router: Address
  readonly interface: { readonly name: string; readonly index: number }
  readonly metric: number
  /** macOS: it holds for who asks for this interface. */
  readonly scoped: boolean
}

export type Table = readonly TableRoute[]

const u32 = fc.nat(0xffffffff)
const some4 = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(0xffffff))
  .filter(([first]) => first !== 127)
  .map(([first, rest]) => addressFromIpv4(first * 0x1000000 + rest))
/** Now and then the same router again. */
const ipv4 = fc.oneof(
  { weight: 2, arbitrary: some4 },
  { weight: 1, arbitrary: fc.constant(addressFromIpv4(0xc0000201)) },
)
const word = fc.oneof(fc.constantFrom(0, 1, 0x10000, 0xffff0000), u32)
const global6 = fc
  .tuple(fc.nat(0x1fffffff), word, word, word)
  .map(([a, b, c, d]) => addressFromWords(0x20000000 + a, b, c, d))
const linkLocal6 = fc
  .tuple(word, word)
  .filter(([c, d]) => c !== 0 || d !== 0)
  .map(([c, d]) => addressFromWords(0xfe800000, 0, c, d))

/** Interfaces of one machine: no name begins another, as `en1` does `en10`, which cut columns would mix up. */
const INTERFACES = ["en0", "wlp4s0", "utun3", "bridge100", "vlan7", "em1"].map((name, at) => ({ name, index: at + 3 }))

const route = fc.record({
  family: fc.constantFrom(4 as const, 6 as const),
  length: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 8, 24, 32) }),
  to: fc.oneof(
    { weight: 4, arbitrary: fc.constant("router" as const) },
    { weight: 1, arbitrary: fc.constantFrom("link" as const, "reject" as const) },
  ),
  four: ipv4,
  six: fc.oneof(global6, linkLocal6),
  high: fc.boolean(),
  interface: fc.constantFrom(...INTERFACES),
  metric: fc.oneof(fc.nat(3), fc.nat(0xfffffffe)),
  scoped: fc.boolean(),
})

/** Tables in no order, with the halves of VPNs and the same router twice. */
export const table: fc.Arbitrary<Table> = fc.array(
  route.map(({ family, length, to, four, six, high, interface: at, metric, scoped }): TableRoute => {
    // The upper half of all addresses, or the lower.
    const top = length > 0 && high ? 0x80000000 : 0
    const destination = family === 4 ? addressFromIpv4(top) : addressFromWords(top, 0, 0, 0)
    return { family, length, destination, to, router: family === 4 ? four : six, interface: at, metric, scoped }
  }),
  { maxLength: 12 },
)

/** How one system shows a gateway of the table. */
export interface View {
  readonly name: (route: TableRoute) => string
  readonly zone: (route: TableRoute) => string
  readonly metric: (route: TableRoute) => number
}

const isLinkLocal = ({ family, router }: TableRoute): boolean =>
  family === 6 && formatAddress(router).startsWith("fe80:")

/** The gateways in lines as `show` prints them: from the table itself, by what each route is, in the order of the family and metric. */
export const expected = (routes: Table, view: View): readonly string[] => {
  const wanted = routes.filter(({ length, to }) => length === 0 && to === "router")
  const lines = ([4, 6] as const).flatMap((family) =>
    wanted
      .filter((one) => one.family === family)
      .toSorted((one, other) => view.metric(one) - view.metric(other))
      .map((one) => {
        const zone = isLinkLocal(one) ? `%${view.zone(one)}` : ""
        return [`${formatAddress(one.router)}${zone} on ${view.name(one)}`, view.metric(one)] as const
      }),
  )
  const first = new Map(lines.toReversed())
  const seen = new Set<string>()
  return lines.flatMap(([line]) => {
    if (seen.has(line)) return []
    seen.add(line)
    return [`${line}, ${first.get(line)}`]
  })
}
