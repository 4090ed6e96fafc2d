import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Protocol } from "../../../core/wire/index.ts"
import { natPmpAddress, natPmpAnswer, natPmpGateway, natPmpVersionError } from "./answer.ts"
import { address, CLIENT, EXTERNAL, ROUTER, router, scene, TCP_8080 } from "./scene.ts"

const natPmp = () => scene({ servers: [router({ protocol: "nat-pmp" })] })
const UDP_53 = { ...TCP_8080, protocol: Protocol.UDP, internalPort: 53 }

const gapsOf = ({ sent }: ReturnType<typeof scene>): readonly number[] =>
  sent.slice(1).map(({ at }, index) => at - sent[index].at)

/** What each datagram is about: its opcode, and the internal port of a mapping. */
const asked = ({ sent }: ReturnType<typeof scene>): readonly string[] =>
  sent.map(({ bytes }) =>
    bytes.length === 2 ? "address" : `${bytes[1] === 1 ? "udp" : "tcp"} ${bytes[4] * 256 + bytes[5]}`,
  )

describe("NAT-PMP", () => {
  test("N-20: 250 ms, doubling, nine times, and 127.75 s in all", () => {
    const client = natPmp()
    client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
    client.run(300_000)
    assert.deepEqual(gapsOf(client), [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000])
    const failed = client.timed().find(({ event }) => event.type === "state" && event.state.kind === "error")
    assert.equal(failed?.at, 127_750)
    assert.deepEqual(failed?.event, {
      type: "state",
      id: "web",
      server: "router",
      state: { kind: "error", failure: { kind: "no-answer", sent: 9 }, retryAt: undefined },
    })
    assert.equal(client.wake(), undefined)
  })

  test("N-20: one request at a time, in order, as fast as the gateway answers", () => {
    const client = natPmp()
    client.respond(natPmpGateway(), 400)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.command({ type: "request", id: "dns", request: UDP_53 })
    client.command({ type: "external-address", id: "mine" })
    assert.equal(client.sent.length, 1)
    client.run(3000)
    // A gateway that takes 400 ms is asked again after 250.
    const expected = "tcp 8080,tcp 8080,udp 53,udp 53,address,address,address"
    // What the gateway answers late to the third address request tells the last one, too.
    assert.equal(asked(client).join(), expected)
    assert.deepEqual(
      client.told("assigned").map(({ id, mapping }) => [id, mapping.external]),
      [
        ["web", EXTERNAL],
        ["dns", EXTERNAL],
      ],
    )
    assert.equal(client.told("external-address").at(-1)?.id, "mine")
  })

  test("N-20: at two gateways at once", () => {
    const other = router({
      name: "other",
      protocol: "nat-pmp",
      ends: [{ address: address("10.0.0.1"), client: address("10.0.0.2") }],
    })
    const client = scene({ servers: [router({ protocol: "nat-pmp" }), other] })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    assert.equal(client.sent.length, 2)
  })

  test("N-20: ICMP says that nothing listens: no more tries", () => {
    const client = natPmp()
    client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
    client.command({ type: "request", id: "dns", request: UDP_53, mode: { kind: "once" } })
    client.run(100)
    client.give({ type: "unreachable", now: 100, address: ROUTER, port: 5351 })
    assert.deepEqual(
      client
        .told("state")
        .filter(({ state }) => state.kind === "error")
        .map(({ id }) => id),
      ["web"],
    )
    client.give({ type: "unreachable", now: 200, address: ROUTER, port: 5351 })
    assert.equal(client.told("state").filter(({ state }) => state.kind === "error").length, 2)
    assert.equal(client.sent.length, 2)
    assert.equal(client.wake(), undefined)
  })

  test("N-20: a deletion is tried three times, and not beyond the mapping's end", () => {
    const client = natPmp()
    client.respond(natPmpGateway())
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1000)
    client.respond(() => [])
    client.command({ type: "revoke", id: "web" })
    client.run(60_000)
    assert.deepEqual(gapsOf(client).slice(-2), [250, 500])
    assert.deepEqual(client.told("state").at(-1)?.state, { kind: "revoked", answered: false })
    const short = natPmp()
    short.respond(natPmpGateway({ lifetime: 10 }))
    short.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
    short.run(9900)
    short.respond(() => [])
    short.command({ type: "revoke", id: "web" })
    short.run(60_000)
    assert.equal(short.sent.length, 3)
    assert.deepEqual(short.told("state").at(-1)?.state, { kind: "revoked", answered: false })
  })

  test("N-21: renewed at half the granted lifetime, with the assigned port", () => {
    const client = natPmp()
    client.respond(
      natPmpGateway(() => ({ lifetime: 1000, externalPort: 4321, epoch: Math.floor(client.now() / 1000) })),
    )
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(501_000)
    const renewal = client.sent.at(-1)
    assert.equal(renewal?.at, 500_010)
    assert.deepEqual([...(renewal?.bytes ?? [])], [0, 2, 0, 0, 31, 144, 4321 >> 8, 4321 & 255, 0, 0, 14, 16])
    assert.equal(client.told("renewed").length, 1)
  })

  test("N-21: a renewal has nine tries at 1/2, at 3/4, and so on", () => {
    const client = natPmp()
    let answers = 2
    client.respond(({ bytes }) => (answers-- > 0 ? [natPmpAnswer(bytes, { lifetime: 2000 })] : []))
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1_999_000)
    const instants = client.sent.slice(2).map(({ at }) => at)
    assert.equal(instants[0], 1_000_010)
    assert.equal(instants[8], 1_063_760)
    assert.equal(instants[9], 1_500_010)
    assert.equal(instants[18], 1_750_010)
    assert.deepEqual(client.told("state").at(-1)?.state.kind, "updating")
    client.run(2000)
    assert.ok(client.told("state").some(({ state }) => state.kind === "expired"))
  })

  test("N-21: results that nobody knows are fatal; those that pass are tried again after 30 s", () => {
    for (const [result, wait] of [
      [3, 30_000],
      [4, 30_000],
      [5, 1_800_000],
      [99, 1_800_000],
      [65535, 1_800_000],
    ] as const) {
      const client = natPmp()
      client.respond(({ bytes }) => [natPmpAnswer(bytes, { result })])
      client.command({ type: "request", id: "web", request: { ...TCP_8080, externalPort: 80 } })
      client.run(100)
      assert.deepEqual(client.told("state").at(-1)?.state, {
        kind: "error",
        failure: { kind: "natpmp-result", code: result },
        retryAt: 10 + wait,
      })
      client.run(wait)
      assert.equal(client.sent.length, 2)
    }
  })

  test("N-22: a lost state is made good after 0 to 5 s, one mapping after the other", () => {
    const waits: number[] = []
    for (let seed = 0; seed < 60; seed++) {
      const client = scene({ seed: new Uint8Array(32).fill(seed), servers: [router({ protocol: "nat-pmp" })] })
      const start = { at: 0 }
      client.respond(
        natPmpGateway(() => ({ epoch: 1000 + Math.floor((client.now() - start.at) / 1000) })),
        300,
      )
      client.command({ type: "request", id: "web", request: TCP_8080 })
      client.command({ type: "request", id: "dns", request: UDP_53 })
      client.run(60_000)
      const before = client.sent.length
      client.respond(
        natPmpGateway(() => ({ epoch: Math.floor((client.now() - 60_000) / 1000) })),
        300,
      )
      client.datagram(natPmpAddress(0))
      assert.equal(client.sent.length, before)
      client.run(10_000)
      const after = client.sent.slice(before)
      waits.push(after[0].at - 60_000)
      // Each has its answer, 300 ms later, before the next one goes.
      const other = after.findIndex(({ bytes }) => bytes[1] !== after[0].bytes[1])
      assert.ok(other > 0 && after[other].at >= after[0].at + 300)
      assert.equal(client.told("state-lost").length, 1)
    }
    assert.ok(Math.min(...waits) >= 0 && Math.max(...waits) <= 5000)
    assert.ok(Math.min(...waits) < 500 && Math.max(...waits) > 4500)
  })

  test("an announced change of the external address is told", () => {
    const client = natPmp()
    client.respond(natPmpGateway(() => ({ epoch: Math.floor(client.now() / 1000) })))
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(60_000)
    client.datagram(natPmpAddress(60, "203.0.113.99"))
    assert.deepEqual(client.told("assigned").at(-1)?.mapping.external, address("203.0.113.99"))
    assert.deepEqual(client.told("external-address").at(-1)?.external, address("203.0.113.99"))
    client.datagram(natPmpAddress(60, "203.0.113.99"))
    assert.equal(client.told("assigned").length, 2)
  })

  test("a mapping is told without the external address where the gateway does not say it", () => {
    for (const refusal of [
      (bytes: Uint8Array) => [natPmpAnswer(bytes, { result: 3 })],
      (): Uint8Array[] => [natPmpVersionError()],
      (): Uint8Array[] => [],
    ]) {
      const client = natPmp()
      client.respond(({ bytes }) => (bytes.length === 2 ? refusal(bytes) : [natPmpAnswer(bytes)]))
      client.command({ type: "request", id: "web", request: TCP_8080 })
      client.run(130_000)
      assert.equal(client.told("assigned").length, 1)
      assert.equal(client.told("assigned")[0].mapping.class, "unspecified")
    }
    const client = natPmp()
    client.respond(({ bytes }) => (bytes.length === 2 ? [] : [natPmpAnswer(bytes)]))
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(100)
    assert.equal(client.told("assigned").length, 0)
    client.give({ type: "unreachable", now: 100, address: ROUTER, port: 5351 })
    assert.equal(client.told("assigned").length, 1)
  })

  test("what it cannot say is not said in part", () => {
    const remote = address("198.51.100.7")
    for (const request of [
      { ...TCP_8080, protocol: 132 },
      { ...TCP_8080, internalPort: 0 },
      { ...TCP_8080, thirdParty: address("192.168.1.20") },
      { ...TCP_8080, preferFailure: true, externalPort: 80 },
      { ...TCP_8080, filters: [{ remote, prefixLength: 32, remotePort: 0 }] },
      { ...TCP_8080, portSet: { size: 4, parity: false } },
      { ...TCP_8080, options: [{ kind: "unknown", code: 99, data: new Uint8Array() }] },
      { ...TCP_8080, kind: "outbound", remote, remotePort: 443 },
    ] as const) {
      const client = natPmp()
      client.command({ type: "request", id: "one", request, mode: { kind: "once" } })
      assert.equal(client.sent.length, 0)
      const { state } = client.told("state").at(-1) ?? {}
      assert.ok(state?.kind === "error" && state.failure.kind === "beyond-nat-pmp")
    }
    const described = natPmp()
    described.command({ type: "request", id: "one", request: { ...TCP_8080, description: "web", prefix64: true } })
    assert.equal(described.sent.length, 1)
  })

  test("N-23: a host whose own IPv4 address is public, or that has IPv6, does not fall back to it", () => {
    const cases = [
      ["9.9.9.9", 1],
      ["2001:db8::10", 1],
      ["192.168.1.10", 2],
      ["10.1.2.3", 2],
      ["172.31.0.1", 2],
      // Behind a carrier's NAT, though RFC 6886 names RFC 1918 alone.
      ["100.64.0.9", 2],
    ] as const
    for (const [own, sent] of cases) {
      const server = router({ ends: [{ address: ROUTER, client: address(own) }] })
      const client = scene({ servers: [server] })
      client.respond(natPmpGateway())
      client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "once" } })
      client.command({ type: "announce", id: "there" })
      client.run(5000)
      assert.equal(client.sent.filter(({ bytes }) => bytes[0] === 2).length, 2)
      assert.equal(
        client.sent.some(({ bytes }) => bytes[0] === 0),
        sent === 2,
        own,
      )
    }
    // Whoever wants it all the same can have it.
    const client = scene({
      servers: [router({ protocol: "nat-pmp", ends: [{ address: ROUTER, client: address("9.9.9.9") }] })],
    })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    assert.equal(client.sent.length, 1)
  })

  test("unmap all: what this client had of that protocol is revoked with it (RFC 6886 section 3.4)", () => {
    const client = natPmp()
    client.respond(natPmpGateway())
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.command({ type: "request", id: "dns", request: UDP_53 })
    client.run(2000)
    client.command({ type: "unmap-all", id: "all", transport: "tcp" })
    client.run(2000)
    assert.deepEqual(client.told("unmapped-all"), [
      { type: "unmapped-all", id: "all", server: "router", transport: "tcp" },
    ])
    assert.deepEqual(client.states(), ["router running"])
    assert.deepEqual(
      client
        .told("state")
        .filter(({ state }) => state.kind === "revoked")
        .map(({ id }) => id),
      ["web"],
    )
    client.command({ type: "request", id: "web", request: TCP_8080 })
    assert.equal(client.told("refused").length, 0)
  })

  test("a mapping that runs out while another request is under way is said to, in time", () => {
    const client = natPmp()
    client.respond(natPmpGateway({ lifetime: 30 }))
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1000)
    client.respond(() => [])
    client.run(12_000)
    client.command({ type: "request", id: "dns", request: UDP_53 })
    client.run(60_000)
    const expired = client.timed().find(({ event }) => event.type === "state" && event.state.kind === "expired")
    assert.equal(expired?.at, 30_010)
    assert.ok(client.sent.every(({ from }) => from === CLIENT))
  })
})
