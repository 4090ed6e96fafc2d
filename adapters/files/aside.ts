import { open, rename } from "node:fs/promises"
import { hasCode, reasonOf } from "../system-error.ts"

/** Most files kept aside. */
const MOST_ASIDE = 1000

/** Where a file is now, or why it is still where it was. */
export type KeptAside = { readonly ok: true; readonly aside: string } | { readonly ok: false; readonly text: string }

/** Gives a file that cannot be gone on from another name, `PATH.bad-1` and so on, so that nothing is lost. Never rejects. */
export const keepAside = async (path: string): Promise<KeptAside> => {
  try {
    for (let n = 1; n <= MOST_ASIDE; n++) {
      const aside = `${path}.bad-${n}`
      try {
        // A name of its own first: renaming would replace a file that is there.
        await (await open(aside, "wx", 0o600)).close()
      } catch (cause) {
        if (hasCode(cause, "EEXIST")) continue
        throw cause
      }
      await rename(path, aside)
      return { ok: true, aside }
    }
    return { ok: false, text: `${MOST_ASIDE} files ${path}.bad-… are there already` }
  } catch (cause) {
    return { ok: false, text: `keeping it aside failed: ${reasonOf(cause)}` }
  }
}
