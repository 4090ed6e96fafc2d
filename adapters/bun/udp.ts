import { type Address, formatAddress, isAny } from "../../core/wire/index.ts"
import { addressText, familyOf } from "../address-text.ts"
import { interfaceNameOf, interfaceText, zoneNamer } from "../interface.ts"
import {
  type BindOptions,
  CLOSED,
  type Endpoint,
  NO_REUSE_PORT,
  type Outgoing,
  type Receiver,
  type Result,
  type Udp,
  type UdpError,
  type UdpSocket,
  udpError,
} from "../udp.ts"
import { bufferSizes, isSizing } from "./buffer-size.ts"
import { interfaces } from "./interfaces.ts"
import { type BunSocket, flagsOf, isIcmp, udpSocket } from "./net.ts"

/** {@link Udp} over `Bun.udpSocket`; sockets that are not `isRef` do not keep the process running. */
const udpOver = (isRef: boolean): Udp => ({
  // Of Linux both are known.
  limits: isSizing ? ["destination"] : ["destination", "buffers", "reuse-port"],
  bind: async (options, receiver) => {
    const { local, remote, ipv6Only = true, reuseAddress = false, reusePort = false } = options
    if (reusePort && !isSizing) return { ok: false, error: NO_REUSE_PORT }
    const family = familyOf(local.address)
    const text = addressText(family)
    let socket: Opened | undefined
    try {
      const hostname = text.print(named(local))
      const raw = await udpSocket({
        hostname,
        port: local.port,
        ...(remote === undefined ? {} : { connect: { hostname: text.print(named(remote)), port: remote.port } }),
        flags: flagsOf(family === 6 && ipv6Only, reuseAddress, reusePort),
        socket: {
          data: (_, bytes, port, from) => socket?.heard(bytes, port, from),
          drain: () => socket?.drained(),
          error: (...told) => socket?.failed(told.at(-1)),
        },
      })
      if (!isRef) raw.unref()
      try {
        socket = open(raw, options, receiver)
      } catch (cause) {
        raw.close()
        throw cause
      }
      return { ok: true, value: socket.socket }
    } catch (cause) {
      return { ok: false, error: udpError(cause) }
    }
  },
})

/** {@link Udp} over `Bun.udpSocket`. */
export const bunUdp: Udp = udpOver(true)

/** The same, with sockets that do not keep the process running. */
export const unrefUdp: Udp = udpOver(false)

/** A socket, and what Bun tells it. */
interface Opened {
  readonly socket: UdpSocket
  heard(bytes: Uint8Array, port: number, from: string): void
  drained(): void
  failed(cause: unknown): void
}

const named = zoneNamer(interfaces)

/** Datagrams handed to the system in one call, at most. */
const BATCH = 64
/** Datagrams that wait for the system at most. */
const QUEUE = 65536
/** How often a datagram is tried that the system refuses: a refusal may be of one before it. */
const TRIES = 3

const open = (raw: BunSocket, options: BindOptions, receiver: Receiver): Opened => {
  const family = familyOf(options.local.address)
  const text = addressText(family)
  multicastFrom(raw, family, options.local)
  const bound = text.read(raw.address.address, raw.address.port)
  const connected = options.remote !== undefined
  let waiting: Outgoing[] = []
  let isClosed = false

  /** Errors reach the owner between other work, so that `send` never calls back into whoever is sending. */
  const later = (error: UdpError): void => {
    queueMicrotask(() => {
      if (!isClosed) receiver.error(error, socket)
    })
  }

  /** `false`: the system's queue is full. What the system refuses is lost, and told. */
  const give = ({ bytes, destination }: Outgoing): boolean => {
    for (let tried = 1; ; tried++) {
      try {
        return connected ? raw.send(bytes) : raw.send(bytes, destination.port, text.print(named(destination)))
      } catch (cause) {
        // An ICMP error about another datagram fails the next one, which has not been sent.
        if (tried < TRIES) continue
        later(udpError(cause))
        return true
      }
    }
  }

  const wait = (outgoing: Outgoing): void => {
    if (waiting.length < QUEUE) waiting.push(outgoing)
    else later({ code: "ENOBUFS", text: `${QUEUE} datagrams wait already` })
  }

  /** How many of these went in one call, from the first on. */
  const giveMany = (datagrams: readonly Outgoing[]): number => {
    try {
      return raw.sendMany(
        connected
          ? datagrams.map(({ bytes }) => bytes)
          : datagrams.flatMap(({ bytes, destination }) => [bytes, destination.port, text.print(named(destination))]),
      )
    } catch {
      // The first is given by itself, which says what is wrong.
      return 0
    }
  }

  const membership = (
    group: Address,
    name: string | undefined,
    change: (group: string, at: string | undefined) => void,
  ): Result<undefined> => {
    if (isClosed) return { ok: false, error: CLOSED }
    const at = name === undefined ? undefined : interfaceText(interfaces(), family, name)
    if (name !== undefined && at === undefined)
      return { ok: false, error: { code: "ENODEV", text: `no interface ${name} of this family` } }
    try {
      change(text.print({ address: group, port: 0 }), at)
      return { ok: true, value: undefined }
    } catch (cause) {
      return { ok: false, error: udpError(cause) }
    }
  }

  const socket: UdpSocket = {
    local: options.local.zone === undefined ? bound : { ...bound, zone: options.local.zone },
    buffers: bufferSizes(raw.fd, options),
    send: (bytes, destination) => {
      if (isClosed) return
      const outgoing = { bytes, destination }
      if (waiting.length > 0 || !give(outgoing)) wait(outgoing)
    },
    sendMany: (datagrams) => {
      let next = 0
      while (!isClosed && next < datagrams.length) {
        if (waiting.length === 0) next += giveMany(datagrams.slice(next, next + BATCH))
        // The one that ended the batch, or waits behind others.
        const outgoing = datagrams[next++]
        if (outgoing !== undefined) socket.send(outgoing.bytes, outgoing.destination)
      }
    },
    joinMulticast: async (group, name) => membership(group, name, (text, at) => raw.addMembership(text, at)),
    leaveMulticast: async (group, name) => membership(group, name, (text, at) => raw.dropMembership(text, at)),
    close: async () => {
      if (isClosed) return
      isClosed = true
      raw.close()
    },
  }

  return {
    socket,
    heard: (bytes, port, from) => {
      if (!isClosed) receiver.receive({ bytes, source: text.read(from, port), local: socket.local }, socket)
    },
    drained: () => {
      if (waiting.length === 0 || isClosed) return
      let given = 0
      while (given < waiting.length && give(waiting[given])) given++
      waiting = waiting.slice(given)
    },
    failed: (cause) => {
      if (connected || !isIcmp(cause)) later(udpError(cause))
    },
  }
}

/** A socket bound to one address multicasts on that address's interface; the system would take that of its default route. */
const multicastFrom = (raw: BunSocket, family: 4 | 6, local: Endpoint): void => {
  const { address, zone } = local
  if (isAny(address)) return
  try {
    if (family === 4) raw.setMulticastInterface(formatAddress(address))
    else {
      const name = zone === undefined ? interfaceNameOf(interfaces(), address) : named(local).zone
      if (name !== undefined) raw.setMulticastInterface(`::%${name}`)
    }
  } catch {
    // Such an interface can't multicast: the system's choice stands, and a send says what is wrong.
  }
}
