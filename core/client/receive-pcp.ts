import { isAny, type PcpOption, type PcpResponse, type Prefix64, ResultCode } from "../wire/index.ts"
import { noteAnswer } from "./answered.ts"
import { optionsOf } from "./compose.ts"
import { type Draft, end, enter, leasesOf, tell } from "./draft.ts"
import type { IgnoredReason } from "./event.ts"
import { fail } from "./fail.ts"
import { type Granted, takeGrant } from "./granted.ts"
import { suggestionOf } from "./lease.ts"
import { endOf } from "./server.ts"
import type { Lease, Task } from "./task.ts"
import { takeVersionError } from "./version.ts"

/** A PCP response from a server of ours; gives why it is nobody's answer, or nothing. */
export const takePcp = (draft: Draft, name: string, packet: PcpResponse): IgnoredReason | undefined => {
  const { body, result } = packet
  // A server that knows PCP alone says so to NAT-PMP (RFC 6887 appendix A).
  if (result === ResultCode.UNSUPP_VERSION)
    return takeVersionError(draft, name, { version: 2, lifetime: packet.lifetime })
  if (body.kind === "announce") return takeAnnounce(draft, name, packet)
  if (body.kind !== "map" && body.kind !== "peer") return "no-request"
  const leases = leasesOf(draft, name).filter(
    ({ protocol, lastSent }) => protocol === "pcp" && Number.isFinite(lastSent),
  )
  const lease = leases.find((one) => isAnswer(one, packet))
  if (lease === undefined) return leases.some((one) => isLike(one, packet)) ? "mismatch" : "no-request"
  if (result === ResultCode.SUCCESS && isUpdateRace(draft, lease, packet)) return "update-race"
  noteAnswer(draft, name, "pcp", packet.epoch)
  // The epoch may have moved it.
  const now = draft.tasks.get(lease.key)
  if (now?.kind !== "lease") return undefined
  if (result === ResultCode.SUCCESS) takeSuccess(draft, now, packet)
  else takeError(draft, now, packet)
  return undefined
}

/** RFC 6887 sections 11.4 and 12.4: internal address, protocol, internal port, nonce, and the remote peer of PEER (C-50). */
const isAnswer = (lease: Lease, packet: PcpResponse): boolean => {
  const { request, nonce } = lease
  const { body } = packet
  if (!isLike(lease, packet) || (body.kind !== "map" && body.kind !== "peer") || body.nonce !== nonce) return false
  const thirdParty = packet.options.find((option) => option.kind === "THIRD_PARTY")
  return thirdParty?.internal === request.thirdParty
}

/** Is it about such a mapping, whoever asked for it? */
const isLike = ({ request }: Lease, { body }: PcpResponse): boolean => {
  if (body.kind !== "map" && body.kind !== "peer") return false
  if (body.protocol !== request.protocol || body.internalPort !== request.internalPort) return false
  if (body.kind === "map") return request.kind === "inbound"
  return request.kind === "outbound" && body.remote === request.remote && body.remotePort === request.remotePort
}

/** With PREFER_FAILURE, another end than the one suggested is an update that crossed the request (RFC 6887 section 13.2, C-111). */
const isUpdateRace = (draft: Draft, lease: Lease, { body, lifetime }: PcpResponse): boolean => {
  const { request } = lease
  if (request.kind !== "inbound" || request.preferFailure !== true || body.kind !== "map" || lifetime === 0)
    return false
  const server = draft.servers.get(lease.server)
  if (server === undefined || lease.goal === "delete") return false
  const { external, externalPort } = suggestionOf(lease, endOf(server).client, "create")
  return body.externalPort !== externalPort || (!isAny(external) && body.external !== external)
}

const takeSuccess = (draft: Draft, lease: Lease, packet: PcpResponse): void => {
  const { body, lifetime } = packet
  const server = draft.servers.get(lease.server)
  if (server === undefined || (body.kind !== "map" && body.kind !== "peer")) return
  if (lease.goal === "delete") {
    // What has an external end is a late answer to what was asked before; a deletion's has none (RFC 6887 section 15.1), though
    // it has a lifetime where traffic keeps the mapping (section 15).
    if (lifetime === 0 || (isAny(body.external) && body.externalPort === 0))
      end(draft, enter(draft, lease, { kind: "revoked", answered: true, ...(lifetime > 0 ? { lifetime } : {}) }))
    return
  }
  noteOptions(draft, lease, packet.options)
  takeGrant(draft, lease, server, {
    external: body.external,
    isWhole: true,
    externalPort: body.externalPort,
    lifetime,
    ...portsOf(lease, packet.options),
    prefixes: packet.options.filter((option): option is Prefix64 => option.kind === "PREFIX64"),
  } satisfies Granted)
}

/** Options that were not asked for are none of ours, and no fault (RFC 6887 section 7.3, C-30, C-31). */
const noteOptions = (draft: Draft, { id, server, request }: Lease, options: readonly PcpOption[]): void => {
  const asked = new Set<string>(optionsOf(request, "create").map(({ kind }) => kind))
  if (options.some(({ kind }) => kind !== "PREFIX64" && !asked.has(kind)))
    tell(draft, { type: "quirk", server, id, quirk: "options-in-reply" })
}

/** The set that was mapped: as much as was asked for, or part of it, which may begin later (RFC 7753 section 4.2). */
const portsOf = ({ request }: Lease, options: readonly PcpOption[]): Pick<Granted, "internalPort" | "ports"> => {
  const { internalPort } = request
  const asked = request.kind === "inbound" ? request.portSet : undefined
  const set = options.find((option) => option.kind === "PORT_SET")
  if (asked === undefined || set === undefined) return { internalPort, ports: 1 }
  const { firstInternalPort, size } = set
  if (size === 0 || firstInternalPort < internalPort || firstInternalPort + size > internalPort + asked.size)
    return { internalPort, ports: 1 }
  return { internalPort: firstInternalPort, ports: size }
}

/** Errors of a moment (RFC 6887 section 7.4). */
const PASSING: ReadonlySet<number> = new Set<number>([ResultCode.NETWORK_FAILURE, ResultCode.NO_RESOURCES])

const takeError = (draft: Draft, lease: Lease, { result, lifetime }: PcpResponse): void => {
  const server = draft.servers.get(lease.server)
  if (server === undefined) return
  const { id, server: name, exchange, goal, heldFor, heldUntil } = lease
  // The same once more: a duplicate, or the answer to a retransmission.
  if (exchange === undefined && heldUntil > draft.now && heldFor?.kind === "result" && heldFor.code === result) return
  const failure = { kind: "result", code: result, lifetime } as const
  if (lifetime === 0) tell(draft, { type: "quirk", server: name, id, quirk: "error-lifetime-0" })
  // An error without a request takes the mapping away (RFC 6887 sections 8.3 and 14.2), but one that says that the server could not
  // do just then what it was asked for is a late answer: what is mapped already stays.
  const isUpdate = goal === "hold" && exchange === undefined && !PASSING.has(result)
  fail(draft, isUpdate ? { ...lease, grant: undefined, last: lease.grant ?? lease.last } : lease, server, failure)
  if (goal === "delete" && result === ResultCode.NO_RESOURCES)
    tell(draft, { type: "quirk", server: name, id, quirk: "delete-no-resources" })
}

/** An answer to a probe, or an announcement (RFC 6887 sections 14.1.2 and 14.1.3, C-55). Its lifetime says nothing. */
const takeAnnounce = (draft: Draft, name: string, { epoch, result }: PcpResponse): IgnoredReason | undefined => {
  const probes = [...draft.tasks.values()].filter(
    (task: Task) =>
      task.kind === "probe" && task.server === name && task.exchange !== undefined && task.protocol === "pcp",
  )
  if (probes.length === 0 && result !== ResultCode.SUCCESS) return "no-request"
  noteAnswer(draft, name, "pcp", epoch, probes.length > 0)
  const ids = probes.length === 0 ? [undefined] : probes.map(({ id }) => id)
  for (const task of probes) end(draft, task)
  for (const id of ids) tell(draft, { type: "announced", id, server: name, protocol: "pcp", epoch, result })
  return undefined
}
