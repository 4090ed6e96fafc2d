/**
 * The one UDP contract between a runtime and everything above it. A runtime's adapter is one short file that fulfils
 * {@link Udp}; `test/adapters/udp-suite.ts` holds each of them to it. What one of them cannot do is in its {@link UdpLimit}s. Addresses are the core's, so IPv4 is IPv4-mapped;
 * text and zone indexes exist only inside an adapter.
 *
 * @module
 */
import type { Address } from "../core/wire/index.ts"

/** One end of a datagram. */
export interface Endpoint {
  /** IPv4 is IPv4-mapped. */
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
  /** Who sent it. */
  readonly source: Endpoint
  /**
   * Where it arrived: the socket's own address and port. Of a socket bound to an all-zeros address it is the address that the
   * datagram was sent to, with the zone of a link-local one; of a group or a broadcast, the address that the system would answer from, or the
   * all-zeros one where it does not say. Where "destination" is a {@link UdpLimit} it is the all-zeros address always.
   */
  readonly local: Endpoint
}

/** One datagram to send. The caller leaves `bytes` alone after the call. */
export interface Outgoing {
  /** The UDP payload. */
  readonly bytes: Uint8Array
  /** Where it goes. */
  readonly destination: Endpoint
  /** As {@link UdpSocket.send} has it. */
  readonly from?: Address
}

/** What went wrong, by the system's own names; `OTHER` for any that is not listed. */
export const UDP_ERRORS = [
  "EADDRINUSE", // another socket has the address and port
  "EADDRNOTAVAIL", // no such address on this machine
  "EACCES", // not allowed: a port under 1024, or a broadcast address
  "EAFNOSUPPORT", // no such address family on this machine
  "EINVAL", // the system refuses the combination
  "ENODEV", // no such interface
  "ECONNREFUSED", // ICMP port unreachable came back; only connected sockets hear of it, on every runtime
  "EHOSTUNREACH", // ICMP host unreachable, or no route
  "ENETUNREACH", // no route
  "EMSGSIZE", // longer than the path or UDP carries
  "ENOBUFS", // the queue is full, the system's or the adapter's before it: this datagram is lost
  "EPERM", // a packet filter refused it
  "CLOSED", // the socket is closed
  "OTHER",
] as const

/** One of {@link UDP_ERRORS}. */
export type UdpErrorCode = (typeof UDP_ERRORS)[number]

/** What the system refused, or what became of a datagram. */
export interface UdpError {
  /** The system's own name of it, the same on each runtime. */
  readonly code: UdpErrorCode
  /** One line for people, in the system's words. */
  readonly text: string
}

/** What was asked for, or the system's refusal. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: UdpError }

/** Where a socket listens, and what it is to be like. */
export interface BindOptions {
  /** Address and port to receive on. The family of the address is the socket's. */
  readonly local: Endpoint
  /** Connect to this end: only its datagrams arrive, and ICMP errors about it come to `error`. See {@link UdpLimit}. */
  readonly remote?: Endpoint
  /** An IPv6 socket takes no IPv4 (RFC 3493 section 5.3). Default true: bind each family for itself. See {@link UdpLimit}. */
  readonly ipv6Only?: boolean
  /** Share the address and port with other sockets that say so too, as receivers of multicast do. Default false. */
  readonly reuseAddress?: boolean
  /**
   * Share the load of the address and port with other sockets that say so too (SO_REUSEPORT): each datagram goes to one of them, always
   * to the same for the same two ends while no socket comes or goes. Default false; EINVAL where it is a {@link UdpLimit}.
   */
  readonly reusePort?: boolean
  /** Octets asked of the system for datagrams not read yet; what it grants is in {@link UdpSocket.buffers}. See {@link UdpLimit}. */
  readonly receiveBuffer?: number
  /** Octets asked of the system for datagrams not sent yet. See {@link UdpLimit}. */
  readonly sendBuffer?: number
}

/** What a socket tells its owner. Neither function may throw; both are called between other work, never inside `bind` or `send`. */
export interface Receiver {
  /** One datagram. Its octets are valid during the call only. */
  receive(datagram: Datagram, socket: UdpSocket): void
  /** The socket goes on: a lost datagram, or an ICMP error. */
  error(error: UdpError, socket: UdpSocket): void
}

/** An open socket. */
export interface UdpSocket {
  /** The address and port that it got. */
  readonly local: Endpoint
  /** Octets that the system granted; `undefined` where the runtime neither asks nor tells: see {@link UdpLimit}. */
  readonly buffers: { readonly receive: number; readonly send: number } | undefined
  /**
   * Hands one datagram to the system. Never waits and never throws; an error comes to `error`, though of thousands a second
   * perhaps not that of each. Multicast leaves by the interface of the address that the socket is bound to. A datagram of a socket
   * bound to an all-zeros address leaves from `from`, one of the machine's own, as an answer does from where it was asked;
   * without it, or where "destination" is a {@link UdpLimit}, from the one that the system chooses.
   */
  send(bytes: Uint8Array, destination: Endpoint, from?: Address): void
  /** The same for many in one turn, in their order. */
  sendMany(datagrams: readonly Outgoing[]): void
  /** Hears this group too, on the interface of that name, or on the one that the system chooses. Never rejects. */
  joinMulticast(group: Address, interfaceName?: string): Promise<Result<undefined>>
  /** Hears it no more on that interface. Never rejects; EADDRNOTAVAIL where it was not joined. */
  leaveMulticast(group: Address, interfaceName?: string): Promise<Result<undefined>>
  /** Resolves when nothing more will arrive. Twice is once. */
  close(): Promise<void>
}

/** What a runtime's sockets cannot do, and what they do instead. */
export const UDP_LIMITS = [
  /**
   * The destination of a datagram is not told, see {@link Datagram.local}, and none can be sent from an address that the socket is not
   * bound to: bind one socket an address where it matters. So it is of every runtime's own sockets.
   */
  "destination",
  /**
   * `remote` connects nothing: the adapter drops what comes from others, and no ICMP error is heard, so that nobody there is
   * silence. A socket bound to an all-zeros address is bound to the machine's own on the link of `remote` instead; where none
   * is, its {@link UdpSocket.local} stays all-zeros.
   */
  "connect",
  /**
   * With `ipv6Only` a socket bound to `::` holds the port of IPv4 as well: a bind of it there is EADDRINUSE, but for sockets that
   * both say `reuseAddress`. The adapter drops the IPv4 datagrams that come. `startHost` binds both all the same.
   */
  "ipv6-only",
  /** Buffers have the system's own size whatever is asked, and {@link UdpSocket.buffers} is `undefined`. */
  "buffers",
  /**
   * The interface of a link-local source is told by sockets bound to an address with a zone only. An answer without it leaves by
   * the interface that the system's routes choose: bind one socket a link where there are several.
   */
  "zone",
  /** `reusePort` is refused: EINVAL. */
  "reuse-port",
] as const

/** One of {@link UDP_LIMITS}. */
export type UdpLimit = (typeof UDP_LIMITS)[number]

/** A runtime's UDP sockets. */
export interface Udp {
  /** What this runtime cannot do; everything else in this file holds on each. */
  readonly limits: readonly UdpLimit[]
  /** Octets for a datagram to send: that many, all zero, and the caller's own. Only where `new Uint8Array` is slower. */
  octets?(length: number): Uint8Array
  /** Never rejects: what the system refuses is an error value. */
  bind(options: BindOptions, receiver: Receiver): Promise<Result<UdpSocket>>
}

/** The typed error of whatever a runtime throws or emits. */
export const udpError = (cause: unknown): UdpError => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  const text = cause instanceof Error ? cause.message : String(cause)
  return { code: UDP_ERRORS.find((known) => known === code) ?? (isArgument(code) ? "EINVAL" : "OTHER"), text }
}

/** Runtimes refuse some arguments by codes of their own before the system sees them: a destination's port of 0, say. */
const isArgument = (code: unknown): boolean =>
  typeof code === "string" && /^ERR_(?:INVALID_ARG|SOCKET_BAD_PORT|OUT_OF_RANGE)/.test(code)

/** What a bind with `reusePort` comes to where that is a limit. */
export const NO_REUSE_PORT: UdpError = {
  code: "EINVAL",
  text: "sockets cannot share a port's load here (SO_REUSEPORT)",
}

/** What a socket answers once it is closed. */
export const CLOSED: UdpError = { code: "CLOSED", text: "the socket is closed" }
