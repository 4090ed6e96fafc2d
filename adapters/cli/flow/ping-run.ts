import { putU32, u32 } from "../../../core/wire/index.ts"
import { stopSignal } from "../client/stop-signal.ts"
import { Exit, type ExitCode } from "../exit.ts"
import type { DialOptions } from "./flow-options.ts"
import { failed, openDialled, openService, print } from "./open-service.ts"

export interface PingOptions extends DialOptions {
  readonly count?: number
  /** Milliseconds. */
  readonly interval?: number
  readonly size?: number
}

/** Milliseconds between two, octets of each, and milliseconds to wait for the last. */
const INTERVAL = 1000
const SIZE = 64
const PATIENCE = 2000
/** Octets of a probe's type and number. */
const HEAD = 8
/** A probe, as oping's first octets say. */
const ECHO_REQUEST = 0

/** Sends probes to whoever echoes them, and tells how long each took; gives the exit code. */
export const ping = async (name: string, options: PingOptions): Promise<ExitCode> => {
  const { json, count = Number.POSITIVE_INFINITY, interval = INTERVAL, size = SIZE } = options
  const { signal, now: stop } = stopSignal()
  try {
    await using service = await openService(options, true)
    const flow = await openDialled(service, name, options, signal)
    const left = new Map<number, number>()
    const times: number[] = []
    const begun = performance.now()
    let sent = 0
    const reading = (async () => {
      for await (const message of flow) {
        const number = message.length < HEAD ? -1 : u32(message, 4)
        const at = left.get(number)
        if (at === undefined) continue
        left.delete(number)
        const time = performance.now() - at
        times.push(time)
        if (json === true) print({ event: "reply", number, octets: message.length, milliseconds: round(time) })
        else process.stdout.write(`${message.length} octets from ${name}: seq=${number} time=${round(time)} ms\n`)
        if (times.length === count) return
      }
    })()
    const lost = reading.then(
      () => undefined,
      (cause: unknown) => ({ cause }),
    )
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
    let timer: NodeJS.Timeout | undefined
    const pause = (milliseconds: number): Promise<unknown> =>
      Promise.race([
        lost,
        aborted,
        new Promise((resolve) => {
          timer = setTimeout(resolve, milliseconds)
        }),
      ]).finally(() => clearTimeout(timer))
    while (sent < count && !signal.aborted) {
      const probe = new Uint8Array(Math.max(size, HEAD))
      putU32(probe, 0, ECHO_REQUEST)
      putU32(probe, 4, sent)
      left.set(sent, performance.now())
      sent++
      await flow.write(probe)
      await pause(sent === count ? PATIENCE : interval)
    }
    await flow.dealloc()
    const end = await lost
    if (end !== undefined) throw end.cause
    report(name, sent, times, performance.now() - begun, json === true)
    return times.length === sent ? Exit.DONE : times.length > 0 ? Exit.PARTLY : Exit.TIMEOUT
  } catch (cause) {
    return failed(cause, json)
  } finally {
    stop()
  }
}

const round = (milliseconds: number): number => Number(milliseconds.toFixed(3))

const report = (name: string, sent: number, times: readonly number[], total: number, json: boolean): void => {
  const mean = times.reduce((sum, time) => sum + time, 0) / Math.max(1, times.length)
  const spread = Math.sqrt(times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / Math.max(1, times.length))
  const some = times.length > 0
  const [least, most] = some ? [Math.min(...times), Math.max(...times)] : [0, 0]
  const loss = sent === 0 ? 0 : ((sent - times.length) / sent) * 100
  if (json) {
    const rtt = some ? { min: round(least), avg: round(mean), max: round(most), mdev: round(spread) } : undefined
    print({ event: "statistics", name, sent, received: times.length, loss: round(loss), total: round(total), rtt })
    return
  }
  process.stdout.write(`--- ${name} ping statistics ---\n`)
  process.stdout.write(`${sent} sent, ${times.length} received, ${round(loss)}% lost, in ${Math.round(total)} ms\n`)
  if (some) process.stdout.write(`rtt min/avg/max/mdev = ${[least, mean, most, spread].map(round).join("/")} ms\n`)
}
