import { readFileSync } from "node:fs"

/** The package's version. The sources lie two folders below package.json, the built files three. */
export const version = (): string => {
  for (const path of ["../../package.json", "../../../package.json"]) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"))
      if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version)
    } catch {
      // Not there: the next.
    }
  }
  return "unknown"
}
