import type {
  InboundRequest,
  MappingRequest,
  OutboundRequest,
  RemoteFilter,
  RequestError,
} from "../../core/client/index.ts"
import { type Address, hasPorts, isIpv4, type PcpOption, Protocol, parseAddress } from "../../core/wire/index.ts"
import type { ClosableAtOnce } from "./closable.ts"
import { type ClientOptions, type Engine, noServer, startEngine } from "./engine.ts"
import { badRequest, PortControlError } from "./error.ts"
import type { ExternalEnd, Granted, ServerResult } from "./external-end.ts"
import { type Mapping, openMapping, type PortChange, type RequestOptions } from "./mapping.ts"
import { checkClientOptions, checkOpenOptions } from "./option-shape.ts"
import { type ClientRuntime, holding } from "./runtime.ts"
import { checkWaiting, closeTimeout, durationText, type Waiting } from "./waiting.ts"

/** Which port to open. Addresses are text. */
export interface PortRequest {
  /** A name, or IANA's number; `all` is all protocols, with internal port 0. */
  readonly protocol: "tcp" | "udp" | "sctp" | "dccp" | "all" | number
  /** Where this host listens; 0 is all ports. */
  readonly internalPort: number
  /** Suggested; left out, the internal port; 0: the server chooses. Which one it is the handle says: another one is no error. */
  readonly externalPort?: number | undefined
  /** Suggested external address. */
  readonly external?: string | undefined
  /** Requested lifetime, seconds; it is renewed for as long as the port is open. Default 7200 (RFC 6886 section 3.3). */
  readonly lifetime?: number | undefined
  /** With `remotePort`: a mapping for packets to this peer and back (PEER, RFC 6887 section 12). */
  readonly remote?: string | undefined
  /** 1 to 65535: the remote peer's. */
  readonly remotePort?: number | undefined
  /** The host that the mapping is for, if it is another one (RFC 6887 section 13.1). */
  readonly thirdParty?: string | undefined
  /** Tells apart hosts of one address (RFC 7843). */
  readonly thirdPartyId?: Uint8Array | undefined
  /** For the server's administrator (RFC 7220). */
  readonly description?: string | undefined
  /** Rather nothing than another external end than the suggested one (RFC 6887 section 13.2). */
  readonly preferFailure?: boolean | undefined
  /** Who may come in (RFC 6887 section 13.3): an address, or a network with its prefix length; no port is all ports. */
  readonly filters?: readonly {
    readonly remote: string
    readonly prefixLength?: number
    readonly remotePort?: number
  }[]
  /** Consecutive ports from the internal one on (RFC 7753). */
  readonly portSet?: { readonly size: number; readonly parity: boolean } | undefined
  /** Ask which IPv6 prefix the NAT64 uses (RFC 7225). */
  readonly prefix64?: boolean | undefined
  /** Any other options. */
  readonly options?: readonly PcpOption[] | undefined
}

/** The port, how long to wait for it, and its name in a store. */
export type OpenPortOptions = PortRequest & Waiting & Omit<RequestOptions, "servers" | "mode">

/** An open port: `await using` closes it, which deletes the mapping. */
export interface OpenPort extends ClosableAtOnce {
  /** Its name in events and in a store. */
  readonly id: string
  /** Where it is reached; of several servers, a public address first. After a loss, what it was last. */
  readonly external: ExternalEnd
  /** Is it there at this moment? */
  readonly isOpen: boolean
  /** Seconds that the server granted. */
  readonly lifetime: number
  /** The protocol that it was granted in. */
  readonly protocol: "pcp" | "nat-pmp"
  /** What each server says: some may refuse while another one grants. */
  readonly servers: readonly ServerResult[]
  /** What becomes of it; any number of loops may iterate at once, each from when it begins. They end with `close`. */
  readonly changes: AsyncIterable<PortChange>
  /** Renews now. */
  renew(): void
  /**
   * Deletes the mapping at the servers, and closes the sockets that were opened for it. Never rejects: of a server that does not
   * answer within the timeout, 3000 ms by default, the mapping ends by itself. With `keep` it is left as it is, for a later run.
   * Twice is once.
   */
  close(options?: Waiting & { readonly keep?: boolean }): Promise<void>
}

/** Milliseconds until opening is given up: four requests of PCP (RFC 6887 section 8.1.1), the longest wait of five for NAT-PMP. */
export const OPEN_TIMEOUT = 30_000

/** Opens a port with a client of its own, which ends with it. Rejects with a `PortControlError`; then nothing is left open. */
export const openPort = (runtime: ClientRuntime, options: OpenPortOptions & ClientOptions): Promise<OpenPort> =>
  holding(runtime, () => open(runtime, options))

const open = async (runtime: ClientRuntime, options: OpenPortOptions & ClientOptions): Promise<OpenPort> => {
  // What is wrong with the request is said before anybody is looked for.
  checkOpenOptions(options)
  checkClientOptions(options)
  const request = portRequest(options)
  checkWaiting(options)
  const timeout = options.timeout ?? OPEN_TIMEOUT
  const until = runtime.clock.now() + timeout
  const engine = await startWithin(runtime, options, timeout)
  if (engine.servers().length === 0) {
    await engine.close()
    throw noServer(engine)
  }
  const waiting = { signal: options.signal, timeout: Math.max(0, until - runtime.clock.now()) }
  return openOn(engine, request, { ...options, ...waiting }, () => engine.close())
}

/** Looking for the gateways is part of what the caller waits for: a system may take seconds to list its routes. */
export const startWithin = async (
  runtime: ClientRuntime,
  options: ClientOptions & Pick<Waiting, "signal">,
  timeout: number,
): Promise<Engine> => {
  if (timeout === 0 || timeout === Number.POSITIVE_INFINITY) return startEngine(runtime, options, options.signal)
  const { signal } = options
  const limit = new AbortController()
  const cancel = runtime.clock.after(timeout, () => limit.abort())
  try {
    const both = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal])
    return await startEngine(runtime, options, both)
  } catch (cause) {
    const isLate = limit.signal.aborted && signal?.aborted !== true
    throw isLate ? new PortControlError("timeout", `no gateway was found within ${durationText(timeout)}`) : cause
  } finally {
    cancel()
  }
}

/** Opens a port with a client that is there; `release` is called once it is closed. */
export const openOn = async (
  engine: Engine,
  request: MappingRequest,
  options: Waiting & RequestOptions,
  release: () => Promise<void>,
): Promise<OpenPort> => {
  let mapping: Mapping | undefined
  try {
    mapping = openMapping(engine, request, options)
    await mapping.assigned({ signal: options.signal, timeout: options.timeout ?? OPEN_TIMEOUT })
  } catch (cause) {
    // An answer may be on its way: what it would grant is deleted, without waiting for anybody.
    await mapping?.revoke({ timeout: 0 })
    await release()
    throw cause
  }
  return handleOf(engine.runtime, mapping, release)
}

const handleOf = (runtime: ClientRuntime, mapping: Mapping, release: () => Promise<void>): OpenPort => {
  let closed: Promise<void> | undefined
  const known = (): Granted => {
    const latest = mapping.latest()
    if (latest === undefined) throw badRequest({ code: "id", text: "The port was never open." })
    return latest
  }
  const close = (options: Waiting & { readonly keep?: boolean } = {}): Promise<void> => {
    closed ??= holding(runtime, async () => {
      if (options.keep === true) mapping.drop()
      else await mapping.revoke({ signal: options.signal, timeout: closeTimeout(options.timeout) })
      await release()
    })
    return closed
  }
  return {
    id: mapping.id,
    get external() {
      return known().external
    },
    get isOpen() {
      return closed === undefined && mapping.results().some(({ granted }) => granted !== undefined)
    },
    get lifetime() {
      return known().lifetime
    },
    get protocol() {
      return known().protocol
    },
    get servers() {
      return mapping.results()
    },
    changes: mapping.changes,
    renew: () => mapping.renew(),
    close,
    [Symbol.asyncDispose]: () => close(),
    [Symbol.dispose]: () => void close(),
  }
}

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ["tcp", Protocol.TCP],
  ["udp", Protocol.UDP],
  ["sctp", Protocol.SCTP],
  ["dccp", Protocol.DCCP],
  ["all", Protocol.ALL],
])

/** IANA's number of a protocol; throws what calls reject with. */
export const protocolNumber = (protocol: PortRequest["protocol"]): number => {
  const number = typeof protocol === "number" ? protocol : NUMBERS.get(protocol)
  if (number !== undefined) return number
  const names = [...NUMBERS.keys()].join(", ")
  throw badRequest({ code: "range", text: `Protocol ${JSON.stringify(protocol)} is none: ${names}, or 0 to 255.` })
}

/** Seconds, where the caller does not say (RFC 6886 section 3.3). */
const LIFETIME = 7200

/** A request of the machine's, but that its protocol may have a name, and its lifetime a default of 7200 s. */
export type NamedRequest = Named<InboundRequest> | Named<OutboundRequest>

type Named<T extends MappingRequest> = Omit<T, "protocol" | "lifetime"> &
  Pick<PortRequest, "protocol"> & {
    /** Seconds, 1 to 2^32-1. */
    readonly lifetime?: number | undefined
  }

/** The machine's request for a named one; throws what calls reject with. */
export const numberedRequest = (wanted: NamedRequest): MappingRequest => ({
  ...wanted,
  protocol: protocolNumber(wanted.protocol),
  lifetime: wanted.lifetime ?? LIFETIME,
})

/** The machine's request for a caller's; throws what calls reject with. */
export const portRequest = (wanted: PortRequest): MappingRequest => {
  const { internalPort, lifetime = LIFETIME, thirdPartyId, description, options, remote, remotePort } = wanted
  const protocol = protocolNumber(wanted.protocol)
  const common = {
    protocol,
    internalPort,
    lifetime,
    externalPort: wanted.externalPort ?? (hasPorts(protocol) ? internalPort : 0),
    external: optionalAddress(wanted.external, "suggestion", "The external address"),
    thirdParty: optionalAddress(wanted.thirdParty, "contradiction", "The third party"),
    thirdPartyId,
    description,
    options,
  }
  if (remote === undefined && remotePort === undefined)
    return {
      kind: "inbound",
      ...common,
      preferFailure: wanted.preferFailure,
      filters: wanted.filters?.map(filterOf),
      portSet: wanted.portSet,
      prefix64: wanted.prefix64,
    }
  const foreign = (["preferFailure", "filters", "portSet", "prefix64"] as const).find(
    (name) => wanted[name] !== undefined,
  )
  if (foreign !== undefined)
    throw badRequest({
      code: "contradiction",
      text: `${foreign} is for inbound mappings, and a remote peer makes it outbound.`,
    })
  const outbound: OutboundRequest = {
    kind: "outbound",
    ...common,
    // What a connection's outside is nobody can tell in advance.
    externalPort: wanted.externalPort ?? 0,
    remote: mustBeAddress(remote ?? "", "remote", "The remote peer"),
    remotePort: remotePort ?? 0,
  }
  return outbound
}

const filterOf = (filter: NonNullable<PortRequest["filters"]>[number]): RemoteFilter => {
  const remote = mustBeAddress(filter.remote, "remote", "A filter's remote peer")
  return {
    remote,
    prefixLength: filter.prefixLength ?? (isIpv4(remote) ? 32 : 128),
    remotePort: filter.remotePort ?? 0,
  }
}

const optionalAddress = (text: string | undefined, code: RequestError["code"], what: string): Address | undefined =>
  text === undefined ? undefined : mustBeAddress(text, code, what)

const mustBeAddress = (text: string, code: RequestError["code"], what: string): Address => {
  const address = parseAddress(text)
  if (address === undefined) throw badRequest({ code, text: `${what} ${JSON.stringify(text)} is no address.` })
  return address
}
