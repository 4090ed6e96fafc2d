import { clock } from "#runtime"
import { announce, counters, epochTime } from "../../core/server/index.ts"
import { pushedOutput } from "../server-machine.ts"
import type { Udp } from "../udp.ts"
import type { ServePlan } from "./config/plan.ts"
import type { Begin, Device } from "./device/device.ts"
import type { Kernel } from "./kernel/kernel.ts"
import type { Read } from "./read.ts"
import { listen, type ServeHost } from "./serve-listen.ts"
import type { Beginning, Serving } from "./serving.ts"

/** The whole server on this thread. */
export const beginOne = async <S>(device: Device<S>, plan: ServePlan, udp: Udp): Promise<Read<Beginning>> => {
  const begun = await device.begin(plan)
  if (!begun.ok) return begun
  const { lost, outdated } = begun.value
  // An old state stays valid, and so keeps all that changed since: nobody holds the first one while the server runs.
  let first: Begin<S> | undefined = begun.value
  // Loaded when it is asked for: most servers carry nothing.
  const kernel = plan.kernel && (await import("./kernel/kernel.ts")).createKernel(device, plan, plan.kernel, udp)
  return {
    ok: true,
    value: {
      outdated,
      lost,
      outside: device.outside(plan),
      undo: async () => {
        if (first !== undefined) await device.undo(plan, first)
      },
      listen: async ({ events }) => {
        if (first === undefined) return { ok: false, lines: ["it listens already"] }
        let took: ((duration: number) => void) | undefined
        const told = kernel?.gate.events(events ?? (() => {})) ?? events
        const listener = {
          // Work a datagram, for those who want it.
          ...(told === undefined ? {} : { events: told }),
          ...(plan.metrics === undefined ? {} : { took: (duration: number) => took?.(duration) }),
        }
        const started = await listen(plan.listen, first.state, listener, kernel?.gate.udp ?? udp)
        if (!started.ok) return { ok: false, lines: [started.text] }
        const host = started.value
        const built = kernel?.open(host)
        if (built?.ok === false) {
          await host.stop()
          return { ok: false, lines: [built.text] }
        }
        // A state of the last run has its pool, ports and rules too. Before any request comes in: nothing was waited for yet.
        const unfit = outdated ? device.apply(plan, host) : []
        if (unfit.length > 0) {
          await host.stop()
          await kernel?.close()
          return { ok: false, lines: unfit }
        }
        kernel?.follow(plan)
        const timed = (call: (duration: number) => void): void => {
          took = call
        }
        const serving = servingOf(device, plan, host, kernel)
        const open = (isLost: boolean): void | Promise<void> => {
          first = undefined
          return serving.open(isLost)
        }
        return { ok: true, value: { ...serving, open, timed } }
      },
    },
  }
}

const servingOf = <S>(
  device: Device<S>,
  plan: ServePlan,
  host: ServeHost<S>,
  kernel: Kernel<S> | undefined,
): Omit<Serving, "timed"> => {
  const keeper = device.keep(plan, host)
  const tellEpoch = (): void =>
    host.act((state, now) => {
      const [after, pushed] = announce(state, now)
      return [after, pushedOutput(pushed)]
    })
  return {
    local: host.local,
    page: (after, limit) => {
      const page = device.list(host.state().cgnState, clock.now(), after, limit)
      return page.after === undefined && kernel !== undefined
        ? { mappings: [...page.mappings, ...kernel.mappings()], after: undefined }
        : page
    },
    count: () => device.count(host.state().cgnState) + (kernel?.mappings().length ?? 0),
    filters: (mapping) => device.filters(host.state().cgnState, mapping),
    counters: () => counters(host.state()),
    announce: tellEpoch,
    revoke: (internal, realm) => {
      const revoked = device.revoke(host, internal, realm)
      const more = revoked.ok && realm === undefined ? (kernel?.revoke(internal) ?? 0) : 0
      return revoked.ok ? { ok: true, value: revoked.value + more } : revoked
    },
    metrics: {
      counters: () => counters(host.state()),
      epoch: () => epochTime(host.state(), clock.now()),
      kinds: () => device.counts(host.state().cgnState),
      pool: () => device.pool(host.state().cgnState),
    },
    open: (lost) => {
      // RFC 6887 section 14.1.3: clients of an earlier run are told that its state is gone.
      if (lost) tellEpoch()
    },
    check: kernel?.check,
    apply: (after) => {
      const refused = device.apply(after, host)
      if (refused.length === 0) kernel?.follow(after)
      return refused
    },
    save: () =>
      keeper?.save().then((saved) => (saved.ok ? { ok: true, value: saved.octets } : { ok: false, text: saved.text })),
    stop: async () => {
      const last = await host.stop()
      // What clients were promised of the kernel's own connections no state file has.
      const isWhole = (kernel?.mappings().length ?? 0) === 0
      await kernel?.close()
      const saved = await keeper?.finish(last, isWhole)
      return saved?.ok !== false
    },
    abandon: async () => {
      await host.stop()
      await kernel?.close()
    },
    end: async () => {},
    failed: new Promise(() => {}),
  }
}
