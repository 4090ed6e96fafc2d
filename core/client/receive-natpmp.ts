import { type Address, ANY4, type NatPmpPacket, NatPmpResult, Protocol } from "../wire/index.ts"
import { classOfAddress } from "./address-class.ts"
import { noteAnswer } from "./answered.ts"
import { type Draft, end, enter, leasesOf, put, setServer, tell, writableWanted } from "./draft.ts"
import { failOwn, isOwn } from "./errand.ts"
import type { IgnoredReason } from "./event.ts"
import { fail } from "./fail.ts"
import { takeExternal, takeGrant } from "./granted.ts"
import { isMangledPort } from "./quirk.ts"
import { askAddress } from "./start.ts"
import type { Lease, Task } from "./task.ts"

type AddressResponse = Extract<NatPmpPacket, { kind: "natpmp-address-response" }>
type MapResponse = Extract<NatPmpPacket, { kind: "natpmp-map-response" }>

/** A NAT-PMP response from a server of ours; gives why it is nobody's answer, or nothing. */
export const takeNatPmp = (
  draft: Draft,
  name: string,
  packet: AddressResponse | MapResponse,
): IgnoredReason | undefined =>
  packet.kind === "natpmp-address-response" ? takeAddress(draft, name, packet) : takeMap(draft, name, packet)

/** NAT-PMP has no nonce: only what was asked for, and not answered yet, has an answer. */
const isAsked = (task: Task, name: string): boolean =>
  task.server === name && task.protocol === "nat-pmp" && task.exchange !== undefined

/** The external address: an answer, or the announcement of one (RFC 6886 sections 3.2 and 3.2.1). */
const takeAddress = (
  draft: Draft,
  name: string,
  { epoch, result, external }: AddressResponse,
): IgnoredReason | undefined => {
  const server = draft.servers.get(name)
  const tasks = [...draft.tasks.values()].filter(
    (task) => isAsked(task, name) && (task.kind === "address" || task.kind === "probe"),
  )
  if (server === undefined) return "no-request"
  // An announcement is of use to a client that has, or wants, NAT-PMP mappings there.
  const isOfUse =
    server.natPmpEpoch !== undefined || leasesOf(draft, name).some(({ protocol }) => protocol === "nat-pmp")
  if (tasks.length === 0 && (result !== NatPmpResult.SUCCESS || !isOfUse)) return "no-request"
  noteAnswer(draft, name, "nat-pmp", epoch, tasks.length > 0)
  for (const task of tasks) {
    if (task.kind === "address" && result !== NatPmpResult.SUCCESS) {
      const failure = { kind: "natpmp-result", code: result } as const
      if (isOwn(task)) failOwn(draft, task, server, failure)
      else fail(draft, task, server, failure)
      continue
    }
    end(draft, task)
    if (task.kind === "probe")
      tell(draft, { type: "announced", id: task.id, server: name, protocol: "nat-pmp", epoch, result })
    else if (task.id !== "") tellAddress(draft, name, task.id, external)
  }
  if (result !== NatPmpResult.SUCCESS) return undefined
  if (tasks.length === 0 && server.external !== external) tellAddress(draft, name, undefined, external)
  takeExternal(draft, name, external)
  return undefined
}

const tellAddress = (draft: Draft, server: string, id: string | undefined, external: Address): void =>
  tell(draft, { type: "external-address", id, server, external, class: classOfAddress(external) })

const takeMap = (draft: Draft, name: string, packet: MapResponse): IgnoredReason | undefined => {
  const { protocol, internalPort, epoch, result, lifetime } = packet
  const all = [...draft.tasks.values()].find(
    (task) => task.kind === "unmap-all" && isAsked(task, name) && task.transport === protocol && internalPort === 0,
  )
  const leases = leasesOf(draft, name).filter(
    (one) => isAsked(one, name) && one.request.protocol === (protocol === "tcp" ? Protocol.TCP : Protocol.UDP),
  )
  const lease = leases.find((one) => one.request.internalPort === internalPort)
  if (all === undefined && lease === undefined) {
    const mangled = leases.find((one) => isMangledPort(one.request.internalPort, internalPort))
    if (mangled !== undefined) tell(draft, { type: "quirk", server: name, id: mangled.id, quirk: "port-modulo-256" })
    return leases.length > 0 ? "mismatch" : "no-request"
  }
  // A deletion's answer, late: NAT-PMP has no nonce that would tell it from what was asked since.
  if (lease?.goal === "hold" && result === NatPmpResult.SUCCESS && lifetime === 0) return "mismatch"
  noteAnswer(draft, name, "nat-pmp", epoch)
  const task = draft.tasks.get((lease ?? all)?.key ?? "")
  const server = draft.servers.get(name)
  if (task === undefined || server === undefined) return undefined
  if (task.kind === "lease") takeLease(draft, task, packet)
  else if (result !== NatPmpResult.SUCCESS) fail(draft, task, server, { kind: "natpmp-result", code: result })
  else {
    end(draft, task)
    tell(draft, { type: "unmapped-all", id: task.id, server: name, transport: protocol })
    endMapped(draft, name, packet)
  }
  return undefined
}

/** What this client had mapped in NAT-PMP is gone with all the rest, which its caller wanted. */
const endMapped = (draft: Draft, name: string, { protocol }: MapResponse): void => {
  for (const lease of leasesOf(draft, name)) {
    if (lease.protocol !== "nat-pmp" || lease.grant === undefined) continue
    if (lease.request.protocol !== (protocol === "tcp" ? Protocol.TCP : Protocol.UDP)) continue
    end(draft, enter(draft, lease, { kind: "revoked", answered: true }))
    if (![...draft.tasks.values()].some(({ id }) => id === lease.id)) writableWanted(draft).delete(lease.id)
  }
}

const takeLease = (draft: Draft, lease: Lease, { result, externalPort, lifetime }: MapResponse): void => {
  const server = draft.servers.get(lease.server)
  if (server === undefined) return
  const { id, server: name, request, goal, grant } = lease
  if (result !== NatPmpResult.SUCCESS) {
    if (isRefusalOf0(lease, result)) {
      tell(draft, { type: "quirk", server: name, id, quirk: "refuses-port-0" })
      put(draft, { ...lease, suggestsInternal: true, exchange: undefined, due: draft.now })
      setServer(draft, name, { natPmpTask: undefined })
      return
    }
    fail(draft, lease, server, { kind: "natpmp-result", code: result })
    return
  }
  if (goal === "delete") {
    if (lifetime === 0) end(draft, enter(draft, lease, { kind: "revoked", answered: true }))
    return
  }
  const { external, noExternalUntil } = server
  const known = grant?.isWhole === true ? grant.external : undefined
  const isAsking = external === undefined && noExternalUntil <= draft.now
  takeGrant(draft, lease, server, {
    external: external ?? known ?? ANY4,
    isWhole: known !== undefined || !isAsking,
    externalPort,
    internalPort: request.internalPort,
    lifetime,
    ports: 1,
    prefixes: [],
  })
  if (isAsking && lifetime !== 0 && request.kind === "inbound") askAddress(draft, name, draft.now)
}

/** RouterOS takes 0 for a port that it should map, and has none such. */
const isRefusalOf0 = ({ goal, suggestsInternal, grant, last, request }: Lease, result: number): boolean =>
  goal === "hold" &&
  !suggestsInternal &&
  (grant ?? last) === undefined &&
  (request.externalPort ?? 0) === 0 &&
  (result === NatPmpResult.NOT_AUTHORIZED ||
    result === NatPmpResult.NETWORK_FAILURE ||
    result === NatPmpResult.OUT_OF_RESOURCES)
