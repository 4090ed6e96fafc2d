import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { LiveMessage } from "../../adapters/live/index.ts"
import type { Mapping } from "../../core/cgn/index.ts"
import { liveAddress } from "../../playground/live/connection.ts"
import { createLedger } from "../../playground/live/ledger.ts"
import { address } from "./packets.ts"

const HELLO: LiveMessage = { type: "hello", version: "1", kind: "nat444", quota: 4, local: [], external: [], now: 0 }
type Tick = Extract<LiveMessage, { readonly type: "tick" }>
const NONE = {
  operation: [],
  result: [],
  option: [],
  "natpmp-operation": [],
  "natpmp-result": [],
  drop: [],
  cache: [],
  packet: [],
} as const
const tick = (more: Partial<Tick>): LiveMessage => ({
  type: "tick",
  now: 1000,
  epoch: 1,
  total: 0,
  set: [],
  gone: [],
  events: [],
  missed: 0,
  counters: NONE,
  pool: undefined,
  ...more,
})
const mapping = (port: number, expires: number): Mapping => ({
  kind: "map",
  origin: "pcp",
  protocol: 17,
  internal: address("10.0.0.1"),
  internalPort: port,
  realm: undefined,
  external: address("203.0.113.1"),
  externalPort: port,
  remote: undefined,
  remotePort: 0,
  nonce: undefined,
  expires,
  clientPort: 0,
  details: undefined,
})
const row = (port: number, expires: number) => ({ mapping: mapping(port, expires), filters: [] })

const told = (...messages: readonly LiveMessage[]) => {
  const ledger = createLedger()
  for (const message of messages) ledger.take(message)
  return ledger
}
const ports = (ledger: ReturnType<typeof told>, at = 1000): readonly number[] =>
  (ledger.view(at)?.mappings ?? []).map((one) => one.mapping.internalPort)

describe("what a page knows of a live server", () => {
  test("nothing before it is told", () => {
    assert.equal(told().view(0), undefined)
    assert.equal(told(HELLO).view(0), undefined)
    assert.deepEqual(told().story().moments, [])
  })

  test("mappings come, are renewed, go and run out; what is left of them runs down between messages", () => {
    const ledger = told(HELLO, tick({ set: [row(1, 11_000), row(2, 5000)], total: 2 }))
    assert.deepEqual(ports(ledger), [1, 2])
    const [first] = ledger.view(6000)?.mappings ?? []
    // Granted at 1000 for ten seconds: half of them are over.
    assert.deepEqual([first.left, first.fraction], [5, 0.5])
    assert.deepEqual([ports(ledger, 5000), ledger.view(4999.9)?.mappings.length], [[1], 2])
    ledger.take(tick({ now: 6000, set: [row(1, 26_000)] }))
    const [renewed] = ledger.view(6000)?.mappings ?? []
    assert.deepEqual([renewed.left, renewed.fraction], [20, 1])
    ledger.take(tick({ now: 7000, gone: [mapping(1, 0)] }))
    assert.deepEqual(ports(ledger, 7000), [])
  })

  test("a snapshot stands for all before it, with what changed while it came", () => {
    const ledger = told(HELLO, tick({ set: [row(1, 9e6), row(2, 9e6), row(3, 9e6)], total: 3 }))
    ledger.take({ type: "snapshot", at: "begin" })
    ledger.take({ type: "rows", rows: [row(2, 9e6)] })
    assert.deepEqual(ports(ledger), [1, 2, 3])
    ledger.take(tick({ set: [row(4, 9e6)], gone: [mapping(2, 0)] }))
    ledger.take({ type: "rows", rows: [row(3, 9e6)] })
    ledger.take({ type: "snapshot", at: "end" })
    assert.deepEqual([...ports(ledger)].sort(), [3, 4])
  })

  test("it says that there are more mappings than it was told of, and how many events it was not", () => {
    const ledger = told(HELLO, tick({ set: [row(1, 9e6)], total: 100_000, missed: 940 }), tick({ total: 1, missed: 2 }))
    assert.deepEqual([ledger.view(1000)?.more, ledger.missed()], [false, 942])
    assert.equal(told(HELLO, tick({ set: [row(1, 9e6)], total: 100_000 })).view(1000)?.more, true)
  })

  test("counters say what they went up by, subscribers what they have of their quota, and the epoch goes on", () => {
    const ledger = told(
      HELLO,
      tick({ counters: { ...NONE, result: [{ index: 0, count: 3 }] } }),
      tick({ now: 2000, epoch: 2, set: [row(1, 9e6)], counters: { ...NONE, result: [{ index: 0, count: 5 }] } }),
    )
    const view = ledger.view(4500)
    assert.deepEqual(view?.counters, [{ vector: "result", name: "PCP SUCCESS", count: 5, more: 2 }])
    assert.deepEqual(
      view?.subscribers.map(({ mappings, explicit, quota }) => [mappings, explicit, quota]),
      [[1, 1, 4]],
    )
    assert.equal(view?.epoch, 4)
  })

  test("moments are kept while they are few enough, the last ones of many", () => {
    const ledger = createLedger()
    const source = { address: address("10.0.0.1"), port: 5350 }
    const event = { source, request: new Uint8Array(2), reply: undefined, dropped: undefined, changes: [] }
    for (let at = 0; at < 10_000; at++) ledger.take(tick({ now: at, events: [{ ...event, at }] }))
    const { moments } = ledger.story()
    assert.ok(moments.length >= 2000 && moments.length <= 2500, `${moments.length}`)
    assert.deepEqual([moments.at(-1)?.at, moments.at(-1)?.cause.type], [9999, "step"])
    for (const [i, { at }] of moments.entries()) assert.equal(at, 10_000 - moments.length + i)
    assert.equal(ledger.rate(), 1000)
  })

  test("the server is heard beside the page that it gave, whatever follows in the address", () => {
    assert.equal(liveAddress("http://127.0.0.1:8080/s3cret/?x=1#1p0AAA"), "ws://127.0.0.1:8080/s3cret/live")
  })
})
