import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import type { IgnoredReason, MappingRequest } from "../../../core/client/index.ts"
import { ANY4 } from "../../../core/wire/index.ts"
import { failure, natPmpAnswer, success } from "./answer.ts"
import { address, CLIENT, PEER, ROUTER, router, scene, TCP_8080 } from "./scene.ts"

/** A client that asked, and the octets of a good answer. */
const asking = (request: MappingRequest = TCP_8080) => {
  const client = scene()
  client.command({ type: "request", id: "web", request })
  client.run(10)
  return { client, good: success(client.sent[0].bytes) }
}

const changed = (bytes: Uint8Array, at: number, value = bytes[at] ^ 1): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[at] = value
  return copy
}

/** Tells a client a datagram that is nobody's answer: it is ignored for that reason, and nothing else happens. */
const ignores = (bytes: Uint8Array, reason: IgnoredReason, request?: MappingRequest, source = ROUTER, port = 5351) => {
  const { client, good } = asking(request)
  const before = client.state()
  client.datagram(bytes.length === 0 ? good : bytes, source, port)
  assert.deepEqual(client.told("ignored"), [{ type: "ignored", source, sourcePort: port, reason }])
  assert.deepEqual(client.state(), { ...before, now: client.now() })
  assert.equal(client.sent.length, 1)
  // The good one is taken afterwards.
  client.datagram(good)
  assert.equal(client.told("assigned").length, 1)
}

const GOOD = new Uint8Array()

describe("what is an answer (RFC 6887 sections 8.3, 11.4 and 12.4)", () => {
  test("C-50: from another address, or another port", () => {
    ignores(GOOD, "source", TCP_8080, address("192.168.1.2"))
    ignores(GOOD, "source", TCP_8080, ROUTER, 5350)
    ignores(GOOD, "source", TCP_8080, address("fe80::1"))
  })

  test("C-50: to another address of the host", () => {
    const { client, good } = asking()
    const datagram = { type: "datagram", now: 10, bytes: good, source: ROUTER, sourcePort: 5351 } as const
    client.give({ ...datagram, local: address("192.168.1.11") })
    assert.equal(client.told("ignored").at(-1)?.reason, "source")
    client.give({ ...datagram, local: CLIENT })
    assert.equal(client.told("assigned").length, 1)
    // A socket that is bound to all addresses may not know.
    client.give({ ...datagram, local: ANY4 })
    assert.equal(client.told("ignored").length, 1)
  })

  test("C-50: over another interface, where the server's is known", () => {
    const linkLocal = address("fe80::1")
    const client = scene({
      servers: [router({ ends: [{ address: linkLocal, zone: "eth0", client: address("fe80::2") }] })],
    })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    const bytes = success(client.sent[0].bytes, { external: address("2001:db8::2") })
    const datagram = { type: "datagram", now: 10, bytes, source: linkLocal, sourcePort: 5351 } as const
    client.give({ ...datagram, zone: "eth1" })
    assert.equal(client.told("ignored").at(-1)?.reason, "source")
    client.give({ ...datagram, zone: "eth0" })
    assert.equal(client.told("assigned").length, 1)
  })

  test("C-50: fewer than 4 octets, fewer than 24, more than 1100, no multiple of 4", () => {
    const { good } = asking()
    for (const length of [1, 2, 3]) {
      const { client } = asking()
      client.datagram(good.subarray(0, length))
      assert.equal(client.told("ignored").at(-1)?.reason, "malformed")
      assert.equal(client.told("quirk").at(-1)?.quirk, "short-reply")
    }
    for (const length of [4, 20, 24, 56, 58, 59]) ignores(good.subarray(0, length), "malformed")
    ignores(Uint8Array.from([...good, 0]), "malformed")
    ignores(Uint8Array.from([...good, ...new Array(1044).fill(0)]), "malformed")
  })

  test("C-50: without the R bit", () => {
    ignores(changed(asking().good, 1, 1), "not-a-response")
  })

  test("C-50: another opcode than was asked for", () => {
    const { client, good } = asking()
    const before = client.state()
    // PEER's data is longer.
    client.datagram(changed(Uint8Array.from([...good, ...new Array(20).fill(0)]), 1, 130))
    client.datagram(changed(good, 1, 131))
    client.datagram(changed(good, 1, 255))
    assert.deepEqual(
      client.told("ignored").map(({ reason }) => reason),
      ["no-request", "malformed", "no-request"],
    )
    assert.deepEqual(client.state(), { ...before, now: client.now() })
  })

  test("C-50: MAP with another nonce, protocol, internal port: each octet of them", () => {
    const { good } = asking()
    for (let at = 24; at < 36; at++) ignores(changed(good, at), "mismatch")
    ignores(changed(good, 36), "no-request")
    ignores(changed(good, 40), "no-request")
    ignores(changed(good, 41), "no-request")
  })

  test("C-50: MAP for another internal address: THIRD_PARTY that was not sent, missing, or another's", () => {
    const thirdParty = address("192.168.1.20")
    const { good } = asking({ ...TCP_8080, thirdParty })
    // Nonces of two clients with one seed are the same.
    ignores(good, "mismatch")
    ignores(good.subarray(0, 60), "mismatch", { ...TCP_8080, thirdParty })
    ignores(changed(good, good.length - 1), "mismatch", { ...TCP_8080, thirdParty })
  })

  test("C-50: PEER with another nonce, protocol, port, remote port or remote address: each octet of them", () => {
    const { good } = asking(PEER)
    for (let at = 24; at < 36; at++) ignores(changed(good, at), "mismatch", PEER)
    for (const at of [36, 40, 41, 60, 61, 64, 76, 77, 78, 79]) ignores(changed(good, at), "no-request", PEER)
  })

  test("C-50: the external end, and reserved fields, may be anything", () => {
    for (const at of [2, 12, 23, 37, 39, 42, 43, 56, 59]) {
      const { client, good } = asking()
      client.datagram(changed(good, at))
      assert.equal(client.told("assigned").length, 1, `octet ${at}`)
    }
  })

  test("C-141: the epoch of what is nobody's answer is not looked at", () => {
    const { client, good } = asking()
    client.datagram(good)
    client.run(100_000)
    for (const at of [24, 36, 40]) client.datagram(changed(success(client.sent[0].bytes, { epoch: 0 }), at))
    assert.equal(client.told("state-lost").length, 0)
    assert.equal(client.told("ignored").length, 3)
  })

  test("C-50: before anything was asked", () => {
    const { good } = asking()
    const client = scene()
    client.datagram(good)
    client.datagram(failure(good, 2))
    assert.deepEqual(
      client.told("ignored").map(({ reason }) => reason),
      ["no-request", "no-request"],
    )
  })

  test("NAT-PMP: another protocol or port, before it was asked, and the answer to a deletion that comes late", () => {
    const client = scene({ servers: [router({ protocol: "nat-pmp" })] })
    const answer = (bytes: number[]) => client.datagram(Uint8Array.from(bytes))
    answer([0, 130, 0, 0, 0, 0, 0, 9, 31, 144, 31, 144, 0, 0, 14, 16])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    answer([0, 129, 0, 0, 0, 0, 0, 9, 31, 144, 31, 144, 0, 0, 14, 16])
    answer([0, 130, 0, 0, 0, 0, 0, 9, 31, 145, 31, 144, 0, 0, 14, 16])
    answer([0, 130, 0, 0, 0, 0, 0, 9, 31, 144, 0, 0, 0, 0, 0, 0])
    answer([0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 7])
    answer([0, 2, 0, 0, 31, 144, 0, 0, 0, 0, 0, 0])
    assert.deepEqual(
      client.told("ignored").map(({ reason }) => reason),
      // The address is announced to whom it may concern: one who has no mapping yet is told, too.
      ["no-request", "no-request", "mismatch", "mismatch", "not-a-response"],
    )
    answer([...natPmpAnswer(client.sent[0].bytes)])
    assert.equal(client.told("assigned").length, 1)
  })

  test("N-21: NAT-PMP's answers come from the gateway's address and port too", () => {
    const client = scene({ servers: [router({ protocol: "nat-pmp" })] })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    const good = natPmpAnswer(client.sent[0].bytes)
    client.datagram(good, address("192.168.1.2"))
    client.datagram(good, ROUTER, 5350)
    assert.deepEqual(
      client.told("ignored").map(({ reason }) => reason),
      ["source", "source"],
    )
    assert.equal(client.told("assigned").length, 0)
  })

  test("acceptResponsesFrom: routers that share an address answer from their own", () => {
    const own = address("192.168.1.3")
    const client = scene({ servers: [router({ acceptResponsesFrom: [own] })] })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.datagram(success(client.sent[0].bytes), address("192.168.1.4"))
    assert.equal(client.told("assigned").length, 0)
    assert.deepEqual(client.told("quirk"), [
      { type: "quirk", server: "router", id: "web", quirk: "reply-from-other-address" },
    ])
    client.datagram(success(client.sent[0].bytes), own)
    assert.equal(client.told("assigned").length, 1)
  })

  test("any octets from the server: no throw, and nothing is assigned that was not asked for", () => {
    const { good } = asking()
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 120 }),
          fc.tuple(fc.nat(59), fc.nat(255)).map(([at, value]) => changed(good, at, value)),
          fc
            .tuple(fc.nat(60), fc.uint8Array({ maxLength: 60 }))
            .map(([at, rest]) => Uint8Array.from([...good.subarray(0, at), ...rest])),
        ),
        (bytes) => {
          const { client } = asking()
          client.datagram(bytes)
          const same = [24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 40, 41].every(
            (at) => bytes[at] === good[at],
          )
          if (!same) assert.equal(client.told("assigned").length, 0)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe("answers at any time (RFC 6887 section 8.3)", () => {
  test("C-51: the same answer twice, and a mapping update", () => {
    const { client, good } = asking()
    client.datagram(good)
    client.datagram(good)
    assert.deepEqual([client.told("assigned").length, client.told("renewed").length], [1, 1])
    client.run(5000)
    client.datagram(success(client.sent[0].bytes, { externalPort: 9999, lifetime: 1000, epoch: 105 }))
    assert.equal(client.told("assigned").at(-1)?.mapping.externalPort, 9999)
    // Renewed by what the update says.
    assert.ok((client.wake() ?? 0) <= 5010 + 625_000)
    assert.equal(client.sent.length, 1)
  })

  test("C-51: an error takes the mapping away, and is respected; said again it says nothing new", () => {
    const { client, good } = asking()
    client.datagram(good)
    client.run(5000)
    for (let times = 0; times < 3; times++) {
      client.datagram(failure(client.sent[0].bytes, 2, 600, 105))
      client.run(250)
    }
    assert.equal(client.told("state").filter(({ state }) => state.kind === "error").length, 1)
    client.run(590_000)
    assert.equal(client.sent.length, 1)
    client.run(10_000)
    assert.equal(client.sent.length, 2)
  })

  test("C-51: a refused renewal's answer, twice, leaves the mapping", () => {
    const { client, good } = asking()
    client.datagram(good)
    client.run(2_300_000)
    assert.equal(client.sent.length, 2)
    const refusal = failure(client.sent[1].bytes, 8, 60, 2400)
    client.datagram(refusal)
    client.datagram(refusal)
    assert.deepEqual(client.states(), ["router running"])
    assert.equal(client.told("renewal-refused").length, 1)
  })

  test("C-111: PREFER_FAILURE and another end than was asked for is somebody else's update", () => {
    const request = { ...TCP_8080, preferFailure: true, externalPort: 80, external: address("203.0.113.9") }
    const { client } = asking(request)
    const [{ bytes }] = client.sent
    const before = client.state()
    client.datagram(success(bytes, { externalPort: 81, external: request.external }))
    client.datagram(success(bytes, { externalPort: 80, external: address("203.0.113.8") }))
    assert.deepEqual(
      client.told("ignored").map(({ reason }) => reason),
      ["update-race", "update-race"],
    )
    assert.deepEqual(client.state(), { ...before, now: client.now() })
    client.datagram(success(bytes, { externalPort: 80, external: request.external }))
    assert.equal(client.told("assigned").length, 1)
  })

  test("C-30, C-31: options that nobody asked for, known or not, mandatory or not, are passed over", () => {
    for (const options of [
      [99, 0, 0, 4, 1, 2, 3, 4],
      [200, 0, 0, 0],
      [3, 0, 0, 20, 0, 0, 0, 0, ...new Array(16).fill(0)],
      [128, 0, 0, 2, 104, 105, 0, 0],
    ]) {
      const { client } = asking()
      client.datagram(success(client.sent[0].bytes, { options }))
      assert.equal(client.told("assigned").length, 1)
      assert.deepEqual(
        client.told("quirk").map(({ quirk }) => quirk),
        ["options-in-reply"],
      )
    }
  })
})
