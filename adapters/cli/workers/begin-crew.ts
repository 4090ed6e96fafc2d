import { reasonOf } from "../../system-error.ts"
import type { ServePlan } from "../config/plan.ts"
import type { Read } from "../read.ts"
import type { Beginning, Listening, Told } from "../serving.ts"
import type { Sink } from "../sink.ts"
import { type Crew, startCrew } from "./crew.ts"
import { lineOf } from "./fault-line.ts"
import type { Begun } from "./orders.ts"
import { servingOf } from "./serve-crew.ts"
import { type Had, type Shared, shareOut, unsharable } from "./share.ts"
import { workerFile } from "./state-files.ts"

export interface CrewOptions {
  readonly workers: number
  /** The file that runs the command. */
  readonly entry: URL
  readonly json: boolean
  /** Each has sockets for many datagrams a call. */
  readonly isFast: boolean
}

/** What is between the workers and whoever started them. */
export interface Desk {
  readonly crew: Crew
  /** Where the workers' lines go; those that come before wait. */
  open(sink: Sink): void
  readonly failed: Promise<string>
}

/**
 * A server of several workers, each with a share of the settings and a state of its own. `halt`: it is not wanted any more, and does not
 * begin; threads that only start have done nothing, and are not waited for.
 */
export const beginCrew = async (plan: ServePlan, options: CrewOptions, halt: AbortSignal): Promise<Read<Beginning>> => {
  const { workers } = options
  const none: readonly Had[] = Array.from({ length: workers }, () => undefined)
  const fault = unsharable(plan.settings, workers)
  if (fault !== undefined) return { ok: false, text: plan.line(fault.path, fault.text) }
  const shared = shareOut(plan.settings, none)
  if (!shared.ok) return { ok: false, text: plan.line(shared.fault.path, shared.fault.text) }
  const desk = openDesk(options)
  const { crew } = desk
  const undo = async (which: readonly number[]): Promise<void> => {
    // One that has ended is why the server does not come up: the others put theirs back all the same.
    await Promise.allSettled(which.map((number) => crew.call(number, "undo", undefined)))
    await crew.end()
  }
  const halted = new Promise<void>((resolve) => halt.addEventListener("abort", () => resolve(), { once: true }))
  const begun: Begun[] = []
  try {
    // One after the other: the first that cannot begin says so, and what the ones before it took is put back.
    for (const [number, settings] of shared.shares.entries()) {
      await Promise.race([crew.running(number), halted])
      if (halt.aborted) {
        await undo(begun.map((_, before) => before))
        return { ok: false, text: "it was stopped" }
      }
      const state = plan.state && { ...plan.state, file: workerFile(plan.state.file, number, workers) }
      const isTimed = plan.metrics !== undefined
      const one = await crew.call(number, "begin", { settings, state, isTimed, isFast: options.isFast })
      const text = one.ok ? foreignText(one.value, plan) : lineOf(plan, one.text)
      if (text !== undefined) {
        await undo(Array.from({ length: one.ok ? number + 1 : number }, (_, before) => before))
        return { ok: false, text }
      }
      if (one.ok) begun.push(one.value)
    }
    const everybody = begun.map((_, number) => number)
    return {
      ok: true,
      value: {
        outdated: begun.some(({ outdated }) => outdated),
        lost: begun.some(({ lost }) => lost),
        outside: begun[0].outside,
        undo: () => undo(everybody),
        listen: (told) => listenAll(plan, options, desk, begun, told, shared),
      },
    }
  } catch (cause) {
    await undo(begun.map((_, before) => before))
    return { ok: false, text: reasonOf(cause) }
  }
}

/** A state whose mappings have other owners by the settings of today cannot be gone on from. */
const foreignText = ({ foreign }: Begun, plan: ServePlan): string | undefined =>
  foreign === 0
    ? undefined
    : `state file ${plan.state?.file}: ${foreign} mappings in one worker's share are another's now: ` +
      "the last run had another subscriberPrefix or profile"

const openDesk = ({ entry, workers }: CrewOptions): Desk => {
  let sink: Sink | undefined
  let waiting: (readonly [number, string])[] = []
  let fail = (_text: string): void => {}
  const failed = new Promise<string>((resolve) => {
    fail = resolve
  })
  const print = (to: Sink, number: number, lines: string): void => {
    to.print(lines)
    void to.ready().then(() => crew.taken(number, lines.length))
  }
  const crew = startCrew(entry, workers, {
    lines: (number, lines) => {
      if (sink === undefined) waiting.push([number, lines])
      else print(sink, number, lines)
    },
    ended: (number, why) => fail(`worker ${number + 1} of ${workers} ended (${why}): so does the server`),
  })
  return {
    crew,
    failed,
    open: (to) => {
      sink = to
      for (const [number, lines] of waiting) print(to, number, lines)
      waiting = []
    },
  }
}

const listenAll = async (
  plan: ServePlan,
  { json, workers }: CrewOptions,
  desk: Desk,
  begun: readonly Begun[],
  { events, sink }: Told,
  shared: Extract<Shared, { readonly ok: true }>,
): Promise<Listening> => {
  const { crew } = desk
  const told = events === undefined ? undefined : { json, coloured: process.stdout.isTTY === true }
  const refuse = async (lines: readonly string[]): Promise<Listening> => {
    await crew.settled("stop", () => ({ last: false }))
    return { ok: false, lines }
  }
  try {
    const first = await crew.call(0, "listen", { ends: plan.listen, first: true, told })
    if (!first.ok) return await refuse([first.text])
    for (let number = 1; number < workers; number++) {
      const other = await crew.call(number, "listen", { ends: first.value, first: false, told })
      if (!other.ok) return await refuse([other.text])
    }
    let now = shared
    let isReset = false
    if (begun.some(({ outdated }) => outdated)) {
      // Addresses stay with whom they were.
      const again = shareOut(
        plan.settings,
        begun.map(({ had }) => had && new Set(had)),
      )
      if (!again.ok) return await refuse([plan.line(again.fault.path, again.fault.text)])
      const done = await crew.all("apply", (number) => ({ settings: again.shares[number], dry: false }))
      const lines = done.flatMap((one) => one.lines.map((line) => lineOf(plan, line)))
      if (lines.length > 0) return await refuse(lines)
      now = again
      isReset = done.some(({ reset }) => reset)
    }
    return { ok: true, value: servingOf(plan, desk, now, first.value, isReset, sink) }
  } catch (cause) {
    return refuse([reasonOf(cause)])
  }
}
