import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  associate,
  type CacheEffect,
  createCache,
  disassociate,
  dropLookup,
  flushEntries,
  getEntry,
  injectable,
  knownCount,
  listEntries,
  lookedUp,
  type Mac,
  macOf,
  type Outcome,
  openLookups,
  removeEntry,
  respond,
  setEntry,
  type TargetCache,
  type TargetPoint,
  transmit,
  writeMac,
} from "../../../../core/overlay/index.ts"
import { type Address, parseAddress } from "../../../../core/wire/index.ts"

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

const point: TargetPoint = { address: address("10.88.88.69"), port: 4789 }
const other: TargetPoint = { address: address("2001:db8::7"), port: 4790 }
const MAC = macOf(0xdeadbeef0001)

const frameTo = (mac: Mac, size = 60, mark = 0): Uint8Array => {
  const frame = new Uint8Array(size)
  writeMac(frame, 0, mac)
  frame[12] = 8
  frame[size - 1] = mark
  return frame
}

const value = <T>(outcome: Outcome<T>): T => {
  assert.ok(outcome.ok, outcome.ok ? "" : outcome.text)
  return outcome.value
}
const error = (outcome: Outcome<unknown>): string | undefined => (outcome.ok ? undefined : outcome.error)

const options = { mode: "dynamic", hashKey: [1, 2] } as const
const dynamic = (): TargetCache => value(associate(createCache(options)))
const inPointMode = (): TargetCache => value(associate(createCache({ ...options, mode: "point" }), point))

const marks = (effects: readonly CacheEffect[]): readonly number[] =>
  effects.flatMap((effect) => (effect.type === "send" ? [effect.frame.at(-1) ?? -1] : []))

describe("B8: the target cache", () => {
  test("point mode: the same answer for all", () => {
    const [, effects] = transmit(inPointMode(), frameTo(MAC))
    assert.deepEqual(effects, [{ type: "send", frame: frameTo(MAC), target: point }])
  })

  test("a miss waits and is looked up once; the answer sends all that waits, in order, and what comes then goes there", () => {
    let [cache, effects] = transmit(dynamic(), frameTo(MAC, 60, 1))
    assert.deepEqual(effects, [
      {
        type: "lookup",
        lookup: 1,
        query: { headerSize: 14, packetSize: 46, source: 0, destination: MAC, etherType: 0x0800, vlan: 0 },
        frame: frameTo(MAC, 60, 1),
      },
    ])
    for (const mark of [2, 3]) {
      ;[cache, effects] = transmit(cache, frameTo(MAC, 60, mark))
      assert.deepEqual(effects, [])
    }
    const [after, sent] = value(respond(cache, 1, point))
    assert.deepEqual(marks(sent), [1, 2, 3])
    assert.deepEqual(marks(transmit(after, frameTo(MAC, 60, 4))[1]), [4])
    assert.equal(error(respond(after, 1, point)), "EINVAL", "a second answer")
  })

  test("quirk: a drop releases all that waits, where the reference frees the first frame alone; the next frame is looked up anew", () => {
    let cache = dynamic()
    for (const mark of [1, 2, 3]) [cache] = transmit(cache, frameTo(MAC, 60, mark))
    const [after, effects] = value(dropLookup(cache, 1))
    assert.deepEqual(effects, [{ type: "dropped", reason: "answer", count: 3 }])
    assert.equal(error(dropLookup(after, 1)), "EINVAL", "a second answer")
    const [next] = transmit(after, frameTo(MAC))[1]
    assert.ok(next.type === "lookup")
    assert.equal(next.lookup, 2)
  })

  test("at most 128 KiB wait for one MAC: what would be more is dropped", () => {
    let cache = dynamic()
    let waiting = 0
    for (let i = 0; i < 90; i++) {
      const [next, effects] = transmit(cache, frameTo(MAC, 1500))
      cache = next
      if (effects.some(({ type }) => type === "dropped")) break
      waiting += 1500
    }
    assert.equal(waiting, 87 * 1500)
    assert.ok(waiting + 1500 > 128 * 1024)
    assert.deepEqual(transmit(cache, frameTo(MAC, 1500))[1], [{ type: "dropped", reason: "full", count: 1 }])
    assert.equal(transmit(cache, frameTo(macOf(1), 1500))[1][0].type, "lookup", "another MAC has its own")
  })

  test("a drop entry drops; DROP wins, and a point set later sends again", () => {
    let cache = value(setEntry(dynamic(), MAC, point))
    cache = value(setEntry(cache, MAC, "drop"))
    assert.deepEqual(transmit(cache, frameTo(MAC))[1], [{ type: "dropped", reason: "target", count: 1 }])
    assert.equal(value(getEntry(cache, MAC)), "drop")
    cache = value(setEntry(cache, MAC, other))
    assert.deepEqual(value(getEntry(cache, MAC)), other)
  })

  test("injection and invalidation: set, remove and flush; there is no expiry", () => {
    let cache = value(setEntry(value(setEntry(dynamic(), MAC, point)), macOf(1), other))
    cache = value(removeEntry(cache, MAC))
    assert.equal(error(getEntry(cache, MAC)), "ENOENT")
    assert.equal(error(removeEntry(cache, MAC)), "ENOENT")
    assert.equal(transmit(cache, frameTo(MAC))[1][0].type, "lookup")
    cache = value(flushEntries(cache))
    assert.equal(knownCount(cache), 0)
  })

  test("ENXIO without a plugin; ENOTSUP for set, remove and flush in point mode, where get gives the point", () => {
    const bare = createCache(options)
    for (const outcome of [
      getEntry(bare, MAC),
      setEntry(bare, MAC, point),
      removeEntry(bare, MAC),
      flushEntries(bare),
      listEntries(bare, macOf(0), 1),
      disassociate(bare),
    ])
      assert.equal(error(outcome), "ENXIO")
    assert.deepEqual(transmit(bare, frameTo(MAC))[1], [{ type: "dropped", reason: "unassociated", count: 1 }])
    const cache = inPointMode()
    for (const outcome of [setEntry(cache, MAC, point), removeEntry(cache, MAC), flushEntries(cache)])
      assert.equal(error(outcome), "ENOTSUP")
    assert.deepEqual(value(getEntry(cache, MAC)), point)
  })

  test("B4: ASSOCIATE: EEXIST when there is one, EINVAL for a wrong mode and for points that are none", () => {
    assert.equal(error(associate(dynamic())), "EEXIST")
    assert.equal(error(associate(createCache(options), point)), "EINVAL")
    assert.equal(error(associate(createCache({ ...options, mode: "point" }))), "EINVAL")
    for (const text of ["::", "0.0.0.0", "::10.0.0.1", "::1"])
      assert.equal(
        error(associate(createCache({ ...options, mode: "point" }), { address: address(text), port: 1 })),
        "EINVAL",
        text,
      )
    assert.equal(error(associate(createCache({ ...options, mode: "point" }), { ...point, port: 0 })), "EINVAL")
    assert.equal(error(setEntry(dynamic(), MAC, { ...point, port: 65536 })), "EINVAL")
  })

  test("a listing is in the order of MACs, says where to go on, and has 500 entries at most", () => {
    let cache = dynamic()
    for (const mac of [5, 3, 0xffffffffffff, 4]) cache = value(setEntry(cache, macOf(mac), mac === 4 ? "drop" : point))
    const first = value(listEntries(cache, macOf(0), 2))
    assert.deepEqual([first.entries.map(({ mac }) => mac), first.next], [[3, 4], 5])
    const second = value(listEntries(cache, macOf(5), 2))
    assert.deepEqual([second.entries.map(({ mac }) => mac), second.next], [[5, 0xffffffffffff], undefined])
    assert.equal(error(listEntries(cache, macOf(0), 0)), "EINVAL")
    assert.equal(error(listEntries(cache, macOf(0), 501)), "E2BIG")
  })

  test("frames: under 14 octets is none; 1518 are the most that a plugin may put in", () => {
    assert.deepEqual(transmit(dynamic(), new Uint8Array(13))[1], [{ type: "dropped", reason: "runt", count: 1 }])
    assert.equal(error(injectable(new Uint8Array(1519))), "EINVAL")
    assert.equal(injectable(new Uint8Array(1518)).ok, true)
    const [cache] = transmit(dynamic(), frameTo(MAC))
    assert.deepEqual(value(lookedUp(cache, 1)), frameTo(MAC))
    assert.equal(error(lookedUp(cache, 2)), "EINVAL")
  })

  test("a daemon that begins anew is asked again all that is under way, by the same numbers", () => {
    let [cache] = transmit(dynamic(), frameTo(MAC, 60, 1))
    ;[cache] = transmit(cache, frameTo(MAC, 60, 2))
    const [both, asked] = transmit(cache, frameTo(macOf(7), 60, 3))
    const again = openLookups(both)
    assert.equal(again.length, 2)
    assert.deepEqual(again[0], asked[0])
    assert.ok(again[1].type === "lookup" && again[1].lookup === 1 && again[1].frame.at(-1) === 1)
    const [, sent] = value(respond(both, 1, point))
    assert.deepEqual(marks(sent), [1, 2])
    assert.deepEqual(openLookups(value(disassociate(both))), [])
  })

  test("no plugin any more: what waits is dropped", () => {
    const [waiting] = transmit(dynamic(), frameTo(MAC))
    const after = value(disassociate(waiting))
    assert.equal(error(respond(after, 1, point)), "EINVAL")
  })

  test("a bound on MACs, which the reference has not: known and waited for count", () => {
    let cache = value(associate(createCache({ ...options, entries: 2 })))
    cache = value(setEntry(cache, macOf(1), point))
    ;[cache] = transmit(cache, frameTo(macOf(2)))
    assert.deepEqual(transmit(cache, frameTo(macOf(3)))[1], [{ type: "dropped", reason: "full", count: 1 }])
    assert.equal(error(setEntry(cache, macOf(3), point)), "E2BIG")
    assert.equal(setEntry(cache, macOf(1), other).ok, true)
  })
})

test("any history: as a map of MACs would have it, and every old cache still gives what it gave", () => {
  const move = fc.tuple(fc.constantFrom("set", "drop", "remove", "flush", "send", "answer", "none"), fc.nat(5))
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      let cache = dynamic()
      const known = new Map<number, TargetPoint | "drop">()
      const waiting = new Map<number, number>()
      const old: (readonly [TargetCache, readonly (readonly [number, TargetPoint | "drop"])[]])[] = []
      const sorted = () => [...known].sort(([one], [other]) => one - other)
      let lookups = 0
      for (const [kind, number] of moves) {
        const mac = macOf(number * 0x100000001)
        const pending = [...waiting].find(([, target]) => target === mac)?.[0]
        if (kind === "set" || kind === "drop") {
          const target = kind === "set" ? { ...point, port: number + 1 } : "drop"
          cache = value(setEntry(cache, mac, target))
          known.set(mac, target)
        } else if (kind === "remove") {
          const outcome = removeEntry(cache, mac)
          assert.equal(outcome.ok, known.delete(mac))
          if (outcome.ok) cache = outcome.value
        } else if (kind === "flush") {
          cache = value(flushEntries(cache))
          known.clear()
        } else if (kind === "send") {
          const [next, effects] = transmit(cache, frameTo(mac))
          cache = next
          const target = known.get(mac)
          if (target !== undefined) assert.equal(effects[0].type, target === "drop" ? "dropped" : "send")
          else if (pending === undefined) {
            lookups++
            waiting.set(lookups, mac)
            assert.equal(effects[0].type, "lookup")
          } else assert.deepEqual(effects, [])
        } else if (pending !== undefined) {
          const [next, effects] = value(kind === "answer" ? respond(cache, pending, other) : dropLookup(cache, pending))
          cache = next
          assert.ok(effects.length > 0)
          waiting.delete(pending)
          if (kind === "answer") known.set(mac, other)
        }
        old.push([cache, sorted()])
      }
      for (const [then, entries] of old)
        assert.deepEqual(
          value(listEntries(then, macOf(0), 500)).entries.map(({ mac, target }) => [mac, target]),
          entries,
        )
    }),
    { numRuns: 300 },
  )
})
