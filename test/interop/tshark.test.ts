import assert from "node:assert/strict"
import { before, describe, test } from "node:test"
import type { Dissection, FieldNode } from "../../core/wire/index.ts"
import { dissect, encodeWith, parse, walk } from "../../core/wire/index.ts"
import { fieldValues } from "../../core/wire/text/index.ts"
import type { Seen, Values } from "./tshark.ts"
import { readColumns, readWithTshark, tsharkFieldTypes, tsharkVersion } from "./tshark.ts"
import type { Touch } from "./tshark-faults.ts"
import { FAULTS } from "./tshark-faults.ts"
import { generate } from "./tshark-packets.ts"

const SEED = 6887
const COUNT = 30000
/** Of them, those that no fault of tshark's keeps from being compared field by field. */
const COMPARED_IN_FULL = 20000

const version = tsharkVersion()
const missing = "tshark is not installed (Debian package tshark)"
if (version === undefined && process.env.CI === "true") throw new Error(missing)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"))

const isOption = ({ field }: FieldNode): boolean => field.kind === "option"
const isInOption = (name: string): boolean =>
  name.startsWith("portcontrol.option") && name !== "portcontrol.options" && name !== "portcontrol.option.unknown"

/** What dissect gives, in the shape of what tshark gives. */
const seenByDissect = (d: Dissection, names: readonly string[]): Seen => {
  const valuesOf = (root: FieldNode, of: readonly string[]): Values => {
    const part: Dissection = { bytes: d.bytes, root }
    return new Map(of.map((name) => [name, fieldValues(part, name)] as const).filter(([, values]) => values.length > 0))
  }
  const named = [...walk(d.root)].map(({ field }) => field.wireshark)
  const present = names.filter((name) => named.includes(name) || /\.(unknown|request|response)$/.test(name))
  const inOption = present.filter(isInOption)
  return {
    outside: valuesOf(
      d.root,
      present.filter((name) => !isInOption(name)),
    ),
    options: [...walk(d.root)].filter(isOption).map((option) => valuesOf(option, inOption)),
  }
}

const touchOf = (touches: readonly Touch[], segment: number, name: string): Touch | undefined =>
  touches.find(
    (touch) =>
      (touch.segment === segment || (touch.onward === true && touch.segment >= 0 && segment > touch.segment)) &&
      (touch.name === undefined || touch.name === name) &&
      touch.except !== name,
  )

const NONE: Values = new Map()

/** Compares everything that no fault touches; returns the names compared. */
const compare = (bytes: Uint8Array, tshark: Seen, ours: Seen, touches: readonly Touch[]): string[] => {
  const compared: string[] = []
  const segments = Math.max(tshark.options.length, ours.options.length)
  for (let segment = -1; segment < segments; segment++) {
    const theirs = segment < 0 ? tshark.outside : (tshark.options[segment] ?? NONE)
    const mine = segment < 0 ? ours.outside : (ours.options[segment] ?? NONE)
    for (const name of new Set([...theirs.keys(), ...mine.keys()])) {
      const touch = touchOf(touches, segment, name)
      if (touch !== undefined && touch.instead === undefined) continue
      const expected = touch?.instead ?? theirs.get(name) ?? []
      if (touch?.instead !== undefined) assert.deepEqual(theirs.get(name) ?? [], expected, `${name} in ${hex(bytes)}`)
      else assert.deepEqual(mine.get(name) ?? [], expected, `${name}, option ${segment}, in ${hex(bytes)}`)
      compared.push(name)
    }
  }
  return compared
}

describe(`dissect and ${version ?? "tshark"}`, { skip: version === undefined ? missing : false }, () => {
  let types: ReadonlyMap<string, string> = new Map()
  let names: readonly string[] = []
  let packets: readonly Uint8Array[] = []
  const touchesOf = (bytes: Uint8Array): readonly Touch[] => FAULTS.flatMap((fault) => fault.touches(bytes))

  before(() => {
    types = tsharkFieldTypes()
    names = [...types.keys()]
    packets = generate(SEED, COUNT)
  })

  test("what parses comes out of encode as it went in, and goes to tshark so", () => {
    let encoded = 0
    packets = packets.map((bytes) => {
      const parsed = parse(bytes)
      if (!parsed.ok) return bytes
      const again = encodeWith(parsed.packet, parsed.residue)
      assert.ok(again.ok && Buffer.compare(again.bytes, bytes) === 0, `encode(parse(b)) = b for ${hex(bytes)}`)
      encoded++
      return again.bytes
    })
    assert.ok(encoded >= COUNT / 2, `${encoded} packets went through encode`)
  })

  test("each known fault of tshark shows in its proof packet, and is told to touch it", async () => {
    const proofs = FAULTS.map(({ proof }) => fromHex(proof))
    const seen = await readWithTshark(proofs, types)
    FAULTS.forEach((fault, i) => {
      fault.shows(seen[i])
      assert.ok(fault.touches(proofs[i]).length > 0, fault.name)
      const ours = seenByDissect(dissect(proofs[i]), names)
      compare(proofs[i], seen[i], ours, touchesOf(proofs[i]))
      const others = FAULTS.filter((other) => other !== fault).flatMap((other) => other.touches(proofs[i]))
      assert.throws(() => compare(proofs[i], seen[i], ours, others), `${fault.name}: the comparison does without it`)
    })
  })

  test(`${COUNT} packets: every field that tshark -T json names has the value that dissect gives`, async (t) => {
    const seen = await readWithTshark(packets, types)
    let inFull = 0
    const compared = new Map<string, number>()
    packets.forEach((bytes, i) => {
      const touches = touchesOf(bytes)
      for (const name of compare(bytes, seen[i], seenByDissect(dissect(bytes), names), touches)) {
        compared.set(name, (compared.get(name) ?? 0) + 1)
      }
      if (touches.every(({ instead }) => instead !== undefined)) inFull++
    })
    const never = names.filter((name) => (compared.get(name) ?? 0) < 100)
    assert.deepEqual(never, [], "fields compared fewer than 100 times")
    t.diagnostic(`${inFull} of ${packets.length} packets compared in full, ${packets.length - inFull} but for a fault`)
    assert.ok(inFull >= COMPARED_IN_FULL, `${inFull} packets compared in full`)
  })

  test("fieldValues prints each field as tshark -T fields does", async () => {
    // A bar would be taken for the one between values; a fault of tshark's has its own test above.
    const plain = packets.filter((bytes) => touchesOf(bytes).length === 0 && !bytes.includes(0x7c)).slice(0, 5000)
    const rows = await readColumns(plain, names)
    assert.equal(rows.length, plain.length)
    plain.forEach((bytes, i) => {
      const d = dissect(bytes)
      assert.deepEqual(
        names.map((name) => fieldValues(d, name).join("|")),
        rows[i],
        hex(bytes),
      )
    })
  })
})
