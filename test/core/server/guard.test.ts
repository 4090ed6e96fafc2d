/** What stands before and around the serving of a request: rate limits, the subscriber cache, epochs, authorization, contexts. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { type Cgn, counterCell } from "../../../core/cgn/index.ts"
import {
  adopt,
  apply,
  DROP_REASONS,
  id2str,
  type RateLimits,
  runOnce,
  strerror,
  uncache,
} from "../../../core/server/index.ts"
import { type Address, formatAddress } from "../../../core/wire/index.ts"
import {
  address,
  announce,
  filter,
  map,
  natPmpMap,
  peer,
  profileWith,
  Scene,
  THIRD_PARTY,
  thirdParty,
} from "./scene.ts"
import { type Asks, Stub } from "./stub.ts"

const NOT_AUTHORIZED = 2
const NO_RESOURCES = 8

const limits = (more: Partial<RateLimits>): { rateLimits: RateLimits } => ({
  rateLimits: { perSource: undefined, global: undefined, over: "drop", ...more },
})

const ipv6 = (host: string) => `20010db8000000010000000000${host}`

describe("rate limits (RFC 6887 section 8.2, overload)", () => {
  it("S-03 take a burst at once, then as many as the rate gives back", () => {
    const stub = new Stub({}, limits({ perSource: { perSecond: 2, burst: 3 } }))
    const taken = (): boolean => stub.raw(announce()).reply !== undefined
    assert.deepEqual([taken(), taken(), taken(), taken()], [true, true, true, false])
    stub.now = 499
    assert.equal(taken(), false)
    stub.now = 500
    assert.deepEqual([taken(), taken()], [true, false])
    // A pause fills the bucket, and no more than the bucket.
    stub.now = 60_000
    assert.deepEqual([taken(), taken(), taken(), taken()], [true, true, true, false])
  })

  it("S-03 count a source by its IPv4 address or its IPv6 /64", () => {
    const stub = new Stub({}, limits({ perSource: { perSecond: 1, burst: 1 } }))
    const from = (client: string, source: string) => stub.raw(announce({ client }), source).dropped
    assert.equal(from("10.0.0.1", "10.0.0.1"), undefined)
    assert.equal(from("10.0.0.2", "10.0.0.2"), undefined)
    assert.equal(from("10.0.0.1", "10.0.0.1"), "source-rate")
    assert.equal(from(ipv6("000001"), "2001:db8:0:1::1"), undefined)
    assert.equal(from(ipv6("000002"), "2001:db8:0:1::2"), "source-rate")
    assert.equal(from("20010db8000000020000000000000001", "2001:db8:0:2::1"), undefined)
  })

  it("S-03 bound all sources together, and count each drop under its reason", () => {
    const stub = new Stub({}, limits({ perSource: { perSecond: 1, burst: 2 }, global: { perSecond: 1, burst: 3 } }))
    const from = (host: number) => stub.raw(announce({ client: `10.0.0.${host}` }), `10.0.0.${host}`).dropped
    assert.deepEqual([1, 1, 1, 2, 3].map(from), [undefined, undefined, "source-rate", undefined, "global-rate"])
    assert.deepEqual(stub.counters.drop, [
      { index: DROP_REASONS.indexOf("source-rate"), count: 1 },
      { index: DROP_REASONS.indexOf("global-rate"), count: 1 },
    ])
  })

  it("S-03 answer NO_RESOURCES where that is set, NAT-PMP in its own way, and ask nothing of the CGN", () => {
    const stub = new Stub({}, limits({ global: { perSecond: 1, burst: 1 }, over: "no-resources" }))
    stub.raw(announce())
    const reply = stub.send(map())
    assert.deepEqual([reply.result, reply.lifetime, reply.length], [NO_RESOURCES, 30, 60])
    assert.deepEqual(
      [...stub.reply(natPmpMap(1, 4000, 0, 60))],
      [0, 129, 0, 4, 0, 0, 0, 0, 0x0f, 0xa0, 0, 0, 0, 0, 0, 0],
    )
    assert.deepEqual([...stub.reply([0, 0])], [0, 128, 0, 4, ...new Array<number>(8).fill(0)])
    // What is no request costs no token and is dropped as ever; a version that nobody speaks has no such error.
    assert.equal(stub.raw([2, 0x81]).dropped, "response")
    assert.equal(stub.raw([9, 1]).dropped, "global-rate")
    assert.deepEqual(stub.asks, [])
  })

  it("S-03 hold for any arrivals: never more than burst and rate allow, and never fewer than a plain bucket takes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(0.5, 1, 4, 10),
        fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 60 }),
        (burst, perSecond, gaps) => {
          const stub = new Stub({}, limits({ perSource: { perSecond, burst } }))
          let tokens = burst
          for (const gap of gaps) {
            stub.now += gap
            tokens = Math.min(burst, tokens + (gap * perSecond) / 1000)
            const wanted = tokens >= 1 - 1e-9
            if (wanted) tokens -= 1
            assert.equal(stub.raw(announce()).reply !== undefined, wanted)
          }
        },
      ),
    )
  })

  it("S-03 remember a bounded number of sources", () => {
    const stub = new Stub({}, limits({ perSource: { perSecond: 1, burst: 1 } }))
    for (let i = 0; i < 20_000; i++) stub.raw([0, 0], `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    const { old, young } = stub.state.rates
    assert.ok(old.size + young.size <= 8192, `${old.size + young.size}`)
    assert.equal(stub.raw([0, 0], "10.0.78.31").dropped, "source-rate")
  })
})

describe("drops", () => {
  it("S-01 drops a request from UDP port 0, where no answer could go, and counts it", () => {
    const stub = new Stub()
    assert.equal(stub.raw(map(), "10.0.0.1", { sourcePort: 0 }).dropped, "source-port-0")
    assert.deepEqual(stub.counters.drop, [{ index: DROP_REASONS.indexOf("source-port-0"), count: 1 }])
    assert.deepEqual(stub.asks, [])
  })
})

describe("subscribers", () => {
  const resetAt =
    (instant: number): Cgn<Asks>["getSubscriber"] =>
    (_state, internal) =>
      internal === address("10.0.0.9") ? { code: 0, epochStart: instant } : { code: 0, epochStart: undefined }

  it("S-07 S-140 have an epoch of their own where the CGN reset them alone, in every answer, NAT-PMP's and errors too", () => {
    const stub = new Stub({ getSubscriber: resetAt(60_000) })
    stub.now = 100_000
    for (const [client, epoch] of [
      ["10.0.0.1", 100],
      ["10.0.0.9", 40],
    ] as const) {
      assert.equal(stub.send(map({ client }), client).epoch, epoch)
      assert.equal(stub.send(announce({ client }), client).epoch, epoch)
      assert.equal(stub.send(map({ client: "10.0.0.3" }), client).epoch, epoch)
      assert.equal(stub.send([9, 1], client).epoch, epoch)
      assert.equal(stub.reply([0, 0], client)[7], epoch)
      assert.equal(stub.reply(natPmpMap(1, 4000, 0, 60), client)[7], epoch)
    }
  })

  it("S-140 begin again with the server where that was reset later", () => {
    const stub = new Stub({ getSubscriber: resetAt(60_000) })
    stub.state = apply(stub.state, { type: "epoch-reset", at: 80_000 })
    stub.now = 100_000
    assert.equal(stub.send(announce({ client: "10.0.0.9" }), "10.0.0.9").epoch, 20)
  })

  it("S-140 keep their epoch when they ask for somebody else", () => {
    const stub = new Stub({ getSubscriber: resetAt(60_000) }, THIRD_PARTY)
    stub.now = 100_000
    assert.equal(stub.send(map({ options: thirdParty("10.0.0.9") })).epoch, 100)
    assert.equal(stub.send(map({ client: "10.0.0.9", options: thirdParty("10.0.0.1") }), "10.0.0.9").epoch, 40)
  })

  it("S-10 are told what the CGN says against them, before it is asked for anything", () => {
    const stub = new Stub({ getSubscriber: () => ({ code: NOT_AUTHORIZED, epochStart: undefined }) })
    assert.equal(stub.send(map()).result, NOT_AUTHORIZED)
    assert.equal(stub.send(peer()).result, NOT_AUTHORIZED)
    assert.equal(stub.reply(natPmpMap(1, 4000, 0, 60))[3], 2)
    assert.equal(stub.send(announce()).result, 0)
    assert.deepEqual(stub.asks, [])
  })

  it("S-101 a request is authorized after its whole syntax, with the offset of THIRD_PARTY, the third party looked up", () => {
    const calls: { readonly source: string; readonly at: number }[] = []
    const looked: string[] = []
    const stub = new Stub(
      {
        getSubscriber: (_state, internal) => {
          looked.push(formatAddress(internal))
          return { code: 0, epochStart: undefined }
        },
        authorize: (_state, _bytes, source, at) => {
          calls.push({ source: formatAddress(source), at })
          return at === 0 ? 0 : NOT_AUTHORIZED
        },
      },
      THIRD_PARTY,
    )
    const options = [...filter(128, 0, "198.51.100.1"), ...thirdParty("10.0.0.7")]
    assert.equal(stub.send(map({ options })).result, NOT_AUTHORIZED)
    assert.deepEqual(looked, ["10.0.0.1", "10.0.0.7"])
    assert.equal(stub.send(map({ options: [...options, 99, 0, 0, 0] })).result, 5)
    assert.equal(stub.send(map()).result, 0)
    assert.equal(stub.reply(natPmpMap(1, 4000, 0, 60))[3], 0)
    assert.deepEqual(calls, [
      { source: "10.0.0.1", at: 84 },
      { source: "10.0.0.1", at: 0 },
      { source: "10.0.0.1", at: 0 },
    ])
  })

  it("S-10 a CGN that fails for a reason of its own is NO_RESOURCES for 30 s to the client, and nothing changed", () => {
    const stub = new Stub({ result: { outcome: "refused", code: "cgn-error" } })
    for (const bytes of [map(), peer(), map({ lifetime: 0 })]) {
      const reply = stub.send(bytes)
      assert.deepEqual([reply.result, reply.lifetime], [NO_RESOURCES, 30])
    }
    assert.equal(stub.reply(natPmpMap(1, 4000, 0, 60))[3], 4)
  })

  it("S-10 a mapping with filters is made locked and unlocked by them, or refused with nothing kept", () => {
    const options = filter(128, 0, "198.51.100.1")
    const stub = new Stub()
    stub.send(map({ options }))
    assert.equal(stub.mapAsk.createAsLocked, true)
    const unlocks = stub.asks.flatMap((one) => (one.method === "filter" ? [one.ask.unlockOnSuccess] : []))
    assert.deepEqual(unlocks, [true])
    stub.send(map())
    assert.equal(stub.mapAsk.createAsLocked, false)
    const existing = new Stub({ result: { outcome: "ok" } })
    existing.send(map({ options }))
    assert.deepEqual(
      existing.asks.flatMap((one) => (one.method === "filter" ? [one.ask.unlockOnSuccess] : [])),
      [false],
    )
    const full = new Stub({ filter: { outcome: "refused", code: 13 } })
    assert.equal(full.send(map({ options })).result, 13)
    assert.deepEqual(full.asks, [])
  })

  it("hold overlapping addresses apart by the realm that the caller knows, or by the B4 in DS-Lite", () => {
    const realm = address("2001:db8::b4")
    const stub = new Stub()
    stub.send(map(), "10.0.0.1", { realm })
    assert.equal(stub.mapAsk.realm, realm)
    stub.send(map())
    assert.equal(stub.mapAsk.realm, undefined)
    stub.reply(natPmpMap(1, 4000, 0, 60), "10.0.0.1", { realm })
    assert.equal(stub.mapAsk.realm, realm)
  })
})

describe("the subscriber cache (libpcpd's cache and uncache)", () => {
  const counting = (): { readonly calls: Address[]; readonly stub: Stub } => {
    const calls: Address[] = []
    const stub = new Stub(
      {
        getSubscriber: (_state, internal) => {
          calls.push(internal)
          return { code: 0, epochStart: undefined }
        },
      },
      { profile: profileWith({ cacheCallback: true }), cacheSize: 8 },
    )
    return { calls, stub }
  }

  it("asks the CGN once, counts hits and misses, and asks anew once uncached", () => {
    const { calls, stub } = counting()
    for (let i = 0; i < 5; i++) stub.send(map())
    assert.equal(calls.length, 1)
    assert.deepEqual(stub.counters.cache, [
      { index: 0, count: 4 },
      { index: 1, count: 1 },
    ])
    stub.state = uncache(stub.state, address("10.0.0.1"))
    stub.send(map())
    assert.equal(calls.length, 2)
    const reset = { type: "subscriber-reset", internal: address("10.0.0.1"), realm: undefined, at: 0 } as const
    stub.state = adopt(stub.state, { state: stub.asks, changes: [reset] }, 0)[0]
    stub.send(map())
    assert.equal(calls.length, 3)
  })

  it("knows subscribers by realm too, stays bounded, and keeps who asks often", () => {
    const { calls, stub } = counting()
    stub.send(map(), "10.0.0.1", { realm: address("2001:db8::1") })
    stub.send(map(), "10.0.0.1", { realm: address("2001:db8::2") })
    assert.equal(calls.length, 2)
    for (let i = 0; i < 1000; i++) {
      stub.raw([0, 0], `10.1.${i >> 8}.${i & 255}`)
      stub.raw([0, 0], "10.0.0.77")
    }
    assert.equal(calls.filter((internal) => internal === address("10.0.0.77")).length, 1)
    const { old, young } = stub.state.cache
    assert.ok(old.size + young.size <= 8)
  })

  it("is not there unless the profile has it", () => {
    const stub = new Stub()
    stub.send(map())
    assert.deepEqual(stub.counters.cache, [])
    assert.equal(counterCell("cache", 1), 6 * 256 + 1)
  })
})

describe("passive mode (libpcpd's pcpd_lib_runonce)", () => {
  it("S-01 answers as process does, and asks nothing about a subscriber that the CGN knows", () => {
    const scene = new Scene()
    const request = { bytes: Uint8Array.from(map()), now: 0, source: address("10.0.0.1"), sourcePort: 40000 }
    const [, { reply }] = runOnce(scene.state, request)
    assert.deepEqual(reply, scene.raw(map()).reply)
    let asked = 0
    const stub = new Stub({
      getSubscriber: () => {
        asked++
        return { code: 0, epochStart: 1000 }
      },
    })
    const realm = address("2001:db8::1")
    const later = { ...request, now: 6000 }
    const [first, one, context] = runOnce(stub.state, later, { realm })
    const [second, two] = runOnce(first, later, context)
    assert.equal(asked, 1)
    assert.deepEqual([one.reply?.[11], two.reply?.[11]], [5, 5])
    const [, , elsewhere] = runOnce(second, { ...request, source: address("10.0.0.2") }, context)
    assert.equal(asked, 2)
    assert.equal(elsewhere.source, address("10.0.0.2"))
    const refused = runOnce(stub.state, request, { subscriber: { code: NOT_AUTHORIZED, epochStart: undefined } })[1]
    assert.equal(refused.reply?.[3], NOT_AUTHORIZED)
    assert.equal(asked, 2)
  })
})

describe("names (libpcpd's pcpd_strerror and pcpd_id2str)", () => {
  it("are there for every code and subscriber, and can be replaced", () => {
    const { state } = new Scene()
    for (let code = 0; code < 256; code++) assert.match(strerror(state, code), /\w.*\.$/)
    assert.match(strerror(state, 8), /resources/)
    assert.match(strerror(state, "cgn-error"), /NO_RESOURCES/)
    assert.equal(id2str(state, address("10.0.0.1")), "10.0.0.1")
    assert.equal(id2str(state, address("10.0.0.1"), address("2001:db8::1")), "10.0.0.1%2001:db8::1")
    const own = new Scene({ strerror: (code) => `code ${code}`, id2str: () => "subscriber 7" })
    assert.equal(strerror(own.state, 3), "code 3")
    assert.equal(id2str(own.state, address("10.0.0.1")), "subscriber 7")
  })
})
