import { encodeVxlan, parseVxlan } from "../../core/overlay/index.ts"
import type { Endpoint, Receiver, Udp, UdpError, UdpSocket } from "../udp.ts"
import { OverlayError } from "./overlay-error.ts"

/** Whoever takes the VXLAN of one vnetid; the frame is valid during the call only. */
export type MuxUser = (frame: Uint8Array, source: Endpoint) => void

/** A socket that VXLAN of several vnetids comes and goes by. */
export interface Mux {
  /** Where it listens. */
  readonly local: Endpoint
  /** By vnetid. */
  readonly users: Map<number, MuxUser>
  /** Encapsulates and sends. */
  send(vnetid: number, frame: Uint8Array, destination: Endpoint): void
  close(): Promise<void>
}

/** What muxes tell. */
export interface MuxListener {
  noVxlan(): void
  unknownVnetid(): void
  socketError(local: Endpoint, error: UdpError): void
}

/** Octets asked of the system for datagrams that were not read yet: frames come in bursts. */
const BUFFER = 4 * 1024 * 1024

/** Opens one, or rejects with an OverlayError. */
export const openMux = async (udp: Udp, local: Endpoint, listener: MuxListener): Promise<Mux> => {
  const users = new Map<number, MuxUser>()
  const receiver: Receiver = {
    receive: ({ bytes, source }) => {
      const parsed = parseVxlan(bytes)
      if (!parsed.ok) {
        listener.noVxlan()
        return
      }
      const user = users.get(parsed.value.vnetid)
      if (user === undefined) listener.unknownVnetid()
      else user(parsed.value.frame, source)
    },
    error: (error, socket) => listener.socketError(socket.local, error),
  }
  const bound = await udp.bind({ local, receiveBuffer: BUFFER }, receiver)
  if (!bound.ok)
    throw new OverlayError(bound.error.code === "EADDRINUSE" ? "EADDRINUSE" : "EIO", `cannot bind: ${bound.error.text}`)
  const socket: UdpSocket = bound.value
  return {
    local: socket.local,
    users,
    send: (vnetid, frame, destination) => {
      const encoded = encodeVxlan({ vnetid, frame })
      if (encoded.ok) socket.send(encoded.bytes, destination)
    },
    close: () => socket.close(),
  }
}
