/** A server over any CGN: scene.ts's packets, with IPv6 clients. */
import assert from "node:assert/strict"
import type { Cgn } from "../../../core/cgn/index.ts"
import {
  advance,
  createServerOver,
  process,
  type Response,
  type ServerSettings,
  type ServerState,
} from "../../../core/server/index.ts"
import { writeAddress } from "../../../core/wire/index.ts"
import { address, type Reply, read } from "../server/scene.ts"

/** The 32 hexadecimal digits of an IPv6 address: what scene.ts's packets take. */
export const digits = (text: string): string => {
  const bytes = new Uint8Array(16)
  writeAddress(bytes, 0, address(text))
  return [...bytes].map((octet) => octet.toString(16).padStart(2, "0")).join("")
}

/** The server, its clock at 0 and its state; `send` goes on from the newest state. */
export class Stage<S> {
  state: ServerState<S>
  now = 0
  last: Response | undefined

  constructor(cgn: Cgn<S>, state: S, options: Partial<ServerSettings> = {}) {
    const made = createServerOver(cgn, state, 0, options)
    assert.ok(made.ok, made.ok ? "" : made.error.text)
    this.state = made.state
  }

  /** Sends octets from `source` and returns the whole response. */
  raw(bytes: readonly number[], source: string): Response {
    const request = { bytes: Uint8Array.from(bytes), now: this.now, source: address(source), sourcePort: 40000 }
    const [state, response] = process(this.state, request)
    this.state = state
    this.last = response
    return response
  }

  /** The reply's octets; fails when there is none. */
  reply(bytes: readonly number[], source: string): Uint8Array {
    const { reply } = this.raw(bytes, source)
    assert.ok(reply !== undefined, "dropped")
    return reply
  }

  send(bytes: readonly number[], source: string): Reply {
    return read(this.reply(bytes, source))
  }

  /** The last response's changes but for the counters. */
  get changes() {
    return (this.last?.changes ?? []).filter((change) => change.type !== "counted")
  }

  /** Lets `seconds` pass and has what ran out taken away. */
  wait(seconds: number) {
    this.now += seconds * 1000
    const [state, advanced] = advance(this.state, this.now)
    this.state = state
    return advanced
  }
}
