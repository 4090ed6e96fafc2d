import { word } from "../../table/index.ts"
import { type Address, ResultCode } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import type { CgnResult, FilterAsk } from "../contract.ts"
import { anyMatches, areSame, filtersAfter } from "../filter-list.ts"
import type { Realm } from "../mapping.ts"
import { make } from "./apply.ts"
import { FILTER, type FirewallState, type FirewallStep, PINHOLE, Pinhole } from "./layout.ts"
import { done, isOwnPort, refused, secondsLeft, stepOf } from "./map.ts"
import { deadlineOfRow, filtersOf, findEnd, findHost, findPinhole } from "./row.ts"

/** RFC 6887 section 13.3. */
export const filter = (state: FirewallState, ask: FilterAsk, now: number): CgnResult<FirewallState> => {
  const step = stepOf(state, now)
  const row = findEnd(step.table, ask)
  const deadline = deadlineOfRow(step, row)
  if (deadline === 0) return refused(ResultCode.NO_RESOURCES)
  const before = filtersOf(step.table, row)
  const after = filtersAfter(before, ask)
  if (after.length > step.config.filterLimit) return refused(ResultCode.EXCESSIVE_REMOTE_PEERS)
  const changes: Change[] = []
  if (!areSame(before, after)) {
    const { protocol, internal, internalPort, realm } = ask
    make(step, changes, { type: "filtered", protocol, internal, internalPort, realm, filters: after })
  }
  return done(step, "ok", ask, secondsLeft(step, deadline, now), changes)
}

/** A packet from the outside, by what filters look at; ports are 0 for protocols that have none. */
export interface InboundPacket {
  /** IANA protocol number. */
  readonly protocol: number
  /** Where it goes. */
  readonly internal: Address
  /** The port there. */
  readonly internalPort: number
  /** `undefined`: none. */
  readonly realm?: Realm | undefined
  /** Where it comes from. */
  readonly remote: Address
  /** The port there. */
  readonly remotePort: number
}

/**
 * Does an explicit mapping let this packet in at `now`, milliseconds? The mapping of its own port, of all ports of its
 * protocol and of all protocols are asked in turn; any of them may let it in, past its filters (RFC 6887 section 13.3).
 * None does to PCP's own ports (section 11.3, S-49).
 */
export const admits = (state: FirewallState, packet: InboundPacket, now: number): boolean => {
  return admitsAt(stepOf(state, now), packet)
}

/** {@link admits}, of a step that may have changes of its own. */
export const admitsAt = (step: FirewallStep, packet: InboundPacket): boolean =>
  anyPinhole(step, packet, (row) => passes(step, row, packet))

/** Is there an explicit mapping of the packet's internal end, whomever it lets in? */
export const hasPinhole = (step: FirewallStep, packet: InboundPacket): boolean => anyPinhole(step, packet, () => true)

const anyPinhole = (
  step: FirewallStep,
  { protocol, internal, internalPort, realm }: InboundPacket,
  fits: (row: number) => boolean,
): boolean => {
  if (isOwnPort(protocol, internalPort)) return false
  const host = findHost(step.table, internal, realm)
  const letsIn = (row: number): boolean => deadlineOfRow(step, row) !== 0 && fits(row)
  return (
    letsIn(findPinhole(step.table, host, protocol, internalPort)) ||
    (internalPort !== 0 && letsIn(findPinhole(step.table, host, protocol, 0))) ||
    (protocol !== 0 && letsIn(findPinhole(step.table, host, 0, 0)))
  )
}

const passes = ({ table }: FirewallStep, row: number, { remote, remotePort }: InboundPacket): boolean => {
  const first = word(table, PINHOLE, row, Pinhole.FILTERS)
  return first === 0 || anyMatches(table, FILTER, first, remote, remotePort)
}
