import {
  type ClientEvent,
  type ClientServer,
  type ListedMapping,
  listLeases,
  type MappingState,
  type SavedMapping,
  saveMappings,
} from "../../core/client/index.ts"
import { formatAddress } from "../../core/wire/index.ts"
import { type Broadcast, broadcast } from "./broadcast.ts"
import type { Closable } from "./closable.ts"
import { type ClientOptions, type Engine, noServer, type ServiceError, startEngine } from "./engine.ts"
import { askExternalAddress, type ExternalAddresses } from "./external-address.ts"
import { leaseAfter } from "./lease-after.ts"
import { type Mapping, openMapping, type RequestOptions } from "./mapping.ts"
import {
  type NamedRequest,
  numberedRequest,
  type OpenPort,
  type OpenPortOptions,
  openOn,
  portRequest,
  startWithin,
} from "./open-port.ts"
import {
  checkClientOptions,
  checkOpenOptions,
  checkProbeOptions,
  checkRequest,
  checkRequestOptions,
  checkWaitingOptions,
} from "./option-shape.ts"
import { type PortMappings, portMappings } from "./port-mapping.ts"
import { type ProbeOptions, type ProbeReport, probeServers } from "./probe.ts"
import { type ClientRuntime, holding } from "./runtime.ts"
import type { ServerProblem } from "./servers.ts"
import { checkWaiting, closeTimeout, type Waiting, wait } from "./waiting.ts"

/** One client for many mappings: one socket a server, one send budget, one look at the network. */
export interface PortClient extends PortMappings, Closable {
  /** The servers that are asked. */
  readonly servers: readonly ClientServer[]
  /** What is wrong with others. */
  readonly problems: readonly ServerProblem[]
  /** The printable address of the first server: the gateway, where servers were not named. */
  readonly gatewayAddress: string
  /**
   * Asks for a mapping, by default for 7200 seconds. Its addresses are the core's, as `parseAddress` reads them. Throws a
   * `PortControlError` if it cannot be asked for; then nothing was sent.
   */
  request(request: NamedRequest, options?: RequestOptions): Mapping
  /** As the function of that name, with this client. */
  openPort(options: OpenPortOptions): Promise<OpenPort>
  /** As the function of that name, with this client. */
  externalAddress(waiting?: Waiting): Promise<ExternalAddresses>
  /** As the function of that name, with this client. */
  probe(options?: ProbeOptions): Promise<ProbeReport>
  /** All mappings, a row for each server. */
  mappings(): readonly ListedMapping[]
  /** All mappings with their nonces, for another run: secrets. See `savedToJson`. */
  save(): readonly SavedMapping[]
  /** What a store has that nobody has asked for again yet: their ids, requests and nonces. */
  readonly stored: readonly SavedMapping[]
  /** All that the machine tells, for any number of loops. */
  readonly events: AsyncIterable<ClientEvent>
  /** The next event that neither this nor `waitEvent` has given yet. */
  pollEvent(): ClientEvent | undefined
  /** The next such event, when there is one; `undefined`: the client is closed. */
  waitEvent(waiting?: Waiting): Promise<ClientEvent | undefined>
  /** What went wrong that no mapping is about; the client goes on. */
  readonly errors: AsyncIterable<ServiceError>
  /** The next error that neither this nor `waitError` has given yet. */
  pollError(): ServiceError | undefined
  /** The next such error, when there is one; `undefined`: the client is closed. */
  waitError(waiting?: Waiting): Promise<ServiceError | undefined>
  /** Looks for the servers anew, as the client does by itself when the host's addresses change; true if there are others now. */
  rediscover(): Promise<boolean>
  /**
   * Ends the client: deletes all mappings, waiting 3000 ms at most by default, and closes the sockets. With `keep` the mappings are
   * left as they are. Never rejects; twice is once.
   */
  close(options?: Waiting & { readonly keep?: boolean }): Promise<void>
}

/** Finds the servers and starts a client. Rejects with a `PortControlError`: without a server, its code is `no-server`. */
export const startClient = (
  runtime: ClientRuntime,
  options: ClientOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<PortClient> => holding(runtime, () => start(runtime, options))

const start = async (
  runtime: ClientRuntime,
  options: ClientOptions & { readonly signal?: AbortSignal | undefined },
): Promise<PortClient> => {
  checkClientOptions(options)
  const engine = await startEngine(runtime, options, options.signal)
  if (engine.servers().length === 0) {
    await engine.close()
    throw noServer(engine)
  }
  return clientOf(engine)
}

const clientOf = (engine: Engine): PortClient => {
  const { clock } = engine.runtime
  const events: Broadcast<ClientEvent> = broadcast(clock)
  const ownEvents = events.subscribe()
  const ownErrors = engine.errors.subscribe()
  let closed: Promise<void> | undefined
  engine.listen((event) => events.tell(event))

  const stopped = async (waiting: Waiting): Promise<void> => {
    const held = saveMappings(engine.state(), clock.now())
    const states = new Map<string, MappingState>()
    const stopNoting = engine.listen((event) => {
      if (event.type === "state") states.set(JSON.stringify([event.id, event.server]), event.state)
    })
    await stop(waiting)
    stopNoting()
    const left = held.map((mapping) => ({
      ...mapping,
      leases: mapping.leases.flatMap((lease) =>
        leaseAfter(lease, states.get(JSON.stringify([mapping.id, lease.server]))),
      ),
    }))
    engine.keeper.leave(left.filter(({ leases }) => leases.length > 0))
  }

  const stop = (waiting: Waiting): Promise<void> =>
    wait<void>(
      clock,
      waiting,
      ({ resolve }) => {
        const stopListening = engine.listen(({ type }) => {
          if (type === "stopped") resolve()
        })
        engine.command({ type: "stop", revoke: true })
        return stopListening
      },
      (_why, { resolve }) => {
        engine.command({ type: "stop", revoke: false })
        resolve()
      },
    )

  const close: PortClient["close"] = ({ signal, timeout, keep = false } = {}) => {
    closed ??= holding(engine.runtime, async () => {
      if (!keep) await stopped({ signal, timeout: closeTimeout(timeout) })
      await engine.close()
      events.end()
    })
    return closed
  }

  return {
    ...portMappings(engine),
    get servers() {
      return engine.servers()
    },
    get problems() {
      return engine.problems()
    },
    get gatewayAddress() {
      return formatAddress(engine.servers()[0].ends[0].address)
    },
    request: (request, options = {}) => {
      checkRequest(request)
      checkRequestOptions(options)
      return openMapping(engine, numberedRequest(request), options)
    },
    openPort: async (options) => {
      checkOpenOptions(options)
      checkWaiting(options)
      return openOn(engine, portRequest(options), options, async () => {})
    },
    externalAddress: async (waiting = {}) => {
      checkWaitingOptions(waiting)
      return askExternalAddress(engine, waiting)
    },
    probe: async (options = {}) => {
      checkProbeOptions(options)
      return probeServers(engine, options)
    },
    mappings: () => listLeases(engine.state()),
    save: () => saveMappings(engine.state(), clock.now()),
    get stored() {
      return engine.keeper.left()
    },
    events,
    pollEvent: () => ownEvents.poll(),
    waitEvent: (waiting) => ownEvents.take(waiting),
    errors: engine.errors,
    pollError: () => ownErrors.poll(),
    waitError: (waiting) => ownErrors.take(waiting),
    rediscover: () => engine.rediscover(),
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}

/** Milliseconds for an answer, looking for the gateways included. */
const ASK_TIMEOUT = 10_000

/** The external address, by a client that ends with the answer. */
export const externalAddress = async (
  runtime: ClientRuntime,
  options: ClientOptions & Waiting = {},
): Promise<ExternalAddresses> => {
  checkWaitingOptions(options)
  checkWaiting(options)
  const { signal, timeout = ASK_TIMEOUT } = options
  const until = runtime.clock.now() + timeout
  const engine = await startWithin(runtime, { announcements: false, ...options }, timeout)
  try {
    return await askExternalAddress(engine, { signal, timeout: Math.max(0, until - runtime.clock.now()) })
  } finally {
    await engine.close()
  }
}

/** NAT-PMP's transmissions in a probe: four seconds for a server that does not know it. */
const NAT_PMP_TRIES = 4

/** A doctor's report on the gateways, by a client that ends with it. Without a gateway, the report says so. Rejects if looking for them took too long. */
export const probe = async (
  runtime: ClientRuntime,
  options: ClientOptions & ProbeOptions = {},
): Promise<ProbeReport> => {
  checkProbeOptions(options)
  checkClientOptions(options)
  const settings = { natPmpTries: NAT_PMP_TRIES, ...options.settings }
  checkWaiting(options)
  const { timeout = ASK_TIMEOUT } = options
  const until = runtime.clock.now() + timeout
  const engine = await startWithin(runtime, { announcements: false, ...options, settings }, timeout)
  try {
    return await probeServers(engine, { ...options, timeout: Math.max(0, until - runtime.clock.now()) })
  } finally {
    await engine.close()
  }
}
