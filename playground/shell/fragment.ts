import { fromFragment, toFragment } from "../model/share/index.ts"
import type { PageState } from "./page-state.ts"

/** Opens what a link's fragment holds; says why where it holds nothing. */
export const openFragment = async (page: PageState, hash: string): Promise<void> => {
  const read = await fromFragment(hash)
  if (!read.ok) {
    if (!read.empty) page.bench.said.value = `This link cannot be opened: ${read.text}.`
    return
  }
  if (read.shared.kind === "session") {
    page.session.value = read.shared.session
    page.mode.value = "replay"
    return
  }
  // The page's own writing of what is being edited is no link that somebody followed.
  const { bytes } = read.shared
  const own = page.bench.packet.peek().bytes
  if (page.keeping.peek() && own.length === bytes.length && own.every((octet, i) => octet === bytes[i])) return
  page.sourceText.value = undefined
  page.mode.value = "inspect"
  page.bench.showBytes(bytes, "a packet from a link")
}

/** Writes the packet at hand into the page's address, without a step of the browser's history. */
export const keepInAddress = async (bytes: Uint8Array): Promise<boolean> => {
  const made = await toFragment({ kind: "packet", bytes })
  if (made.ok) history.replaceState(null, "", `#${made.fragment}`)
  return made.ok
}
