/** Hosts behind CGNs that reach each other, over links that lose, repeat and reorder, on a virtual clock. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  type CgnState,
  createCgn,
  createFirewall,
  createNpt,
  type FirewallState,
  firewallCgn,
  flowCount,
  listMappings,
  listPinholes,
  memoryCgn,
  type NptState,
  nptCgn,
  PROFILES,
  translate,
  translateFirewall,
  translateNpt,
} from "../../../../core/cgn/index.ts"
import { createServerOver } from "../../../../core/server/index.ts"
import { filter, address as four } from "../../server/scene.ts"
import { prefix } from "../packet/scene.ts"
import { Backbone, Gateway } from "./gateway.ts"
import { Host, plain } from "./host.ts"
import { type LinkSettings, Network, WIRE } from "./network.ts"
import { attach, BAD, bytesOf, HOUR, learn, mapPort, rendezvous, shown, talk } from "./peers.ts"

const nat = (network: Network, external: string): Gateway<CgnState> => {
  const made = createCgn({
    external: [four(external)],
    ports: { first: 1024, last: 65535 },
    quota: 16,
    filterLimit: 4,
    idleTimeout: { udp: 300, tcp: 7440 },
    translation: { filtering: "address-and-port-dependent" },
    secret: Uint8Array.from({ length: 32 }, () => network.random.below(256)),
    now: network.now,
  })
  assert.ok(made.ok)
  const server = createServerOver(memoryCgn, made.state, network.now, { profile: PROFILES.nat444 })
  assert.ok(server.ok)
  return new Gateway(network, "10.0.0.1", server.state, translate)
}

const firewall = (network: Network): Gateway<FirewallState> => {
  const made = createFirewall({ family: "ipv6", secret: new Uint8Array(32).fill(4), now: network.now })
  assert.ok(made.ok)
  const server = createServerOver(firewallCgn, made.state, network.now, { profile: PROFILES.firewall6 })
  assert.ok(server.ok)
  return new Gateway(network, "2001:db8:1::1", server.state, translateFirewall)
}

const npt = (network: Network): Gateway<NptState> => {
  const made = createNpt({ pairs: [{ internal: prefix("fd01:203:405::/48"), external: prefix("2001:db8:2::/48") }] })
  assert.ok(made.ok)
  const server = createServerOver(nptCgn, made.state, network.now, { profile: PROFILES.nptv6 })
  assert.ok(server.ok)
  return new Gateway(network, "fd01:203:405::1", server.state, translateNpt)
}

/** Two hosts with the same internal address, each behind a NAT44 of its own. */
const twoNats = (seed: number, settings: LinkSettings) => {
  const network = new Network(seed)
  const backbone = new Backbone()
  const [a, b, meeting] = [new Host(network, "10.0.0.7"), new Host(network, "10.0.0.7"), new Host(network, "192.0.2.9")]
  const [left, right] = [nat(network, "198.51.100.1"), nat(network, "203.0.113.1")]
  attach(network, backbone, left, a, "198.51.100.1", settings)
  attach(network, backbone, right, b, "203.0.113.1", settings)
  const [out, back] = network.link(meeting.receive, backbone.receive, settings)
  meeting.out = out
  backbone.route("192.0.2.9", 4, back)
  return { network, a, b, meeting, left, right }
}

/** Both map, meet and talk; gives who saw whom. */
const meetAndTalk = (seed: number, settings: LinkSettings) => {
  const scene = twoNats(seed, settings)
  const { network, a, b, meeting } = scene
  rendezvous(meeting)
  const [one, two] = [mapPort(network, a, "10.0.0.1"), mapPort(network, b, "10.0.0.1")]
  network.run(HOUR, () => one.got.end !== undefined && two.got.end !== undefined)
  assert.ok(one.got.end !== undefined && two.got.end !== undefined)
  const ends = [one.got.end, two.got.end] as const
  const [fromA, fromB] = [learn(a, meeting.address, "a", ends[0]), learn(b, meeting.address, "b", ends[1])]
  network.run(HOUR, () => fromA.end !== undefined && fromB.end !== undefined)
  assert.deepEqual([fromA.end, fromB.end], [ends[1], ends[0]])
  const talks = [talk(a, ends[1], 20), talk(b, ends[0], 20)] as const
  network.run(HOUR / 2, () => talks.every(({ answered }) => answered.size === 20))
  return { ...scene, ends, talks }
}

describe("two peers behind two NAT44s", () => {
  for (const [name, seed, settings] of [
    ["a good network", 1, WIRE],
    ["a network that loses, repeats and reorders", 2, BAD],
    ["another such", 3, { delay: [1, 2000], loss: 3, twice: 4 }],
  ] as const)
    test(`reach each other by their MAP mappings over ${name}, from the external end that each has`, () => {
      const { ends, talks, left, right, network } = meetAndTalk(seed, settings)
      for (const [i, { answered, heard, sources }] of talks.entries()) {
        assert.deepEqual([answered.size, heard.size], [20, 20])
        const other = ends[1 - i]
        assert.deepEqual([...sources], [`${other.address} ${other.port}`])
      }
      assert.deepEqual([ends[0].address, ends[1].address], ["198.51.100.1", "203.0.113.1"])
      for (const gateway of [left, right]) {
        const list = (state: CgnState) => shown(listMappings(state, network.now, 0, 1000).mappings)
        assert.deepEqual(list(gateway.replayed()), list(gateway.server.cgnState))
      }
    })

  test("one seed is one run, to the octet", () => {
    const [one, two, other] = [5, 5, 6].map((seed) => meetAndTalk(seed, BAD).network.log.join("\n"))
    assert.equal(one, two)
    assert.notEqual(one, other)
  })

  test("without mappings neither reaches the other, and once they have run out no more", () => {
    const { network, a, b, left, right } = twoNats(7, WIRE)
    const one = mapPort(network, a, "10.0.0.1", { lifetime: 120 })
    network.run(HOUR, () => one.got.end !== undefined)
    assert.ok(one.got.end !== undefined)
    const end = one.got.end
    let heard = 0
    a.bind(4000, () => heard++)
    b.send(4000, end.address, end.port, bytesOf("hello"))
    network.run(1000)
    assert.equal(heard, 1)
    // To an external address at which nobody has asked for anything.
    a.send(4000, "203.0.113.1", 4000, bytesOf("hello"))
    network.run(1000)
    assert.deepEqual(right.dropped, ["no-mapping"])
    // What a's own packet has left there goes on for its idle time, for whom it was sent to alone: b's port is another.
    network.run(130_000)
    b.send(4000, end.address, end.port, bytesOf("hello"))
    network.run(1000)
    assert.equal(heard, 1)
    assert.deepEqual(left.dropped, ["filtered"])
    network.run(HOUR)
    b.send(4000, end.address, end.port, bytesOf("hello"))
    network.run(1000)
    assert.deepEqual(left.dropped, ["filtered", "no-mapping"])
    assert.deepEqual(listMappings(left.server.cgnState, network.now, 0, 1000).mappings, [])
  })

  test("a FILTER keeps strangers out and the peer in", () => {
    const { network, a, b, meeting, left } = twoNats(8, BAD)
    const [one, two] = [mapPort(network, a, "10.0.0.1"), mapPort(network, b, "10.0.0.1")]
    network.run(HOUR, () => one.got.end !== undefined && two.got.end !== undefined)
    assert.ok(one.got.end !== undefined && two.got.end !== undefined)
    const ends = [one.got.end, two.got.end] as const
    one.ask(filter(128, 0, ends[1].address))
    network.run(HOUR, () => one.got.end !== undefined)
    assert.deepEqual(one.got.end, ends[0])
    const heard: string[] = []
    a.bind(4000, ({ source }) => heard.push(source))
    for (let n = 0; n < 30; n++) meeting.send(4000, ends[0].address, ends[0].port, bytesOf("hello"))
    network.run(10_000)
    assert.deepEqual(heard, [])
    assert.ok(left.dropped.length > 0 && left.dropped.every((reason) => reason === "filtered"))
    for (let n = 0; n < 30; n++) b.send(4000, ends[0].address, ends[0].port, bytesOf("hello"))
    network.run(10_000)
    assert.ok(heard.length > 0 && heard.every((source) => source === ends[1].address))
  })
})

describe("a host behind an IPv6 firewall and one behind NPTv6", () => {
  const six = (seed: number, settings: LinkSettings) => {
    const network = new Network(seed)
    const backbone = new Backbone()
    const [a, b] = [new Host(network, "2001:db8:1::7"), new Host(network, "fd01:203:405:1::1234")]
    const [wall, device] = [firewall(network), npt(network)]
    attach(network, backbone, wall, a, "2001:db8:1::", settings)
    attach(network, backbone, device, b, "2001:db8:2::", settings)
    return { network, a, b, wall, device }
  }

  test("reach each other by their MAP mappings", () => {
    const { network, a, b, wall } = six(11, BAD)
    const [one, two] = [mapPort(network, a, "2001:db8:1::1"), mapPort(network, b, "fd01:203:405::1")]
    network.run(HOUR, () => one.got.end !== undefined && two.got.end !== undefined)
    assert.ok(one.got.end !== undefined && two.got.end !== undefined)
    assert.deepEqual(one.got.end, { address: plain("2001:db8:1::7"), port: 4000 })
    // RFC 6296 section 3.6: 0xfd01 + 0x0203 + 0x0405 - (0x2001 + 0x0db8 + 0x0002) + 1 is 0xd54f, one's complement.
    assert.deepEqual(two.got.end, { address: plain("2001:db8:2:d54f::1234"), port: 4000 })
    const ends = [one.got.end, two.got.end] as const
    const talks = [talk(a, ends[1], 20), talk(b, ends[0], 20)] as const
    network.run(HOUR, () => talks.every(({ answered }) => answered.size === 20))
    for (const [i, { answered, sources }] of talks.entries()) {
      assert.equal(answered.size, 20)
      assert.deepEqual([...sources], [`${ends[1 - i].address} 4000`])
    }
    const list = (state: FirewallState) => shown(listPinholes(state, network.now, 0, 1000).mappings)
    assert.deepEqual(list(wall.replayed()), list(wall.server.cgnState))
    network.run(3 * HOUR)
    assert.deepEqual([list(wall.server.cgnState), flowCount(wall.server.cgnState)], [[], 0])
  })

  test("the firewall alone keeps out what its host did not ask for; NPTv6 keeps out nobody", () => {
    const { network, a, b, wall } = six(12, WIRE)
    let heard = ""
    a.bind(4000, () => {
      heard += "a"
    })
    b.bind(4000, () => {
      heard += "b"
    })
    b.send(4000, a.address, 4000, bytesOf("hello"))
    network.run(1000)
    assert.deepEqual([heard, wall.dropped], ["", ["no-mapping"]])
    a.send(4000, "2001:db8:2:d54f::1234", 4000, bytesOf("hello"))
    network.run(1000)
    assert.equal(heard, "b")
    b.send(4000, a.address, 4000, bytesOf("hello"))
    network.run(1000)
    assert.equal(heard, "ba")
  })
})
