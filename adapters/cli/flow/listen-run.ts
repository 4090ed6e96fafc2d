import { openPort } from "#runtime"
import { type Flow, FlowError, type FlowService } from "../../flow/index.ts"
import { stopSignal } from "../client/stop-signal.ts"
import { note } from "../complain.ts"
import { formatEndpoint } from "../endpoint.ts"
import { Exit, type ExitCode } from "../exit.ts"
import type { FlowOptions } from "./flow-options.ts"
import { failed, openService, print } from "./open-service.ts"
import { readMessages, sendInput } from "./pipe.ts"
import { publishPort } from "./publish-port.ts"

export interface ListenOptions extends FlowOptions {
  readonly echo?: boolean
  readonly once?: boolean
  readonly map?: boolean
  readonly server?: readonly string[]
}

/** Milliseconds between two questions whether the mapping still holds: silence is how all flows end, and hardly ever the NAT's doing. */
const DOUBT = 10_000

/** Takes flows to a name until Ctrl-C; gives the exit code. */
export const listen = async (name: string, options: ListenOptions): Promise<ExitCode> => {
  const { json, echo, once } = options
  const { signal, now: stop } = stopSignal()
  let newest: Flow | undefined
  try {
    await using service = await openService(options, false)
    const mapping = options.map === true ? await mapPort(service, options, signal) : undefined
    try {
      for (const local of service.local)
        if (json === true) print({ event: "listening", name, local: formatEndpoint(local) })
        else note(`listening for ${name} on ${formatEndpoint(local)}`)
      // It ends with the command, whatever of it is left.
      if (echo !== true)
        sendInput(
          () => newest,
          () => {
            // The next flow gets what comes then.
            newest = undefined
          },
        ).catch(() => {})
      for await (const request of service.flowAccept(name, { signal })) {
        const flow = await request.accept()
        newest = flow
        if (json === true) print({ event: "flow", flow: flow.id, peer: formatEndpoint(flow.peer) })
        else note(`flow ${flow.id} from ${formatEndpoint(flow.peer)}`)
        const served = serve(flow, echo === true, json === true, () => mapping?.doubt())
        if (once === true) {
          await Promise.race([
            served,
            new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
          ])
          break
        }
      }
      return Exit.DONE
    } finally {
      await mapping?.close()
    }
  } catch (cause) {
    return failed(cause, json)
  } finally {
    stop()
    // Who reads it would keep the program running.
    process.stdin.destroy()
  }
}

/** One flow to its end. */
const serve = async (flow: Flow, echo: boolean, json: boolean, silence: () => void): Promise<void> => {
  try {
    if (echo) for await (const message of flow) await flow.write(message)
    else await readMessages(flow, json)
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    // No message says that a flow is over: silence is how each ends, good or bad.
    const silent = cause instanceof FlowError && cause.code === "EFLOWPEER"
    if (silent) silence()
    if (json) print({ event: "ended", flow: flow.id, text })
    else note(`flow ${flow.id} ended: ${silent ? "its peer is silent" : text}`)
  }
}

/** Has the NAT in front let others in, and publishes where: again whenever that moves. */
const mapPort = async (
  service: FlowService,
  { server, json }: ListenOptions,
  signal: AbortSignal,
): Promise<{ doubt(): void; close(): Promise<void> }> => {
  const [local] = service.local
  const port = await openPort({ protocol: "udp", internalPort: local?.port ?? 0, servers: server, signal })
  const look = publishPort(port, {
    publish: (end) => service.publishAt([end]),
    published: (end) => {
      if (json === true) print({ event: "mapped", external: end })
      else note(`reached at ${end}`)
    },
    failed: (text) => note(`cannot publish: ${text}`),
  })
  await look()
  void (async () => {
    // A renewal that moves nothing is the next chance of what a directory did not take.
    for await (const _ of port.changes) await look()
  })()
  let asked = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  return {
    // A NAT that began anew says so once, to all; who did not hear it hears nothing of its peers either, and asks.
    doubt: () => {
      timer ??= setTimeout(
        () => {
          timer = undefined
          asked = performance.now()
          if (port.isOpen) port.renew()
        },
        Math.max(0, asked + DOUBT - performance.now()),
      )
    },
    close: () => {
      clearTimeout(timer)
      return port.close()
    },
  }
}
