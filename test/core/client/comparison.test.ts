/**
 * The faults of the published JavaScript clients, each tried on this one: docs/clients.md says whose they are and how that is known.
 * Those that need sockets are in test/adapters/client/comparison.test.ts.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type ClientServer, checkRequest, type InboundRequest } from "../../../core/client/index.ts"
import { ANY6, Protocol } from "../../../core/wire/index.ts"
import { addressText, hexAt, word16, word32 } from "../server/model-message.ts"
import { natPmpAnswer, obliging, pcpAnnounce, pcpAnswer } from "./gateway.ts"
import { address, CLIENT, realServer, router, scene, TCP_8080 } from "./scene.ts"

const NAT_PMP: readonly ClientServer[] = [router({ protocol: "nat-pmp" })]
const DAY = 86_400_000

/** A client that asked, and a gateway that grants what it is asked for. */
const served = (request: InboundRequest = TCP_8080, servers: readonly ClientServer[] = [router()], more = {}) => {
  const client = scene({ servers })
  client.respond(obliging(servers[0].protocol === "nat-pmp" ? "nat-pmp" : "pcp", more))
  client.command({ type: "request", id: "web", request })
  return client
}

describe("faults of published JavaScript clients", () => {
  test("JS-01: the external port that is asked for is on the wire, in PCP and in NAT-PMP", () => {
    const request = { ...TCP_8080, internalPort: 1000, externalPort: 2000 }
    const pcp = served(request)
    assert.equal(word16(pcp.sent[0].bytes, 40), 1000)
    assert.equal(word16(pcp.sent[0].bytes, 42), 2000)
    const natPmp = served(request, NAT_PMP)
    assert.equal(hexAt(natPmp.sent[0].bytes, 0, 12), "0002000003e807d000000e10")
  })

  test("JS-02: lifetimes are seconds in the call and on the wire; what does not fit there is an error of the call", () => {
    const hour = served({ ...TCP_8080, lifetime: 3600 })
    assert.equal(word32(hour.sent[0].bytes, 4), 3600)
    const natPmp = served({ ...TCP_8080, lifetime: 3600 }, NAT_PMP)
    assert.equal(word32(natPmp.sent[0].bytes, 8), 3600)
    for (const lifetime of [0, -1, 0.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.ok(checkRequest({ ...TCP_8080, lifetime }) !== undefined, `${lifetime}`)
      assert.equal(served({ ...TCP_8080, lifetime }).sent.length, 0)
    }
  })

  test("JS-03: deleting a mapping is at most three datagrams, whether it is answered or not, and nothing after them", () => {
    for (const protocol of ["pcp", "nat-pmp"] as const)
      for (const isAnswered of [true, false]) {
        const client = served(TCP_8080, [router({ protocol })])
        client.run(5000)
        const before = client.sent.length
        if (!isAnswered) client.respond(() => [])
        client.command({ type: "revoke", id: "web" })
        client.run(2000)
        assert.ok(client.sent.length - before <= 3, `${client.sent.length - before} in 2 s`)
        client.run(DAY)
        assert.equal(client.sent.length - before, isAnswered ? 1 : 3)
        for (const { bytes } of client.sent.slice(before)) assert.equal(word32(bytes, protocol === "pcp" ? 4 : 8), 0)
        assert.equal(client.wake(), undefined)
      }
  })

  test("JS-04: an answer from another address or port is nobody's, and changes nothing", () => {
    for (const servers of [[router()], NAT_PMP]) {
      const client = scene({ servers })
      client.command({ type: "request", id: "web", request: TCP_8080 })
      const [{ bytes }] = client.sent
      const forged =
        bytes[0] === 2 ? pcpAnswer(bytes, { external: "6.6.6.6" }) : natPmpAnswer(bytes, { external: "6.6.6.6" })
      const before = client.state()
      client.datagram(forged, address("127.0.0.2"))
      client.datagram(forged, undefined, 5350)
      client.datagram(natPmpAnswer(Uint8Array.of(0, 0), { external: "6.6.6.6" }), address("127.0.0.2"))
      assert.equal(client.state().tasks, before.tasks)
      assert.equal(client.state().servers, before.servers)
      assert.deepEqual(
        client.told("ignored").map(({ reason }) => reason),
        ["source", "source", "source"],
      )
      assert.equal(client.told("assigned").length, 0)
    }
  })

  test("JS-06: a request that is lost is sent again: after 3 s, 6 s and 12 s in PCP, after 250 ms, 500 ms and 1 s in NAT-PMP", () => {
    for (const [servers, first] of [
      [[router()], 3000],
      [NAT_PMP, 250],
    ] as const) {
      const client = scene({ servers })
      client.command({ type: "request", id: "web", request: TCP_8080 })
      client.run(first * 8)
      const instants = client.sent.map(({ at }) => at)
      assert.equal(instants.length, 4)
      for (const [index, at] of instants.entries()) {
        const nominal = first * (2 ** index - 1)
        assert.ok(at >= nominal * 0.75 && at <= nominal * 1.35, `${index}: ${at}`)
      }
      for (const { bytes } of client.sent) assert.deepEqual(bytes, client.sent[0].bytes)
    }
  })

  test("JS-07: one lost datagram holds up nothing that comes after it", () => {
    const client = scene({ servers: NAT_PMP })
    const gateway = obliging("nat-pmp")
    let count = 0
    client.respond((sent) => (count++ === 0 ? [] : gateway(sent)))
    for (const id of ["a", "b", "c"]) {
      client.command({ type: "external-address", id })
      client.run(2000)
    }
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(2000)
    assert.deepEqual(
      client.told("external-address").map(({ id }) => id),
      ["a", "b", "c"],
    )
    assert.equal(client.told("assigned").length, 1)
    // Nobody answers at all: each call ends, and so does the next.
    client.respond(() => [])
    for (const id of ["d", "e"]) {
      client.command({ type: "external-address", id })
      client.run(200_000)
    }
    assert.deepEqual(
      client.told("failed").map(({ id, failure }) => [id, failure.kind]),
      [
        ["d", "no-answer"],
        ["e", "no-answer"],
      ],
    )
  })

  test("JS-08: IPv6 hosts get pinholes: MAP with the client's own IPv6 address and ::", () => {
    const own = address("2001:db8::10")
    const client = scene({
      servers: [{ name: "router", ends: [{ address: address("fe80::1"), client: own, zone: "eth0" }] }],
    })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    const [packet] = client.packets()
    assert.ok(packet.kind === "pcp-request" && packet.body.kind === "map")
    assert.equal(packet.client, own)
    assert.equal(packet.body.external, ANY6)
  })

  test("JS-09: PCP is spoken first, and NAT-PMP at once where the gateway knows nothing else", () => {
    const client = scene()
    client.respond(obliging("nat-pmp"))
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1000)
    assert.deepEqual(
      client.sent.map(({ bytes }) => bytes[0]),
      [2, 0, 0],
    )
    assert.equal(client.told("assigned")[0]?.mapping.protocol, "nat-pmp")
  })

  test("JS-10: renewal goes by the granted lifetime, at 1/2 to 5/8 of it, however short the one asked for", () => {
    for (const [asked, granted] of [
      [3600, 600],
      [60, 60],
      [30, 120],
    ]) {
      const client = served({ ...TCP_8080, lifetime: asked }, undefined, { lifetime: granted })
      client.run(granted * 1000 * 0.7)
      assert.equal(client.sent.length, 2)
      // The answer took 10 ms.
      const [, { at }] = client.sent
      assert.ok(at >= granted * 500 && at <= granted * 625 + 10, `${at}`)
      assert.equal(client.told("assigned")[0]?.mapping.lifetime, granted)
      assert.equal(word32(client.sent[1].bytes, 4), asked)
    }
  })

  test("JS-11: a request that nobody answers comes to an end that its caller hears of", () => {
    const client = scene({ servers: NAT_PMP })
    client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
    // 250 ms, doubling, nine times: 127.75 s (RFC 6886 section 3.1).
    client.run(127_750)
    assert.deepEqual(client.told("state").at(-1)?.state, {
      kind: "error",
      failure: { kind: "no-answer", sent: 9 },
      retryAt: undefined,
    })
    const pcp = scene({ settings: { retransmissionCount: 3 } })
    pcp.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
    pcp.run(60_000)
    assert.equal(pcp.sent.length, 3)
    assert.equal(pcp.told("state").at(-1)?.state.kind, "error")
  })

  test("JS-12: PCP's nonce, protocol and internal port are compared before an answer counts", () => {
    const client = scene()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    const [{ bytes }] = client.sent
    client.datagram(pcpAnswer(bytes, { nonce: new Uint8Array(12).fill(1) }))
    client.datagram(pcpAnswer(bytes, { protocol: 17 }))
    client.datagram(pcpAnswer(bytes, { internalPort: 8081 }))
    assert.equal(client.told("assigned").length, 0)
    assert.equal(client.told("ignored").length, 3)
    client.datagram(pcpAnswer(bytes))
    assert.equal(client.told("assigned").length, 1)
  })

  test("JS-13: nothing is sent to anybody but the servers that were named", () => {
    const client = scene({
      servers: [router(), router({ name: "other", ends: [{ address: address("10.0.0.138"), client: CLIENT }] })],
    })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.command({ type: "announce", id: "probe", servers: ["router"] })
    client.run(60_000)
    assert.deepEqual(
      [...new Set(client.sent.map(({ to }) => to))].sort(),
      [address("10.0.0.138"), address("192.168.1.1")].sort(),
    )
  })

  test("JS-14: any protocol, TCP as well as UDP, all ports, and outbound mappings", () => {
    for (const protocol of [Protocol.TCP, Protocol.UDP, Protocol.SCTP, Protocol.DCCP]) {
      const client = served({ ...TCP_8080, protocol })
      assert.equal(client.sent[0].bytes[36], protocol)
    }
    assert.equal(word16(served({ ...TCP_8080, internalPort: 0 }).sent[0].bytes, 40), 0)
    const client = scene()
    client.command({
      type: "request",
      id: "out",
      request: {
        kind: "outbound",
        protocol: 17,
        internalPort: 5000,
        lifetime: 600,
        remote: address("198.51.100.9"),
        remotePort: 53,
      },
    })
    const [{ bytes }] = client.sent
    assert.equal(bytes[1], 2)
    assert.equal(bytes.length, 80)
    assert.equal(addressText(bytes, 64), "198.51.100.9")
  })

  test("JS-15: one nonce from the first request through renewals to the deletion, another one for another server", () => {
    const servers = [router(), router({ name: "other", ends: [{ address: address("192.168.2.1"), client: CLIENT }] })]
    const client = served(TCP_8080, servers)
    client.run(7_200_000)
    client.command({ type: "revoke", id: "web" })
    client.run(1000)
    const nonces = new Map<string, Set<string>>()
    for (const { to, bytes } of client.sent) nonces.set(to, (nonces.get(to) ?? new Set()).add(hexAt(bytes, 24, 36)))
    assert.equal(nonces.size, 2)
    assert.ok(client.sent.length >= 8)
    for (const known of nonces.values()) assert.equal(known.size, 1)
    assert.equal(new Set([...nonces.values()].flatMap((known) => [...known])).size, 2)
  })

  test("JS-16: options are sent: third party, prefer failure, filters, description and port set", () => {
    const client = served({
      ...TCP_8080,
      externalPort: 8080,
      thirdParty: address("192.168.1.20"),
      preferFailure: true,
      filters: [{ remote: address("198.51.100.0"), prefixLength: 24, remotePort: 0 }],
      description: "web",
    })
    const codes = (bytes: Uint8Array): number[] => {
      const found: number[] = []
      for (let at = 60; at < bytes.length; at += 4 + ((word16(bytes, at + 2) + 3) & ~3)) found.push(bytes[at])
      return found
    }
    assert.deepEqual(codes(client.sent[0].bytes), [1, 2, 3, 128])
    assert.deepEqual(codes(served({ ...TCP_8080, portSet: { size: 4, parity: false } }).sent[0].bytes), [130])
  })

  test("JS-17: a host with a private address asks for one mapping, once, whatever external address it is told", () => {
    const private10 = served(TCP_8080, undefined, { external: "10.0.0.7" })
    private10.run(DAY / 48)
    assert.equal(private10.sent.length, 1)
    assert.equal(private10.told("assigned")[0]?.mapping.class, "private")
    const natPmp = served(TCP_8080, NAT_PMP, { external: "10.0.0.7" })
    natPmp.run(DAY / 96)
    assert.equal(natPmp.sent.length, 2)
    assert.equal(
      new Set(natPmp.sent.filter(({ bytes }) => bytes[1] !== 0).map(({ bytes }) => word16(bytes, 4))).size,
      1,
    )
  })

  test("JS-18: a router that restarts has its mappings back within seconds of saying so, and one that runs too fast is found out too", () => {
    const server = realServer()
    const client = scene()
    client.respond(server.respond)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(600_000)
    assert.equal(client.sent.length, 1)
    server.restart(client.now())
    client.datagram(pcpAnnounce(0))
    assert.equal(client.told("state-lost").length, 1)
    client.run(5000)
    assert.equal(client.sent.length, 2)
    assert.deepEqual(client.states(), ["router running"])
    // RFC 6887 section 8.5 has two sides: an Epoch Time that runs ahead of the clock is no less wrong than one that went back.
    const ahead = served()
    ahead.run(600_000)
    ahead.datagram(pcpAnnounce(1000 + 599))
    assert.equal(ahead.told("state-lost").length, 0)
    ahead.datagram(pcpAnnounce(1000 + 6000))
    assert.equal(ahead.told("state-lost").length, 1)
  })
})
