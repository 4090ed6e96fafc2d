/**
 * A CGN that does what a test says and keeps what it was asked: its state is the list of asks. It shows what the server makes
 * of a request and of an answer, whatever the in-memory CGN does with it.
 */
import assert from "node:assert/strict"
import type { Cgn, CgnDone, CgnResult, Change, DeleteAsk, FilterAsk, MapAsk, PeerAsk } from "../../../core/cgn/index.ts"
import {
  advance,
  counters,
  createServerOver,
  process,
  type Request,
  type Response,
  type ServerSettings,
  type ServerState,
} from "../../../core/server/index.ts"

import { address, type Reply, read } from "./scene.ts"

export type Ask =
  | { readonly method: "addMapping"; readonly ask: MapAsk }
  | { readonly method: "delMapping"; readonly ask: DeleteAsk }
  | { readonly method: "addDynamic"; readonly ask: PeerAsk }
  | { readonly method: "filter"; readonly ask: FilterAsk }
  | { readonly method: "delMappings" }

export type Asks = readonly Ask[]

const done = (state: Asks, more: Partial<CgnDone<Asks>> = {}): CgnDone<Asks> => ({
  outcome: "new",
  state,
  external: address("203.0.113.1"),
  externalPort: 5000,
  lifetime: 600,
  changes: [],
  ports: 1,
  description: undefined,
  ...more,
})

export interface Script {
  /** What a MAP or PEER request comes to, but for the state. Default: the external end 203.0.113.1:5000 for 600 s. */
  readonly result?: Partial<CgnDone<Asks>> | { readonly outcome: "refused"; readonly code: number | "cgn-error" }
  /** The same of `filter`. */
  readonly filter?: { readonly outcome: "refused"; readonly code: number } | undefined
  readonly getSubscriber?: Cgn<Asks>["getSubscriber"]
  readonly authorize?: Cgn<Asks>["authorize"]
}

const scripted = ({ result = {}, filter, getSubscriber, authorize }: Script): Cgn<Asks> => {
  const come = (state: Asks, ask: Ask): CgnResult<Asks> =>
    result.outcome === "refused"
      ? { outcome: "refused", code: result.code, lifetime: undefined }
      : done([...state, ask], result)
  return {
    getSubscriber: getSubscriber ?? (() => ({ code: 0, epochStart: undefined })),
    authorize: authorize ?? (() => 0),
    addMapping: (state, ask) => come(state, { method: "addMapping", ask }),
    delMapping: (state, ask) => come(state, { method: "delMapping", ask }),
    delMappings: (state) => ({ state: [...state, { method: "delMappings" }], complete: true, changes: [] }),
    addDynamic: (state, ask) => come(state, { method: "addDynamic", ask }),
    filter: (state, ask) =>
      filter === undefined ? done([...state, { method: "filter", ask }]) : { ...filter, lifetime: undefined },
    externalAddress: () => address("203.0.113.1"),
    supports: () => true,
    expire: (state) => ({ state, changes: [], next: undefined }),
    apply: (state) => state,
  }
}

/** A server over such a CGN; `send` goes on from the newest state. */
export class Stub {
  state: ServerState<Asks>
  now = 0
  last: Response | undefined

  constructor(script: Script = {}, settings: Partial<ServerSettings> = {}) {
    const made = createServerOver(scripted(script), [], 0, settings)
    assert.ok(made.ok, made.ok ? "" : made.error.text)
    this.state = made.state
  }

  raw(bytes: readonly number[], source = "10.0.0.1", more: Partial<Request> = {}): Response {
    const [state, response] = process(this.state, {
      bytes: Uint8Array.from(bytes),
      now: this.now,
      source: address(source),
      sourcePort: 40000,
      ...more,
    })
    this.state = state
    this.last = response
    return response
  }

  reply(bytes: readonly number[], source = "10.0.0.1", more: Partial<Request> = {}): Uint8Array {
    const { reply } = this.raw(bytes, source, more)
    assert.ok(reply !== undefined, "dropped")
    return reply
  }

  send(bytes: readonly number[], source = "10.0.0.1", more: Partial<Request> = {}): Reply {
    return read(this.reply(bytes, source, more))
  }

  /** The last request's asks of the CGN, and what was asked of it before. */
  get asks(): Asks {
    return this.state.cgnState
  }

  /** The last ask for a MAP mapping. */
  get mapAsk(): MapAsk {
    const asks = this.asks.flatMap((one) => (one.method === "addMapping" ? [one.ask] : []))
    const last = asks.at(-1)
    assert.ok(last !== undefined, "no mapping was asked for")
    return last
  }

  get counters() {
    return counters(this.state)
  }

  due() {
    const [state, advanced] = advance(this.state, this.now)
    this.state = state
    return advanced
  }
}

/** A change that tells of a MAP mapping at 10.0.0.1. */
export const changeOf = (type: "created" | "renewed", internalPort: number): Change => ({
  type,
  mapping: {
    kind: "map",
    origin: "pcp",
    protocol: 17,
    internal: address("10.0.0.1"),
    internalPort,
    realm: undefined,
    external: address("203.0.113.1"),
    externalPort: 5000 + internalPort,
    remote: undefined,
    remotePort: 0,
    nonce: undefined,
    expires: 600_000,
    clientPort: 40000,
    details: undefined,
  },
})
