/**
 * The load generator, run by Bun, whose sockets are twice as fast as Node's: keeps a window of MAP requests under way to a server
 * on 127.0.0.1 and counts the answers. Arguments: port, seconds, mappings, window, the server's process. Prints one line of JSON.
 *
 * All mappings are made before the clock starts, each with an internal port or protocol of its own; what is counted are renewals.
 */

import { cpuSeconds } from "./cpu.ts"

interface BunSocket {
  sendMany(parts: readonly (Uint8Array | number | string)[]): number
}
declare const Bun: {
  udpSocket(options: {
    readonly hostname: string
    readonly socket: { data(socket: BunSocket, bytes: Uint8Array): void }
  }): Promise<BunSocket>
}

const [port, seconds, mappings, window, server] = process.argv.slice(2).map(Number)
const MAP = "02010000 00000e10 00000000000000000000ffff7f000001"
const EXTERNAL = "0000 00000000000000000000ffff00000000"
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")
const requests = Array.from({ length: mappings }, (_, i) => {
  const [protocol, internal] = [i % 2 === 0 ? "06" : "11", 1024 + (i >>> 1)]
  const text = `${MAP} ${hex(i + 1, 24)} ${protocol}000000 ${hex(internal, 4)} ${EXTERNAL}`
  return Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"))
})

/** Answers before the clock starts, at least: an engine compiles what runs often in several steps, on the same core as it runs. */
const WARM = 300_000

let answered = 0
let refused = 0
let underWay = 0
const socket = await Bun.udpSocket({
  hostname: "127.0.0.1",
  socket: {
    data: (_, bytes) => {
      answered++
      underWay--
      // An answer has the R bit; an echo has not.
      if (bytes[1] >= 128 && bytes[3] !== 0) refused++
    },
  },
})

let next = 0
const fill = (limit: number): void => {
  const batch: (Uint8Array | number | string)[] = []
  for (; underWay < limit; underWay++) {
    batch.push(requests[next], port, "127.0.0.1")
    next = (next + 1) % requests.length
  }
  if (batch.length > 0) socket.sendMany(batch)
}

/** Keeps the window full until `done`. What is lost is made up for: nothing heard for 50 ms empties the window. */
const run = async (done: () => boolean): Promise<void> => {
  let heard = answered
  let quiet = performance.now()
  while (!done()) {
    if (answered !== heard) {
      heard = answered
      quiet = performance.now()
    } else if (performance.now() - quiet > 50) {
      underWay = 0
      quiet = performance.now()
    }
    fill(window)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

// Twice over all mappings: made, and the server's code compiled.
await run(() => answered >= Math.max(2 * mappings, WARM))
refused = 0
const from = answered
const spent = cpuSeconds(server)
const start = performance.now()
await run(() => performance.now() - start >= seconds * 1000)
const rate = (answered - from) / ((performance.now() - start) / 1000)
const cpu = ((cpuSeconds(server) - spent) / (answered - from)) * 1e6
console.log(JSON.stringify({ rate, refused, cpu }))
process.exit(0)
