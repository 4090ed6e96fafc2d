import { stopSignal } from "../client/stop-signal.ts"
import { Exit, type ExitCode } from "../exit.ts"
import type { DialOptions } from "./flow-options.ts"
import { failed, openDialled, openService, print } from "./open-service.ts"

export interface PerfOptions extends DialOptions {
  /** Milliseconds. */
  readonly duration?: number
  readonly size?: number
  readonly window?: number
}

const DURATION = 10_000
const SIZE = 1000
const WINDOW = 32
/** Milliseconds after which what has not come back counts as lost. */
const LOST = 200

/** Sends as fast as whoever echoes answers, with so many messages under way; gives the exit code. */
export const perf = async (name: string, options: PerfOptions): Promise<ExitCode> => {
  const { json, duration = DURATION, size = SIZE, window = WINDOW } = options
  const { signal, now: stop } = stopSignal()
  try {
    await using service = await openService(options, true)
    const flow = await openDialled(service, name, options, signal)
    const message = new Uint8Array(size).fill(0x55)
    const begun = performance.now()
    let [sent, received, lost] = [0, 0, 0]
    while (performance.now() - begun < duration && !signal.aborted) {
      while (sent - received - lost < window) {
        await flow.write(message)
        sent++
      }
      try {
        await flow.read({ timeout: LOST })
        received++
      } catch (cause) {
        if (!isTimeout(cause)) throw cause
        lost = sent - received
      }
    }
    const seconds = (performance.now() - begun) / 1000
    await flow.dealloc()
    const [messages, octets] = [Math.round(received / seconds), Math.round((received * size) / seconds)]
    if (json === true)
      print({
        event: "result",
        name,
        seconds: Number(seconds.toFixed(3)),
        size,
        window,
        sent,
        received,
        messages,
        octets,
      })
    else
      process.stdout.write(
        `${received} of ${sent} messages of ${size} octets came back in ${seconds.toFixed(1)} s: ${messages}/s, ${octets} octets/s\n`,
      )
    return received === 0 ? Exit.TIMEOUT : Exit.DONE
  } catch (cause) {
    return failed(cause, json)
  } finally {
    stop()
  }
}

const isTimeout = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ETIMEDOUT"
