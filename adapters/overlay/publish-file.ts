import { resolve } from "node:path"
import { type Mac, publishEnd, type TargetPoint } from "../../core/overlay/index.ts"
import { writeWhole } from "../files/index.ts"
import { hasCode } from "../system-error.ts"
import { OverlayError } from "./overlay-error.ts"
import { readText } from "./watched-file.ts"

/** Changes of files that are under way, the last of each: overlays of one process may have a file in common. */
const changing = new Map<string, Promise<void>>()

/**
 * Says in a file of the plugin `portmap` where hosts are reached, and until which second since 1970; `undefined`: nowhere any more. The rest of the
 * file stays, its mode too, and whoever reads it sees it whole. A file that is not there is made, of mode 0600. One process at a time, which may call this
 * again before it is done. Rejects with an {@link OverlayError}.
 */
export const publishToFile = async (
  path: string,
  macs: readonly Mac[],
  end: (TargetPoint & { readonly expires?: number | undefined }) | undefined,
): Promise<void> => {
  const key = resolve(path)
  const before = changing.get(key) ?? Promise.resolve()
  const done = before.catch(() => {}).then(() => publish(path, macs, end))
  changing.set(key, done)
  try {
    await done
  } finally {
    if (changing.get(key) === done) changing.delete(key)
  }
}

const publish = async (
  path: string,
  macs: readonly Mac[],
  end: (TargetPoint & { readonly expires?: number | undefined }) | undefined,
): Promise<void> => {
  const read = await readText(path)
  if (!read.ok && !hasCode(read.cause, "ENOENT")) throw new OverlayError("EIO", `${path}: ${read.text}`)
  let text = read.ok ? read.text : ""
  for (const mac of macs) {
    const next = publishEnd(text, mac, end)
    if (!next.ok) throw new OverlayError(next.error, `${path}: ${next.text}`)
    text = next.value
  }
  const written = await writeWhole(path, [new TextEncoder().encode(text)], true)
  if (!written.ok) throw new OverlayError("EIO", `${path}: ${written.text}`)
}
