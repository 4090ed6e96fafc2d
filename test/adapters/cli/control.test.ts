import assert from "node:assert/strict"
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import fc from "fast-check"
import { isLive, startControl } from "../../../adapters/cli/control/listen.ts"
import { readRequest } from "../../../adapters/cli/control/request.ts"
import { address } from "../udp-suite.ts"
import { client, mapRequest, octets, records, sallyport, serving } from "./command.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-control-"))
after(() => rmSync(folder, { recursive: true }))

const NONCE = "0102030405060708090a0b0c"

/** What a control socket answers to one line. */
const say = (path: string, line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(line))
    let text = ""
    socket.setEncoding("utf8").on("data", (chunk) => {
      text += chunk
    })
    socket.on("close", () => resolve(text)).on("error", reject)
  })

describe("the control socket itself", () => {
  it("is no dead one while its queue is full: no other server may take its place then", async () => {
    const path = join(folder, "busy.sock")
    const server = createServer(() => {})
    await new Promise<void>((resolve) => server.listen({ path, backlog: 1 }, resolve))
    // All in one turn, in which nobody accepts.
    const waiting = Array.from({ length: 8 }, () => connect(path).on("error", () => {}))
    assert.equal(await isLive(path), true)
    for (const socket of waiting) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
    assert.equal(await isLive(path), false)
  })

  it("keeps nothing of what comes after the line", async () => {
    let release = (): void => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const path = join(folder, "flood.sock")
    const started = await startControl(path, {
      read: readRequest,
      answer: async function* () {
        await released
        yield [{ end: true }]
      },
    })
    assert.ok(started.ok)
    setFlagsFromString("--expose-gc")
    const collect: unknown = runInNewContext("gc")
    assert.ok(typeof collect === "function")
    const socket = connect(path)
    const answered = new Promise<string>((resolve) => socket.once("data", (chunk) => resolve(String(chunk))))
    socket.write('{"command":"counters"}\n')
    collect()
    const before = process.memoryUsage().heapUsed
    const junk = "x".repeat(0x10000)
    for (let n = 0; n < 256; n++) await new Promise((resolve) => socket.write(junk, resolve))
    collect()
    assert.ok(process.memoryUsage().heapUsed - before < 0x800000)
    release()
    assert.equal(await answered, '{"end":true}\n')
    socket.destroy()
    await started.value.stop()
  })
})

describe("the commands that ask a running server", { concurrency: 3 }, () => {
  it("list mappings, subscribers and counters, for people and for programs, and no nonce", async () => {
    const path = join(folder, "lists", "control.sock")
    const server = await serving(["--control", path, "--external", "198.51.100.7"])
    const ask = (command: string, ...more: readonly string[]) => sallyport([command, "--control", path, ...more])
    assert.match((await ask("mappings")).stdout, /^No mappings\.\n$/)
    assert.match((await ask("subscribers")).stdout, /^No subscribers\.\n$/)
    const peer = await client()
    await peer.ask(mapRequest(5000, 3600), server.port)
    await peer.ask(octets("00020000 1f90 1f91 00000e10"), server.port)
    await peer.ask(mapRequest(5000, 3600, "ff".repeat(12)), server.port)
    peer.close()

    const table = await ask("mappings")
    assert.equal(table.code, 0)
    assert.match(table.stdout, /^2 mappings\nKIND +PROT +INTERNAL +EXTERNAL +LEFT +FROM\n/)
    assert.match(table.stdout, /^map +TCP +127\.0\.0\.1:8080 +198\.51\.100\.7:8081 +(?:59:\d\d|1:00:00) +NAT-PMP$/m)
    assert.match(table.stdout, /^map +UDP +127\.0\.0\.1:5000 +198\.51\.100\.7:\d+ +(?:59:\d\d|1:00:00) +PCP$/m)
    const listed = records((await ask("mappings", "--json")).stdout)
    assert.deepEqual(listed.map(({ kind, origin, protocol, internal }) => [kind, origin, protocol, internal]).sort(), [
      ["map", "nat-pmp", 6, { address: "127.0.0.1", port: 8080 }],
      ["map", "pcp", 17, { address: "127.0.0.1", port: 5000 }],
    ])

    assert.match(
      (await ask("subscribers")).stdout,
      /^1 subscriber\nINTERNAL +EXTERNAL +MAPPINGS +KINDS\n127\.0\.0\.1 +198\.51\.100\.7 +2 +2 map\n$/,
    )
    assert.deepEqual(records((await ask("subscribers", "--json")).stdout), [
      { internal: "127.0.0.1", external: ["198.51.100.7"], mappings: 2, kinds: { map: 2 } },
    ])

    assert.match((await ask("counters")).stdout, /^result +NOT_AUTHORIZED +1$/m)
    assert.deepEqual(records((await ask("counters", "--json")).stdout), [
      { vector: "operation", index: 1, name: "MAP", count: 2 },
      { vector: "result", index: 0, name: "SUCCESS", count: 1 },
      { vector: "result", index: 2, name: "NOT_AUTHORIZED", count: 1 },
      { vector: "natpmp-operation", index: 2, name: "map TCP", count: 1 },
      { vector: "natpmp-result", index: 0, name: "Success", count: 1 },
    ])

    const all = (
      await Promise.all(["mappings", "subscribers", "counters"].map((name) => say(path, `{"command":"${name}"}\n`)))
    ).join("")
    assert.ok(!all.includes(NONCE) && !/nonce/i.test(all))
    assert.equal((await server.stop()).code, 0)
  })

  it("revoke all of a host's mappings", async () => {
    const path = join(folder, "revoke.sock")
    const server = await serving(["--control", path])
    const peer = await client()
    await peer.ask(mapRequest(5000, 3600), server.port)
    await peer.ask(mapRequest(5001, 3600), server.port)
    peer.close()
    const none = await sallyport(["revoke", "--control", path, "192.0.2.1"])
    assert.deepEqual([none.code, none.stdout], [0, "0 mappings deleted.\n"])
    const { code, stdout } = await sallyport(["revoke", "--control", path, "127.0.0.1", "--json"])
    assert.deepEqual([code, stdout], [0, '{"deleted":2}\n'])
    await server.until(/deleted +UDP +127\.0\.0\.1:500\d/)
    await server.until(/reset +Epoch Time of 127\.0\.0\.1 starts again/)
    assert.match((await sallyport(["mappings", "--control", path])).stdout, /^No mappings/)
    await server.stop()
  })

  it("have the server announce its epoch", async () => {
    const path = join(folder, "announce.sock")
    const server = await serving(["--control", path])
    const { code, stdout } = await sallyport(["announce", "--control", path])
    assert.deepEqual([code, stdout], [0, "The server announces its epoch to its clients.\n"])
    const json = await sallyport(["announce", "--control", path, "--json"])
    assert.match(json.stdout, /^\{"time":"\d{4}-[^"]+Z","event":"announcing"\}\n$/)
    await server.stop()
  })

  it("find the server by themselves, and ask which of several", async () => {
    const env = { XDG_RUNTIME_DIR: join(folder, "run") }
    const none = await sallyport(["counters"], "", env)
    assert.equal(none.code, 1)
    assert.match(none.stderr, /^sallyport: no server runs: no control socket in .*run\/sallyport; name another/)
    const first = await serving([], env)
    assert.equal((await sallyport(["counters"], "", env)).code, 0)
    const second = await serving([], env)
    const many = await sallyport(["counters"], "", env)
    assert.equal(many.code, 1)
    assert.match(many.stderr, /^sallyport: 2 servers run; choose one with --control: .*\d+\.sock, .*\d+\.sock\n$/)
    // Killed: its socket stays, and counts as nobody's.
    await first.stop("SIGKILL")
    assert.equal((await sallyport(["counters"], "", env)).code, 0)
    await second.stop()
    assert.equal((await sallyport(["counters"], "", env)).code, 1)
  })

  it("say in a line what is wrong", async () => {
    for (const [args, line] of [
      [
        ["mappings", "--control", join(folder, "nothing.sock")],
        /^sallyport: .*nothing\.sock: there is no such file or folder\n$/,
      ],
      [["revoke"], /^sallyport: missing required argument 'address'\n$/],
      [["revoke", "home"], /"home" is no address/],
      [["revoke", "192.0.2.1", "--realm", "home"], /"home" is no address/],
    ] as const) {
      const { code, stdout, stderr } = await sallyport(args)
      assert.deepEqual([code, stdout], [1, ""])
      assert.match(stderr, line)
    }
  })
})

describe("a control socket", () => {
  it("is its user's alone, and goes with the server", async () => {
    const path = join(folder, "own", "control.sock")
    const server = await serving(["--control", path])
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(join(folder, "own")).mode & 0o777, 0o700)
    await server.stop()
    assert.throws(() => statSync(path))
  })

  it("refuses what is no request, and what is too long", async () => {
    const path = join(folder, "wrong.sock")
    const server = await serving(["--control", path])
    for (const [line, error] of [
      ["frob\n", "a request is one line of JSON"],
      ["5\n", "a request is an object"],
      ["{}\n", "there is no such command"],
      ['{"command":"revoke"}\n', "revoke has internal, an address, and realm, another or none"],
      [
        '{"command":"revoke","internal":"192.0.2.1","realm":5}\n',
        "revoke has internal, an address, and realm, another or none",
      ],
    ])
      assert.deepEqual(JSON.parse(await say(path, line)), { error })
    assert.equal(await say(path, "x".repeat(100_000)).catch(() => ""), "")
    assert.match(await say(path, '{"command":"counters"}\n'), /"end":true/)
    await server.stop()
  })

  it("takes any line without a throw, and only what it knows", () => {
    const value = fc.record(
      { command: fc.constantFrom("mappings", "counters", "announce", "revoke", "frob"), internal: fc.anything() },
      { requiredKeys: [] },
    )
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      value.map((record) => JSON.stringify(record)),
    )
    fc.assert(
      fc.property(line, (text) => {
        const read = readRequest(text)
        if (read.ok) assert.ok(["mappings", "counters", "announce", "revoke"].includes(read.value.command))
        else assert.ok(read.text.length > 0)
      }),
    )
    assert.deepEqual(readRequest('{"command":"revoke","internal":"192.0.2.1","realm":"2001:db8::1"}'), {
      ok: true,
      value: { command: "revoke", internal: address("192.0.2.1"), realm: address("2001:db8::1") },
    })
  })

  it("takes the place of a killed server's, and of nothing else", async () => {
    const path = join(folder, "place.sock")
    const killed = await serving(["--control", path])
    const twice = await sallyport(["serve", "--listen", "127.0.0.1:0", "--control", path])
    assert.equal(twice.code, 1)
    assert.match(twice.stderr, /^sallyport: control socket: another server has .*place\.sock\n$/)
    await killed.stop("SIGKILL")
    const server = await serving(["--control", path])
    await server.stop()
    const far = await sallyport(["serve", "--listen", "127.0.0.1:0", "--control", join(folder, "no", "such", "c.sock")])
    assert.deepEqual(
      [far.code, far.stderr],
      [1, `sallyport: control socket: there is no folder ${join(folder, "no")}\n`],
    )
    const file = join(folder, "file")
    writeFileSync(file, "")
    const { code, stderr } = await sallyport(["serve", "--listen", "127.0.0.1:0", "--control", file])
    assert.equal(code, 1)
    assert.match(stderr, /is there and is no socket\n$/)
  })
})
