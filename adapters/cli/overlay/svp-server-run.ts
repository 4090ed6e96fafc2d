import { clock, entropy } from "#runtime"
import { SVP_PORT, svpHostCount } from "../../../core/overlay/index.ts"
import { parseAddress } from "../../../core/wire/index.ts"
import { OverlayError, startSvpServer } from "../../overlay/index.ts"
import type { Endpoint } from "../../udp.ts"
import { stopSignal } from "../client/stop-signal.ts"
import { complain, note } from "../complain.ts"
import { formatEndpoint } from "../endpoint.ts"
import { Exit, type ExitCode } from "../exit.ts"

export interface SvpServerRunOptions {
  readonly hosts: string
  readonly listen?: readonly Endpoint[]
  readonly json?: boolean
}

/** Answers a fleet until a signal; gives the exit code. */
export const serveSvp = async ({ hosts: file, listen, json = false }: SvpServerRunOptions): Promise<ExitCode> => {
  const { signal, forget } = stopSignal()
  const loopback = parseAddress("127.0.0.1")
  const own = loopback === undefined ? [] : [{ address: loopback, port: SVP_PORT }]
  const print = (record: object): void => {
    process.stdout.write(`${JSON.stringify(record)}\n`)
  }
  try {
    await using service = await startSvpServer({
      clock,
      entropy,
      file,
      listen: listen ?? own,
      warning: (text) => {
        for (const line of text.split("\n")) complain(line)
      },
      changed: (changes) => (json ? print({ event: "changed", changes }) : note(`${changes} changes for the log`)),
    })
    const count = svpHostCount(service.state().hosts)
    for (const local of service.local)
      if (json) print({ event: "listening", local: formatEndpoint(local), hosts: count })
      else note(`${count === 1 ? "1 host" : `${count} hosts`}, asked for on ${formatEndpoint(local)}`)
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
    return Exit.DONE
  } catch (cause) {
    if (!(cause instanceof OverlayError)) throw cause
    for (const line of cause.message.split("\n")) complain(line)
    return Exit.USAGE
  } finally {
    forget()
  }
}
