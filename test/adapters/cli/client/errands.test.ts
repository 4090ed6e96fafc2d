import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { assertNoStack, COMMAND, records, sallyport } from "../command.ts"
import { granting, leaving, natPmpAlone, refusing, type Script, scriptedServer } from "./scripted-server.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-errands-"))
after(() => rmSync(folder, { recursive: true }))
const env = { XDG_STATE_HOME: folder, NO_COLOR: "1" }

const ask = async (text: string, script: Script) => {
  const server = await scriptedServer(script)
  const ended = await sallyport([...text.split(" "), "--server", server.at], "", env)
  assertNoStack(ended.stderr)
  return { ...ended, ...server }
}
const PUBLIC = "1.2.3.4"
/** PCP and NAT-PMP at one port, as most routers have them. */
const both =
  (pcp: Script, natPmp: Script): Script =>
  (bytes, count) =>
    bytes[0] === 0 ? natPmp(bytes, count) : pcp(bytes, count)
/** RFC 6887 appendix A: how a server without NAT-PMP answers it, with its own version and a lifetime. */
const pcpAlone =
  (pcp: Script): Script =>
  (bytes, count) =>
    bytes[0] === 0
      ? Uint8Array.from([2, 0x80 | bytes[1], 0, 1, 0, 0, 7, 8, ...new Array(16).fill(0)])
      : pcp(bytes, count)
const silent: Script = () => undefined

describe("sallyport announce", { concurrency: 3 }, () => {
  it("C-55: says who is there, in which protocol, and since when", async () => {
    const { code, stdout, at, heard } = await ask("announce", granting(PUBLIC, 0))
    assert.deepEqual([code, stdout], [0, `${at} speaks PCP, Epoch Time 100 s (1 min 40 s)\n`])
    // Version 2, opcode 0, lifetime 0 (RFC 6887 section 14.1.2).
    assert.deepEqual([...heard[0].subarray(0, 8)], [2, 0, 0, 0, 0, 0, 0, 0])
    const old = await ask("announce --json", natPmpAlone([1, 2, 3, 4]))
    assert.deepEqual(
      records(old.stdout).map(({ event, via, epoch }) => [event, via, epoch]),
      [["announced", "nat-pmp", 100]],
    )
  })

  it("ends with 4 where PCP is switched off, and 2 where nobody answers", async () => {
    const off = await ask("announce", refusing(2, 1800))
    assert.equal(off.code, 4)
    assert.match(off.stderr, /NOT_AUTHORIZED/)
    const nobody = await ask("announce --json --timeout 0.3", silent)
    assert.equal(nobody.code, 2)
    assert.deepEqual(
      records(nobody.stdout).map(({ event, reason }) => [event, reason]),
      [["failed", "no-answer"]],
    )
  })
})

describe("sallyport external", { concurrency: 3 }, () => {
  it("by NAT-PMP sends no request for a mapping", async () => {
    const { code, stdout, at, heard } = await ask("external", both(granting("9.9.9.9", 120), natPmpAlone([1, 2, 3, 4])))
    assert.equal(code, 0)
    assert.equal(stdout, `1.2.3.4 outside of ${at}, says its NAT-PMP: a public address: the Internet reaches it\n`)
    assert.deepEqual(
      heard.map((bytes) => [...bytes]),
      [[0, 0]],
    )
  })

  it("RFC 6887 11.6: by PCP it maps UDP port 9 for two minutes and deletes that", async () => {
    const { code, stdout, heard } = await ask("external --json", pcpAlone(granting("100.64.0.9", 120)))
    assert.equal(code, 0)
    const [record] = records(stdout)
    assert.deepEqual(
      [record.address, record.class, record.via, record.doubleNat],
      ["100.64.0.9", "shared", "pcp", true],
    )
    const maps = heard.filter((bytes) => bytes[0] === 2 && bytes[1] === 1)
    assert.deepEqual(
      maps.map((bytes) => [bytes[7], bytes[36], bytes[41]]),
      [
        [120, 17, 9],
        [0, 17, 9],
      ],
    )
    assert.deepEqual(maps[0].subarray(24, 36), maps[1].subarray(24, 36))
  })

  it("ends as the server refuses, or with 2", async () => {
    assert.equal((await ask("external --pcp", refusing(8, 30))).code, 3)
    assert.equal((await ask("external --nat-pmp", natPmpAlone([0, 0, 0, 0], 3))).code, 3)
    assert.equal((await ask("external --timeout 0.3", silent)).code, 2)
  })
})

describe("sallyport probe says what it found and what to do", { concurrency: 3 }, () => {
  const CASES: readonly (readonly [string, Script, number, string, RegExp])[] = [
    [
      "ports can be opened",
      both(granting(PUBLIC, 120), natPmpAlone([1, 2, 3, 4])),
      0,
      "works",
      /sallyport map 8080\/tcp --server 127\.0\.0\.1:\d+/,
    ],
    ["by NAT-PMP alone", natPmpAlone([1, 2, 3, 4]), 0, "works", /sallyport map 8080\/tcp/],
    [
      "a carrier's NAT in front",
      pcpAlone(granting("100.64.0.9", 120)),
      5,
      "double-nat",
      /provider has a NAT of its own/,
    ],
    ["another router in front", natPmpAlone([192, 168, 1, 20]), 5, "double-nat", /Another router is in front/],
    [
      "an address for examples",
      pcpAlone(granting("203.0.113.7", 120)),
      5,
      "no-route",
      /203\.0\.113\.7.*nobody has it.*map 8080\/tcp --server 127\.0\.0\.1:\d+/,
    ],
    ["no line", natPmpAlone([0, 0, 0, 0]), 5, "no-address", /its line is down/],
    ["switched off", pcpAlone(refusing(2, 1800)), 4, "refused", /switch it on/],
    ["full", pcpAlone(refusing(8, 30)), 3, "refused", /no room for more/],
    ["an unexpected NAT between", pcpAlone(refusing(12, 1800)), 4, "refused", /Another NAT is between us/],
    ["silence", silent, 2, "silent", /Nothing there speaks PCP or NAT-PMP/],
  ]
  for (const [name, script, code, finding, advice] of CASES)
    it(name, async () => {
      const timeout = script === silent ? " --timeout 0.3" : ""
      const ended = await ask(`probe --json${timeout}`, script)
      const [record] = records(ended.stdout)
      assert.deepEqual([ended.code, record.finding], [code, finding], ended.stdout)
      assert.match(JSON.stringify(record.advice), advice)
    })

  it("for people, in 80 columns", async () => {
    const { stdout, at } = await ask("probe", both(granting("100.64.0.9", 120), natPmpAlone([100, 64, 0, 9])))
    for (const line of [
      at,
      "  We are      127.0.0.1",
      "  PCP         version 2",
      "  NAT-PMP     spoken there",
      "  Next  ",
    ])
      assert.ok(
        stdout.split("\n").some((text) => text.startsWith(line)),
        `${line}\n${stdout}`,
      )
    assert.ok(Math.max(...stdout.split("\n").map((text) => text.length)) <= 80)
  })
})

describe("sallyport map --keep and watch", { concurrency: 3 }, () => {
  const keeping = async (args: readonly string[]) => {
    const child = spawn(COMMAND[0], [...COMMAND.slice(1), ...args], { stdio: "pipe", env: { ...process.env, ...env } })
    let [out, err] = ["", ""]
    let wake = (): void => {}
    child.stdout.on("data", (chunk) => {
      out += chunk
      wake()
    })
    child.stderr.on("data", (chunk) => {
      err += chunk
    })
    const exited = once(child, "close")
    return {
      until: async (pattern: RegExp): Promise<void> => {
        while (!pattern.test(out)) {
          const more = new Promise<void>((resolve) => {
            wake = resolve
          })
          await Promise.race([
            more,
            exited.then(() => {
              throw new Error(`it ended: ${out}${err}`)
            }),
          ])
        }
      },
      stop: async (signal: NodeJS.Signals) => {
        child.kill(signal)
        await exited
        return { code: child.exitCode, stdout: out, stderr: err }
      },
    }
  }
  const lifetimes = (heard: readonly Uint8Array[]): readonly number[] =>
    heard.map((bytes) => new DataView(bytes.buffer).getUint32(4))

  for (const signal of ["SIGINT", "SIGTERM"] as const)
    it(`C-132: ${signal} deletes the mapping and ends with 0`, async () => {
      const server = await scriptedServer(granting(PUBLIC, 7200))
      const kept = await keeping(["map", "8080/tcp", "--keep", "--json", "--server", server.at])
      await kept.until(/"event":"mapped"/)
      const { code, stdout } = await kept.stop(signal)
      assert.equal(code, 0)
      assert.deepEqual(
        records(stdout).map(({ event }) => event),
        ["mapped", "deleted"],
      )
      assert.deepEqual(lifetimes(server.heard), [7200, 0])
      assert.deepEqual(server.heard[0].subarray(24, 36), server.heard[1].subarray(24, 36))
    })

  it("renews, and says when the external port is another one", async () => {
    const server = await scriptedServer((bytes, count) => granting(PUBLIC, 8, count < 2 ? 40000 : 40001)(bytes, count))
    const kept = await keeping(["watch", "8080/tcp", "--server", server.at])
    await kept.until(/^\d\d:\d\d:\d\d 8080\/tcp is reached at 1\.2\.3\.4:40000 for 8 s/)
    await kept.until(/8080\/tcp is reached at 1\.2\.3\.4:40001 from now on/)
    const { code, stdout } = await kept.stop("SIGINT")
    assert.equal(code, 0)
    assert.match(stdout, /8080\/tcp is deleted at/)
  })

  it("RFC 6887 15: says for how long what it deletes stays open, and keeps its nonce for as long", async () => {
    const server = await scriptedServer(leaving(PUBLIC, 600, 7440))
    const state = join(folder, "left.json")
    const kept = await keeping(["watch", "8080/tcp", "--server", server.at, "--state", state])
    await kept.until(/8080\/tcp is reached at/)
    const { code, stdout } = await kept.stop("SIGINT")
    assert.equal(code, 0)
    assert.match(stdout, /8080\/tcp is deleted at \S+, but stays open for 2 h 4 min more, as there was traffic\n/)
    const [{ ends }] = JSON.parse(readFileSync(state, "utf8")).mappings
    assert.ok(Date.parse(ends) - Date.now() > 3_600_000, ends)
  })

  it("ends at once where nothing could be mapped", async () => {
    const refused = await ask("map 80/tcp --keep", refusing(2, 1800))
    assert.deepEqual([refused.code, refused.stdout], [4, ""])
    assert.equal((await ask("watch 80/tcp --timeout 0.3", silent)).code, 2)
  })

  it("C-04: any protocol", async () => {
    for (const [what, number] of [
      ["9/sctp", 132],
      ["gre", 47],
      ["all", 0],
    ] as const) {
      const { code, stdout, heard } = await ask(`map ${what}`, granting(PUBLIC, 7200))
      assert.equal(code, 0)
      assert.match(stdout, new RegExp(`^${what} is reached at 1\\.2\\.3\\.4`))
      assert.equal(heard[0][36], number)
    }
  })
})

describe("sallyport gateways", () => {
  it("lists what other commands ask, or ends with 4", async () => {
    const { code, stdout, stderr } = await sallyport(["gateways", "--json"], "", env)
    if (code === 0)
      for (const record of records(stdout)) assert.deepEqual([record.event, typeof record.own], ["gateway", "string"])
    else assert.deepEqual([code, stdout, /no gateway was found/.test(stderr)], [4, "", true])
    const none = await sallyport(["gateways", "--interface", "nothing0"], "", env)
    assert.deepEqual([none.code, none.stdout], [4, ""])
    assert.match(none.stderr, /no gateway was found/)
  })
})
