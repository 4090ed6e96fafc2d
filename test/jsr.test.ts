/** What JSR gets: the same rooms as npm's package has, with types that need no inference. Nothing is published here. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { globSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { after, before, describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import config from "../deno.json" with { type: "json" }
import manifest from "../package.json" with { type: "json" }

const root = join(import.meta.dirname, "..")

/**
 * Entries that JSR cannot have: it knows no conditions, so that each runtime's adapter has a name alone there; and a module
 * there is no file, beside which the vectors and the schema could lie.
 */
const NPM_ALONE = [
  "./runtime",
  "./console",
  "./conformance",
  "./serve.schema.json",
  "./vectors/*.json",
  "./package.json",
]

describe("deno.json", () => {
  test("has package.json's version and licence", () => {
    assert.deepEqual([config.version, config.license], [manifest.version, manifest.license])
  })

  test("has the entries of package.json, as sources", () => {
    const sources = Object.entries(manifest.exports).flatMap(([name, entry]) =>
      typeof entry === "object" && "default" in entry && !NPM_ALONE.includes(name)
        ? [[name, entry.default.replace("./dist/", "./").replace(/js$/, "ts")]]
        : [],
    )
    assert.deepEqual(config.exports, Object.fromEntries(sources))
    assert.equal(Object.keys(config.exports).length, Object.keys(manifest.exports).length - NPM_ALONE.length)
  })
})

describe("deno publish", () => {
  // Nothing is in this cache, and nobody listens at the proxy: what would be fetched is missed.
  const cache = mkdtempSync(join(tmpdir(), "sallyport-jsr-"))
  const nowhere = "http://127.0.0.1:9"
  after(() => rmSync(cache, { recursive: true }))

  let output = ""
  before(() => {
    const { status, stdout, stderr, error } = spawnSync(
      join(root, "node_modules/.bin/deno"),
      ["publish", "--dry-run", "--allow-dirty"],
      {
        cwd: root,
        encoding: "utf8",
        env: {
          ...process.env,
          DENO_DIR: cache,
          DENO_NO_UPDATE_CHECK: "1",
          HTTP_PROXY: nowhere,
          HTTPS_PROXY: nowhere,
          NO_COLOR: "1",
        },
      },
    )
    output = `${stderr}${stdout}`
    assert.equal(status, 0, `${error?.message ?? ""}\n${output}`)
  })

  test("finds no slow types and no fault, without a network", () => {
    assert.match(output, /^Success Dry run complete/m)
    assert.match(output, /^Checking for slow types/m)
    assert.deepEqual(output.match(/^(?:warning|error).*/gm), null)
  })

  test("takes the sources of the rooms, the licence and the README, and nothing else", () => {
    const published = output.split("\n").flatMap((line) => {
      const file = /^ +(file:.*) \(.*\)$/.exec(line)?.[1]
      return file === undefined ? [] : [relative(root, fileURLToPath(file)).replaceAll("\\", "/")]
    })
    const sources = globSync("{core,adapters}/**/*.ts", { cwd: root })
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => !/^adapters\/(?:cli|conformance|linux|live)\//.test(path))
    assert.deepEqual(published.sort(), [...sources, "LICENSE", "README.md", "deno.json"].sort())
  })
})
