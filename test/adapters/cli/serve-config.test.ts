import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { u16, u32 } from "../../../core/wire/index.ts"
import { assertNoStack, client, mapRequest, octets, sallyport, serving } from "./command.ts"

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
    assert.match(missing.stderr, /^sallyport: option '--config': ENOENT.*nothing\.jsonc'\n$/)
    const nowhere = await sallyport(["serve", "--config", file("interface.jsonc", '{ "interfaces": ["nosuch0"] }')])
    assert.equal(nowhere.code, 1)
    assert.match(nowhere.stderr, /interface\.jsonc:1:3: interfaces: the interface nosuch0 is not there/)
  })

  it("warns of ports that UDP cannot have", async () => {
    const server = await serving(["--ports", "5350-5351"])
    const { stderr } = await server.stop()
    assert.match(stderr, /^sallyport: the external ports 5350-5351 are PCP's own for UDP.*only TCP can be mapped\n/)
  })
})

it("a signal to read the file again says that there is none", async () => {
  const server = await serving([])
  server.child.kill("SIGHUP")
  await server.untilError(/there is no configuration file to read again/)
  const peer = await client()
  assert.equal((await peer.ask(octets("0000"), server.port))[1], 128)
  peer.close()
  assert.equal((await server.stop()).code, 0)
})
