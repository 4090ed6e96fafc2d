import { type Address, isLinkLocal6 } from "../../../core/wire/index.ts"
import type { Datagram, Endpoint, Receiver, Udp, UdpSocket } from "../../udp.ts"
import { createBatch, type Forwarded, readBatch } from "./forward.ts"

/** The way to one other worker: what it posts arrives there in order. */
export interface Peer {
  post(message: PeerMessage): void
}

/** Datagrams for their owner; or from it, how many of those that it got it has dealt with. */
export type PeerMessage = { readonly batch: Uint8Array<ArrayBuffer> } | { readonly done: number }

export interface RouteOptions {
  readonly udp: Udp
  /** This worker's number. */
  readonly number: number
  /** By number; nobody stands at this worker's own. */
  readonly peers: readonly (Peer | undefined)[]
  /** The number of the worker whose the sender of a datagram is. */
  readonly owner: (datagram: Datagram) => number
  /** Calls when what arrives now has been heard. */
  readonly soon: (call: () => void) => void
}

export interface Route {
  /** Sockets of this hear what is this worker's alone, whichever worker the system gave it to. */
  readonly udp: Udp
  /** What came from the worker of that number. */
  hear(from: number, message: PeerMessage): void
  /** Until then nothing is heard: a server that will not come up answers nobody. */
  open(): void
}

/** Datagrams that may be under way to one owner: as much as a socket's own queue holds, more or less; those over it are lost. */
const UNDER_WAY = 4096

/** A socket that each of the workers has. */
interface Shared {
  readonly socket: UdpSocket
  readonly receiver: Receiver
}

/**
 * The {@link Udp} of one of several workers that share each address and port (SO_REUSEPORT). The system spreads datagrams by
 * a hash of both ends, so that those of one host reach several workers: each hands what is another's over, in batches, and the owner
 * hears it as if it had come to its own socket of that address, from which it answers.
 */
export const createRoute = ({ udp, number, peers, owner, soon }: RouteOptions): Route => {
  // Those of an attempt to listen that failed are not in it: another worker may not have made it.
  let sockets: Shared[] = []
  const batches = peers.map(() => createBatch())
  const underWay = peers.map(() => 0)
  let isOpen = false
  let isFlushing = false

  const flush = (): void => {
    isFlushing = false
    for (const [to, batch] of batches.entries()) if (batch.count > 0) peers[to]?.post({ batch: batch.take() })
  }

  const forward = (to: number, forwarded: Forwarded): void => {
    if (underWay[to] >= UNDER_WAY) return
    underWay[to]++
    batches[to].add(forwarded)
    if (isFlushing) return
    isFlushing = true
    soon(flush)
  }

  return {
    udp: {
      limits: udp.limits,
      bind: async (options, receiver) => {
        let own: Shared | undefined
        const bound = await udp.bind(options, {
          receive: (datagram, socket) => {
            if (!isOpen || own === undefined) return
            const to = owner(datagram)
            if (to === number) receiver.receive(datagram, socket)
            else {
              const { source, local, bytes } = datagram
              forward(to, { socket: sockets.indexOf(own), source, local: local.address, bytes })
            }
          },
          error: (error, socket) => receiver.error(error, socket),
        })
        if (!bound.ok) return bound
        const socket: UdpSocket = {
          ...bound.value,
          close: () => {
            sockets = sockets.filter((one) => one !== own)
            return bound.value.close()
          },
        }
        own = { socket, receiver }
        sockets.push(own)
        return { ok: true, value: socket }
      },
    },
    hear: (from, message) => {
      if ("done" in message) {
        underWay[from] -= message.done
        return
      }
      const done = readBatch(message.batch, ({ socket: index, source, local, bytes }) => {
        const { socket, receiver } = sockets[index] ?? {}
        if (!isOpen || socket === undefined) return
        const datagram: Datagram = { bytes, source, local: endAt(socket, local, source) }
        // While other settings come into force one worker may have them and another not yet: the client asks again.
        if (owner(datagram) === number) receiver?.receive(datagram, socket)
      })
      peers[from]?.post({ done })
    },
    open: () => {
      isOpen = true
    },
  }
}

/** Where another worker's datagram was sent to: of a link-local address it is the link of its sender. */
const endAt = ({ local }: UdpSocket, address: Address, { zone }: Endpoint): Endpoint => {
  if (local.address === address) return local
  const end = { address, port: local.port }
  return zone === undefined || !isLinkLocal6(address) ? end : { ...end, zone }
}
