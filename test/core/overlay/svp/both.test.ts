/** Our SVP client and our SVP server, each a machine, with the stream between them in the test's hands. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  createSvpRemote,
  createSvpServer,
  encodeSvp,
  macOf,
  numbersFrom,
  type SvpEffect,
  type SvpHost,
  type SvpInput,
  type SvpRemote,
  type SvpServer,
  type SvpServerInput,
  stepSvp,
  stepSvpServer,
} from "../../../../core/overlay/index.ts"
import { bytesOf } from "../arbitrary.ts"
import { address, types } from "./scene.ts"

const mac = macOf(0xdeadbeef0000)
const other = macOf(0xdeadbeef0001)
const host: SvpHost = {
  vnetid: 23,
  mac,
  target: { address: address("10.88.88.69"), port: 4789 },
  arp: address("10.55.55.2"),
  ndp: address("fe80::3"),
  vlan: 0,
}

const idOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(8)
const pong = (bytes: Uint8Array, more: number): Uint8Array =>
  bytesOf(encodeSvp({ version: 2, id: idOf(bytes) + more, body: { kind: "pong" } }))

/** What the stream does with what is sent: pieces of it. */
type Stream = (bytes: Uint8Array, toServer: boolean) => readonly Uint8Array[]
const whole: Stream = (bytes) => [bytes]
const octetwise: Stream = (bytes) => Array.from(bytes, (octet) => Uint8Array.of(octet))

/** One client and one server at 192.0.2.1, whose TCP the test is. */
class Wire {
  client: SvpRemote
  server: SvpServer
  now = 0
  readonly seen: SvpEffect[] = []
  readonly warnings: string[] = []
  stream: Stream
  /** Does the server accept? */
  accepts = true

  constructor(stream: Stream, version?: 1 | 2, highest?: 1 | 2) {
    this.stream = stream
    const options = {
      host: "svp.example",
      port: 1296,
      underlay: address("10.88.88.71"),
      seed: Uint8Array.of(1),
      now: 0,
    }
    this.client = createSvpRemote(version === undefined ? options : { ...options, version })
    this.server = createSvpServer({
      seed: Uint8Array.of(2),
      now: 0,
      ...(highest === undefined ? {} : { version: highest }),
    })
    this.serve({ type: "put", host, now: 0 })
    this.give({ type: "attach", vnetid: 23, now: 0 })
  }

  give(input: SvpInput): void {
    const [next, effects] = stepSvp(this.client, input)
    this.client = next
    for (const effect of effects) {
      this.seen.push(effect)
      if (effect.type === "resolve") this.give({ type: "resolved", addresses: [address("192.0.2.1")], now: this.now })
      else if (effect.type === "connect") this.connect(effect.connection)
      else if (effect.type === "close") this.serve({ type: "closed", connection: effect.connection, now: this.now })
      else if (effect.type === "send")
        for (const bytes of this.stream(effect.bytes, true))
          this.serve({ type: "data", connection: effect.connection, bytes, now: this.now })
    }
  }

  connect(connection: number): void {
    if (this.accepts) this.serve({ type: "accepted", connection, now: this.now })
    this.give({ type: this.accepts ? "connected" : "closed", connection, now: this.now })
  }

  serve(input: SvpServerInput): void {
    const [next, effects] = stepSvpServer(this.server, input)
    this.server = next
    for (const effect of effects) {
      if (effect.type === "warning") this.warnings.push(effect.text)
      if (effect.type === "close") this.give({ type: "closed", connection: effect.connection, now: this.now })
      if (effect.type === "send")
        for (const bytes of this.stream(effect.bytes, false))
          this.give({ type: "data", connection: effect.connection, bytes, now: this.now })
    }
  }

  /** A second after the other, to an instant. */
  until(instant: number): void {
    while (this.now < instant) {
      this.now += 1000
      this.give({ type: "tick", now: this.now })
      this.serve({ type: "tick", now: this.now })
    }
  }

  lookup(query: number, wanted = mac): void {
    this.give({ type: "ask", query, question: { kind: "vl2", vnetid: 23, mac: wanted }, now: this.now })
  }

  answers(): readonly string[] {
    return this.seen.flatMap((effect) =>
      effect.type === "answer"
        ? [`${effect.query} ${effect.answer.kind === "none" ? effect.answer.status : effect.answer.kind}`]
        : [],
    )
  }
}

describe("B6: our client at our server", () => {
  for (const [name, stream] of [
    ["whole messages", whole],
    ["an octet at a time", octetwise],
  ] as const)
    test(`answers, NOTFOUND, and the log from a move to its record's removal: ${name}`, () => {
      const wire = new Wire(stream)
      wire.lookup(1)
      wire.lookup(2, other)
      const question = { kind: "vl3", vnetid: 23, address: address("fe80::3") } as const
      wire.give({ type: "ask", query: 3, question, now: 0 })
      assert.deepEqual(wire.answers(), ["1 vl2", "2 2", "3 vl3"])
      wire.until(11_000)
      assert.equal(wire.server.log.readers.size, 1, "it has looked at the log")
      wire.serve({ type: "put", host: { ...host, target: { ...host.target, port: 4790 } }, now: wire.now })
      wire.serve({ type: "put", host: { ...host, mac: other, ndp: undefined, vlan: 5 }, now: wire.now })
      wire.until(40_000)
      const told = wire.seen.filter(({ type }) => type === "shootdown" || type === "moved")
      assert.deepEqual(told, [
        { type: "shootdown", vnetid: 23, mac },
        { type: "moved", vnetid: 23, vlan: 5, overlay: host.arp, mac: other, ...host.target },
      ])
      assert.deepEqual(
        [...numbersFrom(wire.server.log.byAddress)].map(([, reader]) => reader),
        [1],
      )
      wire.until(80_000)
      assert.equal(
        wire.seen.filter(({ type }) => type === "shootdown").length,
        1,
        "a record that is removed does not come again",
      )
      assert.deepEqual(wire.warnings, [])
      assert.deepEqual(
        types(wire.seen).filter((type) => type === "close" || type === "warning"),
        [],
      )
    })

  test("PING at the connect: a client of version 2 asks before it is active, and speaks what both know", () => {
    for (const [client, server, spoken] of [
      [2, 2, 2],
      [2, 1, 1],
      [1, 2, 1],
      [1, 1, 1],
    ] as const) {
      const wire = new Wire(octetwise, client, server)
      assert.equal(wire.client.connections.get(1)?.phase, "active")
      assert.equal(wire.client.connections.get(1)?.version, spoken)
      wire.lookup(1)
      assert.deepEqual(wire.answers(), ["1 vl2"])
      assert.deepEqual(wire.warnings, [])
    }
  })

  test("a PONG of another question, another answer, or none in 30 s: the connection has failed, and is tried again", () => {
    for (const stream of [
      (bytes: Uint8Array) => [pong(bytes, 1)],
      (bytes: Uint8Array) => [bytesOf(encodeSvp({ version: 2, id: idOf(bytes), body: { kind: "ping" } }))],
      () => [],
    ]) {
      const wire = new Wire((bytes, toServer) => (toServer ? [bytes] : stream(bytes)), 2)
      wire.until(30_000)
      assert.ok((wire.client.connections.get(1)?.failures ?? 0) > 0)
      assert.ok(types(wire.seen).includes("close"))
      wire.stream = whole
      wire.until(100_000)
      assert.equal(wire.client.connections.get(1)?.phase, "active")
      assert.equal(wire.client.connections.get(1)?.failures, 0)
    }
  })

  test("an octet that is wrong on the way there or back ends the connection, and the next one is well", () => {
    for (const toServer of [true, false]) {
      const wire = new Wire(whole)
      let isBroken = true
      wire.stream = (bytes, way) => {
        if (way !== toServer || !isBroken) return [bytes]
        isBroken = false
        return [bytes.with(bytes.length - 1, bytes[bytes.length - 1] ^ 1)]
      }
      wire.lookup(1)
      assert.deepEqual(wire.answers(), ["1 1"], "FATAL")
      wire.until(2000)
      wire.lookup(2)
      assert.deepEqual(wire.answers(), ["1 1", "2 vl2"])
    }
  })

  test("a server that is silent: 30 s later the question has failed, and the others are asked again", () => {
    const wire = new Wire(whole)
    wire.stream = (bytes, toServer) => (toServer ? [] : [bytes])
    wire.lookup(1)
    wire.lookup(2)
    wire.until(29_000)
    assert.deepEqual(wire.answers(), [])
    wire.stream = whole
    wire.until(33_000)
    assert.deepEqual(wire.answers()[0], "1 1")
    wire.lookup(3)
    assert.equal(wire.answers().at(-1), "3 vl2")
  })

  test("a server that accepts nobody is tried again, and degrades the client until it does", () => {
    const wire = new Wire(whole)
    wire.accepts = false
    wire.serve({ type: "ended", connection: 1, now: 0 })
    wire.until(200_000)
    assert.ok(types(wire.seen).includes("degrade"))
    wire.accepts = true
    wire.until(240_000)
    assert.ok(types(wire.seen).includes("restore"))
    wire.lookup(1)
    assert.equal(wire.answers().at(-1), "1 vl2")
  })

  test("whatever the stream does, no machine throws, and each question has one answer in the end", () => {
    const fate = fc.constantFrom("whole", "cut", "lost", "wrong", "twice")
    fc.assert(
      fc.property(
        fc.array(fate, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(1 as const, 2 as const),
        (fates, version) => {
          const wire = new Wire(whole, version)
          let turn = 0
          let isOver = false
          wire.stream = (bytes) => {
            const now = isOver ? "whole" : fates[turn++ % fates.length]
            const at = turn % bytes.length
            if (now === "lost") return []
            if (now === "wrong") return [bytes.with(at, bytes[at] ^ 16)]
            if (now === "twice") return [bytes, bytes]
            return now === "cut" ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes]
          }
          for (let query = 1; query <= 8; query++) {
            wire.lookup(query, query % 2 === 0 ? mac : other)
            if (query % 3 === 0) wire.until(wire.now + 1000)
          }
          isOver = true
          wire.until(wire.now + 120_000)
          const ended = wire.seen.flatMap((effect) => (effect.type === "answer" ? [effect.query] : []))
          assert.deepEqual(
            ended.toSorted((one, other) => one - other),
            [1, 2, 3, 4, 5, 6, 7, 8],
          )
          wire.lookup(9)
          assert.equal(wire.answers().at(-1), "9 vl2")
        },
      ),
      { numRuns: 150 },
    )
  })
})
