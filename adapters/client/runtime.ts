import type { Clock } from "../host.ts"
import type { OwnAddress } from "../interface.ts"
import type { Udp } from "../udp.ts"
import type { Discovered } from "./servers.ts"

/** What the client needs of a runtime. */
export interface ClientRuntime {
  /** Its sockets. */
  readonly udp: Udp
  /** Its monotonic clock. */
  readonly clock: Clock
  /** Milliseconds since 1970: what is saved says when that was. */
  readonly wallClock: () => number
  /** Octets that nobody outside can guess (RFC 4086). */
  readonly entropy: (length: number) => Uint8Array
  /** The default routers of this host. */
  readonly discover: (signal?: AbortSignal) => Promise<Discovered>
  /** All addresses of this host. */
  readonly ownAddresses: () => readonly OwnAddress[]
  /** Keeps the program running until the returned function is called; left out, open sockets and timers do that. */
  readonly hold?: () => () => void
}

/** Keeps the program running for as long as a call takes. */
export const holding = async <T>({ hold }: ClientRuntime, call: () => Promise<T>): Promise<T> => {
  const release = hold?.()
  try {
    return await call()
  } finally {
    release?.()
  }
}
