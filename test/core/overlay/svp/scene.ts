/** A remote backend with its network played by the test. */
import assert from "node:assert/strict"
import {
  createSvpRemote,
  encodeSvp,
  parseSvp,
  type SvpBody,
  type SvpEffect,
  type SvpInput,
  type SvpMessage,
  type SvpRemote,
  stepSvp,
} from "../../../../core/overlay/index.ts"
import { type Address, parseAddress } from "../../../../core/wire/index.ts"
import { bytesOf } from "../arbitrary.ts"

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

/** One backend, and the clock. */
export class Scene {
  state: SvpRemote
  now = 0
  seen: SvpEffect[] = []

  constructor() {
    const options = {
      host: "svp.example",
      port: 1296,
      underlay: address("10.88.88.69"),
      seed: Uint8Array.of(1),
      now: 0,
    }
    this.state = createSvpRemote(options)
  }

  /** One step; what it wants but for the time to come back. */
  step(input: SvpInput): readonly SvpEffect[] {
    const [next, effects] = stepSvp(this.state, input)
    assert.equal(effects.at(-1)?.type, "wake")
    this.state = next
    this.now = Math.max(this.now, input.now)
    const wanted = effects.slice(0, -1)
    this.seen.push(...wanted)
    return wanted
  }

  tick(now: number): readonly SvpEffect[] {
    return this.step({ type: "tick", now })
  }

  resolve(...addresses: readonly string[]): readonly SvpEffect[] {
    return this.step({ type: "resolved", addresses: addresses.map(address), now: this.now })
  }

  /** Connects what wants to. */
  connect(...connections: readonly number[]): void {
    for (const connection of connections) this.step({ type: "connected", connection, now: this.now })
  }

  lookup(query: number, mac: Extract<SvpBody, { kind: "vl2-request" }>["mac"]): readonly SvpEffect[] {
    return this.step({ type: "ask", query, question: { kind: "vl2", vnetid: 23, mac }, now: this.now })
  }

  answer(connection: number, id: number, body: SvpBody, version = 1): readonly SvpEffect[] {
    return this.step({ type: "data", connection, bytes: bytesOf(encodeSvp({ version, id, body })), now: this.now })
  }

  /** Ticks whenever it wants to be called, until an instant. */
  until(instant: number): readonly SvpEffect[] {
    const all: SvpEffect[] = []
    for (let turns = 0; turns < 10_000; turns++) {
      const [, effects] = stepSvp(this.state, { type: "tick", now: this.now })
      const wake = effects.at(-1)
      assert.ok(wake?.type === "wake")
      const at = Math.max(wake.at, this.now + 1)
      if (at > instant) break
      all.push(...this.tick(at))
    }
    this.now = instant
    return all
  }
}

/** The messages among effects, and where they go. */
export const sent = (
  effects: readonly SvpEffect[],
): readonly { readonly connection: number; readonly message: SvpMessage }[] =>
  effects.flatMap((effect) => {
    if (effect.type !== "send") return []
    const parsed = parseSvp(effect.bytes)
    assert.ok(parsed.ok)
    return [{ connection: effect.connection, message: parsed.value }]
  })

/** Kinds of effects, for a look at their order. */
export const types = (effects: readonly { readonly type: string }[]): readonly string[] =>
  effects.map(({ type }) => type)
