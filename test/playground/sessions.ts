/** Sessions for the tests of the playground. */
import assert from "node:assert/strict"
import type { CgnKind } from "../../core/cgn/index.ts"
import { isIpv4 } from "../../core/wire/index.ts"
import { build, type FormOption } from "../../playground/model/edit/index.ts"
import { play } from "../../playground/model/replay/index.ts"
import { CLIENTS, PRESETS, type Session, type SessionStep } from "../../playground/model/session/index.ts"
import { address } from "./packets.ts"

/** A MAP request of a client, as a step. */
export const mapStep = (
  at: number,
  client: string,
  values: Readonly<Record<string, string>> = {},
  options: readonly FormOption[] = [],
): Extract<SessionStep, { type: "datagram" }> => {
  const external = client.includes(":") ? "::" : "0.0.0.0"
  const built = build("map-request", { client, external, ...values }, options)
  assert.ok(built.ok, JSON.stringify(built))
  return { type: "datagram", at, side: "inside", source: { address: address(client), port: 49152 }, bytes: built.bytes }
}

export const sessionOf = (steps: readonly SessionStep[], more: Partial<Session> = {}): Session => ({
  title: "test",
  note: "",
  configuration: PRESETS.nat444,
  steps,
  ...more,
})

/** A packet of data between two ends written as `10.0.0.1 5000`. */
export const dataStep = (
  at: number,
  side: "inside" | "outside",
  source: readonly [string, number],
  destination: readonly [string, number],
  more: Partial<Extract<SessionStep, { type: "packet" }>["packet"]> = {},
): Extract<SessionStep, { type: "packet" }> => ({
  type: "packet",
  at,
  side,
  packet: {
    protocol: "udp",
    source: { address: address(source[0]), port: source[1] },
    destination: { address: address(destination[0]), port: destination[1] },
    flags: [],
    payload: 4,
    ...more,
  },
})

export const isClientIpv4 = (kind: CgnKind): boolean => isIpv4(CLIENTS[kind])

/** What a CGN without a mapping answers to a request: octets of one's own, to be changed. */
export const answerTo = (
  step: Extract<SessionStep, { type: "datagram" }>,
  configuration = PRESETS.nat444,
): Uint8Array => {
  const played = play(sessionOf([step], { configuration }))
  const reply = played.ok ? played.value.moments[1].reply : undefined
  assert.ok(reply !== undefined)
  return Uint8Array.from(reply)
}
