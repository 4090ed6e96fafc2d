import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { lacking, namespace } from "./namespace.ts"

const lack = lacking(["nft"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

const path = (from: string): string => fileURLToPath(new URL(from, import.meta.url))
const MODEL = path("nftables-model.ts")
const SEED = process.env.SALLYPORT_PROPERTY_SEED ?? "1"

const RUNTIMES = [
  ["Node", [process.execPath]],
  ["Deno", [path("../../node_modules/.bin/deno"), "run", "--allow-all"]],
  ["Bun", [path("../../node_modules/.bin/bun")]],
] as const

describe("random changes of a server against the kernel's own listing", { skip: lack ?? false }, () => {
  for (const [runtime, command] of RUNTIMES)
    for (const [way, name] of [
      ["library", "libnftables"],
      ["elements", "octets"],
      ["program", "the program nft"],
    ] as const)
      it(`${runtime}, by ${name}: the kernel has what the state says, after every batch`, async () => {
        const there = await namespace()
        const { code, stdout, stderr } = await there.run([...command, MODEL, way, SEED])
        there.stop()
        assert.equal(code, 0, `seed ${SEED}: ${stderr}`)
        const { most, taken, ...rest } = Object(JSON.parse(stdout))
        assert.deepEqual(rest, { way: name, agreed: 12 })
        assert.ok(most > 10, `${most}`)
        assert.equal(taken > 50, way === "elements", `${taken}`)
      })
})
