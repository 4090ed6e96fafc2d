import type { Clock } from "../../adapters/host.ts"
import type { BindOptions, Datagram, Endpoint, Outgoing, Receiver, Udp, UdpSocket } from "../../adapters/udp.ts"

/** A clock that moves when a test says so. */
export const fakeClock = () => {
  let now = 0
  let timers: { at: number; call: () => void }[] = []
  let armed = 0
  const clock: Clock = {
    now: () => now,
    after: (delay, call) => {
      armed++
      const timer = { at: now + delay, call }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  }
  return {
    clock,
    /** How many timers were ever set. */
    armed: () => armed,
    pending: () => timers.map((timer) => timer.at),
    /** Moves to `at`, calling what falls due on the way, each at its own time. */
    moveTo: (at: number): void => {
      for (;;) {
        const due = timers.filter((timer) => timer.at <= at).sort((a, b) => a.at - b.at)[0]
        if (due === undefined) break
        timers = timers.filter((timer) => timer !== due)
        now = Math.max(now, due.at)
        due.call()
      }
      now = at
    },
    /** Fires the earliest timer before its time, as runtimes do by a fraction of a millisecond. */
    fireEarly: (): void => {
      const first = timers.sort((a, b) => a.at - b.at).shift()
      first?.call()
    },
  }
}

/** UDP whose sockets a test feeds, and whose sends it reads. `refuse` names the port that can't be bound. */
export const fakeUdp = (refuse?: number) => {
  const sockets: { options: BindOptions; receiver: Receiver; socket: UdpSocket; sent: Outgoing[]; open: boolean }[] = []
  const udp: Udp = {
    limits: [],
    bind: async (options, receiver) => {
      if (options.local.port === refuse) return { ok: false, error: { code: "EADDRINUSE", text: "taken" } }
      const sent: Outgoing[] = []
      const socket: UdpSocket = {
        local: options.local,
        buffers: { receive: 0, send: 0 },
        send: (bytes, destination) => {
          sent.push({ bytes, destination })
        },
        sendMany: (many) => {
          sent.push(...many)
        },
        joinMulticast: async () => ({ ok: true, value: undefined }),
        leaveMulticast: async () => ({ ok: true, value: undefined }),
        close: async () => {
          entry.open = false
        },
      }
      const entry = { options, receiver, socket, sent, open: true }
      sockets.push(entry)
      return { ok: true, value: socket }
    },
  }
  const deliver = (index: number, source: Endpoint, bytes: Uint8Array): void => {
    const { receiver, socket } = sockets[index]
    const datagram: Datagram = { bytes, source, local: socket.local }
    receiver.receive(datagram, socket)
  }
  return { udp, sockets, deliver }
}
