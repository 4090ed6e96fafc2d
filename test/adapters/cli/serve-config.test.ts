import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { u16, u32 } from "../../../core/wire/index.ts"
import { assertNoStack, client, mapRequest, octets, sallyport, serving } from "./command.ts"

const hasLoopback6 = (): boolean =>
  Object.values(networkInterfaces()).some((entries) => entries?.some((entry) => entry.address === "::1"))

const folder = mkdtempSync(join(tmpdir(), "sallyport-config-"))
after(() => rmSync(folder, { recursive: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe("sallyport serve --config", { concurrency: 3 }, () => {
  it("serves by the file: pool, lifetimes, static mappings and rules", async () => {
    const path = file(
      "whole.jsonc",
      `{
        // One address outside.
        "listen": ["127.0.0.1:0"],
        "external": "198.51.100.7",
        "lifetimes": { "max": 600 },
        "staticMappings": [{ "protocol": "udp", "internal": "127.0.0.1:80", "external": "198.51.100.7:8080" }],
        "rules": [{ "action": "deny", "protocol": "tcp", "internalPorts": "0-1023" }],
        "control": false,
      }`,
    )
    const server = await serving(["--config", path, "--listen", "127.0.0.1:0", "--json"])
    const peer = await client()
    const granted = await peer.ask(mapRequest(5000, 3600), server.port)
    assert.deepEqual([granted[3], u32(granted, 4)], [0, 600])
    const fixed = await peer.ask(mapRequest(80, 3600), server.port)
    assert.deepEqual([fixed[3], u32(fixed, 4), u16(fixed, 42)], [0, 0xffffffff, 8080])
    const denied = await peer.ask(mapRequest(22, 3600, undefined, 6), server.port)
    assert.equal(denied[3], 2)
    peer.close()
    const { code, stderr } = await server.stop()
    assert.deepEqual([code, stderr], [0, ""])
  })

  it("ends with 1 on a bad file and tells every fault, each with its line", async () => {
    const path = file("bad.jsonc", '{\n  "quota": -1,\n  "ports": "9-8",\n  "frob": 0\n}')
    const { code, stdout, stderr } = await sallyport(["serve", "--config", path])
    assert.deepEqual([code, stdout], [1, ""])
    const lines = stderr.trimEnd().split("\n")
    assert.equal(lines.length, 3)
    for (const [i, line] of [
      /:2:3: quota: /,
      /:3:3: ports: The range ends/,
      /:4:3: frob: there is no such/,
    ].entries()) {
      assert.ok(lines[i].startsWith(`sallyport: ${path}:`), lines[i])
      assert.match(lines[i], line)
    }
    assertNoStack(stderr)
  })

  it("ends with 1 where settings break a rule together, or a file is not there", async () => {
    const path = file("rule.jsonc", '{\n\n  "lifetimes": { "min": 9, "max": 8 }\n}')
    const crossed = await sallyport(["serve", "--config", path])
    assert.equal(crossed.code, 1)
    assert.match(crossed.stderr, /rule\.jsonc:3:3: lifetimes: the least lifetime, 9 s, is over the most, 8 s\n$/)
    const missing = await sallyport(["serve", "--config", join(folder, "nothing.jsonc")])
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /^sallyport: option '--config': .*nothing\.jsonc: there is no such file or folder\n$/)
    const nowhere = await sallyport(["serve", "--config", file("interface.jsonc", '{ "interfaces": ["nosuch0"] }')])
    assert.equal(nowhere.code, 1)
    assert.match(nowhere.stderr, /interface\.jsonc:1:3: interfaces: the interface nosuch0 is not there/)
  })

  it("warns of ports that UDP cannot have", async () => {
    const server = await serving(["--ports", "5350-5351"])
    const { stderr } = await server.stop()
    assert.match(stderr, /^sallyport: the external ports 5350-5351 are PCP's own for UDP.*only TCP can be mapped\n/)
  })

  it("reads the file again at SIGHUP: a good one is in force, and a bad one leaves the old one", async () => {
    const path = file("again.jsonc", '{ "lifetimes": { "max": 600 }, "control": false }')
    const server = await serving(["--config", path, "--listen", "127.0.0.1:0"])
    const peer = await client()
    const lifetime = async (): Promise<number> => u32(await peer.ask(mapRequest(5000, 3600), server.port), 4)
    const reload = async (text: string, told: RegExp): Promise<void> => {
      file("again.jsonc", text)
      server.child.kill("SIGHUP")
      await server.untilError(told)
    }
    assert.equal(await lifetime(), 600)
    await reload(
      '{ "lifetimes": { "max": 700 } }',
      /again\.jsonc: control: changed, and in force at the next start alone\n.*again\.jsonc: read again\n/,
    )
    assert.equal(await lifetime(), 700)
    await reload(
      '{\n "lifetimes": { "max": 1.5 } }',
      /again\.jsonc:2:17: lifetimes\.max: .*\n.*settings stay as they were\n/,
    )
    assert.equal(await lifetime(), 700)
    await reload(
      `{ "listen": ${"[".repeat(100_000)}`,
      /again\.jsonc:1:1: Brackets are nested over 64 deep\.\n.*settings stay/,
    )
    assert.equal(await lifetime(), 700)
    await reload('{ "lifetimes": { "min": 800, "max": 700 } }', /over the most, 700 s\n.*settings stay/)
    assert.equal(await lifetime(), 700)
    await reload('{ "profile": "nat64" }', /:1:3: profile: a running nat444 does not become a nat64.*\n.*settings stay/)
    assert.equal(await lifetime(), 700)
    peer.close()
    assert.equal((await server.stop()).code, 0)
  })

  it("goes on answering at SIGHUP where its file became a pipe, or one without measure", async () => {
    const path = file("pipe.jsonc", '{ "control": false }')
    const server = await serving(["--config", path, "--listen", "127.0.0.1:0"])
    const peer = await client()
    const refused = async (told: RegExp): Promise<void> => {
      server.child.kill("SIGHUP")
      await server.untilError(told)
      assert.equal((await peer.ask(mapRequest(5000, 3600), server.port))[3], 0)
    }
    rmSync(path)
    execFileSync("mkfifo", [path])
    await refused(/pipe\.jsonc is no file, and cannot be read again\n.*settings stay/)
    rmSync(path)
    writeFileSync(path, "")
    truncateSync(path, 2 ** 24 + 1)
    await refused(/pipe\.jsonc has over 16777216 octets\n.*settings stay/)
    peer.close()
    assert.equal((await server.stop()).code, 0)
  })

  it("moves mappings to the new pool at SIGHUP, and starts the epoch again", async () => {
    const path = file("pool.jsonc", '{ "external": "198.51.100.7", "control": false }')
    const server = await serving(["--config", path, "--listen", "127.0.0.1:0"])
    const peer = await client()
    await peer.ask(mapRequest(5000, 3600), server.port)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    file("pool.jsonc", '{ "external": "198.51.100.8", "control": false }')
    server.child.kill("SIGHUP")
    await server.until(/moved +UDP +127\.0\.0\.1:5000 +-> 198\.51\.100\.8:\d+ +from 198\.51\.100\.7:\d+\n/)
    await server.until(/reset +Epoch Time of everybody/)
    peer.close()
    // A socket of its own: to the first one go the mapping's updates.
    const other = await client()
    const renewed = await other.ask(mapRequest(5000, 3600), server.port)
    assert.deepEqual([...renewed.subarray(56, 60)], [198, 51, 100, 8])
    assert.equal(u32(renewed, 8), 0)
    other.close()
    assert.equal((await server.stop()).code, 0)
  })
})

it("SIGHUP without a file ends it, as when its terminal is closed", async () => {
  const server = await serving([])
  const { code, stdout } = await server.stop("SIGHUP")
  assert.deepEqual([code, stdout], [0, "\nNo mappings.\n"])
})

/** A PCP request's common header, from ::1: MAP for 60 octets without options. */
const fromLoopback6 = (lifetime: string): string => `02010000 ${lifetime} ${"0".repeat(31)}1`
const MAP_UDP = "0102030405060708090a0b0c 11000000 1388 0000 00000000000000000000ffff00000000"
const skip = hasLoopback6() ? false : "this machine has no ::1"

describe("sallyport serve, with another profile", { skip }, () => {
  it("nat64: hosts are IPv6, and their external addresses IPv4", async () => {
    const path = file("nat64.jsonc", '{ "profile": "nat64", "external": "198.51.100.7", "control": false }')
    const server = await serving(["--config", path, "--listen", "[::1]:0"])
    const peer = await client("::1")
    const granted = await peer.ask(octets(`${fromLoopback6("00000e10")} ${MAP_UDP}`), server.port)
    assert.equal(granted[3], 0)
    assert.deepEqual([...granted.subarray(54, 60)], [255, 255, 198, 51, 100, 7])
    await server.until(/created +UDP +\[::1\]:5000 +-> +198\.51\.100\.7:\d+/)
    peer.close()
    await server.stop()
  })

  it("dslite: the B4 asks over IPv6 for hosts that it names, and its address keeps them apart", async () => {
    const path = file(
      "dslite.jsonc",
      '{ "profile": "dslite", "threatModel": "advanced", "external": "198.51.100.7", "control": false }',
    )
    const server = await serving(["--config", path, "--listen", "[::1]:0", "--json"])
    const peer = await client("::1")
    const thirdParty = "01000010 00000000000000000000ffffc0000209"
    const granted = await peer.ask(octets(`${fromLoopback6("00000e10")} ${MAP_UDP} ${thirdParty}`), server.port)
    assert.equal(granted[3], 0)
    await server.until(/"event":"created"/)
    const created = server.records().find(({ event }) => event === "created")
    const mapping = created?.mapping
    assert.ok(typeof mapping === "object" && mapping !== null && "internal" in mapping && "realm" in mapping)
    assert.deepEqual([mapping.internal, mapping.realm], [{ address: "192.0.2.9", port: 5000 }, "::1"])
    peer.close()
    await server.stop()
  })
})
