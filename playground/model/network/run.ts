import { sha256 } from "@noble/hashes/sha2.js"
import {
  type ClientEvent,
  type ClientInput,
  type ClientSettings,
  type ClientState,
  createClient,
  type Effect,
  type MappingRequest,
  type ProtocolChoice,
  step,
} from "../../../core/client/index.ts"
import { type Address, SERVER_PORT } from "../../../core/wire/index.ts"
import { toHex } from "../../../core/wire/text/index.ts"
import { factsOf } from "../capture/index.ts"
import { type Machine, type Made, makeMachine, machine as server } from "../replay/index.ts"
import { type CgnConfiguration, CLIENTS, SERVERS } from "../session/index.ts"
import { eventQueue } from "./event-queue.ts"
import { fateOf, type LinkSettings } from "./link.ts"
import { seededRandom } from "./random.ts"

/** Something done to the built-in client, or to its server. `at` is milliseconds. */
export type Act =
  | { readonly at: number; readonly type: "request"; readonly id: string; readonly request: MappingRequest }
  | { readonly at: number; readonly type: "revoke"; readonly id: string }
  /** The CGN forgets all its mappings and its epoch begins again; it announces that. */
  | { readonly at: number; readonly type: "restart" }
  /** The CGN is gone until the other instant, milliseconds: datagrams come to nothing. */
  | { readonly at: number; readonly type: "outage"; readonly until: number }

/** A client, its network, and the CGN that it asks. */
export interface Scenario {
  readonly configuration: CgnConfiguration
  readonly link: LinkSettings
  readonly acts: readonly Act[]
  /** Milliseconds until which it is run. */
  readonly until: number
  /** The client's own address; left out, the one that the configuration's preset serves. */
  readonly client?: Address
  readonly protocol?: ProtocolChoice
  readonly settings?: Partial<ClientSettings>
}

/** One datagram on the timeline. */
export interface Flight {
  readonly from: "client" | "server"
  readonly bytes: Uint8Array
  /** Milliseconds: sent; and arrived, `undefined` if it was lost, or found nobody. */
  readonly sent: number
  readonly arrived: number | undefined
  /** How often these octets were sent without an answer: 1 is the first, more are retransmissions. */
  readonly transmission: number
  readonly heldBack: boolean
}

/** What the timeline shows, in its order. Instants are milliseconds. */
export type Mark =
  | { readonly type: "act"; readonly at: number; readonly act: Act }
  | { readonly type: "flight"; readonly at: number; readonly flight: number }
  /** The client wanted to be woken, and was. */
  | { readonly type: "timer"; readonly at: number }
  | { readonly type: "event"; readonly at: number; readonly event: ClientEvent }

export interface Run {
  readonly flights: readonly Flight[]
  readonly marks: readonly Mark[]
  /** The client and the server after each mark, for looking at any moment. */
  readonly states: readonly { readonly at: number; readonly client: ClientState; readonly machine: Machine }[]
  readonly end: number
  /** More would have happened than is kept. */
  readonly cut: boolean
}

type Due =
  | { readonly type: "act"; readonly act: Act }
  | { readonly type: "to-server"; readonly flight: number }
  | { readonly type: "to-client"; readonly flight: number }
  | { readonly type: "wake" }
  | { readonly type: "server" }

/** Marks that are kept: a client that asks every second for a day has fewer. */
const MOST_MARKS = 100_000
const CLIENT_SOURCE_PORT = 49152

/**
 * Runs the client machine of the core against a CGN over a network that loses, delays and reorders: all of it computed, nothing
 * waits. The same scenario gives the same run.
 */
export const runScenario = (scenario: Scenario): Made<Run> => {
  const { configuration, link, acts, until, settings } = scenario
  const own = scenario.client ?? CLIENTS[configuration.kind]
  const gateway = SERVERS[configuration.kind]
  const made = makeMachine(configuration)
  if (!made.ok) return made
  const { protocol = "auto" } = scenario
  const created = createClient({
    seed: sha256(new TextEncoder().encode(`sallyport playground client ${configuration.seed} ${link.seed}`)),
    now: 0,
    servers: [{ name: "cgn", ends: [{ address: gateway, client: own }], protocol }],
    settings,
  })
  if (!created.ok) return { ok: false, text: created.error.text }

  const random = seededRandom(link.seed)
  const queue = eventQueue<Due>()
  const flights: Flight[] = []
  const marks: Mark[] = []
  const states: { at: number; client: ClientState; machine: Machine }[] = []
  const seen = new Map<string, { readonly octets: string; readonly count: number }>()
  let client = created.state
  let machine = made.value
  let wakeAt: number | undefined
  let serverAt: number | undefined
  let silentUntil = -1

  const fly = (from: Flight["from"], bytes: Uint8Array, at: number): void => {
    const fate = fateOf(link, random)
    const key = `${from}${exchangeOf(bytes)}`
    const before = seen.get(key)
    const transmission = before !== undefined && before.octets === toHex(bytes) ? before.count + 1 : 1
    seen.set(key, { octets: toHex(bytes), count: transmission })
    const flight = flights.length
    const arrived = fate.lost ? undefined : at + fate.takes
    flights.push({ from, bytes, sent: at, arrived, transmission, heldBack: !fate.lost && fate.heldBack })
    marks.push({ type: "flight", at, flight })
    if (arrived !== undefined) queue.put(arrived, { type: from === "client" ? "to-server" : "to-client", flight })
  }

  const follow = (effects: readonly Effect[], at: number): void => {
    for (const effect of effects) {
      if (effect.type === "send") fly("client", effect.bytes, at)
      else if (effect.type === "event") marks.push({ type: "event", at, event: effect.event })
      else {
        wakeAt = effect.at
        if (effect.at !== undefined) queue.put(effect.at, { type: "wake" })
      }
    }
  }

  const tell = (input: ClientInput): void => {
    const [after, effects] = step(client, input)
    client = after
    follow(effects, input.now)
  }

  const serverDue = (next: number | undefined): void => {
    if (next === undefined || (serverAt !== undefined && serverAt <= next)) return
    serverAt = next
    queue.put(next, { type: "server" })
  }

  const act = (what: Act): void => {
    const { at } = what
    marks.push({ type: "act", at, act: what })
    switch (what.type) {
      case "request":
        tell({ type: "request", now: at, id: what.id, request: what.request })
        break
      case "revoke":
        tell({ type: "revoke", now: at, id: what.id })
        break
      case "outage":
        silentUntil = Math.max(silentUntil, what.until)
        break
      case "restart": {
        const fresh = makeMachine(configuration, at)
        if (!fresh.ok) return
        const announced = server.announce(fresh.value, at)
        machine = announced.machine
        serverAt = undefined
        serverDue(announced.next)
      }
    }
  }

  const atServer = (flight: number, at: number): void => {
    if (at < silentUntil) {
      flights[flight] = { ...flights[flight], arrived: undefined }
      return
    }
    const { bytes } = flights[flight]
    const asked = server.request(machine, {
      bytes,
      now: at,
      source: own,
      sourcePort: CLIENT_SOURCE_PORT,
      side: "inside",
    })
    machine = asked.machine
    serverDue(asked.next)
    if (asked.reply !== undefined) fly("server", asked.reply, at)
  }

  for (const one of acts) queue.put(one.at, { type: "act", act: one })
  let cut = false
  for (let due = queue.take(); due !== undefined && due.at <= until; due = queue.take()) {
    const { at, event } = due
    if (marks.length >= MOST_MARKS) {
      cut = true
      break
    }
    switch (event.type) {
      case "act":
        act(event.act)
        break
      case "wake":
        if (wakeAt === undefined || at < wakeAt) continue
        wakeAt = undefined
        marks.push({ type: "timer", at })
        tell({ type: "tick", now: at })
        break
      case "to-server":
        atServer(event.flight, at)
        break
      case "to-client": {
        const { bytes } = flights[event.flight]
        // What is sent after an answer is a new request, though its octets may be the same.
        seen.delete(`client${exchangeOf(bytes)}`)
        tell({ type: "datagram", now: at, bytes, source: gateway, sourcePort: SERVER_PORT, local: own })
        break
      }
      case "server": {
        if (serverAt === undefined || at < serverAt) continue
        serverAt = undefined
        const passed = server.advance(machine, at)
        machine = passed.machine
        serverDue(passed.next)
        if (at >= silentUntil) for (const { bytes } of heardBy(passed.sent, own)) fly("server", bytes, at)
      }
    }
    states.push({ at, client, machine })
  }
  return { ok: true, value: { flights, marks, states, end: until, cut } }
}

/** What a request and its answer have in common: the nonce, or the opcode and what follows it. */
const exchangeOf = (bytes: Uint8Array): string => {
  const { nonce, opcode, internalPort, protocol } = factsOf(bytes)
  return nonce === "" ? `${protocol} ${opcode} ${internalPort}` : nonce
}

/** Of what a server sends of its own accord, what reaches the client: its own family's multicast once, and what is for it alone. */
const heardBy = (sent: readonly { readonly bytes: Uint8Array; readonly destination: Address }[], own: Address) => {
  const ipv4 = (address: Address): boolean => address.startsWith("\0\0\0\0\0\uffff")
  const isMulticast = (address: Address): boolean =>
    ipv4(address) ? address.charCodeAt(6) >>> 12 === 0xe : address.charCodeAt(0) >>> 8 === 0xff
  return sent.filter(({ destination }) =>
    isMulticast(destination) ? ipv4(destination) === ipv4(own) : destination === own,
  )
}
