import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { parse } from "../../core/wire/index.ts"
import { toHex } from "../../core/wire/text/index.ts"
import {
  amend,
  appendOption,
  beginHistory,
  build,
  canRedo,
  canUndo,
  compare,
  fieldText,
  flipBit,
  flipOctet,
  OPTION_FORMS,
  PACKET_FORMS,
  record,
  redo,
  removeOption,
  setField,
  setOctet,
  undo,
} from "../../playground/model/edit/index.ts"
import { inspect } from "../../playground/model/inspect/index.ts"
import { anyBytes, option } from "../core/wire/arbitrary.ts"
import { hex, MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST, PORT_SET_REQUEST } from "./packets.ts"

/** The id of the nth field of a name. */
const field = (bytes: Uint8Array, name: string, nth = 0): number =>
  inspect(bytes).fields.filter((one) => one.name === name)[nth]?.id ?? assert.fail(name)

const edited = (result: ReturnType<typeof setField>): Uint8Array =>
  result.ok ? result.bytes : assert.fail(result.text)

const set = (name: string, text: string, bytes = MAP_REQUEST): string =>
  toHex(edited(setField(bytes, field(bytes, name), text)))

/** The packet's hex with octets from an offset on replaced. */
const put = (at: number, digits: string, bytes = MAP_REQUEST): string => {
  const whole = toHex(bytes)
  return whole.slice(0, 2 * at) + digits + whole.slice(2 * at + digits.length)
}

describe("editing a packet", () => {
  test("a field takes its value as text: number, name, seconds, address, hex", () => {
    assert.equal(set("Requested Lifetime", "2 h"), put(4, "00001c20"))
    assert.equal(set("Requested Lifetime", "1 d 30 min"), put(4, "00015888"))
    assert.equal(set("Requested Lifetime", "0x10"), put(4, "00000010"))
    assert.equal(set("Opcode", "PEER"), put(1, "02"))
    assert.equal(set("R", "response"), put(1, "81"))
    assert.equal(set("Protocol", "tcp"), put(36, "06"))
    assert.equal(set("Protocol", "all"), put(36, "00"))
    assert.equal(set("PCP Client's IP Address", "192.0.2.7"), put(8, "00000000000000000000ffffc0000207"))
    assert.equal(set("PCP Client's IP Address", "2001:db8::7"), put(8, "20010db8000000000000000000000007"))
    assert.equal(set("Mapping Nonce", "00 11 22 33 44 55 66 77 88 99 aa bb"), put(24, "00112233445566778899aabb"))
    assert.equal(set("Internal Port", "443"), put(40, "01bb"))
    assert.equal(set("Prefix Length", "/32"), put(65, "80"))
    assert.equal(set("P (parity bit)", "clear", PORT_SET_REQUEST), put(68, "00", PORT_SET_REQUEST))
  })

  test("what cannot be is said, and changes nothing", () => {
    const before = toHex(MAP_REQUEST)
    for (const [name, text] of [
      ["Internal Port", "65536"],
      ["Internal Port", "-1"],
      ["Requested Lifetime", "soon"],
      ["PCP Client's IP Address", "192.0.2.256"],
      ["Mapping Nonce", "0011"],
      ["Opcode", "200"],
      ["Description", "\ud800"],
      ["MAP", "1"],
    ]) {
      const result = setField(MAP_REQUEST, field(MAP_REQUEST, name), text)
      assert.ok(!result.ok && result.text.length > 10, name)
    }
    assert.equal(toHex(MAP_REQUEST), before)
    assert.ok(!setField(MAP_REQUEST, 999, "1").ok)
  })

  test("a longer or shorter text takes Option Length and Padding along (RFC 6887 section 7.3)", () => {
    const head = toHex(MAP_REQUEST.subarray(0, 84))
    assert.equal(set("Description", "a"), `${head}8000000161000000`)
    assert.equal(set("Description", "abcd"), `${head}8000000461626364`)
    assert.equal(set("Description", ""), `${head}80000000`)
    assert.equal(set("Description", "0xff"), `${head}80000001ff000000`)
  })

  test("options come and go", () => {
    const without = edited(removeOption(MAP_REQUEST, field(MAP_REQUEST, "Prefix Length")))
    assert.equal(toHex(without), toHex(MAP_REQUEST.subarray(0, 60)) + toHex(MAP_REQUEST.subarray(84)))
    const more = edited(appendOption(without, { kind: "PREFER_FAILURE" }))
    assert.equal(toHex(more), `${toHex(without)}02000000`)
    assert.ok(!removeOption(MAP_REQUEST, field(MAP_REQUEST, "Opcode")).ok)
    assert.ok(!appendOption(NATPMP_MAP_REQUEST, { kind: "PREFER_FAILURE" }).ok)
  })

  test("octets and bits", () => {
    assert.equal(toHex(edited(setOctet(hex("0102"), 1, 255))), "01ff")
    assert.equal(toHex(edited(setOctet(hex("0102"), 2, 3))), "010203")
    assert.ok(!setOctet(hex("0102"), 3, 3).ok)
    assert.ok(!setOctet(hex("0102"), 0, 256).ok)
    assert.equal(toHex(edited(flipBit(hex("02"), 0, 0))), "82")
    assert.ok(!flipOctet(new Uint8Array(0), 0.5).ok)
  })

  test("fuzzing changes exactly one octet, and any octet to any other", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (bytes, random) => {
          const { offset, ...result } = flipOctet(bytes, random)
          const { octets } = compare(bytes, edited(result))
          assert.deepEqual(octets, [{ from: offset, to: (offset ?? 0) + 1, side: "both" }])
        },
      ),
    )
    const seen = new Set<number>()
    for (let i = 0; i < 10000; i++) seen.add(edited(flipOctet(hex("00"), i / 10000))[0])
    assert.equal(seen.size, 255)
  })

  test("any packet: each field's own text gives the packet back, and any text gives octets or a reason", () => {
    fc.assert(
      fc.property(
        anyBytes,
        fc.nat(),
        fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("1", "MAP", "00")),
        (bytes, at, text) => {
          const { fields } = inspect(bytes)
          const id = at % fields.length
          const own = fieldText(bytes, id)
          if (own !== undefined) assert.equal(toHex(edited(setField(bytes, id, own))), toHex(bytes))
          const before = toHex(bytes)
          const result = setField(bytes, id, text)
          assert.ok(result.ok || result.text !== "")
          removeOption(bytes, id)
          assert.equal(toHex(bytes), before)
        },
      ),
    )
  })

  test("any option is appended so that it parses as itself", () => {
    fc.assert(
      fc.property(option, (one) => {
        const result = appendOption(MAP_REQUEST.slice(0, 60), one)
        if (!result.ok) return
        const parsed = parse(result.bytes)
        assert.ok(parsed.ok && parsed.packet.kind === "pcp-request")
        assert.deepEqual(parsed.packet.options, [one])
      }),
    )
  })
})

describe("a form", () => {
  test("every packet's form builds, as it begins, a packet of its kind without an error", () => {
    const kinds = PACKET_FORMS.map(({ name }) => {
      const built = build(name, {})
      assert.ok(built.ok, name)
      assert.deepEqual(
        inspect(built.bytes).findings.filter(({ severity }) => severity === "error"),
        [],
        name,
      )
      const parsed = parse(built.bytes)
      return parsed.ok ? `${built.bytes[0]} ${built.bytes[1]} ${parsed.packet.kind}` : ""
    })
    // Versions and opcodes: RFC 6887 sections 7 and 19.2, RFC 6886 section 3.
    assert.deepEqual(kinds, [
      "2 1 pcp-request",
      "2 129 pcp-response",
      "2 2 pcp-request",
      "2 130 pcp-response",
      "2 0 pcp-request",
      "2 128 pcp-response",
      "0 0 natpmp-address-request",
      "0 128 natpmp-address-response",
      "0 2 natpmp-map-request",
      "0 130 natpmp-map-response",
    ])
  })

  test("every option's form builds that option", () => {
    for (const { kind } of OPTION_FORMS) {
      const built = build("map-request", {}, [{ kind, values: {} }])
      assert.ok(built.ok, kind)
      const parsed = parse(built.bytes)
      assert.ok(parsed.ok && parsed.packet.kind === "pcp-request")
      assert.deepEqual(
        parsed.packet.options.map((one) => one.kind),
        [kind],
      )
    }
  })

  test("what is typed is what is built", () => {
    const values = {
      client: "10.0.0.1",
      nonce: "a1b2c3d4e5f60718293a4b5c",
      protocol: "udp",
      internalPort: "4242",
      externalPort: "40000",
      external: "203.0.113.5",
    }
    const options = [
      { kind: "FILTER" as const, values: { prefix: "198.51.100.0/24", remotePort: "443" } },
      { kind: "DESCRIPTION" as const, values: { text: "web!?" } },
    ]
    const built = build("map-request", values, options)
    assert.ok(built.ok)
    assert.equal(toHex(built.bytes), toHex(MAP_REQUEST))
  })

  test("all faults are said at once, each with its entry", () => {
    const built = build("map-request", { client: "x", internalPort: "99999" }, [
      { kind: "FILTER", values: { prefix: "/" } },
    ])
    assert.ok(!built.ok)
    assert.deepEqual(
      built.faults.map(({ entry }) => entry),
      ["client", "internalPort", "0.prefix"],
    )
    const long = build("map-request", {}, [{ kind: "DESCRIPTION", values: { text: "x".repeat(1200) } }])
    assert.ok(!long.ok && long.faults[0].entry === "")
  })
})

describe("undo and redo", () => {
  test("steps go back and forward, and an older history stays what it was", () => {
    const one = beginHistory("a")
    const three = record(record(one, "b"), "c")
    assert.equal(undo(three).present, "b")
    assert.equal(undo(undo(three)).present, "a")
    assert.equal(undo(undo(undo(three))).present, "a")
    assert.equal(redo(undo(three)).present, "c")
    const other = record(undo(three), "d")
    assert.equal(canRedo(other), false)
    assert.equal(undo(other).present, "b")
    assert.equal(three.present, "c")
    assert.equal(canUndo(one), false)
    assert.equal(undo(amend(three, "x")).present, "b")
  })

  test("the oldest steps are dropped, the newest thousand stay", () => {
    let history = beginHistory(0)
    for (let i = 1; i <= 5000; i++) history = record(history, i)
    for (let i = 0; i < 1000; i++) history = undo(history)
    assert.equal(history.present, 4000)
  })
})

describe("comparing two packets", () => {
  test("by field and by octet", () => {
    const other = edited(setField(MAP_REQUEST, field(MAP_REQUEST, "Internal Port"), "80"))
    const { fields, octets, same } = compare(MAP_REQUEST, other)
    assert.equal(same, false)
    assert.deepEqual(octets, [{ from: 40, to: 42, side: "both" }])
    assert.deepEqual(
      fields.filter(({ state }) => state !== "same").map(({ path, left, right }) => [path, left?.text, right?.text]),
      [["Internal Port", "4242", "80"]],
    )
    assert.equal(compare(MAP_REQUEST, MAP_REQUEST.slice()).same, true)
  })

  test("an option more on one side leaves the others beside each other", () => {
    const without = edited(removeOption(MAP_REQUEST, field(MAP_REQUEST, "Prefix Length")))
    const { fields } = compare(without, MAP_REQUEST)
    const right = fields.filter(({ state }) => state === "right")
    assert.equal(right.length, 7)
    assert.ok(right.every(({ path }) => path.startsWith("FILTER option / ")))
    assert.equal(fields.find(({ path }) => path.endsWith("Description"))?.state, "same")
  })

  test("a request beside its response: what they share stands on one line", () => {
    const { fields } = compare(MAP_REQUEST, MAP_RESPONSE)
    const state = (name: string) => fields.find(({ path }) => path === name)?.state
    assert.equal(state("Mapping Nonce"), "same")
    assert.equal(state("R"), "changed")
    assert.equal(state("Epoch Time"), "right")
  })

  test("any two: every leaf of both is in it once", () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (left, right) => {
        const { fields } = compare(left, right)
        const leaves = (bytes: Uint8Array) =>
          inspect(bytes).fields.flatMap(({ id, children }) => (children.length === 0 ? [id] : []))
        const seen = (side: "left" | "right") => fields.flatMap((pair) => pair[side]?.field ?? []).sort((a, b) => a - b)
        assert.deepEqual(seen("left"), leaves(left))
        assert.deepEqual(seen("right"), leaves(right))
      }),
    )
  })
})
