/** What a profile makes of packets: `validate` with each kind's profile, and the same as the server does with it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { Cgn, CgnDone } from "../../../core/cgn/index.ts"
import {
  CGN_KINDS,
  type CgnKind,
  type CgnProfile,
  createProfile,
  PROFILES,
  wireProfileOf,
} from "../../../core/cgn/index.ts"
import { createServerOver, process } from "../../../core/server/index.ts"
import {
  type Address,
  type Finding,
  parseAddress,
  RESULTS,
  ResultCode,
  validate,
  type WireProfile,
} from "../../../core/wire/index.ts"
import { announce, type Fields, filter, map, option, peer, preferFailure, thirdParty } from "../server/scene.ts"

const V4 = "10.0.0.1"
const V6 = "20010db8000100000000000000000007"
const ZERO = "0".repeat(32)

const address = (text: string): Address => {
  const parsed = parseAddress(text.includes(".") ? text : (text.match(/.{4}/g) ?? []).join(":"))
  assert.ok(parsed !== undefined, text)
  return parsed
}

const profileOf = (kind: CgnKind, overrides: Partial<Omit<CgnProfile, "kind">> = {}): CgnProfile => {
  const made = createProfile(kind, overrides)
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  return made.profile
}

const codes = (findings: readonly Finding[], severity = "error"): string[] =>
  findings.filter((finding) => finding.severity === severity).map(({ code }) => code)

const errors = (profile: CgnProfile, bytes: readonly number[], known: Partial<WireProfile> = {}): string[] =>
  codes(validate(Uint8Array.from(bytes), wireProfileOf(profile, known)))

/** A faultless MAP for a kind, and PEER; `fields` over it. */
const fieldsFor = ({ mapSource, mapExternal, mapDestination }: CgnProfile): Fields => ({
  client: mapSource ? V4 : V6,
  suggested: mapExternal ? "0.0.0.0" : ZERO,
  remote: mapDestination ? "198.51.100.7" : "20010db8ffff00000000000000000001",
})

const kindsWhere = (test: (profile: CgnProfile) => boolean): CgnKind[] =>
  CGN_KINDS.filter((kind) => test(PROFILES[kind]))

describe("validate with the profile of each kind", () => {
  test("a MAP, a PEER and an ANNOUNCE of its families have no fault, but PEER at a firewall", () => {
    for (const kind of CGN_KINDS) {
      const profile = PROFILES[kind]
      assert.deepEqual(errors(profile, map(fieldsFor(profile))), [], kind)
      assert.deepEqual(errors(profile, announce(fieldsFor(profile))), [], kind)
      assert.deepEqual(errors(profile, peer(fieldsFor(profile))), profile.firewall ? ["opcode-disabled"] : [], kind)
    }
  })

  test("S-40 S-60 S-80 a switch that is off makes its opcode a fault", () => {
    const off = profileOf("nat444", { announce: false, map: false, peer: false })
    for (const request of [map(), peer(), announce()]) assert.deepEqual(errors(off, request), ["opcode-disabled"])
  })

  test("RFC 6887 10: the client's, the external and the remote address have the kind's families", () => {
    const faulty = (field: keyof Fields, value: (profile: CgnProfile) => string, code: string, severity = "error") =>
      CGN_KINDS.filter((kind) => {
        const profile = PROFILES[kind]
        const bytes = peer({ ...fieldsFor(profile), [field]: value(profile) })
        return codes(validate(Uint8Array.from(bytes), wireProfileOf(profile)), severity).includes(code)
      })
    assert.deepEqual(
      faulty("client", () => V4, "client-family"),
      ["dslite", "nat64", "nptv6", "firewall6"],
    )
    assert.deepEqual(
      faulty("client", () => V6, "client-family"),
      ["nat444", "nat46", "firewall4", "l2dslite"],
    )
    const v6 = kindsWhere(({ mapExternal }) => !mapExternal)
    assert.deepEqual(v6, ["nat46", "nptv6", "firewall6"])
    assert.deepEqual(
      faulty("suggested", () => "203.0.113.1", "external-family", "warning"),
      v6,
    )
    assert.deepEqual(
      faulty("suggested", () => "0.0.0.0", "zero-form", "warning"),
      v6,
    )
    assert.deepEqual(
      faulty("remote", () => "198.51.100.7", "remote-family"),
      ["nat64", "nptv6", "firewall6"],
    )
  })

  test("S-122 FILTER's prefix lengths are those of the destination mapping", () => {
    for (const kind of CGN_KINDS) {
      const profile = PROFILES[kind]
      const remote = profile.mapDestination ? "198.51.100.0" : "20010db8ffff00000000000000000000"
      const wrong = [...Array(256).keys()].filter((length) => {
        const options = filter(length, 0, remote)
        return errors(profile, map({ ...fieldsFor(profile), options })).includes("filter-prefix")
      })
      const least = profile.mapDestination ? 96 : 1
      const right = (length: number) => length === 0 || (length >= least && length <= 128)
      assert.deepEqual(
        wrong,
        [...Array(256).keys()].filter((length) => !right(length)),
        kind,
      )
    }
    // libpcpd's rule: a length of 33 is no IPv4 host's and no IPv4-mapped prefix's, whatever the address says.
    const v6 = filter(33, 0, "20010db8000000000000000000000000")
    assert.deepEqual(errors(PROFILES.nat444, map({ options: v6 })), ["filter-prefix", "remote-family"])
    assert.deepEqual(errors(PROFILES.nat64, map({ ...fieldsFor(PROFILES.nat64), options: v6 })), [])
  })

  test("S-43 protocols, port 0 and whole hosts only where the profile has them", () => {
    const faultOf = (profile: CgnProfile, protocol: number, port: number): string =>
      errors(profile, map({ ...fieldsFor(profile), protocol, port })).join()
    const table = (profile: CgnProfile): string[] => [
      faultOf(profile, 132, 5000),
      faultOf(profile, 1, 0),
      faultOf(profile, 6, 0),
      faultOf(profile, 0, 0),
    ]
    assert.deepEqual(table(PROFILES.nat444), ["protocol", "protocol,all-ports", "all-ports", "all-protocols"])
    assert.deepEqual(table(profileOf("nat444", { otherProtocols: true })), [
      "",
      "all-ports",
      "all-ports",
      "all-protocols",
    ])
    const port0 = profileOf("nat444", { otherProtocols: true, port0: true })
    assert.deepEqual(table(port0), ["", "", "", "all-protocols"])
    assert.deepEqual(table(PROFILES.nptv6), ["", "", "", ""])
    assert.deepEqual(table(PROFILES.firewall4), ["", "", "", ""])
  })

  test("a firewall has one end: a suggestion is noted, PREFER_FAILURE of another is a fault, and so is an answer", () => {
    const profile = PROFILES.firewall4
    const known = wireProfileOf(profile, { source: address(V4) })
    const at = (bytes: readonly number[], severity: string) => codes(validate(Uint8Array.from(bytes), known), severity)
    assert.deepEqual(at(map({ suggestedPort: 4001 }), "note"), ["firewall-end"])
    assert.deepEqual(at(map({ suggested: "10.0.0.9" }), "note"), ["firewall-end"])
    assert.deepEqual(at(map({ suggestedPort: 4000, suggested: V4 }), "note"), [])
    assert.deepEqual(at(map({ suggestedPort: 4001, options: preferFailure() }), "error"), ["firewall-end"])
    assert.deepEqual(at(map({ suggestedPort: 4000, options: preferFailure() }), "error"), [])
    const answer = (fields: Fields) => {
      const bytes = map({ client: "0.0.0.0", ...fields })
      bytes[1] |= 0x80
      return bytes.fill(0, 8, 24)
    }
    assert.deepEqual(at(answer({ suggested: V4, suggestedPort: 4000 }), "error"), [])
    assert.deepEqual(at(answer({ suggested: V4, suggestedPort: 4001 }), "error"), ["firewall-end"])
    assert.deepEqual(at(answer({ suggested: "10.0.0.9", suggestedPort: 4000 }), "error"), ["firewall-end"])
    assert.deepEqual(at(answer({ suggested: V4, suggestedPort: 4001, lifetime: 0 }), "error"), [])
  })

  test("S-101 THIRD_PARTY where it is off, and its two restrictions", () => {
    const known = { source: address(V4) }
    const fault = (overrides: Partial<CgnProfile>, third: string, client = V4): string[] =>
      errors(profileOf("l2dslite", overrides), map({ client, options: thirdParty(third) }), {
        ...known,
        source: address(client),
      })
    assert.deepEqual(fault({}, "10.0.0.2"), ["option-disabled"])
    const on = { thirdParty: true }
    assert.deepEqual(fault(on, "10.0.0.2"), [])
    assert.deepEqual(fault(on, V4), ["third-party-self"])
    assert.deepEqual(fault({ ...on, thirdPartyB4Only: true }, "10.0.0.2"), ["option-disabled"])
    assert.deepEqual(fault({ ...on, thirdPartyB4Only: true }, "10.0.0.2", "192.0.0.2"), [])
    assert.deepEqual(fault({ ...on, thirdPartyZeroOnly: true }, "10.0.0.2"), ["third-party-nonzero"])
    assert.deepEqual(fault({ ...on, thirdPartyZeroOnly: true }, "0.0.0.0"), [])
    assert.deepEqual(fault({ ...on, thirdPartyZeroOnly: true }, ZERO), [])
  })
})

const done: CgnDone<null> = {
  outcome: "ok",
  state: null,
  external: address("203.0.113.1"),
  externalPort: 1,
  lifetime: 600,
  changes: [],
  ports: 1,
  description: undefined,
}

/** A CGN that grants everything: what the server over it refuses, it refuses for the packet's sake. */
const yesCgn: Cgn<null> = {
  getSubscriber: () => ({ code: ResultCode.SUCCESS, epochStart: undefined }),
  authorize: () => ResultCode.SUCCESS,
  addMapping: () => done,
  delMapping: () => done,
  delMappings: () => ({ state: null, complete: true, changes: [] }),
  addDynamic: () => done,
  filter: () => done,
  externalAddress: () => done.external,
  supports: () => true,
  expire: () => ({ state: null, changes: [], next: undefined }),
  apply: () => null,
}

const ADDRESSES = [
  V4,
  V6,
  "0.0.0.0",
  ZERO,
  "192.0.0.2",
  "198.51.100.7",
  "20010db8ffff00000000000000000001",
  "224.0.0.1",
]
const hosts = fc.constantFrom(...ADDRESSES)
const ports = fc.constantFrom(0, 1, 4000, 65535)

const anyOption = fc.oneof(
  hosts.map(thirdParty),
  fc.constant(preferFailure()),
  fc
    .tuple(fc.oneof(fc.constantFrom(0, 1, 33, 95, 96, 128, 129, 255), fc.nat(255)), ports, hosts)
    .map(([length, port, remote]) => filter(length, port, remote)),
  fc.constantFrom(
    ...[1, 2, 3, 4, 126, 200].flatMap((code) => [0, 4, 16, 20].map((n) => option(code, Array(n).fill(0)))),
  ),
)

const anyProfile = fc
  .tuple(
    fc.constantFrom(...CGN_KINDS),
    fc.record(
      {
        announce: fc.boolean(),
        map: fc.boolean(),
        peer: fc.boolean(),
        otherProtocols: fc.boolean(),
        port0: fc.boolean(),
        oneToOne: fc.boolean(),
        thirdParty: fc.boolean(),
        thirdPartyB4Only: fc.boolean(),
        thirdPartyZeroOnly: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([kind, overrides]) => createProfile(kind, overrides))
  .filter((made) => made.ok)
  .map(({ profile }) => profile)

const FIELDS = ["client", "lifetime", "protocol", "port", "suggestedPort", "suggested", "remotePort", "remote"] as const

const request = fc
  .record({
    build: fc.constantFrom(map, map, map, peer, peer, announce),
    profile: anyProfile,
    fields: fc.record({
      client: hosts,
      lifetime: fc.constantFrom(0, 7200),
      protocol: fc.constantFrom(0, 1, 6, 17, 132),
      port: ports,
      suggestedPort: ports,
      suggested: hosts,
      remotePort: ports,
      remote: hosts,
    }),
    options: fc.array(anyOption, { maxLength: 3 }),
    odd: fc.subarray([...FIELDS], { maxLength: 2 }),
    source: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, hosts),
    cut: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(40)),
  })
  .map(({ build, profile, fields, odd, options, source, cut }) => {
    const few = Object.fromEntries(Object.entries(fields).filter(([name]) => odd.some((field) => field === name)))
    const all: Fields = { ...fieldsFor(profile), ...few, options: options.flat() }
    const bytes = Uint8Array.from(build(all))
    return { bytes: bytes.subarray(0, bytes.length - cut), profile, source: address(source ?? all.client ?? V4) }
  })

/** Faults that only say what a CGN would answer, which the one that grants everything does not. */
const NOT_THE_PACKETS = new Set(["client-address", "client-family", "internal-family", "third-party-address"])

/** Result codes that a finding's text names. */
const named = (finding: Finding): number[] =>
  RESULTS.flatMap(({ name }, code) => (new RegExp(`\\b${name}\\b`).test(finding.text) ? [code] : []))

test("S-10 S-32 S-34 S-43 S-61 S-122 validate and the server with one profile see the same faults in any request", () => {
  const counts = { good: 0, refused: 0 }
  fc.assert(
    fc.property(request, ({ bytes, profile, source }) => {
      const made = createServerOver(yesCgn, null, 0, { profile, threatModel: "advanced" })
      assert.ok(made.ok, made.ok ? "" : made.error.text)
      const [, { reply }] = process(made.state, { bytes, now: 0, source, sourcePort: 40000 })
      const result = reply?.[3]
      const found = validate(bytes, wireProfileOf(profile, { role: "request", source }))
      const faults = found.filter(({ severity, code }) => severity === "error" && !NOT_THE_PACKETS.has(code))
      const told = faults.map(({ code, text }) => `${code}: ${text}`).join("\n")
      if (result === 0) {
        counts.good++
        assert.deepEqual(faults, [], told)
        return
      }
      counts.refused++
      assert.ok(faults.length > 0, `result ${result}, and no fault found`)
      // A fault that names its result code names one that the server gives, unless another fault came first.
      const names = faults.flatMap(named)
      if (names.length === faults.length)
        assert.ok(result !== undefined && names.includes(result), `${result}, not:\n${told}`)
    }),
    { numRuns: 5000 },
  )
  assert.ok(counts.good > 100 && counts.refused > 1000, JSON.stringify(counts))
})
