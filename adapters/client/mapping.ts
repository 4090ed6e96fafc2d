import {
  type ClientEvent,
  type ClientState,
  checkRequest,
  type Failure,
  listLeases,
  type MappingRequest,
  type Mode,
  type QuirkName,
  type SavedLease,
  type SavedMapping,
  saveMappings,
} from "../../core/client/index.ts"
import { formatAddress, type Nonce, protocolName } from "../../core/wire/index.ts"
import { broadcast } from "./broadcast.ts"
import { type Engine, noServer } from "./engine.ts"
import { badRequest, failureOf, PortControlError } from "./error.ts"
import { bestOf, type ExternalEnd, type Granted, grantedOf, type ServerResult } from "./external-end.ts"
import { leaseAfter } from "./lease-after.ts"
import { impatient, type Waiting, wait } from "./waiting.ts"

/** What becomes of a mapping, for whoever uses it. */
export type PortChange =
  /** It is there: for the first time, again, or now at another external end than at `previous`. */
  | {
      readonly type: "assigned"
      readonly server: string
      readonly external: ExternalEnd
      /** Seconds. */
      readonly lifetime: number
      readonly previous: ExternalEnd | undefined
    }
  /** The same end for another lifetime. */
  | { readonly type: "renewed"; readonly server: string; readonly external: ExternalEnd; readonly lifetime: number }
  /** A renewal was refused; the mapping stays until its lifetime is over, and it is tried again. */
  | { readonly type: "renewal-refused"; readonly server: string; readonly failure: Failure }
  /** It is not there any more; if it is kept, it is asked for again. `failure`: what the server said. */
  | {
      readonly type: "lost"
      readonly server: string
      readonly external: ExternalEnd
      readonly failure: Failure | undefined
    }
  /** It never was there, and the server said why. */
  | { readonly type: "failed"; readonly server: string; readonly failure: Failure }
  /** The server has lost its state: the mapping is being made again (RFC 6887 section 8.5). */
  | { readonly type: "recovering"; readonly server: string }
  /** Something odd about what the server says: see `QUIRKS`. */
  | { readonly type: "quirk"; readonly server: string; readonly quirk: QuirkName }

/** The machine's own events about one mapping. */
export type MappingAlert = Extract<
  ClientEvent,
  { readonly type: "state" | "assigned" | "renewed" | "renewal-refused" | "quirk" }
>

/** How a mapping is asked for, and what becomes of it. */
export interface RequestOptions {
  /** Names the mapping in events and in a store; left out, a name that says what it is for. */
  readonly id?: string | undefined
  /** Left out: keep. */
  readonly mode?: Mode | undefined
  /** At these servers, by name; left out, at all of them. */
  readonly servers?: readonly string[] | undefined
  /** For one server (C-03); left out, a new one for each. */
  readonly nonce?: Nonce | undefined
  /** Go on with what an earlier run had; left out, with what the store has under that id. */
  readonly resume?: readonly SavedLease[] | undefined
}

/** A mapping at each server of a client. */
export interface Mapping {
  /** Its name in events and in a store. */
  readonly id: string
  /** What was asked for. */
  readonly request: MappingRequest
  /** Where it stands, a row for each server. */
  results(): readonly ServerResult[]
  /** Where it is reached, at a public address if there is one; or where it was last; `undefined`: it never was there. */
  latest(): Granted | undefined
  /** What becomes of it. Any number of loops may iterate at once, each from when it begins; they end with the mapping. */
  readonly changes: AsyncIterable<PortChange>
  /** The machine's own events about it, the same way. */
  readonly alerts: AsyncIterable<MappingAlert>
  /** The next alert that neither this nor `waitAlert` has given yet; `undefined`: there is none now. */
  pollAlert(): MappingAlert | undefined
  /** The next alert; `undefined`: the mapping is over. */
  waitAlert(waiting?: Waiting): Promise<MappingAlert | undefined>
  /** The first server that has granted it; rejects if all servers refuse. */
  assigned(waiting?: Waiting): Promise<ServerResult & { readonly granted: Granted }>
  /** Asks for it anew now; another lifetime, seconds, stays for later renewals. */
  renew(lifetime?: number): void
  /** Deletes it at the servers; resolves with what they said, or when the caller's patience ends with what is known then. */
  revoke(waiting?: Waiting): Promise<readonly ServerResult[]>
  /** Forgets it, and leaves it to end by itself. */
  drop(): void
}

/** What a mapping is for, in one line: an id that is the same in the next run. */
export const nameOf = (request: MappingRequest): string => {
  const { protocol, internalPort, thirdParty } = request
  const what = protocol === 0 ? "all" : `${protocolName(protocol).toLowerCase()} ${internalPort}`
  const whose = thirdParty === undefined ? "" : ` of ${formatAddress(thirdParty)}`
  const to = request.kind === "inbound" ? "" : ` to ${formatAddress(request.remote)} ${request.remotePort}`
  return `${what}${whose}${to}`
}

/** Asks for a mapping. Throws a `PortControlError` if it cannot be asked for; then nothing was sent. */
export const openMapping = (engine: Engine, request: MappingRequest, options: RequestOptions = {}): Mapping => {
  const { clock } = engine.runtime
  const error = checkRequest(request)
  if (error !== undefined) throw badRequest(error)
  if (engine.isClosed()) throw new PortControlError("closed", "the client is closed")
  if (engine.servers().length === 0) throw noServer(engine)
  const id = options.id ?? engine.freshId(nameOf(request))
  const results = new Map<string, ServerResult>()
  const changes = broadcast<PortChange>(clock)
  const alerts = broadcast<MappingAlert>(clock)
  const own = alerts.subscribe()
  const observers = new Set<() => void>()
  let latest: Granted | undefined
  let isOver = false
  let isLeaving = false
  /** What it was when it was given up. */
  let saved: SavedMapping | undefined

  const list = (): readonly ServerResult[] => [...results.values()]

  const observe = (observer: () => void): (() => void) => {
    observers.add(observer)
    return () => observers.delete(observer)
  }

  const hear = (event: ClientEvent): void => {
    if (event.type === "state-lost" && results.get(event.server)?.granted !== undefined)
      changes.tell({ type: "recovering", server: event.server })
    if (!isAlert(event) || event.id !== id) return
    alerts.tell(event)
    note(event)
    if (event.type === "state" && !isWanted(engine.state(), id)) finish()
    for (const observer of [...observers]) observer()
  }

  const note = (event: MappingAlert): void => {
    const { server } = event
    const before = results.get(server)
    const [after, change] = changed(before, event)
    if (after !== undefined) results.set(server, after)
    latest = bestOf(list().flatMap(({ granted }) => granted ?? [])) ?? latest
    // Whoever takes it away knows.
    if (change !== undefined && !isLeaving) changes.tell(change)
  }

  const finish = (): void => {
    const leases = saved?.leases.flatMap((lease) => leaseAfter(lease, results.get(lease.server)?.state)) ?? []
    if (saved !== undefined && leases.length > 0) engine.keeper.leave([{ ...saved, leases }])
    isOver = true
    stop()
    stopClose()
    changes.end()
    alerts.end()
  }

  const failures = () => [...results.values()].map(({ server, failure }) => failureOf(server, failure))

  const stop = engine.listen(hear)
  const stopClose = engine.onClose(() => {
    finish()
    for (const observer of [...observers]) observer()
  })
  const refused = engine.command({
    type: "request",
    id,
    request,
    mode: options.mode,
    servers: options.servers,
    nonce: options.nonce,
    resume: options.resume ?? engine.keeper.takeUp(id),
  })
  if (refused !== undefined) {
    finish()
    throw badRequest(refused)
  }

  /** Of a mapping that is over no command is left to give. */
  const command = (given: Parameters<Engine["command"]>[0]): void => {
    if (isOver || engine.isClosed()) throw new PortControlError("closed", `the mapping ${id} is over`)
    const wrong = engine.command(given)
    if (wrong !== undefined) throw badRequest(wrong)
  }

  const leave = (type: "revoke" | "drop"): void => {
    if (isOver || engine.isClosed()) return
    if (!isLeaving) saved = saveMappings(engine.state(), clock.now()).find((one) => one.id === id)
    isLeaving = true
    engine.command({ type, id })
  }

  return {
    id,
    request,
    results: list,
    latest: () => latest,
    changes,
    alerts,
    pollAlert: () => own.poll(),
    waitAlert: (waiting) => own.take(waiting),
    assigned: (waiting = {}) =>
      wait(
        clock,
        waiting,
        ({ resolve, reject }) => {
          const look = (): void => {
            for (const { granted, ...result } of results.values())
              if (granted !== undefined) {
                resolve({ ...result, granted })
                return
              }
            if (engine.isClosed()) reject(new PortControlError("closed", "the client is closed"))
            else if (isOver || list().every(({ failure }) => failure !== undefined))
              reject(new PortControlError("failed", `no server grants ${id}`, { failures: failures() }))
          }
          const release = observe(look)
          look()
          return release
        },
        (why, { reject }) => reject(impatient(why, { failures: failures() })),
      ),
    renew: (lifetime) => command({ type: "renew", id, lifetime }),
    revoke: (waiting = {}) => {
      leave("revoke")
      return wait(
        clock,
        waiting,
        ({ resolve }) => {
          const look = (): void => {
            if (isOver || engine.isClosed()) resolve(list())
          }
          const release = observe(look)
          look()
          return release
        },
        (_why, { resolve }) => {
          leave("drop")
          resolve(list())
        },
      )
    },
    drop: () => leave("drop"),
  }
}

/** Is there anything of it? What is wanted at all servers is there even while there are none. */
const isWanted = (state: ClientState, id: string): boolean =>
  state.wanted.has(id) || listLeases(state).some((lease) => lease.id === id)

const ALERTS: readonly string[] = [
  "state",
  "assigned",
  "renewed",
  "renewal-refused",
  "quirk",
] satisfies readonly MappingAlert["type"][]

const isAlert = (event: ClientEvent): event is MappingAlert => ALERTS.includes(event.type)

/** What an event makes of a result, and what of it is news. */
const changed = (
  before: ServerResult | undefined,
  event: MappingAlert,
): readonly [ServerResult | undefined, PortChange | undefined] => {
  const { server } = event
  const external = before?.granted?.external
  const plain: ServerResult = before ?? { server, state: { kind: "requested" }, granted: undefined, failure: undefined }
  switch (event.type) {
    case "state": {
      const { state } = event
      const failure = state.kind === "error" ? state.failure : plain.failure
      const isHeld = state.kind === "updating" || state.kind === "running"
      const after = { ...plain, state, failure, granted: isHeld ? plain.granted : undefined }
      if (isHeld || state.kind === "revoked") return [after, undefined]
      if (external !== undefined)
        return [after, { type: "lost", server, external, failure: state.kind === "error" ? failure : undefined }]
      return [after, state.kind === "error" ? { type: "failed", server, failure: state.failure } : undefined]
    }
    case "assigned":
    case "renewed": {
      const granted = grantedOf(event.mapping)
      const { lifetime } = granted
      const after = { ...plain, granted, failure: undefined }
      if (event.type === "renewed") return [after, { type: "renewed", server, external: granted.external, lifetime }]
      return [after, { type: "assigned", server, external: granted.external, lifetime, previous: external }]
    }
    case "renewal-refused":
      return [
        { ...plain, failure: event.failure },
        { type: "renewal-refused", server, failure: event.failure },
      ]
    case "quirk":
      return [undefined, { type: "quirk", server, quirk: event.quirk }]
  }
}
