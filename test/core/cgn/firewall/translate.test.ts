import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createFirewall, flowCount, pinholeCount, translateFirewall } from "../../../../core/cgn/index.ts"
import { DATA, type Ends, fragmentHeader, icmp4, icmp6, ip4, ip6, type PortEnds, udp } from "../packet/build.ts"
import { address, prefix, same } from "../packet/scene.ts"

import {
  ACK,
  back,
  datagram,
  echo,
  error,
  FIN,
  HOST,
  out,
  PEER,
  RST,
  SECRET,
  STRANGER,
  SYN,
  segment,
  Wall,
} from "./wall.ts"

describe("UDP at a firewall", () => {
  test("what a host sends goes out, and lets its peer answer, and nobody else", () => {
    const wall = new Wall()
    wall.drops(datagram(back()), "outside", "no-mapping")
    wall.passes(datagram(out()), "inside")
    wall.passes(datagram(back()), "outside")
    wall.drops(datagram(back(STRANGER)), "outside", "no-mapping")
    wall.drops(datagram(back(PEER, 1111, 2223)), "outside", "no-mapping")
    wall.drops(datagram(back(PEER, 1112)), "outside", "no-mapping")
    const [flow, ...none] = wall.list()
    assert.deepEqual(none, [])
    assert.deepEqual(flow, {
      kind: "implicit",
      origin: "traffic",
      protocol: 17,
      internal: address(HOST),
      internalPort: 1111,
      realm: undefined,
      external: address(HOST),
      externalPort: 1111,
      remote: address(PEER),
      remotePort: 2222,
      nonce: undefined,
      expires: 300_000,
      clientPort: 0,
      details: undefined,
    })
    assert.deepEqual([flowCount(wall.state), pinholeCount(wall.state)], [1, 0])
  })

  test("NAT-4787-REQ-5, NAT-4787-REQ-6: a flow lives 5 minutes from its host's last packet, not its peer's", () => {
    const wall = new Wall()
    wall.passes(datagram(out()), "inside")
    wall.wait(200)
    wall.passes(datagram(out()), "inside")
    wall.wait(200)
    wall.passes(datagram(back()), "outside")
    wall.wait(99)
    wall.passes(datagram(back()), "outside")
    wall.wait(1)
    wall.drops(datagram(back()), "outside", "no-mapping")
    assert.deepEqual(
      wall.changes.map(({ type }) => type),
      ["created", "renewed", "expired"],
    )
    assert.equal(flowCount(wall.state), 0)
  })

  test("where the settings say so, packets from the outside keep it too", () => {
    const wall = new Wall({ inboundRefresh: true })
    wall.passes(datagram(out()), "inside")
    wall.wait(200)
    wall.passes(datagram(back()), "outside")
    wall.wait(200)
    wall.passes(datagram(back()), "outside")
  })

  test("a busy flow changes at most once a second", () => {
    const wall = new Wall()
    for (let n = 0; n < 50; n++) {
      wall.passes(datagram(out()), "inside")
      wall.now += 100
    }
    assert.ok(wall.changes.length <= 6, `${wall.changes.length}`)
  })

  test("what runs out is taken away by `expire`, as a change", () => {
    const wall = new Wall()
    wall.passes(datagram(out()), "inside")
    wall.wait(299)
    assert.deepEqual(wall.expire(), [])
    wall.wait(1)
    const [gone] = wall.expire()
    assert.ok(gone.type === "expired" && gone.mapping.remote === address(PEER))
    assert.deepEqual([flowCount(wall.state), wall.list()], [0, []])
  })
})

describe("pinholes and packets", () => {
  test("what MAP opened lets everybody in, past its filters, and nobody once it is over", () => {
    const wall = new Wall()
    wall.map(1111, 17, 600)
    wall.passes(datagram(back(STRANGER)), "outside")
    wall.map(1111, 17, 600, [PEER])
    wall.passes(datagram(back(PEER)), "outside")
    wall.drops(datagram(back(STRANGER)), "outside", "filtered")
    assert.equal(flowCount(wall.state), 0, "packets from the outside take no room")
    wall.wait(600)
    wall.drops(datagram(back(PEER)), "outside", "no-mapping")
  })

  test("a filter does not keep out whom the host itself talks with", () => {
    const wall = new Wall()
    wall.map(1111, 17, 600, [PEER])
    wall.passes(datagram(out(STRANGER)), "inside")
    wall.passes(datagram(back(STRANGER)), "outside")
  })

  test("PCP's own ports let nobody in, whatever is mapped", () => {
    const wall = new Wall()
    wall.map(0, 17)
    wall.passes(datagram(back(PEER, 5349)), "outside")
    wall.drops(datagram(back(PEER, 5351)), "outside", "no-mapping")
  })

  test("a flow outlives the mapping that let its first packet in", () => {
    const wall = new Wall()
    wall.map(1111)
    wall.passes(datagram(back()), "outside")
    wall.passes(datagram(out()), "inside")
    wall.unmap(1111)
    wall.passes(datagram(back()), "outside")
    wall.drops(datagram(back(STRANGER)), "outside", "no-mapping")
  })

  test("a new explicit mapping and a flow of the same end are two, and each ends by itself", () => {
    const wall = new Wall()
    wall.passes(datagram(out()), "inside")
    wall.map(1111)
    assert.deepEqual(
      wall
        .list()
        .map(({ kind }) => kind)
        .sort(),
      ["implicit", "map"],
    )
    assert.deepEqual([flowCount(wall.state), pinholeCount(wall.state)], [1, 1])
    wall.wait(300)
    wall.expire()
    assert.deepEqual([flowCount(wall.state), pinholeCount(wall.state)], [0, 1])
    wall.passes(datagram(back(STRANGER)), "outside")
  })
})

describe("TCP at a firewall", () => {
  const opened = (): Wall => {
    const wall = new Wall()
    wall.passes(segment(out(), SYN), "inside")
    wall.passes(segment(back(), SYN | ACK), "outside")
    wall.passes(segment(out(), ACK), "inside")
    return wall
  }
  const left = (wall: Wall): readonly [string | undefined, number] => {
    const [flow] = wall.list()
    return [flow?.connection, flow === undefined ? 0 : (flow.expires - wall.now) / 1000]
  }

  test("NAT-5382-REQ-5, NAT-7857-2.1: 4 minutes to open, 2 hours 4 minutes once open, kept by either side", () => {
    const wall = new Wall()
    wall.passes(segment(out(), SYN), "inside")
    assert.deepEqual(left(wall), ["opening-inside", 240])
    wall.passes(segment(back(), SYN | ACK), "outside")
    assert.deepEqual(left(wall), ["established", 7440])
    wall.wait(7000)
    wall.passes(segment(back(), ACK), "outside")
    assert.deepEqual(left(wall), ["established", 7440])
    wall.wait(7440)
    wall.drops(segment(back(), ACK), "outside", "no-mapping")
    wall.drops(segment(out(), ACK), "inside", "no-connection")
  })

  test("NAT-5382-REQ-2: both may open at once", () => {
    const wall = new Wall()
    wall.drops(segment(back(), SYN), "outside", "no-mapping")
    wall.passes(segment(out(), SYN), "inside")
    wall.passes(segment(back(), SYN), "outside")
    assert.deepEqual(left(wall), ["established", 7440])
  })

  test("NAT-5382-REQ-5: 4 minutes once both sides have closed, whatever still comes", () => {
    const wall = opened()
    wall.passes(segment(out(), FIN | ACK), "inside")
    assert.deepEqual(left(wall), ["closed-inside", 7440])
    wall.passes(segment(back(), ACK), "outside")
    wall.passes(segment(back(), FIN | ACK), "outside")
    assert.deepEqual(left(wall), ["closing", 240])
    wall.wait(239)
    wall.passes(segment(out(), ACK), "inside")
    assert.deepEqual(left(wall), ["closing", 1])
    wall.wait(1)
    wall.drops(segment(back(), ACK), "outside", "no-mapping")
  })

  test("NAT-7857-2.2: a RST passes and is waited with for 4 minutes; data shows that it was nobody's", () => {
    const wall = opened()
    wall.passes(segment(back(), RST), "outside")
    assert.deepEqual(left(wall), ["reset", 240])
    wall.wait(100)
    wall.passes(segment(out(), ACK), "inside")
    assert.deepEqual(left(wall), ["established", 7440])
    wall.passes(segment(out(), RST), "inside")
    wall.wait(240)
    wall.drops(segment(back(), ACK), "outside", "no-mapping")
  })

  test("a connection that is over is opened anew from the inside, and not from the outside", () => {
    const wall = opened()
    wall.passes(segment(out(), FIN | ACK), "inside")
    wall.passes(segment(back(), FIN | ACK), "outside")
    wall.drops(segment(back(), SYN), "outside", "no-mapping")
    assert.equal(left(wall)[0], "closing")
    wall.passes(segment(out(), SYN), "inside")
    assert.deepEqual(left(wall), ["opening-inside", 240])
  })

  test("what opens no connection makes no flow", () => {
    const wall = new Wall()
    for (const flags of [ACK, SYN | ACK, FIN, RST, SYN | RST, SYN | FIN, 0])
      wall.drops(segment(out(), flags), "inside", "no-connection")
    assert.deepEqual(wall.changes, [])
  })

  test("a connection that comes in by a mapping is one with the host's SYN, and stays when the mapping goes", () => {
    const wall = new Wall()
    wall.map(1111, 6)
    wall.passes(segment(back(), SYN), "outside")
    assert.equal(flowCount(wall.state), 0)
    wall.passes(segment(out(), SYN | ACK), "inside")
    wall.passes(segment(back(), ACK), "outside")
    wall.unmap(1111, 6)
    wall.passes(segment(back(), ACK), "outside")
    wall.drops(segment(back(STRANGER), SYN), "outside", "no-mapping")
    assert.deepEqual(left(wall), ["established", 7440])
  })

  test("a port of a mapping answers with RST whom it does not serve, and that takes no room", () => {
    const wall = new Wall()
    wall.map(1111, 6)
    wall.passes(segment(back(), SYN), "outside")
    wall.passes(segment(out(), RST | ACK), "inside")
    assert.equal(flowCount(wall.state), 0)
  })
})

describe("ICMPv6 at a firewall", () => {
  test("NAT-5508-REQ-1, NAT-5508-REQ-2: a query's answer comes in for 60 seconds, a query does not", () => {
    const wall = new Wall()
    wall.passes(echo(out(), 128), "inside")
    wall.passes(echo(back(), 129), "outside")
    wall.drops(echo(back(), 128), "outside", "no-mapping")
    wall.drops(echo(back(), 129, 8), "outside", "no-mapping")
    wall.drops(echo(out(), 129, 9), "inside", "no-flow")
    wall.wait(60)
    wall.drops(echo(back(), 129), "outside", "no-mapping")
  })

  test("NAT-5508-REQ-1, NAT-5508-REQ-4: identifier 0 is one like others, and neither all of ICMPv6 nor what has none", () => {
    const wall = new Wall()
    const redirect = (ends: Ends) =>
      ip6({ ...ends, protocol: 58 }, icmp6(ends, 137, 0, [0, 0, 0, 0], new Uint8Array(32)))
    wall.passes(echo(out(), 128, 0), "inside")
    wall.passes(echo(back(), 129, 0), "outside")
    wall.drops(echo(back(STRANGER), 129, 0), "outside", "no-mapping")
    wall.drops(echo(back(), 128, 0), "outside", "no-mapping")
    wall.drops(echo(back(), 129, 7), "outside", "no-mapping")
    wall.drops(echo(out(), 129, 7), "inside", "no-flow")
    wall.drops(redirect(back()), "outside", "filtered")
    const told = { source: PEER, destination: HOST }
    wall.passes(error(told, echo(out(), 128, 0)), "outside")
    wall.drops(error(told, echo(out(), 128, 7)), "outside", "no-flow")
    wall.drops(error(told, redirect(out())), "outside", "no-flow")
    // All of ICMPv6 beside it lets everybody in, and goes without it.
    wall.map(0, 58)
    assert.deepEqual([flowCount(wall.state), pinholeCount(wall.state)], [1, 1])
    wall.passes(echo(back(STRANGER), 128, 0), "outside")
    wall.passes(error(told, redirect(out())), "outside")
    wall.unmap(0, 58)
    wall.passes(echo(back(), 129, 0), "outside")
    wall.drops(echo(back(STRANGER), 128, 0), "outside", "no-mapping")
    wall.wait(60)
    wall.drops(echo(back(), 129, 0), "outside", "no-mapping")
  })

  test("NAT-5508-REQ-4, NAT-5508-REQ-5: errors come in from any router about a flow, and only about one", () => {
    const wall = new Wall()
    wall.passes(datagram(out()), "inside")
    const router = { source: "2001:db8:5::5", destination: HOST }
    wall.passes(error(router, datagram(out())), "outside")
    wall.drops(error(router, datagram(out(STRANGER))), "outside", "no-flow")
    wall.drops(
      error(router, datagram(out(), 64), 1, 9).map((octet, at) => (at === 60 ? octet ^ 1 : octet)),
      "outside",
      "bad-icmp-checksum",
    )
    // It is of the flow that its packet is of: whose ends are not the error's own.
    wall.drops(error({ source: PEER, destination: HOST }, datagram(back())), "outside", "no-mapping")
  })

  test("NAT-5508-REQ-4: an error goes to the host whose packet it is about, and to no other", () => {
    const wall = new Wall()
    wall.passes(datagram(out()), "inside")
    const later = { protocol: 17, extensions: [fragmentHeader(2, false, 1)] }
    const laterFragment = ip6({ ...out(), ...later }, new Uint8Array(16))
    for (const destination of ["2001:db8:1::666", "2001:db8:2::1"])
      for (const inner of [datagram(out()), laterFragment])
        wall.drops(error({ source: PEER, destination }, inner), "outside", "no-flow")
    wall.passes(error({ source: PEER, destination: HOST }, laterFragment), "outside")
    // The other way round as well.
    wall.drops(error({ source: HOST, destination: STRANGER }, datagram(back())), "inside", "no-flow")
    wall.passes(error({ source: HOST, destination: PEER }, datagram(back())), "inside")
  })

  test("NAT-5508-REQ-3: errors go out about what came in by a flow or a pinhole", () => {
    const wall = new Wall()
    const told = (inner: Uint8Array) => error({ source: HOST, destination: PEER }, inner)
    wall.drops(told(datagram(back())), "inside", "no-flow")
    wall.map(1111)
    wall.passes(told(datagram(back())), "inside")
  })

  test("NAT-5382-REQ-10: an error does not end a connection", () => {
    const wall = new Wall()
    wall.passes(segment(out(), SYN), "inside")
    wall.passes(segment(back(), SYN | ACK), "outside")
    const before = wall.state
    wall.passes(error({ source: PEER, destination: HOST }, segment(out(), ACK)), "outside")
    assert.equal(wall.state, before)
  })

  test("other messages go out and do not come in", () => {
    const wall = new Wall()
    const redirect = (ends: Ends) =>
      ip6({ ...ends, protocol: 58 }, icmp6(ends, 137, 0, [0, 0, 0, 0], new Uint8Array(32)))
    wall.passes(redirect(out()), "inside")
    wall.drops(redirect(back()), "outside", "filtered")
  })
})

describe("a firewall and the rest", () => {
  test("other protocols have flows without ports", () => {
    const wall = new Wall()
    const esp = (ends: Ends) => ip6({ ...ends, protocol: 50 }, DATA)
    wall.drops(esp(back()), "outside", "no-mapping")
    wall.passes(esp(out()), "inside")
    wall.passes(esp(back()), "outside")
    wall.drops(esp(back(STRANGER)), "outside", "no-mapping")
    wall.wait(300)
    wall.drops(esp(back()), "outside", "no-mapping")
  })

  test("fragments behind the first come in to hosts that have something open", () => {
    const wall = new Wall()
    const later = (ends: Ends) =>
      ip6({ ...ends, protocol: 17, extensions: [fragmentHeader(2, false, 1)] }, new Uint8Array(16))
    wall.drops(later(back()), "outside", "no-mapping")
    wall.passes(later(out()), "inside")
    wall.passes(datagram(out()), "inside")
    wall.passes(later(back()), "outside")
    const first = (ends: PortEnds) =>
      ip6(
        { ...ends, protocol: 17, extensions: [fragmentHeader(0, true, 1)] },
        udp(ends, new Uint8Array(32)).subarray(0, 16),
      )
    wall.passes(first(back()), "outside")
    wall.drops(first(back(STRANGER)), "outside", "no-mapping")
  })

  test("the last hop ends here, and its sender is told from the address of its side", () => {
    const wall = new Wall()
    const sent = datagram(out(), 1)
    const told = wall.send(sent, "inside")
    assert.ok(told.kind === "returned" && told.reason === "hop-limit")
    same(
      told.packet,
      ip6(
        { source: "2001:db8:1::1", destination: HOST, protocol: 58 },
        icmp6({ source: "2001:db8:1::1", destination: HOST }, 3, 0, [0, 0, 0, 0], sent),
      ),
    )
    assert.equal(flowCount(wall.state), 0)
    new Wall({ routers: undefined }).drops(sent, "inside", "hop-limit")
  })

  test("hosts that are not served, and the other family, do not pass", () => {
    const wall = new Wall()
    wall.drops(datagram({ ...out(), source: "2001:db8:2::7" }), "inside", "not-served")
    wall.drops(datagram({ ...back(), destination: "2001:db8:2::7" }), "outside", "no-mapping")
    wall.drops(ip4({ source: "10.0.0.1", destination: "10.0.0.2", protocol: 50 }, DATA), "inside", "wrong-family")
  })

  test("between two hosts inside the firewall is no firewall", () => {
    const wall = new Wall()
    const sent = wall.send(datagram(out("2001:db8:1::8")), "inside")
    assert.ok(sent.kind === "forwarded" && sent.side === "inside")
    assert.deepEqual(wall.changes, [])
  })

  test("NAT-6888-REQ-4: a host has so many flows and no more, others have theirs", () => {
    const wall = new Wall({ flowQuota: 2 })
    wall.passes(datagram(out(PEER, 1)), "inside")
    wall.passes(datagram(out(PEER, 2)), "inside")
    wall.drops(datagram(out(PEER, 3)), "inside", "over-quota")
    wall.passes(datagram(out(PEER, 2)), "inside")
    wall.passes(datagram({ ...out(PEER, 3), source: "2001:db8:1::8" }), "inside")
    wall.wait(300)
    wall.expire()
    wall.passes(datagram(out(PEER, 3)), "inside")
  })

  test("realms: equal addresses of different realms have flows of their own", () => {
    const made = createFirewall({ family: "ipv6", secret: SECRET, now: 0 })
    assert.ok(made.ok)
    const [one, two] = [address("::1:1"), address("::1:2")]
    const passed = translateFirewall(made.state, { bytes: datagram(out()), side: "inside", now: 0, realm: one })
    const reply = (realm: typeof one) =>
      translateFirewall(passed.state, { bytes: datagram(back()), side: "outside", now: 0, realm }).out
    const came = reply(one)
    assert.ok(came.kind === "forwarded" && came.realm === one)
    assert.equal(reply(two).kind, "dropped")
  })

  test("an IPv4 firewall does the same, and keeps header checksums right", () => {
    const wall = new Wall({ family: "ipv4", inside: [prefix("::ffff:10.0.0.0/104")], routers: undefined })
    const ends = { source: "10.0.0.7", sourcePort: 1, destination: "192.0.2.9", destinationPort: 2 }
    const reply = { source: "192.0.2.9", sourcePort: 2, destination: "10.0.0.7", destinationPort: 1 }
    const four = (of: PortEnds) => ip4({ ...of, protocol: 17 }, udp(of))
    wall.drops(four(reply), "outside", "no-mapping")
    wall.passes(four(ends), "inside")
    wall.passes(four(reply), "outside")
    for (const id of [7, 0]) {
      const ping = (of: Ends, type: number) => ip4({ ...of, protocol: 1 }, icmp4(type, 0, [0, id, 0, 1], DATA))
      wall.drops(ping(reply, 0), "outside", "no-mapping")
      wall.passes(ping(ends, 8), "inside")
      wall.passes(ping(reply, 0), "outside")
      wall.drops(ping(reply, 8), "outside", "no-mapping")
    }
    const hop = { source: "203.0.113.9", destination: "10.0.0.7" }
    wall.passes(ip4({ ...hop, protocol: 1 }, icmp4(3, 4, [0, 0, 5, 0], four(ends).subarray(0, 28))), "outside")
  })
})
