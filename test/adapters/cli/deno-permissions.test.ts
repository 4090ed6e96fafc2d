import assert from "node:assert/strict"
import { join } from "node:path"
import { describe, it } from "node:test"
import { deno, root } from "../../docs/symbols.ts"
import { endedBy } from "./command.ts"

const MAIN = join(root, "adapters/cli/main.ts")

/** Wants a permission that it has not: flags, words, and what the last line says. */
const WANTING: readonly (readonly [string, string, RegExp])[] = [
  ["", "external", /^sallyport: Deno does not permit it: Requires env access .* --allow-env flag$/],
  ["--allow-env", "gateways", /what its routes are \(Requires read access to .* --allow-read flag\)$/],
  ["--allow-env", "playground --no-open", /^sallyport: cannot read the playground's page .* --allow-read flag$/],
  ["", "decode package.json", /"package\.json" is not seen if it is a file, which takes --allow-read, and as text: /],
  [
    "--allow-env",
    "decode --json package.json",
    /"package\.json" is not seen if it is a file, which takes --allow-read/,
  ],
]

describe("the command on Deno says which permission it lacks, and ends with 1 or 4", { concurrency: 2 }, () => {
  for (const [flags, words, line] of WANTING)
    it(`${words} ${flags}`, {
      skip: process.platform !== "linux" && "routes are read from files on Linux",
    }, async () => {
      const args = ["run", "--quiet", "--no-prompt", ...flags.split(" ").filter(Boolean), MAIN, ...words.split(" ")]
      const { code, stderr } = await endedBy([deno], args)
      assert.ok(code === 1 || code === 4, `${code}`)
      assert.ok(
        stderr.split("\n").some((one) => line.test(one)),
        stderr,
      )
      assert.doesNotMatch(stderr, /internal error/)
    })
})
