/** What `npm pack` takes, and no more. */
import assert from "node:assert/strict"
import { existsSync, globSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { root } from "./run.ts"

const PATTERNS: readonly RegExp[] = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE$/,
  /^dist\/(?:core|adapters)\/[\w/-]+\.js$/,
  /^dist\/(?:core|adapters)\/[\w/-]+\.d\.ts$/,
  // The command: what starts it, one bundle in pieces, and the licences of what is in it.
  /^bin\/sallyport\.js$/,
  /^dist\/cli\/[\w-]+\.js$/,
  /^dist\/cli\/LICENSES\.txt$/,
  // The playground's page in one file, for browsers with and without a server, and the licences of what is in it.
  /^dist\/playground\/sallyport-playground\.html$/,
  /^dist\/playground\/LICENSES\.txt$/,
  /^schema\/serve\.schema\.json$/,
  // The conformance vectors are an entry.
  /^test\/vectors\/[\w-]+\.json$/,
  /^test\/vectors\/README\.md$/,
]

/** Octets that a user fetches at most. */
const LIMIT = 1_800_000

/** `tarball` and `unpacked` are known when the tests run. */
export const describeContents = (tarball: () => string, unpacked: () => string): void => {
  const files = (): readonly string[] =>
    globSync("**/*", { cwd: unpacked(), exclude: (name) => name === "node_modules" })
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => statSync(join(unpacked(), path)).isFile())

  describe("its contents", () => {
    test("each file is one that its users need, by one pattern, and none of these is idle", () => {
      const stray = files().filter((path) => PATTERNS.filter((pattern) => pattern.test(path)).length !== 1)
      assert.deepEqual(stray, [])
      const idle = PATTERNS.filter((pattern) => !files().some((path) => pattern.test(path)))
      assert.deepEqual(idle, [])
    })

    test("each module is made from a source that is there, and has its types beside it", () => {
      const all = new Set(files())
      const modules = [...all].filter((path) => /^dist\/(?:core|adapters)\/.*\.js$/.test(path))
      const sources = globSync("{core,adapters}/**/*.ts", { cwd: root, exclude: ["adapters/{cli,linux,live}/**"] })
      assert.equal(modules.length, sources.length)
      for (const path of modules) {
        assert.ok(existsSync(join(root, path.replace("dist/", "").replace(/js$/, "ts"))), path)
        assert.ok(all.has(path.replace(/js$/, "d.ts")), path)
      }
    })

    test("no file names a source map, which would be of sources that are not there, or an import of the sources' own", () => {
      for (const path of files().filter((path) => /\.(?:js|ts)$/.test(path))) {
        const text = readFileSync(join(unpacked(), path), "utf8")
        assert.doesNotMatch(text, /sourceMappingURL/, path)
        assert.doesNotMatch(text, /\b(?:from|import)\s*\(?\s*["']#/, path)
      }
    })

    test(`it has at most ${LIMIT / 1e6} MB`, () => {
      const { size } = statSync(tarball())
      assert.ok(size <= LIMIT, `${size} octets`)
    })
  })
}
