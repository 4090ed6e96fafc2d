/** The behaviour that RFC 4787 and RFC 5382 leave to settings. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type CgnSettings, createCgn, memoryCgn, reconfigureCgn, translate } from "../../../../core/cgn/index.ts"
import { ip4, sctp } from "../packet/build.ts"
import { address, BASE, cgnWith } from "../scene.ts"
import {
  EXTERNAL,
  echo4,
  ends,
  HOST,
  isPacket,
  network,
  OTHER_HOST,
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

test("filtering: whom an implicit mapping lets in (NAT-4787-REQ-8, NAT-5382-REQ-3)", () => {
  const expected = {
    "endpoint-independent": ["same", "same address", "stranger"],
    "address-dependent": ["same", "same address"],
    "address-and-port-dependent": ["same"],
  } as const
  for (const filtering of ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const) {
    const cgn = cgnOf({ filtering })
    const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
    const { port: tcpPort } = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 53), SYN)), "outside"))
    const from = [
      ["same", REMOTE, 53],
      ["same address", REMOTE, 54],
      ["stranger", STRANGER, 53],
    ] as const
    const came = (packet: (source: string, sourcePort: number) => Uint8Array): string[] =>
      from.filter(([, source, of]) => cgn.in(packet(source, of)).kind === "forwarded").map(([name]) => name)
    assert.deepEqual(
      came((source, of) => udp4(ends(source, of, EXTERNAL, port))),
      [...expected[filtering]],
    )
    assert.deepEqual(
      came((source, of) => tcp4(ends(source, of, EXTERNAL, tcpPort), SYN)),
      [...expected[filtering]],
    )
  }
})

test("filtering: what a host sent to goes with its mapping, so that the next host at its place inherits nothing", () => {
  const cgn = cgnOf({ filtering: "address-and-port-dependent" }, { ports: { first: 2000, last: 2000 } })
  sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside")
  cgn.expire(300_000)
  sent(cgn.out(udp4(ends(OTHER_HOST, 5000, STRANGER, 1)), 300_000), "outside")
  assert.equal(reason(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, 2000)), 300_000)), "filtered")
  sent(cgn.in(udp4(ends(STRANGER, 1, EXTERNAL, 2000)), 300_000), "inside")
})

test("a mapping remembers so many sessions and no more: the oldest gives way", () => {
  const cgn = cgnOf({ filtering: "address-and-port-dependent", sessions: 4 })
  let port = 0
  for (let remote = 1; remote <= 20; remote++)
    port = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, remote))), "outside")).port
  const still = Array.from({ length: 20 }, (_, i) => i + 1).filter(
    (remote) => cgn.in(udp4(ends(REMOTE, remote, EXTERNAL, port))).kind === "forwarded",
  )
  assert.ok(still.length <= 4 && still.includes(20), `${still}`)
})

test("the same session gives way in a replica, which has had but the changes", () => {
  const first = cgnWith({ translation: { filtering: "address-and-port-dependent", sessions: 3 } })
  const cgn = network(first)
  let replica = first
  for (const [at, remote] of [1, 2, 3, 4, 1, 5, 6, 2, 7, 3].entries()) {
    const packet = udp4(ends(HOST, 5000, REMOTE, remote))
    cgn.out(packet, at * 1000)
    const changes = cgn.changes()
    const passed = translate(replica, { bytes: packet, now: at * 1000, side: "inside" })
    assert.deepEqual(changes, passed.changes)
    replica = memoryCgn.apply(replica, changes)
  }
})

test("ports: preserved or of the same parity where they can be had (NAT-4787-4.2)", () => {
  const preserving = cgnOf({ ports: "preserve" })
  assert.equal(sourceOf(sent(preserving.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside")).port, 5000)
  assert.notEqual(sourceOf(sent(preserving.out(udp4(ends(OTHER_HOST, 5000, REMOTE, 53))), "outside")).port, 5000)
  assert.ok(sourceOf(sent(preserving.out(udp4(ends(HOST, 80, REMOTE, 53))), "outside")).port >= 1024)
  const parity = cgnOf({ ports: "parity" })
  for (let port = 1; port < 200; port++) {
    const out = sourceOf(sent(parity.out(udp4(ends(HOST, port, REMOTE, 53))), "outside"))
    assert.equal(out.port & 1, port & 1)
  }
  const narrow = cgnOf({ ports: "parity" }, { ports: { first: 2000, last: 2003 } })
  const odd = [1, 3, 5, 7].map((port) => sourceOf(sent(narrow.out(udp4(ends(HOST, port, REMOTE, 53))), "outside")).port)
  assert.deepEqual(odd.map((port) => port & 1).sort(), [0, 0, 1, 1])
})

test("timeouts are settings", () => {
  const cgn = cgnOf({ timeouts: { tcpOpening: 10, tcpClosing: 20, icmp: 5 } })
  const { port } = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), SYN)), "outside"))
  sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), SYN), 9000), "inside")
  assert.equal(reason(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), SYN), 10_000)), "no-mapping")
})

test("settings that make no sense are refused", () => {
  const wrong: readonly Translation[] = [
    { timeouts: { tcpOpening: 0, tcpClosing: 1, icmp: 1 } },
    { sessions: 1 },
    { mtu: { inside: 67, outside: 1500 } },
    { routers: { inside: address("0.0.0.0"), outside: undefined } },
    { routers: { inside: address("10.0.0.1"), outside: address("::1") } },
    { fragments: { count: -1, octets: 0, timeout: 1 } },
    { fragments: { count: 1, octets: 0, timeout: 0 } },
    { inside: { kind: "nat64", prefix: { address: address("2001:db8::"), prefixLength: 95 } } },
    { inside: { kind: "dslite", aftr: address("10.0.0.1") } },
    { inside: { kind: "dslite", aftr: address("ff02::1") } },
    { inside: { kind: "dslite", aftr: address("2001:db8::1") }, mtu: { inside: 1279, outside: 1500 } },
    {
      inside: { kind: "nat64", prefix: { address: address("2001:db8::"), prefixLength: 96 } },
      mtu: { inside: 1279, outside: 1500 },
    },
  ]
  for (const translation of wrong) {
    const made = createCgn({ ...BASE, translation })
    assert.equal(made.ok ? "" : made.error.code, "bad-translation")
  }
})

test("other settings in force: what traffic made stays, and the packets after are carried by the new ones", () => {
  const cgn = cgnOf({})
  const { port } = sourceOf(sent(cgn.out(echo4(8, HOST, REMOTE, 7)), "outside"))
  const { port: udpPort } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
  const done = reconfigureCgn(cgn.state, { ...BASE, translation: { filtering: "address-dependent" } }, 1000)
  assert.ok(done.ok)
  assert.deepEqual(done.changes, [])
  cgn.set(done.state)
  assert.equal(reason(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, udpPort)), 1000)), "filtered")
  sent(cgn.out(echo4(8, HOST, REMOTE, 7), 1000), "outside")
  isPacket(sent(cgn.in(echo4(0, REMOTE, EXTERNAL, port), 1000), "inside"), echo4(0, REMOTE, HOST, 7, 63))
})

test("SCTP passes with its ports as they are where the settings serve it, and not at all else (NAT-6887-16.3.3)", () => {
  const packet = (source: string, destination: string, ttl = 64) =>
    ip4({ source, destination, protocol: 132, ttl }, sctp(5000, 5001))
  assert.equal(reason(cgnOf({}).out(packet(HOST, REMOTE))), "not-translatable")
  const cgn = cgnOf({}, { otherProtocols: true })
  isPacket(sent(cgn.out(packet(HOST, REMOTE)), "outside"), packet(EXTERNAL, REMOTE, 63))
  assert.equal(reason(cgn.out(packet(OTHER_HOST, REMOTE))), "no-resources")
})
