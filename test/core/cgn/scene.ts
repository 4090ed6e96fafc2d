/** A CGN and the asks that tests make of it, by address text. */
import assert from "node:assert/strict"
import {
  type CgnResult,
  type CgnSettings,
  type CgnState,
  type Change,
  createCgn,
  type DeleteAsk,
  listMappings,
  type MapAsk,
  memoryCgn,
  type PeerAsk,
} from "../../../core/cgn/index.ts"
import { type Address, ANY4, formatAddress, type Nonce, parseAddress, parseNonce } from "../../../core/wire/index.ts"

export const UDP = 17
export const TCP = 6

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

const nonceOf = (text: string): Nonce => {
  const parsed = parseNonce(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}
export const NONCE = nonceOf("0102030405060708090a0b0c")
export const OTHER = nonceOf("0c0b0a090807060504030201")

/** 10.0.0.0 and on. */
export const host = (n: number): Address => address(`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`)

/** One external address, no quota, nothing held: what a test does not set. */
export const BASE: CgnSettings = {
  external: [address("203.0.113.1")],
  ports: { first: 1024, last: 65535 },
  quota: 0,
  filterLimit: 8,
  idleTimeout: { udp: 300, tcp: 7440 },
  recycleDelay: { udp: 0, tcp: 0 },
  secret: new Uint8Array(32).fill(1),
  now: 0,
}

export const cgnWith = (settings: Partial<CgnSettings> = {}): CgnState => {
  const made = createCgn({ ...BASE, ...settings })
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  return made.state
}

export const map = (state: CgnState, ask: Partial<MapAsk>, now = 0): CgnResult<CgnState> =>
  memoryCgn.addMapping(
    state,
    {
      origin: "pcp",
      protocol: UDP,
      internal: host(1),
      internalPort: 4000,
      nonce: ask.origin === "nat-pmp" ? undefined : NONCE,
      suggested: ANY4,
      suggestedPort: 0,
      lifetime: 600,
      preferFailure: false,
      ...ask,
    },
    now,
  )

export const peer = (state: CgnState, ask: Partial<PeerAsk>, now = 0): CgnResult<CgnState> =>
  memoryCgn.addDynamic(
    state,
    {
      protocol: UDP,
      internal: host(1),
      internalPort: 4000,
      nonce: NONCE,
      remote: address("198.51.100.1"),
      remotePort: 443,
      suggested: ANY4,
      suggestedPort: 0,
      lifetime: 600,
      ...ask,
    },
    now,
  )

/** The state and external end of a request that was met. */
export const met = (result: CgnResult<CgnState>) => {
  assert.ok(result.outcome !== "refused", `refused: ${result.outcome === "refused" ? result.code : ""}`)
  return { ...result, at: `${formatAddress(result.external)}:${result.externalPort}` }
}

/** The code of a request that was refused. */
export const refusal = (result: CgnResult<CgnState>): number | "cgn-error" => {
  assert.ok(result.outcome === "refused", "not refused")
  return result.code
}

/** A deletion by PCP with the scene's nonce, of 10.0.0.1's UDP port 4000 unless told. */
export const remove = (state: CgnState, ask: Partial<DeleteAsk> = {}, now = 0): CgnResult<CgnState> =>
  memoryCgn.delMapping(
    state,
    {
      origin: "pcp",
      protocol: UDP,
      internal: host(1),
      internalPort: 4000,
      nonce: ask.origin === "nat-pmp" ? undefined : NONCE,
      ...ask,
    },
    now,
  )

/** All live mappings, each in a line, in order. */
export const lines = (state: CgnState, now = 0): readonly string[] =>
  listMappings(state, now, 0, 100_000)
    .mappings.map(
      ({ kind, protocol, internal, internalPort, external, externalPort }) =>
        `${kind} ${protocol} ${formatAddress(internal)}:${internalPort} ${formatAddress(external)}:${externalPort}`,
    )
    .sort()

/** The types of changes, in their order. */
export const types = (changes: readonly Change[]): string[] => changes.map(({ type }) => type)
