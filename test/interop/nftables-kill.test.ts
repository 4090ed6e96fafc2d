import assert from "node:assert/strict"
import process from "node:process"
import { describe, it } from "node:test"
import { lacking } from "./namespace.ts"
import { runKills } from "./nftables-kill.ts"

const lack = lacking(["nft", "conntrack"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

/** Of the 50 that `node test/interop/nftables-kill.ts 50` does. */
const ROUNDS = 6

describe("serve --nftables --state killed under load", { skip: lack ?? false }, () => {
  it("kernel and server agree after each restart, no external end is two hosts', and hosts get back what they had", async () => {
    const seed = Number(process.env.SALLYPORT_PROPERTY_SEED ?? 1)
    const { answered, kept } = await runKills(ROUNDS, seed)
    assert.ok(answered > 0 && kept > 0, `seed ${seed}: ${kept} of ${answered}`)
  })
})
