import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import type { Case, Requirement } from "./case.ts"
import { REQUIREMENTS_FILE, VARIABLES_FILE, VECTOR_FILE } from "./schema.ts"

/** All vectors with what they need. */
export interface Kit {
  /** All cases, of all files. */
  readonly cases: readonly Case[]
  /** What they are about. */
  readonly requirements: readonly Requirement[]
  /** Octets in hex by variable, by kind of device. */
  readonly variables: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Files of the folder that hold no cases. */
const OTHERS = ["requirements.json", "variables.json", "schema.json", "fuzz-cases.json"]

/**
 * The folder of the vectors. The sources lie two folders below the package's, the built files three; a single executable has them
 * beside it, in `vectors`.
 */
const folder = (): string => {
  const inPackage = ["../../test/vectors/", "../../../test/vectors/"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  for (const found of [...inPackage, join(dirname(process.execPath), "vectors/")]) {
    try {
      readFileSync(`${found}requirements.json`)
      return found
    } catch {
      // Not there: the next.
    }
  }
  throw new Error(
    "the conformance vectors are not there: the package has them in test/vectors, one executable wants them in vectors beside it",
  )
}

/** Reads the vectors that the package has; throws where they are missing or broken, as then the package is. */
export const loadKit = (): Kit => {
  const path = folder()
  const read = (name: string): unknown => JSON.parse(readFileSync(path + name, "utf8"))
  const names = readdirSync(path).filter((name) => name.endsWith(".json") && !OTHERS.includes(name))
  return {
    cases: names.sort().flatMap((name) => VECTOR_FILE.parse(read(name)).cases),
    requirements: REQUIREMENTS_FILE.parse(read("requirements.json")),
    variables: VARIABLES_FILE.parse(read("variables.json")),
  }
}
