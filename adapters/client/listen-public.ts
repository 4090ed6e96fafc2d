import { type AddressClass, checkRequest, classOfAddress } from "../../core/client/index.ts"
import { type Address, ANY4, ANY6, familyOf, formatAddress, isAny } from "../../core/wire/index.ts"
import type { Endpoint, Receiver, Result, Udp, UdpSocket } from "../udp.ts"
import { broadcast } from "./broadcast.ts"
import type { Closable } from "./closable.ts"
import { type ClientOptions, type Engine, startEngine } from "./engine.ts"
import { badRequest, PortControlError } from "./error.ts"
import { externalAddressOf, type ServerResult } from "./external-end.ts"
import { type Mapping, openMapping } from "./mapping.ts"
import { type PortRequest, portRequest } from "./open-port.ts"
import { checkClientOptions, checkListenOptions } from "./option-shape.ts"
import { type ClientRuntime, holding } from "./runtime.ts"
import { closeTimeout, type Waiting } from "./waiting.ts"

/** One address at which a program is reached. */
export interface Reachable {
  /** How: as one of the host's own addresses, or through a mapping. */
  readonly technique: "local" | "pcp" | "nat-pmp"
  /** The transport protocol. */
  readonly protocol: "tcp" | "udp"
  /** The address for programs; IPv4 is IPv4-mapped. */
  readonly address: Address
  /** The address for people. */
  readonly text: string
  /** The port there: it may be another than the one that is listened on. */
  readonly port: number
  /** Whether the Internet reaches that address, or what else it is. */
  readonly class: AddressClass
  /** Another NAT is in front of the one that said so. */
  readonly isDoubleNat: boolean
  /** The server of the mapping; `undefined`: there is none. */
  readonly server: string | undefined
}

/** A program that listens where the world can reach it. */
export interface PublicListener extends Closable {
  /** The port that it listens on, of both families. */
  readonly port: number
  /** Where it is reached now: the host's own addresses first. */
  readonly current: readonly Reachable[]
  /** That set, now and whenever it changes. Any number of loops may iterate at once; they end with `close`. */
  readonly changes: AsyncIterable<readonly Reachable[]>
  /** What each server says of the mapping. */
  readonly servers: readonly ServerResult[]
  /** Deletes the mapping, stops listening, and closes the sockets. Never rejects; twice is once. */
  close(waiting?: Waiting): Promise<void>
}

/** What listens, and where: an end for each family. All have one port. */
export interface Listening {
  /** Where it listens. */
  readonly local: readonly Endpoint[]
  /** Stops listening. Never rejects. */
  close(): Promise<void>
}

/** Begins to listen, on a port that the system chooses if it is 0. Never rejects. */
export type Listen = (port: number) => Promise<Result<Listening>>

/** What to listen for, and whom to ask for the mapping of it. */
export type ListenPublicOptions = ClientOptions &
  Waiting &
  Omit<
    PortRequest,
    "protocol" | "internalPort" | "remote" | "remotePort" | "thirdParty" | "thirdPartyId" | "portSet"
  > & {
    readonly protocol: "tcp" | "udp"
    /** Where to listen; 0, or left out, is a port that the system chooses. */
    readonly port?: number | undefined
    readonly id?: string | undefined
  }

/**
 * Listens, maps the port on every gateway of both families (RFC 6887 section 11: bound first, so that nobody else gets what comes,
 * C-05), and keeps the set of addresses at which that is reached. Without a gateway the host's own addresses are the set, until
 * there is one. Rejects only where it cannot listen, or the request is none.
 */
export const listenPublic = (
  runtime: ClientRuntime,
  options: ListenPublicOptions,
  listen: Listen,
): Promise<PublicListener> => holding(runtime, () => listenAndPublish(runtime, options, listen))

const listenAndPublish = async (
  runtime: ClientRuntime,
  options: ListenPublicOptions,
  listen: Listen,
): Promise<PublicListener> => {
  checkListenOptions(options)
  checkClientOptions(options)
  const listening = await listen(options.port ?? 0)
  if (!listening.ok)
    throw new PortControlError("listen", `port ${options.port ?? 0}: ${listening.error.text}`, {
      cause: listening.error,
    })
  const { local, close: stopListening } = listening.value
  let engine: Engine | undefined
  try {
    const { port } = local[0]
    const request = portRequest({ ...options, internalPort: port })
    // Without a gateway nobody else looks at it until there is one.
    const error = checkRequest(request)
    if (error !== undefined) throw badRequest(error)
    engine = await startEngine(runtime, options, options.signal)
    return publish(engine, request, options, local, stopListening)
  } catch (cause) {
    await engine?.close()
    await stopListening()
    throw cause
  }
}

const publish = (
  engine: Engine,
  request: ReturnType<typeof portRequest>,
  { protocol, id }: ListenPublicOptions,
  local: readonly Endpoint[],
  stopListening: () => Promise<void>,
): PublicListener => {
  const { runtime } = engine
  const { port } = local[0]
  const families = new Set(local.map(({ address }) => familyOf(address)))
  let mapping: Mapping | undefined
  let closed: Promise<void> | undefined
  let current: readonly Reachable[] = []
  const sets = broadcast<readonly Reachable[]>(runtime.clock, () => [current])

  const map = (): void => {
    const servers = engine.servers().filter(({ ends }) => families.has(familyOf(ends[0].client)))
    if (mapping !== undefined || servers.length === 0 || closed !== undefined) return
    // Where all servers suit, those that are found later suit too.
    const names = servers.length === engine.servers().length ? undefined : servers.map(({ name }) => name)
    mapping = openMapping(engine, request, { id, servers: names })
    void follow(mapping)
  }
  const follow = async ({ changes }: Mapping): Promise<void> => {
    for await (const _change of changes) look()
    // It ends with the last of the servers that were named for it; on another network there are others.
    mapping = undefined
    map()
    look()
  }
  const look = (): void => {
    const now = [...localEnds(local, protocol, runtime), ...mappedEnds(mapping, protocol)]
    if (JSON.stringify(now) === JSON.stringify(current)) return
    current = now
    sets.tell(now)
  }
  const stopNetwork = engine.onNetwork(() => {
    map()
    look()
  })
  map()
  look()

  const close = ({ signal, timeout }: Waiting = {}): Promise<void> => {
    closed ??= holding(runtime, async () => {
      stopNetwork()
      await mapping?.revoke({ signal, timeout: closeTimeout(timeout) })
      await stopListening()
      await engine.close()
      sets.end()
    })
    return closed
  }
  return {
    port,
    get current() {
      return current
    },
    get servers() {
      return mapping?.results() ?? []
    },
    changes: sets,
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}

const mappedEnds = (mapping: Mapping | undefined, protocol: "tcp" | "udp"): readonly Reachable[] =>
  (mapping?.results() ?? []).flatMap(({ server, granted }) => {
    if (granted === undefined) return []
    const { address, text, class: kind, isDoubleNat, port } = granted.external
    return [{ technique: granted.protocol, protocol, address, text, port, class: kind, isDoubleNat, server }]
  })

/** The host's own addresses that others could send to. */
const localEnds = (
  local: readonly Endpoint[],
  protocol: "tcp" | "udp",
  { ownAddresses }: ClientRuntime,
): readonly Reachable[] => {
  const own = ownAddresses().map(({ address }) => address)
  const bound = local.flatMap(({ address, port }) => {
    const all = isAny(address)
      ? own.filter((one) => familyOf(one) === familyOf(address) && isReachable(one))
      : [address]
    return all.map((one) => ({ address: one, port }))
  })
  return bound.map(({ address, port }) => {
    const { class: kind } = externalAddressOf(address)
    const text = formatAddress(address)
    return { technique: "local", protocol, address, text, port, class: kind, isDoubleNat: false, server: undefined }
  })
}

const isReachable = (address: Address): boolean => !["loopback", "link-local"].includes(classOfAddress(address))

/** Tries to find a port that both families have free. */
const TRIES = 10

/** Listens on UDP, on both families where the host has them; `sockets` is told what there is to send from. */
export const listenUdp = (
  udp: Udp,
  receiver: Receiver,
  sockets: (sockets: readonly UdpSocket[]) => void = () => {},
): Listen => (udp.limits.includes("ipv6-only") ? oneSocket : twoSockets)(udp, receiver, sockets)

type ListenWith = (udp: Udp, receiver: Receiver, sockets: (sockets: readonly UdpSocket[]) => void) => Listen

/** For both families, where a socket of IPv6 has the port of IPv4 besides whatever it is told. */
const oneSocket: ListenWith = (udp, receiver, sockets) => async (port) => {
  const both = await udp.bind({ local: { address: ANY6, port }, ipv6Only: false }, receiver)
  if (!both.ok && both.error.code === "EADDRINUSE") return both
  // A host without IPv6.
  const bound = both.ok ? both : await udp.bind({ local: { address: ANY4, port } }, receiver)
  if (!bound.ok) return bound
  const { local, close } = bound.value
  sockets([bound.value])
  const ends = both.ok ? [{ address: ANY4, port: local.port }, local] : [local]
  return { ok: true, value: { local: ends, close } }
}

const twoSockets: ListenWith = (udp, receiver, sockets) => async (port) => {
  for (let tried = 1; ; tried++) {
    const ipv4 = await udp.bind({ local: { address: ANY4, port } }, receiver)
    const chosen = ipv4.ok ? ipv4.value.local.port : port
    const ipv6 = await udp.bind({ local: { address: ANY6, port: chosen } }, receiver)
    const isTaken = !ipv6.ok && ipv6.error.code === "EADDRINUSE"
    if (ipv4.ok && isTaken) {
      await ipv4.value.close()
      if (port === 0 && tried < TRIES) continue
      return ipv6
    }
    if (!ipv4.ok && (!ipv6.ok || ipv4.error.code === "EADDRINUSE")) {
      if (ipv6.ok) await ipv6.value.close()
      return ipv4
    }
    const open = [ipv4, ipv6].flatMap((one) => (one.ok ? [one.value] : []))
    sockets(open)
    return {
      ok: true,
      value: {
        local: open.map(({ local }) => local),
        close: async () => {
          await Promise.all(open.map((socket) => socket.close()))
        },
      },
    }
  }
}
