import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  activate,
  createInstance,
  createVarpd,
  FILES_PLUGIN,
  filesOf,
  getProperty,
  instanceOf,
  listProperties,
  lookup,
  macOf,
  queryOf,
  readFilesTable,
  registerPlugin,
  restoreInstance,
  saveInstance,
  setProperty,
  stringOctets,
  tell,
  type Varpd,
  type VarpdEffect,
} from "../../../../core/overlay/index.ts"
import { hex, toHex } from "../../wire/hex.ts"
import { address, error, value } from "../provider/scripted.ts"

/** The sample of the manual page overlay_files.5. */
const SAMPLE = JSON.stringify({
  "de:ad:be:ef:00:00": { arp: "10.55.55.2", ip: "10.88.88.69", ndp: "fe80::3", port: 4789 },
  "de:ad:be:ef:00:01": {
    arp: "10.55.55.3",
    "dhcp-proxy": "de:ad:be:ef:00:00",
    ip: "10.88.88.70",
    ndp: "fe80::4",
    port: 4789,
  },
  "de:ad:be:ef:00:02": { arp: "10.55.55.4", ip: "10.88.88.71", ndp: "fe80::5", port: 4789 },
})

const CONFIG = "files/config"
const PATH = "/etc/overlay.json"
const empty = createVarpd(value(registerPlugin(new Map(), FILES_PLUGIN)))
const options = { link: 1, plugin: "files", vnetid: 23, destination: 6 }
const [made] = value(createInstance(empty, options))
const configured = value(setProperty(made, 1, CONFIG, stringOctets(PATH)))

const started = (text: string): Varpd => {
  const [next, result] = activate(configured, 1, { files: new Map([[PATH, text]]), now: 0 })
  value(result)
  return next
}
const starts = (text: string): string | undefined =>
  error(activate(configured, 1, { files: new Map([[PATH, text]]), now: 0 })[1])

const ask = (varpd: Varpd, frame: Uint8Array): readonly VarpdEffect[] => {
  const query = queryOf(frame)
  assert.ok(query !== undefined)
  return lookup(varpd, 1, 5, query, frame)[1]
}
const unicast = (mac: string): Uint8Array => hex(`${mac} deadbeef0000 0800 ${"00".repeat(46)}`)
const types = (effects: readonly VarpdEffect[]): readonly string[] => effects.map(({ type }) => type)

describe("B5: files", () => {
  test("the sample of the manual: each MAC has its address and port", () => {
    const varpd = started(SAMPLE)
    for (const [mac, ip] of [
      ["deadbeef0000", "10.88.88.69"],
      ["deadbeef0001", "10.88.88.70"],
      ["deadbeef0002", "10.88.88.71"],
    ])
      assert.deepEqual(ask(varpd, unicast(mac)), [
        { type: "respond", id: 1, lookup: 5, target: { address: address(ip), port: 4789 } },
      ])
    assert.deepEqual(ask(varpd, unicast("deadbeef0003")), [{ type: "drop", id: 1, lookup: 5 }])
  })

  test("ARP: the MAC of an arp address answers, an unknown one is dropped", () => {
    const request = (target: string): Uint8Array =>
      hex(`ffffffffffff deadbeef0000 0806 0001 0800 06 04 0001 deadbeef0000 0a373702 000000000000 ${target}`)
    const effects = ask(started(SAMPLE), request("0a373704"))
    assert.deepEqual(types(effects), ["inject", "drop"])
    assert.ok(effects[0].type === "inject")
    assert.equal(toHex(effects[0].frame.subarray(0, 12)), "deadbeef0000deadbeef0002")
    assert.deepEqual(types(ask(started(SAMPLE), request("0a373709"))), ["drop"])
  })

  test("NDP: the MAC of an ndp address answers", () => {
    const solicitation = hex(`3333ff000003 deadbeef0001 86dd 60000000 0020 3a ff fe800000000000000000000000000004
      ff0200000000000000000001ff000003 87 00 def4 00000000 fe800000000000000000000000000003 01 01 deadbeef0001`)
    const effects = ask(started(SAMPLE), solicitation)
    assert.deepEqual(types(effects), ["inject", "drop"])
    assert.ok(effects[0].type === "inject")
    assert.equal(toHex(effects[0].frame.subarray(0, 12)), "deadbeef0001deadbeef0000")
  })

  test("DHCP: the broadcast of a host with a dhcp-proxy goes there; others are dropped, and so are other broadcasts of IPv4", () => {
    const discover = (source: string): Uint8Array =>
      hex(
        `ffffffffffff ${source} 0800 4500 0148 0000 0000 40 11 0000 00000000 ffffffff 0044 0043 0134 0000 ${"00".repeat(300)}`,
      )
    const effects = ask(started(SAMPLE), discover("deadbeef0001"))
    assert.deepEqual(types(effects), ["resend", "drop"])
    assert.ok(effects[0].type === "resend")
    assert.equal(toHex(effects[0].frame.subarray(0, 12)), "deadbeef0000deadbeef0001")
    assert.deepEqual(types(ask(started(SAMPLE), discover("deadbeef0000"))), ["drop"])
    assert.deepEqual(types(ask(started(SAMPLE), hex(`ffffffffffff deadbeef0001 0800 ${"00".repeat(46)}`))), ["drop"])
  })

  test("an IPv6 frame to a multicast MAC is for the NDP proxy alone; one of IPv6 to a host is looked up", () => {
    assert.deepEqual(types(ask(started(SAMPLE), hex(`333300000001 deadbeef0000 86dd ${"00".repeat(46)}`))), ["drop"])
    assert.deepEqual(types(ask(started(SAMPLE), hex(`deadbeef0001 deadbeef0000 86dd ${"00".repeat(46)}`))), ["respond"])
  })

  test("a target that is missing or wrong is a drop at the lookup, not an error at the start", () => {
    for (const host of [
      {},
      { ip: "10.0.0.1" },
      { ip: "10.0.0.1", port: 0 },
      { ip: "10.0.0.1", port: 65536 },
      { ip: "10.0.0", port: 1 },
      { ip: 1, port: 1 },
      { ip: "10.0.0.1", port: "1" },
    ])
      assert.deepEqual(
        types(ask(started(JSON.stringify({ "2:0:0:0:0:1": host })), unicast("020000000001"))),
        ["drop"],
        JSON.stringify(host),
      )
    const six = started(JSON.stringify({ "2:0:0:0:0:1": { ip: "2001:db8::1", port: 1, other: [] } }))
    assert.deepEqual(types(ask(six, unicast("020000000001"))), ["respond"])
  })

  test("MACs are one whatever their zeros and case, and the last one counts", () => {
    const table = value(
      readFilesTable('{"DE:AD:BE:EF:00:01":{"ip":"10.0.0.1","port":1},"de:ad:be:ef:0:1":{"ip":"10.0.0.2","port":2}}'),
    )
    assert.equal(table.hosts.size, 1)
    assert.deepEqual(table.hosts.get(macOf(0xdeadbeef0001))?.target, { address: address("10.0.0.2"), port: 2 })
  })

  test("of two hosts with one overlay address the first answers; an arp of IPv6 and an ndp of IPv4 are none", () => {
    const table = value(
      readFilesTable(
        '{"0:0:0:0:0:1":{"arp":"10.0.0.9"},"0:0:0:0:0:2":{"arp":"10.0.0.9"},"0:0:0:0:0:3":{"arp":"fe80::1","ndp":"10.0.0.1"}}',
      ),
    )
    assert.deepEqual([...table.addresses], [[address("10.0.0.9"), 1]])
  })

  test("the start: EAGAIN without a path, ENOENT without the file, EPROTO, EINVAL and ENOTSUP for what it says", () => {
    assert.equal(error(activate(made, 1, { files: new Map(), now: 0 })[1]), "EAGAIN")
    assert.equal(error(activate(configured, 1, { files: new Map(), now: 0 })[1]), "ENOENT")
    assert.deepEqual(filesOf(value(instanceOf(configured, 1))), [PATH])
    for (const text of ["", "{", '{"0:0:0:0:0:1":{}', "{} x"]) assert.equal(starts(text), "EPROTO", text)
    for (const text of ["[]", "1", '{"x":{}}', '{"0:0:0:0:0:1":1}', '{"0:0:0:0:0:1":[]}', '{"0:0:0:0:0:1":null}'])
      assert.equal(starts(text), "EINVAL", text)
    assert.equal(starts('{"0:0:0:0:0:1":{"ip":"10.0.0.1","port":1.5}}'), "ENOTSUP")
    assert.equal(starts("{}"), undefined)
  })

  test("quirk: an escape is hexadecimal, as RFC 8259 has it", () => {
    const table = value(readFilesTable('{"0:0:0:0:0:\\u0031":{"ip":"10.0.0.1","port":1}}'))
    assert.deepEqual([...table.hosts.keys()], [1])
  })

  test("a destination that is not IP or PORT: ENOTSUP at create, EINVAL at restore", () => {
    assert.equal(error(createInstance(empty, { ...options, destination: 1 })), "ENOTSUP")
    const kept = { ...saveInstance(value(instanceOf(configured, 1))), destination: 1 }
    assert.equal(error(restoreInstance(empty, kept, { vnetid: 23, destination: 1 })), "EINVAL")
  })

  test("kept: the path and two counters, nothing without a path; a path without counters is EINVAL. quirk: the counters count", () => {
    assert.deepEqual(saveInstance(value(instanceOf(made, 1))).saved, {})
    const varpd = started(SAMPLE)
    const frame = unicast("deadbeef0003")
    const query = queryOf(frame)
    assert.ok(query !== undefined)
    const [missed] = lookup(varpd, 1, 5, query, frame)
    const kept = saveInstance(value(instanceOf(missed, 1)))
    assert.deepEqual(kept.saved, { "files/config": PATH, "files/vaf_nmisses": 1, "files/vaf_narp": 0 })
    const overlay = { vnetid: 23, destination: 6 }
    assert.deepEqual(saveInstance(value(instanceOf(value(restoreInstance(empty, kept, overlay)), 1))), kept)
    assert.equal(
      error(restoreInstance(empty, { ...kept, saved: { [CONFIG]: PATH, "files/vaf_nmisses": 1 } }, overlay)),
      "EINVAL",
    )
    assert.equal(
      value(getProperty(value(restoreInstance(empty, { ...kept, saved: {} }, overlay)), 1, CONFIG)).length,
      0,
    )
  })

  test("B3: files/config: STRING, RRW, no default, no list of values, and any path will do", () => {
    const [, info] = value(listProperties(made, 1))
    assert.deepEqual(
      [info.name, info.type, info.required, info.readable, info.writable, info.default, info.possible.kind],
      [CONFIG, "string", true, true, true, undefined, "any"],
    )
    assert.deepEqual(
      value(getProperty(value(setProperty(made, 1, CONFIG, stringOctets(""))), 1, CONFIG)),
      stringOctets(""),
    )
  })

  test("a file that changes is read again: hosts that moved or went are forgotten by the cache; a bad one changes nothing and is told", () => {
    const varpd = started(SAMPLE)
    const file = (text: string, path = PATH) => tell(varpd, 1, { type: "file", path, text, now: 1 })
    const moved = SAMPLE.replace("10.88.88.70", "10.88.88.99").replace("de:ad:be:ef:00:02", "de:ad:be:ef:00:09")
    const [next, effects] = file(moved)
    assert.deepEqual(effects, [
      { type: "cache", id: 1, mac: macOf(0xdeadbeef0001), target: undefined },
      { type: "cache", id: 1, mac: macOf(0xdeadbeef0002), target: undefined },
    ])
    assert.deepEqual(types(ask(next, unicast("deadbeef0009"))), ["respond"])
    const [bad, told] = file("{")
    assert.deepEqual(told, [
      { type: "status", id: 1, text: `${PATH}: the file is no JSON` },
      { type: "link", id: 1, up: false },
      { type: "service", degraded: true },
    ])
    assert.deepEqual(types(ask(bad, unicast("deadbeef0001"))), ["respond"])
    assert.deepEqual(types(tell(bad, 1, { type: "file", path: PATH, text: SAMPLE, now: 2 })[1]), [
      "status",
      "link",
      "service",
    ])
    assert.deepEqual(file("{", "/another")[1], [])
  })
})

test("any text: no throw, and what is read has hosts or an error", () => {
  const json = fc.dictionary(
    fc.oneof(fc.constantFrom("de:ad:be:ef:0:1", "__proto__", "constructor"), fc.string()),
    fc.oneof(
      fc.jsonValue(),
      fc.dictionary(
        fc.constantFrom("ip", "port", "arp", "ndp", "dhcp-proxy"),
        fc.oneof(fc.string(), fc.integer(), fc.ipV4(), fc.ipV6()),
      ),
    ),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        json.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const table = readFilesTable(text)
        if (!table.ok) assert.match(table.error, /^(?:EPROTO|EINVAL|ENOTSUP)$/)
      },
    ),
    { numRuns: 1000 },
  )
})
