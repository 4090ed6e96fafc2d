import assert from "node:assert/strict"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import fc from "fast-check"
import {
  changeMemory,
  keyOf,
  type Remembered,
  readMemory,
  usualMemory,
} from "../../../../adapters/cli/client/memory.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-memory-"))
after(() => rmSync(folder, { recursive: true }))

const NOW = Date.parse("2026-11-21T08:00:00Z")

const mapping = (internalPort: number, more: Partial<Remembered> = {}): Remembered => ({
  server: "192.168.1.1",
  via: "pcp",
  client: "192.168.1.10",
  protocol: 6,
  internalPort,
  nonce: "0102030405060708090a0b0c",
  ends: "2026-11-21T10:00:00.000Z",
  ...more,
})

describe("the file that remembers nonces", () => {
  it("is its owner's alone, in a folder of the owner's", async () => {
    const path = join(folder, "new", "mappings.json")
    assert.deepEqual(readMemory(path), { ok: true, value: [] })
    assert.deepEqual(await changeMemory(path, () => [mapping(80)], NOW), { ok: true, value: [mapping(80)] })
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(join(folder, "new")).mode & 0o777, 0o700)
    assert.deepEqual(readMemory(path), { ok: true, value: [mapping(80)] })
    assert.deepEqual(readdirSync(join(folder, "new")), ["mappings.json"])
  })

  it("leaves out what ended by itself, and is not made for nothing", async () => {
    const path = join(folder, "ends.json")
    assert.deepEqual(await changeMemory(path, (before) => before, NOW), { ok: true, value: [] })
    assert.throws(() => readFileSync(path))
    await changeMemory(path, () => [mapping(80, { ends: "2026-11-21T08:00:01.000Z" }), mapping(81)], NOW)
    assert.deepEqual(await changeMemory(path, (before) => before, NOW + 1000), { ok: true, value: [mapping(81)] })
  })

  it("loses nothing when several write at once", async () => {
    const path = join(folder, "many.json")
    const ports = Array.from({ length: 12 }, (_, port) => port + 1)
    await Promise.all(ports.map((port) => changeMemory(path, (before) => [...before, mapping(port)], NOW)))
    const read = readMemory(path)
    assert.deepEqual(read.ok && read.value.map(({ internalPort }) => internalPort).sort((a, b) => a - b), ports)
  })

  it("is never written over when it is something else", async () => {
    for (const text of ["", "{}", "[]", "no JSON", '{"format":"sallyport mappings 2","mappings":[]}']) {
      const path = join(folder, "other.json")
      writeFileSync(path, text)
      assert.match(read(path), /it is no file of remembered mappings/)
      assert.equal((await changeMemory(path, () => [mapping(80)], NOW)).ok, false)
      assert.equal(readFileSync(path, "utf8"), text)
    }
  })

  it("never writes through a link that somebody put beside it", async () => {
    const [path, victim] = [join(folder, "link.json"), join(folder, "victim")]
    writeFileSync(victim, "mine")
    symlinkSync(victim, `${path}.new`)
    assert.ok((await changeMemory(path, () => [mapping(80)], NOW)).ok)
    assert.equal(readFileSync(victim, "utf8"), "mine")
  })

  it("any contents are read or refused", () => {
    const path = join(folder, "any.json")
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .record({ format: fc.constant("sallyport mappings 1"), mappings: fc.jsonValue() })
            .map((value) => JSON.stringify(value)),
        ),
        (text) => {
          writeFileSync(path, text)
          const result = readMemory(path)
          if (result.ok) assert.ok(Array.isArray(result.value))
        },
      ),
      { numRuns: 50 },
    )
  })

  it("stands where the XDG base directories say, and on Windows among local data", () => {
    assert.equal(usualMemory({ HOME: "/home/a" }, "linux"), "/home/a/.local/state/sallyport/mappings.json")
    assert.equal(usualMemory({ HOME: "/home/a", XDG_STATE_HOME: "/s" }, "linux"), "/s/sallyport/mappings.json")
    // The specification says that a relative path is invalid and to be ignored.
    assert.equal(
      usualMemory({ HOME: "/home/a", XDG_STATE_HOME: "s" }, "linux"),
      "/home/a/.local/state/sallyport/mappings.json",
    )
    assert.match(usualMemory({ LOCALAPPDATA: "/local" }, "win32"), /^\/local.sallyport.mappings\.json$/)
  })

  it("tells mappings apart by all that the server tells them apart by", () => {
    const others: readonly Partial<Remembered>[] = [
      {},
      { server: "192.168.1.2" },
      { client: "192.168.1.11" },
      { protocol: 17 },
      { internalPort: 81 },
      { remote: "198.51.100.1", remotePort: 80 },
      { remote: "198.51.100.1", remotePort: 81 },
      { thirdParty: "192.168.1.12" },
      { thirdParty: "192.168.1.12", thirdPartyId: "01" },
    ]
    assert.equal(new Set(others.map((more) => keyOf(mapping(80, more)))).size, others.length)
    assert.equal(
      keyOf(mapping(80)),
      keyOf(mapping(80, { nonce: "ff".repeat(12), via: "nat-pmp", external: "192.0.2.1" })),
    )
  })
})

const read = (path: string): string => {
  const result = readMemory(path)
  return result.ok ? "" : result.text
}
