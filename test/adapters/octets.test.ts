import assert from "node:assert/strict"
import { it } from "node:test"
import fc from "fast-check"
import { octets } from "../../adapters/octets.ts"

it("hands out octets that are all zero and nobody else's", () => {
  const length = fc.oneof(fc.nat({ max: 1100 }), fc.constantFrom(0, 1, 16_383, 16_384, 16_385, 65_507))
  fc.assert(
    fc.property(fc.array(length, { maxLength: 60 }), (lengths) => {
      const parts = lengths.map((wanted, i) => {
        const part = octets(wanted)
        assert.equal(part.length, wanted)
        assert.ok(part.every((octet) => octet === 0))
        return part.fill(i + 1)
      })
      for (const [i, part] of parts.entries()) assert.ok(part.every((octet) => octet === i + 1))
    }),
  )
})
