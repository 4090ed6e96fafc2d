import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { crc32 as zlibCrc32 } from "node:zlib"
import fc from "fast-check"
import {
  crc32,
  describeOverlay,
  dissectSvp,
  encodeSvp,
  macOf,
  NO_OCTETS,
  parseSvp,
  receiveSvp,
  type SvpMessage,
} from "../../../../core/overlay/index.ts"
import { type Address, joinOctets, parseAddress } from "../../../../core/wire/index.ts"
import { hex, toHex } from "../../wire/hex.ts"
import { bytesOf, changed, octets } from "../arbitrary.ts"
import { holdsOf, textsOf } from "../dissect/tree.ts"
import { message } from "./arbitrary.ts"

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

const point = { port: 4789, address: address("10.88.88.69") }
const mac = macOf(0xdeadbeef0000)

/** The golden vectors of B6. */
const GOLDEN: readonly (readonly [name: string, octets: string, message: SvpMessage])[] = [
  ["PING", "00010001 00000000 00000001 b5b66088", { version: 1, id: 1, body: { kind: "ping" } }],
  [
    "VL2_REQ",
    "00010003 0000000c 00000001 12bb7dbf deadbeef00000000 00000017",
    { version: 1, id: 1, body: { kind: "vl2-request", mac, pad: 0, vnetid: 23 } },
  ],
  [
    "VL2_ACK",
    "00010004 00000014 00000001 010eb31c 0000 12b5 00000000000000000000ffff0a585845",
    { version: 1, id: 1, body: { kind: "vl2-ack", status: 0, ...point } },
  ],
  [
    "VL3_REQ",
    "00010005 00000018 00000002 c98d8822 00000000000000000000ffff0a373702 00000001 00000017",
    { version: 1, id: 2, body: { kind: "vl3-request", address: address("10.55.55.2"), type: 1, vnetid: 23 } },
  ],
  [
    "VL3_ACK",
    "00010006 0000001c 00000002 3359e293 00000000 deadbeef0000 12b5 00000000000000000000ffff0a585845",
    { version: 1, id: 2, body: { kind: "vl3-ack", status: 0, mac, ...point } },
  ],
]

describe("B6: the golden vectors of SVP", () => {
  for (const [name, octets, message] of GOLDEN)
    test(name, () => {
      assert.deepEqual(parseSvp(hex(octets)), { ok: true, value: message })
      assert.equal(toHex(bytesOf(encodeSvp(message))), toHex(hex(octets)))
    })
})

/** A message with the right CRC, by zlib, whatever the rest of it says. */
const sealed = (header: string, payload = ""): Uint8Array => {
  const bytes = hex(`${header} 00000000 ${payload}`)
  new DataView(bytes.buffer).setUint32(12, zlibCrc32(bytes))
  return bytes
}

describe("B6: what is no message", () => {
  const code = (bytes: Uint8Array): unknown => {
    const parsed = parseSvp(bytes)
    return parsed.ok ? parsed.value.body.kind : [parsed.error.code, parsed.error.offset]
  }

  test("each check, in its order", () => {
    const ping = hex("00010001 00000000 00000001 b5b66088")
    assert.deepEqual(code(ping.subarray(0, 15)), ["too-short", 15])
    assert.deepEqual(code(ping.with(1, 3)), ["version", 0])
    assert.deepEqual(code(ping.with(7, 1)), ["too-short", 16])
    assert.deepEqual(code(Uint8Array.of(...ping, 0)), ["length", 4])
    assert.deepEqual(code(ping.with(15, 0)), ["checksum", 12])
    assert.deepEqual(code(ping.with(11, 2)), ["checksum", 12], "the id is covered")
  })

  test("fixed sizes are exact: one octet more or less is an error", () => {
    const sizes = { 1: 0, 2: 0, 3: 12, 4: 20, 5: 24, 6: 28, 7: 4, 9: 20, 12: 4, 13: 12 }
    for (const [op, size] of Object.entries(sizes))
      for (const off of [-1, 0, 1]) {
        const length = size + off
        if (length < 0) continue
        const header = `0001 ${Number(op).toString(16).padStart(4, "0")} ${length.toString(16).padStart(8, "0")} 00000001`
        const got = code(sealed(header, "00".repeat(length)))
        if (off === 0) assert.equal(typeof got, "string", `operation ${op}`)
        else assert.deepEqual(got, ["length", 4], `operation ${op}, ${length} octets`)
      }
  })

  test("LOG_RM has 4 + 16 * count octets", () => {
    assert.equal(code(sealed("0001 000b 00000014 00000001", `00000001 ${"ab".repeat(16)}`)), "log-remove")
    assert.deepEqual(code(sealed("0001 000b 00000014 00000001", `00000002 ${"ab".repeat(16)}`)), ["length", 4])
    assert.deepEqual(code(sealed("0001 000b 00000004 00000001", "10000001")), ["length", 4])
  })

  test("ROUTE_REQ and ROUTE_ACK are version 2's: 40 and 48 octets", () => {
    assert.equal(code(sealed("0002 000e 00000028 00000001", "00".repeat(40))), "route-request")
    assert.equal(code(sealed("0002 000f 00000030 00000001", "00".repeat(48))), "route-ack")
    assert.equal(code(sealed("0001 000e 00000028 00000001", "00".repeat(40))), "other")
    assert.deepEqual(code(sealed("0002 000f 0000002e 00000001", "00".repeat(46))), ["length", 4])
  })

  test("a log: records of 32, 44 and 72 octets; from the first that is none on, all is rest", () => {
    const uuid = "0123456789abcdef0123456789abcdef"
    const vl2 = `00000001 ${uuid} deadbeef0000 0000 00000017`
    const vl3 = `00000002 ${uuid} 00000000000000000000ffff0a373702 0000 0005 00000017`
    const parsed = parseSvp(sealed("0001 000a 00000054 00000001", `00000000 ${vl2} ${vl3} 00000009`))
    assert.ok(parsed.ok && parsed.value.body.kind === "log-ack")
    assert.deepEqual(parsed.value.body.records, [
      { kind: "vl2", uuid, mac, pad: 0, vnetid: 23 },
      { kind: "vl3", uuid, address: address("10.55.55.2"), pad: 0, vlan: 5, vnetid: 23 },
    ])
    assert.equal(toHex(parsed.value.body.rest), "00000009")
  })

  test("what does not fit has no octets", () => {
    const fails = (message: SvpMessage): void => assert.equal(encodeSvp(message).ok, false)
    fails({ version: 3, id: 1, body: { kind: "ping" } })
    fails({ version: 1, id: 2 ** 32, body: { kind: "ping" } })
    fails({ version: 1, id: 1, body: { kind: "other", op: 1, data: NO_OCTETS } })
    fails({ version: 1, id: 1, body: { kind: "vl2-ack", status: 0, port: 65536, address: point.address } })
    fails({ version: 1, id: 1, body: { kind: "vl2-ack", status: 65536, port: 1, address: point.address } })
    fails({ version: 1, id: 1, body: { kind: "log-remove", uuids: ["0123"] } })
    fails({
      version: 1,
      id: 1,
      body: { kind: "log-ack", status: 0, records: [], rest: hex(`00000001 ${"00".repeat(28)}`) },
    })
  })
})

describe("SVP of any kind", () => {
  const encoded = message.map((one) => bytesOf(encodeSvp(one)))

  test("the CRC is zlib's, in one piece or two", () => {
    fc.assert(
      fc.property(octets(100), fc.nat(100), (bytes, at) => {
        assert.equal(crc32(bytes), zlibCrc32(bytes))
        const half = Math.min(at, bytes.length)
        assert.equal(crc32(bytes, half, bytes.length, crc32(bytes, 0, half)), zlibCrc32(bytes))
      }),
    )
  })

  test("parse is the inverse of encode, and encode of parse", () => {
    fc.assert(
      fc.property(message, (one) => {
        const bytes = bytesOf(encodeSvp(one))
        const parsed = parseSvp(bytes)
        assert.deepEqual(parsed, { ok: true, value: one })
        assert.equal(toHex(bytesOf(encodeSvp(one))), toHex(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  test("any octets: no throw, and what is read is written again; with any payload under a right CRC as well", () => {
    const crafted = fc
      .tuple(fc.constantFrom(1, 2), fc.integer({ min: 0, max: 17 }), octets(100))
      .map(([version, op, payload]) => {
        const head = [version, op, 0, payload.length, 0, 7].map((word) => word.toString(16).padStart(4, "0"))
        return sealed(head.join(""), toHex(payload))
      })
    let read = 0
    fc.assert(
      fc.property(fc.oneof(crafted, crafted, changed(encoded), octets(60)), (bytes) => {
        holdsOf(dissectSvp(bytes), describeOverlay)
        const parsed = parseSvp(bytes)
        if (!parsed.ok) return assert.ok(parsed.error.offset >= 0 && parsed.error.offset <= bytes.length)
        read++
        assert.equal(toHex(bytesOf(encodeSvp(parsed.value))), toHex(bytes))
      }),
      { numRuns: 4000 },
    )
    assert.ok(read > 300, `${read} were read`)
  })

  test("a stream gives the same messages however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (all, cuts) => {
          const stream = joinOctets(all.map((one) => bytesOf(encodeSvp(one))))
          const seen: SvpMessage[] = []
          let held = NO_OCTETS
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const size = cuts[turn % cuts.length]
            const received = receiveSvp(held, stream.subarray(at, at + size), 1024)
            assert.equal(received.error, undefined)
            seen.push(...received.messages)
            held = received.held
            at += size
          }
          assert.deepEqual(seen, all)
          assert.equal(held.length, 0)
        },
      ),
      { numRuns: 300 },
    )
  })

  test("a stream ends with the first octets that are none, and what came before them is there", () => {
    const ping = hex("00010001 00000000 00000001 b5b66088")
    const wrong = receiveSvp(NO_OCTETS, joinOctets([ping, ping.with(15, 0)]), 1024)
    assert.deepEqual([wrong.messages.length, wrong.error?.code, wrong.error?.offset], [1, "checksum", 28])
    const large = receiveSvp(NO_OCTETS, hex("0001 000a 00000401 00000001 00000000"), 1024)
    assert.deepEqual([large.error?.code, large.error?.offset], ["length", 4])
    assert.equal(receiveSvp(NO_OCTETS, hex("0001 000a 00000400 00000001 00000000"), 1024).error, undefined)
    assert.equal(receiveSvp(NO_OCTETS, hex("0009 000a 00000400 00000001 00000000"), 1024).error?.code, "version")
  })

  test("its fields: VL2_ACK of the golden vectors", () => {
    const bytes = hex("00010004 00000014 00000001 010eb31c 0000 12b5 00000000000000000000ffff0a585845")
    assert.deepEqual(textsOf(dissectSvp(bytes), describeOverlay), [
      "SDC VXLAN Protocol: SDC VXLAN Protocol, 36 octets",
      "Version: 1",
      "Operation: VL2_ACK (4)",
      "Size: 20",
      "Id: 1",
      "CRC-32: 0x010eb31c (right)",
      "Status: OK (0)",
      "Underlay port: 4789",
      "Underlay address: 10.88.88.69 (::ffff:10.88.88.69)",
    ])
  })
})
