import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  type LiveChange,
  type LiveEvent,
  type LiveMessage,
  readMessage,
  writeMessage,
} from "../../../adapters/live/index.ts"
import type { Filter, Mapping } from "../../../core/cgn/index.ts"
import { DROP_REASONS } from "../../../core/server/index.ts"
import { type Address, parseAddress, readNonce } from "../../../core/wire/index.ts"

const addressOf = (text: string): Address => parseAddress(text) ?? assert.fail(text)
const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => parseAddress(text) ?? addressOf("192.0.2.1"))
const port = fc.integer({ min: 0, max: 65535 })
const instant = fc.double({ min: 0, max: 1e12, noNaN: true }).map((value) => value + 0)
const count = fc.integer({ min: 0, max: 2 ** 40 })
const maybe = <T>(own: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(own, { nil: undefined })

const mapping: fc.Arbitrary<Mapping> = fc.record({
  kind: fc.constantFrom("map", "peer", "implicit", "static"),
  origin: fc.constantFrom("pcp", "nat-pmp", "traffic", "administrator"),
  protocol: fc.integer({ min: 0, max: 255 }),
  internal: address,
  internalPort: port,
  realm: maybe(address),
  external: address,
  externalPort: port,
  remote: maybe(address),
  remotePort: port,
  nonce: fc.constant(undefined),
  expires: fc.oneof(instant, fc.constant(Number.POSITIVE_INFINITY)),
  clientPort: fc.constant(0),
  details: fc.constant(undefined),
})
const filter: fc.Arbitrary<Filter> = fc.record({
  remote: address,
  prefixLength: fc.integer({ min: 0, max: 128 }),
  remotePort: port,
})
const change: fc.Arbitrary<LiveChange> = fc.oneof(
  fc.record({ type: fc.constantFrom("created", "renewed", "deleted", "expired"), mapping }),
  fc.record({ type: fc.constant("moved" as const), mapping, external: address, externalPort: port }),
  fc.record({
    type: fc.constant("filtered" as const),
    protocol: fc.integer({ min: 0, max: 255 }),
    internal: address,
    internalPort: port,
    realm: maybe(address),
    filters: fc.array(filter, { maxLength: 3 }),
  }),
  fc.record({
    type: fc.constantFrom("block", "block-over"),
    internal: address,
    prefixLength: fc.integer({ min: 0, max: 128 }),
    realm: maybe(address),
    external: address,
    firstPort: port,
    lastPort: port,
  }),
  fc.record({ type: fc.constant("epoch-reset" as const), at: instant }),
  fc.record({ type: fc.constant("subscriber-reset" as const), internal: address, realm: maybe(address), at: instant }),
)
const end = fc.record({ address, port })
const event: fc.Arbitrary<LiveEvent> = fc.record({
  at: instant,
  source: maybe(end),
  request: maybe(fc.uint8Array({ maxLength: 80 })),
  reply: maybe(fc.uint8Array({ maxLength: 80 })),
  dropped: maybe(fc.constantFrom(...DROP_REASONS)),
  changes: fc.array(change, { maxLength: 3 }),
})
const vector = fc.array(fc.record({ index: fc.integer({ min: 0, max: 255 }), count }), { maxLength: 3 })
const row = fc.record({ mapping, filters: fc.array(filter, { maxLength: 2 }) })
const use = fc.record({ ports: count, taken: count })
const messages: fc.Arbitrary<LiveMessage> = fc.oneof(
  fc.record({
    type: fc.constant("hello" as const),
    version: fc.string(),
    kind: fc.constantFrom("dslite", "nat444", "nat64", "nat46", "nptv6", "firewall4", "firewall6", "l2dslite"),
    quota: count,
    local: fc.array(end, { maxLength: 3 }),
    external: fc.array(address, { maxLength: 3 }),
    now: instant,
  }),
  fc.record({ type: fc.constant("snapshot" as const), at: fc.constantFrom("begin", "end") }),
  fc.record({ type: fc.constant("rows" as const), rows: fc.array(row, { maxLength: 3 }) }),
  fc.record({
    type: fc.constant("tick" as const),
    now: instant,
    epoch: count,
    total: count,
    set: fc.array(row, { maxLength: 3 }),
    gone: fc.array(mapping, { maxLength: 3 }),
    events: fc.array(event, { maxLength: 3 }),
    missed: count,
    counters: fc.record({
      operation: vector,
      result: vector,
      option: vector,
      "natpmp-operation": vector,
      "natpmp-result": vector,
      drop: vector,
      cache: vector,
      packet: vector,
    }),
    pool: maybe(fc.record({ udp: use, tcp: use })),
  }),
)

/** Objects as JSON has them, with a prototype. */
const message = messages.map((one) => structuredClone(one))

describe("messages of a live server", () => {
  test("each is read as it was written", () => {
    fc.assert(fc.property(message, (one) => assert.deepEqual(readMessage(writeMessage(one)), one)))
  })

  test("they are JSON that people can read", () => {
    const [internal, external] = [addressOf("192.0.2.10"), addressOf("2001:db8::1")]
    const mapping: Mapping = {
      kind: "map",
      origin: "pcp",
      protocol: 6,
      internal,
      internalPort: 80,
      realm: undefined,
      external,
      externalPort: 8080,
      remote: undefined,
      remotePort: 0,
      // A nonce that somebody forgot to take out is not written.
      nonce: readNonce(new Uint8Array(12).fill(1), 0),
      expires: 1234.5,
      clientPort: 5350,
      details: undefined,
    }
    assert.deepEqual(JSON.parse(writeMessage({ type: "rows", rows: [{ mapping, filters: [] }] })), {
      type: "rows",
      rows: [
        {
          kind: "map",
          origin: "pcp",
          protocol: 6,
          internal: "192.0.2.10",
          internalPort: 80,
          external: "2001:db8::1",
          externalPort: 8080,
          expires: 1234.5,
        },
      ],
    })
  })

  test("no other text is one, and none throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        assert.equal(readMessage(text), undefined)
      }),
    )
    for (const text of [
      "",
      "null",
      "[]",
      "{}",
      '{"type":"tick"}',
      '{"type":"snapshot","at":"now"}',
      '{"type":"rows","rows":[{}]}',
    ])
      assert.equal(readMessage(text), undefined, text)
  })

  test("a greeting lacks nothing, and no port is over 65535", () => {
    const greeting: LiveMessage = {
      type: "hello",
      version: "1.0.0",
      kind: "nat444",
      quota: 8,
      local: [{ address: addressOf("192.0.2.1"), port: 65535 }],
      external: [addressOf("203.0.113.7")],
      now: 5,
    }
    const text = writeMessage(greeting)
    assert.deepEqual(readMessage(text), greeting)
    for (const name of ["version", "kind", "quota", "local", "external", "now"])
      assert.equal(readMessage(JSON.stringify({ ...JSON.parse(text), [name]: undefined })), undefined, name)
    assert.equal(readMessage(text.replace("65535", "65536")), undefined)
  })

  test("one that is changed anywhere is another message, or none", () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.constantFrom(...'0"{}[],:-eaZ '), (one, place, character) => {
        const text = writeMessage(one)
        const at = place % text.length
        const read = readMessage(`${text.slice(0, at)}${character}${text.slice(at + 1)}`)
        // What was read can be told on as it is.
        if (read !== undefined) assert.deepEqual(readMessage(writeMessage(read)), read)
      }),
    )
  })
})
