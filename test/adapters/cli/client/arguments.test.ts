import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Command, CommanderError } from "commander"
import { inboundWanted } from "../../../../adapters/cli/client/map-run.ts"
import type { InboundOptions } from "../../../../adapters/cli/client/mapping-options.ts"
import type { Target } from "../../../../adapters/cli/client/target.ts"
import { addCommands } from "../../../../adapters/cli/commands.ts"
import { assertNoStack, sallyport } from "../command.ts"

/** The commands as the program has them, in this process; `undefined`: nothing is wrong with the arguments. */
const parsed = async (text: string, act?: (targets: readonly Target[], options: InboundOptions) => void) => {
  const program = new Command("sallyport").exitOverride().configureOutput({ outputError: () => {} })
  await addCommands(program, text.split(" "), new URL(import.meta.url))
  for (const command of program.commands) command.action(act ?? (() => {}))
  try {
    await program.parseAsync(text.split(" "), { from: "user" })
    return undefined
  } catch (cause) {
    assert.ok(cause instanceof CommanderError, String(cause))
    assert.equal(cause.exitCode, 1)
    return cause.message
  }
}

describe("arguments that the client commands refuse", () => {
  const WRONG: readonly (readonly [string, RegExp])[] = [
    ["map", /missing required argument 'mapping'/],
    ["map 8080", /"8080" has no protocol: expected 8080\/tcp or 8080\/udp/],
    ["map 8080/tcp --external-port 65536", /--external-port.*0 to 65535/],
    ["map 8080/tcp --external here", /--external.*"here" is no address/],
    ["map 8080/tcp --lifetime 0", /--lifetime.*A lifetime of 0 deletes: use unmap/],
    ["map 8080/tcp --lifetime soon", /--lifetime.*1 to 4294967295/],
    ["map 8080/tcp --lifetime 60 --lifetime 61", /'-l, --lifetime <seconds>' is given twice/],
    ["map 8080/tcp --keep --keep", /'-k, --keep' is given twice/],
    ["map 8080/tcp --pcp --nat-pmp", /'--pcp' cannot be used with option '--nat-pmp'/],
    ["map 8080/tcp --third-party-id 1", /even number of hex digits/],
    ["map 8080/tcp --nonce 01", /--nonce.*24 hex digits/],
    ["map 8080/tcp --filter 192.0.2.0/33", /--filter.*prefix length from 1 to 32/],
    ["map 8080/tcp --port-set 1", /--port-set.*2 to 65535/],
    ["map 8080/tcp --timeout 0", /--timeout.*more than 0/],
    ["unmap --all --all", /is given twice/],
    ["peer 8080/tcp", /missing required argument 'remote'/],
    ["peer 8080/tcp 192.0.2.1", /has no port/],
    ["peer 8080/tcp 192.0.2.1:80 --filter 192.0.2.1", /unknown option '--filter'/],
    ["announce --control --server 127.0.0.1", /'--control \[path\]' cannot be used with option.*--server/],
    ["gateways --interface x --interface y", /is given twice/],
    ["probe now", /too many arguments/],
  ]
  for (const [text, line] of WRONG)
    it(text, async () => {
      const message = await parsed(text)
      assert.match(message ?? "", line)
      assert.equal(message?.split("\n").length, 1)
    })

  it("each option that may be there once, given twice", async () => {
    const program = new Command("sallyport")
    // serve and decode keep the last value given, the commands of the client refuse a second.
    await addCommands(
      program,
      ["map", "unmap", "watch", "peer", "external", "announce", "probe", "gateways"],
      new URL(import.meta.url),
    )
    const values: ReadonlyMap<string, string> = new Map([
      ["external-port", "80"],
      ["external", "192.0.2.1"],
      ["lifetime", "60"],
      ["third-party", "192.0.2.1"],
      ["third-party-id", "01"],
      ["nonce", "0102030405060708090a0b0c"],
      ["port-set", "4"],
      ["internal-address", "192.0.2.1"],
      ["timeout", "5"],
    ])
    let count = 0
    for (const command of program.commands)
      for (const option of command.options) {
        const name = option.name()
        if (["server", "accept-from", "filter"].includes(name)) continue
        const one = option.required ? `${option.long} ${values.get(name) ?? "x"}` : option.long
        const ends: ReadonlyMap<string, string> = new Map([
          ["map", " 80/tcp"],
          ["watch", " 80/tcp"],
          ["peer", " 80/tcp 192.0.2.1:80"],
        ])
        const message = await parsed(`${command.name()} ${one} ${one}${ends.get(command.name()) ?? ""}`)
        assert.match(message ?? "", /is given twice/, `${command.name()} ${one}`)
        count++
      }
    assert.ok(count > 60, `${count}`)
  })

  it("those that may be there more than once add up", async () => {
    let seen: InboundOptions | undefined
    const text =
      "map 80/tcp --filter 192.0.2.1 --filter 192.0.2.2:80 --server a --server b --accept-from ::1 --accept-from ::2"
    assert.equal(await parsed(text, (_targets, options) => (seen = options)), undefined)
    assert.deepEqual([seen?.filter?.length, seen?.server, seen?.acceptFrom?.length], [2, ["a", "b"], 2])
  })
})

describe("mappings that cannot be asked for", () => {
  const WRONG: readonly (readonly [string, RegExp])[] = [
    ["map 8080/tcp 8080/TCP", /8080\/tcp is there twice/],
    ["map 8080/tcp 81/tcp --external-port 80", /'--external-port' is for one mapping, and there are 2/],
    ["map 8080/tcp --third-party 0.0.0.0", /THIRD_PARTY names one host/],
    ["map 8080/tcp --third-party-id 01", /THIRD_PARTY_ID needs THIRD_PARTY/],
    ["map 8080/tcp --parity", /'--parity' needs '--port-set <ports>'/],
    ["map all/tcp --external-port 80", /no external port but 0/],
    ["map all/tcp --prefer-failure", /PREFER_FAILURE needs an external port/],
    ["map 8080/tcp --port-set 4 --prefer-failure", /exclude each other/],
  ]
  for (const [text, line] of WRONG)
    it(text, async () => {
      let wanted: ReturnType<typeof inboundWanted> | undefined
      assert.equal(await parsed(text, (targets, options) => (wanted = inboundWanted(targets, options))), undefined)
      assert.ok(wanted?.ok === false)
      assert.match(wanted.text, line)
    })

  it("without an external port, the internal one is suggested; all ports, and protocols without, have none", async () => {
    const suggested = async (text: string): Promise<number | undefined> => {
      let port: number | undefined
      await parsed(text, (targets, options) => {
        const wanted = inboundWanted(targets, options)
        if (wanted.ok) port = wanted.value[0].request.externalPort
      })
      return port
    }
    assert.equal(await suggested("map 8080/tcp"), 8080)
    assert.equal(await suggested("map 8080/tcp --external-port 0"), 0)
    assert.equal(await suggested("map 8080/tcp --external-port 81"), 81)
    for (const text of ["map all/tcp", "map all", "map gre"]) assert.equal(await suggested(text), 0)
  })
})

describe("the command says one line and ends with 1", { concurrency: 3 }, () => {
  const WRONG: readonly (readonly [string, RegExp])[] = [
    ["map 8080/tcp --server 127.0.0.1:99999", /--server.*"99999" is no port/],
    ["map 8080/tcp --state package.json --server 127.0.0.1:9", /--state.*no file of remembered mappings/],
    ["map 8080/tcp --nonce 0102030405060708090a0b0c --server 127.0.0.1:9 --server 127.0.0.1:8", /'--nonce' is for one/],
    ["unmap", /say what to delete/],
    ["unmap 8080/tcp --all", /not both/],
    ["unmap --all --nonce 0102030405060708090a0b0c", /leave out '--nonce'/],
    ["peer all/tcp 192.0.2.1:80", /has a protocol and an internal port/],
    ["map 8080", /"8080" has no protocol/],
  ]
  for (const [text, line] of WRONG)
    it(text, async () => {
      const { code, stdout, stderr } = await sallyport(text.split(" "), "", { XDG_STATE_HOME: "/nowhere" })
      assert.match(stderr, line)
      assert.match(stderr, /^sallyport: /)
      assert.deepEqual([code, stdout, stderr.split("\n").length], [1, "", 2], stderr)
      assertNoStack(stderr)
    })
})
