import assert from "node:assert/strict"
import { test } from "node:test"
import { sallyport } from "./command.ts"

test("a file name that would drive the terminal is shown and not obeyed", async () => {
  // OSC 0 sets a terminal's title; U+009B starts a sequence as ESC [ does.
  const { stderr } = await sallyport(["decode", "\u001b]0;x\u0007\u009b31m.pcap"])
  assert.match(stderr, /\\u001b\]0;x\\u0007\\u009b31m\.pcap/)
  assert.doesNotMatch(stderr.trimEnd(), /\p{Cc}/u)
})
