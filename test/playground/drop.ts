/** Files and text that are dragged over the page and dropped, by Chromium's own input: as a hand does it. */
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Page } from "playwright-core"

/** A file to drop or to choose. */
export const fileOf = (name: string, content: string | Uint8Array): string => {
  const path = join(mkdtempSync(join(tmpdir(), "sallyport-drop-")), name)
  writeFileSync(path, content)
  return path
}

export type Dragged = { readonly text: string } | { readonly files: readonly string[] }

/** Drags over the middle of the page; `drop` ends it there. */
export const drag = async (page: Page, dragged: Dragged): Promise<{ readonly drop: () => Promise<void> }> => {
  const session = await page.context().newCDPSession(page)
  const data =
    "text" in dragged
      ? { items: [{ mimeType: "text/plain", data: dragged.text }], dragOperationsMask: 1 }
      : { items: [], files: [...dragged.files], dragOperationsMask: 1 }
  const at = { x: 300, y: 300, data }
  await session.send("Input.dispatchDragEvent", { type: "dragEnter", ...at })
  await session.send("Input.dispatchDragEvent", { type: "dragOver", ...at })
  return {
    drop: async () => {
      await session.send("Input.dispatchDragEvent", { type: "drop", ...at })
      await session.detach()
    },
  }
}

export const dropOn = async (page: Page, dragged: Dragged): Promise<void> => (await drag(page, dragged)).drop()
