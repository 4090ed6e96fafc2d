import { clock } from "#runtime"
import { complain } from "./complain.ts"
import type { ServePlan } from "./config/plan.ts"
import { controlAnswer } from "./control/answer.ts"
import { type ControlSocket, startControl } from "./control/listen.ts"
import { ownSocket } from "./control/path.ts"
import type { Feed } from "./live/feed.ts"
import type { Live } from "./live/start.ts"
import type { Metrics } from "./metrics.ts"
import type { Read } from "./read.ts"
import type { Serving } from "./serving.ts"

/** What a running server offers beside PCP and NAT-PMP. */
export interface Services {
  readonly took: ((duration: number) => void) | undefined
  /** What the greeting says of them: a name and a place. */
  readonly lines: readonly (readonly [string, string])[]
  stop(): Promise<void>
}

/** Where pages may watch the server, and what they are told. */
export interface Watched {
  /** 0: one that the system chooses. */
  readonly port: number
  readonly feed: Feed
}

/** Starts what the plan has; what was asked for and cannot be had is an error. */
export const startServices = async (
  plan: ServePlan,
  serving: Serving,
  watched: Watched | undefined,
): Promise<Read<Services>> => {
  const metrics = await metricsOf(plan, serving)
  if (!metrics.ok) return metrics
  const control = await controlOf(plan, serving)
  if (!control.ok) {
    await metrics.value?.stop()
    return control
  }
  const live = await liveOf(plan, serving, watched)
  if (!live.ok) {
    await control.value?.stop()
    await metrics.value?.stop()
    return live
  }
  const lines: (readonly [string, string])[] = []
  if (metrics.value !== undefined) lines.push(["Metrics", `http://${metrics.value.where}/metrics`])
  if (live.value !== undefined) lines.push(["Playground", live.value.url])
  return {
    ok: true,
    value: {
      took: metrics.value?.took,
      lines,
      stop: async () => {
        await live.value?.stop()
        await control.value?.stop()
        await metrics.value?.stop()
      },
    },
  }
}

const liveOf = async (
  plan: ServePlan,
  serving: Serving,
  watched: Watched | undefined,
): Promise<Read<Live | undefined>> => {
  if (watched === undefined) return { ok: true, value: undefined }
  // Loaded when it runs: a server that nobody watches starts without its library.
  const { startLive } = await import("./live/start.ts")
  const started = await startLive(watched.port, plan, serving, watched.feed, clock)
  return started.ok ? started : { ok: false, text: `option '--playground': ${started.text}` }
}

const metricsOf = async ({ metrics }: ServePlan, serving: Serving): Promise<Read<Metrics | undefined>> => {
  if (metrics === undefined) return { ok: true, value: undefined }
  // Loaded when it runs: a server without metrics starts without their library.
  const { startMetrics } = await import("./metrics.ts")
  const started = await startMetrics(metrics, serving.metrics)
  return started.ok ? started : { ok: false, text: `metrics: ${started.text}` }
}

const controlOf = async ({ control }: ServePlan, serving: Serving): Promise<Read<ControlSocket | undefined>> => {
  if (control === false) return { ok: true, value: undefined }
  // Windows has no sockets in its file system whose permissions Node could set.
  if (process.platform === "win32")
    return control === undefined
      ? { ok: true, value: undefined }
      : { ok: false, text: "a control socket needs a Unix system" }
  const started = await startControl(control ?? ownSocket(), controlAnswer(serving, clock))
  if (started.ok) return started
  if (control !== undefined) return { ok: false, text: `control socket: ${started.text}` }
  // Nobody asked for it: the server can do without.
  complain(`no control socket: ${started.text}`)
  return { ok: true, value: undefined }
}
