import type { Address } from "../core/wire/index.ts"

/**
 * The one UDP contract between a runtime and everything above it. A runtime's adapter is one short file that fulfils
 * {@link Udp}; `test/adapters/udp-suite.ts` holds each of them to it. Addresses are the core's, so IPv4 is IPv4-mapped;
 * text and zone indexes exist only inside an adapter.
 */

/** One end of a datagram. */
export interface Endpoint {
  readonly address: Address
  /** 0 to 65535; 0 in a bind lets the system choose. */
  readonly port: number
  /** The interface of a link-local address (RFC 4007 section 11): a name, or an index as decimal text. */
  readonly zone?: string | undefined
}

/** One datagram as it arrived. */
export interface Datagram {
  /** The UDP payload. Valid during the call only: a runtime may use its memory again. */
  readonly bytes: Uint8Array
  readonly source: Endpoint
  /**
   * Where it arrived: the socket's own address and port. A socket bound to an all-zeros address shows that address, since no
   * runtime here tells the destination of a datagram; bind one socket an address where it matters.
   */
  readonly local: Endpoint
}

/** One datagram to send. The caller leaves `bytes` alone after the call. */
export interface Outgoing {
  readonly bytes: Uint8Array
  readonly destination: Endpoint
}

/** What went wrong, by the system's own names; `OTHER` for any that is not listed. */
export const UDP_ERRORS = [
  "EADDRINUSE", // another socket has the address and port
  "EADDRNOTAVAIL", // no such address on this machine
  "EACCES", // not allowed: a port under 1024, or a broadcast address
  "EAFNOSUPPORT", // no such address family on this machine
  "EINVAL", // the system refuses the combination
  "ENODEV", // no such interface
  "ECONNREFUSED", // ICMP port unreachable came back; only connected sockets hear of it
  "EHOSTUNREACH", // ICMP host unreachable, or no route
  "ENETUNREACH", // no route
  "EMSGSIZE", // longer than the path or UDP carries
  "ENOBUFS", // the system's queue is full: this datagram is lost
  "EPERM", // a packet filter refused it
  "CLOSED", // the socket is closed
  "OTHER",
] as const

export type UdpErrorCode = (typeof UDP_ERRORS)[number]

export interface UdpError {
  readonly code: UdpErrorCode
  /** One line for people, in the system's words. */
  readonly text: string
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: UdpError }

export interface BindOptions {
  /** Address and port to receive on. The family of the address is the socket's. */
  readonly local: Endpoint
  /** Connect to this end: only its datagrams arrive, and ICMP errors about it come to `error`. */
  readonly remote?: Endpoint
  /** An IPv6 socket takes no IPv4 (RFC 3493 section 5.3). Default true: bind each family for itself. */
  readonly ipv6Only?: boolean
  /** Share the address and port with other sockets that say so too, as receivers of multicast do. Default false. */
  readonly reuseAddress?: boolean
  /** Octets asked of the system for datagrams not read yet; what it grants is in {@link UdpSocket.buffers}. */
  readonly receiveBuffer?: number
  /** Octets asked of the system for datagrams not sent yet. */
  readonly sendBuffer?: number
}

/** What a socket tells its owner. Neither function may throw; both are called between other work, never inside `bind` or `send`. */
export interface Receiver {
  receive(datagram: Datagram, socket: UdpSocket): void
  /** The socket goes on: a lost datagram, or an ICMP error. */
  error(error: UdpError, socket: UdpSocket): void
}

export interface UdpSocket {
  /** The address and port that it got. */
  readonly local: Endpoint
  /** Octets that the system granted. */
  readonly buffers: { readonly receive: number; readonly send: number }
  /**
   * Hands one datagram to the system. Never waits and never throws; an error comes to `error`, though of thousands a second
   * perhaps not that of each. Multicast leaves by the interface of the address that the socket is bound to.
   */
  send(bytes: Uint8Array, destination: Endpoint): void
  /** The same for many in one turn, in their order. */
  sendMany(datagrams: readonly Outgoing[]): void
  /** Hears this group too, on the interface of that name, or on the one that the system chooses. */
  joinMulticast(group: Address, interfaceName?: string): Result<undefined>
  /** Resolves when nothing more will arrive. Twice is once. */
  close(): Promise<void>
}

export interface Udp {
  /** Never rejects: what the system refuses is an error value. */
  bind(options: BindOptions, receiver: Receiver): Promise<Result<UdpSocket>>
}

/** The typed error of whatever a runtime throws or emits. */
export const udpError = (cause: unknown): UdpError => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  const text = cause instanceof Error ? cause.message : String(cause)
  return { code: UDP_ERRORS.find((known) => known === code) ?? "OTHER", text }
}
