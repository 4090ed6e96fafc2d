import { type InboundRequest, listLeases, type SavedLease } from "../../core/client/index.ts"
import type { Engine } from "./engine.ts"
import { noServer } from "./engine.ts"
import { ask } from "./errand.ts"
import { failureOf, PortControlError, type ServerFailure } from "./error.ts"
import type { ExternalEnd, Granted } from "./external-end.ts"
import { leaseAfter } from "./lease-after.ts"
import { type Mapping, openMapping } from "./mapping.ts"
import { protocolNumber } from "./open-port.ts"
import { type Waiting, wait } from "./waiting.ts"

type Transport = "udp" | "tcp"

/** A mapping as racket-nat-pmp has it: plain data. */
export interface PortMapping {
  /** The transport protocol. */
  readonly protocol: Transport
  /** Where this host listens. */
  readonly internalPort: number
  /** What the server assigned. */
  readonly externalPort: number
  /** Seconds, as granted. */
  readonly lifetime: number
  /** Where it is reached. */
  readonly external: ExternalEnd
}

/** Port mappings by hand, as in racket-nat-pmp: the caller refreshes and deletes them. */
export interface PortMappings {
  /**
   * Maps a port for `lifetime` seconds, once. A lifetime of 0 is an error here: `unmapPort` deletes. Of a port that this client has
   * mapped already, the mapping is refreshed.
   */
  mapPort(
    protocol: Transport,
    internalPort: number,
    requestedPort: number,
    lifetime: number,
    waiting?: Waiting,
  ): Promise<PortMapping>
  /** Deletes it at each server; rejects if none does. PCP deletes for who has the nonce alone: this client, or its store. */
  unmapPort(protocol: Transport, internalPort: number, waiting?: Waiting): Promise<void>
  /** Deletes all mappings of this host: at NAT-PMP servers all that there are, at PCP servers those of this client. */
  unmapAllPorts(protocol: Transport, waiting?: Waiting): Promise<void>
  /** Renews a mapping now, and gives it as it is then. */
  refreshMapping(mapping: PortMapping, waiting?: Waiting): Promise<PortMapping>
  /** Deletes it at each server; rejects if none does. */
  deleteMapping(mapping: PortMapping, waiting?: Waiting): Promise<void>
  /** Maps a port, and refreshes it within the granted lifetime until it is stopped. */
  makePersistentMapping(
    protocol: Transport,
    internalPort: number,
    requestedPort: number,
    options?: PersistentOptions,
  ): PersistentMapping
}

/** How a persistent mapping is kept. */
export interface PersistentOptions {
  /** Seconds that are asked for; it is refreshed within what is granted. Default 7200. */
  readonly refreshInterval?: number | undefined
  /** At the first assignment and whenever the external end changes. What it throws is told among the client's errors. */
  readonly onMapping?: ((mapping: PortMapping) => void) | undefined
}

/** A mapping that refreshes itself until it is stopped. */
export interface PersistentMapping {
  /** `undefined`: it is not there yet. */
  current(): PortMapping | undefined
  /** Refreshes it now; the usual refreshing goes on after that. */
  refresh(): void
  /** Deletes it at the servers. */
  stop(waiting?: Waiting): Promise<void>
}

/** Milliseconds for one call. */
const TIMEOUT = 30_000
const PERSISTENT = 7200

export const portMappings = (engine: Engine): PortMappings => {
  const known = new Map<string, Mapping>()
  const idOf = (protocol: Transport, internalPort: number): string => `port ${protocol} ${internalPort}`
  const within = ({ signal, timeout = TIMEOUT }: Waiting = {}): Waiting => ({ signal, timeout })
  const isOver = ({ results }: Mapping): boolean => results().every(({ state }) => isLast(state.kind))

  const mapPort: PortMappings["mapPort"] = async (protocol, internalPort, requestedPort, lifetime, waiting) => {
    const id = idOf(protocol, internalPort)
    const before = known.get(id)
    if (before !== undefined && !isOver(before)) return refresh(before, protocol, lifetime, within(waiting))
    const request = requestOf(protocol, internalPort, lifetime, requestedPort)
    const mapping = openMapping(engine, request, { id, mode: { kind: "once" } })
    known.set(id, mapping)
    try {
      const { granted } = await mapping.assigned(within(waiting))
      return portMappingOf(protocol, internalPort, granted)
    } catch (cause) {
      known.delete(id)
      await mapping.revoke({ timeout: 0 })
      throw cause
    }
  }

  const refresh = (mapping: Mapping, protocol: Transport, lifetime: number, waiting: Waiting): Promise<PortMapping> => {
    const { internalPort } = mapping.request
    return wait(engine.runtime.clock, waiting, ({ resolve, reject }) => {
      const failures = new Map<string, ServerFailure>()
      const stop = engine.listen((event) => {
        if (!("id" in event) || event.id !== mapping.id) return
        const { granted } = mapping.results().find((one) => "server" in event && one.server === event.server) ?? {}
        if ((event.type === "renewed" || event.type === "assigned") && granted !== undefined)
          resolve(portMappingOf(protocol, internalPort, granted))
        if (event.type === "renewal-refused") failures.set(event.server, failureOf(event.server, event.failure))
        if (event.type === "state" && event.state.kind === "error")
          failures.set(event.server, failureOf(event.server, event.state.failure))
        if (failures.size > 0 && failures.size === mapping.results().length)
          reject(new PortControlError("failed", `no server renews ${mapping.id}`, { failures: [...failures.values()] }))
        else if (isOver(mapping)) reject(new PortControlError("closed", `the mapping ${mapping.id} is over`))
      })
      const stopClose = engine.onClose(() => reject(closedError()))
      try {
        mapping.renew(lifetime)
      } catch (cause) {
        if (cause instanceof PortControlError) reject(cause)
        else throw cause
      }
      return () => {
        stop()
        stopClose()
      }
    })
  }

  const unmapPort: PortMappings["unmapPort"] = async (protocol, internalPort, waiting) => {
    const id = idOf(protocol, internalPort)
    const mapping = known.get(id)
    known.delete(id)
    if (mapping === undefined || isOver(mapping)) {
      await deleteUnknown(engine, id, requestOf(protocol, internalPort, 1, 0), within(waiting))
      return
    }
    const results = await mapping.revoke(within(waiting))
    const failures = results.flatMap(({ server, state, failure }) =>
      state.kind === "revoked" && state.answered ? [] : [failureOf(server, failure)],
    )
    if (failures.length > 0 && failures.length === results.length)
      throw new PortControlError("failed", `no server has deleted ${id}`, { failures })
  }

  return {
    mapPort,
    unmapPort,
    unmapAllPorts: async (protocol, waiting) => {
      const number = protocolNumber(protocol)
      const ids = new Set<string>()
      const states = engine.state()
      for (const task of states.tasks.values())
        if (task.kind === "lease" && task.request.protocol === number) ids.add(task.id)
      for (const id of ids) {
        known.delete(id)
        engine.command({ type: "revoke", id })
      }
      await gone(engine, ids, within(waiting))
      const asked = engine.servers().filter(({ name }) => states.servers.get(name)?.speaks !== "pcp")
      const answers = await Promise.all(
        asked.map(({ name }) => ask(engine, name, { type: "unmap-all", transport: protocol }, within(waiting))),
      )
      const failures = answers.flatMap((answer) =>
        // A server of PCP alone has nothing that NAT-PMP could delete.
        answer.type === "failed" && answer.failure.kind !== "unsupported-version"
          ? [failureOf(answer.server, answer.failure)]
          : [],
      )
      if (failures.length > 0 && failures.length === engine.servers().length)
        throw new PortControlError("failed", "no server has deleted all mappings", { failures })
    },
    refreshMapping: ({ protocol, internalPort, externalPort, lifetime }, waiting) =>
      mapPort(protocol, internalPort, externalPort, lifetime, waiting),
    deleteMapping: ({ protocol, internalPort }, waiting) => unmapPort(protocol, internalPort, waiting),
    makePersistentMapping: (protocol, internalPort, requestedPort, options = {}) => {
      const { refreshInterval = PERSISTENT, onMapping } = options
      const id = engine.freshId(`persistent ${protocol} ${internalPort}`)
      const mapping = openMapping(engine, requestOf(protocol, internalPort, refreshInterval, requestedPort), { id })
      const current = (): PortMapping | undefined => {
        const granted = mapping.latest()
        return granted === undefined ? undefined : portMappingOf(protocol, internalPort, granted)
      }
      void (async () => {
        for await (const { type } of mapping.changes) {
          const now = current()
          if (type !== "assigned" || now === undefined) continue
          try {
            onMapping?.(now)
          } catch (cause) {
            engine.errors.tell({ type: "callback", cause })
          }
        }
      })()
      return {
        current,
        refresh: () => mapping.renew(),
        stop: async (waiting) => {
          await mapping.revoke(within(waiting))
        },
      }
    },
  }
}

/** Resolves when no mapping has one of these ids any more. */
const gone = (engine: Engine, ids: ReadonlySet<string>, waiting: Waiting): Promise<void> =>
  wait(engine.runtime.clock, waiting, ({ resolve, reject }) => {
    const look = (): void => {
      if (!listLeases(engine.state()).some(({ id }) => ids.has(id))) resolve()
    }
    const stop = engine.listen(look)
    const stopClose = engine.onClose(() => reject(closedError()))
    look()
    return () => {
      stop()
      stopClose()
    }
  })

const closedError = (): PortControlError => new PortControlError("closed", "the client is closed")

const isLast = (kind: string): boolean =>
  kind === "revoked" || kind === "dropped" || kind === "expired" || kind === "error"

const requestOf = (
  protocol: Transport,
  internalPort: number,
  lifetime: number,
  externalPort: number,
): InboundRequest => ({ kind: "inbound", protocol: protocolNumber(protocol), internalPort, externalPort, lifetime })

const portMappingOf = (protocol: Transport, internalPort: number, { external, lifetime }: Granted): PortMapping => ({
  protocol,
  internalPort,
  externalPort: external.port,
  lifetime,
  external,
})

/** Deletes what another run has mapped: with the nonce that the store has, or with none that PCP would know. */
const deleteUnknown = (engine: Engine, id: string, request: InboundRequest, waiting: Waiting): Promise<void> => {
  if (engine.servers().length === 0) return Promise.reject(noServer(engine))
  return wait(engine.runtime.clock, waiting, ({ resolve, reject }) => {
    const failures = new Map<string, ServerFailure>()
    const left = new Set<string>()
    const had = engine.keeper.takeUp(id)
    const kept: SavedLease[] = []
    let isDeleted = false
    const stop = engine.listen((event) => {
      if (event.type !== "state" || event.id !== id) return
      const { server, state } = event
      if (!isLast(state.kind)) left.add(server)
      else left.delete(server)
      if (state.kind === "revoked" && state.answered) {
        isDeleted = true
        kept.push(...had.filter((lease) => lease.server === server).flatMap((lease) => leaseAfter(lease, state)))
      } else if (state.kind === "error") failures.set(server, failureOf(server, state.failure))
      else if (isLast(state.kind)) failures.set(server, failureOf(server, undefined))
      if (left.size > 0) return
      if (kept.length > 0) engine.keeper.leave([{ id, mode: { kind: "keep" }, request, leases: kept }])
      if (isDeleted) resolve()
      else reject(new PortControlError("failed", `no server has deleted ${id}`, { failures: [...failures.values()] }))
    })
    const refused = engine.command({ type: "delete", id, request, resume: had })
    if (refused !== undefined) reject(new PortControlError("bad-request", refused.text, { request: refused }))
    const stopClose = engine.onClose(() => reject(closedError()))
    return () => {
      stop()
      stopClose()
    }
  })
}
