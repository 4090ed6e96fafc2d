import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  checkRequest,
  type InboundRequest,
  type MappingRequest,
  type OutboundRequest,
  type RequestError,
} from "../../../core/client/index.ts"
import { ANY4, ANY6, Protocol } from "../../../core/wire/index.ts"
import { address, CLIENT, router, scene, TCP_8080 } from "./scene.ts"

const PEER_443: OutboundRequest = {
  kind: "outbound",
  protocol: Protocol.TCP,
  internalPort: 4000,
  lifetime: 600,
  remote: address("198.51.100.7"),
  remotePort: 443,
}

const inbound = (more: Partial<InboundRequest>): MappingRequest => ({ ...TCP_8080, ...more })
const outbound = (more: Partial<OutboundRequest>): MappingRequest => ({ ...PEER_443, ...more })
const REMOTE = address("198.51.100.0")

const WRONG: readonly (readonly [string, MappingRequest, RequestError["code"]])[] = [
  ["protocol 256", inbound({ protocol: 256 }), "range"],
  ["protocol -1", inbound({ protocol: -1 }), "range"],
  ["protocol 6.5", inbound({ protocol: 6.5 }), "range"],
  ["protocol NaN", inbound({ protocol: Number.NaN }), "range"],
  ["internal port 65536", inbound({ internalPort: 65536 }), "range"],
  ["internal port -1", inbound({ internalPort: -1 }), "range"],
  ["external port 65536", inbound({ externalPort: 65536 }), "range"],
  ["external port 0.5", inbound({ externalPort: 0.5 }), "range"],
  ["lifetime 0", inbound({ lifetime: 0 }), "lifetime-zero"],
  ["lifetime -1", inbound({ lifetime: -1 }), "range"],
  ["lifetime 2^32", inbound({ lifetime: 2 ** 32 }), "range"],
  ["lifetime NaN", inbound({ lifetime: Number.NaN }), "range"],
  ["lifetime 1.5", inbound({ lifetime: 1.5 }), "range"],
  ["all protocols, one port", inbound({ protocol: 0 }), "ports"],
  ["GRE with a port", inbound({ protocol: 47, internalPort: 1 }), "ports"],
  ["GRE with an external port", inbound({ protocol: 47, internalPort: 0, externalPort: 1 }), "ports"],
  ["all ports to one", inbound({ internalPort: 0, externalPort: 80 }), "ports"],
  ["PEER of all protocols", outbound({ protocol: 0, internalPort: 0 }), "ports"],
  ["PEER of a protocol without ports", outbound({ protocol: 47, internalPort: 0 }), "ports"],
  ["PEER of internal port 0", outbound({ internalPort: 0 }), "ports"],
  ["PEER to 0.0.0.0", outbound({ remote: ANY4 }), "remote"],
  ["PEER to ::", outbound({ remote: ANY6 }), "remote"],
  ["PEER to port 0", outbound({ remotePort: 0 }), "remote"],
  ["PEER to port 65536", outbound({ remotePort: 65536 }), "remote"],
  ["PREFER_FAILURE without a port", inbound({ preferFailure: true }), "suggestion"],
  [
    "PREFER_FAILURE with a port set",
    inbound({ preferFailure: true, externalPort: 8080, portSet: { size: 4, parity: false } }),
    "contradiction",
  ],
  ["a port set of 1", inbound({ portSet: { size: 1, parity: false } }), "range"],
  ["a port set of 65536", inbound({ portSet: { size: 65536, parity: false } }), "range"],
  ["a port set of all ports", inbound({ internalPort: 0, portSet: { size: 2, parity: false } }), "contradiction"],
  ["a filter of 0 bits", inbound({ filters: [{ remote: REMOTE, prefixLength: 0, remotePort: 0 }] }), "remote"],
  ["a filter of 33 bits", inbound({ filters: [{ remote: REMOTE, prefixLength: 33, remotePort: 0 }] }), "remote"],
  [
    "a filter of 129 bits",
    inbound({ filters: [{ remote: address("2001:db8::"), prefixLength: 129, remotePort: 0 }] }),
    "remote",
  ],
  ["a filter's port", inbound({ filters: [{ remote: REMOTE, prefixLength: 24, remotePort: -1 }] }), "range"],
  [
    "44 filters",
    inbound({ filters: new Array(44).fill({ remote: REMOTE, prefixLength: 24, remotePort: 0 }) }),
    "too-long",
  ],
  ["THIRD_PARTY_ID alone", inbound({ thirdPartyId: Uint8Array.of(1) }), "contradiction"],
  ["THIRD_PARTY of everybody", inbound({ thirdParty: ANY4 }), "contradiction"],
  ["a description with NUL", inbound({ description: "a\0b" }), "option"],
  ["a description of 1017 octets", inbound({ description: "x".repeat(1017) }), "option"],
  [
    "an id of 1017 octets",
    inbound({ thirdParty: address("192.168.1.20"), thirdPartyId: new Uint8Array(1017) }),
    "option",
  ],
  ["DESCRIPTION twice", inbound({ description: "a", options: [{ kind: "DESCRIPTION", text: "b" }] }), "option-twice"],
  [
    "PREFER_FAILURE twice",
    inbound({ preferFailure: true, externalPort: 80, options: [{ kind: "PREFER_FAILURE" }] }),
    "option-twice",
  ],
  [
    "NONCE twice",
    inbound({
      options: [
        { kind: "NONCE", nonce: 1 },
        { kind: "NONCE", nonce: 2 },
      ],
    }),
    "option-twice",
  ],
  // THIRD_PARTY that the field does not know of would make every answer a mismatch.
  ["THIRD_PARTY among the options", inbound({ options: [{ kind: "THIRD_PARTY", internal: CLIENT }] }), "option"],
  ["FILTER with PEER", outbound({ options: [{ kind: "PREFER_FAILURE" }] }), "option"],
]

describe("what cannot be asked for", () => {
  for (const [what, request, code] of WRONG)
    test(`${what}: ${code}, and nothing is sent`, () => {
      const error = checkRequest(request)
      assert.equal(error?.code, code, error?.text ?? "it can be sent")
      assert.match(error?.text ?? "", /^.{10,}\.$/)
      const client = scene()
      client.command({ type: "request", id: "one", request })
      assert.ok(error !== undefined)
      assert.deepEqual(client.told("refused"), [{ type: "refused", id: "one", error }])
      assert.equal(client.sent.length, 0)
      assert.equal(client.wake(), undefined)
    })

  test("C-04: what has no ports has none, and all protocols have no port", () => {
    for (const request of [
      inbound({ protocol: 0, internalPort: 0 }),
      inbound({ protocol: 47, internalPort: 0 }),
      inbound({ internalPort: 0 }),
    ]) {
      assert.equal(checkRequest(request), undefined)
      const client = scene()
      client.command({ type: "request", id: "one", request })
      const [{ bytes }] = client.sent
      // Internal port, suggested external port, suggested external address: RFC 6887 figure 9.
      assert.deepEqual([...bytes.subarray(40, 60)], [0, 0, 0, 0, ...new Array(10).fill(0), 255, 255, 0, 0, 0, 0])
    }
  })

  test("as many filters as a message holds are taken: 43 (RFC 6887 section 7)", () => {
    const filters = new Array(43).fill({ remote: REMOTE, prefixLength: 24, remotePort: 0 })
    assert.equal(checkRequest(inbound({ filters })), undefined)
    // A renewal, which would remove the old ones first, has no room for that.
    const client = scene()
    client.command({ type: "request", id: "one", request: inbound({ filters }) })
    assert.equal(client.sent[0]?.bytes.length, 60 + 43 * 24)
  })

  test("any numbers at all are judged without a throw, and what is taken fits its fields", () => {
    const number = fc.oneof(fc.integer(), fc.double(), fc.nat(70000), fc.nat(300))
    fc.assert(
      fc.property(
        number,
        number,
        number,
        number,
        fc.boolean(),
        (protocol, internalPort, externalPort, lifetime, prefer) => {
          const request = inbound({ protocol, internalPort, externalPort, lifetime, preferFailure: prefer })
          if (checkRequest(request) !== undefined) return
          const client = scene()
          client.command({ type: "request", id: "one", request })
          const bytes = client.sent[0]?.bytes ?? new Uint8Array()
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
          assert.deepEqual(
            [bytes[36], view.getUint16(40), view.getUint16(42), view.getUint32(4)],
            [protocol, internalPort, externalPort, lifetime],
          )
        },
      ),
    )
  })
})

describe("commands that cannot be taken", () => {
  const refusal = (client: ReturnType<typeof scene>): string | undefined => client.told("refused").at(-1)?.error.code

  test("an id is some text, and nobody else's", () => {
    const client = scene()
    client.command({ type: "request", id: "", request: TCP_8080 })
    assert.equal(refusal(client), "id")
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    assert.equal(refusal(client), "id")
    client.command({ type: "announce", id: "web" })
    assert.equal(refusal(client), "id")
    assert.equal(client.told("refused").length, 3)
    assert.equal(client.sent.length, 1)
  })

  test("renewing, revoking and dropping what is not there", () => {
    for (const type of ["renew", "revoke", "drop"] as const) {
      const client = scene()
      client.command({ type, id: "web" })
      assert.equal(refusal(client), "id")
    }
  })

  test("a renewal's lifetime is checked like a request's", () => {
    const client = scene()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.command({ type: "renew", id: "web", lifetime: 0 })
    assert.equal(refusal(client), "lifetime-zero")
    client.command({ type: "renew", id: "web", lifetime: 2 ** 32 })
    assert.equal(refusal(client), "range")
  })

  test("servers that are not there, and none", () => {
    const client = scene()
    client.command({ type: "request", id: "web", request: TCP_8080, servers: ["other"] })
    assert.equal(refusal(client), "server")
    client.command({ type: "request", id: "web", request: TCP_8080, servers: [] })
    assert.equal(refusal(client), "server")
    const alone = scene({ servers: [] })
    alone.command({ type: "request", id: "web", request: TCP_8080 })
    assert.equal(refusal(alone), "server")
  })

  test("a peer that no server's family reaches (RFC 6887 section 12)", () => {
    const client = scene()
    client.command({ type: "request", id: "out", request: outbound({ remote: address("2001:db8::7") }) })
    assert.equal(refusal(client), "server")
  })

  test("one nonce for several servers (C-03)", () => {
    const two = scene({ servers: [router(), router({ name: "other", ends: [{ address: REMOTE, client: CLIENT }] })] })
    two.command({ type: "request", id: "a", request: TCP_8080 })
    const nonce = Buffer.from(two.sent[0]?.bytes ?? []).subarray(24, 36)
    assert.notDeepEqual(nonce, Buffer.from(two.sent[1]?.bytes ?? []).subarray(24, 36))
    const [packet] = two.packets()
    assert.ok(packet.kind === "pcp-request" && packet.body.kind === "map")
    two.command({ type: "request", id: "b", request: inbound({ internalPort: 81 }), nonce: packet.body.nonce })
    assert.equal(refusal(two), "contradiction")
  })

  test("C-100: nobody is a third party to himself", () => {
    const client = scene()
    client.command({ type: "request", id: "self", request: inbound({ thirdParty: CLIENT }) })
    assert.equal(refusal(client), "contradiction")
    assert.equal(client.sent.length, 0)
  })

  test("numbers of renewals, of tries, and of a state file", () => {
    const client = scene()
    for (const times of [-1, 0.5, Number.NaN]) {
      client.command({ type: "request", id: "web", request: TCP_8080, mode: { kind: "repeat", times } })
      assert.equal(refusal(client), "range")
    }
    for (const tries of [0, -1, 1.5, Number.NaN]) {
      client.command({ type: "announce", id: "there", tries })
      assert.equal(refusal(client), "range")
    }
    assert.equal(client.told("refused").length, 7)
    assert.equal(client.sent.length, 0)
  })

  test("anything new while the client stops", () => {
    const client = scene()
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.command({ type: "stop", revoke: true })
    client.command({ type: "request", id: "late", request: inbound({ internalPort: 81 }) })
    assert.equal(refusal(client), "contradiction")
    client.command({ type: "announce", id: "there" })
    assert.equal(refusal(client), "contradiction")
  })
})
