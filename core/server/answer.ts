import { type Change, counted, type Mapping } from "../cgn/index.ts"
import type { Call } from "./call.ts"
import { count, countServed } from "./counts.ts"
import { hasRoom, NO_PUSHES, stopUpdates } from "./push.ts"
import type { Response } from "./request.ts"
import type { ServerState } from "./state.ts"
import { update } from "./update.ts"

/** The next state and what became of the request. */
export type Answer<S> = readonly [ServerState<S>, Response]

/** Ends a call: what the CGN changed, the reply and its result code, counted. */
export const answer = <S>(
  call: Call<S>,
  natPmp: boolean,
  code: number,
  reply: Uint8Array,
  cgnState: S,
  own: readonly Change[],
): Answer<S> => {
  const { request, state } = call
  const opcode = request.bytes[1]
  const operation = counted(natPmp ? "natpmp-operation" : "operation", opcode)
  const result = counted(natPmp ? "natpmp-result" : "result", code)
  const { settings, cgn, epochStart, cache, rates } = state
  const counts = countServed(state.counts, natPmp, opcode, code)
  // A client that renewed its mapping needs no more updates of it (RFC 6887 section 14.2).
  const pushes = state.pushes === NO_PUSHES ? NO_PUSHES : stopUpdates(state.pushes, own)
  return [
    { settings, cgn, cgnState, epochStart, counts, pushes, cache, rates },
    {
      reply,
      dropped: undefined,
      changes: own.length === 1 ? [own[0], operation, result] : [...own, operation, result],
      next: soonest(own),
    },
  ]
}

/** The earliest end among mappings that a request made or renewed, milliseconds. */
const soonest = (changes: readonly Change[]): number | undefined => {
  if (changes.length === 0) return undefined
  let granted = false
  let next = Number.POSITIVE_INFINITY
  for (const change of changes) {
    if (change.type !== "created" && change.type !== "renewed") continue
    granted = true
    next = Math.min(next, change.mapping.expires)
  }
  return granted ? next : undefined
}

/** The answer with the request's options counted too. */
export const withOptions = <S>([state, response]: Answer<S>, codes: readonly number[]): Answer<S> => {
  let { counts } = state
  for (const code of codes) counts = count(counts, "option", code)
  const changes = [...response.changes, ...codes.map((code) => counted("option", code))]
  return [
    { ...state, counts },
    { ...response, changes },
  ]
}

/** Updates that one request brings about at most. Who is not told by one learns of its mapping when it renews that. */
const MOST_UPDATES = 32

/**
 * The answer with updates of these mappings under way, and due at once. What requests bring about has a quarter of the room
 * that there is for updates, so that however many come, there is room for what moved (RFC 6887 section 14.2).
 */
export const withUpdates = <S>([state, response]: Answer<S>, mappings: readonly Mapping[], now: number): Answer<S> => {
  const room = Math.floor(state.settings.updateLimit / 4)
  let after = state
  for (const mapping of mappings.slice(0, MOST_UPDATES))
    if (hasRoom(after.pushes, room)) after = update(after, { mapping }, now)[0]
  return [after, after === state ? response : { ...response, next: now }]
}
