import { word } from "../table/index.ts"
import { type Address, ANY4, Protocol, ResultCode } from "../wire/index.ts"
import type { Change } from "./change.ts"
import type { CgnRefused, CgnResult, DeleteAsk } from "./contract.ts"
import { mapAsData } from "./data.ts"
import { isStatic, isWanted, LOOK, mapDeadline } from "./deadline.ts"
import { dependentOf, internalWord, protocolOf } from "./dependent.ts"
import {
  type CgnState,
  deadlineOf,
  Flag,
  instantOf,
  MAPPING,
  MappingWord,
  type Step,
  SUBSCRIBER,
  Subscriber,
} from "./layout.ts"
import { rightOf } from "./map.ts"
import type { Realm } from "./mapping.ts"
import { findRow } from "./row.ts"
import { change, done, type External, end, externalOf, idleLeft, refused, sealed, secondsLeft, stepOf } from "./step.ts"
import { findSubscriber } from "./subscriber.ts"
import { freshRow, subscriberAfter, tidyPeers, tidyRow } from "./sweep.ts"

const NOWHERE: External = { external: ANY4, externalPort: 0 }

/** What became of one mapping: where it was, and the seconds for which it lives on. */
type Deletion = { readonly outcome: "ok"; readonly at: External; readonly lifetime: number } | CgnRefused

/**
 * Has an internal end mappings of remote peers alone? They are outbound ones, which no request deletes (RFC 6887 section 15.1).
 * Looks at the newest 256 of its host's.
 */
const hasOutbound = (step: Step, { protocol, internal, internalPort, realm }: DeleteAsk): boolean => {
  const { table, config } = step
  const subscriber = config.addressDependent ? findSubscriber(table, internal, realm) : 0
  let row = subscriber === 0 ? 0 : word(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS)
  for (let n = 0; n < LOOK && row !== 0; n++, row = word(table, MAPPING, row, MappingWord.NEXT)) {
    const isIts = dependentOf(table, row) !== 0 && internalWord(table, row) === ((protocol << 16) | internalPort)
    if (isIts && isWanted(step, row)) return true
  }
  return false
}

/** Deletes one mapping and puts that on the list; `first`: it is what the request is answered by. */
export const deletePort = (step: Step, ask: DeleteAsk, changes: Change[], first = true): Deletion => {
  const { config, table, now } = step
  const nothing = { outcome: "ok", at: NOWHERE, lifetime: 0 } as const
  const row = freshRow(step, findRow(table, ask), ask, changes)
  if (row === 0)
    return first && ask.origin === "pcp" && hasOutbound(step, ask) ? refused(ResultCode.NOT_AUTHORIZED) : nothing
  if (isStatic(table, row)) return refused(ResultCode.NOT_AUTHORIZED)
  const deadline = mapDeadline(step, row)
  // NAT-PMP knows no outbound mappings to refuse: to it there is nothing to delete (RFC 6886 section 3.4).
  if (deadline === 0 && ask.origin === "nat-pmp") return nothing
  if (deadline === 0) return refused(ResultCode.NOT_AUTHORIZED)
  if (rightOf(step, row, ask) !== "change") return refused(ResultCode.NOT_AUTHORIZED, secondsLeft(step, deadline, now))
  const at = externalOf(step, row)
  const lifetime = ask.origin === "pcp" ? idleLeft(step, row, now) : 0
  const mapping = mapAsData(step, row)
  tidyPeers(step, row, changes)
  if (lifetime === 0) end(step, row, changes, "deleted", mapping)
  else
    change(step, row, changes, "renewed", { ...mapping, expires: instantOf(config, deadlineOf(config, now, lifetime)) })
  return { outcome: "ok", at, lifetime }
}

/**
 * RFC 6887 section 15.1: only MAP mappings can be deleted; one whose host sent a packet within the idle time lives on for
 * what is left of it (S-131), and the answer's lifetime says so although 15.1 has 0 there (RFC ambiguity 10, see
 * test/requirements.md). What the administrator made is his (S-134).
 */
export const delMapping = (state: CgnState, ask: DeleteAsk, now: number): CgnResult<CgnState> => {
  const step = stepOf(state, now)
  const changes: Change[] = []
  const deletion = deletePort(step, ask, changes)
  return deletion.outcome === "refused" ? deletion : done(step, "ok", deletion.at, deletion.lifetime, changes)
}

/**
 * RFC 6886 section 3.4: deletes what NAT-PMP made of a protocol for a host. `complete` is false when PCP or the
 * administrator has mappings of it too, which stay. Walks over what it deletes alone; PCP's are only looked for among the
 * newest 256, and thought to be there when there are more.
 */
export const delMappings = (
  state: CgnState,
  internal: Address,
  realm: Realm | undefined,
  protocol: number,
  now: number,
): { readonly state: CgnState; readonly complete: boolean; readonly changes: readonly Change[] } => {
  const step = stepOf(state, now)
  const { table } = step
  const changes: Change[] = []
  const slot = protocol === Protocol.UDP ? 0 : protocol === Protocol.TCP ? 1 : -1
  const found = findSubscriber(table, internal, realm)
  if (found === 0 || slot < 0) return { state: sealed(step), complete: true, changes }
  for (let row = word(table, SUBSCRIBER, found, Subscriber.NATPMP + slot); row !== 0; ) {
    const next = word(table, MAPPING, row, MappingWord.NEXT)
    const map = mapDeadline(step, row) !== 0
    if (!tidyRow(step, row, changes) && map) {
      tidyPeers(step, row, changes)
      end(step, row, changes, "deleted", mapAsData(step, row))
    }
    row = next
  }
  const subscriber = subscriberAfter(step, { internal, realm }, found, changes)
  const complete = subscriber === 0 || !hasFirm(step, subscriber, slot, protocol)
  return { state: sealed(step), complete, changes }
}

/** Has a subscriber a mapping of a protocol that NAT-PMP may not delete? */
const hasFirm = (step: Step, subscriber: number, slot: number, protocol: number): boolean => {
  const { table } = step
  const count = word(table, SUBSCRIBER, subscriber, Subscriber.FIRM + slot)
  if (count === 0) return false
  let row = word(table, SUBSCRIBER, subscriber, Subscriber.MAPPINGS)
  for (let n = 0; n < LOOK && row !== 0; n++) {
    const map = (word(table, MAPPING, row, MappingWord.FLAGS) & Flag.MAP) !== 0 && mapDeadline(step, row) !== 0
    if (protocolOf(table, row) === protocol && (map || isStatic(table, row))) return true
    row = word(table, MAPPING, row, MappingWord.NEXT)
  }
  return row !== 0
}
