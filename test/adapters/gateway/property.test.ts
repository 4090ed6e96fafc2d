import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  parseNetstat,
  parsePowershell,
  parseProcNetIpv6Route,
  parseProcNetRoute,
  parseRouteGet,
  parseRoutePrint,
} from "../../../adapters/gateway/index.ts"
import { isAny, isIpv4, isLoopback, isMulticast } from "../../../core/wire/index.ts"
import { languages, netstat, powershell, priority, procRoute, procRoute6, routeGet, routePrint } from "./print.ts"
import { PARSERS, RECORDINGS } from "./recorded.ts"
import { show } from "./show.ts"
import { expected, type Table, table, type View } from "./table.ts"

const byName: View = {
  name: (route) => route.interface.name,
  zone: (route) => route.interface.name,
  metric: ({ metric }) => metric,
}
const four = (routes: Table): Table => routes.filter(({ family }) => family === 4)
const six = (routes: Table): Table => routes.filter(({ family }) => family === 6)

describe("a routing table that is printed and read again has its gateways", () => {
  test("as Linux prints it, on machines of either order of octets", () => {
    fc.assert(
      fc.property(table, fc.constantFrom("little" as const, "big" as const), (routes, endian) => {
        assert.deepEqual(parseProcNetRoute(procRoute(routes, endian), endian).map(show), expected(four(routes), byName))
        assert.deepEqual(parseProcNetIpv6Route(procRoute6(routes)).map(show), expected(six(routes), byName))
      }),
    )
  })

  for (const system of ["macos", "freebsd", "openbsd", "netbsd"] as const) {
    const metric: View["metric"] =
      system === "openbsd" ? priority : ({ scoped }) => (system === "macos" && scoped ? 1 : 0)
    test(`as netstat prints it on ${system}`, () => {
      fc.assert(
        fc.property(table, (routes) => {
          assert.deepEqual(parseNetstat(netstat(routes, system)).map(show), expected(routes, { ...byName, metric }))
        }),
      )
    })
  }

  test("as route get prints the one that it found", () => {
    fc.assert(
      fc.property(table, (routes) => {
        for (const route of routes)
          assert.deepEqual(parseRouteGet(routeGet(route)).map(show), expected([route], { ...byName, metric: () => 0 }))
      }),
    )
  })

  test("as route print prints it in any language, whatever is persistent", () => {
    const view: View = { name: () => "?", zone: (route) => `${route.interface.index}`, metric: ({ metric }) => metric }
    fc.assert(
      fc.property(table, table, fc.constantFrom(...languages), (routes, kept, language) => {
        assert.deepEqual(parseRoutePrint(routePrint(routes, kept, language)).map(show), expected(routes, view))
      }),
    )
  })

  test("as PowerShell gives it", () => {
    const view: View = {
      name: (route) => `Verbindung ${route.interface.name}`,
      zone: (route) => `${route.interface.index}`,
      metric: ({ metric }) => metric,
    }
    fc.assert(
      fc.property(table, (routes) => {
        assert.deepEqual(parsePowershell(powershell(routes)).map(show), expected(routes, view))
      }),
    )
  })
})

/** What holds of the gateways in any text at all. */
const holds = (text: string): void => {
  for (const parse of Object.values(PARSERS)) {
    const gateways = parse(text)
    for (const { address, zone, metric } of gateways) {
      assert.ok(!isAny(address) && !isMulticast(address) && !isLoopback(address))
      assert.ok(Number.isSafeInteger(metric) && metric >= 0)
      // RFC 4007: a zone for a link-local address, and for no other.
      const linkLocal = !isIpv4(address) && address.charCodeAt(0) >>> 6 === 0xfe80 >>> 6
      assert.equal(zone !== undefined && zone !== "", linkLocal)
    }
    assert.equal(new Set(gateways.map((gateway) => show(gateway).replace(/, \d+$/, ""))).size, gateways.length)
    assert.deepEqual(parse(text), gateways)
  }
}

describe("any text is read without a throw", () => {
  test("random text has no gateways", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        for (const parse of Object.values(PARSERS)) assert.deepEqual(parse(text), [])
      }),
    )
  })

  test("JSON of any kind has none", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.deepEqual(parsePowershell(text), [])
      }),
    )
  })

  test("words of the formats in any order make good gateways, or none", () => {
    const words = fc.constantFrom(
      ...RECORDINGS.flatMap(({ text }) => text.split(/[ \t]+/)).filter((word) => word.length < 80),
      ...["\n", "default", "Internet6:\n", "::/0", "0.0.0.0", "UG", "%", "fe80::%", "1%2%3", "-1", "1e9", "__proto__"],
    )
    fc.assert(fc.property(fc.array(words, { maxLength: 60 }), (list) => holds(list.join(" "))))
  })

  test("recordings with pieces cut out, doubled, and put in elsewhere make good gateways, or none", () => {
    const whole = fc.constantFrom(...RECORDINGS.map(({ text }) => text))
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(60),
      put: fc.string({ maxLength: 8 }),
    })
    fc.assert(
      fc.property(whole, whole, fc.array(edit, { minLength: 1, maxLength: 8 }), (text, other, edits) => {
        const changed = edits.reduce((now, { at, cut, put }) => {
          const from = Math.floor(at * now.length)
          const piece = put.length > 6 ? other.slice(from, from + cut) : put
          return now.slice(0, from) + piece + now.slice(from + cut)
        }, text)
        holds(changed)
      }),
    )
  })

  test("a listing of a megabyte is read like any", () => {
    const row = "default            192.0.2.1          UGS         em0\n"
    const heading = "Internet:\nDestination        Gateway            Flags     Netif Expire\n"
    assert.deepEqual(parseNetstat(heading + row.repeat(20000)).map(show), ["192.0.2.1 on em0, 0"])
    for (const parse of Object.values(PARSERS)) {
      assert.deepEqual(parse(" ".repeat(1_000_000)), [])
      assert.deepEqual(parse("a".repeat(1_000_000)), [])
      assert.deepEqual(parse("[".repeat(1_000_000)), [])
      assert.deepEqual(parse(`a:${" ".repeat(100_000)}`.repeat(10)), [])
    }
  })
})
