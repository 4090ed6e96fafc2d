/** A CGN of the network in memory: its PCP server and its translator over one state, and a router that leads to several. */
import assert from "node:assert/strict"
import type { Change, Passage, Passed, Side } from "../../../../core/cgn/index.ts"
import { adopt, advance, apply, process, type ServerState } from "../../../../core/server/index.ts"
import { addr } from "../packet/build.ts"
import { address } from "../packet/scene.ts"
import { datagramOf, packetOf, plain } from "./host.ts"
import type { Network, Receive } from "./network.ts"

export class Gateway<S> {
  server: ServerState<S>
  /** All changes since the first state. */
  readonly changes: Change[] = []
  /** Reasons of what did not pass, in order. */
  readonly dropped: string[] = []
  private readonly first: ServerState<S>
  private readonly network: Network
  private readonly own: string
  private readonly translate: (state: S, passage: Passage) => Passed<S>
  private readonly ways: Record<Side, Receive> = { inside: () => {}, outside: () => {} }

  /** `own` is where its PCP server listens, inside. */
  constructor(
    network: Network,
    own: string,
    server: ServerState<S>,
    translate: (state: S, passage: Passage) => Passed<S>,
  ) {
    this.network = network
    this.own = own
    this.server = server
    this.first = server
    this.translate = translate
  }

  /** Where packets for a side go. */
  lead(side: Side, way: Receive): void {
    this.ways[side] = way
  }

  readonly fromInside: Receive = (bytes) => {
    const datagram = datagramOf(bytes)
    if (datagram?.destination === plain(this.own)) this.serve(bytes)
    else this.carry(bytes, "inside")
  }

  readonly fromOutside: Receive = (bytes) => this.carry(bytes, "outside")

  private serve(bytes: Uint8Array): void {
    const datagram = datagramOf(bytes)
    if (datagram?.destinationPort !== 5351) return
    const { source, sourcePort, data } = datagram
    const request = { bytes: data, now: this.network.now, source: parsed(source), sourcePort }
    const [state, { reply, changes, next }] = process(this.server, request)
    this.keep(state, changes, next)
    if (reply === undefined) return
    const ends = { source: this.own, sourcePort: 5351, destination: source, destinationPort: sourcePort }
    this.ways.inside(packetOf({ ...ends, data: reply }))
  }

  private carry(bytes: Uint8Array, side: Side): void {
    const { now } = this.network
    const { state, out, changes, next } = this.translate(this.server.cgnState, { bytes, side, now })
    // What packets count is the server's as well: it keeps all counters.
    const counts = changes.filter(({ type }) => type === "counted")
    const others = changes.filter(({ type }) => type !== "counted")
    const [after, pushed] = adopt(counts.reduce(apply, this.server), { state, changes: others }, now)
    this.keep(after, [...counts, ...pushed.changes], next)
    if (out.kind === "forwarded") for (const packet of out.packets) this.ways[out.side](packet)
    else if (out.kind !== "kept") this.dropped.push(out.reason)
    if (out.kind === "returned") this.ways[side](out.packet)
  }

  private keep(state: ServerState<S>, changes: readonly Change[], next: number | undefined): void {
    this.server = state
    this.changes.push(...changes)
    if (next !== undefined && next !== Number.POSITIVE_INFINITY)
      this.network.after(next - this.network.now, () => this.expire())
  }

  private expire(): void {
    const [state, { changes }] = advance(this.server, this.network.now)
    // Every change that makes something due says so itself: what is left has been told before.
    this.keep(state, changes, undefined)
  }

  /** The state that its changes make of its first: the same as its own in every list. */
  replayed(): S {
    assert.ok(this.changes.length > 0)
    return this.changes.reduce(apply, this.first).cgnState
  }
}

const parsed = (text: string) => address(text.includes(":") ? text : `::ffff:${text}`)

/** Carries packets to where the first octets of their destinations lead; others are lost. */
export class Backbone {
  private readonly routes: { readonly prefix: readonly number[]; readonly to: Receive }[] = []

  /** `octets`: of the destination's, how many count. */
  route(network: string, octets: number, to: Receive): void {
    this.routes.push({ prefix: addr(network).slice(0, octets), to })
  }

  readonly receive: Receive = (bytes) => {
    const destination = bytes[0] >> 4 === 4 ? bytes.subarray(16, 20) : bytes.subarray(24, 40)
    for (const { prefix, to } of this.routes)
      if (destination.length >= prefix.length && prefix.every((octet, i) => octet === destination[i])) {
        to(bytes)
        return
      }
  }
}
