import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { assertNoStack, endedBy, records, servingBy } from "../cli/command.ts"
import { assertSeveral } from "../cli/workers/several.ts"

const root = join(import.meta.dirname, "../../..")
const folder = mkdtempSync(join(tmpdir(), "sallyport-compiled-"))
after(() => rmSync(folder, { recursive: true }))

test("the single executable decodes, serves and maps, without Bun, its sources or packages", async (context) => {
  const executable = join(folder, process.platform === "win32" ? "single.exe" : "single")
  const words = ["run", "--silent", "compile", "--", "--outfile", executable]
  const built = spawnSync("npm", words, { cwd: root, encoding: "utf8", shell: process.platform === "win32" })
  assert.equal(built.status, 0, `${built.stdout}${built.stderr}`)
  const { size } = statSync(executable)
  context.diagnostic(`${(size / 1e6).toFixed(1)} MB`)
  // Almost all of it is the runtime.
  assert.ok(size < 150e6, `${size} octets`)

  const command = [executable]
  const env = { PATH: "/nowhere", HOME: folder, XDG_STATE_HOME: folder, XDG_RUNTIME_DIR: folder }
  const decoded = await endedBy(command, ["decode", "0000"], "", env)
  assert.match(decoded.stdout, /NAT-PMP external address request, 2 octets/)
  const server = await servingBy(command, ["--listen", "127.0.0.1:0", "--external", "203.0.113.7", "--json"], env)
  const at = `127.0.0.1:${server.port}`
  const mapped = await endedBy(command, ["map", "8080/tcp", "--server", at], "", env)
  assert.equal(mapped.stdout, `8080/tcp is reached at 203.0.113.7:8080 for 2 h, by PCP of ${at}\n`)
  assert.equal(mapped.code, 0)
  const unmapped = await endedBy(command, ["unmap", "8080/tcp", "--server", at], "", env)
  assert.equal(unmapped.code, 0, unmapped.stderr)
  const { code, stdout, stderr } = await server.stop()
  assert.equal(code, 0)
  assertNoStack(stderr)
  const told = records(stdout).map(({ event }) => event)
  assert.ok(told.includes("created") && told.includes("deleted"), told.join())
  // Each worker runs what the executable has in it. Bun shares ports where Node does, but for the BSDs and the like.
  if (process.platform !== "linux") return
  await assertSeveral(command, env)
  await assertSeveral(command, env, ["--fast"])
})
