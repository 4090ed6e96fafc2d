import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  activate,
  createInstance,
  createVarpd,
  DIRECT_PLUGIN,
  getProperty,
  instanceOf,
  ipOctets,
  ipOf,
  type Outcome,
  propertyInfo,
  registerPlugin,
  restoreInstance,
  saveInstance,
  setProperty,
  uintOctets,
  uintOf,
  type Varpd,
} from "../../../../core/overlay/index.ts"
import { formatAddress } from "../../../../core/wire/index.ts"
import { address, error, value } from "../provider/scripted.ts"

const empty = createVarpd(value(registerPlugin(new Map(), DIRECT_PLUGIN)))
const made = (destination: number): Outcome<readonly [Varpd, number]> =>
  createInstance(empty, { link: 1, plugin: "direct", vnetid: 20, destination })
const [both] = value(made(6))
const start = { files: new Map(), now: 0 }
const IP = "direct/dest_ip"
const PORT = "direct/dest_port"
const set = (varpd: Varpd, name: string, octets: Uint8Array): Varpd => value(setProperty(varpd, 1, name, octets))

describe("B4: direct", () => {
  test("serves IP, PORT or both: ENOTSUP for any other destination", () => {
    for (const destination of [0, 1, 3, 5, 7, 8]) assert.equal(error(made(destination)), "ENOTSUP")
    for (const destination of [2, 4, 6]) assert.ok(made(destination).ok)
  })

  test("EAGAIN until all that it needs is set; quirk: the port is needed where the PORT bit is, not where the IP bit is", () => {
    const starts = (varpd: Varpd): string | undefined => error(activate(varpd, 1, start)[1])
    assert.equal(starts(both), "EAGAIN")
    const withIp = set(both, IP, ipOctets(address("10.0.0.2")))
    assert.equal(starts(withIp), "EAGAIN")
    assert.equal(starts(set(both, PORT, uintOctets(4789))), "EAGAIN")
    const [, result] = activate(set(withIp, PORT, uintOctets(4789)), 1, start)
    assert.deepEqual(value(result).point, { address: address("10.0.0.2"), port: 4789 })
    const [portAlone] = value(made(4))
    assert.equal(starts(portAlone), "EAGAIN")
  })

  test("one property for each bit", () => {
    const [ipAlone] = value(made(2))
    assert.ok(propertyInfo(ipAlone, 1, IP).ok)
    assert.equal(error(propertyInfo(ipAlone, 1, PORT)), "ENOENT")
    assert.equal(error(setProperty(ipAlone, 1, PORT, uintOctets(1))), "EINVAL")
  })

  test("an unspecified point is refused after the start: EINVAL, and only destroying it is left", () => {
    const any = set(set(both, IP, ipOctets(address("0.0.0.0"))), PORT, uintOctets(4789))
    const [next, result] = activate(any, 1, start)
    assert.equal(error(result), "EINVAL")
    assert.equal(value(instanceOf(next, 1)).phase, "started")
    assert.equal(error(activate(next, 1, start)[1]), "EEXIST")
  })

  test("kept and restored; quirk: that the address is set, and the destination, come back too", () => {
    const ready = set(set(both, IP, ipOctets(address("10.0.0.2"))), PORT, uintOctets(4789))
    const kept = saveInstance(value(instanceOf(ready, 1)))
    assert.deepEqual(kept.saved, { "direct/dest_port": 4789, "direct/dest_ip": "::ffff:10.0.0.2" })
    const overlay = { vnetid: 20, destination: 6 }
    const back = value(restoreInstance(empty, kept, overlay))
    assert.ok(activate(back, 1, start)[1].ok)
    const partly = value(restoreInstance(empty, { ...kept, saved: {} }, overlay))
    assert.equal(value(getProperty(partly, 1, IP)).length, 0, "a key that is not there is not set")
    for (const saved of [{ [IP]: "no address" }, { [IP]: 1 }, { [PORT]: 0 }, { [PORT]: "1" }])
      assert.equal(error(restoreInstance(empty, { ...kept, saved }, overlay)), "EINVAL")
  })
})

describe("B3: properties of direct", () => {
  test("direct/dest_ip: IP, RRW, no default; EOVERFLOW under 16 octets; IPv4-compatible and 6to4 EINVAL, groups are allowed", () => {
    const info = value(propertyInfo(both, 1, IP))
    assert.deepEqual(
      [info.type, info.required, info.readable, info.writable, info.default, info.possible.kind],
      ["ip", true, true, true, undefined, "any"],
    )
    assert.equal(value(getProperty(both, 1, IP)).length, 0, "not set: size 0")
    assert.equal(error(setProperty(both, 1, IP, new Uint8Array(15))), "EOVERFLOW")
    for (const text of ["::10.0.0.1", "::1", "::", "2002::1"])
      assert.equal(error(setProperty(both, 1, IP, ipOctets(address(text)))), "EINVAL", text)
    for (const text of ["10.0.0.2", "2001:db8::2", "239.0.0.1", "ff02::1"]) {
      const octets = value(getProperty(set(both, IP, ipOctets(address(text))), 1, IP))
      assert.equal(formatAddress(value(ipOf(octets))), text)
    }
    assert.equal(error(getProperty(set(both, IP, ipOctets(address("10.0.0.2"))), 1, IP, 15)), "EOVERFLOW")
  })

  test("direct/dest_port: UINT, RRW, no default, 1-65535; EOVERFLOW under 8 octets; 0 and more EINVAL", () => {
    const info = value(propertyInfo(both, 1, PORT))
    assert.deepEqual(
      [info.type, info.required, info.default, info.possible],
      ["uint", true, undefined, { kind: "ranges", ranges: [[1, 65535]] }],
    )
    assert.equal(error(setProperty(both, 1, PORT, new Uint8Array(7))), "EOVERFLOW")
    for (const port of [0, 65536, 2 ** 32 + 1])
      assert.equal(error(setProperty(both, 1, PORT, uintOctets(port))), "EINVAL")
    for (const port of [1, 65535])
      assert.equal(value(uintOf(value(getProperty(set(both, PORT, uintOctets(port)), 1, PORT)))), port)
  })
})
