import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { z } from "zod"
import { logVolume } from "../../bench/log-volume/volume.ts"
import { assertNoStack, client, mapRequest, records, sallyport, serving } from "./command.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-who-"))
after(() => rmSync(folder, { recursive: true }))

const file = (name: string, content: string | object): string => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content))
  return path
}

/** RFC 7422 section 2.3. */
const EXAMPLE = {
  external: "192.0.2.1",
  assignment: {
    kind: "deterministic",
    internal: ["198.51.100.0/28"],
    dynamic: { factor: 2, size: 100, maximum: 5040 },
  },
  staticMappings: [{ protocol: "tcp", internal: "198.51.100.3:8080", external: "192.0.2.1:80" }],
}

const line = (record: object): string => `${JSON.stringify(record)}\n`
const blockAt = (time: string, event: string) =>
  line({
    time,
    event,
    subscriber: "198.51.100.2/32",
    external: { address: "192.0.2.1", firstPort: 58172, lastPort: 58271 },
  })

describe("sallyport who", { concurrency: 3 }, () => {
  it("NAT-7422-2 tells by the configuration alone who has a port, both transports or the one asked for", async () => {
    const config = file("example.jsonc", EXAMPLE)
    const both = await sallyport(["who", "192.0.2.1:2001", "--config", config])
    assert.equal(both.stderr, "")
    assert.equal(both.code, 0)
    assert.equal(both.stdout, "UDP  198.51.100.1, by its range\nTCP  198.51.100.1, by its range\n")
    const json = await sallyport(["who", "192.0.2.1:80", "--protocol", "tcp", "--json", "--config", config])
    assert.deepEqual(records(json.stdout), [
      {
        external: { address: "192.0.2.1", port: 80 },
        protocol: 6,
        by: "mapping",
        subscriber: "198.51.100.3/32",
        internal: { address: "198.51.100.3", port: 8080 },
      },
    ])
    const nobody = await sallyport(["who", "192.0.2.1:1000", "--config", config])
    assert.equal(nobody.code, 4)
    assert.equal(nobody.stdout, "")
    assert.match(nobody.stderr, /nobody had 192\.0\.2\.1:1000/)
  })

  it("NAT-7422-3 tells who had a block at a time, and that lines of the log are broken", async () => {
    const config = file("dynamic.jsonc", EXAMPLE)
    const log = file(
      "log.ndjson",
      blockAt("2026-11-21T08:00:00.000Z", "block") + blockAt("2026-11-21T09:00:00.000Z", "block-over"),
    )
    const ask = ["who", "192.0.2.1:58204", "--protocol", "udp", "--config", config, "--log", log]
    const during = await sallyport([...ask, "--at", "2026-11-21T09:30:00+01:00"])
    assert.equal(during.stdout, "UDP  198.51.100.2, by a block since 2026-11-21T08:00:00.000Z\n")
    assert.equal(during.code, 0)
    for (const at of ["2026-11-21 07:59:59", "2026-11-21T09:00:00Z"])
      assert.equal((await sallyport([...ask, "--at", at])).code, 4)
    const broken = blockAt("2026-11-21T08:00:00.000Z", "block") + line({ event: "block", external: "192.0.2.1" })
    const partly = await sallyport(["who", "192.0.2.1:58204", "--log", "-"], `${broken}no JSON\n`)
    assert.equal(partly.code, 5)
    assert.match(partly.stdout, /UDP {2}198\.51\.100\.2, by a block/)
    assert.match(partly.stderr, /2 lines that could not be read/)
  })

  for (const [name, args, wanted] of [
    ["neither a log nor settings", ["192.0.2.1:2001"], /--log, --config/],
    ["no port", ["192.0.2.1", "--log", "-"], /has no port/],
    ["no time", ["192.0.2.1:1", "--at", "noon", "--log", "-"], /"noon" is no time/],
    ["no protocol", ["192.0.2.1:1", "--protocol", "ftp", "--log", "-"], /"ftp" is no protocol/],
    ["a log that is not there", ["192.0.2.1:1", "--log", "/nonexistent/log"], /cannot read/],
    ["settings that are not there", ["192.0.2.1:1", "--config", "/nonexistent/file"], /--config/],
  ] as const)
    it(`is told wrongly: ${name}`, async () => {
      const { code, stdout, stderr } = await sallyport(["who", ...args])
      assert.equal(code, 1)
      assert.equal(stdout, "")
      assert.match(stderr, wanted)
      assertNoStack(stderr)
    })

  it("needs a log where ports are not assigned by arithmetic", async () => {
    const config = file("blocks.jsonc", { assignment: { kind: "blocks", size: 64 } })
    const { code, stderr } = await sallyport(["who", "203.0.113.1:2000", "--config", config])
    assert.equal(code, 1)
    assert.match(stderr, /only a log tells/)
  })

  for (const [kind, assignment] of [
    ["random", { kind: "random" }],
    ["blocks", { kind: "blocks", size: 64, limit: 2 }],
    ["range", { kind: "deterministic", internal: ["127.0.0.0/24"] }],
  ] as const)
    it(`NAT-6888-REQ-14 finds the client of a server in its log of assignments alone: ${kind}`, async () => {
      const config = file(`serve-${kind}.jsonc`, { external: "203.0.113.1", assignment, log: "assignments" })
      const server = await serving(["--json", "--config", config])
      const socket = await client()
      const answer = await socket.ask(mapRequest(4000, 600), server.port)
      assert.equal(answer[3], 0)
      const port = (answer[42] << 8) | answer[43]
      await socket.ask(mapRequest(4000, 600), server.port)
      socket.close()
      const { stdout } = await server.stop()
      const events = records(stdout).flatMap(({ event, time }) => (time === undefined ? [] : [event]))
      const own = kind === "random" ? ["created"] : kind === "blocks" ? ["block"] : []
      assert.deepEqual(events, ["listening", "assignment", ...own, "mappings"])
      const found = await sallyport(["who", `203.0.113.1:${port}`, "--protocol", "udp", "--json", "--log", "-"], stdout)
      assert.equal(found.code, 0)
      const [record] = records(found.stdout)
      assert.equal(record.by, kind === "random" ? "mapping" : kind === "blocks" ? "block" : "range")
      assert.equal(record.subscriber, "127.0.0.1/32")
    })
})

it("NAT-6888-REQ-14 a mapping whose block is no more is told of by itself: after a reload, and in the next run", async () => {
  const state = { file: join(folder, "blocks-state") }
  const blocks = { kind: "blocks", size: 64 }
  const settings = (assignment: object) =>
    file("from-blocks.jsonc", { external: "203.0.113.1", assignment, log: "assignments", state })
  const config = settings(blocks)
  const args = ["--json", "--config", config]
  const socket = await client()
  const first = await serving(args)
  assert.equal((await socket.ask(mapRequest(4000, 600), first.port))[3], 0)
  const { stdout: blocked } = await first.stop()
  settings({ kind: "random" })
  const second = await serving(args)
  await second.until(/"event":"created"/)
  settings(blocks)
  second.child.kill("SIGHUP")
  await second.untilError(/read again/)
  assert.equal((await socket.ask(mapRequest(4001, 600), second.port))[3], 0)
  settings({ kind: "random" })
  second.child.kill("SIGHUP")
  await second.until(/(?:"event":"created".*\n[\s\S]*){3}/)
  socket.close()
  const { stdout } = await second.stop()
  // What the server lists as it stops: a mapping may have moved meanwhile.
  const live = records(stdout).flatMap(({ event, internal, external }) =>
    event === "mapping" ? [{ internal, external }] : [],
  )
  assert.equal(live.length, 2)
  for (const { internal, external } of live) {
    const end = z.object({ address: z.string(), port: z.number() }).parse(external)
    const args = ["who", `${end.address}:${end.port}`, "--protocol", "udp", "--json", "--log", "-"]
    const found = await sallyport(args, blocked + stdout)
    assert.equal(found.code, 0, found.stderr)
    const [record] = records(found.stdout)
    assert.deepEqual([record.by, record.subscriber, record.internal], ["mapping", "127.0.0.1/32", internal])
  }
})

it("NAT-7422-3 the settings are in the log again when they change", async () => {
  const config = file("changing.jsonc", { assignment: { kind: "blocks", size: 64 } })
  const server = await serving(["--json", "--config", config])
  file("changing.jsonc", { assignment: { kind: "deterministic", internal: ["10.0.0.0/24"], ratio: 50 } })
  server.child.kill("SIGHUP")
  await server.until(/"fresh":false/)
  await server.stop()
  const told = server.records().filter(({ event }) => event === "assignment")
  const subscriberPrefix = { ipv4: 32, ipv6: 64 }
  const common = { event: "assignment", external: "203.0.113.0-203.0.113.7", ports: "1024-65535", subscriberPrefix }
  assert.deepEqual(
    told.map(({ time, ...rest }) => rest),
    [
      { ...common, fresh: true, kind: "blocks", size: 64, limit: 4 },
      {
        ...common,
        fresh: false,
        kind: "deterministic",
        algorithm: 0,
        internal: ["10.0.0.0/24"],
        ratio: 50,
        realms: false,
      },
    ],
  )
})

describe("the log of a day", () => {
  it("NAT-6888-REQ-14 is under a hundredth of a line a mapping with blocks, and a line of settings with arithmetic", () => {
    const [random, ...others] = logVolume(12, 24 * 3600)
    assert.ok(random.mappings > 1000)
    assert.equal(random.records, 1 + 2 * random.mappings)
    for (const { name, records, mappings, octets } of others) {
      if (name === "deterministic") assert.equal(records, 1)
      assert.ok(records * 100 < mappings, `${name}: ${records} of ${mappings}`)
      assert.ok(octets * 100 < random.octets, `${name}: ${octets} of ${random.octets}`)
    }
  })
})
