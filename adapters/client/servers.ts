import { type ClientServer, classOfAddress, type ProtocolChoice } from "../../core/client/index.ts"
import {
  type Address,
  type AddressFamily,
  ANY4,
  familyOf,
  formatAddress,
  parseAddress,
  SERVER_PORT,
} from "../../core/wire/index.ts"
import { type Discovery, NO_GATEWAYS } from "../gateway/index.ts"
import type { OwnAddress } from "../interface.ts"
import type { Endpoint, Udp, UdpError } from "../udp.ts"
import { clientAddress } from "./client-address.ts"
import type { DriveOptions } from "./drive.ts"

/** A list of PCP servers that DHCP gave, as `decodeV4PcpServers` and `decodeV6PcpServers` read it, and where it was learned. */
export interface DhcpLearned {
  /** One list a server; its addresses are ways to it (RFC 7488 section 3). */
  readonly servers: readonly (readonly Address[])[]
  /** RFC 7291 section 7: they belong to that interface. */
  readonly interfaceName?: string | undefined
}

/** The default routers of this host; a `Discovery` of `sallyport/gateway` is one. */
export type Discovered = Pick<Discovery, "gateways" | "none"> & Partial<Pick<Discovery, "trials">>

/** Where servers may be found, and what they are to be like. */
export interface FindServersOptions {
  /** Sockets, to learn from which own address each server is reached; nothing is sent. */
  readonly udp: Udp
  /** The default routers; asked only where neither the caller nor DHCP names servers (RFC 6887 section 8.1, C-02). */
  readonly discover: (signal?: AbortSignal) => Promise<Discovered>
  /** All addresses of this host; without them, a source address is what the system chooses. */
  readonly ownAddresses?: (() => readonly OwnAddress[]) | undefined
  /** The servers, where the caller names them; port 0 is 5351. */
  readonly servers?: readonly Endpoint[] | undefined
  /** Servers that DHCP named, asked where the caller names none. */
  readonly dhcp?: readonly DhcpLearned[] | undefined
  /** Only what is on this interface, and from its addresses. */
  readonly interfaceName?: string | undefined
  /** Servers of this family alone. */
  readonly family?: AddressFamily | undefined
  /** Send from this address of the host's own; servers of another family are left out. */
  readonly client?: Address | undefined
  /**
   * Left out, `auto`; but a host whose own IPv4 address is a public one is behind no NAT that NAT-PMP could be about, so that it
   * asks PCP alone (RFC 6886 section 3, N-23).
   */
  readonly protocol?: ProtocolChoice | undefined
  /** For all servers: see {@link ClientServer}. */
  readonly acceptResponsesFrom?: readonly Address[] | undefined
  /** After the default routers, the anycast addresses (RFC 7723 section 2.1): servers of their own. Default false. */
  readonly anycast?: boolean | undefined
  /** Ends the search early. */
  readonly signal?: AbortSignal | undefined
}

/** Why there is no server, or why one that was found is not asked. */
export interface ServerProblem {
  /** Short and stable, for programs. */
  readonly code:
    | "no-gateway" // nobody named a server, and there is no default router, or none that fits
    | "no-route" // the system has no way there, or no address to send from
    | "no-global-address" // an IPv6 router, and this host has link-local addresses alone (RFC 6887 section 8.4)
  /** The server's name; `undefined`: it is about all of them. */
  readonly server: string | undefined
  /** What the system said. */
  readonly error?: UdpError | undefined
  /** One line for people. */
  readonly text: string
}

/** The servers to ask, and what is wrong with others. */
export interface FoundServers {
  /** In the order in which they were named or discovered; a name is the printable address, with zone and with any port but 5351. */
  readonly servers: readonly ClientServer[]
  /** Where to hear announcements of these servers, for `drive`. */
  readonly announcements: NonNullable<DriveOptions["announcements"]>
  /** Why there is none, or why others are not asked. */
  readonly problems: readonly ServerProblem[]
}

/** PCP's anycast addresses (RFC 7723 sections 4.1 and 4.2). */
export const ANYCAST: readonly Address[] = ["192.0.0.9", "2001:1::1"].map((text) => parseAddress(text) ?? ANY4)

/** What a server's events call it: its address, `fe80::1%eth0` where it needs a zone, and any port but 5351 behind it. */
export const serverName = ({ address, port, zone }: Endpoint): string => {
  const text = `${formatAddress(address)}${zone === undefined ? "" : `%${zone}`}`
  if (port === SERVER_PORT) return text
  return familyOf(address) === "ipv6" ? `[${text}]:${port}` : `${text}:${port}`
}

/** One server to be, and the interface that it was found on. */
interface Candidate {
  readonly ends: readonly Endpoint[]
  readonly interfaceName: string | undefined
}

/**
 * The PCP servers to ask, each with the address that this host asks it from: those that the caller names, else those of DHCP, else
 * the default routers (RFC 6887 section 8.1, C-02). Never rejects: what is wrong with one is a problem, and the others are there.
 */
export const findServers = async (options: FindServersOptions): Promise<FoundServers> => {
  const { udp, ownAddresses, family, client, protocol, acceptResponsesFrom } = options
  const own = ownAddresses?.() ?? []
  const families = [family, client === undefined ? undefined : familyOf(client)].filter((one) => one !== undefined)
  const { candidates, none } = await candidatesOf(options)
  const servers: ClientServer[] = []
  const announcements: { family: 4 | 6; interfaceName: string | undefined }[] = []
  const problems: ServerProblem[] = []
  for (const candidate of candidates) {
    const ends: ClientServer["ends"][number][] = []
    const wanted = candidate.ends.filter(({ address }) => families.every((one) => one === familyOf(address)))
    if (wanted.length === 0) continue
    const name = serverName(wanted[0])
    if (servers.some((server) => server.name === name)) continue
    for (const end of wanted) {
      const interfaceName = candidate.interfaceName ?? options.interfaceName
      const from =
        client === undefined
          ? await clientAddress({ udp, own, server: end, interfaceName })
          : ({ ok: true, address: client, interfaceName } as const)
      if (!from.ok) {
        problems.push(problemOf(serverName(end), from.code, from.error))
        continue
      }
      const { address, port, zone } = end
      ends.push({ address, port, zone, client: from.address })
      const heard = { family: familyOf(address) === "ipv4" ? 4 : 6, interfaceName: from.interfaceName ?? zone } as const
      if (!announcements.some((one) => one.family === heard.family && one.interfaceName === heard.interfaceName))
        announcements.push(heard)
    }
    if (ends.length === 0) continue
    servers.push({ name, ends, protocol: protocol ?? protocolFor(ends.map((end) => end.client)), acceptResponsesFrom })
  }
  if (servers.length === 0 && problems.length === 0) problems.push(problemOf(undefined, "no-gateway", undefined, none))
  return { servers, announcements, problems }
}

const candidatesOf = async (
  options: FindServersOptions,
): Promise<{ readonly candidates: readonly Candidate[]; readonly none: string | undefined }> => {
  const { servers, dhcp = [], interfaceName, discover, anycast = false, signal } = options
  if (servers !== undefined)
    return {
      candidates: servers.map((end) => ({
        ends: [{ ...end, port: end.port === 0 ? SERVER_PORT : end.port }],
        interfaceName,
      })),
      none: "no server is named",
    }
  const learned = dhcp.filter((one) => isOn(one.interfaceName, interfaceName))
  if (learned.some((one) => one.servers.length > 0)) {
    const candidates = learned.flatMap(({ servers: lists, interfaceName: at }) =>
      lists.map((list) => ({ ends: list.map((address) => ({ address, port: SERVER_PORT })), interfaceName: at })),
    )
    return { candidates, none: undefined }
  }
  const { gateways, none, trials } = await discover(signal)
  const routers = gateways.filter((gateway) => isOn(gateway.interfaceName ?? gateway.zone, interfaceName))
  const everywhere = anycast ? ANYCAST.map((address) => ({ address, interfaceName })) : []
  const candidates = [...routers, ...everywhere].map((gateway) => ({
    ends: [{ address: gateway.address, port: SERVER_PORT, ...("zone" in gateway ? { zone: gateway.zone } : {}) }],
    interfaceName: gateway.interfaceName,
  }))
  // What this user or program may not read, with the right to it there would be something to read.
  const refused = trials?.find((trial) => trial.outcome === "failed" && trial.reason === "refused")
  const detail = none === "unreadable" && refused?.outcome === "failed" ? ` (${refused.text})` : ""
  const why = none === undefined ? undefined : `${NO_GATEWAYS[none]}${detail}`
  return { candidates, none: gateways.length > 0 ? `none of the ${gateways.length} default routers is on it` : why }
}

const isOn = (interfaceName: string | undefined, wanted: string | undefined): boolean =>
  wanted === undefined || interfaceName === undefined || interfaceName === wanted

const protocolFor = (clients: readonly Address[]): ProtocolChoice =>
  clients.every((client) => familyOf(client) === "ipv4" && classOfAddress(client) === "public") ? "pcp" : "auto"

const problemOf = (
  server: string | undefined,
  code: ServerProblem["code"],
  error: UdpError | undefined,
  why?: string,
): ServerProblem => ({
  code,
  server,
  error,
  text: `${TEXTS[code]}${error === undefined ? "" : `: ${error.text}`}${why === undefined ? "" : `: ${why}`}`,
})

const TEXTS: Readonly<Record<ServerProblem["code"], string>> = {
  "no-gateway": "no gateway was found",
  "no-route": "this host has no way there",
  "no-global-address": "this host has no IPv6 address but link-local ones, which nobody outside its link reaches",
}
