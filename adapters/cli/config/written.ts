import { readFileSync, statSync } from "node:fs"
import { reasonOf } from "../../system-error.ts"
import type { Read } from "../read.ts"

/** Octets of a configuration file: far over what settings need, and no more than a parser takes in its stride. */
const LARGEST = 2 ** 24

/** The text of a configuration file. `again`: by a server that runs, which must not wait for a pipe. */
export const readWritten = (file: string, again = false): Read<string> => {
  try {
    const there = statSync(file)
    if (again && !there.isFile() && !there.isDirectory())
      return { ok: false, text: `${file} is no file, and cannot be read again` }
    if (there.size > LARGEST) return { ok: false, text: `${file} has over ${LARGEST} octets` }
    return { ok: true, value: readFileSync(file, "utf8") }
  } catch (cause) {
    return { ok: false, text: `${file}: ${reasonOf(cause)}` }
  }
}
