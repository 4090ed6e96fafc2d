/**
 * The overload, run by Bun: measures what a PCP server on 127.0.0.1 can take, sends several times as much for a while, then asks
 * politely again; every answer is held to its request. Arguments: port, factor, seconds, the server's process. Prints one line
 * of JSON, a {@link Flooded}.
 */

import { readFileSync } from "node:fs"
import { KINDS, type Kind, makeRequests, Witness } from "./witness.ts"

interface BunSocket {
  sendMany(parts: readonly (Uint8Array | number | string)[]): number
  send(bytes: Uint8Array, port: number, address: string): boolean
}
declare const Bun: {
  udpSocket(options: {
    readonly hostname: string
    readonly socket: { data(socket: BunSocket, bytes: Uint8Array): void }
  }): Promise<BunSocket>
}

export interface Flooded {
  /** Answers a second when asked by a window of 64: what the server can take. */
  readonly capacity: number
  /** Requests a second sent in the overload, and answers a second. */
  readonly sent: number
  readonly answered: number
  /** Microseconds of processor time that the server spent on an answer: asked by the window, and in the overload. */
  readonly cpu: readonly [number, number]
  /** Answers that were not what their request must have, over the whole run; what was wrong with the first. */
  readonly wrong: number
  readonly firstWrong: string
  /** Answers by kind of request in the overload. */
  readonly kinds: Readonly<Record<Kind, number>>
  /** The server's resident memory, MiB: before, at its most in the overload, after. */
  readonly memory: readonly [number, number, number]
  /** Milliseconds from the last request of the overload to the first answer to a new one. */
  readonly recovery: number
  /** Milliseconds that one request at a time takes, median and 99th of 100: before, and in the first second after. */
  readonly before: readonly [number, number]
  readonly after: readonly [number, number]
}

const [port, factor, seconds, server] = process.argv.slice(2).map(Number)
const HOST = "127.0.0.1"
const WINDOW = 64
const WARM = 20_000

const requests = makeRequests()
const witness = new Witness(requests)
const socket = await Bun.udpSocket({
  hostname: HOST,
  socket: { data: (_, bytes) => witness.hear(bytes) },
})

/** Lets answers come in. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

let next = 0
const sendSome = (count: number): void => {
  const batch: (Uint8Array | number | string)[] = []
  for (let i = 0; i < count; i++) {
    batch.push(requests[next].bytes, port, HOST)
    next = (next + 1) % requests.length
  }
  if (batch.length > 0) socket.sendMany(batch)
}

/** Keeps a window of requests under way until `done`: as fast as the server answers, and no faster. */
const ask = async (done: () => boolean): Promise<void> => {
  let heard = witness.answered
  let sent = 0
  let quiet = performance.now()
  const from = witness.answered
  while (!done()) {
    if (witness.answered !== heard) {
      heard = witness.answered
      quiet = performance.now()
    } else if (performance.now() - quiet > 50) {
      // Lost: nothing more will come.
      sent = heard - from
      quiet = performance.now()
    }
    const room = WINDOW - (sent - (heard - from))
    sendSome(room)
    sent += Math.max(0, room)
    await breathe()
  }
}

/** Milliseconds of `count` requests, one at a time, a millisecond apart; one not answered in a second counts as that. */
const probe = async (count: number): Promise<readonly number[]> => {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const heard = witness.answered
    const start = performance.now()
    sendSome(1)
    while (witness.answered === heard && performance.now() - start < 1000) await breathe()
    times.push(performance.now() - start)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return times.sort((a, b) => a - b)
}

const summary = (sorted: readonly number[]): readonly [number, number] => [
  sorted[sorted.length >> 1],
  sorted[Math.floor(0.99 * sorted.length)],
]

/** Seconds of processor time that the server has used, or NaN where there is no /proc; 100 ticks a second on every common Linux. */
const cpuSeconds = (): number => {
  try {
    const fields = readFileSync(`/proc/${server}/stat`, "utf8").split(") ")[1].split(" ")
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return Number.NaN
  }
}

/** MiB resident, or NaN where there is no /proc. */
const memory = (): number => {
  try {
    const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server}/status`, "utf8"))
    return line === null ? Number.NaN : Number(line[1]) / 1024
  } catch {
    return Number.NaN
  }
}

// All mappings made, both sides' code compiled.
await ask(() => witness.answered >= Math.max(3 * requests.length, WARM))
const start = performance.now()
const first = witness.answered
const spent = cpuSeconds()
await ask(() => performance.now() - start >= seconds * 1000)
const capacity = (witness.answered - first) / ((performance.now() - start) / 1000)
const cpu = ((cpuSeconds() - spent) / (witness.answered - first)) * 1e6
const before = summary(await probe(100))
const memoryBefore = memory()

// The overload: an open loop, which does not wait for anybody. Batches are small, so that the rate is even.
const rate = capacity * factor
const from = performance.now()
const answeredBefore = witness.answered
const spentBefore = cpuSeconds()
const kindsBefore = { ...witness.kinds }
let sent = 0
let most = memoryBefore
let looked = from
for (;;) {
  const now = performance.now()
  if (now - from >= seconds * 1000) break
  const due = Math.min(512, Math.floor(((now - from) / 1000) * rate) - sent)
  sendSome(due)
  sent += Math.max(0, due)
  if (now - looked > 50) {
    most = Math.max(most, memory())
    looked = now
  }
  await breathe()
}
const ended = performance.now()
const length = (ended - from) / 1000
const answered = witness.answered - answeredBefore
const overloadCpu = ((cpuSeconds() - spentBefore) / answered) * 1e6
const kinds = Object.fromEntries(KINDS.map((kind) => [kind, witness.kinds[kind] - kindsBefore[kind]]))

// A request of a kind of its own: its answer is told from those still on their way.
const recovery = await witness.fresh((bytes) => socket.send(bytes, port, HOST), ended)
const after = summary(await probe(100))
// What was granted before the overload must still be there, each with its own end.
const end = witness.answered + 2 * requests.length
await ask(() => witness.answered >= end)
console.log(
  JSON.stringify({
    capacity,
    sent: sent / length,
    answered: answered / length,
    cpu: [cpu, overloadCpu],
    wrong: witness.wrong,
    firstWrong: witness.firstWrong,
    kinds,
    memory: [memoryBefore, most, memory()],
    recovery,
    before,
    after,
  }),
)
process.exit(0)
