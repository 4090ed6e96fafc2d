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

/** What the browser remembers of this entry of its history through a reload: that the address is to follow the edits. */
const KEEPING = "keeping"

/** Was it asked, before a reload, to keep the packet in the address? */
export const wasKeeping = (): boolean => history.state === KEEPING

/** Writes the packet at hand into the page's address, without a step of the browser's history. */
export const keepInAddress = async ({ bench }: PageState): Promise<void> => {
  const { bytes } = bench.packet.peek()
  const made = await toFragment({ kind: "packet", bytes })
  // It may have been edited again by now: that edit writes itself.
  if (bench.packet.peek().bytes !== bytes) return
  if (made.ok) history.replaceState(KEEPING, "", `#${made.fragment}`)
  else bench.said.value = `not kept: ${made.text}`
}
