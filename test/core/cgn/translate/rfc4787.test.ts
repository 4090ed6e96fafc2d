/** Requirements of RFC 4787 (UDP) that no other test is about. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type CgnSettings, memoryCgn, translate } from "../../../../core/cgn/index.ts"
import { inet, ip4, udp } from "../packet/build.ts"
import { address, cgnWith, lines } from "../scene.ts"
import {
  EXTERNAL,
  echo4,
  ends,
  error4,
  HOST,
  isPacket,
  network,
  REMOTE,
  reason,
  STRANGER,
  SYN,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"

type Translation = NonNullable<CgnSettings["translation"]>
const cgnOf = (translation: Translation, settings: Partial<CgnSettings> = {}) =>
  network(cgnWith({ ...settings, translation }))

/** The external end of one UDP packet of a host's. */
const endOf = (cgn: ReturnType<typeof network>, source: string, port: number, remote = REMOTE, now = 0) =>
  sourceOf(sent(cgn.out(udp4(ends(source, port, remote, 53)), now), "outside"))

const STRATEGIES = ["random", "preserve", "parity"] as const

describe("ports", () => {
  test("NAT-4787-REQ-3: no two internal ends share an external one, whatever ports the settings like", () => {
    for (const ports of STRATEGIES) {
      const cgn = cgnOf({ ports }, { ports: { first: 2000, last: 2099 } })
      const seen = new Map<string, string>()
      for (let n = 0; n < 100; n++) {
        // Ten hosts with the same ten ports, all to one remote end: what overloading would share.
        const source = `10.0.0.${(n % 10) + 1}`
        const port = 5000 + Math.floor(n / 10)
        const end = JSON.stringify(endOf(cgn, source, port))
        assert.equal(seen.get(end), undefined, `${ports}: ${source}:${port} has the end of ${seen.get(end)}`)
        seen.set(end, `${source}:${port}`)
      }
      // All are taken: another is refused rather than put on top of one.
      assert.equal(reason(cgn.out(udp4(ends("10.0.0.77", 1, REMOTE, 53)))), "no-resources")
    }
  })

  test("NAT-4787-REQ-3a: a port below 1024 gets one below it, one above another above, while there are any", () => {
    for (const ports of STRATEGIES) {
      const cgn = cgnOf({ ports }, { ports: { first: 1000, last: 1100 } })
      for (const port of [1, 7, 53, 500, 999, 1000, 1023]) {
        const got = endOf(cgn, "10.0.0.1", port).port
        assert.ok(got < 1024, `${ports}: ${port} became ${got}`)
      }
      for (const port of [1024, 1050, 5000, 65535]) {
        const got = endOf(cgn, "10.0.0.2", port).port
        assert.ok(got >= 1024, `${ports}: ${port} became ${got}`)
      }
      // Of the 24 below 1024 there are 17 left; then they are had from above.
      const low = Array.from({ length: 30 }, (_, i) => endOf(cgn, "10.0.0.3", 100 + i).port)
      assert.equal(low.filter((port) => port < 1024).length, 17, `${ports}: ${low}`)
      assert.equal(new Set(low).size, 30)
    }
  })

  test("NAT-4787-REQ-4, NAT-7857-8: with parity as set, even ports stay even and odd ones odd, for UDP's sake and TCP's alike", () => {
    const cgn = cgnOf({ ports: "parity" })
    for (let port = 1; port < 300; port += 1) {
      assert.equal(endOf(cgn, HOST, port).port % 2, port % 2)
      const tcp = sourceOf(sent(cgn.out(tcp4(ends(HOST, port, REMOTE, 80), SYN)), "outside"))
      assert.equal(tcp.port % 2, port % 2)
    }
  })

  test("NAT-4787-REQ-4: parity holds on both sides of 1024, and gives way when no port of it is left", () => {
    const cgn = cgnOf({ ports: "parity" }, { ports: { first: 1020, last: 1027 } })
    const got = [1, 3, 2000, 2002, 5, 7].map((port) => endOf(cgn, HOST, port).port)
    assert.deepEqual(got.slice(0, 2).sort(), [1021, 1023])
    assert.deepEqual(got.slice(2, 4).sort(), [1024, 1026])
    assert.deepEqual(got.slice(4).sort(), [1020, 1022])
  })
})

test("NAT-4787-REQ-14: fragments that say DF, each of which fits, make a packet that goes on in fragments", () => {
  const at = ends(HOST, 5000, REMOTE, 53)
  const data = Array.from({ length: 2000 }, (_, i) => i & 255)
  const whole = udp(at, data)
  const cgn = cgnOf({})
  cgn.out(ip4({ ...at, protocol: 17, flags: 3 }, whole.subarray(0, 1480)))
  const out = cgn.out(ip4({ ...at, protocol: 17, flags: 2, offset: 185 }, whole.subarray(1480)))
  assert.ok(out.kind === "forwarded", JSON.stringify(out))
  assert.deepEqual(
    out.packets.map((packet) => [packet.length <= 1500, packet[6] & 0x40, inet(packet.subarray(0, 20))]),
    [
      [true, 0, 0],
      [true, 0, 0],
    ],
  )
  const joined = out.packets.flatMap((packet) => [...packet.subarray(20)])
  assert.deepEqual(joined, [...udp(ends(EXTERNAL, (joined[0] << 8) | joined[1], REMOTE, 53), data)])
})

test("NAT-4787-REQ-9, NAT-4787-REQ-9a: two hosts that know each other's external ends meet, whatever filters are set", () => {
  for (const filtering of ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const) {
    const cgn = cgnOf({ filtering })
    const one = endOf(cgn, "10.0.0.1", 5000)
    const two = endOf(cgn, "10.0.0.2", 6000)
    const begun = cgn.state
    // The first knocks in vain where packets are filtered, but has opened its own side, as through two NATs.
    const knock = cgn.out(udp4(ends("10.0.0.1", 5000, EXTERNAL, two.port)))
    assert.equal(knock.kind, filtering === "endpoint-independent" ? "forwarded" : "dropped")
    isPacket(
      sent(cgn.out(udp4(ends("10.0.0.2", 6000, EXTERNAL, one.port))), "inside"),
      udp4(ends(EXTERNAL, two.port, "10.0.0.1", 5000), 63),
    )
    isPacket(
      sent(cgn.out(udp4(ends("10.0.0.1", 5000, EXTERNAL, two.port))), "inside"),
      udp4(ends(EXTERNAL, one.port, "10.0.0.2", 6000), 63),
    )
    // What a filtered packet changed is in its changes, as everything is.
    const changes = cgn.changes()
    assert.deepEqual(lines(memoryCgn.apply(cgnWith({ translation: { filtering } }), changes)), lines(cgn.state))
    assert.equal(
      translate(begun, { bytes: udp4(ends("10.0.0.2", 6000, EXTERNAL, one.port)), now: 0, side: "inside" }).out.kind,
      knock.kind,
    )
  }
})

describe("deterministic behaviour", () => {
  test("NAT-4787-REQ-11: when a port that would be preserved is taken, mapping and filtering stay what they were", () => {
    for (const filtering of ["endpoint-independent", "address-dependent"] as const) {
      const cgn = cgnOf({ ports: "preserve", filtering })
      const hosts = ["10.0.0.1", "10.0.0.2"]
      const of = hosts.map((source) => endOf(cgn, source, 5000))
      assert.notEqual(of[0].port, of[1].port)
      for (const [i, source] of hosts.entries()) {
        // RFC 4787 section 4.1: endpoint-independent still, for the one whose port was taken as well.
        for (const remote of [STRANGER, "192.0.2.200"]) assert.deepEqual(endOf(cgn, source, 5000, remote), of[i])
        const fromNobody = cgn.in(udp4(ends("192.0.2.250", 9, EXTERNAL, of[i].port)))
        assert.equal(fromNobody.kind, filtering === "endpoint-independent" ? "forwarded" : "dropped")
        sent(cgn.in(udp4(ends(REMOTE, 9, EXTERNAL, of[i].port))), "inside")
      }
    }
  })

  test("NAT-4787-REQ-11: with its ports nearly all taken, and when one ran out and came again, it maps as before", () => {
    const cgn = cgnOf({}, { ports: { first: 2000, last: 2007 } })
    const own = endOf(cgn, HOST, 5000)
    for (let n = 0; n < 7; n++) endOf(cgn, `10.0.1.${n}`, 5000)
    assert.equal(reason(cgn.out(udp4(ends("10.0.1.9", 5000, REMOTE, 53)))), "no-resources")
    assert.deepEqual(endOf(cgn, HOST, 5000, STRANGER), own)
    isPacket(
      sent(cgn.in(udp4(ends("192.0.2.250", 9, EXTERNAL, own.port))), "inside"),
      udp4(ends("192.0.2.250", 9, HOST, 5000), 63),
    )
    cgn.expire(300_000)
    const again = endOf(cgn, HOST, 5000, REMOTE, 300_000)
    assert.deepEqual(endOf(cgn, HOST, 5000, STRANGER, 300_000), again)
    sent(cgn.in(udp4(ends("192.0.2.250", 9, EXTERNAL, again.port)), 300_000), "inside")
  })

  test("NAT-4787-REQ-11: two CGNs of the same settings do the same to the same packets", () => {
    const run = () => {
      const cgn = cgnOf({ ports: "parity" })
      return Array.from({ length: 50 }, (_, n) => endOf(cgn, `10.0.0.${n + 1}`, 5000 + (n % 7)))
    }
    assert.deepEqual(run(), run())
  })
})

describe("ICMP and UDP's mappings", () => {
  /** Every ICMP error that there is to a mapping of UDP: type and code. */
  const ERRORS = [
    ...Array.from({ length: 16 }, (_, code) => [3, code] as const),
    [11, 0],
    [11, 1],
    [12, 0],
    [12, 1],
  ] as const

  test("NAT-4787-REQ-12: no ICMP message ends a mapping, nor makes it last longer", () => {
    const cgn = cgnOf({})
    const { port } = endOf(cgn, HOST, 5000)
    const out = udp4(ends(EXTERNAL, port, REMOTE, 53), 63)
    const there = sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port))), "inside")
    const before = lines(cgn.state)
    for (const [type, code] of ERRORS) {
      sent(cgn.in(error4(type, code, REMOTE, EXTERNAL, out), 100_000), "inside")
      sent(cgn.out(error4(type, code, HOST, REMOTE, there), 100_000), "outside")
    }
    // Source quench, redirect, and what RFC 792 and RFC 1256 have besides: dropped, and of no effect.
    for (const type of [4, 5, 9, 10, 30, 40]) {
      cgn.in(error4(type, 0, REMOTE, EXTERNAL, out), 100_000)
      cgn.out(error4(type, 0, HOST, REMOTE, there), 100_000)
    }
    cgn.in(echo4(8, REMOTE, EXTERNAL, port), 100_000)
    assert.deepEqual(lines(cgn.state, 100_000), before)
    sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port)), 299_999), "inside")
    assert.equal(reason(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port)), 300_000)), "no-mapping")
  })

  test("NAT-4787-REQ-12a: an ICMP error comes in from whatever router sent it, as set by default", () => {
    const cgn = cgnOf({})
    const { port } = endOf(cgn, HOST, 5000)
    for (const router of [REMOTE, STRANGER, "192.0.2.1", "10.99.0.1"])
      isPacket(
        sent(cgn.in(error4(11, 0, router, EXTERNAL, udp4(ends(EXTERNAL, port, REMOTE, 53), 1))), "inside"),
        error4(11, 0, router, HOST, udp4(ends(HOST, 5000, REMOTE, 53), 1), 63),
      )
  })

  test("NAT-4787-REQ-12b: Destination Unreachable reaches the host, with every code and the host's own packet in it", () => {
    const cgn = cgnOf({ routers: { inside: address("10.0.0.254"), outside: undefined } })
    const { port } = endOf(cgn, HOST, 5000)
    for (let code = 0; code < 16; code++)
      isPacket(
        sent(cgn.in(error4(3, code, STRANGER, EXTERNAL, udp4(ends(EXTERNAL, port, REMOTE, 53), 60))), "inside"),
        error4(3, code, STRANGER, HOST, udp4(ends(HOST, 5000, REMOTE, 53), 60), 63),
      )
  })
})
