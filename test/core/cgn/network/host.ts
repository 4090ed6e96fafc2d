/** A host of the network in memory: UDP over IPv4 and IPv6, and a PCP client that retransmits as RFC 6887 has it. */
import assert from "node:assert/strict"
import { addr, inet, ip4, ip6, udp, w32 } from "../packet/build.ts"
import { cutFor, Joiner } from "./fragments.ts"
import type { Network, Receive } from "./network.ts"

/** One datagram that was received. */
export interface Datagram {
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
  readonly data: Uint8Array
}

/** An address as the tests write it: IPv6 without `::`. */
const text = (octets: Uint8Array): string =>
  octets.length === 4
    ? octets.join(".")
    : Array.from({ length: 8 }, (_, i) => ((octets[2 * i] << 8) | octets[2 * i + 1]).toString(16)).join(":")

/** The same address in the form in which datagrams have it. */
export const plain = (address: string): string => text(Uint8Array.from(addr(address)))

/** The datagram of a packet whose checksums must be right; `undefined`: it has none, or is a fragment. */
export const datagramOf = (bytes: Uint8Array): Datagram | undefined => {
  const four = bytes[0] >> 4 === 4
  const header = four ? (bytes[0] & 15) * 4 : 40
  if (four) assert.equal(inet(bytes.subarray(0, header)), 0, "header checksum")
  if (bytes[four ? 9 : 6] !== 17 || (four && (bytes[6] & 0x3f) + bytes[7] > 0)) return undefined
  const source = bytes.subarray(four ? 12 : 8, four ? 16 : 24)
  const destination = bytes.subarray(four ? 16 : 24, four ? 20 : 40)
  const payload = bytes.subarray(header)
  assert.equal(inet([...source, ...destination, ...w32(payload.length), ...w32(17)], payload), 0, "UDP checksum")
  const port = (at: number): number => (payload[at] << 8) | payload[at + 1]
  return {
    source: text(source),
    sourcePort: port(0),
    destination: text(destination),
    destinationPort: port(2),
    data: payload.subarray(8),
  }
}

/** The path's MTU that an ICMP error tells, whose checksum must be right (RFC 1191, RFC 8201); `undefined`: it is none such. */
const toldMtu = (bytes: Uint8Array): number | undefined => {
  const four = bytes[0] >> 4 === 4
  const icmp = bytes.subarray(four ? 20 : 40)
  if (bytes[four ? 9 : 6] !== (four ? 1 : 58) || icmp[0] !== (four ? 3 : 2) || icmp[1] !== (four ? 4 : 0))
    return undefined
  const pseudo = four ? [] : [...bytes.subarray(8, 40), ...w32(icmp.length), ...w32(58)]
  assert.equal(inet(pseudo, icmp), 0, "ICMP checksum")
  return (icmp[6] << 8) | icmp[7]
}

/** A packet with a datagram; `id`: the next of its host's, as the packet may be cut on its way. */
export const packetOf = (datagram: Datagram, id = 0): Uint8Array => {
  const { source, sourcePort, destination, destinationPort, data } = datagram
  const ends = { source, sourcePort, destination, destinationPort }
  const payload = udp(ends, data)
  return source.includes(":")
    ? ip6({ ...ends, protocol: 17 }, payload)
    : ip4({ ...ends, protocol: 17, id: id & 0xffff }, payload)
}

/** Initial and longest retransmission time, milliseconds (RFC 6887 section 8.1.1). */
const IRT = 3000
const MRT = 1_024_000

export class Host {
  readonly address: string
  /** What it sends goes here. */
  out: Receive = () => {}
  /** Of its link, or less where a router on the way has told it so, octets. */
  mtu = 1500
  private sent = 0
  private readonly joiner = new Joiner()
  private readonly network: Network
  private readonly bound = new Map<number, (datagram: Datagram) => void>()

  constructor(network: Network, address: string) {
    this.network = network
    this.address = address
  }

  readonly receive: Receive = (bytes) => {
    const whole = this.joiner.join(bytes)
    if (whole === undefined) return
    this.mtu = Math.min(this.mtu, toldMtu(whole) ?? this.mtu)
    const datagram = datagramOf(whole)
    if (datagram === undefined || datagram.destination !== plain(this.address)) return
    this.bound.get(datagram.destinationPort)?.(datagram)
  }

  bind(port: number, heard: (datagram: Datagram) => void): void {
    this.bound.set(port, heard)
  }

  send(port: number, destination: string, destinationPort: number, data: Uint8Array): void {
    const datagram = { source: this.address, sourcePort: port, destination, destinationPort, data }
    const packet = packetOf(datagram, ++this.sent)
    for (const bytes of cutFor(packet, this.mtu, this.sent)) this.out(bytes)
  }

  /** Sends until `heard` says that it has its answer, every so many milliseconds. */
  repeat(milliseconds: number, done: () => boolean, send: () => void): void {
    if (done()) return
    send()
    this.network.after(milliseconds, () => this.repeat(milliseconds, done, send))
  }

  /** Sends a PCP request until its response comes (RFC 6887 section 8.1.1), which has the request's nonce. */
  ask(server: string, port: number, request: readonly number[], answered: (reply: Uint8Array) => void): void {
    let reply: Uint8Array | undefined
    this.bind(port, ({ source, sourcePort, data }) => {
      if (reply !== undefined || source !== plain(server) || sourcePort !== 5351) return
      if (data.subarray(24, 36).join() !== request.slice(24, 36).join()) return
      reply = data
      answered(data)
    })
    const again = (before: number): void => {
      if (reply !== undefined) return
      this.send(port, server, 5351, Uint8Array.from(request))
      const some = (this.network.random.below(2001) - 1000) / 10_000
      const wait = before === 0 ? (1 + some) * IRT : Math.min((2 + some) * before, (1 + some) * MRT)
      this.network.after(wait, () => again(wait))
    }
    again(0)
  }
}

/** The 16 octets of an address in a PCP packet, as text. */
export const pcpAddress = (octets: readonly number[]): string =>
  octets.slice(0, 12).join() === [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255].join()
    ? octets.slice(12).join(".")
    : text(Uint8Array.from(octets))
