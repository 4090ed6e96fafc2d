import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { hasCode, reasonOf } from "../../system-error.ts"
import type { Read } from "../read.ts"

/** The playground's page in one file. */
export interface PageFile {
  readonly path: string
  readonly html: string
}

const NAME = "sallyport-playground.html"

/** Seen from the sources, from the command's bundle in the package, and from one elsewhere in the clone; or beside a single executable. */
const places = (): readonly string[] => [
  ...["../../../dist/playground/", "../playground/", "../../dist/playground/"].map((folder) =>
    fileURLToPath(new URL(folder + NAME, import.meta.url)),
  ),
  join(dirname(process.execPath), NAME),
]

/** Finds the built page: the file that the environment's SALLYPORT_PLAYGROUND names, or else the package's own. */
export const findPage = (): Read<PageFile> => {
  const named = process.env.SALLYPORT_PLAYGROUND
  for (const path of named === undefined || named === "" ? places() : [named]) {
    try {
      return { ok: true, value: { path, html: readFileSync(path, "utf8") } }
    } catch (cause) {
      if (!hasCode(cause, "ENOENT") && !hasCode(cause, "ENOTDIR"))
        return { ok: false, text: `cannot read the playground's page ${path}: ${reasonOf(cause)}` }
      if (named === path) return { ok: false, text: `the playground's page is not there: ${path}` }
    }
  }
  return { ok: false, text: "the playground's page is not built here: `npm run build` in the clone builds it" }
}
