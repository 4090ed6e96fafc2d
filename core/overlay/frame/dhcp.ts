import {
  type Address,
  type Encoded,
  ipv4Value,
  isIpv4,
  putU16,
  putU32,
  readIpv4,
  sliceOctets,
  u16,
  u32,
} from "../../wire/index.ts"
import { endsEarly, type OverlayParsed, readAs, tooWide, unread, unwritable } from "../parsed.ts"

/** Octets of a DHCP message before its options. */
export const DHCP_HEADER = 236
/** The first four octets of the options (RFC 2131 section 3). */
export const DHCP_COOKIE = 0x63825363
/** UDP ports of DHCPv4 (RFC 2131 section 4.1). */
export const DhcpPort = { SERVER: 67, CLIENT: 68 } as const

/** One option: code 1 | length 1 | data; pad (0) is its code alone. */
export interface DhcpOption {
  /** 0 to 254; 53 is the type of the message (RFC 2132 section 9.6). */
  readonly code: number
  /** Up to 255 octets; a pad has none. */
  readonly data: Uint8Array
}

/**
 * A DHCPv4 message (RFC 2131 section 2): op 1 | htype 1 | hlen 1 | hops 1 | xid 4 | secs 2 | flags 2 | ciaddr 4 | yiaddr 4 | siaddr 4 |
 * giaddr 4 | chaddr 16 | sname 64 | file 128 | cookie 4 | options | end (255).
 */
export interface DhcpMessage {
  /** 1: from a client, 2: from a server. */
  readonly operation: number
  /** `htype`, 1 for Ethernet. */
  readonly hardware: number
  /** `hlen`, 6 for Ethernet. */
  readonly hardwareLength: number
  /** Relays passed. */
  readonly hops: number
  /** Tells the client's exchanges apart, 32 bits. */
  readonly xid: number
  /** Seconds since the client began. */
  readonly seconds: number
  /** The highest of 16 bits asks for a broadcast answer. */
  readonly flags: number
  /** `ciaddr`, IPv4-mapped. */
  readonly client: Address
  /** `yiaddr`, IPv4-mapped. */
  readonly yours: Address
  /** `siaddr`, IPv4-mapped. */
  readonly server: Address
  /** `giaddr`, IPv4-mapped. */
  readonly relay: Address
  /** `chaddr`, 16 octets. */
  readonly clientHardware: Uint8Array
  /** `sname`, 64 octets. */
  readonly serverName: Uint8Array
  /** `file`, 128 octets. */
  readonly file: Uint8Array
  /** In the order of the message, pads too; `undefined`: no cookie, a message of BOOTP. */
  readonly options: readonly DhcpOption[] | undefined
  /** Does the option "end" close them? */
  readonly ended: boolean
  /** What follows: padding; of BOOTP all that follows `file`. */
  readonly trailing: Uint8Array
}

const CLAUSE = "RFC 2131 2"
const PAD = 0
const END = 255

/** Reads the payload of a UDP datagram. */
export const parseDhcp = (bytes: Uint8Array): OverlayParsed<DhcpMessage> => {
  if (bytes.length < DHCP_HEADER) return endsEarly(bytes, "a DHCP message", DHCP_HEADER, CLAUSE)
  const options: DhcpOption[] = []
  let [at, ended] = [DHCP_HEADER, false]
  const isDhcp = bytes.length >= DHCP_HEADER + 4 && u32(bytes, DHCP_HEADER) === DHCP_COOKIE
  if (isDhcp) at += 4
  while (isDhcp && !ended && at < bytes.length) {
    const code = bytes[at]
    at++
    if (code === END) ended = true
    else if (code === PAD) options.push({ code, data: new Uint8Array(0) })
    else if (at >= bytes.length || at + 1 + bytes[at] > bytes.length)
      return unread("length", at, "RFC 2132 2", `the message ends inside of option ${code}`)
    else {
      options.push({ code, data: sliceOctets(bytes, at + 1, at + 1 + bytes[at]) })
      at += 1 + bytes[at]
    }
  }
  return readAs({
    operation: bytes[0],
    hardware: bytes[1],
    hardwareLength: bytes[2],
    hops: bytes[3],
    xid: u32(bytes, 4),
    seconds: u16(bytes, 8),
    flags: u16(bytes, 10),
    client: readIpv4(bytes, 12),
    yours: readIpv4(bytes, 16),
    server: readIpv4(bytes, 20),
    relay: readIpv4(bytes, 24),
    clientHardware: sliceOctets(bytes, 28, 44),
    serverName: sliceOctets(bytes, 44, 108),
    file: sliceOctets(bytes, 108, DHCP_HEADER),
    options: isDhcp ? options : undefined,
    ended,
    trailing: sliceOctets(bytes, at),
  })
}

/** The octets of a DHCP message. */
export const encodeDhcp = (message: DhcpMessage): Encoded => {
  const { options, ended, trailing, clientHardware, serverName, file } = message
  const fault = dhcpFault(message)
  if (fault !== undefined) return fault
  const inOptions = (options ?? []).reduce((sum, { code, data }) => sum + (code === PAD ? 1 : 2 + data.length), 0)
  const size = DHCP_HEADER + (options === undefined ? 0 : 4 + inOptions) + (ended ? 1 : 0)
  const bytes = new Uint8Array(size + trailing.length)
  bytes[0] = message.operation
  bytes[1] = message.hardware
  bytes[2] = message.hardwareLength
  bytes[3] = message.hops
  putU32(bytes, 4, message.xid)
  putU16(bytes, 8, message.seconds)
  putU16(bytes, 10, message.flags)
  putU32(bytes, 12, ipv4Value(message.client))
  putU32(bytes, 16, ipv4Value(message.yours))
  putU32(bytes, 20, ipv4Value(message.server))
  putU32(bytes, 24, ipv4Value(message.relay))
  bytes.set(clientHardware, 28)
  bytes.set(serverName, 44)
  bytes.set(file, 108)
  let at = DHCP_HEADER
  if (options !== undefined) {
    putU32(bytes, at, DHCP_COOKIE)
    at += 4
    for (const { code, data } of options) {
      bytes[at++] = code
      if (code === PAD) continue
      bytes[at++] = data.length
      bytes.set(data, at)
      at += data.length
    }
    if (ended) bytes[at++] = END
  }
  bytes.set(trailing, at)
  return { ok: true, bytes }
}

const dhcpFault = (message: DhcpMessage): Encoded | undefined => {
  const { options, ended, trailing, clientHardware, serverName, file } = message
  const wide = tooWide([
    ["operation", message.operation, 8],
    ["hardware", message.hardware, 8],
    ["hardwareLength", message.hardwareLength, 8],
    ["hops", message.hops, 8],
    ["xid", message.xid, 32],
    ["seconds", message.seconds, 16],
    ["flags", message.flags, 16],
    ...(options ?? []).flatMap(({ code, data }) => [["code", code, 8] as const, ["length", data.length, 8] as const]),
  ])
  if (wide !== undefined) return wide
  if (clientHardware.length !== 16 || serverName.length !== 64 || file.length !== 128)
    return unwritable("chaddr has 16 octets, sname 64 and file 128")
  if (![message.client, message.yours, message.server, message.relay].every(isIpv4))
    return unwritable("DHCPv4 has IPv4 addresses")
  if (options?.some(({ code, data }) => code === END || (code === PAD && data.length > 0)))
    return unwritable("a pad has no data, and the end is no option")
  if (options === undefined ? ended : !ended && trailing.length > 0)
    return unwritable("what follows options follows their end")
  if (options === undefined && trailing.length >= 4 && u32(trailing, 0) === DHCP_COOKIE)
    return unwritable("what starts with the cookie is options")
  return undefined
}
