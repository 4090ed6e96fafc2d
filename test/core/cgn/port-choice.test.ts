import assert from "node:assert/strict"
import { test } from "node:test"
import { type CgnState, createCgn, memoryCgn, noteOutbound } from "../../../core/cgn/index.ts"
import { ResultCode } from "../../../core/wire/index.ts"
import { address, cgnWith, host, map, met, refusal, TCP, UDP } from "./scene.ts"

/** The ports that `count` hosts are given, one MAP each. */
const portsOf = (state: CgnState, count: number, protocol = UDP): number[] => {
  const ports: number[] = []
  let at = state
  for (let n = 0; n < count; n++) {
    const done = met(map(at, { internal: host(n + 1), protocol }))
    at = done.state
    ports.push(done.externalPort)
  }
  return ports
}

test("the same state gives the same port again, and so does one made anew from the same secret", () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i)
  const state = cgnWith({ secret })
  const first = met(map(state, {}))
  assert.equal(met(map(state, {})).at, first.at)
  assert.equal(met(map(cgnWith({ secret }), {})).at, first.at)
  assert.deepEqual(portsOf(cgnWith({ secret }), 50), portsOf(state, 50))
})

test("every octet of the secret changes the ports, and a change to the caller's array later changes nothing", () => {
  const zero = new Uint8Array(32)
  const wanted = portsOf(cgnWith({ secret: zero }), 20)
  for (let i = 0; i < 32; i++) {
    const secret = new Uint8Array(32)
    secret[i] = 1
    assert.notDeepEqual(portsOf(cgnWith({ secret }), 20), wanted, `octet ${i}`)
  }
  const state = cgnWith({ secret: zero })
  zero.fill(255)
  assert.deepEqual(portsOf(state, 20), wanted)
})

/** Pearson's statistic for `counts` that should be equal. */
const chiSquare = (counts: readonly number[]): number => {
  const expected = counts.reduce((a, b) => a + b) / counts.length
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

/** With 63 degrees of freedom a fair choice is over 120 once in 60,000 times; secrets are fixed, so this never flickers. */
const LIMIT = 120

for (const [what, ask] of [
  ["of different hosts", (n: number) => ({ internal: host(n), internalPort: 4000 })],
  ["of one host's ports in a row", (n: number) => ({ internal: host(7), internalPort: 1000 + n })],
] as const)
  test(`the ports ${what} are spread over the whole range (RFC 6056 section 3.3)`, () => {
    const state = cgnWith({ ports: { first: 1024, last: 65535 } })
    const counts = new Array<number>(64).fill(0)
    const low = new Array<number>(64).fill(0)
    for (let n = 0; n < 6400; n++) {
      // From the empty state each time: the choice by the hash alone.
      const { externalPort } = met(map(state, ask(n)))
      counts[Math.floor(((externalPort - 1024) * 64) / 64512)]++
      low[externalPort % 64]++
    }
    assert.ok(chiSquare(counts) < LIMIT, `${chiSquare(counts)}`)
    assert.ok(chiSquare(low) < LIMIT, `${chiSquare(low)}`)
  })

test("one port tells nothing of the next: neither neighbours of a host nor its protocols are a fixed distance apart", () => {
  const state = cgnWith()
  const distances = new Set<number>()
  for (let n = 0; n < 200; n++) {
    const one = met(map(state, { internalPort: 1000 + n })).externalPort
    distances.add(met(map(state, { internalPort: 1001 + n })).externalPort - one)
    distances.add(met(map(state, { internalPort: 1000 + n, protocol: TCP })).externalPort - one)
  }
  assert.ok(distances.size > 390, `${distances.size}`)
})

test("hosts are spread over the pool's addresses, and each keeps to one while that has room (RFC 4787 REQ-2)", () => {
  const external = Array.from({ length: 16 }, (_, i) => address(`203.0.113.${i}`))
  let state = cgnWith({ external })
  const counts = new Map<string, number>()
  for (let n = 1; n <= 1600; n++) {
    const paired = memoryCgn.externalAddress(state, host(n), undefined, 0)
    let at = ""
    for (const [protocol, origin] of [
      [UDP, "pcp"],
      [TCP, "pcp"],
      [TCP, "nat-pmp"],
    ] as const) {
      const done = met(map(state, { internal: host(n), protocol, origin, internalPort: origin === "pcp" ? 1 : 2 }))
      state = done.state
      assert.equal(done.external, paired)
      at = done.at.split(":")[0]
    }
    counts.set(at, (counts.get(at) ?? 0) + 1)
  }
  // 15 degrees of freedom: over 50 once in 90,000 times.
  assert.equal(counts.size, 16)
  assert.ok(chiSquare([...counts.values()]) < 50)
})

test("a host whose address is full goes to another, and comes back to its own when that has room again", () => {
  const external = [address("203.0.113.1"), address("203.0.113.2")]
  let state = cgnWith({ external, ports: { first: 2000, last: 2003 } })
  const first = met(map(state, { internalPort: 1 }))
  state = first.state
  for (let port = 2; port <= 4; port++) {
    const done = met(map(state, { internalPort: port, lifetime: 100 }))
    assert.equal(done.external, first.external)
    state = done.state
  }
  const away = met(map(state, { internalPort: 5 }))
  assert.notEqual(away.external, first.external)
  const back = met(map(memoryCgn.expire(away.state, 100_000, 100).state, { internalPort: 6 }, 100_000))
  assert.equal(back.external, first.external)
})

for (const protocol of [UDP, TCP])
  test(`every port of every address is given before the first is refused, and a full pool is NO_RESOURCES: protocol ${protocol} (S-49 S-50)`, () => {
    const external = ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(address)
    let state = cgnWith({ external, ports: { first: 5300, last: 5427 } })
    const room = 3 * (128 - (protocol === UDP ? 2 : 0))
    const seen = new Set<string>()
    for (let n = 0; n < room; n++) {
      const done = met(map(state, { internal: host(1 + (n % 7)), internalPort: 1 + n, protocol }))
      state = done.state
      seen.add(done.at)
      assert.ok(done.externalPort >= 5300 && done.externalPort <= 5427)
      if (protocol === UDP) assert.ok(done.externalPort !== 5350 && done.externalPort !== 5351)
    }
    assert.equal(seen.size, room)
    assert.equal(refusal(map(state, { internal: host(99), protocol })), ResultCode.NO_RESOURCES)
    assert.equal(refusal(map(state, { internalPort: 60000, protocol })), ResultCode.NO_RESOURCES)
    const traffic = noteOutbound(state, { protocol, internal: host(99), internalPort: 1 }, 0)
    assert.deepEqual(traffic.changes, [])
    // The other protocol has all of its own.
    assert.equal(met(map(state, { internal: host(99), protocol: protocol === UDP ? TCP : UDP })).outcome, "new")
    // A renewal needs no port.
    assert.equal(met(map(state, { internal: host(1), internalPort: 1, protocol })).outcome, "ok")
  })

test("a port that runs out or is deleted in a full pool is the very one that the next host gets", () => {
  let state = cgnWith({ ports: { first: 40000, last: 40063 } })
  const given: string[] = []
  for (let n = 0; n < 64; n++) {
    const done = met(map(state, { internal: host(n), internalPort: 1, origin: "nat-pmp", lifetime: 1000 + n }))
    state = done.state
    given.push(done.at)
  }
  assert.equal(refusal(map(state, { internal: host(200) }, 999_999)), ResultCode.NO_RESOURCES)
  // Also before anybody took it away.
  const next = met(map(state, { internal: host(200) }, 1_000_000))
  assert.equal(next.at, given[0])
  const deletion = { protocol: UDP, internal: host(33), internalPort: 1, origin: "nat-pmp", nonce: undefined } as const
  const after = met(memoryCgn.delMapping(state, deletion, 0))
  assert.equal(met(map(after.state, { internal: host(200) })).at, given[33])
})

test("UDP 5350 and 5351 are given to nobody by any way, TCP's are (S-49)", () => {
  for (const port of [5350, 5351]) {
    const state = cgnWith({ ports: { first: port, last: port } })
    const suggested = { suggestedPort: port }
    assert.equal(refusal(map(state, {})), ResultCode.NO_RESOURCES)
    assert.equal(refusal(map(state, suggested)), ResultCode.NO_RESOURCES)
    assert.equal(refusal(map(state, { ...suggested, origin: "nat-pmp" })), ResultCode.NO_RESOURCES)
    assert.equal(refusal(map(state, { ...suggested, preferFailure: true })), ResultCode.CANNOT_PROVIDE_EXTERNAL)
    assert.deepEqual(noteOutbound(state, { protocol: UDP, internal: host(1), internalPort: 1 }, 0).changes, [])
    assert.equal(met(map(state, { ...suggested, protocol: TCP })).externalPort, port)
    assert.equal(met(map(state, { protocol: TCP })).externalPort, port)
  }
})

test("TCP mappings of 5350 and 5351 leave every other port to be had, for NAT-PMP and for UDP too (S-50)", () => {
  let state = cgnWith({ ports: { first: 5349, last: 5352 } })
  for (const suggestedPort of [5350, 5351])
    state = met(map(state, { protocol: TCP, internalPort: suggestedPort, suggestedPort, origin: "nat-pmp" })).state
  const seen = new Set<number>()
  for (const n of [2, 3]) {
    const done = met(map(state, { internal: host(n), origin: "nat-pmp" }))
    state = done.state
    seen.add(done.externalPort)
  }
  assert.deepEqual([...seen].sort(), [5349, 5352])
})

test("the largest pool, with one port an address, is used to the last address and then refuses (S-50)", () => {
  const external = Array.from({ length: 16384 }, (_, i) => address(`100.64.${i >> 8}.${i & 255}`))
  const made = createCgn({
    external,
    ports: { first: 9999, last: 9999 },
    quota: 0,
    filterLimit: 1,
    idleTimeout: { udp: 300, tcp: 7440 },
    secret: new Uint8Array(32),
    now: 0,
  })
  assert.ok(made.ok)
  let { state } = made
  const seen = new Set<string>()
  for (let n = 0; n < 16384; n++) {
    const done = met(map(state, { internal: host(n + 1), suggested: external[n], suggestedPort: 9999 }))
    state = done.state
    seen.add(done.at)
  }
  assert.equal(seen.size, 16384)
  for (let n = 0; n < 2000; n++)
    assert.equal(refusal(map(state, { internal: host(100000 + n) })), ResultCode.NO_RESOURCES)
})
