/** A NAPT44 beside nftables' masquerading and port forwarding: the same packets must come out of both. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { readPacket, reassemble } from "../../core/cgn/packet/index.ts"
import {
  DATA,
  type Ends,
  icmp4,
  ip4,
  type Octets,
  octets,
  type PortEnds,
  tcp,
  toHex,
  udp,
} from "../core/cgn/packet/build.ts"
import { route, type Sent } from "./kernel.ts"
import { compare, compareWith, type Difference, inside, lack, outside, skip, turned } from "./kernel-compare.ts"
import { EXTERNAL, HOP, HOST, nat, OTHER, PEER, router, STRANGER } from "./kernel-nat.ts"

const [FIN, SYN, RST, ACK] = [1, 2, 4, 16]

const out = (port: number, source = HOST, destination = PEER, destinationPort = 53): PortEnds => ({
  source,
  sourcePort: port,
  destination,
  destinationPort,
})
/** From a remote peer to an external port. */
const back = (port: number, source = PEER, sourcePort = 53): PortEnds => turned(out(port, EXTERNAL, source, sourcePort))

const four = (of: Ends, protocol: number, payload: Octets, ttl = 64) => ip4({ ...of, protocol, ttl }, payload)
const u = (of: PortEnds, ttl = 64) => four(of, 17, udp(of), ttl)
const t = (of: PortEnds, flags: number) => four(of, 6, tcp(of, DATA, flags))
const ping = (of: Ends, type: number, id: number) => four(of, 1, icmp4(type, 0, [id >> 8, id & 255, 0, 1], DATA))
const error = (of: Ends, inner: Uint8Array, type = 3, code = 3, rest = [0, 0, 0, 0]) =>
  four(of, 1, icmp4(type, code, rest, inner))

const OWN_ERRORS: Difference = {
  why: "the errors that the kernel sends have precedence 6 (RFC 1812 section 4.3.2.5) and an identification without DF",
  applies: ({ bytes }) => ["0a000001", "c6336401"].includes(toHex(bytes.subarray(12, 16))) && bytes[9] === 1,
  octets: [
    [1, 2],
    [4, 8],
    [10, 12],
  ],
}

describe("a NAPT44 and nftables' masquerading", { skip }, () => {
  test("NAT-4787-REQ-8: UDP: out, and in again from whom the host talks with", () => {
    compare(router, nat(), [
      outside("unasked", u(back(5001))),
      inside("first", u(out(5001))),
      outside("answer", u(back(5001))),
      outside("from a stranger", u(back(5001, STRANGER))),
      outside("from another port", u(back(5001, PEER, 54))),
      inside("from another port of the host", u(out(5002))),
      inside("to another peer", u(out(5001, HOST, STRANGER))),
      outside("its answer", u(back(5001, STRANGER))),
      inside("from another host", u(out(5003, OTHER))),
      outside("answer to that", u(back(5003))),
      inside("without checksum", four(out(5004), 17, udp(out(5004), DATA, 0))),
      outside("answer without checksum", four(back(5004), 17, udp(back(5004), DATA, 0))),
      inside("with two octets", four(out(5005), 17, udp(out(5005), [0, 0]))),
      inside("with options", ip4({ ...out(5006), protocol: 17, options: [1, 1, 1, 0] }, udp(out(5006)))),
      inside(
        "with DF, TOS and identification",
        ip4({ ...out(5007), protocol: 17, flags: 2, tos: 0xb9, id: 0xffff }, udp(out(5007))),
      ),
    ])
  })

  test("a fixed port map: in from everybody, out by the same port, and hairpinned", () => {
    const near = { source: OTHER, sourcePort: 6001, destination: EXTERNAL, destinationPort: 8053 }
    const answered = { source: HOST, sourcePort: 53, destination: EXTERNAL, destinationPort: 6001 }
    compare(router, nat(), [
      outside("UDP", u(back(8053))),
      inside("answer", u(out(53))),
      outside("from a stranger", u(back(8053, STRANGER, 9))),
      inside("answer", u(out(53, HOST, STRANGER, 9))),
      outside("TCP", t(back(8080), SYN)),
      inside("SYN-ACK", t(out(80), SYN | ACK)),
      outside("ACK", t(back(8080), ACK)),
      inside("data", t(out(80), ACK)),
      inside("hairpinned", u(near)),
      inside("and back", u(answered)),
    ])
  })

  test("NAT-5382-REQ-1: TCP: a connection's life", () => {
    compare(router, nat(), [
      outside("SYN unasked", t(back(5101), SYN)),
      inside("data of no connection", t(out(5101), ACK)),
      inside("SYN", t(out(5101), SYN)),
      outside("SYN-ACK", t(back(5101), SYN | ACK)),
      inside("ACK", t(out(5101), ACK)),
      outside("data", t(back(5101), ACK)),
      outside("SYN of a stranger", t(back(5101, STRANGER), SYN)),
      inside("FIN", t(out(5101), FIN | ACK)),
      outside("FIN back", t(back(5101), FIN | ACK)),
      inside("last ACK", t(out(5101), ACK)),
      inside("SYN that is refused", t(out(5102), SYN)),
      outside("by RST", t(back(5102), RST | ACK)),
    ])
  })

  test("NAT-5508-REQ-1: ICMP queries keep a free identifier", () => {
    compare(router, nat(), [
      outside("answer unasked", ping({ source: PEER, destination: EXTERNAL }, 0, 0x4001)),
      inside("ping", ping(out(0), 8, 0x4001)),
      outside("answer", ping({ source: PEER, destination: EXTERNAL }, 0, 0x4001)),
      outside("another answer", ping({ source: PEER, destination: EXTERNAL }, 0, 0x4002)),
      inside("answer to nothing", ping(out(0), 0, 0x4003)),
      inside("timestamp", four(out(0), 1, icmp4(13, 0, [0x40, 4, 0, 1], new Uint8Array(12)))),
    ])
  })

  test("NAT-5508-REQ-1: identifier 0 passes as well: the kernel keeps it outside, here it is another there", () => {
    assert.equal(lack, undefined)
    const CHOSEN: Difference = {
      why: "identifiers below 256 are no external ones here, and the checksum covers them",
      applies: ({ side, bytes }) => side === "outside" && bytes[9] === 1,
      octets: [[22, 26]],
    }
    const first = inside("ping", ping(out(0), 8, 0))
    const [seen] = nat()(first)
    const [there, came] = [
      { source: PEER, destination: EXTERNAL },
      { source: HOP, destination: EXTERNAL },
    ]
    const steps = (id: number) => [
      outside("answer unasked", ping(there, 0, id)),
      first,
      outside("answer", ping(there, 0, id)),
      outside("answer of a stranger", ping({ ...there, source: STRANGER }, 0, id)),
      inside("timestamp", four(out(0), 1, icmp4(13, 0, [0, 0, 0, 2], new Uint8Array(12)))),
      outside("its answer", four(there, 1, icmp4(14, 0, [id >> 8, id & 255, 0, 2], new Uint8Array(12)))),
      outside("time exceeded about it", error(came, ping(out(0, EXTERNAL), 8, id), 11, 0)),
      inside("to another peer", ping(out(0, HOST, STRANGER), 8, 0)),
      outside("its answer", ping({ ...there, source: STRANGER }, 0, id)),
      inside("answer to nothing", ping(out(0, OTHER), 0, 0)),
    ]
    const kernel = route(router, steps(0))
    assert.deepEqual(
      kernel.map(({ length }) => length),
      [0, 1, 1, 0, 1, 1, 1, 1, 1, 0],
    )
    compareWith(kernel, nat(), steps((seen.bytes[24] << 8) | seen.bytes[25]), [CHOSEN])
  })

  test("NAT-5508-REQ-4, NAT-5508-REQ-5: ICMP errors about flows, with the packet in them", () => {
    const came = { source: HOP, destination: EXTERNAL }
    const seen = (port: number) => out(port, EXTERNAL)
    compare(router, nat(), [
      outside("about nothing", error(came, u(seen(5201)))),
      inside("UDP", u(out(5201))),
      outside("time exceeded about it", error(came, u(seen(5201), 1), 11, 0)),
      outside("fragmentation needed", error(came, u(seen(5201)), 3, 4, [0, 0, 5, 0])),
      outside("about 8 octets of it", error(came, u(seen(5201)).subarray(0, 28))),
      inside("TCP", t(out(5202), SYN)),
      outside("host unreachable", error(came, t(seen(5202), SYN).subarray(0, 40), 3, 1)),
      inside("ping", ping(out(0), 8, 0x4101)),
      outside("about it", error(came, ping(seen(0), 8, 0x4101), 3, 0)),
      outside("UDP in by a fixed port", u(back(8053))),
      inside("port unreachable about it", error({ source: HOST, destination: PEER }, u(turned(out(53)), 63))),
    ])
  })

  test("NAT-4787-REQ-1: of two hosts with the same port one gets another: which, is each one's choice", () => {
    const CHOSEN: Difference = {
      why: "each chooses by its own random numbers (RFC 6056), and the checksum covers the port",
      applies: ({ side, bytes }) => side === "outside" && bytes[9] === 17,
      octets: [
        [20, 22],
        [26, 28],
      ],
    }
    compare(router, nat(), [inside("the first", u(out(5301)))])
    compare(router, nat(), [inside("one", u(out(5301))), inside("two", u(out(5301, OTHER)))], [CHOSEN])
  })

  test("NAT-4787-REQ-13: too long for the link: fragments, or an error with DF", () => {
    const long = new Uint8Array(1450).map((_, i) => i)
    const [may, must] = [out(5401), out(5402)]
    compare(
      router,
      nat(),
      [
        inside("without DF", four(may, 17, udp(may, long))),
        inside("with DF", ip4({ ...must, protocol: 17, flags: 2 }, udp(must, long))),
      ],
      [OWN_ERRORS],
    )
  })

  test("the last hop", () => {
    compare(
      router,
      nat(),
      [
        inside("UDP", u(out(5501), 1)),
        outside("UDP to a fixed port", u(back(8053), 1)),
        {
          ...inside("UDP to a fixed port, hairpinned", u(out(5502, OTHER, EXTERNAL, 8053), 1)),
          otherwise:
            "the kernel's error comes from the external address that the packet went to, ours from the router's inside",
        },
      ],
      [OWN_ERRORS],
    )
  })

  test("NAT-4787-REQ-14: fragments in any order: the kernel cuts what it puts together where it was cut", () => {
    assert.equal(lack, undefined)
    const cut = (ends: PortEnds): Uint8Array[] => {
      const whole = udp(
        ends,
        new Uint8Array(64).map((_, i) => i),
      )
      return [0, 1, 2].map((n) =>
        ip4(
          { ...ends, protocol: 17, id: 77, flags: n < 2 ? 1 : 0, offset: 3 * n },
          whole.subarray(24 * n, n < 2 ? 24 * n + 24 : undefined),
        ),
      )
    }
    const [first, second, last] = cut(out(5601)).map((bytes) => inside("out", bytes))
    const [one, two, three] = cut(back(5601)).map((bytes) => outside("in", bytes))
    const sent = [first, second, last, three, two, one]
    const whole = (packets: readonly Sent[]): string => {
      const read = packets.map(({ bytes }) => {
        const packet = readPacket(bytes)
        assert.ok(packet.ok)
        return packet
      })
      const put = read.length === 1 ? { ok: true as const, bytes: read[0].bytes } : reassemble(read)
      assert.ok(put?.ok)
      return toHex(octets(put.bytes))
    }
    const kernel = route(router, sent)
    const carry = nat()
    const own = sent.map(carry)
    for (const last of [2, 5]) assert.equal(whole(own[last]), whole(kernel[last]))
    for (const early of [0, 1, 3, 4]) assert.deepEqual([own[early], kernel[early]], [[], []])
  })
})
