import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { Finding, Packet, WireProfile } from "../../../core/wire/index.ts"
import { ANY_PROFILE, encode, NAT44_PROFILE, Opcode, parse, validate } from "../../../core/wire/index.ts"
import { anyBytes, packet as anyPacket } from "./arbitrary.ts"
import { hex } from "./hex.ts"
import { ANNOUNCE_REQUEST, address, MAP_REQUEST, MAP_RESPONSE, PEER_REQUEST, withOptions } from "./vectors.ts"

/** One line a finding: severity, code, offset, clause. */
const lines = (findings: readonly Finding[]): string[] =>
  findings.map(({ severity, code, offset, clause }) => `${severity} ${code} @${offset} ${clause}`)

/** `bytes` with some octets at an offset replaced. */
const patch = (bytes: Uint8Array, offset: number, octets: string): Uint8Array => {
  const copy = bytes.slice()
  copy.set(hex(octets), offset)
  return copy
}

const finds = (bytes: Uint8Array, expected: readonly string[], profile?: Partial<WireProfile>): void => {
  assert.deepEqual(lines(validate(bytes, { ...ANY_PROFILE, ...profile })), expected)
}

const and = (bytes: Uint8Array, options: string): Uint8Array => Uint8Array.of(...bytes, ...hex(options))

const NO_SUGGESTION = "00 00  00 00 00 00 00 00 00 00 00 00 ff ff 00 00 00 00"
const ASK = patch(MAP_REQUEST, 42, NO_SUGGESTION)
const DELETE = patch(ASK, 4, "00 00 00 00")
const PEER = patch(PEER_REQUEST, 4, "00 00 0e 10")
const FILTER = "03 00 00 14  00 78 01 bb  00 00 00 00 00 00 00 00 00 00 ff ff c6 33 64 00"
const THIRD_PARTY = "01 00 00 10  00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 07"
const PORT_SET = "82 00 00 05  00 64 10 92 00 00 00 00"
const SAMPLES = { MAP_REQUEST, MAP_RESPONSE, ASK, DELETE, PEER, ANNOUNCE_REQUEST }

test("messages without fault have no findings", () => {
  for (const [name, bytes] of Object.entries(SAMPLES)) {
    assert.deepEqual(validate(bytes), [], name)
    if (name !== "PEER") assert.deepEqual(validate(bytes, NAT44_PROFILE), [], name)
  }
  for (const octets of ["00 00", "00 01 00 00 10 92 9c 40 00 00 1c 20", "00 00 00 01 00 00 00 64"]) {
    assert.deepEqual(validate(hex(octets)), [], octets)
  }
  assert.deepEqual(validate(withOptions(`${FILTER} ${THIRD_PARTY} 80 00 00 03 46 54 50 00`)), [])
  assert.deepEqual(validate(and(ASK, PORT_SET)), [])
})

test("what cannot be read is a finding with the place and clause of the parse error", () => {
  finds(new Uint8Array(), ["error too-short @0 RFC 6887 8.2"])
  finds(MAP_REQUEST.slice(0, 40), ["error body-too-short @40 RFC 6887 8.2"])
  finds(withOptions("03 00 00 14"), ["error option-overrun @60 RFC 6887 7.3"])
  finds(Uint8Array.of(...MAP_REQUEST, 200, 0, 4, 20, ...new Uint8Array(1044)), ["error too-long @1100 RFC 6887 7"])
  finds(hex("00 01 00 00"), ["error body-too-short @4 RFC 6886 3.3"])
})

test("it takes bytes, what parse gave, or a packet about to be sent", () => {
  const parsed = parse(MAP_REQUEST.with(2, 1).with(36, 0))
  assert.ok(parsed.ok)
  const expected = ["warning reserved-nonzero @2 RFC 6887 7.1", "error protocol-0-port @40 RFC 6887 11.3"]
  assert.deepEqual(lines(validate(parsed)), expected)
  assert.deepEqual(lines(validate(parsed.packet)), expected.slice(1))
})

test("reserved octets, padding and length", () => {
  finds(withOptions("80 09 00 02 61 62 00 01").with(3, 1).with(38, 1), [
    "warning reserved-nonzero @2 RFC 6887 7.1",
    "warning reserved-nonzero @37 RFC 6887 11.1",
    "warning reserved-nonzero @61 RFC 6887 7.3",
    "warning padding-nonzero @66 RFC 6887 7.3",
  ])
  finds(PEER.with(63, 1), ["warning reserved-nonzero @62 RFC 6887 12.1"])
  finds(MAP_RESPONSE.with(2, 1).with(20, 1), [
    "warning reserved-nonzero @2 RFC 6887 7.2",
    "warning reserved-nonzero @12 RFC 6887 7.2",
  ])
  finds(withOptions("00"), ["error length-multiple-of-4 @60 RFC 6887 8.2"])
  finds(withOptions("80 00 00 01 61"), ["error length-multiple-of-4 @65 RFC 6887 8.2"])
  // The copy in an error response is the client's fault, the header is the server's.
  finds(MAP_RESPONSE.with(3, 8).with(2, 1).with(37, 1), [
    "warning reserved-nonzero @2 RFC 6887 7.2",
    "note reserved-nonzero @37 RFC 6887 11.1",
  ])
})

test("version and direction", () => {
  finds(hex("01 01"), ["error version-1 @0 RFC 6886 1.1"])
  finds(hex("03 01"), ["error version-unknown @0 RFC 6887 9"])
  finds(MAP_RESPONSE, ["error role @1 RFC 6887 8.2"], { role: "request" })
  finds(MAP_REQUEST, ["error role @1 RFC 6887 8.3"], { role: "response" })
  finds(hex("00 80 00 00 00 00 00 01 c0 00 02 01"), ["error role @1 RFC 6886 3.5"], { role: "request" })
  // The version error has its R bit clear and is a response all the same.
  finds(hex("00 00 00 01 00 00 00 01"), [], { role: "response" })
  finds(hex("02 80 00 01"), ["warning version-error-short @4 RFC 6887 8.3"])
})

test("opcodes", () => {
  finds(ANNOUNCE_REQUEST.with(1, 77), ["warning opcode-unknown @1 RFC 6887 19.2"])
  finds(PEER, ["error opcode-disabled @1 RFC 6887 8.2"], { opcodes: [Opcode.MAP] })
  finds(patch(ANNOUNCE_REQUEST, 4, "00 00 00 01"), ["warning announce-lifetime @4 RFC 6887 14.1.2"])
})

test("the client's address (ADDRESS_MISMATCH, family, mapped form)", () => {
  finds(MAP_REQUEST, ["error address-mismatch @8 RFC 6887 8.2"], { source: address("192.0.2.34") })
  finds(MAP_REQUEST, [], { source: address("192.0.2.33") })
  finds(MAP_REQUEST, ["error client-family @8 RFC 6887 10"], { clientFamily: "ipv6" })
  finds(patch(ANNOUNCE_REQUEST, 20, "00 00 00 00"), ["error client-address @8 RFC 6887 7.1"])
  finds(patch(ANNOUNCE_REQUEST, 20, "e0 00 00 01"), ["error client-address @8 RFC 6887 7.1"])
  // B-01: IPv4 without its ffff.
  finds(patch(ANNOUNCE_REQUEST, 18, "00 00"), ["warning ipv4-compatible @8 RFC 6887 5"])
})

test("nonces (C-03)", () => {
  finds(patch(MAP_REQUEST, 24, "00 00 00 00 00 00 00 00 00 00 00 00"), ["warning nonce-zero @24 RFC 6887 11.2"])
  finds(patch(MAP_REQUEST, 24, "00 00 00 00 00 00 00 00 00 00 00 01"), ["warning nonce-weak @24 RFC 6887 11.2"])
  finds(patch(PEER, 24, "aa aa aa aa aa aa aa aa aa aa aa aa"), ["warning nonce-weak @24 RFC 6887 12.2"])
})

test("protocols and ports of MAP (S-43)", () => {
  finds(ASK.with(36, 0), ["error protocol-0-port @40 RFC 6887 11.3"])
  // Section 5.2 of RFC 7753 does just this.
  finds(and(ASK.with(36, 0), PORT_SET), ["warning protocol-0-port @40 RFC 6887 11.3"])
  const allPorts = patch(ASK, 40, "00 00")
  finds(allPorts, ["note all-ports @40 RFC 6887 11.3"])
  finds(allPorts, ["error all-ports @40 RFC 6887 11.3"], { port0: false })
  finds(allPorts.with(36, 0), ["note all-protocols @36 RFC 6887 11.3"])
  finds(allPorts.with(36, 0), ["error all-protocols @36 RFC 6887 11.3"], { protocol0: false })
  finds(ASK.with(36, 47), ["warning port-without-ports @40 RFC 6887 11.1"])
  finds(allPorts.with(36, 47), [])
  finds(ASK.with(36, 132), ["error protocol @36 RFC 6887 11.3"], { otherProtocols: false })
  // A deletion of all ports is legal everywhere (S-132).
  finds(patch(DELETE, 40, "00 00"), [], { port0: false })
})

test("lifetimes (S-130, C-131)", () => {
  finds(patch(ASK, 4, "00 00 00 77"), ["note lifetime-below @4 RFC 6887 15"])
  finds(patch(ASK, 4, "00 01 51 81"), ["note lifetime-above @4 RFC 6887 15"])
  finds(patch(ASK, 4, "00 00 02 59"), ["note lifetime-above @4 RFC 6887 15"], { maxLifetime: 600 })
  finds(patch(MAP_RESPONSE, 4, "00 36 ee 80"), ["warning lifetime-above @4 RFC 6887 15"])
  finds(patch(MAP_RESPONSE, 4, "ff ff ff ff"), ["note lifetime-static @4 RFC 6887 11.3"])
  finds(patch(MAP_RESPONSE.with(3, 8), 4, "ff ff ff ff"), ["warning error-lifetime @4 RFC 6887 8.3"])
  finds(patch(MAP_RESPONSE.with(3, 8), 4, "00 00 00 00"), ["note error-lifetime-zero @4 RFC 6887 7.4"])
})

test("a deletion suggests nothing (C-132)", () => {
  finds(patch(MAP_REQUEST, 4, "00 00 00 00"), [
    "warning delete-suggestion @42 RFC 6887 15.1",
    "warning delete-suggestion @44 RFC 6887 15.1",
  ])
})

test("the zero address has the family of the external side (C-04)", () => {
  const zero6 = patch(ASK, 44, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")
  finds(zero6, ["note zero-form @44 RFC 6887 5"])
  finds(zero6, ["warning zero-form @44 RFC 6887 5"], { externalFamily: "ipv4" })
  finds(zero6, [], { externalFamily: "ipv6" })
  finds(PEER, ["warning zero-form @44 RFC 6887 5"], { externalFamily: "ipv4" })
})

test("suggestions that cannot be met (S-48, S-49)", () => {
  finds(MAP_REQUEST, ["warning external-family @44 RFC 6887 11.1"], { externalFamily: "ipv6" })
  finds(patch(MAP_REQUEST, 56, "7f 00 00 01"), ["warning external-address @44 RFC 6887 11.1"])
  finds(patch(MAP_REQUEST, 56, "e0 00 00 fb"), ["warning external-address @44 RFC 6887 11.1"])
  finds(patch(MAP_REQUEST, 42, "14 e7"), ["note external-port @42 RFC 6887 11.3"])
  finds(patch(MAP_REQUEST, 42, "14 e7").with(36, 6), [])
  finds(patch(MAP_REQUEST, 54, "00 00"), ["warning ipv4-compatible @44 RFC 6887 5"])
})

test("what a success response assigns (S-49)", () => {
  finds(patch(MAP_RESPONSE, 42, "00 00"), ["error assigned-port @42 RFC 6887 11.1"])
  finds(patch(MAP_RESPONSE, 42, "14 e6"), ["error assigned-port @42 RFC 6887 11.3"])
  finds(patch(MAP_RESPONSE, 56, "00 00 00 00"), ["error assigned-address @44 RFC 6887 11.1"])
  finds(MAP_RESPONSE, ["error external-family @44 RFC 6887 11.1"], { externalFamily: "ipv6" })
  // An error copies the suggestion, a deletion answers with it (S-133).
  finds(patch(MAP_RESPONSE.with(3, 8), 42, NO_SUGGESTION), [])
  finds(patch(patch(MAP_RESPONSE, 42, NO_SUGGESTION), 4, "00 00 00 00"), [])
})

test("PEER (S-61, S-63, S-69)", () => {
  finds(PEER.with(36, 0), ["error peer-protocol-0 @36 RFC 6887 12.1"])
  finds(patch(PEER, 40, "00 00"), ["error peer-port-0 @40 RFC 6887 12.1"])
  finds(patch(PEER, 60, "00 00"), ["error peer-port-0 @60 RFC 6887 12.1"])
  finds(patch(PEER, 64, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), ["error remote-address @64 RFC 6887 12.3"])
  finds(patch(PEER, 64, "ff 02"), ["error remote-address @64 RFC 6887 12.3"])
  const ipv4Peer = patch(PEER, 64, "00 00 00 00 00 00 00 00 00 00 ff ff c6 33 64 01")
  finds(ipv4Peer, ["warning remote-family @64 RFC 6887 10"])
  finds(ipv4Peer, ["error remote-family @64 RFC 6887 10"], { remoteFamily: "ipv6" })
  finds(patch(PEER, 4, "00 00 00 00"), ["warning peer-delete @4 RFC 6887 12.1"])
  // S-67
  finds(and(PEER, "02 00 00 00"), ["error option-opcode @80 RFC 6887 12.1"])
})

test("result codes for the requests they are for (RFC 6887 7.4)", () => {
  finds(MAP_RESPONSE.with(3, 11), ["error result-scope @3 RFC 6887 7.4"])
  finds(MAP_RESPONSE.with(3, 11).with(36, 132), [])
  finds(and(MAP_RESPONSE.with(3, 11), "02 00 00 00"), [])
  finds(MAP_RESPONSE.with(3, 13), ["error result-scope @3 RFC 6887 7.4"])
  finds(and(MAP_RESPONSE.with(3, 13), FILTER), [])
  finds(MAP_RESPONSE.with(3, 27), ["warning result-unknown @3 RFC 6887 19.3"])
})

test("an error response with a cut copy (S-08)", () => {
  finds(MAP_RESPONSE.slice(0, 32).with(3, 8), ["warning error-copy @24 RFC 6887 7.3"])
  finds(MAP_RESPONSE.slice(0, 32).with(3, 3), ["note error-copy @24 RFC 6887 7.3"])
})

test("options: opcode, direction, occurrence, codes (S-32, S-33, S-35)", () => {
  finds(and(PEER, FILTER), ["error option-opcode @80 RFC 6887 13.3"])
  finds(and(ANNOUNCE_REQUEST, THIRD_PARTY), ["error option-opcode @24 RFC 6887 13.1"])
  finds(and(PEER, "82 00 00 05 00 64 c0 01 00 00 00 00"), ["warning option-opcode @80 RFC 7753 4"])
  finds(withOptions("04 00 00 04 00 00 00 01"), ["error option-opcode @60 RFC 7652 7.1"])
  finds(withOptions("0a 00 00 04 00 00 00 01"), [
    "error option-opcode @60 RFC 7652 7.7",
    "error option-direction @60 RFC 7652 7.7",
  ])
  finds(withOptions(`${THIRD_PARTY} ${THIRD_PARTY}`), ["error option-repeated @80 RFC 6887 13.1"])
  finds(withOptions("02 00 00 00 02 00 00 00 02 00 00 00"), [
    "error option-repeated @64 RFC 6887 13.2",
    "error option-repeated @68 RFC 6887 13.2",
  ])
  finds(withOptions(`${FILTER} ${FILTER}`), [])
  finds(withOptions("80 00 00 00 80 00 00 00"), ["error option-repeated @64 RFC 7220 2"])
  finds(and(ASK, `${PORT_SET} ${PORT_SET}`), ["error option-repeated @72 RFC 7753 4"])
  finds(withOptions("60 00 00 00 c8 00 00 00"), [
    "warning option-unknown @60 RFC 6887 7.3",
    "note option-unknown @64 RFC 6887 7.3",
  ])
  finds(and(MAP_RESPONSE, "60 00 00 00"), ["note option-unknown @60 RFC 6887 7.3"])
  finds(withOptions("ff 00 00 00"), [
    "warning option-reserved @60 RFC 6887 19.4",
    "note option-unknown @60 RFC 6887 7.3",
  ])
  finds(withOptions("01 00 00 04 c0 00 02 07"), ["error option-malformed @60 RFC 6887 13.1"])
  finds(withOptions(FILTER), ["error option-disabled @60 RFC 6887 7.3"], { options: [1, 128] })
  finds(withOptions("80 00 00 00"), ["note option-disabled @60 RFC 6887 7.3"], { options: [1] })
  // The copy in an error response is the client's.
  finds(and(MAP_RESPONSE.with(3, 6), "02 00 00 00 02 00 00 00"), [])
})

test("THIRD_PARTY (S-100) and THIRD_PARTY_ID (RFC 7843 5.2)", () => {
  const self = "01 00 00 10  00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 21"
  finds(withOptions(self), ["error third-party-self @64 RFC 6887 13.1"])
  // The packet's own source counts, where it is known.
  finds(
    withOptions(THIRD_PARTY),
    ["error address-mismatch @8 RFC 6887 8.2", "error third-party-self @64 RFC 6887 13.1"],
    {
      source: address("192.0.2.7"),
    },
  )
  finds(withOptions(THIRD_PARTY), ["error internal-family @64 RFC 6887 10"], { internalFamily: "ipv6" })
  finds(withOptions(THIRD_PARTY.replace("c0 00 02 07", "e0 00 00 01")), ["error third-party-address @64 RFC 6887 13.1"])
  finds(withOptions(THIRD_PARTY.replace("c0 00 02 07", "00 00 00 00")), ["note third-party-zero @64 RFC 6887 13.1"])
  finds(withOptions("0d 00 00 01 07 00 00 00"), ["error third-party-missing @60 RFC 7843 5.2"])
  finds(withOptions(`0d 00 00 01 07 00 00 00 ${THIRD_PARTY}`), [])
  finds(withOptions(`0d 00 00 00 ${THIRD_PARTY}`), ["warning third-party-id-empty @62 RFC 7843 4"])
})

test("PREFER_FAILURE (S-34, S-110)", () => {
  finds(withOptions("02 00 00 00"), [])
  finds(and(ASK, "02 00 00 00"), ["error prefer-failure-port @60 RFC 6887 13.2"])
  finds(and(DELETE, "02 00 00 00"), ["error prefer-failure-delete @60 RFC 6887 11.3"])
  finds(and(patch(ASK, 42, "9c 40"), "02 00 00 00"), ["note prefer-failure-address @60 RFC 6887 13.2"])
})

test("FILTER: prefix ranges (S-121, S-122), deletion (S-123), order", () => {
  const filter = (prefix: string, remote: string) => `03 00 00 14  00 ${prefix} 00 00  ${remote}`
  const ipv4 = "00 00 00 00 00 00 00 00 00 00 ff ff c6 33 64 00"
  const ipv6 = "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 00"
  for (const [prefix, remote, expected] of [
    ["60", ipv4, ["note filter-host-bits @68 RFC 6887 13.3"]],
    ["80", ipv4, []],
    ["78", ipv4, []],
    ["5f", ipv4, ["error filter-prefix @65 RFC 6887 13.3"]],
    ["01", ipv4, ["error filter-prefix @65 RFC 6887 13.3"]],
    ["81", ipv4, ["error filter-prefix @65 RFC 6887 13.3"]],
    ["20", ipv6, []],
    ["1c", ipv6, ["note filter-host-bits @68 RFC 6887 13.3"]],
    ["01", ipv6, ["note filter-host-bits @68 RFC 6887 13.3"]],
    ["80", ipv6, []],
    ["81", ipv6, ["error filter-prefix @65 RFC 6887 13.3"]],
    // Prefix length 0 removes all filters, whatever the address.
    ["00", ipv4, ["note filter-clear @60 RFC 6887 13.3"]],
    ["00", ipv6, ["note filter-clear @60 RFC 6887 13.3"]],
  ] as const) {
    finds(withOptions(filter(prefix, remote)), expected)
  }
  finds(and(DELETE, FILTER), ["error filter-delete @60 RFC 6887 13.3"])
  finds(withOptions(`${FILTER} ${filter("00", ipv4)}`), ["warning filter-order @84 RFC 6887 13.3"])
  finds(withOptions(`${filter("00", ipv4)} ${FILTER}`), ["note filter-clear @60 RFC 6887 13.3"])
  finds(withOptions(filter("80", ipv6)), ["error remote-family @68 RFC 6887 10"], { remoteFamily: "ipv4" })
})

test("DESCRIPTION (RFC 7220)", () => {
  finds(withOptions("80 00 00 02 ff fe 00 00"), ["error option-malformed @60 RFC 7220 2"])
  finds(withOptions("80 00 00 02 61 00 00 00"), ["error text-nul @64 RFC 7220 2"])
  finds(withOptions("80 00 00 03 61 00 62 00"), ["warning text-nul @64 RFC 7220 2"])
  finds(withOptions(`80 00 00 84 ${"61".repeat(132)}`), ["note description-long @62 RFC 7220 3"])
  finds(withOptions(`80 00 03 fc ${"61".repeat(1020)}`), [
    "error option-length @62 RFC 7220 2",
    "note description-long @62 RFC 7220 3",
  ])
})

test("PREFIX64 (RFC 7225)", () => {
  const wellKnown = "00 0c  00 64 ff 9b 00 00 00 00 00 00 00 00"
  const asked = "81 00 00 0e  00 0c  00 00 00 00 00 00 00 00 00 00 00 00 00 00"
  finds(withOptions(asked), [])
  finds(withOptions(`81 00 00 0e ${wellKnown} 00 00`), ["error prefix64-request @64 RFC 7225 4.3"])
  finds(withOptions(`81 00 00 16 00 0c 00 00 00 00 00 00 00 00 00 00 00 00  00 01 00 18 c0 00 02 00 00 00`), [
    "error prefix64-list @78 RFC 7225 4.1",
  ])
  finds(withOptions(`${asked} ${asked}`), ["error option-repeated @80 RFC 7225 4.1"])
  finds(and(MAP_RESPONSE, `81 00 00 0e ${wellKnown} 00 00 81 00 00 0e ${wellKnown} 00 00`), [])
  finds(and(MAP_RESPONSE, asked), ["error prefix64-empty @64 RFC 7225 4.2"])
  finds(and(MAP_RESPONSE, "81 00 00 0e 00 0c 20 01 0d b8 00 00 00 00 01 00 00 00 00 00"), [
    "error prefix64-u @74 RFC 6052 2.2",
  ])
  finds(and(MAP_RESPONSE, `81 00 00 1c ${wellKnown} 00 02  00 21 c0 00 02 00  00 17 c0 00 03 00`), [
    "error prefix64-ipv4 @80 RFC 7225 4.1",
    "warning prefix64-ipv4 @88 RFC 4632 3.1",
  ])
  finds(and(MAP_RESPONSE, "81 00 00 02 00 0c 00 00"), ["error option-malformed @60 RFC 7225 4.1"])
})

test("PORT_SET (RFC 7753)", () => {
  const set = (size: string, first: string) => `82 00 00 05 ${size} ${first} 00 00 00 00`
  finds(and(ASK, set("00 00", "10 92")), ["error port-set-size @64 RFC 7753 4.2"])
  finds(and(DELETE, set("00 00", "10 92")), ["warning port-set-size @64 RFC 7753 4.2"])
  finds(and(ASK, set("00 01", "10 92")), ["warning port-set-size @64 RFC 7753 4.1"])
  finds(and(ASK, set("ff fe", "10 92")), ["warning port-set-range @64 RFC 7753 4"])
  finds(and(ASK, set("ff ff", "10 92")), [])
  finds(and(ASK, set("00 02", "10 93")), ["error port-set-first @66 RFC 7753 4"])
  finds(and(MAP_REQUEST, `${PORT_SET} 02 00 00 00`), ["error port-set-prefer-failure @60 RFC 7753 4.2"])
  finds(and(MAP_RESPONSE, set("00 01", "10 92")), ["error port-set-size @64 RFC 7753 4.2"])
  // The set of a response may begin elsewhere.
  finds(and(MAP_RESPONSE, set("00 20", "10 93")), [])
})

test("AUTHENTICATION (RFC 7652)", () => {
  const pa = (result: string, session: string, options: string) =>
    patch(hex(`02 03 00 ${result} ${"00".repeat(20)} ${session} 00 00 00 00 ${options}`), 8, "20 01 0d b8")
  const server = (result: string, options: string) =>
    hex(`02 83 00 ${result} ${"00".repeat(20)} 00 00 00 01 00 00 00 02 ${options}`)
  const nonce = "04 00 00 04 00 00 00 01"
  const eap = "07 00 00 04 02 01 00 04"
  finds(pa("0e", "00 00 00 00", nonce), [])
  finds(pa("0e", "00 00 00 01", ""), [
    "error initiation-session @24 RFC 7652 3.1.1",
    "error initiation-nonce @32 RFC 7652 3.1.1",
  ])
  finds(pa("17", "00 00 00 01", eap), [])
  finds(pa("16", "00 00 00 01", eap), ["error authentication-result @3 RFC 7652 5.1"])
  finds(server("16", eap), [])
  finds(server("17", eap), ["error authentication-result @3 RFC 7652 5.1"])
  finds(pa("00", "00 00 00 01", ""), ["warning authentication-result @3 RFC 7652 5.1"])
  finds(pa("17", "00 00 00 01", "06 00 00 04 00 00 00 00 07 00 00 04 02 01 00 04"), [
    "error tag-not-last @32 RFC 7652 6.1",
  ])
  finds(server("11", ""), ["error success-option @32 RFC 7652 3.1.3", "error success-option @32 RFC 7652 3.1.3"])
  finds(server("11", "0a 00 00 04 00 00 0e 10 06 00 00 04 00 00 00 00"), [])
  finds(withOptions("05 00 00 0c 00 00 00 01 00 00 00 02 00 00 00 03 80 00 00 00"), [
    "error tag-not-last @60 RFC 7652 6.1",
  ])
})

test("NAT-PMP (N-01 to N-05)", () => {
  finds(hex("00 01 00 01 10 92 9c 40 00 00 1c 20 aa"), [
    "warning reserved-nonzero @2 RFC 6886 3.3",
    "warning trailing @12 RFC 6886 3",
  ])
  finds(hex("00 01 00 00 10 92 9c 40 00 00 00 00"), ["warning delete-suggestion @6 RFC 6886 3.4"])
  finds(hex("00 02 00 00 00 00 00 00 00 00 00 00"), ["note delete-all @4 RFC 6886 3.4"])
  finds(hex("00 01 00 00 00 00 00 00 00 00 1c 20"), ["error port-0 @4 RFC 6886 3.3"])
  // A client that takes the field for milliseconds asks for 41 days.
  finds(hex("00 01 00 00 10 92 9c 40 00 36 ee 80"), ["warning lifetime-above @8 RFC 6886 3.3"])
  finds(hex("00 03"), ["error opcode-unknown @1 RFC 6886 3.5"])
  finds(hex("00 83 00 05"), [])
  finds(hex("00 83 00 02"), ["warning opcode-unknown @2 RFC 6886 3.5"])
  finds(hex("00 81 00 01 00 00 00 64"), ["note version-error-opcode @1 RFC 6886 3.5"])
  finds(hex("00 80 00 03 00 00 00 64 cb 00 71 05"), ["warning error-address @8 RFC 6886 3.2"])
  finds(hex("00 80 00 00 00 00 00 64 00 00 00 00"), ["warning assigned-address @8 RFC 6886 3.2"])
  finds(hex("00 81 00 04 00 00 00 64 10 92 9c 40 00 00 1c 20"), [
    "warning error-port @10 RFC 6886 3.5",
    "warning error-lifetime @12 RFC 6886 3.5",
  ])
  finds(hex("00 81 00 00 00 00 00 64 10 92 00 00 00 00 1c 20"), ["error assigned-port @10 RFC 6886 3.3"])
  finds(hex("00 81 00 00 00 00 00 64 10 92 9c 40 00 00 00 00"), ["warning delete-port @10 RFC 6886 3.4"])
  finds(hex("00 81 00 09 00 00 00 64 10 92 00 00 00 00 00 00"), ["warning result-unknown @2 RFC 6886 3.5"])
})

test("any bytes: no throw, offsets inside the packet and in order, every clause an RFC's", () => {
  fc.assert(
    fc.property(anyBytes, fc.constantFrom(ANY_PROFILE, NAT44_PROFILE), (bytes, profile) => {
      let last = 0
      for (const { severity, code, offset, clause, text } of validate(bytes, profile)) {
        assert.ok(offset >= last && offset <= bytes.length, `${code} at ${offset} of ${bytes.length}`)
        last = offset
        assert.match(clause, /^RFC \d{4} \d+(\.\d+)*$/)
        assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)*$/)
        assert.ok(text.length > 0 && ["error", "warning", "note"].includes(severity))
      }
      const parsed = parse(bytes)
      assert.equal(parsed.ok || validate(bytes, profile).length > 0, true)
      if (parsed.ok && parsed.residue.length > 0) assert.ok(validate(bytes, profile).length >= parsed.residue.length)
    }),
    { numRuns: 5000 },
  )
})

test("a packet and its bytes have the same findings", () => {
  fc.assert(
    fc.property(anyPacket, (packet: Packet) => {
      const encoded = encode(packet)
      if (encoded.ok) assert.deepEqual(validate(packet), validate(encoded.bytes))
    }),
    { numRuns: 2000 },
  )
})
