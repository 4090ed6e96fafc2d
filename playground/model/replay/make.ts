import { sha256 } from "@noble/hashes/sha2.js"
import {
  type Cgn,
  type CgnProfile,
  createCgn,
  createFirewall,
  createNpt,
  createProfile,
  createSiit,
  firewallCgn,
  memoryCgn,
  nptCgn,
  siitCgn,
} from "../../../core/cgn/index.ts"
import { createServerOver, type ServerSettings, type ServerState } from "../../../core/server/index.ts"
import { type Prefix64, writeAddress } from "../../../core/wire/index.ts"
import type { CgnConfiguration } from "../session/index.ts"
import type { Machine } from "./family.ts"

export type Made<T> =
  | { readonly ok: true; readonly value: T }
  /** The first rule that the configuration breaks, in a sentence. */
  | { readonly ok: false; readonly text: string }

/** The server and CGN of a configuration, without a mapping, its Epoch Time 0 at `now`, milliseconds. */
export const makeMachine = (configuration: CgnConfiguration, now = 0): Made<Machine> => {
  const { kind, flags } = configuration
  const profile = createProfile(kind, flags)
  if (!profile.ok) return { ok: false, text: profile.error.text }
  const settings = serverSettings(configuration, profile.profile)
  switch (kind) {
    case "firewall4":
    case "firewall6": {
      const { inside, quota, filterLimit, idleTimeout, seed } = configuration
      const family = kind === "firewall4" ? "ipv4" : "ipv6"
      const timeouts = { udp: Math.max(1, idleTimeout.udp) }
      const made = createFirewall({ family, inside, quota, filterLimit, timeouts, secret: secretOf(seed), now })
      return made.ok
        ? served(firewallCgn, made.state, settings, now, (state) => ({ family: "firewall", state }))
        : refused(made.error)
    }
    case "nptv6": {
      const made = createNpt({ pairs: configuration.prefixPairs })
      return made.ok
        ? served(nptCgn, made.state, settings, now, (state) => ({ family: "npt", state }))
        : refused(made.error)
    }
    case "nat46": {
      const { addressPairs: pairs, prefix64: prefix } = configuration
      const made = createSiit({ inside: "ipv4", pairs, prefix })
      return made.ok
        ? served(siitCgn, made.state, settings, now, (state) => ({ family: "siit", state }))
        : refused(made.error)
    }
    default: {
      const made = createCgn({
        ...natSettings(configuration, profile.profile),
        secret: secretOf(configuration.seed),
        now,
      })
      return made.ok
        ? served(memoryCgn, made.state, settings, now, (state) => ({ family: "nat", state }))
        : refused(made.error)
    }
  }
}

const refused = ({ text }: { readonly text: string }): { readonly ok: false; readonly text: string } => ({
  ok: false,
  text,
})

const served = <S>(
  cgn: Cgn<S>,
  cgnState: S,
  settings: Partial<ServerSettings>,
  now: number,
  wrap: (state: ServerState<S>) => Machine,
): Made<Machine> => {
  const made = createServerOver(cgn, cgnState, now, settings)
  return made.ok ? { ok: true, value: wrap(made.state) } : refused(made.error)
}

/** 32 octets out of any text: a session is played the same again wherever it is played. */
const secretOf = (seed: string): Uint8Array => sha256(new TextEncoder().encode(`sallyport playground ${seed}`))

const serverSettings = (configuration: CgnConfiguration, profile: CgnProfile): Partial<ServerSettings> => {
  const { minLifetime, maxLifetime, shortError, longError, pcp, natPmp, threatModel, description, portSet } =
    configuration
  return {
    profile,
    minLifetime,
    maxLifetime,
    shortError,
    longError,
    pcp,
    natPmp,
    threatModel,
    description,
    portSet,
    prefix64: configuration.kind === "nat64" ? [prefix64Of(configuration.prefix64)] : [],
  }
}

const prefix64Of = ({ address, prefixLength }: CgnConfiguration["prefix64"]): Prefix64 => {
  const whole = new Uint8Array(16)
  writeAddress(whole, 0, address)
  const octets = Math.min(12, Math.max(0, Math.floor(prefixLength / 8)))
  return {
    kind: "PREFIX64",
    prefix: whole.slice(0, octets),
    suffix: new Uint8Array(12 - octets),
    ipv4Prefixes: undefined,
  }
}

const natSettings = (configuration: CgnConfiguration, profile: CgnProfile) => {
  const { kind, external, ports, quota, subscriberQuota, subscriberPrefix, filterLimit, idleTimeout, recycleDelay } =
    configuration
  const { staticMappings, noncePolicy, mapping, filtering, hairpinning, aftr, prefix64, assignment } = configuration
  const { otherProtocols, port0, oneToOne, mapInternal } = profile
  const inside =
    kind === "nat64"
      ? ({ kind: "nat64", prefix: prefix64 } as const)
      : kind === "dslite"
        ? ({ kind: "dslite", aftr } as const)
        : ({ kind: "ipv4" } as const)
  return {
    external,
    ports,
    assignment,
    quota,
    subscriberQuota,
    subscriberPrefix,
    filterLimit,
    idleTimeout,
    recycleDelay,
    staticMappings,
    noncePolicy,
    otherProtocols,
    port0,
    oneToOne,
    internalFamily: mapInternal ? ("ipv4" as const) : ("ipv6" as const),
    translation: { inside, mapping, filtering, hairpinning },
  }
}

/** Whether a configuration can be played; the sentence that says why not. */
export const checkConfiguration = (configuration: CgnConfiguration): string | undefined => {
  const made = makeMachine(configuration)
  return made.ok ? undefined : made.text
}
