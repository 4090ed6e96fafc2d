/** What pages and doc comments show: each program compiles and prints what is said there, each command and option is one. */
import assert from "node:assert/strict"
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, test } from "node:test"
import { makeProject, output, run } from "../examples/project.ts"
import { entries, readDoc, root, symbolsOf } from "./symbols.ts"

const node = process.execPath
const pages = globSync(["*.md", "docs/*.md", "examples/*.md"], { cwd: root })
  .map((path) => path.replaceAll("\\", "/"))
  .sort()
const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** A program and where it stands. */
type Program = { readonly place: string; readonly text: string }

/** The blocks of code in a page or a comment that are programs. */
const programsIn = (place: string, text: string): readonly Program[] =>
  [...text.matchAll(/^```(?:ts|js|typescript|javascript)\n(.*?)^```$/gms)].map(([, program]) => ({
    place,
    text: program,
  }))

const inPages = pages.flatMap((path) => programsIn(path, read(path)))
const symbols = new Map(entries.flatMap((entry) => symbolsOf(readDoc(entry)).map((one) => [one.place, one])))
const inComments = [...symbols.values()].flatMap(({ name, place, examples }) =>
  examples.flatMap((example) => {
    const programs = programsIn(`${place}: ${name}`, example)
    assert.equal(programs.length, 1, `${place}: an @example is one program in a block of ts`)
    return programs
  }),
)

const home = makeProject()

describe("programs", () => {
  const programs = [...inPages, ...inComments].map((program, index) => ({ ...program, file: `program-${index}.ts` }))
  for (const { file, text } of programs) writeFileSync(join(home, file), text)

  test("the main functions have an example each", () => {
    const named = inComments.map(({ place }) => place.split(": ")[1])
    const main = ["parse", "encode", "validate", "dissect", "describe", "read", "parseAddress", "toPcap"]
    const machines = ["createServer", "process", "restore", "step", "translate", "startHost", "openPort"]
    assert.deepEqual(
      [...main, ...machines].filter((name) => !named.includes(name)),
      [],
    )
    assert.ok(inPages.length >= 5)
  })

  test("each compiles in a strict program of its own, and with Node's types only if it names them", () => {
    const compile = (types: string, files: readonly string[]): void => {
      const options = ["--noEmit", "--ignoreConfig", "--pretty", "false", "--strict", "--skipLibCheck"]
      const language = [
        "--target",
        "ES2022",
        "--lib",
        "ES2022,DOM",
        "--module",
        "NodeNext",
        "--noUncheckedIndexedAccess",
      ]
      const tsc = join(root, "node_modules/typescript/bin/tsc")
      const { code, stdout } = run(node, [tsc, ...options, ...language, "--types", types, ...files], home)
      const said = stdout.replace(/^program-(\d+)\.ts/gm, (_, index: string) => programs[Number(index)].place)
      assert.equal(code, 0, said)
    }
    const isNodes = ({ text }: Program): boolean => /from "node:/.test(text)
    compile(
      "node",
      programs.filter(isNodes).map(({ file }) => file),
    )
    compile(
      "",
      programs.filter((program) => !isNodes(program)).map(({ file }) => file),
    )
  })

  for (const { place, text, file } of programs) {
    test(`what it prints stands beside it: ${place}`, () => {
      const promised = [...text.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, line]) => `${line}\n`)
      assert.ok(promised.length > 0, "it promises nothing")
      assert.equal(output(node, [file], home), promised.join(""))
    })
  }
})

describe("commands", () => {
  const help = (...names: readonly string[]): string =>
    output(node, [join(root, "adapters/cli/main.ts"), "help", ...names], root)

  /** The commands in blocks of shell and between backquotes, with their options. */
  const shown = pages.flatMap((path) => {
    const page = read(path)
    const blocks = [...page.matchAll(/^```(?:sh|console)\n(.*?)^```$/gms)].map(([, block]) => block)
    const quoted = [...page.matchAll(/`(npx sallyport [^`\n]*)`/g)].map(([, code]) => code)
    return [...blocks, ...quoted].flatMap((text) =>
      [...text.matchAll(/^(?:\$ )?(?:npx )?sallyport ([^#|<>\n]*)/gm)].map(([, line]) => {
        const [name, ...rest] = line.trim().split(/\s+/)
        const options = rest.filter((word) => word.startsWith("--")).map((word) => word.split("=", 1)[0])
        return { path, line: line.trim(), name, options }
      }),
    )
  })

  test("each command of Sallyport that a page shows is one, and so is each of its options", () => {
    assert.ok(shown.length > 8)
    const known = new Map(
      [...new Set(shown.map(({ name }) => name))].map((name) => [name, name === "help" ? help() : help(name)]),
    )
    const wrong = shown.flatMap(({ path, line, name, options }) =>
      options.every((option) => new RegExp(`(?<![\\w-])${option}(?![\\w-])`).test(known.get(name) ?? ""))
        ? []
        : [`${path}: ${line}`],
    )
    assert.deepEqual(wrong, [])
  })

  test("each file of this clone that a block of shell names is there", () => {
    for (const path of pages) {
      for (const [, block] of read(path).matchAll(/^```sh\n(.*?)^```$/gms)) {
        for (const [, file] of block.matchAll(/(?<![\w./~-])((?:examples|docs|adapters|test)\/[\w./-]+)/g))
          assert.ok(existsSync(join(root, file)), `${path}: ${file}`)
      }
    }
  })

  test("the lines of examples/README.md that need no server, browser or capture run as they stand", () => {
    const page = read("examples/README.md")
    const lines = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block]) => block.trim().split("\n"))
    const others = /^(?:npx vite|PORT=|deno serve|bun --port|curl|tcpdump)/
    const ran = lines.filter((line) => !others.test(line))
    assert.ok(ran.length >= 5)
    // The runtimes and the command by the names that the page has for them.
    const bins = ["deno/deno", "bun/bin/bun.exe"].map((path) => dirname(join(root, "node_modules", path)))
    const sallyport = `${JSON.stringify(node)} ${JSON.stringify(join(root, "adapters/cli/main.ts"))}`
    const names = `bun() { bun.exe "$@"; }; npx() { shift; ${sallyport} "$@"; }; PATH=${JSON.stringify([dirname(node), ...bins].join(":"))}:$PATH`
    for (const line of ran) {
      const { code, stdout, stderr } = run("sh", ["-c", `${names}; ${line}`], home)
      assert.equal(code, 0, `${line}\n${stderr}`)
      assert.notEqual(stdout, "", line)
    }
  })
})

describe("links", () => {
  test("each leads to a file that is there", () => {
    for (const path of pages)
      for (const [, target] of read(path).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g))
        assert.ok(existsSync(join(root, dirname(path), target)), `${path}: ${target}`)
  })
})
