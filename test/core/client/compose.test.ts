import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { describe, test } from "node:test"
import type { InboundRequest, MappingRequest } from "../../../core/client/index.ts"
import { Protocol, parseNonce } from "../../../core/wire/index.ts"
import { success } from "./answer.ts"
import { address, CLIENT, EXTERNAL, router, scene, TCP_8080 } from "./scene.ts"

const NONCE_HEX = "0102030405060708090a0b0c"
const NONCE = parseNonce(NONCE_HEX)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** IPv4-mapped, RFC 6887 section 5. */
const mapped = (...octets: number[]): string => `00000000000000000000ffff${Buffer.from(octets).toString("hex")}`
const ANY = mapped(0, 0, 0, 0)

/** RFC 6887 figures 2 and 9: version, opcode, reserved, lifetime, client; nonce, protocol, reserved, ports, address. */
const map = (lifetime: string, port: string, external: string, options = "", protocol = "06"): string =>
  `02010000${lifetime}${mapped(192, 168, 1, 10)}${NONCE_HEX}${protocol}0000001f90${port}${external}${options}`

/** The datagrams of a mapping: asked for, renewed, and deleted. */
const datagrams = (request: MappingRequest): readonly string[] => {
  const client = scene()
  client.respond(({ bytes }) => [success(bytes)])
  client.command({ type: "request", id: "one", request, nonce: NONCE })
  client.run(2_000_000)
  client.command({ type: "revoke", id: "one" })
  client.run(100)
  assert.equal(client.sent.length, request.kind === "inbound" ? 3 : 2)
  assert.equal(client.told("ignored").length, 0)
  return client.sent.map(({ bytes }) => hex(bytes))
}

const inbound = (more: Partial<InboundRequest>): MappingRequest => ({ ...TCP_8080, lifetime: 3000, ...more })

describe("the octets of a request", () => {
  const granted = mapped(203, 0, 113, 7)

  test("C-01, C-04: MAP, its renewal with what was assigned, its deletion", () => {
    const [asked, renewed, deleted] = datagrams(inbound({}))
    assert.equal(asked, map("00000bb8", "0000", ANY))
    assert.equal(renewed, map("00000bb8", "1f90", granted))
    assert.equal(deleted, map("00000000", "0000", ANY))
  })

  test("C-132: a deletion suggests no external end, also where one was preferred", () => {
    const [asked, , deleted] = datagrams(inbound({ externalPort: 80, external: EXTERNAL }))
    assert.equal(asked, map("00000bb8", "0050", granted))
    assert.equal(deleted, map("00000000", "0000", ANY))
  })

  test("THIRD_PARTY stays in all of them (RFC 6887 section 13.1)", () => {
    const option = `01000010${mapped(192, 168, 1, 20)}`
    const [asked, renewed, deleted] = datagrams(inbound({ thirdParty: address("192.168.1.20") }))
    assert.equal(asked, map("00000bb8", "0000", ANY, option))
    assert.equal(renewed, map("00000bb8", "1f90", granted, option))
    assert.equal(deleted, map("00000000", "0000", ANY, option))
  })

  test("THIRD_PARTY_ID follows it (RFC 7843)", () => {
    const option = `01000010${mapped(192, 168, 1, 20)}0d000003aabbcc00`
    const request = inbound({ thirdParty: address("192.168.1.20"), thirdPartyId: Uint8Array.of(0xaa, 0xbb, 0xcc) })
    const [asked, renewed, deleted] = datagrams(request)
    assert.equal(asked, map("00000bb8", "0000", ANY, option))
    assert.equal(renewed, map("00000bb8", "1f90", granted, option))
    assert.equal(deleted, map("00000000", "0000", ANY, option))
  })

  test("C-110, C-111: PREFER_FAILURE only where it is asked for, never in a deletion, and always for the same end", () => {
    const [asked, renewed, deleted] = datagrams(inbound({ preferFailure: true, externalPort: 80 }))
    assert.equal(asked, map("00000bb8", "0050", ANY, "02000000"))
    // A renewal asks for exactly what the request did.
    assert.equal(renewed, map("00000bb8", "0050", ANY, "02000000"))
    assert.equal(deleted, map("00000000", "0000", ANY))
  })

  test("FILTER: several, set anew by a renewal, not in a deletion (RFC 6887 section 13.3)", () => {
    const one = `03000014007801bb${mapped(198, 51, 100, 0)}`
    const two = `03000014002000002001 0db8${"00".repeat(12)}`.replace(" ", "")
    const [asked, renewed, deleted] = datagrams(
      inbound({
        filters: [
          { remote: address("198.51.100.0"), prefixLength: 24, remotePort: 443 },
          { remote: address("2001:db8::"), prefixLength: 32, remotePort: 0 },
        ],
      }),
    )
    assert.equal(asked, map("00000bb8", "0000", ANY, one + two))
    // Prefix length 0 removes what is there.
    assert.equal(renewed, map("00000bb8", "1f90", granted, `0300001400000000${ANY}${one}${two}`))
    assert.equal(deleted, map("00000000", "0000", ANY))
  })

  test("PORT_SET, also in a deletion (RFC 7753 section 4.4)", () => {
    const option = "8200000500101f9001000000"
    const [asked, renewed, deleted] = datagrams(inbound({ portSet: { size: 16, parity: true } }))
    assert.equal(asked, map("00000bb8", "0000", ANY, option))
    assert.equal(renewed, map("00000bb8", "1f90", granted, option))
    assert.equal(deleted, map("00000000", "0000", ANY, option))
  })

  test("PREFIX64: the prefix ::/96 and a list of none (RFC 7225 section 4.1)", () => {
    const option = `81000010000c${"00".repeat(14)}`
    const [asked, renewed, deleted] = datagrams(inbound({ prefix64: true }))
    assert.equal(asked, map("00000bb8", "0000", ANY, option))
    assert.equal(renewed, map("00000bb8", "1f90", granted, option))
    assert.equal(deleted, map("00000000", "0000", ANY))
  })

  test("DESCRIPTION and options that nobody here knows, not in a deletion (RFC 7220)", () => {
    const [asked, renewed, deleted] = datagrams(
      inbound({ description: "wëb", options: [{ kind: "unknown", code: 200, data: Uint8Array.of(7) }] }),
    )
    const options = "8000000477c3ab62c800000107000000"
    assert.equal(asked, map("00000bb8", "0000", ANY, options))
    assert.equal(renewed, map("00000bb8", "1f90", granted, options))
    assert.equal(deleted, map("00000000", "0000", ANY))
  })

  test("any IANA protocol: all of GRE, and all of everything", () => {
    for (const [protocol, octet] of [
      [47, "2f"],
      [0, "00"],
    ] as const) {
      const client = scene()
      client.command({ type: "request", id: "one", request: inbound({ protocol, internalPort: 0 }), nonce: NONCE })
      const [{ bytes }] = client.sent
      assert.equal(hex(bytes), `0201000000000bb8${mapped(192, 168, 1, 10)}${NONCE_HEX}${octet}00000000000000${ANY}`)
    }
  })

  test("PEER, and its renewal (RFC 6887 figure 11)", () => {
    const [asked, renewed] = datagrams({
      kind: "outbound",
      protocol: Protocol.UDP,
      internalPort: 8080,
      lifetime: 3000,
      remote: address("198.51.100.7"),
      remotePort: 443,
    })
    const rest = `01bb0000${mapped(198, 51, 100, 7)}`
    assert.equal(asked, map("00000bb8", "0000", ANY, rest, "11").replace(/^0201/, "0202"))
    assert.equal(renewed, map("00000bb8", "1f90", granted, rest, "11").replace(/^0201/, "0202"))
  })

  test("C-04: an IPv6 client has no preference in IPv6's form", () => {
    const client = scene({
      servers: [router({ ends: [{ address: address("2001:db8::1"), client: address("2001:db8::10") }] })],
    })
    client.command({ type: "request", id: "pinhole", request: inbound({}), nonce: NONCE })
    assert.equal(
      hex(client.sent[0]?.bytes ?? new Uint8Array()),
      `0201000000000bb820010db8000000000000000000000010${NONCE_HEX}060000001f900000${"00".repeat(16)}`,
    )
  })

  test("C-55: ANNOUNCE has a lifetime of 0 and nothing more", () => {
    const client = scene()
    client.command({ type: "announce", id: "there" })
    assert.equal(hex(client.sent[0]?.bytes ?? new Uint8Array()), `0200000000000000${mapped(192, 168, 1, 10)}`)
  })

  test("what is sent says where from and where to", () => {
    const client = scene({
      servers: [router({ ends: [{ address: address("fe80::1"), port: 5399, zone: "eth0", client: CLIENT }] })],
    })
    client.command({ type: "request", id: "one", request: inbound({}) })
    assert.deepEqual([client.sent[0]?.to, client.sent[0]?.port], [address("fe80::1"), 5399])
  })
})

describe("the octets of NAT-PMP (RFC 6886 sections 3.2 and 3.3)", () => {
  test("map, renew with the assigned port, unmap, unmap all, external address", () => {
    const client = scene({ servers: [router({ protocol: "nat-pmp" })] })
    client.command({ type: "request", id: "web", request: inbound({ protocol: Protocol.UDP, externalPort: 80 }) })
    assert.equal(hex(client.sent[0]?.bytes ?? new Uint8Array()), "000100001f90005000000bb8")
    client.datagram(Uint8Array.from([0, 129, 0, 0, 0, 0, 0, 9, 0x1f, 0x90, 0x23, 0x28, 0, 0, 0x0b, 0xb8]))
    assert.equal(hex(client.sent[1]?.bytes ?? new Uint8Array()), "0000")
    client.datagram(Uint8Array.from([0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 7]))
    client.run(1_500_000)
    assert.equal(hex(client.sent[2]?.bytes ?? new Uint8Array()), "000100001f90232800000bb8")
    client.command({ type: "revoke", id: "web" })
    assert.equal(hex(client.sent[3]?.bytes ?? new Uint8Array()), "000100001f90000000000000")
    client.run(60_000)
    client.command({ type: "unmap-all", id: "all", transport: "tcp" })
    assert.equal(hex(client.sent.at(-1)?.bytes ?? new Uint8Array()), "000200000000000000000000")
  })
})
