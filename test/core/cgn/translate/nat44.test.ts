/** A NAPT44 by itself: RFC 4787, RFC 5382, RFC 5508. Mappings are what traffic makes. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { listMappings, memoryCgn, type Out } from "../../../../core/cgn/index.ts"
import { icmp4, inet, ip4, octets, toHex, udp } from "../packet/build.ts"
import { address, cgnWith, host, lines, TCP } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  echo4,
  ends,
  error4,
  FIN,
  HOST,
  isPacket,
  network,
  OTHER_HOST,
  REMOTE,
  RST,
  reason,
  STRANGER,
  SYN,
  said,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"

test("UDP: one external end for all destinations, and anybody comes in by it (NAT-4787-REQ-1, NAT-4787-REQ-8)", () => {
  const cgn = network(cgnWith())
  const first = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
  assert.deepEqual(said(cgn.changes()), ["created implicit"])
  isPacket(
    sent(cgn.out(udp4(ends(HOST, 5000, STRANGER, 99))), "outside"),
    udp4(ends(first.address, first.port, STRANGER, 99), 63),
  )
  for (const [from, port] of [
    [REMOTE, 53],
    [STRANGER, 1],
  ] as const)
    isPacket(
      sent(cgn.in(udp4(ends(from, port, EXTERNAL, first.port))), "inside"),
      udp4(ends(from, port, HOST, 5000), 63),
    )
  const other = sourceOf(sent(cgn.out(udp4(ends(HOST, 5001, REMOTE, 53))), "outside"))
  assert.notEqual(other.port, first.port)
})

test("an old state goes on to give what it gave before", () => {
  const cgn = network(cgnWith())
  const before = cgn.state
  const packet = udp4(ends(HOST, 5000, REMOTE, 53))
  const first = sent(cgn.out(packet), "outside")
  for (let port = 1; port < 100; port++) cgn.out(udp4(ends(OTHER_HOST, port, REMOTE, 53)))
  cgn.set(before)
  isPacket(sent(cgn.out(packet), "outside"), first)
})

test("UDP: outbound packets keep a mapping alive for the idle time; inbound ones do by setting (NAT-4787-REQ-5, NAT-4787-REQ-6)", () => {
  for (const refresh of ["outbound", "both"] as const) {
    const cgn = network(cgnWith({ translation: { refresh } }))
    const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
    sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port)), 299_000), "inside")
    const late = cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port)), 301_000)
    assert.equal(late.kind, refresh === "both" ? "forwarded" : "dropped")
    cgn.expire(301_000)
    assert.equal(lines(cgn.state, 301_000).length, refresh === "both" ? 1 : 0)
  }
})

test("hairpinning: hosts meet by their external ends, each seeing the other's (NAT-4787-REQ-9)", () => {
  const cgn = network(cgnWith())
  const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
  const there = sent(cgn.out(udp4(ends(OTHER_HOST, 6000, EXTERNAL, port))), "inside")
  const from = sourceOf(there)
  assert.equal(from.address, EXTERNAL)
  isPacket(there, udp4(ends(EXTERNAL, from.port, HOST, 5000), 63))
  isPacket(
    sent(cgn.out(udp4(ends(HOST, 5000, EXTERNAL, from.port))), "inside"),
    udp4(ends(EXTERNAL, port, OTHER_HOST, 6000), 63),
  )
  const silent = network(cgnWith({ translation: { hairpinning: false } }))
  const own = sourceOf(sent(silent.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
  assert.equal(reason(silent.out(udp4(ends(OTHER_HOST, 6000, EXTERNAL, own.port)))), "no-mapping")
})

test("hairpinning carries ICMP errors back to the host (NAT-5508-REQ-7); to an end of nobody's it changes nothing", () => {
  const cgn = network(cgnWith())
  const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
  const there = sent(cgn.out(udp4(ends(OTHER_HOST, 6000, EXTERNAL, port))), "inside")
  isPacket(
    sent(cgn.out(error4(3, 3, HOST, EXTERNAL, there)), "inside"),
    error4(3, 3, EXTERNAL, OTHER_HOST, udp4(ends(OTHER_HOST, 6000, EXTERNAL, port), 63), 63),
  )
  const before = lines(cgn.state)
  assert.equal(reason(cgn.out(udp4(ends(OTHER_HOST, 6001, EXTERNAL, port === 9999 ? 9998 : 9999)))), "no-mapping")
  assert.deepEqual(lines(cgn.state), before)
})

test("TCP: a SYN makes a mapping, a segment of no connection does not (NAT-5382-5)", () => {
  const cgn = network(cgnWith())
  for (const flags of [ACK, RST, FIN | ACK, SYN | ACK])
    assert.equal(reason(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), flags))), "no-connection")
  const { port } = sourceOf(sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), SYN)), "outside"))
  isPacket(
    sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), SYN | ACK)), "inside"),
    tcp4(ends(REMOTE, 80, HOST, 5000), SYN | ACK, 63),
  )
  assert.equal(reason(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port === 1 ? 2 : port - 1), SYN))), "no-mapping")
})

/** Seconds that an established connection is kept longer, so as not to be written each second. */
const SLACK = 116

const tcpUntil = (cgn: ReturnType<typeof network>, now: number): number =>
  (listMappings(cgn.state, now, 0, 10).mappings[0]?.expires ?? 0) / 1000

test("TCP: opening 4 minutes, established 2 hours 4 minutes, closing 4 minutes (NAT-5382-REQ-5, NAT-7857-2)", () => {
  const cgn = network(cgnWith())
  const out = (flags: number, now: number) => sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 80), flags), now), "outside")
  const { port } = sourceOf(out(SYN, 0))
  const back = (flags: number, now: number) =>
    sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), flags), now), "inside")
  assert.equal(tcpUntil(cgn, 0), 240)
  back(SYN | ACK, 1000)
  out(ACK, 1000)
  assert.equal(tcpUntil(cgn, 1000), 7441 + SLACK)
  out(FIN | ACK, 2000)
  assert.equal(tcpUntil(cgn, 2000), 7442 + SLACK)
  back(FIN | ACK, 3000)
  assert.equal(tcpUntil(cgn, 3000), 243)
  out(ACK, 9000)
  assert.equal(tcpUntil(cgn, 9000), 243, "what comes behind both FINs prolongs nothing")
  out(SYN, 10_000)
  assert.equal(tcpUntil(cgn, 10_000), 250, "the same ends for a new connection")
  assert.deepEqual(
    said(cgn.changes()).filter((line) => line.startsWith("session")),
    ["opening-inside", "established", "closed-inside", "closing", "opening-inside"].flatMap((state, i) =>
      i === 1 ? [`session ${state}`, `session ${state}`] : [`session ${state}`],
    ),
  )
})

test("TCP: a RST shortens an implicit mapping to 4 minutes, and only if no other connection keeps it (NAT-7857-2.2)", () => {
  const cgn = network(cgnWith())
  const open = (remotePort: number) => {
    const packet = cgn.out(tcp4(ends(HOST, 5000, REMOTE, remotePort), SYN))
    const { port } = sourceOf(sent(packet, "outside"))
    cgn.in(tcp4(ends(REMOTE, remotePort, EXTERNAL, port), SYN | ACK))
    cgn.out(tcp4(ends(HOST, 5000, REMOTE, remotePort), ACK))
    return port
  }
  const port = open(80)
  assert.equal(open(81), port)
  sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), RST)), "inside")
  assert.equal(tcpUntil(cgn, 0), 7440 + SLACK)
  sent(cgn.in(tcp4(ends(REMOTE, 81, EXTERNAL, port), RST)), "inside")
  assert.equal(tcpUntil(cgn, 0), 240)
  sent(cgn.out(tcp4(ends(HOST, 5000, REMOTE, 81), ACK), 1000), "outside")
  assert.equal(tcpUntil(cgn, 1000), 7441 + SLACK, "the RST was not its peer's: the connection goes on")
})

test("ICMP echo: identifiers are mapped like ports, for 60 seconds (NAT-5508-REQ-1, NAT-5508-REQ-2)", () => {
  const cgn = network(cgnWith())
  const { port } = sourceOf(sent(cgn.out(echo4(8, HOST, REMOTE, 7)), "outside"))
  isPacket(sent(cgn.in(echo4(0, REMOTE, EXTERNAL, port)), "inside"), echo4(0, REMOTE, HOST, 7, 63))
  const other = sourceOf(sent(cgn.out(echo4(8, OTHER_HOST, REMOTE, 7)), "outside"))
  assert.notEqual(other.port, port)
  assert.deepEqual(
    lines(cgn.state).map((line) => line.split(" ").slice(0, 2).join(" ")),
    ["implicit 1", "implicit 1"],
  )
  assert.equal(reason(cgn.in(echo4(0, REMOTE, EXTERNAL, port), 60_000)), "no-mapping")
  assert.equal(reason(cgn.out(echo4(0, HOST, REMOTE, 8))), "not-translatable", "an answer to nobody")
})

test("ICMP identifiers run out by themselves, and no identifier is mistaken for a whole protocol", () => {
  const cgn = network(cgnWith({ ports: { first: 1, last: 300 } }))
  const seen = new Set<number>()
  let full = 0
  for (let n = 0; n < 60; n++) {
    const out = cgn.out(echo4(8, HOST, REMOTE, 1 + n))
    if (out.kind === "forwarded") seen.add(sourceOf(out.packets[0]).port)
    else full++
  }
  assert.equal(seen.size, 45)
  assert.deepEqual([Math.min(...seen), Math.max(...seen), full], [256, 300, 15])
  sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside")
})

test("TTL: a packet that has no hop left goes back as ICMP Time Exceeded, and changes nothing", () => {
  const cgn = network(cgnWith())
  const packet = udp4(ends(HOST, 5000, REMOTE, 53), 1)
  const out = cgn.out(packet)
  assert.ok(out.kind === "returned")
  assert.equal(out.reason, "hop-limit")
  assert.deepEqual([...out.packet.subarray(20, 22)], [11, 0])
  assert.equal(inet(out.packet.subarray(20)), 0)
  assert.equal(out.packet.subarray(12, 20).join("."), `192.0.0.8.${HOST}`)
  assert.equal(toHex(out.packet.subarray(28)), toHex(packet))
  assert.deepEqual(lines(cgn.state), [])
  assert.deepEqual(said(cgn.changes()), ["counted"])
})

test("what has no ports, no legal source or no place here is dropped", () => {
  const cgn = network(cgnWith())
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [ip4({ source: HOST, destination: REMOTE, protocol: 47 }, [0, 0, 8, 0]), "not-translatable"],
    [udp4(ends("127.0.0.1", 1, REMOTE, 1)), "illegal-source"],
    [udp4(ends(EXTERNAL, 1, REMOTE, 1)), "illegal-source"],
    [udp4(ends(HOST, 1, "224.0.0.1", 1)), "not-served"],
    [udp4(ends(HOST, 0, REMOTE, 1)), "not-translatable"],
    [
      ip4(
        { source: HOST, destination: REMOTE, protocol: 1 },
        icmp4(5, 1, [10, 0, 0, 9], udp4(ends(REMOTE, 1, HOST, 1))),
      ),
      "not-translatable",
    ],
    [error4(3, 3, HOST, REMOTE, udp4(ends(REMOTE, 1, HOST, 1))), "no-flow"],
    [octets(0x45, 0), "truncated"],
    [octets(0x60, 0, 0, 0, 0, 0, 59, 64, ...Array(32).fill(0)), "wrong-family"],
  ]
  for (const [packet, why] of cases) assert.equal(reason(cgn.out(packet)), why)
  assert.deepEqual(lines(cgn.state), [])
})

test("what comes from outside with a source that is none there is dropped, whether its flow is established or not", () => {
  const cgn = network(cgnWith())
  const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
  const echo = sourceOf(sent(cgn.out(echo4(8, HOST, REMOTE, 300)), "outside")).port
  sent(cgn.in(udp4(ends(STRANGER, 53, EXTERNAL, port))), "inside")
  for (const source of ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", EXTERNAL]) {
    assert.equal(reason(cgn.in(udp4(ends(source, 53, EXTERNAL, port)))), "illegal-source")
    assert.equal(reason(cgn.in(echo4(8, source, EXTERNAL, echo))), "illegal-source")
  }
  const about = udp4(ends(EXTERNAL, port, REMOTE, 53), 60)
  assert.equal(reason(cgn.in(error4(3, 1, "127.0.0.1", EXTERNAL, about))), "illegal-source")
  sent(cgn.in(error4(3, 1, STRANGER, EXTERNAL, about)), "inside")
})

test("no port is left: ICMP tells the host, and nothing changes (NAT-5508-REQ-8)", () => {
  const cgn = network(cgnWith({ ports: { first: 2000, last: 2001 } }))
  sent(cgn.out(udp4(ends(HOST, 1, REMOTE, 1))), "outside")
  sent(cgn.out(udp4(ends(HOST, 2, REMOTE, 1))), "outside")
  const out = cgn.out(udp4(ends(HOST, 3, REMOTE, 1)))
  assert.equal(out.kind, "returned")
  assert.equal(reason(out), "no-resources")
  assert.equal(lines(cgn.state).length, 2)
})

const fragmentsOf = (packet: Uint8Array, at: readonly number[]): Uint8Array[] =>
  [0, ...at].map((from, i) => {
    const to = at[i] ?? packet.length - 20
    const source = packet.subarray(12, 16).join(".")
    const destination = packet.subarray(16, 20).join(".")
    const flags = to === packet.length - 20 ? 0 : 1
    return ip4(
      { source, destination, protocol: packet[9], offset: from / 8, flags },
      packet.subarray(20 + from, 20 + to),
    )
  })

test("fragments in any order make one packet, which goes on as the next link wants it (NAT-4787-REQ-14)", () => {
  const data = Array.from({ length: 900 }, (_, i) => i & 255)
  const packet = udp4(ends(HOST, 5000, REMOTE, 53), 64, data)
  const [a, b, c] = fragmentsOf(packet, [400, 800])
  for (const order of [
    [a, b, c],
    [c, a, b],
    [b, c, a],
  ]) {
    const cgn = network(cgnWith())
    const outs: Out[] = order.map((fragment) => cgn.out(fragment))
    assert.deepEqual(
      outs.map(({ kind }) => kind),
      ["kept", "kept", "forwarded"],
    )
    const { port } = sourceOf(sent(outs[2], "outside"))
    isPacket(sent(outs[2], "outside"), udp4(ends(EXTERNAL, port, REMOTE, 53), 63, data))
  }
  const narrow = network(cgnWith({ translation: { mtu: { inside: 1500, outside: 596 } } }))
  narrow.out(a)
  narrow.out(b)
  const out = narrow.out(c)
  assert.ok(out.kind === "forwarded")
  assert.deepEqual(
    out.packets.map((bytes) => [bytes.length, inet(bytes.subarray(0, 20)), ((bytes[6] & 31) << 8) | bytes[7]]),
    [
      [596, 0, 0],
      [352, 0, 72],
    ],
  )
})

test("fragments wait in bounded number and for a bounded time, apart by realm; a request between loses none", () => {
  const cgn = network(cgnWith({ translation: { fragments: { count: 3, octets: 10_000, timeout: 15 } } }))
  const packet = (n: number) => fragmentsOf(udp4(ends(`10.1.0.${n}`, 5000, REMOTE, 53), 64, Array(100).fill(n)), [48])
  for (const n of [1, 2, 3]) assert.equal(cgn.out(packet(n)[1], n * 1000).kind, "kept")
  assert.equal(reason(cgn.out(packet(4)[1], 4000)), "fragment-limit")
  cgn.set(memoryCgn.delMappings(cgn.state, host(1), undefined, TCP, 5000).state)
  assert.equal(reason(cgn.out(packet(1)[0], 5000, address("::1"))), "fragment-limit", "not of this realm's")
  sent(cgn.out(packet(1)[0], 5000), "outside")
  assert.equal(cgn.out(packet(2)[0], 17_000).kind, "kept", "its other half waited for 15 seconds and is gone")
})

test("an octet more than the link carries, and not to be fragmented: the sender is told the MTU (NAT-4787-REQ-13)", () => {
  const cgn = network(cgnWith({ translation: { mtu: { inside: 1500, outside: 600 } } }))
  const at = ends(HOST, 5000, REMOTE, 53)
  const packet = ip4({ ...at, protocol: 17, flags: 2 }, udp(at, Array(573).fill(1)))
  const out = cgn.out(packet)
  assert.ok(out.kind === "returned")
  assert.deepEqual([...out.packet.subarray(20, 22), ...out.packet.subarray(26, 28)], [3, 4, 2, 88])
  assert.deepEqual(lines(cgn.state), [])
})

test("a setting of the translation that is undefined counts as not given", () => {
  const parts = { mtu: undefined, timeouts: undefined, filtering: undefined, fragments: undefined, sessions: undefined }
  const bare = cgnWith({ translation: parts })
  assert.deepEqual(bare.config.translation, cgnWith({}).config.translation)
})
