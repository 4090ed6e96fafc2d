/**
 * What is wrong in a capture, and nothing else: `sallyport decode --json < exchange.txt | node filter.ts`. It exits with 1 if there is an
 * error, so that a script can go by it. Runs on Node, Deno and Bun.
 */
import process, { stdin } from "node:process"
import { createInterface } from "node:readline"
import type { ExpandedField, Finding } from "sallyport"

/** What this script needs of a line that `decode --json` prints. */
type Line = { readonly number: number; readonly tree: ExpandedField; readonly findings: readonly Finding[] }

for await (const line of createInterface({ input: stdin })) {
  const { number, tree, findings }: Line = JSON.parse(line)
  for (const { severity, offset, clause, text } of findings) {
    console.log(`${number}: ${tree.text}: ${severity} at octet ${offset}: ${text} (${clause})`)
    if (severity === "error") process.exitCode = 1
  }
}
