import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { type Connections, conntrackProgram } from "../../../adapters/linux/index.ts"

const to = (destinationPort: number): Connections => ({
  family: 4,
  protocol: 17,
  destination: "203.0.113.7",
  destinationPort,
})

describe("connections that end", { skip: process.platform === "win32" && "needs a shell" }, () => {
  it("are asked for once for as long as they wait, however often a client makes and deletes a mapping, and again later", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-conntrack-"))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const [program, log] = [join(folder, "conntrack"), join(folder, "log")]
    writeFileSync(program, `#!/bin/sh\necho "$@" >> ${log}\n`)
    chmodSync(program, 0o755)
    const complaints: string[] = []
    const conntrack = conntrackProgram((text) => complaints.push(text), program)
    const line = (port: number): string => `-D -f ipv4 -p 17 -d 203.0.113.7 --dport ${port}\n`
    for (let i = 0; i < 5000; i++) conntrack.end([to(1), to(2)])
    await conntrack.idle()
    // The first is on its way when it is asked for again.
    assert.equal(readFileSync(log, "utf8"), [1, 2, 1].map(line).join(""))
    conntrack.end([to(2)])
    await conntrack.idle()
    assert.equal(readFileSync(log, "utf8"), [1, 2, 1, 2].map(line).join(""))
    assert.deepEqual(complaints, [])
  })

  it("a program that is not there is told of once, and nothing waits for it", async () => {
    const complaints: string[] = []
    const conntrack = conntrackProgram((text) => complaints.push(text), "/nowhere/conntrack")
    for (let i = 0; i < 3; i++) {
      conntrack.end([to(1), to(2)])
      await conntrack.idle()
    }
    assert.equal(complaints.length, 1)
    assert.match(complaints[0] ?? "", /^\/nowhere\/conntrack: .+ end by their own time-outs$/)
  })
})
