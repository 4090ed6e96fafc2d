import type { Command } from "commander"
import { MAX_POOL } from "../../core/cgn/index.ts"
import { createServer, type ServerState } from "../../core/server/index.ts"
import { type Address, formatAddress, PROFILES } from "../../core/wire/index.ts"
import { familyOf } from "../address-text.ts"
import { type Host, type HostStart, startHost } from "../host.ts"
import { entropy, nodeClock, nodeUdp } from "../node/index.ts"
import { type ServerEvent, serverMachine } from "../server-machine.ts"
import type { Endpoint, UdpError } from "../udp.ts"
import { complain, messageOf } from "./complain.ts"
import { formatEndpoint } from "./endpoint.ts"
import { Exit } from "./exit.ts"
import { paintFor } from "./paint.ts"
import { DEFAULT_POOL, poolAddresses, poolSize } from "./pool.ts"
import { jsonReport, type Report, textReport } from "./report.ts"
import { defaultListen, optionOf, type ServeOptions } from "./serve-options.ts"
import { fileSink, openOutput } from "./sink.ts"

/** Serves until a signal, or until nobody reads what it prints. `command` says what is wrong with the options. */
export const serve = async (options: ServeOptions, command: Command): Promise<void> => {
  const fail = (text: string): never => command.error(text, { exitCode: Exit.USAGE })
  const external = poolOf(options, fail)
  const state = createState(options, external, fail)
  let stop = (): void => {}
  const sink = fileSink(
    openOutput(),
    (cause) => {
      // Nobody reads any more: stop as at a signal. Any other failure would be silent if nobody said it.
      if (cause.code !== "EPIPE") complain(`standard output: ${cause.message}`)
      stop()
    },
    (count) => (options.json ? JSON.stringify({ event: "left-out", lines: count }) : `... ${count} lines left out`),
  )
  const report = options.json
    ? jsonReport(sink, nodeClock, "ipv4")
    : textReport(sink, nodeClock, paintFor(process.stdout), paintFor(process.stderr), "ipv4")
  const host = await listen(options, state, report, fail)
  let listing: Promise<void> = Promise.resolve()
  const onList = (): void => {
    listing = listing.then(() => report.mappings(host.state))
  }
  process.on("SIGUSR1", onList)
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
    process.once("SIGINT", resolve).once("SIGTERM", resolve)
  })
  // Last: whoever reads that it listens may send a signal at once.
  report.listening(host.local, external, options)
  await stopped
  sink.hurry(FAREWELL)
  await host.stop()
  onList()
  await listing
  process.off("SIGUSR1", onList)
  await sink.end()
}

const poolOf = ({ external = DEFAULT_POOL }: ServeOptions, fail: (text: string) => never): readonly Address[] => {
  const size = poolSize(external)
  return size > MAX_POOL
    ? fail(`option '--external': ${size} addresses; ${MAX_POOL} is the most`)
    : poolAddresses(external)
}

const createState = (
  options: ServeOptions,
  external: readonly Address[],
  fail: (text: string) => never,
): ServerState => {
  const { ports, minLifetime, maxLifetime, quota, thirdParty = false, pcp, natPmp } = options
  const created = createServer({
    external,
    secret: entropy(32),
    now: nodeClock.now(),
    threatModel: thirdParty ? "advanced" : "simple",
    profile: { ...PROFILES.nat444, thirdParty },
    pcp,
    natPmp,
    ...(ports === undefined ? {} : { ports }),
    ...(minLifetime === undefined ? {} : { minLifetime }),
    ...(maxLifetime === undefined ? {} : { maxLifetime }),
    ...(quota === undefined ? {} : { quota }),
  })
  return created.ok ? created.state : fail(`${optionOf(created.error.code)}: ${created.error.text}`)
}

const listen = async (
  options: ServeOptions,
  state: ServerState,
  report: Report,
  fail: (text: string) => never,
): Promise<Host<ServerState, ServerEvent>> => {
  const warned = new Map<string, number>()
  const start = (ends: readonly Endpoint[]): Promise<HostStart<ServerState, ServerEvent>> =>
    startHost({
      udp: nodeUdp,
      clock: nodeClock,
      machine: serverMachine(),
      state,
      sockets: ends.map((local) => ({ local })),
      listener: {
        ...(options.quiet ? {} : { events: report.events }),
        socketError: (error, local) => warnOnce(warned, `${formatEndpoint(local)}: ${error.text}`),
        fault: (cause) => warnOnce(warned, `internal error, the datagram is ignored: ${messageOf(cause)}`),
      },
    })
  const wanted = options.listen ?? defaultListen()
  let started = await start(wanted)
  if (
    !started.ok &&
    options.listen === undefined &&
    isMissing(started.error) &&
    familyOf(started.local.address) === 6
  ) {
    complain(`this machine has no ${formatAddress(started.local.address)}: listening on IPv4 alone`)
    started = await start(wanted.filter(({ address }) => familyOf(address) === 4))
  }
  if (started.ok) return started.value
  const where = formatEndpoint(started.local)
  const source = options.listen === undefined ? "" : "option '--listen': "
  return fail(`${source}${where} ${reason(started.error)}`)
}

const isMissing = ({ code }: UdpError): boolean => code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT"

const reason = ({ code, text }: UdpError): string => {
  switch (code) {
    case "EADDRINUSE":
      return "is in use already; choose another with --listen <address[:port]>"
    case "EADDRNOTAVAIL":
      return "is no address of this machine"
    case "EAFNOSUPPORT":
      return "is of a family that this machine does not speak"
    case "EACCES":
      return "needs more privileges"
    default:
      return `cannot be used: ${text}`
  }
}

/** Milliseconds that a reader of standard output may take nothing once the server is to stop. */
const FAREWELL = 1000

/** Socket trouble comes in floods: the same line at most once in ten seconds. */
const QUIET = 10_000

const warnOnce = (warned: Map<string, number>, text: string): void => {
  const now = nodeClock.now()
  if (now - (warned.get(text) ?? Number.NEGATIVE_INFINITY) < QUIET) return
  if (warned.size >= 100) warned.clear()
  warned.set(text, now)
  complain(text)
}
