import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { describeFlow, dissectFlow, type FlowPorts, validateFlow } from "../../../core/flow/index.ts"
import { leaves, walk } from "../../../core/wire/index.ts"
import { hex } from "../wire/hex.ts"
import { octets } from "./arbitrary.ts"
import { FLOW_REPLY, FLOW_REQUEST, OECHO_HASH } from "./vectors.ts"

const linesOf = (bytes: Uint8Array, ports: FlowPorts = {}): readonly string[] => {
  const dissection = dissectFlow(bytes, ports)
  const texts = [...leaves(dissection.root)].map(
    (node) => `${node.offset} ${node.field.name}: ${describeFlow(dissection, node)}`,
  )
  return [describeFlow(dissection, dissection.root), ...texts]
}

test("A5: each field of a FLOW_REQ", () => {
  assert.deepEqual(linesOf(FLOW_REQUEST), [
    "Ouroboros FLOW_REQ, 63 octets",
    "0 Endpoint id (eid): 0 (management)",
    "4 Requester's endpoint id (s_eid): 64",
    "8 Responder's endpoint id (d_eid): 0 (none)",
    "12 Response: 0 (accepted)",
    "16 Bandwidth: 0 (any)",
    "24 Delay: 4294967295 (any)",
    "28 Loss: 1",
    "32 Bit errors (ber): 1 in 10^9 bits",
    "36 Longest gap (max_gap): 4294967295 (any)",
    "40 Peer timeout: 120000 ms",
    "44 Code: FLOW_REQ (1)",
    "45 Availability: 0",
    "46 In order: 0 (no)",
    `47 Hash of the name: ${OECHO_HASH}`,
  ])
  assert.deepEqual(validateFlow(FLOW_REQUEST), [])
})

test("A5: a FLOW_REPLY that refuses, with what the reference never sends", () => {
  const bytes = hex(`
    00000000 00000040 00000000 fffffc11 0000000000000000 00000000 00000000 00000000 00000000 00000000 02 00 01 aa
  `)
  const lines = linesOf(bytes)
  assert.equal(lines[0], "Ouroboros FLOW_REPLY, 48 octets")
  assert.ok(lines.includes("12 Response: -1007 (ENAME)"))
  assert.equal(lines.at(-1), "47 Piggyback data: aa")
  assert.deepEqual(
    validateFlow(bytes).map(({ severity, code, offset }) => [severity, code, offset]),
    [
      ["note", "qos-nonzero", 46],
      ["note", "refusal-data", 47],
    ],
  )
  assert.deepEqual(validateFlow(FLOW_REPLY), [])
})

test("A5: a flow's message, a keep-alive, a runt and an unknown code", () => {
  assert.deepEqual(linesOf(hex("00000041 6869")), [
    "Ouroboros flow message, 6 octets",
    "0 Endpoint id (eid): 65",
    "4 Message: 6869",
  ])
  assert.deepEqual(linesOf(hex("00000041")), ["Ouroboros keep-alive, 4 octets", "0 Endpoint id (eid): 65"])
  assert.deepEqual(linesOf(hex("0000")), [
    "Ouroboros management message, 2 octets",
    "0 Endpoint id (eid): cut short, 2 of 4 octets",
  ])
  assert.deepEqual(linesOf(FLOW_REPLY.subarray(0, 24)).at(-1), "24 Delay: missing: 4 octets")
  const unknown = FLOW_REPLY.slice()
  unknown[44] = 9
  assert.ok(linesOf(unknown).includes("44 Code: 9 (unknown)"))
  assert.deepEqual(
    validateFlow(unknown).map(({ severity, code, clause }) => [severity, code, clause]),
    [["error", "unknown-code", "struct mgmt_msg"]],
  )
})

test("A2: a request of the first form is its name", () => {
  const ports = { sourcePort: 40000, destinationPort: 3359 }
  assert.deepEqual(linesOf(new TextEncoder().encode('a"\u001bé'), ports), [
    "Ouroboros flow request of the first form, 5 octets",
    '0 Name: "a\\"\\u{1b}é"',
  ])
  assert.deepEqual(validateFlow(hex("61"), ports), [])
  assert.equal(validateFlow(new Uint8Array(256).fill(65), ports)[0]?.code, "name")
})

test("any octets have a tree whose leaves share them out, texts without control characters, and findings within them", () => {
  const ports = fc.constantFrom<FlowPorts>({}, { sourcePort: 4000, destinationPort: 3359 }, { destinationPort: 3435 })
  fc.assert(
    fc.property(octets, ports, (bytes, between) => {
      const dissection = dissectFlow(bytes, between)
      let at = 0
      for (const { offset, length } of leaves(dissection.root)) {
        assert.equal(offset, at)
        at += length
      }
      if (dissection.root.children.length > 0) assert.equal(at, bytes.length)
      for (const node of walk(dissection.root)) assert.doesNotMatch(describeFlow(dissection, node), /\p{Cc}/u)
      for (const { offset, text } of validateFlow(bytes, between)) {
        assert.ok(offset >= 0 && offset <= bytes.length)
        assert.notEqual(text, "")
      }
    }),
    { numRuns: 3000 },
  )
})
