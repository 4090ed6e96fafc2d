import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import manifest from "../package.json" with { type: "json" }
import { judgeImport, placeOf } from "./architecture/arrows.ts"
import { impurities } from "./architecture/purity.ts"
import { readSource } from "./architecture/source.ts"

const root = join(import.meta.dirname, "..")
const sources = globSync("{core,adapters,playground,test}/**/*.{ts,tsx}", { cwd: root })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => !path.includes("node_modules/"))
  .sort()
  .map((path) => ({ path, source: readSource(path, readFileSync(join(root, path), "utf8")) }))

const runtime: readonly string[] = Object.keys(manifest.dependencies)
const all: readonly string[] = [...runtime, ...Object.keys(manifest.devDependencies)]
const exists = (path: string): boolean => existsSync(join(root, path))
/** Published modules may import runtime dependencies alone; the command is a bundle that brings its own, and tests and the page are not published. */
const declaredFor = (path: string) => (name: string) =>
  (/^(?:test|playground|adapters\/cli)\//.test(path) ? all : runtime).includes(name)

const judge = (path: string, specifier: string): string | undefined =>
  judgeImport(path, specifier, exists, declaredFor(path))

describe("arrows", () => {
  test("every import follows them", () => {
    const wrong = sources.flatMap(({ path, source }) =>
      source.imports.flatMap(({ line, text }) => {
        const reason = judge(path, text)
        return reason === undefined ? [] : [`${path}:${line}: ${reason}`]
      }),
    )
    assert.deepEqual(wrong, [])
  })

  test("the sources are there to be looked at", () => {
    const places = new Set(sources.map(({ path }) => placeOf(path)))
    for (const place of ["core", "core/wire", "test"]) assert.ok(places.has(place), place)
    assert.ok(sources.some(({ source }) => source.imports.length > 0))
  })

  test("a planted import against them is found", () => {
    const there = new Set([
      "core/index.ts",
      "core/wire/index.ts",
      "core/wire/pcp.ts",
      "core/wire/text/index.ts",
      "core/wire/text/hex.ts",
      "core/cgn/index.ts",
      "core/table/index.ts",
    ])
    for (const path of [
      "core/server/index.ts",
      "adapters/udp.ts",
      "adapters/node/index.ts",
      "adapters/cli/main.ts",
      "test/x.ts",
    ])
      there.add(path)
    const refuses = (path: string, specifier: string): boolean =>
      judgeImport(path, specifier, (file) => there.has(file), declaredFor(path)) !== undefined

    const wrong: readonly (readonly [string, string])[] = [
      ["core/wire/map.ts", "../table/index.ts"],
      ["core/table/row.ts", "../wire/index.ts"],
      ["core/table/row.ts", "../index.ts"],
      ["core/cgn/pool.ts", "../server/index.ts"],
      ["core/server/map.ts", "../table/index.ts"],
      ["core/client/map.ts", "../cgn/index.ts"],
      ["core/server/map.ts", "../wire/pcp.ts"],
      ["core/server/map.ts", "../wire/text/hex.ts"],
      ["core/server/map.ts", "../wire/gone.ts"],
      ["core/server/map.ts", "../wire"],
      ["core/attic/map.ts", "../wire/index.ts"],
      ["core/wire/map.ts", "../../adapters/udp.ts"],
      ["core/wire/map.ts", "node:fs"],
      ["core/wire/map.ts", "fs"],
      ["core/wire/map.ts", "commander"],
      ["core/wire/map.ts", "fast-check"],
      ["core/wire/map.ts", "sallyport/wire"],
      ["adapters/udp.ts", "node:dgram"],
      ["adapters/udp.ts", "./node/index.ts"],
      ["adapters/host.ts", "../core/wire/pcp.ts"],
      ["adapters/node/index.ts", "../cli/main.ts"],
      ["adapters/node/index.ts", "commander"],
      ["adapters/deno/index.ts", "../node/index.ts"],
      ["adapters/browser/index.ts", "node:os"],
      ["adapters/cli/main.ts", "unheard-of"],
      ["adapters/cli/main.ts", "../node/index.ts"],
      ["adapters/node/index.ts", "#runtime"],
      ["core/wire/map.ts", "#runtime"],
      ["adapters/cli/main.ts", "../../test/x.ts"],
      ["playground/page.ts", "../adapters/node/index.ts"],
      ["playground/page.ts", "node:fs"],
      ["test/x.ts", "left-pad"],
    ]
    for (const [path, specifier] of wrong) assert.ok(refuses(path, specifier), `${path} -> ${specifier}`)

    const right: readonly (readonly [string, string])[] = [
      ["core/index.ts", "./server/index.ts"],
      ["core/wire/map.ts", "./pcp.ts"],
      ["core/wire/map.ts", "@noble/hashes/sha2.js"],
      ["core/cgn/pool.ts", "../table/index.ts"],
      ["core/server/map.ts", "../cgn/index.ts"],
      ["adapters/cli/main.ts", "../../core/wire/text/index.ts"],
      ["adapters/host.ts", "./udp.ts"],
      ["adapters/udp.ts", "../core/index.ts"],
      ["adapters/node/index.ts", "node:dgram"],
      ["adapters/cli/main.ts", "#runtime"],
      ["adapters/cli/main.ts", "commander"],
      ["test/y.ts", "../core/wire/pcp.ts"],
      ["test/y.ts", "fast-check"],
    ]
    for (const [path, specifier] of right) assert.ok(!refuses(path, specifier), `${path} -> ${specifier}`)
  })

  test("imports of every form are read from a source", () => {
    const text = [
      'import a from "a"',
      'import type { B } from "b"',
      'import * as c from "c"',
      'import "d"',
      'export { e } from "e"',
      'export * from "f"',
      'export type { G } from "g"',
      'const h = await import("h")',
      'type I = import("i").J',
      'import k = require("k")',
      "const l = import(h + h)",
      '// import "comment"',
      "const text = 'import \"string\"'",
    ].join("\n")
    assert.deepEqual(
      readSource("x.ts", text)
        .imports.toSorted((one, other) => one.line - other.line)
        .map(({ line, text }) => [line, text]),
      [..."abcdefghi"]
        .map((name, index) => [index + 1, name])
        .concat([
          [10, 'require("k")'],
          [11, "h + h"],
        ]),
    )
  })
})

describe("purity of the core", () => {
  const scratch = mkdtempSync(join(tmpdir(), "sallyport-purity-"))
  after(() => rmSync(scratch, { recursive: true }))

  const compile = (project: string): { readonly status: number | null; readonly output: string } => {
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    const run = spawnSync(process.execPath, [tsc, "--pretty", "false", "-p", project], { encoding: "utf8" })
    return { status: run.status, output: `${run.stdout}${run.stderr}` }
  }

  test("it compiles where ES2022 and the text coders are all there is", () => {
    const { status, output } = compile(join(root, "test/purity"))
    assert.equal(output, "")
    assert.equal(status, 0)
  })

  test("it has no clock, no randomness, no global, no class, no hidden state", () => {
    const wrong = sources
      .filter(({ path }) => path.startsWith("core/"))
      .flatMap(({ path, source }) => impurities(source).map(({ line, text }) => `${path}:${line}: ${text}`))
    assert.deepEqual(wrong, [])
  })

  test("the compiler refuses each planted global", () => {
    const planted = [
      ...["console.log(1)", "process.exit()", "Buffer.alloc(1)", "setTimeout(() => {}, 1)", "performance.now()"],
      ...[
        "fetch('')",
        "crypto.getRandomValues(new Uint8Array(1))",
        "document.title",
        "new URL('x:')",
        "queueMicrotask(() => {})",
      ],
      ...[
        "structuredClone(1)",
        "[1].toSorted()",
        "[1].findLast(() => true)",
        "new TextDecoder('latin1')",
        "import.meta.url",
      ],
      ...["Deno.exit()", "Bun.hash('')", "new TextDecoder().fatal", "require('x')", "navigator.language"],
    ]
    const innocent = ["new TextEncoder().encode('x')", "new TextDecoder().decode(new Uint8Array(1))", "[1].at(-1)"]
    const write = (name: string, code: string): string => {
      writeFileSync(join(scratch, name), `export const x = (): unknown => ${code}\n`)
      return name
    }
    writeFileSync(join(scratch, "package.json"), '{ "type": "module" }')
    const base = join(root, "test/purity")
    const files = [
      ...planted.map((code, index) => write(`planted-${index}.ts`, code)),
      ...innocent.map((code, index) => write(`innocent-${index}.ts`, code)),
      join(base, "text-coding.d.ts"),
    ]
    writeFileSync(
      join(scratch, "tsconfig.json"),
      JSON.stringify({ extends: join(base, "tsconfig.json"), include: files }),
    )
    const { output } = compile(scratch)
    const reported = new Set(output.match(/\w+-\d+\.ts(?=\(1,\d+\): error)/g))
    assert.deepEqual([...reported].sort(), planted.map((_, index) => `planted-${index}.ts`).sort(), output)
  })

  test("the check finds each planted impurity", () => {
    const planted = [
      ...[
        "Date.now()",
        "new Date()",
        "Math.random()",
        "const { random } = Math",
        'Math["random"]()',
        "const m = Math",
        "export { process }",
        "export { Date as a }",
      ],
      ...["performance.now()", "setTimeout(() => {}, 1)", "console.log(1)", "process.exit()", "Buffer.alloc(1)"],
      ...[
        "globalThis.x",
        "const t: Date[] = []",
        "new Function('')",
        "eval('')",
        "const o = { Date }",
        "import.meta.url",
      ],
      ...[
        '"a".localeCompare("b")',
        "(1).toLocaleString()",
        "new Intl.Collator()",
        "const f = (now = Date.now()) => now",
      ],
      ...[
        "class A {}",
        "const A = class {}",
        "export class A {}",
        "declare const x: number",
        "declare global { var x: 1 }",
      ],
      ...[
        "declare function f(): void",
        "let count = 0",
        "export let count = 0",
        "var count = 0",
        "namespace N { const x = 1 }",
      ],
    ]
    for (const code of planted) assert.notDeepEqual(impurities(readSource("x.ts", code)), [], code)

    const innocent = [
      ...["Math.max(1, 2)", "const f = () => { let i = 0; return i++ }", "export const process = () => 1; process()"],
      ...["const f = (performance: number) => performance", "const a = { Date: 1 }.Date", "type A = { Date: number }"],
      ...[
        "for (let i = 0; i < 1; i++) {}",
        "// Date.now()",
        "const text = 'Math.random()'",
        "export const process = 1",
      ],
    ]
    for (const code of innocent) assert.deepEqual(impurities(readSource("x.ts", code)), [], code)
  })
})

describe("house style", () => {
  test("no cast but `as const` silences the compiler, and no comment does", () => {
    const wrong = sources.flatMap(({ path, source }) =>
      [...source.casts, ...source.directives].map(({ line, text }) => `${path}:${line}: ${text}`),
    )
    // Its declarations need a library that programs do not name: none of the core's do.
    const closable = 'adapters/client/closable.ts:1: / <reference lib="esnext.disposable" preserve="true" />'
    assert.deepEqual(wrong, [closable])
  })

  test("no source is longer than 500 lines", () => {
    const wrong = sources
      .filter(({ source }) => source.lines > 500)
      .map(({ path, source }) => `${path}: ${source.lines}`)
    assert.deepEqual(wrong, [])
  })

  test("planted casts, comments and lengths are found", () => {
    const casts = ["const a = 1 as number", "const a = <number>1", "const a = {} as unknown as Date", "f(x as any)"]
    for (const code of casts) assert.notDeepEqual(readSource("x.ts", code).casts, [], code)
    const directives = ["// @ts-ignore", "/* @ts-expect-error */", "// @ts-nocheck", '/// <reference types="node" />']
    for (const code of directives) assert.notDeepEqual(readSource("x.ts", code).directives, [], code)
    const innocent =
      'import { a as b } from "a"\nconst c = [1] as const\nconst d = 1 satisfies number // as\nexport { c as e }'
    const { casts: none, directives: nor } = readSource("x.ts", innocent)
    assert.deepEqual([none, nor], [[], []])
    assert.equal(readSource("x.ts", "1\n".repeat(501)).lines, 501)
    assert.equal(readSource("x.ts", "1\n2").lines, 2)
  })
})
