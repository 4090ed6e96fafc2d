import {
  type ClientEvent,
  type ClientServer,
  type ClientSettings,
  type ClientState,
  type Command,
  createClient,
  type ProtocolChoice,
  type RequestError,
} from "../../core/client/index.ts"
import type { AddressFamily } from "../../core/wire/index.ts"
import type { Endpoint, UdpError } from "../udp.ts"
import { type Broadcast, broadcast } from "./broadcast.ts"
import { drive } from "./drive.ts"
import { PortControlError, problemFailure } from "./error.ts"
import { checkClientOptions } from "./option-shape.ts"
import type { ClientRuntime } from "./runtime.ts"
import { addressOf, parseServer } from "./server-text.ts"
import { type DhcpLearned, type FindServersOptions, findServers, type ServerProblem } from "./servers.ts"
import { type ClientStore, type Keeper, NO_KEEPER, openKeeper } from "./store.ts"

/** Whom a client asks, and how. Addresses are text. */
export interface ClientOptions {
  /** The servers: `192.168.1.1`, `[fe80::1%eth0]:5351`. Left out, those of `dhcp`, or else the default routers. */
  readonly servers?: readonly string[] | undefined
  /** Servers that DHCP named; asked where `servers` names none. */
  readonly dhcp?: readonly DhcpLearned[] | undefined
  /** Only what is on this interface, and from its addresses. */
  readonly interfaceName?: string | undefined
  /** Servers of this family alone. */
  readonly family?: AddressFamily | undefined
  /** Send from this address of the host's own; left out, it is found for each server. */
  readonly client?: string | undefined
  /** Left out, `auto`: PCP, or NAT-PMP where the server knows no other. */
  readonly speak?: ProtocolChoice | undefined
  /** Other addresses that responses may come from, as those of routers that share one (CARP, VRRP) do. */
  readonly acceptResponsesFrom?: readonly string[] | undefined
  /** Ask the anycast addresses too, after the default routers (RFC 7723). Default false. */
  readonly anycast?: boolean | undefined
  /** Hear the servers' announcements on UDP port 5350 (RFC 6887 section 14.1.3). Default true. */
  readonly announcements?: boolean | undefined
  /** Retransmission, budgets and nonces; what is left out is `DEFAULT_CLIENT_SETTINGS`. */
  readonly settings?: Partial<ClientSettings> | undefined
  /** 32 octets or more that nobody outside can guess; left out, new ones. With `nonces: "deterministic"`, the same again. */
  readonly seed?: Uint8Array | undefined
  /** Keeps mappings over a restart of the program. */
  readonly store?: ClientStore | undefined
  /**
   * Milliseconds after which the host's own addresses are looked at again: if they have changed, the servers are looked for anew.
   * Default 15 000; `Infinity`: never.
   */
  readonly watch?: number | undefined
}

/** What went wrong that no mapping is about. The client goes on. */
export type ServiceError =
  /** A socket could not be opened, lost a datagram, or heard an ICMP error. */
  | { readonly type: "socket"; readonly error: UdpError; readonly local: Endpoint }
  /** What the store said to what it was to save. */
  | { readonly type: "store"; readonly cause: unknown }
  /** What a function of the caller's threw. */
  | { readonly type: "callback"; readonly cause: unknown }
  /** Servers that are not asked. */
  | { readonly type: "server"; readonly problem: ServerProblem }

/** A driven client and what is shared by all that is done with it. */
export interface Engine {
  readonly runtime: ClientRuntime
  servers(): readonly ClientServer[]
  problems(): readonly ServerProblem[]
  state(): ClientState
  /** What is wrong with a command that was refused at once. */
  command(command: Command): RequestError | undefined
  /** Hears all events; the returned function ends that. Called between other work: it must not throw. */
  listen(listener: (event: ClientEvent, now: number) => void): () => void
  readonly errors: Broadcast<ServiceError>
  readonly keeper: Keeper
  /** Looks for the servers anew; true if there are others now. */
  rediscover(): Promise<boolean>
  /** Called after the servers or this host's addresses have changed; the returned function ends that. */
  onNetwork(listener: () => void): () => void
  /** Called when the client is closed; the returned function ends that. */
  onClose(listener: () => void): () => void
  /** An id that no mapping has. */
  freshId(name: string): string
  isClosed(): boolean
  /** Closes the sockets and drops the timers; mappings stay as they are. Twice is once. */
  close(): Promise<void>
}

/** Milliseconds after which the host's own addresses are looked at again. */
const WATCH = 15_000

/** Milliseconds by which the clocks may come apart between two looks; a host that slept has them further apart. */
const SLEPT = 5000

/** Finds the servers and starts a client, though there be no server. Rejects with a `PortControlError`. */
export const startEngine = async (
  runtime: ClientRuntime,
  options: ClientOptions,
  signal: AbortSignal | undefined,
): Promise<Engine> => {
  checkClientOptions(options)
  const { clock, entropy, ownAddresses } = runtime
  const finding = findOptions(runtime, options)
  const watch = options.watch ?? WATCH
  if (!(watch > 0)) throw new PortControlError("bad-options", `watch of ${watch} ms is none`)
  let found = await findServers({ ...finding, signal })
  if (signal?.aborted) throw new PortControlError("aborted", "the call was aborted", { cause: signal.reason })
  const created = createClient({
    seed: options.seed ?? entropy(32),
    now: clock.now(),
    servers: found.servers,
    settings: options.settings,
  })
  if (!created.ok) throw new PortControlError("bad-options", created.error.text)

  const listeners = new Set<(event: ClientEvent, now: number) => void>()
  const networkListeners = new Set<() => void>()
  const closeListeners = new Set<() => void>()
  const errors = broadcast<ServiceError>(clock)
  let keeper: Keeper = NO_KEEPER
  let refused: RequestError[] | undefined
  let closed: Promise<void> | undefined
  let drawn = 0

  const hear = (event: ClientEvent, now: number): void => {
    if (event.type === "refused" && refused !== undefined) refused.push(event.error)
    for (const listener of [...listeners]) listener(event, now)
    if (event.type === "exhausted") void rediscover()
    if (event.type !== "ignored") keeper.changed()
  }

  if (options.store !== undefined)
    keeper = await openKeeper(
      runtime,
      options.store,
      () => driven.state(),
      (cause) => errors.tell({ type: "store", cause }),
    )

  const driven = drive({
    udp: runtime.udp,
    clock,
    state: created.state,
    listener: {
      event: hear,
      socketError: (error, local) => errors.tell({ type: "socket", error, local }),
      fault: (cause) => errors.tell({ type: "callback", cause }),
    },
    announcements: options.announcements === false ? [] : found.announcements,
  })
  const tellProblems = (): void => {
    for (const problem of found.problems) errors.tell({ type: "server", problem })
  }

  let searching: Promise<boolean> | undefined
  const rediscover = (): Promise<boolean> => {
    searching ??= search().finally(() => {
      searching = undefined
    })
    return searching
  }
  const search = async (): Promise<boolean> => {
    const now = await findServers(finding)
    // Without a network nothing is lost yet: it may come back as it was.
    if (closed !== undefined || now.servers.length === 0) return false
    const isOther = JSON.stringify(now.servers) !== JSON.stringify(found.servers)
    found = now
    tellProblems()
    if (options.announcements !== false) driven.hearOn(now.announcements)
    if (isOther) driven.command({ type: "network-changed", servers: now.servers })
    for (const listener of [...networkListeners]) listener()
    return isOther
  }

  let cancel = (): void => {}
  let seen = JSON.stringify(ownAddresses())
  // Milliseconds from the machine's clock, which stands still while some systems sleep, to the one on the wall.
  let apart = runtime.wallClock() - clock.now()
  const look = (): void => {
    if (closed !== undefined) return
    const now = JSON.stringify(ownAddresses())
    const between = runtime.wallClock() - clock.now()
    // Mappings may have run out in the meantime, and the network may be another one: all is renewed.
    if (between - apart > SLEPT) driven.command({ type: "network-changed", servers: found.servers })
    if (now !== seen || between - apart > SLEPT) void rediscover()
    apart = between
    seen = now
    arm()
  }
  const arm = (): void => {
    if (watch !== Number.POSITIVE_INFINITY) cancel = clock.after(watch, look)
  }
  arm()

  return {
    runtime,
    servers: () => found.servers,
    problems: () => found.problems,
    state: () => driven.state(),
    command: (command) => {
      if (closed !== undefined) throw new PortControlError("closed", "the client is closed")
      const before = refused
      const own: RequestError[] = []
      refused = own
      try {
        driven.command(command)
      } finally {
        refused = before
      }
      return own[0]
    },
    listen: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    errors,
    get keeper() {
      return keeper
    },
    rediscover,
    onNetwork: (listener) => {
      networkListeners.add(listener)
      return () => networkListeners.delete(listener)
    },
    onClose: (listener) => {
      closeListeners.add(listener)
      return () => closeListeners.delete(listener)
    },
    freshId: (name) => {
      const { tasks, wanted } = driven.state()
      const taken = new Set([...[...tasks.values()].map(({ id }) => id), ...wanted.keys()])
      let id = name
      while (taken.has(id)) id = `${name} #${++drawn}`
      return id
    },
    isClosed: () => closed !== undefined,
    close: () => {
      closed ??= (async () => {
        cancel()
        await searching
        await keeper.flush()
        await driven.close()
        for (const listener of [...closeListeners]) listener()
        errors.end()
        listeners.clear()
        networkListeners.clear()
      })()
      return closed
    },
  }
}

const findOptions = (runtime: ClientRuntime, options: ClientOptions): FindServersOptions => {
  const { udp, discover, ownAddresses } = runtime
  const { servers, dhcp, interfaceName, family, client, speak, acceptResponsesFrom, anycast } = options
  return {
    udp,
    discover,
    ownAddresses,
    servers: servers?.map((text) => {
      const end = parseServer(text)
      if (end === undefined) throw new PortControlError("bad-options", `server ${JSON.stringify(text)} is no address`)
      return end
    }),
    dhcp,
    interfaceName,
    family,
    client: client === undefined ? undefined : addressOf(client, "client"),
    protocol: speak,
    acceptResponsesFrom: acceptResponsesFrom?.map((text) => addressOf(text, "acceptResponsesFrom")),
    anycast,
  }
}

/** What is wrong where there is no server. */
export const noServer = (engine: Engine): PortControlError =>
  new PortControlError("no-server", "there is no server to ask", { failures: engine.problems().map(problemFailure) })
