import type { BindOptions, Receiver, Udp, UdpSocket } from "../../adapters/udp.ts"
import type { Address } from "../../core/wire/index.ts"
import { address, type Device } from "../vectors/device.ts"

export const SERVER = { address: address("10.0.0.254"), port: 5351 }

/** What a server does to a request: `undefined` is no answer. */
export type Serve = (request: Uint8Array, source: Address, sourcePort: number) => Uint8Array | undefined

/** A device as a server, its clock that of the machine. */
export const serveBy = (device: Device): Serve => {
  const start = Date.now()
  return (bytes, source, sourcePort) => device.process({ bytes, now: Date.now() - start, source, sourcePort }).reply
}

/** A network with one server on it, without a socket: what is sent to it is answered in the next turn. */
export const networkOf = (serve: Serve) => {
  let port = 40_000
  let open = 0
  const udp: Udp = {
    limits: [],
    bind: async (options: BindOptions, receiver: Receiver) => {
      const local = { ...options.local, port: port++ % 65536 }
      let closed = false
      open++
      const socket: UdpSocket = {
        local,
        buffers: { receive: 0, send: 0 },
        send: (bytes) => {
          const reply = serve(bytes, local.address, local.port)
          if (reply !== undefined)
            queueMicrotask(() => {
              if (!closed) receiver.receive({ bytes: reply, source: SERVER, local }, socket)
            })
        },
        sendMany: (datagrams) => {
          for (const { bytes, destination } of datagrams) socket.send(bytes, destination)
        },
        joinMulticast: async () => ({ ok: true, value: undefined }),
        leaveMulticast: async () => ({ ok: true, value: undefined }),
        close: async () => {
          closed = true
          open--
        },
      }
      return { ok: true, value: socket }
    },
  }
  return { udp, open: () => open }
}
