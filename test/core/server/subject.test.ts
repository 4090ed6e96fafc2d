import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { createProfile } from "../../../core/cgn/index.ts"
import { DEFAULT_SETTINGS, process, type ServerSettings, subjectOf } from "../../../core/server/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { address, map, natPmpMap, option, peer, profileWith, Scene, THIRD_PARTY, thirdParty } from "./scene.ts"

const plain: ServerSettings = DEFAULT_SETTINGS
const trusted: ServerSettings = {
  ...DEFAULT_SETTINGS,
  threatModel: "advanced",
  profile: profileWith({ thirdParty: true }),
  thirdPartyIds: new Map([["0a0b", address("2001:db8::1")]]),
}

const subject = (settings: ServerSettings, bytes: readonly number[], source = "10.0.0.1"): string => {
  const { internal, realm } = subjectOf(settings, { bytes: Uint8Array.from(bytes), source: address(source) })
  return formatAddress(internal) + (realm === undefined ? "" : ` in ${formatAddress(realm)}`)
}

describe("whom a request is about", () => {
  it("is the source, or with THIRD_PARTY the host that it names, where that is served", () => {
    const named = { options: thirdParty("10.0.0.9") }
    for (const request of [map(), peer(), natPmpMap(1, 80, 80, 60), [], [2], [2, 1]])
      assert.equal(subject(trusted, request), "10.0.0.1")
    for (const request of [map(named), peer(named), map({ ...named, lifetime: 0 })]) {
      assert.equal(subject(trusted, request), "10.0.0.9")
      assert.equal(subject(plain, request), "10.0.0.1", "refused: UNSUPP_OPTION")
    }
    const twice = { options: [...named.options, ...named.options] }
    assert.equal(subject(trusted, map(twice)), "10.0.0.1", "refused: MALFORMED_OPTION")
  })

  it("is in the realm that THIRD_PARTY_ID names (RFC 7843), or the B4 in DS-Lite (RFC 6333)", () => {
    const options = [...thirdParty("10.0.0.9"), ...option(13, [10, 11])]
    assert.equal(subject(trusted, map({ options })), "10.0.0.9 in 2001:db8::1")
    const dslite = createProfile("dslite", {})
    assert.ok(dslite.ok)
    const b4 = { ...DEFAULT_SETTINGS, profile: dslite.profile }
    assert.equal(subject(b4, map(), "2001:db8::7"), "2001:db8::7 in 2001:db8::7")
  })

  it("is the host of each mapping that an answer makes, and never throws", () => {
    const octet = fc.integer({ min: 0, max: 255 })
    const options = fc.oneof(
      fc.constantFrom("10.0.0.9", "10.0.0.2").map(thirdParty),
      fc.constant(option(3, [0, 0, 0, 0, ...new Array<number>(16).fill(0)])),
      fc.array(octet, { maxLength: 24 }),
    )
    const request = fc.oneof(
      fc.array(options, { maxLength: 2 }).map((list) => map({ options: list.flat() })),
      fc.array(options, { maxLength: 2 }).map((list) => peer({ options: list.flat() })),
      fc.array(octet, { maxLength: 100 }),
    )
    const { state } = new Scene(THIRD_PARTY)
    fc.assert(
      fc.property(request, (octets) => {
        const bytes = Uint8Array.from(octets)
        const source = address("10.0.0.1")
        const { internal } = subjectOf(state.settings, { bytes, source })
        const [, { changes }] = process(state, { bytes, source, sourcePort: 4, now: 0 })
        for (const change of changes) if (change.type === "created") assert.equal(change.mapping.internal, internal)
      }),
    )
  })
})
