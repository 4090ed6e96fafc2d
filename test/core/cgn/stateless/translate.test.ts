import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { createNpt, type Out, REASON_CLAUSES, type Side, translateNpt } from "../../../../core/cgn/index.ts"
import { type Ends, icmp6, ip4, ip6, octets, type PortEnds, tcp, udp } from "../packet/build.ts"
import { address, prefix, same } from "../packet/scene.ts"

/** The example of RFC 6296 section 3.6; its words are computed there. */
const INTERNAL = "fd01:203:405:1::1234"
const EXTERNAL = "2001:db8:1:d550::1234"
/** Another host of the same network: subnet 2 becomes 0x0002 + 0xd54f. */
const NEIGHBOUR = "fd01:203:405:2::9"
const NEIGHBOUR_OUT = "2001:db8:1:d551::9"
const PEER = "2001:db8:ffff::9"
const INNER_ROUTER = "fd01:203:405::1"
const OUTER_ROUTER = "2001:db8:f::1"

const device = (
  routers = true,
  pairs: readonly (readonly [string, string])[] = [["fd01:203:405::/48", "2001:db8:1::/48"]],
) => {
  const made = createNpt({
    pairs: pairs.map(([internal, external]) => ({ internal: prefix(internal), external: prefix(external) })),
    routers: routers ? { inside: address(INNER_ROUTER), outside: address(OUTER_ROUTER) } : undefined,
  })
  assert.ok(made.ok)
  return made.state
}

const EXAMPLE = device()

const pass = (bytes: Uint8Array, side: Side, state = EXAMPLE): Out => {
  const passed = translateNpt(state, { bytes, side, now: 0 })
  assert.equal(passed.state, state)
  assert.deepEqual([passed.changes, passed.next], [[], undefined])
  return passed.out
}

const forwarded = (out: Out, side: Side): Uint8Array => {
  assert.ok(out.kind === "forwarded", JSON.stringify(out))
  assert.deepEqual([out.side, out.packets.length, out.realm], [side, 1, undefined])
  return out.packets[0]
}

const between = (source: string, destination: string): PortEnds => ({
  source,
  sourcePort: 1111,
  destination,
  destinationPort: 2222,
})
const datagram = (ends: PortEnds, hopLimit = 64) => ip6({ ...ends, protocol: 17, hopLimit }, udp(ends))
const error = (ends: Ends, inner: Uint8Array, hopLimit = 64, type = 1, code = 4, rest = [0, 0, 0, 0]) =>
  ip6({ ...ends, protocol: 58, hopLimit }, icmp6(ends, type, code, rest, inner))

describe("packets at an NPTv6 device", () => {
  test("NAT-6296-3.2, NAT-6296-3.3: out with the external prefix in its source, in with the internal one in its destination", () => {
    same(forwarded(pass(datagram(between(INTERNAL, PEER)), "inside"), "outside"), datagram(between(EXTERNAL, PEER), 63))
    same(forwarded(pass(datagram(between(PEER, EXTERNAL)), "outside"), "inside"), datagram(between(PEER, INTERNAL), 63))
  })

  test("NAT-6296-2.5: nothing is remembered: either side begins, and no packet changes the state", () => {
    const [out, into] = [datagram(between(INTERNAL, PEER)), datagram(between(PEER, EXTERNAL))]
    for (const order of [
      [out, into],
      [into, out],
    ] as const)
      for (const bytes of order) {
        const side = bytes === out ? "inside" : "outside"
        const passed = translateNpt(EXAMPLE, { bytes, side, now: 0 })
        assert.equal(passed.state, EXAMPLE)
        assert.deepEqual([passed.out.kind, passed.changes, passed.next], ["forwarded", [], undefined])
      }
  })

  test("NAT-6296-4.3: hairpinned, the packet comes from its sender's external address, one hop further", () => {
    const sent = datagram(between(INTERNAL, NEIGHBOUR_OUT))
    same(forwarded(pass(sent, "inside"), "inside"), datagram(between(EXTERNAL, NEIGHBOUR), 63))
    // And the answer of whoever got it finds its way back.
    const answer = datagram(between(NEIGHBOUR, EXTERNAL))
    same(forwarded(pass(answer, "inside"), "inside"), datagram(between(NEIGHBOUR_OUT, INTERNAL), 63))
  })

  test("NAT-6296-4.3: an ICMPv6 error about a hairpinned packet shows its sender what it sent", () => {
    const got = datagram(between(EXTERNAL, NEIGHBOUR), 63)
    const told = error({ source: NEIGHBOUR, destination: EXTERNAL }, got)
    const seen = error(
      { source: NEIGHBOUR_OUT, destination: INTERNAL },
      datagram(between(INTERNAL, NEIGHBOUR_OUT), 63),
      63,
    )
    same(forwarded(pass(told, "inside"), "inside"), seen)
  })

  test("NAT-6296-3.2: subnet 0xffff has no mapping: Destination Unreachable, from the device's address on that side", () => {
    const sent = datagram(between("fd01:203:405:ffff::1", PEER))
    const out = pass(sent, "inside")
    assert.ok(out.kind === "returned")
    assert.equal(out.reason, "prefix-unmapped")
    same(out.packet, error({ source: INNER_ROUTER, destination: "fd01:203:405:ffff::1" }, sent, 64, 1, 0))
    const came = datagram(between(PEER, "2001:db8:1:ffff::1"))
    const back = pass(came, "outside")
    assert.ok(back.kind === "returned")
    same(back.packet, error({ source: OUTER_ROUTER, destination: PEER }, came, 64, 1, 0))
    assert.deepEqual(pass(sent, "inside", device(false)), { kind: "dropped", reason: "prefix-unmapped" })
  })

  test("NAT-6296-3.7: an identifier of zeros behind a long prefix: Parameter Problem that points at it", () => {
    const long = device(true, [["fd00:0:0:100::/56", "2001:db8:2:200::/56"]])
    const sent = datagram(between("fd00:0:0:1ab::", PEER))
    const out = pass(sent, "inside", long)
    assert.ok(out.kind === "returned")
    assert.equal(out.reason, "zero-identifier")
    same(out.packet, error({ source: INNER_ROUTER, destination: "fd00:0:0:1ab::" }, sent, 64, 4, 0, [0, 0, 0, 16]))
  })

  test("a hairpinned packet to an address that nobody can have is answered as one to the outside would be", () => {
    const sent = datagram(between(INTERNAL, "2001:db8:1:ffff::1"))
    const out = pass(sent, "inside")
    assert.ok(out.kind === "returned")
    // It shows the packet as its sender sent it, not as it was on the way.
    same(out.packet, error({ source: INNER_ROUTER, destination: INTERNAL }, sent, 64, 1, 0))
  })

  test("NAT-6296-2.4, NAT-6296-3.1: each pair is a translator of its own, and neighbours of two pairs reach each other", () => {
    const two = device(true, [
      ["fd01:203:405::/48", "2001:db8:1::/48"],
      ["fd01:203:406::/48", "2001:db8:2::/48"],
    ])
    // The pairs differ by one in both sums: the same adjustment.
    const sent = datagram(between("fd01:203:406:1::7", EXTERNAL))
    same(forwarded(pass(sent, "inside", two), "inside"), datagram(between("2001:db8:2:d550::7", INTERNAL), 63))
    assert.equal(pass(datagram(between("fd01:203:407:1::7", PEER)), "inside", two).kind, "returned")
  })

  test("NAT-6296-3.2, NAT-6296-3.3: a router of one pair's prefix tells of another's host, whose address its peer never sees", () => {
    const two = device(true, [
      ["fd01:203:405::/48", "2001:db8:1::/48"],
      ["fd01:203:406::/48", "2001:db8:2::/48"],
    ])
    const [inside, outside] = ["fd01:203:406:1::7", "2001:db8:2:d550::7"]
    const told = (source: string, destination: string, of: string, hopLimit: number) =>
      error({ source, destination }, datagram(between(PEER, of)), hopLimit)
    const out = pass(told(INTERNAL, PEER, inside, 64), "inside", two)
    same(forwarded(out, "outside"), told(EXTERNAL, PEER, outside, 63))
    // The other way round: to a router inside about what a host beside it sent.
    const back = (destination: string, of: string, hopLimit: number) =>
      error({ source: PEER, destination }, datagram(between(of, PEER)), hopLimit)
    same(forwarded(pass(back(EXTERNAL, outside, 64), "outside", two), "inside"), back(INTERNAL, inside, 63))
  })

  test("the last hop ends here, and no error is sent about an error", () => {
    const out = pass(datagram(between(INTERNAL, PEER), 1), "inside")
    assert.ok(out.kind === "returned")
    assert.equal(out.reason, "hop-limit")
    const inner = datagram(between(PEER, INTERNAL))
    const last = error({ source: INTERNAL, destination: PEER }, inner, 1)
    assert.deepEqual(pass(last, "inside"), { kind: "dropped", reason: "hop-limit" })
  })

  test("NAT-6296-2.6: TCP stays octet for octet behind the header", () => {
    const ends = between(INTERNAL, PEER)
    const segment = tcp(ends)
    const out = forwarded(pass(ip6({ ...ends, protocol: 6 }, segment), "inside"), "outside")
    same(out.subarray(40), segment)
  })

  test("NAT-5508-REQ-1: ICMPv6 queries pass both ways with their identifier, whatever it is", () => {
    const query = (type: number, source: string, destination: string, id: number, hopLimit: number) =>
      ip6(
        { source, destination, protocol: 58, hopLimit },
        icmp6({ source, destination }, type, 0, [id >> 8, id & 255, 0, 1], [1, 2, 3]),
      )
    for (const id of [0, 1, 0xffff]) {
      same(forwarded(pass(query(128, INTERNAL, PEER, id, 64), "inside"), "outside"), query(128, EXTERNAL, PEER, id, 63))
      same(forwarded(pass(query(129, PEER, EXTERNAL, id, 64), "outside"), "inside"), query(129, PEER, INTERNAL, id, 63))
    }
  })

  test("what is no IPv6 packet is dropped with its reason", () => {
    const ends = { source: "10.0.0.1", destination: "10.0.0.2" }
    assert.deepEqual(pass(ip4({ ...ends, protocol: 50 }, octets(1, 2, 3)), "inside"), {
      kind: "dropped",
      reason: "wrong-family",
    })
    assert.deepEqual(pass(octets(), "outside"), { kind: "dropped", reason: "truncated" })
  })

  test("random octets, and packets with random changes, never throw; what is dropped has a clause", () => {
    const good = datagram(between(INTERNAL, PEER))
    const changed = fc
      .tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 5 }), fc.nat(good.length))
      .map(([edits, length]) => {
        const copy = good.slice(0, length)
        for (const [at, value] of edits) if (at < length) copy[at] = value
        return copy
      })
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 120 }), changed),
        fc.constantFrom("inside", "outside"),
        (bytes, side) => {
          const before = bytes.slice()
          const out = pass(bytes, side)
          assert.deepEqual(bytes, before)
          if (out.kind === "dropped" || out.kind === "returned") assert.ok(REASON_CLAUSES[out.reason])
        },
      ),
    )
  })
})
