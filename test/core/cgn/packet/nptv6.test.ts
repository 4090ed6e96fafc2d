import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { nptv6Inbound, nptv6Outbound } from "../../../../core/cgn/packet/index.ts"
import { makeTranslator } from "../../../../core/cgn/stateless/prefix.ts"
import { DATA, fragmentHeader, icmp6, inet, ip4, ip6, octets, type PortEnds, sctp, tcp, udp, udpLite } from "./build.ts"
import { bytesOf, dropOf, prefix, read, same } from "./scene.ts"

const translator = (internal: string, external: string) =>
  makeTranslator({ internal: prefix(internal), external: prefix(external) })

/** The example of RFC 6296 section 3.6. */
const EXAMPLE = translator("fd01:203:405::/48", "2001:db8:1::/48")
const INTERNAL = "fd01:203:405:1::1234"
const EXTERNAL = "2001:db8:1:d550::1234"
const PEER = "2001:db8:ffff::9"

/** A longer one, with what its first identifier word becomes: fd00:0:0:100 - 2001:db8:2:200 + aaaa, one's complement. */
const LONG = translator("fd00:0:0:100::/56", "2001:db8:2:200::/56")
const LONG_INTERNAL = "fd00:0:0:1ab:aaaa::1"
const LONG_EXTERNAL = `2001:db8:2:2ab:${((0xfd00 + 0x100 + (0xffff - 0x2001) + (0xffff - 0xdb8) + (0xffff - 2) + (0xffff - 0x200) + 0xaaaa) % 0xffff).toString(16)}::1`

const ends = (source: string): PortEnds => ({ source, sourcePort: 1111, destination: PEER, destinationPort: 2222 })
const reply = (destination: string): PortEnds => ({
  source: PEER,
  sourcePort: 2222,
  destination,
  destinationPort: 1111,
})

describe("NPTv6", () => {
  for (const [name, made, internal, external] of [
    ["the /48 of the RFC's example", EXAMPLE, INTERNAL, EXTERNAL],
    ["a /56, adjusted in the identifier", LONG, LONG_INTERNAL, LONG_EXTERNAL],
  ] as const)
    test(`NAT-6296-2.6, NAT-6296-3.4, NAT-6296-3.5, NAT-6296-3.6: ${name}: nothing behind the header changes, and all checksums are right`, () => {
      for (const [protocol, make] of [
        [6, (of: PortEnds) => tcp(of)],
        [17, (of: PortEnds) => udp(of)],
        [136, (of: PortEnds) => udpLite(of, DATA, 8)],
        [132, () => sctp(1, 2)],
        [58, (of: PortEnds) => icmp6(of, 128, 0, [1, 2, 3, 4], DATA)],
        [50, () => DATA],
      ] as const) {
        const header = { protocol, trafficClass: 3, flowLabel: 7, extensions: [fragmentHeader(0, false, 1)] }
        const sent = make(ends(internal))
        const out = bytesOf(nptv6Outbound(made, read(ip6({ ...ends(internal), ...header }, sent))))
        same(out, ip6({ ...ends(external), ...header, hopLimit: 63 }, make(ends(external))))
        same(out.subarray(48), sent)
        const back = bytesOf(nptv6Inbound(made, read(ip6({ ...reply(external), ...header }, make(reply(external))))))
        same(back, ip6({ ...reply(internal), ...header, hopLimit: 63 }, make(reply(internal))))
      }
    })

  test("NAT-6296-2.6: ICMPv6 errors: the packet in error goes back to what its sender sent, the checksum stays", () => {
    const router = { source: "2001:db8:5::5", destination: EXTERNAL }
    const error = (of: { source: string; destination: string }, inner: Uint8Array, hopLimit: number) =>
      ip6({ ...of, protocol: 58, hopLimit }, icmp6(of, 3, 0, [0, 0, 0, 0], inner.subarray(0, 49)))
    const inner = (source: string) => ip6({ ...ends(source), protocol: 17 }, udp(ends(source)))
    const came = error(router, inner(EXTERNAL), 64)
    const seen = error({ ...router, destination: INTERNAL }, inner(INTERNAL), 63)
    same(bytesOf(nptv6Inbound(EXAMPLE, read(came))), seen)
    const innerIn = (destination: string) => ip6({ ...reply(destination), protocol: 17 }, udp(reply(destination)))
    const went = error({ source: "fd01:203:405:1::1", destination: PEER }, innerIn(INTERNAL), 64)
    const told = error({ source: "2001:db8:1:d550::1", destination: PEER }, innerIn(EXTERNAL), 63)
    same(bytesOf(nptv6Outbound(EXAMPLE, read(went))), told)
  })

  test("NAT-6296-2.6: an error about a packet of somebody else's leaves it alone", () => {
    const foreign: PortEnds = { ...ends("2001:db8:7::7") }
    const outer = { source: PEER, destination: EXTERNAL }
    const bytes = ip6(
      { ...outer, protocol: 58 },
      icmp6(outer, 1, 0, [0, 0, 0, 0], ip6({ ...foreign, protocol: 17 }, udp(foreign))),
    )
    const out = bytesOf(nptv6Inbound(EXAMPLE, read(bytes)))
    same(out.subarray(48), bytes.subarray(48))
  })

  test("NAT-6296-3.2: an adjusted word of ffff becomes 0, which is the same to a checksum", () => {
    const out = bytesOf(
      nptv6Outbound(
        EXAMPLE,
        read(ip6({ ...ends("fd01:203:405:2ab0::1"), protocol: 17 }, udp(ends("fd01:203:405:2ab0::1")))),
      ),
    )
    same(out, ip6({ ...ends("2001:db8:1::1"), protocol: 17, hopLimit: 63 }, udp(ends("2001:db8:1::1"))))
    assert.equal(inet(out.subarray(8, 40), [0, 0, 0, 26, 0, 0, 0, 17], out.subarray(40)), 0)
  })

  test("NAT-6296-3.2: no mapping: dropped, and its sender told that there is no route", () => {
    for (const source of ["fd01:203:405:ffff::1", "fd01:203:406:1::1", PEER]) {
      const { reply: told } = dropOf(
        nptv6Outbound(EXAMPLE, read(ip6({ ...ends(source), protocol: 50 }, DATA))),
        "prefix-unmapped",
      )
      assert.deepEqual(told, { kind: "no-route" })
    }
    dropOf(nptv6Inbound(EXAMPLE, read(ip6({ ...reply(PEER), protocol: 50 }, DATA))), "prefix-unmapped")
  })

  test("NAT-6296-3.7: an identifier of zeros behind a longer prefix: parameter problem", () => {
    const out = nptv6Outbound(LONG, read(ip6({ ...ends("fd00:0:0:1ab::"), protocol: 50 }, DATA)))
    assert.deepEqual(dropOf(out, "zero-identifier").reply, { kind: "parameter", pointer: 16 })
    const back = nptv6Inbound(LONG, read(ip6({ ...reply("2001:db8:2:2ab::"), protocol: 50 }, DATA)))
    assert.deepEqual(dropOf(back, "zero-identifier").reply, { kind: "parameter", pointer: 32 })
    for (const [made, source] of [
      [LONG, "fd00:0:0:2ab::"],
      [LONG, PEER],
      [EXAMPLE, "fd01:203:405:ffff::"],
    ] as const)
      dropOf(nptv6Outbound(made, read(ip6({ ...ends(source), protocol: 50 }, DATA))), "prefix-unmapped")
    assert.ok(nptv6Outbound(EXAMPLE, read(ip6({ ...ends("fd01:203:405:1::"), protocol: 50 }, DATA))).ok)
  })

  test("the hop limit, and IPv4", () => {
    const dying = read(ip6({ ...ends(INTERNAL), protocol: 50, hopLimit: 1 }, DATA))
    dropOf(nptv6Outbound(EXAMPLE, dying), "hop-limit")
    assert.equal(bytesOf(nptv6Outbound(EXAMPLE, dying, 0))[7], 1)
    const four = { source: "10.0.0.1", destination: "10.0.0.2" }
    dropOf(nptv6Outbound(EXAMPLE, read(ip4({ ...four, protocol: 50 }, octets(DATA)))), "wrong-family")
  })
})
