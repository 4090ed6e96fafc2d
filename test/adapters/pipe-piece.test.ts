import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { pipePiece } from "../../adapters/pipe-piece.ts"

test("pieces for a pipe are the whole in order, each one that a pipe takes at once, and end with a line where they can", () => {
  const run = fc.tuple(fc.integer({ min: 0, max: 6000 }), fc.boolean())
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), (runs) => {
      const text = runs.map(([length, isLine]) => "x".repeat(length) + (isLine ? "\n" : "")).join("")
      const bytes = new TextEncoder().encode(text)
      const pieces: string[] = []
      for (let rest = bytes; rest.length > 0; ) {
        const { length } = pipePiece(rest)
        assert.ok(length > 0)
        pieces.push(new TextDecoder().decode(rest.subarray(0, length)))
        rest = rest.subarray(length)
      }
      assert.equal(pieces.join(""), text)
      for (const [n, piece] of pieces.entries()) {
        assert.ok(piece.length <= 4096)
        // A piece that ends within a line has no end of one before, and is as long as can be, or the last.
        if (!piece.endsWith("\n"))
          assert.ok(!piece.includes("\n") && (piece.length === 4096 || n === pieces.length - 1), JSON.stringify(runs))
      }
    }),
  )
})
