/** What the profile makes of the server (libpcpd's flags), and the threat models of RFC 6887 section 18. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type CgnProfile, createProfile, PROFILES } from "../../../core/cgn/index.ts"
import { createServer, DEFAULT_SETTINGS } from "../../../core/server/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import {
  address,
  announce,
  filter,
  map,
  natPmpMap,
  octets,
  POOL,
  peer,
  preferFailure,
  profileWith,
  Scene,
  THIRD_PARTY,
  thirdParty,
} from "./scene.ts"
import { Stub } from "./stub.ts"

const MALFORMED_REQUEST = 3
const UNSUPP_OPCODE = 4
const UNSUPP_OPTION = 5
const MALFORMED_OPTION = 6
const UNSUPP_PROTOCOL = 9
const CANNOT_PROVIDE_EXTERNAL = 11

const CLIENT6 = "20010db8000000000000000000000001"
const SOURCE6 = "2001:db8::1"
const REMOTE6 = "0064ff9b000000000000000000000001"
const profileOf = (made: ReturnType<typeof createProfile>): CgnProfile => {
  assert.ok(made.ok)
  return made.profile
}

describe("opcodes", () => {
  it("S-40 S-60 S-81 are served as the profile says, else UNSUPP_OPCODE", () => {
    for (const [off, bytes] of [
      ["map", map()],
      ["peer", peer()],
      ["announce", announce()],
    ] as const) {
      assert.equal(new Stub({}, { profile: profileWith({ [off]: false }) }).send(bytes).result, UNSUPP_OPCODE)
      assert.equal(new Stub().send(bytes).result, 0)
    }
    // A firewall has no PEER.
    assert.equal(new Stub({}, { profile: PROFILES.firewall4 }).send(peer()).result, UNSUPP_OPCODE)
  })

  it("a profile that breaks a rule makes no server", () => {
    const made = createServer({
      external: POOL.map(address),
      secret: new Uint8Array(32),
      now: 0,
      profile: { ...PROFILES.nat444, port0: true },
    })
    assert.deepEqual(made.ok ? "made" : made.error.code, "bad-profile")
  })
})

describe("protocols and ports", () => {
  it("S-43 other protocols, port 0 and 1:1 are UNSUPP_PROTOCOL unless the profile has each", () => {
    const asks = {
      tcp: map({ protocol: 6 }),
      sctp: map({ protocol: 132 }),
      gre: map({ protocol: 47, port: 0 }),
      all: map({ port: 0 }),
      host: map({ protocol: 0, port: 0 }),
    }
    const results = (profile: CgnProfile) =>
      Object.entries(asks).flatMap(([name, bytes]) =>
        new Stub({}, { profile }).send(bytes).result === 0 ? [name] : [],
      )
    assert.deepEqual(results(PROFILES.nat444), ["tcp"])
    assert.deepEqual(results(profileWith({ otherProtocols: true })), ["tcp", "sctp"])
    assert.deepEqual(results(profileWith({ otherProtocols: true, port0: true })), ["tcp", "sctp", "gre", "all"])
    const whole = { otherProtocols: true, port0: true, oneToOne: true }
    assert.deepEqual(results(profileWith(whole)), ["tcp", "sctp", "gre", "all", "host"])
    assert.equal(new Stub().send(asks.host).result, UNSUPP_PROTOCOL)
  })

  it("S-43 protocol 0 with a port is MALFORMED_REQUEST whatever the profile, in deletions too; PEER's protocols go by it", () => {
    for (const profile of [PROFILES.nat444, profileWith({ otherProtocols: true, port0: true, oneToOne: true })])
      for (const lifetime of [7200, 0])
        assert.equal(new Stub({}, { profile }).send(map({ protocol: 0, lifetime })).result, MALFORMED_REQUEST)
    assert.equal(new Stub().send(peer({ protocol: 132 })).result, UNSUPP_PROTOCOL)
    assert.equal(
      new Stub({}, { profile: profileWith({ otherProtocols: true }) }).send(peer({ protocol: 132 })).result,
      0,
    )
  })

  it("S-132 deletions need none of it: what can't be there is deleted already", () => {
    for (const bytes of [
      map({ protocol: 47, lifetime: 0 }),
      map({ port: 0, lifetime: 0 }),
      map({ protocol: 0, port: 0, lifetime: 0 }),
    ])
      assert.equal(new Scene().send(bytes).result, 0)
  })
})

describe("address families (RFC 6887 section 10)", () => {
  it("S-63 the remote peer of PEER has the family in which the client sees it", () => {
    const nat64 = new Stub({}, { profile: PROFILES.nat64 })
    const from6 = { client: CLIENT6, suggested: "0.0.0.0" }
    assert.equal(nat64.send(peer({ ...from6, remote: REMOTE6 }), SOURCE6).result, 0)
    for (const remote of ["198.51.100.7", "0".repeat(32), `${"0".repeat(31)}1`, `ff${"0".repeat(29)}1`])
      assert.equal(nat64.send(peer({ ...from6, remote }), SOURCE6).result, MALFORMED_REQUEST, remote)
    assert.equal(new Stub().send(peer({ remote: REMOTE6 })).result, MALFORMED_REQUEST)
  })

  it("S-122 FILTER has prefix lengths 96 to 128 with IPv4, 1 to 128 with IPv6, and the family of remote peers", () => {
    const results = (profile: CgnProfile, remote: string, client: string, source: string) =>
      [1, 33, 64, 95, 96, 128, 129].map(
        (length) => new Stub({}, { profile }).send(map({ client, options: filter(length, 0, remote) }), source).result,
      )
    const bad = MALFORMED_OPTION
    assert.deepEqual(results(PROFILES.nat444, "198.51.100.1", "10.0.0.1", "10.0.0.1"), [bad, bad, bad, bad, 0, 0, bad])
    assert.deepEqual(results(PROFILES.nat64, REMOTE6, CLIENT6, SOURCE6), [0, 0, 0, 0, 0, 0, bad])
    assert.deepEqual(results(PROFILES.nat444, REMOTE6, "10.0.0.1", "10.0.0.1"), new Array(7).fill(bad))
    assert.deepEqual(results(PROFILES.nat64, "198.51.100.1", CLIENT6, SOURCE6), new Array(7).fill(bad))
  })

  it("S-121 FILTER with prefix length 0 is any family's, its address not looked at", () => {
    for (const remote of ["0.0.0.0", REMOTE6])
      assert.equal(new Stub().send(map({ options: filter(0, 0, remote) })).result, 0)
  })

  it("N-03 NAT-PMP is for IPv4 hosts: an IPv6 one is refused, result 2", () => {
    const nat64 = new Stub({}, { profile: PROFILES.nat64 })
    assert.deepEqual([...nat64.reply(natPmpMap(1, 4000, 0, 60), SOURCE6)].slice(0, 4), [0, 129, 0, 2])
    assert.deepEqual([...nat64.reply([0, 0], SOURCE6)].slice(0, 4), [0, 128, 0, 2])
    assert.deepEqual(nat64.asks, [])
  })

  it("hosts behind a DS-Lite B4 are in the realm of its IPv6 address, and its address is where updates go", () => {
    const stub = new Stub({}, { profile: PROFILES.dslite, threatModel: "advanced" })
    assert.equal(stub.send(map({ client: CLIENT6, options: thirdParty("10.0.0.7") }), SOURCE6).result, 0)
    const { internal, realm, requester } = stub.mapAsk
    assert.deepEqual([formatAddress(internal), realm, requester], ["10.0.0.7", address(SOURCE6), address(SOURCE6)])
  })
})

describe("a firewall", () => {
  it("S-47 S-50 asks for the internal end as the external one, whatever is suggested", () => {
    const stub = new Stub({}, { profile: PROFILES.firewall4 })
    assert.equal(stub.send(map({ suggested: "203.0.113.9", suggestedPort: 9 })).result, 0)
    const { suggested, suggestedPort } = stub.mapAsk
    assert.deepEqual([formatAddress(suggested), suggestedPort], ["10.0.0.1", 4000])
  })

  it("S-50 answers PREFER_FAILURE for another end with CANNOT_PROVIDE_EXTERNAL", () => {
    const firewall = new Stub({}, { profile: PROFILES.firewall4 })
    const options = preferFailure()
    const ask = (suggested: string, suggestedPort: number) =>
      firewall.send(map({ suggested, suggestedPort, options })).result
    assert.equal(ask("203.0.113.9", 4000), CANNOT_PROVIDE_EXTERNAL)
    assert.equal(ask("10.0.0.1", 4001), CANNOT_PROVIDE_EXTERNAL)
    assert.equal(ask("10.0.0.1", 4000), 0)
    assert.equal(ask("0.0.0.0", 4000), 0)
  })
})

describe("THIRD_PARTY and the threat models (RFC 6887 sections 13.1 and 18)", () => {
  const ask = map({ options: thirdParty("10.0.0.7") })

  it("B-10 S-101 S-102 needs the profile and the advanced threat model both: the simple one is the default", () => {
    assert.equal(DEFAULT_SETTINGS.threatModel, "simple")
    assert.equal(DEFAULT_SETTINGS.profile.thirdParty, false)
    assert.equal(new Stub().send(ask).result, UNSUPP_OPTION)
    assert.equal(new Stub({}, { profile: profileWith({ thirdParty: true }) }).send(ask).result, UNSUPP_OPTION)
    assert.equal(new Stub({}, { threatModel: "advanced" }).send(ask).result, UNSUPP_OPTION)
    assert.equal(new Stub({}, THIRD_PARTY).send(ask).result, 0)
  })

  it("S-44 S-131 keeps nonces and the floor under the simple model and the advanced one", () => {
    for (const options of [{}, THIRD_PARTY]) {
      const scene = new Scene(options)
      scene.send(map({ lifetime: 600 }))
      const stolen = scene.send(map({ nonce: new Array(12).fill(9), lifetime: 0 }))
      assert.deepEqual([stolen.result, stolen.lifetime], [2, 600])
      scene.outbound("10.0.0.1", 17, 4000)
      assert.equal(scene.send(map({ lifetime: 0 })).lifetime, 300)
    }
  })

  it("S-101 can be for 192.0.0.2 alone, the B4's own address", () => {
    const profile = profileOf(createProfile("nat444", { thirdParty: true, thirdPartyB4Only: true }))
    const stub = new Stub({}, { profile, threatModel: "advanced" })
    assert.equal(stub.send(ask).result, UNSUPP_OPTION)
    assert.equal(stub.send(map({ client: "192.0.0.2", options: thirdParty("10.0.0.7") }), "192.0.0.2").result, 0)
  })

  it("S-101 can be for the all-zeros address alone, which is the source itself, and is echoed", () => {
    const profile = profileOf(createProfile("nat444", { thirdParty: true, thirdPartyZeroOnly: true }))
    const stub = new Stub({}, { profile, threatModel: "advanced" })
    assert.equal(stub.send(ask).result, UNSUPP_OPTION)
    const reply = stub.reply(map({ options: thirdParty("0.0.0.0") }))
    assert.deepEqual([...reply.subarray(60)], [1, 0, 0, 16, ...octets("0.0.0.0")])
    assert.equal(stub.mapAsk.internal, address("10.0.0.1"))
    assert.equal(stub.mapAsk.requester, address("10.0.0.1"))
    // Without that, zero is nobody's address.
    assert.equal(new Stub({}, THIRD_PARTY).send(map({ options: thirdParty("0.0.0.0") })).result, MALFORMED_OPTION)
  })
})

describe("the kinds over the in-memory CGN", () => {
  it("S-103 DS-Lite hosts with the same address behind two B4s are two hosts", () => {
    const scene = new Scene({ profile: PROFILES.dslite, threatModel: "advanced" })
    const ask = (source: string, client: string, more: Parameters<typeof map>[0] = {}) =>
      scene.send(map({ client, options: thirdParty("10.0.0.7"), ...more }), source)
    const other = "20010db8000000000000000000000002"
    const first = ask(SOURCE6, CLIENT6)
    const second = ask("2001:db8::2", other, { nonce: new Array(12).fill(5) })
    assert.deepEqual([first.result, second.result], [0, 0])
    assert.notDeepEqual([first.external, first.externalPort], [second.external, second.externalPort])
    assert.deepEqual(
      scene.mappings.map(({ realm }) => realm),
      [address(SOURCE6), address("2001:db8::2")],
    )
    // Each B4 deletes its own alone.
    assert.equal(ask(SOURCE6, CLIENT6, { lifetime: 0 }).result, 0)
    assert.deepEqual(
      scene.mappings.map(({ realm }) => realm),
      [address("2001:db8::2")],
    )
  })

  it("S-48 NAT64 gives IPv6 hosts IPv4 ends, and PEER its IPv6 remote peers", () => {
    const scene = new Scene({ profile: PROFILES.nat64 })
    const made = scene.send(map({ client: CLIENT6 }), SOURCE6)
    assert.equal(made.result, 0)
    assert.ok(POOL.some((text) => octets(text).join() === made.external.join()))
    assert.equal(scene.send(peer({ client: CLIENT6, port: 4001, remote: REMOTE6 }), SOURCE6).result, 0)
    assert.equal(scene.send(map()).result, 2)
  })
})
