import { batch, type ReadonlySignal, signal } from "@preact/signals"
import type { Story, View } from "../model/replay/index.ts"
import type { Selection, Stage } from "../replay-view/room.ts"
import { connect, type Link } from "./connection.ts"
import { createLedger, type Hello } from "./ledger.ts"

/** A server that is watched, for the views of a replay; `playing`: they follow it, else they stand still. */
export interface LiveStage extends Stage {
  readonly link: ReadonlySignal<Link>
  readonly hello: ReadonlySignal<Hello | undefined>
  /** Mappings that there are, datagrams a second, and events that were too many to tell. */
  readonly total: ReadonlySignal<number>
  readonly rate: ReadonlySignal<number>
  readonly missed: ReadonlySignal<number>
  readonly follow: () => void
}

/** Milliseconds between two drawings, and where there are many mappings. */
const SOON = 100
const LATER = 1000
const MANY = 1000

/** Watches the server at an address. */
export const createStage = (address: string): LiveStage => {
  const ledger = createLedger()
  const replay = signal<Story | undefined>(undefined)
  const view = signal<View | undefined>(undefined)
  const hello = signal<Hello | undefined>(undefined)
  const playing = signal(true)
  const selection = signal<Selection | undefined>(undefined)
  const [total, rate, missed] = [signal(0), signal(0), signal(0)]
  /** From this page's clock to the server's, milliseconds. */
  let skew = 0
  let drawn = Number.NEGATIVE_INFINITY
  let isNews = false

  const draw = (): void => {
    if (!playing.peek()) return
    drawn = performance.now()
    isNews = false
    batch(() => {
      hello.value = ledger.hello()
      replay.value = ledger.story()
      view.value = ledger.view(drawn + skew)
      total.value = ledger.total()
      rate.value = ledger.rate()
      missed.value = ledger.missed()
    })
  }
  const link = connect(address, (message) => {
    if (message.type === "tick" || message.type === "hello") skew = message.now - performance.now()
    ledger.take(message)
    isNews = true
  })
  setInterval(() => {
    const since = performance.now() - drawn
    const isMany = (view.peek()?.mappings.length ?? 0) > MANY
    if ((isNews && since >= (isMany ? LATER : SOON)) || since >= LATER) draw()
  }, SOON / 2)
  return {
    replay,
    view,
    hello,
    playing,
    selection,
    link,
    total,
    rate,
    missed,
    // What is looked at stays in its place while it stands still.
    goTo: () => {},
    follow: () => {
      playing.value = true
      selection.value = undefined
      draw()
    },
  }
}
