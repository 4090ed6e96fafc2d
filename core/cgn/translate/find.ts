import { type Table, word } from "../../table/index.ts"
import { type Address, addressWord, Protocol } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import type { InternalEnd } from "../contract.ts"
import { isWanted } from "../deadline.ts"
import { dependenceOf, internalPortOf, isWhole, type MappedEnd, wantedTowards } from "../dependent.ts"
import { addressOf, FIRST_QUERY, holderOf, QUERY, slotOf, WHOLE } from "../end.ts"
import { MAPPING, MappingWord, type Step } from "../layout.ts"
import { isHeld } from "../owner.ts"
import type { Flow } from "../packet/index.ts"
import type { Reason } from "../passage.ts"
import { findMapping, rowOf } from "../row.ts"
import { sweepRow } from "../sweep.ts"
import { admit } from "./admit.ts"
import { makeImplicit } from "./keep.ts"
import type { SessionKey } from "./session.ts"

/** The mapping row of a packet with its session's ends, or why there is none. */
export type Found = { readonly ok: true; readonly key: SessionKey } | { readonly ok: false; readonly reason: Reason }

const none = (reason: Reason): Found => ({ ok: false, reason })

/**
 * The mapping row by which a packet goes out: that of its own internal port towards this remote peer alone; of its own
 * internal port; of all ports of its protocol; of all that the host has; or else one made now, where `timeout`, seconds, is
 * not 0. So a flow that began before its host asked for a MAP stays where it is (RFC 6887 section 16.1), and its peer gets
 * answers from where it sent to (section 11). The flow's protocol is that of mappings: ICMP for ICMPv6 as well.
 */
export const findOutbound = (
  step: Step,
  flow: Flow,
  realm: InternalEnd["realm"],
  timeout: number,
  absent: Reason,
  changes: Change[],
): Found => {
  const { table, config } = step
  const { protocol, source, sourcePort, destination, destinationPort, query } = flow
  const remotePort = remotePortOf(protocol, destinationPort)
  const isPort = sourcePort !== 0 || query
  const identifier = isPort && sourcePort === 0 ? 0 : undefined
  const end: MappedEnd = { protocol, internal: source, internalPort: sourcePort, identifier, realm }
  let row = config.addressDependent && isPort ? wantedTowards(step, end, destination, remotePort) : 0
  if (row === 0) {
    const own = isPort ? rowOf(table, end) : 0
    const wanted = own !== 0 && isWanted(step, own)
    row = wanted ? own : wholeOf(step, source, realm, protocol, sourcePort)
    if (row === 0) {
      if (timeout === 0 || !isPort) return none(absent)
      const dependence = dependenceOf(config, protocol)
      const made = dependence === undefined ? end : { ...end, dependence, remote: destination, remotePort }
      const over = dependence === undefined ? own : rowOf(table, made)
      if (over !== 0) sweepRow(step, over, changes)
      const fresh = makeImplicit(step, made, timeout, changes)
      if (typeof fresh === "string") return none(fresh)
      row = fresh
    }
  }
  return { ok: true, key: { row, protocol, internalPort: sourcePort, remote: destination, remotePort } }
}

/** A remote port as mappings know it: ICMP's identifiers are the internal end's, and another one outside, so that they are no port. */
const remotePortOf = (protocol: number, port: number): number => (protocol === Protocol.ICMP ? 0 : port)

/** A host's row of all ports of a protocol, or of all that it has, unless just this port of it outside is somebody else's. */
const wholeOf = (step: Step, host: Address, realm: InternalEnd["realm"], protocol: number, port: number): number => {
  const { table, config } = step
  if (!config.whole) return 0
  for (const mapped of [protocol, 0]) {
    const row = findMapping(table, host, realm, mapped << 16)
    if (row === 0 || !isWanted(step, row)) continue
    const address = addressOf(word(table, MAPPING, row, MappingWord.EXTERNAL))
    if (endAt(table, address, protocol, port) === 0) return row
  }
  return 0
}

/** The mapping row that has just this external port, or 0. */
const endAt = (table: Table, address: number, protocol: number, port: number): number => {
  const slot = port === 0 ? -1 : slotOf(protocol, port)
  if (slot < 0 || (slot === QUERY && port < FIRST_QUERY)) return 0
  const row = holderOf(table, address, slot, port)
  return row !== 0 && !isHeld(table, row) ? row : 0
}

/**
 * The mapping row by which a packet comes in: that of its external port; of all ports of its protocol; of all that there is.
 * The flow's source is the remote peer as mappings have it, in the family of the inside.
 */
export const findInbound = (step: Step, flow: Flow): Found => {
  const { table, config } = step
  const { protocol, destination, destinationPort } = flow
  const address = config.addressWords.get(addressWord(destination, 3))
  if (address === undefined) return none("no-mapping")
  const found = admitted(step, flow, endAt(table, address, protocol, destinationPort))
  if (found !== undefined) return found
  if (!config.whole) return none("no-mapping")
  return (
    admitted(step, flow, holderOf(table, address, WHOLE, protocol)) ??
    admitted(step, flow, holderOf(table, address, WHOLE, 0)) ??
    none("no-mapping")
  )
}

/** What a row says to a packet from outside; `undefined`: nothing in it is active. */
const admitted = (step: Step, flow: Flow, row: number): Found | undefined => {
  const { table } = step
  if (row === 0 || isHeld(table, row)) return undefined
  const internalPort = isWhole(table, row) ? flow.destinationPort : internalPortOf(table, row)
  const { protocol, source, sourcePort } = flow
  const key = { row, protocol, internalPort, remote: source, remotePort: remotePortOf(protocol, sourcePort) }
  const admission = admit(step, key)
  return admission === "absent" ? undefined : admission === "admitted" ? { ok: true, key } : none("filtered")
}

/** A flow with the protocol that mappings have for it: ICMP's identifiers are the same in both families (RFC 6146 section 3.1). */
export const asMapped = (flow: Flow): Flow =>
  flow.protocol === Protocol.ICMPV6 ? { ...flow, protocol: Protocol.ICMP } : flow
