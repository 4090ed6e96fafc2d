/** Requirements of RFC 6888 (CGN) that no other test is about. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type CgnSettings, createCgn } from "../../../../core/cgn/index.ts"
import { dccp, icmp4, ip4, sctp, tcp, udp, udpLite } from "../packet/build.ts"
import { address, BASE, cgnWith, lines, map } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  echo4,
  ends,
  error4,
  HOST,
  isPacket,
  network,
  OTHER_HOST,
  REMOTE,
  reason,
  STRANGER,
  SYN,
  said,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"

const ROUTER = "10.0.0.254"
type Translation = NonNullable<CgnSettings["translation"]>
const cgnOf = (translation: Translation = {}, settings: Partial<CgnSettings> = {}) =>
  network(
    cgnWith({ ...settings, translation: { routers: { inside: address(ROUTER), outside: undefined }, ...translation } }),
  )

describe("which protocols", () => {
  test("NAT-6888-REQ-1a: UDP has RFC 4787's endpoint-independent mapping and filtering, refresh and hairpinning", () => {
    const cgn = cgnOf()
    const end = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
    assert.deepEqual(sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, STRANGER, 1)), 299_000), "outside")), end)
    sent(cgn.in(udp4(ends("192.0.2.5", 1, EXTERNAL, end.port)), 598_000), "inside")
    const turned = sent(cgn.out(udp4(ends(OTHER_HOST, 1, EXTERNAL, end.port)), 598_000), "inside")
    assert.equal(sourceOf(turned).address, EXTERNAL)
  })

  test("NAT-6888-REQ-1b: TCP has RFC 5382's, and lasts its 2 hours 4 minutes once it is established", () => {
    const cgn = cgnOf()
    const end = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), SYN)), "outside"))
    assert.deepEqual(sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, STRANGER, 80), SYN)), "outside")), end)
    sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, end.port), SYN | ACK)), "inside")
    sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), ACK)), "outside")
    sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, end.port), ACK), 7_439_000), "inside")
  })

  test("NAT-6888-REQ-1c: ICMP queries have RFC 5508's mapping, and errors cross", () => {
    const cgn = cgnOf()
    const end = sourceOf(sent(cgn.out(echo4(8, HOST, REMOTE, 7)), "outside"))
    assert.deepEqual(sourceOf(sent(cgn.out(echo4(8, HOST, STRANGER, 7)), "outside")), end)
    sent(cgn.in(error4(11, 0, STRANGER, EXTERNAL, echo4(8, EXTERNAL, REMOTE, end.port))), "inside")
  })

  test("NAT-6888-REQ-1d: DCCP, UDP-Lite and whatever else has no such rules here is not forwarded, and makes nothing", () => {
    const cgn = cgnOf()
    const at = ends(HOST, 5000, REMOTE, 53)
    const back = ends(REMOTE, 53, EXTERNAL, 5000)
    for (const [protocol, out, into] of [
      [33, dccp(at), dccp(back)],
      [136, udpLite(at), udpLite(back)],
      [132, sctp(5000, 53), sctp(53, 5000)],
      [47, Uint8Array.of(0, 0, 8, 0), Uint8Array.of(0, 0, 8, 0)],
    ] as const) {
      assert.equal(reason(cgn.out(ip4({ ...at, protocol }, out))), "not-translatable")
      assert.equal(reason(cgn.in(ip4({ ...back, protocol }, into))), "no-mapping")
    }
    assert.deepEqual(lines(cgn.state), [])
  })

  test("NAT-6888-REQ-1d: the DMZ host, who has asked for all of an address, has them too, ports and checksums right", () => {
    const settings = { otherProtocols: true, port0: true, oneToOne: true }
    const asked = map(cgnWith(settings), { protocol: 0, internalPort: 0, internal: address(HOST) })
    assert.ok(asked.outcome !== "refused", "refused")
    const cgn = network(asked.state)
    const out = ends(HOST, 5000, REMOTE, 53)
    const seen = ends(EXTERNAL, 5000, REMOTE, 53)
    isPacket(
      sent(cgn.out(ip4({ ...out, protocol: 33 }, dccp(out))), "outside"),
      ip4({ ...seen, protocol: 33, ttl: 63 }, dccp(seen)),
    )
    isPacket(
      sent(cgn.out(ip4({ ...out, protocol: 136 }, udpLite(out, [1, 2, 3, 4], 8))), "outside"),
      ip4({ ...seen, protocol: 136, ttl: 63 }, udpLite(seen, [1, 2, 3, 4], 8)),
    )
  })
})

describe("destinations without translation", () => {
  const SERVER = "192.0.2.10"
  const untranslated = [
    { prefix: { address: address("192.0.2.8"), prefixLength: 125 }, protocol: 17, ports: { first: 53, last: 53 } },
    { prefix: { address: address("192.0.2.64"), prefixLength: 128 } },
  ]

  test("NAT-6888-REQ-6: to and from an address and port that is set, packets pass as they are, one hop further", () => {
    const cgn = cgnOf({ untranslated })
    const before = cgn.state
    isPacket(sent(cgn.out(udp4(ends(HOST, 5000, SERVER, 53))), "outside"), udp4(ends(HOST, 5000, SERVER, 53), 63))
    isPacket(sent(cgn.in(udp4(ends(SERVER, 53, HOST, 5000))), "inside"), udp4(ends(SERVER, 53, HOST, 5000), 63))
    assert.equal(cgn.state, before, "a router keeps nothing")
    assert.deepEqual(cgn.changes(), [])
    // ICMP errors about such packets, from the server, from a router between, and from the host.
    const out = udp4(ends(HOST, 5000, SERVER, 53), 63)
    const into = udp4(ends(SERVER, 53, HOST, 5000), 63)
    for (const from of [SERVER, STRANGER])
      isPacket(sent(cgn.in(error4(3, 3, from, HOST, out)), "inside"), error4(3, 3, from, HOST, out, 63))
    isPacket(sent(cgn.out(error4(3, 3, HOST, SERVER, into)), "outside"), error4(3, 3, HOST, SERVER, into, 63))
    // To another than sent the packet in it, it is none.
    assert.equal(reason(cgn.in(error4(3, 3, SERVER, OTHER_HOST, out))), "no-flow")
    assert.equal(reason(cgn.out(error4(3, 3, HOST, STRANGER, into))), "no-flow")
  })

  test("NAT-6888-REQ-6: another port, protocol or address is translated as ever", () => {
    const cgn = cgnOf({ untranslated })
    const translated = [
      udp4(ends(HOST, 5000, SERVER, 54)),
      tcp4(ends(HOST, 5000, SERVER, 53), SYN),
      udp4(ends(HOST, 5000, "192.0.2.16", 53)),
      udp4(ends(HOST, 5000, "192.0.2.7", 53)),
      echo4(8, HOST, SERVER, 7),
    ]
    for (const packet of translated) assert.equal(sourceOf(sent(cgn.out(packet), "outside")).address, EXTERNAL)
    assert.equal(reason(cgn.in(udp4(ends(SERVER, 54, HOST, 5000)))), "no-mapping")
    assert.equal(reason(cgn.in(udp4(ends(STRANGER, 53, HOST, 5000)))), "no-mapping")
  })

  test("NAT-6888-REQ-6: an address alone is of all protocols, a ping among them", () => {
    const cgn = cgnOf({ untranslated })
    const all = "192.0.2.64"
    const at = ends(HOST, 5000, all, 80)
    for (const packet of [
      (ttl: number) => tcp4(at, SYN, ttl),
      (ttl: number) => echo4(8, HOST, all, 7, ttl),
      (ttl: number) => ip4({ source: HOST, destination: all, protocol: 47, ttl }, [0, 0, 8, 0]),
      (ttl: number) => ip4({ source: HOST, destination: all, protocol: 33, ttl }, dccp(at)),
    ])
      isPacket(sent(cgn.out(packet(64)), "outside"), packet(63))
    assert.equal(cgn.out(echo4(8, HOST, all, 7, 1)).kind, "returned")
    assert.deepEqual(lines(cgn.state), [])
  })

  test("NAT-6888-REQ-6: what such a server sends to an external end goes in by the mapping; realms stay apart", () => {
    const cgn = cgnOf({ untranslated })
    const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
    isPacket(sent(cgn.in(udp4(ends(SERVER, 53, EXTERNAL, port))), "inside"), udp4(ends(SERVER, 53, HOST, 5000), 63))
    const behind = sent(cgn.out(udp4(ends(HOST, 5000, SERVER, 53)), 0, address("::7")), "outside")
    assert.equal(sourceOf(behind).address, EXTERNAL)
    for (const source of ["127.0.0.1", "0.0.0.0", "224.0.0.1"])
      assert.equal(reason(cgn.out(udp4(ends(source, 1, SERVER, 53)))), "illegal-source")
    assert.equal(reason(cgn.in(udp4(ends(SERVER, 53, "224.0.0.1", 5000)))), "not-served")
  })

  test("NAT-6888-REQ-6: settings that make no sense are refused", () => {
    const prefix = { address: address("192.0.2.0"), prefixLength: 120 }
    for (const translation of [
      { untranslated: [{ prefix: { ...prefix, prefixLength: 24 } }] },
      { untranslated: [{ prefix: { address: address("2001:db8::"), prefixLength: 96 } }] },
      { untranslated: [{ prefix, protocol: 256 }] },
      { untranslated: [{ prefix, ports: { first: 2, last: 1 } }] },
      { untranslated: [{ prefix, ports: { first: 0, last: 65536 } }] },
      { untranslated: [{ prefix }], inside: { kind: "dslite", aftr: address("2001:db8::1") } as const },
      { errorRate: { perSecond: 0, burst: 1 } },
      { errorRate: { perSecond: 1, burst: 0 } },
      { lateErrors: -1 },
    ]) {
      const made = createCgn({ ...BASE, translation })
      assert.equal(made.ok ? "" : made.error.code, "bad-translation", JSON.stringify(translation))
    }
  })
})

test("NAT-6888-REQ-7: filtering is endpoint-independent unless set; address-dependent may be chosen", () => {
  for (const [translation, stranger] of [
    [{}, "forwarded"],
    [{ filtering: "address-dependent" as const }, "dropped"],
  ] as const) {
    const cgn = cgnOf(translation)
    const at = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
    assert.equal(cgn.in(udp4(ends(STRANGER, 1, EXTERNAL, at.port))).kind, stranger)
    sent(cgn.in(udp4(ends(REMOTE, 54, EXTERNAL, at.port))), "inside")
    const tcpAt = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 53), SYN)), "outside"))
    assert.equal(cgn.in(tcp4(ends(STRANGER, 1, EXTERNAL, tcpAt.port), SYN)).kind, stranger)
  }
})

describe("no mapping can be made", () => {
  /** Host Unreachable (type 3, code 1), as RFC 792 has it. */
  const hostUnreachable = (about: Uint8Array): Uint8Array =>
    ip4(
      { source: ROUTER, destination: about.subarray(12, 16).join("."), protocol: 1, id: 0, flags: 2 },
      icmp4(3, 1, [0, 0, 0, 0], about),
    )
  const full = (translation: Translation = {}) => {
    const cgn = cgnOf(translation, { ports: { first: 2000, last: 2001 } })
    for (const port of [1, 2]) {
      sent(cgn.out(udp4(ends(HOST, port, REMOTE, 1))), "outside")
      sent(cgn.out(tcp4(ends(HOST, port, REMOTE, 1), SYN)), "outside")
      sent(cgn.out(echo4(8, HOST, REMOTE, port)), "outside")
    }
    cgn.changes()
    return cgn
  }
  const more = [
    udp4(ends(OTHER_HOST, 3, REMOTE, 1)),
    tcp4(ends(OTHER_HOST, 3, REMOTE, 1), SYN),
    echo4(8, OTHER_HOST, REMOTE, 3),
  ]

  test("NAT-6888-REQ-11a: the packet is dropped", () => {
    const cgn = full()
    for (const packet of more) assert.equal(reason(cgn.out(packet)), "no-resources")
  })

  test("NAT-6888-REQ-11b: its sender is told with code 1, a soft error, for each protocol", () => {
    const cgn = full()
    for (const packet of more) {
      const out = cgn.out(packet)
      assert.ok(out.kind === "returned")
      isPacket(out.packet, hostUnreachable(packet))
    }
  })

  test("NAT-6888-REQ-11b: and no more often than set", () => {
    const cgn = full({ errorRate: { perSecond: 1, burst: 2 } })
    const kinds = [0, 1, 2, 3, 1000, 2000].map((now) => cgn.out(more[0], now).kind)
    assert.deepEqual(kinds, ["returned", "returned", "dropped", "dropped", "returned", "returned"])
  })

  test("NAT-6888-REQ-11c: every one is counted, for whoever watches the counters", () => {
    const cgn = full({ errorRate: { perSecond: 1, burst: 1 } })
    for (const packet of more) cgn.out(packet)
    assert.deepEqual(said(cgn.changes()), ["counted", "counted", "counted"])
  })

  test("NAT-6888-REQ-11d: no mapping goes to make room", () => {
    const cgn = full()
    const before = lines(cgn.state)
    for (let n = 3; n < 50; n++) for (const packet of more) cgn.out(packet, n)
    assert.deepEqual(lines(cgn.state), before)
    sent(cgn.in(udp4(ends(REMOTE, 1, EXTERNAL, 2000))), "inside")
    sent(cgn.in(udp4(ends(REMOTE, 1, EXTERNAL, 2001))), "inside")
  })
})

test("NAT-6888-REQ-1: transport checksums stay right through every protocol that is carried", () => {
  const cgn = cgnOf()
  const at = ends(HOST, 5000, REMOTE, 53)
  const data = [1, 2, 3, 4, 5]
  const seen = (packet: Uint8Array) => ends(EXTERNAL, sourceOf(packet).port, REMOTE, 53)
  const datagram = sent(cgn.out(ip4({ ...at, protocol: 17 }, udp(at, data))), "outside")
  isPacket(datagram, ip4({ ...at, source: EXTERNAL, protocol: 17, ttl: 63 }, udp(seen(datagram), data)))
  const segment = sent(cgn.out(ip4({ ...at, protocol: 6 }, tcp(at, data, SYN))), "outside")
  isPacket(segment, ip4({ ...at, source: EXTERNAL, protocol: 6, ttl: 63 }, tcp(seen(segment), data, SYN)))
})
