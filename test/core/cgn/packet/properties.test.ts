import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  CROSSING_DEFAULTS,
  type Crossing,
  DROP_CLAUSES,
  decapsulate,
  embedIpv4,
  encapsulate,
  extractIpv4,
  fitLink,
  flowOf,
  hopLimit,
  type IcmpCause,
  type IpPacket,
  icmpError,
  KEEP,
  nptv6Inbound,
  nptv6Outbound,
  readPacket,
  rewrite,
  rewriteInPlace,
  sourceRouteAt,
  tcpFlags,
  toIpv4,
  toIpv6,
  trafficClass,
} from "../../../../core/cgn/packet/index.ts"
import { makeTranslator } from "../../../../core/cgn/stateless/prefix.ts"
import { addressFromIpv4 } from "../../../../core/wire/index.ts"
import { anything, ends4, error4, error6, whole4, whole6 } from "./arbitrary.ts"
import { inet, octets, toHex, w32 } from "./build.ts"
import { address, bytesOf, onlyOf, packetsOf, prefix, read, same } from "./scene.ts"

const PREFIX = prefix("2001:db8:122:344::/64")
const NPT = makeTranslator({ internal: prefix("2001:db8:1::/48"), external: prefix("2001:db8:abcd::/48") })
const TUNNEL = { local: address("2001:db8::1"), remote: address("2001:db8::2"), mtu: 1280, hopLimit: 9 }
const STILL = { ...CROSSING_DEFAULTS, hops: 0 } as const
const TO6: Crossing = {
  source: address("2001:db8::a"),
  sourcePort: 4,
  destination: address("2001:db8::b"),
  destinationPort: 5,
}
const TO4: Crossing = { ...TO6, source: address("192.0.2.1"), destination: address("192.0.2.2") }

const port = fc.integer({ min: 0, max: 0xffff })
const ipv4 = fc.nat(0xffffffff).map(addressFromIpv4)

/** Every checksum that a whole packet, or an ICMP error with what it quotes, can be held to, computed in full. */
const allRight = (bytes: Uint8Array): void => {
  const four = bytes[0] >> 4 === 4
  const at = four ? (bytes[0] & 15) * 4 : 40
  const protocol = bytes[four ? 9 : 6]
  const payload = bytes.subarray(at)
  if (four) assert.equal(inet(bytes.subarray(0, at)), 0, `header of ${toHex(bytes)}`)
  const pseudo = [...bytes.subarray(four ? 12 : 8, four ? 20 : 40), ...w32(payload.length), ...w32(protocol)]
  const covered =
    protocol === 136 && (payload[4] << 8) + payload[5] > 0 ? (payload[4] << 8) + payload[5] : payload.length
  if ([6, 17, 33, 58, 136].includes(protocol)) assert.equal(inet(pseudo, payload.subarray(0, covered)), 0, toHex(bytes))
  if (protocol === 1) assert.equal(inet(payload), 0, toHex(bytes))
  if ((protocol === 17 || protocol === 136) && payload[6] === 0 && payload[7] === 0) assert.fail("a checksum went")
  const isError = (protocol === 1 && [3, 11, 12].includes(payload[0])) || (protocol === 58 && payload[0] < 128)
  if (!isError) return
  const inner = payload.subarray(8)
  const length = inner[0] >> 4 === 4 ? (inner[2] << 8) | inner[3] : 40 + ((inner[4] << 8) | inner[5])
  if (inner.length >= length) allRight(inner.subarray(0, length))
}

/** SCTP keeps its ports. */
const isSctp = (packet: IpPacket): boolean => (packet.embedded ?? packet).protocol === 132
const NO_PORTS = { sourcePort: undefined, destinationPort: undefined }

describe("any octets", () => {
  const causes: readonly IcmpCause[] = [
    { kind: "hop-limit" },
    { kind: "too-big", mtu: 1300 },
    { kind: "parameter", pointer: 6 },
  ]

  /** What comes out is a packet again, or a drop that says why, within the octets that went in. */
  const sound = (bytes: Uint8Array, result: { readonly ok: boolean }, packets: readonly Uint8Array[]): void => {
    if (result.ok)
      for (const part of packets) {
        const again = readPacket(part)
        // A router's fragments may be what this translator itself does not take.
        const router = packets.length > 1 && !again.ok && ["fragmented-icmp", "tiny-fragment"].includes(again.code)
        assert.ok(again.ok || router, `${toHex(bytes)} gave ${toHex(part)}`)
      }
    else if ("offset" in result && typeof result.offset === "number")
      assert.ok(result.offset >= 0 && result.offset <= bytes.length, toHex(bytes))
  }

  const work = (bytes: Uint8Array, packet: IpPacket): void => {
    const before = toHex(bytes)
    flowOf(packet)
    for (const look of [hopLimit, trafficClass, tcpFlags, sourceRouteAt]) assert.ok(Number.isInteger(look(packet)))
    for (const to of [KEEP, packet.version === 4 ? TO4 : TO6]) {
      const result = rewrite(packet, to)
      sound(bytes, result, result.ok ? [result.bytes] : [])
      const copy = bytes.slice()
      const again = readPacket(copy)
      assert.ok(again.ok)
      const fault = rewriteInPlace(again, to)
      assert.equal(fault === undefined, result.ok)
      if (result.ok) same(copy.subarray(packet.start, packet.end), result.bytes)
    }
    for (const result of [nptv6Outbound(NPT, packet), nptv6Inbound(NPT, packet)])
      sound(bytes, result, result.ok ? [result.bytes] : [])
    for (const result of [
      toIpv6(packet, TO6, CROSSING_DEFAULTS),
      toIpv4(packet, TO4, 1, { ...CROSSING_DEFAULTS, ipv4Mtu: 100 }),
      toIpv4(packet, TO4, 1, CROSSING_DEFAULTS),
      fitLink(packet, 68),
      encapsulate(packet, TUNNEL, 3),
    ])
      sound(bytes, result, result.ok ? result.packets : [])
    const out = decapsulate(packet)
    sound(bytes, out, out.ok ? [out.packet.bytes.subarray(out.packet.start, out.packet.end)] : [])
    for (const cause of causes) {
      const error = icmpError(packet, cause, address(packet.version === 4 ? "192.0.2.9" : "2001:db8::9"))
      if (error !== undefined) sound(bytes, { ok: true }, [error])
    }
    assert.equal(toHex(bytes), before, "what was read stays as it was")
  }

  /** All that can come of a packet, as text; offsets counted from its own first octet. */
  const outcomes = (packet: IpPacket): readonly string[] => {
    const to = packet.version === 4 ? TO4 : TO6
    return [
      rewrite(packet, to),
      nptv6Outbound(NPT, packet),
      nptv6Inbound(NPT, packet),
      toIpv6(packet, TO6, CROSSING_DEFAULTS),
      toIpv4(packet, TO4, 1, CROSSING_DEFAULTS),
      fitLink(packet, 68),
      encapsulate(packet, TUNNEL, 3),
    ].map((result) => {
      if (!result.ok) return JSON.stringify({ ...result, offset: result.offset - packet.start })
      return ("packets" in result ? result.packets : [result.bytes]).map(toHex).join()
    })
  }

  test("behind other octets a packet is the same", () => {
    fc.assert(
      fc.property(anything, fc.uint8Array({ minLength: 1, maxLength: 9 }), (bytes, before) => {
        const packet = readPacket(bytes)
        const behind = readPacket(octets(before, bytes, before), before.length, before.length + bytes.length)
        assert.equal(behind.ok, packet.ok)
        if (packet.ok && behind.ok) assert.deepEqual(outcomes(behind), outcomes(packet))
        else if (!packet.ok && !behind.ok)
          assert.deepEqual([behind.code, behind.offset - before.length], [packet.code, packet.offset])
      }),
      { numRuns: 1000 },
    )
  })

  test("nothing throws, and what comes out can be read", () => {
    let packets = 0
    const codes = new Set<string>()
    fc.assert(
      fc.property(anything, (bytes) => {
        const packet = readPacket(bytes)
        if (!packet.ok) {
          sound(bytes, packet, [])
          codes.add(packet.code)
          assert.ok(DROP_CLAUSES[packet.code].length > 0)
          return
        }
        packets++
        work(bytes, packet)
      }),
      { numRuns: 4000 },
    )
    assert.ok(packets > 800, `${packets} packets`)
    assert.ok(codes.size > 6, [...codes].join())
  })
})

describe("checksums", () => {
  test("NAT-1624-3: after any change of ends they are what a computation in full gives", () => {
    fc.assert(
      fc.property(fc.oneof(whole4, error4), ipv4, ipv4, port, port, ({ bytes }, source, destination, a, b) => {
        const packet = read(bytes)
        const ports = isSctp(packet) ? NO_PORTS : { sourcePort: a, destinationPort: b }
        allRight(bytesOf(rewrite(packet, { source, destination, ...ports })))
      }),
      { numRuns: 1000 },
    )
  })

  test("NAT-7915-4.5, NAT-7915-5.5: and over a change of family", () => {
    fc.assert(
      fc.property(fc.oneof(whole4, error4), port, port, ({ bytes }, a, b) => {
        const packet = read(bytes)
        const ports = isSctp(packet) ? NO_PORTS : { sourcePort: a, destinationPort: b }
        allRight(onlyOf(toIpv6(packet, { ...TO6, ...ports }, STILL)))
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(fc.oneof(whole6, error6), ipv4, ipv4, port, port, ({ bytes }, source, destination, a, b) => {
        const packet = read(bytes)
        const ports = isSctp(packet) ? NO_PORTS : { sourcePort: a, destinationPort: b }
        allRight(onlyOf(toIpv4(packet, { source, destination, ...ports }, 5, STILL)))
      }),
      { numRuns: 1000 },
    )
  })

  test("NAT-6296-2.6: NPTv6 leaves them right without touching them", () => {
    fc.assert(
      fc.property(fc.oneof(whole6, error6), ({ bytes, ends }) => {
        if (ends.source.includes(":ffff:")) return
        const packet = read(bytes)
        const result = packet.embedded === undefined ? nptv6Outbound(NPT, packet) : undefined
        if (result !== undefined) allRight(bytesOf(result))
      }),
      { numRuns: 500 },
    )
  })
})

describe("there and back", () => {
  const back = (bytes: Uint8Array): Crossing => {
    const { source, destination } = flowOf(read(bytes))
    const [from, to] = [extractIpv4(PREFIX, source), extractIpv4(PREFIX, destination)]
    assert.ok(from !== undefined && to !== undefined)
    return { source: from, sourcePort: undefined, destination: to, destinationPort: undefined }
  }
  const there = (bytes: Uint8Array): Crossing => {
    const { source, destination } = flowOf(read(bytes))
    const [from, to] = [embedIpv4(PREFIX, source), embedIpv4(PREFIX, destination)]
    assert.ok(from !== undefined && to !== undefined)
    return { source: from, sourcePort: undefined, destination: to, destinationPort: undefined }
  }

  test("NAT44: out and in again gives the packet", () => {
    fc.assert(
      fc.property(fc.oneof(whole4, error4), ipv4, port, ({ bytes }, source, a) => {
        const packet = read(bytes)
        const was = flowOf(packet)
        const subject = packet.embedded ?? packet
        const sourcePort = subject.content === "other" || subject.protocol === 132 ? undefined : a
        const out = bytesOf(rewrite(packet, { ...KEEP, source, sourcePort }, 0))
        const restored = rewrite(
          read(out),
          { ...KEEP, source: was.source, sourcePort: sourcePort === undefined ? undefined : was.sourcePort },
          0,
        )
        same(bytesOf(restored), bytes)
      }),
      { numRuns: 1000 },
    )
  })

  test("NAT-7915-4, NAT-7915-5: IPv4 to IPv6 and back gives the packet", () => {
    fc.assert(
      fc.property(whole4, ({ bytes }) => {
        const six = onlyOf(toIpv6(read(bytes), there(bytes), STILL))
        same(onlyOf(toIpv4(read(six), back(six), (bytes[4] << 8) | bytes[5], STILL)), bytes)
      }),
      { numRuns: 1000 },
    )
  })

  test("NAT-7915-4, NAT-7915-5: an error about an IPv4 packet too, but for codes that IPv6 has fewer of", () => {
    fc.assert(
      fc.property(error4, ({ bytes }) => {
        const six = onlyOf(toIpv6(read(bytes), there(bytes), STILL))
        const four = onlyOf(toIpv4(read(six), back(six), (bytes[4] << 8) | bytes[5], STILL))
        // The packet in error loses its identification: there is no place for it in a whole IPv6 packet.
        assert.equal(four.length, bytes.length)
        same(four.subarray(12, 20), bytes.subarray(12, 20))
        same(four.subarray(40), bytes.subarray(40))
      }),
      { numRuns: 500 },
    )
  })

  test("NPTv6 and the tunnel: out and in again gives the packet", () => {
    fc.assert(
      fc.property(whole6, ({ bytes, ends }) => {
        if (ends.source.includes(":ffff:")) return
        const out = read(bytesOf(nptv6Outbound(NPT, read(bytes), 0)))
        const source = flowOf(out).source
        const reply = out.bytes.slice()
        reply.copyWithin(24, 8, 24)
        const restored = bytesOf(nptv6Inbound(NPT, read(reply), 0))
        same(restored.subarray(24, 40), bytes.subarray(8, 24))
        assert.notEqual(source, flowOf(read(bytes)).source)
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(whole4, ({ bytes }) => {
        const out = decapsulate(read(onlyOf(encapsulate(read(bytes), TUNNEL, 1))))
        assert.ok(out.ok)
        same(out.packet.bytes.subarray(out.packet.start, out.packet.end), bytes)
      }),
      { numRuns: 300 },
    )
  })

  test("NAT-791-3.2: fragments, put together, are the packet, whatever the MTU", () => {
    fc.assert(
      fc.property(ends4, fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 68, max: 1500 }), (ends, data, mtu) => {
        const whole = new Uint8Array(20 + data.length)
        whole.set([0x45, 0, whole.length >> 8, whole.length & 255, 0, 9, 0, 0, 9, 99])
        whole.set([...[1, 2, 3, 4], ...[5, 6, 7, 8]], 12)
        const sum = inet(whole.subarray(0, 20))
        whole.set([sum >> 8, sum & 255], 10)
        whole.set(data, 20)
        const packets = packetsOf(fitLink(read(whole), mtu))
        const together = new Uint8Array(whole.length)
        together.set(whole.subarray(0, 20))
        for (const part of packets.map(read))
          together.set(part.bytes.subarray(part.payload, part.end), 20 + part.fragmentOffset)
        same(together, whole)
        assert.ok(ends.source.length > 0)
      }),
      { numRuns: 200 },
    )
  })
})
