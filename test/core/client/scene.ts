import assert from "node:assert/strict"
import type { CgnState } from "../../../core/cgn/index.ts"
import {
  type ClientEvent,
  type ClientInput,
  type ClientOptions,
  type ClientServer,
  type ClientState,
  type Command,
  createClient,
  type Effect,
  type InboundRequest,
  listLeases,
  type OutboundRequest,
  step,
} from "../../../core/client/index.ts"
import { createServer, process, type ServerState } from "../../../core/server/index.ts"
import { type Address, type Packet, Protocol, parse, parseAddress } from "../../../core/wire/index.ts"

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

export const CLIENT = address("192.168.1.10")
export const ROUTER = address("192.168.1.1")
export const EXTERNAL = address("203.0.113.7")
export const SEED = new Uint8Array(32).fill(7)

/** A request for TCP 8080, an hour. */
export const TCP_8080: InboundRequest = { kind: "inbound", protocol: Protocol.TCP, internalPort: 8080, lifetime: 3600 }

/** An outbound mapping: the way to one HTTPS server. */
export const PEER: OutboundRequest = {
  kind: "outbound",
  protocol: Protocol.TCP,
  internalPort: 4000,
  lifetime: 600,
  remote: address("198.51.100.7"),
  remotePort: 443,
}

export const router = (more: Partial<ClientServer> = {}): ClientServer => ({
  name: "router",
  ends: [{ address: ROUTER, client: CLIENT }],
  ...more,
})

const isOfType = <T extends ClientEvent["type"]>(
  event: ClientEvent,
  type: T,
): event is Extract<ClientEvent, { readonly type: T }> => event.type === type

/** What a client sent, and when, milliseconds. */
export interface Sent {
  readonly at: number
  readonly bytes: Uint8Array
  readonly to: Address
  readonly port: number
  readonly from: Address
}

/** Answers a datagram at an instant, with octets, or with nothing: a lost one, or a server that is not there. */
export type Responder = (sent: Sent) => readonly Uint8Array[]

/**
 * A client on a virtual clock. `tell` gives it an input; `run` lets time pass, waking it whenever it asked for that, and hands what it
 * sends to a responder, whose answers arrive after `delay` milliseconds.
 */
export const scene = (options: Partial<ClientOptions> = {}) => {
  const created = createClient({ seed: SEED, now: 0, servers: [router()], ...options })
  assert.ok(created.ok, created.ok ? "" : created.error.text)
  let state: ClientState = created.state
  let wake: number | undefined
  let now = options.now ?? 0
  const sent: Sent[] = []
  const events: { readonly at: number; readonly event: ClientEvent }[] = []
  const inbox: { readonly at: number; readonly bytes: Uint8Array; readonly source: Address; readonly port: number }[] =
    []
  let responder: Responder = () => []
  let delay = 10

  const perform = (effects: readonly Effect[]): void => {
    for (const effect of effects) {
      if (effect.type === "wake") wake = effect.at
      else if (effect.type === "event") events.push({ at: now, event: effect.event })
      else {
        const { address: to, port } = effect.destination
        const one = { at: now, bytes: effect.bytes, to, port, from: effect.from }
        sent.push(one)
        for (const bytes of responder(one)) inbox.push({ at: now + delay, bytes, source: to, port })
      }
    }
  }

  const give = (input: ClientInput): void => {
    const [after, effects] = step(state, input)
    state = after
    perform(effects)
  }

  const self = {
    state: () => state,
    /** What the client has and wants, as text of a mapping's state for each server. */
    states: () => listLeases(state).map(({ server, state: { kind } }) => `${server} ${kind}`),
    now: () => now,
    sent,
    events: () => events.map(({ event }) => event),
    timed: () => events,
    /** The events of one type so far. */
    told: <T extends ClientEvent["type"]>(type: T): readonly Extract<ClientEvent, { readonly type: T }>[] =>
      events.flatMap(({ event }) => (isOfType(event, type) ? [event] : [])),
    wake: () => wake,
    respond: (next: Responder, after = 10) => {
      responder = next
      delay = after
    },
    command: (command: Command) => give({ ...command, now }),
    give,
    /** A datagram now, from the router unless told otherwise. */
    datagram: (bytes: Uint8Array, source: Address = ROUTER, sourcePort = 5351) =>
      give({ type: "datagram", now, bytes, source, sourcePort }),
    /** A datagram that arrives so many milliseconds from now. */
    deliver: (bytes: Uint8Array, after: number, source: Address = ROUTER, port = 5351) => {
      inbox.push({ at: now + after, bytes, source, port })
    },
    /** Lets so many milliseconds pass. */
    run: (milliseconds: number) => {
      const until = now + milliseconds
      for (;;) {
        const arrival = inbox.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
        const next = Math.min(arrival, wake ?? Number.POSITIVE_INFINITY)
        if (next > until) break
        now = Math.max(now, next)
        const index = inbox.findIndex(({ at }) => at === arrival)
        if (arrival <= now && index >= 0) {
          const [{ bytes, source, port }] = inbox.splice(index, 1)
          give({ type: "datagram", now, bytes, source, sourcePort: port })
        } else give({ type: "tick", now })
      }
      now = until
    },
    /** The packets sent so far, read. */
    packets: (): readonly Packet[] =>
      sent.map(({ bytes }) => {
        const parsed = parse(bytes)
        assert.ok(parsed.ok)
        return parsed.packet
      }),
  }
  return self
}

/** The real server over a CGN, as a responder; `server()` is its state, which may be replaced. */
export const realServer = (
  external: readonly Address[] = [EXTERNAL],
  more: Partial<Parameters<typeof createServer>[0]> = {},
) => {
  const create = (now: number, other: Partial<Parameters<typeof createServer>[0]> = {}): ServerState<CgnState> => {
    const created = createServer({ ...more, ...other, external, secret: new Uint8Array(32).fill(3), now })
    assert.ok(created.ok, created.ok ? "" : created.error.text)
    return created.state
  }
  let server = create(0)
  return {
    server: () => server,
    /** All is forgotten, and Epoch Time begins anew; perhaps with other settings. */
    restart: (now: number, other: Partial<Parameters<typeof createServer>[0]> = {}) => {
      server = create(now, other)
    },
    respond: ({ at, bytes }: Sent): readonly Uint8Array[] => {
      const [after, { reply }] = process(server, { bytes, now: at, source: CLIENT, sourcePort: 40000 })
      server = after
      return reply === undefined ? [] : [reply]
    },
  }
}
