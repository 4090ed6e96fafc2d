/** The pages in docs say what the tests say: a row without its test, or a test without its row, is a fault. */
import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { STORMS } from "./core/client/storm.ts"

const root = join(import.meta.dirname, "..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

describe("docs/clients.md", () => {
  const page = read("docs/clients.md")
  const rows = [...page.matchAll(/^\| (JS-\d+) \| .* \| ([^|]*) \|$/gm)]
  const titles = (path: string): readonly string[] => [...read(path).matchAll(/test\("(JS-\d+):/g)].map(([, id]) => id)
  const files = { core: "test/core/client/comparison.test.ts", sockets: "test/adapters/client/comparison.test.ts" }

  test("each fault has a row of its own, and each row names where its test is", () => {
    assert.ok(rows.length >= 18)
    assert.equal(new Set(rows.map(([, id]) => id)).size, rows.length)
    for (const [kind, path] of Object.entries(files))
      assert.deepEqual(
        rows.filter(([, , where]) => where.includes(`[${kind}](../${path})`)).map(([, id]) => id),
        [...titles(path)].sort(),
        path,
      )
    for (const [, id, where] of rows) assert.match(where, /^\[/, id)
  })

  test("each storm has its row, with the bound that its test holds it to", () => {
    const table = [...page.matchAll(/^\| ([^|]+) \| (\d+) \|$/gm)].map(([, name, most]) => [name, Number(most)])
    assert.deepEqual(
      table,
      STORMS.map(({ name, most }) => [name, most]),
    )
  })

  test("its links lead somewhere", () => {
    for (const [, path] of page.matchAll(/\]\(([^)#]+)\)/g)) assert.ok(existsSync(join(root, "docs", path)), path)
  })
})
