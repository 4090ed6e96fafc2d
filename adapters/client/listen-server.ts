import { type Address, ANY4, ANY6, parseAddress } from "../../core/wire/index.ts"
import { type Datagram, type Result, type UdpError, type UdpSocket, udpError } from "../udp.ts"
import { PortControlError } from "./error.ts"
import { type Listen, type Listening, type ListenPublicOptions, listenUdp } from "./listen-public.ts"
import type { ClientRuntime } from "./runtime.ts"

/** A server of `node:net`, as far as it is used here. */
export interface TcpServer {
  /** Does it listen already? */
  readonly listening: boolean
  /** Begins to, on all addresses; 0 is a port that the system chooses. */
  listen(port: number, listening: () => void): unknown
  /** Where it listens. */
  address(): string | { readonly address: string; readonly port: number } | null
  /** Hears why it cannot. */
  once(event: "error", listener: (error: Error) => void): unknown
  /** Hears it no more. */
  off(event: "error", listener: (error: Error) => void): unknown
  /** Listens no more; its connections go on. */
  close(): unknown
  /** It keeps no process running. */
  unref(): unknown
}

/** To listen for TCP. */
export type ListenTcp = ListenPublicOptions & {
  readonly protocol: "tcp"
  /** Of `node:net`. One that listens already is left to its caller; any other is closed with the listener. */
  readonly server: TcpServer
}

/** To listen for UDP. */
export type ListenUdp = ListenPublicOptions & {
  readonly protocol: "udp"
  /** Each datagram, and the socket to answer with. */
  readonly onDatagram: (datagram: Datagram, socket: UdpSocket) => void
  readonly onError?: ((error: UdpError, socket: UdpSocket) => void) | undefined
}

/** What to listen with: a server of `node:net`, which Node, Deno and Bun have, or a function for datagrams. */
export type ListenServerOptions = ListenTcp | ListenUdp

/** Called when the options that every runtime has are known to be some. */
export const listenerFor = ({ udp }: ClientRuntime, options: ListenServerOptions, isRef: boolean): Listen => {
  if (options.protocol === "udp") {
    const { onDatagram: receive, onError: error = () => {} } = options
    if (!isFunction(receive)) throw bad("onDatagram is a function, and UDP needs it")
    if (!isFunction(error)) throw bad("onError is a function")
    return listenUdp(udp, { receive, error })
  }
  const { server } = options
  if (!isTcpServer(server)) throw bad("server is one of node:net, and TCP needs it")
  if (!isRef) server.unref()
  return listenTcp(server)
}

const bad = (text: string): PortControlError => new PortControlError("bad-options", text)

const isFunction = (value: unknown): boolean => typeof value === "function"

const isTcpServer = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  ["listen", "address", "once", "off", "close", "unref"].every((name) => isFunction(Reflect.get(value, name)))

const listenTcp =
  (server: TcpServer): Listen =>
  (port) => {
    if (server.listening) return Promise.resolve(listeningOf(server, async () => {}))
    return new Promise((resolve) => {
      const refuse = (cause: Error): void => resolve({ ok: false, error: udpError(cause) })
      server.once("error", refuse)
      try {
        server.listen(port, () => {
          server.off("error", refuse)
          // Its connections are the caller's: they go on.
          resolve(listeningOf(server, async () => void server.close()))
        })
      } catch (cause) {
        server.off("error", refuse)
        resolve({ ok: false, error: udpError(cause) })
      }
    })
  }

const listeningOf = (server: TcpServer, close: () => Promise<void>): Result<Listening> => {
  const bound = server.address()
  const address = bound === null || typeof bound === "string" ? undefined : parseAddress(bound.address)
  if (bound === null || typeof bound === "string" || address === undefined)
    return { ok: false, error: { code: "EAFNOSUPPORT", text: "it listens on no port" } }
  // Such a server on :: takes IPv4 as well.
  const addresses: readonly Address[] = address === ANY6 ? [ANY4, ANY6] : [address]
  return { ok: true, value: { local: addresses.map((one) => ({ address: one, port: bound.port })), close } }
}
