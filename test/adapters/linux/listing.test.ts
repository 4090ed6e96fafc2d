import assert from "node:assert/strict"
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { it } from "node:test"
import { listTable } from "../../../adapters/linux/index.ts"

it("a listing that no text can hold is told of, and does not end the server", {
  skip: process.platform === "win32" && "needs a shell",
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-listing-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const program = join(folder, "nft")
  const set = { set: { name: "inbound", elem: [{ concat: [17, "203.0.113.7", 5000] }] } }
  const text = JSON.stringify({ nftables: [set] })
  writeFileSync(program, `#!/bin/sh\nprintf '%s' '${text}'\n`)
  chmodSync(program, 0o755)
  const plane = { family: "ip", sets: ["inbound"] } as const
  const listed = await listTable(plane, { program, most: text.length })
  assert.ok(listed.ok)
  assert.deepEqual([...listed.value.keys()], ["inbound 17 . 203.0.113.7 . 5000"])
  assert.deepEqual(await listTable(plane, { program, most: text.length - 1 }), {
    ok: false,
    text: `the listing has ${text.length} octets, where ${text.length - 1} are the most`,
  })
})

it("a listing that nobody wants any more is not waited for", {
  skip: process.platform === "win32" && "needs a shell",
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-listing-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [program, began] = [join(folder, "nft"), join(folder, "began")]
  // For longer than a test may take.
  writeFileSync(program, `#!/bin/sh\ntouch '${began}'\nexec sleep 1000\n`)
  chmodSync(program, 0o755)
  const halt = new AbortController()
  const listing = listTable({ family: "ip", sets: [] }, { program, halt: halt.signal })
  while (!existsSync(began)) await new Promise((resolve) => setTimeout(resolve, 5))
  halt.abort()
  assert.deepEqual(await listing, { ok: false, text: "it was stopped" })
  // One that waited for that one is not begun any more.
  rmSync(began)
  const next = await listTable({ family: "ip", sets: [] }, { program, halt: halt.signal })
  assert.deepEqual([next, existsSync(began)], [{ ok: false, text: "it was stopped" }, false])
})
