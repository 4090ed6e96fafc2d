/** The client under random octets: what comes of each is judged, and what it sent in all is held to its budget. */
import {
  type ClientInput,
  type ClientServer,
  type ClientState,
  createClient,
  DEFAULT_CLIENT_SETTINGS,
  type Effect,
  type MappingRequest,
  saveMappings,
  step,
} from "../../core/client/index.ts"
import { type Address, Protocol, parse } from "../../core/wire/index.ts"
import { natPmpAnswer, pcpAnswer } from "../core/client/gateway.ts"
import { burstOf } from "../core/client/siege.ts"
import { address, type Target } from "./target.ts"

/** Inputs between a client's start and its end. It divides the server's, so that ranges of a run start with a new client too. */
export const CLIENT_LIFE = 2000

const CLIENT = address("192.168.1.10")
const ENDS = ["192.168.1.1", "192.168.1.2"].map(address)
const STRANGER = address("10.9.9.9")

const requests = (life: number): readonly MappingRequest[] => [
  { kind: "inbound", protocol: Protocol.TCP, internalPort: 8080, lifetime: 3600 },
  { kind: "inbound", protocol: Protocol.UDP, internalPort: 4000, externalPort: 4000, lifetime: 600, description: "x" },
  {
    kind: "inbound",
    protocol: Protocol.TCP,
    internalPort: 2000,
    externalPort: 2000,
    lifetime: 120,
    preferFailure: true,
    filters: [{ remote: STRANGER, prefixLength: 32, remotePort: 0 }],
  },
  {
    kind: "inbound",
    protocol: Protocol.UDP,
    internalPort: 3000,
    lifetime: 300,
    portSet: { size: 8, parity: life % 2 === 0 },
  },
  { kind: "outbound", protocol: Protocol.UDP, internalPort: 5000, lifetime: 900, remote: STRANGER, remotePort: 53 },
]

/** A life of a client: its mappings under way, what it sent, and the clock. */
interface Life {
  state: ClientState
  now: number
  wake: number | undefined
  last: Uint8Array | undefined
  readonly sent: number[]
}

const begin = (life: number): Life => {
  const protocol = (["auto", "pcp", "nat-pmp"] as const)[life % 3]
  const server: ClientServer = {
    name: "router",
    ends: ENDS.slice(0, 1 + (life % 2)).map((end) => ({ address: end, client: CLIENT })),
    protocol,
    acceptResponsesFrom: life % 5 === 0 ? [STRANGER] : undefined,
  }
  const made = createClient({ seed: new Uint8Array(32).fill(life), now: 0, servers: [server] })
  if (!made.ok) throw new Error(made.error.text)
  const one: Life = { state: made.state, now: 0, wake: undefined, last: undefined, sent: [] }
  for (const [index, request] of requests(life).entries())
    give(one, { type: "request", id: `m${index}`, request, now: 0, mode: { kind: "keep" } })
  return one
}

/** One step; a text says what is wrong with what came of it. */
const give = (life: Life, input: ClientInput): string | undefined => {
  const [state, effects] = step(life.state, input)
  life.state = state
  const wake = effects.at(-1)
  if (wake?.type !== "wake") return "the last effect is no wake"
  if (wake.at !== undefined && !(wake.at >= state.now)) return `wakes at ${wake.at}, and it is ${state.now}`
  life.wake = wake.at
  for (const effect of effects) {
    const wrong = judge(life, effect)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const judge = (life: Life, effect: Effect): string | undefined => {
  if (effect.type !== "send") return undefined
  const { bytes, destination } = effect
  if (!parse(bytes).ok) return "sends what nobody can read"
  if (bytes.length > 1100 || (bytes[0] === 2 && bytes.length % 4 !== 0)) return `sends ${bytes.length} octets`
  if (!ENDS.includes(destination.address)) return "sends to a stranger"
  life.sent.push(life.now)
  life.last = bytes
  return undefined
}

/** A datagram that might be an answer: the fields of what was asked last, where those of the input were. */
const disguised = (bytes: Uint8Array, asked: Uint8Array | undefined, index: number): Uint8Array => {
  if (asked === undefined || index % 4 === 0) return bytes
  if (bytes.length > 1) bytes[1] |= 128
  if (asked[0] === 2 && bytes[0] === 2 && bytes.length >= 44) bytes.set(asked.subarray(24, 42), 24)
  if (asked[0] === 0 && bytes[0] === 0 && bytes.length >= 16 && asked.length >= 6) bytes.set(asked.subarray(4, 6), 8)
  return bytes
}

const endOf = (life: Life): string | undefined => {
  const { perSecond, burst } = DEFAULT_CLIENT_SETTINGS.serverBudget
  const most = burstOf(life.sent, perSecond)
  if (most > burst + 1e-6) return `${most} datagrams at once`
  // A day: five mappings and the address of a gateway, as often as a mapping's budget has it.
  if (life.sent.length > (6 * 0.25 * life.now) / 1000 + 6 * 6 + 64) return `${life.sent.length} datagrams`
  return undefined
}

/** Datagrams of random octets, between true answers, to a client with mappings of each kind under way; the clock goes on. */
export const clientTarget = (): Target => {
  let life = begin(0)
  return (bytes, index) => {
    if (index % CLIENT_LIFE === 0) {
      const wrong = endOf(life)
      if (wrong !== undefined) return wrong
      life = begin((index / CLIENT_LIFE) % 251)
    }
    life.now += index % 97 === 0 ? 40_000 : index % 200
    // The clock stops at each instant on the way that the client asked for.
    for (let ticks = 0; life.wake !== undefined && life.wake <= life.now; ticks++) {
      if (ticks > 10_000) return "goes round in circles"
      const { now } = life
      life.now = life.wake
      const wrong = give(life, { type: "tick", now: life.wake })
      life.now = now
      if (wrong !== undefined) return wrong
    }
    const source: Address = index % 50 === 0 ? STRANGER : ENDS[index % 7 === 0 ? 1 : 0]
    const { last } = life
    if (index % 31 === 0 && last !== undefined) {
      const epoch = 1000 + Math.floor(life.now / 1000)
      const truth = last[0] === 2 ? pcpAnswer(last, { epoch }) : natPmpAnswer(last, { epoch })
      return give(life, { type: "datagram", now: life.now, bytes: truth, source: ENDS[0], sourcePort: 5351 })
    }
    if (index % 501 === 0) return give(life, { type: "unreachable", now: life.now, address: ENDS[0], port: 5351 })
    const input: ClientInput = {
      type: "datagram",
      now: life.now,
      bytes: disguised(bytes, last, index),
      source,
      sourcePort: index % 40 === 0 ? 5350 : 5351,
    }
    if (index % 64 !== 0) return give(life, input)
    // An old state goes on to be what it was: the same input gives the same effects, and it can still be saved.
    const old = life.state
    const saved = JSON.stringify(saveMappings(old, life.now))
    const wrong = give(life, input)
    if (wrong !== undefined) return wrong
    const [again] = step(old, input)
    if (JSON.stringify(saveMappings(again, life.now)) !== JSON.stringify(saveMappings(life.state, life.now)))
      return "the same step came to something else"
    return JSON.stringify(saveMappings(old, life.now)) === saved ? undefined : "an old state has changed"
  }
}
