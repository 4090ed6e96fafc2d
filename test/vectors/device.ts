/** A server set up as a vector's configuration says, over the in-memory CGN or, for other kinds, over theirs. */
import assert from "node:assert/strict"
import type { Configuration, DeviceEvent } from "../../adapters/conformance/case.ts"
import { fromHex } from "../../adapters/conformance/template.ts"
import {
  type Cgn,
  type CgnSettings,
  type Change,
  createCgn,
  createFirewall,
  createNpt,
  createProfile,
  firewallCgn,
  listMappings,
  listPinholes,
  type Mapping,
  memoryCgn,
  noteOutbound,
  nptCgn,
} from "../../core/cgn/index.ts"
import {
  advance,
  announce,
  createServerOver,
  type Outgoing,
  process,
  type Request,
  type Response,
  reconfigure,
  revoke,
  type ServerSettings,
  type ServerState,
} from "../../core/server/index.ts"
import { type Address, type Prefix64, parseAddress, writeAddress } from "../../core/wire/index.ts"

/** What the runner needs of a device; every call goes on from the one before. */
export interface Device {
  readonly process: (request: Request) => Response
  /** Lets time pass until `now`, milliseconds: what was sent meanwhile, and what changed. */
  readonly pass: (now: number) => { readonly sent: readonly Sent[]; readonly changes: readonly Change[] }
  readonly outbound: (internal: Address, protocol: number, port: number, now: number) => void
  /** `undefined`: this device has nothing of the kind. */
  readonly happen: (event: DeviceEvent, address: (template: string) => Address, now: number) => readonly Change[]
  readonly mappings: (now: number) => readonly Mapping[]
}

export interface Sent extends Outgoing {
  readonly at: number
}

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, `${text} is no address`)
  return parsed
}

const SECRET = new Uint8Array(32).fill(7)
const POOL = ["203.0.113.1"]

const cgnSettings = (configuration: Configuration): Omit<CgnSettings, "secret" | "now"> => {
  const { kind = "nat444", external = POOL, ports = { first: 1024, last: 65535 }, staticMappings = [] } = configuration
  const { quota = 1024, filterLimit = 43, idleTimeout = { udp: 300, tcp: 7440 } } = configuration
  const { recycleDelay = { udp: 0, tcp: 0 }, noncePolicy = "rfc" } = configuration
  const { otherProtocols = false, port0 = false, oneToOne = false } = configuration
  return {
    external: external.map(address),
    ports,
    quota,
    filterLimit,
    idleTimeout,
    recycleDelay,
    noncePolicy,
    otherProtocols,
    port0,
    oneToOne,
    internalFamily: kind === "nat64" ? "ipv6" : "ipv4",
    staticMappings: staticMappings.map((mapping) => ({
      ...mapping,
      internal: address(mapping.internal),
      external: address(mapping.external),
    })),
  }
}

const prefix64 = ({ prefix, ipv4 }: { prefix: string; ipv4?: readonly string[] }): Prefix64 => ({
  kind: "PREFIX64",
  prefix: fromHex(prefix),
  suffix: new Uint8Array(12 - prefix.length / 2),
  ipv4Prefixes: ipv4?.map((text) => {
    const [host, length] = text.split("/")
    return { address: address(host), length: Number(length) }
  }),
})

const serverSettings = (configuration: Configuration): Partial<ServerSettings> => {
  const { kind = "nat444", minLifetime = 120, maxLifetime = 86400, shortError = 30, longError = 1800 } = configuration
  const {
    pcp = true,
    natPmp = true,
    announce = true,
    map = true,
    thirdParty,
    otherProtocols,
    port0,
    oneToOne,
  } = configuration
  const switches = { announce, map, thirdParty, otherProtocols, port0, oneToOne, peer: configuration.peer }
  const overrides = Object.fromEntries(Object.entries(switches).filter(([, on]) => on !== undefined))
  const made = createProfile(kind, overrides)
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  return {
    minLifetime,
    maxLifetime,
    shortError,
    longError,
    pcp,
    natPmp: natPmp && kind === "nat444",
    profile: made.profile,
    threatModel: thirdParty === true || kind === "dslite" ? "advanced" : "simple",
    prefix64: (configuration.prefix64 ?? []).map(prefix64),
    thirdPartyIds: new Map(
      (configuration.thirdPartyIds ?? []).map((id, i) => [id, address(`fd00::${(i + 1).toString(16)}`)]),
    ),
  }
}

/** What every device has, whatever its CGN. */
const over = <S>(
  cgn: Cgn<S>,
  cgnState: S,
  configuration: Configuration,
  own: {
    readonly list: (state: S, now: number) => readonly Mapping[]
    readonly outbound?: (state: S, internal: Address, protocol: number, port: number, now: number) => S
    readonly happen?: (
      state: ServerState<S>,
      event: DeviceEvent,
      address: (template: string) => Address,
      now: number,
    ) => readonly [ServerState<S>, readonly Change[]]
  },
): Device => {
  const made = createServerOver(cgn, cgnState, 0, serverSettings(configuration))
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  let state = made.state
  let clock = 0
  return {
    process: (request) => {
      const [after, response] = process(state, request)
      state = after
      return response
    },
    pass: (now) => {
      const sent: Sent[] = []
      const changes: Change[] = []
      // A device that is called when it says so: never late, and so at each of its own instants.
      for (let at: number | undefined = 0; at !== undefined && at <= now; ) {
        const due: number = Math.max(at, clock)
        const [after, advanced] = advance(state, due)
        state = after
        for (const one of advanced.send) sent.push({ ...one, at: due })
        changes.push(...advanced.changes)
        at = advanced.next
      }
      clock = now
      return { sent, changes }
    },
    outbound: (internal, protocol, port, now) => {
      assert.ok(own.outbound !== undefined, "this kind of device notes no packets")
      state = { ...state, cgnState: own.outbound(state.cgnState, internal, protocol, port, now) }
    },
    happen: (event, read, now) => {
      clock = Math.max(clock, now)
      if (event.type === "announce") {
        const [after, { changes }] = announce(state, now)
        state = after
        return changes
      }
      assert.ok(own.happen !== undefined, `this kind of device has no ${event.type}`)
      const [after, changes] = own.happen(state, event, read, now)
      state = after
      return changes
    },
    mappings: (now) => own.list(state.cgnState, now),
  }
}

/** The device of a configuration at instant 0. */
export const makeDevice = (configuration: Configuration): Device => {
  const { kind = "nat444", quota = 1024, filterLimit = 43 } = configuration
  if (kind === "firewall4" || kind === "firewall6") {
    const made = createFirewall({
      family: kind === "firewall4" ? "ipv4" : "ipv6",
      quota,
      filterLimit,
      secret: SECRET,
      now: 0,
    })
    assert.ok(made.ok)
    return over(firewallCgn, made.state, configuration, {
      list: (state, now) => listPinholes(state, now, 0, 1000).mappings,
    })
  }
  if (kind === "nptv6") {
    const made = createNpt({
      pairs: [
        {
          internal: { address: address("2001:db8:1::"), prefixLength: 48 },
          external: { address: address("2001:db8:2::"), prefixLength: 48 },
        },
      ],
    })
    assert.ok(made.ok)
    return over(nptCgn, made.state, configuration, { list: () => [] })
  }
  const made = createCgn({ ...cgnSettings(configuration), secret: SECRET, now: 0 })
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  return over(memoryCgn, made.state, configuration, {
    list: (state, now) => listMappings(state, now, 0, 1000).mappings,
    outbound: (state, internal, protocol, internalPort, now) =>
      noteOutbound(state, { protocol, internal, internalPort }, now).state,
    happen: (state, event, read, now) => {
      switch (event.type) {
        case "announce":
          return [state, []]
        case "revoke": {
          const [after, { changes }] = revoke(state, read(event.internal), undefined, now)
          return [after, changes]
        }
        case "reconfigure": {
          const next = { ...configuration, ...event.configuration }
          const done = reconfigure(state, { ...cgnSettings(next), ...serverSettings(next) }, now)
          assert.ok(done.ok, done.ok ? "" : done.error.text)
          return [done.state, done.pushed.changes]
        }
      }
    },
  })
}

/** Sixteen octets of an address. */
export const octetsOf = (text: Address): Uint8Array => {
  const bytes = new Uint8Array(16)
  writeAddress(bytes, 0, text)
  return bytes
}
