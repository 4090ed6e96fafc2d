import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import {
  encodeInstance,
  instanceFileName,
  instanceOfFile,
  type Outcome,
  parseInstance,
  type SavedInstance,
} from "../../core/overlay/index.ts"
import { keepAside, writeWhole } from "../files/index.ts"
import { hasCode, reasonOf } from "../system-error.ts"

/** The folder where instances are kept, a file each. */
export interface Kept {
  /** All that can be read, in the order of their numbers; what cannot is set aside, and `note` hears why. */
  load(): Promise<Outcome<readonly SavedInstance[]>>
  /** Writes one, whole or not at all. */
  save(instance: SavedInstance): Promise<Outcome<undefined>>
  /** Sets one aside: nothing goes on from it. */
  aside(id: number, why: string): Promise<void>
}

/** `note` hears of a file what is worth a line. */
export const keptIn = (folder: string, note: (path: string, text: string) => void): Kept => {
  const pathOf = (name: string): string => join(folder, name)
  /** One writing at a time for a file, and of those that wait the last one counts. */
  const writing = new Map<number, Promise<unknown>>()

  const aside = async (name: string, why: string): Promise<void> => {
    const kept = await keepAside(pathOf(name))
    note(pathOf(name), kept.ok ? `${why}; it was set aside as ${kept.aside}` : `${why}; ${kept.text}`)
  }

  const read = async (name: string): Promise<SavedInstance | undefined> => {
    try {
      // As the reference: what is no file is left alone.
      if (!(await stat(pathOf(name))).isFile()) return undefined
      const parsed = parseInstance(new Uint8Array(await readFile(pathOf(name))))
      if (parsed.ok && instanceFileName(parsed.value.id) === name) return parsed.value
      const why = parsed.ok ? `it keeps the instance ${parsed.value.id}` : parsed.error.text
      await aside(name, `no instance can be restored: ${why}`)
    } catch (cause) {
      note(pathOf(name), reasonOf(cause))
    }
    return undefined
  }

  return {
    load: async () => {
      let names: readonly string[]
      try {
        names = await readdir(folder)
      } catch (cause) {
        return {
          ok: false,
          error: hasCode(cause, "ENOENT") ? "ENOENT" : "EINVAL",
          text: `${folder}: ${reasonOf(cause)}`,
        }
      }
      const found: SavedInstance[] = []
      for (const name of names.filter((one) => instanceOfFile(one) !== undefined)) {
        const one = await read(name)
        if (one !== undefined) found.push(one)
      }
      return { ok: true, value: found.sort((one, other) => one.id - other.id) }
    },
    save: async (instance) => {
      const encoded = encodeInstance(instance)
      if (!encoded.ok) return { ok: false, error: "EINVAL", text: encoded.error.text }
      const path = pathOf(instanceFileName(instance.id))
      const before = writing.get(instance.id) ?? Promise.resolve()
      const written = before.then(() => writeWhole(path, [encoded.bytes]))
      writing.set(instance.id, written)
      const saved = await written
      return saved.ok ? { ok: true, value: undefined } : { ok: false, error: "EINVAL", text: `${path}: ${saved.text}` }
    },
    aside: (id, why) => aside(instanceFileName(id), why),
  }
}
