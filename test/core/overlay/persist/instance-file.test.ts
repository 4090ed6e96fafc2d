import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  encodeInstance,
  instanceFileName,
  instanceOfFile,
  type NvList,
  type NvValue,
  packNvlist,
  parseInstance,
  type SavedInstance,
  unpackNvlist,
} from "../../../../core/overlay/index.ts"
import { hex, toHex } from "../../wire/hex.ts"
import { bits, bytesOf, changed, octets } from "../arbitrary.ts"

const saved: SavedInstance = {
  id: 7,
  link: 5,
  destination: 6,
  mode: "point",
  plugin: "direct",
  saved: { "direct/dest_port": 4789, "direct/dest_ip": "::ffff:10.88.88.69" },
}

/** The list of it, octet by octet: sizes here and in memory, name, type, elements, value. */
const LIST = hex(
  "01 01 0000" +
    "00000000 00000001" +
    "00000024 00000020 00000006 7672695f6964 0000 00000008 00000001 00000000 00000007" +
    "00000024 00000028 0000000a 7672695f6c696e6b6964 0000 00000006 00000001 00000005" +
    "00000020 00000028 00000008 7672695f64657374 00000006 00000001 00000006" +
    "00000020 00000028 00000008 7672695f6d6f6465 00000006 00000001 00000001" +
    "0000002c 00000028 0000000a 7672695f706c7567696e 0000 00000009 00000001 00000006 646972656374 0000" +
    "00000094 00000038 0000000b 7672695f70726976617465 00 00000013 00000001" +
    "00000000 00000001" +
    "00000028 00000030 00000010 6469726563742f646573745f706f7274 00000004 00000001 000012b5" +
    "0000003c 00000038 0000000e 6469726563742f646573745f6970 0000 00000009 00000001" +
    "00000012 3a3a666666663a31302e38382e38382e3639 0000" +
    "00000000 00000000" +
    "00000000 00000000",
)
const md5 = (bytes: Uint8Array): Uint8Array => createHash("md5").update(bytes).digest()
const file = (list: Uint8Array, version = "01000000"): Uint8Array =>
  Uint8Array.of(...hex(`76617270 ${version}`), ...md5(list), ...list)

describe("B9: the file that keeps an instance", () => {
  test('octet by octet: "varp", version 1, MD5, and the list in XDR; ports have 16 bits', () => {
    assert.equal(toHex(bytesOf(encodeInstance(saved))), toHex(file(LIST)))
    const parsed = parseInstance(file(LIST))
    assert.ok(parsed.ok, parsed.ok ? "" : parsed.error.text)
    assert.deepEqual(parsed.value, saved)
  })

  test("counters have 64 bits, and dynamic mode is 2", () => {
    const files: SavedInstance = { ...saved, mode: "dynamic", plugin: "files", saved: { "files/vaf_nmisses": 2 ** 33 } }
    const bytes = bytesOf(encodeInstance(files))
    assert.ok(toHex(bytes).includes("7672695f6d6f6465000000060000000100000002"))
    assert.ok(toHex(bytes).includes("000000080000000100000002" + "00000000"))
    const parsed = parseInstance(bytes)
    assert.deepEqual(parsed.ok && parsed.value, files)
  })

  test("the version is in the order of octets of who wrote it: both are read", () => {
    assert.ok(parseInstance(file(LIST, "00000001")).ok)
  })

  test("what cannot be read says where and why, for a line when the file is put aside", () => {
    const faults: readonly (readonly [Uint8Array, string, number, string])[] = [
      [new Uint8Array(0), "too-short", 0, "the header has 24 octets, here are 0"],
      [file(LIST).subarray(0, 23), "too-short", 23, "the header has 24 octets, here are 23"],
      [file(LIST).with(0, 0x56), "value", 0, 'it does not begin with "varp"'],
      [file(LIST, "02000000"), "version", 4, "a file of version 2"],
      [file(LIST, "00000002"), "version", 4, "a file of version 2"],
      [file(LIST).subarray(0, 100), "checksum", 8, "the MD5 is another one: the file is not as it was written"],
      [file(LIST).with(60, 1), "checksum", 8, "the MD5 is another one: the file is not as it was written"],
      [file(LIST.subarray(0, 50)), "too-short", 72, "the list ends early"],
      [file(LIST.subarray(0, 60)), "length", 72, "a pair of 36 octets"],
      [file(LIST.with(0, 0)), "value", 24, "a list of encoding 0, not XDR (1)"],
      [file(LIST.with(7, 1)), "version", 28, "a list of version 1"],
      [file(Uint8Array.of(...LIST, 0)), "length", 24 + LIST.length, "1 octets behind the list"],
      [file(hex("01010000 00000000 00000001 00000000 00000000")), "value", 24, "vri_id is not there, or is none"],
      [new Uint8Array(65_537), "length", 65_536, "a file of 65537 octets"],
    ]
    for (const [bytes, code, offset, text] of faults) {
      const parsed = parseInstance(bytes)
      assert.deepEqual(parsed.ok ? parsed : { ...parsed.error, clause: "" }, { code, offset, clause: "", text })
    }
  })

  test("all keys are required", () => {
    const list = unpackNvlist(LIST)
    assert.ok(list.ok)
    for (const name of list.value.keys()) {
      const less = new Map([...list.value].filter(([other]) => other !== name))
      const parsed = parseInstance(file(packNvlist(less)))
      assert.equal(parsed.ok ? "" : parsed.error.text, `${name} is not there, or is none`)
    }
    const odd = new Map(list.value).set("vri_mode", { type: "uint32", value: 0 })
    assert.equal(parseInstance(file(packNvlist(odd))).ok, false)
  })

  test("names: the number in decimal; what is named otherwise is left alone", () => {
    assert.equal(instanceFileName(7), "7.varpd")
    assert.equal(instanceOfFile("7.varpd"), 7)
    for (const name of ["varpd", "x7.varpd", "7.varpd.tmp", "-7.varpd", ".varpd", "7.varpd\n"])
      assert.equal(instanceOfFile(name), undefined, name)
  })

  test("numbers that do not fit have no octets", () => {
    for (const part of [{ id: -1 }, { link: 0.5 }, { destination: 2 ** 32 }, { saved: { "svp/port": 65536 } }])
      assert.equal(encodeInstance({ ...saved, ...part }).ok, false)
  })
})

const value: fc.Arbitrary<NvValue> = fc.oneof(
  bits(16).map((value) => ({ type: "uint16", value }) as const),
  bits(32).map((value) => ({ type: "uint32", value }) as const),
  fc.maxSafeNat().map((value) => ({ type: "uint64", value }) as const),
  fc.string({ unit: "grapheme" }).map((text) => ({ type: "string", text }) as const),
)
const flat: fc.Arbitrary<NvList> = fc
  .array(fc.tuple(fc.string({ unit: "grapheme" }), value))
  .map((pairs) => new Map(pairs))
const nested: fc.Arbitrary<NvList> = fc
  .array(
    fc.tuple(
      fc.string(),
      fc.oneof(
        value,
        flat.map((pairs) => ({ type: "nvlist", pairs }) as const),
      ),
    ),
  )
  .map((pairs) => new Map(pairs))

test("lists: what is packed is unpacked; any octets give a value or an error within them", () => {
  fc.assert(
    fc.property(nested, (list) => {
      const unpacked = unpackNvlist(packNvlist(list))
      assert.deepEqual(unpacked.ok && unpacked.value, list)
    }),
  )
  fc.assert(
    fc.property(fc.oneof(octets(80), changed(nested.map(packNvlist)), changed(fc.constant(LIST))), (bytes) => {
      const unpacked = unpackNvlist(bytes)
      if (!unpacked.ok) assert.ok(unpacked.error.offset <= bytes.length)
      const parsed = parseInstance(file(bytes))
      if (!parsed.ok) assert.ok(parsed.error.offset <= bytes.length + 24)
    }),
    { numRuns: 1000 },
  )
})
