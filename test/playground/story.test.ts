import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  briefOf,
  type CapturePart,
  collectParts,
  factsOf,
  openCaptureInSteps,
  partsOf,
  readPackets,
  storyOf,
} from "../../playground/model/capture/index.ts"
import { exportCapture } from "../../playground/model/export/index.ts"
import { open } from "../../playground/model/open/index.ts"
import { troubled } from "./captures.ts"
import { hex, MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST, NATPMP_MAP_RESPONSE } from "./packets.ts"

const told = (index: number): readonly string[] =>
  storyOf(readPackets(open(troubled()).packets), index).map(({ text, rows, odd, clause }) =>
    [odd ? "!" : "", text, rows.map((row) => `#${row + 1}`).join(" "), clause].filter((part) => part !== "").join(" "),
  )

describe("an exchange's story", () => {
  test("transmissions with their waits, held against RFC 6887 section 8.1.1, and the answer's latency", () => {
    // Sent at 0, 3.1, 9.0 and 10.0 s: waits of 3.1 s (IRT 3 s, a tenth more or less), 5.9 s (twice that), 1 s (far too short: 0.9 × 2 × 0.9 × 2 × 2.7 s is the least).
    const expected = [
      "asked by #1",
      "asked again after 3.1 s by #2",
      "asked again after 5.9 s by #3",
      "! asked again after 1 s, where 8.7 to 16 s is the wait, by #4 RFC 6887 section 8.1.1",
      "answered after 10 s, 40 ms since the last, by #5",
      "and again by #6",
      "its epoch time, 1000 s, is as expected",
    ]
    for (const index of [0, 3, 4]) assert.deepEqual(told(index), expected)
  })

  test("no answer, one from another address, and one that nobody asked for", () => {
    assert.deepEqual(told(6), ["asked by #7", "! no answer is in the capture"])
    assert.deepEqual(told(7).slice(0, 3), [
      "asked by #8",
      "answered after 4.5 ms by #9",
      "! the answer came from another address than was asked, so a client drops it RFC 6887 section 8.3",
    ])
    assert.deepEqual(told(9), [
      "nobody in this capture asked for it",
      "! its epoch time, 5 s, says that the server lost its state RFC 6887 section 8.5",
    ])
  })

  test("any packets have stories of rows that are there", () => {
    const some = fc.array(fc.constantFrom(MAP_REQUEST, MAP_RESPONSE, NATPMP_MAP_REQUEST, hex(""), hex("02")), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(some, (list) => {
        const capture = readPackets(list.map((bytes) => ({ bytes, direction: undefined })))
        for (let i = -1; i <= list.length; i++)
          for (const { rows } of storyOf(capture, i)) assert.ok(rows.every((row) => row >= 0 && row < list.length))
      }),
    )
  })
})

test("the list's brief words", () => {
  const words = (bytes: Uint8Array): string => briefOf(factsOf(bytes))
  assert.equal(words(MAP_REQUEST), "MAP req UDP 4242 → 40000")
  assert.equal(words(MAP_RESPONSE), "MAP ok UDP 4242 → 40001")
  const refused = MAP_RESPONSE.slice()
  refused[3] = 8
  assert.equal(words(refused), "MAP NO_RESOURCES")
  const deleted = MAP_REQUEST.slice()
  deleted.fill(0, 4, 8)
  assert.equal(words(deleted), "MAP req UDP 4242 delete")
  assert.equal(words(NATPMP_MAP_REQUEST), "NAT-PMP map UDP req 4242 → 40000")
  assert.equal(words(NATPMP_MAP_RESPONSE), "NAT-PMP map UDP ok 4242 → 40001")
  assert.equal(words(hex("")), "unknown req")
})

describe("handing a capture over", () => {
  const opened = () => {
    const packets = Array.from({ length: 1201 }, (_, i) => ({
      bytes: i % 2 === 0 ? MAP_REQUEST : MAP_RESPONSE,
      direction: undefined,
      at: { seconds: i, nanoseconds: 0 },
    }))
    const steps = openCaptureInSteps(exportCapture(packets))
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    return step.value
  }

  test("in parts that are small, have octets of their own, and put together are the whole again", () => {
    const whole = opened()
    const collect = collectParts()
    const parts: CapturePart[] = []
    let again: ReturnType<typeof collect>
    for (const part of partsOf(whole, 100)) {
      const copy = structuredClone(part)
      parts.push(copy)
      if (copy.kind === "rows") {
        assert.ok(copy.rows.length <= 100)
        const size = copy.rows.reduce((sum, { packet }) => sum + packet.bytes.length, 0)
        assert.equal(copy.octets.buffer.byteLength, size)
        for (const { packet } of copy.rows) assert.equal(packet.bytes.buffer, copy.octets.buffer)
      }
      assert.equal(again, undefined, "nothing comes after the end")
      again = collect(copy)
    }
    assert.equal(parts.filter(({ kind }) => kind === "rows").length, 13)
    assert.deepEqual(again, whole)
    assert.equal(again?.opened.packets[7], again?.capture.rows[7].packet)
  })

  test("a file of nothing is an end alone", () => {
    const nothing = { opened: open("zz"), capture: readPackets([]) }
    assert.deepEqual(
      [...partsOf(nothing)].map(({ kind }) => kind),
      ["end"],
    )
  })
})
