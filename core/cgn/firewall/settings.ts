import { type Address, type AddressFamily, familyOf, formatAddress } from "../../wire/index.ts"
import { TCP_TIMEOUTS, type TcpTimeouts } from "../connection.ts"
import type { Side } from "../passage.ts"
import type { Prefix, Rule } from "../rule.ts"

/** What a firewall is made from. */
export interface FirewallSettings {
  /** Of the addresses on both sides: an IPv4 and an IPv6 firewall are two. */
  readonly family: AddressFamily
  /** Where internal hosts are; IPv4 prefixes have 96 to 128 bits. Default: any address of the family. */
  readonly inside?: readonly Prefix[]
  /** Mappings of one host. Default 1024: RFC 6887 section 11.3 recommends a limit; 0 is none. */
  readonly quota?: number
  /** Flows of one host that its own packets may open (RFC 6888 REQ-4). Default 16384; 0 is no limit. */
  readonly flowQuota?: number
  /** Seconds for which flows stay without packets, each at least 1: what is not given is of {@link FLOW_TIMEOUTS}. */
  readonly timeouts?: Partial<FlowTimeouts>
  /**
   * Do packets from the outside keep a flow alive as well? Default no: a remote peer could keep it open for ever (RFC 4787
   * section 6). TCP connections always are kept by both ends.
   */
  readonly inboundRefresh?: boolean
  /** The firewall's own address on each side: what its ICMP errors come from. Default none: it drops and tells nobody. */
  readonly routers?: Readonly<Record<Side, Address>> | undefined
  /** FILTERs of one mapping, at least 1. Default 43: as many as a request has room for (RFC 6887 section 13.3). */
  readonly filterLimit?: number
  /** Permission rules in order; the first that matches decides. Default none: all is allowed. */
  readonly rules?: readonly Rule[]
  /** 32 octets of entropy: who knows them can make the tables slow. */
  readonly secret: Uint8Array
  /** The present on the caller's monotonic clock, milliseconds. */
  readonly now: number
}

/** Idle times of flows, seconds. */
export interface FlowTimeouts {
  /** RFC 4787 REQ-5: at least 120, recommended 300. */
  readonly udp: number
  /** Of TCP by how far a connection has got. */
  readonly tcp: TcpTimeouts
  /** ICMP queries: at least 60 (RFC 5508 REQ-2). */
  readonly icmp: number
  /** All other protocols. */
  readonly other: number
}

/** The idle times that the RFCs recommend. */
export const FLOW_TIMEOUTS: FlowTimeouts = { udp: 300, tcp: TCP_TIMEOUTS, icmp: 60, other: 300 }

/** Settings with their defaults, and without the secret, which nothing needs any more. */
export type FirewallConfig = Required<Omit<FirewallSettings, "secret" | "timeouts">> & {
  readonly timeouts: FlowTimeouts
}

/** Why no firewall can be made of these settings. */
export interface FirewallSettingsError {
  /** Short and stable, for programs. */
  readonly code: "bad-prefix" | "bad-quota" | "bad-translation" | "bad-filters" | "bad-secret"
  /** One sentence for people. */
  readonly text: string
}

/** The first rule that the settings break, or `undefined`. */
export const checkFirewall = (settings: FirewallSettings): FirewallSettingsError | undefined => {
  const { family, inside = [], quota = 0, flowQuota = 0, filterLimit = 1, secret, timeouts = {}, routers } = settings
  for (const { address, prefixLength } of inside) {
    const least = family === "ipv4" ? 96 : 0
    if (familyOf(address) !== family || !Number.isInteger(prefixLength) || prefixLength < least || prefixLength > 128)
      return { code: "bad-prefix", text: `${formatAddress(address)}/${prefixLength} is no prefix of ${family}` }
  }
  if (!isCount(quota) || !isCount(flowQuota))
    return { code: "bad-quota", text: "a quota must be 0 (no limit) or a whole number up to 2^31-1" }
  const { tcp, ...others } = { ...FLOW_TIMEOUTS, ...timeouts }
  for (const timeout of [...Object.values(others), ...Object.values(tcp)])
    if (!isCount(timeout) || timeout === 0)
      return { code: "bad-translation", text: "timeouts must be whole numbers of seconds from 1 to 2^31-1" }
  for (const router of routers === undefined ? [] : [routers.inside, routers.outside])
    if (familyOf(router) !== family)
      return { code: "bad-translation", text: `${formatAddress(router)} is no address of ${family}` }
  if (!isCount(filterLimit) || filterLimit < 1)
    return { code: "bad-filters", text: "at least one filter a mapping must be supported (RFC 6887 section 13.3)" }
  if (secret.length !== 32) return { code: "bad-secret", text: "the secret must be 32 octets" }
  return undefined
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0x7fffffff
