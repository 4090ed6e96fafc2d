import { open, peek, poke, seal, setWord, word } from "../table/index.ts"
import { isAssigned } from "./area.ts"
import { addBlock, replayBlockOver } from "./block.ts"
import type { Change } from "./change.ts"
import { setMapDeadline, wake } from "./deadline.ts"
import { withDependents } from "./dependent.ts"
import { dropDetails, mappingOwner, needRow, peerOwner, setDetails } from "./details.ts"
import { addressOf, FIRST_QUERY, fieldOf, holderOf, portOf, QUERY, SCTP, WHOLE } from "./end.ts"
import { resetEpoch } from "./epoch.ts"
import { addHeld, holdRow, replayFreed } from "./hold.ts"
import { slotOfInternal } from "./internal.ts"
import {
  type CgnState,
  deadlineAt,
  Flag,
  MAPPING,
  MappingWord,
  PEER,
  PeerWord,
  type Step,
  SUBSCRIBER,
  Subscriber,
  TOTALS,
  Total,
} from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import { setNonce } from "./nonce.ts"
import { isAvailable, isInRange } from "./ports.ts"
import {
  addMappingRow,
  addMapRow,
  addPeerRow,
  detachRow,
  dropMappingRow,
  dropPeerRow,
  findPeer,
  findRow,
  moveRow,
  rowOf,
  setFilters,
  setFlags,
  tidySubscriber,
} from "./row.ts"
import { addSubscriber, countImplicit, countMappings, findSubscriber } from "./subscriber.ts"
import { replaySession } from "./translate/session.ts"

/**
 * Replays one change on the open table: the only code that writes mappings, so that what a run says of itself and what it
 * does are one. A change that does not fit the state (of a mapping that is not there, to an end that somebody has) is
 * passed over: a replica that missed something stays whole. `known` is the mapping's row where the caller has just found
 * it, else 0: looking it up again would cost as much as all the rest of a renewal.
 */
export const applyChange = (step: Step, change: Change, known: number): void => {
  switch (change.type) {
    case "created":
    case "renewed":
      put(step, change.mapping, known)
      return
    case "deleted":
    case "expired":
      takeAway(step, change.mapping, known, 0)
      return
    case "moved":
      move(step, change.mapping, known)
      return
    case "held":
      addHeld(step, change)
      return
    case "freed":
      replayFreed(step, change)
      return
    case "block":
      addBlock(step, change)
      return
    case "block-over":
      replayBlockOver(step, change)
      return
    case "filtered": {
      const row = known !== 0 ? known : findRow(step.table, change)
      if (row !== 0) setFilters(step.table, row, change.filters)
      return
    }
    case "subscriber-reset":
      resetEpoch(step.table, change.internal, change.realm, change.at)
      return
    case "session":
    case "session-over":
      replaySession(step, change)
      return
    case "counted":
    case "epoch-reset":
      // The server's own: nothing of the CGN's changes.
      return
  }
}

const total = (step: Step, cell: number, by: number): void =>
  poke(step.table, TOTALS, cell, peek(step.table, TOTALS, cell) + by)

const count = (step: Step, row: number, by: number): void =>
  countMappings(step.table, word(step.table, MAPPING, row, MappingWord.SUBSCRIBER), by)

/**
 * The number, slot and field of a mapping's external end; `undefined` when it can't be had, be it free or not. `any`: also
 * out of the pool and the range, as the administrator's may be, and what shares an end with those.
 */
const endFor = (step: Step, mapping: Mapping, any: boolean) => {
  const { config } = step
  const { protocol, externalPort } = mapping
  const address = (any ? config.addressIndex : config.poolIndex).get(mapping.external)
  const slot = slotOfInternal(mapping)
  if (address === undefined || slot < 0 || (slot === QUERY && externalPort < FIRST_QUERY)) return undefined
  if (!any && slot !== WHOLE && !isInRange(config, externalPort)) return undefined
  if (!any && slot !== WHOLE && slot !== SCTP && !isAssigned(step, mapping, address, externalPort)) return undefined
  return { address, slot, field: fieldOf(slot, protocol, externalPort) }
}

/** The end of a mapping that is to come there, when nobody has it; `subscriber` is its host's row, or 0. */
const freeEndFor = (step: Step, mapping: Mapping, subscriber: number) => {
  const end = endFor(step, mapping, mapping.kind === "static")
  if (end === undefined || holderOf(step.table, end.address, end.slot, end.field) !== 0) return undefined
  // What is in the administrator's way is moved away when he comes.
  if (mapping.kind === "static") return end
  const owner = { ...mapping, subscriber, natPmp: mapping.origin === "nat-pmp" }
  return isAvailable(step, end.address, end.slot, end.field, owner) ? end : undefined
}

/** The mapping row of a mapping, made where it is not there yet; 0 when its external end can't be had. */
const rowFor = (step: Step, mapping: Mapping): number => {
  const row = rowOf(step.table, mapping)
  if (row !== 0) return row
  const { internal, realm } = mapping
  const found = findSubscriber(step.table, internal, realm)
  const end = freeEndFor(step, mapping, found)
  if (end === undefined) return 0
  const subscriber = found === 0 ? addSubscriber(step, internal, realm, end.address) : found
  // Whatever comes into the row counts on from there.
  total(step, Total.BARE, 1)
  return addMappingRow(step, subscriber, mapping, end.address, end.slot, end.field)
}

const put = (step: Step, mapping: Mapping, known: number): void => {
  const { kind, remote, nonce, dependence } = mapping
  if (kind === "peer" && (remote === undefined || nonce === undefined)) return
  if (dependence !== undefined && (remote === undefined || (kind !== "peer" && kind !== "implicit"))) return
  const row = known !== 0 ? known : rowFor(step, mapping)
  if (row !== 0) settle(step, row, mapping)
}

/**
 * Gives the row of a mapping the mapping's external end, when nobody has that. What stands beside it is not looked at: a
 * host's own mappings follow the administrator's to wherever he wants it.
 */
const move = (step: Step, mapping: Mapping, known: number): void => {
  const { table, config } = step
  const row = known !== 0 ? known : rowOf(table, mapping)
  if (row === 0) return
  const before = word(table, MAPPING, row, MappingWord.EXTERNAL)
  if (config.addresses[addressOf(before)] === mapping.external && portOf(before) === mapping.externalPort) return
  const end = endFor(step, mapping, true)
  if (end !== undefined && holderOf(table, end.address, end.slot, end.field) === 0)
    moveRow(step, row, end.address, end.slot, end.field)
}

/**
 * Makes a mapping whose external end was just found free: what replaying its `created` does, without looking again.
 * `subscriber` is its row, or 0 where it has none yet; `external` the number of its external address. Locked, it carries
 * no traffic until its filters are set. Returns its row.
 */
export const place = (step: Step, subscriber: number, external: number, mapping: Mapping, locked: boolean): number => {
  const { internal, realm, protocol, externalPort } = mapping
  const owner = subscriber === 0 ? addSubscriber(step, internal, realm, external) : subscriber
  const slot = slotOfInternal(mapping)
  const field = fieldOf(slot, protocol, externalPort)
  if (mapping.kind === "map" && mapping.origin === "pcp" && mapping.details === undefined && !locked) {
    const deadline = deadlineAt(step.config, mapping.expires)
    const row = addMapRow(step, owner, mapping, external, slot, field, deadline)
    wake(step, row, deadline)
    return row
  }
  const row = addMappingRow(step, owner, mapping, external, slot, field)
  if (mapping.kind !== "map") total(step, Total.BARE, 1)
  settle(step, row, mapping, true)
  if (locked) setFlags(step, row, word(step.table, MAPPING, row, MappingWord.FLAGS) | Flag.LOCKED)
  return row
}

/** Renews a mapping that only gets another deadline and client port: nothing else of it is looked at. */
export const prolong = (step: Step, row: number, deadline: number, clientPort: number): void => {
  const flags = word(step.table, MAPPING, row, MappingWord.FLAGS)
  setWord(step.table, MAPPING, row, MappingWord.FLAGS, (flags & 0xffff) | (clientPort << 16))
  setMapDeadline(step, row, deadline)
}

/** Counts an implicit mapping, of all and, where subscribers are kept account of, of its own. */
const countIdle = (step: Step, row: number, protocol: number, by: 1 | -1): void => {
  total(step, Total.IMPLICIT, by)
  if (step.config.grouped)
    countImplicit(step.table, word(step.table, MAPPING, row, MappingWord.SUBSCRIBER), protocol, by)
}

/** Writes a mapping into its row; `fresh`: one made for it just now. */
const settle = (step: Step, row: number, mapping: Mapping, fresh = false): void => {
  const { table, config } = step
  const { details } = mapping
  const deadline = deadlineAt(config, mapping.expires)
  const before = word(table, MAPPING, row, MappingWord.FLAGS)
  switch (mapping.kind) {
    case "map": {
      if ((before & Flag.STATIC) !== 0) return
      const detailed = needRow(details)
      const flags =
        Flag.MAP |
        (mapping.nonce === undefined ? 0 : Flag.NONCE) |
        (mapping.origin === "nat-pmp" ? Flag.NATPMP : 0) |
        (details?.preferFailure ? Flag.EXACT : 0) |
        (detailed ? Flag.DETAILS : 0) |
        (mapping.clientPort << 16)
      if ((before & Flag.MAP) === 0) {
        count(step, row, 1)
        if (!fresh) total(step, Total.BARE, -1)
      }
      if (detailed) setDetails(table, mappingOwner(row), details)
      else if ((before & Flag.DETAILS) !== 0) dropDetails(table, mappingOwner(row))
      if (mapping.nonce !== undefined) setNonce(table, MAPPING, row, MappingWord.NONCE, mapping.nonce)
      setWord(table, MAPPING, row, MappingWord.EXPIRES, deadline)
      setFlags(step, row, flags)
      break
    }
    case "static":
      if ((before & (Flag.STATIC | Flag.MAP)) !== 0) return
      setFlags(step, row, Flag.STATIC)
      total(step, Total.STATIC, 1)
      // S-53: the host's dynamic mappings go to the same address, if the pool has it.
      setWord(
        table,
        SUBSCRIBER,
        word(table, MAPPING, row, MappingWord.SUBSCRIBER),
        Subscriber.EXTERNAL,
        addressOf(word(table, MAPPING, row, MappingWord.EXTERNAL)) + 1,
      )
      return
    case "implicit":
      if (word(table, MAPPING, row, MappingWord.IDLE) === 0) countIdle(step, row, mapping.protocol, 1)
      setWord(table, MAPPING, row, MappingWord.IDLE, deadline)
      break
    case "peer": {
      if (mapping.remote === undefined || mapping.nonce === undefined) return
      let peer = findPeer(table, row, mapping.remote, mapping.remotePort)
      if (peer === 0) {
        peer = addPeerRow(step, row, mapping.remote, mapping.remotePort)
        count(step, row, 1)
      }
      const had = (word(table, PEER, peer, PeerWord.FLAGS) & Flag.DETAILS) !== 0
      const detailed = needRow(details)
      if (detailed) setDetails(table, peerOwner(peer), details)
      else if (had) dropDetails(table, peerOwner(peer))
      setWord(table, PEER, peer, PeerWord.FLAGS, (mapping.clientPort << 16) | (detailed ? Flag.DETAILS : 0))
      setNonce(table, PEER, peer, PeerWord.NONCE, mapping.nonce)
      setWord(table, PEER, peer, PeerWord.EXPIRES, deadline)
      break
    }
  }
  wake(step, row, deadline)
}

/**
 * Takes a mapping away. When nothing else wants its row, the external end is held until second `until`, true then, or free
 * at once (0).
 */
export const takeAway = (step: Step, mapping: Mapping, known: number, until: number): boolean => {
  const { table } = step
  const row = known !== 0 ? known : rowOf(table, mapping)
  if (row === 0) return false
  const flags = word(table, MAPPING, row, MappingWord.FLAGS)
  switch (mapping.kind) {
    case "map":
      if ((flags & Flag.MAP) === 0) return false
      setFilters(table, row, [])
      if ((flags & Flag.DETAILS) !== 0) dropDetails(table, mappingOwner(row))
      count(step, row, -1)
      setFlags(step, row, 0)
      setWord(table, MAPPING, row, MappingWord.EXPIRES, 0)
      break
    case "static":
      if ((flags & Flag.STATIC) === 0) return false
      total(step, Total.STATIC, -1)
      setFlags(step, row, 0)
      break
    case "implicit":
      if (word(table, MAPPING, row, MappingWord.IDLE) === 0) return false
      countIdle(step, row, mapping.protocol, -1)
      setWord(table, MAPPING, row, MappingWord.IDLE, 0)
      break
    case "peer": {
      const peer = mapping.remote === undefined ? 0 : findPeer(table, row, mapping.remote, mapping.remotePort)
      if (peer === 0) return false
      dropPeerRow(step, peer)
      count(step, row, -1)
      break
    }
  }
  const wanted =
    word(table, MAPPING, row, MappingWord.FLAGS) !== 0 ||
    word(table, MAPPING, row, MappingWord.IDLE) !== 0 ||
    word(table, MAPPING, row, MappingWord.PEERS) !== 0
  if (wanted) {
    if (mapping.kind === "map") total(step, Total.BARE, 1)
    return false
  }
  if (mapping.kind !== "map") total(step, Total.BARE, -1)
  if (until === 0) {
    dropMappingRow(step, row)
    return false
  }
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  detachRow(step, row)
  holdRow(step, row, mapping, until)
  tidySubscriber(step, subscriber)
  return true
}

/** Replays changes in order: all those of a run, over its first state, give its last. */
export const apply = (state: CgnState, changes: readonly Change[]): CgnState => {
  const table = open(state.version)
  const step: Step = { table, config: state.config, second: 0, now: state.config.now, waiting: undefined }
  for (const change of changes) applyChange(step, change, 0)
  // A replica may be told of mappings that its own settings would not make.
  const config = state.config.addressDependent ? state.config : withDependents(state.config, table)
  return { version: seal(table), config, waiting: state.waiting }
}
