/** `npm run docs`: the API reference as pages, by `deno doc --html`, into docs/api or the folder that is named. */
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { deno, entries, root } from "./symbols.ts"

const folder = process.argv[2] ?? join(root, "docs/api")
rmSync(folder, { recursive: true, force: true })
const args = ["doc", "--quiet", "--html", "--name=Sallyport", `--output=${folder}`, ...entries]
const { status } = spawnSync(deno, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] })
if (status === 0) console.log(`${join(folder, "index.html")}: the reference of ${entries.length} modules`)
process.exitCode = status ?? 1
