/** One NAT with its PCP server: requests and packets of its hosts, on one clock, over one state. */
import assert from "node:assert/strict"
import type { CgnState } from "../../../../core/cgn/index.ts"
import {
  type CgnSettings,
  type Change,
  memoryCgn,
  type Out,
  PROFILES,
  type Side,
  translate,
} from "../../../../core/cgn/index.ts"
import {
  adopt,
  advance,
  apply,
  counters,
  createServerOver,
  process,
  type ServerState,
} from "../../../../core/server/index.ts"
import { type Fields, map, octets, peer, read, thirdParty } from "../../server/scene.ts"
import { address, cgnWith } from "../scene.ts"
import { digits } from "../stage.ts"
import { type Host, type Kind, settingsOf } from "./kinds.ts"

const profileOf = (kind: Kind) => PROFILES[kind.name === "nat44" ? "nat444" : kind.name]

/** An address as scene.ts's packets take it: IPv6 in 32 digits. */
export const field = (text: string): string => (text.includes(":") ? digits(text) : text)

export class Site {
  readonly kind: Kind
  now = 0
  server: ServerState<CgnState>

  constructor(kind: Kind, more: Partial<CgnSettings> = {}) {
    this.kind = kind
    const state = cgnWith(settingsOf(kind, more))
    const made = createServerOver(memoryCgn, state, 0, { profile: profileOf(kind), threatModel: "advanced" })
    assert.ok(made.ok, made.ok ? "" : made.error.text)
    this.server = made.state
  }

  /** A MAP, or with a remote peer's port a PEER, of a host: in DS-Lite its B4 asks for it. */
  ask(host: Host, fields: Fields) {
    const b4 = this.kind.name === "dslite" ? host.realm : undefined
    const whole = {
      // The all-zeros address of the external family, which is IPv4.
      suggested: "0.0.0.0",
      ...fields,
      client: field(b4 ?? host.address),
      options: [...(b4 === undefined ? [] : thirdParty(host.address)), ...(fields.options ?? [])],
    }
    const request = {
      bytes: Uint8Array.from(fields.remotePort === undefined ? map(whole) : peer(whole)),
      now: this.now,
      source: address(b4 ?? host.address),
      sourcePort: 40000,
      realm: b4 === undefined && host.realm !== undefined ? address(host.realm) : undefined,
    }
    const [state, { reply }] = process(this.server, request)
    this.server = state
    assert.ok(reply !== undefined, "dropped")
    return { ...read(reply), bytes: reply }
  }

  private pass(bytes: Uint8Array, side: Side, host?: Host): Out {
    const realm = host === undefined ? undefined : this.kind.comesWith(host)
    const { state, out, changes } = translate(this.server.cgnState, { bytes, side, now: this.now, realm })
    this.take(state, changes)
    return out
  }

  /** A state of the CGN and what changed, whoever did it. */
  take(state: CgnState, changes: readonly Change[]): void {
    const counts = changes.filter(({ type }) => type === "counted")
    const others = changes.filter(({ type }) => type !== "counted")
    const [after] = adopt(counts.reduce(apply, this.server), { state, changes: others }, this.now)
    this.server = after
  }

  /** A packet of a host, as it leaves it. */
  out(host: Host, bytes: Uint8Array): Out {
    return this.pass(bytes, "inside", host)
  }

  in(bytes: Uint8Array): Out {
    return this.pass(bytes, "outside")
  }

  wait(seconds: number): void {
    this.now += seconds * 1000
    const [state] = advance(this.server, this.now)
    this.server = state
  }

  /** How many packets were counted for each reason's number. */
  get counted() {
    return counters(this.server).packet
  }
}

/** The IPv4 address in a reply. */
export const ipv4In = (external: readonly number[]): string => {
  assert.deepEqual(external.slice(0, 12), octets("0.0.0.0").slice(0, 12))
  return external.slice(12).join(".")
}
