import { Buffer } from "node:buffer"
import { createSocket, type Socket, type SocketOptions } from "node:dgram"
import { performance } from "node:perf_hooks"
import process from "node:process"
import { type Address, formatAddress, isAny, isIpv4 } from "../../core/wire/index.ts"
import { addressText, familyOf } from "../address-text.ts"
import { interfaceNameOf, interfaceText, zoneNamer } from "../interface.ts"
import {
  type BindOptions,
  CLOSED,
  type Endpoint,
  NO_REUSE_PORT,
  type Receiver,
  type Result,
  type Udp,
  type UdpError,
  type UdpSocket,
  udpError,
} from "../udp.ts"
import { interfaces } from "./interfaces.ts"

const isSince = (version: string, [major, minor]: readonly [number, number]): boolean => {
  const [ownMajor, ownMinor] = version.split(".").map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

/** Systems on which libuv has SO_REUSEPORT share a load, and since when Node asks for it: 22.12, and 23.1 of those between. */
const isSharing =
  ["linux", "freebsd", "dragonfly", "aix", "sunos"].includes(process.platform) &&
  isSince(process.versions.node, [22, 12]) &&
  !process.versions.node.startsWith("23.0.")

/** {@link Udp} over `node:dgram`; sockets that are not `isRef` do not keep the process running. */
const udpOver = (isRef: boolean): Udp => ({
  limits: isSharing ? ["destination"] : ["destination", "reuse-port"],
  bind: (options, receiver) =>
    new Promise((resolve) => {
      if (options.reusePort === true && !isSharing) {
        resolve({ ok: false, error: NO_REUSE_PORT })
        return
      }
      let raw: Socket
      try {
        raw = createSocket(socketOptions(options))
        if (!isRef) raw.unref()
      } catch (cause) {
        resolve({ ok: false, error: udpError(cause) })
        return
      }
      const refuse = (cause: unknown): void => {
        raw.removeAllListeners().on("error", () => {})
        raw.close()
        resolve({ ok: false, error: udpError(cause) })
      }
      const accept = (): void => {
        raw.removeAllListeners()
        try {
          resolve({ ok: true, value: open(raw, options, receiver) })
        } catch (cause) {
          refuse(cause)
        }
      }
      const { local, remote } = options
      const text = addressText(familyOf(local.address))
      raw.once("error", refuse)
      try {
        raw.bind({ address: text.print(named(local)), port: local.port, exclusive: true }, () => {
          if (remote === undefined) accept()
          // Without the listener Node reports a failed connect as an "error", which `refuse` takes.
          else raw.once("connect", accept).connect(remote.port, text.print(named(remote)))
        })
      } catch (cause) {
        refuse(cause)
      }
    }),
})

/** {@link Udp} over `node:dgram`. */
export const nodeUdp: Udp = udpOver(true)

/** The same, with sockets that do not keep the process running. */
export const unrefUdp: Udp = udpOver(false)

/** Node looks each destination up, and tells whoever asks only in the next turn: 10 % of an echo server's speed. */
const lookup: SocketOptions["lookup"] = (host, _options, callback) => callback(null, host, 0)

const socketOptions = (options: BindOptions): SocketOptions => {
  const { local, ipv6Only = true, reuseAddress = false, reusePort = false } = options
  const shared = { reuseAddr: reuseAddress, reusePort, lookup }
  // The system refuses ipv6Only on an IPv4 socket.
  return familyOf(local.address) === 4 ? { ...shared, type: "udp4" } : { ...shared, type: "udp6", ipv6Only }
}

/**
 * The octets in Node's pool of buffers. V8 keeps a small array such as a reply inside its heap and would have to move it out to
 * show it to the system: measured a tenth of a send more than this copy.
 */
const pooled = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length > POOLED) return bytes
  const copy = Buffer.allocUnsafe(bytes.length)
  copy.set(bytes)
  return copy
}

/** Largest array that V8 keeps inside its heap, octets. */
const POOLED = 64

/** Milliseconds in which one checked datagram stands for the others. */
const CHECK = 1
/** Octets that every path carries (RFC 8200 section 5): longer ones are always checked. */
const SAFE = 1232

const open = (raw: Socket, options: BindOptions, receiver: Receiver): UdpSocket => {
  const family = familyOf(options.local.address)
  const text = addressText(family)
  if (options.receiveBuffer !== undefined) raw.setRecvBufferSize(options.receiveBuffer)
  if (options.sendBuffer !== undefined) raw.setSendBufferSize(options.sendBuffer)
  multicastFrom(raw, family, named(options.local))
  const bound = raw.address()
  const local = text.read(bound.address, bound.port)
  const connected = options.remote !== undefined
  let closing: Promise<void> | undefined

  /** Errors reach the owner between other work, so that `send` never calls back into whoever is sending. */
  const later = (error: UdpError): void => {
    queueMicrotask(() => {
      if (closing === undefined) receiver.error(error, socket)
    })
  }

  const sent = (cause: Error | null): void => {
    if (cause !== null) later(udpError(cause))
  }
  let checked = Number.NEGATIVE_INFINITY
  /**
   * Without a callback Node swallows what the system says of a datagram, and with one each costs a turn of its task queue, a tenth
   * of an echo server's speed. So in a flood one datagram in a while stands for those beside it.
   */
  const isChecked = (bytes: Uint8Array): boolean => {
    const now = performance.now()
    if (now - checked < CHECK && bytes.length <= SAFE) return false
    checked = now
    return true
  }

  const membership = (
    group: Address,
    name: string | undefined,
    change: (group: string, at: string | undefined) => void,
  ): Result<undefined> => {
    if (closing !== undefined) return { ok: false, error: CLOSED }
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
    local: options.local.zone === undefined ? local : { ...local, zone: options.local.zone },
    buffers: { receive: raw.getRecvBufferSize(), send: raw.getSendBufferSize() },
    send: (bytes, destination) => {
      if (family === 4 && !isIpv4(destination.address)) {
        // Node would call it an invalid argument.
        later({ code: "EAFNOSUPPORT", text: "this socket takes IPv4 only" })
        return
      }
      try {
        const callback = isChecked(bytes) ? sent : undefined
        const octets = pooled(bytes)
        if (connected) raw.send(octets, callback)
        else raw.send(octets, destination.port, text.print(named(destination)), callback)
      } catch (cause) {
        later(udpError(cause))
      }
    },
    sendMany: (datagrams) => {
      for (const { bytes, destination } of datagrams) socket.send(bytes, destination)
    },
    joinMulticast: async (group, name) => membership(group, name, (text, at) => raw.addMembership(text, at)),
    leaveMulticast: async (group, name) => membership(group, name, (text, at) => raw.dropMembership(text, at)),
    close: () => {
      closing ??= new Promise((resolve) => raw.close(resolve))
      return closing
    },
  }

  raw.on("message", (bytes, from) => {
    receiver.receive({ bytes, source: text.read(from.address, from.port), local: socket.local }, socket)
  })
  raw.on("error", (cause) => later(udpError(cause)))
  return socket
}

const named = zoneNamer(interfaces)

/** A socket bound to one address multicasts on that address's interface; the system would take that of its default route. */
const multicastFrom = (raw: Socket, family: 4 | 6, { address, zone }: Endpoint): void => {
  if (isAny(address)) return
  try {
    if (family === 4) raw.setMulticastInterface(formatAddress(address))
    else {
      const name = zone ?? interfaceNameOf(interfaces(), address)
      if (name !== undefined) raw.setMulticastInterface(`::%${name}`)
    }
  } catch {
    // Such an interface can't multicast: the system's choice stands, and a send says what is wrong.
  }
}
