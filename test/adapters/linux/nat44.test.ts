import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { nat44Plane } from "../../../adapters/linux/index.ts"
import { type Address, addressFromIpv4 } from "../../../core/wire/index.ts"

const BASE = 0xcb007100
const pool = (lasts: readonly number[]): readonly Address[] => lasts.map((last) => addressFromIpv4(BASE + last))
const bodyOf = (lasts: readonly number[]): string =>
  nat44Plane({
    outside: ["wan"],
    external: pool(lasts),
    staticExternal: [],
    implicitPorts: { first: 40_000, last: 50_000 },
  }).body

describe("the addresses that other connections of a NAT44 have", () => {
  it("RFC 4787 REQ-2: wherever there is a choice of several it is the same for all that a host sends", () => {
    for (const count of [2, 3, 8]) {
      const body = bodyOf(Array.from({ length: count }, (_, i) => 8 + i))
      const choices = body.split("\n").filter((line) => / snat ip to 203\.0\.113\.8-/.test(line))
      assert.equal(choices.length, 2, body)
      for (const line of choices) assert.match(line, / persistent$/)
    }
    assert.doesNotMatch(bodyOf([7]), /persistent/)
  })

  it("are all of the pool, each as likely as another", () => {
    for (const lasts of [[7], [9, 8], [1, 3, 5], [8, 9, 10, 20, 22, 21, 40], [255, 0]]) {
      const body = bodyOf(lasts)
      // A chain's first and last address, and which of the hosts' hashes go there.
      const chains = new Map(
        [...body.matchAll(/chain implicit-(\d+) \{\n.*snat ip to ([\d.]+)(?:-([\d.]+))?:40000-50000/g)].map(
          ([, number, first, last = first]) => [number, [first, last].map((text) => Number(text.split(".")[3]))],
        ),
      )
      const found = [...chains.values()].flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, i) => first + i),
      )
      assert.deepEqual(
        found,
        [...lasts].sort((a, b) => a - b),
      )
      if (chains.size === 1) {
        assert.match(body, /\n {4}jump implicit-0\n/)
        continue
      }
      const [, modulus, map] = /jhash ip saddr mod (\d+) vmap \{ (.*) \}/.exec(body) ?? assert.fail(body)
      assert.equal(Number(modulus), lasts.length)
      let next = 0
      for (const [, from, to = from, number] of map.matchAll(/(\d+)(?:-(\d+))? : jump implicit-(\d+)/g)) {
        const [first, last] = chains.get(number) ?? assert.fail(map)
        assert.equal(Number(from), next)
        assert.equal(Number(to) - Number(from), last - first)
        next = Number(to) + 1
      }
      assert.equal(next, lasts.length)
    }
  })
})
