import type { Mac } from "../../../core/overlay/index.ts"
import { NO_COMMAND, readLine } from "../control/request.ts"
import type { Read } from "../read.ts"
import { readMacText, readTarget, type Target } from "./target.ts"

/** What running overlays can be asked. `overlay`: the name of one; left out, the only one, or all where that makes sense. */
export type OverlayRequest = { readonly overlay: string | undefined } & (
  | { readonly command: "status" | "cache-list" | "cache-flush" | "props" }
  | { readonly command: "lookup" | "cache-delete"; readonly mac: Mac }
  | { readonly command: "cache-set"; readonly mac: Mac; readonly target: Target }
  | { readonly command: "set"; readonly property: string; readonly value: string }
)

/** Reads the line that a connection begins with. */
export const readOverlayRequest = (line: string): Read<OverlayRequest> => {
  const read = readLine(line)
  if (!read.ok) return read
  const { command, overlay, mac, target, property, value } = read.value
  if (overlay !== undefined && typeof overlay !== "string") return { ok: false, text: "overlay is a name" }
  switch (command) {
    case "status":
    case "cache-list":
    case "cache-flush":
    case "props":
      return { ok: true, value: { command, overlay } }
    case "lookup":
    case "cache-delete":
    case "cache-set": {
      const at = readMacText(String(mac))
      if (!at.ok) return at
      if (command !== "cache-set") return { ok: true, value: { command, overlay, mac: at.value } }
      const to = readTarget(String(target))
      return to.ok ? { ok: true, value: { command, overlay, mac: at.value, target: to.value } } : to
    }
    case "set":
      return typeof property === "string" && typeof value === "string"
        ? { ok: true, value: { command, overlay, property, value } }
        : { ok: false, text: "set has property and value, both texts" }
    default:
      return NO_COMMAND
  }
}
