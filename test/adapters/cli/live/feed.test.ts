import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { createFeed, withoutNonce } from "../../../../adapters/cli/live/feed.ts"
import type { ServerEvent } from "../../../../adapters/server-machine.ts"
import { createServer, process, type ServerState } from "../../../../core/server/index.ts"
import { parseAddress } from "../../../../core/wire/index.ts"
import { mapRequest, octets } from "../command.ts"

const [source, external] = [parseAddress("127.0.0.1"), parseAddress("198.51.100.7")]
assert.ok(source !== undefined && external !== undefined)
const NONCE = "0102030405060708090a0b0c"

/** What a server of `core` does with requests, as its host tells it. */
const served = () => {
  const made = createServer({ external: [external], secret: new Uint8Array(32), now: 0, quota: 0 })
  assert.ok(made.ok)
  let state: ServerState = made.state
  return (bytes: Uint8Array, now: number): ServerEvent => {
    const [after, { reply, dropped, changes }] = process(state, { bytes, now, source, sourcePort: 5350 })
    state = after
    const ends = { source: { address: source, port: 5350 }, local: { address: source, port: 5351 }, request: bytes }
    if (reply !== undefined) return { type: "answered", ...ends, reply, changes }
    assert.ok(dropped !== undefined)
    return { type: "dropped", ...ends, reason: dropped }
  }
}

describe("what is gathered for those who watch a server", () => {
  test("nothing while nobody watches, and nothing of before when somebody begins to", () => {
    const [feed, ask] = [createFeed(), served()]
    feed.events([ask(mapRequest(5000, 600), 1)], 1)
    feed.watch(true)
    const nothing = { set: [], gone: [], events: [], missed: 0, overflowed: false }
    assert.deepEqual(feed.take(), nothing)
    feed.events([ask(mapRequest(5001, 600), 2)], 2)
    feed.watch(false)
    assert.deepEqual(feed.take(), nothing)
  })

  test("of each mapping what it is at last, once", () => {
    const [feed, ask] = [createFeed(), served()]
    feed.watch(true)
    const asked = [
      [5000, 600],
      [5001, 600],
      [5000, 1200],
      [5001, 0],
    ] as const
    for (const [i, [port, lifetime]] of asked.entries()) feed.events([ask(mapRequest(port, lifetime), i)], i)
    const { set, gone, events, missed, overflowed } = feed.take()
    assert.deepEqual([set.map((m) => m.internalPort), gone.map((m) => m.internalPort)], [[5000], [5001]])
    assert.ok(set[0].expires > 1_200_000)
    assert.deepEqual([events.length, missed, overflowed], [4, 0, false])
    assert.deepEqual(
      events.map(({ at, changes }) => [at, ...changes.map(({ type }) => type)]),
      [
        [0, "created"],
        [1, "created"],
        [2, "renewed"],
        [3, "deleted"],
      ],
    )
    assert.deepEqual(feed.take().events, [])
  })

  test("what is too much is counted, not kept", () => {
    const [feed, ask] = [createFeed(), served()]
    feed.watch(true)
    for (let port = 1024; port < 4024; port++) feed.events([ask(mapRequest(port, 600), 1)], 1)
    const { set, events, missed, overflowed } = feed.take()
    assert.ok(set.length <= 500 && events.length <= 60)
    assert.deepEqual([events.length + missed, overflowed], [3000, true])
    feed.events([ask(mapRequest(1024, 600), 2)], 2)
    assert.deepEqual([feed.take().overflowed, feed.take().missed], [false, 0])
  })

  test("datagrams are copies without their nonce, refused and dropped ones too; all else is as it was", () => {
    const [feed, ask] = [createFeed(), served()]
    feed.watch(true)
    const request = mapRequest(5000, 600)
    const sent = [request, mapRequest(5000, 600, "ff".repeat(12)), octets("02810000"), octets("0000")]
    for (const bytes of sent) feed.events([ask(bytes, 1)], 1)
    const [granted, refused, dropped, natPmp] = feed.take().events
    assert.deepEqual([granted.reply?.[3], refused.reply?.[3], dropped.dropped !== undefined], [0, 2, true])
    const text = JSON.stringify(
      [granted, refused].map(({ request: one, reply }) =>
        [one, reply].map((b) => Buffer.from(b ?? []).toString("hex")),
      ),
    )
    assert.ok(!text.includes(NONCE) && !text.includes("f".repeat(24)))
    request.fill(0)
    assert.deepEqual(granted.request?.slice(0, 8), octets("0201000000000258"))
    assert.deepEqual(natPmp.request, octets("0000"))
  })

  test("no octet but the nonce's is another, in any datagram", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1100 }), (bytes) => {
        const before = bytes.slice()
        const copy = withoutNonce(bytes)
        assert.deepEqual(bytes, before)
        assert.equal(copy.length, bytes.length)
        for (const [i, octet] of copy.entries()) if (i < 24 || i >= 36) assert.equal(octet, bytes[i])
      }),
    )
    for (const head of ["0201", "0202", "0281", "0282", "0101", "0301", "0203", "0283"]) {
      const bytes = Uint8Array.of(...octets(head), ...new Uint8Array(58).fill(7))
      assert.deepEqual([...withoutNonce(bytes).subarray(24, 36)], new Array(12).fill(0))
    }
  })
})
