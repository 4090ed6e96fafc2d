import { classOfAddress } from "../../core/client/index.ts"
import { type Address, ANY6, familyOf, isIpv4, parseAddress } from "../../core/wire/index.ts"
import { type Destination, ownAddress } from "../gateway/index.ts"
import type { Endpoint, Result, Udp, UdpError } from "../udp.ts"

/** An address that this host has on one of its interfaces. */
export interface OwnAddress {
  /** The address; IPv4 is IPv4-mapped. */
  readonly address: Address
  /** Such as `eth0`: the zone of a link-local address. */
  readonly interfaceName: string
}

/** Where a client's packets to a server come from, as that server will see it. */
export type ClientAddress =
  | { readonly ok: true; readonly address: Address; readonly interfaceName: string | undefined }
  | { readonly ok: false; readonly code: "no-route" | "no-global-address"; readonly error: UdpError | undefined }

export interface ClientAddressOptions {
  readonly udp: Udp
  /** All addresses of this host. */
  readonly own: readonly OwnAddress[]
  /** The server. */
  readonly server: Endpoint
  /** The interface to use, if the caller or the routing table says one. */
  readonly interfaceName: string | undefined
}

/**
 * The source address of requests to a server (C-01): the one that the system chooses for a connected socket (RFC 6887 section 16.4,
 * C-07), but for IPv6 rather one that the Internet can reach (section 8.4, C-06). To a link-local router the system would send
 * from a link-local address, and a pinhole for that is of no use: then it is an address of the same interface, and the one of
 * those that the system would take for the Internet. Linux sends from it to the router's link-local address.
 */
export const clientAddress = async (options: ClientAddressOptions): Promise<ClientAddress> => {
  const { udp, own, server, interfaceName } = options
  const asked = await systemChoice(udp, server)
  const chosen = asked.ok ? asked.value : undefined
  const error = asked.ok ? undefined : asked.error
  const at = interfaceName ?? server.zone ?? own.find(({ address }) => address === chosen)?.interfaceName
  const there = own.filter(
    ({ address, interfaceName: name }) => name === at && familyOf(address) === familyOf(server.address),
  )
  const found = (address: Address): ClientAddress => ({
    ok: true,
    address,
    interfaceName: at ?? own.find((one) => one.address === address)?.interfaceName,
  })
  // A server on this host is asked from this host's loopback.
  if (chosen !== undefined && reachOf(chosen) === "host") return found(chosen)
  const candidates = there.map(({ address }) => address)
  const isThere = chosen !== undefined && (candidates.length === 0 || candidates.includes(chosen))
  if (isIpv4(server.address)) {
    const address = isThere ? chosen : best(candidates)
    return address === undefined ? { ok: false, code: "no-route", error } : found(address)
  }
  if (isThere && reachOf(chosen) === "global") return found(chosen)
  const global = candidates.filter((address) => reachOf(address) === "global")
  if (global.length > 0) {
    const outward = await systemChoice(udp, { address: FAR })
    return found(outward.ok && global.includes(outward.value) ? outward.value : global[0])
  }
  const local = isThere && reachOf(chosen) === "site" ? chosen : best(candidates)
  if (local !== undefined) return found(local)
  return { ok: false, code: chosen === undefined ? "no-route" : "no-global-address", error }
}

/** Somewhere on the Internet, to ask what the system's way there is; nothing is sent. PCP's anycast address is as good as any (RFC 7723). */
const FAR = parseAddress("2001:1::1") ?? ANY6

/** How far an own address carries: to the host itself, its link, a site, or anywhere. */
const reachOf = (address: Address): "host" | "link" | "site" | "global" => {
  switch (classOfAddress(address)) {
    case "loopback":
      return "host"
    case "link-local":
      return "link"
    case "unique-local":
    case "site-local":
      return "site"
    default:
      return "global"
  }
}

/** The first that carries farthest; none that stays on its link. */
const best = (addresses: readonly Address[]): Address | undefined =>
  addresses.find((address) => reachOf(address) === "global") ?? addresses.find((address) => reachOf(address) === "site")

/** What the system sends from, without its zone. */
const systemChoice = async (udp: Udp, remote: Destination): Promise<Result<Address>> => {
  const own = await ownAddress(udp, remote)
  return own.ok ? { ok: true, value: own.value.address } : own
}
