import { word } from "../../table/index.ts"
import { Protocol } from "../../wire/index.ts"
import { idleDeadline, isStatic, livePeer, mapDeadline, peerDeadline } from "../deadline.ts"
import { isPeer, knowsPeer } from "../dependent.ts"
import { anyMatches } from "../filter-list.ts"
import { FILTER, Flag, MAPPING, MappingWord, type Step } from "../layout.ts"
import { findPeer } from "../row.ts"
import { findSession, hasSessionWith, type SessionKey, sessionDeadline } from "./session.ts"
import type { Dependence } from "./settings.ts"

/** What a mapping row does with a packet from a remote peer; `absent`: nothing in it that lets packets in is active. */
export type Admission = "admitted" | "filtered" | "absent"

/**
 * May the packets of a remote peer come in by this mapping row? What lets in most decides:
 *
 * - the administrator's mapping: everybody;
 * - a MAP mapping: everybody (S-56), or whom its filters name (RFC 6887 section 13.3); none while it is locked;
 * - a PEER: that remote peer;
 * - what outbound traffic made: whom the settings let in, but beside a filtered MAP mapping only whom the host sends to,
 *   so that its own traffic does not open what it asked to have filtered. A mapping of one remote peer alone says itself whom
 *   its host sends to.
 */
export const admit = (step: Step, key: SessionKey): Admission => {
  const { table, config } = step
  const { row } = key
  if (isStatic(table, row)) return "admitted"
  const map = isOpen(step, row)
  const first = map ? word(table, MAPPING, row, MappingWord.FILTERS) : 0
  if (map && (first === 0 || anyMatches(table, FILTER, first, key.remote, key.remotePort))) return "admitted"
  const implicit = idleDeadline(step, row) !== 0
  const peers = word(table, MAPPING, row, MappingWord.PEERS) !== 0 && livePeer(step, row) !== 0
  if (!map && !implicit && !peers) return "absent"
  if (peers) {
    const peer = findPeer(table, row, key.remote, key.remotePort)
    if (peer !== 0 && peerDeadline(step, peer) !== 0) return "admitted"
  }
  const { sessions } = config.translation
  const filtering = filteringOf(step, key.protocol)
  if (!map && filtering === "endpoint-independent") return "admitted"
  if (!implicit) return "filtered"
  if (filtering !== "endpoint-independent" && config.addressDependent && knowsPeer(table, row, filtering))
    return isPeer(table, row, key.remote, key.remotePort, filtering) ? "admitted" : "filtered"
  if (sessionDeadline(step, findSession(table, key)) !== 0) return "admitted"
  return !map && filtering === "address-dependent" && hasSessionWith(step, key, sessions) ? "admitted" : "filtered"
}

/** Whose packets of a protocol come in by what outbound traffic made (RFC 5382 REQ-3b: TCP's may be others than UDP's). */
const filteringOf = ({ config }: Step, protocol: number): Dependence => {
  const { filtering, tcpFiltering } = config.translation
  return (protocol === Protocol.TCP ? tcpFiltering : undefined) ?? filtering
}

/** Has the row a MAP mapping that is active? */
const isOpen = (step: Step, row: number): boolean =>
  mapDeadline(step, row) !== 0 && (word(step.table, MAPPING, row, MappingWord.FLAGS) & Flag.LOCKED) === 0

/**
 * Does {@link admit} let everybody's packets of this protocol in by this row, without a look at who it is? Not all rows that do
 * are found.
 */
export const admitsAll = (step: Step, row: number, protocol: number): boolean => {
  if (isStatic(step.table, row)) return true
  if (isOpen(step, row)) return word(step.table, MAPPING, row, MappingWord.FILTERS) === 0
  return filteringOf(step, protocol) === "endpoint-independent" && idleDeadline(step, row) !== 0
}

/** Is whom the host sends to of importance for who may come in by this row, and not said by that itself? */
export const remembersPeers = ({ table, config }: Step, row: number): boolean => {
  const { filtering } = config.translation
  if (filtering !== "endpoint-independent") return !config.addressDependent || !knowsPeer(table, row, filtering)
  return word(table, MAPPING, row, MappingWord.FILTERS) !== 0
}
