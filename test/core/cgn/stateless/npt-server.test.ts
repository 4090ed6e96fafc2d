import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createNpt, nptCgn, PROFILES } from "../../../../core/cgn/index.ts"
import { adopt, type ServerSettings } from "../../../../core/server/index.ts"
import {
  address,
  announce,
  filter,
  map,
  NONCE,
  OTHER_NONCE,
  octets,
  option,
  peer,
  preferFailure,
} from "../../server/scene.ts"
import { digits, Stage } from "../stage.ts"

const NOT_AUTHORIZED = 2
const MALFORMED_REQUEST = 3
const UNSUPP_OPTION = 5
const CANNOT_PROVIDE_EXTERNAL = 11
const ADDRESS_MISMATCH = 12

/** The example of RFC 6296 section 3.6. */
const HOST = "fd01:203:405:1::1234"
const CLIENT = digits(HOST)
const EXTERNAL = octets("20010db80001d5500000000000001234")

const pair = (external: string) => ({
  internal: { address: address("fd01:203:405::"), prefixLength: 48 },
  external: { address: address(external), prefixLength: 48 },
})

const stage = (options: Partial<ServerSettings> = {}) => {
  const made = createNpt({ pairs: [pair("2001:db8:1::")] })
  assert.ok(made.ok)
  return new Stage(nptCgn, made.state, { profile: PROFILES.nptv6, ...options })
}

const ask = { client: CLIENT, suggested: "0".repeat(32) }

describe("a PCP server over NPTv6, on IPv6", () => {
  test("S-46 S-42 MAP is answered by RFC 6296's algorithm, the port as it is", () => {
    const server = stage()
    const reply = server.send(map({ ...ask, port: 7000, lifetime: 3600 }), HOST)
    assert.deepEqual([reply.result, reply.lifetime, reply.port, reply.externalPort], [0, 3600, 7000, 7000])
    assert.deepEqual(reply.external, EXTERNAL)
    assert.deepEqual([reply.nonce, reply.protocol, reply.length], [NONCE, 17, 60])
    assert.deepEqual(server.changes, [])
  })

  test("S-46 another nonce, another lifetime and another suggestion change nothing of it", () => {
    const server = stage()
    server.send(map(ask), HOST)
    const before = server.state.cgnState
    const other = { ...ask, nonce: OTHER_NONCE, suggested: digits("2001:db8:1:2::3"), suggestedPort: 99 }
    const reply = server.send(map(other), HOST)
    assert.deepEqual([reply.result, reply.externalPort, reply.external], [0, 4000, EXTERNAL])
    assert.equal(server.state.cgnState, before)
  })

  test("S-130 the lifetime is what was asked for, within the server's limits", () => {
    const server = stage()
    assert.equal(server.send(map({ ...ask, lifetime: 1 }), HOST).lifetime, 120)
    assert.equal(server.send(map({ ...ask, lifetime: 0xffffffff }), HOST).lifetime, 86400)
  })

  test("S-50 PREFER_FAILURE is CANNOT_PROVIDE_EXTERNAL unless it suggests the algorithm's end", () => {
    const server = stage()
    const options = preferFailure()
    const want = { ...ask, suggested: digits("2001:db8:1:d550::1234"), suggestedPort: 4000, options }
    const met = server.reply(map(want), HOST)
    assert.equal(met[3], 0)
    assert.deepEqual([...met.subarray(60)], options)
    assert.equal(server.send(map({ ...want, suggestedPort: 4001 }), HOST).result, CANNOT_PROVIDE_EXTERNAL)
    assert.equal(
      server.send(map({ ...want, suggested: digits("2001:db8:1::1") }), HOST).result,
      CANNOT_PROVIDE_EXTERNAL,
    )
  })

  test("S-43 S-46 whole protocols and hosts are met in their entirety, as is any protocol", () => {
    const server = stage()
    for (const [protocol, port] of [
      [132, 4000],
      [58, 0],
      [6, 0],
      [0, 0],
    ]) {
      const reply = server.send(map({ ...ask, protocol, port }), HOST)
      assert.deepEqual([reply.result, reply.protocol, reply.externalPort], [0, protocol, port])
      assert.deepEqual(reply.external, EXTERNAL)
    }
  })

  test("S-133 S-134 a deletion finds nothing to delete: SUCCESS, lifetime 0, the suggestion copied", () => {
    const server = stage()
    const reply = server.send(map({ ...ask, lifetime: 0 }), HOST)
    assert.deepEqual([reply.result, reply.lifetime, reply.externalPort], [0, 0, 0])
    assert.deepEqual(reply.external, octets("0".repeat(32)))
  })

  test("S-10 it does not filter: UNSUPP_OPTION, but to remove all filters is fine", () => {
    const server = stage()
    const only = filter(64, 0, digits("2001:db8:ffff::"))
    assert.equal(server.send(map({ ...ask, options: only }), HOST).result, UNSUPP_OPTION)
    assert.equal(server.send(map({ ...ask, options: filter(0, 0, "0".repeat(32)) }), HOST).result, 0)
  })

  test("S-62 S-64 PEER is answered by the algorithm too, and never with an end that was not suggested", () => {
    const server = stage()
    const remote = digits("2001:db8:ffff::1")
    const reply = server.send(peer({ ...ask, remote }), HOST)
    assert.deepEqual([reply.result, reply.lifetime, reply.externalPort, reply.length], [0, 7200, 4000, 80])
    assert.deepEqual(reply.external, EXTERNAL)
    const suggest = (suggested: string, suggestedPort: number) =>
      server.send(peer({ ...ask, remote, suggested: digits(suggested), suggestedPort }), HOST).result
    assert.equal(suggest("2001:db8:1:d550::1234", 4000), 0)
    assert.equal(suggest("2001:db8:1:d550::1234", 4001), CANNOT_PROVIDE_EXTERNAL)
    assert.equal(suggest("2001:db8:1::1", 0), CANNOT_PROVIDE_EXTERNAL)
    assert.equal(server.send(peer({ ...ask, remote: "198.51.100.7" }), HOST).result, MALFORMED_REQUEST)
  })

  test("a set of ports is answered whole (RFC 7753 section 1.4)", () => {
    const server = stage()
    const portSet = option(130, [0, 100, 0x0f, 0xa0, 1])
    const reply = server.reply(map({ ...ask, options: portSet }), HOST)
    assert.deepEqual([reply[3], ...reply.subarray(60)], [0, ...portSet])
  })

  test("an address that it does not translate is NOT_AUTHORIZED, and a lie about one is ADDRESS_MISMATCH", () => {
    const server = stage()
    for (const other of ["fd01:203:405:ffff::1", "2001:db8:7::1", "10.0.0.1"]) {
      const client = other.includes(".") ? other : digits(other)
      assert.equal(server.send(map({ ...ask, client }), other).result, NOT_AUTHORIZED, other)
    }
    assert.equal(server.send(map(ask), "fd01:203:405:1::1235").result, ADDRESS_MISMATCH)
  })

  test("S-81 S-07 ANNOUNCE is answered with the server's epoch", () => {
    const server = stage()
    server.now = 5000
    const reply = server.send(announce({ client: CLIENT }), HOST)
    assert.deepEqual([reply.result, reply.epoch, reply.length], [0, 5, 24])
  })

  test("S-83 S-84 S-140 new prefixes reset the epoch and are announced, and answers follow them", () => {
    const server = stage({ natPmp: false })
    server.now = 9000
    assert.equal(server.send(map(ask), HOST).epoch, 9)
    const moved = createNpt({ pairs: [pair("2001:db8:2::")] })
    assert.ok(moved.ok)
    const [state, pushed] = adopt(server.state, { state: moved.state, changes: [], readdressed: true }, server.now)
    assert.deepEqual(pushed.changes, [{ type: "epoch-reset", at: 9000 }])
    server.state = state
    const told = server.wait(0).send.filter(({ destination }) => destination === address("ff02::1"))
    assert.deepEqual(
      told.map(({ bytes, port }) => [port, [...bytes.subarray(0, 12)]]),
      [[5350, [2, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]],
    )
    const reply = server.send(map(ask), HOST)
    // 2001+0db8+0001 became 2001+0db8+0002: one less is left for the subnet, d54f.
    assert.deepEqual([reply.epoch, reply.external], [0, octets("20010db80002d54f0000000000001234")])
  })

  test("nothing runs out", () => {
    const server = stage()
    server.send(map(ask), HOST)
    assert.deepEqual(server.wait(100_000), { changes: [], send: [], next: undefined })
  })
})
