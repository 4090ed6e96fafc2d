import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { hasCode } from "../system-error.ts"

/**
 * Makes a folder and those before it, mode 0700; one that is there stays as it is. Throws what the system says. Node's own way with
 * parents never comes back where a parent is there and takes no folders, as /proc.
 */
export const makeFolder = (path: string): void => {
  const make = (): boolean => {
    try {
      mkdirSync(path, { mode: 0o700 })
      return true
    } catch (cause) {
      if (hasCode(cause, "EEXIST")) return true
      if (!hasCode(cause, "ENOENT") || dirname(path) === path) throw cause
      return false
    }
  }
  if (make()) return
  makeFolder(dirname(path))
  if (!make()) throw new Error("no folder can be made there")
}
