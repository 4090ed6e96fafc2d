import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import fc from "fast-check"
import { readConfig } from "../../../adapters/cli/config/load.ts"
import { translateMiniupnpd } from "../../../adapters/cli/miniupnpd/translate.ts"
import { sallyport } from "./command.ts"

const FILE = `# A router's
ext_ifname=eth1
ext_ip=203.0.113.7
listening_ip=192.168.1.1/24
listening_ip=br0
enable_natpmp=yes
enable_upnp=yes
min_lifetime=120
max_lifetime=86400
upnp_forward_chain=miniupnpd
uuid=00000000-0000-0000-0000-000000000000
lease_file=/var/lib/miniupnpd/leases
bells=whistles
allow 1024-65535 192.168.1.77/255.255.255.0 1024-65535
allow 22 192.168.1.9 22 "ssh"
deny 0-65535 0.0.0.0/0 0-65535
`

describe("sallyport import-miniupnpd", () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-import-"))
  after(() => rmSync(folder, { recursive: true, force: true }))

  it("translates what has a counterpart, and names each line that has none", async () => {
    const file = join(folder, "miniupnpd.conf")
    writeFileSync(file, FILE)
    const { code, stdout, stderr } = await sallyport(["import-miniupnpd", file])
    assert.equal(code, 5)
    assert.match(stdout, /^\/\/ sallyport serve --config <this file> --nftables --outside eth1\n/)
    assert.deepEqual(
      stderr
        .trim()
        .split("\n")
        .map((line) => Number(/conf:(\d+): /.exec(line)?.[1])),
      [7, 10, 11, 12, 13, 15],
    )
    const read = readConfig(stdout)
    assert.ok(read.ok, read.ok ? "" : JSON.stringify(read.faults))
    assert.deepEqual(JSON.parse(stdout.slice(stdout.indexOf("\n"))), {
      listen: ["192.168.1.1"],
      interfaces: ["br0"],
      external: ["203.0.113.7"],
      lifetimes: { min: 120, max: 86400 },
      rules: [
        ...["MAP", "PEER"].map((opcode) => ({
          action: "allow",
          internal: "192.168.1.0/24",
          internalPorts: "1024-65535",
          externalPorts: "1024-65535",
          opcode,
        })),
        { action: "deny", opcode: "MAP" },
        { action: "deny", opcode: "PEER" },
      ],
    })
  })

  it("a file that is all translated ends with 0, and one that is not there with 1", async () => {
    const file = join(folder, "whole.conf")
    writeFileSync(file, "ext_ifname=eth1\nenable_upnp=no\npcp_allow_thirdparty=yes\n")
    const { code, stdout, stderr } = await sallyport(["import-miniupnpd", file])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /"thirdParty": true/)
    assert.equal((await sallyport(["import-miniupnpd", join(folder, "none")])).code, 1)
  })

  it("any text is translated or named, line by line, and what comes of it is a file that serve reads", () => {
    const word = fc.oneof(
      fc.constantFrom("allow", "deny", "ext_ip=", "listening_ip=", "min_lifetime=", "10.0.0.0/8", "1-9", "0", "70000"),
      fc.string({ maxLength: 8 }),
    )
    const line = fc.array(word, { maxLength: 5 }).map((words) => words.join(" "))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const { config, untranslated } = translateMiniupnpd(lines.join("\n"))
        for (const { line } of untranslated) assert.ok(line >= 1)
        const read = readConfig(JSON.stringify(config))
        assert.ok(read.ok, read.ok ? "" : JSON.stringify(read.faults))
      }),
    )
  })
})
