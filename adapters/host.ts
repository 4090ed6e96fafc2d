/**
 * Drives any pure machine over a runtime's sockets and clock: {@link startHost}.
 *
 * @module
 */
import { type Address, isAny, isIpv4, parseAddress } from "../core/wire/index.ts"
import { familyOf } from "./address-text.ts"
import { bindAll } from "./bind-all.ts"
import type { BindOptions, Datagram, Endpoint, Outgoing, Udp, UdpError, UdpSocket } from "./udp.ts"

export { type Arrival, pushedOutput, type ServerEvent, serverMachine } from "./server-machine.ts"

/** Time as a machine sees it: `now` only ever grows. */
export interface Clock {
  /** Milliseconds, monotonic, from any start. */
  now(): number
  /** Calls once, `delay` milliseconds from now or sooner, unless the returned function is called first. */
  after(delay: number, call: () => void): () => void
}

/** What a machine wants done. */
export interface Output<E> {
  /** Datagrams to send, in order. */
  readonly send: readonly MachineOutgoing[]
  /** When to call `advance` at the latest, milliseconds on the clock; `undefined`: nothing is pending. */
  readonly next: number | undefined
  /** What the owner is told, in order. */
  readonly events: readonly E[]
}

/** A datagram to send, and from which of the host's addresses; left out, from the socket that fits best (see {@link startHost}). */
export interface MachineOutgoing extends Outgoing {
  /** One of the host's own addresses. */
  readonly from?: Address
}

/** Any pure machine: both functions only compute, and an old state stays valid. */
export interface Machine<S, E> {
  /** One datagram. `next` speaks only for what this datagram added: the host keeps the earlier of it and what it had. */
  receive(state: S, datagram: Datagram, now: number): readonly [S, Output<E>]
  /** Time has passed. `next` speaks for the whole state. */
  advance(state: S, now: number): readonly [S, Output<E>]
}

/** What a host tells its owner besides the machine's own events. */
export interface HostListener<E> {
  /** Never called with an empty list. What the events hold of a datagram's bytes is valid during the call only. */
  events?(events: readonly E[], now: number): void
  /** A socket lost a datagram or heard an ICMP error; the host goes on. */
  socketError?(error: UdpError, local: Endpoint): void
  /** The machine threw, which is a bug: the state before that step is kept and the host goes on. Or `events` threw. */
  fault?(cause: unknown): void
  /** Milliseconds that one datagram took, from its arrival here until its answer was handed to the system. */
  took?(duration: number): void
}

/** What a host needs: a runtime's sockets and clock, a machine with its state, and where to listen. */
export interface HostOptions<S, E> {
  /** The runtime's sockets. */
  readonly udp: Udp
  /** The clock of the state's instants. */
  readonly clock: Clock
  /** What it drives. */
  readonly machine: Machine<S, E>
  /** The state to begin with. */
  readonly state: S
  /** One socket each. If one cannot be bound, none is. */
  readonly sockets: readonly BindOptions[]
  /** Hears of what happens. */
  readonly listener?: HostListener<E>
}

/** A machine at work on its sockets. */
export interface Host<S, E = never> {
  /** The state after the last step. Keep it as long as you like: it stays valid. */
  state(): S
  /**
   * One step of the owner's own, such as a push or other settings: sends what it wants sent and tells its events. `next` speaks
   * for what the step added. What the step throws is thrown here, and the state stays.
   */
  act(step: (state: S, now: number) => readonly [S, Output<E>]): void
  /** Where it listens, in the order of the options. */
  readonly local: readonly Endpoint[]
  /** Closes the sockets, drops the timer, and gives the last state. Twice is once. */
  stop(): Promise<S>
}

/** A host that runs, or the socket that could not be bound. */
export type HostStart<S, E = never> =
  | { readonly ok: true; readonly value: Host<S, E> }
  | { readonly ok: false; readonly error: UdpError; readonly local: Endpoint }

/** Milliseconds until `advance` is tried again after it threw. */
const RETRY = 1000
/** Clients in each of two generations whose sockets are remembered. */
const REMEMBERED = 32768

/**
 * Drives a machine over sockets and a clock, with one timer for its earliest `next`.
 *
 * A datagram leaves from the socket bound to its `from`, or, where the runtime can, from that address of one bound to the all-zeros
 * address; without one, an answer leaves from the socket that received and the address that was asked, a multicast from every socket of its family but [::1] (RFC 6887 section 14.1.3 wants every path where requests are accepted), and
 * anything else from the socket that its destination was last heard on, so that a client knows the server by its address,
 * or else from the first of its family. A link-local destination that answers keeps the zone it came from.
 *
 * Binds all of `sockets` or none: on the first that fails the others are closed and its error is returned.
 *
 * @example
 * ```ts
 * import { createServer, parseAddress } from "sallyport"
 * import { serverMachine, startHost } from "sallyport/host"
 * import { entropy, nodeClock, nodeUdp } from "sallyport/node"
 *
 * const [loopback, external] = [parseAddress("127.0.0.1"), parseAddress("203.0.113.7")]
 * if (loopback === undefined || external === undefined) throw new Error("not an address")
 * const made = createServer({ external: [external], secret: entropy(32), now: nodeClock.now() })
 * if (!made.ok) throw new Error(made.error.text)
 * const sockets = [{ local: { address: loopback, port: 0 } }]
 * const host = await startHost({ udp: nodeUdp, clock: nodeClock, machine: serverMachine(), state: made.state, sockets })
 * if (!host.ok) throw new Error(host.error.text)
 * console.log(host.value.local.length) // 1
 * await host.value.stop()
 * ```
 */
export const startHost = async <S, E>(options: HostOptions<S, E>): Promise<HostStart<S, E>> => {
  const { clock, machine, udp, listener = {} } = options
  let heard = new Map<Address, Heard>()
  let heardBefore = heard
  let hasChoice = false
  /** Of a socket bound to an all-zeros address it is known where its datagrams were sent to. */
  const isTold = !udp.limits.includes("destination")
  let state = options.state
  let timer: { readonly at: number; readonly cancel: () => void } | undefined
  // Not before all sockets are there: a server that will not come up answers nobody.
  let running = false
  let stopped: Promise<S> | undefined

  const arm = (at: number | undefined): void => {
    if (at === undefined || !running || (timer !== undefined && timer.at <= at)) return
    timer?.cancel()
    timer = { at, cancel: clock.after(at - clock.now(), due) }
  }

  const emit = (output: Output<E>, now: number): void => {
    if (output.events.length > 0) listener.events?.(output.events, now)
  }

  const remember = (client: Address, socket: UdpSocket, at: Address): void => {
    const known = heard.get(client)
    if (known !== undefined && known.socket === socket && known.at === at) return
    if (heard.size >= REMEMBERED) {
      heardBefore = heard
      heard = new Map()
    }
    heard.set(client, { socket, at })
  }

  const sendOne = (outgoing: MachineOutgoing): void => {
    const { bytes, destination, from } = outgoing
    const known =
      from === undefined ? (heard.get(destination.address) ?? heardBefore.get(destination.address)) : undefined
    if (known !== undefined) known.socket.send(bytes, destination, known.at)
    else for (const socket of socketsFor(sockets, outgoing, isTold)) socket.send(bytes, destination, from)
  }

  const sendAll = (send: readonly MachineOutgoing[]): void => {
    for (const outgoing of send) sendOne(outgoing)
  }

  const due = (): void => {
    const at = timer?.at
    timer = undefined
    if (!running) return
    const now = clock.now()
    // A runtime's timer may fire early, or not reach as far as the machine wants.
    if (at !== undefined && now < at) {
      arm(at)
      return
    }
    try {
      const [after, output] = machine.advance(state, now)
      state = after
      arm(output.next)
      sendAll(output.send)
      emit(output, now)
    } catch (cause) {
      arm(now + RETRY)
      listener.fault?.(cause)
    }
  }

  const receive = (datagram: Datagram, socket: UdpSocket): void => {
    if (!running) return
    const now = clock.now()
    try {
      const [after, output] = machine.receive(state, datagram, now)
      state = after
      const { source, local } = datagram
      if (hasChoice) remember(source.address, socket, local.address)
      arm(output.next)
      for (const outgoing of output.send) {
        const { bytes, destination, from } = outgoing
        if (from === undefined && destination.address === source.address) {
          const { zone } = source
          // The sender's own end stays that object: an adapter may know it by it.
          const isSame = destination === source || zone === undefined
          socket.send(bytes, isSame ? destination : { ...destination, zone }, local.address)
        } else sendOne(outgoing)
      }
      listener.took?.(clock.now() - now)
      emit(output, now)
    } catch (cause) {
      listener.fault?.(cause)
    }
  }

  const error = (cause: UdpError, socket: UdpSocket): void => listener.socketError?.(cause, socket.local)

  const bound = await bindAll(udp, options.sockets, { receive, error })
  if (!bound.ok) return bound
  const sockets = bound.sockets
  // One socket a family at one address, as by default, is no choice and costs nothing.
  hasChoice =
    new Set(sockets.map(({ local }) => familyOf(local.address))).size < sockets.length ||
    (isTold && sockets.some(({ local }) => isAny(local.address)))
  running = true
  // The machine says itself when it is first due.
  timer = { at: clock.now(), cancel: clock.after(0, due) }

  return {
    ok: true,
    value: {
      state: () => state,
      act: (step) => {
        const now = clock.now()
        const [after, output] = step(state, now)
        state = after
        arm(output.next)
        sendAll(output.send)
        emit(output, now)
      },
      local: sockets.map((socket) => socket.local),
      stop: () => {
        running = false
        timer?.cancel()
        stopped ??= Promise.all(sockets.map((socket) => socket.close())).then(() => state)
        return stopped
      },
    },
  }
}

const LOOPBACK6 = parseAddress("::1")

/** The socket that a client was last heard on, and at which address of it. */
interface Heard {
  readonly socket: UdpSocket
  readonly at: Address
}

const socketsFor = (
  sockets: readonly UdpSocket[],
  { from, destination }: MachineOutgoing,
  isTold: boolean,
): readonly UdpSocket[] => {
  const family = familyOf(destination.address)
  const same = sockets.filter((socket) => familyOf(socket.local.address) === family)
  if (from !== undefined) {
    const bound = sockets.find(({ local }) => local.address === from)
    const any = isTold ? same.find(({ local }) => isAny(local.address)) : undefined
    return [bound ?? any].filter((socket) => socket !== undefined)
  }
  // No system routes IPv6 multicast over loopback unless it is told to: a warning at every start, and nobody to hear it.
  return isMulticast(destination.address) ? same.filter(({ local }) => local.address !== LOOPBACK6) : same.slice(0, 1)
}

/** 224.0.0.0/4 or ff00::/8. */
const isMulticast = (address: Address): boolean =>
  isIpv4(address) ? address.charCodeAt(6) >>> 12 === 0xe : address.charCodeAt(0) >>> 8 === 0xff
