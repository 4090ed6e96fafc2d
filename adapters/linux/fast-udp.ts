import { type Address, isAny, isIpv4, isLinkLocal6, isMulticast } from "../../core/wire/index.ts"
import { familyOf } from "../address-text.ts"
import { octets } from "../octets.ts"
import {
  type BindOptions,
  CLOSED,
  type Endpoint,
  type Receiver,
  type Result,
  type Udp,
  type UdpError,
  type UdpSocket,
} from "../udp.ts"
import { EAGAIN, EINTR, lastError } from "./errno.ts"
import { createInbox, type Shape } from "./inbox.ts"
import { type Libc, openLibc, POLLFD } from "./libc.ts"
import { SLOTS } from "./message-ring.ts"
import { createOutbox, type Sender } from "./outbox.ts"
import { CONTROL_WORDS, type From, isSameArrived, readArrived } from "./pktinfo.ts"
import { AF_INET, AF_INET6, NAME_WORDS, nameReader, readName, writeName } from "./sockaddr.ts"
import { buffersOf, multicastFrom, setMembership, setOptions } from "./socket-options.ts"
import { startWaiter, type Waiter } from "./waiter.ts"
import { createZones } from "./zones.ts"

const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0x800
const SOCK_CLOEXEC = 0x80000
const POLLIN = 1

/** Batches of one socket, before the others have their turn. */
const BATCHES = 4
/** Milliseconds of batches, before timers and messages have their turn of the event loop. */
const SLICE = 0.5
/** Microseconds that the thread sleeps for the next datagram where none is there: whoever asks one at a time is answered sooner. */
const NAP = 100
/** So many naps in a row without a datagram, and its event loop sleeps instead. */
const NAPS = 20
/** Sockets that a nap is for at most. */
const NAPPERS = 64
/** Milliseconds from one look to the next where no thread waits. */
const LOOK = 2
/** Milliseconds for which the waiting thread stays when there is no socket. */
const LINGER = 500

interface Open extends Sender {
  readonly id: number
  readonly shape: Shape
  readonly receiver: Receiver
  readonly socket: UdpSocket
  isOpen: boolean
  /** Looked at in each turn; otherwise the waiter looks. */
  isActive: boolean
  /** The control message of the datagram before, and what it says. */
  readonly arrivedWords: Uint32Array
  arrived: From | undefined
  arrivedAt: Endpoint
}

/** {@link Udp} of batches, with a thread that waits. */
export interface FastUdp extends Udp {
  /**
   * Has the waiting thread end at once where there is no socket: otherwise it stays for half a second, in case that there is another, and a thread that is ended
   * meanwhile has to wait for it.
   */
  rest(): void
}

/**
 * The C library's sockets as {@link Udp}, a batch of datagrams a call: recvmmsg(2), all of them to their receivers, and what these send
 * meanwhile in one sendmmsg(2). While datagrams come, the event loop has its turn every half millisecond at the least; when none comes the thread naps a few
 * times, and then a thread of its own waits, so that timers and messages are served always. All memory is made
 * once, for all sockets of a thread.
 *
 * @param entry The file that the waiting thread runs, which calls `runWaiter`.
 */
export const createFastUdp = (libc: Libc, entry: URL): FastUdp => {
  const zones = createZones(libc)
  const inbox = createInbox(libc)
  const outbox = createOutbox(libc)
  const names = nameReader(zones)
  const fds = libc.memory(NAPPERS * POLLFD)
  const byId = new Map<number, Open>()
  let ids = 0
  let active: Open[] = []
  let waiter: Waiter | undefined
  let linger: NodeJS.Timeout | undefined
  let isTurning = false
  let isScheduled = false
  let isFlushing = false
  /** Turns in a row without a datagram. */
  let quiet = 0
  /** Datagrams that were sent since it was set to 0. */
  let sent = 0
  /** The datagram that is with its receiver: whose socket, from whom, and the slot that its sender's name is in. */
  let current: Open | undefined
  let source: Endpoint | undefined
  let slot = 0

  const flush = (): void => {
    isFlushing = false
    outbox.flush()
  }
  const schedule = (): void => {
    if (isScheduled) return
    isScheduled = true
    if (waiter === undefined && quiet > NAPS) setTimeout(turn, LOOK)
    else setImmediate(turn)
  }
  const activate = (one: Open): void => {
    if (one.isActive || !one.isOpen) return
    one.isActive = true
    active.push(one)
    // While somebody waits for a socket the kernel looks for them at each datagram, sent ones too: 4 % of a server's time.
    waiter?.remove(one.fd)
  }

  const turn = (): void => {
    isScheduled = false
    if (isTurning) return
    isTurning = true
    let isBusy = false
    try {
      isBusy = work()
    } finally {
      isTurning = false
      current = undefined
      source = undefined
      outbox.flush()
      quiet = isBusy ? 0 : quiet + 1
      active = active.filter(({ isOpen }) => isOpen)
      if (quiet > NAPS && waiter?.isReady()) sleep(waiter)
      else if (active.length > 0) schedule()
    }
  }
  /** Batches, until none comes or others are to have their turn; `true`: there was one. */
  const work = (): boolean => {
    const end = performance.now() + SLICE
    if (waiter !== undefined && active.length < byId.size) wake(waiter.look())
    for (let isBusy = false; ; ) {
      sent = 0
      let received = 0
      for (const one of active) received += receive(one)
      outbox.flush()
      if (received > 0) isBusy = true
      // Who does not answer at once has something to do in the event loop first.
      if (received > sent || performance.now() >= end) return isBusy
      // A batch that was not full was all that was there: asking at once would find nothing.
      if (received < SLOTS && !nap()) return isBusy
    }
  }
  const sleep = (on: Waiter): void => {
    active = active.filter((one) => {
      one.isActive = !on.add(one.fd, one.id)
      return one.isActive
    })
    quiet = 0
    if (active.length === 0) return
    // The system waits for no more of them (fs.epoll.max_user_watches).
    isScheduled = true
    setTimeout(turn, LOOK)
  }
  /** Sleeps for a moment; `true`: something came. */
  const nap = (): boolean => {
    let count = 0
    for (const one of active) {
      if (!one.isOpen || count === NAPPERS) continue
      fds.view.setInt32(count * POLLFD, one.fd, true)
      fds.view.setInt32(count * POLLFD + 4, POLLIN, true)
      count++
    }
    return count > 0 && quiet <= NAPS && libc.ppoll(fds, count, NAP) > 0
  }
  const wake = (woken: Uint32Array): void => {
    for (const id of woken) {
      const one = byId.get(id)
      if (one !== undefined) activate(one)
    }
  }

  /** Hands over what is there, and says how many those were. */
  const receive = (one: Open): number => {
    let received = 0
    for (let batch = 0; batch < BATCHES && one.isOpen; batch++) {
      const count = inbox.receive(one.fd, one.shape)
      if (count < 0) {
        const errno = libc.errno()
        if (errno !== EAGAIN && errno !== EINTR) one.failed(lastError(libc, "recvmmsg"))
        break
      }
      deliver(one, count)
      received += count
      if (count < SLOTS) break
    }
    return received
  }
  const deliver = (one: Open, count: number): void => {
    const { receiver, socket, shape } = one
    current = one
    for (let i = 0; i < count && one.isOpen; i++) {
      slot = i
      source = names.read(inbox.names, i * NAME_WORDS)
      const local = shape.isTold ? localOf(one, i) : socket.local
      receiver.receive({ bytes: inbox.bytes(i), source, local }, socket)
    }
    current = undefined
    source = undefined
  }
  /** Where a datagram was sent to; the same object while they are sent to the same. */
  const localOf = (one: Open, at: number): Endpoint => {
    const octets = inbox.controlLength(at)
    const words = at * CONTROL_WORDS
    if (isSameArrived(one.arrivedWords, inbox.controls, words, octets)) return one.arrivedAt
    one.arrivedWords.set(inbox.controls.subarray(words, words + one.arrivedWords.length))
    one.arrivedWords[0] = octets
    const arrived = readArrived(inbox.controls, words, octets)
    const { local } = one.socket
    one.arrived = arrived === undefined || isAny(arrived.address) ? undefined : arrived
    one.arrivedAt =
      one.arrived === undefined
        ? local
        : isLinkLocal6(one.arrived.address)
          ? { address: one.arrived.address, port: local.port, zone: zones.name(one.arrived.scope) }
          : { address: one.arrived.address, port: local.port }
    return one.arrivedAt
  }

  const fromOf = (one: Open, address: Address | undefined, scope: number): From | undefined => {
    if (address === undefined || !one.shape.isTold) return undefined
    if (one === current && one.arrived?.address === address) return one.arrived
    if (isAny(address) || isMulticast(address) || (one.family === 4 && !isIpv4(address))) return undefined
    // The system wants to know on which link.
    return isLinkLocal6(address) && scope === 0 ? undefined : { address, scope }
  }
  const send = (one: Open, bytes: Uint8Array, destination: Endpoint, from: Address | undefined): void => {
    if (!one.isOpen) return
    sent++
    if (destination === source && one === current)
      outbox.answer(one, bytes, inbox.names, slot * NAME_WORDS, fromOf(one, from, 0))
    else {
      if (one.family === 4 && !isIpv4(destination.address)) {
        one.failed({ code: "EAFNOSUPPORT", text: "this socket takes IPv4 only" })
        return
      }
      const { zone } = destination
      const scope = zone === undefined ? 0 : zones.index(zone)
      if (zone !== undefined && scope === 0) {
        one.failed({ code: "ENODEV", text: `no interface ${zone}` })
        return
      }
      outbox.put(one, bytes, destination, scope, fromOf(one, from, scope))
    }
    if (isTurning || isFlushing) return
    isFlushing = true
    queueMicrotask(flush)
  }

  const watch = (by: Waiter, one: Open): void => {
    if (by.add(one.fd, one.id)) return
    activate(one)
    schedule()
  }
  const attend = (added: Open): Waiter => {
    clearTimeout(linger)
    if (waiter !== undefined) {
      watch(waiter, added)
      return waiter
    }
    const fresh = startWaiter(libc, entry, {
      wake: (woken) => {
        wake(woken)
        if (!isScheduled) turn()
      },
      failed: () => {
        waiter = undefined
        for (const one of byId.values()) activate(one)
        schedule()
      },
    })
    waiter = fresh
    // One whose waiter has failed has sockets already, which are looked at.
    for (const one of byId.values()) if (!one.isActive) watch(fresh, one)
    return fresh
  }
  const leave = (one: Open): void => {
    outbox.end(one)
    one.isOpen = false
    byId.delete(one.id)
    waiter?.remove(one.fd)
    libc.close(one.fd)
    if (byId.size > 0 || waiter === undefined) return
    waiter.hold(false)
    linger = setTimeout(rest, LINGER)
    linger.unref()
  }
  const rest = (): void => {
    if (byId.size > 0) return
    clearTimeout(linger)
    waiter?.end()
    waiter = undefined
  }

  const bind = (options: BindOptions, receiver: Receiver): Result<UdpSocket> => {
    const { local, remote } = options
    const family = familyOf(local.address)
    const scopes = [local, remote].map((end) => (end?.zone === undefined ? 0 : zones.index(end.zone)))
    for (const [i, end] of [local, remote].entries())
      if (end?.zone !== undefined && scopes[i] === 0)
        return { ok: false, error: { code: "ENODEV", text: `no interface ${end.zone}` } }
    const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC
    const fd = libc.socket(family === 4 ? AF_INET : AF_INET6, type, 0)
    if (fd < 0) return { ok: false, error: lastError(libc, "socket") }
    const refuse = (error: UdpError): Result<UdpSocket> => {
      libc.close(fd)
      return { ok: false, error }
    }
    const isTold = isAny(local.address) && remote === undefined
    const unset = setOptions(libc, fd, options, isTold)
    if (unset !== undefined) return refuse(unset)
    const words = new Uint32Array(NAME_WORDS)
    const nameOf = (end: Endpoint, scope: number): Uint8Array =>
      new Uint8Array(words.buffer, 0, writeName(words, 0, family, end, scope))
    if (libc.bind(fd, nameOf(local, scopes[0])) < 0) return refuse(lastError(libc, "bind"))
    multicastFrom(libc, zones, fd, local)
    if (remote !== undefined && family === 4 && !isIpv4(remote.address))
      return refuse({ code: "EAFNOSUPPORT", text: "this socket takes IPv4 only" })
    if (remote !== undefined && libc.connect(fd, nameOf(remote, scopes[1])) < 0)
      return refuse(lastError(libc, "connect"))
    if (libc.getsockname(fd, new Uint8Array(words.buffer)) < 0) return refuse(lastError(libc, "getsockname"))
    const named = readName(words, 0, zones)
    const one = open(fd, family, local.zone === undefined ? named : { ...named, zone: local.zone }, receiver, {
      isConnected: remote !== undefined,
      isTold,
    })
    byId.set(one.id, one)
    const waiting = attend(one)
    waiting.hold(true)
    if (waiting.isReady()) return { ok: true, value: one.socket }
    // Until somebody waits, the thread looks itself.
    activate(one)
    schedule()
    return { ok: true, value: one.socket }
  }

  const open = (
    fd: number,
    family: 4 | 6,
    local: Endpoint,
    receiver: Receiver,
    { isConnected, isTold }: { readonly isConnected: boolean; readonly isTold: boolean },
  ): Open => {
    let closing: Promise<void> | undefined
    ids = ids === 0xffffffff ? 1 : ids + 1
    const member = (group: Address, name: string | undefined, isMember: boolean): Result<undefined> =>
      one.isOpen ? setMembership(libc, fd, family, group, name, isMember) : { ok: false, error: CLOSED }
    const socket: UdpSocket = {
      local,
      buffers: buffersOf(libc, fd),
      send: (bytes, destination, from) => send(one, bytes, destination, from),
      sendMany: (datagrams) => {
        for (const { bytes, destination, from } of datagrams) send(one, bytes, destination, from)
      },
      joinMulticast: async (group, name) => member(group, name, true),
      leaveMulticast: async (group, name) => member(group, name, false),
      close: () => {
        if (closing === undefined) {
          closing = Promise.resolve()
          leave(one)
        }
        return closing
      },
    }
    const one: Open = {
      id: ids,
      fd,
      family,
      shape: { family, isTold },
      isConnected,
      receiver,
      socket,
      isOpen: true,
      isActive: false,
      waiting: [],
      timer: undefined,
      arrivedWords: new Uint32Array(9).fill(0xffffffff),
      arrived: undefined,
      arrivedAt: local,
      failed: (error) =>
        queueMicrotask(() => {
          if (one.isOpen) receiver.error(error, socket)
        }),
    }
    return one
  }

  return {
    limits: [],
    // Slower than the engine's own where the other runtimes make a short array.
    ...("Deno" in globalThis ? { octets } : {}),
    bind: async (options, receiver) => bind(options, receiver),
    rest,
  }
}

/**
 * {@link createFastUdp} with the C library of this process; or why it is not to be had. `entry`: as there; left out, the file that is
 * beside this one in the sources.
 */
export const fastUdp = (
  entry: URL = new URL("./waiter-thread.ts", import.meta.url),
): { readonly ok: true; readonly value: FastUdp } | { readonly ok: false; readonly text: string } => {
  const libc = openLibc()
  return libc.ok ? { ok: true, value: createFastUdp(libc.value, entry) } : libc
}
