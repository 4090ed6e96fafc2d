import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  answerCall,
  createCache,
  createVarpd,
  DIRECT_PLUGIN,
  DOOR_COMMANDS,
  type DoorCall,
  type DoorReply,
  type DoorState,
  doorCommandOf,
  FILES_PLUGIN,
  ipOctets,
  macOf,
  registerPlugin,
  stringOctets,
  uintOctets,
} from "../../../../core/overlay/index.ts"
import { address, error, value } from "../provider/scripted.ts"

const plugins = value(registerPlugin(value(registerPlugin(new Map(), DIRECT_PLUGIN)), FILES_PLUGIN))
const point = { address: address("10.88.88.69"), port: 4789 }
const mac = macOf(0xdeadbeef0001)
const start = { files: new Map([["/a", "{}"]]), now: 0 }

/** The door, and what is behind it. */
class Behind {
  state: DoorState = { varpd: createVarpd(plugins), caches: new Map() }

  call(call: DoorCall, privileged = true): DoorReply {
    const [next, outcome] = answerCall(this.state, call, privileged)
    this.state = next
    return value(outcome)
  }

  fails(call: DoorCall, privileged = true): string | undefined {
    const [next, outcome] = answerCall(this.state, call, privileged)
    assert.equal(next, this.state)
    return error(outcome)
  }
}

/** Of one plugin, active, with a cache. */
const behind = (plugin: "direct" | "files"): Behind => {
  const door = new Behind()
  assert.deepEqual(door.call({ command: "create", link: 5, plugin, vnetid: 23, destination: 6 }), {
    type: "instance",
    id: 1,
  })
  const set = (property: string, octets: Uint8Array) => door.call({ command: "setprop", id: 1, property, octets })
  if (plugin === "files") set("files/config", stringOctets("/a"))
  else {
    set("direct/dest_ip", ipOctets(point.address))
    set("direct/dest_port", uintOctets(point.port))
  }
  const cache = createCache({ mode: plugin === "files" ? "dynamic" : "point", hashKey: [1, 2] })
  door.state = { ...door.state, caches: new Map([[1, cache]]) }
  assert.equal(door.call({ command: "activate", id: 1, start }).type, "activated")
  return door
}

describe("B10: the door's commands", () => {
  test("1 to 14 by number; another is EINVAL", () => {
    assert.deepEqual(
      [1, 8, 14].map((number) => value(doorCommandOf(number))),
      ["create", "lookup", "cache-walk"],
    )
    for (const number of [0, 15, -1, 1.5]) assert.equal(error(doorCommandOf(number)), "EINVAL")
  })

  test("an instance from its creation to its end; an unknown one is ENOENT for each command", () => {
    const door = behind("direct")
    assert.deepEqual(door.call({ command: "lookup", link: 5 }), { type: "instance", id: 1 })
    assert.deepEqual(door.call({ command: "target-mode", id: 1 }), { type: "mode", mode: "point", destination: 6 })
    assert.equal(door.fails({ command: "activate", id: 1, start }), "EEXIST")
    assert.deepEqual(door.call({ command: "destroy", id: 1 }), { type: "done" })
    const calls: readonly DoorCall[] = [
      { command: "activate", id: 1, start },
      { command: "destroy", id: 1 },
      { command: "nprops", id: 1 },
      { command: "propinfo", id: 1, property: 0 },
      { command: "getprop", id: 1, property: "search" },
      { command: "setprop", id: 1, property: "search", octets: new Uint8Array(0) },
      { command: "lookup", link: 5 },
      { command: "target-mode", id: 1 },
      { command: "cache-flush", id: 1 },
      { command: "cache-delete", id: 1, mac },
      { command: "cache-get", id: 1, mac },
      { command: "cache-set", id: 1, mac, target: "drop" },
      { command: "cache-walk", id: 1, from: macOf(0), count: 1 },
    ]
    assert.equal(calls.length + 1, DOOR_COMMANDS.length)
    for (const call of calls) assert.equal(door.fails(call), "ENOENT", call.command)
    assert.equal(door.fails({ command: "create", link: 5, plugin: "none", vnetid: 1, destination: 6 }), "ENOENT")
  })

  test("properties by number and by name; quirk: getprop says what fails; what is set when it is active is to be kept", () => {
    const door = behind("files")
    assert.deepEqual(door.call({ command: "nprops", id: 1 }), { type: "count", count: 2 })
    for (const [property, name] of [
      [0, "search"],
      [1, "files/config"],
      ["files/config", "files/config"],
    ] as const) {
      const reply = door.call({ command: "propinfo", id: 1, property })
      assert.ok(reply.type === "property" && reply.info.name === name)
    }
    assert.equal(door.fails({ command: "propinfo", id: 1, property: 2 }), "ENOENT")
    assert.equal(door.fails({ command: "propinfo", id: 1, property: "none" }), "ENOENT")
    assert.deepEqual(door.call({ command: "getprop", id: 1, property: "search" }), {
      type: "octets",
      octets: stringOctets("files"),
    })
    assert.equal(door.fails({ command: "getprop", id: 1, property: "search", room: 5 }), "EOVERFLOW")
    assert.equal(door.fails({ command: "getprop", id: 1, property: "none" }), "EINVAL")
    assert.equal(door.fails({ command: "setprop", id: 1, property: "search", octets: stringOctets("svp") }), "EPERM")
    const reply = door.call({ command: "setprop", id: 1, property: "files/config", octets: stringOctets("/b") })
    assert.ok(reply.type === "set")
    assert.equal(reply.keep?.saved["files/config"], "/b")
  })

  test("entries of the cache: set, read, walked, deleted, flushed; without the privilege EPERM, in point mode ENOTSUP", () => {
    const door = behind("files")
    const changes: readonly DoorCall[] = [
      { command: "cache-set", id: 1, mac, target: point },
      { command: "cache-delete", id: 1, mac },
      { command: "cache-flush", id: 1 },
    ]
    for (const call of changes) {
      assert.equal(door.fails(call, false), "EPERM")
      assert.equal(behind("direct").fails(call), "ENOTSUP")
    }
    door.call(changes[0])
    assert.deepEqual(door.call({ command: "cache-get", id: 1, mac }, false), { type: "target", target: point })
    assert.deepEqual(door.call({ command: "cache-walk", id: 1, from: macOf(0), count: 200 }, false), {
      type: "listing",
      listing: { entries: [{ mac, target: point }], next: undefined },
    })
    assert.equal(door.fails({ command: "cache-walk", id: 1, from: macOf(0), count: 201 }), "E2BIG")
    assert.equal(door.fails({ command: "cache-walk", id: 1, from: macOf(0), count: 0 }), "EINVAL")
    door.call(changes[1])
    assert.equal(door.fails({ command: "cache-get", id: 1, mac }), "ENOENT")
    door.call(changes[0])
    door.call(changes[2])
    assert.equal(door.fails(changes[1]), "ENOENT")
    assert.deepEqual(behind("direct").call({ command: "cache-get", id: 1, mac }), { type: "target", target: point })
    door.state = { ...door.state, caches: new Map() }
    assert.equal(door.fails({ command: "cache-get", id: 1, mac }), "ENXIO")
  })
})
