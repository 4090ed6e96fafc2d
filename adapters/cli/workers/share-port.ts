import { isMulticast } from "../../../core/wire/index.ts"
import type { Udp, UdpSocket } from "../../udp.ts"

/** The sockets of the only one of them. */
export const alone = (udp: Udp): Udp => udp

/** Every socket shares its address and port with those of the other workers. */
export const sharing = (udp: Udp): Udp => ({
  limits: udp.limits,
  bind: (options, receiver) => udp.bind({ ...options, reusePort: true }, receiver),
})

/**
 * The same for the first of them: it has each end for itself before it shares it, so that one that somebody else has is refused
 * as ever, another server's workers among them, and has the system choose the ports that are 0.
 */
export const claiming = (udp: Udp): Udp => ({
  limits: udp.limits,
  bind: async (options, receiver) => {
    const alone = await udp.bind(options, { receive: () => {}, error: () => {} })
    if (!alone.ok) return alone
    const { port } = alone.value.local
    await alone.value.close()
    return sharing(udp).bind({ ...options, local: { ...options.local, port } }, receiver)
  },
})

/** Sockets that multicast only when they may: one worker announces for all (RFC 6887 section 14.1.3). */
export const multicastWhen = (udp: Udp, may: () => boolean): Udp => ({
  limits: udp.limits,
  bind: async (options, receiver) => {
    const bound = await udp.bind(options, receiver)
    return bound.ok ? { ok: true, value: gated(bound.value, may) } : bound
  },
})

const gated = (socket: UdpSocket, may: () => boolean): UdpSocket => ({
  ...socket,
  send: (bytes, destination, from) => {
    if (!isMulticast(destination.address) || may()) socket.send(bytes, destination, from)
  },
  sendMany: (datagrams) =>
    socket.sendMany(datagrams.filter(({ destination }) => !isMulticast(destination.address) || may())),
})
