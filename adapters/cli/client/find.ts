import { discoverGateways, ownAddresses, udp } from "#runtime"
import type { ServerEnd } from "../../../core/client/index.ts"
import { type Address, type AddressFamily, formatAddress } from "../../../core/wire/index.ts"
import { type FoundServers, findServers, serverName } from "../../client/index.ts"
import type { Endpoint } from "../../udp.ts"
import { complain } from "../complain.ts"
import { findServer } from "../find-server.ts"
import type { Read } from "../read.ts"
import type { ServerOptions } from "./server-options.ts"

/** The servers to ask. `named`: the user said which; else they are the default gateways, which may well speak no PCP. */
export type Found = FoundServers & { readonly named: boolean }

/**
 * The servers that the options name, or the default gateways, each with the address that we ask it from. `family` leaves out gateways
 * that could not do what is wanted; NAT-PMP is for IPv4 (RFC 6886 section 1).
 */
export const find = async (options: ServerOptions, family?: AddressFamily): Promise<Read<Found>> => {
  const { server, interface: interfaceName, internalAddress: client, acceptFrom: acceptResponsesFrom } = options
  const ends: Endpoint[] = []
  for (const text of server ?? []) {
    const end = await findServer(text)
    if (!end.ok) return { ok: false, text: `option '--server': ${end.text}` }
    ends.push(end.value)
  }
  if (client !== undefined && !(await isOwn(client)))
    return { ok: false, text: `option '--internal-address': ${formatAddress(client)} is no address of this host` }
  const found = await findServers({
    udp,
    discover: (signal) => discoverGateways(signal === undefined ? {} : { signal }),
    ownAddresses,
    servers: server === undefined ? undefined : ends,
    interfaceName,
    ...(server === undefined ? { family: options.natPmp ? "ipv4" : family } : {}),
    client,
    acceptResponsesFrom,
    ...(options.pcp === true || options.natPmp === true ? { protocol: options.pcp ? "pcp" : "nat-pmp" } : {}),
  })
  return { ok: true, value: { ...found, named: server !== undefined } }
}

/** Does the system let us send from it? It may from more than its interfaces have, as from all of 127.0.0.0/8. */
const isOwn = async (address: Address): Promise<boolean> => {
  const bound = await udp.bind({ local: { address, port: 0 } }, { receive: () => {}, error: () => {} })
  if (bound.ok) await bound.value.close()
  return bound.ok || bound.error.code !== "EADDRNOTAVAIL"
}

/** Says what is wrong with servers; those that are left are asked. */
export const complainOf = ({ problems, servers, named }: Found): void => {
  for (const { server, text } of problems) complain(server === undefined ? text : `${server}: ${text}`)
  if (servers.length === 0 && !named) complain("there is nobody to ask: name a server with --server <address>")
}

/** A server's address and port, as records have it. */
export const serverRecord = ({ address, port = 5351, zone }: Omit<ServerEnd, "client">): object => ({
  address: zone === undefined ? formatAddress(address) : `${formatAddress(address)}%${zone}`,
  port,
})

/** What events call a server at this end. */
export const nameOf = ({ address, port = 5351, zone }: Omit<ServerEnd, "client">): string =>
  serverName({ address, port, zone })
