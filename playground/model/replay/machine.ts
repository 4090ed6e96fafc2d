import type {
  Change,
  Counters,
  Filter,
  InternalEnd,
  Mapping,
  Out,
  Passage,
  Realm,
  Side,
} from "../../../core/cgn/index.ts"
import {
  advance as advanceServer,
  announce as announceServer,
  counters as countersOf,
  type DropReason,
  epochOf,
  type Outgoing,
  process,
  type Request,
} from "../../../core/server/index.ts"
import type { Address } from "../../../core/wire/index.ts"
import { type Machine, withFamily } from "./family.ts"

/** What every step of a machine gives: the next machine, what changed, and when it has something to do by itself, milliseconds. */
export interface Stepped {
  readonly machine: Machine
  readonly changes: readonly Change[]
  readonly next: number | undefined
}

const sooner = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : Math.min(one, other)

/** A datagram for the server. */
export const request = (
  machine: Machine,
  asked: Request,
): Stepped & { readonly reply: Uint8Array | undefined; readonly dropped: DropReason | undefined } =>
  withFamily(machine, (family, state) => {
    const [after, { reply, dropped, changes, next }] = process(state, asked)
    return { machine: family.wrap(after), reply, dropped, changes, next }
  })

/** A packet of data on one side. */
export const pass = (machine: Machine, passage: Passage): Stepped & { readonly out: Out } =>
  withFamily(machine, (family, state) => {
    const passed = family.translate(state.cgnState, passage)
    const { out, changes, next } = passed
    return { machine: family.wrap({ ...state, cgnState: passed.state }), out, changes, next }
  })

/** A packet that the CGN sends of its own accord. */
export interface OwnPacket {
  readonly side: Side
  readonly packet: Uint8Array
}

/** Lets time pass until `now`, milliseconds: takes away what has run out, and gives what is due to be sent. */
export const advance = (
  machine: Machine,
  now: number,
): Stepped & { readonly sent: readonly Outgoing[]; readonly packets: readonly OwnPacket[] } =>
  withFamily(machine, (family, state) => {
    const late = family.late(state.cgnState, now)
    const [after, { changes, send, next }] = advanceServer({ ...state, cgnState: late.state }, now)
    return { machine: family.wrap(after), changes, sent: send, packets: late.packets, next: sooner(next, late.next) }
  })

/** The server announces itself; `advance` sends it. */
export const announce = (machine: Machine, now: number): Stepped =>
  withFamily(machine, (family, state) => {
    const [after, { changes, next }] = announceServer(state, now)
    return { machine: family.wrap(after), changes, next }
  })

/** All mappings of a host are deleted. */
export const revoke = (machine: Machine, internal: Address, realm: Realm | undefined, now: number): Stepped =>
  withFamily(machine, (family, state) => {
    const [after, changes] = family.revoke(state, internal, realm, now)
    return { machine: family.wrap(after), changes, next: undefined }
  })

/** Live mappings, the first `limit`; `more`: there are others. */
export const mappingsOf = (
  machine: Machine,
  now: number,
  limit: number,
): { readonly mappings: readonly Mapping[]; readonly more: boolean } =>
  withFamily(machine, (family, state) => {
    const { mappings, after } = family.list(state.cgnState, now, 0, limit)
    return { mappings: mappings.slice(0, limit), more: after !== undefined || mappings.length > limit }
  })

export const filtersOf = (machine: Machine, end: InternalEnd): readonly Filter[] =>
  withFamily(machine, (family, state) => family.filters(state.cgnState, end))

/** What the server has counted. */
export const countsOf = (machine: Machine): Counters => countersOf(machine.state)

export const poolOf = (machine: Machine) => withFamily(machine, (family, state) => family.pool(state.cgnState))

/** Epoch Time, seconds (RFC 6887 section 8.5). */
export const epochAt = (machine: Machine, now: number): number =>
  withFamily(machine, (_, state) => epochOf(state, undefined, undefined, now))
