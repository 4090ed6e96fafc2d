import assert from "node:assert/strict"
import { test } from "node:test"
import type { EncodeError, MapBody, Packet, PcpOption, PcpRequest, PcpResponse } from "../../../core/wire/index.ts"
import { ANNOUNCE_BODY, encode, encodeWith, parse } from "../../../core/wire/index.ts"
import { address, MAP_REQUEST, nonce } from "./vectors.ts"

const BODY: MapBody = {
  kind: "map",
  nonce: nonce("000000000000000000000000"),
  protocol: 17,
  internalPort: 1,
  externalPort: 2,
  external: address("::"),
}
const REQUEST: PcpRequest = { kind: "pcp-request", lifetime: 0, client: address("::"), body: BODY, options: [] }
const RESPONSE: PcpResponse = {
  kind: "pcp-response",
  result: 0,
  lifetime: 0,
  epoch: 0,
  clientTail: undefined,
  body: BODY,
  options: [],
}

const errorOf = (packet: Packet): EncodeError["code"] => {
  const encoded = encode(packet)
  return encoded.ok ? assert.fail(`bytes for ${JSON.stringify(packet)}`) : encoded.error.code
}

test("numbers that do not fit their field are an error, not wrapped", () => {
  for (const bad of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32]) {
    const packets: Packet[] = [
      { ...REQUEST, lifetime: bad },
      { ...REQUEST, body: { ...BODY, protocol: bad } },
      { ...REQUEST, body: { ...BODY, internalPort: bad } },
      { ...REQUEST, body: { ...BODY, externalPort: bad } },
      { ...REQUEST, body: { ...BODY, kind: "peer", remote: address("::"), remotePort: bad } },
      { ...REQUEST, body: { kind: "authentication", result: bad, sessionId: 0, sequence: 0 } },
      { ...REQUEST, body: { kind: "authentication", result: 0, sessionId: bad, sequence: 0 } },
      { ...RESPONSE, body: { kind: "authentication", sessionId: 0, sequence: bad } },
      { ...RESPONSE, result: bad },
      { ...RESPONSE, lifetime: bad },
      { ...RESPONSE, epoch: bad },
      { kind: "natpmp-map-request", protocol: "udp", internalPort: bad, externalPort: 0, lifetime: 0 },
      { kind: "natpmp-map-request", protocol: "udp", internalPort: 0, externalPort: bad, lifetime: 0 },
      { kind: "natpmp-map-request", protocol: "udp", internalPort: 0, externalPort: 0, lifetime: bad },
      { kind: "natpmp-address-response", result: bad, epoch: 0, external: address("0.0.0.0") },
      { kind: "natpmp-address-response", result: 0, epoch: bad, external: address("0.0.0.0") },
      { kind: "natpmp-version-error", opcode: 0, epoch: bad },
      { kind: "natpmp-version-error", opcode: bad, epoch: 0 },
      { kind: "natpmp-other-request", opcode: bad, bytes: new Uint8Array() },
      { kind: "natpmp-other-response", opcode: 3, result: bad, bytes: new Uint8Array() },
      { kind: "other-version", version: bad, response: false, opcode: 0, bytes: new Uint8Array() },
      { kind: "other-version", version: 1, response: false, opcode: bad, bytes: new Uint8Array() },
    ]
    for (const packet of packets) assert.equal(errorOf(packet), "range", JSON.stringify(packet))
  }
  assert.equal(errorOf({ ...REQUEST, body: { ...BODY, internalPort: 65536 } }), "range")
  assert.equal(errorOf({ ...REQUEST, body: { ...BODY, protocol: 256 } }), "range")
})

test("options that no bytes can carry are an error", () => {
  const withOption = (option: PcpOption) => errorOf({ ...REQUEST, options: [option] })
  assert.equal(withOption({ kind: "FILTER", prefixLength: 256, remotePort: 0, remote: address("::") }), "range")
  assert.equal(withOption({ kind: "PORT_SET", size: 65536, firstInternalPort: 0, parity: false }), "range")
  assert.equal(withOption({ kind: "unknown", code: 256, data: new Uint8Array() }), "range")
  assert.equal(withOption({ kind: "DESCRIPTION", text: "half a pair: \ud83e" }), "text")
  assert.equal(withOption({ kind: "ID_INDICATOR", indicator: "\udd8a" }), "text")
  const prefix64 = {
    kind: "PREFIX64",
    prefix: new Uint8Array(9),
    suffix: new Uint8Array(3),
    ipv4Prefixes: undefined,
  } as const
  assert.equal(withOption(prefix64), "range")
  assert.equal(withOption({ ...prefix64, prefix: new Uint8Array(8) }), "range")
  const ipv6 = [{ length: 24, address: address("2001:db8::") }]
  assert.equal(
    withOption({ ...prefix64, prefix: new Uint8Array(8), suffix: new Uint8Array(4), ipv4Prefixes: ipv6 }),
    "range",
  )
  assert.equal(withOption({ kind: "DESCRIPTION", text: "x".repeat(1037) }), "too-long")
  assert.equal(withOption({ kind: "DESCRIPTION", text: "é".repeat(519) }), "too-long")
  assert.equal(encode({ ...REQUEST, options: [{ kind: "DESCRIPTION", text: "é".repeat(518) }] }).ok, true)
  assert.equal(withOption({ kind: "THIRD_PARTY_ID", id: new Uint8Array(100_000) }), "too-long")
})

test("parts that exclude each other are an error", () => {
  const opaque = { kind: "opaque", opcode: 1, bytes: new Uint8Array(36) } as const
  assert.equal(errorOf({ ...REQUEST, body: opaque }), "contradiction")
  assert.equal(errorOf({ ...RESPONSE, body: opaque }), "contradiction")
  assert.equal(errorOf({ ...RESPONSE, result: 1 }), "contradiction")
  assert.equal(errorOf({ ...RESPONSE, clientTail: new Uint8Array(12) }), "contradiction")
  assert.equal(errorOf({ ...RESPONSE, result: 3, clientTail: new Uint8Array(11) }), "range")
  const options: PcpOption[] = [{ kind: "PREFER_FAILURE" }]
  assert.equal(errorOf({ ...REQUEST, body: { ...opaque, opcode: 9 }, options }), "contradiction")
  assert.equal(
    errorOf({ kind: "other-version", version: 2, response: false, opcode: 0, bytes: new Uint8Array() }),
    "range",
  )
  assert.equal(errorOf({ kind: "natpmp-other-request", opcode: 2, bytes: new Uint8Array() }), "range")
  assert.equal(errorOf({ kind: "natpmp-address-response", result: 0, epoch: 0, external: address("::1") }), "range")
})

test("residue of another packet is an error", () => {
  const announce: Packet = { ...REQUEST, body: ANNOUNCE_BODY }
  const code = (kind: "reserved" | "padding" | "trailing" | "short", offset: number) => {
    const encoded = encodeWith(announce, [{ kind, offset, bytes: Uint8Array.of(1) }])
    return encoded.ok ? "bytes" : encoded.error.code
  }
  assert.equal(code("reserved", 24), "residue")
  assert.equal(code("trailing", 23), "residue")
  assert.equal(code("short", 25), "residue")
  assert.equal(code("reserved", 2), "bytes")
})

test("S-04 reserved octets are zero on transmission", () => {
  const noisy = MAP_REQUEST.with(2, 255).with(3, 255).with(37, 255).with(38, 255).with(39, 255)
  const parsed = parse(noisy)
  assert.ok(parsed.ok)
  const encoded = encode(parsed.packet)
  assert.ok(encoded.ok)
  assert.deepEqual(encoded.bytes, MAP_REQUEST)
})
