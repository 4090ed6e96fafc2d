/** RFC 6333 by section, where no other test is about it: an AFTR. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type CgnSettings, type Out, sendLate } from "../../../../core/cgn/index.ts"
import { fragmentHeader, icmp4, icmp6, ip4, ip6 } from "../packet/build.ts"
import { address, cgnWith, lines } from "../scene.ts"
import {
  ACK,
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

const AFTR = "2001:db8:a::1"
const [B4, OTHER_B4] = ["2001:db8:b::4", "2001:db8:b::5"]
type Translation = NonNullable<CgnSettings["translation"]>
const dslite = (translation: Translation = {}, settings: Partial<CgnSettings> = {}) =>
  network(cgnWith({ ...settings, translation: { inside: { kind: "dslite", aftr: address(AFTR) }, ...translation } }))

const softwire = (b4: string, packet: Uint8Array): Uint8Array =>
  ip6({ source: b4, destination: AFTR, protocol: 4 }, packet)
/** What the AFTR sends to a B4: IPv6 of 40 octets, then the packet. */
const inSoftwire = (b4: string, packet: Uint8Array): Uint8Array =>
  ip6({ source: AFTR, destination: b4, protocol: 4 }, packet)

const returned = (out: Out): Uint8Array => {
  assert.ok(out.kind === "returned", JSON.stringify(out))
  return out.packet
}

test("NAT-6333-6.1: the end of a softwire and a NAT in one: IPv4 leaves, and comes back in the softwire", () => {
  const cgn = dslite()
  const out = sent(cgn.out(softwire(B4, udp4(ends(HOST, 5000, REMOTE, 53)))), "outside")
  const { port } = sourceOf(out)
  isPacket(out, udp4(ends(EXTERNAL, port, REMOTE, 53), 63))
  isPacket(
    sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port))), "inside"),
    inSoftwire(B4, udp4(ends(REMOTE, 53, HOST, 5000), 63)),
  )
  assert.equal(reason(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53)))), "not-served")
})

test("NAT-6333-6.6: a softwire from a group, from nobody or from the AFTR itself is none: nothing would go back there", () => {
  const cgn = dslite()
  for (const source of ["ff0e::1", "::", "::1", AFTR])
    assert.equal(reason(cgn.out(softwire(source, udp4(ends(HOST, 5000, REMOTE, 53))))), "illegal-source")
  assert.deepEqual(lines(cgn.state), [])
})

test("NAT-6333-6.5: ICMP errors in softwires come from 192.0.0.1, unless another address is set", () => {
  const last = udp4(ends(HOST, 5000, REMOTE, 53), 1)
  const told = (from: string) =>
    inSoftwire(
      B4,
      ip4({ source: from, destination: HOST, protocol: 1, id: 0, flags: 2 }, icmp4(11, 0, [0, 0, 0, 0], last)),
    )
  isPacket(returned(dslite().out(softwire(B4, last))), told("192.0.0.1"))
  const routers = { inside: address("10.9.9.9"), outside: undefined }
  isPacket(returned(dslite({ routers }).out(softwire(B4, last))), told("10.9.9.9"))
})

describe("fragments of softwires", () => {
  const inner = softwire(B4, udp4(ends(HOST, 5000, REMOTE, 53), 64, Array(100).fill(3))).subarray(40)
  const piece = (from: number, to: number) =>
    ip6(
      { source: B4, destination: AFTR, protocol: 4, extensions: [fragmentHeader(from / 8, to < inner.length, 5)] },
      inner.subarray(from, to),
    )

  test("NAT-6333-6.3, NAT-8200-4.5: a packet that never comes whole: Time Exceeded, code 1, from the AFTR to the B4", () => {
    const cgn = dslite({ fragments: { count: 8, octets: 4000, timeout: 60 } })
    const first = piece(0, 64)
    assert.equal(cgn.out(first, 0).kind, "kept")
    assert.deepEqual(sendLate(cgn.state, 59_999).packets, [])
    const { packets, state } = sendLate(cgn.state, 60_000)
    assert.deepEqual(
      packets.map(({ side }) => side),
      ["inside"],
    )
    const at = { source: AFTR, destination: B4 }
    isPacket(packets[0].packet, ip6({ ...at, protocol: 58 }, icmp6(at, 3, 1, [0, 0, 0, 0], first)))
    // The rest came too late for it, and has no first fragment: nobody is told (RFC 8200 section 4.5).
    cgn.set(state)
    assert.equal(cgn.out(piece(64, inner.length), 60_000).kind, "kept")
    assert.deepEqual(sendLate(cgn.state, 120_000).packets, [])
  })

  test("NAT-6333-6.3: none is told where the settings keep the inside free of errors", () => {
    const cgn = dslite({ ownErrors: { inside: false, outside: true } })
    cgn.out(piece(0, 64), 0)
    assert.deepEqual(sendLate(cgn.state, 60_000).packets, [])
  })
})

describe("the NAT of an AFTR", () => {
  test("NAT-6333-8.1: a pool of ranges that are apart; each B4's hosts have one address of it", () => {
    const external = ["203.0.113.1", "203.0.113.7", "198.18.0.9"].map(address)
    const cgn = dslite({}, { external })
    for (let n = 1; n < 12; n++) {
      const b4 = `2001:db8:b::${n}`
      const seen = [1, 2, 3].map((port) =>
        sourceOf(sent(cgn.out(softwire(b4, udp4(ends(HOST, port, REMOTE, 53)))), "outside")),
      )
      assert.equal(new Set(seen.map((end) => end.address)).size, 1)
      assert.ok(external.includes(address(seen[0].address)))
    }
  })

  test("NAT-6333-8.2: RFC 4787: endpoint-independent, hairpinning from the external end, through both softwires", () => {
    const cgn = dslite()
    const end = sourceOf(sent(cgn.out(softwire(B4, udp4(ends(HOST, 5000, REMOTE, 53)))), "outside"))
    assert.deepEqual(sourceOf(sent(cgn.out(softwire(B4, udp4(ends(HOST, 5000, STRANGER, 1)))), "outside")), end)
    // The same address and port behind another B4 is another host.
    const turned = sent(cgn.out(softwire(OTHER_B4, udp4(ends(HOST, 5000, EXTERNAL, end.port)))), "inside")
    const from = sourceOf(turned.subarray(40))
    assert.equal(from.address, EXTERNAL)
    assert.notEqual(from.port, end.port)
    isPacket(turned, inSoftwire(B4, udp4(ends(EXTERNAL, from.port, HOST, 5000), 63)))
    assert.equal(lines(cgn.state).length, 2)
  })

  test("NAT-6333-8.2: RFC 5382 and RFC 5508: connections, queries, and errors about them", () => {
    const cgn = dslite()
    const end = sourceOf(sent(cgn.out(softwire(B4, tcp4(ends(HOST, 5000, REMOTE, 80), SYN))), "outside"))
    isPacket(
      sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, end.port), SYN | ACK)), "inside"),
      inSoftwire(B4, tcp4(ends(REMOTE, 80, HOST, 5000), SYN | ACK, 63)),
    )
    const ping = sourceOf(sent(cgn.out(softwire(B4, echo4(8, HOST, REMOTE, 7))), "outside"))
    isPacket(
      sent(cgn.in(echo4(0, REMOTE, EXTERNAL, ping.port)), "inside"),
      inSoftwire(B4, echo4(0, REMOTE, HOST, 7, 63)),
    )
    isPacket(
      sent(cgn.in(error4(3, 1, STRANGER, EXTERNAL, tcp4(ends(EXTERNAL, end.port, REMOTE, 80), SYN, 60))), "inside"),
      inSoftwire(B4, error4(3, 1, STRANGER, HOST, tcp4(ends(HOST, 5000, REMOTE, 80), SYN, 60), 63)),
    )
  })
})
