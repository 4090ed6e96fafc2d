import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { FieldNode } from "../../../core/wire/index.ts"
import { dissect, leaves, walk } from "../../../core/wire/index.ts"
import { describe, expand, fieldValues } from "../../../core/wire/text/index.ts"

/** Every bit of the packet is in exactly one leaf, in order, and every node lies within its parent. */
const holdsTogether = (bytes: Uint8Array): void => {
  const before = Uint8Array.from(bytes)
  const d = dissect(bytes)
  assert.deepEqual(bytes, before, "the packet is not written to")
  let bit = 0
  for (const { field, offset, length, missing, children } of leaves(d.root)) {
    assert.equal(children.length, 0)
    const inBits = field.bits > 0 && missing === 0
    assert.equal(offset * 8 + (inBits ? field.bit : 0), bit, `${field.name} begins where the leaf before it ends`)
    bit += inBits ? field.bits : length * 8
  }
  assert.equal(bit, bytes.length * 8, "the leaves reach the end")
  const within = (parent: FieldNode): void => {
    for (const child of parent.children) {
      assert.ok(child.offset >= parent.offset && child.offset + child.length <= parent.offset + parent.length)
      assert.ok(child.length >= 0 && child.missing >= 0)
      within(child)
    }
  }
  within(d.root)
  assert.deepEqual([d.root.offset, d.root.length], [0, bytes.length])
}

/** Texts, values and plain data of every node come without a throw, and no text can move a terminal's cursor. */
const speaks = (bytes: Uint8Array): void => {
  const d = dissect(bytes)
  for (const node of walk(d.root)) {
    assert.doesNotMatch(describe(d, node), /\p{Cc}/u)
    assert.match(node.field.rfc, /^RFC \d{4} section \d/)
    const name = node.field.wireshark
    if (name !== undefined && node.missing === 0) assert.ok(fieldValues(d, name).length > 0, name)
  }
  assert.equal(JSON.stringify(expand(d)).length > 0, true)
}

const octet = fc.nat({ max: 255 })
const anyBytes = fc.uint8Array({ maxLength: 1200 })

/** Octets that begin like a message, so that the deeper layers are reached. */
const begun = fc
  .tuple(
    fc.constantFrom([0, 0], [0, 128], [0, 1], [0, 129], [0, 130], [0, 5], [0, 133], [1, 1], [2, 0], [2, 128], [2, 96]),
    fc.uint8Array({ maxLength: 120 }),
  )
  .map(([start, rest]) => Uint8Array.from([...start, ...rest]))

const option = fc
  .tuple(
    fc.oneof(fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 128, 129, 130), octet),
    octet,
    fc.oneof(fc.constantFrom(0, 4, 5, 16, 20, 22), fc.nat({ max: 40 }), fc.nat({ max: 65535 })),
    fc.uint8Array({ maxLength: 40 }),
  )
  .map(([code, reserved, length, data]) => [code, reserved, length >> 8, length & 255, ...data])

/** A PCP header with as many octets as its opcode wants, then options whose lengths may lie. */
const withOptions = fc
  .tuple(fc.constantFrom(0, 1, 2, 3, 128, 129, 130, 131), fc.array(option, { maxLength: 6 }), fc.infiniteStream(octet))
  .map(([opcode, options, fill]) => {
    const length = [24, 60, 80, 32][opcode & 127]
    const head = Array.from({ length: length - 2 }, () => fill.next().value ?? 0)
    return Uint8Array.from([2, opcode, ...head, ...options.flat()])
  })

const cutAnywhere = fc.tuple(withOptions, fc.nat({ max: 300 })).map(([bytes, at]) => bytes.subarray(0, at))

const packets = fc.oneof(anyBytes, begun, withOptions, cutAnywhere)

test("every octet belongs to exactly one leaf, whatever the octets", () => {
  fc.assert(fc.property(packets, holdsTogether), { numRuns: 5000 })
})

test("every node of any packet has its text, its values and its plain form", () => {
  fc.assert(fc.property(packets, speaks), { numRuns: 1000 })
})

test("every prefix of a message with all options keeps every octet in one leaf, and says where it is cut", () => {
  /** Octets of each option with its header and two octets of padding. */
  const OPTION = 28
  const head = Array.from({ length: 58 }, (_, i) => i)
  const options = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 128, 129, 130, 77].flatMap((code) => {
    const data = Array.from({ length: OPTION - 6 }, (_, i) => (i === 1 ? 4 : i === 15 ? 1 : 0))
    return [code, 0, 0, data.length, ...data, 0, 0]
  })
  for (const opcode of [1, 129]) {
    const whole = Uint8Array.from([2, opcode, ...head, ...options])
    for (let end = 0; end <= whole.length; end++) {
      const prefix = whole.subarray(0, end)
      holdsTogether(prefix)
      const isWhole = end >= 60 && (end - 60) % OPTION === 0
      assert.equal(
        [...leaves(dissect(prefix).root)].some(({ missing }) => missing > 0),
        !isWhole,
        `${end} octets`,
      )
    }
  }
})
