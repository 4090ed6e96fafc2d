import { type Address, familyOf } from "../wire/index.ts"
import { classOfAddress } from "./address-class.ts"
import type { Budget } from "./budget.ts"
import type { EpochMark } from "./epoch.ts"

/** One address of a server, and the client's own address on the way there. */
export interface ServerEnd {
  /** The server's. */
  readonly address: Address
  /** UDP port; left out, 5351. */
  readonly port?: number | undefined
  /** The interface of a link-local address. */
  readonly zone?: string | undefined
  /**
   * The source address of what is sent there, as the PCP server sees it (RFC 6887 section 8.1, C-01): the internal address of
   * whatever is mapped without THIRD_PARTY.
   */
  readonly client: Address
}

/** `auto`: PCP first, NAT-PMP where the server answers version 0 (RFC 6887 appendix A). */
export type ProtocolChoice = "auto" | "pcp" | "nat-pmp"

/** One PCP server, which may have several addresses (RFC 7488). */
export interface ClientServer {
  /** What events call it; any text of the caller's. */
  readonly name: string
  /** In the order in which they are tried; at least one (RFC 7488 section 3). */
  readonly ends: readonly ServerEnd[]
  /** What to speak; left out, `auto`: PCP first, and NAT-PMP where the server knows no other. */
  readonly protocol?: ProtocolChoice | undefined
  /**
   * Other addresses that its responses may come from, as those of routers that share one address (CARP, VRRP) do. What comes
   * from anywhere else is nobody's answer (RFC 6887 section 8.3, C-50).
   */
  readonly acceptResponsesFrom?: readonly Address[] | undefined
}

/** What a client knows of a server. Instants are milliseconds. */
export interface ServerState {
  readonly server: ClientServer
  /** Which of its ends is in use. */
  readonly end: number
  /** The ends tried since one last answered. */
  readonly tried: number
  /** When it answered last; the end that answers is the one for all that follows (RFC 7488 section 3). */
  readonly answeredAt: number
  /** No end answered: the caller was told, and the next try is then. */
  readonly exhaustedUntil: number
  /** What it was last heard to speak. */
  readonly speaks: "pcp" | "nat-pmp" | undefined
  /** It said that it speaks NAT-PMP alone, until then. */
  readonly natPmpUntil: number
  readonly pcpEpoch: EpochMark | undefined
  readonly natPmpEpoch: EpochMark | undefined
  /** Its external address, which NAT-PMP tells apart from mappings. */
  readonly external: Address | undefined
  /** Asked for that address by the client itself, it did not say it: it is not asked again before then. */
  readonly noExternalUntil: number
  /** NO_RESOURCES: no new mappings, and after a deletion nothing at all (RFC 6887 section 11.4, C-52). */
  readonly noNewUntil: number
  readonly silentUntil: number
  readonly budget: Budget
  /** When it last lost its state, and how often that was in a row. */
  readonly lostAt: number
  readonly losses: number
  /** The task whose NAT-PMP request is under way: one at a time (RFC 6886 section 3.1, N-20). */
  readonly natPmpTask: string | undefined
}

export const newServer = (server: ClientServer, budget: Budget): ServerState => ({
  server,
  end: 0,
  tried: 0,
  answeredAt: Number.NEGATIVE_INFINITY,
  exhaustedUntil: Number.NEGATIVE_INFINITY,
  speaks: undefined,
  natPmpUntil: Number.NEGATIVE_INFINITY,
  pcpEpoch: undefined,
  natPmpEpoch: undefined,
  external: undefined,
  noExternalUntil: Number.NEGATIVE_INFINITY,
  noNewUntil: Number.NEGATIVE_INFINITY,
  silentUntil: Number.NEGATIVE_INFINITY,
  budget,
  lostAt: Number.NEGATIVE_INFINITY,
  losses: 0,
  natPmpTask: undefined,
})

/** The end in use. */
export const endOf = ({ server, end }: ServerState): ServerEnd => server.ends[end]

/** What to speak first: PCP, but for a server that said it knows NAT-PMP alone (C-21, RFC 6887 appendix A). */
export const firstProtocol = (
  { server: { protocol = "auto" }, natPmpUntil }: ServerState,
  now: number,
): "pcp" | "nat-pmp" => (protocol === "auto" ? (natPmpUntil > now ? "nat-pmp" : "pcp") : protocol)

/**
 * Why a server is not asked in NAT-PMP, for people; `undefined`: it can be. A host whose own address is public is behind no NAT, and
 * RFC 6886 section 3 has such hosts leave NAT-PMP alone (N-23); other addresses than those of RFC 1918, such as 100.64.0.0/10, are
 * behind one all the same. Where the caller chose NAT-PMP, it is spoken from any IPv4 address.
 */
export const natPmpBar = (server: ServerState): string | undefined => {
  const { client } = endOf(server)
  if (familyOf(client) !== "ipv4") return "NAT-PMP is for IPv4"
  if (server.server.protocol !== "nat-pmp" && classOfAddress(client) === "public")
    return "NAT-PMP is for hosts whose own address is not public"
  return undefined
}
