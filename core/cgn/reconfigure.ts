import { open, rowLimit, seal, setWord, type Table, word } from "../table/index.ts"
import { ANY4 } from "../wire/index.ts"
import { applyChange } from "./apply.ts"
import { isAssigned } from "./area.ts"
import type { Change } from "./change.ts"
import { choose } from "./choose.ts"
import { dropEnd, wantsOf } from "./clear.ts"
import { staticAsData } from "./data.ts"
import { isStatic } from "./deadline.ts"
import { internalPortOf, protocolOf, remoteOf, withDependents } from "./dependent.ts"
import { addressOf, holderOf, isTranslated, portOf, protocolOfEnd, QUERY, SCTP, slotOfEnd, WHOLE } from "./end.ts"
import { freedAsData, freeHeld, rekeyHeld } from "./hold.ts"
import { type CgnState, MAPPING, MappingWord, type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import { heldFor, isHeld } from "./owner.ts"
import { isInRange, pairedAddress, refreshAddress } from "./ports.ts"
import { closeBlocks, closeEmptyBlocks, forgetBlocks, isSameLayout, refreshBlocks } from "./relayout.ts"
import { findRow } from "./row.ts"
import { type CgnChangeable, type CgnConfig, configureCgn, MAX_POOL, type StaticMapping } from "./settings.ts"
import { checkCgnSettings, type SettingsError } from "./settings-check.ts"
import { placeStatic, staticEnd } from "./static.ts"
import { externalOf, sealed, stepOf } from "./step.ts"
import { addressAt, countImplicit, joinGroup, leaveGroup, realmAt } from "./subscriber.ts"
import { expireRows, sweepRow } from "./sweep.ts"

/** Rows swept at a time. */
const SWEEP = 65536

/** The change of a mapping that got another external end. */
export type Moved = Extract<Change, { readonly type: "moved" }>

/** The state under the new settings, or the first fault of these: then nothing changed. */
export type Reconfigured =
  | {
      readonly ok: true
      readonly state: CgnState
      readonly changes: readonly Change[]
      /** Those of the changes whose clients are owed a mapping update (RFC 6887 section 14.2). */
      readonly moved: readonly Moved[]
    }
  | { readonly ok: false; readonly error: SettingsError }

/**
 * Goes on with other settings; its secret and its clock stay. Mappings keep what they have where they may. One whose
 * external end is no longer to be had gets another: a `moved` change for it and for whatever shares the end. Deleted is
 * what cannot move: what was made with PREFER_FAILURE (RFC 6887 section 14.2), of a protocol that is off now, or where
 * the new pool is full. Walks over all mappings: some tenths of a second for a million.
 *
 * The settings are in no change: a replica takes them by {@link adoptCgnSettings}, and then the changes.
 */
export const reconfigureCgn = (state: CgnState, settings: CgnChangeable, now: number): Reconfigured => {
  const before = state.config
  const changes: Change[] = []
  const past = stepOf(state, now)
  // What ran out did so under the settings of before, its recycle delay among them.
  while (expireRows(past, SWEEP, changes) === SWEEP);
  const adopted = adoptCgnSettings({ version: seal(past.table), config: before, waiting: undefined }, settings, now)
  if (!adopted.ok) return adopted
  const { config } = adopted.state
  const step = stepOf(adopted.state, now)
  if (before.blocks !== undefined && !isSameLayout(before, config)) closeBlocks(step, before.blocks, changes)
  dropStatics(step, before, changes)
  for (const mapping of config.staticMappings) installStatic(step, mapping, changes)
  moveAway(step, changes)
  closeEmptyBlocks(step, changes)
  const moved = changes.filter((change) => change.type === "moved")
  return { ok: true, state: sealed(step), changes, moved }
}

/** What {@link reconfigureCgn} starts with: the settings alone, with every mapping where it was, allowed there or not. */
export const adoptCgnSettings = (
  state: CgnState,
  settings: CgnChangeable,
  now: number,
): { readonly ok: true; readonly state: CgnState } | { readonly ok: false; readonly error: SettingsError } => {
  const before = state.config
  const wanted = { ...settings, secret: before.secret, now: before.now }
  const error = checkCgnSettings(wanted)
  if (error !== undefined) return { ok: false, error }
  const config = withDependents(configureCgn(wanted, before), open(state.version))
  if (config.addresses.length > MAX_POOL)
    return {
      ok: false,
      error: { code: "pool-too-large", text: `the pools before and after have over ${MAX_POOL} addresses together` },
    }
  const step = stepOf({ version: state.version, config, waiting: undefined }, now)
  regroup(step, before)
  if ((config.noncePolicy === "off") !== (before.noncePolicy === "off")) rekeyHeld(step)
  if (before.pool.some((number) => !config.inPool[number])) pairAgain(step)
  if (before.blocks !== undefined && !isSameLayout(before, config)) forgetBlocks(step, before.blocks)
  for (let number = 0; number < config.addresses.length; number++) {
    refreshAddress(step, number)
    refreshBlocks(step, number)
  }
  return { ok: true, state: sealed(step) }
}

/** Counts all mappings to the subscribers of another kind of quota. */
const regroup = (step: Step, before: CgnConfig): void => {
  const { table, config } = step
  const a = before.subscriberPrefix
  const b = config.subscriberPrefix
  const on = config.grouped
  if (on === before.grouped && a.ipv4 === b.ipv4 && a.ipv6 === b.ipv6) return
  const rows = subscribersOf(table)
  if (before.grouped) countImplicits(table, -1)
  for (const row of rows) leaveGroup(step, row)
  if (!on) return
  for (const row of rows) joinGroup(step, row)
  countImplicits(table, 1)
}

/** Counts all implicit mappings to the groups of their subscribers, or takes them off there. */
const countImplicits = (table: Table, by: 1 | -1): void => {
  for (let row = 1; row < rowLimit(table, MAPPING); row++)
    if (isMapping(table, row) && word(table, MAPPING, row, MappingWord.IDLE) !== 0)
      countImplicit(table, word(table, MAPPING, row, MappingWord.SUBSCRIBER), protocolOf(table, row), by)
}

/** Leads subscribers whose address left the pool to the one that they are paired with now (RFC 4787 REQ-2). */
const pairAgain = (step: Step): void => {
  const { table, config } = step
  for (const row of subscribersOf(table)) {
    if (config.inPool[word(table, SUBSCRIBER, row, Subscriber.EXTERNAL) - 1]) continue
    const internal = addressAt(table, SUBSCRIBER, row, Subscriber.ADDRESS)
    const realm = realmAt(table, word(table, SUBSCRIBER, row, Subscriber.REALM))
    setWord(table, SUBSCRIBER, row, Subscriber.EXTERNAL, pairedAddress(config, internal, realm) + 1)
  }
}

/** All subscriber rows, found from their mappings. */
const subscribersOf = (table: Table): ReadonlySet<number> => {
  const rows = new Set<number>()
  for (let row = 1; row < rowLimit(table, MAPPING); row++)
    if (isMapping(table, row)) rows.add(word(table, MAPPING, row, MappingWord.SUBSCRIBER))
  return rows
}

/** Is this row one of a mapping, not a free one, nor one that holds an end? */
const isMapping = (table: Table, row: number): boolean =>
  word(table, MAPPING, row, MappingWord.EXTERNAL) !== 0 && !isHeld(table, row)

/** Takes away the administrator's mappings that are not in the new settings. */
const dropStatics = (step: Step, before: CgnConfig, changes: Change[]): void => {
  const kept = new Set(step.config.staticMappings.map(keyOfStatic))
  for (const mapping of before.staticMappings) {
    if (kept.has(keyOfStatic(mapping))) continue
    const row = findRow(step.table, mapping)
    if (row !== 0 && isStatic(step.table, row)) dropEnd(step, row, changes, staticAsData(step, row))
  }
}

const keyOfStatic = (m: StaticMapping): string =>
  `${m.protocol} ${m.internal} ${m.internalPort} ${m.external} ${m.externalPort} ${m.realm ?? ""}`

/** Makes way for one of the administrator's mappings, inside and outside, and makes it; nothing if it is there. */
const installStatic = (step: Step, mapping: StaticMapping, changes: Change[]): void => {
  const { table } = step
  const there = findRow(table, mapping)
  if (there !== 0 && isStatic(table, there)) return
  const { address, slot, field } = staticEnd(step, mapping)
  const holder = holderOf(table, address, slot, field)
  if (holder !== 0 && holder !== there && !isHeld(table, holder)) moveRowAway(step, holder, changes)
  const row = findRow(table, mapping)
  // The host's own MAP gives way to the administrator's; its PEERs and traffic follow to the new end.
  if (row !== 0 && !sweepRow(step, row, changes))
    for (const want of wantsOf(step, row)) if (want.kind === "map") dropEnd(step, row, changes, want)
  const left = findRow(table, mapping)
  if (left !== 0 && left !== holderOf(table, address, slot, field)) {
    freeEnd(step, address, slot, field, changes)
    for (const want of wantsOf(step, left)) moveTo(step, left, changes, want, mapping)
  }
  placeStatic(step, mapping, changes)
}

/** Frees an end that is held. */
const freeEnd = (step: Step, address: number, slot: number, field: number, changes: Change[]): void => {
  const holder = holderOf(step.table, address, slot, field)
  if (holder === 0 || !isHeld(step.table, holder)) return
  changes.push(freedAsData(step, holder))
  freeHeld(step, holder)
}

/** Tells of one mapping that it moved; the first of a row takes the row with it. */
const moveTo = (
  step: Step,
  row: number,
  changes: Change[],
  mapping: Mapping,
  to: { readonly external: Mapping["external"]; readonly externalPort: number },
): void => {
  const { external, externalPort } = mapping
  const moved: Moved = {
    type: "moved",
    mapping: { ...mapping, external: to.external, externalPort: to.externalPort },
    external,
    externalPort,
  }
  changes.push(moved)
  applyChange(step, moved, row)
}

/** Gives every row that may not stay where it is another external end, and frees ends held that nobody may have. */
const moveAway = (step: Step, changes: Change[]): void => {
  const { table } = step
  // Rows made on the way are where they may be.
  const end = rowLimit(table, MAPPING)
  for (let row = 1; row < end; row++) {
    const at = word(table, MAPPING, row, MappingWord.EXTERNAL)
    if (at === 0 || mayStay(step, row, at)) continue
    if (isHeld(table, row)) {
      changes.push(freedAsData(step, row))
      freeHeld(step, row)
    } else moveRowAway(step, row, changes)
  }
}

const mayStay = (step: Step, row: number, at: number): boolean => {
  const { table, config } = step
  const held = isHeld(table, row)
  if (!held && isStatic(table, row)) return true
  const address = addressOf(at)
  const protocol = protocolOfEnd(at)
  const slot = slotOfEnd(at)
  if (!config.inPool[address]) return false
  // ICMP queries are mapped by traffic alone, whatever protocols requests may name.
  if (slot !== QUERY && !isTranslated(config, protocol, slot === WHOLE ? 0 : 1)) return false
  if (slot !== WHOLE && !isInRange(config, portOf(at))) return false
  if (slot !== WHOLE && slot !== SCTP && !keepsEnd(step, row, at)) return false
  if (!config.whole) return true
  return (slot === WHOLE ? [0] : [protocol, 0]).every((whole) => {
    const holder = holderOf(table, address, WHOLE, whole)
    return holder === 0 || holder === row || (!held && isSameHost(table, holder, row))
  })
}

/** Where ports are assigned to subscribers: is this end still one of its host's, or of whom it is held for? */
const keepsEnd = (step: Step, row: number, at: number): boolean => {
  const { table, config } = step
  if (config.assignment.kind === "random") return true
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  const host = isHeld(table, row)
    ? heldFor(table, row)
    : {
        internal: addressAt(table, SUBSCRIBER, subscriber, Subscriber.ADDRESS),
        realm: realmAt(table, word(table, SUBSCRIBER, subscriber, Subscriber.REALM)),
      }
  return isAssigned(step, host, addressOf(at), portOf(at))
}

const isSameHost = (table: Table, a: number, b: number): boolean =>
  word(table, MAPPING, a, MappingWord.SUBSCRIBER) === word(table, MAPPING, b, MappingWord.SUBSCRIBER)

/** Gives a row another external end, or takes it away with all that wants it. */
const moveRowAway = (step: Step, row: number, changes: Change[]): void => {
  const { table, config } = step
  if (sweepRow(step, row, changes)) return
  const protocol = protocolOf(table, row)
  const internalPort = internalPortOf(table, row)
  const isQuery = slotOfEnd(word(table, MAPPING, row, MappingWord.EXTERNAL)) === QUERY
  const stays = !isQuery && isTranslated(config, protocol, internalPort)
  const moving: Mapping[] = []
  for (const want of wantsOf(step, row))
    if (stays && !want.details?.preferFailure) moving.push(want)
    else dropEnd(step, row, changes, want)
  if (moving.length === 0) return
  const [{ internal, realm }] = moving
  const known = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  const { externalPort } = externalOf(step, row)
  const natPmp = moving.some(({ origin }) => origin === "nat-pmp")
  const end = { protocol, internal, internalPort, realm, ...remoteOf(table, row) }
  const want = { ...end, nonce: undefined, natPmp, exact: false }
  // The same port of another address, if it can be had.
  const chosen = choose(step, known, { ...want, suggested: ANY4, suggestedPort: externalPort }, changes)
  if (!chosen.ok) {
    for (const mapping of moving) dropEnd(step, row, changes, mapping)
    return
  }
  if (chosen.held !== 0) {
    changes.push(freedAsData(step, chosen.held))
    freeHeld(step, chosen.held)
  }
  const to = { external: config.addresses[chosen.external], externalPort: chosen.port }
  for (const mapping of moving) moveTo(step, row, changes, mapping, to)
}
