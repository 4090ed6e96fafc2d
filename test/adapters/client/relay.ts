import { createSocket, type Socket } from "node:dgram"
import { after } from "node:test"

const left = new Set<Socket>()
after(() => {
  for (const socket of left) socket.close()
})

const bound = async (address: string, port = 0): Promise<Socket> => {
  const socket = createSocket("udp4")
  left.add(socket)
  await new Promise<void>((resolve) => socket.bind(port, address, resolve))
  return socket
}

/** What becomes of the n-th datagram of one direction, from 0: copies of it, each after so many milliseconds; none is a loss. */
export type Fate = (n: number, direction: "there" | "back") => readonly number[]

/**
 * A router on 127.0.0.1 before a server of the same address: loses, delays and doubles what a test says. `answerFrom` answers from
 * another address of the same port, as routers that share an address do.
 */
export const startRelay = async (server: number, fate: Fate, answerFrom?: string) => {
  const inside = await bound("127.0.0.1")
  const { port } = inside.address()
  const other = answerFrom === undefined ? inside : await bound(answerFrom, port)
  const clients = new Map<string, Socket>()
  const counts = { there: 0, back: 0 }
  const timers = new Set<NodeJS.Timeout>()
  const deliver = (direction: "there" | "back", send: () => void): void => {
    for (const delay of fate(counts[direction]++, direction)) {
      const timer = setTimeout(() => {
        timers.delete(timer)
        send()
      }, delay)
      timers.add(timer)
    }
  }
  const outside = async (from: string, address: string, clientPort: number): Promise<Socket> => {
    const known = clients.get(from)
    if (known !== undefined) return known
    const socket = await bound("127.0.0.1")
    clients.set(from, socket)
    socket.on("message", (bytes) => deliver("back", () => other.send(bytes, clientPort, address)))
    return socket
  }
  inside.on("message", async (bytes, { address, port: clientPort }) => {
    const socket = await outside(`${address} ${clientPort}`, address, clientPort)
    deliver("there", () => socket.send(bytes, server, "127.0.0.1"))
  })
  return {
    text: `127.0.0.1:${port}`,
    counts,
    stop: () => {
      for (const timer of timers) clearTimeout(timer)
      for (const socket of new Set([inside, other, ...clients.values()])) {
        left.delete(socket)
        socket.close()
      }
    },
  }
}
