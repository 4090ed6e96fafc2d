import assert from "node:assert/strict"
import { test } from "node:test"
import type { Form, Reading } from "../../../../core/wire/text/index.ts"
import { formatForm, read, toHex } from "../../../../core/wire/text/index.ts"
import { hex } from "../hex.ts"

const ok = (input: string | Uint8Array): Extract<Reading, { ok: true }> => {
  const reading = read(input)
  assert.ok(reading.ok, `${JSON.stringify(input)}: ${JSON.stringify(reading)}`)
  return reading
}
const packets = (text: string): string =>
  ok(text)
    .packets.map((packet) => toHex(packet.bytes))
    .join(" ")
/** The code of the error and where it is: `code line:column`. */
const failure = (text: string): string => {
  const reading = read(text)
  assert.ok(!reading.ok, `${text}: ${JSON.stringify(reading)}`)
  const { code, place } = reading.error
  assert.equal(
    text
      .split("\n")
      .slice(0, (place.line ?? 0) - 1)
      .join("\n").length,
    place.offset - (place.column ?? 0) + (place.line === 1 ? 1 : 0),
  )
  return `${code} ${place.line}:${place.column}`
}
/** Each octet's characters, with a bar between. */
const spans = (text: string): string => {
  const [{ bytes, map }] = ok(text).packets
  assert.ok(map.kind === "text")
  return Array.from(bytes, (_, i) => text.slice(map.starts[i], map.ends[i])).join("|")
}

const readAs = (
  title: string,
  kind: Form["kind"],
  cases: readonly (readonly [text: string, expected: string])[],
): void => {
  for (const [text, expected] of cases)
    test(`${title}: ${JSON.stringify(text)}`, () => {
      assert.equal(packets(text), expected)
      assert.equal(ok(text).form.kind, kind)
      assert.deepEqual(ok(text).ambiguous, [])
    })
}

readAs("hex in any spacing, case and separator", "hex", [
  ["0201000a", "0201000a"],
  ["02 01 00 0A", "0201000a"],
  ["0201 000a\n00 ff", "0201000a00ff"],
  ["02:01:00:ff", "020100ff"],
  ["02-01-00-FF", "020100ff"],
  ["0201.00ff", "020100ff"],
  ["02, 01, 00, ff", "020100ff"],
  ["2 1 0 f", "0201000f"],
  ["0x02 0x01 0xfF", "0201ff"],
  ["0x0201ff", "0201ff"],
  ["0x02,0x1,0x0", "020100"],
  ["0x020x01", "0201"],
  ["\\x02\\x01\\xff", "0201ff"],
  ["\\x02 \\x01 \\\n\\xff", "0201ff"],
  ["\ufeff02\u00a001", "0201"],
  ["02 01 # version, opcode\n00 00 // reserved\n/* lifetime */ 00 00", "020100000000"],
])

test("a blank line between hex digits starts a packet; a comment line does not", () => {
  assert.equal(packets("0201\n00\n\n0080\n  \n\n0000"), "020100 0080 0000")
  assert.equal(packets("0201\n# here\n00"), "020100")
})

test("digits that a line break cuts are joined, with a note", () => {
  assert.equal(packets("020\n100"), "020100")
  assert.equal(ok("020\n100").problems[0].code, "digits-joined")
  assert.equal(spans("020\n100"), "02|0\n1|00")
  assert.equal(packets("02f\n1a0\n00"), "02f1a000")
})

test("lines that look like messages of their own are joined, with a warning", () => {
  const reading = ok("0000\n0080000000003039cb007107\n")
  assert.equal(reading.packets.length, 1)
  assert.deepEqual(reading.problems[0].places, [{ offset: 5, line: 2, column: 1 }])
  assert.equal(reading.problems[0].code, "lines-joined")
})

readAs("decimal where it can be nothing else", "decimal", [
  ["2 1 0 129", "02010081"],
  ["2,1,0,255", "020100ff"],
  ["192.0.2.1", "c0000201"],
])

test("digits that could be hex and decimal: the precedence, and that the other is said", () => {
  assert.equal(packets("2 1 0 14 16"), "0201000e10")
  assert.deepEqual(ok("2 1 0 14 16").ambiguous, [{ kind: "hex", style: "plain" }])
  assert.equal(packets("10 20 30"), "102030")
  assert.deepEqual(ok("10 20 30").ambiguous, [{ kind: "decimal" }])
  assert.deepEqual(ok("02 01 14").ambiguous, [], "a leading zero is no decimal's")
  assert.deepEqual(
    ok("10 20 30").problems.map((p) => [p.code, p.severity, p.places[0].offset]),
    [["ambiguous", "warning", 0]],
  )
})

test("hex that is base64 of a message too says so", () => {
  assert.equal(packets("AAAA"), "aaaa")
  assert.deepEqual(ok("AAAA").ambiguous, [{ kind: "base64", alphabet: "standard" }])
  assert.deepEqual(ok("0201").ambiguous, [], "no message starts with the octet that this would be")
  assert.deepEqual(Array.from(ok("Ab//AA==").packets[0].bytes), [1, 0xbf, 0xff, 0], "not `Ab` and a comment")
  assert.deepEqual(ok("Ab//AA==").ambiguous, [{ kind: "hex", style: "plain" }])
  assert.deepEqual(Array.from(ok("AB\n//AA").packets[0].bytes), [0xab], "a comment in a line of its own")
})

readAs("byte arrays of programs", "array", [
  ["{0x02, 0x01}", "0201"],
  ["unsigned char pkt[4] = {\n  0x02, 0x01, /* , */ 0x00, 0xff // }\n};\nunsigned int pkt_len = 4;", "020100ff"],
  ["/* Frame (2 bytes) */\nstatic const unsigned char pkt1[2] = {\n0x02, 0x01, /* .. */\n};", "0201"],
  ["pkt := []byte{0x02, 0x01, 'S', '\\n'}", "0201530a"],
  ["x := [3]byte{2, 1, 0}", "020100"],
  ["let p: [u8; 4] = [2u8, 0x01, b'S', 0b1000_0001];", "02015381"],
  ["static P: &'static [u8] = &[0x02, 0x01];", "0201"],
  ["vec![2, 1]", "0201"],
  ["const p = new Uint8Array([2, 129, 0])", "028100"],
  ["Uint8Array(4) [ 2, 129, 0, 255 ]", "028100ff"],
  ["Uint8Array.of(2, 1, 0)", "020100"],
  ["<Buffer 02 81 00 ff>", "028100ff"],
  ["bytes([2, 1, 0x81])", "020181"],
  ["bytes((2, 1))", "0201"],
  ["byteArrayOf(2, 1, -127)", "020181"],
  ["byte[] b = { 2, 1, -127, (byte)0x81, (byte) 255 };", "02018181ff"],
  ["[2 1 0 14]", "0201000e"],
  ["[02, 01, 0e, ff]", "02010eff"],
  ["{0377, 010}", "ff08"],
  ['["02", "0x01", "ff"]', "0201ff"],
  ['{"0":2,"1":129}', "0281"],
  ['{"type":"Buffer","data":[2,1]}', "0201"],
  ["const a = [2, 1]\nconst b = [0, 128]", "0201 0080"],
  ["[[2, 1], [0, 128]]", "0201 0080"],
  ["func main() {\n  n := 5\n  p := []byte{0x02, 0x01}\n  f(1, 2)\n}", "0201"],
])

readAs("string literals", "string", [
  ['b"\\x02\\x01Sally\\x00"', "020153616c6c7900"],
  ["b'\\x02\\x01' b'\\x00'", "020100"],
  ['"\\x02\\x01" \\\n"\\x00"', "020100"],
  ['"\\x02\\x01" +\n  "\\x00"', "020100"],
  ['"\\x00\\x00", "\\x02\\x01"', "0000 0201"],
  ['"\\x00\\x00"\n\n"\\x02\\x01"', "0000 0201"],
  ["'\\002\\001\\377'", "0201ff"],
  ['"\\u0002\\u{1}\\0"', "020100"],
  ['"\\x2\\x1\\x"', "020178"],
  ['"\\x02\\n\\t\\\\\\"\\r"', "020a095c220d"],
  ['b"\\x02\\xe9" "é"', "02e9c3a9"],
  ["printf '\\2\\1' | nc -u 192.0.2.1 5351", "0201"],
])

readAs("hex and base64 in quotes", "hex", [
  ['bytes.fromhex("02 01 00")', "020100"],
  ["Buffer.from('020100', 'hex')", "020100"],
  ['hex!("0201 0000")', "02010000"],
  ['b, err := hex.DecodeString("020100")', "020100"],
  ["unhexlify(b'0201')", "0201"],
  ["x'0201'", "0201"],
  ['"020100"', "020100"],
  ['{"packet": "020100"}', "020100"],
])
readAs("base64", "base64", [
  ["AgEAAA==", "02010000"],
  ["AgEAAA", "02010000"],
  ["AgEA\nAAAA\n", "020100000000"],
  ["AgEA\n\nAAA=\n", "020100 0000"],
  ["AAA=AgEA", "0000 020100"],
  ["AoH_-w", "0281fffb"],
  ["AoH/+w==", "0281fffb"],
  ["Zm9v/w==", "666f6fff"],
  ["Buffer.from('AgE=', 'base64')", "0201"],
  ['atob("AgEA")', "020100"],
  ['{"packet": "AgEAAAAA"}', "020100000000"],
  ["data:application/octet-stream;base64,AgEA", "020100"],
])

test("which alphabet base64 used", () => {
  assert.deepEqual(ok("AoH_-w").form, { kind: "base64", alphabet: "url" })
  assert.deepEqual(ok("AoH/+w").form, { kind: "base64", alphabet: "standard" })
})

test("Python's hexlify: hex, though it could be the characters", () => {
  assert.equal(packets("b'0201'"), "0201")
  assert.deepEqual(ok("b'0201'").ambiguous, [{ kind: "string" }])
  assert.deepEqual(Array.from(ok('b":"').packets[0].bytes), [0x3a], "separators alone are no hex")
  assert.deepEqual(ok('{":": [2, 0]}').packets.length, 1)
})

test("a byte map points at what gives each octet", () => {
  assert.equal(spans("0x02 0x01, 81"), "02|01|81")
  assert.equal(spans("\\x02\\x01"), "02|01")
  assert.equal(spans('b"\\x02S\\n"'), "\\x02|S|\\n")
  assert.equal(spans("[2, 129, 0x01]"), "2|129|0x01")
  assert.equal(spans("{0x02, 'S', (byte)0x81}"), "0x02|S|0x81")
  assert.equal(spans("2 1 129"), "2|1|129")
  assert.equal(spans("AgEA"), "Ag|gE|EA")
  assert.equal(spans('f("AgEA")'), "Ag|gE|EA")
  assert.equal(spans('fromhex("02 01")'), "02|01")
  assert.equal(spans('["02", "01"]'), "02|01")
})

test("what cannot be read: the code, and line and column of the place", () => {
  for (const [text, expected] of [
    ["", "empty 1:1"],
    [" \n ", "empty 1:1"],
    ["# nothing", "empty 1:1"],
    ["02 01\n00 zz", "unreadable 2:4"],
    ["hello world", "unreadable 1:1"],
    ["0201 000", "odd-digits 1:6"],
    ["\\x02\\q", "unreadable 1:5"],
    ["02 01 ...", "abbreviated 1:7"],
    ["{0x02, VERSION, 1}", "unreadable 1:8"],
    ["{0x02,\n 0x0201}", "out-of-range 2:2"],
    ["{2, 256}", "out-of-range 1:5"],
    ["{2, -129}", "out-of-range 1:5"],
    ["[2, 1,\n ... 98 more items ]", "abbreviated 2:2"],
    ["[2, 1", "unterminated 1:1"],
    ['x = "\\x02', "unterminated 1:5"],
    ['"\\x02\\u0100"', "out-of-range 1:6"],
    ['"\\777"', "out-of-range 1:2"],
    ['bytes.fromhex("02 0")', "odd-digits 1:19"],
    ["[".repeat(1000), "unreadable 1:258"],
    ["AgEA=", "unreadable 1:5"],
    ["AgEAA", "unreadable 1:5"],
    ["AgEAAA=", "unreadable 1:7"],
    ["Zm9v", "unreadable 1:1"],
  ] as const)
    assert.equal(failure(text), expected, text)
})

test("a list among others that cannot be read is passed over with a warning at its place", () => {
  const reading = ok("{0x02, 0x01}\n{0x02, VERSION}\n{0x00, VERSION, 1}")
  assert.deepEqual(
    reading.problems.map((p) => [p.code, p.severity, p.places]),
    [["literal-ignored", "warning", [{ offset: 36, line: 3, column: 8 }]]],
  )
})

test("octets that are one message are taken as it; other octets say what they are", () => {
  const message = hex("0201000000000e10")
  const reading = ok(message)
  assert.equal(reading.form.kind, "octets")
  assert.deepEqual(reading.packets, [{ bytes: message, map: { kind: "file", offset: 0 } }])
  const fails = (bytes: Uint8Array) => {
    const result = read(bytes)
    assert.ok(!result.ok)
    return [result.error.code, result.error.place]
  }
  assert.deepEqual(fails(hex("1f8b0800")), ["compressed", { offset: 0 }])
  assert.deepEqual(fails(hex("28b52ffd00")), ["compressed", { offset: 0 }])
  assert.deepEqual(fails(hex("7f454c46")), ["not-text", { offset: 0 }])
  assert.deepEqual(fails(hex("30320a0007")), ["not-text", { offset: 3 }])
  assert.deepEqual(fails(hex("303230ff")), ["not-text", { offset: 3 }])
  assert.deepEqual(fails(new Uint8Array(1101)), ["not-text", { offset: 0 }])
})

test("a whole frame in hex loses its headers and says so; a frame of another port is counted", () => {
  const frame = "4500001e000040004011b6cbc0000202c0000201c00014e7000aa6ee0000"
  const ethernet = `020000000001020000000002${"0800"}${frame}`
  for (const text of [frame, ethernet, `${ethernet}${"00".repeat(16)}`]) {
    const reading = ok(text)
    assert.equal(packets(text), "0000")
    assert.equal(reading.packets[0].destinationPort, 5351)
    assert.deepEqual(
      reading.problems.map((p) => p.code),
      ["headers-stripped"],
    )
    assert.equal(spans(text), "00|00")
  }
  const other = ok(frame.replace("c00014e7", "c0000035"))
  assert.deepEqual(other.packets, [])
  assert.deepEqual(other.skipped, [{ reason: "other-port", count: 1, first: { offset: 0, line: 1, column: 1 } }])
  const short = frame.slice(0, -2)
  assert.equal(packets(short), short, "a frame that is cut is no proof of itself")
  // One wrong digit in the IPv4 header: no proof, so the octets stay as they are.
  assert.equal(packets(frame.replace("b6cb", "b6cc")), frame.replace("b6cb", "b6cc"))
})

test("forms have names for people", () => {
  assert.equal(formatForm(ok("0201").form), "hex digits")
  assert.equal(formatForm(ok("{0x02, 0x01}").form), "byte array, hexadecimal")
  assert.equal(
    formatForm(ok("0000000 000402 000001\n0000004\n").form),
    "od, octal words of 2 octets, little-endian, octal offsets",
  )
})

test("a string without an end whose lines go on and on is looked through once, not at each of its escaped quotes", () => {
  for (const quote of ['"', "'"])
    for (const tail of ["", "\\777"]) {
      const text = `{${`\\${quote}\\\n`.repeat(25_000)}${tail}`
      const start = performance.now()
      assert.equal(read(text).ok, false)
      // Each of them looked through to the end took over a minute.
      assert.ok(performance.now() - start < 5000, JSON.stringify(quote + tail))
    }
})
