import { type UdpError, type UdpErrorCode, udpError } from "../udp.ts"

/** What the adapter uses of Deno, by its own names: Deno's declarations are not those of the other runtimes' compilers. */
export interface DatagramAddress {
  readonly transport: "udp"
  readonly hostname: string
  readonly port: number
}

export interface Membership {
  leave(): Promise<void>
}

export interface DatagramConn {
  readonly addr: DatagramAddress
  /** The octets are a view of `bytes`. */
  receive(bytes: Uint8Array): Promise<readonly [Uint8Array, DatagramAddress]>
  send(bytes: Uint8Array, to: DatagramAddress): Promise<number>
  joinMulticastV4(group: string, interfaceAddress: string): Promise<Membership>
  joinMulticastV6(group: string, interfaceIndex: number): Promise<Membership>
  close(): void
  /** It does not keep the process running. */
  unref(): void
}

export interface ListenOptions extends DatagramAddress {
  readonly reuseAddress: boolean
  /** Do other sockets of this machine hear its multicast? */
  readonly loopback: boolean
}

declare const Deno: {
  /** Not there without `--unstable-net`. */
  readonly listenDatagram?: (options: ListenOptions) => DatagramConn
  readTextFileSync(path: string): string
}

/** Throws what Deno throws, and where Deno has no UDP, why. */
export const listenDatagram = (options: ListenOptions): DatagramConn => {
  if (Deno.listenDatagram === undefined)
    throw new Error('Deno has UDP with --unstable-net, or "unstable": ["net"] in its deno.json, only')
  return Deno.listenDatagram(options)
}

/** The index of an interface without a link-local address, which Deno itself does not tell. Linux, with `--allow-all`. */
export const systemIndex = (name: string): number | undefined => {
  try {
    const rows = Deno.readTextFileSync("/proc/net/if_inet6").split("\n")
    // Address, index in hexadecimal, length of the prefix, scope, flags, name.
    const found = rows.map((row) => row.trim().split(/\s+/)).find((columns) => columns[5] === name)
    return found === undefined ? undefined : Number.parseInt(found[1], 16)
  } catch {
    return undefined
  }
}

/** Deno's names of what has no code of the system's. */
const NAMES: ReadonlyMap<string, UdpErrorCode> = new Map([
  ["NotCapable", "EACCES"],
  ["PermissionDenied", "EACCES"],
  ["BadResource", "CLOSED"],
  ["Interrupted", "CLOSED"],
])

/** The typed error of what Deno throws: some of its errors have the system's number in their text only. */
export const denoError = (cause: unknown): UdpError => {
  const error = udpError(cause)
  if (error.code !== "OTHER" || !(cause instanceof Error)) return error
  if (/\(os error 19\)/.test(error.text)) return { ...error, code: "ENODEV" }
  return { ...error, code: NAMES.get(cause.name) ?? error.code }
}
