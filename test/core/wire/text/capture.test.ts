import assert from "node:assert/strict"
import { test } from "node:test"
import { formatAddress } from "../../../../core/wire/index.ts"
import type { FoundPacket, Reading } from "../../../../core/wire/text/index.ts"
import { isCapture, read, readCapture, toHex } from "../../../../core/wire/text/index.ts"
import { hex } from "../hex.ts"
import * as captured from "./captured.ts"
import { NATPMP, NATPMP_RESPONSE, REQUEST } from "./printed.ts"

const ok = (reading: Reading): Extract<Reading, { ok: true }> => {
  assert.ok(reading.ok, JSON.stringify(reading))
  return reading
}
const payloads = (reading: Reading): string[] => ok(reading).packets.map((packet) => toHex(packet.bytes))
const ends = (p: FoundPacket): string => {
  assert.ok(p.source !== undefined && p.destination !== undefined)
  return `${formatAddress(p.source)} ${p.sourcePort} > ${formatAddress(p.destination)} ${p.destinationPort}`
}
/** How a packet was wrapped, in short. */
const wrap = ({ encapsulation: e }: FoundPacket): string =>
  e === undefined ? "bare" : `${e.link} ${e.vlans.join("+")} ip${e.ip} ${e.headers} ${e.udpChecksum}`

test("pcap, µs, little-endian: the payload, its ends, time and place in the file", () => {
  const reading = ok(read(captured.LITTLE))
  assert.deepEqual(reading.form, { kind: "pcap", order: "little", resolution: "microseconds", linkType: 1 })
  assert.deepEqual(payloads(reading), [REQUEST])
  const [packet] = reading.packets
  assert.deepEqual(packet.at, { seconds: 1700000000, nanoseconds: 123456000 })
  assert.equal(ends(packet), "192.0.2.2 49152 > 192.0.2.1 5351")
  assert.equal(wrap(packet), "ethernet  ip4 42 valid")
  assert.ok(packet.map.kind === "file")
  assert.equal(toHex(captured.LITTLE.subarray(packet.map.offset, packet.map.offset + 60)), REQUEST)
})

test("pcap, ns, little-endian", () => {
  const reading = ok(read(captured.LITTLE_NANO))
  assert.deepEqual(reading.form, { kind: "pcap", order: "little", resolution: "nanoseconds", linkType: 101 })
  assert.deepEqual(payloads(reading), [NATPMP_RESPONSE])
  assert.deepEqual(reading.packets[0].at, { seconds: 1700000003, nanoseconds: 123456789 })
})

test("pcap with the modified libpcap's longer record headers", () => {
  assert.deepEqual(payloads(read(captured.MODIFIED)), [NATPMP_RESPONSE])
})

/** The same file as a big-endian machine writes it: header and record fields turned around, packets as they are. */
const turned = (file: Uint8Array, record = 16): Uint8Array => {
  const out = file.slice()
  const from = new DataView(file.buffer, file.byteOffset, file.length)
  const to = new DataView(out.buffer)
  const word = (o: number): void => to.setUint32(o, from.getUint32(o, true))
  const half = (o: number): void => to.setUint16(o, from.getUint16(o, true))
  for (const o of [0, 8, 12, 16, 20]) word(o)
  half(4)
  half(6)
  for (let o = 24; o < file.length; o += record + from.getUint32(o + 8, true))
    for (const k of [0, 4, 8, 12]) word(o + k)
  return out
}

test("pcap, big-endian, µs and ns: the same packets and times as little-endian", () => {
  for (const file of [captured.LITTLE, captured.LITTLE_NANO, captured.ETHERNET]) {
    const big = ok(read(turned(file)))
    const little = ok(read(file))
    assert.deepEqual(big.packets, little.packets)
    assert.deepEqual(big.skipped, little.skipped)
    assert.ok(big.form.kind === "pcap" && big.form.order === "big")
  }
})

test("the modified libpcap's form, big-endian", () => {
  assert.deepEqual(payloads(read(turned(captured.MODIFIED, 24))), [NATPMP_RESPONSE])
})

test("a VLAN identifier has 12 bits, priority and drop bits apart", () => {
  const file = captured.ETHERNET.slice()
  const tag = toHex(file).indexOf("81000005") / 2
  file.set([0xef, 0xfe], tag + 2)
  assert.deepEqual(ok(read(file)).packets[2].encapsulation?.vlans, [0xffe])
})

test("the reserved bits of an IPv6 fragment header make no fragment (RFC 8200 section 4.5)", () => {
  const file = captured.IP6.slice()
  const header = toHex(file).indexOf("1100000000000001") / 2
  file.set([0xff, 0x00, 0x06], header + 1)
  assert.equal(ok(read(file)).packets.length, 4)
})

test("Ethernet: IPv4 options, VLAN and QinQ tags; other ports and fragments are counted with their first record's place", () => {
  const reading = ok(read(captured.ETHERNET))
  assert.deepEqual(payloads(reading), [NATPMP, REQUEST, NATPMP, NATPMP])
  assert.deepEqual(reading.packets.map(wrap), [
    // The kernel left the UDP checksums of its own packets to the card.
    "ethernet  ip4 46 invalid",
    "ethernet  ip4 42 invalid",
    "ethernet 5 ip4 46 valid",
    "ethernet 100+7 ip4 50 valid",
  ])
  assert.deepEqual(reading.skipped, [
    { reason: "other-port", count: 1, first: { offset: 338 } },
    { reason: "fragment", count: 2, first: { offset: 397 } },
  ])
  assert.deepEqual(
    reading.problems.map((p) => [p.code, p.count, p.places]),
    [["fragment", 2, [{ offset: 397 }, { offset: 541 }]]],
  )
})

test("IPv6 extension headers: hop-by-hop, destination options, atomic fragment, routing, authentication", () => {
  const reading = ok(read(captured.IP6))
  assert.deepEqual(payloads(reading), [NATPMP, NATPMP, NATPMP, NATPMP])
  assert.deepEqual(reading.packets.map(wrap), [
    "ethernet  ip6 78 valid",
    "ethernet  ip6 70 valid",
    "ethernet  ip6 86 valid",
    "ethernet  ip6 86 valid",
  ])
  assert.deepEqual(
    reading.skipped.map((s) => [s.reason, s.count]),
    [["fragment", 1]],
  )
  assert.equal(ends(reading.packets[0]), "2001:db8::2 49152 > 2001:db8::1 5351")
})

test("Linux cooked captures of both versions, BSD null and loop, raw IP of either family", () => {
  const cases: readonly (readonly [Uint8Array, string, readonly string[]])[] = [
    [captured.SLL, "sll  ip4 48 invalid", [NATPMP, REQUEST]],
    [captured.SLL2, "sll2  ip4 52 invalid", [NATPMP, REQUEST]],
    [captured.NULL, "null  ip4 32 valid", [NATPMP]],
    [captured.LOOP, "null  ip4 32 valid", [NATPMP]],
    [captured.RAW4, "raw  ip4 28 valid", [NATPMP]],
    [captured.RAW6, "raw  ip6 48 valid", [NATPMP]],
  ]
  for (const [file, shape, expected] of cases) {
    const reading = ok(read(file))
    assert.deepEqual(payloads(reading), expected)
    assert.equal(wrap(reading.packets[0]), shape)
    assert.deepEqual(reading.skipped, [])
  }
})

test("a packet that the capture cut: what is there, and how many octets are missing", () => {
  const reading = ok(read(captured.CUT))
  assert.deepEqual(payloads(reading), [REQUEST.slice(0, 76)])
  assert.equal(reading.packets[0].encapsulation?.missing, 22)
  assert.equal(reading.packets[0].encapsulation?.udpChecksum, "unknown")
})

test("pcapng: interfaces with their own link type and time resolution", () => {
  const reading = ok(read(captured.PCAPNG))
  assert.deepEqual(reading.form, { kind: "pcapng", order: "little" })
  assert.deepEqual(payloads(reading), [NATPMP, NATPMP, NATPMP_RESPONSE])
  assert.deepEqual(
    reading.packets.map((p) => [p.encapsulation?.link, p.at?.nanoseconds]),
    [
      ["ethernet", 123456000],
      ["raw", 123456789],
      ["raw", 123456789],
    ],
  )
})

test("pcapng: sections number their interfaces anew", () => {
  const reading = ok(read(captured.SECTIONS))
  assert.deepEqual(payloads(reading), [NATPMP, NATPMP, NATPMP_RESPONSE])
  assert.deepEqual(
    reading.packets.map((p) => p.encapsulation?.link),
    ["ethernet", "raw", "raw"],
  )
})

const FRAME = "4500001e000040004011b6cbc0000202c0000201c00014e7000aa6ee0000"

/** A pcapng block of the draft's layout, big-endian: type, length, body padded to 32 bits, length. */
const block = (type: number, body: string): string => {
  const octets = body.length / 2
  const length = (12 + octets + (-octets & 3)).toString(16).padStart(8, "0")
  return type.toString(16).padStart(8, "0") + length + body + "00".repeat(-octets & 3) + length
}
const SECTION = block(0x0a0d0d0a, "1a2b3c4d00010000ffffffffffffffff")

test("pcapng, big-endian: simple and obsolete packet blocks, binary time resolution, time offset, unknown blocks", () => {
  // if_tsresol 0x8a is 1/1024 s; if_tsoffset is 1000 s.
  const wire = block(1, "0065000000000000000900018a000000000e000800000000000003e800000000")
  const simple = block(3, `0000001e${FRAME}`)
  // Interface 0, no drops, time 2048.5 s in units of 1/1024, 30 octets captured and original.
  const obsolete = block(2, `0000ffff00000000002002000000001e0000001e${FRAME}`)
  const enhanced = block(6, `0000000000000000002002000000001e0000001e${FRAME}`)
  const unknown = block(0x0bad, "00112233")
  const reading = ok(read(hex(SECTION + wire + unknown + simple + unknown + obsolete + enhanced)))
  assert.deepEqual(reading.form, { kind: "pcapng", order: "big" })
  assert.deepEqual(payloads(reading), [NATPMP, NATPMP, NATPMP])
  assert.deepEqual(
    reading.packets.map((p) => p.at),
    [undefined, { seconds: 3048, nanoseconds: 500000000 }, { seconds: 3048, nanoseconds: 500000000 }],
  )
  assert.deepEqual(reading.problems, [])
})

test("pcapng: a simple packet block is cut by its interface's snaplen", () => {
  const wire = block(1, "006500000000001d")
  const reading = ok(read(hex(SECTION + wire + block(3, `0000001e${FRAME.slice(0, 58)}`))))
  assert.deepEqual(payloads(reading), ["00"])
  assert.equal(reading.packets[0].encapsulation?.missing, 1)
})

test("a packet block of an interface that is not there is malformed, and the file goes on", () => {
  const wire = block(1, "0065000000000000")
  const lost = block(6, `0000000700000000000000000000001e0000001e${FRAME}`)
  const good = block(6, `0000000000000000000000000000001e0000001e${FRAME}`)
  const reading = ok(read(hex(SECTION + wire + lost + good)))
  assert.deepEqual(payloads(reading), [NATPMP])
  assert.deepEqual(reading.skipped, [{ reason: "malformed", count: 1, first: { offset: 48 } }])
})

test("a capture of a link type that is not read says its number", () => {
  const file = captured.LITTLE.slice()
  file[20] = 147
  const reading = ok(read(file))
  assert.deepEqual(reading.packets, [])
  assert.deepEqual(reading.skipped, [{ reason: "link-type", count: 1, first: { offset: 24 } }])
  assert.match(reading.problems[0].text, /147/)
})

test("a file cut anywhere gives the packets before the cut and the place of the first that is missing", () => {
  for (const file of [captured.ETHERNET, captured.PCAPNG]) {
    const whole = ok(read(file))
    for (let length = 28; length < file.length; length++) {
      const reading = ok(read(file.subarray(0, length)))
      assert.deepEqual(reading.packets, whole.packets.slice(0, reading.packets.length))
      const code = reading.problems.find((p) => p.code === "file-truncated")
      if (code !== undefined) assert.ok(code.places[0].offset < length)
    }
    assert.equal(ok(read(file.subarray(0, file.length - 1))).problems.at(-1)?.code, "file-truncated")
  }
})

test("a record that claims more than any capture holds stops the reading with its place", () => {
  const file = captured.ETHERNET.slice()
  file[24 + 8 + 3] = 0x7f
  const reading = ok(read(file))
  assert.deepEqual(
    reading.problems.map((p) => [p.code, p.places]),
    [["file-corrupt", [{ offset: 24 }]]],
  )
})

test("a header that is cut or of another version is an error", () => {
  for (const file of [captured.LITTLE.subarray(0, 20), captured.PCAPNG.subarray(0, 20)]) {
    const reading = read(file)
    assert.ok(!reading.ok)
    assert.equal(reading.error.code, "capture-header")
  }
  const old = captured.LITTLE.slice()
  old[4] = 9
  const reading = read(old)
  assert.ok(!reading.ok)
  assert.deepEqual(reading.error.place, { offset: 4 })
})

test("readCapture steps: each item says how far the file is, up to its end", () => {
  for (const file of [captured.ETHERNET, captured.SECTIONS, captured.IP6]) {
    let last = 0
    const steps = readCapture(file)
    let step = steps.next()
    while (step.done !== true) {
      assert.ok(step.value.offset >= last && step.value.end > step.value.offset)
      last = step.value.end
      step = steps.next()
    }
    assert.equal(last, file.length)
    assert.ok(step.value.ok)
  }
  assert.ok(isCapture(captured.SLL) && isCapture(captured.PCAPNG) && !isCapture(hex("02010000")))
})
