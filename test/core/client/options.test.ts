import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { PROFILES } from "../../../core/cgn/index.ts"
import type { MappingRequest } from "../../../core/client/index.ts"
import { filters, mappings } from "../../../core/server/index.ts"
import { Protocol } from "../../../core/wire/index.ts"
import { address, CLIENT, EXTERNAL, realServer, scene, TCP_8080 } from "./scene.ts"

const THIRD = address("192.168.1.20")

/** A real server that offers all there is. */
const generous = () =>
  realServer([EXTERNAL, address("203.0.113.8"), address("203.0.113.9")], {
    profile: { ...PROFILES.nat444, thirdParty: true, otherProtocols: true, port0: true, oneToOne: true },
    threatModel: "advanced",
    prefix64: [
      {
        kind: "PREFIX64",
        ipv4Prefixes: [],
        prefix: Uint8Array.of(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0),
        suffix: new Uint8Array(),
      },
    ],
    thirdPartyIds: new Map([["0a0b", address("10.9.9.9")]]),
  })

/** Asks for it, and lets it be renewed twice. */
const held = (request: MappingRequest, server = generous()) => {
  const client = scene()
  client.respond(server.respond)
  client.command({ type: "request", id: "one", request })
  client.run(6_000_000)
  return {
    client,
    server,
    table: () => mappings(server.server(), client.now(), 0, 1000).mappings,
    // Nothing on the way was ignored, and nothing lost.
    check: () => {
      assert.deepEqual(client.states(), ["router running"])
      assert.equal(client.told("ignored").length, 0)
      assert.equal(client.told("assigned").length, 1)
      assert.ok(client.told("renewed").length >= 1)
    },
    revoke: () => {
      client.command({ type: "revoke", id: "one" })
      client.run(10_000)
      assert.deepEqual(client.told("state").at(-1)?.state, { kind: "revoked", answered: true })
      assert.equal(mappings(server.server(), client.now(), 0, 1000).mappings.length, 0)
    },
  }
}

describe("options, with the real server: asked for, renewed, deleted", () => {
  test("C-31: THIRD_PARTY", () => {
    const one = held({ ...TCP_8080, thirdParty: THIRD })
    one.check()
    assert.deepEqual(
      one.table().map(({ internal }) => internal),
      [THIRD],
    )
    one.revoke()
  })

  test("C-31: THIRD_PARTY_ID", () => {
    const one = held({ ...TCP_8080, thirdParty: THIRD, thirdPartyId: Uint8Array.of(10, 11) })
    one.check()
    assert.equal(one.table().length, 1)
    one.revoke()
    const unknown = held({ ...TCP_8080, thirdParty: THIRD, thirdPartyId: Uint8Array.of(9, 9) })
    const state = unknown.client.told("state").find((event) => event.state.kind === "error")?.state
    assert.ok(state?.kind === "error" && state.failure.kind === "result" && state.failure.code === 24)
  })

  test("C-31: FILTER: renewals leave the same filters, not ever more", () => {
    const wanted = [
      { remote: address("198.51.100.0"), prefixLength: 24, remotePort: 443 },
      { remote: address("192.0.2.7"), prefixLength: 32, remotePort: 0 },
    ]
    const one = held({ ...TCP_8080, filters: wanted })
    one.check()
    assert.deepEqual(
      filters(one.server.server(), { protocol: Protocol.TCP, internal: CLIENT, internalPort: 8080 }).map((filter) => [
        filter.remote,
        filter.prefixLength - 96,
        filter.remotePort,
      ]),
      wanted.map(({ remote, prefixLength, remotePort }) => [remote, prefixLength, remotePort]),
    )
    one.revoke()
  })

  test("C-31: DESCRIPTION", () => {
    const one = held({ ...TCP_8080, description: "Grüße" })
    one.check()
    assert.equal(
      one.client.told("quirk").some(({ quirk }) => quirk === "options-in-reply"),
      false,
    )
    one.revoke()
  })

  test("C-31: PORT_SET", () => {
    const one = held({ ...TCP_8080, portSet: { size: 16, parity: true } })
    one.check()
    const [{ mapping }] = one.client.told("assigned")
    assert.deepEqual([mapping.internalPort, mapping.ports], [8080, 16])
    assert.equal(mapping.externalPort % 2, 0)
    assert.equal(one.table().length, 16)
    one.revoke()
  })

  test("C-31: PREFIX64, and only where it is asked for", () => {
    const one = held({ ...TCP_8080, prefix64: true })
    one.check()
    const [{ mapping }] = one.client.told("assigned")
    assert.deepEqual(
      mapping.prefixes.map(({ prefix }) => [...prefix]),
      [[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]],
    )
    one.revoke()
    assert.deepEqual(held(TCP_8080).client.told("assigned")[0].mapping.prefixes, [])
  })

  test("C-110, C-111: PREFER_FAILURE gets exactly what it asks for, or an error", () => {
    const one = held({ ...TCP_8080, preferFailure: true, externalPort: 9000, external: EXTERNAL })
    one.check()
    const [{ mapping }] = one.client.told("assigned")
    assert.deepEqual([mapping.external, mapping.externalPort], [EXTERNAL, 9000])
    // Another host's: CANNOT_PROVIDE_EXTERNAL.
    const other = scene({ seed: new Uint8Array(32).fill(9), now: 6_000_000 })
    other.respond(one.server.respond)
    const request = { ...TCP_8080, internalPort: 81, preferFailure: true, externalPort: 9000, external: EXTERNAL }
    other.command({ type: "request", id: "other", request })
    other.run(1000)
    const { state } = other.told("state").at(-1) ?? {}
    assert.ok(state?.kind === "error" && state.failure.kind === "result" && state.failure.code === 11)
    one.revoke()
  })

  test("C-04: all of GRE, all TCP ports, and everything", () => {
    for (const [protocol, internalPort] of [
      [47, 0],
      [6, 0],
      [0, 0],
    ]) {
      const one = held({ ...TCP_8080, protocol, internalPort })
      one.check()
      assert.equal(one.client.told("assigned")[0].mapping.externalPort, 0)
      one.revoke()
    }
  })

  test("C-07: SCTP is asked for as TCP is (RFC 6887 section 16.3.3)", () => {
    const one = held({ ...TCP_8080, protocol: Protocol.SCTP })
    one.check()
    assert.equal(one.client.told("assigned")[0].mapping.externalPort, 8080)
    one.revoke()
  })

  test("PEER with THIRD_PARTY", () => {
    const one = held({
      kind: "outbound",
      protocol: Protocol.UDP,
      internalPort: 4000,
      lifetime: 600,
      remote: address("198.51.100.7"),
      remotePort: 443,
      thirdParty: THIRD,
    })
    one.check()
  })

  test("what the server has switched off is refused, and asked for no more for half an hour", () => {
    const client = scene()
    client.respond(realServer().respond)
    client.command({ type: "request", id: "one", request: { ...TCP_8080, thirdParty: THIRD } })
    client.run(1_790_000)
    const { state } = client.told("state").at(-1) ?? {}
    assert.ok(state?.kind === "error" && state.failure.kind === "result" && state.failure.code === 5)
    assert.equal(client.sent.length, 1)
  })
})

describe("port sets that are less than was asked for (RFC 7753 section 4.2)", () => {
  const answered = (options: number[]) => {
    const client = scene()
    client.command({ type: "request", id: "one", request: { ...TCP_8080, portSet: { size: 8, parity: false } } })
    const bytes = Uint8Array.from([...client.sent[0].bytes.subarray(0, 60), ...options])
    bytes[1] |= 128
    bytes.fill(0, 12, 24)
    bytes.set([0x23, 0x28], 42)
    client.datagram(bytes)
    const [{ mapping }] = client.told("assigned")
    return [mapping.internalPort, mapping.externalPort, mapping.ports]
  }
  const portSet = (size: number, first: number): number[] => [
    130,
    0,
    0,
    5,
    size >> 8,
    size & 255,
    first >> 8,
    first & 255,
    0,
    0,
    0,
    0,
  ]

  test("fewer, from the first or a later port on, or one", () => {
    assert.deepEqual(answered(portSet(4, 8080)), [8080, 9000, 4])
    assert.deepEqual(answered(portSet(3, 8083)), [8083, 9000, 3])
    assert.deepEqual(answered([]), [8080, 9000, 1])
  })

  test("more than was asked for, or others, is not believed", () => {
    assert.deepEqual(answered(portSet(9, 8080)), [8080, 9000, 1])
    assert.deepEqual(answered(portSet(4, 8085)), [8080, 9000, 1])
    assert.deepEqual(answered(portSet(2, 8079)), [8080, 9000, 1])
  })
})
