import { clock } from "#runtime"
import { complain } from "./complain.ts"
import type { ServePlan } from "./config/plan.ts"
import { controlAnswer } from "./control/answer.ts"
import { type ControlSocket, startControl } from "./control/listen.ts"
import { ownSocket } from "./control/path.ts"
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

/** Starts what the plan has; what was asked for and cannot be had is an error. */
export const startServices = async (plan: ServePlan, serving: Serving): Promise<Read<Services>> => {
  const metrics = await metricsOf(plan, serving)
  if (!metrics.ok) return metrics
  const control = await controlOf(plan, serving)
  if (!control.ok) {
    await metrics.value?.stop()
    return control
  }
  return {
    ok: true,
    value: {
      took: metrics.value?.took,
      lines: metrics.value === undefined ? [] : [["Metrics", `http://${metrics.value.where}/metrics`]],
      stop: async () => {
        await control.value?.stop()
        await metrics.value?.stop()
      },
    },
  }
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
