/** Requirements of RFC 5508 (ICMP) that no other test is about. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type CgnSettings, type Out, type Passed, sendLate, translate } from "../../../../core/cgn/index.ts"
import { icmp4, inet, ip4, type Octets, toHex, udp, w16 } from "../packet/build.ts"
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

const ROUTER = "10.0.0.254"
const routers = { inside: address(ROUTER), outside: undefined }

type Translation = NonNullable<CgnSettings["translation"]>
const cgnOf = (translation: Translation = {}, settings: Partial<CgnSettings> = {}) =>
  network(cgnWith({ ...settings, translation: { routers, ...translation } }))

const returned = (out: Out): Uint8Array => {
  assert.ok(out.kind === "returned", JSON.stringify(out))
  return out.packet
}

/** What a NAT at `from` tells of a packet: RFC 792's forms, with the whole packet, which is short here. */
const told = (from: string, type: number, code: number, rest: Octets, about: Uint8Array, tos = 0): Uint8Array =>
  ip4(
    { source: from, destination: about.subarray(12, 16).join("."), protocol: 1, id: 0, flags: 2, tos },
    icmp4(type, code, rest, about),
  )
const NONE = [0, 0, 0, 0]

const query4 = (type: number, source: string, destination: string, identifier: number, data: number, ttl = 64) =>
  ip4({ source, destination, protocol: 1, ttl }, icmp4(type, 0, [...w16(identifier), 0, 1], Array(data).fill(0)))

describe("ICMP errors about ICMP queries", () => {
  test("NAT-5508-REQ-6: an error about a query refreshes nothing and ends nothing; its answer still comes in", () => {
    const cgn = cgnOf()
    const { port } = sourceOf(sent(cgn.out(echo4(8, HOST, REMOTE, 7)), "outside"))
    const before = cgn.state
    cgn.changes()
    for (const [type, code] of [
      [3, 1],
      [3, 3],
      [11, 0],
      [12, 0],
    ])
      isPacket(
        sent(cgn.in(error4(type, code, STRANGER, EXTERNAL, echo4(8, EXTERNAL, REMOTE, port, 60)), 59_000), "inside"),
        error4(type, code, STRANGER, HOST, echo4(8, HOST, REMOTE, 7, 60), 63),
      )
    assert.equal(cgn.state, before)
    assert.deepEqual(cgn.changes(), [])
    sent(cgn.in(echo4(0, REMOTE, EXTERNAL, port), 59_999), "inside")
    assert.equal(reason(cgn.in(echo4(0, REMOTE, EXTERNAL, port), 60_000)), "no-mapping")
  })

  test("NAT-5508-REQ-6: nor does an error of the host's about the answer to its query", () => {
    const cgn = cgnOf({ refresh: "both" })
    const { port } = sourceOf(sent(cgn.out(echo4(8, HOST, REMOTE, 7)), "outside"))
    const answer = sent(cgn.in(echo4(0, REMOTE, EXTERNAL, port)), "inside")
    const before = cgn.state
    isPacket(
      sent(cgn.out(error4(3, 3, HOST, REMOTE, answer), 30_000), "outside"),
      error4(3, 3, EXTERNAL, REMOTE, echo4(0, REMOTE, EXTERNAL, port, 63), 63),
    )
    assert.equal(cgn.state, before)
    assert.equal(reason(cgn.in(echo4(0, REMOTE, EXTERNAL, port), 60_000)), "no-mapping")
  })
})

describe("which ICMP errors the NAT sends", () => {
  const last = udp4(ends(HOST, 5000, REMOTE, 53), 1)
  const lastIn = udp4(ends(REMOTE, 53, EXTERNAL, 2000), 1)

  test("NAT-5508-REQ-9: by policy none to one side, which keeps nobody else's back", () => {
    for (const inside of [true, false])
      for (const outside of [true, false]) {
        const cgn = cgnOf({ ownErrors: { inside, outside } })
        assert.equal(cgn.out(last).kind, inside ? "returned" : "dropped")
        assert.equal(reason(cgn.out(last)), "hop-limit")
        assert.equal(cgn.in(lastIn).kind, outside ? "returned" : "dropped")
        assert.equal(reason(cgn.in(lastIn)), "hop-limit")
        const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
        const there = sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port))), "inside")
        sent(cgn.in(error4(3, 3, REMOTE, EXTERNAL, udp4(ends(EXTERNAL, port, REMOTE, 53)))), "inside")
        sent(cgn.out(error4(3, 3, HOST, REMOTE, there)), "outside")
      }
  })

  test("NAT-5508-REQ-10: unless policy says otherwise, errors go to both sides", () => {
    const cgn = cgnOf()
    isPacket(returned(cgn.out(last)), told(ROUTER, 11, 0, NONE, last))
    isPacket(returned(cgn.in(lastIn)), told(EXTERNAL, 11, 0, NONE, lastIn))
  })

  test("NAT-5508-REQ-10a: Destination Unreachable: Fragmentation Needed with the next hop's MTU, both ways", () => {
    const cgn = cgnOf({ mtu: { inside: 576, outside: 600 } })
    const big = (at: ReturnType<typeof ends>) => ip4({ ...at, protocol: 17, flags: 2 }, udp(at, Array(580).fill(1)))
    const out = big(ends(HOST, 5000, REMOTE, 53))
    const told4 = returned(cgn.out(out))
    assert.deepEqual([...told4.subarray(20, 22), ...told4.subarray(24, 28)], [3, 4, 0, 0, ...w16(600)])
    assert.equal(toHex(told4.subarray(28)), toHex(out.subarray(0, 548)))
    assert.equal(inet(told4.subarray(20)), 0)
    const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
    const back = returned(cgn.in(big(ends(REMOTE, 53, EXTERNAL, port))))
    assert.deepEqual([...back.subarray(20, 22), ...back.subarray(24, 28)], [3, 4, 0, 0, ...w16(576)])
    assert.equal(back.subarray(12, 20).join("."), `${EXTERNAL}.${REMOTE}`)
  })

  test("NAT-5508-REQ-10a: Time Exceeded when the TTL runs out; echo requests and replies pass", () => {
    const cgn = cgnOf()
    for (const packet of [last, tcp4(ends(HOST, 5000, REMOTE, 80), SYN, 1), echo4(8, HOST, REMOTE, 7, 1)])
      isPacket(returned(cgn.out(packet)), told(ROUTER, 11, 0, NONE, packet))
    const { port } = sourceOf(sent(cgn.out(echo4(8, HOST, REMOTE, 7)), "outside"))
    isPacket(sent(cgn.in(echo4(0, REMOTE, EXTERNAL, port)), "inside"), echo4(0, REMOTE, HOST, 7, 63))
  })

  test("NAT-5508-REQ-10b: timestamps and address masks pass as queries; errors about parameters as errors", () => {
    // RFC 792: timestamp 13 and 14, with three times of 32 bits; RFC 950: address mask 17 and 18, with a mask.
    for (const [asks, answers, data] of [
      [13, 14, 12],
      [17, 18, 4],
    ]) {
      const cgn = cgnOf()
      const { port } = sourceOf(sent(cgn.out(query4(asks, HOST, REMOTE, 9, data)), "outside"))
      isPacket(
        sent(cgn.in(query4(answers, REMOTE, EXTERNAL, port, data)), "inside"),
        query4(answers, REMOTE, HOST, 9, data, 63),
      )
      assert.equal(reason(cgn.out(query4(answers, HOST, REMOTE, 8, data))), "not-translatable")
    }
    const cgn = cgnOf()
    const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
    isPacket(
      sent(cgn.in(error4(12, 0, STRANGER, EXTERNAL, udp4(ends(EXTERNAL, port, REMOTE, 53), 60))), "inside"),
      error4(12, 0, STRANGER, HOST, udp4(ends(HOST, 5000, REMOTE, 53), 60), 63),
    )
  })

  test("NAT-5508-REQ-10c: Source Quench is neither sent nor passed on; nobody's information request is answered", () => {
    const cgn = cgnOf({ filteredErrors: true })
    const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53))), "outside"))
    const about = udp4(ends(EXTERNAL, port, REMOTE, 53), 63)
    assert.equal(cgn.in(error4(4, 0, REMOTE, EXTERNAL, about)).kind, "dropped")
    assert.equal(cgn.out(error4(4, 0, HOST, REMOTE, udp4(ends(REMOTE, 53, HOST, 5000)))).kind, "dropped")
    const asked = returned(cgn.in(query4(15, REMOTE, EXTERNAL, 9, 0)))
    assert.deepEqual([...asked.subarray(20, 22)], [3, 1])
    // No cause of an error of its own is a Source Quench, even where there is no room.
    const full = cgnOf({}, { ports: { first: 2000, last: 2000 } })
    sent(full.out(udp4(ends(HOST, 1, REMOTE, 1))), "outside")
    assert.equal(returned(full.out(udp4(ends(HOST, 2, REMOTE, 1))))[20], 3)
  })

  test("NAT-5508-REQ-10d: an error has the diffserv class of the packet that caused it", () => {
    const cgn = cgnOf()
    for (const dscp of [0, 10, 46, 63])
      for (const ecn of [0, 1, 2, 3]) {
        const at = ends(HOST, 5000, REMOTE, 53)
        const packet = ip4({ ...at, protocol: 17, ttl: 1, tos: (dscp << 2) | ecn }, udp(at))
        isPacket(returned(cgn.out(packet)), told(ROUTER, 11, 0, NONE, packet, dscp << 2))
      }
  })

  test("NAT-5508-REQ-10e: none about an error, a redirect, or what came from no one host", () => {
    const cgn = cgnOf()
    const inner = udp4(ends(REMOTE, 53, HOST, 5000))
    for (const packet of [
      error4(3, 3, HOST, REMOTE, inner, 1),
      error4(11, 0, HOST, REMOTE, inner, 1),
      error4(5, 1, HOST, REMOTE, inner, 1),
      udp4(ends(HOST, 5000, "224.0.0.1", 53), 1),
      udp4(ends("0.0.0.0", 5000, REMOTE, 53), 1),
      udp4(ends("127.0.0.1", 5000, REMOTE, 53), 1),
      udp4(ends("255.255.255.255", 5000, REMOTE, 53), 1),
    ])
      assert.equal(cgn.out(packet).kind, "dropped", toHex(packet))
  })

  test("NAT-5508-REQ-10f: no more errors than set, in a second and at once; packets beyond are dropped and counted", () => {
    const cgn = cgnOf({ errorRate: { perSecond: 2, burst: 3 } })
    const kinds = (times: readonly number[]) => times.map((now) => cgn.out(last, now).kind === "returned")
    assert.deepEqual(kinds([0, 0, 0, 0, 0]), [true, true, true, false, false])
    assert.deepEqual(kinds([499, 500, 501, 1000, 1001]), [false, true, false, true, false])
    assert.deepEqual(kinds([60_000, 60_000, 60_000, 60_000]), [true, true, true, false])
    assert.equal(cgn.changes().filter(({ type }) => type === "counted").length, 14)
    // Both sides draw on it, and what is forwarded does not.
    assert.equal(cgn.in(lastIn, 60_000).kind, "dropped")
    sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53)), 60_000), "outside")
  })

  test("NAT-5508-REQ-10f: an old state has the errors that it had", () => {
    const first = cgnWith({ translation: { routers, errorRate: { perSecond: 1, burst: 1 } } })
    const go = (state: typeof first): Passed<typeof first> => translate(state, { bytes: last, now: 0, side: "inside" })
    const one = go(first)
    assert.equal(one.out.kind, "returned")
    assert.equal(go(one.state).out.kind, "dropped")
    assert.equal(go(first).out.kind, "returned")
  })
})

describe("fragments whose packet never comes whole", () => {
  const at = ends(REMOTE, 53, EXTERNAL, 2000)
  const datagram = udp(at, Array(40).fill(7))
  const head = ip4({ ...at, protocol: 17, flags: 1 }, datagram.subarray(0, 24))
  const tail = ip4({ ...at, protocol: 17, offset: 3 }, datagram.subarray(24))
  const fragments = { count: 16, octets: 10_000, timeout: 30 }

  test("NAT-792: Time Exceeded, code 1, to who sent the first of them to an external address", () => {
    const cgn = cgnOf({ fragments })
    const kept = translate(cgn.state, { bytes: head, now: 1000, side: "outside" })
    assert.deepEqual([kept.out.kind, kept.next], ["kept", 31_000])
    cgn.set(kept.state)
    assert.deepEqual(sendLate(cgn.state, 30_999).packets, [])
    const { state, packets, next } = sendLate(cgn.state, 31_000)
    assert.deepEqual([packets.length, packets[0].side, next], [1, "outside", undefined])
    isPacket(packets[0].packet, told(EXTERNAL, 11, 1, NONE, head))
    assert.deepEqual(sendLate(state, 31_000).packets, [])
    // Without the first there is nobody to tell (RFC 792); the rest, in time, makes the packet whole.
    for (const parts of [[tail], [head, tail]]) {
      const other = cgnOf({ fragments })
      for (const part of parts) other.in(part)
      assert.deepEqual(sendLate(other.state, 60_000).packets, [])
    }
  })

  test("NAT-1122-3.3.2: it is told also when other fragments came meanwhile and took the place", () => {
    const cgn = cgnOf({ fragments })
    cgn.in(head, 0)
    assert.equal(
      cgn.out(ip4({ ...ends(HOST, 5000, REMOTE, 53), protocol: 17, flags: 1 }, datagram.subarray(0, 24)), 40_000).kind,
      "kept",
    )
    const { packets, next } = sendLate(cgn.state, 40_000)
    assert.equal(packets.length, 1)
    isPacket(packets[0].packet, told(EXTERNAL, 11, 1, NONE, head))
    assert.equal(next, 70_000)
    // A fragment that only passes is its destination's to tell of.
    assert.deepEqual(sendLate(cgn.state, 70_000).packets.length, 1)
    assert.deepEqual(sendLate(sendLate(cgn.state, 40_000).state, 70_000), {
      state: sendLate(sendLate(cgn.state, 40_000).state, 70_000).state,
      packets: [],
      next: undefined,
    })
    assert.deepEqual(lines(cgn.state), [])
  })
})
