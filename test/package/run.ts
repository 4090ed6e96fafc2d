/** Programs that the tests of the package run. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"

export const root = join(import.meta.dirname, "../..")

export const bin = (name: string): string => join(root, "node_modules/.bin", name)

interface Output {
  readonly stdout: string
  readonly stderr: string
}

const outputOf = (command: string, args: readonly string[], cwd: string): Output => {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    shell: process.platform === "win32",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
  })
  assert.equal(status, 0, `${command} ${args.join(" ")}: ${error?.message ?? ""}\n${stdout}${stderr}`)
  return { stdout, stderr }
}

/** Runs a program and returns what it wrote, errors first; anything but exit code 0 fails the test with that output. */
export const run = (command: string, args: readonly string[], cwd = root): string => {
  const { stdout, stderr } = outputOf(command, args, cwd)
  return `${stderr}${stdout}`
}

/** The same without errors: npm puts its own warnings there. */
export const print = (command: string, args: readonly string[], cwd = root): string =>
  outputOf(command, args, cwd).stdout

/** Every program of a name on the path. */
export const onPath = (name: string): readonly string[] => [
  ...new Set(
    (process.env.PATH ?? "")
      .split(delimiter)
      .map((folder) => join(folder, process.platform === "win32" ? `${name}.exe` : name))
      .filter((path) => existsSync(path)),
  ),
]
