import type { Assigned, ClientServer, Failure, MappingRequest, QuirkName } from "../../../core/client/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { endRecord } from "../entry-json.ts"
import type { WallClock } from "../wall-clock.ts"
import { failureRecord } from "./failure.ts"
import { filterText } from "./filter.ts"
import { serverRecord } from "./find.ts"
import { prefixText } from "./mapping-words.ts"

/** Which mapping, and of whom: at the head of each record. Never its nonce. */
export interface Subject {
  readonly event: string
  readonly id: string
  readonly request: MappingRequest
  readonly server: ClientServer
  /** Which of the server's ends is in use. */
  readonly end: number
}

const headOf = ({ event, id, request, server, end }: Subject, clock: WallClock): object => {
  const { client, ...address } = server.ends[end]
  const internal = { address: request.thirdParty ?? client, port: request.internalPort }
  return {
    time: clock.time(),
    event,
    mapping: id,
    kind: request.kind,
    protocol: request.protocol,
    internal: endRecord(internal),
    ...(request.kind === "outbound"
      ? { remote: endRecord({ address: request.remote, port: request.remotePort }) }
      : request.filters === undefined
        ? {}
        : { filters: request.filters.map(filterText) }),
    server: serverRecord(address),
  }
}

/** A mapping that is there: `mapped`, `changed` or `renewed`. */
export const mappedRecord = (
  subject: Subject,
  mapping: Assigned,
  quirks: readonly QuirkName[],
  clock: WallClock,
): object => {
  const { protocol: via, external, externalPort, ports, lifetime, until, prefixes } = mapping
  const { request } = subject
  return {
    ...headOf(subject, clock),
    via,
    external: endRecord({ address: external, port: externalPort }),
    class: mapping.class,
    ...(request.kind === "inbound" && request.portSet !== undefined ? { ports } : {}),
    lifetime,
    expires: clock.at(until),
    asked: {
      externalPort: request.externalPort ?? 0,
      ...(request.external === undefined ? {} : { external: formatAddress(request.external) }),
      lifetime: request.lifetime,
    },
    ...(prefixes.length === 0 ? {} : { prefixes: prefixes.map(prefixText) }),
    quirks,
  }
}

/** One that is not: `failed`, or a renewal that was `refused` and is tried again. */
export const failedRecord = (
  subject: Subject,
  failure: Failure,
  quirks: readonly QuirkName[],
  clock: WallClock,
  times: { readonly retryAt?: number | undefined; readonly until?: number | undefined } = {},
): object => ({
  ...headOf(subject, clock),
  ...failureRecord(failure),
  ...(times.retryAt === undefined ? {} : { retry: clock.at(times.retryAt) }),
  ...(times.until === undefined ? {} : { expires: clock.at(times.until) }),
  quirks,
})

/** Anything else that happened to one, with what belongs to it. */
export const otherRecord = (subject: Subject, more: object, clock: WallClock): object => ({
  ...headOf(subject, clock),
  ...more,
})
