import assert from "node:assert/strict"
import { test } from "node:test"
import { encodeWith, parse } from "../../../core/wire/index.ts"
import { hex, toHex } from "./hex.ts"
import { address, isVector } from "./vectors.ts"

test("external address request and response (RFC 6886 3.2)", () => {
  isVector(hex("00 00"), { kind: "natpmp-address-request" })
  isVector(hex("00 80  00 00  00 01 e2 40  cb 00 71 05"), {
    kind: "natpmp-address-response",
    result: 0,
    epoch: 123456,
    external: address("203.0.113.5"),
  })
  isVector(hex("00 80  00 03  ff ff ff ff  00 00 00 00"), {
    kind: "natpmp-address-response",
    result: 3,
    epoch: 0xffffffff,
    external: address("0.0.0.0"),
  })
})

test("mapping requests and responses (RFC 6886 3.3)", () => {
  isVector(hex("00 01  00 00  10 92  9c 40  00 00 1c 20"), {
    kind: "natpmp-map-request",
    protocol: "udp",
    internalPort: 4242,
    externalPort: 40000,
    lifetime: 7200,
  })
  isVector(hex("00 02  00 00  00 50  00 00  00 00 00 00"), {
    kind: "natpmp-map-request",
    protocol: "tcp",
    internalPort: 80,
    externalPort: 0,
    lifetime: 0,
  })
  isVector(hex("00 81  00 00  00 00 00 64  10 92  9c 41  00 00 0e 10"), {
    kind: "natpmp-map-response",
    protocol: "udp",
    result: 0,
    epoch: 100,
    internalPort: 4242,
    externalPort: 40001,
    lifetime: 3600,
  })
  isVector(hex("00 82  00 04  00 00 00 64  00 50  00 00  00 00 00 00"), {
    kind: "natpmp-map-response",
    protocol: "tcp",
    result: 4,
    epoch: 100,
    internalPort: 80,
    externalPort: 0,
    lifetime: 0,
  })
})

test("N-01 the version error has 8 octets and a clear R bit (RFC 6886 3.5)", () => {
  isVector(hex("00 00  00 01  00 00 00 64"), { kind: "natpmp-version-error", opcode: 0, epoch: 100 })
  // Older gateways set the bit and copy the opcode of the PCP request.
  isVector(hex("00 81  00 01  00 00 00 64"), { kind: "natpmp-version-error", opcode: 0x81, epoch: 100 })
  // Another length or another result: still a request for the address, with something behind it.
  for (const octets of ["00 00  00 01  00 00 00", "00 00  00 02  00 00 00 64", "00 00  00 01  00 00 00 64 00"]) {
    const bytes = hex(octets)
    const parsed = parse(bytes)
    assert.ok(parsed.ok)
    assert.equal(parsed.packet.kind, "natpmp-address-request")
    assert.deepEqual(parsed.residue, [{ kind: "trailing", offset: 2, bytes: bytes.slice(2) }])
  }
})

test("N-02 an unsupported opcode and its echo, the whole request with top bit and result 5 (RFC 6886 3.5)", () => {
  isVector(hex("00 03  00 00  01 02 03"), { kind: "natpmp-other-request", opcode: 3, bytes: hex("00 00 01 02 03") })
  isVector(hex("00 83  00 05  01 02 03"), {
    kind: "natpmp-other-response",
    opcode: 3,
    result: 5,
    bytes: hex("01 02 03"),
  })
})

test("the reserved octets of a mapping request and octets in excess come back", () => {
  const bytes = hex("00 01  12 34  10 92  9c 40  00 00 1c 20  aa bb")
  const parsed = parse(bytes)
  assert.ok(parsed.ok)
  assert.deepEqual(parsed.residue, [
    { kind: "reserved", offset: 2, bytes: hex("12 34") },
    { kind: "trailing", offset: 12, bytes: hex("aa bb") },
  ])
  const encoded = encodeWith(parsed.packet, parsed.residue)
  assert.equal(encoded.ok && toHex(encoded.bytes), toHex(bytes))
})

test("a message cut short is an error with the section of its layout", () => {
  for (const [octets, clause] of [
    ["00 01 00 00 10 92", "RFC 6886 3.3"],
    ["00 80 00 00 00 00 00 01", "RFC 6886 3.2"],
    ["00 82 00 00 00 00 00 01 00 50 00 50", "RFC 6886 3.3"],
    ["00 83 00", "RFC 6886 3.5"],
  ] as const) {
    const bytes = hex(octets)
    const parsed = parse(bytes)
    assert.ok(!parsed.ok)
    assert.deepEqual(
      [parsed.error.code, parsed.error.offset, parsed.error.clause],
      ["body-too-short", bytes.length, clause],
    )
    assert.equal(parsed.error.header?.version, 0)
  }
})
