import { word } from "../table/index.ts"
import { internalEndOf, remoteOf } from "./dependent.ts"
import { detailsOf, mappingOwner, peerOwner } from "./details.ts"
import { addressOf, portOf } from "./end.ts"
import { Flag, instantOf, MAPPING, MappingWord, PEER, PeerWord, type Step } from "./layout.ts"
import type { Mapping, MappingDetails } from "./mapping.ts"
import { nonceAt } from "./nonce.ts"
import { addressAt } from "./subscriber.ts"

const endOf = (step: Step, row: number) => {
  const { table, config } = step
  const externalEnd = word(table, MAPPING, row, MappingWord.EXTERNAL)
  return {
    ...internalEndOf(table, row),
    external: config.addresses[addressOf(externalEnd)],
    externalPort: portOf(externalEnd),
  }
}

const NOBODY = { remote: undefined, remotePort: 0, nonce: undefined, clientPort: 0, details: undefined } as const

const detailsAt = (step: Step, owner: number, flags: number): MappingDetails | undefined => {
  const preferFailure = (flags & Flag.EXACT) !== 0
  if ((flags & Flag.DETAILS) !== 0) return detailsOf(step.table, owner, preferFailure)
  return preferFailure
    ? { preferFailure, requester: undefined, thirdPartyId: undefined, description: undefined }
    : undefined
}

/** The details of a row's MAP mapping. */
export const mapDetails = (step: Step, row: number): MappingDetails | undefined =>
  detailsAt(step, mappingOwner(row), word(step.table, MAPPING, row, MappingWord.FLAGS))

/** The details of a peer. */
export const peerDetails = (step: Step, peer: number): MappingDetails | undefined =>
  detailsAt(step, peerOwner(peer), word(step.table, PEER, peer, PeerWord.FLAGS))

/** The MAP mapping of a row as data. */
export const mapAsData = (step: Step, row: number): Mapping => {
  const { table, config } = step
  const flags = word(table, MAPPING, row, MappingWord.FLAGS)
  return {
    kind: "map",
    origin: (flags & Flag.NATPMP) !== 0 ? "nat-pmp" : "pcp",
    ...endOf(step, row),
    remote: undefined,
    remotePort: 0,
    nonce: (flags & Flag.NONCE) !== 0 ? nonceAt(table, MAPPING, row, MappingWord.NONCE) : undefined,
    expires: instantOf(config, word(table, MAPPING, row, MappingWord.EXPIRES) >>> 0),
    clientPort: flags >>> 16,
    details: mapDetails(step, row),
  }
}

/** The administrator's mapping of a row as data. */
export const staticAsData = (step: Step, row: number): Mapping => ({
  kind: "static",
  origin: "administrator",
  ...endOf(step, row),
  ...NOBODY,
  expires: Number.POSITIVE_INFINITY,
})

/** The implicit mapping of a row as data. */
export const implicitAsData = (step: Step, row: number): Mapping => ({
  kind: "implicit",
  origin: "traffic",
  ...endOf(step, row),
  ...NOBODY,
  ...remoteOf(step.table, row),
  expires: instantOf(step.config, word(step.table, MAPPING, row, MappingWord.IDLE) >>> 0),
})

/** A peer row as data. */
export const peerAsData = (step: Step, peer: number): Mapping => {
  const { table, config } = step
  const row = word(table, PEER, peer, PeerWord.MAPPING)
  return {
    kind: "peer",
    origin: "pcp",
    ...endOf(step, row),
    ...remoteOf(table, row),
    remote: addressAt(table, PEER, peer, PeerWord.REMOTE),
    remotePort: word(table, PEER, peer, PeerWord.PORT),
    nonce: nonceAt(table, PEER, peer, PeerWord.NONCE),
    expires: instantOf(config, word(table, PEER, peer, PeerWord.EXPIRES) >>> 0),
    clientPort: word(table, PEER, peer, PeerWord.FLAGS) >>> 16,
    details: peerDetails(step, peer),
  }
}
