import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { assertNoStack, type JsonRecord, records, sallyport, serving } from "../adapters/cli/command.ts"

const conformance = (port: number, ...words: readonly string[]) =>
  sallyport(["conformance", "--server", `127.0.0.1:${port}`, "--rate", "2000", ...words])

const TWO_HOSTS = ["--client", "127.0.0.1", "--client", "127.0.0.2"]

const list = (value: unknown): readonly JsonRecord[] => {
  assert.ok(Array.isArray(value))
  return value
}

describe("sallyport conformance", { concurrency: 2 }, () => {
  for (const workers of [[], ["--workers", "1"], ["--workers", "2"]])
    it(`passes sallyport ${["serve", ...workers].join(" ")} in all that applies, and leaves it no mapping of MAP or NAT-PMP`, async () => {
      const server = await serving(["--json", ...workers])
      const folder = mkdtempSync(join(tmpdir(), "sallyport-"))
      const file = join(folder, "report.xml")
      const { code, stdout, stderr } = await conformance(server.port, ...TWO_HOSTS, "--json", "--junit", file)
      assert.equal(stderr, "")
      const [report] = records(stdout)
      const failed = list(report.cases).filter(({ outcome }) => outcome === "fail")
      assert.deepEqual(
        failed.map(({ id, faults }) => [id, faults]),
        [],
      )
      assert.equal(code, 0)
      const passed = list(report.cases).filter(({ outcome }) => outcome === "pass").length
      assert.ok(passed > 400, `${passed} passed`)
      assert.equal(report.deletionsUnanswered, 0)
      const xml = readFileSync(file, "utf8")
      assert.equal(xml.match(/<testcase /g)?.length, list(report.cases).length)
      assert.doesNotMatch(xml, /<failure/)
      rmSync(folder, { recursive: true })
      server.child.kill("SIGUSR1")
      await server.until(/"event":"mappings"/)
      const left = server.records().filter(({ event, kind }) => event === "mapping" && kind !== "peer")
      assert.deepEqual(left, [])
      await server.stop()
    })

  it("exits with 4 where a requirement fails, and shows wanted and got side by side", async () => {
    const server = await serving(["--min-lifetime", "60"])
    const { code, stdout } = await conformance(server.port, "--requirement", "S-130")
    assert.equal(code, 4)
    assert.match(stdout, /FAIL {2}S-130 {2}lifetime-least: /)
    assert.match(stdout, /granted is 60, under 120/)
    assert.match(stdout, /sent {4}0201/)
    assert.match(stdout, /Requirements: 0 passed, 1 failed, /)
    const lenient = await conformance(server.port, "--requirement", "S-130", "--level", "must")
    assert.equal(lenient.code, 0, lenient.stdout)
    await server.stop()
  })

  it("exits with 2 where nobody answers", async () => {
    const { code, stderr, stdout } = await conformance(9, "--timeout", "200")
    assert.equal(code, 2)
    assert.match(stderr, /^sallyport: no answer from 127\.0\.0\.1:9: /)
    assert.equal(stdout, "")
    assertNoStack(stderr)
  })

  for (const [words, text] of [
    [["conformance"], /required option/],
    [["conformance", "--server", "[::"], /is no address/],
    [["conformance", "--server", "127.0.0.1", "--kind", "nat4"], /choices/],
    [
      ["conformance", "--server", "127.0.0.1", "--case", "no-such-case"],
      /"no-such-case" is no requirement, case or kind/,
    ],
    [["conformance", "--server", "127.0.0.1", "--client", "x"], /is no address/],
  ] as const) {
    it(`says what is wrong with ${words.slice(1).join(" ") || "no arguments"}`, async () => {
      const { code, stderr } = await sallyport(words)
      assert.equal(code, 1)
      assert.match(stderr, text)
      assertNoStack(stderr)
    })
  }
})
