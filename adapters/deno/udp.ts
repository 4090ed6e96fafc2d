import { type Address, formatAddress, isAny, isIpv4, isLinkLocal6, isMulticast } from "../../core/wire/index.ts"
import { addressText, familyOf } from "../address-text.ts"
import { indexOf, interfaceNameOf, interfaceText, onLink, zoneNamer } from "../interface.ts"
import { octets } from "../octets.ts"
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
} from "../udp.ts"
import { interfaces } from "./interfaces.ts"
import { type DatagramConn, denoError, listenDatagram, type Membership, systemIndex } from "./net.ts"

/** {@link Udp} over `Deno.listenDatagram`; sockets that are not `isRef` do not keep the process running. */
const udpOver = (isRef: boolean): Udp => ({
  // Deno takes no reusePort of UDP, and its reuseAddress gives every datagram to the socket that came last.
  limits: ["destination", "connect", "ipv6-only", "buffers", "zone", "reuse-port"],
  octets,
  bind: async (options, receiver) => {
    const { local, remote, reuseAddress = false } = options
    if (options.reusePort === true) return { ok: false, error: NO_REUSE_PORT }
    const text = addressText(familyOf(local.address))
    try {
      const hostname = text.print(named(remote === undefined ? local : near(local, remote)))
      const raw = listenDatagram({ transport: "udp", hostname, port: local.port, reuseAddress, loopback: true })
      if (!isRef) raw.unref()
      return { ok: true, value: open(raw, options, receiver) }
    } catch (cause) {
      return { ok: false, error: denoError(cause) }
    }
  },
})

/**
 * {@link Udp} over `Deno.listenDatagram`, which wants `--unstable-net` and `--allow-net`; multicast by an interface's name wants
 * `--allow-sys=networkInterfaces`. `node:dgram` has more on Deno, but loses datagrams there, at a hundredth of the speed.
 */
export const denoUdp: Udp = udpOver(true)

/** The same, with sockets that do not keep the process running. */
export const unrefUdp: Udp = udpOver(false)

const named = zoneNamer(interfaces)

/** Deno connects no UDP socket, so the system chooses it no address: that of the same link is the one it would choose. */
const near = (local: Endpoint, remote: Endpoint): Endpoint => {
  const address = isAny(local.address) ? onLink(interfaces(), remote) : undefined
  if (address === undefined) return local
  return { address, port: local.port, zone: isLinkLocal6(address) ? (local.zone ?? remote.zone) : undefined }
}

/** Octets of the longest UDP payload. */
const LONGEST = 65507
/** Datagrams that wait for the system at most. */
const QUEUE = 65536

const open = (raw: DatagramConn, options: BindOptions, receiver: Receiver): UdpSocket => {
  const family = familyOf(options.local.address)
  const { remote, ipv6Only = true } = options
  const text = addressText(family)
  const bound = text.read(raw.addr.hostname, raw.addr.port)
  const zone = options.local.zone ?? (isLinkLocal6(bound.address) ? remote?.zone : undefined)
  const memberships = new Map<string, Membership>()
  const multicastZone = multicastFrom(family, bound.address, zone)
  /** Those from `next` on wait until the one under way has left. */
  let waiting: Outgoing[] = []
  let next = 0
  let isSending = false
  let idle = (): void => {}
  let closing: Promise<void> | undefined

  /** Errors reach the owner between other work, so that `send` never calls back into whoever is sending. */
  const later = (error: UdpError): void => {
    queueMicrotask(() => {
      if (closing === undefined) receiver.error(error, socket)
    })
  }

  const isHeard = (source: Endpoint): boolean => {
    if (family === 6 && ipv6Only && isIpv4(source.address)) return false
    return remote === undefined || (source.address === remote.address && source.port === remote.port)
  }

  const read = async (): Promise<void> => {
    const memory = new Uint8Array(LONGEST)
    while (closing === undefined) {
      try {
        const [bytes, from] = await raw.receive(memory)
        const source = text.read(from.hostname, from.port)
        if (closing !== undefined || !isHeard(source)) continue
        // Deno tells no zone: a socket bound to one hears from no other.
        const known = zone !== undefined && isLinkLocal6(source.address) ? { ...source, zone } : source
        receiver.receive({ bytes, source: known, local: socket.local }, socket)
      } catch (cause) {
        const error = denoError(cause)
        if (error.code === "CLOSED") return
        later(error)
      }
    }
  }

  /** One at a time: of those given at once Deno sends the last first. */
  const write = ({ bytes, destination }: Outgoing): void => {
    isSending = true
    try {
      if (family === 6 && ipv6Only && isIpv4(destination.address)) throw NO_IPV4
      raw.send(bytes, { transport: "udp", hostname: print(destination), port: destination.port }).then(sent, refused)
    } catch (cause) {
      refused(cause)
    }
  }

  const sent = (): void => {
    isSending = false
    if (next < waiting.length) write(waiting[next++])
    if (next > 0 && (next === waiting.length || next >= QUEUE)) {
      waiting = waiting.slice(next)
      next = 0
    }
    if (!isSending) idle()
  }

  const refused = (cause: unknown): void => {
    later(denoError(cause))
    queueMicrotask(sent)
  }

  const print = (destination: Endpoint): string =>
    destination.zone === undefined && multicastZone !== undefined && isMulticast(destination.address)
      ? text.print({ ...destination, zone: multicastZone })
      : text.print(named(destination))

  const socket: UdpSocket = {
    local: zone === undefined ? bound : { ...bound, zone },
    buffers: undefined,
    send: (bytes, destination) => {
      if (closing !== undefined) return
      const outgoing = { bytes, destination: remote ?? destination }
      if (!isSending) write(outgoing)
      else if (waiting.length - next < QUEUE) waiting.push(outgoing)
      else later({ code: "ENOBUFS", text: `${QUEUE} datagrams wait already` })
    },
    sendMany: (datagrams) => {
      for (const { bytes, destination } of datagrams) socket.send(bytes, destination)
    },
    joinMulticast: async (group, name = "") => {
      if (closing !== undefined) return { ok: false, error: CLOSED }
      try {
        const joined = await join(raw, family, group, name)
        if (joined.ok) memberships.set(`${group}${name}`, joined.value)
        return joined.ok ? { ok: true, value: undefined } : joined
      } catch (cause) {
        return { ok: false, error: denoError(cause) }
      }
    },
    leaveMulticast: async (group, name = "") => {
      if (closing !== undefined) return { ok: false, error: CLOSED }
      const membership = memberships.get(`${group}${name}`)
      if (membership === undefined) return { ok: false, error: { code: "EADDRNOTAVAIL", text: "not joined there" } }
      memberships.delete(`${group}${name}`)
      try {
        await membership.leave()
        return { ok: true, value: undefined }
      } catch (cause) {
        return { ok: false, error: denoError(cause) }
      }
    },
    close: () => {
      closing ??= (async () => {
        // What was sent before leaves before.
        if (isSending)
          await new Promise<void>((resolve) => {
            idle = resolve
          })
        raw.close()
        await reading
      })()
      return closing
    },
  }

  const reading = read()
  return socket
}

const NO_IPV4 = Object.assign(new Error("this socket takes IPv6 only"), { code: "ENETUNREACH" })

const join = async (raw: DatagramConn, family: 4 | 6, group: Address, name: string): Promise<Result<Membership>> => {
  const text = formatAddress(group)
  const at = name === "" ? (family === 4 ? "0.0.0.0" : "") : interfaceText(interfaces(), family, name)
  if (at !== undefined && family === 4) return { ok: true, value: await raw.joinMulticastV4(text, at) }
  const index = at === undefined || at === "" ? 0 : (indexOf(interfaces(), name) ?? systemIndex(name))
  if (at === undefined || index === undefined)
    return { ok: false, error: { code: "ENODEV", text: `no interface ${name} of this family` } }
  return { ok: true, value: await raw.joinMulticastV6(text, index) }
}

/** A socket bound to one address multicasts on that address's interface: of IPv4 the system does so itself. */
const multicastFrom = (family: 4 | 6, address: Address, zone: string | undefined): string | undefined => {
  if (family === 4 || isAny(address)) return undefined
  try {
    return zone ?? interfaceNameOf(interfaces(), address)
  } catch {
    // Deno may not tell: the system's choice stands.
    return undefined
  }
}
