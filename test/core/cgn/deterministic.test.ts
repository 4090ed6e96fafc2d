import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  type CgnSettings,
  createCgn,
  type DeterministicAssignment,
  type DeterministicPlan,
  deterministicRange,
  deterministicSubscriber,
  listBlocks,
  memoryCgn,
  planDeterministic,
} from "../../../core/cgn/index.ts"
import { type Address, addressFromIpv4, formatAddress, ResultCode } from "../../../core/wire/index.ts"
import { address, BASE, cgnWith, map, met, refusal, TCP, types, UDP } from "./scene.ts"

const prefix = (text: string) => {
  const [host, length] = text.split("/")
  const at = address(host)
  return { address: at, prefixLength: Number(length) + (host.includes(":") ? 0 : 96) }
}

/** RFC 7422 section 2.3: I 198.51.100.0/28, O 192.0.2.1, D 2, R 0-1023, M 5040, and blocks of 100 ports. */
const EXAMPLE: DeterministicAssignment = {
  kind: "deterministic",
  internal: [prefix("198.51.100.0/28")],
  dynamic: { factor: 2, size: 100, maximum: 5040 },
}
const SETTINGS = { external: [address("192.0.2.1")], ports: { first: 1024, last: 65535 }, assignment: EXAMPLE }

const planFor = (settings: Partial<CgnSettings>): DeterministicPlan => {
  const {
    assignment = EXAMPLE,
    external = [],
    ports = BASE.ports,
    subscriberPrefix = { ipv4: 32, ipv6: 64 },
  } = settings
  const plan = planDeterministic({ assignment, external, ports, subscriberPrefix })
  assert.ok(plan !== undefined)
  return plan
}

/** The table of section 2.3. */
const TABLE = `
198.51.100.1 1024-5055
198.51.100.2 5056-9087
198.51.100.3 9088-13119
198.51.100.4 13120-17151
198.51.100.5 17152-21183
198.51.100.6 21184-25215
198.51.100.7 25216-29247
198.51.100.8 29248-33279
198.51.100.9 33280-37311
198.51.100.10 37312-41343
198.51.100.11 41344-45375
198.51.100.12 45376-49407
198.51.100.13 49408-53439
198.51.100.14 53440-57471`
  .trim()
  .split("\n")
  .map((line) => {
    const [host, ports] = line.split(" ")
    const [first, last] = ports.split("-").map(Number)
    return { host: address(host), first, last }
  })

test("NAT-7422-2.3: the example's table, both ways; its first and last address, and the dynamic ports, are nobody's", () => {
  const plan = planFor(SETTINGS)
  for (const { host, first, last } of TABLE) {
    assert.deepEqual(deterministicRange(plan, host, undefined), { place: 0, first, last })
    for (const port of [first, first + 1, last]) {
      const found = deterministicSubscriber(plan, 0, port)
      assert.deepEqual(found?.subscriber, { address: host, prefixLength: 128 })
      assert.deepEqual(found?.range, { place: 0, first, last })
    }
  }
  for (const host of ["198.51.100.0", "198.51.100.15", "198.51.100.16", "10.0.0.1"])
    assert.equal(deterministicRange(plan, address(host), undefined), undefined)
  for (const port of [0, 1023, 57472, 65535]) assert.equal(deterministicSubscriber(plan, 0, port), undefined)
  // The two abuse reports at the end of the section: port 2001 is subscriber 1's without a log.
  const report = deterministicSubscriber(plan, 0, 2001)
  assert.equal(report && formatAddress(report.subscriber.address), "198.51.100.1")
})

test("NAT-7422-2: a host gets ports of its range alone, and when these are used up blocks of the dynamic pool up to the maximum", () => {
  let state = cgnWith(SETTINGS)
  const host = address("198.51.100.2")
  const logged: string[] = []
  const ports = new Set<number>()
  for (let n = 0; n < 5030; n++) {
    const done = met(map(state, { internal: host, internalPort: 1 + n }))
    state = done.state
    ports.add(done.externalPort)
    for (const change of done.changes)
      if (change.type === "block") logged.push(`${change.firstPort}-${change.lastPort}`)
    if (n < 4030) assert.ok(done.externalPort >= 5056 && done.externalPort <= 9087)
    else assert.ok(done.externalPort >= 57472)
  }
  // 4032 ports less UDP's 5350 and 5351, then 10 blocks of 100: 5040 - 4032 has room for no more.
  assert.equal(ports.size, 5030)
  assert.equal(logged.length, 10)
  assert.equal(refusal(map(state, { internal: host, internalPort: 60000 })), ResultCode.USER_EX_QUOTA)
  for (const block of logged) assert.equal((Number(block.split("-")[0]) - 57472) % 100, 0)
  // Others have theirs all the same, and no line in a log.
  const other = met(map(state, { internal: address("198.51.100.1"), internalPort: 1 }))
  assert.ok(other.externalPort >= 1024 && other.externalPort <= 5055)
  assert.deepEqual(types(other.changes), ["created"])
})

test("NAT-7422-2: a factor of 0 is no dynamic pool; ports within a range are spread by the keyed hash", () => {
  const assignment: DeterministicAssignment = { kind: "deterministic", internal: [prefix("198.51.100.0/28")] }
  let state = cgnWith({ ...SETTINGS, assignment, ports: { first: 1024, last: 1024 + 14 * 64 - 1 } })
  const host = address("198.51.100.3")
  const order: number[] = []
  for (let n = 0; n < 64; n++) {
    const done = met(map(state, { internal: host, internalPort: 1 + n, protocol: TCP }))
    state = done.state
    order.push(done.externalPort)
  }
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    Array.from({ length: 64 }, (_, i) => 1024 + 2 * 64 + i),
  )
  assert.notDeepEqual(
    order,
    order.toSorted((a, b) => a - b),
  )
  assert.equal(refusal(map(state, { internal: host, protocol: TCP, internalPort: 99 })), ResultCode.USER_EX_QUOTA)
  assert.equal(listBlocks(state, 0, 10).blocks.length, 0)
})

test("NAT-7422-2: a suggestion of PCP is met within the range alone, and hosts outside of the prefixes are not served", () => {
  const state = cgnWith(SETTINGS)
  const internal = address("198.51.100.2")
  assert.equal(met(map(state, { internal, suggestedPort: 6000 })).externalPort, 6000)
  const elsewhere = met(map(state, { internal, suggestedPort: 1500 })).externalPort
  assert.ok(elsewhere >= 5056 && elsewhere <= 9087)
  const exact = { internal, suggestedPort: 1500, preferFailure: true }
  assert.equal(refusal(map(state, exact)), ResultCode.CANNOT_PROVIDE_EXTERNAL)
  assert.equal(refusal(map(state, { internal: address("10.0.0.1") })), ResultCode.NOT_AUTHORIZED)
  assert.equal(memoryCgn.getSubscriber(state, address("10.0.0.1"), undefined).code, ResultCode.NOT_AUTHORIZED)
  assert.equal(memoryCgn.getSubscriber(state, internal, undefined).code, ResultCode.SUCCESS)
  // 14 hosts on two addresses: each is told of its own.
  const { dynamic: _none, ...assignment } = EXAMPLE
  const two = cgnWith({ ...SETTINGS, assignment, external: ["192.0.2.1", "192.0.2.2"].map(address) })
  const told = (host: string) => memoryCgn.externalAddress(two, address(host), undefined, 0)
  assert.equal(told("198.51.100.7"), address("192.0.2.1"))
  assert.equal(told("198.51.100.8"), address("192.0.2.2"))
  assert.equal(met(map(two, { internal: address("198.51.100.8"), protocol: UDP })).external, address("192.0.2.2"))
})

test("NAT-7422-2: a subscriber of DS-Lite is its B4, found by the realm, or the prefix around it", () => {
  const assignment: DeterministicAssignment = {
    kind: "deterministic",
    internal: [prefix("2001:db8:1::/56")],
    realms: true,
  }
  const settings = { ...SETTINGS, assignment, external: ["192.0.2.1", "192.0.2.2"].map(address) }
  // 256 subscribers of /64 on two addresses: 128 each, 64512 / 128 = 504 ports.
  const plan = planFor(settings)
  const b4 = address("2001:db8:1:81::5")
  const range = deterministicRange(plan, address("10.0.0.1"), b4)
  assert.deepEqual(range, { place: 1, first: 1024 + 504, last: 1024 + 2 * 504 - 1 })
  const found = deterministicSubscriber(plan, 1, 1528)
  assert.deepEqual(found?.subscriber, { address: address("2001:db8:1:81::"), prefixLength: 64 })
  assert.equal(found?.of, "realm")
  const done = met(map(cgnWith(settings), { internal: address("10.0.0.1"), realm: b4 }))
  assert.equal(done.external, address("192.0.2.2"))
  assert.ok(done.externalPort >= 1528 && done.externalPort < 2032)
  assert.equal(refusal(map(cgnWith(settings), { internal: address("10.0.0.1") })), ResultCode.NOT_AUTHORIZED)
})

const error = (assignment: CgnSettings["assignment"], more: Partial<CgnSettings> = {}): string | undefined => {
  const made = createCgn({ ...BASE, ...more, assignment })
  return made.ok ? undefined : made.error.code
}

test("settings that leave no room, overlap or contradict each other are refused", () => {
  const base: DeterministicAssignment = { kind: "deterministic", internal: [prefix("198.51.100.0/28")] }
  assert.equal(error(base), undefined)
  assert.equal(error({ ...base, internal: [] }), "bad-assignment")
  assert.equal(error({ ...base, internal: [prefix("10.0.0.0/8")] }), "bad-assignment", "2^24 hosts, 64512 ports")
  assert.equal(error({ ...base, internal: [prefix("2001:db8::/16")] }), "bad-assignment", "2^48 subscribers")
  assert.equal(error({ ...base, internal: [prefix("10.0.0.0/24"), prefix("10.0.0.128/25")] }), "bad-assignment")
  assert.equal(error({ ...base, internal: [prefix("10.0.0.128/25"), prefix("10.0.0.0/24")] }), "bad-assignment")
  assert.equal(error({ ...base, ratio: 13 }), "bad-assignment", "14 hosts on one address")
  assert.equal(error({ ...base, ratio: 14 }), undefined)
  assert.equal(error({ ...base, dynamic: { factor: 2, size: 100, maximum: 4131 } }), "bad-assignment")
  assert.equal(error({ ...base, dynamic: { factor: 2, size: 100, maximum: 4132 } }), undefined)
  assert.equal(error({ ...base, dynamic: { factor: 2, size: 9000, maximum: 50000 } }), "bad-assignment")
  assert.equal(error({ kind: "blocks", size: 8, limit: 1 }), "bad-assignment")
  assert.equal(error({ kind: "blocks", size: 64, limit: 0 }), "bad-assignment")
  assert.equal(error({ kind: "blocks", size: 64513, limit: 1 }), "bad-assignment")
  assert.equal(error({ kind: "blocks", size: 64512, limit: 1 }), undefined)
  assert.equal(error(base, { otherProtocols: true, port0: true }), "bad-assignment")
})

/** Address `n` of a prefix of 32 + `length` bits, by BigInt: another computation than the core's. */
const nth = (base: bigint, bits: number, n: number): Address => {
  const value = base + (BigInt(n) << BigInt(128 - bits))
  const text = value.toString(16).padStart(32, "0").match(/.{4}/g)?.join(":") ?? ""
  return address(text)
}

test("NAT-7422-2: function 2 is the inverse of function 1, whatever the prefixes, and ranges do not overlap", () => {
  const settings = fc.record({
    four: fc.integer({ min: 20, max: 32 }),
    six: fc.integer({ min: 40, max: 64 }),
    unit: fc.integer({ min: 56, max: 72 }),
    addresses: fc.integer({ min: 1, max: 300 }),
    factor: fc.integer({ min: 0, max: 3 }),
    n: fc.integer({ min: 0, max: 2 ** 24 }),
    m: fc.integer({ min: 0, max: 2 ** 24 }),
  })
  fc.assert(
    fc.property(settings, ({ four, six, unit, addresses, factor, n, m }) => {
      const bits = Math.max(0, unit - six)
      if (bits > 10) return
      const base = 0x20010db8n << 96n
      const plan = planDeterministic({
        assignment: {
          kind: "deterministic",
          internal: [
            { address: addressFromIpv4(0x64400000), prefixLength: 96 + four },
            { address: nth(base, 128, 0), prefixLength: unit - bits },
          ],
          ...(factor === 0 ? {} : { dynamic: { factor, size: 16, maximum: 1e9 } }),
        },
        external: Array.from({ length: addresses }),
        ports: { first: 1024, last: 65535 },
        subscriberPrefix: { ipv4: 32, ipv6: unit },
      })
      if (plan === undefined) return
      const hosts = 2 ** (32 - four)
      const fours = hosts > 2 ? hosts - 2 : hosts
      assert.equal(plan.subscribers, fours + 2 ** bits)
      const host = (i: number): Address =>
        i < fours ? addressFromIpv4(0x64400000 + i + (hosts > 2 ? 1 : 0)) : nth(base, unit, i - fours)
      const [i, j] = [n % plan.subscribers, m % plan.subscribers]
      const [one, other] = [i, j].map((k) => deterministicRange(plan, host(k), undefined))
      assert.ok(one !== undefined && other !== undefined)
      assert.ok(one.place < addresses && one.first >= 1024 && one.last <= 65535)
      if (i !== j) assert.ok(one.place !== other.place || one.last < other.first || other.last < one.first)
      for (const port of [one.first, one.last]) {
        const back = deterministicSubscriber(plan, one.place, port)
        assert.equal(back?.subscriber.address, host(i))
        assert.deepEqual(back?.range, one)
      }
    }),
    { numRuns: 300 },
  )
})
