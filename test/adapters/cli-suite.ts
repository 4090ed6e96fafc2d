import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { openLibc } from "../../adapters/linux/index.ts"
import manifest from "../../package.json" with { type: "json" }
import { assertNoStack, client, endedBy, kill, octets, records, servingBy, startedBy } from "./cli/command.ts"
import { assertFast } from "./cli/fast.ts"
import { assertSeveral } from "./cli/workers/several.ts"
import type { Runtime } from "./runtime.ts"

const libc = openLibc()
const fastSkip = libc.ok ? false : `no C library here: ${libc.text}`

const MAIN = fileURLToPath(new URL("../../adapters/cli/main.ts", import.meta.url))

/** A NAT-PMP response to a mapping of TCP, as the README takes it apart. */
const RESPONSE = "0082 0000 0000 0001 1f90 1f90 0000 0e10"
const DECODED = `Packet 1
                               NAT-PMP map TCP response, 16 octets
0000  00                         Vers: 0 (NAT-PMP)
0001  82                         OP: 130 (map TCP response)
0002  00 00                      Result Code: Success (0): Success.
0004  00 00 00 01                Seconds Since Start of Epoch: 1 s
0008  1f 90                      Internal Port: 8080
000a  1f 90                      Mapped External Port: 8080
000c  00 00 0e 10                Port Mapping Lifetime in Seconds: 3600 s (1 h)
No findings.

`

/** The command on a runtime. */
export const cliSuite = ({ name, command, main = MAIN, udp }: Runtime): void =>
  commandSuite(name, [...command, main], udp.limits.includes("reuse-port"))

/** The whole command, however it is started: what it prints, and how it ends, is the same everywhere but where it says `isAlone`: no ports are shared. */
export const commandSuite = (name: string, command: readonly string[], isAlone: boolean): void => {
  const run = (words: string, input: string | Uint8Array = "", env: NodeJS.ProcessEnv = {}) =>
    endedBy(command, words === "" ? [] : words.split(" "), input, env)

  describe(`${name}: the command`, () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-cli-"))
    after(() => rmSync(folder, { recursive: true }))
    /** Where the server's control socket and the client's memory are: nobody else's. */
    const env = { XDG_RUNTIME_DIR: folder, XDG_STATE_HOME: folder, HOME: folder, NO_COLOR: "1" }
    const file = (path: string, content: string | Uint8Array): string => {
      const at = join(folder, path)
      writeFileSync(at, content)
      return at
    }
    const binary = octets(RESPONSE)

    /** Words, standard input, exit code, standard output, and a part of standard error. */
    const TABLE: readonly (readonly [string, string | Uint8Array, number, string | RegExp, RegExp])[] = [
      ["--version", "", 0, `${manifest.version}\n`, /^$/],
      ["help decode", "", 0, /^Usage: sallyport decode /, /^$/],
      ["help nothing", "", 1, "", /^sallyport: unknown command 'nothing'/],
      ["no-such-command", "", 1, "", /^sallyport: .*no-such-command/],
      [`decode ${RESPONSE}`, "", 0, DECODED, /^argument: read as hex digits\n$/],
      ["decode", RESPONSE, 0, DECODED, /^standard input: read as hex digits\n$/],
      ["decode", binary, 0, DECODED, /^standard input: read as /],
      [`decode ${file("response.bin", binary)}`, "", 0, DECODED, /response\.bin: read as /],
      [
        `decode ${file("one.txt", RESPONSE)} ${file("two.bin", binary)}`,
        "",
        0,
        `${DECODED}${DECODED.replace("Packet 1", "Packet 2")}`,
        /one\.txt: read as hex digits\n.*two\.bin: read as /s,
      ],
      [`decode --json ${RESPONSE}`, "", 0, /^\{"number":1,"form":"hex digits","bytes":"00820000/, /^$/],
      ["decode ./no-such-file", "", 1, "", /no-such-file" is no file/],
      ["decode", "", 1, "", /^sallyport: cannot read standard input/],
      ["serve --listen nowhere", "", 1, "", /^sallyport: .*--listen/],
      ["serve --listen 192.0.2.1", "", 1, "", /192\.0\.2\.1/],
      [
        `serve --config ${file("bad.jsonc", '{ "listen": ["127.0.0.1"], "quota": "many" }')}`,
        "",
        1,
        "",
        /bad\.jsonc.*quota/s,
      ],
      [
        "map 8080/tcp --server 127.0.0.1:9 --timeout 0.2 --no-state",
        "",
        name.includes("Deno") ? 2 : 4,
        "",
        /127\.0\.0\.1:9/,
      ],
      ["map 8080/smtp", "", 1, "", /^sallyport: /],
      ["who 192.0.2.1:58204 --protocol tcp", "", 1, "", /^sallyport: /],
    ]
    for (const [words, input, code, out, err] of TABLE)
      it(`${words.replaceAll(folder, "").slice(0, 60)}: ends with ${code}`, async () => {
        const ended = await run(words, input, env)
        assert.equal(ended.code, code, ended.stderr)
        if (typeof out === "string") assert.equal(ended.stdout, out)
        else assert.match(ended.stdout, out)
        assert.match(ended.stderr, err)
        assertNoStack(ended.stderr)
      })

    /** The command as a shell runs it, where `"$@"` is the command. */
    const inShell = (script: string, words: readonly string[]) =>
      endedBy(["sh", "-c", script, "sh", ...command], words, "", env)

    it("a long packet as one word is a packet, though no file has so long a name", async () => {
      for (const octetsOfPacket of [130, 5000]) {
        const words = ["decode", "0201".repeat(octetsOfPacket / 2)]
        const ended = await endedBy(command, words, "", env)
        assert.deepEqual([ended.code, ended.stderr], [0, "argument: read as hex digits\n"])
        assert.deepEqual(ended, await endedBy(command, ["decode", "--", ...words.slice(1)], "", env))
      }
    })

    it("a file is read, whatever else a runtime with permissions does not permit", async () => {
      const narrow = command.map((word) => (word === "--allow-all" ? "--allow-read" : word))
      const ended = await endedBy(narrow, ["decode", file("narrow.txt", RESPONSE)], "", env)
      assert.equal(ended.stdout, DECODED, ended.stderr)
    })

    it("what standard error does not take costs no data", async () => {
      const taken = file("read-only", "")
      const ended = await inShell(`"$@" 2< '${taken}'`, ["decode", ...RESPONSE.split(" ")])
      assert.deepEqual(ended, { code: 0, stdout: DECODED, stderr: "" })
    })

    const full = existsSync("/dev/full") ? false : "needs /dev/full, which this system has not"
    it("what standard output does not take is told, and is a failure", { skip: full }, async () => {
      const server = await servingBy(command, ["--listen", "127.0.0.1:0"], env)
      for (const words of [
        ["announce", "--server", `127.0.0.1:${server.port}`],
        ["decode", "0000"],
        ["decode", "--json", "0000"],
      ]) {
        const ended = await inShell('"$@" > /dev/full', words)
        assert.equal(ended.code, 4, words.join(" "))
        assert.match(ended.stderr, /(?:^|\n)sallyport: cannot write standard output: no space is left\n$/)
      }
      await server.stop()
    })

    // A pipe shared with another program that made it so; dd, told to by its flag, leaves it so.
    const pipes =
      spawnSync("dd", ["oflag=nonblock"], { input: "" }).status === 0 ? false : "needs dd with oflag=nonblock"
    it("a pipe that does not block has all of it once, however slow its reader", { skip: pipes }, async () => {
      const text = "0000\n\n".repeat(3000)
      for (const words of [
        ["decode", text],
        ["decode", "--", text],
        ["decode", "--json", text],
      ]) {
        const { stdout } = await endedBy(command, words, "", env)
        assert.ok(stdout.length > 300_000)
        const slow = await inShell('{ dd oflag=nonblock < /dev/null 2> /dev/null; "$@"; } | { sleep 1; cat; }', words)
        assert.ok(slow.stdout === stdout, `${slow.stdout.length} octets for ${stdout.length}`)
      }
    })

    it("serve tells a slow reader each event once", { skip: process.platform === "win32" }, async () => {
      const pipe = join(folder, "events")
      execFileSync("mkfifo", [pipe])
      // It reads once the file is there.
      const reading = endedBy(["sh", "-c", 'exec < "$0"; until [ -e "$0.go" ]; do sleep 0.1; done; cat'], [pipe])
      const written = ["sh", "-c", `exec "$@" > '${pipe}'`, "sh", ...command]
      const server = await servingBy(written, ["--listen", "127.0.0.1:0"], env)
      const mapper = await client()
      // NAT-PMP requests of UDP mappings (RFC 6886 section 3.3).
      for (let port = 1001; port <= 1800; port++)
        await mapper.ask(octets(`00010000 ${port.toString(16).padStart(4, "0")} 0000 00000e10`), server.port)
      mapper.close()
      file("events.go", "")
      assert.equal((await server.stop()).code, 0)
      const lines = (await reading).stdout.split("\n")
      assert.equal(lines.filter((line) => line.includes("created")).length, 800)
    })

    it("serves, maps, answers to control and metrics, reads its file again, and keeps its state", async () => {
      const state = join(folder, "state")
      const settings = (quota: number): string =>
        file(
          "serve.jsonc",
          JSON.stringify({
            listen: ["127.0.0.1:0"],
            external: ["203.0.113.7"],
            quota,
            state: { file: state },
            control: join(folder, "control.sock"),
            metrics: "127.0.0.1:0",
          }),
        )
      const config = settings(8)
      const start = () => servingBy(command, ["--config", config, "--json"], env)
      const first = await start()
      const at = (words: string): string => words.replaceAll("@", `127.0.0.1:${first.port}`)
      const ask = async (words: string) => {
        const ended = await run(at(words), "", env)
        assertNoStack(ended.stderr)
        return ended
      }
      const external = await ask("external --server @ --json")
      assert.equal(external.code, 0, external.stderr)
      assert.match(external.stdout, /"203\.0\.113\.7"/)
      const mapped = await ask("map 8080/tcp --server @")
      assert.equal(mapped.code, 0, mapped.stderr)
      assert.equal(mapped.stdout, at("8080/tcp is reached at 203.0.113.7:8080 for 2 h, by PCP of @\n"))
      const announced = await ask("announce --server @ --json")
      assert.equal(announced.code, 0, announced.stderr)
      const probed = await ask("probe --server @")
      assert.match(probed.stdout, /203\.0\.113\.7/)

      const control = `--control ${join(folder, "control.sock")}`
      const listed = records((await ask(`mappings --json ${control}`)).stdout)
      assert.deepEqual(
        listed.map(({ protocol, external: end }) => [protocol, end]),
        [[6, { address: "203.0.113.7", port: 8080 }]],
      )
      assert.match((await ask(`counters ${control}`)).stdout, /\d/)
      const listening = first.records().find(({ event }) => event === "listening")
      const where = /127\.0\.0\.1:\d+/.exec(JSON.stringify(listening?.metrics ?? ""))
      assert.ok(where !== null, JSON.stringify(listening))
      const metrics = await (await fetch(`http://${where[0]}/metrics`)).text()
      assert.match(metrics, /^sallyport_/m)

      if (process.platform !== "win32") {
        settings(0)
        kill(first.child, "SIGHUP")
        await first.untilError(/serve\.jsonc|read again/)
      }
      const stopped = await first.stop()
      assert.equal(stopped.code, 0, stopped.stderr)
      assertNoStack(stopped.stderr)

      const second = await start()
      const kept = records((await ask(`mappings --json ${control}`)).stdout)
      assert.deepEqual(kept.length, 1)
      // Its file names the server by the port of before: the nonce is found by that.
      const gone = await run(`unmap --all --server 127.0.0.1:${second.port}`, "", env)
      assertNoStack(gone.stderr)
      assert.equal((await second.stop("SIGINT")).code, 0)
    })

    it("passes the conformance vectors as a server and runs them as a client", async () => {
      const server = await servingBy(command, ["--listen", "127.0.0.1:0"], env)
      const words = `conformance --server 127.0.0.1:${server.port} --client 127.0.0.1 --client 127.0.0.2 --rate 10000 --timeout 1500 --json`
      const { code, stdout, stderr } = await run(words, "", env)
      const [report] = records(stdout)
      assert.ok(Array.isArray(report?.cases), stderr)
      const failed = report.cases.filter(({ outcome }) => outcome === "fail")
      assert.deepEqual(failed, [])
      assert.equal(code, 0, stderr)
      assert.ok(report.cases.filter(({ outcome }) => outcome === "pass").length > 400)
      await server.stop()
    })

    if (isAlone)
      it("--workers is refused in a line, and auto is one", async () => {
        const hint = process.platform === "linux" ? " without '--fast'" : ""
        const why = `workers share each port by SO_REUSEPORT, which there is not on this system and runtime${hint}`
        const refused = await run("serve --listen 127.0.0.1:0 --workers 2", "", env)
        assert.deepEqual([refused.code, refused.stderr], [1, `sallyport: option '--workers': ${why}\n`])
        const server = await servingBy(command, ["--listen", "127.0.0.1:0", "--json", "--workers", "auto"], env)
        assert.equal((await server.stop()).code, 0)
      })
    else it("--workers 2 is one server", () => assertSeveral(command, env))

    // Where there are no foreign functions it says so: serve-fast.test.ts.
    for (const more of [[], ["--workers", "2"]])
      it(`serve --fast ${more.join(" ")}answers from the address that was asked`, { skip: fastSkip }, async () => {
        assert.doesNotMatch(await assertFast(command, more, env), /--fast/)
      })

    it("watch keeps a port until a signal, and deletes it", async () => {
      const server = await servingBy(command, ["--listen", "127.0.0.1:0", "--json"], env)
      const watching = startedBy(command, ["watch", "443/udp", "--server", `127.0.0.1:${server.port}`, "--json"], env)
      await watching.until(/"mapped"|"event"/)
      await server.until(/"event":"(?:mapping|created)"/)
      kill(watching.child, "SIGINT")
      assert.equal((await watching.ended).code, 0)
      await server.until(/"deleted"/)
      await server.stop()
    })
  })
}
