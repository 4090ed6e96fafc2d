/**
 * A load generator of many hosts, run by Bun: each has an address of 127.0.0.0/8, a socket of its own and a window of MAP requests under way
 * to a server on 127.0.0.1. Arguments: port, seconds, hosts, mappings of each, window of each, the server's process. Prints one line of JSON.
 *
 * All mappings are made before the clock starts, or it says that this took too long; what is counted are renewals.
 */

import { cpuSeconds } from "./cpu.ts"

interface BunSocket {
  sendMany(parts: readonly (Uint8Array | number | string)[]): number
}
declare const Bun: {
  udpSocket(options: {
    readonly hostname: string
    readonly socket: { data(socket: BunSocket, bytes: Uint8Array): void; error(): void }
  }): Promise<BunSocket>
}

const [port, seconds, hostCount, mappings, window, server] = process.argv.slice(2).map(Number)
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")
/** RFC 6887 figure 9: UDP, 3600 s, no suggestion. */
const requestOf = (host: number, number: number): Uint8Array => {
  const own = `00000000000000000000ffff7f0001${hex(host, 2)}`
  const nonce = hex(host * 65536 + number, 24)
  const text = `0201000000000e10${own}${nonce}11000000${hex(2000 + number, 4)}0000${"00".repeat(10)}ffff00000000`
  return Uint8Array.from(Buffer.from(text, "hex"))
}

let answered = 0
let refused = 0
const hosts = await Promise.all(
  Array.from({ length: hostCount }, async (_, i) => {
    const host = i + 1
    const requests = Array.from({ length: mappings }, (_, number) => requestOf(host, number))
    const state = { underWay: 0, next: 0, heard: 0, requests }
    const socket = await Bun.udpSocket({
      hostname: `127.0.1.${host}`,
      socket: {
        data: (_, bytes) => {
          answered++
          state.heard++
          state.underWay--
          if (bytes[3] !== 0) refused++
        },
        // Nobody listens yet, or no more: what is lost is made up for.
        error: () => {},
      },
    })
    return { socket, state }
  }),
)

const fill = (): void => {
  for (const { socket, state } of hosts) {
    const batch: (Uint8Array | number | string)[] = []
    for (; state.underWay < window; state.underWay++) {
      batch.push(state.requests[state.next], port, "127.0.0.1")
      state.next = (state.next + 1) % mappings
    }
    if (batch.length > 0) socket.sendMany(batch)
  }
}

/** Keeps the windows full until `done`. What is lost is made up for: nothing heard for 50 ms empties a host's window. */
const run = async (done: () => boolean): Promise<void> => {
  const heard = hosts.map(() => 0)
  let looked = performance.now()
  while (!done()) {
    fill()
    if (performance.now() - looked > 50) {
      for (const [i, { state }] of hosts.entries()) {
        if (state.heard === heard[i]) state.underWay = 0
        heard[i] = state.heard
      }
      looked = performance.now()
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Milliseconds until the mappings must be there and the server's code compiled. */
const WARM_UP = 6000

const began = performance.now()
const wanted = Math.max(2 * hostCount * mappings, 8_000)
await run(() => answered >= wanted || performance.now() - began > WARM_UP)
if (answered < wanted) {
  console.log(JSON.stringify({ cold: answered }))
  process.exit(0)
}
refused = 0
const from = answered
const spent = cpuSeconds(server)
const start = performance.now()
await run(() => performance.now() - start >= seconds * 1000)
const rate = (answered - from) / ((performance.now() - start) / 1000)
const cpu = ((cpuSeconds(server) - spent) / (answered - from)) * 1e6
console.log(JSON.stringify({ rate, refused, cpu }))
process.exit(0)
