import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { test } from "node:test"
import { sallyport } from "./command.ts"

test("a file name that would drive the terminal is shown and not obeyed", async () => {
  // OSC 0 sets a terminal's title; U+009B starts a sequence as ESC [ does.
  const { stderr } = await sallyport(["decode", "\u001b]0;x\u0007\u009b31m.pcap"])
  assert.match(stderr, /\\u001b\]0;x\\u0007\\u009b31m\.pcap/)
  assert.doesNotMatch(stderr.trimEnd(), /\p{Cc}/u)
})

test("so are a name that is read as text, and an option that is not there", async () => {
  for (const args of [["decode", "0000", "--\u001b[31m"], ["\u001b[31m"], ["serve", "--listen", "\u001b[31m"]]) {
    const { code, stderr } = await sallyport(args)
    assert.equal(code, 1)
    assert.match(stderr, /^sallyport: .*\\u001b\[31m/)
    assert.doesNotMatch(stderr.trimEnd(), /\p{Cc}/u)
  }
  const name = join(mkdtempSync(join(tmpdir(), "sallyport-")), "\u001b[31m")
  writeFileSync(name, "0000")
  const { code, stderr } = await sallyport(["decode", name])
  rmSync(dirname(name), { recursive: true })
  assert.equal(code, 0)
  assert.match(stderr, /\\u001b\[31m: read as/)
  assert.doesNotMatch(stderr.trimEnd(), /\p{Cc}/u)
})
