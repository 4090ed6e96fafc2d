import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { sallyport } from "./command.ts"

const BASE = ["serve", "--nftables", "--outside", "nowhere0", "--no-control"]

describe("serve --nftables refuses, before it touches the kernel", { skip: process.platform !== "linux" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-nftables-"))
  after(() => rmSync(folder, { recursive: true, force: true }))

  const config = (settings: object): readonly string[] => {
    const file = join(folder, "serve.jsonc")
    writeFileSync(file, JSON.stringify(settings))
    return ["--config", file]
  }
  const refused = async (args: readonly string[], text: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await sallyport(args)
    assert.match(stderr, text)
    assert.equal(code, 1)
    assert.equal(stdout, "")
  }

  it("kinds that the kernel's table is not for, each by its name", async () => {
    for (const profile of ["nat64", "dslite", "nat46"])
      await refused(
        [...BASE, ...config({ profile })],
        new RegExp(`nat444, firewall4, firewall6, nptv6: ${profile} has none`),
      )
    const whole = { kind: "nat444", otherProtocols: true, port0: true }
    await refused([...BASE, "--external", "192.0.2.1", ...config({ profile: whole })], /maps single ports/)
  })

  it("external ports that mappings and other connections would share", async () => {
    const both = ["--external", "192.0.2.1", "--ports", "1024-40000", "--implicit-ports", "40000-50000"]
    await refused([...BASE, ...both], /\(1024-40000\) and of other connections \(40000-50000\) are not apart/)
    await refused([...BASE, "--external", "192.0.2.1", "--ports", "1024-65535"], /are not apart/)
    const one = { protocol: "tcp", internal: "10.0.0.2:80", external: "192.0.2.1:40000" }
    await refused(
      [...BASE, "--external", "192.0.2.1", ...config({ staticMappings: [one] })],
      /port 40000 is one of other/,
    )
  })

  it("an interface that has no address to be the pool, and a name that is none", async () => {
    await refused(BASE, /'--outside': there is no interface nowhere0\n$/)
    await refused(["serve", "--nftables", "--outside", 'eth0" }'], /is no interface's name/)
  })

  it("workers, hosts of the same address, and options that go with it alone", async () => {
    await refused([...BASE, "--workers", "2"], /not with '--workers'/)
    const ids = config({ thirdPartyIds: { "0a": "2001:db8::1" } })
    await refused([...BASE, "--external", "192.0.2.1", ...ids], /no hosts of the same address apart/)
    for (const [option, value] of [["--outside", "eth0"], ["--implicit-ports", "1-2"], ["--keep-rules"]])
      await refused(["serve", option, ...(value === undefined ? [] : [value])], new RegExp(`'${option}' goes with`))
  })
})
