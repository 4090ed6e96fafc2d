/** Peers behind a NAT64 and behind a DS-Lite AFTR, and peers behind firewalls, over links that lose, repeat and reorder. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  type CgnProfile,
  type CgnState,
  createCgn,
  createFirewall,
  type FirewallState,
  firewallCgn,
  listMappings,
  listPinholes,
  memoryCgn,
  PROFILES,
  type TranslationSettings,
  translate,
  translateFirewall,
} from "../../../../core/cgn/index.ts"
import { createServerOver } from "../../../../core/server/index.ts"
import { filter, thirdParty } from "../../server/scene.ts"
import { address } from "../packet/scene.ts"
import { digits } from "../stage.ts"
import { AFTR, embedded } from "../translate/kinds.ts"
import { B4 } from "./b4.ts"
import { Backbone, Gateway } from "./gateway.ts"
import { Host, plain } from "./host.ts"
import { type LinkSettings, Network, WIRE } from "./network.ts"
import { attach, bytesOf, type End, HOUR, learn, mapPort, rendezvous, shown, talk } from "./peers.ts"

/** Fewer losses than between hosts that send no fragments: of a packet in two, both must come through. */
const BAD: LinkSettings = { delay: [5, 400], loss: 10, twice: 10 }

const gateway = (
  network: Network,
  own: string,
  external: string,
  profile: CgnProfile,
  translation: Partial<TranslationSettings>,
): Gateway<CgnState> => {
  const made = createCgn({
    external: [address(`::ffff:${external}`)],
    ports: { first: 1024, last: 65535 },
    quota: 16,
    filterLimit: 4,
    idleTimeout: { udp: 300, tcp: 7440 },
    internalFamily: profile.mapInternal ? "ipv4" : "ipv6",
    translation: { filtering: "address-and-port-dependent", ...translation },
    secret: Uint8Array.from({ length: 32 }, () => network.random.below(256)),
    now: network.now,
  })
  assert.ok(made.ok)
  const server = createServerOver(memoryCgn, made.state, network.now, { profile, threatModel: "advanced" })
  assert.ok(server.ok)
  return new Gateway(network, own, server.state, translate)
}

const firewall = (network: Network, own: string): Gateway<FirewallState> => {
  const made = createFirewall({ family: "ipv6", secret: new Uint8Array(32).fill(4), now: network.now })
  assert.ok(made.ok)
  const server = createServerOver(firewallCgn, made.state, network.now, { profile: PROFILES.firewall6 })
  assert.ok(server.ok)
  return new Gateway(network, own, server.state, translateFirewall)
}

const live = (box: Gateway<CgnState>, state: CgnState, now: number) => {
  assert.ok(box.changes.length > 0)
  return shown(listMappings(state, now, 0, 1000).mappings)
}

const IN_HOME = "10.0.0.7"

/** A NAT64's host, and two homes behind one AFTR whose hosts have the same address. */
const twoWorlds = (seed: number, settings: LinkSettings) => {
  const network = new Network(seed)
  const backbone = new Backbone()
  const prefix = { address: address("2001:db8:64::"), prefixLength: 96 }
  const nat64 = gateway(network, "2001:db8:1::1", "198.51.100.1", PROFILES.nat64, { inside: { kind: "nat64", prefix } })
  const aftr = gateway(network, AFTR, "203.0.113.1", PROFILES.dslite, {
    inside: { kind: "dslite", aftr: address(AFTR) },
  })
  const a = new Host(network, "2001:db8:1::7")
  attach(network, backbone, nat64, a, "198.51.100.1", settings)
  const homes = ["2001:db8:b::4", "2001:db8:b::5"].map((of) => {
    const b4 = new B4(network, of, AFTR)
    const host = new Host(network, IN_HOME)
    const [toB4, toHost] = network.link(host.receive, b4.fromLan, settings)
    host.out = toB4
    // What the softwire adds is not the host's to know: it would be told, by the AFTR alone.
    host.mtu = 1460
    b4.lan = toHost
    return { b4, host }
  })
  // One link leads to both homes, as an access network does.
  const both = {
    receive: (bytes: Uint8Array) => {
      for (const { b4 } of homes) if (plainOf(bytes) === plain(b4.self.address)) b4.receive(bytes)
    },
    out: (_: Uint8Array): void => {},
  }
  attach(network, backbone, aftr, both, "203.0.113.1", settings)
  for (const { b4 } of homes) b4.out = (bytes) => both.out(bytes)
  const meeting = new Host(network, "192.0.2.9")
  const [out, back] = network.link(meeting.receive, backbone.receive, settings)
  meeting.out = out
  backbone.route(meeting.address, 4, back)
  rendezvous(meeting)
  return { network, nat64, aftr, a, homes, meeting }
}

/** The destination of an IPv6 packet. */
const plainOf = (bytes: Uint8Array): string =>
  Array.from({ length: 8 }, (_, i) => ((bytes[24 + 2 * i] << 8) | bytes[25 + 2 * i]).toString(16)).join(":")

describe("a host behind a NAT64 and one behind a DS-Lite AFTR", () => {
  for (const [name, seed, settings] of [
    ["a good network", 21, WIRE],
    ["a network that loses, repeats and reorders", 22, BAD],
    ["another such", 23, { delay: [1, 2000], loss: 12, twice: 8 }],
  ] as const)
    test(`reach each other by their MAP mappings over ${name}, with datagrams in fragments among them`, () => {
      const { network, nat64, aftr, a, homes, meeting } = twoWorlds(seed, settings)
      const [b, c] = homes
      const inHome = thirdParty(IN_HOME)
      const asked = [
        mapPort(network, a, "2001:db8:1::1", { suggested: "0.0.0.0" }),
        ...homes.map(({ b4 }) => mapPort(network, b4.self, AFTR, { suggested: "0.0.0.0", options: inHome })),
      ]
      network.run(HOUR, () => asked.every(({ got }) => got.end !== undefined))
      const [ofA, ofB, ofC] = asked.map(({ got }): End => {
        assert.ok(got.end !== undefined)
        return got.end
      })
      assert.deepEqual([ofA.address, ofB.address, ofC.address], ["198.51.100.1", "203.0.113.1", "203.0.113.1"])
      assert.notEqual(ofB.port, ofC.port)
      const fromA = learn(a, embedded(meeting.address), "a", ofA)
      const fromB = learn(b.host, meeting.address, "b", ofB)
      network.run(HOUR, () => fromA.end !== undefined && fromB.end !== undefined)
      assert.deepEqual([fromA.end, fromB.end], [ofB, ofA])
      // The neighbour with b's own address gets nothing of theirs.
      const crossed: string[] = []
      c.host.bind(4000, ({ source }) => crossed.push(source))
      const long = (n: number): number => 160 * n
      const seenByA = { address: embedded(ofB.address), port: ofB.port }
      const talks = [talk(a, seenByA, 12, long), talk(b.host, ofA, 12, long)] as const
      network.run(HOUR, () => talks.every(({ answered }) => answered.size === 12))
      for (const [i, { answered, heard, sources }] of talks.entries()) {
        assert.deepEqual([answered.size, heard.size], [12, 12])
        assert.deepEqual(
          [...sources],
          [i === 0 ? `${plain(seenByA.address)} ${ofB.port}` : `${ofA.address} ${ofA.port}`],
        )
      }
      assert.deepEqual(crossed, [])
      // What a sent whole was too long for the softwire: the AFTR told it so (RFC 2473 section 7.2), by way of the NAT64.
      assert.equal(a.mtu, 1480)
      const toC = { address: embedded(ofC.address), port: ofC.port }
      a.repeat(
        500,
        () => crossed.length > 0,
        () => a.send(4000, toC.address, toC.port, bytesOf("hello")),
      )
      network.run(HOUR, () => crossed.length > 0)
      assert.ok(crossed.length > 0 && crossed.every((source) => source === ofA.address))
      for (const box of [nat64, aftr])
        assert.deepEqual(live(box, box.replayed(), network.now), live(box, box.server.cgnState, network.now))
    })

  test("a FILTER in either family keeps strangers out and the peer in; a deletion keeps out both", () => {
    const { network, aftr, nat64, a, homes, meeting } = twoWorlds(24, BAD)
    const [{ b4, host: b }] = homes
    const inHome = thirdParty(IN_HOME)
    const one = mapPort(network, a, "2001:db8:1::1", { suggested: "0.0.0.0" })
    const two = mapPort(network, b4.self, AFTR, { suggested: "0.0.0.0", options: inHome })
    const done = () => one.got.end !== undefined && two.got.end !== undefined
    network.run(HOUR, done)
    assert.ok(one.got.end !== undefined && two.got.end !== undefined)
    const [ofA, ofB] = [one.got.end, two.got.end]
    one.ask(filter(128, 0, digits(embedded(ofB.address))))
    two.ask([...inHome, ...filter(128, 0, ofA.address)])
    network.run(HOUR, done)
    assert.deepEqual([one.got.end, two.got.end], [ofA, ofB])
    const heard = new Set<string>()
    a.bind(4000, ({ source }) => heard.add(`a ${source}`))
    b.bind(4000, ({ source }) => heard.add(`b ${source}`))
    const send = (): void => {
      for (let n = 0; n < 30; n++) {
        for (const { address, port } of [ofA, ofB]) meeting.send(4000, address, port, bytesOf("stranger"))
        a.send(4002, embedded(ofB.address), ofB.port, bytesOf("peer"))
        b.send(4002, ofA.address, ofA.port, bytesOf("peer"))
      }
      network.run(20_000)
    }
    send()
    assert.deepEqual([...heard].sort(), [`a ${plain(embedded(ofB.address))}`, `b ${ofA.address}`])
    for (const { dropped } of [aftr, nat64])
      assert.ok(dropped.length > 0 && dropped.every((reason) => reason === "filtered"))
    one.ask([], 0)
    two.ask(inHome, 0)
    network.run(HOUR, done)
    heard.clear()
    send()
    assert.deepEqual([...heard], [])
  })
})

describe("two hosts behind two IPv6 firewalls", () => {
  const [A, B, STRANGER] = ["2001:db8:1::7", "2001:db8:2::7", "2001:db8:3::7"]
  const scene = (seed: number, settings: LinkSettings) => {
    const network = new Network(seed)
    const backbone = new Backbone()
    const walls = [firewall(network, "2001:db8:1::1"), firewall(network, "2001:db8:2::1")] as const
    const hosts = [new Host(network, A), new Host(network, B)] as const
    for (const i of [0, 1] as const) attach(network, backbone, walls[i], hosts[i], i === 0 ? A : B, settings)
    const stranger = new Host(network, STRANGER)
    const [out, back] = network.link(stranger.receive, backbone.receive, settings)
    stranger.out = out
    backbone.route(STRANGER, 6, back)
    return { network, walls, hosts, stranger }
  }

  for (const [seed, settings] of [
    [31, BAD],
    [32, { delay: [1, 3000], loss: 9, twice: 5 }],
  ] as const)
    test(`talk in fragments that are lost and overtake each other, by filters for each other alone, seed ${seed}`, () => {
      const { network, walls, hosts, stranger } = scene(seed, settings)
      const asked = [
        mapPort(network, hosts[0], "2001:db8:1::1", { options: filter(128, 4000, digits(B)) }),
        mapPort(network, hosts[1], "2001:db8:2::1", { options: filter(128, 4000, digits(A)) }),
      ]
      network.run(HOUR, () => asked.every(({ got }) => got.end !== undefined))
      assert.deepEqual(
        asked.map(({ got }) => got.end),
        [A, B].map((end) => ({ address: plain(end), port: 4000 })),
      )
      const long = (n: number): number => 250 * n
      const talks = [
        talk(hosts[0], { address: B, port: 4000 }, 12, long),
        talk(hosts[1], { address: A, port: 4000 }, 12, long),
      ]
      const knock = (): void => {
        for (const end of [A, B]) stranger.send(4000, end, 4000, bytesOf("hello 99"))
      }
      for (let n = 0; n < 30; n++) network.after(n * 100, knock)
      network.run(HOUR, () => talks.every(({ answered }) => answered.size === 12))
      network.run(10_000)
      for (const [i, { answered, heard, sources }] of talks.entries()) {
        assert.deepEqual([answered.size, heard.size], [12, 12])
        assert.deepEqual([...sources], [`${plain(i === 0 ? B : A)} 4000`])
      }
      for (const { dropped } of walls) assert.ok(dropped.includes("filtered"))
      for (const wall of walls) {
        const list = (state: FirewallState) => shown(listPinholes(state, network.now, 0, 1000).mappings)
        assert.deepEqual(list(wall.replayed()), list(wall.server.cgnState))
      }
      // When all has run out, the firewalls are as closed as at first.
      network.run(4 * HOUR)
      for (const wall of walls) wall.dropped.length = 0
      for (let n = 0; n < 10; n++) knock()
      network.run(20_000)
      for (const { dropped } of walls)
        assert.ok(dropped.length > 0 && dropped.every((reason) => reason === "no-mapping"))
    })
})
