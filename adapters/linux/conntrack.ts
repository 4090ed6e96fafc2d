import type { Told, Tracked, Tuple } from "./ctnetlink.ts"
import type { EventFilter } from "./event-filter.ts"
import type { Connections } from "./plane.ts"

/** The kernel's table of connections. Nothing of it throws; what cannot be had is not there. */
export interface Conntrack {
  /** What carries the questions, for people. */
  readonly way: string
  /** Questions that may be asked in a row, while nobody else is served. */
  readonly questions: number
  /** The connection that packets of this direction belong to, asked now: by netlink whichever of its two that is, by the program the one that began. */
  get(tuple: Tuple): Tracked | undefined
  /** Gives the connection that began so other seconds until it ends without a packet; `false`: it is not there. */
  prolong(original: Tuple, seconds: number): boolean
  /** Ends connections, while the server goes on. */
  end(connections: readonly Connections[]): void
  /** Resolves when all are ended that were asked for. */
  idle(): Promise<void>
  /** Tells of all connections of a family, some at a time while the server goes on; `false`: not of all. */
  list(family: 4 | 6, visit: (connection: Tracked) => void): Promise<boolean>
  /** Tells of connections as they come and go. */
  follow(follower: Follower): Following
  close(): void
}

/** Who is told of connections. */
export interface Follower {
  /** One began or ended. */
  told(what: Exclude<Told, "there">, connection: Tracked): void
  /** Some came or went of which nothing was told: only {@link Conntrack.list} says which are there. */
  lost(): void
}

/** The telling of one follower. */
export interface Following {
  /** Tells of what has happened up to now, as far as the way knows at once: of so many events at most. `true`: there may be more. */
  drain(most: number): boolean
  /** From now on only these need to be told of. */
  narrow(filter: EventFilter): void
  close(): void
}
