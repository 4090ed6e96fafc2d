import assert from "node:assert/strict"
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, type TestContext, test } from "node:test"
import { udp } from "#runtime"
import { formatProperty, type Overlay, type OverlayNote, type OverlayOptions } from "../../../adapters/overlay/index.ts"
import { isPoint, macOf, type PluginDefinition, registerPlugin, uintOctets } from "../../../core/overlay/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { hex, toHex } from "../../core/wire/hex.ts"
import { address } from "../udp-suite.ts"
import { A, B, box, C, endpoint, first, folder, frame, LOOPBACK, mac, peer, refusal } from "./scene.ts"

const direct = (port: number, more: Partial<OverlayOptions> = {}): OverlayOptions => ({
  name: "red",
  vnetid: 23,
  listen: LOOPBACK,
  plugin: "direct",
  properties: { "direct/dest_ip": "127.0.0.1", "direct/dest_port": `${port}` },
  ...more,
})

const files = (path: string, more: Partial<OverlayOptions> = {}): OverlayOptions => ({
  name: "blue",
  vnetid: 23,
  listen: LOOPBACK,
  plugin: "files",
  properties: { "files/config": path },
  ...more,
})

describe("B8: VXLAN over UDP", () => {
  test("a frame goes out behind the header of the reference's example, and one that comes is delivered", async (t) => {
    const there = await peer(t)
    const got = box<string>()
    const here = await endpoint(t, [direct(there.local.port, { deliver: (frame) => got.put(toHex(frame)) })])
    const sent = frame(A, B)
    first(here).transmit(sent)
    const { bytes, source } = await there.came.next()
    assert.equal(toHex(bytes), toHex(hex(`08000000 00001700 ${toHex(sent)}`)))
    assert.equal(source.port, first(here).local.port)
    const answer = frame(B, A, "01".repeat(60))
    // Reserved bits are ignored (RFC 7348 section 5).
    there.send(hex(`ff000001 000017ff ${toHex(answer)}`), source)
    assert.equal(await got.next(), toHex(answer))
    const { transmitted, sent: out, received, delivered } = first(here).counters()
    assert.deepEqual([transmitted, out, received, delivered], [1, 1, 1, 1])
  })

  test("what is no VXLAN, of no overlay, or no frame is counted and goes nowhere", async (t) => {
    const there = await peer(t)
    const got = box<string>()
    const here = await endpoint(t, [direct(there.local.port, { deliver: (frame) => got.put(toHex(frame)) })])
    const good = toHex(frame(A, B))
    const { local } = first(here)
    for (const text of ["00", "08000000 000017", `00000000 00001700 ${good}`]) there.send(hex(text), local)
    there.send(hex(`08000000 00001800 ${good}`), local)
    there.send(hex("08000000 00001700 deadbeef0000deadbeef000108"), local)
    there.send(hex(`08000000 00001700 deadbeef0000deadbeef0001 0800 ${"00".repeat(1401)}`), local)
    there.send(hex(`08000000 00001700 ${good}`), local)
    assert.equal(await got.next(), good)
    assert.deepEqual(here.counters(), { noVxlan: 3, unknownVnetid: 1 })
    const { received, delivered, runt, tooBig } = first(here).counters()
    assert.deepEqual([received, delivered, runt, tooBig], [3, 1, 1, 1])
  })

  test("overlays at one address and port share a socket, and each has its own frames", async (t) => {
    const there = await peer(t)
    const [red, blue] = [box<string>(), box<string>()]
    const here = await endpoint(t, [
      direct(there.local.port, { deliver: (frame) => red.put(toHex(frame)) }),
      direct(there.local.port, { name: "blue", vnetid: 0xffffff, deliver: (frame) => blue.put(toHex(frame)) }),
      direct(there.local.port, { name: "none", vnetid: 0 }),
    ])
    assert.equal(new Set(here.overlays.map(({ local }) => local.port)).size, 1)
    const good = toHex(frame(A, B))
    there.send(hex(`08000000 ffffff00 ${good}`), first(here).local)
    assert.equal(await blue.next(), good)
    assert.deepEqual(red.all(), [])
    for (const [name, header] of [
      ["blue", "08000000ffffff00"],
      ["none", "0800000000000000"],
    ] as const) {
      here.overlay(name)?.transmit(frame(A, C))
      assert.equal(toHex((await there.came.next()).bytes.subarray(0, 8)), header)
    }
  })

  test("over IPv6", async (t) => {
    const loopback = { address: address("::1"), port: 0 }
    const got = box<string>()
    const to = await endpoint(t, [direct(1, { listen: loopback, deliver: (frame) => got.put(toHex(frame)) })])
    const bound = await udp.bind({ local: loopback }, { receive: () => {}, error: () => {} })
    assert.ok(bound.ok)
    t.after(() => bound.value.close())
    bound.value.send(hex(`08000000 00001700 ${toHex(frame(A, B))}`), first(to).local)
    assert.equal(await got.next(), toHex(frame(A, B)))
    const properties = { "direct/dest_ip": "::1", "direct/dest_port": "4789" }
    // ::1 is of ::/96, which the reference has no targets in.
    assert.deepEqual(await refusal(endpoint(t, [direct(1, { listen: loopback, properties })])), [
      "EINVAL",
      0,
      "properties.direct/dest_ip",
    ])
  })

  test("the MTU is of what is behind the Ethernet header, with a tag or without", async (t) => {
    const there = await peer(t)
    const here = await endpoint(t, [direct(there.local.port, { mtu: 576 })])
    const one = first(here)
    one.transmit(frame(A, B, "00".repeat(577)))
    one.transmit(frame(A, B, `0001 0800 ${"00".repeat(577)}`, "8100"))
    one.transmit(hex("00"))
    one.transmit(frame(A, B, "00".repeat(576)))
    one.transmit(frame(A, B, `0001 0800 ${"00".repeat(576)}`, "8100"))
    assert.deepEqual(
      [(await there.came.next()).bytes.length, (await there.came.next()).bytes.length],
      [8 + 14 + 576, 8 + 18 + 576],
    )
    const { tooBig, runt, sent } = one.counters()
    assert.deepEqual([tooBig, runt, sent], [2, 1, 2])
  })
})

describe("an endpoint that cannot be", () => {
  const cases: readonly (readonly [string, readonly OverlayOptions[], readonly [string, number, string]])[] = [
    ["a vnetid of 25 bits", [direct(1, { vnetid: 0x1000000 })], ["EINVAL", 0, "vnetid"]],
    ["a vnetid twice", [direct(1), direct(1, { name: "blue" })], ["EEXIST", 1, "vnetid"]],
    ["a name twice", [direct(1), direct(1, { vnetid: 24 })], ["EEXIST", 1, "name"]],
    ["an MTU of 575", [direct(1, { mtu: 575 })], ["EINVAL", 0, "mtu"]],
    ["an MTU of 8901", [direct(1, { mtu: 8901 })], ["EINVAL", 0, "mtu"]],
    ["no such plugin", [direct(1, { plugin: "teleport" })], ["ENOENT", 0, "plugin"]],
    ["no such property", [direct(1, { properties: { x: "1" } })], ["EINVAL", 0, "properties.x"]],
    ["a port of 0", [direct(0)], ["EINVAL", 0, "properties.direct/dest_port"]],
    [
      "a port that is none",
      [direct(1, { properties: { "direct/dest_port": "soon" } })],
      ["EINVAL", 0, "properties.direct/dest_port"],
    ],
    [
      "a property that may not be set",
      [direct(1, { properties: { search: "svp" } })],
      ["EPERM", 0, "properties.search"],
    ],
    [
      "a property that is not set",
      [direct(1, { properties: { "direct/dest_port": "1" } })],
      ["EAGAIN", 0, "properties"],
    ],
    ["a file that is not there", [files("/nowhere/at/all")], ["ENOENT", 0, "properties.files/config"]],
    [
      "an address of another machine",
      [direct(1, { listen: { ...LOOPBACK, address: address("192.0.2.1") } })],
      ["EIO", 0, "listen"],
    ],
  ]
  for (const [name, overlays, wanted] of cases)
    test(name, async (t) => assert.deepEqual(await refusal(endpoint(t, overlays)), wanted))

  test("B3: what is not set is said by name, and all that was opened is closed", async (t) => {
    const open = await endpoint(t, [direct(1)])
    const { port } = first(open).local
    await open.close()
    const listen = { ...LOOPBACK, port }
    await assert.rejects(
      () => endpoint(t, [direct(1, { listen }), files("", { vnetid: 5, listen, plugin: "svp", properties: {} })]),
      /EAGAIN: .*; not set: svp\/host, svp\/underlay_ip$/,
    )
    // The same port is free again.
    assert.equal(first(await endpoint(t, [direct(1, { listen })])).local.port, port)
  })

  test("a port in use", async (t) => {
    const open = await endpoint(t, [direct(1)])
    assert.deepEqual(await refusal(endpoint(t, [direct(1, { listen: first(open).local })])), [
      "EADDRINUSE",
      0,
      "listen",
    ])
  })
})

describe("B5: lookups by files", () => {
  const text = (hosts: Readonly<Record<string, number>>): string =>
    JSON.stringify(Object.fromEntries(Object.entries(hosts).map(([mac, port]) => [mac, { ip: "127.0.0.1", port }])))

  test("frames for a MAC wait for its lookup, go to its target, and follow it when the file changes", async (t) => {
    const [one, other] = [await peer(t), await peer(t)]
    const path = join(folder(t), "hosts.json")
    writeFileSync(path, text({ [A]: one.local.port }))
    const notes = box<OverlayNote>()
    const here = await endpoint(t, [files(path)], { note: notes.put })
    const overlay = first(here)
    overlay.transmit(frame(A, C, "01".repeat(46)))
    overlay.transmit(frame(B, C))
    assert.equal(toHex((await one.came.next()).bytes.subarray(22)), "01".repeat(46))
    const { lookups, unanswered } = overlay.counters()
    assert.deepEqual([lookups, unanswered], [2, 1])
    assert.equal(overlay.get(mac(A)).ok, true)

    // No JSON changes nothing but what people are told.
    writeFileSync(path, "{")
    assert.deepEqual(await notes.next(), { type: "status", overlay: "blue", text: `${path}: the file is no JSON` })
    assert.equal(overlay.degraded(), `${path}: the file is no JSON`)
    assert.equal(overlay.get(mac(A)).ok, true)

    // As editors do it: another file takes its place.
    writeFileSync(`${path}.new`, text({ [A]: other.local.port, [B]: other.local.port }))
    renameSync(`${path}.new`, path)
    assert.deepEqual(await notes.next(), { type: "status", overlay: "blue", text: undefined })
    overlay.transmit(frame(A, C, "02".repeat(46)))
    assert.equal(toHex((await other.came.next()).bytes.subarray(22)), "02".repeat(46))
  })

  test("B7: ARP is answered to the link, DHCP goes to one server, and a proxy to everybody makes no loop", async (t) => {
    const there = await peer(t)
    const path = join(folder(t), "hosts.json")
    const { port } = there.local
    writeFileSync(
      path,
      JSON.stringify({
        [A]: { ip: "127.0.0.1", port, arp: "10.55.55.2" },
        [B]: { ip: "127.0.0.1", port, arp: "10.55.55.3", "dhcp-proxy": A },
        [C]: { ip: "127.0.0.1", port, "dhcp-proxy": "ff:ff:ff:ff:ff:ff" },
      }),
    )
    const got = box<string>()
    const here = await endpoint(t, [files(path, { deliver: (frame) => got.put(toHex(frame)) })])
    const overlay = first(here)
    const everybody = "ff:ff:ff:ff:ff:ff"
    overlay.transmit(frame(everybody, B, "0001 0800 06 04 0001 deadbeef0001 0a373703 000000000000 0a373702", "0806"))
    const wanted = "deadbeef0001 deadbeef0000 0806 0001 0800 06 04 0002 deadbeef0000 0a373702 deadbeef0001 0a373703"
    assert.equal(await got.next(), toHex(hex(wanted)))
    const dhcp = `4500 0148 0000 0000 40 11 0000 00000000 ffffffff 0044 0043 0134 0000 ${"00".repeat(300)}`
    overlay.transmit(frame(everybody, C, dhcp))
    overlay.transmit(frame(everybody, B, dhcp))
    assert.equal(toHex((await there.came.next()).bytes.subarray(8)), toHex(frame(A, B, dhcp)))
    const { injected, resent, lookups } = overlay.counters()
    assert.deepEqual([injected, resent, lookups], [1, 1, 4])
  })

  test("people look up, list, set, forget and flush (B8)", async (t) => {
    const path = join(folder(t), "hosts.json")
    writeFileSync(path, text({ [A]: 4000, [B]: 4001 }))
    const overlay = first(await endpoint(t, [files(path)]))
    const found = await overlay.lookup(mac(A))
    assert.ok(found !== "drop" && isPoint(found))
    assert.deepEqual([formatAddress(found.address), found.port], ["127.0.0.1", 4000])
    // To ask changes nothing.
    assert.deepEqual(overlay.get(mac(A)), { ok: false, error: "ENOENT", text: "the MAC is not known" })
    assert.equal(await overlay.lookup(mac(C)), "drop")
    assert.deepEqual(overlay.set({ mac: mac(C), target: "drop" }), { ok: true, value: undefined })
    assert.equal(overlay.set({ mac: mac(A), target: { address: found.address, port: 0 } }).ok, false)
    overlay.set({ mac: mac(B), target: { address: found.address, port: 9 } })
    assert.deepEqual(overlay.list(macOf(0), 500), {
      ok: true,
      value: {
        entries: [
          { mac: mac(B), target: { address: found.address, port: 9 } },
          { mac: mac(C), target: "drop" },
        ],
        next: undefined,
      },
    })
    overlay.transmit(frame(C, A))
    assert.equal(overlay.counters().dropEntry, 1)
    assert.equal(overlay.remove(mac(C)).ok, true)
    assert.equal(overlay.remove(mac(C)).ok, false)
    assert.equal(overlay.flush().ok, true)
    assert.equal(overlay.get(mac(B)).ok, false)
  })

  test("B3: properties are told, and set while it runs", async (t) => {
    const path = join(folder(t), "hosts.json")
    writeFileSync(path, "{}")
    const overlay = first(await endpoint(t, [files(path)]))
    const shown = () => overlay.properties().map(({ info, octets }) => [info.name, formatProperty(info, octets)])
    assert.deepEqual(shown(), [
      ["mtu", "1400"],
      ["vnetid", "23"],
      ["encap", "vxlan"],
      ["varpd/id", "1"],
      ["vxlan/listen_ip", "127.0.0.1"],
      ["vxlan/listen_port", `${overlay.local.port}`],
      ["search", "files"],
      ["files/config", path],
    ])
    assert.equal((await overlay.setProperty("files/config", new TextEncoder().encode("/other\0"))).ok, true)
    assert.deepEqual(shown()[7], ["files/config", "/other"])
    const fixed = await overlay.setProperty("mtu", uintOctets(1500))
    assert.equal(!fixed.ok && fixed.error, "ENOTSUP")
    const refused = await overlay.setProperty("search", new Uint8Array(1))
    assert.equal(!refused.ok && refused.error, "EPERM")
  })
})

describe("an endpoint of point mode", () => {
  test("B8: the point for every MAC, and ENOTSUP for changes", async (t) => {
    const overlay = first(await endpoint(t, [direct(4000)]))
    const point = { address: LOOPBACK.address, port: 4000 }
    assert.deepEqual(await overlay.lookup(mac(A)), point)
    assert.deepEqual(overlay.get(mac(B)), { ok: true, value: point })
    for (const result of [overlay.set({ mac: mac(A), target: "drop" }), overlay.remove(mac(A)), overlay.flush()])
      assert.equal(!result.ok && result.error, "ENOTSUP")
  })
})

/** A plugin that never answers. */
const silent: PluginDefinition<undefined> = {
  name: "silent",
  version: 1,
  mode: "dynamic",
  ops: {
    create: () => ({ ok: true, value: undefined }),
    start: () => ({ ok: true, value: [undefined, []] }),
    stop: () => [undefined, []],
    lookup: () => [undefined, []],
    properties: () => [],
    get: () => new Uint8Array(0),
    set: () => ({ ok: true, value: undefined }),
    save: () => ({}),
    restore: () => ({ ok: true, value: undefined }),
  },
}

const unanswered = async (t: TestContext, more: Partial<OverlayOptions>): Promise<Overlay> => {
  const plugins = registerPlugin(new Map(), silent)
  assert.ok(plugins.ok)
  const options = { ...direct(1), plugin: "silent", properties: {}, ...more }
  return first(await endpoint(t, [options], { plugins: plugins.value }))
}

describe("what is bounded, and who is heard", () => {
  test("lookups under way: a frame that would need one more is dropped", async (t) => {
    const one = await unanswered(t, { lookups: 2 })
    for (const to of [A, B, C, A, C]) one.transmit(frame(to, C))
    const { transmitted, lookups, full, sent } = one.counters()
    assert.deepEqual([transmitted, lookups, full, sent], [5, 2, 2, 0])
    await assert.rejects(() => one.lookup(mac(A), { timeout: 5 }), /ETIMEDOUT/)
  })

  test("octets that wait for one MAC: a frame that would be one too many is dropped", async (t) => {
    const one = await unanswered(t, { pendingOctets: 120 })
    // Two of 60 octets fit.
    for (const to of [A, A, A, B]) one.transmit(frame(to, C))
    const { transmitted, lookups, full, sent } = one.counters()
    assert.deepEqual([transmitted, lookups, full, sent], [4, 2, 1, 0])
  })

  test("the kernel's device alone gives frames to its port, and gets those that come; a checksum that it left is written", async (t) => {
    const [there, device] = [await peer(t), await peer(t)]
    const listen = { ...LOOPBACK, port: 0 }
    // Another socket than the device's.
    const underlay = { ...LOOPBACK, port: await freePort() }
    const kernel = { listen, peer: device.local }
    const other = { listen, peer: { ...device.local, address: address("127.0.0.9") } }
    const here = await endpoint(t, [
      direct(there.local.port, { kernel, listen: underlay }),
      direct(there.local.port, { name: "other", vnetid: 24, kernel: other, listen: underlay }),
    ])
    const [one, two] = here.overlays
    assert.ok(one?.kernel !== undefined && two !== undefined)
    const tcp = (checksum: string): string =>
      `4500 0029 0000 4000 40 06 0000 0a000001 0a000002 0400 0050 00000001 00000002 5010 0100 ${checksum} 0000 61`
    device.send(hex(`08000000 00001800 ${toHex(frame(A, B))}`), one.kernel)
    device.send(hex(`08000000 00001700 ${toHex(frame(A, B, tcp("141e")))}`), one.kernel)
    assert.equal(
      toHex((await there.came.next()).bytes),
      toHex(hex(`08000000 00001700 ${toHex(frame(A, B, tcp("357e")))}`)),
    )
    assert.deepEqual([two.counters().foreign, two.counters().transmitted, one.counters().foreign], [1, 0, 0])
    there.send(hex(`08000000 00001700 ${toHex(frame(B, A))}`), one.local)
    const back = await device.came.next()
    assert.equal(toHex(back.bytes), toHex(hex(`08000000 00001700 ${toHex(frame(B, A))}`)))
    assert.equal(back.source.port, one.kernel.port)
  })
})

/** A port that nobody has at this moment. */
const freePort = async (): Promise<number> => {
  const bound = await udp.bind({ local: LOOPBACK }, { receive: () => {}, error: () => {} })
  assert.ok(bound.ok)
  await bound.value.close()
  return bound.value.local.port
}
