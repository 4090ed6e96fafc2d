import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  describeOverlay,
  dissectFrame,
  dissectVxlan,
  encodeEthernet,
  encodeUdp4,
  encodeVxlan,
} from "../../../../core/overlay/index.ts"
import { hex } from "../../wire/hex.ts"
import { anyFrame, bytesOf, ethernet, udp4 } from "../arbitrary.ts"
import { holdsOf, textsOf } from "./tree.ts"

test("any octets give a tree whose leaves have each of them once, and texts without control characters", () => {
  for (const dissect of [dissectFrame, dissectVxlan])
    fc.assert(
      fc.property(anyFrame, (bytes) => {
        holdsOf(dissect(bytes), describeOverlay)
      }),
      { numRuns: 2000 },
    )
})

test("tunnels in tunnels: a few are taken apart, what is deeper is data", () => {
  const [outer] = fc.sample(udp4, 1)
  const [base] = fc.sample(ethernet, 1)
  let deep = bytesOf(encodeEthernet(base))
  for (let level = 0; level < 1000; level++) {
    const payload = bytesOf(encodeVxlan({ vnetid: level, frame: deep }))
    const empty = new Uint8Array(0)
    const packet = { ...outer, destinationPort: 4789, options: empty, slack: empty, trailing: empty, payload }
    deep = bytesOf(encodeEthernet({ ...base, tags: [], type: 0x0800, payload: bytesOf(encodeUdp4(packet)) }))
  }
  const dissection = dissectFrame(deep)
  holdsOf(dissection, describeOverlay)
  const names = textsOf(dissection, describeOverlay).filter((line) => line.startsWith("Ethernet:"))
  assert.equal(names.length, 5)
})

test("an ARP request in VXLAN, field by field", () => {
  const bytes = hex(
    "08000000 00001700 ffffffffffff deadbeef0000 8100 6005 0806 0001 0800 06 04 0001 deadbeef0000 0a373702 000000000000 0a373703",
  )
  assert.deepEqual(textsOf(dissectVxlan(bytes), describeOverlay), [
    "Virtual eXtensible Local Area Network: Virtual eXtensible Local Area Network, 54 octets",
    "Flags: I",
    "Reserved: zero",
    "VXLAN Network Identifier: 23",
    "Reserved: zero",
    "Ethernet: Ethernet, 46 octets",
    "Destination: ff:ff:ff:ff:ff:ff",
    "Source: de:ad:be:ef:00:00",
    "Tag type: 0x8100 (VLAN tag)",
    "Tag control: VLAN 5, priority 3",
    "Type: 0x0806 (ARP)",
    "Address Resolution Protocol: Address Resolution Protocol, 28 octets",
    "Hardware (ar$hrd): Ethernet (1)",
    "Protocol (ar$pro): 0x0800 (IPv4)",
    "Hardware address length (ar$hln): 6",
    "Protocol address length (ar$pln): 4",
    "Operation (ar$op): request (1)",
    "Sender hardware address (ar$sha): de:ad:be:ef:00:00",
    "Sender protocol address (ar$spa): 10.55.55.2",
    "Target hardware address (ar$tha): 00:00:00:00:00:00",
    "Target protocol address (ar$tpa): 10.55.55.3",
  ])
})

test("a neighbour solicitation: its checksum is judged, and a cut option says what is missing", () => {
  const bytes = hex(`3333ff000003 deadbeef0001 86dd
    60000000 0020 3a ff fe800000000000000000000000000004 ff0200000000000000000001ff000003
    87 00 def4 00000000 fe800000000000000000000000000003 01 01 deadbeef0001`)
  const texts = textsOf(dissectFrame(bytes), describeOverlay)
  for (const line of [
    "Type: Neighbor Solicitation (135)",
    "Checksum: 0xdef4 (right)",
    "Flags and Reserved: none",
    "Type: Source Link-Layer Address (1)",
    "Link-Layer Address: de:ad:be:ef:00:01",
  ])
    assert.ok(texts.includes(line), line)
  const wrong = textsOf(dissectFrame(bytes.with(57, 0)), describeOverlay)
  assert.ok(wrong.includes("Checksum: 0xde00 (wrong: 0xdef4)"), wrong.join("\n"))
  const cut = textsOf(dissectFrame(bytes.subarray(0, 19)), describeOverlay)
  assert.equal(cut.at(-1), "Payload Length: cut short, 1 of 2 octets")
})
