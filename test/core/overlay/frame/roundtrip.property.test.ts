import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  encodeArp,
  encodeDhcp,
  encodeEthernet,
  encodeNeighbor,
  encodeUdp4,
  encodeVxlan,
  type OverlayParsed,
  parseArp,
  parseDhcp,
  parseEthernet,
  parseNeighbor,
  parseUdp4,
  parseVxlan,
} from "../../../../core/overlay/index.ts"
import type { Encoded } from "../../../../core/wire/index.ts"
import { toHex } from "../../wire/hex.ts"
import { arp, changed, dhcp, ethernet, neighbor, octets, otherArp, udp4, vxlan } from "../arbitrary.ts"

const RUNS = 1500

/** Both laws of one kind: what is written reads as it was, and what is read is written as it was. */
const laws = <T>(
  name: string,
  values: fc.Arbitrary<T>,
  encode: (value: T) => Encoded,
  parse: (bytes: Uint8Array) => OverlayParsed<T>,
): void => {
  describe(name, () => {
    const bytes = values.map((value) => {
      const encoded = encode(value)
      assert.ok(encoded.ok, JSON.stringify(encoded))
      return encoded.bytes
    })

    test("parse is the inverse of encode", () => {
      fc.assert(
        fc.property(values, (value) => {
          const encoded = encode(value)
          assert.ok(encoded.ok, JSON.stringify(encoded))
          assert.deepEqual(parse(encoded.bytes), { ok: true, value })
        }),
        { numRuns: RUNS },
      )
    })

    test("encode is the inverse of parse, for any octets that can be read; none throws, none is written to", () => {
      let read = 0
      fc.assert(
        fc.property(fc.oneof(bytes, changed(bytes), octets(300)), (given) => {
          const before = toHex(given)
          const parsed = parse(given)
          assert.equal(toHex(given), before)
          if (!parsed.ok) {
            assert.ok(parsed.error.offset >= 0 && parsed.error.offset <= given.length)
            assert.match(parsed.error.clause, /^(?:RFC|IEEE) /)
            return
          }
          read++
          const encoded = encode(parsed.value)
          assert.ok(encoded.ok, JSON.stringify(encoded))
          assert.equal(toHex(encoded.bytes), before)
        }),
        { numRuns: 2 * RUNS },
      )
      assert.ok(read > RUNS / 2, `${read} were read`)
    })
  })
}

laws("Ethernet", ethernet, encodeEthernet, parseEthernet)
laws("ARP", fc.oneof(arp, otherArp), encodeArp, parseArp)
laws("neighbour messages", neighbor, encodeNeighbor, parseNeighbor)
laws("UDP in IPv4", udp4, encodeUdp4, parseUdp4)
laws("DHCPv4", dhcp, encodeDhcp, parseDhcp)
laws("VXLAN", vxlan, encodeVxlan, parseVxlan)

describe("numbers that are wider than their fields", () => {
  /** Each field's bits, by its specification: one more than the largest has no octets. */
  const refused = <T extends object>(
    encode: (value: T) => Encoded,
    values: fc.Arbitrary<T>,
    bits: Partial<Record<keyof T, number>>,
  ) =>
    fc.assert(
      fc.property(values, (value) => {
        for (const [name, width] of Object.entries(bits))
          assert.equal(encode({ ...value, [name]: 2 ** Number(width) }).ok, false, `${name}, ${width} bits`)
      }),
      { numRuns: 20 },
    )
  test("neighbour discovery, RFC 8200 section 3 and RFC 4861 section 4", () => {
    refused(encodeNeighbor, neighbor, { trafficClass: 8, flowLabel: 20, hopLimit: 8, code: 8, flags: 3, reserved: 29 })
  })
  test("UDP in IPv4, RFC 791 section 3.1 and RFC 768", () => {
    refused(encodeUdp4, udp4, { service: 8, id: 16, flags: 3, ttl: 8, sourcePort: 16, destinationPort: 16 })
  })
})
