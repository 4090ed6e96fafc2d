/** Writes the table of sizes into the pages that show it: node test/sizes.ts */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./size/bundle.ts"
import { measureAll, PAGES, tableOf, withTable } from "./size/table.ts"

const table = tableOf(await measureAll())
console.log(table)
for (const page of PAGES) {
  const path = join(root, page)
  writeFileSync(path, withTable(readFileSync(path, "utf8"), table))
}
