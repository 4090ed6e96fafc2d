import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { createTable, type FamilyShape, type Shape, type Table, type Version } from "../../table/index.ts"
import { i32 } from "../../wire/index.ts"
import { secondOf } from "../layout.ts"
import { type FirewallConfig, type FirewallSettings, FLOW_TIMEOUTS } from "./settings.ts"

/**
 * How the firewall lies in the table's 32-bit words. A host row stands for one internal address of one realm; a pinhole
 * row for one mapping of it, internal end and external end in one: explicit, or of a single flow, which names its remote
 * peer; a remote row stands for the address of such peers; filter rows hang on their pinhole.
 */
export const HOST = 0
export const PINHOLE = 1
export const FILTER = 2
export const REMOTE = 3

export const Host = {
  ADDRESS: 0, // 4 words
  REALM: 4, // 4 words; all zeros: none
  /** Explicit pinholes, for the quota. */
  COUNT: 8,
  /** First row in its list of explicit pinholes. */
  PINHOLES: 9,
  /** Flows, for theirs. */
  FLOWS: 10,
} as const

export const Pinhole = {
  HOST: 0,
  /** Protocol << 16 | port. */
  END: 1,
  /** Of a flow: its remote row, and the remote peer's port; 0 and 0 of an explicit pinhole. */
  REMOTE: 2,
  REMOTE_PORT: 3,
  NONCE: 4, // 3 words
  /**
   * {@link PinholeFlag}; the client's UDP source port in the high 16 bits. Of a flow: the number of its connection's state,
   * 0 for none.
   */
  FLAGS: 7,
  /** Seconds from the firewall's start. */
  EXPIRES: 8,
  /** First row in its list of filters. */
  FILTERS: 9,
  /** Neighbours in its host's list, which flows are not in. */
  NEXT: 10,
  PREV: 11,
  WHEEL_NEXT: 12,
  WHEEL_PREV: 13,
  WHEEL_SLOT: 14,
} as const

export const PinholeFlag = {
  /** It has a mapping nonce. */
  NONCE: 1,
  /** NAT-PMP made it. */
  NATPMP: 2,
} as const

/** `COUNT`: flows that name it. */
export const Remote = { ADDRESS: 0, COUNT: 4 } as const

/** The one word of the table's sparse array: how many flows there are. */
export const FLOWS = 0

const families: readonly FamilyShape[] = [
  { width: 16, key: { from: 0, to: 8 } },
  { width: 16, key: { from: 0, to: 4 } },
  { width: 8, key: undefined },
  { width: 8, key: { from: 0, to: 4 } },
]

/** A firewall's state: a handle that stays valid whatever newer states come to be. */
export interface FirewallState {
  /** What it holds: one version of its table. */
  readonly version: Version
  /** What it was made with. */
  readonly config: FirewallConfig
}

/** One step's view of a state: its table, open, and the second that it is, whole seconds from the firewall's start. */
export interface FirewallStep {
  readonly table: Table
  readonly config: FirewallConfig
  readonly second: number
}

/** The shape of a firewall's table. */
export const firewallShape = (secret: Uint8Array): Shape => {
  const key = hkdf(sha256, secret, undefined, new TextEncoder().encode("sallyport firewall index hash"), 8)
  return {
    families,
    sparse: 1,
    sets: 0,
    wheel: { family: PINHOLE, next: Pinhole.WHEEL_NEXT, prev: Pinhole.WHEEL_PREV, slot: Pinhole.WHEEL_SLOT },
    hashKey: [i32(key, 0), i32(key, 4)],
  }
}

/** The configuration that a firewall runs with, its settings found good. */
export const configureFirewall = (settings: FirewallSettings): FirewallConfig => {
  const { family, inside = [], quota = 1024, filterLimit = 43, rules = [], now, routers } = settings
  const { flowQuota = 16384, inboundRefresh = false } = settings
  const timeouts = { ...FLOW_TIMEOUTS, ...settings.timeouts }
  return Object.freeze({ family, inside, quota, filterLimit, rules, now, routers, flowQuota, inboundRefresh, timeouts })
}

/** A firewall with no pinholes, its settings found good. */
export const makeFirewall = (settings: FirewallSettings): FirewallState => ({
  version: createTable(firewallShape(settings.secret)),
  config: configureFirewall(settings),
})

/** The step that a table, open, and a moment make. */
export const stepAt = (table: Table, config: FirewallConfig, now: number): FirewallStep => ({
  table,
  config,
  second: secondOf(config, now),
})
