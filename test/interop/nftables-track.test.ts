import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { COMMAND } from "../adapters/cli/command.ts"
import { type Fields, map, natPmpMap, OTHER_NONCE, peer, read } from "../core/server/scene.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking, namespace, type Running } from "./namespace.ts"
import { again, answering, asking, heard, unheard } from "./nftables-scene.ts"

const lack = lacking(["nft", "conntrack"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

const path = (from: string): string => fileURLToPath(new URL(from, import.meta.url))
const NODE = COMMAND[0]

const RUNTIMES = [
  ["Node", [process.execPath]],
  ["Deno", [path("../../node_modules/.bin/deno"), "run", "--allow-all"]],
  ["Bun", [path("../../node_modules/.bin/bun")]],
] as const

describe("ways to the kernel's table of connections", { skip: lack ?? false }, () => {
  for (const [runtime, command] of RUNTIMES)
    for (const [way, name, most] of [
      ["netlink", "netlink", 3000],
      ["program", "the program conntrack", 20],
    ] as const)
      it(`${runtime}, by ${name}: tells what conntrack tells, lengthens and ends what is named, and says when events were lost`, async () => {
        const there = await namespace()
        const table = "add table inet x; add chain inet x c { type filter hook input priority 0; }"
        there.sh(`nft '${table}; add rule inet x c ct state new accept'`)
        const { code, stdout, stderr } = await there.run([...command, path("nftables-track-ways.ts"), way, `${most}`])
        there.stop()
        assert.equal(code, 0, stderr)
        assert.deepEqual(JSON.parse(stdout), { way: name, ended: most, lost: way === "netlink" })
      })
})

/** Sends each datagram of its last argument, in hex, from an address, and prints the answers; again those that are not answered. */
const REQUESTS = `
const [source, server, requests] = process.argv.slice(1)
const socket = require("dgram").createSocket("udp4")
// By protocol, opcode, nonce and ports: what an answer repeats.
const keyOf = (bytes) => bytes[0] + " " + (bytes[1] & 127) + bytes.subarray(24, 42).toString("hex")
const waiting = new Map(requests.split(",").map((text) => Buffer.from(text, "hex")).map((bytes) => [keyOf(bytes), bytes]))
socket.on("message", (bytes) => {
  const key = bytes[0] === 2 ? keyOf(bytes) : [...waiting.keys()][0]
  if (!waiting.delete(key)) return
  console.log(bytes.toString("hex"))
  if (waiting.size === 0) {
    clearInterval(timer)
    socket.close()
  } else if (--open === 0) send()
})
socket.bind(0, source)
let open = 0
const send = () => {
  const some = [...waiting.values()].slice(0, 64)
  open = some.length
  for (const bytes of some) socket.send(bytes, 5351, server)
}
send()
const timer = setInterval(send, 500)`

/** Hears what comes to a port and says nothing. */
const SILENT = `
const [first, count] = process.argv.slice(1).map(Number)
let left = count
for (let i = 0; i < count; i++) require("dgram").createSocket("udp4").bind(first + i, () => { if (--left === 0) console.log("listens") })`

/** Says something to each port. */
const SAY = `
const [address, ...ports] = process.argv.slice(1)
const socket = require("dgram").createSocket("udp4")
socket.on("error", () => {})
let left = ports.length
for (const port of ports) socket.send("?", Number(port), address, () => { if (--left === 0) process.exit() })`

const EXTERNAL = "11.22.33.44"
const WORLD = { address: "11.22.33.1", port: 53 } as const
/** Seconds for which the router's kernel keeps UDP: against what a test takes in between, long. */
const KEPT = 15

/** How a server comes to know of connections: the second has no foreign functions, and so the programs alone. */
const SERVERS = [
  ["by netlink", COMMAND, true],
  ["by the programs", [...RUNTIMES[1][1], "--deny-ffi", path("../../adapters/cli/main.ts")], false],
] as const

for (const [way, command, isNetlink] of SERVERS)
  describe(`a router that minds the connections which its kernel has, ${way}`, { skip: lack ?? false }, () => {
    // What is the server's own is shown by one of them.
    const whole = isNetlink ? it : () => {}
    const folder = mkdtempSync(join(tmpdir(), "sallyport-track-"))
    let there: Scene
    let server: Running
    before(async () => {
      there = await scene()
      there.host.sh("ip -6 route del default; ip addr add 10.0.0.3/24 dev lan")
      there.world.sh("ip addr add 11.22.33.2/24 dev world")
      keptFor(KEPT)
      const options = "--nftables --outside outside --json --listen 10.0.0.1 --min-lifetime 2 --quota 0"
      server = there.router.start([...command, "serve", ...options.split(" "), "--control", `${folder}/socket`])
      await server.until(/"event":"listening"/)
      await answering(there.world, "udp", WORLD.port)
    })
    after(() => {
      there.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    const keptFor = (seconds: number): void =>
      there.router.sh(
        `for i in udp_timeout udp_timeout_stream; do echo ${seconds} > /proc/sys/net/netfilter/nf_conntrack_$i; done`,
      )
    const request = async (...requests: readonly (readonly number[])[]) => {
      const text = requests.map((bytes) => Buffer.from(bytes).toString("hex")).join()
      const from = Array.from(requests[0].slice(20, 24)).join(".") || "10.0.0.2"
      const source = requests[0][0] === 2 ? from : "10.0.0.2"
      const { stdout, stderr } = await there.host.run([NODE, "-e", REQUESTS, source, "10.0.0.1", text])
      const answers = stdout
        .trim()
        .split("\n")
        .map((line) => Uint8Array.from(Buffer.from(line, "hex")))
      assert.equal(answers.length, requests.length, stderr)
      return answers
    }
    const one = async (bytes: readonly number[]) => read((await request(bytes))[0])
    const of = (port: number, more: Fields = {}): Fields => ({ client: "10.0.0.2", port, lifetime: 600, ...more })
    const peerOf = (port: number, more: Fields = {}): number[] =>
      peer(of(port, { remote: WORLD.address, remotePort: WORLD.port, ...more }))
    const mapped = async (port: number, more: Fields = {}): Promise<number> => {
      const answer = await one(map(of(port, more)))
      assert.equal(answer.result, 0)
      return answer.externalPort
    }
    /** The router's connections that have a text, as the program lists them. */
    const connections = async (text: string): Promise<readonly string[]> =>
      (await there.router.run(["conntrack", "-L"])).stdout.split("\n").filter((line) => line.includes(text))
    /** Seconds that the kernel has left for the one connection with a text. */
    const left = async (text: string): Promise<number> => {
      const found = await connections(text)
      assert.equal(found.length, 1, found.join("\n"))
      return Number(/^\w+\s+\d+\s+(\d+)/.exec(found[0])?.[1])
    }
    const over = async (text: string): Promise<void> => {
      while ((await connections(text)).length > 0) await new Promise((next) => setTimeout(next, 100))
    }
    const inTable = async (text: string): Promise<boolean> =>
      (await there.router.run(["nft", "list", "table", "ip", "sallyport"])).stdout.includes(text)

    it("S-131: a mapping that answers traffic is deleted to what the kernel has left for it, works until then, and is closed after it", async () => {
      const external = await mapped(4001)
      await answering(there.host, "udp", 4001)
      const at = { protocol: "udp", address: EXTERNAL, port: external } as const
      assert.match(await heard(there.world, at), /^11\.22\.33\.1 /)
      const before = await left("sport=4001 ")
      const deletion = await one(map(of(4001, { lifetime: 0 })))
      const after = await left("sport=4001 ")
      assert.equal(deletion.result, 0)
      assert.ok(
        deletion.lifetime >= after && deletion.lifetime <= before + 1,
        `${after} ${deletion.lifetime} ${before}`,
      )
      // The kernel has it, with no more time than that; and so has a peer that was not there before.
      const { stdout } = await there.router.run(["nft", "list", "map", "ip", "sallyport", "inbound"])
      const element = new RegExp(`${EXTERNAL} \\. ${external} timeout (\\d+)s`).exec(stdout)
      assert.ok(Number(element?.[1]) <= deletion.lifetime + 1, stdout)
      assert.match(await heard(there.world, { ...at, source: "11.22.33.2" }), /^11\.22\.33\.2 /)
      await server.until(new RegExp(`"event":"expired".*"port":${external}`))
      assert.equal(await unheard(there.world, { ...at, sourcePort: 7 }), "nobody")
    })

    it("S-131: what the host began keeps its mapping, and no request makes the lifetime shorter than that", async () => {
      const external = await mapped(4002)
      assert.equal(await heard(there.host, { protocol: "udp", ...WORLD, sourcePort: 4002 }), `${EXTERNAL} ${external}`)
      const before = await left("sport=4002 ")
      const shorter = await one(map(of(4002, { lifetime: 2 })))
      const between = await left("sport=4002 ")
      assert.ok(
        shorter.lifetime >= between && shorter.lifetime <= before + 1,
        `${between} ${shorter.lifetime} ${before}`,
      )
      assert.equal(shorter.externalPort, external)
      assert.ok((await one(map(of(4002, { lifetime: 0 })))).lifetime > 0)
      // A nonce that is not the mapping's deletes nothing, traffic or none.
      const other = await one(map(of(4002, { lifetime: 0, nonce: OTHER_NONCE })))
      assert.equal(other.result, 2)
    })

    it("S-131: TCP's five days in the kernel are no more than the idle time that the server has", async () => {
      const external = await mapped(4003, { protocol: 6 })
      await answering(there.host, "tcp", 4003)
      const talk = await asking(there.world, { protocol: "tcp", address: EXTERNAL, port: external }, "heard")
      assert.ok((await left("sport=4003 ")) > 400_000)
      assert.equal((await one(map(of(4003, { protocol: 6, lifetime: 0 })))).lifetime, 7440)
      assert.match(await again(talk), /^11\./)
    })

    it("RFC 6887 section 15: a mapping to which the host said nothing is gone when it is deleted, and its connections are", async () => {
      const external = await mapped(4004)
      const silent = there.host.start([NODE, "-e", SILENT, "4004", "1"])
      await silent.until(/listens/)
      await there.world.run([NODE, "-e", SAY, EXTERNAL, `${external}`])
      assert.match((await connections(`dport=${external} `))[0] ?? "", /UNREPLIED/)
      assert.deepEqual(
        [(await one(map(of(4004, { lifetime: 0 })))).lifetime, await inTable(` ${external} `)],
        [0, false],
      )
      await over(`dport=${external} `)
      // RFC 6886 section 3.4 has no such rule: its deletions are at once.
      await answering(there.host, "udp", 4005)
      const bytes = (await request(natPmpMap(1, 4005, 0, 600)))[0]
      const port = (bytes[10] << 8) | bytes[11]
      assert.match(await heard(there.world, { protocol: "udp", address: EXTERNAL, port }), /^11\./)
      await request(natPmpMap(1, 4005, 0, 0))
      await over(`dport=${port} `)
    })

    it("S-65: PEER of a connection that is there is answered with the external port that the kernel gave it, and the connection lives for it", async () => {
      const talk = await asking(there.host, { protocol: "udp", ...WORLD, sourcePort: 5001 }, "heard")
      const [, seen] = talk.stdout().trim().split(" ")
      assert.ok(Number(seen) >= 32768, seen)
      // A suggestion does not matter to a connection that is there.
      const asked = await one(peerOf(5001, { lifetime: 300, suggestedPort: 2000, suggested: EXTERNAL }))
      assert.deepEqual([asked.result, asked.externalPort, asked.lifetime], [0, Number(seen), 300])
      assert.deepEqual(asked.external.slice(12), EXTERNAL.split(".").map(Number))
      assert.ok((await left("sport=5001 ")) > 290)
      assert.ok(await inTable(`10.0.0.2 . 5001 . ${WORLD.address} . ${WORLD.port}`))
      assert.equal(await again(talk), `${EXTERNAL} ${seen}`)
    })

    whole(
      "S-66, S-69, S-134: another nonce is refused, lifetime 0 asks alone, and MAP neither deletes it nor takes its port",
      async () => {
        const other = await one(peerOf(5001, { nonce: OTHER_NONCE }))
        assert.equal(other.result, 2)
        assert.ok(other.lifetime > 200 && other.lifetime <= 300, `${other.lifetime}`)
        const asked = await one(peerOf(5001, { lifetime: 0 }))
        assert.ok(asked.result === 0 && asked.lifetime > 200 && asked.lifetime <= 300, `${asked.lifetime}`)
        const shorter = await one(peerOf(5001, { lifetime: 2 }))
        assert.ok(shorter.lifetime > 200, `${shorter.lifetime}`)
        assert.equal((await one(map(of(5001, { lifetime: 0 })))).result, 2)
        assert.ok((await mapped(5001)) <= 32767)
        assert.equal((await one(peerOf(5001, { lifetime: 0 }))).externalPort, asked.externalPort)
      },
    )

    it("S-68: PEER keeps a connection alive that is silent for longer than the kernel keeps one", async () => {
      const [kept, silent] = [
        await asking(there.host, { protocol: "udp", ...WORLD, sourcePort: 5002 }, "heard"),
        await asking(there.host, { protocol: "udp", ...WORLD, sourcePort: 5003 }, "heard"),
      ]
      await one(peerOf(5002, { lifetime: 300 }))
      // A packet gives it the kernel's own time again, which is short now.
      keptFor(3)
      const seen = await again(kept)
      assert.equal(await again(silent).then((text) => text.startsWith(EXTERNAL)), true)
      await over("sport=5003 ")
      assert.ok((await left("sport=5002 ")) > 100)
      assert.equal(await again(kept), seen)
      keptFor(KEPT)
    })

    it("S-70: PEER of a TCP connection lives no less than the idle time that the server has, and goes when both have closed it", async () => {
      const names = "time_wait close close_wait last_ack fin_wait"
      const file = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout"
      there.router.sh(`for i in ${names}; do echo 2 > ${file}_$i; done`)
      await answering(there.world, "tcp", WORLD.port)
      const talk = await asking(there.host, { protocol: "tcp", ...WORLD, sourcePort: 5006 }, "heard")
      const asked = await one(peerOf(5006, { protocol: 6, lifetime: 300 }))
      assert.equal(talk.stdout().trim(), `${EXTERNAL} ${asked.externalPort}`)
      assert.equal(asked.lifetime, 7440)
      assert.ok((await left("sport=5006 ")) > 400_000)
      await talk.stop("SIGKILL")
      await server.until(new RegExp(`"event":"expired".*"port":${asked.externalPort}`))
      assert.equal(await inTable("10.0.0.2 . 5006 . "), false)
    })

    it("PEER's mapping goes with its connection, and the next one has what the connection has then", async () => {
      const talk = await asking(there.host, { protocol: "udp", ...WORLD, sourcePort: 5004 }, "heard")
      await one(peerOf(5004, { lifetime: 300 }))
      there.router.sh("conntrack -D -p udp --orig-port-src 5004 2>/dev/null")
      await server.until(/"event":"expired".*"port":5004/)
      assert.equal(await inTable("10.0.0.2 . 5004 . "), false)
      // There is none now: its port is one of a mapping's, and so is the connection's that begins after it.
      const anew = await one(peerOf(5004, { lifetime: 300 }))
      assert.ok(anew.result === 0 && anew.externalPort <= 32767, `${anew.externalPort}`)
      assert.equal(await again(talk), `${EXTERNAL} ${anew.externalPort}`)
    })

    whole(
      "no external port is given twice: of two hosts with one port each has its own, PEER's or not, apart from all of MAP",
      async () => {
        const ends = await Promise.all(
          ["10.0.0.2", "10.0.0.3"].map(async (source) => {
            const talk = await asking(there.host, { protocol: "udp", ...WORLD, source, sourcePort: 40_001 }, "heard")
            return { source, port: Number(talk.stdout().trim().split(" ")[1]) }
          }),
        )
        assert.notEqual(ends[0].port, ends[1].port)
        for (const { source, port } of ends)
          assert.equal((await one(peerOf(40_001, { client: source, lifetime: 300 }))).externalPort, port)
        // A third one that would like the same as the one that did not keep its own: the kernel keeps a source port where it can.
        const sourcePort = ends.map(({ port }) => port).find((port) => port !== 40_001) ?? 0
        const third = await heard(there.host, { protocol: "udp", ...WORLD, source: "10.0.0.2", sourcePort })
        const given = [...ends.map(({ port }) => port), Number(third.split(" ")[1])]
        const maps = await Promise.all([6001, 6002, 6003, 40_001].map((port) => mapped(port)))
        assert.equal(new Set([...given, ...maps]).size, given.length + maps.length)
        assert.ok(given.every((port) => port >= 32768) && maps.every((port) => port <= 32767), `${given} ${maps}`)
      },
    )

    whole("a thousand mappings that are deleted at once: the connections of all end, and nobody else's", async () => {
      const COUNT = 1000
      const ports = Array.from({ length: COUNT }, (_, i) => 10_000 + i)
      const made = (await request(...ports.map((port) => map(of(port))))).map(read)
      assert.ok(made.every(({ result }) => result === 0))
      const silent = there.host.start([NODE, "-e", SILENT, "10000", `${COUNT}`])
      await silent.until(/listens/)
      await there.world.run([NODE, "-e", SAY, EXTERNAL, ...made.map(({ externalPort }) => `${externalPort}`)])
      keptFor(600)
      const stays = await mapped(9999)
      await answering(there.host, "udp", 9999)
      assert.match(await heard(there.world, { protocol: "udp", address: EXTERNAL, port: stays }), /^11\./)
      const theirs = async (): Promise<number> =>
        (await connections("mark")).filter((line) => /sport=10\d\d\d /.test(line)).length
      assert.ok((await theirs()) > COUNT / 2)
      const gone = (await request(...ports.map((port) => map(of(port, { lifetime: 0 }))))).map(read)
      assert.ok(gone.every(({ result, lifetime }) => result === 0 && lifetime === 0))
      while ((await theirs()) > 0) await new Promise((next) => setTimeout(next, 100))
      assert.equal((await connections(`dport=${stays} `)).length, 1)
      keptFor(KEPT)
    })

    whole(
      "PEER of a live connection is listed, is what the kernel's table should have, and is revoked with its connection",
      async () => {
        const control = async (words: string) => {
          const asked = [...COMMAND, ...words.split(" "), "--json", "--control", `${folder}/socket`]
          const { code, stdout, stderr } = await there.router.run(["env", "NO_COLOR=1", ...asked])
          assert.equal(code, 0, stderr)
          return stdout
        }
        const talk = await asking(there.host, { protocol: "udp", ...WORLD, sourcePort: 5005 }, "heard")
        const seen = Number(talk.stdout().trim().split(" ")[1])
        assert.equal((await one(peerOf(5005, { lifetime: 300 }))).externalPort, seen)
        const list = await control("mappings")
        assert.equal(
          list.split("\n").filter((line) => line.includes(`"port":${seen}`) && line.includes(":5005")).length,
          1,
          list,
        )
        const { sound, ...rest } = Object(JSON.parse(await control("doctor")))
        assert.deepEqual([rest, sound > 0], [{ put: 0, gone: 0, rebuilt: false }, true])
        await control("revoke 10.0.0.2")
        assert.equal((await control("mappings")).includes(":5005"), false)
        assert.equal(await inTable("10.0.0.2 . 5005 . "), false)
        await over("sport=5005 ")
      },
    )

    whole("nothing went wrong that the server would say", () => {
      assert.deepEqual(
        server
          .stderr()
          .split("\n")
          .filter((line) => line.startsWith("sallyport:") && !/outside:|listening/.test(line)),
        [],
      )
    })
  })

it("S-140: after a restart with --state Epoch Time goes on, unless PEER had connections of the kernel, which no state file has", {
  skip: lack ?? false,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-track-"))
  const there = await scene()
  there.host.sh("ip -6 route del default")
  const options = `--nftables --outside outside --no-control --json --listen 10.0.0.1 --state ${folder}/state`
  const started = async (): Promise<Running> => {
    const server = there.router.start([...COMMAND, "serve", ...options.split(" ")])
    await server.until(/"event":"listening"/)
    return server
  }
  const ask = async (bytes: readonly number[]) => {
    const { stdout, stderr } = await there.host.run([
      ...[NODE, "-e", REQUESTS, "10.0.0.2", "10.0.0.1"],
      Buffer.from(bytes).toString("hex"),
    ])
    assert.notEqual(stdout, "", stderr)
    return read(Uint8Array.from(Buffer.from(stdout.trim(), "hex")))
  }
  const mapping = map({ client: "10.0.0.2", port: 6000, lifetime: 600 })
  await answering(there.world, "udp", WORLD.port)
  let server = await started()
  const made = await ask(mapping)
  await new Promise((next) => setTimeout(next, 2000))
  assert.equal(await server.stop(), 0)
  server = await started()
  const renewed = await ask(mapping)
  assert.ok(renewed.epoch >= made.epoch + 2, `${made.epoch}, ${renewed.epoch}`)
  const talk = await asking(there.host, { protocol: "udp", ...WORLD, sourcePort: 6001 }, "heard")
  const live = peer({ client: "10.0.0.2", port: 6001, lifetime: 600, remote: WORLD.address, remotePort: WORLD.port })
  const kept = await ask(live)
  assert.equal(talk.stdout().trim(), `${EXTERNAL} ${kept.externalPort}`)
  assert.equal(await server.stop(), 0)
  server = await started()
  const anew = await ask(mapping)
  assert.ok(anew.epoch < renewed.epoch, `${renewed.epoch}, ${anew.epoch}`)
  assert.equal(anew.externalPort, made.externalPort)
  // Whoever heard of it asks again, and has of its connection what it had.
  assert.equal((await ask(live)).externalPort, kept.externalPort)
  assert.equal(await again(talk), `${EXTERNAL} ${kept.externalPort}`)
  assert.equal(await server.stop(), 0)
  there.stop()
  rmSync(folder, { recursive: true, force: true })
})
