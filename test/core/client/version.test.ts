import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { announcement, natPmpAnswer, natPmpGateway, natPmpVersionError, success, versionError } from "./answer.ts"
import { ROUTER, realServer, router, type Sent, scene, TCP_8080 } from "./scene.ts"

const versions = ({ sent }: ReturnType<typeof scene>): readonly number[] => sent.map(({ bytes }) => bytes[0])

describe("version negotiation (RFC 6887 section 9 and appendix A, RFC 6886 section 1.1)", () => {
  test("C-20, C-21: PCP first, NAT-PMP at once where the version error of 8 octets says so", () => {
    // With the response bit clear, as RFC 6886 section 3.5 has it, and as older gateways send it.
    for (const opcode of [0, 128, 129, 130]) {
      const client = scene()
      client.respond(({ bytes }) => [bytes[0] === 2 ? natPmpVersionError(opcode) : natPmpAnswer(bytes)])
      client.command({ type: "request", id: "web", request: TCP_8080 })
      client.run(50)
      assert.deepEqual(versions(client), [2, 0, 0])
      assert.equal(client.sent[1].at, 10)
      assert.deepEqual(
        client.told("assigned").map(({ mapping }) => mapping.protocol),
        ["nat-pmp"],
      )
      assert.deepEqual(
        client
          .told("quirk")
          .map(({ quirk }) => quirk)
          .includes("version-error-without-r-bit"),
        opcode === 0,
      )
      assert.deepEqual(client.told("speaks"), [{ type: "speaks", server: "router", protocol: "nat-pmp" }])
    }
  })

  test("C-21: a gateway whose version error has the length of an answer", () => {
    const client = scene()
    client.respond(({ bytes }) => [
      bytes[0] === 2 ? Uint8Array.from([0, 129, 0, 1, 0, 0, 0, 9, 31, 144, 0, 0, 0, 0, 0, 0]) : natPmpAnswer(bytes),
    ])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(50)
    assert.deepEqual(versions(client), [2, 0, 0])
  })

  test("C-21: what a server knows of versions holds for all requests, for half an hour; then PCP is tried first again", () => {
    const client = scene()
    let isUpdated = false
    const gateway = natPmpGateway(() => ({ epoch: Math.floor(client.now() / 1000), lifetime: 1200 }))
    client.respond((sent: Sent) =>
      isUpdated && sent.bytes[0] === 2 ? [success(sent.bytes, { epoch: 1 })] : gateway(sent),
    )
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1000)
    client.command({ type: "request", id: "two", request: { ...TCP_8080, internalPort: 81 } })
    client.run(1_700_000)
    assert.equal(versions(client).filter((version) => version === 2).length, 1)
    client.run(1_900_000)
    // Renewals fall back as requests do.
    assert.ok(versions(client).filter((version) => version === 2).length <= 4)
    assert.deepEqual(client.states(), ["router running", "router running"])
    // Firmware gets updated.
    isUpdated = true
    client.run(3_600_000)
    assert.deepEqual(client.states(), ["router running", "router running"])
    assert.equal(versions(client).at(-1), 2)
    assert.deepEqual(
      client.told("speaks").map(({ protocol }) => protocol),
      ["nat-pmp", "pcp"],
    )
  })

  test("C-20: a server of PCP alone that is asked in NAT-PMP", () => {
    const server = realServer(undefined, { natPmp: false })
    const client = scene()
    client.respond(server.respond)
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(50)
    // It is made to believe in NAT-PMP while a request is under way.
    client.respond(() => [])
    client.command({ type: "request", id: "two", request: { ...TCP_8080, internalPort: 81 } })
    client.datagram(natPmpVersionError())
    client.respond(server.respond)
    client.run(2000)
    // The answer to a NAT-PMP request says version 2 (RFC 6887 appendix A), and twice is enough.
    assert.deepEqual(versions(client).slice(-3), [2, 0, 0])
    const { state } =
      client
        .told("state")
        .filter(({ id }) => id === "two")
        .at(-1) ?? {}
    assert.ok(state?.kind === "error" && state.failure.kind === "unsupported-version" && state.failure.version === 2)
    // Half an hour later it is asked in PCP.
    client.run(1_801_000)
    assert.deepEqual(client.states(), ["router running", "router running"])
  })

  test("C-22: version 1 is below PCP's: NAT-PMP is left to try, once", () => {
    const client = scene()
    client.respond(({ bytes }) => [bytes[0] === 2 ? versionError(bytes, 1) : natPmpAnswer(bytes)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(50)
    assert.deepEqual(client.states(), ["router running"])
    const stubborn = scene()
    stubborn.respond(({ bytes }) => [versionError(bytes, 1)])
    stubborn.command({ type: "request", id: "web", request: TCP_8080 })
    stubborn.run(1_700_000)
    assert.deepEqual(versions(stubborn), [2, 0])
    assert.equal(stubborn.told("speaks").length, 0)
  })

  test("C-22: a newer version than ours: retried after half an hour, or the lifetime if that is less", () => {
    for (const [lifetime, wait] of [
      [600, 600_000],
      [1800, 1_800_000],
      [86_400, 1_800_000],
      // No time at all is nothing that can be respected.
      [0, 1_800_000],
      [1, 30_000],
    ] as const) {
      const client = scene()
      client.respond(({ bytes }) => [versionError(bytes, 3, lifetime)])
      client.command({ type: "request", id: "web", request: TCP_8080 })
      client.run(100)
      assert.deepEqual(client.told("state").at(-1)?.state, {
        kind: "error",
        failure: { kind: "unsupported-version", version: 3, lifetime },
        retryAt: 10 + wait,
      })
      client.run(wait)
      assert.deepEqual(versions(client), [2, 2], `${lifetime}`)
    }
  })

  test("C-22: a version error of 4 octets has no lifetime", () => {
    const client = scene()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.datagram(Uint8Array.of(3, 129, 0, 1))
    const { state } = client.told("state").at(-1) ?? {}
    assert.deepEqual(state?.kind === "error" && state.retryAt, 1_800_000)
  })

  test("C-20: what is chosen for a server is not changed by what it says", () => {
    const pcp = scene({ servers: [router({ protocol: "pcp" })] })
    pcp.respond(natPmpGateway())
    pcp.command({ type: "request", id: "web", request: TCP_8080 })
    pcp.run(1000)
    assert.deepEqual(versions(pcp), [2])
    const natPmp = scene({ servers: [router({ protocol: "nat-pmp" })] })
    natPmp.respond(({ bytes }) => [versionError(bytes, 2)])
    natPmp.command({ type: "request", id: "web", request: TCP_8080 })
    natPmp.run(1000)
    assert.deepEqual(versions(natPmp), [0])
    for (const client of [pcp, natPmp]) assert.deepEqual(client.states(), ["router error"])
  })

  test("a server that refuses each version in favour of the other is asked twice in half an hour", () => {
    const client = scene()
    client.respond(({ bytes }) => [bytes[0] === 2 ? natPmpVersionError() : versionError(bytes, 2)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(1_799_000)
    assert.deepEqual(versions(client), [2, 0])
    client.run(4000)
    assert.deepEqual(versions(client), [2, 0, 2, 0])
  })

  test("a version error that nothing waits for says nothing", () => {
    const client = scene()
    client.respond(({ bytes }) => [success(bytes)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(50)
    const before = client.state()
    client.datagram(natPmpVersionError())
    client.datagram(versionError(client.sent[0].bytes, 3))
    assert.deepEqual(
      client.told("ignored").map(({ reason }) => reason),
      ["no-request", "no-request"],
    )
    assert.deepEqual(client.state(), { ...before, now: client.now() })
  })

  test("a probe follows the version, and says in which it was answered", () => {
    const client = scene()
    client.respond(natPmpGateway())
    client.command({ type: "announce", id: "there" })
    client.run(50)
    assert.deepEqual(client.told("announced"), [
      { type: "announced", id: "there", server: "router", protocol: "nat-pmp", epoch: 100, result: 0 },
    ])
  })

  test("what only NAT-PMP can answer fails where the server speaks PCP alone", () => {
    const client = scene()
    client.respond(realServer(undefined, { natPmp: false }).respond)
    client.command({ type: "external-address", id: "mine" })
    client.command({ type: "unmap-all", id: "all", transport: "udp" })
    client.run(5000)
    assert.deepEqual(versions(client), [0, 0])
    assert.deepEqual(
      client.told("failed").map(({ id, failure }) => [id, failure.kind]),
      [
        ["mine", "unsupported-version"],
        ["all", "unsupported-version"],
      ],
    )
  })

  test("a server that announces itself in PCP is asked in PCP, whatever it said before", () => {
    const client = scene()
    client.respond(({ bytes }) => [versionError(bytes, 3)])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(60_000)
    client.respond(({ bytes }) => [success(bytes, { epoch: 60 })])
    client.datagram(announcement(60), ROUTER)
    client.run(6000)
    assert.deepEqual(client.states(), ["router running"])
  })
})
