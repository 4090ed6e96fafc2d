import { type OpenedPacket, portsOf } from "../model/open/index.ts"
import type { Session } from "../model/session/index.ts"
import { fromFragment, toFragment } from "../model/share/index.ts"
import type { PageState } from "./page-state.ts"

/** Opens what a link's fragment holds; says why where it holds nothing. */
export const openFragment = async (page: PageState, hash: string): Promise<void> => {
  const before = page.turn.peek()
  const read = await fromFragment(hash)
  // Something was opened by hand while the link was unpacked.
  if (page.turn.peek() !== before) return
  if (!read.ok) {
    if (!read.empty) page.bench.said.value = `This link cannot be opened: ${read.text}.`
    return
  }
  if (read.shared.kind === "session") {
    page.session.value = read.shared.session
    page.mode.value = "replay"
    return
  }
  const { bytes, ports } = read.shared
  page.sourceText.value = undefined
  page.mode.value = "inspect"
  page.bench.showBytes(bytes, "a packet from a link", ports)
}

/** Writes what is open into the page's address, without a step of the browser's history. */
export const keepInAddress = async (page: PageState): Promise<void> => {
  const { bench, mode, session } = page
  const now = (): OpenedPacket | Session | undefined =>
    mode.peek() === "replay" ? session.peek() : bench.packet.peek()
  const kept = now()
  if (kept === undefined) return
  const made = await toFragment(
    "bytes" in kept ? { kind: "packet", bytes: kept.bytes, ports: portsOf(kept) } : { kind: "session", session: kept },
  )
  // It may have been edited again by now: that edit writes itself.
  if (now() !== kept) return
  if (made.ok) history.replaceState(history.state, "", `#${made.fragment}`)
  else bench.said.value = `not kept in the address: ${made.text}`
}
