import type { Address } from "../wire/index.ts"
import { classOfAddress } from "./address-class.ts"
import { type Draft, end, enter, freeNatPmp, put, setServer, tell } from "./draft.ts"
import type { Assigned } from "./event.ts"
import { askAnew } from "./lease.ts"
import { quirksOf } from "./quirk.ts"
import { isKept, nextRenewal } from "./renewal.ts"
import type { ServerState } from "./server.ts"
import { type Grant, type Lease, taskKey } from "./task.ts"

/** What a success response says of a mapping. */
export type Granted = Omit<Grant, "at" | "until">

/** A mapping is there, or goes on (RFC 6887 section 11.4, RFC 6886 section 3.3). */
export const takeGrant = (draft: Draft, lease: Lease, server: ServerState, granted: Granted): void => {
  const { now, settings } = draft
  freeNatPmp(draft, lease)
  if (granted.lifetime === 0) {
    // The server took it away. Whoever asks again at once may be told the same at once.
    const expired = enter(draft, { ...lease, heldUntil: now + settings.errorFloor * 1000 }, { kind: "expired" })
    if (isKept(lease)) askAnew(draft, expired, server, 0)
    else end(draft, expired)
    return
  }
  const believed = Math.min(granted.lifetime, settings.lifetimeCeiling)
  const grant: Grant = { ...granted, at: now, until: now + believed * 1000 }
  const isRenewal = lease.exchange !== undefined && lease.urgent !== "loss" && (lease.grant ?? lease.last) !== undefined
  const running: Lease = {
    ...enter(draft, lease, { kind: "running" }),
    grant,
    exchange: undefined,
    urgent: undefined,
    slot: 0,
    switches: 0,
    heldUntil: Number.NEGATIVE_INFINITY,
    heldFor: undefined,
    isTold: lease.isTold || grant.isWhole,
    renewals: lease.renewals + (isRenewal ? 1 : 0),
  }
  put(draft, { ...running, due: nextRenewal(draft, running) })
  tellGrant(draft, lease, grant)
}

/** Tells whoever asked, once the whole external end is known: NAT-PMP asks for the address by itself. */
export const tellGrant = (draft: Draft, before: Lease, grant: Grant): void => {
  const { id, server, request } = before
  if (!grant.isWhole) return
  const mapping = assignedOf(before, grant)
  const known = before.isTold ? before.grant : undefined
  const isSame =
    known?.isWhole === true &&
    known.external === grant.external &&
    known.externalPort === grant.externalPort &&
    known.internalPort === grant.internalPort &&
    known.ports === grant.ports
  tell(draft, { type: isSame ? "renewed" : "assigned", id, server, mapping })
  if (isSame) return
  // A grant of which nobody was told yet is this one itself, without its address.
  const had = before.isTold || before.grant?.isWhole === true ? before.grant : undefined
  const suggested = had?.externalPort ?? before.last?.externalPort ?? request.externalPort ?? 0
  for (const quirk of quirksOf(request, suggested, mapping)) tell(draft, { type: "quirk", id, server, quirk })
}

/** What a grant is for whoever asked. */
export const assignedOf = ({ protocol }: Pick<Lease, "protocol">, grant: Grant): Assigned => {
  const { external, externalPort, internalPort, ports, lifetime, until, prefixes } = grant
  const kind = classOfAddress(external)
  return { protocol, external, class: kind, externalPort, internalPort, ports, lifetime, until, prefixes }
}

/** NAT-PMP's external address is that of all mappings (RFC 6886 section 3.2); `undefined`: the gateway has not said it. */
export const takeExternal = (draft: Draft, name: string, external: Address | undefined): void => {
  if (external !== undefined) setServer(draft, name, { external })
  for (const lease of [...draft.tasks.values()]) {
    if (lease.kind !== "lease" || lease.server !== name || lease.protocol !== "nat-pmp") continue
    const { grant: before } = lease
    if (before === undefined || (before.isWhole && (external === undefined || external === before.external))) continue
    const grant: Grant = { ...before, external: external ?? before.external, isWhole: true }
    put(draft, { ...lease, grant, isTold: true })
    tellGrant(draft, lease, grant)
  }
}

/** NAT-PMP mappings that wait for an external address which nobody is asking for any more are told without it. */
export const tellWithoutExternal = (draft: Draft): void => {
  for (const task of [...draft.tasks.values()]) {
    if (task.kind !== "lease" || task.grant === undefined || task.grant.isWhole) continue
    if (!draft.tasks.has(taskKey(task.server, ""))) takeExternal(draft, task.server, undefined)
  }
}
