import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { assertNoStack, records, sallyport, serving } from "../command.ts"
import { granting, leaving, natPmpAlone, refusing, scriptedServer } from "./scripted-server.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-map-"))
const env = { XDG_STATE_HOME: folder, NO_COLOR: "1" }
const STATE = join(folder, "sallyport", "mappings.json")
let server: Awaited<ReturnType<typeof serving>>
let at = ""

before(async () => {
  server = await serving(["--json", "--no-control", "--third-party", "--external", "203.0.113.7"])
  at = `127.0.0.1:${server.port}`
})
after(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

const run = (text: string) => sallyport(text.replace("AT", at).split(" "), "", env)
/** The one record of `--json`. */
const json = async (text: string) => {
  const { code, stdout, stderr } = await run(`${text} --json`)
  const [record] = records(stdout)
  assert.ok(record !== undefined, stderr)
  return { code, record }
}

describe("sallyport map against sallyport serve", () => {
  it("C-01: maps with nothing but the port, renews by the remembered nonce, and unmaps", async () => {
    const first = await run("map 8080/tcp --server AT")
    assert.equal(first.code, 0, first.stderr)
    assert.equal(first.stdout, `8080/tcp is reached at 203.0.113.7:8080 for 2 h, by PCP of ${at}\n`)
    assert.equal(statSync(STATE).mode & 0o777, 0o600)
    const kept: unknown = JSON.parse(readFileSync(STATE, "utf8"))
    // Another nonce would be refused (S-44).
    const again = await json("map 8080/tcp --server AT --lifetime 600")
    assert.equal(again.code, 0)
    const { record } = again
    assert.deepEqual(
      [record.event, record.via, record.external, record.lifetime, record.class],
      ["mapped", "pcp", { address: "203.0.113.7", port: 8080 }, 600, "documentation"],
    )
    assert.ok(typeof kept === "object")
    const deleted = await run("unmap 8080/tcp")
    assert.deepEqual([deleted.code, deleted.stdout], [0, `8080/tcp is deleted at ${at}\n`])
    assert.deepEqual(JSON.parse(readFileSync(STATE, "utf8")).mappings, [])
  })

  it("prints no nonce anywhere", async () => {
    const { stdout, stderr } = await run("map 8081/tcp --server AT --json")
    const state = readFileSync(STATE, "utf8")
    const nonce = /"nonce": "([0-9a-f]{24})"/.exec(state)?.[1] ?? ""
    assert.equal(nonce.length, 24)
    assert.ok(!`${stdout}${stderr}`.includes(nonce))
  })

  it("options reach the server", { concurrency: 3 }, async (t) => {
    const external = { address: "203.0.113.7", port: 0 }
    const CASES: readonly (readonly [string, string, (record: Readonly<Record<string, unknown>>) => void])[] = [
      [
        "--external-port",
        "map 1001/tcp --external-port 40001",
        ({ external: end }) => assert.deepEqual(end, { ...external, port: 40001 }),
      ],
      [
        "--external-port 0",
        "map 1002/tcp --external-port 0",
        ({ external: end }) => assert.notDeepEqual(end, { ...external, port: 0 }),
      ],
      [
        "--external",
        "map 2003/tcp --external 203.0.113.7",
        ({ asked }) => assert.deepEqual(asked, { externalPort: 2003, external: "203.0.113.7", lifetime: 7200 }),
      ],
      ["--lifetime", "map 2004/tcp --lifetime 300", ({ lifetime }) => assert.equal(lifetime, 300)],
      [
        "--third-party",
        "map 2005/tcp --third-party 127.0.0.9",
        ({ internal }) => assert.deepEqual(internal, { address: "127.0.0.9", port: 2005 }),
      ],
      [
        "--internal-address",
        "map 2006/tcp --internal-address 127.0.0.8",
        ({ internal }) => assert.deepEqual(internal, { address: "127.0.0.8", port: 2006 }),
      ],
      [
        "--prefer-failure",
        "map 2007/tcp --prefer-failure",
        ({ external: end }) => assert.deepEqual(end, { ...external, port: 2007 }),
      ],
      [
        "--filter twice",
        "map 2008/udp --filter 192.0.2.0/24:53 --filter 198.51.100.7",
        ({ filters }) => assert.deepEqual(filters, ["192.0.2.0/24:53", "198.51.100.7/32"]),
      ],
      ["--description", "map 2009/udp --description web", ({ event }) => assert.equal(event, "mapped")],
      ["--port-set", "map 2010/udp --port-set 4 --parity", ({ ports }) => assert.equal(ports, 4)],
      ["--nonce", "map 2014/udp --nonce 0102030405060708090a0b0c", ({ event }) => assert.equal(event, "mapped")],
      ["--nat-pmp", "map 2015/udp --nat-pmp", ({ via }) => assert.equal(via, "nat-pmp")],
      ["--pcp", "map 2016/udp --pcp", ({ via }) => assert.equal(via, "pcp")],
      ["--no-state", "map 2017/udp --no-state", ({ event }) => assert.equal(event, "mapped")],
      ["--interface", "map 2018/udp --interface lo", ({ event }) => assert.equal(event, "mapped")],
      ["--accept-from", "map 2019/udp --accept-from 127.0.0.9", ({ event }) => assert.equal(event, "mapped")],
    ]
    await Promise.all(
      CASES.map(([name, text, check]) =>
        t.test(name, async () => {
          const { code, record } = await json(`${text} --server AT`)
          assert.equal(code, 0, JSON.stringify(record))
          check(record)
        }),
      ),
    )
    await server.until(/"description":"web"/)
    await server.until(/"event":"filtered".*"filters":2/)
    const remembered = readFileSync(STATE, "utf8")
    assert.match(remembered, /"nonce": "0102030405060708090a0b0c"/)
    assert.doesNotMatch(remembered, /"internalPort": 2017/)
  })

  it("several mappings in one command: a line each", async () => {
    const { code, stdout } = await run("map 3001/tcp 3001/udp --server AT")
    assert.equal(code, 0)
    assert.deepEqual(
      stdout.split("\n").map((line) => line.split(" ")[0]),
      ["3001/tcp", "3001/udp", ""],
    )
  })

  it("C-111: --prefer-failure would rather have nothing, and says what to do", async () => {
    assert.equal((await run("map 4001/tcp --internal-address 127.0.0.5 --external-port 4000 --server AT")).code, 0)
    const { code, stdout, stderr } = await run("map 4002/tcp --external-port 4000 --prefer-failure --server AT")
    assert.deepEqual([stdout, stderr.split("\n").length], ["", 2], stderr)
    assert.match(stderr, /CANNOT_PROVIDE_EXTERNAL \(11\).*suggest another --external-port/)
    assert.ok(code === 3 || code === 4)
    const other = await run("map 4003/tcp --external-port 4000 --server AT")
    assert.equal(other.code, 0)
    assert.match(other.stderr, /4000 was asked for outside and \d+ assigned, which is no error.*--prefer-failure/)
  })

  it("RFC 6887 11.3: who lost the nonce is refused, is told so, and can give it", async () => {
    const state = join(folder, "own.json")
    const nonce = "00112233445566778899aabb"
    assert.equal((await run(`map 4101/tcp --nonce ${nonce} --state ${state} --server AT`)).code, 0)
    assert.ok(readFileSync(state, "utf8").includes(nonce))
    const lost = await run("unmap 4101/tcp --no-state --server AT")
    assert.deepEqual([lost.code, lost.stdout], [4, ""])
    assert.match(lost.stderr, /NOT_AUTHORIZED.*its nonce is not in the state file, --nonce gives it/)
    const given = await run(`unmap 4101/tcp --no-state --nonce ${nonce} --server AT --json`)
    assert.equal(given.code, 0)
    assert.deepEqual(
      records(given.stdout).map(({ event, mapping }) => [event, mapping]),
      [["deleted", "4101/tcp"]],
    )
    const gone = await run("unmap 4101/tcp --no-state --server AT")
    assert.equal(gone.code, 0)
    assert.match(gone.stdout, /not mapped, or deleted/)
  })

  it("RFC 6887 12: peer keeps the way to one remote peer", async () => {
    const { code, record } = await json("peer 4201/udp 198.51.100.7:53 --lifetime 600 --server AT")
    assert.equal(code, 0)
    assert.deepEqual(
      [record.kind, record.remote, record.mapping],
      ["outbound", { address: "198.51.100.7", port: 53 }, "4201/udp to 198.51.100.7:53"],
    )
  })

  it("RFC 6887 12.1: unmap says what it cannot delete, and why, and sends nothing", async () => {
    assert.equal((await run("map 4202/tcp --server AT")).code, 0)
    const other = await run("unmap 4202/tcp --nat-pmp --server AT")
    assert.deepEqual(
      [other.code, other.stdout, other.stderr],
      [1, "", "sallyport: 4202/tcp was made by PCP: leave out '--nat-pmp'\n"],
    )
    assert.equal((await run("unmap 4202/tcp --server AT")).code, 0)
    assert.equal((await run("peer 4203/udp 198.51.100.7:53 --server AT")).code, 0)
    const outbound = await run("unmap 4203/udp --server AT")
    assert.deepEqual([outbound.code, outbound.stdout], [1, ""])
    assert.match(outbound.stderr, /'sallyport peer', whose mappings cannot be deleted: it ends by itself, by 20/)
    const { at: silent } = await scriptedServer(() => undefined)
    const { code, stderr } = await run(`unmap 4204/tcp --server ${silent} --timeout 0.5 --json`)
    assert.deepEqual([code, stderr], [2, ""])
    const unheard = await run(`unmap 4204/tcp --server ${silent} --timeout 0.5`)
    assert.match(unheard.stderr, /no answer yet, and the time is up: 1 datagram sent/)
  })

  it("RFC 6887 15: unmap says for how long a mapping that had traffic stays open, and keeps its nonce for as long", async () => {
    const state = join(folder, "left.json")
    const { at: where, heard, close } = await scriptedServer(leaving("1.2.3.4", 600, 7440))
    const of = `4401/tcp --server ${where} --state ${state}`
    assert.equal((await run(`map ${of}`)).code, 0)
    const deleted = await run(`unmap ${of}`)
    assert.deepEqual(
      [deleted.code, deleted.stdout],
      [0, `4401/tcp is deleted at ${where}, but stays open for 2 h 4 min more, as there was traffic\n`],
    )
    const [kept] = JSON.parse(readFileSync(state, "utf8")).mappings
    // Its lifetime was ten minutes: an hour and more is what the deletion was answered with.
    assert.ok(Date.parse(kept.ends) - Date.now() > 3_600_000, kept.ends)
    assert.equal((await json(`unmap ${of}`)).record.lifetime, 7440)
    assert.equal((await run(`map ${of}`)).code, 0)
    const nonces = heard.map((bytes) => Buffer.from(bytes.subarray(24, 36)).toString("hex"))
    assert.deepEqual(nonces, Array(4).fill(kept.nonce))
    close()
  })

  it("C-132: unmap --all deletes what is remembered, and NAT-PMP's", async () => {
    const state = join(folder, "all.json")
    for (const more of ["4301/tcp --pcp", "4302/udp --nat-pmp", "4303/udp --third-party 127.0.0.3"])
      assert.equal((await run(`map ${more} --internal-address 127.0.0.6 --state ${state} --server AT`)).code, 0)
    const { code, stdout, stderr } = await run(`unmap --all --internal-address 127.0.0.6 --state ${state} --server AT`)
    assert.equal(code, 0, stderr)
    for (const what of ["4301/tcp", "4302/udp", "4303/udp"])
      assert.ok(stdout.includes(`${what} is deleted at ${at}\n`), stdout)
    for (const what of ["TCP", "UDP"])
      assert.ok(stdout.includes(`NAT-PMP has deleted all ${what} mappings of this host at ${at}\n`), stdout)
    assert.deepEqual(JSON.parse(readFileSync(state, "utf8")).mappings, [])
    await server.until(/"event":"deleted".*"internal":\{"address":"127.0.0.3","port":4303\}/)
  })
})

describe("how sallyport map ends", { concurrency: 3 }, () => {
  const ended = async (text: string) => {
    const { code, stdout, stderr } = await sallyport(text.split(" "), "", {
      ...env,
      XDG_STATE_HOME: join(folder, "ends"),
    })
    assertNoStack(stderr)
    return { code, stdout, stderr }
  }

  it("2: silence until the time-out", async () => {
    const { at: silent, heard } = await scriptedServer(() => undefined)
    const { code, stdout, stderr } = await ended(`map 80/tcp --server ${silent} --timeout 0.5`)
    assert.deepEqual([code, stdout], [2, ""])
    assert.match(stderr, /80\/tcp: 127\.0\.0\.1:\d+: no answer yet, and the time is up/)
    assert.equal(heard.length, 1)
  })

  for (const [result, lifetime, code] of [
    [7, 30, 3],
    [8, 30, 3],
    [10, 30, 3],
    [11, 60, 3],
    [11, 1800, 4],
    [2, 1800, 4],
    [3, 0, 4],
    [9, 1800, 4],
    [12, 1800, 4],
  ] as const)
    it(`C-52: ${code}: result ${result} for ${lifetime} s`, async () => {
      const refuser = await scriptedServer(refusing(result, lifetime))
      const { code: exit, stdout } = await ended(`map 80/tcp --server ${refuser.at} --json`)
      assert.equal(exit, code)
      const [record] = records(stdout)
      assert.deepEqual(
        [record.event, record.reason, record.code, record.lifetime],
        ["failed", "result", result, lifetime],
      )
    })

  it("1: a state file in a folder that is not there, and makes none", async () => {
    const path = join(folder, "nowhere", "deep", "state.json")
    for (const command of ["map 80/tcp", "unmap 80/tcp"]) {
      const { code, stdout, stderr } = await ended(`${command} --state ${path} --server 127.0.0.1`)
      assert.deepEqual([code, stdout], [1, ""])
      assert.match(stderr, /--state.*there is no folder .*nowhere/)
    }
    assert.equal(existsSync(join(folder, "nowhere")), false)
  })

  it("1: an internal address of another host", async () => {
    const { code, stdout, stderr } = await ended("map 80/tcp --internal-address 192.0.2.77 --server 127.0.0.1")
    assert.deepEqual([code, stdout], [1, ""])
    assert.equal(stderr, "sallyport: option '--internal-address': 192.0.2.77 is no address of this host\n")
  })

  it("a refusal is told in the words of what was asked for", async () => {
    const asked = async (result: number, text: string) => {
      const refuser = await scriptedServer(refusing(result, 1800))
      return (await ended(`map ${text} --server ${refuser.at}`)).stderr
    }
    assert.match(await asked(5, "80/tcp --third-party 127.0.0.9"), /UNSUPP_OPTION.*THIRD_PARTY.*must be set to allow/)
    assert.match(await asked(9, "all/tcp"), /UNSUPP_PROTOCOL.*maps no whole protocols: name a port/)
    assert.match(await asked(9, "all"), /UNSUPP_PROTOCOL.*not map all protocols at once/)
    assert.doesNotMatch(await asked(9, "80/sctp"), /whole|at once/)
  })

  it("RFC 7225: who asked for a NAT64's prefix is told of it, or that there is none", async () => {
    const { at: plain } = await scriptedServer(granting("1.2.3.4", 7200))
    assert.match((await ended(`map 80/tcp --prefix64 --server ${plain}`)).stderr, /the server told no NAT64 prefix/)
    assert.doesNotMatch((await ended(`map 80/tcp --server ${plain}`)).stderr, /prefix/)
  })

  it("4: nobody listens there (ICMP)", async () => {
    const closed = await scriptedServer(() => undefined)
    closed.close()
    const { code, stderr } = await ended(`map 80/tcp --server ${closed.at}`)
    assert.equal(code, 4)
    assert.match(stderr, /nobody listens there/)
  })

  it("5: one of two servers has it", async () => {
    const [good, bad] = [await scriptedServer(granting("203.0.113.9", 7200)), await scriptedServer(refusing(2, 1800))]
    const { code, stdout, stderr } = await ended(`map 80/tcp --server ${good.at} --server ${bad.at}`)
    assert.equal(code, 5)
    assert.equal(stdout, `80/tcp is reached at 203.0.113.9:80 for 2 h, by PCP of ${good.at}\n`)
    assert.match(stderr, /NOT_AUTHORIZED/)
    // C-03: each server has another nonce.
    assert.notDeepEqual(good.heard[0].subarray(24, 36), bad.heard[0].subarray(24, 36))
  })

  it("C-21: a gateway of NAT-PMP alone; a short grant, and what it cannot say", async () => {
    const old = await scriptedServer(natPmpAlone([198, 51, 100, 4]))
    const { code, stdout, stderr } = await ended(`map 80/tcp --server ${old.at} --lifetime 60`)
    assert.deepEqual([code, stdout], [0, `80/tcp is reached at 198.51.100.4:80 for 1 min, by NAT-PMP of ${old.at}\n`])
    assert.match(stderr, /has no response bit/)
    const beyond = await ended(`map 80/tcp --server ${old.at} --filter 192.0.2.1`)
    assert.equal(beyond.code, 4)
    assert.match(beyond.stderr, /NAT-PMP has no filters/)
    for (const [result, exit] of [
      [2, 4],
      [3, 3],
      [4, 3],
    ]) {
      const refuser = await scriptedServer(natPmpAlone([0, 0, 0, 0], result))
      assert.equal((await ended(`map 80/tcp --nat-pmp --server ${refuser.at}`)).code, exit)
    }
  })

  it("a double NAT and a grant of a minute are said, and are no errors", async () => {
    const cgn = await scriptedServer(granting("100.64.9.9", 60, 40000))
    const { code, stdout, stderr } = await ended(`map 80/tcp --server ${cgn.at}`)
    assert.deepEqual([code, stdout], [0, `80/tcp is reached at 100.64.9.9:40000 for 1 min, by PCP of ${cgn.at}\n`])
    assert.match(stderr, /the port outside is 40000, not 80/)
    assert.match(stderr, /carrier-grade NAT is in front/)
    assert.match(stderr, /granted for less than the 120 s/)
  })

  it("who may not write the usual state file is warned and mapped all the same", async () => {
    const good = await scriptedServer(granting("203.0.113.9", 7200))
    const { code, stderr } = await sallyport(["map", "80/tcp", "--server", good.at], "", {
      ...env,
      XDG_STATE_HOME: "/proc",
    })
    assert.equal(code, 0)
    assert.match(stderr, /nonces are not remembered: \/proc\/sallyport/)
  })
})
