import { clock, udp as runtimeUdp } from "#runtime"
import type { ServerState } from "../../core/server/index.ts"
import { formatAddress, parseAddress, SERVER_PORT } from "../../core/wire/index.ts"
import { familyOf } from "../address-text.ts"
import { type Host, type HostListener, type HostStart, startHost } from "../host.ts"
import { type ServerEvent, serverMachine } from "../server-machine.ts"
import { reasonOf } from "../system-error.ts"
import type { Endpoint, Udp, UdpError } from "../udp.ts"
import { bindReason } from "./bind-error.ts"
import { complain } from "./complain.ts"
import { formatEndpoint } from "./endpoint.ts"
import type { Read } from "./read.ts"

export type ServeHost<S> = Host<ServerState<S>, ServerEvent>

/** Loopback of both families. */
const defaultListen = (): readonly Endpoint[] =>
  ["127.0.0.1", "::1"].flatMap((text) => {
    const address = parseAddress(text)
    return address === undefined ? [] : [{ address, port: SERVER_PORT }]
  })

/** Starts the server where it is told to listen; or says why it cannot. Trouble with sockets is told on standard error. */
export const listen = async <S>(
  given: readonly Endpoint[] | undefined,
  state: ServerState<S>,
  listener: Pick<HostListener<ServerEvent>, "events" | "took">,
  udp: Udp = runtimeUdp,
): Promise<Read<ServeHost<S>>> => {
  const warned = new Map<string, number>()
  // The first state is an argument, not one for its closures to hold while the server runs: it keeps all that changed since.
  const start = (ends: readonly Endpoint[], from: ServerState<S>): Promise<HostStart<ServerState<S>, ServerEvent>> =>
    startHost({
      udp,
      clock,
      machine: serverMachine<S>(undefined, udp.octets),
      state: from,
      sockets: ends.map((local) => ({ local })),
      listener: {
        ...listener,
        socketError: (error, local) => warnOnce(warned, `${formatEndpoint(local)}: ${error.text}`),
        fault: (cause) => warnOnce(warned, `internal error, the datagram is ignored: ${reasonOf(cause)}`),
      },
    })
  const wanted = given ?? defaultListen()
  let started = await start(wanted, state)
  if (!started.ok && given === undefined && isMissing(started.error) && familyOf(started.local.address) === 6) {
    complain(`this machine has no ${formatAddress(started.local.address)}: listening on IPv4 alone`)
    started = await start(
      wanted.filter(({ address }) => familyOf(address) === 4),
      state,
    )
  }
  if (started.ok) return started
  const reason = bindReason(started.error.code, started.error.text, "--listen")
  const source = given === undefined ? "" : "option '--listen': "
  return { ok: false, text: `${source}${formatEndpoint(started.local)} ${reason}` }
}

const isMissing = ({ code }: UdpError): boolean => code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT"

/** Socket trouble comes in floods: the same line at most once in ten seconds. */
const QUIET = 10_000

const warnOnce = (warned: Map<string, number>, text: string): void => {
  const now = clock.now()
  if (now - (warned.get(text) ?? Number.NEGATIVE_INFINITY) < QUIET) return
  if (warned.size >= 100) warned.clear()
  warned.set(text, now)
  complain(text)
}
