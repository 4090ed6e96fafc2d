import { fullBudget } from "./budget.ts"
import type { Randomness } from "./random.ts"
import type { MappingRequest } from "./request.ts"
import { type ClientServer, newServer, type ProtocolChoice, type ServerState } from "./server.ts"
import { type ClientSettings, type ClientSettingsError, checkSettings, DEFAULT_CLIENT_SETTINGS } from "./settings.ts"
import type { Task } from "./task.ts"

/** A client: what it wants, of whom, and what it knows. Plain data that is never written to again. */
export interface ClientState {
  /** What it was made with, defaults and all. */
  readonly settings: ClientSettings
  /** What all nonces and all waiting come from. */
  readonly random: Randomness
  /** By name, in the caller's order. */
  readonly servers: ReadonlyMap<string, ServerState>
  /** What is being done: one mapping at one server each. */
  readonly tasks: ReadonlyMap<string, Task>
  /** What is to be kept at every server, also at those of a network to come, by id. */
  readonly wanted: ReadonlyMap<string, MappingRequest>
  /** `stop` was said: the end comes with the last task. */
  readonly stopping: boolean
  /** The instant of the last input, milliseconds. */
  readonly now: number
  /** When something is due next, milliseconds; `undefined`: nothing is. */
  readonly wake: number | undefined
}

/** What a client is made from. */
export interface ClientOptions {
  /** 32 octets or more that nobody outside can guess (RFC 4086): all nonces and all waiting come from them. */
  readonly seed: Uint8Array
  /** Milliseconds, on the clock of all later inputs. */
  readonly now: number
  /** Whom to ask, at once; more can come later by the command `network-changed`. */
  readonly servers: readonly ClientServer[]
  /** What is left out is {@link DEFAULT_CLIENT_SETTINGS}. */
  readonly settings?: Partial<ClientSettings> | undefined
}

/** Why no client can be made from these options. */
export interface ClientOptionsError {
  /** The option that is wrong. */
  readonly setting: keyof ClientOptions | keyof ClientSettings
  /** One sentence for people. */
  readonly text: string
}

/** A new state, or the first fault of the options. */
export type CreatedClient =
  | { readonly ok: true; readonly state: ClientState }
  | { readonly ok: false; readonly error: ClientOptionsError }

/** A client that wants nothing yet. */
export const createClient = ({ seed, now, servers, settings: given = {} }: ClientOptions): CreatedClient => {
  const settings: ClientSettings = { ...DEFAULT_CLIENT_SETTINGS, ...defined(given) }
  const error: ClientOptionsError | ClientSettingsError | undefined =
    seed.length < 32
      ? { setting: "seed", text: "the seed has 32 octets or more" }
      : !Number.isFinite(now)
        ? { setting: "now", text: "now is an instant" }
        : (checkSettings(settings) ?? checkServers(servers))
  if (error !== undefined) return { ok: false, error }
  const random = { seed: Uint8Array.from(seed), drawn: 0 }
  const known = new Map(
    servers.map((server) => [server.name, newServer(server, fullBudget(settings.serverBudget, now))]),
  )
  return {
    ok: true,
    state: {
      settings,
      random,
      servers: known,
      tasks: new Map(),
      wanted: new Map(),
      stopping: false,
      now,
      wake: undefined,
    },
  }
}

/** A setting that is `undefined` is one that is not given. */
const defined = (given: Partial<ClientSettings>): Partial<ClientSettings> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))

const PROTOCOL_CHOICES: readonly string[] = ["auto", "pcp", "nat-pmp"] satisfies readonly ProtocolChoice[]

/** The first fault of a list of servers; `undefined`: there is none. */
export const checkServers = (servers: readonly ClientServer[]): ClientOptionsError | undefined => {
  const wrong = (text: string): ClientOptionsError => ({ setting: "servers", text })
  const names = new Set<string>()
  for (const { name, ends, protocol = "auto" } of servers) {
    if (names.has(name)) return wrong(`two servers are called ${name}`)
    names.add(name)
    // It keeps names and ids apart: see `taskKey`.
    if (name.includes("\0")) return wrong("the name of a server has no NUL")
    if (ends.length === 0) return wrong(`server ${name} has no address`)
    // What is none would count as NAT-PMP in one place and as PCP in another.
    if (!PROTOCOL_CHOICES.includes(protocol)) return wrong(`server ${name} has protocol ${protocol}`)
    for (const { port = 5351 } of ends)
      if (!Number.isInteger(port) || port < 1 || port > 65535) return wrong(`server ${name} has port ${port}`)
  }
  return undefined
}
