import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals"
import { type Replay, type Story, seek, type View, viewAt } from "../model/replay/index.ts"
import { type Fault, readSessionInSteps, type Session, type SessionStep } from "../model/session/index.ts"
import { type Branch, branchInSteps, neighbours, plantInSteps, triesOf } from "./branch.ts"
import { leave, placeOf } from "./place.ts"

/** What is looked at closely: a packet of one of the arrows. */
export interface Selection {
  /** Its place in the replay, and which of the moment's packets. */
  readonly moment: number
  readonly part: "request" | "ours" | "captured" | "sent" | "packet" | "out" | "note"
  readonly index: number
}

/** What the views of a story share: a replay's, or a live server's. */
export interface Stage {
  readonly replay: ReadonlySignal<Story | undefined>
  readonly view: ReadonlySignal<View | undefined>
  readonly playing: Signal<boolean>
  readonly selection: Signal<Selection | undefined>
  readonly goTo: (at: number) => void
}

/** All that the views of a replay share: signals, and what is done to them. */
export interface Room extends Stage {
  readonly session: Signal<Session | undefined>
  readonly branches: ReadonlySignal<readonly Branch[]>
  readonly branch: ReadonlySignal<Branch | undefined>
  readonly replay: ReadonlySignal<Replay | undefined>
  /** Milliseconds. */
  readonly now: ReadonlySignal<number>
  readonly speed: Signal<number>
  /** Steps read or moments played so far; `undefined`: it is done. */
  readonly progress: ReadonlySignal<number | undefined>
  /** Why the session cannot be played. */
  readonly fault: ReadonlySignal<string | undefined>
  /** The replay before the configuration was changed last, to see what that did. */
  readonly before: ReadonlySignal<Replay | undefined>
  /** What is wrong with the file or text that was to be opened last. */
  readonly faults: ReadonlySignal<readonly Fault[]>
  /** Reads a session's file or text, and replays it where nothing is wrong with it. */
  readonly openText: (text: string) => void
  readonly openFile: (file: File) => Promise<void>
  readonly load: (session: Session | undefined) => void
  readonly move: (to: "start" | "back" | "forth" | "end") => void
  readonly tryStep: (step: SessionStep, after: "rest" | "nothing", name: string) => void
  readonly choose: (branch: number) => void
  readonly remove: (branch: number) => void
  /** Makes a branch the session: what else was tried is forgotten. */
  readonly keep: (branch: number) => void
  readonly stop: () => void
}

/** Milliseconds that a slice of work may hold the page up. */
const SLICE = 24
/** While it plays, panels follow this often at least, milliseconds; moments are shown at once. */
const REFRESH = 100
/** Octets of a session's file that is read at all. */
const MOST_OCTETS = 64 * 1024 * 1024

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
  const faults = signal<readonly Fault[]>([])
  const branch = computed(() => branches.value.find(({ id }) => id === current.value) ?? branches.value[0])
  const replay = computed(() => branch.value?.replay)
  const view = computed(() => (replay.value === undefined ? undefined : viewAt(replay.value, shown.value)))
  let turn = 0
  let refreshed = 0
  let nextId = 1
  let written: Session | undefined

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
      nextId = Math.max(nextId, ...grown.map(({ id }) => id + 1))
      fault.value = undefined
      // Its row may be another one now.
      selection.value = undefined
      if (isSame) {
        goTo(now.value)
        return
      }
      const { at, future } = placeOf(grown[0].replay.session)
      current.value = grown[future]?.id ?? 0
      playing.value = false
      goTo(at)
    })
  }

  /** Notes in the session itself what was tried, so that its file and its link have that too. */
  const note = (): void => {
    const known = session.peek()
    // One that is still being played is not what is shown.
    if (known === undefined || known.steps !== branches.value[0]?.replay.session.steps) return
    const { tries: _, ...plain } = known
    const tries = triesOf(branches.value)
    written = tries.length === 0 ? plain : { ...plain, tries }
    session.value = written
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
    // What is noted here is played already.
    if (wanted !== undefined && wanted === written) return
    faults.value = []
    if (wanted === undefined) {
      turn++
      batch(() => {
        branches.value = []
        progress.value = undefined
        fault.value = undefined
      })
      return
    }
    const isSame = branches.value[0]?.replay.session.steps === wanted.steps
    slowly(plantInSteps(wanted, isSame ? branches.value : []), (planted) => {
      if (planted.ok) {
        arrive(planted.value)
        return
      }
      batch(() => {
        fault.value = planted.text
        branches.value = []
        playing.value = false
      })
    })
  }

  const openText = (text: string): void =>
    slowly(readSessionInSteps(text), (read) => {
      batch(() => {
        if (read.ok) session.value = read.session
        // Reading gave up the playing of what was opened right before.
        else if (session.peek()?.steps !== branches.value[0]?.replay.session.steps) load(session.peek())
        faults.value = read.ok ? [] : read.faults
      })
    })

  const openFile = async (file: File): Promise<void> => {
    if (file.size > MOST_OCTETS)
      faults.value = [{ path: file.name, text: `a session of more than ${MOST_OCTETS} octets is not read` }]
    else openText(await file.text())
  }

  const move = (to: "start" | "back" | "forth" | "end"): void => {
    const known = replay.value
    if (known === undefined) return
    const { before: back, after: forth } = neighbours(known, now.value)
    playing.value = false
    goTo({ start: 0, back: back ?? 0, forth: forth ?? known.end, end: known.end }[to])
  }

  const tryStep = (step: SessionStep, after: "rest" | "nothing", name: string): void => {
    // A session that is being played anew is not to be left half-way.
    if (progress.value !== undefined) return
    const id = nextId++
    const parent = branch.value?.id ?? 0
    const attempt = { parent, at: step.at, step, after }
    slowly(branchInSteps(branches.value, id, name, attempt), (grown) => {
      if (grown === undefined) return
      batch(() => {
        playing.value = false
        branches.value = [...branches.value, grown]
        current.value = id
        goTo(step.at)
        const moment = grown.replay.forkedAt
        selection.value = { moment, part: firstPart(step.type), index: 0 }
        note()
      })
    })
  }

  const remove = (id: number): void => {
    const gone = new Set([id])
    for (const { id: one, attempt } of branches.value)
      if (attempt !== undefined && gone.has(attempt.parent)) gone.add(one)
    batch(() => {
      branches.value = branches.value.filter((one) => !gone.has(one.id) || one.id === 0)
      selection.value = undefined
      if (gone.has(current.value)) current.value = 0
      goTo(now.value)
      note()
    })
  }

  const keep = (id: number): void => {
    const kept = branches.value.find((one) => one.id === id)
    if (kept === undefined || progress.value !== undefined) return
    const { tries: _, ...plain } = kept.replay.session
    session.value = { ...plain, title: plain.title === "" ? "" : `${plain.title}, ${kept.name}`.slice(0, 200) }
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
    faults,
    openText,
    openFile,
    load,
    goTo,
    move,
    tryStep,
    remove,
    keep,
    choose: (id) => {
      batch(() => {
        selection.value = undefined
        current.value = id
        goTo(now.value)
      })
    },
    stop: () => {
      turn++
      const known = session.peek()
      const future = branches.value.findIndex(({ id }) => id === current.value)
      if (known !== undefined) leave(known, { at: now.value, future: Math.max(0, future) })
      playing.value = false
    },
  }
}
