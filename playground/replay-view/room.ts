import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals"
import { type Replay, seek, type View, viewAt } from "../model/replay/index.ts"
import type { Session, SessionStep } from "../model/session/index.ts"
import { type Branch, branchInSteps, neighbours, plantInSteps } from "./branch.ts"

/** What is looked at closely: a packet of one of the arrows. */
export interface Selection {
  /** Its place in the replay, and which of the moment's packets. */
  readonly moment: number
  readonly part: "request" | "ours" | "captured" | "sent" | "packet" | "out" | "note"
  readonly index: number
}

/** All that the views share: signals, and what is done to them. */
export interface Room {
  readonly session: Signal<Session | undefined>
  readonly branches: ReadonlySignal<readonly Branch[]>
  readonly branch: ReadonlySignal<Branch | undefined>
  readonly replay: ReadonlySignal<Replay | undefined>
  /** Milliseconds. */
  readonly now: ReadonlySignal<number>
  readonly view: ReadonlySignal<View | undefined>
  readonly playing: Signal<boolean>
  readonly speed: Signal<number>
  readonly selection: Signal<Selection | undefined>
  /** Moments played so far; `undefined`: it is done. */
  readonly progress: ReadonlySignal<number | undefined>
  /** Why the session cannot be played. */
  readonly fault: ReadonlySignal<string | undefined>
  /** The replay before the configuration was changed last, to see what that did. */
  readonly before: ReadonlySignal<Replay | undefined>
  readonly load: (session: Session | undefined) => void
  readonly goTo: (at: number) => void
  readonly move: (to: "start" | "back" | "forth" | "end") => void
  readonly tryStep: (step: SessionStep, then: "rest" | "nothing", name: string) => void
  readonly choose: (branch: number) => void
  readonly remove: (branch: number) => void
  readonly stop: () => void
}

/** Milliseconds that a slice of work may hold the page up. */
const SLICE = 24
/** While it plays, panels follow this often at least, milliseconds; moments are shown at once. */
const REFRESH = 100

/** The row of a step that is looked at first. */
const firstPart = (type: SessionStep["type"]): Selection["part"] =>
  type === "packet" ? "packet" : type === "datagram" ? "ours" : "note"

export const createRoom = (session: Signal<Session | undefined>): Room => {
  const branches = signal<readonly Branch[]>([])
  const current = signal(0)
  const now = signal(0)
  const shown = signal(0)
  const playing = signal(false)
  const speed = signal(1)
  const selection = signal<Selection | undefined>(undefined)
  const progress = signal<number | undefined>(undefined)
  const fault = signal<string | undefined>(undefined)
  const before = signal<Replay | undefined>(undefined)
  const branch = computed(() => branches.value.find(({ id }) => id === current.value) ?? branches.value[0])
  const replay = computed(() => branch.value?.replay)
  const view = computed(() => (replay.value === undefined ? undefined : viewAt(replay.value, shown.value)))
  let turn = 0
  let refreshed = 0
  let nextId = 1

  const goTo = (at: number): void => {
    const known = replay.value
    if (known === undefined) return
    const next = Math.min(known.end, Math.max(0, at))
    const clock = performance.now()
    const moves = seek(known, next) !== seek(known, shown.value)
    batch(() => {
      now.value = next
      if (playing.value && !moves && clock - refreshed < REFRESH) return
      refreshed = clock
      shown.value = next
      selection.value = undefined
    })
  }

  const arrive = (grown: readonly Branch[]): void => {
    const known = branches.value[0]?.replay
    const isSame = known !== undefined && known.session.steps === grown[0].replay.session.steps
    batch(() => {
      before.value = isSame ? known : undefined
      branches.value = grown
      fault.value = undefined
      if (isSame) return
      current.value = 0
      playing.value = false
      selection.value = undefined
      now.value = 0
      shown.value = 0
    })
  }

  /** Does a work in slices, so that the page stays alive; what was under way before is given up. */
  const slowly = <T>(work: Generator<number, T>, done: (result: T) => void): void => {
    const own = ++turn
    const slice = (): void => {
      if (own !== turn) return
      const began = performance.now()
      for (let step = work.next(); ; step = work.next()) {
        if (step.done === true) {
          progress.value = undefined
          done(step.value)
          return
        }
        if (performance.now() - began <= SLICE) continue
        progress.value = step.value
        setTimeout(slice, 0)
        return
      }
    }
    slice()
  }

  const load = (wanted: Session | undefined): void => {
    if (wanted === undefined) {
      turn++
      branches.value = []
      return
    }
    const isSame = branches.value[0]?.replay.session.steps === wanted.steps
    slowly(plantInSteps(wanted, isSame ? branches.value : []), (planted) => {
      if (planted.ok) arrive(planted.value)
      else fault.value = planted.text
    })
  }

  const move = (to: "start" | "back" | "forth" | "end"): void => {
    const known = replay.value
    if (known === undefined) return
    const { before: back, after: forth } = neighbours(known, now.value)
    playing.value = false
    goTo({ start: 0, back: back ?? 0, forth: forth ?? known.end, end: known.end }[to])
  }

  const tryStep = (step: SessionStep, then: "rest" | "nothing", name: string): void => {
    // A session that is being played anew is not to be left half-way.
    if (progress.value !== undefined) return
    const id = nextId++
    const parent = branch.value?.id ?? 0
    const attempt = { parent, at: step.at, step, then }
    slowly(branchInSteps(branches.value, id, name, attempt), (grown) => {
      if (grown === undefined) return
      batch(() => {
        playing.value = false
        branches.value = [...branches.value, grown]
        current.value = id
        goTo(step.at)
        const moment = grown.replay.forkedAt
        selection.value = { moment, part: firstPart(step.type), index: 0 }
      })
    })
  }

  const remove = (id: number): void => {
    const gone = new Set([id])
    for (const { id: one, attempt } of branches.value)
      if (attempt !== undefined && gone.has(attempt.parent)) gone.add(one)
    batch(() => {
      branches.value = branches.value.filter((one) => !gone.has(one.id) || one.id === 0)
      if (gone.has(current.value)) current.value = 0
      goTo(now.value)
    })
  }

  return {
    session,
    branches,
    branch,
    replay,
    now,
    view,
    playing,
    speed,
    selection,
    progress,
    fault,
    before,
    load,
    goTo,
    move,
    tryStep,
    remove,
    choose: (id) => {
      batch(() => {
        current.value = id
        goTo(now.value)
      })
    },
    stop: () => {
      turn++
      playing.value = false
    },
  }
}
