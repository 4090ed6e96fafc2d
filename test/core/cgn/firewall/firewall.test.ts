import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  admits,
  createFirewall,
  type FirewallSettings,
  type FirewallState,
  firewallCgn,
  listPinholes,
  PROFILES,
  pinholeCount,
  pinholeFilters,
  revokePinholes,
} from "../../../../core/cgn/index.ts"
import { apply, type ServerState } from "../../../../core/server/index.ts"
import { readNonce } from "../../../../core/wire/index.ts"
import { address, filter, map, NONCE, natPmpMap, OTHER_NONCE, octets, peer, preferFailure } from "../../server/scene.ts"
import { digits, Stage } from "../stage.ts"

const NOT_AUTHORIZED = 2
const UNSUPP_OPCODE = 4
const MALFORMED_OPTION = 6
const UNSUPP_PROTOCOL = 9
const USER_EX_QUOTA = 10
const CANNOT_PROVIDE_EXTERNAL = 11
const EXCESSIVE_REMOTE_PEERS = 13

const HOST = "2001:db8:1::7"
const CLIENT = digits(HOST)

const firewall = (settings: Partial<FirewallSettings> = {}): FirewallState => {
  const made = createFirewall({ family: "ipv6", secret: new Uint8Array(32).fill(9), now: 0, ...settings })
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  return made.state
}

const stage = (settings: Partial<FirewallSettings> = {}) =>
  new Stage(firewallCgn, firewall(settings), {
    profile: PROFILES[settings.family === "ipv4" ? "firewall4" : "firewall6"],
  })

const ask = { client: CLIENT, suggested: "0".repeat(32) }

const nonceOf = (octets12: readonly number[]) => readNonce(Uint8Array.from(octets12), 0)

const pinholes = (server: Stage<FirewallState>) => listPinholes(server.state.cgnState, server.now, 0, 1000).mappings

const end = (port = 4000, protocol = 17) => ({ protocol, internal: address(HOST), internalPort: port })
const packet = { ...end(), remote: address("2001:db8:ffff::1"), remotePort: 53 }

describe("a PCP server over an IPv6 firewall", () => {
  test("S-42 the external end is the internal one, whatever is suggested", () => {
    const server = stage()
    const reply = server.send(map({ ...ask, suggested: digits("2001:db8:9::9"), suggestedPort: 9 }), HOST)
    assert.deepEqual([reply.result, reply.lifetime, reply.externalPort], [0, 7200, 4000])
    assert.deepEqual(reply.external, octets(CLIENT))
    const [mapping] = pinholes(server)
    assert.deepEqual(
      [mapping.internal, mapping.external, mapping.externalPort, mapping.expires, mapping.clientPort],
      [address(HOST), address(HOST), 4000, 7_200_000, 40000],
    )
  })

  test("S-48 packets pass while the mapping lives, and only to its own end", () => {
    const server = stage()
    assert.equal(admits(server.state.cgnState, packet, 0), false)
    server.send(map(ask), HOST)
    assert.equal(admits(server.state.cgnState, packet, 7_199_999), true)
    assert.equal(admits(server.state.cgnState, packet, 7_200_000), false)
    for (const other of [{ internalPort: 4001 }, { protocol: 6 }, { internal: address("2001:db8:1::8") }])
      assert.equal(admits(server.state.cgnState, { ...packet, ...other }, 0), false)
  })

  test("S-43 a whole protocol, a protocol without ports and a whole host are met; a port where there is none is not", () => {
    const server = stage()
    for (const [protocol, port] of [
      [6, 0],
      [58, 0],
      [0, 0],
      [132, 9],
    ])
      assert.equal(server.send(map({ ...ask, protocol, port }), HOST).result, 0)
    assert.equal(server.send(map({ ...ask, protocol: 58, port: 9 }), HOST).result, UNSUPP_PROTOCOL)
    const admitted = (protocol: number, internalPort: number) =>
      admits(server.state.cgnState, { ...packet, protocol, internalPort }, 0)
    assert.deepEqual([admitted(6, 80), admitted(58, 0), admitted(17, 999)], [true, true, true])
    server.send(map({ ...ask, protocol: 0, port: 0, lifetime: 0 }), HOST)
    assert.deepEqual([admitted(6, 80), admitted(58, 0), admitted(17, 999)], [true, true, false])
  })

  test("S-44 another nonce is NOT_AUTHORIZED for as long as the mapping lasts, whether it renews or deletes", () => {
    const server = stage()
    server.send(map({ ...ask, lifetime: 1000 }), HOST)
    server.now = 400_000
    for (const lifetime of [1000, 0]) {
      const refused = server.send(map({ ...ask, lifetime, nonce: OTHER_NONCE }), HOST)
      assert.deepEqual([refused.result, refused.lifetime], [NOT_AUTHORIZED, 600])
      assert.deepEqual(server.changes, [])
    }
    server.now = 1_000_000
    assert.equal(server.send(map({ ...ask, nonce: OTHER_NONCE }), HOST).result, 0)
    assert.deepEqual(
      server.changes.map(({ type }) => type),
      ["expired", "created"],
    )
  })

  test("S-47 S-50 PREFER_FAILURE is met by the internal end alone", () => {
    const server = stage()
    const options = preferFailure()
    const want = { ...ask, suggestedPort: 4000, options }
    assert.equal(server.send(map({ ...want, suggestedPort: 4001 }), HOST).result, CANNOT_PROVIDE_EXTERNAL)
    const other = { ...want, suggested: digits("2001:db8:1::8") }
    assert.equal(server.send(map(other), HOST).result, CANNOT_PROVIDE_EXTERNAL)
    assert.deepEqual(pinholes(server), [])
    assert.equal(server.send(map(want), HOST).result, 0)
    assert.equal(server.send(map({ ...want, suggested: CLIENT }), HOST).result, 0)
    assert.equal(server.send(map(other), HOST).result, CANNOT_PROVIDE_EXTERNAL)
  })

  test("S-49 UDP ports 5350 and 5351 are nobody's, one by one or in a whole host", () => {
    const server = stage()
    for (const port of [5350, 5351]) assert.equal(server.send(map({ ...ask, port }), HOST).result, NOT_AUTHORIZED)
    assert.equal(server.send(map({ ...ask, port: 5351, protocol: 6 }), HOST).result, 0)
    server.send(map({ ...ask, protocol: 0, port: 0 }), HOST)
    assert.equal(admits(server.state.cgnState, { ...packet, internalPort: 5351 }, 0), false)
    assert.equal(admits(server.state.cgnState, { ...packet, internalPort: 5352 }, 0), true)
  })

  test("S-52 the quota counts what is alive, and each host by itself", () => {
    const server = stage({ quota: 2 })
    server.send(map({ ...ask, port: 1, lifetime: 120 }), HOST)
    server.send(map({ ...ask, port: 2, lifetime: 600 }), HOST)
    const refused = server.send(map({ ...ask, port: 3 }), HOST)
    assert.deepEqual([refused.result, refused.lifetime], [USER_EX_QUOTA, 30])
    assert.equal(server.send(map({ ...ask, port: 2 }), HOST).result, 0)
    assert.equal(server.send(map({ ...ask, client: digits("2001:db8:1::8") }), "2001:db8:1::8").result, 0)
    server.now = 120_000
    assert.equal(server.send(map({ ...ask, port: 3 }), HOST).result, 0)
    assert.deepEqual(
      server.changes.map(({ type }) => type),
      ["expired", "created"],
    )
  })

  test("S-132 S-133 S-134 a deletion takes its mapping alone; one of nothing is SUCCESS", () => {
    const server = stage()
    for (const port of [0, 7, 8]) server.send(map({ ...ask, port, protocol: 6 }), HOST)
    for (const port of [7, 9]) {
      const reply = server.send(map({ ...ask, port, protocol: 6, lifetime: 0 }), HOST)
      assert.deepEqual([reply.result, reply.lifetime], [0, 0])
    }
    assert.deepEqual(
      pinholes(server).map(({ internalPort }) => internalPort),
      [0, 8],
    )
    server.send(map({ ...ask, port: 0, protocol: 6, lifetime: 0 }), HOST)
    assert.deepEqual(
      pinholes(server).map(({ internalPort }) => internalPort),
      [8],
    )
  })

  test("S-130 a mapping ends when its time is over, and the server says when to come back", () => {
    const server = stage()
    server.send(map({ ...ask, lifetime: 300 }), HOST)
    assert.equal(server.last?.next, 300_000)
    server.send(map({ ...ask, lifetime: 900 }), HOST)
    // The wheel is lazy: it looks at the old time, finds nothing to do and waits for the new one.
    assert.deepEqual(server.wait(300).changes, [])
    assert.equal(server.wait(0).next, 900_000)
    const { changes, next } = server.wait(600)
    assert.deepEqual(
      changes.map(({ type }) => type),
      ["expired"],
    )
    assert.equal(next, undefined)
    assert.equal(pinholeCount(server.state.cgnState), 0)
  })

  test("S-60 PEER is UNSUPP_OPCODE to the server, and to the firewall itself", () => {
    assert.equal(stage().send(peer({ ...ask, remote: digits("2001:db8::1") }), HOST).result, UNSUPP_OPCODE)
    const done = firewallCgn.addDynamic(
      firewall(),
      {
        ...end(),
        nonce: nonceOf(NONCE),
        remote: address("2001:db8::1"),
        remotePort: 1,
        suggested: address("::"),
        suggestedPort: 0,
        lifetime: 600,
      },
      0,
    )
    assert.ok(done.outcome === "refused")
    assert.equal(done.code, UNSUPP_OPCODE)
  })

  test("hosts outside, of the other family, or none at all are NOT_AUTHORIZED", () => {
    const server = stage({ inside: [{ address: address("2001:db8:1::"), prefixLength: 48 }] })
    assert.equal(server.send(map(ask), HOST).result, 0)
    for (const other of ["2001:db8:2::7", "10.0.0.1", "::1", "ff02::1"]) {
      const client = other.includes(".") ? other : digits(other)
      assert.equal(server.send(map({ ...ask, client }), other).result, NOT_AUTHORIZED, other)
    }
  })

  test("permission rules are asked", () => {
    const server = stage({ rules: [{ allow: false, internalPorts: { first: 1, last: 1023 } }] })
    assert.equal(server.send(map({ ...ask, port: 80 }), HOST).result, NOT_AUTHORIZED)
    assert.equal(server.send(map({ ...ask, port: 8080 }), HOST).result, 0)
  })
})

describe("FILTER on a firewall (RFC 6887 section 13.3)", () => {
  const remote = (text: string, prefixLength: number, remotePort = 0) => ({
    remote: address(text),
    prefixLength,
    remotePort,
  })
  const server = stage({ filterLimit: 2 })
  server.send(map(ask), HOST)
  const state = server.state.cgnState
  const filtered = (from: FirewallState, filters: readonly ReturnType<typeof remote>[], deleteFilters = false) =>
    firewallCgn.filter(from, { ...end(), deleteFilters, filters }, 0)
  const A = remote("2001:db8:a::", 48)
  const B = remote("2001:db8:b::1", 128, 53)

  test("S-120 S-121 filters add up and a prefix length of 0 removes them all", () => {
    const one = filtered(state, [A])
    assert.ok(one.outcome !== "refused")
    const two = filtered(one.state, [A, B])
    assert.ok(two.outcome !== "refused")
    assert.deepEqual(pinholeFilters(two.state, end()), [A, B])
    const from = (text: string, remotePort: number) =>
      admits(two.state, { ...packet, remote: address(text), remotePort }, 0)
    assert.deepEqual(
      [from("2001:db8:a:1::1", 1), from("2001:db8:b::1", 53), from("2001:db8:b::1", 54), from("2001:db8:c::1", 53)],
      [true, true, false, false],
    )
    const none = filtered(two.state, [], true)
    assert.ok(none.outcome !== "refused")
    assert.deepEqual(pinholeFilters(none.state, end()), [])
    assert.equal(admits(none.state, packet, 0), true)
    assert.deepEqual(pinholeFilters(two.state, end()), [A, B])
  })

  test("S-120 S-121 S-122 from the wire: IPv6 prefixes of 1 to 128 bits, and IPv4 ones not at all", () => {
    const wire = stage()
    const send = (...options: readonly number[][]) => wire.send(map({ ...ask, options: options.flat() }), HOST).result
    const A64 = filter(48, 0, digits("2001:db8:a::"))
    const B128 = filter(128, 53, digits("2001:db8:b::1"))
    assert.equal(send(A64, B128), 0)
    assert.deepEqual(pinholeFilters(wire.state.cgnState, end()), [A, B])
    assert.equal(send(filter(33, 0, digits("2001:db8:a::"))), 0)
    assert.equal(send(filter(129, 0, digits("2001:db8:a::"))), MALFORMED_OPTION)
    assert.equal(send(filter(120, 0, "198.51.100.0")), MALFORMED_OPTION)
    assert.equal(send(filter(0, 0, digits("::")), B128), 0)
    assert.deepEqual(pinholeFilters(wire.state.cgnState, end()), [B])
  })

  test("S-10 S-124 a new mapping whose filters are too many is not made", () => {
    const wire = stage({ filterLimit: 1 })
    const two = [...filter(48, 0, digits("2001:db8:a::")), ...filter(48, 0, digits("2001:db8:b::"))]
    assert.equal(wire.send(map({ ...ask, options: two }), HOST).result, EXCESSIVE_REMOTE_PEERS)
    assert.deepEqual(pinholes(wire), [])
  })

  test("S-124 over the limit is EXCESSIVE_REMOTE_PEERS, and what is there again does not count", () => {
    const full = filtered(state, [A, B, A])
    assert.ok(full.outcome !== "refused")
    const over = filtered(full.state, [remote("2001:db8:c::", 48)])
    assert.ok(over.outcome === "refused")
    assert.equal(over.code, EXCESSIVE_REMOTE_PEERS)
    assert.deepEqual(pinholeFilters(full.state, end()), [A, B])
  })
})

describe("PORT_SET on a firewall (RFC 7753)", () => {
  const base = {
    ...end(100, 6),
    origin: "pcp" as const,
    nonce: nonceOf(NONCE),
    suggested: address("::"),
    suggestedPort: 0,
    lifetime: 600,
    preferFailure: false,
  }
  const open = (state: FirewallState, internalPort: number, size: number) => {
    const done = firewallCgn.addMapping(state, { ...base, internalPort, portSet: { size, parity: true } }, 0)
    assert.ok(done.outcome !== "refused")
    return done
  }
  const ports = (state: FirewallState) =>
    listPinholes(state, 0, 0, 100)
      .mappings.map(({ internalPort }) => internalPort)
      .sort((a, b) => a - b)

  test("4.2: as many as can be had in a row, at least one", () => {
    const set = open(firewall({ quota: 5 }), 100, 8)
    assert.equal(set.ports, 5)
    assert.deepEqual(ports(set.state), [100, 101, 102, 103, 104])
    assert.deepEqual(
      set.changes.map(({ type }) => type),
      new Array(5).fill("created"),
    )
    assert.equal(open(firewall(), 65534, 0xffff).ports, 2)
  })

  test("4.4.1: mappings that are there already are refreshed; another nonce's ends the set", () => {
    const one = firewallCgn.addMapping(firewall(), { ...base, internalPort: 102, nonce: undefined }, 0)
    assert.ok(one.outcome !== "refused")
    const set = open(one.state, 100, 4)
    assert.deepEqual(
      set.changes.map(({ type }) => type),
      ["created", "created", "renewed", "created"],
    )
    const stolen = firewallCgn.addMapping(
      set.state,
      { ...base, internalPort: 99, nonce: nonceOf(OTHER_NONCE), portSet: { size: 4, parity: false } },
      0,
    )
    assert.ok(stolen.outcome !== "refused")
    assert.equal(stolen.ports, 1)
  })

  test("4.4: a set is deleted with one request, and only its ports", () => {
    const set = open(open(firewall(), 100, 4).state, 200, 2)
    const gone = firewallCgn.delMapping(set.state, { ...base, portSet: { size: 101, parity: false } }, 0)
    assert.ok(gone.outcome !== "refused")
    assert.deepEqual(ports(gone.state), [201])
    assert.equal(gone.changes.length, 5)
    assert.deepEqual(ports(set.state), [100, 101, 102, 103, 200, 201])
  })
})

describe("a NAT-PMP server over an IPv4 firewall", () => {
  const HOST4 = "192.0.2.7"
  const stage4 = () => stage({ family: "ipv4" })

  test("N-03 N-04 a mapping is the host's own address and port", () => {
    const server = stage4()
    const external = server.reply([0, 0], HOST4)
    assert.deepEqual([...external.subarray(8)], [192, 0, 2, 7])
    const reply = server.reply(natPmpMap(1, 4000, 9, 3600), HOST4)
    assert.deepEqual([...reply.subarray(8)], [15, 160, 15, 160, 0, 0, 14, 16])
  })

  test("N-05 port 0 and lifetime 0 delete what NAT-PMP made of one protocol, and leave what PCP made", () => {
    const server = stage4()
    for (const port of [1, 2]) server.reply(natPmpMap(1, port, 0, 3600), HOST4)
    server.reply(natPmpMap(2, 3, 0, 3600), HOST4)
    assert.equal(server.reply(natPmpMap(1, 0, 0, 0), HOST4)[3], 0)
    assert.deepEqual(
      pinholes(server).map(({ internalPort }) => internalPort),
      [3],
    )
    server.send(map({ client: HOST4, suggested: "0.0.0.0", port: 5 }), HOST4)
    assert.notEqual(server.reply(natPmpMap(1, 0, 0, 0), HOST4)[3], 0)
    assert.deepEqual(
      pinholes(server)
        .map(({ internalPort }) => internalPort)
        .sort(),
      [3, 5],
    )
  })

  test("N-04 a NAT-PMP request learns of a PCP mapping and leaves it as it is; PCP takes NAT-PMP's over", () => {
    const server = stage4()
    server.send(map({ client: HOST4, lifetime: 600 }), HOST4)
    server.reply(natPmpMap(1, 4000, 0, 7200), HOST4)
    assert.deepEqual(server.changes, [])
    assert.equal(pinholes(server)[0].expires, 600_000)
    server.reply(natPmpMap(1, 4001, 0, 7200), HOST4)
    assert.equal(pinholes(server)[1].origin, "nat-pmp")
    server.send(map({ client: HOST4, port: 4001 }), HOST4)
    assert.equal(pinholes(server)[1].origin, "pcp")
    assert.equal(server.send(map({ client: HOST4, port: 4001, nonce: OTHER_NONCE }), HOST4).result, NOT_AUTHORIZED)
  })
})

describe("realms", () => {
  test("equal addresses of different realms are different hosts", () => {
    const ask4 = {
      ...end(),
      origin: "pcp" as const,
      nonce: undefined,
      suggested: address("::"),
      suggestedPort: 0,
      lifetime: 600,
      preferFailure: false,
    }
    const one = firewallCgn.addMapping(firewall(), { ...ask4, realm: address("2001:db8::1") }, 0)
    assert.ok(one.outcome !== "refused")
    assert.equal(admits(one.state, { ...packet, realm: address("2001:db8::1") }, 0), true)
    assert.equal(admits(one.state, packet, 0), false)
    assert.equal(admits(one.state, { ...packet, realm: address("2001:db8::2") }, 0), false)
    assert.equal(listPinholes(one.state, 0, 0, 1).mappings[0].realm, address("2001:db8::1"))
  })
})

describe("settings of a firewall", () => {
  test("faults are named", () => {
    const codeOf = (settings: Partial<FirewallSettings>): string => {
      const made = createFirewall({ family: "ipv6", secret: new Uint8Array(32), now: 0, ...settings })
      return made.ok ? "" : made.error.code
    }
    assert.equal(codeOf({}), "")
    assert.equal(codeOf({ inside: [{ address: address("10.0.0.0"), prefixLength: 104 }] }), "bad-prefix")
    assert.equal(codeOf({ inside: [{ address: address("2001:db8::"), prefixLength: 129 }] }), "bad-prefix")
    assert.equal(codeOf({ family: "ipv4", inside: [{ address: address("10.0.0.0"), prefixLength: 8 }] }), "bad-prefix")
    assert.equal(codeOf({ quota: -1 }), "bad-quota")
    assert.equal(codeOf({ filterLimit: 0 }), "bad-filters")
    assert.equal(codeOf({ secret: new Uint8Array(31) }), "bad-secret")
  })
})

describe("changes", () => {
  test("S-10 replayed over the first state they give the last, and old states stay as they were", () => {
    const server = stage()
    const first: ServerState<FirewallState> = server.state
    const changes = []
    for (const fields of [{}, { port: 5 }, { port: 6, lifetime: 120 }, { port: 5, lifetime: 0 }, { lifetime: 9000 }]) {
      server.send(map({ ...ask, ...fields }), HOST)
      changes.push(...(server.last?.changes ?? []))
    }
    changes.push(...server.wait(200).changes)
    const before = pinholes(server)
    const replayed = changes.reduce(apply, first)
    assert.deepEqual(listPinholes(replayed.cgnState, server.now, 0, 100).mappings, before)
    assert.deepEqual(listPinholes(first.cgnState, 0, 0, 100).mappings, [])
    assert.deepEqual(pinholes(server), before)
  })
})

test("S-137 all that a host asked for is revoked, and nobody else's", () => {
  const server = stage()
  const other = digits("2001:db8:1::8")
  server.send(map({ ...ask, port: 4000, options: filter(128, 53, "2001:db8:ffff::1") }), HOST)
  server.send(map({ ...ask, port: 4001, lifetime: 120 }), HOST)
  server.send(map({ ...ask, port: 4002, protocol: 6 }), HOST)
  server.send(map({ ...ask, client: other, port: 4000 }), "2001:db8:1::8")
  server.now = 200_000
  const before = server.state.cgnState
  const { state, changes } = revokePinholes(before, address(HOST), undefined, server.now)
  assert.deepEqual(
    changes.map((change) => ("mapping" in change ? [change.type, change.mapping.internalPort] : [])).sort(),
    [
      ["deleted", 4000],
      ["deleted", 4002],
      ["expired", 4001],
    ],
  )
  const left = listPinholes(state, server.now, 0, 10).mappings.map(({ internal }) => internal)
  assert.deepEqual(left, [address("2001:db8:1::8")])
  assert.equal(pinholeCount(state), 1)
  assert.deepEqual(
    listPinholes(firewallCgn.apply(before, changes), server.now, 0, 10),
    listPinholes(state, server.now, 0, 10),
  )
  // An old state stays valid, and a host without mappings has none to revoke.
  assert.equal(pinholeCount(before), 4)
  assert.deepEqual(revokePinholes(state, address(HOST), undefined, server.now).changes, [])
})
