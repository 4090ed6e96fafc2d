import {
  type ClientEvent,
  type ClientInput,
  type ClientServer,
  type ClientState,
  type Command,
  step,
} from "../../core/client/index.ts"
import {
  type Address,
  ANY4,
  ANY6,
  CLIENT_PORT,
  isLinkLocal6,
  parseAddress,
  SERVER_PORT,
} from "../../core/wire/index.ts"
import type { Clock } from "../host.ts"
import type { Endpoint, Result, Udp, UdpError, UdpSocket } from "../udp.ts"

/** What a driven client tells its owner. */
export interface DriveListener {
  /** One event of the machine, in order. */
  event(event: ClientEvent, now: number): void
  /** A socket could not be opened, lost a datagram, or heard an ICMP error; the client goes on. */
  socketError?(error: UdpError, local: Endpoint): void
  /** `event` threw: the client goes on, and so does the rest of what the step told. */
  fault?(cause: unknown): void
}

/** What a driven client needs: a runtime's sockets and clock, its state, and whom to tell. */
export interface DriveOptions {
  /** The runtime's sockets. */
  readonly udp: Udp
  /** The clock of the state's instants. */
  readonly clock: Clock
  /** A client as `createClient` made it, or as another drive left it. */
  readonly state: ClientState
  /** Hears of all that happens. */
  readonly listener: DriveListener
  /**
   * Interfaces on which to hear announcements of servers, UDP port 5350 (RFC 6887 section 14.1.3, C-54), shared with other
   * listeners; `undefined` in the list is the system's choice. Left out, none.
   */
  readonly announcements?: readonly Announcements[]
}

/** Where a family's announcements are heard; an interface that is `undefined` is the system's choice. */
export interface Announcements {
  /** IPv4 on 224.0.0.1, or IPv6 on ff02::1 (RFC 6887 section 14.1.3). */
  readonly family: 4 | 6
  /** Such as `eth0`. */
  readonly interfaceName: string | undefined
}

/** A client over sockets. */
export interface Driven {
  /** The state after the last step. */
  state(): ClientState
  /** Tells the client; what comes of it are events. */
  command(command: Command): void
  /** Hears announcements on these interfaces too; where it listens already, nothing changes. */
  hearOn(announcements: readonly Announcements[]): void
  /** Closes the sockets and drops the timer; to delete the mappings first is the command `stop`. Twice is once. */
  close(): Promise<void>
}

/** Errors of a socket that say that nobody is there (RFC 7488 section 3: hard ICMP errors). */
const UNREACHABLE: readonly string[] = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "ENODEV"]

/**
 * Drives a client: one socket for each way to a server, opened when first needed, on a port that the system chooses (RFC 6887 section
 * 8.1) and connected, so that the system drops strangers' datagrams and tells ICMP errors (section 16.4, C-07). A server whose
 * responses may come from other addresses has one that is not connected.
 */
export const drive = ({ udp, clock, state: start, listener, announcements = [] }: DriveOptions): Driven => {
  let state = start
  let timer: { readonly at: number; readonly cancel: () => void } | undefined
  let closed: Promise<void> | undefined
  const sockets = new Map<string, { readonly way: Way; readonly opened: Promise<Result<UdpSocket>> }>()
  const groups = new Map<4 | 6, { readonly opened: Promise<Result<UdpSocket>>; readonly interfaces: Set<string> }>()
  // A listener may command in turn: what it wants waits until this step is told.
  const waiting: ClientInput[] = []
  let isStepping = false

  const give = (input: ClientInput): void => {
    waiting.push(input)
    if (isStepping) return
    isStepping = true
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) take(next)
    } finally {
      isStepping = false
    }
  }

  const take = (input: ClientInput): void => {
    const [after, effects] = step(state, input)
    state = after
    for (const effect of effects) {
      if (closed !== undefined) return
      if (effect.type === "wake") arm(effect.at)
      else if (effect.type === "send") send(effect.bytes, { ...effect.destination }, effect.from)
      else emit(effect.event, input.now)
    }
  }

  const emit = (event: ClientEvent, now: number): void => {
    try {
      listener.event(event, now)
    } catch (cause) {
      listener.fault?.(cause)
    }
  }

  const arm = (at: number | undefined): void => {
    if (timer?.at === at) return
    timer?.cancel()
    timer = at === undefined ? undefined : { at, cancel: clock.after(at - clock.now(), due) }
  }

  const due = (): void => {
    timer = undefined
    if (closed === undefined) give({ type: "tick", now: clock.now() })
  }

  const send = (bytes: Uint8Array, destination: Endpoint, from: Address): void => {
    const way: Way = { destination, from, isConnected: !isShared(state.servers.values(), destination) }
    const key = keyOf(way)
    const known = sockets.get(key)
    const opened = known?.opened ?? open(way)
    if (known === undefined) sockets.set(key, { way, opened })
    void opened.then((socket) => {
      if (socket.ok) socket.value.send(bytes, destination)
    })
  }

  const open = async (way: Way): Promise<Result<UdpSocket>> => {
    const { destination, from, isConnected } = way
    // An address that is not link-local is the same on every interface, and has no zone.
    const zone = isLinkLocal6(from) ? destination.zone : undefined
    const local = { address: from, port: 0, zone }
    const key = keyOf(way)
    let isDropped = false
    const drop = (): void => {
      if (isDropped) return
      isDropped = true
      const known = sockets.get(key)
      if (known?.way !== way) return
      sockets.delete(key)
      void known.opened.then((socket) => (socket.ok ? socket.value.close() : undefined))
    }
    const unreachable = (error: UdpError): void => {
      listener.socketError?.(error, local)
      if (!UNREACHABLE.includes(error.code) || closed !== undefined) return
      // It is opened anew for the next datagram: the address may be back by then.
      if (error.code === "EADDRNOTAVAIL") drop()
      give({ type: "unreachable", now: clock.now(), address: destination.address, port: destination.port })
    }
    const bound = await udp.bind(isConnected ? { local, remote: destination } : { local }, {
      receive: ({ bytes, source, local: { address } }) => hear(bytes, source, address),
      error: unreachable,
    })
    if (!bound.ok) {
      drop()
      unreachable(bound.error)
    }
    return bound
  }

  const hear = (bytes: Uint8Array, { address: source, port: sourcePort, zone }: Endpoint, local: Address): void => {
    if (closed === undefined) give({ type: "datagram", now: clock.now(), bytes, source, sourcePort, zone, local })
  }

  /** A listener on port 5350 for a family: of the same datagram in two groups, the second says nothing new. */
  const listen = async (family: 4 | 6): Promise<Result<UdpSocket>> => {
    const local = localOf(family)
    const bound = await udp.bind(
      { local, reuseAddress: true },
      {
        receive: ({ bytes, source }) => hear(bytes, source, local.address),
        error: (error) => listener.socketError?.(error, local),
      },
    )
    if (!bound.ok) listener.socketError?.(bound.error, local)
    return bound
  }

  const hearOn = (wanted: readonly Announcements[]): void => {
    for (const { family, interfaceName } of wanted) {
      if (closed !== undefined) return
      const group = groups.get(family) ?? { opened: listen(family), interfaces: new Set() }
      groups.set(family, group)
      if (group.interfaces.has(interfaceName ?? "")) continue
      group.interfaces.add(interfaceName ?? "")
      void group.opened.then(async (socket) => {
        if (!socket.ok || closed !== undefined) return
        const joined = await socket.value.joinMulticast(family === 4 ? ALL_HOSTS : ALL_NODES, interfaceName)
        if (!joined.ok) listener.socketError?.(joined.error, localOf(family))
      })
    }
  }
  hearOn(announcements)

  /** Ways that lead to no server any more. */
  const forget = (): void => {
    for (const [key, { way, opened }] of [...sockets])
      if (!isUsed(state.servers.values(), way)) {
        sockets.delete(key)
        void opened.then((socket) => (socket.ok ? socket.value.close() : undefined))
      }
  }

  return {
    state: () => state,
    command: (command) => {
      if (closed !== undefined) return
      give({ ...command, now: clock.now() })
      if (command.type === "network-changed") forget()
    },
    hearOn,
    close: () => {
      timer?.cancel()
      closed ??= Promise.all(
        [...sockets.values(), ...groups.values()].map(async ({ opened }) => {
          const socket = await opened
          if (socket.ok) await socket.value.close()
        }),
      ).then(() => undefined)
      return closed
    },
  }
}

/** From one of the client's addresses to one of a server's. */
interface Way {
  readonly destination: Endpoint
  readonly from: Address
  readonly isConnected: boolean
}

const keyOf = ({ destination: { address, port, zone = "" }, from, isConnected }: Way): string =>
  `${from}${address}${port}%${zone}%${isConnected}`

type Servers = Iterable<{ readonly server: ClientServer }>

const isShared = (servers: Servers, { address }: Endpoint): boolean => {
  for (const { server } of servers)
    if ((server.acceptResponsesFrom ?? []).length > 0 && server.ends.some((end) => end.address === address)) return true
  return false
}

const isUsed = (servers: Servers, { destination, from }: Way): boolean => {
  for (const { server } of servers)
    for (const { address, port = SERVER_PORT, client, zone } of server.ends)
      if (address === destination.address && port === destination.port && client === from && zone === destination.zone)
        return true
  return false
}

const localOf = (family: 4 | 6): Endpoint => ({ address: family === 4 ? ANY4 : ANY6, port: CLIENT_PORT })

const ALL_HOSTS = parseAddress("224.0.0.1") ?? ANY4
const ALL_NODES = parseAddress("ff02::1") ?? ANY6
