import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { createTable, type Nft, nat44Plane } from "../../../adapters/linux/index.ts"
import type { Change } from "../../../core/cgn/index.ts"
import { type Address, parseAddress } from "../../../core/wire/index.ts"

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

const taking: Nft = {
  way: "a test",
  run: () => ({ ok: true, output: "" }),
  terse: () => ({ ok: true, output: "" }),
  close: () => {},
}

describe("a table's changes", () => {
  it("as many external ends as a NAT has may be free at one instant, and the connections of each end", () => {
    const external = address("203.0.113.7")
    const plane = nat44Plane({
      outside: ["wan"],
      external: [external],
      staticExternal: [],
      implicitPorts: { first: 1024, last: 2047 },
    })
    const changes = Array.from(
      { length: 300_000 },
      (_, i): Change => ({ type: "freed", protocol: 17, external, externalPort: i % 65_536 }),
    )
    const applied = createTable(taking, plane).apply(changes, 0)
    assert.ok(applied.ok)
    assert.equal(applied.ended.length, changes.length)
    assert.deepEqual(applied.ended[7], { family: 4, protocol: 17, destination: "203.0.113.7", destinationPort: 7 })
  })
})
