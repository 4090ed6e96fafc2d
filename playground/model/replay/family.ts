import {
  type CgnState,
  type Change,
  type Filter,
  type FirewallState,
  type InternalEnd,
  listFilters,
  listMappings,
  listPinholes,
  type NptState,
  type Page,
  type Passage,
  type Passed,
  pinholeFilters,
  poolUse,
  type Realm,
  revokePinholes,
  type Side,
  type SiitState,
  sendLate,
  translate,
  translateFirewall,
  translateNpt,
  translateSiit,
} from "../../../core/cgn/index.ts"
import { adopt, revoke, type ServerState } from "../../../core/server/index.ts"
import type { Address } from "../../../core/wire/index.ts"

/**
 * A server with the CGN that it controls: one of the four implementations that the eight kinds need. An immutable value; every
 * function of `machine.ts` gives the next one, and the one given stays valid.
 */
export type Machine =
  | { readonly family: "nat"; readonly state: ServerState<CgnState> }
  | { readonly family: "firewall"; readonly state: ServerState<FirewallState> }
  | { readonly family: "npt"; readonly state: ServerState<NptState> }
  | { readonly family: "siit"; readonly state: ServerState<SiitState> }

/** What the implementations do each in their own way. `S` is the CGN's state. */
export interface Family<S> {
  readonly wrap: (state: ServerState<S>) => Machine
  readonly list: (state: S, now: number, after: number, limit: number) => Page
  readonly filters: (state: S, end: InternalEnd) => readonly Filter[]
  readonly translate: (state: S, passage: Passage) => Passed<S>
  /** Packets that the CGN sends later of its own accord. */
  readonly late: (state: S, now: number) => Late<S>
  readonly revoke: (
    state: ServerState<S>,
    internal: Address,
    realm: Realm | undefined,
    now: number,
  ) => readonly [ServerState<S>, readonly Change[]]
  /** Ports of the pool, and those of them that are taken; `undefined`: it assigns none. */
  readonly pool: (state: S) => ReturnType<typeof poolUse> | undefined
}

export interface Late<S> {
  readonly state: S
  readonly packets: readonly { readonly side: Side; readonly packet: Uint8Array }[]
  readonly next: number | undefined
}

const nothingLate = <S>(state: S): Late<S> => ({ state, packets: [], next: undefined })

const NAT: Family<CgnState> = {
  wrap: (state) => ({ family: "nat", state }),
  list: listMappings,
  filters: listFilters,
  translate: (state, passage) => translate(state, passage),
  late: sendLate,
  revoke: (state, internal, realm, now) => {
    const [after, { changes }] = revoke(state, internal, realm, now)
    return [after, changes]
  },
  pool: poolUse,
}

const FIREWALL: Family<FirewallState> = {
  wrap: (state) => ({ family: "firewall", state }),
  list: listPinholes,
  filters: pinholeFilters,
  translate: (state, passage) => translateFirewall(state, passage),
  late: nothingLate,
  revoke: (state, internal, realm, now) => {
    const [after, { changes }] = adopt(state, revokePinholes(state.cgnState, internal, realm, now), now)
    return [after, changes]
  },
  pool: () => undefined,
}

/** A translator that keeps nothing: it has no mapping to list or to delete. */
const stateless = <S>(wrap: Family<S>["wrap"], pass: Family<S>["translate"]): Family<S> => ({
  wrap,
  list: () => ({ mappings: [], after: undefined }),
  filters: () => [],
  translate: pass,
  late: nothingLate,
  revoke: (state) => [state, []],
  pool: () => undefined,
})

const NPT: Family<NptState> = stateless(
  (state) => ({ family: "npt", state }),
  (state, passage) => translateNpt(state, passage),
)

const SIIT: Family<SiitState> = stateless(
  (state) => ({ family: "siit", state }),
  (state, passage) => translateSiit(state, passage),
)

/** Calls `use` with a machine's own implementation and state. */
export const withFamily = <R>(machine: Machine, use: <S>(family: Family<S>, state: ServerState<S>) => R): R => {
  switch (machine.family) {
    case "nat":
      return use(NAT, machine.state)
    case "firewall":
      return use(FIREWALL, machine.state)
    case "npt":
      return use(NPT, machine.state)
    case "siit":
      return use(SIIT, machine.state)
  }
}
