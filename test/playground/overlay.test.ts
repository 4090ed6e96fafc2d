/** Frames of overlays and SVP in the playground's model: opened, inspected, listed, edited, shared and exported as what they are. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { toHex, toPcap } from "../../core/wire/text/index.ts"
import { readFilter, readPackets, summaryOf } from "../../playground/model/capture/index.ts"
import { compare } from "../../playground/model/edit/index.ts"
import { exportPacket } from "../../playground/model/export/index.ts"
import { exampleOf } from "../../playground/model/gallery/index.ts"
import { inspect } from "../../playground/model/inspect/index.ts"
import { type OpenedPacket, open, portsOf } from "../../playground/model/open/index.ts"
import { sessionFromCapture } from "../../playground/model/session/index.ts"
import { anonymiser, fromFragment, toFragment } from "../../playground/model/share/index.ts"
import { anyBytes } from "../core/wire/arbitrary.ts"
import { address, hex, MAP_REQUEST } from "./packets.ts"

const ARP = "ffffffffffff deadbeef0001 0806 0001 0800 06 04 0001 deadbeef0001 0a373703 000000000000 0a373702"
const VXLAN = hex(`08000000 00001700 ${ARP}`)
/** The golden vector of B6. */
const VL2 = hex("00010003 0000000c 00000001 12bb7dbf deadbeef00000000 00000017")
const [NEAR, FAR] = [address("192.0.2.2"), address("203.0.113.1")]

const sent = (bytes: Uint8Array, destinationPort = 4789) => ({
  bytes,
  sourcePort: 49300,
  destinationPort,
  source: NEAR,
  destination: FAR,
  at: { seconds: 1, nanoseconds: 0 },
})
const packetOf = (bytes: Uint8Array): OpenedPacket => open(toPcap([sent(bytes)])).packets[0] ?? assert.fail("no packet")

describe("overlays in the playground", () => {
  test("VXLAN is known by its octets and by its port, SVP by its CRC", () => {
    const [pasted] = open(toHex(VXLAN)).packets
    assert.equal(pasted?.direction, undefined)
    assert.deepEqual(
      [inspect(VXLAN), inspect(VL2), inspect(VL2.with(20, 1)), inspect(MAP_REQUEST)].map(({ protocol }) => protocol),
      ["vxlan", "svp", "port-control", "port-control"],
    )
    const cut = packetOf(VXLAN.subarray(0, 9))
    const seen = inspect(cut.bytes, { ports: portsOf(cut) })
    assert.equal(seen.protocol, "vxlan")
    assert.deepEqual(
      seen.findings.map(({ severity, offset }) => [severity, offset]),
      [["error", 8]],
    )
  })

  test("each octet has a field, with a class and a place in a specification", () => {
    const { fields, octets, diagram } = inspect(VXLAN)
    const leaves = fields.filter(({ children }) => children.length === 0)
    assert.equal(
      leaves.reduce((sum, { firstBit, endBit }) => sum + endBit - firstBit, 0),
      8 * VXLAN.length,
    )
    assert.equal(octets.length, VXLAN.length)
    assert.equal(diagram.rows, 13)
    const named = (name: RegExp) => leaves.find((one) => name.test(one.name)) ?? assert.fail(`${name}`)
    assert.deepEqual(
      [named(/^VXLAN Network/), named(/^Sender hardware/), named(/^Target protocol/)].map((one) => one.class),
      ["port", "address", "address"],
    )
    assert.equal(named(/^VXLAN Network/).rfc.href, "https://www.rfc-editor.org/rfc/rfc7348#section-5")
    assert.match(named(/^Sender hardware/).rfc.href, /rfc826/)
    assert.equal(named(/^Destination$/).rfc.href, "https://standards.ieee.org/")
    assert.match(inspect(VL2).fields[1].rfc.text, /^SVP /)
  })

  test("a capture lists them beside PCP, and a filter finds them", () => {
    const capture = readPackets(open(toPcap([sent(VXLAN), sent(MAP_REQUEST, 5351)])).packets)
    assert.deepEqual(
      capture.rows.map(({ facts }) => summaryOf(facts)),
      ["Virtual eXtensible Local Area Network, 50 octets", "MAP request, UDP 4242 → 40000, 7200 s"],
    )
    assert.deepEqual(capture.rows.map(readFilter("vxlan").test), [true, false])
    // A session has what a port control server was asked.
    assert.equal(sessionFromCapture(capture, "x").session.steps.length, 1)
  })

  test("two are compared field by field", () => {
    const differing = compare(VXLAN, VXLAN.with(6, 0x18)).fields.filter(({ state }) => state !== "same")
    assert.deepEqual(
      differing.map(({ left, right }) => [left?.text, right?.text]),
      [["23", "24"]],
    )
  })

  test("exports: what is made of PCP alone is refused", () => {
    for (const format of ["vector", "request"] as const) assert.equal(exportPacket(packetOf(VXLAN), format).ok, false)
    for (const format of ["hex", "pcap", "decode"] as const) assert.ok(exportPacket(packetOf(VXLAN), format).ok)
  })

  test("a link holds the ports where the octets do not say what they are; addresses in it can be others", async () => {
    const cut = packetOf(VXLAN.subarray(0, 9))
    const link = await toFragment({ kind: "packet", bytes: cut.bytes, ports: portsOf(cut) })
    assert.ok(link.ok)
    const read = await fromFragment(link.fragment)
    assert.ok(read.ok && read.shared.kind === "packet")
    assert.equal(inspect(read.shared.bytes, { ports: read.shared.ports ?? {} }).protocol, "vxlan")
    const other = anonymiser(new Uint8Array(32)).bytes(VXLAN)
    assert.equal(other.length, VXLAN.length)
    assert.equal(inspect(other).protocol, "vxlan")
    const octets = Buffer.from(other).toString("hex")
    for (const told of ["deadbeef0001", "0a373703", "0a373702"]) assert.ok(!octets.includes(told), told)
  })

  test("the gallery has an example of each", () => {
    for (const [id, protocol] of [
      ["vxlan-arp", "vxlan"],
      ["svp-vl2", "svp"],
    ]) {
      const example = exampleOf(id)
      assert.ok(example?.kind === "packets")
      const [packet] = example.packets()
      const seen = inspect(packet.bytes, { ports: portsOf(packet) })
      assert.deepEqual([seen.protocol, seen.findings.length], [protocol, 0])
    }
  })

  test("any octets behind VXLAN's port have an inspection, and other octets as many", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const ports = { sourcePort: 49300, destinationPort: 4789 }
        assert.equal(inspect(bytes, { ports }).octets.length, Math.min(bytes.length, 8192))
        assert.equal(anonymiser(new Uint8Array(32)).bytes(bytes, ports).length, bytes.length)
      }),
    )
  })
})
