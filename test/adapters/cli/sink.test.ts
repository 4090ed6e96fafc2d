import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { fileSink } from "../../../adapters/cli/sink.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-"))

/** A pipe with a name: its reading end without waiting, and its writing end. */
const pipe = (name: string) => {
  const path = join(folder, name)
  execFileSync("mkfifo", [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  return { reader, writer }
}

describe("a sink", () => {
  it("writes everything in order, and ends when it is written", async () => {
    const path = join(folder, "file")
    const fd = openSync(path, "w")
    const sink = fileSink(fd, assert.fail, String)
    let expected = ""
    for (let i = 0; i < 5000; i++) {
      const line = `line ${i} é\n`
      expected += line
      if (i % 2 === 0) sink.print(line)
      else sink.offer(line)
      if (i % 1000 === 0) await sink.ready()
    }
    await sink.end()
    closeSync(fd)
    assert.equal(readFileSync(path, "utf8"), expected)
  })

  it("goes on at once when its reader does not read, leaves lines out, and says how many", async () => {
    const { reader, writer } = pipe("slow")
    const sink = fileSink(writer, assert.fail, (count) => `left out ${count}`)
    const line = `${"x".repeat(999)}\n`
    for (let i = 0; i < 8000; i++) sink.offer(line)
    let text = ""
    const chunk = Buffer.alloc(1 << 20)
    let ended = false
    void sink.end().then(() => {
      ended = true
    })
    while (!ended) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      try {
        text += chunk.subarray(0, readSync(reader, chunk)).toString()
      } catch (cause) {
        assert.ok(cause instanceof Error && "code" in cause && cause.code === "EAGAIN")
      }
    }
    for (let size = 1; size > 0; ) {
      try {
        size = readSync(reader, chunk)
        text += chunk.subarray(0, size).toString()
      } catch {
        size = 0
      }
    }
    const lines = text.split("\n").slice(0, -1)
    const notes = lines.filter((entry) => entry.startsWith("left out "))
    const missed = notes.reduce((sum, entry) => sum + Number(entry.slice(9)), 0)
    assert.ok(missed > 0)
    assert.equal(lines.length - notes.length + missed, 8000)
    closeSync(reader)
    closeSync(writer)
  })

  it("has ended only when how many were left out is written too", async () => {
    const path = join(folder, "left-out")
    const fd = openSync(path, "w")
    const sink = fileSink(fd, assert.fail, (count) => `left out ${count}`)
    const line = `${"x".repeat(999)}\n`
    for (let i = 0; i < 8000; i++) sink.offer(line)
    await sink.end()
    const { size } = fstatSync(fd)
    closeSync(fd)
    const lines = readFileSync(path, "utf8").slice(0, size).split("\n").slice(0, -1)
    assert.equal(lines.at(-1), `left out ${8000 - (lines.length - 1)}`)
  })

  it("says once that nobody reads any more, and takes what comes then in silence", async () => {
    const { reader, writer } = pipe("closed")
    const causes: (string | undefined)[] = []
    const sink = fileSink(writer, (cause) => causes.push(cause.code), String)
    closeSync(reader)
    sink.print("one\n")
    await sink.end()
    sink.print("two\n")
    await sink.end()
    assert.deepEqual(causes, ["EPIPE"])
    closeSync(writer)
    rmSync(folder, { recursive: true })
  })
})
