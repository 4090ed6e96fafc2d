import { word } from "../table/index.ts"
import { CLIENT_PORT, isAny, ResultCode, SERVER_PORT } from "../wire/index.ts"
import { areasOf, assignedAddress, isAssigned, isServed } from "./area.ts"
import { blocksOf, leaveBlock, openBlock } from "./block.ts"
import type { Change } from "./change.ts"
import type { InternalEnd } from "./contract.ts"
import { LOOK } from "./deadline.ts"
import type { MappedEnd } from "./dependent.ts"
import { addressOf, holderOf, portOf, QUERY, SCTP, slotOfEnd, TCP, UDP, WHOLE } from "./end.ts"
import { findHeld } from "./hold.ts"
import { slotOfInternal } from "./internal.ts"
import { MAPPING, MappingWord, type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import type { Owner } from "./owner.ts"
import { chooseAddress, choosePort, fieldFor, isAvailable, isInRange, isMarked, pairedAddress } from "./ports.ts"
import type { ChosenEnd } from "./step.ts"
import { expireRows, freshSubscriber, tidyRow } from "./sweep.ts"

export interface Want extends MappedEnd {
  readonly suggested: Parameters<typeof isAny>[0]
  readonly suggestedPort: number
  readonly nonce: Owner["nonce"]
  readonly natPmp: boolean
  /** The suggestion or nothing: PREFER_FAILURE, and PEER's like rule (RFC 6887 sections 12.3 and 13.2). */
  readonly exact: boolean
}

/** The external end chosen, or the result code of why there is none. */
export type Chosen = ({ readonly ok: true } & ChosenEnd) | { readonly ok: false; readonly code: number }

const fail = (code: number): Chosen => ({ ok: false, code })
/** An end that `choosePort` found: nobody has it. */
const free = (external: number, port: number): Chosen => ({ ok: true, external, port, held: 0 })

/**
 * Chooses an external end (RFC 6887 section 11.3). The suggestion wins where it can be had; then any port of the suggested
 * address; then what is held for it since it last
 * had it (RFC 6887 section 15); then the subscriber's own address, so that it has one while it can (RFC 4787 REQ-2), the administrator's
 * where it has a static mapping (S-53); then, since a request must not fail that could be met, any address with a port
 * free. `known` is the subscriber's row before `changes`, or 0.
 */
export const choose = (step: Step, known: number, want: Want, changes: Change[]): Chosen => {
  const { config } = step
  if (config.assignment.kind !== "random") return chooseAssigned(step, known, want, changes)
  const slot = slotOfInternal(want)
  const subscriber = freshSubscriber(step, want, known, changes)
  const seen = changes.length
  const own = pairedWith(step, want, subscriber)
  const suggested = isAny(want.suggested) ? own : config.poolIndex.get(want.suggested)
  if (slot === SCTP || slot === WHOLE) return chooseFixed(step, own, subscriber, want, changes)
  let owner = ownerOf(step, want, subscriber, seen, changes)
  if (suggested !== undefined && want.suggestedPort !== 0 && config.inPool[suggested]) {
    sweepEnd(step, suggested, slot, want.suggestedPort, changes)
    if (changes.length !== seen) owner = ownerOf(step, want, subscriber, seen, changes)
    if (isInRange(config, want.suggestedPort) && isAvailable(step, suggested, slot, want.suggestedPort, owner))
      return taking(step, suggested, want.suggestedPort, owner)
  }
  if (want.exact && (want.suggestedPort !== 0 || suggested === undefined))
    return fail(ResultCode.CANNOT_PROVIDE_EXTERNAL)
  const first = suggested ?? own
  const back = reclaim(step, owner, want.exact ? suggested : undefined, changes)
  if (back !== undefined) return back
  const elsewhere = !want.exact || isAny(want.suggested)
  for (let round = 0; ; round++) {
    if (changes.length !== seen) owner = ownerOf(step, want, subscriber, seen, changes)
    const here = choosePort(step, first, owner)
    if (here >= 0) return free(first, here)
    // Full, but perhaps of mappings that have run out and wait to be taken away: some of them before going elsewhere or
    // giving up. Not all: rows renewed since come up as well, and a refusal keeps nothing of the sweep, so
    // that each request to a full pool would walk over all of it again. The client asks again in half a minute.
    if (round < ROUNDS && expireRows(step, SWEEP, changes) > 0) continue
    const beside = chooseBeside(step, owner, own, elsewhere ? undefined : first)
    if (!elsewhere) return beside ?? fail(ResultCode.CANNOT_PROVIDE_EXTERNAL)
    const there = first === own ? -1 : choosePort(step, own, owner)
    if (there >= 0) return free(own, there)
    const external = chooseAddress(step, own, owner)
    const anywhere = external < 0 ? -1 : choosePort(step, external, owner)
    if (anywhere >= 0) return free(external, anywhere)
    if (beside !== undefined) return beside
    if (round >= ROUNDS || expireRows(step, SWEEP, changes) === 0) return fail(ResultCode.NO_RESOURCES)
  }
}

/**
 * The number of the address that a subscriber's next mapping goes to while it has room: its mappings', if the pool has
 * that, or the one that it is paired with. `subscriber` is its row if anything still wants it, else 0.
 */
export const ownAddress = (step: Step, host: Pick<InternalEnd, "internal" | "realm">, subscriber: number): number =>
  step.config.assignment.kind === "random"
    ? pairedWith(step, host, subscriber)
    : assignedAddress(step, host, subscriber)

const pairedWith = (
  step: Step,
  { internal, realm }: Pick<InternalEnd, "internal" | "realm">,
  subscriber: number,
): number => {
  const { table, config } = step
  const own = subscriber === 0 ? -1 : word(table, SUBSCRIBER, subscriber, Subscriber.EXTERNAL) - 1
  return config.inPool[own] ? own : pairedAddress(config, internal, realm)
}

/**
 * The same where ports are assigned to subscribers. Of these, too, the suggestion goes first and then what is held; a host
 * that finds no port gets another block for its subscriber. Nobody gets a port that is not his own, suggested or not; a
 * suggestion decides nothing of where a block is. Mappings that have run out may keep a block for a while.
 */
const chooseAssigned = (step: Step, known: number, want: Want, changes: Change[]): Chosen => {
  const { config } = step
  if (!isServed(step, want)) return fail(ResultCode.NOT_AUTHORIZED)
  const slot = slotOfInternal(want)
  const subscriber = freshSubscriber(step, want, known, changes)
  const seen = changes.length
  const own = assignedAddress(step, want, subscriber)
  if (slot === SCTP || slot === WHOLE) return chooseFixed(step, own, subscriber, want, changes)
  const suggested = isAny(want.suggested) ? own : config.poolIndex.get(want.suggested)
  let owner = ownerOf(step, want, subscriber, seen, changes)
  if (suggested !== undefined && want.suggestedPort !== 0 && isAssigned(step, want, suggested, want.suggestedPort)) {
    sweepEnd(step, suggested, slot, want.suggestedPort, changes)
    if (changes.length !== seen) owner = ownerOf(step, want, subscriber, seen, changes)
    // With what ran out there its block may have gone.
    const stays = changes.length === seen || isAssigned(step, want, suggested, want.suggestedPort)
    if (stays && isAvailable(step, suggested, slot, want.suggestedPort, owner))
      return taking(step, suggested, want.suggestedPort, owner)
  }
  if (want.exact && (want.suggestedPort !== 0 || suggested === undefined))
    return fail(ResultCode.CANNOT_PROVIDE_EXTERNAL)
  const only = want.exact && !isAny(want.suggested) ? suggested : undefined
  const isOwnEnd = (end: Chosen | undefined): end is Chosen & { readonly ok: true } =>
    end?.ok === true && isAssigned(step, want, end.external, end.port)
  const back = reclaim(step, owner, only, changes)
  if (isOwnEnd(back)) return back
  for (let round = 0; ; round++) {
    if (changes.length !== seen) owner = ownerOf(step, want, subscriber, seen, changes)
    const areas = areasOf(step, want).filter(({ external }) => external === (only ?? external))
    for (const area of areas) {
      const port = choosePort(step, area.external, owner, area)
      if (port >= 0) return free(area.external, port)
    }
    // Before a block more, or none, some of what has run out: as above.
    if (round < (areas.length === 0 ? 0 : ROUNDS) && expireRows(step, SWEEP, changes) > 0) continue
    const beside = chooseBeside(step, owner, own, only)
    if (isOwnEnd(beside)) return beside
    const had = blocksOf(step, want).length
    const limited = had >= (config.blocks?.limit ?? 0)
    const opened = limited ? undefined : openBlock(step, want, only ?? own, only !== undefined, had, changes)
    const port = opened === undefined ? -1 : choosePort(step, opened.external, owner, opened)
    if (opened !== undefined && port >= 0) return free(opened.external, port)
    if (opened !== undefined) leaveBlock(step, config.addresses[opened.external], opened.first, changes)
    if (round < ROUNDS && expireRows(step, SWEEP, changes) > 0) continue
    if (only !== undefined) return fail(ResultCode.CANNOT_PROVIDE_EXTERNAL)
    return fail(limited ? ResultCode.USER_EX_QUOTA : ResultCode.NO_RESOURCES)
  }
}

/**
 * Rows swept at a time, and how often at most: under a millisecond in all, as a refusal keeps nothing of it and the next request
 * to a full pool walks over the same rows.
 */
const SWEEP = 256
const ROUNDS = 4

/** Addresses looked at for an end that only one port of each can be. */
const ADDRESSES = 64

/** Who wants it, his subscriber's row looked up again where something changed since there were `seen` changes. */
const ownerOf = (step: Step, want: Want, subscriber: number, seen: number, changes: Change[]): Owner => ({
  protocol: want.protocol,
  internal: want.internal,
  internalPort: want.internalPort,
  identifier: want.identifier,
  realm: want.realm,
  dependence: want.dependence,
  remote: want.remote,
  remotePort: want.remotePort,
  nonce: want.nonce,
  subscriber: changes.length === seen ? subscriber : freshSubscriber(step, want, subscriber, changes),
  natPmp: want.natPmp,
})

/** The end that is held for the owner, though he did not suggest it; `only` is the one address that will do. */
const reclaim = (step: Step, owner: Owner, only: number | undefined, changes: Change[]): Chosen | undefined => {
  const held = findHeld(step, owner, changes)
  if (held === 0) return undefined
  const end = word(step.table, MAPPING, held, MappingWord.EXTERNAL)
  const external = addressOf(end)
  const port = portOf(end)
  if (!step.config.inPool[external] || !isInRange(step.config, port) || (only ?? external) !== external)
    return undefined
  const seen = changes.length
  sweepEnd(step, external, slotOfEnd(end), port, changes)
  const subscriber =
    changes.length === seen ? owner.subscriber : freshSubscriber(step, owner, owner.subscriber, changes)
  return isAvailable(step, external, slotOfEnd(end), port, { ...owner, subscriber })
    ? { ok: true, external, port, held }
    : undefined
}

/** An end that the owner may have, with the row that held it for him. */
const taking = (step: Step, external: number, port: number, owner: Owner): Chosen => {
  const slot = slotOfInternal(owner)
  const field = fieldFor(owner, port)
  const held = isMarked(step, external, slot, field) ? holderOf(step.table, external, slot, field) : 0
  return { ok: true, external, port, held }
}

/**
 * An end that can be one port only of each address: SCTP's, whose ports are not rewritten (RFC 6887 section 16.3.3), or a
 * whole protocol. Where there is none, SCTP is refused by S-54, and a whole protocol as not possible in its entirety
 * (section 11.3).
 */
const chooseFixed = (step: Step, own: number, subscriber: number, want: Want, changes: Change[]): Chosen => {
  const seen = changes.length
  const { config } = step
  const slot = slotOfInternal(want)
  const port = want.internalPort
  const none = slot === SCTP || want.exact ? ResultCode.CANNOT_PROVIDE_EXTERNAL : ResultCode.UNSUPP_PROTOCOL
  const named = isAny(want.suggested) ? undefined : config.poolIndex.get(want.suggested)
  if (
    want.exact &&
    ((want.suggestedPort !== 0 && want.suggestedPort !== port) || (!isAny(want.suggested) && named === undefined))
  )
    return fail(none)
  if (slot === SCTP && !isInRange(config, port)) return fail(none)
  const others = poolFrom(step, own)
  const candidates = named === undefined ? others : want.exact ? [named] : [named, ...others]
  for (const address of candidates) {
    const field = slot === SCTP ? port : want.protocol
    sweepEnd(step, address, slot, field, changes)
    const owner = ownerOf(step, want, subscriber, seen, changes)
    if (isAvailable(step, address, slot, field, owner)) return taking(step, address, port, owner)
  }
  return fail(none)
}

/**
 * A port beside one that the host has in the other transport: no stranger gets the companion of a NAT-PMP lease (RFC 6886
 * section 3.3), and NAT-PMP gets no companion of a stranger's, but the host itself may have both (S-50). Looks at its
 * newest 256 mappings; `only` is the one address that will do.
 */
const chooseBeside = (step: Step, owner: Owner, own: number, only: number | undefined): Chosen | undefined => {
  const { table, config } = step
  const slot = slotOfInternal(owner)
  const other = slot === UDP ? TCP : UDP
  const all = owner.natPmp ? [Subscriber.NATPMP + other, Subscriber.MAPPINGS] : [Subscriber.NATPMP + other]
  const lists = owner.subscriber === 0 ? [] : all
  for (const list of lists) {
    let row = word(table, SUBSCRIBER, owner.subscriber, list)
    for (let n = 0; n < LOOK && row !== 0; n++, row = word(table, MAPPING, row, MappingWord.NEXT)) {
      const end = word(table, MAPPING, row, MappingWord.EXTERNAL)
      const address = addressOf(end)
      if (slotOfEnd(end) !== other || !config.inPool[address] || (only !== undefined && address !== only)) continue
      const port = portOf(end)
      if (isInRange(config, port) && isAvailable(step, address, slot, port, owner))
        return taking(step, address, port, owner)
    }
  }
  if (slot !== TCP || !owner.natPmp) return undefined
  // NAT-PMP is not offered 5350 and 5351, UDP's being PCP's own; but as nobody gets these, TCP's can be had.
  for (const address of only === undefined ? poolFrom(step, own) : [only])
    for (const port of [CLIENT_PORT, SERVER_PORT])
      if (isInRange(config, port) && isAvailable(step, address, slot, port, owner))
        return taking(step, address, port, owner)
  return undefined
}

/** Some addresses of the pool, cyclically from one of them on. */
const poolFrom = (step: Step, own: number): readonly number[] => {
  const { pool } = step.config
  const start = Math.max(0, pool.indexOf(own))
  return Array.from({ length: Math.min(ADDRESSES, pool.length) }, (_, i) => pool[(start + i) % pool.length])
}

/** Takes away what has run out at an external end and at its companion, so that neither stands in the way. */
export const sweepEnd = (step: Step, external: number, slot: number, field: number, changes: Change[]): void => {
  const slots = slot === UDP || slot === TCP ? [slot, 1 - slot] : [slot]
  for (const at of slots) {
    const row = holderOf(step.table, external, at, field)
    if (row !== 0) tidyRow(step, row, changes)
  }
  if (!step.config.whole) return
  for (const protocol of slot === WHOLE ? [0] : [0, slot === UDP ? 17 : slot === TCP ? 6 : slot === QUERY ? 1 : 132]) {
    const row = holderOf(step.table, external, WHOLE, protocol)
    if (row !== 0) tidyRow(step, row, changes)
  }
}
