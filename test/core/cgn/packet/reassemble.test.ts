import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { encapsulate, fitLink, type IpPacket, reassemble } from "../../../../core/cgn/packet/index.ts"
import { DATA, fragmentHeader, ip4, ip6, octets, type PortEnds, udp } from "./build.ts"
import { address, bytesOf, dropOf, packetsOf, read, same } from "./scene.ts"

const ENDS: PortEnds = { source: "192.0.2.1", sourcePort: 7, destination: "192.0.2.2", destinationPort: 9 }
const SIX: PortEnds = { ...ENDS, source: "2001:db8::1", destination: "2001:db8::2" }
const TUNNEL = { local: address("2001:db8::1"), remote: address("2001:db8::2"), mtu: 1280, hopLimit: 64 }

const whole = (fragments: readonly IpPacket[]): Uint8Array => {
  const result = reassemble(fragments)
  assert.ok(result !== undefined)
  return bytesOf(result)
}

const part4 = (offset: number, length: number, more: boolean, fill = 1): IpPacket =>
  read(ip4({ ...ENDS, protocol: 47, offset, flags: more ? 1 : 0 }, new Uint8Array(length).fill(fill)))

describe("putting fragments together", () => {
  test("NAT-4787-REQ-14, NAT-791-3.2: IPv4, in any order, whatever the MTU was", () => {
    const arbitrary = fc.tuple(
      fc.integer({ min: 68, max: 900 }),
      fc.uint8Array({ maxLength: 3000 }),
      fc.infiniteStream(fc.nat()),
    )
    fc.assert(
      fc.property(arbitrary, ([mtu, data, order]) => {
        const bytes = ip4({ ...ENDS, protocol: 17, options: [148, 4, 0, 0], id: 99 }, udp(ENDS, data))
        const parts = packetsOf(fitLink(read(bytes), mtu)).map((part) => ({
          part: read(part),
          key: order.next().value ?? 0,
        }))
        parts.sort((a, b) => a.key - b.key)
        same(whole(parts.map(({ part }) => part)), bytes)
        if (parts.length > 1) assert.equal(reassemble(parts.slice(1).map(({ part }) => part)), undefined)
      }),
      { numRuns: 200 },
    )
  })

  test("NAT-6333-6.3, NAT-8200-4.5: IPv6, the Fragment header gone", () => {
    const inner = ip4({ ...ENDS, protocol: 17 }, udp(ENDS, new Uint8Array(4000).fill(3)))
    const parts = packetsOf(encapsulate(read(inner), TUNNEL, 5)).map(read)
    assert.equal(parts.length, 4)
    same(whole([...parts].reverse()), ip6({ ...SIX, protocol: 4 }, inner))
  })

  test("NAT-8200-4.5: behind extension headers, and with some in the fragments", () => {
    const options = [1, 4, 0, 0, 0, 0]
    const rest = octets([17, 0, ...options], udp(SIX, DATA.subarray(0, 16)))
    const before = [
      [0, options],
      [60, [...options, ...new Uint8Array(8)]],
    ] as const
    const first = ip6(
      { ...SIX, protocol: 60, extensions: [...before, fragmentHeader(0, true, 1)] },
      rest.subarray(0, 16),
    )
    const last = ip6({ ...SIX, protocol: 60, extensions: [fragmentHeader(2, false, 1)] }, rest.subarray(16))
    const expected = ip6(
      { ...SIX, protocol: 17, extensions: [...before, [60, options]] },
      udp(SIX, DATA.subarray(0, 16)),
    )
    same(whole([read(last), read(first)]), expected)
    const atomic = ip6({ ...SIX, protocol: 17, extensions: [fragmentHeader(0, false, 1)] }, udp(SIX))
    same(whole([read(atomic)]), ip6({ ...SIX, protocol: 17 }, udp(SIX)))
  })

  test("some missing: the first, one between, the last, all", () => {
    assert.equal(reassemble([]), undefined)
    assert.equal(reassemble([part4(2, 16, true), part4(4, 3, false)]), undefined)
    assert.equal(reassemble([part4(0, 16, true), part4(4, 3, false)]), undefined)
    assert.equal(reassemble([part4(0, 16, true), part4(2, 16, true)]), undefined)
  })

  test("NAT-5722-4: the same fragment twice counts once, other overlaps drop all", () => {
    same(
      whole([part4(0, 16, true), part4(2, 8, false), part4(0, 16, true)]),
      ip4({ ...ENDS, protocol: 47 }, new Uint8Array(24).fill(1)),
    )
    const overlaps: readonly (readonly IpPacket[])[] = [
      [part4(0, 16, true), part4(0, 16, true, 2), part4(2, 8, false)],
      [part4(0, 16, true), part4(1, 16, false)],
      [part4(0, 16, true), part4(0, 24, true), part4(2, 8, false)],
      [part4(0, 16, true), part4(2, 8, false), part4(2, 8, true)],
      [part4(0, 16, true), part4(2, 8, false), part4(3, 8, false)],
    ]
    for (const fragments of overlaps) {
      const result = reassemble(fragments)
      assert.ok(result !== undefined)
      dropOf(result, "overlapping-fragment")
    }
  })

  test("more than a packet can be", () => {
    const options = new Uint8Array(40).fill(1)
    const parts = Array.from({ length: 44 }, (_, i) =>
      read(
        ip4(
          { ...ENDS, protocol: 47, offset: i * 186, flags: i < 43 ? 1 : 0, options },
          new Uint8Array(i < 43 ? 1488 : 1520),
        ),
      ),
    )
    const result = reassemble(parts)
    assert.ok(result !== undefined && parts[43].fragmentOffset + 1520 < 65536)
    dropOf(result, "bad-fragment")
  })
})
