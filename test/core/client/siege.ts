import assert from "node:assert/strict"
import {
  type ClientEvent,
  type ClientInput,
  type ClientOptions,
  type ClientState,
  type Command,
  createClient,
  step,
} from "../../../core/client/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import { ROUTER, router, SEED, type Sent } from "./scene.ts"

/** What an adversary does: a datagram, from the router unless it says otherwise, an ICMP error, or what the caller wants. */
export type Move =
  | { readonly kind: "datagram"; readonly bytes: Uint8Array; readonly source?: Address; readonly port?: number }
  | { readonly kind: "unreachable"; readonly address: Address }
  | { readonly kind: "command"; readonly command: Command }

/** A move so many milliseconds later. */
export interface Later {
  readonly after: number
  readonly move: Move
}

export interface Attack {
  /** What comes of a datagram that the client sent. */
  readonly answer: (sent: Sent) => readonly Later[]
  /** What comes by itself each so many milliseconds. */
  readonly every?: { readonly milliseconds: number; readonly moves: (now: number) => readonly Move[] }
}

export interface Siege {
  readonly options?: Partial<ClientOptions> | undefined
  readonly commands: readonly Command[]
  readonly attack: Attack
  /** Milliseconds. */
  readonly duration: number
}

/** Steps at one instant without an input of the adversary's: a client that needs more goes round in circles. */
const MOST_STEPS_AT_ONCE = 5000

/**
 * Lets a client be attacked on a virtual clock, and writes down what it sent. Unlike `scene` it keeps no events but their number
 * by type, and takes its inputs from a queue in order of time: days of ten datagrams a second pass in seconds.
 */
export const besiege = ({ options = {}, commands, attack, duration }: Siege) => {
  const created = createClient({ seed: SEED, now: 0, servers: [router()], ...options })
  assert.ok(created.ok, created.ok ? "" : created.error.text)
  let state: ClientState = created.state
  let wake: number | undefined
  let now = 0
  let steps = 0
  const sent: Sent[] = []
  const counts = new Map<ClientEvent["type"], number>()
  // In order of time; an adversary has few moves under way.
  const queue: { readonly at: number; readonly move: Move }[] = []

  const schedule = ({ after, move }: Later): void => {
    const at = now + after
    let index = queue.length
    while (index > 0 && queue[index - 1].at > at) index--
    queue.splice(index, 0, { at, move })
  }

  const give = (input: ClientInput): void => {
    const [next, effects] = step(state, input)
    steps++
    state = next
    for (const effect of effects) {
      if (effect.type === "wake") {
        assert.ok(effect.at === undefined || effect.at >= now, `wakes at ${effect.at}, and it is ${now}`)
        wake = effect.at
      } else if (effect.type === "event") counts.set(effect.event.type, (counts.get(effect.event.type) ?? 0) + 1)
      else {
        const { address: to, port } = effect.destination
        const one = { at: now, bytes: effect.bytes, to, port, from: effect.from }
        sent.push(one)
        for (const later of attack.answer(one)) schedule(later)
      }
    }
    assert.equal(effects.at(-1)?.type, "wake")
  }

  const perform = (move: Move): void => {
    if (move.kind === "command") give({ ...move.command, now })
    else if (move.kind === "unreachable") give({ type: "unreachable", now, address: move.address, port: 5351 })
    else
      give({ type: "datagram", now, bytes: move.bytes, source: move.source ?? ROUTER, sourcePort: move.port ?? 5351 })
  }

  for (const command of commands) perform({ kind: "command", command })
  const { every } = attack
  let beat = every?.milliseconds ?? Number.POSITIVE_INFINITY
  let ticksAtOnce = 0
  for (;;) {
    const move = queue[0]?.at ?? Number.POSITIVE_INFINITY
    const next = Math.min(move, beat, wake ?? Number.POSITIVE_INFINITY)
    if (next > duration) break
    ticksAtOnce = next > now ? 0 : ticksAtOnce + 1
    now = Math.max(now, next)
    if (move <= now) {
      ticksAtOnce = 0
      const first = queue.shift()
      if (first !== undefined) perform(first.move)
    } else if (beat <= now) {
      for (const one of every?.moves(now) ?? []) perform(one)
      beat += every?.milliseconds ?? Number.POSITIVE_INFINITY
    } else give({ type: "tick", now })
    assert.ok(ticksAtOnce < MOST_STEPS_AT_ONCE, `goes round in circles at ${now}`)
  }
  return { sent, counts, steps, state, wake, now: duration }
}

/**
 * The smallest burst with which all windows hold `burst + perSecond * t` datagrams at most, from the instants alone. For the window
 * from datagram i to datagram j it is j - i + 1 - perSecond * (t_j - t_i); the largest over all i for each j is a running one.
 */
export const burstOf = (instants: readonly number[], perSecond: number): number => {
  let least = Number.POSITIVE_INFINITY
  let burst = 0
  for (const [index, at] of instants.entries()) {
    const height = index - (perSecond * at) / 1000
    least = Math.min(least, height)
    burst = Math.max(burst, height - least + 1)
  }
  return burst
}

/** The most datagrams in any window of so many milliseconds. */
export const mostIn = (instants: readonly number[], milliseconds: number): number => {
  let most = 0
  let from = 0
  for (const [index, at] of instants.entries()) {
    while (at - instants[from] >= milliseconds) from++
    most = Math.max(most, index - from + 1)
  }
  return most
}

/** What a datagram is about: a mapping, by its nonce or by NAT-PMP's protocol and port, or an errand. */
export const subjectOf = ({ bytes }: Sent): string => {
  const hex = (from: number, to: number) =>
    [...bytes.subarray(from, to)].map((octet) => octet.toString(16).padStart(2, "0")).join("")
  if (bytes[0] === 2) return bytes[1] === 0 ? "announce" : `pcp ${hex(24, 36)}`
  return bytes[1] === 0 ? "address" : `nat-pmp ${bytes[1]} ${hex(4, 6)}`
}
