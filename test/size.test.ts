import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { before, describe, test } from "node:test"
import manifest from "../package.json" with { type: "json" }
import { BUNDLERS, gzipped, programOf, root } from "./size/bundle.ts"
import { PIECES } from "./size/piece.ts"
import { type Measured, measureAll, PAGES, readTable } from "./size/table.ts"

describe("what a program pays for what it uses, minified and gzipped", () => {
  let all: readonly Measured[] = []
  before(async () => {
    all = await measureAll()
  })

  test("nothing is above its limit", () => {
    const above = all.flatMap(({ piece, size }) =>
      [size.Vite, size.esbuild].some((kB) => kB > piece.limit)
        ? [`${piece.name}: ${size.Vite} kB by Vite and ${size.esbuild} kB by esbuild, of ${piece.limit} kB`]
        : [],
    )
    assert.deepEqual(above, [])
  })

  for (const page of PAGES) {
    test(`the table of ${page} is true within 2 %: node test/sizes.ts writes it`, () => {
      const shown = readTable(readFileSync(join(root, page), "utf8"))
      assert.deepEqual(
        [...shown].map(([name, { limit }]) => [name, limit]),
        PIECES.map(({ name, limit }) => [name, limit]),
      )
      for (const { piece, size } of all) {
        const row = shown.get(piece.name)
        assert.ok(row !== undefined)
        for (const bundler of ["Vite", "esbuild"] as const) {
          const off = Math.abs(row[bundler] - size[bundler])
          // A table has one digit behind the point.
          assert.ok(off <= 0.05 + 0.02 * size[bundler], `${piece.name}: ${size[bundler]} kB by ${bundler}`)
        }
      }
    })
  }
})

/** Entries that any runtime can load: those of one runtime import its modules. */
const PURE = Object.entries(manifest.exports).flatMap(([name, entry]) => {
  if (typeof entry === "string" || "deno" in entry) return []
  const source = entry.default.replace("./dist/", "").replace(/js$/, "ts")
  return /^\.\/(?:node|deno|bun|conformance|flow-service|overlay-endpoint)$/.test(name) ? [] : [{ name, source }]
})

for (const [bundler, bundle] of Object.entries(BUNDLERS)) {
  describe(`tree-shaking by ${bundler}`, () => {
    test("an import that takes no name leaves nothing of any entry", async () => {
      assert.ok(PURE.length >= 10)
      for (const { name, source } of PURE) {
        assert.ok(existsSync(join(root, source)), source)
        const { code, sources } = await bundle(`import "./${source}"\n`)
        assert.deepEqual([gzipped(code), sources], [0, []], name)
      }
    })

    test("parse brings files of the wire room alone, and none that validates, encodes, dissects or reads text", async () => {
      for (const source of ["core/wire/index.ts", "core/index.ts"]) {
        const { sources } = await bundle(programOf(source, ["parse"]))
        assert.ok(sources.includes("core/wire/parse.ts"))
        const strange = sources.filter(
          (path) => !/^core\/wire\/(?!validate|encode|profile|names)[\w-]+\.ts$/.test(path),
        )
        assert.deepEqual(strange, [])
      }
    })

    test("the whole of sallyport/wire has nothing of sallyport/text, and nothing of any other room", async () => {
      const wire = await import("../core/wire/index.ts")
      const { sources } = await bundle(programOf("core/wire/index.ts", Object.keys(wire)))
      assert.deepEqual(
        sources.filter((path) => !/^core\/wire\/(?!text\/)/.test(path)),
        [],
      )
    })

    test("the client has nothing of the server, the CGN or the table", async () => {
      const client = await import("../core/client/index.ts")
      const { sources } = await bundle(programOf("core/client/index.ts", Object.keys(client)))
      assert.deepEqual(
        sources.filter((path) => !/^(?:core\/(?:client|wire)\/|node_modules\/@noble\/hashes\/)/.test(path)),
        [],
      )
    })
  })
}
