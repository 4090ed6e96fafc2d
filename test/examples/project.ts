/** The examples in a project of their own, with the package built into it: as its users have both, and as no other test's build disturbs. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { after } from "node:test"
import manifest from "../../package.json" with { type: "json" }

const root = join(import.meta.dirname, "../..")

/** The runtimes that npm ci brings, as programs of their own: what npm links would start Deno as a child, and not end it. */
export const deno: string = join(root, "node_modules/deno", process.platform === "win32" ? "deno.exe" : "deno")
export const bun: string = join(root, "node_modules/bun/bin/bun.exe")

/** How a program ended, and all that it wrote. */
export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** Runs a program to its end, with `input` as its standard input. */
export const run = (command: string, args: readonly string[], cwd: string, input: string | Uint8Array = ""): Ended => {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    input,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
  })
  assert.equal(error, undefined, `${command}: ${error?.message}`)
  return { code: status, stdout, stderr }
}

/** Standard output of a program that has to succeed. */
export const output = (command: string, args: readonly string[], cwd: string, input?: string | Uint8Array): string => {
  const { code, stdout, stderr } = run(command, args, cwd, input)
  assert.equal(code, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`)
  return stdout
}

/**
 * A folder that is gone after the tests, with the examples in it and in its node_modules the package and `more` of what npm ci brings.
 * The package is compiled from the sources as they stand.
 */
export const makeProject = (...more: readonly string[]): string => {
  const home = mkdtempSync(join(tmpdir(), "sallyport-examples-"))
  after(() => rmSync(home, { recursive: true }))
  const modules = join(home, "node_modules")
  const own = join(modules, manifest.name)
  mkdirSync(own, { recursive: true })
  for (const name of [...Object.keys(manifest.dependencies), "@types/node", ...more]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, "node_modules", name), join(modules, name), "junction")
  }
  cpSync(join(root, "package.json"), join(own, "package.json"))
  output(
    process.execPath,
    [
      ...[join(root, "node_modules/typescript/bin/tsc"), "--pretty", "false"],
      ...["-p", join(root, "tsconfig.build.json"), "--outDir", join(own, "dist")],
    ],
    root,
  )
  writeFileSync(join(home, "package.json"), '{ "type": "module" }')
  cpSync(join(root, "examples"), join(home, "examples"), { recursive: true })
  return home
}
