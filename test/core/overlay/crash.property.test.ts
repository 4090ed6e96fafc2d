/** B9: an instance of any plugin that is lost at any step: what was kept is all that the next run has, and it goes on as it was set. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  activate,
  createInstance,
  createVarpd,
  DIRECT_PLUGIN,
  encodeInstance,
  FILES_PLUGIN,
  getProperty,
  type Instance,
  instanceOf,
  ipOctets,
  listProperties,
  lookup,
  PORTMAP_PLUGIN,
  parseInstance,
  queryOf,
  registerPlugin,
  restoreInstance,
  SVP_PLUGIN,
  saveInstance,
  setProperty,
  stringOctets,
  tell,
  uintOctets,
  type Varpd,
} from "../../../core/overlay/index.ts"
import { hex, toHex } from "../wire/hex.ts"
import { bytesOf } from "./arbitrary.ts"
import { address, value } from "./provider/scripted.ts"

const withDirect = value(registerPlugin(new Map(), DIRECT_PLUGIN))
const withFiles = value(registerPlugin(withDirect, FILES_PLUGIN))
const plugins = value(registerPlugin(value(registerPlugin(withFiles, SVP_PLUGIN)), PORTMAP_PLUGIN))
const text = (...texts: readonly string[]) => fc.constantFrom(...texts).map(stringOctets)
const ip = fc.constantFrom("10.88.88.69", "2001:db8::1", "fe80::1").map((one) => ipOctets(address(one)))
const port = fc.integer({ min: 1, max: 65_535 }).map(uintOctets)
/** A property of each plugin, and values that it takes. */
const PROPERTIES = {
  direct: [
    ["direct/dest_ip", ip],
    ["direct/dest_port", port],
  ],
  files: [["files/config", text("/a", "/b", "/ü")]],
  svp: [
    ["svp/host", text("svp.example", "192.0.2.1")],
    ["svp/port", port],
    ["svp/underlay_ip", ip],
    ["svp/underlay_port", port],
  ],
  portmap: [
    ["portmap/source", text("files", "svp", "directory")],
    ["portmap/config", text("/a", "/b")],
    ["portmap/name", text("overlay", "fleet")],
    ["portmap/lifetime", fc.integer({ min: 1, max: 86_400 }).map(uintOctets)],
    ["portmap/host", text("svp.example")],
    ["portmap/port", port],
    ["portmap/underlay_ip", ip],
  ],
} as const
type Name = keyof typeof PROPERTIES
const start = {
  files: new Map(["/a", "/b", "/ü"].map((path) => [path, '{"2:0:0:0:0:1":{"ip":"192.0.2.1","port":4789}}'])),
  now: 0,
  wall: 0,
}
const overlay = { vnetid: 23, destination: 6 }
const frame = hex(`020000000001 020000000002 0800 ${"00".repeat(46)}`)

/** The state of a directory, and of the process that writes to it. */
class Host {
  varpd: Varpd
  file: Uint8Array | undefined
  readonly id: number
  number = 0

  constructor(plugin: Name) {
    const [made, id] = value(createInstance(createVarpd(plugins), { link: 3, plugin, ...overlay }))
    this.varpd = made
    this.id = id
  }

  get instance(): Instance {
    return value(instanceOf(this.varpd, this.id))
  }

  keep(): void {
    this.file = bytesOf(encodeInstance(saveInstance(this.instance)))
  }

  properties(): readonly string[] {
    return value(listProperties(this.varpd, this.id)).map(
      ({ name }) => `${name} ${toHex(value(getProperty(this.varpd, this.id, name)))}`,
    )
  }

  activate(): boolean {
    const [next, result] = activate(this.varpd, this.id, start)
    this.varpd = next
    if (result.ok) this.keep()
    return result.ok
  }

  set(name: string, octets: Uint8Array): void {
    this.varpd = value(setProperty(this.varpd, this.id, name, octets))
    // The reference keeps what was set at activation alone.
    if (this.file !== undefined) this.keep()
  }

  ask(): readonly string[] {
    this.number++
    const query = queryOf(frame)
    assert.ok(query !== undefined)
    const [next, effects] = lookup(this.varpd, this.id, this.number, query, frame)
    this.varpd = next
    return effects.filter(({ type }) => type === "respond" || type === "drop").map(({ type }) => type)
  }

  /** All that was in memory is gone. */
  crash(): void {
    assert.ok(this.file !== undefined)
    const kept = parseInstance(this.file)
    assert.ok(kept.ok, kept.ok ? "" : kept.error.text)
    this.varpd = value(restoreInstance(createVarpd(plugins), kept.value, overlay))
  }
}

const step = (plugin: Name) => {
  const sets = PROPERTIES[plugin].map(([name, octets]) =>
    octets.map((one) => ({ kind: "set", name, octets: one }) as const),
  )
  return fc.oneof(
    ...sets,
    fc.constant({ kind: "activate" } as const),
    fc.constant({ kind: "ask" } as const),
    fc.constant({ kind: "tick" } as const),
  )
}
const play = fc
  .constantFrom<Name>("direct", "files", "svp", "portmap")
  .chain((plugin) => fc.tuple(fc.constant(plugin), fc.array(step(plugin), { maxLength: 25 })))

test("B9: at every step of any life, of every plugin: what is restored has all properties, answers as before, and can be lost again", () => {
  fc.assert(
    fc.property(play, ([plugin, steps]) => {
      const host = new Host(plugin)
      for (const [at, one] of steps.entries()) {
        if (one.kind === "set") host.set(one.name, one.octets)
        else if (one.kind === "activate" && host.instance.phase === "created") host.activate()
        else if (one.kind === "ask") host.ask()
        else if (one.kind === "tick") host.varpd = tell(host.varpd, host.id, { type: "tick", now: at * 1000 })[0]
        if (host.file === undefined) continue
        const before = host.properties()
        const kept = saveInstance(host.instance)
        const answers = host.instance.phase === "activated" && plugin !== "svp" ? host.ask() : undefined
        const [id, link] = [host.id, host.instance.link]
        host.crash()
        assert.equal(host.instance.phase, "created")
        assert.deepEqual(host.properties(), before)
        assert.deepEqual(saveInstance(host.instance), kept)
        assert.deepEqual([host.instance.id, host.instance.link], [id, link])
        // What was set after the activation may be of another source, which wants more.
        if (!host.activate()) continue
        assert.deepEqual(host.properties(), before)
        if (answers !== undefined && plugin !== "portmap") assert.deepEqual(host.ask(), answers)
      }
    }),
    { numRuns: 400 },
  )
})
