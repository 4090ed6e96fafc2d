import { clock } from "#runtime"
import type { Mapping } from "../../../core/cgn/index.ts"
import {
  announce,
  apply,
  counters,
  epochTime,
  type ServerState,
  type Subject,
  subjectOf,
} from "../../../core/server/index.ts"
import { pushedOutput } from "../../server-machine.ts"
import type { Datagram, Udp } from "../../udp.ts"
import type { ServePlan } from "../config/plan.ts"
import type { ServeSettings } from "../config/settings.ts"
import { withDevice } from "../device/choose.ts"
import type { Begin, Device } from "../device/device.ts"
import { type EventReport, jsonEvents, textEvents } from "../event-report.ts"
import { paintFor } from "../paint.ts"
import type { Read } from "../read.ts"
import { listen, type ServeHost } from "../serve-listen.ts"
import { leftOutLine } from "../sink.ts"
import { wallClock } from "../wall-clock.ts"
import { markedLine } from "./fault-line.ts"
import { lineSink } from "./line-sink.ts"
import type { BeginAsk, Begun, Handlers, ListenAsk } from "./orders.ts"
import { ownerOf, ownerRule } from "./owner.ts"
import type { Role } from "./role.ts"
import { createRoute, type Peer, type Route } from "./route.ts"
import { alone, claiming, multicastWhen, sharing } from "./share-port.ts"
import { toldHere } from "./told.ts"

/** What a worker is driven by besides orders. */
export interface Shift {
  readonly handlers: Omit<Handlers, "begin">
  readonly route: Route
  /** Its lines have been taken, so many characters. */
  taken(length: number): void
}

/** Mappings looked at in one step. */
const PAGE = 1000

/** One worker's share of a server: the state to begin with, and what does its orders from then on. */
export const beginShift = (
  role: Role,
  ask: BeginAsk,
  sockets: Udp,
  peers: readonly (Peer | undefined)[],
  post: (lines: string) => void,
): Promise<Read<{ readonly begun: Begun; readonly shift: Shift }>> =>
  withDevice(ask.settings.server.profile.kind, (device) => beginWith(device, role, ask, sockets, peers, post))

const planOf = (settings: ServeSettings, state: ServePlan["state"]): ServePlan => ({
  settings,
  state,
  listen: undefined,
  metrics: undefined,
  control: false,
  kernel: undefined,
  warnings: [],
  line: markedLine,
})

/** {@link beginShift} of a device. */
export const beginWith = async <S>(
  device: Device<S>,
  role: Role,
  ask: BeginAsk,
  sockets: Udp,
  peers: readonly (Peer | undefined)[],
  post: (lines: string) => void,
): Promise<Read<{ readonly begun: Begun; readonly shift: Shift }>> => {
  const plan = planOf(ask.settings, ask.state)
  const begin = await device.begin(plan)
  if (!begin.ok) return begin
  const { state, lost, outdated } = begin.value
  const rule = ownerRule(ask.settings, role.workers)
  const isOwn = (subject: Subject): boolean => ownerOf(rule, subject) === role.number
  let foreign = 0
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = device.list(state.cgnState, clock.now(), after, PAGE)
    for (const mapping of page.mappings) if (mapping.kind !== "static" && !isOwn(mapping)) foreign++
    after = page.after
  }
  const had = outdated ? device.addresses(state.cgnState) : undefined
  const outside = device.outside(plan)
  return {
    ok: true,
    value: {
      begun: { outdated, lost, had, foreign, outside },
      shift: shiftOf(device, role, ask, sockets, begin.value, peers, post, isOwn),
    },
  }
}

const shiftOf = <S>(
  device: Device<S>,
  role: Role,
  ask: BeginAsk,
  sockets: Udp,
  begun: Begin<S>,
  peers: readonly (Peer | undefined)[],
  post: (lines: string) => void,
  isOwn: (subject: Subject) => boolean,
): Shift => {
  const isFirst = role.number === 0
  const rule = ownerRule(ask.settings, role.workers)
  let { settings } = ask
  let host: ServeHost<S> | undefined
  let keeper: ReturnType<Device<S>["keep"]>
  let report: EventReport | undefined
  let latency: { took(duration: number): void; json(): Promise<readonly object[]> } | undefined
  let sink: ReturnType<typeof lineSink> | undefined

  const running = (): ServeHost<S> => {
    if (host === undefined) throw new Error("it does not listen yet")
    return host
  }
  // As in a server on one thread: nobody holds the first state while it runs.
  let begin: Begin<S> | undefined = begun
  const state = (): ServerState<S> => {
    const current = host?.state() ?? begin?.state
    if (current === undefined) throw new Error("it has ended")
    return current
  }

  const owner = ({ bytes, source }: Datagram): number =>
    ownerOf(rule, subjectOf(settings.server, { bytes, source: source.address }))
  /** The first has nothing announced before all hear, or before all have the epoch that it tells of; it announces then. */
  let isHushed = true
  let wasHushed = false
  const mayMulticast = (): boolean => {
    if (isHushed) wasHushed = true
    return isFirst && !isHushed
  }
  const share = role.workers === 1 ? alone : isFirst ? claiming : sharing
  const udp = multicastWhen(share(sockets), mayMulticast)
  const route = createRoute({ udp, number: role.number, peers, owner, soon: setImmediate })

  const start = async ({ ends, told }: ListenAsk) => {
    if (ask.isTimed) latency = (await import("../metrics.ts")).startLatency()
    if (told !== undefined) {
      sink = lineSink(post, leftOutLine(told.json))
      const { profile } = settings.server
      report = told.json
        ? jsonEvents(sink, wallClock(clock), profile)
        : textEvents(sink, paintFor({ isTTY: told.coloured }), profile)
      report.settings(settings)
    }
    const only = toldHere(isOwn)
    const events: EventReport["events"] = (happened) => {
      const here = only(happened)
      if (here.length > 0) report?.events(here)
    }
    return listen(
      ends,
      state(),
      {
        ...(report === undefined ? {} : { events }),
        ...(latency === undefined ? {} : { took: latency.took }),
      },
      route.udp,
    )
  }

  const isListed = (mapping: Mapping): boolean => mapping.kind !== "static" || isOwn(mapping)

  return {
    route,
    taken: (length) => sink?.taken(length),
    handlers: {
      listen: async (asked) => {
        const started = await start(asked)
        if (!started.ok) return started
        host = started.value
        keeper = device.keep(planOf(settings, ask.state), host)
        return { ok: true, value: host.local }
      },
      apply: ({ settings: wanted, dry }) => {
        const live = running()
        const plan = planOf(wanted, ask.state)
        const before = live.state().epochStart
        // A dry one takes the same step, and its state is not kept.
        const asIf: ServeHost<S> = { ...live, act: (step) => void step(live.state(), clock.now()) }
        const lines = device.apply(plan, dry ? asIf : live)
        if (!dry && lines.length === 0) {
          settings = wanted
          report?.settings(settings)
        }
        const reset = live.state().epochStart !== before
        if (reset) isHushed = true
        return { lines, reset }
      },
      reset: ({ isTold }) => {
        running().act((current, at) => {
          const change = { type: "epoch-reset", at } as const
          if (isTold && isFirst) report?.events([{ type: "advanced", changes: [change] }])
          return [apply(current, change), pushedOutput({ changes: [], next: undefined })]
        })
        return undefined
      },
      open: () => {
        begin = undefined
        route.open()
        isHushed = false
        return isFirst && wasHushed
      },
      announce: () => {
        isHushed = false
        running().act((current, now) => {
          const [after, pushed] = announce(current, now)
          return [after, pushedOutput(pushed)]
        })
        return undefined
      },
      revoke: ({ internal, realm }) => device.revoke(running(), internal, realm),
      page: ({ after, limit }) => {
        const now = clock.now()
        const page = device.list(state().cgnState, now, after, limit)
        return { mappings: page.mappings.filter(isListed), after: page.after, now }
      },
      numbers: () => {
        const { cgnState } = state()
        return {
          count: device.count(cgnState),
          kinds: device.counts(cgnState),
          pool: device.pool(cgnState),
          counters: counters(state()),
          epoch: epochTime(state(), clock.now()),
        }
      },
      latency: () => latency?.json() ?? [],
      save: () => keeper?.save(),
      stop: async ({ last }) => {
        const ended = await host?.stop()
        sink?.flush()
        return last && ended !== undefined ? keeper?.finish(ended) : undefined
      },
      undo: async () => {
        if (begin !== undefined) await device.undo(planOf(settings, ask.state), begin)
        return undefined
      },
    },
  }
}
