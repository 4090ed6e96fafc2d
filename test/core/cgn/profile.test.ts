import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import {
  CGN_FLAGS,
  CGN_KINDS,
  type CgnProfile,
  type CreatedProfile,
  checkProfile,
  createProfile,
  PROFILES,
  wireProfileOf,
} from "../../../core/cgn/index.ts"

const ruleOf = (created: CreatedProfile): string | undefined => (created.ok ? undefined : created.error.rule)

describe("CGN profiles", () => {
  it("has libpcpd's 25 configuration flags: eight kinds and seventeen switches", () => {
    assert.equal(CGN_KINDS.length + CGN_FLAGS.length, 25)
    for (const kind of CGN_KINDS) assert.deepEqual(Object.keys(PROFILES[kind]), ["kind", ...CGN_FLAGS])
  })

  it("has the families of RFC 6887 section 10, figure 5, in the presets", () => {
    const families = (kind: CgnProfile["kind"]): string => {
      const { mapSource, mapInternal, mapExternal, mapDestination } = PROFILES[kind]
      return [mapSource, mapInternal, mapExternal, mapDestination].map(Number).join("")
    }
    assert.deepEqual(Object.fromEntries(CGN_KINDS.map((kind) => [kind, families(kind)])), {
      dslite: "0111",
      nat444: "1111",
      nat64: "0010",
      nat46: "1101",
      nptv6: "0000",
      firewall4: "1111",
      firewall6: "0000",
      l2dslite: "1111",
    })
  })

  it("freezes presets and what is made of them", () => {
    for (const kind of CGN_KINDS) {
      const created = createProfile(kind)
      assert.ok(created.ok)
      assert.deepEqual(created.profile, PROFILES[kind])
      assert.ok(Object.isFrozen(created.profile) && Object.isFrozen(PROFILES[kind]))
    }
    assert.ok(Object.isFrozen(PROFILES))
    const created = createProfile("nat444", { peer: false })
    assert.ok(created.ok && !created.profile.peer && PROFILES.nat444.peer)
  })

  it("names the rule that an inconsistent profile breaks", () => {
    const cases: readonly (readonly [string, CreatedProfile])[] = [
      ["port0-needs-other-protocols", createProfile("nat444", { port0: true })],
      ["one-to-one-needs-other-protocols", createProfile("nat444", { oneToOne: true })],
      ["one-to-one-needs-port0", createProfile("nat444", { otherProtocols: true, oneToOne: true })],
      ["firewall-excludes-peer", createProfile("firewall4", { peer: true })],
      ["firewall-maps-all-or-none", createProfile("firewall6", { mapExternal: true })],
      ["firewall-maps-all-or-none", createProfile("nat64", { firewall: true, peer: false })],
      ["b4-only-needs-third-party", createProfile("l2dslite", { thirdPartyB4Only: true })],
      ["zero-only-needs-third-party", createProfile("nat444", { thirdPartyZeroOnly: true })],
    ]
    for (const [rule, created] of cases) assert.equal(ruleOf(created), rule)
  })

  it("refuses what a file may hand in: another kind, another switch, another type", () => {
    assert.equal(ruleOf(createProfile(JSON.parse('"nat666"'))), "kind")
    assert.equal(ruleOf(createProfile(JSON.parse('"__proto__"'))), "kind")
    assert.equal(ruleOf(createProfile("nat444", JSON.parse('{"kind":"nat64"}'))), "flag")
    assert.equal(ruleOf(createProfile("nat444", JSON.parse('{"__proto__":true}'))), "flag")
    assert.equal(ruleOf(createProfile("nat444", JSON.parse('{"peer":1}'))), "flag")
  })

  it("gives no profile that breaks a rule, whatever the switches", () => {
    const switches = fc.record(Object.fromEntries(CGN_FLAGS.map((flag) => [flag, fc.boolean()])), { requiredKeys: [] })
    fc.assert(
      fc.property(fc.constantFrom(...CGN_KINDS), switches, (kind, overrides) => {
        const created = createProfile(kind, overrides)
        const p: CgnProfile = { ...PROFILES[kind], ...overrides }
        const mapped = [p.mapSource, p.mapInternal, p.mapExternal, p.mapDestination].filter(Boolean).length
        const sound =
          (!p.port0 || p.otherProtocols) &&
          (!p.oneToOne || (p.otherProtocols && p.port0)) &&
          (!p.firewall || (!p.peer && mapped % 4 === 0)) &&
          (!(p.thirdPartyB4Only || p.thirdPartyZeroOnly) || p.thirdParty)
        assert.equal(created.ok, sound)
        if (created.ok) assert.deepEqual(created.profile, p)
        assert.equal(checkProfile(p) === undefined, sound)
      }),
    )
  })

  it("says to validate what the device is and offers", () => {
    const wire = wireProfileOf(PROFILES.nat64, { role: "request", maxLifetime: 7200 })
    const { clientFamily, internalFamily, externalFamily, remoteFamily, opcodes, options } = wire
    assert.deepEqual([clientFamily, internalFamily, externalFamily, remoteFamily], ["ipv6", "ipv6", "ipv4", "ipv6"])
    assert.deepEqual(
      [opcodes, options],
      [
        [0, 1, 2],
        [2, 3],
      ],
    )
    assert.deepEqual([wire.role, wire.minLifetime, wire.maxLifetime], ["request", 120, 7200])
    assert.deepEqual(wireProfileOf(PROFILES.firewall6).opcodes, [0, 1])
    assert.deepEqual(wireProfileOf(PROFILES.dslite).options, [1, 2, 3])
    const { otherProtocols, port0, protocol0 } = wireProfileOf(PROFILES.nptv6)
    assert.deepEqual([otherProtocols, port0, protocol0], [true, true, true])
  })
})
