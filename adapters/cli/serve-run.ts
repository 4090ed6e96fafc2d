import { availableParallelism } from "node:os"
import type { Command } from "commander"
import { clock, lockState, udp as runtimeUdp } from "#runtime"
import type { Udp } from "../udp.ts"
import { complain } from "./complain.ts"
import { planServe, type ServePlan } from "./config/plan.ts"
import { withDevice } from "./device/choose.ts"
import { Exit } from "./exit.ts"
import { haltBy, heed } from "./halt.ts"
import { createFeed, type Feed } from "./live/feed.ts"
import { oneLine } from "./one-line.ts"
import { openOutput } from "./output.ts"
import { paintFor } from "./paint.ts"
import type { Read } from "./read.ts"
import { jsonReport, type Report, textReport } from "./report.ts"
import { beginOne } from "./serve-one.ts"
import type { ServeOptions } from "./serve-options.ts"
import { reloader } from "./serve-reload.ts"
import { startServices } from "./serve-services.ts"
import type { Beginning, Told } from "./serving.ts"
import { fileSink, leftOutLine, type Sink } from "./sink.ts"
import { otherWorkers } from "./workers/state-files.ts"

/** Milliseconds that a reader of standard output may take nothing once the server is to stop. */
const FAREWELL = 1000

/** Milliseconds between two records of settings in force (RFC 7422 section 3). */
const DAY = 86_400_000

/** Says all of it and ends the command. */
type Fail = (lines: readonly string[]) => never

/** Serves until a signal, or until nobody reads what it prints. `command` says what is wrong with the options; `entry` is the file that runs it. */
export const serve = async (options: ServeOptions, command: Command, entry: URL): Promise<void> => {
  const fail: Fail = (lines) => {
    for (const line of lines.slice(0, -1)) complain(line)
    return command.error(lines[lines.length - 1], { exitCode: Exit.USAGE })
  }
  const planned = await planServe(options)
  const plan = planned.ok ? planned.value : fail(planned.lines)
  for (const warning of plan.warnings) complain(warning)
  // The kernel's table takes foreign functions anyway: where it has them, these are no other risk.
  const { nftables = false, fast: isAsked } = options
  const fast = (isAsked ?? nftables) ? await openFast(entry, isAsked === true) : undefined
  const udp = fast ?? runtimeUdp
  const workers = workersOf(options, udp)
  if (!workers.ok) return fail([workers.text])
  const isWatched = options.playground !== undefined
  if (isWatched && workers.value !== undefined)
    return fail(["option '--playground' shows a server on one thread: it cannot be used with '--workers'"])
  const { kind } = plan.settings.server.profile
  if (workers.value === undefined)
    return run(() => withDevice(kind, (device) => beginOne(device, plan, udp)), plan, options, 1, fail)
  // Loaded when it runs: a server on one thread starts without it.
  const { beginCrew } = await import("./workers/begin-crew.ts")
  const crew = { workers: workers.value, entry, json: options.json === true, isFast: fast !== undefined }
  return run((halt) => beginCrew(plan, crew, halt), plan, options, workers.value, fail)
}

/** Sockets for many datagrams a call; or, for whoever asked for them, a line that says why it is those of the runtime. */
const openFast = async (entry: URL, isAsked: boolean): Promise<Udp | undefined> => {
  const { fastSockets } = await import("./fast.ts")
  const fast = fastSockets(entry)
  if (fast.ok) return fast.value
  if (isAsked)
    complain(`--fast: the C library cannot be called (${oneLine(fast.text)}): the runtime's own sockets serve`)
  return undefined
}

/** How many workers serve; `undefined`: the main thread does; or why there cannot be several. */
const workersOf = ({ workers, fast }: ServeOptions, udp: Udp): Read<number | undefined> => {
  const cores = availableParallelism()
  const wanted = workers === "auto" ? (cores > 1 ? cores : undefined) : workers
  if (wanted === undefined || wanted === 1 || !udp.limits.includes("reuse-port")) return { ok: true, value: wanted }
  const hint = process.platform === "linux" && fast !== true ? " without '--fast'" : ""
  const text = `workers share each port by SO_REUSEPORT, which there is not on this system and runtime${hint}`
  if (workers !== "auto") return { ok: false, text: `option '--workers': ${text}` }
  complain(`${text}: it is one`)
  return { ok: true, value: undefined }
}

const run = async (
  begin: (halt: AbortSignal) => Promise<Read<Beginning>>,
  plan: ServePlan,
  options: ServeOptions,
  workers: number,
  failed: Fail,
): Promise<void> => {
  // Without a file SIGHUP means what it does everywhere: the terminal is gone.
  const isHangup = options.config === undefined
  const halt = haltBy(isHangup ? ["SIGINT", "SIGTERM", "SIGHUP"] : ["SIGINT", "SIGTERM"])
  // A terminal that goes has SIGHUP come twice, from the kernel and from the shell: the second one is not to end it at once.
  const asked = heed(["SIGUSR1", "SIGUSR2", "SIGHUP"])
  // Before the file is looked at: what another server is about must not be set aside or written over.
  const locked = plan.state === undefined ? undefined : lockState(plan.state.file)
  if (locked?.ok === false) failed([`state file ${plan.state?.file}: ${locked.text}`])
  const release = (): void => (locked?.ok ? locked.lock.release() : undefined)
  const fail: Fail = (lines) => {
    release()
    return failed(lines)
  }
  const other = plan.state === undefined ? undefined : otherWorkers(plan.state.file, workers)
  if (other !== undefined) fail([`state file ${plan.state?.file}: ${other}`])
  const begun = await begin(halt.signal)
  if (halt.signal.aborted) {
    if (begun.ok) await begun.value.undo()
    release()
    return asked.end()
  }
  const beginning = begun.ok ? begun.value : fail([begun.text])
  const { lost, outdated, outside } = beginning

  const sink = outputFor(options, halt.now)
  const report = reportFor(options, plan, sink)
  let { settings } = plan
  const isNat = outside === undefined
  if (isNat) report.settings(settings, !outdated)
  const feed = options.playground === undefined ? undefined : createFeed()
  const listening = await beginning.listen({ events: eventsOf(options.quiet ? undefined : report, feed), sink })
  const serving = listening.ok ? listening.value : await beginning.undo().then(() => fail(listening.lines))
  const started = await startServices(plan, serving, feed && { port: portOf(options.playground), feed })
  if (!started.ok) await serving.abandon()
  const services = started.ok ? started.value : await beginning.undo().then(() => fail([started.text]))
  if (services.took !== undefined) serving.timed(services.took)

  let work: Promise<void> = Promise.resolve()
  const onList = (): void => {
    work = work.then(() => report.mappings(serving))
  }
  const tellLive = (): void => {
    work = work.then(() => report.live(serving))
  }
  const onSave = (): void => {
    const saving = serving.save()
    if (saving === undefined) complain("there is no state file to write: --state names one")
    else void saving.then((saved) => saved.ok && complain(`${plan.state?.file}: ${saved.value} octets written`))
  }
  const reload = reloader(options, plan, serving.apply, (after) => {
    const before = settings.cgn.assignment?.kind
    settings = after.settings
    if (!isNat) return
    report.settings(settings, false)
    if (before !== settings.cgn.assignment?.kind) tellLive()
  })
  void serving.failed.then((text) => {
    complain(text)
    process.exitCode = Exit.FAILED
    halt.now()
  })
  // Last: whoever reads that it listens may send a signal at once.
  const places = outside === undefined ? services.lines : [["Outside", outside] as const, ...services.lines]
  // Loaded where it is asked for: most servers carry nothing.
  const follow = plan.kernel?.follows ? (await import("./kernel/follow.ts")).followAddresses : undefined
  const unfollow = plan.kernel && follow?.(plan.kernel, () => settings.cgn.external, reload)
  const daily = setInterval(() => {
    if (isNat) report.settings(settings, false)
  }, DAY)
  await serving.open(lost)
  report.listening(serving.local, outside === undefined ? plan.settings.cgn.external : [], plan.settings.server, places)
  // Of the last run, whose assignment may have been another.
  if (isNat && outdated) tellLive()
  const acts: Partial<Record<NodeJS.Signals, () => void>> = {
    SIGUSR1: onList,
    SIGUSR2: onSave,
    ...(isHangup ? {} : { SIGHUP: reload }),
  }
  asked.begin((signal) => acts[signal]?.())
  await halt.halted
  asked.begin(() => {})
  clearInterval(daily)
  unfollow?.()
  sink.hurry(FAREWELL)
  await services.stop()
  const isSaved = await serving.stop()
  release()
  if (!isSaved) process.exitCode = Exit.FAILED
  onList()
  await work
  await serving.end()
  await sink.end()
  asked.end()
}

/** Tells all who want to know; `undefined`: nobody does. */
const eventsOf = (report: Report | undefined, feed: Feed | undefined): Told["events"] => {
  if (report === undefined || feed === undefined) return report?.events ?? feed?.events
  return (events, now) => {
    report.events(events)
    feed.events(events, now)
  }
}

const portOf = (playground: ServeOptions["playground"]): number => (playground === true ? 0 : (playground ?? 0))

const outputFor = (options: ServeOptions, stop: () => void): Sink =>
  fileSink(
    openOutput(),
    (cause) => {
      // Nobody reads any more: stop as at a signal. Any other failure would be silent if nobody said it.
      if (cause.code !== "EPIPE") complain(`standard output: ${cause.message}`)
      stop()
    },
    leftOutLine(options.json === true),
  )

const reportFor = (options: ServeOptions, plan: ServePlan, sink: Sink): Report => {
  const { profile } = plan.settings.server
  return options.json
    ? jsonReport(sink, clock, profile)
    : textReport(sink, clock, paintFor(process.stdout), paintFor(process.stderr), profile)
}
