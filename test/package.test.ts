import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import manifest from "../package.json" with { type: "json" }
import lock from "../package-lock.json" with { type: "json" }
import { readSource } from "./architecture/source.ts"
import { describeContents } from "./package/contents.ts"
import { describePages } from "./package/page.ts"
import { describeProjects, installByNpm } from "./package/project.ts"
import { bin, root, run } from "./package/run.ts"
import { describeWorkers } from "./package/workers.ts"

const semver = join(root, "node_modules/semver/bin/semver.js")
/** Each entry's name as its users write it, and the source behind it; of one that is another on each runtime, all of them. */
const entries = Object.entries(manifest.exports).flatMap(([key, entry]) =>
  typeof entry === "string"
    ? []
    : [
        ...("deno" in entry ? [entry.deno, entry.bun] : []),
        ...("node" in entry ? [entry.node, entry.browser] : []),
        entry,
      ].map((target) => ({
        name: key.replace(".", manifest.name),
        source: target.default.replace("./dist/", "").replace(/js$/, "ts"),
        target,
      })),
)
const names = [...new Set(entries.map(({ name }) => name))]

describe("package.json", () => {
  test("each room, and nothing else, is an entry with types", () => {
    // What the runtimes' adapters share around files comes with each of them; what the command tells its page, and how both tell
    // protocols apart, is in both bundles, and Linux is the command's alone.
    const rooms = globSync(["{core,adapters}/{index,*/index}.ts", "core/wire/text/index.ts"], { cwd: root })
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => !/^(?:adapters\/(?:files|linux|live)|core\/decode)\//.test(path))
    assert.deepEqual(
      [...new Set(entries.map(({ source }) => source))].sort(),
      [
        ...rooms,
        "adapters/host.ts",
        "adapters/udp.ts",
        ...["bun", "deno", "node"].map((runtime) => `adapters/${runtime}/console.ts`),
      ].sort(),
    )
    for (const { target } of entries) assert.equal(target.types, target.default.replace(/js$/, "d.ts"))
  })

  test("the published sources import every dependency", () => {
    const imported = globSync("{core,adapters}/**/*.ts", { cwd: root }).flatMap((path) =>
      readSource(path, readFileSync(join(root, path), "utf8")).imports.map(({ text }) => text),
    )
    const unused = Object.keys(manifest.dependencies).filter(
      (name) => !imported.some((specifier) => specifier === name || specifier.startsWith(`${name}/`)),
    )
    assert.deepEqual(unused, [])
  })

  test("every package that npm ci brings runs on the least Node that is asked for: no EBADENGINE warning", () => {
    const least = manifest.engines.node.replace(">=", "")
    const ranges = Object.values(lock.packages).flatMap((entry) =>
      "engines" in entry && "node" in entry.engines ? [entry.engines.node] : [],
    )
    const refusing = [...new Set(ranges)].filter(
      (range) => spawnSync(process.execPath, [semver, "--coerce", "--range", range, least]).status !== 0,
    )
    assert.deepEqual(refusing, [])
  })
})

describe("README", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8")

  test("each npm script that it names is there", () => {
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name)
    const shorthands = [...readme.matchAll(/npm (start|test)\b/g)].map(([, name]) => name)
    assert.ok(shorthands.length > 0)
    for (const name of [...named, ...shorthands]) assert.ok(Object.hasOwn(manifest.scripts, name), name)
  })

  test("each decode that it shows in a console block prints what stands below it", () => {
    for (const [, block] of readme.matchAll(/^```console\n(.*?)^```$/gms)) {
      for (const [, args, output] of block.matchAll(/^\$ npx sallyport (decode .*)\n((?:(?!\$ ).*\n)*)/gm)) {
        assert.equal(run(process.execPath, ["adapters/cli/main.ts", ...args.split(/\s+/)]).trimEnd(), output.trimEnd())
      }
    }
  })

  test("each file that it links to is there", () => {
    for (const [, path] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g))
      assert.ok(existsSync(join(root, path)), path)
  })
})

describe("the package as its users get it", () => {
  const home = mkdtempSync(join(tmpdir(), "sallyport-package-"))
  const project = join(home, "project")
  after(() => rmSync(home, { recursive: true }))

  const packed = (): string =>
    join(home, readdirSync(home).find((file) => file.endsWith(".tgz")) ?? "nothing was packed")

  before(() => {
    run("npm", ["pack", "--silent", "--pack-destination", home])
    installByNpm(project, packed(), names)
  })

  describeContents(packed, () => join(project, "node_modules", manifest.name))
  describeProjects(
    names,
    () => project,
    () => join(home, "on-bun"),
    packed,
  )
  describePages(() => project)
  describeWorkers(() => project)

  test("publint and attw find no fault", () => {
    run(bin("publint"), ["--strict", packed()])
    run(bin("attw"), [packed(), "--profile", "esm-only"])
  })

  test("its declarations stand on their own, in strict programs of either resolution", () => {
    const lines = names.map((name, index) => `import * as e${index} from "${name}"\nvoid e${index}`)
    writeFileSync(join(project, "user.ts"), `${lines.join("\n")}\n`)
    for (const [module, moduleResolution] of [
      ["NodeNext", "NodeNext"],
      ["ESNext", "Bundler"],
    ]) {
      const compilerOptions = {
        module,
        moduleResolution,
        target: "ES2022",
        lib: ["ES2022", "DOM"],
        types: [],
        strict: true,
        noEmit: true,
      }
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["user.ts"] }))
      run(bin("tsc"), ["--pretty", "false", "-p", project])
    }
  })

  test("the conditions of sallyport/runtime choose each runtime's own adapter, which opens a socket there", () => {
    writeFileSync(
      join(project, "runtime.mjs"),
      `import * as runtime from "sallyport/runtime"
      import { ANY4 } from "sallyport/wire"
      const bound = await runtime.udp.bind({ local: { address: ANY4, port: 0 } }, { receive() {}, error() {} })
      if (bound.ok) await bound.value.close()
      console.log(Object.keys(runtime).find((name) => name.endsWith("Udp")) + " " + bound.ok)`,
    )
    assert.match(run(process.execPath, ["runtime.mjs"], project), /^nodeUdp true$/m)
    const deno = ["run", "--node-modules-dir=manual", "--unstable-net", "--allow-net", "runtime.mjs"]
    assert.match(run(bin("deno"), deno, project), /^denoUdp true$/m)
    assert.match(run(bin("bun"), ["runtime.mjs"], project), /^bunUdp true$/m)
    run(bin("bun"), ["build", "--target=browser", "--outfile=page.mjs", "runtime.mjs"], project)
    assert.match(run(process.execPath, ["page.mjs"], project), /^browserUdp false$/m)
    const without = ["run", "--node-modules-dir=manual", "--allow-net", "runtime.mjs"]
    assert.match(run(bin("deno"), without, project), /^denoUdp false$/m)
  })
})
