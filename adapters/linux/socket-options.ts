import { networkInterfaces } from "node:os"
import { type Address, addressWord, isAny, isIpv4 } from "../../core/wire/index.ts"
import { familyOf } from "../address-text.ts"
import { interfaceNameOf } from "../interface.ts"
import type { BindOptions, Endpoint, Result, UdpError } from "../udp.ts"
import { lastError } from "./errno.ts"
import type { Libc } from "./libc.ts"
import { swap32, writeWords } from "./sockaddr.ts"
import type { Zones } from "./zones.ts"

const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_REUSEPORT = 15
const IPPROTO_IP = 0
const IP_PKTINFO = 8
const IP_MULTICAST_IF = 32
const IP_ADD_MEMBERSHIP = 35
const IP_DROP_MEMBERSHIP = 36
const IPPROTO_IPV6 = 41
const IPV6_MULTICAST_IF = 17
const IPV6_ADD_MEMBERSHIP = 20
const IPV6_DROP_MEMBERSHIP = 21
const IPV6_V6ONLY = 26
const IPV6_RECVPKTINFO = 49

const number = (value: number): Uint8Array => {
  const octets = new Uint8Array(4)
  new DataView(octets.buffer).setInt32(0, Math.min(value, 0x7fffffff), true)
  return octets
}

const octetsOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength)

/** What a socket is to be like before it has a name; `undefined`: it is. */
export const setOptions = (libc: Libc, fd: number, options: BindOptions, isTold: boolean): UdpError | undefined => {
  const { local, ipv6Only = true, reuseAddress = false, reusePort = false, receiveBuffer, sendBuffer } = options
  const isIpv6 = familyOf(local.address) === 6
  const wanted: readonly (readonly [level: number, option: number, value: number | undefined])[] = [
    [SOL_SOCKET, SO_REUSEADDR, reuseAddress ? 1 : undefined],
    [SOL_SOCKET, SO_REUSEPORT, reusePort ? 1 : undefined],
    [SOL_SOCKET, SO_RCVBUF, receiveBuffer],
    [SOL_SOCKET, SO_SNDBUF, sendBuffer],
    [IPPROTO_IPV6, IPV6_V6ONLY, isIpv6 ? Number(ipv6Only) : undefined],
    [IPPROTO_IP, IP_PKTINFO, isTold && !isIpv6 ? 1 : undefined],
    [IPPROTO_IPV6, IPV6_RECVPKTINFO, isTold && isIpv6 ? 1 : undefined],
  ]
  for (const [level, option, value] of wanted)
    if (value !== undefined && libc.setsockopt(fd, level, option, number(value)) < 0)
      return lastError(libc, "setsockopt")
  return undefined
}

/** Octets that the system granted. */
export const buffersOf = (libc: Libc, fd: number): { readonly receive: number; readonly send: number } => {
  const value = new Uint8Array(4)
  const of = (option: number): number =>
    libc.getsockopt(fd, SOL_SOCKET, option, value) < 0 ? 0 : new DataView(value.buffer).getInt32(0, true)
  return { receive: of(SO_RCVBUF), send: of(SO_SNDBUF) }
}

/** A socket bound to one address multicasts on that address's interface; the system would take that of its default route. */
export const multicastFrom = (libc: Libc, zones: Zones, fd: number, { address, zone }: Endpoint): void => {
  if (isAny(address)) return
  // Where such an interface can't multicast, the system's choice stands, and a send says what is wrong.
  if (isIpv4(address)) {
    const request = Uint32Array.of(0, swap32(addressWord(address, 3)), 0)
    libc.setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, octetsOf(request))
    return
  }
  const name = zone ?? ownInterface(address)
  const index = name === undefined ? 0 : zones.index(name)
  if (index > 0) libc.setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, number(index))
}

/** The interface that has an address; Deno tells nobody without `--allow-sys`. */
const ownInterface = (address: Address): string | undefined => {
  try {
    const entries = Object.entries(networkInterfaces())
    return interfaceNameOf(
      entries.flatMap(([name, of]) => (of ?? []).map((entry) => ({ ...entry, name }))),
      address,
    )
  } catch {
    return undefined
  }
}

/** Joins a group or leaves it, on the interface of that name or on the one that the system chooses. */
export const setMembership = (
  libc: Libc,
  fd: number,
  family: 4 | 6,
  group: Address,
  interfaceName: string | undefined,
  isMember: boolean,
): Result<undefined> => {
  if (familyOf(group) !== family)
    return { ok: false, error: { code: "EINVAL", text: "the group is of another family than the socket" } }
  const index = interfaceName === undefined ? 0 : libc.interfaceIndex(interfaceName)
  if (index === 0 && interfaceName !== undefined)
    return { ok: false, error: { code: "ENODEV", text: `no interface ${interfaceName}` } }
  // struct ip_mreqn: group, address, interface; struct ipv6_mreq: group, interface.
  const request = new Uint32Array(family === 4 ? 3 : 5)
  if (family === 4) request[0] = swap32(addressWord(group, 3))
  else writeWords(request, 0, group)
  request[request.length - 1] = index
  const [level, join, leave] =
    family === 4
      ? [IPPROTO_IP, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP]
      : [IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP]
  return libc.setsockopt(fd, level, isMember ? join : leave, octetsOf(request)) < 0
    ? { ok: false, error: lastError(libc, "setsockopt") }
    : { ok: true, value: undefined }
}
