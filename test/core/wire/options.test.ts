import assert from "node:assert/strict"
import { test } from "node:test"
import type { PcpOption } from "../../../core/wire/index.ts"
import { encode, encodeWith, OptionCode, optionCodeOf, parse } from "../../../core/wire/index.ts"
import { hex, toHex } from "./hex.ts"
import { address, MAP_REQUEST, withOptions } from "./vectors.ts"

const optionsOf = (bytes: Uint8Array): readonly PcpOption[] => {
  const parsed = parse(bytes)
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.error.text)
  assert.ok(parsed.packet.kind === "pcp-request")
  return parsed.packet.options
}

/** The octets give this one option without residue, and the option gives the octets. */
const isOption = (octets: string, option: PcpOption): void => {
  const bytes = withOptions(octets)
  const parsed = parse(bytes)
  assert.ok(parsed.ok && parsed.packet.kind === "pcp-request")
  assert.deepEqual(parsed.packet.options, [option])
  assert.deepEqual(parsed.residue, [])
  const encoded = encode(parsed.packet)
  assert.equal(encoded.ok && toHex(encoded.bytes), toHex(bytes))
  assert.equal(optionCodeOf(option), bytes[60])
}

const isMalformed = (octets: string, clause: string): void => {
  const bytes = withOptions(octets)
  const [option] = optionsOf(bytes)
  assert.ok(option.kind === "malformed", option.kind)
  assert.equal(option.clause, clause)
  assert.equal(option.code, bytes[60])
  const parsed = parse(bytes)
  assert.ok(parsed.ok)
  const encoded = encodeWith(parsed.packet, parsed.residue)
  assert.equal(encoded.ok && toHex(encoded.bytes), toHex(bytes))
}

test("THIRD_PARTY, 1 (RFC 6887 13.1)", () => {
  isOption("01 00 00 10  20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 07", {
    kind: "THIRD_PARTY",
    internal: address("2001:db8::7"),
  })
  isMalformed("01 00 00 04  c0 00 02 01", "RFC 6887 13.1")
})

test("PREFER_FAILURE, 2 (RFC 6887 13.2): length 0 is legal", () => {
  isOption("02 00 00 00", { kind: "PREFER_FAILURE" })
  isMalformed("02 00 00 01  00 00 00 00", "RFC 6887 13.2")
})

test("FILTER, 3 (RFC 6887 13.3)", () => {
  isOption("03 00 00 14  00 78 01 bb  00 00 00 00 00 00 00 00 00 00 ff ff c6 33 64 00", {
    kind: "FILTER",
    prefixLength: 120,
    remotePort: 443,
    remote: address("198.51.100.0"),
  })
  isMalformed("03 00 00 10  00 78 01 bb  00 00 00 00 00 00 00 00 00 00 ff ff", "RFC 6887 13.3")
})

test("the authentication options, 4 to 12 (RFC 7652 5.3 to 5.11)", () => {
  isOption("04 00 00 04  ff ff ff fe", { kind: "NONCE", nonce: 0xfffffffe })
  isMalformed("04 00 00 05  00 00 00 00 00 00 00 00", "RFC 7652 5.3")
  isOption("05 00 00 10  00 00 00 01 00 00 00 02 00 00 00 03  de ad be ef", {
    kind: "AUTHENTICATION_TAG",
    sessionId: 1,
    sequence: 2,
    keyId: 3,
    data: hex("de ad be ef"),
  })
  isMalformed("05 00 00 08  00 00 00 01 00 00 00 02", "RFC 7652 5.4")
  isOption("06 00 00 08  00 00 00 03  de ad be ef", {
    kind: "PA_AUTHENTICATION_TAG",
    keyId: 3,
    data: hex("de ad be ef"),
  })
  isMalformed("06 00 00 02  00 00 00 00", "RFC 7652 5.5")
  // An EAP request for the identity: code 1, identifier 0x2a, length 5, type 1 (RFC 3748 sections 4 and 5.1).
  isOption("07 00 00 05  01 2a 00 05 01 00 00 00", { kind: "EAP_PAYLOAD", message: hex("01 2a 00 05 01") })
  isOption("08 00 00 04  00 00 00 05", { kind: "PRF", transform: 5 })
  isMalformed("08 00 00 00", "RFC 7652 5.7")
  isOption("09 00 00 04  00 00 00 0c", { kind: "MAC_ALGORITHM", transform: 12 })
  isMalformed("09 00 00 00", "RFC 7652 5.8")
  isOption("0a 00 00 04  00 00 0e 10", { kind: "SESSION_LIFETIME", lifetime: 3600 })
  isMalformed("0a 00 00 00", "RFC 7652 5.9")
  isOption("0b 00 00 04  80 00 00 00", { kind: "RECEIVED_PAK", sequence: 0x80000000 })
  isMalformed("0b 00 00 00", "RFC 7652 5.10")
  isOption("0c 00 00 06  c3 a9 74 c3 a9 21 00 00", { kind: "ID_INDICATOR", indicator: "été!" })
  isMalformed("0c 00 00 01  ff 00 00 00", "RFC 7652 5.11")
})

test("THIRD_PARTY_ID, 13 (RFC 7843 4)", () => {
  isOption("0d 00 00 03  00 12 34 00", { kind: "THIRD_PARTY_ID", id: hex("00 12 34") })
})

test("DESCRIPTION, 128 (RFC 7220 2): UTF-8, a NUL is text like any other, empty erases", () => {
  isOption("80 00 00 07  46 54 50 20 f0 9f a6 00", {
    kind: "malformed",
    code: 128,
    data: hex("46 54 50 20 f0 9f a6"),
    clause: "RFC 7220 2",
    problem: "the description is not UTF-8",
  })
  isOption("80 00 00 08  46 54 50 20 f0 9f a6 8a", { kind: "DESCRIPTION", text: "FTP 🦊" })
  isOption("80 00 00 03  61 00 62 00", { kind: "DESCRIPTION", text: "a\0b" })
  isOption("80 00 00 04  ef bb bf 61", { kind: "DESCRIPTION", text: "\ufeffa" })
  isOption("80 00 00 00", { kind: "DESCRIPTION", text: "" })
  // An overlong form and a surrogate are no UTF-8 (RFC 3629 section 3).
  isMalformed("80 00 00 02  c0 80 00 00", "RFC 7220 2")
  isMalformed("80 00 00 03  ed a0 80 00", "RFC 7220 2")
})

test("PREFIX64, 129 (RFC 7225 4.1)", () => {
  // 64:ff9b::/96, as every server without a prefix of its own has it, and no list.
  isOption("81 00 00 0e  00 0c  00 64 ff 9b 00 00 00 00 00 00 00 00  00 00", {
    kind: "PREFIX64",
    prefix: hex("00 64 ff 9b 00 00 00 00 00 00 00 00"),
    suffix: new Uint8Array(),
    ipv4Prefixes: undefined,
  })
  // 2001:db8:122:300::/56 with a suffix of five octets, for 192.0.2.0/24 and 198.51.100.0/24.
  isOption("81 00 00 1c  00 07  20 01 0d b8 01 22 03  01 02 03 04 05  00 02  00 18 c0 00 02 00  00 18 c6 33 64 00", {
    kind: "PREFIX64",
    prefix: hex("20 01 0d b8 01 22 03"),
    suffix: hex("01 02 03 04 05"),
    ipv4Prefixes: [
      { length: 24, address: address("192.0.2.0") },
      { length: 24, address: address("198.51.100.0") },
    ],
  })
  // A list with nothing in it is not the same as no list.
  isOption("81 00 00 10  00 0c  00 64 ff 9b 00 00 00 00 00 00 00 00  00 00", {
    kind: "PREFIX64",
    prefix: hex("00 64 ff 9b 00 00 00 00 00 00 00 00"),
    suffix: new Uint8Array(),
    ipv4Prefixes: [],
  })
  for (const length of ["00 03", "00 09", "00 0d", "01 04"]) {
    isMalformed(`81 00 00 0e  ${length}  00 64 ff 9b 00 00 00 00 00 00 00 00  00 00`, "RFC 7225 4.1")
  }
  isMalformed("81 00 00 08  00 04 00 64 ff 9b 00 00", "RFC 7225 4.1")
  // Counts one IPv4 prefix more than there is.
  isMalformed(
    "81 00 00 16  00 0c  00 64 ff 9b 00 00 00 00 00 00 00 00  00 02  00 18 c0 00 02 00  00 00",
    "RFC 7225 4.1",
  )
})

test("PORT_SET, 130 (RFC 7753 4): 5 octets and 3 of padding; the reserved bits beside P are residue", () => {
  // Section 5.1: 100 ports from 50000.
  isOption("82 00 00 05  00 64 c3 50 00 00 00 00", {
    kind: "PORT_SET",
    size: 100,
    firstInternalPort: 50000,
    parity: false,
  })
  const bytes = withOptions("82 00 00 05  ff ff 00 01 83 00 00 00")
  const parsed = parse(bytes)
  assert.ok(parsed.ok && parsed.packet.kind === "pcp-request")
  assert.deepEqual(parsed.packet.options, [{ kind: "PORT_SET", size: 65535, firstInternalPort: 1, parity: true }])
  assert.deepEqual(parsed.residue, [{ kind: "reserved", offset: 68, bytes: Uint8Array.of(0x82) }])
  const encoded = encodeWith(parsed.packet, parsed.residue)
  assert.equal(encoded.ok && toHex(encoded.bytes), toHex(bytes))
  isMalformed("82 00 00 08  00 64 c3 50 00 00 00 00", "RFC 7753 4")
})

test("an option that nobody knows keeps its octets", () => {
  isOption("c8 00 00 02  01 02 00 00", { kind: "unknown", code: 200, data: hex("01 02") })
  isOption("00 00 00 00", { kind: "unknown", code: 0, data: new Uint8Array() })
})

test("S-30 options keep the order of the packet", () => {
  const options = optionsOf(withOptions("02 00 00 00  c8 00 00 00  02 00 00 00  80 00 00 00"))
  assert.deepEqual(options.map(optionCodeOf), [2, 200, 2, 128])
})

test("reserved octets and padding of options are residue; a missing padding too", () => {
  const bytes = withOptions(
    "80 07 00 02  61 62 01 02  03 00 00 14  09 00 00 00  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  80 00 00 01 61 00",
  )
  const parsed = parse(bytes)
  assert.ok(parsed.ok)
  assert.deepEqual(parsed.residue, [
    { kind: "reserved", offset: 61, bytes: Uint8Array.of(7) },
    { kind: "padding", offset: 66, bytes: Uint8Array.of(1, 2) },
    { kind: "reserved", offset: 72, bytes: Uint8Array.of(9) },
    { kind: "short", offset: 98, bytes: new Uint8Array() },
  ])
  const encoded = encodeWith(parsed.packet, parsed.residue)
  assert.equal(encoded.ok && toHex(encoded.bytes), toHex(bytes))
})

test("S-31 an option whose data run past the end is no option", () => {
  for (const [octets, offset] of [
    ["03 00 00 14  00 00 00 00", 60],
    ["02 00 00 00  80 00 ff ff", 64],
    ["80 00 00 05  00 00 00 00", 60],
  ] as const) {
    const parsed = parse(withOptions(octets))
    assert.ok(!parsed.ok)
    assert.equal(parsed.error.code, "option-overrun")
    assert.equal(parsed.error.offset, offset)
    assert.equal(parsed.error.clause, "RFC 6887 7.3")
  }
})

test("43 FILTERs fill a packet to 1092 octets; one more has no bytes", () => {
  const filter: PcpOption = { kind: "FILTER", prefixLength: 128, remotePort: 0, remote: address("2001:db8::1") }
  const parsed = parse(MAP_REQUEST)
  assert.ok(parsed.ok && parsed.packet.kind === "pcp-request")
  const full = encode({ ...parsed.packet, options: Array<PcpOption>(43).fill(filter) })
  assert.equal(full.ok && full.bytes.length, 1092)
  const over = encode({ ...parsed.packet, options: Array<PcpOption>(44).fill(filter) })
  assert.equal(!over.ok && over.error.code, "too-long")
})

test("the sixteen options are decoded by the names of the registry", () => {
  assert.equal(Object.keys(OptionCode).length, 16)
})
