/** The API reference, `npm run docs`: every public symbol says what it is, and names only what the reference has as well. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { deno, entries, moduleDoc, readDoc, root, symbolsOf, undocumented } from "./symbols.ts"

const scratch = mkdtempSync(join(tmpdir(), "sallyport-docs-"))
after(() => rmSync(scratch, { recursive: true }))

/**
 * Types that public ones name and nobody can: what is inside an opaque state, and what the declarations only abbreviate. Who reads a
 * state reads it through functions.
 */
const OPAQUE = new Map([
  ["core/table", ["Memory", "Extent", "Family", "Sparse", "SetGroup", "Wheel", "Chunk"]],
  ["core/cgn", ["CgnConfig", "FirewallConfig", "Waiting", "Inside", "Since", "DROP_CLAUSES", "REFUSAL_CLAUSES"]],
  ["core/server", ["Counts", "Pushes", "Cache", "Rates", "Refused"]],
  ["core/client", ["Randomness", "ServerState", "Task"]],
  ["adapters/client", ["Named", "Transport", "SAVED_FORMAT", "SAVED_VERSION", "SavedMappingJson"]],
  // For the command alone.
  ["adapters", ["Console"]],
  // The cases are JSON, and test/vectors/schema.json says what they are.
  ["adapters/conformance", ["CAPABILITIES", "Configuration", "Step"]],
])

describe("the API reference", () => {
  test("each public symbol and member has a doc comment", () => {
    const symbols = entries.flatMap((entry) => symbolsOf(readDoc(entry)))
    assert.ok(new Set(symbols.map(({ name }) => name)).size > 1000)
    assert.deepEqual([...new Set(undocumented(symbols))], [])
  })

  test("each entry says what it is for", () => {
    assert.deepEqual(
      entries.filter((entry) => moduleDoc(readDoc(entry)).trim() === ""),
      [],
    )
    writeFileSync(join(scratch, "plain.ts"), "/** Of the symbol. */ export const a = 1")
    assert.equal(moduleDoc(readDoc("plain.ts", scratch)), "")
  })

  test("no public type names one that is not public, but for what is opaque", () => {
    const { stdout, stderr } = spawnSync(deno, ["doc", "--quiet", "--lint", ...entries], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
      maxBuffer: 1 << 28,
    })
    const found = `${stdout}${stderr}`.matchAll(
      /error\[private-type-ref\]: public type '(.*)' references private type '(.*)'\n\s+--> (\S+)/g,
    )
    const named = [...found].map(([, from, to, place]) => ({ from, to, place: place.replace(`${root}/`, "") }))
    const isOpaque = ({ to, place }: (typeof named)[number]): boolean =>
      [...OPAQUE].some(([room, names]) => place.startsWith(`${room}/`) && names.includes(to))
    assert.deepEqual(
      named.filter((one) => !isOpaque(one)),
      [],
    )
    const unused = [...OPAQUE.values()].flat().filter((name) => !named.some(({ to }) => to === name))
    assert.deepEqual(unused, [])
  })

  test("a symbol, member or function without a comment is found", () => {
    const planted = [
      "/** A type. */",
      "export interface A {",
      "  readonly a: number",
      "  /** b. */ readonly b: string",
      '  readonly kind: "a"',
      "  run(): void",
      "}",
      "/** In one line. */ export type B = { readonly b: number }",
      "/** In many. */",
      "export type C = {",
      "  readonly c: number",
      "}",
      "export const d = 1",
      "export const e = (): number => 2",
      "/** A class. */ export class F {",
      "  f = 1",
      "}",
      "const hidden = 1",
      "export { d as g }",
      "void hidden",
    ]
    writeFileSync(join(scratch, "planted.ts"), planted.join("\n"))
    assert.deepEqual(undocumented(symbolsOf(readDoc("planted.ts", scratch), scratch)).toSorted(), [
      "planted.ts:11: C.c",
      "planted.ts:13: d",
      "planted.ts:13: g",
      "planted.ts:14: e",
      "planted.ts:16: F.f",
      "planted.ts:3: A.a",
      "planted.ts:6: A.run",
    ])
  })

  test("the pages are made, one for each symbol, from the entries alone", () => {
    const made = spawnSync(process.execPath, ["test/docs/build.ts", join(scratch, "api")], {
      cwd: root,
      encoding: "utf8",
    })
    assert.equal(made.status, 0, made.stderr)
    assert.ok(existsSync(join(scratch, "api/index.html")))
    assert.ok(globSync("**/*.html", { cwd: join(scratch, "api") }).length > 500)
    const page = globSync("**/~/parse.html", { cwd: join(scratch, "api") })[0]
    assert.match(readFileSync(join(scratch, "api", page), "utf8"), /Total: every input gives a packet or an error/)
  })
})
