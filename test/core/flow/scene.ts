/** Layers on a network in memory whose every datagram the test sees, and may lose, repeat, delay or make up. */
import assert from "node:assert/strict"
import {
  createFlowLayer,
  type FlowEffect,
  type FlowEnd,
  type FlowEvent,
  type FlowInput,
  type FlowLayer,
  type FlowSettings,
  type FlowStateName,
  listFlows,
  stepFlow,
} from "../../../core/flow/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { address } from "../wire/vectors.ts"

export const end = (text: string, port: number): FlowEnd => ({ address: address(text), port })
export const CLIENT: FlowEnd = end("192.0.2.1", 3435)
export const SERVER: FlowEnd = end("192.0.2.2", 3435)
export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export interface Sent {
  readonly from: FlowEnd
  readonly to: FlowEnd
  readonly bytes: Uint8Array
}

/** A command or a datagram without its instant: the scene has the clock. */
type Untimed<T> = T extends unknown ? Omit<T, "now"> : never
export type Timeless = Untimed<FlowInput>

/** One layer at an end, with what it has said so far. */
export interface Peer {
  readonly at: FlowEnd
  layer(): FlowLayer
  /** Gives an input, and everything that comes of it. */
  give(input: Timeless): readonly FlowEffect[]
  /** The number of the flow that a command made. */
  flow(input: Timeless): number
  /** The events since this was last asked. */
  events(): readonly FlowEvent[]
  /** The last `result`, as its error or "ok". */
  result(): string
  stateOf(flow: number): FlowStateName | undefined
}

export interface Scene {
  now(): number
  /** Lets time go by, up to every wake. */
  pass(milliseconds: number): void
  peer(at: FlowEnd, settings?: Partial<FlowSettings>, seed?: number): Peer
  /** What is under way, oldest first; taking it out is what loses it. */
  readonly wire: Sent[]
  /** Delivers all that is under way, and all that comes of it. */
  settle(): void
  /** Delivers one datagram to whoever is there. */
  deliver(sent: Sent): void
}

const keyOf = ({ address: at, port }: FlowEnd): string => `${formatAddress(at)} ${port}`

export const scene = (start = 1000): Scene => {
  let now = start
  const wire: Sent[] = []
  const peers: { readonly peer: Peer; readonly wake: () => number | undefined }[] = []
  /** Who has which address and port: sockets of the first form have one each. */
  const sockets = new Map<string, { readonly peer: Peer; readonly socket: number }>()
  let nextPort = 50000

  const peer = (at: FlowEnd, settings: Partial<FlowSettings> = {}, seed = 1): Peer => {
    const made = createFlowLayer({ seed: new Uint8Array(32).fill(seed), now, settings })
    assert.ok(made.ok, made.ok ? "" : made.error.text)
    let layer = made.layer
    let wake: number | undefined
    let events: FlowEvent[] = []
    let result = "none"
    const own = new Map<number, FlowEnd>([[0, at]])
    const give = (input: Timeless): readonly FlowEffect[] => {
      const [next, effects] = stepFlow(layer, { ...input, now })
      layer = next
      for (const effect of effects)
        switch (effect.type) {
          case "send":
            wire.push({ from: own.get(effect.socket) ?? assert.fail(), to: effect.destination, bytes: effect.bytes })
            break
          case "open": {
            const local = { address: at.address, port: nextPort++ }
            own.set(effect.socket, local)
            sockets.set(keyOf(local), { peer: self, socket: effect.socket })
            break
          }
          case "close":
            sockets.delete(keyOf(own.get(effect.socket) ?? at))
            own.delete(effect.socket)
            break
          case "event":
            events.push(effect.event)
            break
          case "result":
            result = effect.ok ? "ok" : effect.error
            break
          case "wake":
            wake = effect.at
        }
      return effects
    }
    const self: Peer = {
      at,
      layer: () => layer,
      give,
      flow: (input) => {
        const [made] = give(input).flatMap((effect) => (effect.type === "result" ? [effect] : []))
        assert.ok(made?.ok, made?.ok === false ? made.text : "no result")
        return made.flow
      },
      events: () => {
        const said = events
        events = []
        return said
      },
      result: () => result,
      stateOf: (flow) => listFlows(layer).find((one) => one.flow === flow)?.state,
    }
    sockets.set(keyOf(at), { peer: self, socket: 0 })
    peers.push({ peer: self, wake: () => wake })
    return self
  }

  const deliver = ({ from, to, bytes }: Sent): void => {
    const there = sockets.get(keyOf(to))
    there?.peer.give({
      type: "datagram",
      socket: there.socket,
      bytes: bytes.slice(),
      source: from.address,
      sourcePort: from.port,
    })
  }

  const settle = (): void => {
    for (let one = wire.shift(); one !== undefined; one = wire.shift()) deliver(one)
  }

  return {
    now: () => now,
    pass: (milliseconds) => {
      const goal = now + milliseconds
      for (;;) {
        const next = Math.min(...peers.map(({ wake }) => wake() ?? Infinity))
        if (next > goal) break
        now = Math.max(now, next)
        for (const { peer: one, wake } of peers) if ((wake() ?? Infinity) <= now) one.give({ type: "tick" })
      }
      now = goal
    },
    peer,
    wire,
    settle,
    deliver,
  }
}

/** A client and a server that serves `name`. */
export const pair = (settings: Partial<FlowSettings> = {}, name = "oecho") => {
  const there = scene()
  const port = settings.form === "first" ? 3359 : 3435
  const client = there.peer({ ...CLIENT, port }, settings, 1)
  const server = there.peer({ ...SERVER, port }, settings, 2)
  server.give({ type: "create-name", name })
  server.give({ type: "register-name", name })
  return { there, client, server, name }
}

/** A flow that both have: the numbers of it on each side. */
export const allocated = (
  { there, client, server, name }: ReturnType<typeof pair>,
  more: { readonly timeout?: number } = {},
): { readonly here: number; readonly far: number } => {
  const far = server.flow({ type: "accept", name, auto: true })
  const here = client.flow({ type: "alloc", name, peer: server.at, ...more })
  there.settle()
  assert.deepEqual([client.stateOf(here), server.stateOf(far)], ["ALLOCATED", "ALLOCATED"])
  client.events()
  server.events()
  return { here, far }
}

export const types = (events: readonly FlowEvent[]): readonly string[] =>
  events.map((event) =>
    event.type === "dropped"
      ? `dropped ${event.reason}`
      : event.type === "failed" || event.type === "down"
        ? `${event.type} ${event.error}`
        : event.type,
  )
