import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { announce, option, profileWith, Scene } from "./scene.ts"

describe("ANNOUNCE (RFC 6887 section 14.1.2)", () => {
  it("S-81 answers SUCCESS with lifetime 0 and no payload, whatever the lifetime", () => {
    const scene = new Scene()
    scene.now = 2500
    for (const lifetime of [0, 7200]) {
      const reply = scene.reply(announce({ lifetime }))
      assert.deepEqual([...reply], [2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, ...new Array<number>(12).fill(0)])
    }
    assert.deepEqual(scene.changes, [])
  })

  it("S-81 expects options: optional ones are passed over, mandatory ones it does not know refused", () => {
    const scene = new Scene()
    assert.equal(scene.reply(announce({ options: option(129, [1, 2]) })).length, 24)
    assert.equal(scene.send(announce({ options: option(99) })).result, 5)
  })

  it("S-81 refuses another's address, and can be switched off", () => {
    assert.equal(new Scene().send(announce(), "10.0.0.2").result, 12)
    assert.equal(new Scene({ profile: profileWith({ announce: false }) }).send(announce()).result, 4)
  })

  it("S-81 answers IPv6 clients as well", () => {
    const scene = new Scene()
    assert.equal(scene.send(announce({ client: "20010db8000000000000000000000001" }), "2001:db8::1").result, 0)
  })
})
