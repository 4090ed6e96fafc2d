import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  activate,
  createInstance,
  createVarpd,
  destroyInstance,
  encodeSvp,
  getProperty,
  instanceOf,
  ipOctets,
  listProperties,
  lookup,
  macOf,
  parseSvp,
  queryOf,
  registerPlugin,
  restoreInstance,
  SVP_PLUGIN,
  type SvpBody,
  saveInstance,
  setProperty,
  stringOctets,
  tell,
  uintOctets,
  type Varpd,
  type VarpdEffect,
} from "../../../../core/overlay/index.ts"
import { hex, toHex } from "../../wire/hex.ts"
import { bytesOf } from "../arbitrary.ts"
import { address, error, value } from "../provider/scripted.ts"

const empty = createVarpd(value(registerPlugin(new Map(), SVP_PLUGIN)))
const options = { link: 1, plugin: "svp", vnetid: 23, destination: 6 }
const [made] = value(createInstance(empty, options))
const set = (varpd: Varpd, name: string, octets: Uint8Array): Varpd => value(setProperty(varpd, 1, name, octets))
const configured = set(
  set(made, "svp/host", stringOctets("svp.example")),
  "svp/underlay_ip",
  ipOctets(address("10.88.88.69")),
)
const start = { files: new Map(), now: 0 }
const point = { address: address("10.88.88.69"), port: 4789 }
const mac = macOf(0xdeadbeef0000)

/** What it sends, and the rest. */
const messages = (effects: readonly VarpdEffect[]): readonly string[] =>
  effects.flatMap((effect) =>
    effect.type === "outside" && effect.request.type === "send" ? [toHex(effect.request.bytes)] : [],
  )
const others = (effects: readonly VarpdEffect[]): readonly VarpdEffect[] =>
  effects.filter(({ type }) => type !== "wake" && type !== "outside")

/** With one active connection. */
const connected = (): Varpd => {
  let [varpd] = activate(configured, 1, start)
  ;[varpd] = tell(varpd, 1, { type: "resolved", addresses: [address("192.0.2.1")], now: 0 })
  ;[varpd] = tell(varpd, 1, { type: "connected", connection: 1, now: 0 })
  return varpd
}
const ask = (varpd: Varpd, frame: Uint8Array) => {
  const query = queryOf(frame)
  assert.ok(query !== undefined)
  return lookup(varpd, 1, 5, query, frame)
}
const answer = (varpd: Varpd, id: number, body: SvpBody) =>
  tell(varpd, 1, { type: "data", connection: 1, bytes: bytesOf(encodeSvp({ version: 1, id, body })), now: 0 })

const unicast = hex(`deadbeef0000 deadbeef0001 0800 ${"00".repeat(46)}`)
const arpRequest = hex(
  `ffffffffffff deadbeef0001 0806 0001 0800 06 04 0001 deadbeef0001 0a373703 000000000000 0a373702`,
)

describe("B6: the plugin svp", () => {
  test("a unicast is asked for by VL2_REQ, in the octets of the golden vector; OK answers, another status drops", () => {
    const [asked, effects] = ask(connected(), unicast)
    assert.deepEqual(messages(effects), [toHex(hex("00010003 0000000c 00000001 12bb7dbf deadbeef00000000 00000017"))])
    const golden = hex("00010004 00000014 00000001 010eb31c 0000 12b5 00000000000000000000ffff0a585845")
    const [, answered] = tell(asked, 1, { type: "data", connection: 1, bytes: golden, now: 0 })
    assert.deepEqual(others(answered), [{ type: "respond", id: 1, lookup: 5, target: point }])
    const [, refused] = answer(asked, 1, { kind: "vl2-ack", status: 2, ...point })
    assert.deepEqual(others(refused), [{ type: "drop", id: 1, lookup: 5 }])
    const [, useless] = answer(asked, 1, { kind: "vl2-ack", status: 0, ...point, port: 0 })
    assert.deepEqual(others(useless), [{ type: "drop", id: 1, lookup: 5 }])
  })

  test("ARP is asked for by VL3_REQ; first the cache is told where the MAC lives, then the answer injected", () => {
    const [asked, effects] = ask(connected(), arpRequest)
    const [request] = messages(effects)
    const parsed = parseSvp(hex(request))
    assert.ok(parsed.ok)
    assert.deepEqual(parsed.value.body, { kind: "vl3-request", address: address("10.55.55.2"), type: 1, vnetid: 23 })
    const [, answered] = answer(asked, 1, { kind: "vl3-ack", status: 0, mac, ...point })
    assert.deepEqual(
      others(answered).map(({ type }) => type),
      ["cache", "inject", "drop"],
    )
    assert.deepEqual(others(answered)[0], { type: "cache", id: 1, mac, target: point })
    const [, refused] = answer(asked, 1, { kind: "vl3-ack", status: 2, mac, ...point })
    assert.deepEqual(others(refused), [{ type: "drop", id: 1, lookup: 5 }])
  })

  test("33:33 is for the NDP proxy, or dropped where it is no IPv6; broadcasts and groups are dropped; nobody is asked", () => {
    for (const frame of [
      hex(`333300000001 deadbeef0001 0800 ${"00".repeat(46)}`),
      hex(`333300000001 deadbeef0001 86dd ${"00".repeat(46)}`),
      hex(`ffffffffffff deadbeef0001 0800 ${"00".repeat(46)}`),
      hex(`01005e000001 deadbeef0001 0800 ${"00".repeat(46)}`),
    ])
      assert.deepEqual(ask(connected(), frame)[1], [{ type: "drop", id: 1, lookup: 5 }])
  })

  test("without a connection a lookup is dropped at once", () => {
    const [varpd] = activate(configured, 1, start)
    assert.deepEqual(others(ask(varpd, unicast)[1]), [{ type: "drop", id: 1, lookup: 5 }])
  })

  test("the log: a shootdown of its own overlay is told to its cache, of another's to that one's", () => {
    let [varpd, effects] = tell(connected(), 1, { type: "tick", now: 5000 })
    assert.equal(messages(effects).length, 1)
    const uuid = "0".repeat(32)
    const records = [23, 24].map((vnetid) => ({ kind: "vl2", uuid, mac, pad: 0, vnetid }) as const)
    ;[varpd, effects] = answer(varpd, 1, { kind: "log-ack", status: 0, records, rest: new Uint8Array(0) })
    assert.deepEqual(others(effects), [
      { type: "cache", id: 1, mac, target: undefined },
      // The log is the host's, and its records are removed: the other overlay would not read them again.
      { type: "cache", id: 1, vnetid: 24, mac, target: undefined },
    ])
  })

  test("a name without addresses degrades the instance; its end closes what is open", () => {
    const [varpd] = activate(configured, 1, start)
    const [, effects] = tell(varpd, 1, { type: "resolved", addresses: [], now: 0 })
    assert.deepEqual(others(effects)[0], {
      type: "status",
      id: 1,
      text: "failed to resolve or find entries for hostname svp.example",
    })
    const [, ended] = value(destroyInstance(connected(), 1))
    assert.deepEqual(ended, [
      { type: "outside", id: 1, request: { type: "close", connection: 1 } },
      { type: "forget", id: 1 },
    ])
  })

  test("ENOTSUP for a destination other than IP and PORT; EAGAIN until host and underlay_ip are set", () => {
    for (const destination of [0, 2, 4, 7])
      assert.equal(error(createInstance(empty, { ...options, destination })), "ENOTSUP")
    assert.equal(error(activate(made, 1, start)[1]), "EAGAIN")
    assert.equal(error(activate(set(made, "svp/host", stringOctets("h")), 1, start)[1]), "EAGAIN")
    assert.ok(activate(configured, 1, start)[1].ok)
  })

  test("kept and restored; a key that is not there is not set, and a port that is not there is EAGAIN at the start", () => {
    const kept = saveInstance(value(instanceOf(configured, 1)))
    assert.deepEqual(kept.saved, {
      "svp/host": "svp.example",
      "svp/port": 1296,
      "svp/underlay_ip": "::ffff:10.88.88.69",
      "svp/underlay_port": 1339,
    })
    const overlay = { vnetid: 23, destination: 6 }
    const back = value(restoreInstance(empty, kept, overlay))
    assert.ok(activate(back, 1, start)[1].ok)
    const { "svp/port": _, ...portless } = kept.saved
    const without = value(restoreInstance(empty, { ...kept, saved: portless }, overlay))
    assert.equal(error(activate(without, 1, start)[1]), "EAGAIN")
    for (const wrong of [{ "svp/host": 1 }, { "svp/port": 65536 }, { "svp/port": "1" }, { "svp/underlay_ip": "x" }])
      assert.equal(error(restoreInstance(empty, { ...kept, saved: { ...kept.saved, ...wrong } }, overlay)), "EINVAL")
  })
})

describe("B3: properties of svp", () => {
  test("four, in order, with their defaults: port 1296, underlay_port 1339", () => {
    const [, ...own] = value(listProperties(made, 1))
    assert.deepEqual(
      own.map(({ name, type, required, writable, default: octets }) => [
        name,
        type,
        required && writable,
        octets && toHex(octets),
      ]),
      [
        ["svp/host", "string", true, undefined],
        ["svp/port", "uint", true, "0000000000000510"],
        ["svp/underlay_ip", "ip", true, undefined],
        ["svp/underlay_port", "uint", true, "000000000000053b"],
      ],
    )
    assert.deepEqual(own[1].possible, { kind: "ranges", ranges: [[1, 65535]] })
  })

  test("svp/underlay_ip: EOVERFLOW under 16 octets; IPv4-compatible, 6to4 and groups of both families EINVAL; quirk: read with the right size test", () => {
    assert.equal(error(setProperty(made, 1, "svp/underlay_ip", new Uint8Array(15))), "EOVERFLOW")
    for (const text of ["::10.0.0.1", "2002::1", "ff02::1", "239.0.0.1"])
      assert.equal(error(setProperty(made, 1, "svp/underlay_ip", ipOctets(address(text)))), "EINVAL", text)
    assert.equal(value(getProperty(configured, 1, "svp/underlay_ip", 16)).length, 16)
    assert.equal(error(getProperty(configured, 1, "svp/underlay_ip", 15)), "EOVERFLOW")
    assert.equal(value(getProperty(made, 1, "svp/underlay_ip")).length, 0)
  })

  test("both ports: EOVERFLOW under 8 octets, 0 and more than 65535 EINVAL", () => {
    for (const name of ["svp/port", "svp/underlay_port"]) {
      assert.equal(error(setProperty(made, 1, name, new Uint8Array(7))), "EOVERFLOW")
      for (const port of [0, 65536]) assert.equal(error(setProperty(made, 1, name, uintOctets(port))), "EINVAL")
      assert.deepEqual(value(getProperty(set(made, name, uintOctets(9)), 1, name)), uintOctets(9))
    }
  })
})
