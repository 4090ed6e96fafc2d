import type { Command } from "commander"
import { clock, lockState } from "#runtime"
import { announce } from "../../core/server/index.ts"
import { pushedOutput } from "../server-machine.ts"
import { complain } from "./complain.ts"
import { planServe, type ServePlan } from "./config/plan.ts"
import type { Device } from "./device/device.ts"
import { firewallDevice } from "./device/firewall.ts"
import { natDevice } from "./device/nat.ts"
import { nptDevice } from "./device/npt.ts"
import { siitDevice } from "./device/siit.ts"
import { Exit } from "./exit.ts"
import { openOutput } from "./output.ts"
import { paintFor } from "./paint.ts"
import type { Read } from "./read.ts"
import { jsonReport, type Listing, type Report, textReport } from "./report.ts"
import { listen, type ServeHost } from "./serve-listen.ts"
import type { ServeOptions } from "./serve-options.ts"
import { reloader } from "./serve-reload.ts"
import { type Services, startServices } from "./serve-services.ts"
import { fileSink, type Sink } from "./sink.ts"

/** Milliseconds that a reader of standard output may take nothing once the server is to stop. */
const FAREWELL = 1000

/** Milliseconds between two records of settings in force (RFC 7422 section 3). */
const DAY = 86_400_000

/** Says all of it and ends the command. */
type Fail = (lines: readonly string[]) => never

/** Serves until a signal, or until nobody reads what it prints. `command` says what is wrong with the options. */
export const serve = async (options: ServeOptions, command: Command): Promise<void> => {
  const fail: Fail = (lines) => {
    for (const line of lines.slice(0, -1)) complain(line)
    return command.error(lines[lines.length - 1], { exitCode: Exit.USAGE })
  }
  const planned = await planServe(options)
  const plan = planned.ok ? planned.value : fail(planned.lines)
  for (const warning of plan.warnings) complain(warning)
  switch (plan.settings.server.profile.kind) {
    case "firewall4":
    case "firewall6":
      return run(firewallDevice, plan, options, fail)
    case "nptv6":
      return run(nptDevice, plan, options, fail)
    case "nat46":
      return run(siitDevice, plan, options, fail)
    default:
      return run(natDevice, plan, options, fail)
  }
}

const run = async <S>(device: Device<S>, plan: ServePlan, options: ServeOptions, failed: Fail): Promise<void> => {
  // Before the file is looked at: what another server is about must not be set aside or written over.
  const locked = plan.state === undefined ? undefined : lockState(plan.state.file)
  if (locked?.ok === false) failed([`state file ${plan.state?.file}: ${locked.text}`])
  const release = (): void => (locked?.ok ? locked.lock.release() : undefined)
  const fail: Fail = (lines) => {
    release()
    return failed(lines)
  }
  const begun = await device.begin(plan)
  const begin = begun.ok ? begun.value : fail([begun.text])
  const { state, lost } = begin

  let stop = (): void => {}
  const sink = outputFor(options, () => stop())
  const report = reportFor(options, plan, sink)
  let { settings } = plan
  const isNat = device.outside(plan) === undefined
  if (isNat) report.settings(settings, !begin.outdated)
  let took: ((duration: number) => void) | undefined
  const started = await listen(plan.listen, state, {
    // Work a datagram, for those who want it.
    ...(options.quiet ? {} : { events: report.events }),
    ...(plan.metrics === undefined ? {} : { took: (duration) => took?.(duration) }),
  })
  const host = started.ok ? started.value : await device.undo(plan, begin).then(() => fail([started.text]))
  // A state of the last run has its pool, ports and rules too. Before any request comes in: nothing was waited for yet.
  const unfit = begin.outdated ? device.apply(plan, host) : []
  const services: Read<Services> =
    unfit.length > 0 ? { ok: false, text: unfit.join("; ") } : await startServices(plan, device, host)
  if (!services.ok) {
    await host.stop()
    await device.undo(plan, begin)
    fail([services.text])
    return
  }
  took = services.value.took

  const all: Listing = {
    page: (after, limit) => device.list(host.state().cgnState, clock.now(), after, limit),
    count: () => device.count(host.state().cgnState),
  }
  let listing: Promise<void> = Promise.resolve()
  const onList = (): void => {
    listing = listing.then(() => report.mappings(all))
  }
  const tellLive = (): void => {
    listing = listing.then(() => report.live(all))
  }
  const keeper = device.keep(plan, host)
  const onSave = (): void => {
    if (keeper === undefined) complain("there is no state file to write: --state names one")
    else void keeper.save().then((saved) => saved.ok && complain(`${plan.state?.file}: ${saved.octets} octets written`))
  }
  const reload = reloader(options, plan, device, host, (after) => {
    const before = settings.cgn.assignment?.kind
    settings = after.settings
    if (!isNat) return
    report.settings(settings, false)
    if (before !== settings.cgn.assignment?.kind) tellLive()
  })
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  const signals: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ["SIGINT", stop],
    ["SIGTERM", stop],
    ["SIGUSR1", onList],
    ["SIGUSR2", onSave],
    // Without a file it means what it does everywhere: the terminal is gone.
    ["SIGHUP", options.config === undefined ? stop : reload],
  ]
  for (const [signal, act] of signals) process.on(signal, act)
  if (lost) announceStart(host)
  // Last: whoever reads that it listens may send a signal at once.
  const outside = device.outside(plan)
  const places = outside === undefined ? services.value.lines : [["Outside", outside] as const, ...services.value.lines]
  const daily = setInterval(() => {
    if (isNat) report.settings(settings, false)
  }, DAY)
  report.listening(host.local, outside === undefined ? plan.settings.cgn.external : [], plan.settings.server, places)
  // Of the last run, whose assignment may have been another.
  if (isNat && begin.outdated) tellLive()
  await stopped
  // A second signal ends it at once.
  for (const [signal, act] of signals) process.off(signal, act)
  clearInterval(daily)
  sink.hurry(FAREWELL)
  await services.value.stop()
  const last = await host.stop()
  const saved = await keeper?.finish(last)
  release()
  if (saved?.ok === false) process.exitCode = Exit.FAILED
  onList()
  await listing
  await sink.end()
}

/** RFC 6887 section 14.1.3: clients of an earlier run are told that its state is gone. */
const announceStart = <S>(host: ServeHost<S>): void =>
  host.act((state, now) => {
    const [after, pushed] = announce(state, now)
    return [after, pushedOutput(pushed)]
  })

const outputFor = (options: ServeOptions, stop: () => void): Sink =>
  fileSink(
    openOutput(),
    (cause) => {
      // Nobody reads any more: stop as at a signal. Any other failure would be silent if nobody said it.
      if (cause.code !== "EPIPE") complain(`standard output: ${cause.message}`)
      stop()
    },
    (count) => (options.json ? JSON.stringify({ event: "left-out", lines: count }) : `... ${count} lines left out`),
  )

const reportFor = (options: ServeOptions, plan: ServePlan, sink: Sink): Report => {
  const { profile } = plan.settings.server
  return options.json
    ? jsonReport(sink, clock, profile)
    : textReport(sink, clock, paintFor(process.stdout), paintFor(process.stderr), profile)
}
