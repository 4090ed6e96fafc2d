import assert from "node:assert/strict"
import { test } from "node:test"
import type { Packet, ParseError } from "../../../core/wire/index.ts"
import { encode, encodeWith, opcodeOf, parse, versionName } from "../../../core/wire/index.ts"
import { hex, toHex } from "./hex.ts"
import {
  ANNOUNCE_REQUEST,
  address,
  isVector,
  MAP_REQUEST,
  MAP_RESPONSE,
  nonce,
  PEER_REQUEST,
  withOptions,
} from "./vectors.ts"

const errorOf = (bytes: Uint8Array): ParseError => {
  const parsed = parse(bytes)
  return parsed.ok ? assert.fail(`it parsed as ${parsed.packet.kind}`) : parsed.error
}

const packetOf = (bytes: Uint8Array): Packet => {
  const parsed = parse(bytes)
  return parsed.ok ? parsed.packet : assert.fail(parsed.error.text)
}

const comesBack = (bytes: Uint8Array): void => {
  const parsed = parse(bytes)
  assert.ok(parsed.ok)
  const encoded = encodeWith(parsed.packet, parsed.residue)
  assert.equal(encoded.ok && toHex(encoded.bytes), toHex(bytes))
}

test("a MAP request, field by field (RFC 6887 7.1, 11.1)", () => {
  assert.equal(MAP_REQUEST.length, 60)
  isVector(MAP_REQUEST, {
    kind: "pcp-request",
    lifetime: 7200,
    client: address("192.0.2.33"),
    body: {
      kind: "map",
      nonce: nonce("a1b2c3d4e5f60718293a4b5c"),
      protocol: 17,
      internalPort: 4242,
      externalPort: 40000,
      external: address("203.0.113.5"),
    },
    options: [],
  })
})

test("a MAP response (RFC 6887 7.2, 11.1; S-05: version 2, R bit, opcode of the request)", () => {
  isVector(MAP_RESPONSE, {
    kind: "pcp-response",
    result: 0,
    lifetime: 3600,
    epoch: 123456,
    clientTail: undefined,
    body: {
      kind: "map",
      nonce: nonce("a1b2c3d4e5f60718293a4b5c"),
      protocol: 17,
      internalPort: 4242,
      externalPort: 40001,
      external: address("203.0.113.5"),
    },
    options: [],
  })
})

test("a PEER request and its response (RFC 6887 12.1): unsigned 32-bit lifetime, IPv6", () => {
  assert.equal(PEER_REQUEST.length, 80)
  const body = {
    kind: "peer",
    nonce: nonce("000102030405060708090a0b"),
    protocol: 6,
    internalPort: 49153,
    externalPort: 0,
    external: address("::"),
    remotePort: 443,
    remote: address("2001:db8::50"),
  } as const
  isVector(PEER_REQUEST, {
    kind: "pcp-request",
    lifetime: 0xffffffff,
    client: address("2001:db8::1"),
    body,
    options: [],
  })
  const response = PEER_REQUEST.slice()
  response.set(hex("02 82 00 00  00 00 00 78  ff ff ff fe  00 00 00 00 00 00 00 00 00 00 00 00"))
  isVector(response, {
    kind: "pcp-response",
    result: 0,
    lifetime: 120,
    epoch: 0xfffffffe,
    clientTail: undefined,
    body,
    options: [],
  })
})

test("ANNOUNCE is the header alone (RFC 6887 14.1.1)", () => {
  isVector(ANNOUNCE_REQUEST, {
    kind: "pcp-request",
    lifetime: 0,
    client: address("192.0.2.33"),
    body: { kind: "announce" },
    options: [],
  })
  isVector(hex("02 80 00 00  00 00 00 00  00 00 00 07  00 00 00 00 00 00 00 00 00 00 00 00"), {
    kind: "pcp-response",
    result: 0,
    lifetime: 0,
    epoch: 7,
    clientTail: undefined,
    body: { kind: "announce" },
    options: [],
  })
})

test("AUTHENTICATION: a PA-Client message has its result code in octet 3 (RFC 7652 5.1, 5.2)", () => {
  const initiation = hex(`
    02 03 00 0e                                      | opcode 3; reserved; result INITIATION (14)
    00 00 00 00                                      | requested lifetime 0
    00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 21  | client 192.0.2.33
    00 00 00 00 00 00 00 00                          | session ID 0; sequence number 0
    04 00 00 04 de ad be ef                          | NONCE
  `)
  isVector(initiation, {
    kind: "pcp-request",
    lifetime: 0,
    client: address("192.0.2.33"),
    body: { kind: "authentication", result: 14, sessionId: 0, sequence: 0 },
    options: [{ kind: "NONCE", nonce: 0xdeadbeef }],
  })
  // A PA-Server message is an ordinary response; its results 17 and 22 are no errors, and the body is read with them all the same.
  isVector(
    hex("02 83 00 16  00 00 00 00  00 00 00 09  00 00 00 00 00 00 00 00 00 00 00 00  80 00 00 01  00 00 00 02"),
    {
      kind: "pcp-response",
      result: 22,
      lifetime: 0,
      epoch: 9,
      clientTail: undefined,
      body: { kind: "authentication", sessionId: 0x80000001, sequence: 2 },
      options: [],
    },
  )
})

test("the low reserved octet is a field for AUTHENTICATION alone (RFC 6887 7.1, RFC 7652 5.1)", () => {
  const request = MAP_REQUEST.with(3, 14)
  const parsed = parse(request)
  assert.ok(parsed.ok)
  assert.deepEqual(parsed.packet, packetOf(MAP_REQUEST))
  assert.deepEqual(parsed.residue, [{ kind: "reserved", offset: 2, bytes: Uint8Array.of(0, 14) }])
})

test("an opcode that nobody knows keeps its octets, options and all (RFC 6887 8.2, S-11)", () => {
  const bytes = Uint8Array.of(...ANNOUNCE_REQUEST, 1, 2, 3, 4).with(1, 96)
  isVector(bytes, {
    kind: "pcp-request",
    lifetime: 0,
    client: address("192.0.2.33"),
    body: { kind: "opaque", opcode: 96, bytes: Uint8Array.of(1, 2, 3, 4) },
    options: [],
  })
})

test("S-04 reserved octets are ignored, and come back", () => {
  const bytes = PEER_REQUEST.with(2, 1).with(37, 2).with(39, 3).with(62, 4).with(63, 5)
  const parsed = parse(bytes)
  assert.ok(parsed.ok)
  assert.deepEqual(parsed.packet, packetOf(PEER_REQUEST))
  assert.deepEqual(parsed.residue, [
    { kind: "reserved", offset: 2, bytes: Uint8Array.of(1, 0) },
    { kind: "reserved", offset: 37, bytes: Uint8Array.of(2, 0, 3) },
    { kind: "reserved", offset: 62, bytes: Uint8Array.of(4, 5) },
  ])
  comesBack(bytes)
  const response = MAP_RESPONSE.with(2, 0x80).with(12, 1).with(23, 2).with(38, 3)
  const read = parse(response)
  assert.ok(read.ok)
  assert.deepEqual(read.packet, packetOf(MAP_RESPONSE))
  assert.deepEqual(
    read.residue.map(({ offset }) => offset),
    [2, 12, 37],
  )
  comesBack(response)
})

test("S-06 an error response may carry the tail of the client address; it is a field there", () => {
  const bytes = MAP_RESPONSE.with(3, 3)
  bytes.set(MAP_REQUEST.subarray(12, 24), 12)
  const packet = packetOf(bytes)
  assert.ok(packet.kind === "pcp-response")
  assert.equal(toHex(packet.clientTail ?? new Uint8Array()), "000000000000ffffc0000221")
  const encoded = encode(packet)
  assert.equal(encoded.ok && toHex(encoded.bytes), toHex(bytes))
})

test("S-08 an error response copies any request: what cannot be read is an opaque body, not an error", () => {
  // 32 octets of a MAP request: cut in the nonce.
  const cut = MAP_RESPONSE.slice(0, 32).with(3, 3)
  const packet = packetOf(cut)
  assert.ok(packet.kind === "pcp-response" && packet.body.kind === "opaque")
  assert.equal(opcodeOf(packet.body), 1)
  assert.equal(toHex(packet.body.bytes), "a1b2c3d4e5f60718")
  comesBack(cut)
  // An option that runs past the end: fatal in a success response, a copy in an error.
  const overrun = Uint8Array.of(...MAP_RESPONSE, 3, 0, 0, 20)
  assert.equal(errorOf(overrun).code, "option-overrun")
  const error = packetOf(overrun.with(3, 6).with(38, 9))
  assert.ok(error.kind === "pcp-response" && error.body.kind === "opaque")
  comesBack(overrun.with(3, 6).with(38, 9))
  assert.equal(errorOf(MAP_RESPONSE.slice(0, 56)).code, "body-too-short")
})

test("an error response that can be read is read", () => {
  const packet = packetOf(MAP_RESPONSE.with(3, 8))
  assert.ok(packet.kind === "pcp-response" && packet.body.kind === "map")
  assert.equal(packet.result, 8)
  assert.equal(packet.body.internalPort, 4242)
})

test("S-21 UNSUPP_VERSION copies another version's request: never read as ours, and from 4 octets on", () => {
  const full = packetOf(MAP_RESPONSE.with(3, 1))
  assert.ok(full.kind === "pcp-response" && full.body.kind === "opaque")
  assert.equal(full.body.bytes.length, 36)

  // The answer of a PCP server to a NAT-PMP request of 2 octets, padded to 4 and no further.
  for (const short of [
    hex("02 80 00 01"),
    hex("02 80 00 01  00 00 07"),
    hex("02 80 00 01  00 00 07 08  00 00 00 2a"),
  ]) {
    const parsed = parse(short)
    assert.ok(parsed.ok && parsed.packet.kind === "pcp-response")
    assert.equal(parsed.packet.result, 1)
    assert.deepEqual(parsed.residue, [{ kind: "short", offset: short.length, bytes: new Uint8Array() }])
    comesBack(short)
  }
  const twelve = packetOf(hex("02 80 00 01  00 00 07 08  00 00 00 2a"))
  assert.ok(twelve.kind === "pcp-response")
  assert.deepEqual([twelve.lifetime, twelve.epoch], [1800, 42])
})

test("S-03 what a server drops or refuses for its length", () => {
  assert.deepEqual(errorOf(new Uint8Array()), {
    code: "too-short",
    offset: 0,
    clause: "RFC 6887 8.2",
    text: "fewer than 2 octets are no message",
    header: undefined,
  })
  assert.equal(errorOf(Uint8Array.of(2)).code, "too-short")
  const header = errorOf(MAP_REQUEST.slice(0, 23))
  assert.deepEqual([header.code, header.offset, header.clause], ["too-short", 23, "RFC 6887 8.2"])
  assert.deepEqual(header.header, { version: 2, response: false, opcode: 1, result: undefined })
  const map = errorOf(MAP_REQUEST.slice(0, 56))
  assert.deepEqual([map.code, map.offset, map.clause], ["body-too-short", 56, "RFC 6887 8.2"])
  assert.equal(errorOf(PEER_REQUEST.slice(0, 76)).code, "body-too-short")
  assert.equal(errorOf(Uint8Array.of(2, 3, ...new Uint8Array(26))).code, "body-too-short")
  // 1100 octets are allowed, 1104 are not.
  const filler = (length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    bytes.set(MAP_REQUEST)
    bytes.set([200, 0, (length - 64) >> 8, (length - 64) & 255], 60)
    return bytes
  }
  assert.ok(parse(filler(1100)).ok)
  const long = errorOf(filler(1104))
  assert.deepEqual([long.code, long.offset, long.clause], ["too-long", 1100, "RFC 6887 7"])
})

test("C-50 a response under 24 octets is none, unless it is UNSUPP_VERSION", () => {
  assert.equal(errorOf(hex("02 81 00")).clause, "RFC 6887 8.3")
  const error = errorOf(MAP_RESPONSE.slice(0, 20))
  assert.deepEqual([error.code, error.header], ["too-short", { version: 2, response: true, opcode: 1, result: 0 }])
})

test("one to three octets too many are kept as trailing: the length is no multiple of 4 (RFC 6887 8.2)", () => {
  const bytes = withOptions("00 01 02")
  const parsed = parse(bytes)
  assert.ok(parsed.ok)
  assert.deepEqual(parsed.packet, packetOf(MAP_REQUEST))
  assert.deepEqual(parsed.residue, [{ kind: "trailing", offset: 60, bytes: Uint8Array.of(0, 1, 2) }])
  comesBack(bytes)
})

test("versions other than 0 and 2 are recognised by their first two octets (RFC 6887 9)", () => {
  const draft = hex("01 81 00 01  00 00 07 08")
  isVector(draft, {
    kind: "other-version",
    version: 1,
    response: true,
    opcode: 1,
    bytes: hex("00 01  00 00 07 08"),
  })
  isVector(hex("ff 7f"), { kind: "other-version", version: 255, response: false, opcode: 127, bytes: new Uint8Array() })
  assert.equal(versionName(1), "PCP before RFC 6887 (drafts)")
  assert.deepEqual([versionName(0), versionName(2), versionName(3)], ["NAT-PMP", "PCP", "PCP version 3 (unknown)"])
})
