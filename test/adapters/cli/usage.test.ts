import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { describe, it } from "node:test"
import { DEFAULT_POOL, poolAddresses } from "../../../adapters/cli/pool.ts"
import { createServer } from "../../../core/server/index.ts"
import { assertNoStack, sallyport } from "./command.ts"

/** Wrong usage: arguments, and what the one line must say. */
const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ["a command that is not there", "frob", /unknown command 'frob'/],
  ["help for a command that is not there", "help frob", /unknown command 'frob'/],
  ["an option that is not there", "serve --frob", /unknown option '--frob'/],
  ["a word too many", "serve now", /too many arguments/],
  ["no address", "serve --listen localhost", /--listen.*"localhost" is no address/],
  ["no port", "serve --listen 127.0.0.1:99999", /--listen.*"99999" is no port/],
  [
    "an address of another machine",
    "serve --listen 192.0.2.1:0",
    /--listen.*192\.0\.2\.1:0 is no address of this machine/,
  ],
  ["no pool", "serve --external 10.0.0.0/33", /--external.*is no prefix/],
  ["a prefix with more bits", "serve --external 203.0.113.1/29", /--external.*203\.0\.113\.0\/29\?/],
  ["an IPv6 pool", "serve --external 2001:db8::1", /--external.*IPv6/],
  ["a pool too large", "serve --external 10.0.0.0/8", /--external.*16384/],
  ["an address twice", "serve --external 192.0.2.1,192.0.2.1", /--external.*twice/],
  ["a range that ends before it starts", "serve --ports 9000-8000", /--ports.*before it starts/],
  ["a port too high", "serve --ports 1024-70000", /--ports.*1024-65535/],
  ["a lifetime that is no number", "serve --min-lifetime soon", /--min-lifetime.*whole number/],
  ["lifetimes that cross", "serve --min-lifetime 900 --max-lifetime 600", /'--min-lifetime' and '--max-lifetime'/],
  ["a negative quota", "serve --quota=-1", /--quota/],
  ["no protocol left", "serve --no-pcp --no-nat-pmp", /'--no-pcp' and '--no-nat-pmp'/],
  ["a field that Wireshark has not", "decode 0000 --fields portcontrol.nonce", /--fields.*portcontrol\.map\.nonce/],
  ["two forms of output", "decode 0000 --json --fields nat-pmp.opcode", /--json.*cannot be used with.*--fields/],
  ["a file that is not there", "decode package.json nothing.pcap", /"nothing\.pcap" is no file/],
  ["a folder for a file", "decode package.json core", /"core" is no file/],
]

const SERVER_COMMANDS = ["serve", "decode", "playground", "mappings", "subscribers", "counters", "revoke"]
const CLIENT_COMMANDS = ["map", "unmap", "watch", "peer", "external", "announce", "probe", "gateways"]
const COMMANDS: readonly string[] = [...SERVER_COMMANDS, ...CLIENT_COMMANDS]

describe("sallyport, wrongly used, says one line and ends with 1", { concurrency: 3 }, () => {
  for (const [name, args, line] of WRONG) {
    it(name, async () => {
      const { code, stdout, stderr } = await sallyport(args.split(" "))
      assert.equal(code, 1)
      assert.equal(stdout, "")
      assert.match(stderr, line)
      assert.match(stderr, /^sallyport: /)
      assert.equal(stderr.split("\n").length, 2, stderr)
      assertNoStack(stderr)
    })
  }

  it("an empty pool", async () => {
    const { code, stderr } = await sallyport(["serve", "--external", ""])
    assert.equal(code, 1)
    assert.match(stderr, /--external.*The pool is empty/)
  })

  it("a port in use", async () => {
    const socket = createSocket("udp4")
    socket.bind(0, "127.0.0.1")
    await once(socket, "listening")
    const { code, stdout, stderr } = await sallyport(["serve", "--listen", `127.0.0.1:${socket.address().port}`])
    socket.close()
    assert.equal(code, 1)
    assert.equal(stdout, "")
    assert.match(stderr, /^sallyport: option '--listen': 127\.0\.0\.1:\d+ is in use already; choose another.*\n$/)
  })
})

describe("sallyport", () => {
  it("prints help, with the table of exit codes, and ends with 0", async () => {
    for (const args of [["--help"], ["help"]]) {
      const { code, stdout } = await sallyport(args)
      assert.equal(code, 0)
      for (let exit = 0; exit <= 5; exit++) assert.match(stdout, new RegExp(`^ +${exit}  \\S`, "m"))
      assert.match(stdout, /serve/)
      assert.match(stdout, /decode/)
      assert.ok(Math.max(...stdout.split("\n").map((line) => line.length)) <= 80)
    }
  })

  it("prints help of each command in 80 columns", async () => {
    for (const command of COMMANDS) {
      const { code, stdout } = await sallyport(["help", command])
      assert.equal(code, 0)
      assert.deepEqual(
        stdout.split("\n").filter((line) => line.length > 80),
        [],
      )
    }
  })

  it("tells in serve's help the defaults that the server has", async () => {
    const made = createServer({ external: poolAddresses(DEFAULT_POOL), secret: new Uint8Array(32), now: 0 })
    assert.ok(made.ok)
    const { settings, cgnState } = made.state
    const { stdout } = await sallyport(["help", "serve"])
    const help = stdout.replace(/\s+/g, " ")
    const told = (option: string) => new RegExp(`${option} <.*?\\(default: (.*?)\\)`).exec(help)?.[1]
    assert.equal(told("--min-lifetime"), String(settings.minLifetime))
    assert.equal(told("--max-lifetime"), String(settings.maxLifetime))
    assert.equal(told("--quota"), String(cgnState.config.quota))
    assert.equal(told("--ports"), `${cgnState.config.ports.first}-${cgnState.config.ports.last}`)
  })

  it("prints its version", async () => {
    const { code, stdout } = await sallyport(["--version"])
    assert.equal(code, 0)
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  })

  it("without arguments prints help on standard error and ends with 1", async () => {
    const { code, stdout, stderr } = await sallyport([])
    assert.deepEqual([code, stdout], [1, ""])
    assert.match(stderr, /Usage: sallyport/)
  })
})
