/** What holds of any packets at a NAT64, a DS-Lite AFTR and a layer-2 DS-Lite, as at a NAPT44. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  type CgnSettings,
  type CgnState,
  type Change,
  listMappings,
  type Mapping,
  memoryCgn,
  type Out,
  translate,
} from "../../../../core/cgn/index.ts"
import { address, cgnWith, map, TCP, UDP } from "../scene.ts"
import {
  errorOf,
  fromHost,
  type Host,
  KINDS,
  type Kind,
  type Message,
  PROTOCOL,
  packetOf,
  settingsOf,
  subscriberRealm,
  toHost,
} from "./kinds.ts"
import { ACK, EXTERNAL, ends, FIN, isPacket, REMOTE, RST, STRANGER, SYN, sent, sourceOf } from "./scene.ts"

const RUNS = { numRuns: 30 }

const SETTINGS: readonly Partial<CgnSettings>[] = [
  {},
  {
    ports: { first: 300, last: 315 },
    external: [EXTERNAL, "203.0.113.2"].map(address),
    recycleDelay: { udp: 3, tcp: 3 },
    translation: { filtering: "address-and-port-dependent", refresh: "both", sessions: 3, filteredErrors: true },
  },
  { translation: { filtering: "address-dependent", ports: "preserve" }, idleTimeout: { udp: 5, tcp: 9 } },
]

/** One thing that happens: a packet of some kind, or a request. */
const happening = fc.record({
  kind: fc.constantFrom("out", "out", "in", "in", "hairpin", "error", "in-error", "map", "unmap", "expire"),
  message: fc.constantFrom<Message>("udp", "tcp", "echo"),
  host: fc.nat(3),
  port: fc.integer({ min: 1000, max: 1002 }),
  remote: fc.constantFrom(REMOTE, STRANGER),
  remotePort: fc.integer({ min: 1, max: 2 }),
  flags: fc.constantFrom(SYN, SYN | ACK, ACK, FIN | ACK, RST),
  /** Which of the external ends that are in use. */
  choice: fc.nat(20),
  later: fc.constantFrom(0, 10, 1000, 4000, 90_000),
})
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

interface Happened {
  readonly state: CgnState
  readonly changes: readonly Change[]
  readonly out: Out | undefined
}

/** A host's own port of a message: of one of its ports, echoes have the identifier 0. */
const portFor = (message: Message, port: number): number =>
  port === 1002 && (message === "echo" || message === "reply") ? 0 : port

const text = (ipv4: Mapping["external"]): string =>
  [6, 7].flatMap((i) => [ipv4.charCodeAt(i) >> 8, ipv4.charCodeAt(i) & 255]).join(".")

/**
 * The external end that a packet of a happening is for: one that somebody has, where somebody has one, and by its protocol.
 * None is hairpinned by an echo, which comes back by its sender's own identifier.
 */
const aimOf = (state: CgnState, { kind, choice, message }: Happening, now: number) => {
  const live = listMappings(state, now, 0, 1000).mappings
  const at = live[choice % Math.max(1, live.length)]
  const external = at === undefined ? EXTERNAL : text(at.external)
  const fits: Message = at === undefined ? "udp" : at.protocol === TCP ? "tcp" : at.protocol === UDP ? "udp" : "echo"
  const by =
    kind === "hairpin" ? (fits === "echo" ? "udp" : fits) : kind === "in" || kind === "in-error" ? fits : message
  return { external, externalPort: at?.externalPort ?? 300, message: by }
}

const answerTo = (message: Message): Message => (message === "echo" ? "reply" : message)

/** What comes of one, from a state. */
const happen = (kind: Kind, state: CgnState, one: Happening, now: number): Happened => {
  const { remote, remotePort, flags } = one
  const host = kind.hosts[one.host % kind.hosts.length]
  const { external, externalPort, message } = aimOf(state, one, now)
  const port = portFor(message, one.port)
  const inside = (bytes: Uint8Array) => translate(state, { bytes, now, side: "inside", realm: kind.comesWith(host) })
  const outside = (bytes: Uint8Array) => translate(state, { bytes, now, side: "outside" })
  const answer = answerTo(message)
  const request = { internal: address(host.address), internalPort: one.port, realm: subscriberRealm(host) }
  const protocol = message === "tcp" ? TCP : UDP
  switch (one.kind) {
    case "out":
      return inside(fromHost(kind, host, message, port, remotePort, remote, flags))
    case "hairpin":
      return inside(fromHost(kind, host, message, port, externalPort, external, flags))
    case "in":
      return outside(packetOf(answer, ends(remote, remotePort, external, externalPort), externalPort, flags))
    case "error": {
      const back = ends(kind.remote(remote), remotePort, host.address, port)
      return inside(kind.sends(host, errorOf(3, host.address, kind.remote(remote), packetOf(answer, back, port))))
    }
    case "in-error": {
      const there = ends(external, externalPort, remote, remotePort)
      return outside(errorOf(11, "192.0.2.1", external, packetOf(message, there, externalPort)))
    }
    case "expire":
      return { ...memoryCgn.expire(state, now, 100), out: undefined }
    case "unmap":
    case "map": {
      const lifetime = one.kind === "map" ? 100 : 0
      const asked =
        lifetime > 0
          ? map(state, { ...request, protocol, lifetime }, now)
          : memoryCgn.delMapping(state, { ...request, protocol, origin: "nat-pmp", nonce: undefined }, now)
      return asked.outcome === "refused" ? { state, changes: [], out: undefined } : { ...asked, out: undefined }
    }
  }
}

/** Changes and packets as text. Of what has run out by one instant, which goes first is open. */
const said = ({ kind }: Happening, { changes, out }: Happened): string => {
  const lines = changes.map((change) => JSON.stringify(change))
  return JSON.stringify([kind === "expire" ? lines.sort() : lines, out])
}

/** For each kind, with each of the settings: any happenings, from a state of their own. */
const forAll = (maxLength: number, hold: (kind: Kind, first: CgnState, happenings: readonly Happening[]) => void) => {
  for (const kind of KINDS)
    for (const given of SETTINGS)
      fc.assert(
        fc.property(fc.array(happening, { maxLength, size: "max" }), (happenings) => {
          hold(kind, cgnWith(settingsOf(kind, given)), happenings)
        }),
        RUNS,
      )
}

/** The IPv4 source that a host inside sees: the external end of a packet that was hairpinned. */
const seenBy = (kind: Kind, bytes: Uint8Array): { readonly address: string; readonly port: number } => {
  const inner = kind.name === "dslite" ? bytes.subarray(40) : bytes
  const four = inner[0] >> 4 === 4
  const at = four ? 20 : 40
  const source = four ? inner.subarray(12, 16) : inner.subarray(20, 24)
  return { address: source.join("."), port: (inner[at] << 8) | inner[at + 1] }
}

describe("NAPT44, NAT64, DS-Lite and layer-2 DS-Lite", () => {
  test("the changes, folded over the first state, give the last; and the last goes on like it", () => {
    forAll(40, (kind, first, happenings) => {
      let state = first
      let now = 0
      const changes: Change[] = []
      for (const one of happenings) {
        now += one.later
        const result = happen(kind, state, one, now)
        state = result.state
        changes.push(...result.changes)
      }
      const more = happenings.slice(0, 8)
      const goesOn = (from: CgnState) => [
        JSON.stringify(listMappings(from, now, 0, 1000)),
        ...more.map((one) => said(one, happen(kind, from, one, now))),
      ]
      const expected = goesOn(state)
      assert.deepEqual(goesOn(memoryCgn.apply(first, changes)), expected)
    })
  })

  test("no two live mappings of different internal ends have one external end", () => {
    forAll(40, (kind, first, happenings) => {
      let state = first
      let now = 0
      for (const one of happenings) {
        now += one.later
        state = happen(kind, state, one, now).state
        const owners = new Map<string, string>()
        for (const m of listMappings(state, now, 0, 1000).mappings) {
          const end = `${m.protocol} ${m.external} ${m.externalPort}`
          const owner = `${m.internal} ${m.internalPort} ${m.identifier} ${m.realm}`
          assert.equal(owners.get(end) ?? owner, owner)
          owners.set(end, owner)
        }
      }
    })
  })

  test("every state stays valid: from each, in any order, the same comes of the same as at first", () => {
    for (const kind of KINDS)
      fc.assert(
        fc.property(
          fc.array(happening, { maxLength: 30, size: "max" }),
          fc.array(fc.nat(29), { maxLength: 30, size: "max" }),
          (happenings, order) => {
            const runs: { state: CgnState; one: Happening; now: number; seen: string; list: string }[] = []
            const listed = (state: CgnState, now: number) => JSON.stringify(listMappings(state, now, 0, 1000))
            let state = cgnWith(settingsOf(kind, SETTINGS[1]))
            let now = 0
            for (const one of happenings) {
              now += one.later
              const result = happen(kind, state, one, now)
              runs.push({ state, one, now, seen: said(one, result), list: listed(state, now) })
              state = result.state
            }
            for (const i of order) {
              const run = runs[i]
              if (run === undefined) continue
              assert.equal(listed(run.state, run.now), run.list)
              assert.equal(said(run.one, happen(kind, run.state, run.one, run.now)), run.seen)
            }
          },
        ),
        RUNS,
      )
  })

  test("a packet out, then its answer in, gives back the ends that it had, to the host that sent it", () => {
    for (const kind of KINDS)
      fc.assert(
        fc.property(
          fc.array(
            fc.tuple(
              fc.constantFrom<Message>("udp", "tcp", "echo"),
              fc.constantFrom(...kind.hosts),
              fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.constant(1002)),
            ),
            { minLength: 1, maxLength: 30 },
          ),
          fc.integer({ min: 1, max: 65535 }),
          (flows, remotePort) => {
            let state = cgnWith(settingsOf(kind))
            const answers = flows.map(([message, host, number]) => {
              const port = portFor(message, number)
              const bytes = fromHost(kind, host, message, port, remotePort)
              const passed = translate(state, { bytes, now: 0, side: "inside", realm: kind.comesWith(host) })
              state = passed.state
              const { address: external, port: seen } = sourceOf(sent(passed.out, "outside"))
              assert.equal(external, EXTERNAL)
              const answer: Message = message === "echo" ? "reply" : message
              const back = packetOf(answer, ends(REMOTE, remotePort, external, seen), seen, SYN | ACK)
              return [back, toHost(kind, host, answer, port, remotePort), subscriberRealm(host)] as const
            })
            for (const [answer, expected, realm] of answers) {
              const { out, state: next } = translate(state, { bytes: answer, now: 0, side: "outside" })
              state = next
              isPacket(sent(out, "inside"), expected)
              assert.ok(out.kind === "forwarded" && out.realm === realm)
            }
          },
        ),
        RUNS,
      )
  })

  test("no packet crosses between subscribers: what comes in goes to whom its external end was last given", () => {
    forAll(40, (kind, first, happenings) => {
      let state = first
      let now = 0
      /** `protocol address:port` -> the host that has sent from there, or has it mapped, and its port. */
      const owners = new Map<string, { readonly host: Host; readonly port: number }>()
      for (const one of happenings) {
        now += one.later
        const { remote, remotePort, flags } = one
        const host = kind.hosts[one.host % kind.hosts.length]
        const { external, externalPort, message } = aimOf(state, one, now)
        const port = one.kind === "map" ? one.port : portFor(message, one.port)
        const protocol = PROTOCOL[message]
        const { out, changes, state: next } = happen(kind, state, one, now)
        state = next
        // A hairpinned packet that is filtered on its way in went out before, by a mapping that nobody else sees.
        for (const change of changes)
          if (change.type === "created" && (change.mapping.kind === "map" || one.kind === "hairpin")) {
            const { mapping } = change
            owners.set(`${mapping.protocol} ${text(mapping.external)}:${mapping.externalPort}`, { host, port })
          }
        if (out?.kind !== "forwarded") continue
        const [bytes] = out.packets
        if (one.kind === "out") {
          const seen = sourceOf(bytes)
          owners.set(`${protocol} ${seen.address}:${seen.port}`, { host, port })
        }
        if (one.kind !== "in" && one.kind !== "hairpin") continue
        const from = one.kind === "in" ? undefined : seenBy(kind, bytes)
        if (from !== undefined) owners.set(`${protocol} ${from.address}:${from.port}`, { host, port })
        const owner = owners.get(`${protocol} ${external}:${externalPort}`)
        assert.ok(owner !== undefined, `${kind.name}: it is nobody's`)
        assert.equal(out.realm, subscriberRealm(owner.host))
        if (from === undefined) {
          isPacket(bytes, toHost(kind, owner.host, answerTo(message), owner.port, remotePort, remote, flags))
          continue
        }
        const at = ends(kind.remote(from.address), from.port, owner.host.address, owner.port)
        isPacket(bytes, kind.gets(owner.host, packetOf(message, at, owner.port, flags, 63)))
      }
    })
  })
})
