/** Fresh projects that install the package: on the oldest Node that it promises, the newest, on Deno and on Bun. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { before, describe, test } from "node:test"
import manifest from "../../package.json" with { type: "json" }
import { bin, onPath, print, root, run } from "./run.ts"

/** RFC 6887 figure 9 from 192.0.2.1: TCP, internal port 8080, nothing suggested, for an hour. */
const MAP_REQUEST =
  "0201000000000e1000000000000000000000ffffc00002010102030405060708090a0b0c060000001f90000000000000000000000000ffff00000000"

const PROGRAM = `import { parse, validate } from "sallyport/wire"
import { read } from "sallyport/text"
const reading = read("${MAP_REQUEST}")
for (const { bytes } of reading.ok ? reading.packets : []) {
  const parsed = parse(bytes)
  if (parsed.ok && parsed.packet.kind === "pcp-request" && parsed.packet.body.kind === "map")
    console.log(["decoded", parsed.packet.body.internalPort, parsed.packet.lifetime, validate(bytes).length].join(" "))
}
`
/** What `serve` says of such a settings file as it reads it: it has loaded what it needs for that. */
const SETTINGS = '{ "quta": 1 }'
const FAULT = "sallyport: serve.jsonc:1:3: quta: there is no such setting\n"

const DECODED = /^decoded 8080 3600 0$/m

const loads = (names: readonly string[]): string => `for (const name of ${JSON.stringify(names)}) {
  if (Object.keys(await import(name)).length === 0) throw new Error(name + " is empty")
}
console.log("loaded")
`

const versionOf = (node: string): readonly [major: number, minor: number] => {
  const [major = 0, minor = 0] = run(node, ["--version"]).trim().slice(1).split(".").map(Number)
  return [major, minor]
}

const [LEAST_MAJOR = 0, LEAST_MINOR = 0] = manifest.engines.node.replace(">=", "").split(".").map(Number)

/** The Nodes on the path that package.json promises to run on. */
const promised = (): readonly string[] =>
  onPath("node").filter((node) => {
    const [major, minor] = versionOf(node)
    return major > LEAST_MAJOR || (major === LEAST_MAJOR && minor >= LEAST_MINOR)
  })

const write = (folder: string, names: readonly string[]): void => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }')
  writeFileSync(join(folder, "program.js"), PROGRAM)
  writeFileSync(join(folder, "serve.jsonc"), SETTINGS)
  writeFileSync(join(folder, "loads.js"), loads(names))
}

/** Makes a project of Node's in an empty folder, and installs the package there as its users do. */
export const installByNpm = (folder: string, tarball: string, names: readonly string[]): void => {
  write(folder, names)
  const output = run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", tarball], folder)
  assert.doesNotMatch(output, /EBADENGINE|deprecated|install-scripts/)
}

/** `home` has the package installed by npm; `elsewhere` is a folder that is not there yet. All are known when the tests run. */
export const describeProjects = (
  names: readonly string[],
  home: () => string,
  elsewhere: () => string,
  tarball: () => string,
): void => {
  const words = ["sallyport", "decode", MAP_REQUEST]
  const shown = (): string => print(process.execPath, [join(root, "adapters/cli/main.ts"), "decode", MAP_REQUEST])

  describe("a fresh project on Node", () => {
    test("installs nothing but the package and what it depends on", () => {
      const tree: unknown = JSON.parse(print("npm", ["ls", "--all", "--json", "--silent"], home()))
      const found = new Set<string>()
      const visit = (node: unknown): void => {
        if (typeof node !== "object" || node === null || !("dependencies" in node)) return
        for (const [name, child] of Object.entries(node.dependencies ?? {})) {
          found.add(name)
          visit(child)
        }
      }
      visit(tree)
      assert.deepEqual([...found].sort(), [manifest.name, ...Object.keys(manifest.dependencies)].sort())
    })

    test("runs on this Node and on every promised one of the path: each entry, a program, the command", (t) => {
      const nodes = promised()
      if (!nodes.some((node) => versionOf(node)[0] === LEAST_MAJOR))
        t.diagnostic(`no Node ${LEAST_MAJOR} is on the path: the oldest that is promised is not tried here`)
      const command = join(home(), "node_modules/.bin/sallyport")
      for (const node of new Set([process.execPath, ...nodes])) {
        t.diagnostic(`tried on ${run(node, ["--version"]).trim()}`)
        assert.match(run(node, ["loads.js"], home()), /^loaded$/m)
        assert.match(run(node, ["program.js"], home()), DECODED)
        assert.equal(print(node, [command, "decode", MAP_REQUEST], home()), shown())
        const serve = spawnSync(node, [command, "serve", "--config", "serve.jsonc"], { cwd: home(), encoding: "utf8" })
        assert.deepEqual([serve.status, serve.stderr], [1, FAULT])
      }
    })

    test("npx runs the command", () => {
      assert.match(shown(), /PCP MAP request, 60 octets/)
      assert.equal(print("npx", ["--no-install", ...words], home()), shown())
    })
  })

  describe("a fresh project on Deno", () => {
    const entries = names.filter((name) => !/\/(?:node|conformance)$/.test(name))

    test("runs each entry, a program and the command", () => {
      const manual = "--node-modules-dir=manual"
      writeFileSync(join(home(), "deno-loads.js"), loads(entries))
      assert.match(run(bin("deno"), ["run", manual, "deno-loads.js"], home()), /^loaded$/m)
      assert.match(run(bin("deno"), ["run", manual, "program.js"], home()), DECODED)
      const command = ["run", manual, "--allow-all", `npm:${manifest.name}`, "decode", MAP_REQUEST]
      assert.equal(print(bin("deno"), command, home()), shown())
    })
  })

  describe("a fresh project on Bun", () => {
    before(() => {
      write(elsewhere(), names)
      run(bin("bun"), ["add", tarball()], elsewhere())
    })

    test("runs each entry, a program and the command", () => {
      assert.match(run(bin("bun"), ["loads.js"], elsewhere()), /^loaded$/m)
      assert.match(run(bin("bun"), ["program.js"], elsewhere()), DECODED)
      assert.equal(print(bin("bunx"), ["--bun", ...words], elsewhere()), shown())
    })
  })
}
