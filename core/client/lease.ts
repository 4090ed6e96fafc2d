import { type Address, hasPorts } from "../wire/index.ts"
import { anyLike, beyondNatPmp, composeNatPmp, composePcp, type Purpose, type Suggestion } from "./compose.ts"
import { type Draft, end, enter, freeNatPmp, put } from "./draft.ts"
import { fail, giveUp } from "./fail.ts"
import { isKept, nextRenewal } from "./renewal.ts"
import { RENEWAL_GAP } from "./schedule.ts"
import { endOf, firstProtocol, natPmpBar, type ServerState } from "./server.ts"
import type { Lease } from "./task.ts"
import { isOver, transmit } from "./transmit.ts"

/** Does what is due for a mapping: asks, asks again, renews, deletes, or sees that it ran out. */
export const runLease = (draft: Draft, lease: Lease, server: ServerState): void => {
  const { now } = draft
  const { grant, goal, heldUntil } = lease
  if (grant !== undefined && now >= grant.until) {
    expire(draft, lease, server)
    return
  }
  const until = grant?.until ?? Number.POSITIVE_INFINITY
  if (server.silentUntil > now) {
    wait(draft, lease, Math.min(server.silentUntil, until))
    return
  }
  if (goal === "delete") {
    ask(draft, lease, server, "delete")
    return
  }
  if (heldUntil > now) {
    wait(draft, lease, Math.min(heldUntil, until))
    return
  }
  if (grant === undefined && server.noNewUntil > now) {
    wait(draft, lease, server.noNewUntil)
    return
  }
  if (grant === undefined || lease.urgent !== undefined) {
    ask(draft, lease, server, grant === undefined ? "create" : "renew")
    return
  }
  if (!isKept(lease)) {
    wait(draft, lease, until)
    return
  }
  // One packet of PCP a slot (RFC 6887 section 11.2.1); NAT-PMP has its tries in each.
  if (lease.protocol === "nat-pmp" && isOver(draft, lease, server)) {
    freeNatPmp(draft, lease)
    wait(draft, { ...lease, exchange: undefined }, nextRenewal(draft, lease))
    return
  }
  ask(draft, lease, server, "renew")
}

const wait = (draft: Draft, lease: Lease, due: number): void => {
  put(draft, { ...lease, due })
}

const expire = (draft: Draft, lease: Lease, server: ServerState): void => {
  const { grant } = lease
  freeNatPmp(draft, lease)
  if (lease.goal === "delete") {
    // Nobody needs to delete what is gone (RFC 6886 section 3.1).
    end(draft, enter(draft, lease, { kind: "revoked", answered: false }))
    return
  }
  const expired = enter(draft, lease, { kind: "expired" })
  if (!isKept(lease)) {
    end(draft, expired)
    return
  }
  // A lifetime within which no renewal may be sent cannot be kept up: asking each time that it ends would go on for ever.
  const isTooShort = grant !== undefined && grant.until - grant.at <= RENEWAL_GAP
  askAnew(draft, expired, server, isTooShort ? draft.now + draft.settings.errorFloor * 1000 : 0)
}

/** Begins again, as if the mapping had never been, but for what is suggested. Not before `from`, milliseconds. */
export const askAnew = (draft: Draft, lease: Lease, server: ServerState, from: number): void => {
  const { client } = endOf(server)
  freeNatPmp(draft, lease)
  put(draft, {
    ...lease,
    protocol: firstProtocol(server, draft.now),
    grant: undefined,
    last: lease.grant ?? lease.last,
    exchange: undefined,
    urgent: undefined,
    slot: 0,
    switches: 0,
    client,
    due: Math.max(draft.now, lease.lastSent + RENEWAL_GAP, lease.heldUntil, from),
  })
}

/**
 * PCP is tried first for each request that is not a deletion, but while the server is known for NAT-PMP (RFC 6886 section 1.1); what
 * followed it to another version stays there until it is answered.
 */
const inFirstProtocol = (draft: Draft, lease: Lease, server: ServerState): Lease =>
  lease.exchange === undefined && lease.switches === 0
    ? { ...lease, protocol: firstProtocol(server, draft.now) }
    : lease

const ask = (draft: Draft, before: Lease, server: ServerState, purpose: Purpose): void => {
  const lease = purpose === "delete" ? before : inFirstProtocol(draft, before, server)
  const { exchange, grant } = lease
  const slotted = purpose === "renew" && lease.urgent === undefined && lease.protocol === "pcp"
  // Renewals in slots go on to the end of the mapping, but at a server with other addresses (RFC 7488 section 3).
  const mayFail = !slotted || server.server.ends.length > 1
  if (exchange?.purpose === purpose && mayFail && isOver(draft, lease, server)) {
    if (purpose !== "delete") {
      giveUp(draft, lease, server, { kind: "no-answer", sent: exchange.sent })
      return
    }
    end(draft, enter(draft, lease, { kind: "revoked", answered: false }))
    return
  }
  const { client } = endOf(server)
  const bytes = compose(draft, lease, server, purpose)
  if (!bytes.ok) {
    fail(draft, lease, server, bytes.failure)
    return
  }
  const { sent, task } = transmit(draft, { ...lease, client }, server, bytes.bytes, purpose)
  if (!sent) {
    wait(draft, task, Math.min(task.due, grant?.until ?? Number.POSITIVE_INFINITY))
    return
  }
  const retransmissions = (task.exchange?.sent ?? 1) - 1
  if (purpose === "create") put(draft, enter(draft, task, { kind: "starting", retransmissions }))
  if (purpose !== "renew" || grant === undefined) return
  const updating = enter(draft, task, { kind: "updating", retransmissions })
  const slot = retransmissions === 0 || slotted ? lease.slot + 1 : lease.slot
  const renewing: Lease = { ...updating, slot }
  put(draft, { ...renewing, due: slotted ? nextRenewal(draft, renewing) : Math.min(renewing.due, grant.until) })
}

type Composed =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly failure: { readonly kind: "beyond-nat-pmp"; readonly text: string } }

const compose = (draft: Draft, lease: Lease, server: ServerState, purpose: Purpose): Composed => {
  const { request, protocol } = lease
  const { client } = endOf(server)
  const lifetime = lifetimeOf(draft, lease, purpose)
  if (protocol === "nat-pmp") {
    const text = natPmpBar(server) ?? beyondNatPmp(request)
    if (text !== undefined) return { ok: false, failure: { kind: "beyond-nat-pmp", text } }
  }
  const suggestion = suggestionOf(lease, client, purpose)
  const encoded =
    protocol === "pcp"
      ? composePcp(request, purpose, client, suggestion, lifetime)
      : composeNatPmp(request, suggestion.externalPort, lifetime)
  // The request was checked when it was made: what it says fits its fields.
  return encoded.ok ? encoded : { ok: false, failure: { kind: "beyond-nat-pmp", text: encoded.error.text } }
}

/** Seconds to ask for: of a mapping that is not renewed, and perhaps lost, what is left of it (RFC 6887 section 16.3.2). */
const lifetimeOf = ({ now }: Draft, lease: Lease, purpose: Purpose): number => {
  const { grant, urgent, request } = lease
  if (purpose === "delete") return 0
  if (purpose === "create" || grant === undefined || urgent !== "loss" || isKept(lease)) return request.lifetime
  return Math.max(1, Math.ceil((grant.until - now) / 1000))
}

/** The external end to suggest: the one that it has or had, or what the request prefers (RFC 6887 section 11.2); nothing to delete (C-132). */
export const suggestionOf = (lease: Lease, client: Address, purpose: Purpose): Suggestion => {
  const { nonce, request, grant, last, suggestsInternal } = lease
  const none = anyLike(client)
  if (purpose === "delete") return { nonce, externalPort: 0, external: none }
  const isFixed = request.kind === "inbound" && request.preferFailure === true
  const known = isFixed ? undefined : (grant ?? last)
  const preferred = request.externalPort ?? 0
  const externalPort = known?.externalPort ?? (preferred === 0 && suggestsInternal ? request.internalPort : preferred)
  const hasPort = hasPorts(request.protocol) && request.internalPort !== 0
  return { nonce, externalPort: hasPort ? externalPort : 0, external: known?.external ?? request.external ?? none }
}
