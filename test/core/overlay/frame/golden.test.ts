import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  ArpOperation,
  BROADCAST_MAC,
  encodeArp,
  encodeEthernet,
  encodeNeighbor,
  encodeUdp4,
  encodeVxlan,
  formatMac,
  formatShortMac,
  isGroupMac,
  isIpv6GroupMac,
  macOf,
  NeighborFlag,
  parseArp,
  parseDhcp,
  parseEthernet,
  parseMac,
  parseNeighbor,
  parseUdp4,
  parseVxlan,
} from "../../../../core/overlay/index.ts"
import { type Address, formatAddress, parseAddress } from "../../../../core/wire/index.ts"
import { hex, toHex } from "../../wire/hex.ts"
import { bytesOf } from "../arbitrary.ts"

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

const error = (parsed: {
  readonly ok: boolean
  readonly error?: { readonly code: string; readonly offset: number }
}) => (parsed.error === undefined ? undefined : [parsed.error.code, parsed.error.offset])

describe("Ethernet addresses", () => {
  test("text in both forms, and what is none", () => {
    const mac = parseMac("DE:ad:be:EF:0:01")
    assert.equal(mac, 0xdeadbeef0001)
    assert.equal(formatMac(macOf(0xdeadbeef0001)), "de:ad:be:ef:00:01")
    assert.equal(formatShortMac(macOf(0xdeadbeef0001)), "de:ad:be:ef:0:1")
    for (const text of [
      "",
      "de:ad:be:ef:0",
      "de:ad:be:ef:0:1:2",
      "de-ad-be-ef-0-1",
      "g:0:0:0:0:0",
      "100:0:0:0:0:0",
      " 0:0:0:0:0:0",
    ])
      assert.equal(parseMac(text), undefined, text)
    for (const value of [-1, 2 ** 48, 0.5, Number.NaN]) assert.throws(() => macOf(value), RangeError)
  })

  test("groups: the lowest bit of the first octet; 33:33 is IPv6 multicast", () => {
    assert.deepEqual(
      [0xffffffffffff, 0x010000000000, 0x020000000000, 0xdeadbeef0000].map((value) => isGroupMac(macOf(value))),
      [true, true, false, false],
    )
    assert.deepEqual(
      [0x333300000001, 0x333400000001, 0x003333000000].map((value) => isIpv6GroupMac(macOf(value))),
      [true, false, false],
    )
  })
})

describe("Ethernet with VLAN tags", () => {
  const tagged = hex("ffffffffffff deadbeef0000 88a8 0005 8100 a064 0806 0102")

  test("two tags, outermost first", () => {
    const frame = {
      destination: BROADCAST_MAC,
      source: macOf(0xdeadbeef0000),
      tags: [
        { type: 0x88a8, priority: 0, dropEligible: false, id: 5 },
        { type: 0x8100, priority: 5, dropEligible: false, id: 100 },
      ],
      type: 0x0806,
      payload: Uint8Array.of(1, 2),
    }
    assert.deepEqual(parseEthernet(tagged), { ok: true, value: frame })
    assert.equal(toHex(bytesOf(encodeEthernet(frame))), toHex(tagged))
  })

  test("what ends inside its header is none", () => {
    assert.deepEqual(error(parseEthernet(tagged.subarray(0, 13))), ["too-short", 13])
    assert.deepEqual(error(parseEthernet(tagged.subarray(0, 14))), ["too-short", 14])
    assert.deepEqual(error(parseEthernet(tagged.subarray(0, 21))), ["too-short", 21])
    assert.equal(parseEthernet(tagged.subarray(0, 22)).ok, true)
  })

  test("what no frame can hold has no octets", () => {
    const frame = {
      destination: BROADCAST_MAC,
      source: BROADCAST_MAC,
      tags: [],
      type: 0x8100,
      payload: new Uint8Array(0),
    }
    assert.equal(encodeEthernet(frame).ok, false)
    assert.equal(encodeEthernet({ ...frame, type: 0x10000 }).ok, false)
    const tag = { type: 0x8100, priority: 8, dropEligible: false, id: 0 }
    assert.equal(encodeEthernet({ ...frame, type: 0x800, tags: [tag] }).ok, false)
    assert.equal(encodeEthernet({ ...frame, type: 0x800, tags: [{ ...tag, priority: 0, id: 4096 }] }).ok, false)
    assert.equal(encodeEthernet({ ...frame, type: 0x800, tags: [{ ...tag, priority: 0, type: 0x800 }] }).ok, false)
  })
})

describe("ARP, RFC 826", () => {
  const request = hex(`
    0001 0800 06 04 0001      | Ethernet, IPv4, request
    deadbeef0000 0a373702     | sender
    000000000000 0a373703     | target`)

  test("a request, with the padding of a short frame", () => {
    const parsed = parseArp(Uint8Array.of(...request, ...new Uint8Array(18)))
    assert.ok(parsed.ok && parsed.value.kind === "arp")
    assert.deepEqual(
      [
        parsed.value.operation,
        parsed.value.senderMac,
        formatAddress(parsed.value.sender),
        formatAddress(parsed.value.target),
      ],
      [ArpOperation.REQUEST, 0xdeadbeef0000, "10.55.55.2", "10.55.55.3"],
    )
    assert.equal(parsed.value.trailing.length, 18)
    assert.equal(toHex(bytesOf(encodeArp({ ...parsed.value, trailing: new Uint8Array(0) }))), toHex(request))
  })

  test("other hardware keeps its octets; a cut one is none", () => {
    const other = hex("0006 0800 02 04 0002 aabb 0a000001 ccdd 0a000002")
    const parsed = parseArp(other)
    assert.ok(parsed.ok && parsed.value.kind === "other-arp")
    assert.deepEqual([parsed.value.hardware, toHex(parsed.value.targetHardware)], [6, "ccdd"])
    assert.deepEqual(error(parseArp(other.subarray(0, 7))), ["too-short", 7])
    assert.deepEqual(error(parseArp(other.subarray(0, 19))), ["too-short", 19])
    assert.equal(encodeArp({ ...parsed.value, target: new Uint8Array(3) }).ok, false)
  })

  test("an IPv6 address has no place in it", () => {
    const parsed = parseArp(request)
    assert.ok(parsed.ok && parsed.value.kind === "arp")
    assert.equal(encodeArp({ ...parsed.value, target: address("2001:db8::1") }).ok, false)
    assert.equal(encodeArp({ ...parsed.value, operation: 65536 }).ok, false)
  })
})

describe("neighbour discovery, RFC 4861", () => {
  // Checksums were summed elsewhere; test/interop/overlay-tshark.test.ts asks tshark.
  const solicitation = hex(`
    60000000 0020 3a ff
    fe800000000000000000000000000004 ff0200000000000000000001ff000003
    87 00 def4 00000000 fe800000000000000000000000000003
    01 01 deadbeef0001`)

  test("a solicitation with its option and its checksum", () => {
    const parsed = parseNeighbor(solicitation)
    assert.ok(parsed.ok)
    const { kind, source, destination, target, options, checksum } = parsed.value
    assert.deepEqual(
      [kind, ...[source, destination, target].map(formatAddress)],
      ["neighbor-solicitation", "fe80::4", "ff02::1:ff00:3", "fe80::3"],
    )
    assert.deepEqual(options, [{ kind: "source-link-layer", mac: 0xdeadbeef0001 }])
    assert.equal(checksum, undefined)
    assert.equal(toHex(bytesOf(encodeNeighbor(parsed.value))), toHex(solicitation))
  })

  test("a wrong checksum is kept as it stands", () => {
    const parsed = parseNeighbor(solicitation.with(42, 0xdf))
    assert.ok(parsed.ok)
    assert.equal(parsed.value.checksum, 0xdff4)
  })

  test("an advertisement: flags Solicited and Override are 0x60000000", () => {
    const bytes = bytesOf(
      encodeNeighbor({
        kind: "neighbor-advertisement",
        trafficClass: 0,
        flowLabel: 0,
        hopLimit: 255,
        source: address("fe80::3"),
        destination: address("fe80::4"),
        code: 0,
        flags: NeighborFlag.SOLICITED | NeighborFlag.OVERRIDE,
        reserved: 0,
        target: address("fe80::3"),
        options: [{ kind: "target-link-layer", mac: macOf(0xdeadbeef0000) }],
        trailing: new Uint8Array(0),
      }),
    )
    assert.equal(
      toHex(bytes.subarray(40)),
      toHex(hex("88 00 7c79 60000000 fe800000000000000000000000000003 02 01 deadbeef0000")),
    )
  })

  test("what is no neighbour message", () => {
    assert.deepEqual(error(parseNeighbor(solicitation.subarray(0, 63))), ["too-short", 63])
    assert.deepEqual(error(parseNeighbor(solicitation.subarray(0, 71))), ["too-short", 71])
    assert.deepEqual(error(parseNeighbor(solicitation.with(0, 0x45))), ["version", 0])
    assert.deepEqual(error(parseNeighbor(solicitation.with(6, 17))), ["value", 6])
    assert.deepEqual(error(parseNeighbor(solicitation.with(40, 128))), ["value", 40])
    assert.deepEqual(error(parseNeighbor(solicitation.with(65, 0))), ["length", 65], "an option of length 0")
    assert.deepEqual(error(parseNeighbor(solicitation.with(65, 2))), ["length", 65])
    assert.deepEqual(error(parseNeighbor(solicitation.with(5, 0x19))), ["length", 64], "half an option")
    assert.deepEqual(error(parseNeighbor(solicitation.with(5, 0x17))), ["length", 4])
  })
})

describe("VXLAN, RFC 7348", () => {
  test("B8: vnetid 23 is 08000000 00001700", () => {
    const bytes = bytesOf(encodeVxlan({ vnetid: 23, frame: Uint8Array.of(1, 2, 3) }))
    assert.equal(toHex(bytes), "0800000000001700010203")
    assert.deepEqual(parseVxlan(bytes), { ok: true, value: { vnetid: 23, frame: Uint8Array.of(1, 2, 3) } })
  })

  test("B8: under 8 octets, or with I clear, it is none (EINVAL)", () => {
    assert.deepEqual(error(parseVxlan(hex("08000000 000017"))), ["too-short", 7])
    assert.deepEqual(error(parseVxlan(hex("f7000000 00001700"))), ["value", 0])
  })

  test("B8: reserved bits are ignored, and kept", () => {
    const parsed = parseVxlan(hex("88abcdef ffffff01"))
    assert.ok(parsed.ok)
    assert.equal(parsed.value.vnetid, 0xffffff)
    assert.deepEqual(parsed.value.reserved, { flags: 0x80, middle: 0xabcdef, last: 1 })
  })

  test("written into given memory where it fits, else into new", () => {
    const memory = new Uint8Array(11).fill(0xff)
    const frame = Uint8Array.of(1, 2, 3)
    const bytes = bytesOf(encodeVxlan({ vnetid: 23, frame }, memory))
    assert.equal(toHex(bytes), "0800000000001700010203")
    assert.equal(bytes.buffer, memory.buffer)
    const other = bytesOf(encodeVxlan({ vnetid: 23, frame }, memory.subarray(1)))
    assert.equal(toHex(other), "0800000000001700010203")
    assert.notEqual(other.buffer, memory.buffer)
  })

  test("a vnetid has 24 bits", () => {
    for (const vnetid of [-1, 2 ** 24, 0.5]) assert.equal(encodeVxlan({ vnetid, frame: new Uint8Array(0) }).ok, false)
  })
})

describe("UDP in IPv4, RFC 791 and 768", () => {
  // The datagram of README.md: its checksums were made elsewhere.
  const packet = hex("4500001c 00000000 40114696 0a000001 c6336407 13880035 00080000")

  test("right checksums are left out, what is there instead is kept", () => {
    const parsed = parseUdp4(packet)
    assert.ok(parsed.ok)
    assert.deepEqual([parsed.value.headerChecksum, parsed.value.checksum], [undefined, 0])
    const wrong = parseUdp4(packet.with(10, 0))
    assert.ok(wrong.ok)
    assert.equal(wrong.value.headerChecksum, 0x0096)
  })

  test("a computed checksum that is 0 is sent as all ones", () => {
    const parsed = parseUdp4(packet)
    assert.ok(parsed.ok)
    const { checksum: _, ...given } = parsed.value
    for (let word = 0; word < 65536; word += 257) {
      const payload = Uint8Array.of(word >>> 8, word & 255)
      const bytes = bytesOf(encodeUdp4({ ...given, payload }))
      assert.notEqual(toHex(bytes.subarray(26, 28)), "0000")
    }
    // With this word all that is summed makes ffff.
    const zero = bytesOf(encodeUdp4({ ...given, payload: hex("b7e1") }))
    assert.equal(toHex(zero.subarray(26, 28)), "ffff")
  })

  test("what is no datagram", () => {
    assert.deepEqual(error(parseUdp4(packet.subarray(0, 19))), ["too-short", 19])
    assert.deepEqual(error(parseUdp4(packet.subarray(0, 27))), ["too-short", 27])
    assert.deepEqual(error(parseUdp4(packet.with(0, 0x65))), ["version", 0])
    assert.deepEqual(error(parseUdp4(packet.with(0, 0x44))), ["length", 0])
    assert.deepEqual(error(parseUdp4(packet.with(3, 27))), ["length", 2])
    assert.deepEqual(error(parseUdp4(packet.with(9, 6))), ["value", 9])
    assert.deepEqual(error(parseUdp4(packet.with(6, 0x20))), ["value", 6])
    assert.deepEqual(error(parseUdp4(packet.with(25, 9))), ["length", 24])
    assert.deepEqual(error(parseUdp4(packet.with(25, 7))), ["length", 24])
  })
})

describe("DHCPv4, RFC 2131", () => {
  const fixed = `01 01 06 00 12345678 0000 8000 ${"00000000".repeat(4)} deadbeef0000${"00".repeat(10)} ${"00".repeat(192)}`
  const discover = hex(`${fixed} 63825363 350101 3702 0103 00 ff 0000`)

  test("a discover: its options, pads among them, and what follows the end", () => {
    const parsed = parseDhcp(discover)
    assert.ok(parsed.ok)
    assert.deepEqual([parsed.value.operation, parsed.value.xid, parsed.value.flags], [1, 0x12345678, 0x8000])
    assert.deepEqual(
      parsed.value.options?.map(({ code, data }) => [code, toHex(data)]),
      [
        [53, "01"],
        [55, "0103"],
        [0, ""],
      ],
    )
    assert.deepEqual([parsed.value.ended, parsed.value.trailing.length], [true, 2])
  })

  test("a message that ends inside an option is none; one without the cookie is BOOTP", () => {
    assert.deepEqual(error(parseDhcp(discover.subarray(0, 245))), ["length", 244])
    assert.deepEqual(error(parseDhcp(discover.subarray(0, 235))), ["too-short", 235])
    const bootp = parseDhcp(discover.with(236, 0))
    assert.ok(bootp.ok)
    assert.equal(bootp.value.options, undefined)
  })
})
