import { open, seal, setWord, word } from "../table/index.ts"
import type { Change } from "./change.ts"
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
} from "./layout.ts"
import type { Mapping } from "./mapping.ts"
import { isAvailable, refreshEnd, slotOf } from "./ports.ts"
import {
  addMappingRow,
  addPeerRow,
  addSubscriber,
  dropMappingRow,
  dropPeerRow,
  findMapping,
  findPeer,
  findSubscriber,
  setFilters,
  setNonce,
  wake,
} from "./row.ts"

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
      remove(step, change.mapping, known)
      return
    case "filtered": {
      const { internal, protocol, internalPort } = change
      const row =
        known !== 0 ? known : findMapping(step.table, findSubscriber(step.table, internal), protocol, internalPort)
      if (row !== 0) setFilters(step.table, row, change.filters)
      return
    }
    case "counted":
    case "epoch-reset":
      // The server's own: nothing of the CGN's changes.
      return
  }
}

const count = (step: Step, row: number, by: number): void => {
  const subscriber = word(step.table, MAPPING, row, MappingWord.SUBSCRIBER)
  const value = word(step.table, SUBSCRIBER, subscriber, Subscriber.COUNT)
  setWord(step.table, SUBSCRIBER, subscriber, Subscriber.COUNT, value + by)
}

/** The mapping row of a mapping, made where it is not there yet; 0 when its external end can't be had. */
const rowFor = (step: Step, mapping: Mapping): number => {
  const { table, config } = step
  const found = findSubscriber(table, mapping.internal)
  const row = findMapping(table, found, mapping.protocol, mapping.internalPort)
  if (row !== 0) return row
  const external = config.poolIndex.get(mapping.external)
  const slot = slotOf(mapping.protocol)
  const natPmp = mapping.origin === "nat-pmp"
  if (external === undefined || slot < 0) return 0
  if (!isAvailable(step, external, slot, mapping.externalPort, found, natPmp)) return 0
  const subscriber = found === 0 ? addSubscriber(step, mapping.internal, external) : found
  return addMappingRow(step, subscriber, mapping.protocol, mapping.internalPort, external, mapping.externalPort)
}

const put = (step: Step, mapping: Mapping, known: number): void => {
  if (mapping.kind === "peer" && (mapping.remote === undefined || mapping.nonce === undefined)) return
  const row = known !== 0 ? known : rowFor(step, mapping)
  if (row !== 0) settle(step, row, mapping)
}

/**
 * Makes a mapping whose external end was just found free: what replaying its `created` does, without looking again.
 * `subscriber` is its row, or 0 where it has none yet; `external` the number of its external address.
 */
export const place = (step: Step, subscriber: number, external: number, mapping: Mapping): void => {
  const { internal, protocol, internalPort, externalPort } = mapping
  const owner = subscriber === 0 ? addSubscriber(step, internal, external) : subscriber
  settle(step, addMappingRow(step, owner, protocol, internalPort, external, externalPort), mapping)
}

/** Writes a mapping into its row. */
const settle = (step: Step, row: number, mapping: Mapping): void => {
  const { table, config } = step
  const deadline = deadlineAt(config, mapping.expires)
  switch (mapping.kind) {
    case "map": {
      const before = word(table, MAPPING, row, MappingWord.FLAGS)
      const flags =
        Flag.MAP | (mapping.nonce === undefined ? 0 : Flag.NONCE) | (mapping.origin === "nat-pmp" ? Flag.NATPMP : 0)
      if ((before & Flag.MAP) === 0) count(step, row, 1)
      if (mapping.nonce !== undefined) setNonce(table, MAPPING, row, MappingWord.NONCE, mapping.nonce)
      setWord(table, MAPPING, row, MappingWord.EXPIRES, deadline)
      setFlags(step, row, flags)
      break
    }
    case "implicit":
      setWord(table, MAPPING, row, MappingWord.IDLE, deadline)
      break
    case "peer": {
      if (mapping.remote === undefined || mapping.nonce === undefined) return
      let peer = findPeer(table, row, mapping.remote, mapping.remotePort)
      if (peer === 0) {
        peer = addPeerRow(step, row, mapping.remote, mapping.remotePort)
        count(step, row, 1)
      }
      setNonce(table, PEER, peer, PeerWord.NONCE, mapping.nonce)
      setWord(table, PEER, peer, PeerWord.EXPIRES, deadline)
      break
    }
  }
  wake(step, row, deadline)
}

const setFlags = (step: Step, row: number, flags: number): void => {
  const { table } = step
  const before = word(table, MAPPING, row, MappingWord.FLAGS)
  setWord(table, MAPPING, row, MappingWord.FLAGS, flags)
  if (((before ^ flags) & Flag.NATPMP) !== 0) refreshEnd(step, word(table, MAPPING, row, MappingWord.EXTERNAL))
}

const remove = (step: Step, mapping: Mapping, known: number): void => {
  const { table } = step
  const row =
    known !== 0
      ? known
      : findMapping(table, findSubscriber(table, mapping.internal), mapping.protocol, mapping.internalPort)
  if (row === 0) return
  switch (mapping.kind) {
    case "map":
      if ((word(table, MAPPING, row, MappingWord.FLAGS) & Flag.MAP) === 0) return
      setFilters(table, row, [])
      count(step, row, -1)
      setFlags(step, row, 0)
      setWord(table, MAPPING, row, MappingWord.EXPIRES, 0)
      break
    case "implicit":
      setWord(table, MAPPING, row, MappingWord.IDLE, 0)
      break
    case "peer": {
      const peer = mapping.remote === undefined ? 0 : findPeer(table, row, mapping.remote, mapping.remotePort)
      if (peer === 0) return
      dropPeerRow(step, peer)
      count(step, row, -1)
      break
    }
  }
  const wanted =
    word(table, MAPPING, row, MappingWord.FLAGS) !== 0 ||
    word(table, MAPPING, row, MappingWord.IDLE) !== 0 ||
    word(table, MAPPING, row, MappingWord.PEERS) !== 0
  if (!wanted) dropMappingRow(step, row)
}

/** Replays changes in order: all those of a run, over its first state, give its last. */
export const apply = (state: CgnState, changes: readonly Change[]): CgnState => {
  const table = open(state.version)
  const step: Step = { table, config: state.config, second: 0 }
  for (const change of changes) applyChange(step, change, 0)
  return { version: seal(table), config: state.config }
}
