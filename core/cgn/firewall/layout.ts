import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { createTable, type FamilyShape, type Shape, type Table, type Version } from "../../table/index.ts"
import { i32 } from "../../wire/index.ts"
import { secondOf } from "../layout.ts"
import type { FirewallConfig, FirewallSettings } from "./settings.ts"

/**
 * How the firewall lies in the table's 32-bit words. A host row stands for one internal address of one realm; a pinhole
 * row for one explicit mapping of it, internal end and external end in one; filter rows hang on their pinhole.
 */
export const HOST = 0
export const PINHOLE = 1
export const FILTER = 2

export const Host = {
  ADDRESS: 0, // 4 words
  REALM: 4, // 4 words; all zeros: none
  /** Pinholes, for the quota. */
  COUNT: 8,
  /** First row in its list of pinholes. */
  PINHOLES: 9,
} as const

export const Pinhole = {
  HOST: 0,
  /** Protocol << 16 | port. */
  END: 1,
  NONCE: 2, // 3 words
  /** {@link PinholeFlag}; the client's UDP source port in the high 16 bits. */
  FLAGS: 5,
  /** Seconds from the firewall's start. */
  EXPIRES: 6,
  /** First row in its list of filters. */
  FILTERS: 7,
  /** Neighbours in its host's list. */
  NEXT: 8,
  PREV: 9,
  WHEEL_NEXT: 10,
  WHEEL_PREV: 11,
  WHEEL_SLOT: 12,
} as const

export const PinholeFlag = {
  /** It has a mapping nonce. */
  NONCE: 1,
  /** NAT-PMP made it. */
  NATPMP: 2,
} as const

export const FilterWord = { REMOTE: 0, PREFIX: 4, PORT: 5, NEXT: 6 } as const

const families: readonly FamilyShape[] = [
  { width: 16, key: { from: 0, to: 8 } },
  { width: 16, key: { from: 0, to: 2 } },
  { width: 8, key: undefined },
]

/** A firewall's state: a handle that stays valid whatever newer states come to be. */
export interface FirewallState {
  readonly version: Version
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
    sparse: 0,
    sets: 0,
    wheel: { family: PINHOLE, next: Pinhole.WHEEL_NEXT, prev: Pinhole.WHEEL_PREV, slot: Pinhole.WHEEL_SLOT },
    hashKey: [i32(key, 0), i32(key, 4)],
  }
}

/** The configuration that a firewall runs with, its settings found good. */
export const configureFirewall = (settings: FirewallSettings): FirewallConfig => {
  const { family, inside = [], quota = 1024, filterLimit = 43, rules = [], now } = settings
  return Object.freeze({ family, inside, quota, filterLimit, rules, now })
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
