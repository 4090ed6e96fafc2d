import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { assertNoStack, COMMAND, kill, records, sallyport, startedBy } from "./command.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-overlay-"))
after(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const A = "de:ad:be:ef:00:00"
const B = "de:ad:be:ef:00:01"

describe("sallyport overlay", () => {
  let running: ReturnType<typeof startedBy>
  let greeting = ""
  const control = join(folder, "control.sock")
  const ask = (...args: readonly string[]) => sallyport(["overlay", ...args, "--control", control])
  before(async () => {
    const hosts = write("hosts.json", JSON.stringify({ [A]: { ip: "10.88.88.69", port: 4789 } }))
    const config = write(
      "overlay.jsonc",
      `{
        "overlays": [
          { "name": "blue", "vnetid": 23, "listen": "127.0.0.1:0", "plugin": "files", "properties": { "files/config": "${hosts}" } },
          // With another one at the same socket.
          { "name": "red", "vnetid": 24, "listen": "127.0.0.1:0", "plugin": "direct",
            "properties": { "direct/dest_ip": "2001:db8::1", "direct/dest_port": 4790 }, "mtu": 8900 },
        ],
        "state": "${join(folder, "state")}",
        "control": "${control}",
      }`,
    )
    running = startedBy(COMMAND, ["overlay", "run", "--json", "--config", config])
    greeting = (await running.until(/"overlay":"red".*\n/)).input
  })
  after(async () => {
    kill(running.child, "SIGINT")
    assert.equal((await running.ended).code, 0)
  })

  it("run tells what is at work", () => {
    const [blue, red] = records(greeting)
    assert.deepEqual([blue?.event, blue?.vnetid, blue?.plugin, blue?.id, blue?.mtu], ["overlay", 23, "files", 1, 1400])
    assert.deepEqual([red?.vnetid, red?.plugin, red?.mtu, red?.local], [24, "direct", 8900, blue?.local])
  })

  it("lookup: of the plugin, of the point, and of nobody: exit code 4", async () => {
    const found = await ask("lookup", "DE:AD:BE:EF:0:0", "--overlay", "blue")
    assert.deepEqual([found.code, found.stdout], [0, "10.88.88.69:4789\n"], found.stderr)
    const point = await ask("lookup", B, "--overlay", "red", "--json")
    assert.deepEqual(records(point.stdout), [
      { overlay: "red", mac: B, target: { address: "2001:db8::1", port: 4790 } },
    ])
    assert.equal((await ask("lookup", B, "--overlay", "red")).stdout, "[2001:db8::1]:4790\n")
    const none = await ask("lookup", B, "--overlay", "blue")
    assert.deepEqual([none.code, none.stdout, none.stderr], [4, "drop\n", ""])
    const which = await ask("lookup", B)
    assert.deepEqual([which.code, which.stderr], [1, "sallyport: there are several overlays, choose one: blue, red\n"])
    const nobodys = await ask("lookup", B, "--overlay", "green")
    assert.deepEqual([nobodys.code, nobodys.stderr], [1, "sallyport: there is no overlay green\n"])
  })

  it("cache: set, list, delete and flush, and ENOTSUP of point mode (B8)", async () => {
    assert.equal((await ask("cache", "list")).stdout, "Nothing is known of any MAC.\n")
    for (const [mac, target] of [
      [B, "drop"],
      [A, "[2001:db8::7]:5"],
    ] as const)
      assert.deepEqual((await ask("cache", "set", mac, target, "--overlay", "blue")).stderr, "")
    const listed = await ask("cache", "list", "--json")
    assert.deepEqual(records(listed.stdout), [
      { overlay: "blue", mac: A, target: { address: "2001:db8::7", port: 5 } },
      { overlay: "blue", mac: B, target: "drop" },
    ])
    assert.match(
      (await ask("cache", "list")).stdout,
      /^OVERLAY +MAC +TARGET\nblue +de:ad:be:ef:00:00 +\[2001:db8::7\]:5\n/,
    )
    assert.equal((await ask("cache", "delete", B, "--overlay", "blue")).code, 0)
    const again = await ask("cache", "delete", B, "--overlay", "blue")
    assert.deepEqual([again.code, again.stderr], [4, "sallyport: ENOENT: the MAC is not known\n"])
    assert.equal((await ask("cache", "flush", "--overlay", "blue")).code, 0)
    assert.equal((await ask("cache", "list", "--json")).stdout, "")
    const point = await ask("cache", "flush", "--overlay", "red")
    assert.deepEqual([point.code, point.stderr], [4, "sallyport: ENOTSUP: point mode has one target for all\n"])
  })

  it("props: B3's table of a plugin, those of what runs, and one is set", async () => {
    const svp = records((await sallyport(["overlay", "props", "--plugin", "svp", "--json"])).stdout)
    assert.deepEqual(
      svp.map(({ property, type, required, writable, default: preset }) => [
        property,
        type,
        required,
        writable,
        preset,
      ]),
      [
        ["search", "string", false, false, null],
        ["svp/host", "string", true, true, null],
        ["svp/port", "uint", true, true, "1296"],
        ["svp/underlay_ip", "ip", true, true, null],
        ["svp/underlay_port", "uint", true, true, "1339"],
      ],
    )
    const own = await ask("props", "--overlay", "red")
    assert.match(own.stdout, /^red +direct\/dest_port +rw +y +4790 +-- +1-65535$/m)
    assert.equal((await ask("props", "--overlay", "red", "--set", "direct/dest_port=4791")).code, 0)
    const [set] = records((await ask("props", "--overlay", "red", "--json")).stdout).slice(-1)
    assert.deepEqual([set?.property, set?.value], ["direct/dest_port", "4791"])
    for (const [wrong, line] of [
      ["direct/dest_port=0", /EINVAL: a port is 1 to 65535/],
      ["search=svp", /EPERM/],
      ["mtu=1500", /ENOTSUP/],
      ["frob=1", /EINVAL: there is no property frob/],
    ] as const) {
      const { code, stderr } = await ask("props", "--overlay", "red", "--set", wrong)
      assert.equal(code, 1)
      assert.match(stderr, line)
    }
  })

  it("status: what is at work, and what it has counted", async () => {
    const [blue, red, all] = records((await ask("status", "--json")).stdout)
    assert.deepEqual([blue?.overlay, blue?.status, red?.overlay], ["blue", "online", "red"])
    assert.deepEqual(all, { noVxlan: 0, unknownVnetid: 0 })
    assert.match(
      (await ask("status")).stdout,
      /^blue: vnetid 23 on 127\.0\.0\.1:\d+, lookups by files: online\n {2}transmitted 0, /,
    )
  })

  it("svp-server: says how many hosts it has, and each fault of a file", async () => {
    const hosts = write("svp.json", JSON.stringify({ 23: { [A]: { ip: "10.88.88.69", port: 4789 } } }))
    const server = startedBy(COMMAND, ["overlay", "svp-server", "--hosts", hosts, "--listen", "127.0.0.1:0", "--json"])
    await server.until(/"hosts":1/)
    kill(server.child, "SIGTERM")
    assert.equal((await server.ended).code, 0)
    const bad = write("bad.json", '{"23":{"nobody":{},"de:ad:be:ef:0:0":{"ip":"10.0.0.1","port":0}},"x":{}}')
    const { code, stdout, stderr } = await sallyport(["overlay", "svp-server", "--hosts", bad])
    assert.deepEqual([code, stdout, stderr.trim().split("\n").length], [1, "", 3], stderr)
    assertNoStack(stderr)
  })
})

describe("a bad configuration of overlays: every fault with its line, exit code 1", () => {
  const cases: readonly (readonly [string, string, readonly RegExp[]])[] = [
    [
      "what it may have",
      '{ "overlays": [\n{ "name": "b lue", "vnetid": -1, "listen": "nowhere",\n"plugin": "files", "mtu": 12, "frob": 1 } ],\n"control": 1 }',
      [
        /^:2:1: overlays\[0\]\.properties: EAGAIN: .*not set: files\/config$/,
        /^:2:3: overlays\[0\]\.name: expected letters/,
        /^:2:20: overlays\[0\]\.vnetid: expected 0 or more$/,
        /^:2:34: overlays\[0\]\.listen: "nowhere" is no address/,
        /^:3:20: overlays\[0\]\.mtu: expected 576 or more$/,
        /^:3:31: overlays\[0\]\.frob: there is no such setting$/,
        /^:4:1: control: expected a path, or false$/,
      ],
    ],
    [
      "what its plugins say",
      `{ "overlays": [
{ "name": "a", "vnetid": 23, "listen": "127.0.0.1:0", "plugin": "files", "properties": { "files/config": "/nowhere/x" } },
{ "name": "a", "vnetid": 23, "listen": "127.0.0.1:0", "plugin": "direct",
  "properties": { "direct/dest_ip": "2002::1",
    "direct/dest_port": 0 } },
{ "name": "c", "vnetid": 25, "listen": "127.0.0.1:0", "plugin": "svp" },
{ "name": "d", "vnetid": 26, "listen": "127.0.0.1:0", "plugin": "teleport" } ] }`,
      [
        /^:2:90: overlays\[0\]\.properties\.files\/config: ENOENT: \/nowhere\/x: there is no such file/,
        /^:3:16: overlays\[1\]\.vnetid: EEXIST/,
        /^:3:3: overlays\[1\]\.name: EEXIST/,
        /^:4:19: overlays\[1\]\.properties\.direct\/dest_ip: EINVAL/,
        /^:5:5: overlays\[1\]\.properties\.direct\/dest_port: EINVAL: a port is 1 to 65535$/,
        /^:6:1: overlays\[2\]\.properties: EAGAIN: .*not set: svp\/host, svp\/underlay_ip$/,
        /^:7:55: overlays\[3\]\.plugin: ENOENT: there is no plugin teleport$/,
      ],
    ],
    [
      "what it may have, and what its plugins say, at once",
      `{ "overlays": [
{ "name": "a", "vnetid": -1, "listen": "127.0.0.1:0", "plugin": "teleport" },
{ "name": "b", "vnetid": 23, "listen": "nowhere", "plugin": "direct", "properties": { "direct/dest_port": 0 } },
{ "name": "b", "vnetid": 23, "listen": "127.0.0.1:0", "plugin": 7 },
{ "name": "b", "vnetid": 23, "listen": "127.0.0.1:0", "plugin": "direct", "properties": { "direct/dest_ip": "::1", "direct/dest_port": 1 } } ] }`,
      [
        /^:2:16: overlays\[0\]\.vnetid: expected 0 or more$/,
        /^:2:55: overlays\[0\]\.plugin: ENOENT: there is no plugin teleport$/,
        /^:3:30: overlays\[1\]\.listen: "nowhere" is no address/,
        /^:3:87: overlays\[1\]\.properties\.direct\/dest_port: EINVAL/,
        /^:4:55: overlays\[2\]\.plugin: expected a text/,
        /^:5:3: overlays\[3\]\.name: EEXIST/,
        /^:5:16: overlays\[3\]\.vnetid: EEXIST/,
        /^:5:91: overlays\[3\]\.properties\.direct\/dest_ip: EINVAL: ::1 is IPv4-compatible/,
      ],
    ],
    ["no JSON", '{ "overlays": [', [/^:1:16: Expected a closing bracket|^:1:16: /]],
    [
      "an address of another machine",
      '{ "overlays": [{ "name": "a", "vnetid": 1, "listen": "192.0.2.1",\n"plugin": "direct", "properties": { "direct/dest_ip": "10.0.0.1", "direct/dest_port": 1 } }] }',
      [/^:1:44: overlays\[0\]\.listen: EIO: cannot bind/],
    ],
  ]
  for (const [name, text, lines] of cases)
    it(name, async () => {
      const path = write("wrong.jsonc", text)
      const { code, stdout, stderr } = await sallyport(["overlay", "run", "--config", path])
      assert.deepEqual([code, stdout], [1, ""])
      const said = stderr
        .trim()
        .split("\n")
        .map((line) => line.replace(`sallyport: ${path}`, ""))
      for (const [at, pattern] of lines.entries()) assert.match(said[at] ?? "", pattern)
      if (name !== "no JSON") assert.equal(said.length, lines.length, stderr)
      assertNoStack(stderr)
    })
})

describe("sallyport overlay, wrongly used", () => {
  for (const [args, line] of [
    ["overlay run", /required option '-c, --config <file>'/],
    ["overlay run --config /nowhere/at/all", /'--config': \/nowhere\/at\/all: there is no such file/],
    ["overlay lookup nobody", /"nobody" is no MAC/],
    ["overlay lookup 0:0:0:0:0:1 --control /nowhere/x.sock", /\/nowhere\/x\.sock: there is no such file/],
    ["overlay cache set 0:0:0:0:0:1 10.0.0.1:0", /No frame can be sent to "10\.0\.0\.1:0"/],
    ["overlay cache set 0:0:0:0:0:1 somewhere", /"somewhere" is no address/],
    ["overlay cache", /Usage: sallyport overlay cache/],
    ["overlay props --set frob", /"frob" is not NAME=VALUE/],
    ["overlay props --plugin teleport", /no plugin teleport: expected direct, files, svp, portmap/],
    ["overlay svp-server", /required option '--hosts <file>'/],
    ["overlay svp-server --hosts /nowhere/at/all", /ENOENT: \/nowhere\/at\/all: there is no such file/],
    ["overlay frob", /unknown command 'frob'/],
  ] as const)
    it(args, async () => {
      const { code, stdout, stderr } = await sallyport(args.split(" "))
      assert.deepEqual([code, stdout], [1, ""])
      assert.match(stderr, line)
      assertNoStack(stderr)
    })

  it("prints help in 80 columns", async () => {
    for (const args of ["overlay", "overlay run", "overlay cache set", "overlay svp-server"]) {
      const [one = "", ...rest] = args.split(" ")
      const { code, stdout } = await sallyport([one, ...rest, "--help"])
      assert.equal(code, 0)
      assert.deepEqual(
        stdout.split("\n").filter((line) => line.length > 80),
        [],
      )
    }
  })
})
