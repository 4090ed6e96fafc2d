import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { parseProcNetIpv6Route, parseProcNetRoute } from "../../../adapters/gateway/index.ts"
import { type IpRoute, look, missing, type Seen } from "./namespace.ts"
import { show } from "./show.ts"

const reason = missing()

/** What `ip` says of the default routes that lead to a gateway, in lines as `show` prints them; in no order. */
const byIp = (routes: readonly IpRoute[], hopsOf: (route: IpRoute) => readonly Pick<IpRoute, "gateway" | "dev">[]) =>
  routes
    .filter(({ dst, type, from }) => dst === "default" && type === undefined && from === undefined)
    .flatMap((route) =>
      hopsOf(route).flatMap(({ gateway, dev }) => {
        if (gateway === undefined) return []
        const zone = gateway.startsWith("fe80:") ? `%${dev}` : ""
        return [`${gateway}${zone} on ${dev}, ${route.metric ?? 0}`]
      }),
    )
    .toSorted()

/** Of IPv4 the file has the first next hop alone. */
const first4 = (route: IpRoute) => (route.nexthops ?? [route]).slice(0, 1)
/** Of IPv6 it has all, but of a nexthop object the first. */
const all6 = (route: IpRoute) => (route.nhid === undefined ? (route.nexthops ?? [route]) : first4(route))

const agrees = (seen: Seen): readonly [readonly string[], readonly string[]] => {
  const [four, six] = [parseProcNetRoute(seen.route).map(show), parseProcNetIpv6Route(seen.route6).map(show)]
  assert.deepEqual(four.toSorted(), byIp(seen.ip, first4))
  assert.deepEqual(six.toSorted(), byIp(seen.ip6, all6))
  return [four, six]
}

describe("the kernel's own files, held to what ip says", { skip: reason ?? false }, () => {
  test("no default route at all", () => {
    assert.deepEqual(agrees(look([])), [[], []])
  })

  test("two defaults with metrics, on two interfaces: the smaller metric first", () => {
    const seen = look([
      "route add default via 192.0.2.1 dev v0 metric 100",
      "route add default via 198.51.100.1 dev w0 metric 50",
      "-6 route add default via fe80::1 dev v0 metric 100",
      "-6 route add default via fe80::1 dev w0 metric 51",
      "-6 route add default via 2001:db8:2::1 dev w0 metric 50",
    ])
    assert.deepEqual(agrees(seen), [
      ["198.51.100.1 on w0, 50", "192.0.2.1 on v0, 100"],
      ["2001:db8:2::1 on w0, 50", "fe80::1%w0 on w0, 51", "fe80::1%v0 on v0, 100"],
    ])
  })

  test("defaults that refuse or have no gateway are none", () => {
    const kinds = ["blackhole", "unreachable", "prohibit", "throw"]
    const seen = look([
      ...kinds.flatMap((kind, at) => [
        `route add ${kind} default metric ${20 + at}`,
        `-6 route add ${kind} default metric ${20 + at}`,
      ]),
      "route add default dev w0 metric 24",
      "-6 route add default dev w0 metric 24",
      "route add default via 203.0.113.9 dev v0 onlink metric 25",
    ])
    assert.deepEqual(agrees(seen), [["203.0.113.9 on v0, 25"], []])
  })

  test("halves of a VPN, nets and sources are no default routes", () => {
    const seen = look([
      "route add 0.0.0.0/1 via 192.0.2.9",
      "route add 128.0.0.0/1 via 192.0.2.9",
      "route add 203.0.113.0/24 via 192.0.2.9",
      "-6 route add ::/1 via fe80::9 dev v0",
      "-6 route add 8000::/1 via fe80::9 dev v0",
      "-6 route add 2000::/3 via fe80::9 dev v0",
      "-6 route add default from 2001:db8:1::/64 via fe80::9 dev v0",
    ])
    assert.deepEqual(agrees(seen), [[], []])
  })

  test("several next hops of one default: all of IPv6, of IPv4 the first", () => {
    const seen = look([
      "route add default metric 30 nexthop via 192.0.2.7 dev v0 weight 1 nexthop via 198.51.100.7 dev w0 weight 2",
      "-6 route add default metric 30 nexthop via fe80::5 dev v0 nexthop via 2001:db8:2::5 dev w0",
    ])
    assert.deepEqual(agrees(seen), [["192.0.2.7 on v0, 30"], ["fe80::5%v0 on v0, 30", "2001:db8:2::5 on w0, 30"]])
  })

  test("groups of nexthop objects: the first of each family", () => {
    const seen = look([
      "nexthop add id 1 via 192.0.2.11 dev v0",
      "nexthop add id 2 via 198.51.100.11 dev w0",
      "nexthop add id 10 group 1/2",
      "nexthop add id 3 via fe80::11 dev v0",
      "nexthop add id 4 via fe80::11 dev w0",
      "nexthop add id 11 group 3/4",
      "nexthop add id 12 blackhole",
      "-6 nexthop add id 13 blackhole",
      "route add default nhid 10 metric 60",
      "-6 route add default nhid 11 metric 60",
      "route add default nhid 12 metric 61",
      "-6 route add default nhid 13 metric 61",
    ])
    assert.deepEqual(agrees(seen), [["192.0.2.11 on v0, 60"], ["fe80::11%v0 on v0, 60"]])
  })

  test("an IPv4 default by an IPv6 next hop has a gateway that the file can't show (RFC 5549)", () => {
    const seen = look(["-4 route add default via inet6 fe80::9 dev v0 metric 26"])
    assert.match(seen.route, /^v0\t00000000\t00000000\t0003\t/m)
    assert.deepEqual(agrees(seen), [[], []])
  })

  test("the largest metric there is", () => {
    const seen = look([
      "route add default via 192.0.2.1 metric 4294967295",
      "-6 route add default via 2001:db8:1::1 metric 4294967295",
    ])
    assert.deepEqual(agrees(seen), [["192.0.2.1 on v0, 4294967295"], ["2001:db8:1::1 on v0, 4294967295"]])
  })

  test("defaults of other tables: none of IPv4's, all of IPv6's, as the file doesn't tell them apart", () => {
    const seen = look([
      "route add default via 192.0.2.99 table 100",
      "-6 route add default via fe80::99 dev v0 table 100",
      "-6 route add default via fe80::1 dev v0 metric 2000",
    ])
    assert.deepEqual(agrees(seen), [[], ["fe80::99%v0 on v0, 1024", "fe80::1%v0 on v0, 2000"]])
  })
})
