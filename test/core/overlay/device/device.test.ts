import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  type Association,
  activate,
  activateDevice,
  associateDevice,
  createDevice,
  createInstance,
  createVarpd,
  DIRECT_PLUGIN,
  deactivateDevice,
  deleteDevice,
  deviceProperties,
  disassociateDevice,
  getDeviceProperty,
  ipOctets,
  type OverlayDevices,
  registerPlugin,
  setDeviceProperty,
  setProperty,
  stringOctets,
  uintOctets,
} from "../../../../core/overlay/index.ts"
import { toHex } from "../../wire/hex.ts"
import { address, error, value } from "../provider/scripted.ts"

const made = value(createDevice(new Map(), 1, "vxlan", 23))
const dynamic: Association = { id: 7, plugin: "files", mode: "dynamic", destination: 6, point: undefined }
const set = (devices: OverlayDevices, name: string, octets: Uint8Array) => setDeviceProperty(devices, 1, name, octets)
const get = (devices: OverlayDevices, name: string): string => toHex(value(getDeviceProperty(devices, 1, name)))
const listening = value(set(made, "vxlan/listen_ip", ipOctets(address("10.88.88.69"))))
const ready = value(associateDevice(listening, 1, dynamic))
const active = value(activateDevice(ready, 1))

describe("B3: properties of a device", () => {
  const [device] = [...made.values()]
  const rows = new Map(deviceProperties(device, ["svp", "direct"]).map((info) => [info.name, info]))

  test("their rows: type, protection, default, range", () => {
    assert.deepEqual(
      [...rows.values()].map(({ name, type, required, writable, default: octets, possible }) => [
        name,
        type,
        `${required ? "R" : ""}${writable ? "RW" : "READ"}`,
        octets && toHex(octets),
        possible.kind === "ranges" ? possible.ranges : possible.kind === "strings" ? possible.strings : undefined,
      ]),
      [
        ["mtu", "uint", "RW", "0000000000000578", [[576, 8900]]],
        ["vnetid", "uint", "RW", undefined, [[0, 16_777_215]]],
        ["encap", "string", "READ", undefined, ["vxlan"]],
        ["varpd/id", "uint", "READ", undefined, undefined],
        ["search", "string", "READ", undefined, ["direct", "svp"]],
        ["vxlan/listen_ip", "ip", "RRW", undefined, undefined],
        ["vxlan/listen_port", "uint", "RRW", "00000000000012b5", [[1, 65_535]]],
      ],
    )
  })

  test("mtu: 1400, 576 to 8900 (not the manual's 9000), else EINVAL", () => {
    assert.equal(get(made, "mtu"), "0000000000000578")
    for (const mtu of [576, 8900])
      assert.equal(get(value(set(made, "mtu", uintOctets(mtu))), "mtu"), toHex(uintOctets(mtu)))
    for (const mtu of [0, 575, 8901, 9000, 2 ** 40]) assert.equal(error(set(made, "mtu", uintOctets(mtu))), "EINVAL")
    assert.equal(error(set(made, "mtu", new Uint8Array(7))), "EINVAL")
  })

  test("vnetid: 0 to 16777215, else EINVAL; quirk: 16777215 can be set, not created alone; another device's is EEXIST", () => {
    for (const vnetid of [0, 16_777_215]) {
      assert.equal(get(value(set(made, "vnetid", uintOctets(vnetid))), "vnetid"), toHex(uintOctets(vnetid)))
      assert.ok(createDevice(new Map(), 1, "vxlan", vnetid).ok)
    }
    for (const vnetid of [16_777_216, -1, 0.5])
      assert.equal(error(createDevice(new Map(), 1, "vxlan", vnetid)), "EINVAL")
    assert.equal(error(set(made, "vnetid", uintOctets(16_777_216))), "EINVAL")
    const two = value(createDevice(made, 2, "vxlan", 24))
    assert.equal(error(set(two, "vnetid", uintOctets(24))), "EEXIST")
    assert.ok(set(two, "vnetid", uintOctets(23)).ok)
  })

  test("encap, varpd/id and search: EPERM; the last two have size 0 while nobody answers", () => {
    assert.equal(get(made, "encap"), toHex(stringOctets("vxlan")))
    assert.equal(get(made, "varpd/id"), "")
    assert.equal(get(made, "search"), "")
    assert.equal(get(ready, "varpd/id"), "0000000000000007")
    assert.equal(get(ready, "search"), toHex(stringOctets("files")))
    for (const name of ["encap", "varpd/id", "search"]) assert.equal(error(set(made, name, uintOctets(1))), "EPERM")
  })

  test("vxlan/listen_ip: size other than 16, IPv4-compatible, 6to4 and groups of both families EINVAL; unset it has size 0", () => {
    assert.equal(get(made, "vxlan/listen_ip"), "")
    assert.equal(get(listening, "vxlan/listen_ip"), "00000000000000000000ffff0a585845")
    for (const text of ["::", "::10.0.0.1", "2002::1", "ff02::1", "239.0.0.1"])
      assert.equal(error(set(made, "vxlan/listen_ip", ipOctets(address(text)))), "EINVAL", text)
    for (const size of [15, 17]) assert.equal(error(set(made, "vxlan/listen_ip", new Uint8Array(size))), "EINVAL")
  })

  test("vxlan/listen_port: 4789; size other than 8, 0 and more than 65535 EINVAL", () => {
    assert.equal(get(made, "vxlan/listen_port"), "00000000000012b5")
    assert.equal(
      get(value(set(made, "vxlan/listen_port", uintOctets(65_535))), "vxlan/listen_port"),
      "000000000000ffff",
    )
    for (const port of [0, 65_536]) assert.equal(error(set(made, "vxlan/listen_port", uintOctets(port))), "EINVAL")
    for (const size of [7, 9]) assert.equal(error(set(made, "vxlan/listen_port", new Uint8Array(size))), "EINVAL")
  })

  test("an unknown name EINVAL, too little room EOVERFLOW, no device ENOENT, an active one ENOTSUP", () => {
    assert.equal(error(set(made, "none", uintOctets(1))), "EINVAL")
    assert.equal(error(getDeviceProperty(made, 1, "none")), "EINVAL")
    assert.equal(error(getDeviceProperty(made, 1, "mtu", 7)), "EOVERFLOW")
    assert.equal(value(getDeviceProperty(made, 1, "mtu", 8)).length, 8)
    assert.equal(error(getDeviceProperty(made, 2, "mtu")), "ENOENT")
    assert.equal(error(setDeviceProperty(made, 2, "mtu", uintOctets(1400))), "ENOENT")
    assert.equal(error(set(active, "mtu", uintOctets(1400))), "ENOTSUP")
  })
})

describe("B8: a device's life", () => {
  test("EINVAL for another encapsulation; EEXIST for a link or a vnetid that is taken", () => {
    assert.equal(error(createDevice(new Map(), 1, "geneve", 1)), "EINVAL")
    assert.equal(error(createDevice(made, 1, "vxlan", 24)), "EEXIST")
    assert.equal(error(createDevice(made, 2, "vxlan", 23)), "EEXIST")
  })

  test("active: required properties first (EINVAL), then an instance (ENXIO), once (EEXIST)", () => {
    assert.equal(error(activateDevice(new Map(), 1)), "ENOENT")
    assert.equal(error(activateDevice(made, 1)), "EINVAL")
    assert.equal(error(activateDevice(listening, 1)), "ENXIO")
    assert.ok(activateDevice(ready, 1).ok)
    assert.equal(error(activateDevice(active, 1)), "EEXIST")
  })

  test("deleted only when it is not active: EBUSY", () => {
    assert.equal(error(deleteDevice(active, 1)), "EBUSY")
    assert.equal(value(deleteDevice(value(deactivateDevice(active, 1)), 1)).size, 0)
    assert.equal(error(deactivateDevice(ready, 1)), "ENXIO")
    assert.equal(error(deleteDevice(new Map(), 1)), "ENOENT")
  })

  test("B4: ASSOCIATE refuses number 0, another destination, points of no use; EEXIST, ENOENT, and ENXIO at the end", () => {
    const point = { address: address("10.88.88.69"), port: 4789 }
    const direct: Association = { ...dynamic, plugin: "direct", mode: "point", point }
    assert.ok(associateDevice(made, 1, direct).ok)
    const wrong: readonly Association[] = [
      { ...dynamic, id: 0 },
      { ...dynamic, destination: 2 },
      { ...dynamic, destination: 7 },
      { ...dynamic, point },
      { ...direct, point: undefined },
      { ...direct, point: { ...point, port: 0 } },
      ...["::", "::10.0.0.1", "0.0.0.0"].map((text) => ({ ...direct, point: { ...point, address: address(text) } })),
    ]
    for (const one of wrong) assert.equal(error(associateDevice(made, 1, one)), "EINVAL")
    assert.equal(error(associateDevice(ready, 1, dynamic)), "EEXIST")
    assert.equal(error(associateDevice(made, 2, dynamic)), "ENOENT")
    assert.equal(get(value(disassociateDevice(ready, 1)), "varpd/id"), "")
    assert.equal(error(disassociateDevice(made, 1)), "ENXIO")
    assert.equal(error(disassociateDevice(made, 2)), "ENOENT")
  })
})

test("B11: what the reference's own script makes: vxlan and direct, to 169.254.0.0:2000, vnetid 20", () => {
  const plugins = value(registerPlugin(new Map(), DIRECT_PLUGIN))
  let devices = value(createDevice(new Map(), 3, "vxlan", 20))
  let [varpd, id] = value(
    createInstance(createVarpd(plugins), { link: 3, plugin: "direct", vnetid: 20, destination: 6 }),
  )
  devices = value(setDeviceProperty(devices, 3, "vxlan/listen_ip", ipOctets(address("127.0.0.1"))))
  varpd = value(setProperty(varpd, id, "direct/dest_ip", ipOctets(address("169.254.0.0"))))
  varpd = value(setProperty(varpd, id, "direct/dest_port", uintOctets(2000)))
  const [, result] = activate(varpd, id, { files: new Map(), now: 0 })
  const { point } = value(result)
  assert.deepEqual(point, { address: address("169.254.0.0"), port: 2000 })
  devices = value(associateDevice(devices, 3, { id, plugin: "direct", mode: "point", destination: 6, point }))
  assert.equal(value(activateDevice(devices, 3)).get(3)?.active, true)
})
