/** B9: instances that outlive their process. */
import assert from "node:assert/strict"
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { formatProperty, type Overlay, type OverlayNote, type OverlayOptions } from "../../../adapters/overlay/index.ts"
import { parseInstance, stringOctets } from "../../../core/overlay/index.ts"
import { box, endpoint, first, folder, LOOPBACK, refusal } from "./scene.ts"

const files = (path: string, more: Partial<OverlayOptions> = {}): OverlayOptions => ({
  name: "blue",
  vnetid: 23,
  listen: LOOPBACK,
  plugin: "files",
  properties: { "files/config": path },
  ...more,
})

const shown = (one: Overlay, name: string): string | undefined => {
  const found = one.properties().find(({ info }) => info.name === name)
  return found === undefined ? undefined : formatProperty(found.info, found.octets)
}

/** A folder for instances, and a file of the plugin. */
const places = (t: Parameters<typeof folder>[0]): readonly [string, string] => {
  const path = folder(t)
  const hosts = join(path, "hosts.json")
  writeFileSync(hosts, "{}")
  const kept = join(path, "varpd")
  mkdirSync(kept)
  return [kept, hosts]
}

describe("B9: instances over a crash", () => {
  test("a file for each, mode 0600, there before the first frame is taken, and again with each property that is set", async (t) => {
    const [kept, hosts] = places(t)
    const overlays = [files(hosts), files(hosts, { name: "red", vnetid: 24 })]
    const here = await endpoint(t, overlays, { folder: kept })
    assert.deepEqual(readdirSync(kept).sort(), ["1.varpd", "2.varpd"])
    assert.equal(statSync(join(kept, "1.varpd")).mode & 0o777, 0o600)
    const read = () => {
      const parsed = parseInstance(new Uint8Array(readFileSync(join(kept, "1.varpd"))))
      assert.ok(parsed.ok)
      return parsed.value
    }
    assert.deepEqual(read(), {
      id: 1,
      link: 23,
      destination: 6,
      mode: "dynamic",
      plugin: "files",
      saved: { "files/config": hosts, "files/vaf_nmisses": 0, "files/vaf_narp": 0 },
    })
    assert.equal((await first(here).setProperty("files/config", stringOctets("/other"))).ok, true)
    assert.equal(read().saved["files/config"], "/other")
  })

  test("the next run has the same numbers and what was kept, under what its options say", async (t) => {
    const [kept, hosts] = places(t)
    const one = await endpoint(t, [files(hosts), files(hosts, { name: "red", vnetid: 24 })], { folder: kept })
    const before = readFileSync(join(kept, "2.varpd"))
    await one.close()
    // As a crash leaves them: red is now the first overlay, and says nothing of its property.
    writeFileSync(join(kept, "2.varpd"), before)
    const again = await endpoint(
      t,
      [files("", { name: "red", vnetid: 24, properties: { "files/config": hosts } }), files(hosts)],
      { folder: kept },
    )
    assert.deepEqual(
      again.overlays.map(({ name, id }) => [name, id]),
      [
        ["red", 2],
        ["blue", 1],
      ],
    )
    assert.equal(shown(first(again), "files/config"), hosts)
  })

  test("what cannot be read, or belongs to nobody, is set aside with a line, and nothing else is touched", async (t) => {
    const [kept, hosts] = places(t)
    const good = await endpoint(t, [files(hosts), files(hosts, { name: "red", vnetid: 24 })], { folder: kept })
    await good.close()
    const damaged = readFileSync(join(kept, "1.varpd"))
    damaged[30] = (damaged[30] ?? 0) ^ 1
    writeFileSync(join(kept, "1.varpd"), damaged)
    writeFileSync(join(kept, "7.varpd"), readFileSync(join(kept, "2.varpd")))
    writeFileSync(join(kept, "note.txt"), "mine")
    mkdirSync(join(kept, "9.varpd"))
    const notes = box<OverlayNote>()
    const again = await endpoint(t, [files(hosts)], { folder: kept, note: notes.put })
    const lines = notes.all().map((note) => (note.type === "kept" ? `${note.path}: ${note.text}` : note.type))
    assert.deepEqual(lines.toSorted(), [
      `${kept}/1.varpd: no instance can be restored: the MD5 is another one: the file is not as it was written; it was set aside as ${kept}/1.varpd.bad-1`,
      `${kept}/2.varpd: no overlay has the vnetid 24; it was set aside as ${kept}/2.varpd.bad-1`,
      `${kept}/7.varpd: no instance can be restored: it keeps the instance 2; it was set aside as ${kept}/7.varpd.bad-1`,
    ])
    assert.deepEqual(readdirSync(kept).sort(), [
      "1.varpd",
      "1.varpd.bad-1",
      "2.varpd.bad-1",
      "7.varpd.bad-1",
      "9.varpd",
      "note.txt",
    ])
    assert.equal(first(again).id, 1)
  })

  test("an overlay that has another plugin now begins anew", async (t) => {
    const [kept, hosts] = places(t)
    await (await endpoint(t, [files(hosts)], { folder: kept })).close()
    const notes = box<OverlayNote>()
    const properties = { "direct/dest_ip": "10.0.0.1", "direct/dest_port": "4789" }
    const again = await endpoint(t, [files(hosts, { plugin: "direct", properties })], { folder: kept, note: notes.put })
    const [note] = notes.all()
    assert.ok(note?.type === "kept" && /blue has the plugin direct now, and not files/.test(note.text))
    assert.equal(shown(first(again), "direct/dest_ip"), "10.0.0.1")
  })

  test("a folder that is not there, or takes no file, and nothing comes up", async (t) => {
    const [kept, hosts] = places(t)
    assert.deepEqual(await refusal(endpoint(t, [files(hosts)], { folder: join(kept, "nowhere") })), ["ENOENT"])
    // A folder stands in its way, with something in it.
    mkdirSync(join(kept, "1.varpd.new", "full"), { recursive: true })
    assert.deepEqual(await refusal(endpoint(t, [files(hosts)], { folder: kept })), ["EINVAL", 0, "properties"])
  })
})
