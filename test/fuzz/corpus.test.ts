import assert from "node:assert/strict"
import { test } from "node:test"
import { noteOutbound, PROFILES } from "../../core/cgn/index.ts"
import { createServer, mappings, process, type ServerOptions } from "../../core/server/index.ts"
import { type Address, parseAddress } from "../../core/wire/index.ts"
import { addressText, hexAt, word16, word32 } from "../core/server/model-message.ts"
import { announce, CORPUS, filter, map, mapOfLength, natPmp, option, peer, SOURCE, thirdParty } from "./corpus.ts"
import { SERVER_LIFE, serverTarget, wireTarget } from "./target.ts"

/** The named packets, each with what must become of it. */

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

/** A server, and what it replies to one packet after the other. */
const serve = (options: Partial<ServerOptions> = {}) => {
  const external = [address("203.0.113.1")]
  const made = createServer({ external, secret: new Uint8Array(32), now: 0, ...options })
  assert.ok(made.ok)
  let { state } = made
  return {
    send: (bytes: Uint8Array, source = SOURCE): Uint8Array | undefined => {
      const [next, { reply }] = process(state, { bytes, now: 1000, source: address(source), sourcePort: 9 })
      state = next
      return reply
    },
    outbound: (internalPort: number) => {
      const end = { protocol: 17, internal: address(SOURCE), internalPort }
      state = { ...state, cgnState: noteOutbound(state.cgnState, end, 1000).state }
    },
    mappings: () => mappings(state, 1000).mappings,
  }
}

const codeOf = (reply: Uint8Array | undefined): number | undefined => reply?.[3]

test("every packet of the corpus goes through every reader, and to servers of several kinds", () => {
  const wire = wireTarget()
  const server = serverTarget()
  for (let life = 0; life < 8; life++) {
    let index = life * SERVER_LIFE
    for (const [name, bytes] of Object.entries(CORPUS))
      for (let length = 0; length <= bytes.length; length += life === 0 ? 1 : bytes.length || 1) {
        const cut = bytes.slice(0, length)
        assert.equal(wire(cut, 0), undefined, `${name}, ${length} octets`)
        assert.equal(server(cut, index), undefined, `${name}, ${length} octets`)
        index++
      }
    assert.ok(index < (life + 1) * SERVER_LIFE)
  }
})

test("CVE-2019-12111: an external address of all zeros, of either family, is no preference", () => {
  const zero6 = "0".repeat(32)
  for (const suggested of [zero6, "0.0.0.0"])
    for (const suggestedPort of [0, 2000]) {
      const reply = serve().send(map({ suggested, suggestedPort }))
      assert.ok(reply !== undefined)
      assert.equal(codeOf(reply), 0)
      assert.equal(addressText(reply, 44), "203.0.113.1")
      if (suggestedPort !== 0) assert.equal(word16(reply, 42), suggestedPort)
      assert.equal(codeOf(serve().send(peer({ suggested, suggestedPort }))), 0)
      const exact = map({ suggested, suggestedPort, options: option(2) })
      assert.equal(codeOf(serve().send(exact)), suggestedPort === 0 ? 6 : 0)
    }
})

test("CVE-2019-12111: a third party of all zeros is nobody: an error, and no mapping", () => {
  for (const nobody of ["0".repeat(32), "0.0.0.0"])
    for (const request of [map({ options: thirdParty(nobody) }), peer({ options: thirdParty(nobody) })]) {
      const open = serve({ threatModel: "advanced", profile: { ...PROFILES.nat444, thirdParty: true } })
      assert.equal(codeOf(open.send(request)), 6)
      assert.deepEqual(open.mappings(), [])
      assert.equal(codeOf(serve().send(request)), 5)
    }
})

test("an option's padding is not its data, whatever it holds, and the next option starts after it (S-31)", () => {
  for (let length = 0; length <= 9; length++) {
    const before = option(200, new Uint8Array(length).fill(3))
    const tail = filter(128, 80, "198.51.100.1")
    const reply = serve().send(map({ options: [...before, ...tail] }))
    assert.ok(reply !== undefined)
    assert.equal(codeOf(reply), 0, `length ${length}`)
    assert.equal(hexAt(reply, 60, reply.length), hexAt(Uint8Array.from(tail), 0, 24))
    // An option that ends the packet without its padding leaves a length that is no multiple of 4.
    const bare = map({ options: before }).subarray(0, 64 + length)
    assert.equal(codeOf(serve().send(bare)), length % 4 === 0 ? 0 : 3, `length ${length}`)
  }
})

test("an option that runs past the end is MALFORMED_OPTION whatever its code, and reads nothing beyond it (S-31)", () => {
  for (const code of [0, 1, 2, 3, 13, 127, 128, 130, 200, 255])
    for (const length of [1, 2, 4, 16, 20, 1036, 32767, 32768, 65532, 65535]) {
      const server = serve({ threatModel: "advanced", profile: { ...PROFILES.nat444, thirdParty: true } })
      // In a larger buffer: what lies behind the packet is not the packet's.
      const packet = map({ options: option(code, [], length) })
      const behind = new Uint8Array(70000).fill(1)
      behind.set(packet, 8)
      const reply = server.send(behind.subarray(8, 8 + packet.length))
      assert.equal(codeOf(reply), 6, `option ${code}, length ${length}`)
      assert.equal(reply?.length, packet.length)
      assert.deepEqual(server.mappings(), [])
    }
})

test("no packet of 2 octets or less reads more than it has (S-03 N-02)", () => {
  const server = serve()
  const only = (...octets: number[]) => server.send(Uint8Array.from(octets))
  assert.equal(only(), undefined)
  for (const version of [0, 1, 2, 255]) assert.equal(only(version), undefined)
  assert.equal(hexAt(only(0, 0) ?? new Uint8Array(), 0, 12), "0080000000000001cb007101")
  assert.equal(only(0, 0)?.length, 12)
  for (const opcode of [1, 2]) assert.equal(only(0, opcode), undefined)
  assert.deepEqual([...(only(0, 3) ?? [])], [0, 131, 0, 5])
  for (const opcode of [0, 1, 2, 127]) assert.equal(only(2, opcode), undefined)
  for (const version of [1, 3, 255]) {
    const reply = only(version, 1)
    assert.ok(reply !== undefined)
    assert.equal(reply.length, 24)
    assert.deepEqual([...reply.subarray(0, 4)], [2, 129, 0, 1])
  }
  for (const version of [0, 1, 2, 255])
    for (const opcode of [128, 129, 255]) assert.equal(only(version, opcode), undefined)
})

test("ports at the edges: 1 and 65535 are ports like others, 0 is none, and none is read the wrong way round", () => {
  for (const port of [1, 255, 256, 0x0102, 65535]) {
    const server = serve({ ports: { first: 1, last: 65535 } })
    const reply = server.send(map({ internalPort: port, suggestedPort: 65536 - port }))
    assert.ok(reply !== undefined)
    assert.deepEqual([codeOf(reply), word16(reply, 40), word16(reply, 42)], [0, port, 65536 - port])
    const { mappings: rows } = server
    assert.deepEqual(
      rows().map((row) => [row.internalPort, row.externalPort]),
      [[port, 65536 - port]],
    )
    const lease = serve({ ports: { first: 1, last: 65535 } }).send(natPmp(2, port, 65536 - port, 60))
    assert.ok(lease !== undefined)
    assert.deepEqual([word16(lease, 2), word16(lease, 8), word16(lease, 10)], [0, port, 65536 - port])
  }
  assert.equal(codeOf(serve().send(map({ internalPort: 0 }))), 9)
  assert.equal(codeOf(serve().send(map({ internalPort: 0, protocol: 0 }))), 9)
  assert.equal(codeOf(serve().send(map({ protocol: 0 }))), 3)
  for (const fields of [{ internalPort: 0 }, { remotePort: 0 }, { protocol: 0 }])
    assert.equal(codeOf(serve().send(peer(fields))), 3)
})

test("1100 octets are read, 1101 and 1104 are MALFORMED_REQUEST, and no answer is longer (S-03 S-08 S-12)", () => {
  for (const [length, code, answered] of [
    [1096, 0, 1092],
    [1100, 0, 1092],
    [1101, 3, 1100],
    [1104, 3, 1100],
    [9000, 3, 1100],
  ] as const) {
    const request = length === 9000 ? new Uint8Array(9000).fill(0).map((_, i) => map()[i] ?? 0) : mapOfLength(length)
    const reply = serve().send(request)
    assert.ok(reply !== undefined)
    assert.equal(codeOf(reply), code, `${length} octets`)
    assert.equal(reply.length, answered, `${length} octets`)
    if (code !== 0) assert.equal(hexAt(reply, 12, 1100), hexAt(request, 12, 1100))
    const version = request.slice()
    version[0] = 1
    assert.equal(serve().send(version)?.length, Math.min(1100, length))
    const unknown = request.slice()
    unknown[0] = 0
    unknown[1] = 100
    assert.equal(serve().send(unknown)?.length, Math.min(1100, length))
  }
})

test("a deletion ignores its suggested end, and one of what is not there succeeds (S-133 S-134; miniupnp issues 132 and 186)", () => {
  const server = serve()
  assert.equal(codeOf(server.send(map())), 0)
  const wrong = map({ lifetime: 0, suggestedPort: 7, suggested: "192.0.2.1" })
  for (let n = 0; n < 2; n++) {
    const reply = server.send(wrong)
    assert.ok(reply !== undefined)
    assert.deepEqual(
      [codeOf(reply), word32(reply, 4), word16(reply, 42), addressText(reply, 44)],
      [0, 0, 7, "192.0.2.1"],
    )
    assert.deepEqual(server.mappings(), [])
  }
})

test("the same MAP again renews its one mapping, and another nonce does not (S-44; miniupnp issues 131 and 748)", () => {
  const server = serve()
  const first = server.send(map({ lifetime: 600 }))
  const again = server.send(map({ lifetime: 7200 }))
  assert.ok(first !== undefined && again !== undefined)
  assert.deepEqual([word32(again, 4), word16(again, 42)], [7200, word16(first, 42)])
  assert.equal(server.mappings().length, 1)
  const stranger = server.send(map({ nonce: 100 }))
  assert.ok(stranger !== undefined)
  assert.deepEqual([codeOf(stranger), word32(stranger, 4)], [2, 7200])
  assert.equal(codeOf(server.send(map({ nonce: 100, lifetime: 0 }))), 2)
  assert.equal(server.mappings().length, 1)
})

test("ANNOUNCE and traffic leave no mapping behind that was not asked for", () => {
  const server = serve()
  assert.equal(codeOf(server.send(announce())), 0)
  assert.deepEqual(server.mappings(), [])
  server.outbound(4000)
  assert.deepEqual(
    server.mappings().map((row) => row.kind),
    ["implicit"],
  )
})
