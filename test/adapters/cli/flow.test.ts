import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { after, describe, it } from "node:test"
import { COMMAND, records, sallyport } from "./command.ts"

const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill("SIGKILL")
})

/** A `flow listen`, once it listens: where it does, and what it prints. */
const listen = async (form: string, more: readonly string[], input = "") => {
  const args = ["flow", "listen", "oecho", "--form", form, "--listen", "127.0.0.1:0", "--json", ...more]
  const child = spawn(COMMAND[0] ?? "", [...COMMAND.slice(1), ...args], { stdio: "pipe" })
  running.add(child)
  child.once("exit", () => running.delete(child))
  child.stdin.write(input)
  let out = ""
  let wake = (): void => {}
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    out += part
    wake()
  })
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(out)
      if (found !== null) return found
      assert.equal(child.exitCode, null, out)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const [, end = ""] = await until(/"local":"([^"]+)"/)
  return {
    child,
    end,
    until,
    stop: async (): Promise<number | null> => {
      child.kill("SIGINT")
      if (child.exitCode === null) await once(child, "exit")
      return child.exitCode
    },
  }
}

for (const form of ["current", "first"])
  describe(`sallyport flow, ${form} form`, () => {
    const asking = (command: string, end: string, ...more: readonly string[]): readonly string[] => [
      ...["flow", command, "oecho", "--form", form, "--listen", "127.0.0.1:0"],
      ...(end === "" ? [] : ["--to", end]),
      ...more,
    ]

    it("ping tells each time and their statistics, perf how much comes back", async () => {
      const server = await listen(form, ["--echo"])
      const pinged = await sallyport(asking("ping", server.end, "-c", "3", "-i", "0.05", "--size", "100"))
      assert.equal(pinged.code, 0, pinged.stderr)
      assert.match(pinged.stdout, /^(100 octets from oecho: seq=\d time=[\d.]+ ms\n){3}/)
      assert.match(pinged.stdout, /^3 sent, 3 received, 0% lost, in \d+ ms$/m)
      assert.match(pinged.stdout, /^rtt min\/avg\/max\/mdev = [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+ ms$/m)
      const json = await sallyport(asking("ping", server.end, "-c", "2", "-i", "0.05", "--json"))
      assert.deepEqual(
        records(json.stdout).map(({ event, number, octets, sent, received, loss }) =>
          event === "reply" ? [number, octets] : [sent, received, loss],
        ),
        [
          [0, 64],
          [1, 64],
          [2, 2, 0],
        ],
      )
      const run = await sallyport(asking("perf", server.end, "-d", "0.3", "--size", "500", "--json"))
      const [result] = records(run.stdout)
      assert.equal(run.code, 0, run.stderr)
      assert.ok(typeof result?.received === "number" && result.received > 10, run.stdout)
      assert.deepEqual([result.event, result.size, result.window], ["result", 500, 32])
      assert.equal(await server.stop(), 0)
    })

    it("dial sends standard input and prints what comes", async () => {
      const server = await listen(form, ["--echo"])
      const text = "a line\nand another, é\n"
      const dialled = await sallyport(asking("dial", server.end, "-w", "0.3"), text)
      assert.deepEqual([dialled.code, dialled.stdout], [0, text], dialled.stderr)
      // More than one message has.
      const long = "0123456789".repeat(500)
      const again = await sallyport(asking("dial", "", "--host", `oecho=${server.end}`, "-w", "0.3"), long)
      assert.deepEqual([again.code, again.stdout], [0, long], again.stderr)
      assert.equal(await server.stop(), 0)
    })

    it("listen prints what flows bring, and ends with the first where that is asked", async () => {
      const server = await listen(form, ["--once"])
      const dialled = sallyport(asking("dial", server.end, "-w", "0.2", "--peer-timeout", "1"), "to the listener")
      await server.until(/"event":"flow"/)
      const [, base64 = ""] = await server.until(/"event":"message".*"base64":"([^"]+)"/)
      assert.equal(Buffer.from(base64, "base64").toString(), "to the listener")
      assert.equal((await dialled).code, 0)
      // The first form says nothing of timeouts: the listener's own is two minutes.
      if (form === "first") assert.equal(await server.stop(), 0)
      else await server.until(/"event":"ended"/)
      if (server.child.exitCode === null) await once(server.child, "exit")
      assert.equal(server.child.exitCode, 0)
    })

    it("nobody there is exit code 2, a name that nobody serves 4 where the form can say so", async () => {
      const silent = await sallyport(asking("ping", "127.0.0.1:9", "-c", "1", "--timeout", "0.4"))
      assert.deepEqual([silent.code, silent.stdout], [2, ""])
      assert.match(silent.stderr, /^sallyport: ETIMEDOUT: /)
      const server = await listen(form, ["--echo"])
      const args = ["flow", "dial", "nobody", "--form", form, "--to", server.end, "--timeout", "0.6", "--json"]
      const refused = await sallyport(args)
      const [failed] = records(refused.stdout)
      assert.deepEqual([refused.code, failed?.code], form === "first" ? [2, "ETIMEDOUT"] : [4, "ENAME"])
      assert.equal(await server.stop(), 0)
    })
  })

describe("sallyport flow, wrongly used", () => {
  for (const [args, line] of [
    ["flow dial oecho --form second", /--form.*first, current/],
    ["flow dial oecho --to nowhere", /--to.*"nowhere" is no address/],
    ["flow dial oecho --host oecho", /--host.*NAME=ADDRESS/],
    ["flow dial oecho --zone a..b --dns 127.0.0.1", /not a zone/],
    ["flow ping oecho --count 0", /--count.*whole number/],
    ["flow ping oecho --size 9000", /--size.*8 to 8948/],
    ["flow listen", /missing required argument 'name'/],
    ["flow frob", /unknown command 'frob'/],
  ] as const)
    it(args, async () => {
      const { code, stdout, stderr } = await sallyport(args.split(" "))
      assert.deepEqual([code, stdout], [1, ""])
      assert.match(stderr, line)
      assert.match(stderr, /^sallyport: /)
    })

  it("what is wrong here, and not there, is exit code 1: a name that nobody knows, a port in use, an address of no interface, the wrong family", async () => {
    const server = await listen("current", ["--echo"])
    for (const [args, line] of [
      ["dial nobody-at-all --listen 127.0.0.1:0", /^sallyport: ENAME: no directory knows where nobody-at-all is\n$/],
      [
        `listen oecho --listen ${server.end}`,
        /^sallyport: EINVAL: 127\.0\.0\.1:\d+ is in use already; choose another with --listen <address\[:port\]>\n$/,
      ],
      ["listen oecho --listen 192.0.2.77", /^sallyport: EINVAL: 192\.0\.2\.77:3435 is no address of this machine\n$/],
      [
        "dial oecho --listen 127.0.0.1:0 --to [::1]",
        /^sallyport: EAFNOSUPPORT: oecho is at IPv6, and the layer listens on IPv4 alone: it takes --listen ::\n$/,
      ],
      [
        "dial six --host six=[::1] --listen 127.0.0.1:0",
        /^sallyport: EAFNOSUPPORT: six is at IPv6, and the layer listens on IPv4 alone: it takes --listen ::\n$/,
      ],
      [
        "dial oecho --listen [::1]:0 --to 127.0.0.1",
        /^sallyport: EAFNOSUPPORT: oecho is at IPv4, and the layer listens on IPv6 alone: it takes --listen 0\.0\.0\.0\n$/,
      ],
    ] as const) {
      const { code, stdout, stderr } = await sallyport(["flow", ...args.split(" ")])
      assert.deepEqual([code, stdout], [1, ""], args)
      assert.match(stderr, line)
    }
    assert.equal(await server.stop(), 0)
  })

  it("a directory that does not answer is one line, exit code 4 or 2", async () => {
    const { code, stderr } = await sallyport([
      "flow",
      "dial",
      "nobody-at-all",
      "--dns",
      "127.0.0.1:9",
      "--timeout",
      "1",
    ])
    assert.ok(code === 4 || code === 2, stderr)
    assert.match(stderr, /^sallyport: E[A-Z]+: [^\n]*\n$/)
  })
})
