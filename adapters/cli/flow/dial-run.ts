import { stopSignal } from "../client/stop-signal.ts"
import { note } from "../complain.ts"
import { formatEndpoint } from "../endpoint.ts"
import { Exit, type ExitCode } from "../exit.ts"
import type { DialOptions } from "./flow-options.ts"
import { failed, openDialled, openService, print } from "./open-service.ts"
import { readMessages, sendInput } from "./pipe.ts"

export interface NetcatOptions extends DialOptions {
  /** Milliseconds. */
  readonly wait?: number
}

const WAIT = 1000

/** Standard input to a flow, and the flow to standard output; gives the exit code. */
export const dial = async (name: string, options: NetcatOptions): Promise<ExitCode> => {
  const { json, wait = WAIT } = options
  const { signal, now: stop } = stopSignal()
  try {
    await using service = await openService(options, true)
    const flow = await openDialled(service, name, options, signal)
    if (json === true) print({ event: "flow", flow: flow.id, peer: formatEndpoint(flow.peer) })
    else note(`flow ${flow.id} to ${name} at ${formatEndpoint(flow.peer)}`)
    let last = performance.now()
    signal.addEventListener("abort", () => void flow.dealloc(), { once: true })
    const sent = sendInput(() => flow).then(async () => {
      // Nothing on the wire says that the other side is done.
      last = performance.now()
      while (!signal.aborted && performance.now() - last < wait) await new Promise((next) => setTimeout(next, 20))
      await flow.dealloc()
    })
    await Promise.race([
      readMessages(flow, json === true, () => {
        last = performance.now()
      }),
      sent.then(() => new Promise<void>(() => {})),
    ])
    return Exit.DONE
  } catch (cause) {
    return failed(cause, json)
  } finally {
    stop()
    process.stdin.destroy()
  }
}
