/** Datagrams of flow allocation in the playground's model: opened, inspected, listed, edited, shared and exported as what they are. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { toHex, toPcap } from "../../core/wire/text/index.ts"
import { readFilter, readPackets, storyOf, summaryOf } from "../../playground/model/capture/index.ts"
import { compare, fieldText, setField } from "../../playground/model/edit/index.ts"
import { exportPacket } from "../../playground/model/export/index.ts"
import { exampleOf } from "../../playground/model/gallery/index.ts"
import { inspect } from "../../playground/model/inspect/index.ts"
import { type OpenedPacket, open, portsOf } from "../../playground/model/open/index.ts"
import { sessionFromCapture } from "../../playground/model/session/index.ts"
import { anonymiser, fromFragment, toFragment } from "../../playground/model/share/index.ts"
import { anyBytes } from "../core/wire/arbitrary.ts"
import { address, hex, MAP_REQUEST } from "./packets.ts"

// The golden vectors of A5 and a refusal.
const REQUEST = hex(
  "00000000 00000040 00000000 00000000 0000000000000000 ffffffff 00000001 00000001 ffffffff 0001d4c0 01 00 00 c36f43274cb781532a4bd6e0b9d47d3e",
)
const REPLY = hex(
  "00000000 00000040 00000041 00000000 0000000000000000 00000000 00000000 00000000 00000000 00000000 02 00 00",
)
const REFUSAL = hex(
  "00000000 00000040 00000000 fffffc11 0000000000000000 00000000 00000000 00000000 00000000 00000000 02 00 00",
)
const NAME = hex("6f6563686f")
const MESSAGE = hex("00000041 68656c6c6f")
const [CLIENT, SERVER] = [address("192.0.2.2"), address("203.0.113.1")]
const FIRST = { sourcePort: 49200, destinationPort: 3359 }
const TODAY = { sourcePort: 3435, destinationPort: 3435 }

const there = (bytes: Uint8Array, ports = TODAY, seconds = 1) => ({
  bytes,
  ...ports,
  source: CLIENT,
  destination: SERVER,
  at: { seconds, nanoseconds: 0 },
})
const back = (bytes: Uint8Array, seconds = 1) => ({
  ...there(bytes, TODAY, seconds),
  source: SERVER,
  destination: CLIENT,
})
const packetOf = (bytes: Uint8Array, ports = TODAY): OpenedPacket => {
  const [packet] = open(toPcap([there(bytes, ports)])).packets
  return packet ?? assert.fail("no packet")
}

describe("flow allocation in the playground", () => {
  test("a management message is known by its octets, a name and a message by their ports", () => {
    const [pasted] = open(toHex(REQUEST)).packets
    assert.equal(pasted?.direction, "request")
    assert.equal(inspect(REQUEST).title, "Ouroboros FLOW_REQ, 63 octets")
    assert.equal(inspect(REPLY).title, "Ouroboros FLOW_REPLY, 47 octets")
    assert.equal(inspect(MESSAGE).protocol, "port-control")
    for (const [bytes, ports, title, direction] of [
      [NAME, FIRST, "Ouroboros flow request of the first form, 5 octets", "request"],
      [MESSAGE, TODAY, "Ouroboros flow message, 9 octets", undefined],
      [hex("00000041"), TODAY, "Ouroboros keep-alive, 4 octets", undefined],
      [REPLY, TODAY, "Ouroboros FLOW_REPLY, 47 octets", "response"],
    ] as const) {
      const packet = packetOf(bytes, ports)
      const seen = inspect(packet.bytes, { ports: portsOf(packet) })
      assert.deepEqual(
        [seen.title, seen.protocol, seen.direction, packet.direction],
        [title, "flow", direction, direction],
      )
    }
    assert.equal(inspect(MAP_REQUEST).protocol, "port-control")
  })

  test("tree, octets, diagram and findings are linked, and say where they are from", () => {
    const { fields, octets, findings, diagram } = inspect(REQUEST)
    const leaves = fields.filter(({ children }) => children.length === 0)
    assert.deepEqual(
      leaves.map(({ name, class: own, offset, length }) => [name, own, offset, length].join()),
      [
        "Endpoint id (eid),port,0,4",
        "Requester's endpoint id (s_eid),port,4,4",
        "Responder's endpoint id (d_eid),port,8,4",
        "Response,version,12,4",
        "Bandwidth,option,16,8",
        "Delay,option,24,4",
        "Loss,option,28,4",
        "Bit errors (ber),option,32,4",
        "Longest gap (max_gap),option,36,4",
        "Peer timeout,lifetime,40,4",
        "Code,version,44,1",
        "Availability,option,45,1",
        "In order,option,46,1",
        "Hash of the name,address,47,16",
      ],
    )
    assert.deepEqual(findings, [])
    assert.equal(octets[47]?.parts[0]?.field, leaves.at(-1)?.id)
    assert.equal(diagram.rows, 16)
    assert.deepEqual(leaves[0]?.rfc, { text: "Ouroboros struct mgmt_msg", href: "https://ouroboros.rocks/" })
    // A request that names a responder: a note, at its octets.
    const odd = REQUEST.slice()
    odd[11] = 9
    const [found] = inspect(odd).findings
    assert.deepEqual(
      [found?.code, found?.offset, found?.length, found?.clause.text],
      ["responder-nonzero", 8, 4, "Ouroboros struct mgmt_msg"],
    )
    // 47-byte runts: a request without its hash.
    assert.equal(inspect(REQUEST.subarray(0, 47), { ports: TODAY }).findings[0]?.severity, "error")
    const nul = inspect(hex("6f00"), { ports: FIRST })
    assert.deepEqual([nul.protocol, nul.findings[0]?.code], ["flow", "name"])
  })

  test("a capture lists them beside PCP: requests with their answers, by the requester's end and endpoint id", () => {
    const file = toPcap([
      there(REQUEST, TODAY, 1),
      there(REQUEST, TODAY, 2),
      back(REPLY, 3),
      there(MESSAGE, TODAY, 4),
      there(NAME, FIRST, 5),
      { ...there(MAP_REQUEST, { sourcePort: 50000, destinationPort: 5351 }, 6) },
      back(REFUSAL, 7),
    ])
    const capture = readPackets(open(file).packets)
    assert.deepEqual(
      capture.rows.map(({ facts, part, exchange }) => [summaryOf(facts), part, exchange]),
      [
        ["FLOW_REQ", "request", 0],
        ["FLOW_REQ", "retransmission", 0],
        ["FLOW_REPLY, accepted", "answer", 0],
        ["flow message", "neither", -1],
        ["flow request of 2016", "request", 1],
        ["MAP request, UDP 4242 → 40000, 7200 s", "request", 2],
        ["FLOW_REPLY, ENAME", "repeated answer", 0],
      ],
    )
    assert.deepEqual(
      storyOf(capture, 0).map(({ text, clause }) => [text, clause]),
      [
        ["asked by", ""],
        ["asked again by", ""],
        ["answered after 2 s, 1 s since the last, by", ""],
        ["and again by", ""],
      ],
    )
    assert.deepEqual(capture.rows.map(readFilter("flow").test), [true, true, true, true, true, false, true])
    assert.deepEqual(capture.epochs, [])
    // Only what a CGN answers is replayed.
    assert.equal(sessionFromCapture(capture, "x").session.steps.length, 1)
  })

  test("a field is typed over where the ports say what it is; two are compared", () => {
    const { fields } = inspect(NAME, { ports: FIRST })
    const name = fields.findIndex(({ children }) => children.length === 0)
    assert.equal(fieldText(NAME, name, FIRST), "oecho")
    const other = setField(NAME, name, "other name", FIRST)
    assert.ok(other.ok && toHex(other.bytes) === toHex(new TextEncoder().encode("other name")))
    const id = inspect(REQUEST).fields.findIndex(({ name }) => name === "Peer timeout")
    const changed = setField(REQUEST, id, "1000")
    assert.ok(changed.ok)
    assert.equal(toHex(changed.bytes.subarray(40, 44)), "000003e8")
    assert.deepEqual(
      compare(REQUEST, changed.bytes)
        .fields.filter(({ state }) => state !== "same")
        .map(({ path, left, right }) => [path, left?.text, right?.text]),
      [["Peer timeout", "120000 ms", "1000 ms"]],
    )
    assert.equal(compare(NAME, hex("6f6563686e"), FIRST).fields[0]?.path, "Name")
  })

  test("a link keeps the ports where the octets do not say what they are, and only there", async () => {
    const name = { kind: "packet", bytes: NAME, ports: FIRST } as const
    const made = await toFragment(name)
    assert.ok(made.ok && made.fragment.startsWith("1d"))
    assert.deepEqual(await fromFragment(made.fragment), { ok: true, shared: name })
    const plain = await toFragment({ kind: "packet", bytes: REQUEST, ports: TODAY })
    assert.ok(plain.ok && plain.fragment.startsWith("1p"))
    const cut = await fromFragment("1d0AAA")
    assert.ok(!cut.ok && /cut/.test(cut.text))
  })

  test("made anonymous: names, hashes and messages are others, numbers stay", () => {
    const { bytes, packet } = anonymiser(new Uint8Array(32).fill(9))
    const own = bytes(REQUEST)
    assert.equal(toHex(own.subarray(0, 47)), toHex(REQUEST.subarray(0, 47)))
    assert.notEqual(toHex(own.subarray(47)), toHex(REQUEST.subarray(47)))
    const name = packet(packetOf(NAME, FIRST))
    assert.match(new TextDecoder().decode(name.bytes), /^[a-z]{5}$/)
    assert.notEqual(toHex(name.bytes), toHex(NAME))
    assert.equal(toHex(packet(packetOf(MESSAGE)).bytes.subarray(0, 4)), "00000041")
  })

  test("exports: a file with its ports; no vector and no command of PCP's", () => {
    const packet = packetOf(NAME, FIRST)
    const file = exportPacket(packet, "pcap")
    assert.ok(file.ok && typeof file.content !== "string")
    assert.deepEqual(open(file.content).packets.map(portsOf), [FIRST])
    assert.equal(exportPacket(packet, "vector").ok, false)
    assert.equal(exportPacket(packetOf(REQUEST), "request").ok, false)
    const command = exportPacket(packet, "decode")
    assert.ok(command.ok && /pcap/.test(command.note ?? ""))
    const alone = exportPacket(packetOf(REQUEST), "decode")
    assert.ok(alone.ok && alone.note === undefined)
  })

  test("the gallery has both forms, each octet as the reference has it", () => {
    const packets = (id: string) => {
      const example = exampleOf(id)
      assert.ok(example?.kind === "packets")
      return example.packets()
    }
    assert.deepEqual(
      packets("flow-current")
        .slice(0, 2)
        .map(({ bytes }) => toHex(bytes)),
      [toHex(REQUEST), toHex(REPLY)],
    )
    assert.deepEqual(
      packets("flow-first").map(({ bytes }) => toHex(bytes)),
      [toHex(NAME)],
    )
    for (const id of ["flow-current", "flow-refused", "flow-first"])
      for (const packet of packets(id)) {
        const { protocol, findings } = inspect(packet.bytes, { ports: portsOf(packet) })
        assert.deepEqual([protocol, findings], ["flow", []], id)
      }
  })

  test("any octets between any ports: a tree of all octets, findings within, and nothing throws", () => {
    const ports = fc.constantFrom(
      TODAY,
      FIRST,
      { sourcePort: 3359, destinationPort: 49200 },
      { sourcePort: 5351, destinationPort: 1 },
    )
    fc.assert(
      fc.property(fc.oneof(anyBytes, fc.uint8Array({ maxLength: 80 })), ports, (bytes, ports) => {
        const { octets, fields, findings } = inspect(bytes, { ports })
        assert.equal(octets.length, bytes.length)
        for (const { parts } of octets)
          assert.equal(
            parts.reduce((sum, { bits }) => sum + bits, 0),
            8,
          )
        for (const { field } of findings) assert.ok(fields[field] !== undefined)
        readPackets([packetOf(bytes, ports)].filter((one) => one !== undefined))
        anonymiser(new Uint8Array(32)).bytes(bytes, ports)
      }),
    )
  })
})
