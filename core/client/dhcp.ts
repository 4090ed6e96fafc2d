import { type Address, ANY4, ANY6, isLoopback, isMulticast, readAddress, readIpv4 } from "../wire/index.ts"

/** DHCPv4's option with the PCP servers of a host (RFC 7291 section 4.1). */
export const OPTION_V4_PCP_SERVER = 158
/** DHCPv6's (RFC 7291 section 3.1). */
export const OPTION_V6_PCP_SERVER = 86

/**
 * What DHCP said of PCP servers. They belong to the interface that they were learned on (RFC 7291 section 7), which the caller
 * knows.
 */
export interface DhcpServers {
  /**
   * A list for each PCP server, in the order received: its addresses, at least one, IPv4 ones IPv4-mapped. The addresses of one
   * list are ways to one server; the lists are separate servers, each to be contacted (RFC 7488 sections 3 and 4).
   */
  readonly servers: readonly (readonly Address[])[]
  /** Addresses that no server can have, left out in silence as RFC 7291 sections 3.2 and 4.2 want. */
  readonly discarded: readonly Address[]
  /** What is malformed. What it stands in gives no servers. */
  readonly errors: readonly DhcpOptionError[]
}

/** What is malformed in a DHCP option of PCP servers (RFC 7291). */
export interface DhcpOptionError {
  /** Short and stable, for programs. */
  readonly code:
    | "too-short" // no room for one address
    | "list-length" // not a multiple of an address's length, or 0
    | "truncated" // a list goes on past the end
  /** Which of the option's instances, from 0; of DHCPv4's, which are one option together, always 0. */
  readonly instance: number
  /** Octets into the option's data: DHCPv4's together, or those of DHCPv6's instance. */
  readonly offset: number
  /** For people: the RFC and section that it breaks. */
  readonly clause: string
  /** One line for people. */
  readonly text: string
}

/** The smallest DHCPv4 option: one list of one address (RFC 7291 section 4.1). */
const SHORTEST_V4 = 5

/**
 * Reads the data of DHCPv4's OPTION_V4_PCP_SERVER, without code and length octets, in the order of its instances: an option longer
 * than 255 octets comes in pieces, which may end anywhere (RFC 3396). Each list begins with the octet of its length.
 *
 * One list whose length is wrong leaves everything around it in doubt: then the option as a whole gives no servers.
 */
export const decodeV4PcpServers = (instances: readonly Uint8Array[]): DhcpServers => {
  const data = concatenate(instances)
  if (instances.length === 0) return { servers: [], discarded: [], errors: [] }
  const refuse = (code: DhcpOptionError["code"], offset: number, text: string): DhcpServers => {
    return { servers: [], discarded: [], errors: [{ code, instance: 0, offset, clause: "RFC 7291 4.1", text }] }
  }
  if (data.length < SHORTEST_V4)
    return refuse("too-short", 0, `the option has ${data.length} octets, and 5 are the fewest`)
  const lists: Address[][] = []
  for (let at = 0; at < data.length; at += 1 + data[at]) {
    const length = data[at]
    if (length === 0 || length % 4 !== 0)
      return refuse("list-length", at, `a list of ${length} octets has no whole number of IPv4 addresses`)
    const left = data.length - at - 1
    if (length > left) return refuse("truncated", at, `a list of ${length} octets has ${left} left`)
    lists.push(chunks(data, at + 1, length, 4, readIpv4))
  }
  return usable(lists, [])
}

/**
 * Reads the data of each instance of DHCPv6's OPTION_V6_PCP_SERVER, without code and length: each is a server of its own, and an
 * IPv4-mapped address says that it has that IPv4 address (RFC 7291 section 3.2). A malformed instance gives no server; the
 * others stand.
 */
export const decodeV6PcpServers = (instances: readonly Uint8Array[]): DhcpServers => {
  const lists: Address[][] = []
  const errors: DhcpOptionError[] = []
  for (const [instance, data] of instances.entries()) {
    const { length } = data
    const about = { instance, offset: 0, clause: "RFC 7291 3.1" }
    if (length < 16)
      errors.push({ ...about, code: "too-short", text: `the option has ${length} octets, and 16 are the fewest` })
    else if (length % 16 !== 0)
      errors.push({
        ...about,
        code: "list-length",
        text: `an option of ${length} octets has no whole number of IPv6 addresses`,
      })
    else lists.push(chunks(data, 0, length, 16, readAddress))
  }
  return usable(lists, errors)
}

const concatenate = (pieces: readonly Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}

const chunks = (
  data: Uint8Array,
  start: number,
  length: number,
  size: number,
  read: (data: Uint8Array, at: number) => Address,
): Address[] => Array.from({ length: length / size }, (_, index) => read(data, start + index * size))

/** A list that has nothing left is no server. */
const usable = (lists: readonly Address[][], errors: readonly DhcpOptionError[]): DhcpServers => ({
  servers: lists.map((list) => list.filter(isServer)).filter((list) => list.length > 0),
  discarded: lists.flat().filter((address) => !isServer(address)),
  errors,
})

/**
 * RFC 7291 sections 3.2 and 4.2 discard multicast and host loopback. All-zeros is discarded too: sockets take it for this host,
 * which would be loopback under another name.
 */
const isServer = (address: Address): boolean =>
  !isMulticast(address) && !isLoopback(address) && address !== ANY4 && address !== ANY6
