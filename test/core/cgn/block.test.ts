import assert from "node:assert/strict"
import { test } from "node:test"
import {
  type CgnSettings,
  type CgnState,
  type Change,
  listBlocks,
  memoryCgn,
  noteOutbound,
  reconfigureCgn,
  restoreCgn,
  saveCgn,
} from "../../../core/cgn/index.ts"
import { formatAddress, ResultCode } from "../../../core/wire/index.ts"
import { address, BASE, cgnWith, host, lines, map, met, refusal, remove, TCP, types, UDP } from "./scene.ts"
import { echo4, ends, network, SYN, sent, sourceOf, tcp4, udp4 } from "./translate/scene.ts"

const BLOCKS: Partial<CgnSettings> = { assignment: { kind: "blocks", size: 64, limit: 2 } }

/** `10.0.0.1/128 203.0.113.1:1024-1087` of each block, in order. */
const held = (state: CgnState): string[] =>
  listBlocks(state, 0, 1000)
    .blocks.map(
      ({ internal, prefixLength, realm, external, firstPort, lastPort }) =>
        `${realm === undefined ? `${formatAddress(internal)}/${prefixLength}` : formatAddress(realm)} ${formatAddress(external)}:${firstPort}-${lastPort}`,
    )
    .sort()

const blockIn = (changes: readonly Change[]) => {
  const found = changes.find((change) => change.type === "block")
  assert.ok(found?.type === "block", types(changes).join())
  return found
}

const run = (state: CgnState, count: number, from = 1, ask: Parameters<typeof map>[1] = {}, now = 0) => {
  const changes: Change[] = []
  const ports: number[] = []
  let at = state
  for (let n = 0; n < count; n++) {
    const done = met(map(at, { internalPort: from + n, ...ask }, now))
    at = done.state
    ports.push(done.externalPort)
    changes.push(...done.changes)
  }
  return { state: at, ports, changes }
}

test("NAT-6888-REQ-14: the first mapping brings a block, further ones use it in both transports, and the log has a line", () => {
  const first = met(map(cgnWith(BLOCKS), {}))
  assert.deepEqual(types(first.changes), ["block", "created"])
  const block = blockIn(first.changes)
  assert.equal(block.lastPort - block.firstPort, 63)
  assert.equal((block.firstPort - 1024) % 64, 0)
  assert.equal(block.internal, host(1))
  assert.equal(block.prefixLength, 128)
  const udp = run(first.state, 63, 5000)
  const tcp = run(udp.state, 64, 5000, { protocol: TCP })
  assert.deepEqual(new Set(types([...udp.changes, ...tcp.changes])), new Set(["created"]))
  for (const port of [first.externalPort, ...udp.ports, ...tcp.ports])
    assert.ok(port >= block.firstPort && port <= block.lastPort)
  assert.equal(new Set(tcp.ports).size, 64)
  assert.equal(held(tcp.state).length, 1)
})

test("NAT-6888-REQ-15: neither which block nor which port in it can be told from the one before", () => {
  const starts = new Set<number>()
  const offsets = new Set<number>()
  for (let n = 1; n <= 300; n++) {
    const done = met(map(cgnWith(BLOCKS), { internal: host(n) }))
    starts.add(blockIn(done.changes).firstPort)
    offsets.add(done.externalPort - blockIn(done.changes).firstPort)
  }
  assert.ok(starts.size > 220, `${starts.size} blocks of 1008`)
  assert.ok(offsets.size > 60, `${offsets.size} ports of 64`)
})

test("a full block brings another, on the same address, up to the limit, and then USER_EX_QUOTA; others are served", () => {
  const external = Array.from({ length: 8 }, (_, i) => address(`203.0.113.${i}`))
  const full = run(cgnWith({ ...BLOCKS, external }), 128)
  assert.deepEqual(types(full.changes).filter((type) => type === "block").length, 2)
  assert.equal(new Set(lines(full.state).map((line) => line.split(" ")[3].split(":")[0])).size, 1)
  assert.equal(refusal(map(full.state, { internalPort: 9999 })), ResultCode.USER_EX_QUOTA)
  assert.equal(met(map(full.state, { internalPort: 9999, protocol: TCP })).outcome, "new")
  assert.equal(met(map(full.state, { internal: host(2) })).outcome, "new")
  const traffic = noteOutbound(full.state, { protocol: UDP, internal: host(1), internalPort: 9999 }, 0)
  assert.deepEqual(traffic.changes, [])
  // What has run out makes room, be it swept or not.
  assert.equal(met(map(full.state, { internalPort: 9999 }, 600_000)).outcome, "new")
})

test("when no address has a block left the answer is NO_RESOURCES, until one goes back", () => {
  const external = ["203.0.113.1", "203.0.113.2"].map(address)
  // Two blocks of each address; the 20 ports after them are nobody's.
  const ports = { first: 2000, last: 2000 + 2 * 64 + 20 - 1 }
  let state = cgnWith({ ...BLOCKS, external, ports })
  for (let n = 1; n <= 4; n++) state = met(map(state, { internal: host(n) })).state
  assert.deepEqual(
    held(state)
      .map((line) => line.split(" ")[1])
      .sort(),
    ["203.0.113.1:2000-2063", "203.0.113.1:2064-2127", "203.0.113.2:2000-2063", "203.0.113.2:2064-2127"],
  )
  assert.equal(refusal(map(state, { internal: host(5) })), ResultCode.NO_RESOURCES)
  const gone = met(remove(state, { internal: host(3) }))
  assert.deepEqual(types(gone.changes), ["deleted", "block-over"])
  assert.deepEqual(types(met(map(gone.state, { internal: host(5) })).changes), ["block", "created"])
  // Also while nobody has swept what ran out.
  assert.equal(met(map(state, { internal: host(5) }, 600_000)).outcome, "new")
})

test("a block goes back with its last mapping, by deletion, by its end or by traffic's", () => {
  const traffic = noteOutbound(cgnWith(BLOCKS), { protocol: UDP, internal: host(1), internalPort: 7 }, 0)
  assert.deepEqual(types(traffic.changes), ["block", "created"])
  const both = met(map(traffic.state, { internalPort: 8, lifetime: 100 }))
  const one = memoryCgn.expire(both.state, 100_000, 100)
  assert.deepEqual(types(one.changes), ["expired"])
  assert.equal(held(one.state).length, 1)
  const none = memoryCgn.expire(one.state, 300_000, 100)
  assert.deepEqual(types(none.changes), ["expired", "block-over"])
  assert.deepEqual(held(none.state), [])
  // The old states go on from where they were.
  assert.equal(held(both.state).length, 1)
  assert.deepEqual(types(met(map(none.state, {}, 300_000)).changes), ["block", "created"])
})

test("S-136 held ends keep the block, and for their owner alone; it goes back when they are free", () => {
  const settings = { ...BLOCKS, recycleDelay: { udp: 120, tcp: 120 }, ports: { first: 2000, last: 2063 } }
  const made = met(map(cgnWith(settings), {}))
  const gone = met(remove(made.state, {}, 1000))
  assert.deepEqual(types(gone.changes), ["deleted", "held"])
  assert.equal(held(gone.state).length, 1)
  assert.equal(refusal(map(gone.state, { internal: host(2) }, 2000)), ResultCode.NO_RESOURCES)
  const again = met(map(gone.state, {}, 2000))
  assert.deepEqual(types(again.changes), ["freed", "created"])
  assert.equal(again.at, made.at)
  const over = memoryCgn.expire(gone.state, 121_000, 100)
  assert.deepEqual(types(over.changes), ["freed", "block-over"])
  assert.equal(met(map(over.state, { internal: host(2) }, 121_000)).outcome, "new")
  // The host that comes when the time is over meets the same, swept by its own request.
  assert.deepEqual(types(met(map(gone.state, {}, 121_000)).changes), ["freed", "block-over", "block", "created"])
})

test("a suggestion is met in the subscriber's own blocks alone; PREFER_FAILURE elsewhere is CANNOT_PROVIDE_EXTERNAL", () => {
  const external = ["203.0.113.1", "203.0.113.2"].map(address)
  const made = met(map(cgnWith({ ...BLOCKS, external }), {}))
  const { firstPort, lastPort } = blockIn(made.changes)
  const inside = made.externalPort === firstPort ? firstPort + 1 : firstPort
  const outside = lastPort + 1
  const another = external.find((one) => one !== made.external)
  assert.ok(another !== undefined)
  const ask = { internalPort: 4001 }
  assert.equal(met(map(made.state, { ...ask, suggestedPort: inside })).externalPort, inside)
  for (const suggested of [
    { suggestedPort: outside },
    { suggestedPort: made.externalPort },
    { suggestedPort: inside, suggested: another },
    { suggested: another },
  ]) {
    const given = met(map(made.state, { ...ask, ...suggested }))
    assert.equal(given.external, made.external)
    assert.ok(given.externalPort >= firstPort && given.externalPort <= lastPort)
    const exact = map(made.state, { ...ask, ...suggested, preferFailure: true })
    if ("suggestedPort" in suggested) assert.equal(refusal(exact), ResultCode.CANNOT_PROVIDE_EXTERNAL)
    // An address alone is met with another block there.
    else assert.equal(met(exact).external, another)
  }
  assert.equal(met(map(made.state, { ...ask, suggestedPort: inside, preferFailure: true })).externalPort, inside)
})

test("S-50 NAT-PMP has the companion of its ports in the block, held for itself", () => {
  const subscriberPrefix = { ipv4: 24, ipv6: 64 }
  const state = cgnWith({ assignment: { kind: "blocks", size: 16, limit: 1 }, subscriberPrefix })
  const natPmp = run(state, 8, 1, { origin: "nat-pmp" })
  const pcp = run(natPmp.state, 8, 100, { protocol: TCP })
  assert.equal(new Set([...natPmp.ports, ...pcp.ports]).size, 16)
  // Another host of the subscriber finds none; the same host has the companions.
  assert.equal(refusal(map(pcp.state, { protocol: TCP, internal: host(2) })), ResultCode.USER_EX_QUOTA)
  assert.ok(natPmp.ports.includes(met(map(pcp.state, { protocol: TCP, internalPort: 200 })).externalPort))
  const companion = met(map(pcp.state, { protocol: TCP, origin: "nat-pmp", internalPort: 1 }))
  assert.ok(natPmp.ports.includes(companion.externalPort))
  // The block is kept by either of the two.
  let at = companion.state
  for (let n = 0; n < 8; n++) at = met(remove(at, { internalPort: 1 + n, origin: "nat-pmp" })).state
  for (let n = 0; n < 8; n++) at = met(remove(at, { internalPort: 100 + n, protocol: TCP })).state
  assert.equal(held(at).length, 1)
  const last = met(remove(at, { internalPort: 1, protocol: TCP, origin: "nat-pmp" }))
  assert.deepEqual(types(last.changes), ["deleted", "block-over"])
})

test("the hosts of one prefix, and of one realm, share their blocks; two realms with the same addresses do not", () => {
  const settings = { ...BLOCKS, internalFamily: "any" as const, subscriberPrefix: { ipv4: 32, ipv6: 64 } }
  let state = cgnWith(settings)
  for (const internal of ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"])
    state = met(map(state, { internal: address(internal) })).state
  for (const realm of ["2001:db8:f::1", "2001:db8:f::2"])
    for (const n of [1, 2]) state = met(map(state, { internal: host(n), realm: address(realm) })).state
  assert.deepEqual(
    held(state).map((line) => line.split(" ")[0]),
    ["2001:db8::/64", "2001:db8:0:1::/64", "2001:db8:f::1", "2001:db8:f::2"].sort(),
  )
  assert.deepEqual(held(memoryCgn.expire(state, 600_000, 100).state), [])
})

test("a set of ports stays within the block", () => {
  const done = met(map(cgnWith(BLOCKS), { internalPort: 6000, portSet: { size: 200, parity: false } }))
  const { firstPort, lastPort } = blockIn(done.changes)
  assert.ok(done.externalPort >= firstPort && done.externalPort + done.ports - 1 <= lastPort)
  assert.equal(done.ports, 64)
})

test("the administrator's ports lie in blocks of others: they are nobody else's, and keep no block", () => {
  const staticMappings = [
    { protocol: UDP, internal: host(9), internalPort: 80, external: address("203.0.113.1"), externalPort: 2001 },
  ]
  const ports = { first: 2000, last: 2015 }
  const assignment = { kind: "blocks", size: 16, limit: 1 } as const
  const full = run(cgnWith({ assignment, ports, staticMappings }), 15)
  assert.equal(full.ports.includes(2001), false)
  assert.equal(refusal(map(full.state, { internalPort: 99 })), ResultCode.USER_EX_QUOTA)
  const over = memoryCgn.expire(full.state, 600_000, 100)
  assert.equal(types(over.changes).at(-1), "block-over")
  assert.deepEqual(held(over.state), [])
})

test("other settings: mappings in blocks that go on stay, others move into one, and the log says so", () => {
  const random = run(cgnWith(), 5)
  const { secret, now, ...changeable } = BASE
  const with64 = { ...changeable, ...BLOCKS }
  const blocks = reconfigureCgn(random.state, with64, 1000)
  assert.ok(blocks.ok)
  assert.equal(held(blocks.state).length, 1)
  assert.equal(blocks.moved.length, 5)
  // The same again, a larger limit: nothing moves.
  const same = reconfigureCgn(blocks.state, { ...with64, assignment: { kind: "blocks", size: 64, limit: 4 } }, 1000)
  assert.ok(same.ok)
  assert.deepEqual(same.changes, [])
  const other = reconfigureCgn(same.state, { ...with64, assignment: { kind: "blocks", size: 100, limit: 1 } }, 1000)
  assert.ok(other.ok)
  assert.equal(other.changes[0].type, "block-over")
  assert.equal(held(other.state).length, 1)
  const none = reconfigureCgn(other.state, changeable, 1000)
  assert.ok(none.ok)
  assert.deepEqual(types(none.changes), ["block-over"])
  assert.deepEqual(held(none.state), [])
  assert.equal(lines(none.state).length, 5)
})

test("a snapshot keeps the blocks, and one whose blocks lie elsewhere is refused", () => {
  const { state } = run(cgnWith({ ...BLOCKS, recycleDelay: { udp: 120, tcp: 120 } }), 70)
  const bytes = new Uint8Array(saveCgn(state, 0).flatMap((part) => [...part]))
  const { secret, now, ...changeable } = { ...BASE, ...BLOCKS }
  const restored = restoreCgn(bytes, changeable, { now: 0, elapsed: 0, lost: false })
  assert.ok(restored.ok)
  assert.deepEqual(held(restored.state), held(state))
  assert.deepEqual(lines(restored.state), lines(state))
  const next = { internalPort: 999 }
  assert.equal(met(map(restored.state, next)).at, met(map(state, next)).at)
  const words = new Int32Array(bytes.buffer, 0, bytes.length >> 2)
  const at = words.findIndex((value, i) => value === 1 && words[i + 1] === 64 && words[i + 2] === 2)
  words[at + 1] = 100
  const broken = restoreCgn(bytes, changeable, { now: 0, elapsed: 0, lost: false })
  assert.equal(broken.ok === false && broken.code, "contents")
})

test("NAT-6888-REQ-14 packets are sent from the block: UDP, TCP and ICMP queries, of one mapping a remote peer too", () => {
  for (const mapping of ["endpoint-independent", "address-and-port-dependent"] as const)
    for (const ports of ["random", "preserve", "parity"] as const) {
      const through = network(cgnWith({ ...BLOCKS, translation: { mapping, ports } }))
      const sources = [1, 2, 3].flatMap((n) => [
        through.out(udp4(ends("10.0.0.1", 5000 + n, "198.51.100.7", 50 + n))),
        through.out(udp4(ends("10.0.0.1", 5001, "198.51.100.7", 60 + n))),
        through.out(tcp4(ends("10.0.0.1", 5000 + n, "198.51.100.7", 80), SYN)),
        through.out(echo4(8, "10.0.0.1", "198.51.100.7", 700 + n)),
      ])
      const block = blockIn(through.changes())
      for (const out of sources) {
        const { port } = sourceOf(sent(out, "outside"))
        assert.ok(port >= block.firstPort && port <= block.lastPort, `${port}`)
      }
      through.expire(1e8)
      assert.deepEqual(held(through.state), [])
    }
})
