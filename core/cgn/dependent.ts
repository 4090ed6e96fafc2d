import {
  addRow,
  dropRow,
  find,
  indexRow,
  keyOf,
  rowCount,
  setWord,
  type Table,
  unindexRow,
  word,
} from "../table/index.ts"
import { type Address, addressWord, Protocol } from "../wire/index.ts"
import type { InternalEnd } from "./contract.ts"
import { isWanted } from "./deadline.ts"
import { internalWordOf, isWholeIn, isZeroQueryIn, portIn, protocolIn } from "./internal.ts"
import { DEPENDENT, DependentWord, MAPPING, MappingWord, type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import type { Realm, RemoteDependence } from "./mapping.ts"
import type { CgnConfig } from "./settings.ts"
import { addressAt, findRealm, realmAt, setAddress } from "./subscriber.ts"

/**
 * Mapping rows of one remote peer alone (RFC 4787 section 4.1, RFC 5382 section 4.1). Each has a row of the family DEPENDENT,
 * found by internal end and remote peer, and its number, with the top bit set, where others have their internal end: so one
 * internal end has as many mapping rows as remote peers, and none of the others costs a word more.
 */

/** Of a mapping row's internal end: the rest of the word is the number of a dependent row. No protocol reaches this bit. */
const MARK = 1 << 31

/** Of a dependent row's port: the remote port counts, and is in the other 16 bits. */
const PORTED = 1 << 16

/** The end of a mapping inside, and whose alone it is: nobody's without `dependence`. */
export interface MappedEnd extends InternalEnd {
  /** Of ICMP queries with the identifier 0: as in `InternalPort`. */
  readonly identifier?: 0 | undefined
  readonly dependence?: RemoteDependence | undefined
  readonly remote?: Address | undefined
  /** Counts where the mapping is address- and port-dependent. */
  readonly remotePort?: number | undefined
}

/** Protocol and internal port of a mapping row in one word, as `internalWordOf` has them: not of one that holds an end. */
export const internalWord = (table: Table, row: number): number => {
  const own = word(table, MAPPING, row, MappingWord.INTERNAL)
  return own >= 0 ? own : word(table, DEPENDENT, own & ~MARK, DependentWord.INTERNAL)
}

/** The protocol of a mapping row; 0 for all. */
export const protocolOf = (table: Table, row: number): number => protocolIn(internalWord(table, row))

/** The internal port of a mapping row; 0 for all, and of queries with the identifier 0. */
export const internalPortOf = (table: Table, row: number): number => portIn(internalWord(table, row))

/** Is a mapping row of all that a protocol has? */
export const isWhole = (table: Table, row: number): boolean => isWholeIn(internalWord(table, row))

/** The dependent row of a mapping row, or 0: it is of all remote peers. */
export const dependentOf = (table: Table, row: number): number => {
  const own = word(table, MAPPING, row, MappingWord.INTERNAL)
  return own >= 0 ? 0 : own & ~MARK
}

/** What of a remote peer the implicit mappings of a protocol depend on; ICMP's have no remote port, and SCTP keeps its own. */
export const dependenceOf = ({ translation }: CgnConfig, protocol: number): RemoteDependence | undefined => {
  const { mapping } = translation
  if (mapping === "endpoint-independent") return undefined
  if (protocol === Protocol.TCP || protocol === Protocol.UDP) return mapping
  return protocol === Protocol.ICMP ? "address-dependent" : undefined
}

/** The remote peer of an end in one word beside its address: its port, if that counts. */
export const remoteWord = ({ dependence, remotePort = 0 }: MappedEnd): number =>
  dependence === "address-and-port-dependent" ? PORTED | remotePort : 0

/** Whose alone a mapping row is; `undefined`: nobody's. */
export const remoteOf = (
  table: Table,
  row: number,
): { readonly dependence: RemoteDependence; readonly remote: Address; readonly remotePort: number } | undefined => {
  const at = dependentOf(table, row)
  if (at === 0) return undefined
  const port = word(table, DEPENDENT, at, DependentWord.PORT)
  return {
    dependence: port === 0 ? "address-dependent" : "address-and-port-dependent",
    remote: addressAt(table, DEPENDENT, at, DependentWord.REMOTE),
    remotePort: port & 0xffff,
  }
}

/** The internal end of a mapping row. */
export const internalEndOf = (table: Table, row: number): MappedEnd & { readonly realm: Realm | undefined } => {
  const subscriber = word(table, MAPPING, row, MappingWord.SUBSCRIBER)
  const own = internalWord(table, row)
  const end = {
    protocol: protocolIn(own),
    internal: addressAt(table, SUBSCRIBER, subscriber, Subscriber.ADDRESS),
    internalPort: portIn(own),
    realm: realmAt(table, word(table, SUBSCRIBER, subscriber, Subscriber.REALM)),
  }
  return isZeroQueryIn(own) ? { ...end, identifier: 0 } : end
}

/** The internal end of a mapping row, and the remote peer that it is of alone. */
export const mappedEndOf = (table: Table, row: number): ReturnType<typeof internalEndOf> => {
  const end = internalEndOf(table, row)
  const of = remoteOf(table, row)
  return of === undefined ? end : { ...end, ...of }
}

/** The mapping row of an internal end that is a remote peer's alone, or 0; `port` as {@link remoteWord} has it. */
export const findDependent = (table: Table, end: MappedEnd, remote: Address, port: number): number => {
  const { internal, realm } = end
  const inRealm = realm === undefined ? 0 : findRealm(table, realm)
  if (inRealm < 0) return 0
  const key = keyOf(table, DEPENDENT)
  for (const i of [0, 1, 2, 3] as const) {
    key[i] = addressWord(internal, i)
    key[6 + i] = addressWord(remote, i)
  }
  key[4] = inRealm
  key[5] = internalWordOf(end)
  key[10] = port
  const found = find(table, DEPENDENT)
  return found === 0 ? 0 : word(table, DEPENDENT, found, DependentWord.MAPPING)
}

/**
 * The mapping row of an internal end that is this remote peer's alone and still wanted, or 0: of its port before one of all
 * its ports, which came to be under other settings. Ask it only where the configuration says `addressDependent`.
 */
export const wantedTowards = (step: Step, end: MappedEnd, remote: Address, remotePort: number): number => {
  const { table, config } = step
  if (config.portDependent && end.protocol !== Protocol.ICMP) {
    const row = findDependent(table, end, remote, PORTED | remotePort)
    if (row !== 0 && isWanted(step, row)) return row
  }
  const row = findDependent(table, end, remote, 0)
  return row !== 0 && isWanted(step, row) ? row : 0
}

/** Gives a mapping row, not yet in its indexes, the remote peer that it is of, and returns what it has for its internal end. */
export const addDependent = (
  table: Table,
  subscriber: number,
  row: number,
  end: MappedEnd,
  remote: Address,
): number => {
  const at = addRow(table, DEPENDENT)
  setWord(table, DEPENDENT, at, DependentWord.SUBSCRIBER, subscriber)
  setWord(table, DEPENDENT, at, DependentWord.INTERNAL, internalWordOf(end))
  setAddress(table, DEPENDENT, at, DependentWord.REMOTE, remote)
  setWord(table, DEPENDENT, at, DependentWord.PORT, remoteWord(end))
  setWord(table, DEPENDENT, at, DependentWord.MAPPING, row)
  indexRow(table, DEPENDENT, at)
  return MARK | at
}

/** Takes a mapping row's dependent row away, if it has one: the mapping row is out of its indexes, its subscriber still there. */
export const dropDependent = (table: Table, row: number): void => {
  const at = dependentOf(table, row)
  if (at === 0) return
  unindexRow(table, DEPENDENT, at)
  dropRow(table, DEPENDENT, at)
}

/** Does a mapping row say itself whom its host has sent to, as far as this filtering asks? */
export const knowsPeer = (table: Table, row: number, filtering: RemoteDependence): boolean => {
  const at = dependentOf(table, row)
  return (
    at !== 0 &&
    (filtering === "address-dependent" ||
      word(table, DEPENDENT, at, DependentWord.PORT) !== 0 ||
      protocolOf(table, row) === Protocol.ICMP)
  )
}

/** Is a remote peer whom the host of a row that {@link knowsPeer} has sent to? */
export const isPeer = (
  table: Table,
  row: number,
  remote: Address,
  remotePort: number,
  filtering: RemoteDependence,
): boolean => {
  const at = dependentOf(table, row)
  for (const i of [0, 1, 2, 3] as const)
    if (word(table, DEPENDENT, at, DependentWord.REMOTE + i) !== addressWord(remote, i)) return false
  return filtering === "address-dependent" || (word(table, DEPENDENT, at, DependentWord.PORT) & 0xffff) === remotePort
}

/** A configuration for a table that may have such rows from under other settings. */
export const withDependents = (config: CgnConfig, table: Table): CgnConfig =>
  rowCount(table, DEPENDENT) === 0 ? config : { ...config, addressDependent: true, portDependent: true }
