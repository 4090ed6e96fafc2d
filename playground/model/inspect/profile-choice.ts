import { CGN_KINDS, type CgnKind, PROFILES, wireProfileOf } from "../../../core/cgn/index.ts"
import type { FlowPorts } from "../../../core/flow/index.ts"
import { type Address, ANY_PROFILE, type WireProfile } from "../../../core/wire/index.ts"

/** By whose rules a packet is looked at: the RFCs alone, or those of one kind of device. */
export type ProfileName = "any" | CgnKind

/** Whose side the reader is on; `either`: both directions are fine. */
export type Role = "either" | "server" | "client"

export interface ProfileChoice {
  readonly profile?: ProfileName
  readonly role?: Role
  /** Source address of the datagram of a request, if it is known: ADDRESS_MISMATCH shows by it (RFC 6887 section 8.2). */
  readonly source?: Address | undefined
  /** The ports between which it went: they tell flow allocation from PCP and NAT-PMP where its octets do not. */
  readonly ports?: FlowPorts | undefined
}

/** Every profile with what it stands for. */
export const PROFILE_WORDS: Readonly<Record<ProfileName, string>> = {
  any: "the RFCs alone: nothing is known of the device",
  dslite: "DS-Lite AFTR, plain mode: PCP over IPv6, IPv4 mappings (RFC 6333)",
  nat444: "NAT44 of a home, or an ISP's NAT444",
  nat64: "NAT64: IPv6 inside, IPv4 outside (RFC 6146)",
  nat46: "NAT46: IPv4 inside, IPv6 outside (RFC 7915)",
  nptv6: "NPTv6: IPv6 prefixes translated one to one (RFC 6296)",
  firewall4: "IPv4 firewall: nothing is translated",
  firewall6: "IPv6 firewall: nothing is translated",
  l2dslite: "layer-2 DS-Lite: IPv4 on all sides, hosts told apart by their access",
}

export const PROFILE_NAMES: readonly ProfileName[] = ["any", ...CGN_KINDS]

const ROLES = { either: undefined, server: "request", client: "response" } as const

/** The profile as `validate` takes it. */
export const wireProfile = ({ profile = "any", role = "either", source }: ProfileChoice): WireProfile => {
  const known = { role: ROLES[role], source }
  return profile === "any" ? { ...ANY_PROFILE, ...known } : wireProfileOf(PROFILES[profile], known)
}
