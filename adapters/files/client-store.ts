import { readFile } from "node:fs/promises"
import type { ClientStore, SavedJson } from "../client/index.ts"
import { hasCode, reasonOf } from "../system-error.ts"
import { writeWhole } from "./whole-file.ts"

/**
 * Keeps a client's mappings in a file of JSON, for a restarted program to renew and delete them. The file is its owner's alone, mode
 * 0600: who has a nonce can delete the mapping. One client at a time for a path.
 */
export const clientFile = (path: string): ClientStore => ({
  load: async () => {
    let text: string
    try {
      text = await readFile(path, "utf8")
    } catch (cause) {
      if (hasCode(cause, "ENOENT")) return undefined
      throw new Error(`${path}: ${reasonOf(cause)}`, { cause })
    }
    try {
      return JSON.parse(text)
    } catch {
      // What the parser says quotes the file, and nonces are no matter for a log.
      throw new Error(`${path}: it is no JSON`)
    }
  },
  save: async (json: SavedJson) => {
    const saved = await writeWhole(path, [new TextEncoder().encode(`${JSON.stringify(json, undefined, 2)}\n`)])
    if (!saved.ok) throw new Error(`${path}: ${saved.text}`)
  },
})
