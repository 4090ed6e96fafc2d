import type { Address } from "../core/wire/index.ts"
import { ANY6, formatAddress, formatMapped, isIpv4, parseAddress } from "../core/wire/index.ts"
import type { Endpoint } from "./udp.ts"

/** Enough for the peers of one busy server; a flood of new sources only costs the parsing that it would cost anyway. */
const REMEMBERED = 4096

/**
 * Reads and prints the addresses of one socket, remembering the recent ones: every runtime hands out text a datagram, and
 * reading it costs more than looking it up.
 */
export interface AddressText {
  /** The end that the runtime's text and port name; the zone of a link-local address stands behind `%` (RFC 4007 section 11). */
  read(text: string, port: number): Endpoint
  /** The text for the runtime, in the socket's family: IPv4 from an IPv6 socket needs its mapped form. */
  print(endpoint: Endpoint): string
}

export const addressText = (family: 4 | 6): AddressText => {
  const read = new Map<string, Omit<Endpoint, "port">>()
  const printed = new Map<Address, string>()
  return {
    read: (text, port) => {
      let known = read.get(text)
      if (known === undefined) {
        known = readHost(text)
        if (read.size >= REMEMBERED) read.clear()
        read.set(text, known)
      }
      return { address: known.address, port, zone: known.zone }
    },
    print: ({ address, zone }) => {
      let text = printed.get(address)
      if (text === undefined) {
        text = family === 6 ? formatMapped(address) : formatAddress(address)
        if (printed.size >= REMEMBERED) printed.clear()
        printed.set(address, text)
      }
      return zone === undefined ? text : `${text}%${zone}`
    },
  }
}

const readHost = (text: string): Omit<Endpoint, "port"> => {
  const [address, zone] = text.split("%", 2)
  return { address: parseAddress(address) ?? ANY6, zone }
}

/** The family of the socket that an address needs. */
export const familyOf = (address: Address): 4 | 6 => (isIpv4(address) ? 4 : 6)
