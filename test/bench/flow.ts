/**
 * Flows: a round trip through two layers against the same over bare sockets on the same runtime, allocations a second, and the memory of a
 * flow at 100,000. `node test/bench/flow.ts [seconds]`.
 */
import process from "node:process"
import { clock, entropy, udp } from "#runtime"
import { startFlowService } from "../../adapters/flow/index.ts"
import type { UdpSocket } from "../../adapters/udp.ts"
import { createFlowLayer, type FlowInput, type FlowLayer, stepFlow } from "../../core/flow/index.ts"
import { memoryBytes, open } from "../../core/table/index.ts"
import { parseAddress } from "../../core/wire/index.ts"

const seconds = Number(process.argv[2] ?? 2)
const WINDOW = 16
const address = parseAddress("127.0.0.1")
if (address === undefined) throw new Error("no address")
const local = { address, port: 0 }

/** Messages a second that come back, with so many under way. */
const bare = async (size: number): Promise<number> => {
  const echo = await udp.bind(
    { local },
    {
      receive: ({ bytes, source }, socket) => socket.send(bytes.slice(), source),
      error: () => {},
    },
  )
  let back = 0
  let done = false
  const message = new Uint8Array(size)
  const ask = await udp.bind(
    { local },
    {
      receive: (_, socket) => {
        back++
        if (!done && echo.ok) socket.send(message, echo.value.local)
      },
      error: () => {},
    },
  )
  if (!echo.ok || !ask.ok) throw new Error("cannot bind")
  const sockets: readonly UdpSocket[] = [echo.value, ask.value]
  for (let i = 0; i < WINDOW; i++) ask.value.send(message, echo.value.local)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  done = true
  await Promise.all(sockets.map((socket) => socket.close()))
  return back / seconds
}

const through = async (size: number): Promise<number> => {
  const [server, client] = await Promise.all(
    [1, 2].map(() => startFlowService({ udp, clock, entropy, local: [local] })),
  )
  if (server === undefined || client === undefined) throw new Error("no layer")
  void (async () => {
    for await (const request of server.flowAccept("bench")) {
      const flow = await request.accept()
      void (async () => {
        for await (const message of flow) await flow.write(message)
      })().catch(() => {})
    }
  })()
  const flow = await client.flowAlloc("bench", { to: { address, port: server.local[0]?.port } })
  const message = new Uint8Array(size)
  let back = 0
  for (let i = 0; i < WINDOW; i++) await flow.write(message)
  const end = performance.now() + seconds * 1000
  for await (const _ of flow) {
    back++
    if (performance.now() >= end) break
    await flow.write(message)
  }
  await Promise.all([client.close(), server.close()])
  return back / seconds
}

const print = (name: string, value: string): void => console.log(`${name.padEnd(44)} ${value}`)

for (const size of [64, 1400]) {
  const [one, other] = [await bare(size), await through(size)]
  print(`round trips of ${size} octets, bare sockets`, `${Math.round(one)}/s`)
  print(
    `round trips of ${size} octets, a flow`,
    `${Math.round(other)}/s, ${Math.round((other * size) / 1e3)} kB/s, ${Math.round((other / one) * 100)} %`,
  )
}

/** Two layers in memory: allocations a second, both sides and their octets with it. */
const COUNT = 100_000
const layer = (seed: number): FlowLayer => {
  const settings = { firstEid: 1, lastEid: 4 * COUNT, maxFlows: 2 * COUNT } as const
  const made = createFlowLayer({ seed: new Uint8Array(32).fill(seed), now: 0, settings })
  if (!made.ok) throw new Error(made.error.text)
  return made.layer
}
let [client, server] = [layer(1), layer(2)]
const peer = { address, port: 3435 }
const give = (one: FlowLayer, input: FlowInput): readonly [FlowLayer, Uint8Array | undefined] => {
  const [next, effects] = stepFlow(one, input)
  for (const effect of effects) if (effect.type === "send") return [next, effect.bytes]
  return [next, undefined]
}
const EMPTY = new Uint8Array(0)
server = give(server, { type: "create-name", now: 0, name: "bench" })[0]
server = give(server, { type: "register-name", now: 0, name: "bench" })[0]
const begun = performance.now()
for (let i = 0; i < COUNT; i++) {
  server = give(server, { type: "accept", now: 0, name: "bench", auto: true })[0]
  const [asking, request = EMPTY] = give(client, { type: "alloc", now: 0, name: "bench", peer })
  const datagram = { type: "datagram", now: 0, source: address, sourcePort: 3435 } as const
  const [answering, reply = EMPTY] = give(server, { ...datagram, bytes: request })
  server = answering
  client = give(asking, { ...datagram, bytes: reply })[0]
}
const took = (performance.now() - begun) / 1000
print(`flows allocated, ${COUNT}, both sides in memory`, `${Math.round(COUNT / took)}/s`)
for (const [name, one] of [
  ["client", client],
  ["server", server],
] as const)
  print(`memory of a flow at ${COUNT}, ${name}`, `${Math.round(memoryBytes(open(one.version)) / COUNT)} octets`)
