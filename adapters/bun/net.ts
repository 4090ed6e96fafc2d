/** What the adapter uses of Bun, by its own names: Bun's declarations are not those of the other runtimes' compilers. */
export interface BunSocket {
  readonly address: { readonly address: string; readonly port: number }
  /** The file descriptor. Bun has it, and its declarations do not. */
  readonly fd: number
  /** `false`: the system's queue is full. Throws what else the system says. Of a connected socket the first argument is all. */
  send(bytes: Uint8Array, port?: number, address?: string): boolean
  /** How many were sent, before the first that was not; throws where that is the first of all. */
  sendMany(parts: readonly (Uint8Array | number | string)[]): number
  addMembership(group: string, interfaceText?: string): boolean
  dropMembership(group: string, interfaceText?: string): boolean
  setMulticastInterface(interfaceText: string): boolean
  close(): void
  /** It does not keep the process running. */
  unref(): void
}

export interface BunOptions {
  readonly hostname: string
  readonly port: number
  readonly connect?: { readonly hostname: string; readonly port: number }
  /** See {@link flagsOf}. */
  readonly flags: number
  readonly socket: {
    data(socket: BunSocket, bytes: Uint8Array, port: number, address: string): void
    /** The system's queue has room again. */
    drain(): void
    /** Declared with the socket before the error; Bun 1.4 gives the error alone. */
    error(...told: readonly unknown[]): void
  }
}

declare const Bun: { udpSocket(options: BunOptions): Promise<BunSocket> }

/** Rejects with what Bun says. */
export const udpSocket = (options: BunOptions): Promise<BunSocket> => Bun.udpSocket(options)

/** Bun's own flags, which its node:dgram binds with too and its declarations do not have. */
const REUSE_PORT = 4
const IPV6_ONLY = 8
const REUSE_ADDRESS = 16
const NO_REUSE_PORT_FAILURE = 32

export const flagsOf = (ipv6Only: boolean, reuseAddress: boolean, reusePort: boolean): number =>
  NO_REUSE_PORT_FAILURE | (ipv6Only ? IPV6_ONLY : 0) | (reuseAddress ? REUSE_ADDRESS : 0) | (reusePort ? REUSE_PORT : 0)

/**
 * Bun has the system tell ICMP errors to every socket (IP_RECVERR), connected or not. Such an error is about a datagram that
 * left before.
 */
export const isIcmp = (cause: unknown): boolean =>
  cause instanceof Error && "errqueue" in cause && cause.errqueue === true
