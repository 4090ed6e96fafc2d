import type { Failure, InboundRequest } from "../../core/client/index.ts"
import { Protocol } from "../../core/wire/index.ts"
import { type Engine, noServer } from "./engine.ts"
import { ask } from "./errand.ts"
import { failureOf, PortControlError } from "./error.ts"
import { type ExternalAddress, externalAddressOf } from "./external-end.ts"
import { openMapping } from "./mapping.ts"
import { type Waiting, wait } from "./waiting.ts"

/** What one server says of its external address. */
export interface ServerAddress {
  /** The server's name. */
  readonly server: string
  /** The protocol that it answered in; `undefined`: it has not answered. */
  readonly protocol: "pcp" | "nat-pmp" | undefined
  /** What it says; `undefined`: nothing. */
  readonly external: ExternalAddress | undefined
  /** `undefined` beside no address: it had not answered when the others had. */
  readonly failure: Failure | undefined
}

/** The external address, and what each server says. */
export interface ExternalAddresses extends ExternalAddress {
  /** The server that says so. */
  readonly server: string
  /** The protocol that it says so in. */
  readonly protocol: "pcp" | "nat-pmp"
  /** What each server says, in their order. */
  readonly servers: readonly ServerAddress[]
}

/** Milliseconds until nobody is waited for any more, and for the others once one has answered. */
const TIMEOUT = 10_000
const GRACE = 1000
/** PCP tells an external address with a mapping alone: one of the discard service, of so many seconds (RFC 6887 section 11.6). */
const DISCARD: InboundRequest = { kind: "inbound", protocol: Protocol.UDP, internalPort: 9, lifetime: 60 }

/**
 * The external address as the servers say it: NAT-PMP is asked for it (RFC 6886 section 3.2); PCP gets a short mapping of the discard
 * port, which is deleted at once. Rejects if no server has one.
 */
export const askExternalAddress = async (engine: Engine, waiting: Waiting = {}): Promise<ExternalAddresses> => {
  const names = engine.servers().map(({ name }) => name)
  if (names.length === 0) throw noServer(engine)
  const told = new Map<string, ServerAddress>()
  const patience = new AbortController()
  const { signal = patience.signal, timeout = TIMEOUT } = waiting
  const each = { signal: AbortSignal.any([signal, patience.signal]), timeout: Number.POSITIVE_INFINITY }
  const list = (): readonly ServerAddress[] =>
    names.map((server) => told.get(server) ?? { server, protocol: undefined, external: undefined, failure: undefined })
  try {
    await wait<void>(
      engine.runtime.clock,
      { signal: waiting.signal, timeout },
      ({ resolve }) => {
        let cancel: (() => void) | undefined
        for (const name of names)
          void serverAddress(engine, name, each).then((one) => {
            if (patience.signal.aborted) return
            told.set(name, one)
            if (told.size === names.length) resolve()
            else if (one.external !== undefined) cancel ??= engine.runtime.clock.after(GRACE, resolve)
          })
        return () => cancel?.()
      },
      (why, { resolve, reject }) => {
        if (why.code === "timeout") resolve()
        else reject(new PortControlError(why.code, why.text, { cause: why.cause }))
      },
    )
  } finally {
    patience.abort()
  }
  const servers = list()
  const known = servers.flatMap(({ external, server, protocol }) =>
    external === undefined || protocol === undefined ? [] : [{ ...external, server, protocol }],
  )
  const best = known.find((one) => one.class === "public") ?? known[0]
  if (best !== undefined) return { ...best, servers }
  const failures = servers.map(({ server, failure }) => failureOf(server, failure))
  const code = servers.some(({ failure }) => failure === undefined) ? "timeout" : "failed"
  throw new PortControlError(code, "no server tells an external address", { failures })
}

/** What one server says; never rejects. */
export const serverAddress = async (engine: Engine, server: string, waiting: Waiting): Promise<ServerAddress> => {
  const nothing = { server, protocol: undefined, external: undefined, failure: undefined }
  try {
    const hello = await ask(engine, server, { type: "announce" }, waiting)
    if (hello.type !== "announced") return { ...nothing, failure: hello.type === "failed" ? hello.failure : undefined }
    return await addressBy(engine, server, hello.protocol, waiting)
  } catch {
    return nothing
  }
}

/** The address by the protocol that a server speaks. Rejects when the caller's patience ends. */
export const addressBy = async (
  engine: Engine,
  server: string,
  protocol: "pcp" | "nat-pmp",
  waiting: Waiting,
): Promise<ServerAddress> => {
  const nothing = { server, protocol, external: undefined, failure: undefined }
  if (protocol === "nat-pmp") {
    const answer = await ask(engine, server, { type: "external-address" }, waiting)
    if (answer.type === "external-address") return { ...nothing, external: externalAddressOf(answer.external) }
    return { ...nothing, failure: answer.type === "failed" ? answer.failure : undefined }
  }
  const id = engine.freshId(`external address ${server}`)
  const mapping = openMapping(engine, DISCARD, { id, servers: [server], mode: { kind: "once" } })
  try {
    const { granted } = await mapping.assigned(waiting)
    return { ...nothing, external: externalAddressOf(granted.external.address) }
  } catch (cause) {
    const failure = mapping.results()[0]?.failure
    if (failure === undefined) throw cause
    return { ...nothing, failure }
  } finally {
    await mapping.revoke({ timeout: 0 })
  }
}
