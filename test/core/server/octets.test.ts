import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { createServer, process } from "../../../core/server/index.ts"
import { address, announce, map, natPmpMap, option, peer, preferFailure, THIRD_PARTY, thirdParty } from "./scene.ts"

const made = createServer({
  external: [address("203.0.113.7")],
  secret: new Uint8Array(32).fill(7),
  now: 0,
  ...THIRD_PARTY,
})
const source = address("10.0.0.1")

/** One of each kind of reply, and whatever else. */
const requests: readonly (readonly number[])[] = [
  map(),
  map({ options: preferFailure() }),
  map({ options: thirdParty("10.0.0.9") }),
  map({ options: option(128, [104, 105, 33, 33]) }),
  map({ lifetime: 0 }),
  peer(),
  announce(),
  natPmpMap(1, 4000, 0, 7200),
  [0, 0],
  [0, 127],
  [1, 1],
  [2, 99, ...new Array<number>(2000).fill(1)],
]

describe("the memory of replies", () => {
  it("is the caller's where it is given, and holds the same octets", () => {
    assert.ok(made.ok)
    const start = made.state
    const bytes = fc.oneof(
      fc.constantFrom(...requests).map((request) => Uint8Array.from(request)),
      fc.uint8Array({ maxLength: 120 }),
    )
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 12 }), (datagrams) => {
        const block = new Uint8Array(32_768)
        const parts: Uint8Array[] = []
        let used = 3
        const parted = (length: number): Uint8Array => {
          const part = block.subarray(used, used + length)
          used += length
          parts.push(part)
          return part
        }
        let [plain, given] = [start, start]
        for (const [now, datagram] of datagrams.entries()) {
          const request = { bytes: datagram, now, source, sourcePort: 5350 }
          const [after, { reply: expected }] = process(plain, request)
          const [afterGiven, { reply }] = process(given, { ...request, octets: parted })
          plain = after
          given = afterGiven
          assert.deepEqual(reply, expected)
          // A part that an error made useless may stay unused.
          if (reply !== undefined) assert.equal(parts.at(-1), reply)
        }
        // Nothing was written beside the parts.
        assert.ok(block.subarray(0, 3).every((octet) => octet === 0))
        assert.ok(block.subarray(used).every((octet) => octet === 0))
      }),
    )
  })
})
