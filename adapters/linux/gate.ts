import type { Cgn, CgnRefused, Change } from "../../core/cgn/index.ts"
import type { ServerState } from "../../core/server/index.ts"
import type { Host, Output } from "../host.ts"
import type { ServerEvent } from "../server-machine.ts"
import type { Datagram, Outgoing, Receiver, Udp, UdpSocket } from "../udp.ts"

/** Tries to put changes in force; `false`: they were refused, and nothing of them is. */
export type Commit = (changes: readonly Change[]) => boolean

/** What the gate asks of whoever keeps the kernel. */
export interface GateKeeper<S> {
  /** Changes of requests: all of a batch, or, when that was refused, of one. */
  commit: Commit
  /** A batch was refused: what the kernel holds is made what this state says, where it is not. */
  mend(state: ServerState<S>): void
  /** Changes that nobody can refuse: time passed, or the owner changed something. */
  follow(changes: readonly Change[], state: ServerState<S>): void
}

/** Holds back what a server answers until the kernel has taken what it changed. */
export interface Gate<S> {
  /** The sockets to give the host. */
  readonly udp: Udp
  /** Wraps the host's listener: events are told when they are true. */
  events(tell: Events): Events
  /** The host, which is there after its sockets. */
  open(host: Host<ServerState<S>, ServerEvent>): void
}

type Events = (events: readonly ServerEvent[], now: number) => void

interface Arrived {
  readonly datagram: Datagram
  readonly socket: UdpSocket
  readonly receiver: Receiver
}

/** What one or more datagrams led to, held back. */
interface Held {
  readonly sends: (() => void)[]
  readonly told: { readonly events: readonly ServerEvent[]; readonly now: number }[]
}

/**
 * Between a host and its sockets: datagrams that arrive in one turn of the event loop go through the server together, what they
 * change is one transaction of the kernel, and only then are the answers sent. When the kernel refuses, the host's state is set
 * back to what it was before, as an old state stays valid, and each datagram goes through by itself; one whose changes are
 * refused again is served by a CGN that has no resources.
 */
export const createGate = <S>(udp: Udp, keeper: GateKeeper<S>): Gate<S> => {
  let host: Host<ServerState<S>, ServerEvent> | undefined
  let arrived: Arrived[] = []
  let tell: Events = () => {}
  let held: Held | undefined

  const deliver = (batch: readonly Arrived[]): Held => {
    const into: Held = { sends: [], told: [] }
    held = into
    for (const { datagram, socket, receiver } of batch) receiver.receive(datagram, socket)
    held = undefined
    return into
  }
  const release = ({ sends, told }: Held): void => {
    for (const send of sends) send()
    for (const { events, now } of told) tell(events, now)
  }
  const changesOf = ({ told }: Held): readonly Change[] =>
    told.flatMap(({ events }) => events.flatMap((event) => ("changes" in event ? event.changes : [])))

  const setState = (state: ServerState<S>): void => host?.act(() => [state, NOTHING])

  const flush = (): void => {
    const batch = arrived
    arrived = []
    if (host === undefined) return
    const before = host.state()
    const all = deliver(batch)
    if (keeper.commit(changesOf(all))) {
      release(all)
      return
    }
    setState(before)
    keeper.mend(before)
    for (const one of batch) alone(host, one)
  }

  const alone = (to: Host<ServerState<S>, ServerEvent>, one: Arrived): void => {
    const before = to.state()
    const tried = deliver([one])
    if (keeper.commit(changesOf(tried))) {
      release(tried)
      return
    }
    setState({ ...before, cgn: refusing(before.cgn) })
    const refused = deliver([one])
    setState({ ...to.state(), cgn: before.cgn })
    release(refused)
  }

  const wrap = (socket: UdpSocket): UdpSocket => ({
    local: socket.local,
    buffers: socket.buffers,
    send: (bytes, destination, from) => {
      if (held === undefined) socket.send(bytes, destination, from)
      else held.sends.push(() => socket.send(bytes, destination, from))
    },
    sendMany: (datagrams: readonly Outgoing[]) => {
      if (held === undefined) socket.sendMany(datagrams)
      else held.sends.push(() => socket.sendMany(datagrams))
    },
    joinMulticast: (group, name) => socket.joinMulticast(group, name),
    leaveMulticast: (group, name) => socket.leaveMulticast(group, name),
    close: () => socket.close(),
  })

  return {
    udp: {
      limits: udp.limits,
      bind: async (options, receiver) => {
        let wrapped: UdpSocket | undefined
        const gated = (socket: UdpSocket): UdpSocket => {
          wrapped ??= wrap(socket)
          return wrapped
        }
        const bound = await udp.bind(options, {
          receive: (datagram, socket) => {
            // Its memory is the runtime's again after this call.
            const kept = { ...datagram, bytes: datagram.bytes.slice() }
            if (arrived.push({ datagram: kept, socket: gated(socket), receiver }) === 1) setImmediate(flush)
          },
          error: (error, socket) => receiver.error(error, gated(socket)),
        })
        return bound.ok ? { ok: true, value: gated(bound.value) } : bound
      },
    },
    events: (whom) => {
      tell = whom
      return (events, now) => {
        if (held !== undefined) {
          held.told.push({ events, now })
          return
        }
        const changes = events.flatMap((event) => ("changes" in event ? event.changes : []))
        if (host !== undefined) keeper.follow(changes, host.state())
        tell(events, now)
      }
    },
    open: (opened) => {
      host = opened
    },
  }
}

const NOTHING: Output<ServerEvent> = { send: [], next: undefined, events: [] }

/** What the server answers as NO_RESOURCES. */
const NO_RESOURCES: CgnRefused = { outcome: "refused", code: "cgn-error", lifetime: undefined }

/** The same CGN, where nothing can be had and nothing given back. */
const refusing = <S>(cgn: Cgn<S>): Cgn<S> => ({
  ...cgn,
  addMapping: () => NO_RESOURCES,
  delMapping: () => NO_RESOURCES,
  delMappings: (state) => ({ state, complete: false, changes: [] }),
  addDynamic: () => NO_RESOURCES,
  filter: () => NO_RESOURCES,
})
