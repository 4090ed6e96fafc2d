import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { makeSettings, type ServeSettings } from "../../../../adapters/cli/config/settings.ts"
import { ownerOf, ownerRule } from "../../../../adapters/cli/workers/owner.ts"
import { shareOut, unsharable } from "../../../../adapters/cli/workers/share.ts"
import { type Address, addressFromIpv4, addressFromWords } from "../../../../core/wire/index.ts"
import { address } from "../../udp-suite.ts"

const settings = (change: Partial<ServeSettings["cgn"]> = {}): ServeSettings => {
  const made = makeSettings({}, { pcp: true, natPmp: true })
  assert.ok(made.ok)
  return { ...made.value, cgn: { ...made.value.cgn, ...change } }
}

const pool = (count: number): readonly Address[] =>
  Array.from({ length: count }, (_, i) => addressFromIpv4(0xcb007100 + i))
const fresh = (workers: number): readonly undefined[] => Array.from({ length: workers }, () => undefined)
const host = fc.integer({ min: 0, max: 0xffffffff }).map((value) => ({ internal: addressFromIpv4(value) }))

describe("the owner of a subscriber", () => {
  it("is one of the workers, and of one worker more the same, or the new one", () => {
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 63 }), (subject, workers) => {
        const before = ownerOf(ownerRule(settings(), workers), subject)
        const after = ownerOf(ownerRule(settings(), workers + 1), subject)
        assert.ok(before >= 0 && before < workers)
        assert.ok(after === before || after === workers)
      }),
    )
  })

  it("is spread evenly: of 65536 neighbours each of 8 workers has an eighth, by four standard deviations", () => {
    const rule = ownerRule(settings(), 8)
    const counts = new Array<number>(8).fill(0)
    for (let i = 0; i < 65536; i++) counts[ownerOf(rule, { internal: addressFromIpv4(0x0a000000 + i) })]++
    // Binomial: a deviation is the root of 65536 / 8 * 7 / 8.
    for (const count of counts) assert.ok(Math.abs(count - 8192) < 4 * Math.sqrt(7168), `${counts}`)
  })

  it("is one for all hosts of a subscriber: of a prefix, of a /64, of a realm", () => {
    const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })
    fc.assert(
      fc.property(word, word, word, word, word, word, (a, b, c, d, e, f) => {
        const [left, right] = [addressFromWords(a, b, c, d), addressFromWords(a, b, e, f)]
        const wide = ownerRule(settings({ subscriberPrefix: { ipv4: 24, ipv6: 128 } }), 7)
        assert.equal(ownerOf(wide, { internal: left }), ownerOf(wide, { internal: right }))
        assert.equal(ownerOf(wide, { internal: left, realm: left }), ownerOf(wide, { internal: right, realm: left }))
        const [one, other] = [c, (c & ~255) | (d & 255)].map((value) => addressFromIpv4(value >>> 0))
        assert.equal(ownerOf(wide, { internal: one }), ownerOf(wide, { internal: other }))
      }),
    )
  })
})

describe("the shares of the external ends", () => {
  it("are whole addresses where a protocol or SCTP keeps its port: of fewer than workers nothing is divided", () => {
    const one = shareOut(settings({ external: pool(1), otherProtocols: true }), fresh(2))
    assert.ok(!one.ok)
    assert.deepEqual(one.fault, { path: ["external"], text: "otherProtocols needs as many addresses as workers: 2" })
    assert.ok(shareOut(settings({ external: pool(2), otherProtocols: true }), fresh(2)).ok)
  })

  it("have each end once, whatever workers had before, and nobody has none", () => {
    const input = fc.record({
      workers: fc.integer({ min: 2, max: 8 }),
      addresses: fc.integer({ min: 1, max: 20 }),
      had: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 20, maxLength: 20 }),
      hosts: fc.array(fc.tuple(host, fc.integer({ min: 0, max: 24 })), { maxLength: 5 }),
    })
    fc.assert(
      fc.property(input, ({ workers, addresses, had, hosts }) => {
        const all = pool(addresses)
        const before = Array.from(
          { length: workers },
          (_, worker) => new Set(all.filter((_, i) => had[i] % (workers + 1) === worker)),
        )
        const staticMappings = hosts.map(([{ internal }, i]) => {
          const external = addressFromIpv4(0xcb007100 + i)
          return { protocol: 6, internal, internalPort: 80, external, externalPort: 80 }
        })
        const shared = shareOut(settings({ external: all, staticMappings }), before)
        assert.ok(shared.ok)
        const ends = shared.shares.flatMap(({ cgn: { external, ports } }) => external.map((one) => ({ one, ...ports })))
        for (const one of all) {
          const own = ends.filter((end) => end.one === one).sort((a, b) => a.first - b.first)
          // The parts of one address are its whole range, one after the other.
          assert.equal(own[0].first, 1024)
          assert.equal(own[own.length - 1].last, 65535)
          for (let i = 1; i < own.length; i++) assert.equal(own[i].first, own[i - 1].last + 1)
        }
        for (const { cgn } of shared.shares) {
          assert.ok(cgn.external.length > 0)
          assert.deepEqual(cgn.staticMappings, staticMappings)
        }
        assert.equal(shared.kind, addresses >= workers ? "addresses" : "ports")
      }),
    )
  })

  it("leave an address with whom it was, and give one with static mappings to their host's owner", () => {
    const all = pool(8)
    const shared = shareOut(settings({ external: all }), [new Set(all.slice(0, 5)), new Set(all.slice(5))])
    assert.ok(shared.ok)
    assert.deepEqual(
      shared.shares.map(({ cgn }) => cgn.external),
      [all.slice(0, 5), all.slice(5)],
    )
    for (let i = 0; i < 20; i++) {
      const internal = addressFromIpv4(0x0a000000 + i)
      const staticMappings = [{ protocol: 6, internal, internalPort: 80, external: all[3], externalPort: 80 }]
      const given = settings({ external: all, staticMappings })
      const again = shareOut(given, fresh(2))
      assert.ok(again.ok)
      const owner = ownerOf(ownerRule(given, 2), { internal })
      assert.ok(again.shares[owner].cgn.external.includes(all[3]))
    }
  })

  it("are refused rather than taken from a worker that runs", () => {
    const all = pool(4)
    const had = [new Set(all.slice(0, 2)), new Set(all.slice(2))]
    const kept = shareOut(settings({ external: all.slice(0, 2) }), had, true)
    assert.equal(kept.ok || kept.fault.path[0], "external")
    const few = shareOut(settings({ ports: { first: 2000, last: 2003 }, external: pool(1) }), fresh(8))
    assert.equal(few.ok || few.fault.path[0], "ports")
  })
})

it("what workers cannot do together is refused: global limits, limits with THIRD_PARTY, a dynamic pool", () => {
  const plain = settings()
  const rate = { perSecond: 1, burst: 1 }
  const limited = (perSource: boolean, global: boolean, threatModel: "simple" | "advanced"): ServeSettings => ({
    ...plain,
    server: {
      ...plain.server,
      threatModel,
      profile: { ...plain.server.profile, thirdParty: true },
      rateLimits: { perSource: perSource ? rate : undefined, global: global ? rate : undefined, over: "drop" },
    },
  })
  assert.equal(unsharable(plain, 2), undefined)
  assert.equal(unsharable(limited(true, false, "simple"), 2), undefined)
  assert.deepEqual(unsharable(limited(false, true, "simple"), 2)?.path, ["rateLimits"])
  assert.deepEqual(unsharable(limited(true, false, "advanced"), 2)?.path, ["rateLimits"])
  // One has nobody to share with.
  assert.equal(unsharable(limited(true, true, "advanced"), 1), undefined)
  const internal = [{ address: address("10.0.0.0"), prefixLength: 120 }]
  const dynamic = { factor: 1, size: 64, maximum: 2000 }
  assert.equal(unsharable(settings({ assignment: { kind: "deterministic", internal } }), 2), undefined)
  assert.deepEqual(unsharable(settings({ assignment: { kind: "deterministic", internal, dynamic } }), 2)?.path, [
    "assignment",
  ])
})
