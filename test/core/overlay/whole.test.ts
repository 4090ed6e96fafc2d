/** The pieces together: a frame, the cache, an instance of `files`, VXLAN around the frame; and an instance that is lost at any step. */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  activate,
  associate,
  createCache,
  createInstance,
  createVarpd,
  encodeVxlan,
  FILES_PLUGIN,
  instanceOf,
  lookup,
  parseVxlan,
  registerPlugin,
  removeEntry,
  respond,
  restoreInstance,
  saveInstance,
  setProperty,
  stringOctets,
  type TargetCache,
  type TargetPoint,
  tell,
  transmit,
  type Varpd,
} from "../../../core/overlay/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { hex, toHex } from "../wire/hex.ts"
import { bytesOf } from "./arbitrary.ts"
import { value } from "./provider/scripted.ts"

const PATH = "/overlay.json"
const text = '{"de:ad:be:ef:0:1":{"ip":"10.88.88.70","port":4789},"de:ad:be:ef:0:2":{"ip":"2001:db8::7","port":4790}}'
const start = { files: new Map([[PATH, text]]), now: 0 }
const plugins = value(registerPlugin(new Map(), FILES_PLUGIN))
const overlay = { vnetid: 23, destination: 6 }

/** An instance that answers. */
const begun = (varpd: Varpd): Varpd => {
  const [next, result] = activate(varpd, 1, start)
  value(result)
  return next
}
const fresh = (): Varpd => {
  const [made] = value(createInstance(createVarpd(plugins), { link: 1, plugin: "files", ...overlay }))
  return begun(value(setProperty(made, 1, "files/config", stringOctets(PATH))))
}
/** The instance that the next run has: what was kept is all that is left. */
const crashed = (varpd: Varpd): Varpd =>
  begun(value(restoreInstance(createVarpd(plugins), saveInstance(value(instanceOf(varpd, 1))), overlay)))

const cacheOfFiles = (): TargetCache => value(associate(createCache({ mode: "dynamic", hashKey: [3, 4] })))

/** Sends a frame, and does what is wanted until nothing is; the datagrams that go out, and where. */
const send = (
  varpd: Varpd,
  cache: TargetCache,
  frame: Uint8Array,
): readonly [Varpd, TargetCache, readonly (readonly [TargetPoint, Uint8Array])[]] => {
  const out: (readonly [TargetPoint, Uint8Array])[] = []
  const [sentOn, effects] = transmit(cache, frame)
  let now = sentOn
  let instances = varpd
  for (const effect of effects) {
    if (effect.type === "send")
      out.push([effect.target, bytesOf(encodeVxlan({ vnetid: overlay.vnetid, frame: effect.frame }))])
    if (effect.type !== "lookup") continue
    const [next, answers] = lookup(instances, 1, effect.lookup, effect.query, effect.frame)
    instances = next
    for (const answer of answers) {
      if (answer.type !== "respond") continue
      const [after, sent] = value(respond(now, answer.lookup, answer.target))
      now = after
      for (const one of sent)
        if (one.type === "send")
          out.push([one.target, bytesOf(encodeVxlan({ vnetid: overlay.vnetid, frame: one.frame }))])
    }
  }
  return [instances, now, out]
}

const frameTo = (mac: string): Uint8Array => hex(`${mac} deadbeef0000 0800 ${"ab".repeat(46)}`)

test("a frame goes to where the file says, in VXLAN, the second time without a question; at a crash nothing is lost but questions", () => {
  for (const life of [(varpd: Varpd) => varpd, crashed]) {
    let [varpd, cache] = [fresh(), cacheOfFiles()]
    for (const [mac, where] of [
      ["deadbeef0001", "10.88.88.70:4789"],
      ["deadbeef0002", "2001:db8::7:4790"],
      ["deadbeef0001", "10.88.88.70:4789"],
    ]) {
      const [next, known, out] = send(life(varpd), cache, frameTo(mac))
      ;[varpd, cache] = [life(next), known]
      assert.equal(out.length, 1)
      const [[target, datagram]] = out
      assert.equal(`${formatAddress(target.address)}:${target.port}`, where)
      assert.equal(toHex(datagram), `0800000000001700${toHex(frameTo(mac))}`)
      const inside = parseVxlan(datagram)
      assert.ok(inside.ok)
      assert.equal(toHex(inside.value.frame), toHex(frameTo(mac)))
    }
    assert.equal(send(varpd, cache, frameTo("deadbeef0009"))[2].length, 0)
  }
})

test("a host that moves in the file is followed: its entry is forgotten, and the next frame asks again", () => {
  const [varpd, cache] = send(fresh(), cacheOfFiles(), frameTo("deadbeef0001"))
  const [moved, effects] = tell(varpd, 1, {
    type: "file",
    path: PATH,
    text: text.replace("10.88.88.70", "10.88.88.99"),
    now: 1,
  })
  const [forget] = effects
  assert.ok(forget.type === "cache" && forget.target === undefined)
  const [, , out] = send(moved, value(removeEntry(cache, forget.mac)), frameTo("deadbeef0001"))
  assert.equal(formatAddress(out[0][0].address), "10.88.88.99")
})
