import { batch, effect } from "@preact/signals"
import type { Opened } from "../model/open/index.ts"
import type { Session } from "../model/session/index.ts"
import { listPackets } from "./intake.ts"
import type { Mode, PageState, Theme } from "./page-state.ts"

/**
 * What the browser holds with this tab's entry of its history, as it does what was typed into forms: a reload finds it again, and it is gone
 * with the tab. It is in no storage, and in no address.
 */
interface Kept {
  /** Of this form; one that another version of the page wrote is passed over. */
  readonly sallyport: 1
  readonly mode: Mode
  readonly theme: Theme
  readonly keeping: boolean
  readonly title: string
  readonly why: string
  /** `undefined`: too much to be kept. */
  readonly opened: Opened | undefined
  readonly packetIndex: number
  readonly sourceText: string | undefined
  readonly session: Session | undefined
}

/** Octets of packets, and steps of a session, up to which they are kept: browsers refuse entries of some megabytes. */
const MOST_OCTETS = 300_000
const MOST_PACKETS = 2000
const MOST_STEPS = 2000
const MOST_TEXT = 300_000
/** Milliseconds from one writing to the next: browsers refuse whoever writes at every key. */
const DELAY = 300

const readKept = (state: unknown): Kept | undefined => {
  const isKept = (value: unknown): value is Kept =>
    typeof value === "object" && value !== null && "sallyport" in value && value.sallyport === 1
  return isKept(state) ? state : undefined
}

const isSmall = ({ packets }: Opened): boolean =>
  packets.length <= MOST_PACKETS && packets.reduce((sum, { bytes }) => sum + bytes.length, 0) <= MOST_OCTETS

const keptOf = ({ mode, theme, keeping, bench, sourceText, session }: PageState): Kept => {
  const { title, why, opened } = bench.work.peek()
  const small = isSmall(opened)
  const text = sourceText.peek()
  const steps = session.peek()?.steps.length ?? 0
  return {
    sallyport: 1,
    mode: mode.peek(),
    theme: theme.peek(),
    keeping: keeping.peek(),
    title,
    why,
    // A packet has its octets in a buffer of its own: a view would take the whole file along.
    opened: small ? { ...opened, packets: opened.packets.map((_, i) => ownPacket(bench.packetAt(i))) } : undefined,
    packetIndex: bench.packetIndex.peek(),
    sourceText: bench.isEdited.peek() || (text?.length ?? 0) > MOST_TEXT ? undefined : text,
    session: steps <= MOST_STEPS ? session.peek() : undefined,
  }
}

const ownPacket = (packet: Opened["packets"][number]): Opened["packets"][number] => ({
  ...packet,
  bytes: packet.bytes.slice(),
})

/** Opens what was open before a reload; false: nothing was. */
export const openKept = (page: PageState): boolean => {
  const kept = readKept(history.state)
  if (kept === undefined) return false
  const { bench } = page
  const { opened, title, why } = kept
  batch(() => {
    page.theme.value = kept.theme
    page.keeping.value = kept.keeping
    page.session.value = kept.session
    if (opened === undefined) return
    page.mode.value = kept.mode
    page.sourceText.value = kept.sourceText
    bench.show(opened, { title, why })
    bench.choosePacket(kept.packetIndex)
  })
  if (opened === undefined) {
    bench.said.value = "what was open was too much to be kept through the reload: open it again"
    return false
  }
  if (opened.packets.length > 1) listPackets(page)
  return true
}

/** Goes on keeping the work for a reload: at a change, and at those that follow at once a moment later, before the page is left. */
export const keepForReload = (page: PageState): void => {
  let timer: ReturnType<typeof setTimeout> | undefined
  let written = Number.NEGATIVE_INFINITY
  const write = (): void => {
    clearTimeout(timer)
    timer = undefined
    written = performance.now()
    try {
      history.replaceState(keptOf(page), "")
    } catch {
      // The browser will not hold as much: a reload begins anew.
    }
  }
  const change = (): void => {
    if (timer === undefined) timer = setTimeout(write, Math.max(0, written + DELAY - performance.now()))
  }
  let isFirst = true
  effect(() => {
    const { bench, mode, theme, keeping, sourceText, session } = page
    bench.work.value
    bench.packet.value
    bench.packetIndex.value
    mode.value
    theme.value
    keeping.value
    sourceText.value
    session.value
    if (!isFirst) change()
    isFirst = false
  })
  addEventListener("beforeunload", () => {
    if (timer !== undefined) write()
  })
}
