import { type Mac, publishEnd, type TargetPoint } from "../../core/overlay/index.ts"
import { writeWhole } from "../files/index.ts"
import { hasCode } from "../system-error.ts"
import { OverlayError } from "./overlay-error.ts"
import { readText } from "./watched-file.ts"

/**
 * Says in a file of the plugin `portmap` where hosts are reached, and until which second since 1970; `undefined`: nowhere any more. The rest of the
 * file stays, and whoever reads it sees it whole. A file that is not there is made. One writer at a time. Rejects with an {@link OverlayError}.
 */
export const publishToFile = async (
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
  const written = await writeWhole(path, [new TextEncoder().encode(text)])
  if (!written.ok) throw new OverlayError("EIO", `${path}: ${written.text}`)
}
