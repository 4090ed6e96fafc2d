import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  createSvpServer,
  encodeSvp,
  macOf,
  numbersFrom,
  parseSvp,
  readSvpHosts,
  SVP_LOG_LIMITS,
  type SvpBody,
  type SvpHost,
  type SvpLogRecord,
  type SvpMessage,
  type SvpServer,
  type SvpServerEffect,
  type SvpServerInput,
  type SvpServerOptions,
  stepSvpServer,
  svpHostCount,
  svpHostList,
  svpHostOf,
} from "../../../../core/overlay/index.ts"
import { hex, toHex } from "../../wire/hex.ts"
import { bytesOf, octets } from "../arbitrary.ts"
import { error, value } from "../provider/scripted.ts"
import { message } from "./arbitrary.ts"
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
const away = { ...host, target: { address: address("10.88.88.70"), port: 4790 } }
const reader = address("10.88.88.71")

/** A server, its clock, and one client on connection 1. */
class Bench {
  state: SvpServer
  now = 0

  constructor(options: Partial<SvpServerOptions> = {}, ...hosts: readonly SvpHost[]) {
    this.state = createSvpServer({ seed: Uint8Array.of(7), now: 0, ...options })
    this.step({ type: "replace", hosts, now: 0 })
    this.step({ type: "accepted", connection: 1, now: 0 })
  }

  /** What one step wants but for the time to come back. */
  step(input: SvpServerInput): readonly SvpServerEffect[] {
    const [next, effects] = stepSvpServer(this.state, input)
    assert.equal(effects.at(-1)?.type, "wake")
    this.state = next
    this.now = Math.max(this.now, input.now)
    return effects.slice(0, -1)
  }

  data(bytes: Uint8Array, connection = 1): readonly SvpServerEffect[] {
    return this.step({ type: "data", connection, bytes, now: this.now })
  }

  ask(body: SvpBody, version = 1, id = 5): SvpMessage {
    const [answer, ...more] = messages(this.data(bytesOf(encodeSvp({ version, id, body }))))
    assert.deepEqual(more, [])
    assert.equal(answer.id, id)
    return answer
  }

  put(one: SvpHost): void {
    this.step({ type: "put", host: one, now: this.now })
  }

  log(count = 1024, from = reader): readonly SvpLogRecord[] {
    const { body } = this.ask({ kind: "log-request", count, address: from })
    assert.ok(body.kind === "log-ack" && body.status === 0 && body.rest.length === 0)
    return body.records
  }

  forget(records: readonly SvpLogRecord[]): number {
    const { body } = this.ask({ kind: "log-remove", uuids: records.map(({ uuid }) => uuid) })
    assert.ok(body.kind === "log-remove-ack")
    return body.status
  }
}

const messages = (effects: readonly SvpServerEffect[]): readonly SvpMessage[] =>
  effects.flatMap((effect) => {
    if (effect.type !== "send") return []
    const all: SvpMessage[] = []
    for (let at = 0; at < effect.bytes.length; ) {
      const size = 16 + new DataView(effect.bytes.buffer, effect.bytes.byteOffset).getUint32(at + 4)
      const parsed = parseSvp(effect.bytes.subarray(at, at + size))
      assert.ok(parsed.ok)
      all.push(parsed.value)
      at += size
    }
    return all
  })

const zero = address("::")
const nobody = macOf(0)
const what = (records: readonly SvpLogRecord[]): readonly string[] =>
  records.map((record) => (record.kind === "vl2" ? `${record.mac}` : record.kind))

describe("B6: an SVP server's answers", () => {
  test("the golden vectors: PING gets PONG, VL2_REQ its VL2_ACK, VL3_REQ its VL3_ACK, octet by octet, however they are cut", () => {
    const asked = hex(
      "00010001 00000000 00000001 b5b66088" +
        "00010003 0000000c 00000001 12bb7dbf deadbeef00000000 00000017" +
        "00010005 00000018 00000002 c98d8822 00000000000000000000ffff0a373702 00000001 00000017",
    )
    const answers = toHex(
      hex(
        "00010004 00000014 00000001 010eb31c 0000 12b5 00000000000000000000ffff0a585845" +
          "00010006 0000001c 00000002 3359e293 00000000 deadbeef0000 12b5 00000000000000000000ffff0a585845",
      ),
    )
    for (const size of [1, 7, 16, 17, 1000]) {
      const bench = new Bench({}, host)
      let out = ""
      for (let at = 0; at < asked.length; at += size)
        for (const effect of bench.data(asked.subarray(at, at + size)))
          if (effect.type === "send") out += toHex(effect.bytes)
      assert.equal(out.slice(0, 24), "000100020000000000000001")
      assert.equal(out.slice(32), answers)
    }
  })

  test("NOTFOUND has zero addresses and ports: a MAC or an address that is not known, or is of another overlay", () => {
    const bench = new Bench({}, host)
    const nowhere = { kind: "vl2-ack", status: 2, port: 0, address: zero }
    assert.deepEqual(bench.ask({ kind: "vl2-request", mac: other, pad: 0, vnetid: 23 }).body, nowhere)
    assert.deepEqual(bench.ask({ kind: "vl2-request", mac, pad: 0, vnetid: 24 }).body, nowhere)
    const unknown = { kind: "vl3-ack", status: 2, mac: nobody, port: 0, address: zero }
    const four = { kind: "vl3-request", address: address("10.55.55.3"), type: 1, vnetid: 23 } as const
    assert.deepEqual(bench.ask(four).body, unknown)
    assert.deepEqual(bench.ask({ ...four, address: address("10.55.55.2"), vnetid: 24 }).body, unknown)
  })

  test("VL3 of IPv6; a type that is not the address's own is BADL3TYPE", () => {
    const bench = new Bench({}, host)
    const six = { kind: "vl3-request", address: address("fe80::3"), type: 2, vnetid: 23 } as const
    assert.deepEqual(bench.ask(six).body, { kind: "vl3-ack", status: 0, mac, ...host.target })
    for (const type of [0, 1, 3]) {
      const { body } = bench.ask({ ...six, type })
      assert.ok(body.kind === "vl3-ack" && body.status === 3, `${type}`)
    }
    const { body } = bench.ask({ ...six, address: address("10.55.55.2") })
    assert.ok(body.kind === "vl3-ack" && body.status === 3)
  })

  test("BULK_REQ is BADBULK, as its data is defined nowhere; shootdowns and what is no question have no answer", () => {
    const bench = new Bench({}, host)
    for (const type of [1, 2])
      assert.deepEqual(bench.ask({ kind: "bulk-request", type }).body, {
        kind: "bulk-ack",
        status: 4,
        type,
        data: new Uint8Array(0),
      })
    const silent: readonly SvpBody[] = [
      { kind: "shootdown", mac, pad: 0, vnetid: 23 },
      { kind: "pong" },
      { kind: "vl2-ack", status: 0, ...host.target },
      { kind: "other", op: 77, data: Uint8Array.of(1) },
    ]
    for (const body of silent) assert.deepEqual(bench.data(bytesOf(encodeSvp({ version: 1, id: 1, body }))), [])
    assert.equal(bench.state.sessions.size, 1)
  })

  test("PING finds the version that both speak; routes are of version 2, and none is known", () => {
    const route = { kind: "route-request", vnetid: 23, vlan: 5, pad: 0, source: zero, destination: zero } as const
    const two = new Bench({}, host)
    assert.equal(two.ask({ kind: "ping" }, 2).version, 2)
    assert.equal(two.ask({ kind: "ping" }, 1).version, 1)
    const { version, body } = two.ask(route, 2)
    assert.ok(version === 2 && body.kind === "route-ack" && body.status === 2 && body.vnetid === 23)
    assert.equal(two.ask({ kind: "vl2-request", mac, pad: 0, vnetid: 23 }, 2).version, 2)
    const one = new Bench({ version: 1 }, host)
    assert.equal(one.ask({ kind: "ping" }, 2).version, 1)
    assert.deepEqual(types(one.data(bytesOf(encodeSvp({ version: 2, id: 1, body: route })))), ["warning", "close"])
  })
})

describe("B6: an SVP server's hostile clients", () => {
  const question = bytesOf(encodeSvp({ version: 1, id: 9, body: { kind: "vl2-request", mac, pad: 0, vnetid: 23 } }))
  const sized = (op: number, size: number): Uint8Array => {
    const bytes = new Uint8Array(16 + size)
    bytes.set([0, 1, op >> 8, op & 255, 0, 0, size >> 8, size & 255, 0, 0, 0, 9])
    // The CRC of an operation that nobody knows is computed by the encoder; here the operation is another one.
    for (let low = 0; low < 4; low++) bytes[12 + low] = 0
    const view = new DataView(bytes.buffer)
    view.setUint32(12, crcOf(bytes))
    return bytes
  }

  test("a wrong CRC, another version, too many octets: the connection ends, after what was asked before has its answer", () => {
    for (const bad of [
      question.with(27, 1),
      question.with(1, 3),
      Uint8Array.of(0, 1, 0, 11, 0, 0, 16, 1, 0, 0, 0, 1, 0, 0, 0, 0),
    ]) {
      const bench = new Bench({}, host)
      const effects = bench.data(Uint8Array.of(...question, ...bad, ...question))
      assert.deepEqual(types(effects), ["send", "warning", "close"])
      assert.equal(messages(effects).length, 1)
      assert.deepEqual(bench.data(question), [], "a connection that ended is nobody's")
    }
  })

  test("a question of a wrong size has FATAL for an answer, and the connection ends; LOG_RM's is 4 and 16 for each UUID", () => {
    for (const [op, size, ack] of [
      [3, 11, "vl2-ack"],
      [5, 25, "vl3-ack"],
      [9, 19, "log-ack"],
      [11, 5, "log-remove-ack"],
    ] as const) {
      const effects = new Bench({}, host).data(sized(op, size))
      assert.deepEqual(types(effects), ["send", "warning", "close"])
      const [{ id, body }] = messages(effects)
      assert.equal(id, 9)
      assert.ok(body.kind === ack && body.status === 1)
    }
    assert.deepEqual(types(new Bench({}, host).data(sized(1, 1))), ["warning", "close"])
  })

  test("a message that is not whole after 30 s ends its connection, however slowly its octets come; an idle one stays", () => {
    const bench = new Bench({}, host)
    bench.step({ type: "accepted", connection: 2, now: 0 })
    const [, effects] = stepSvpServer(bench.state, {
      type: "data",
      connection: 1,
      bytes: question.subarray(0, 1),
      now: 0,
    })
    assert.deepEqual(effects, [{ type: "wake", at: 30_000 }])
    for (let at = 0; at < 27; at++) {
      bench.now = at * 1000
      assert.deepEqual(bench.data(question.subarray(at, at + 1)), [])
    }
    assert.deepEqual(types(bench.step({ type: "tick", now: 29_999 })), [])
    assert.deepEqual(types(bench.step({ type: "tick", now: 30_000 })), ["warning", "close"])
    assert.deepEqual([...bench.state.sessions.keys()], [2])
  })

  test("half-closed: what was asked is answered, then the connection ends; one that is gone is forgotten", () => {
    const bench = new Bench({}, host)
    assert.deepEqual(types(bench.data(question)), ["send"])
    assert.deepEqual(types(bench.step({ type: "ended", connection: 1, now: 0 })), ["close"])
    assert.deepEqual(types(bench.step({ type: "ended", connection: 1, now: 0 })), [])
    bench.step({ type: "accepted", connection: 2, now: 0 })
    assert.deepEqual(types(bench.step({ type: "closed", connection: 2, now: 0 })), [])
    assert.equal(bench.state.sessions.size, 0)
  })

  test("one connection too many is closed at once", () => {
    const bench = new Bench({ connections: 1 }, host)
    assert.deepEqual(types(bench.step({ type: "accepted", connection: 2, now: 0 })), ["warning", "close"])
    assert.deepEqual(types(bench.data(question)), ["send"])
  })
})

/** The CRC-32 of IEEE 802.3, bit by bit. */
const crcOf = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const octet of bytes) {
    crc ^= octet
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

describe("B6: an SVP server's log", () => {
  test("a host that moves or goes is a VL2 record, an address that changes hands a VL3 record; what nobody could know is none", () => {
    const bench = new Bench({}, host)
    assert.deepEqual(bench.log(), [])
    bench.put(host)
    bench.put({ ...host, mac: other, arp: undefined, ndp: undefined })
    assert.deepEqual(bench.log(), [])
    bench.put(away)
    bench.put({ ...host, mac: other, arp: address("10.55.55.2"), ndp: undefined, vlan: 5 })
    const records = bench.log()
    assert.deepEqual(what(records), [`${mac}`, "vl3"])
    const [, vl3] = records
    assert.ok(vl3.kind === "vl3" && vl3.vlan === 5 && vl3.address === address("10.55.55.2") && vl3.vnetid === 23)
    assert.equal(svpHostOf(bench.state.hosts, 23, mac)?.arp, undefined)
    assert.equal(svpHostOf(bench.state.hosts, 23, mac)?.ndp, address("fe80::3"))
    bench.step({ type: "remove", vnetid: 23, mac, now: 0 })
    bench.step({ type: "remove", vnetid: 23, mac, now: 0 })
    assert.deepEqual(what(bench.log()), [`${mac}`, "vl3", `${mac}`])
    const { body } = bench.ask({ kind: "vl3-request", address: address("fe80::3"), type: 2, vnetid: 23 })
    assert.ok(body.kind === "vl3-ack" && body.status === 2, "its address went with it")
  })

  test("each reader has its records until it has them removed, by UUIDs of its own; a UUID of no record is NOTFOUND", () => {
    const bench = new Bench({}, host)
    const second = address("10.88.88.72")
    bench.put(away)
    bench.put(host)
    const [mine, theirs] = [bench.log(), bench.log(1024, second)]
    assert.equal(new Set([...mine, ...theirs].map(({ uuid }) => uuid)).size, 4)
    assert.deepEqual(bench.log(), mine, "until they are removed")
    assert.equal(bench.forget(mine.slice(1)), 0)
    assert.deepEqual(bench.log(), mine.slice(0, 1))
    assert.equal(bench.forget(mine), 0, "a second time is well")
    assert.deepEqual([bench.log(), bench.log(1024, second)], [[], theirs])
    assert.equal(bench.forget([{ ...mine[0], uuid: "0".repeat(32) }]), 2)
    const forged = mine[0].uuid.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"))
    assert.equal(bench.forget([{ ...theirs[0], uuid: forged }]), 2)
  })

  test("an answer has no more octets than are asked for, and 1024 at most; fewer than its status needs is FATAL", () => {
    const bench = new Bench({}, host)
    for (let move = 0; move < 40; move++) bench.put(move % 2 === 0 ? away : host)
    assert.equal(bench.log(4).length, 0)
    assert.equal(bench.log(35).length, 0)
    assert.equal(bench.log(36).length, 1)
    assert.equal(bench.log(1024).length, 31)
    assert.equal(bench.log(0xffffffff).length, 31)
    const { body } = bench.ask({ kind: "log-request", count: 3, address: reader })
    assert.ok(body.kind === "log-ack" && body.status === 1)
    bench.forget(bench.log())
    assert.equal(bench.log().length, 9)
  })

  test("a reader that is new begins a minute back; a log has its most lines, and who has missed some is warned of", () => {
    const bench = new Bench({}, host)
    bench.put(away)
    bench.now = 60_001
    bench.put(host)
    assert.equal(bench.log().length, 1)
    for (let move = 0; move < SVP_LOG_LIMITS.LINES + 3; move++) bench.put(move % 2 === 0 ? away : host)
    assert.equal(bench.state.log.lines.size, SVP_LOG_LIMITS.LINES)
    const bytes = bytesOf(encodeSvp({ version: 1, id: 1, body: { kind: "log-request", count: 1024, address: reader } }))
    const effects = bench.data(bytes)
    assert.deepEqual(effects[0], {
      type: "warning",
      connection: undefined,
      text: "a reader of the log has missed 4 records, which are no longer kept",
    })
    assert.deepEqual(types(bench.data(bytes)), ["send"], "once")
  })

  test("of too many readers the one that asked longest ago makes room", () => {
    const bench = new Bench({}, host)
    for (let number = 0; number <= SVP_LOG_LIMITS.READERS; number++) {
      bench.now = number
      bench.log(1024, address(`10.1.${number >> 8}.${number & 255}`))
      // The second of all asks again, and is none of the oldest any more.
      if (number === 10) bench.log(1024, address("10.1.0.1"))
    }
    bench.log(1024, address("10.2.0.0"))
    const { readers, byAddress, byTurn } = bench.state.log
    assert.deepEqual([readers.size, byAddress.size, byTurn.size], Array(3).fill(SVP_LOG_LIMITS.READERS))
    const there = [...numbersFrom(readers)].map(([, reader]) => reader.address)
    const asked = ["10.1.0.0", "10.1.0.1", "10.1.0.2", "10.1.0.3", "10.2.0.0"].map(address)
    assert.deepEqual(
      asked.map((one) => there.includes(one)),
      [false, true, false, true, true],
    )
  })
})

describe("an SVP server's hosts", () => {
  test("`replace` makes a list all hosts, and clients are told of what moved or went; a bad one changes nothing", () => {
    const bench = new Bench({}, host, { ...host, vnetid: 24 })
    const before = bench.state
    assert.deepEqual(types(bench.step({ type: "replace", hosts: [{ ...host, vlan: 4096 }], now: 0 })), ["refused"])
    assert.equal(svpHostCount(bench.state.hosts), 2)
    const heir = { ...host, mac: other }
    const [changed] = bench.step({ type: "replace", hosts: [heir], now: 0 })
    assert.deepEqual(changed, {
      type: "changed",
      changes: [
        { kind: "vl3", vnetid: 23, address: host.arp, vlan: 0 },
        { kind: "vl3", vnetid: 23, address: host.ndp, vlan: 0 },
        { kind: "vl2", vnetid: 23, mac },
        { kind: "vl2", vnetid: 24, mac },
      ],
    })
    assert.deepEqual(svpHostList(bench.state.hosts), [heir])
    assert.deepEqual(svpHostOf(before.hosts, 23, mac), host, "an old state stays valid")
  })

  test("EINVAL: a vnetid of more than 24 bits, a point of no use, addresses of the other family", () => {
    const wrong: readonly Partial<SvpHost>[] = [
      { vnetid: 2 ** 24 },
      { vnetid: -1 },
      { target: { ...host.target, port: 0 } },
      { arp: address("fe80::3") },
      { ndp: address("10.0.0.1") },
      { vlan: -1 },
    ]
    for (const part of wrong)
      assert.deepEqual(types(new Bench().step({ type: "put", host: { ...host, ...part }, now: 0 })), ["refused"])
  })

  test("a file is as that of the plugin files, by vnetid; every fault is named", () => {
    const entry = { ip: "10.88.88.69", port: 4789, arp: "10.55.55.2", ndp: "fe80::3" }
    assert.deepEqual(value(readSvpHosts(JSON.stringify({ 23: { "de:ad:be:ef:0:0": entry } }))), [host])
    assert.equal(value(readSvpHosts(JSON.stringify({ 23: { "de:ad:be:ef:0:0": { ...entry, vlan: 7 } } })))[0].vlan, 7)
    assert.equal(error(readSvpHosts("{")), "EPROTO")
    assert.equal(error(readSvpHosts("[]")), "EINVAL")
    const bad = readSvpHosts(
      JSON.stringify({
        x: {},
        1: 7,
        16777216: { "1:2:3:4:5:6": entry },
        2: {
          nobody: entry,
          "1:2:3:4:5:6": 7,
          "1:2:3:4:5:7": { ...entry, arp: "fe80::1" },
          "1:2:3:4:5:8": { ip: "::1" },
        },
        3: { "1:2:3:4:5:6": { ...entry, vlan: "1" }, "1:2:3:4:5:7": { ...entry, ndp: "10.0.0.1" } },
      }),
    )
    assert.equal(bad.ok ? 0 : bad.text.split("\n").length, 9)
  })
})

test("any inputs in any order: no throw, whole answers, and an old state gives the same again", () => {
  const input: fc.Arbitrary<SvpServerInput> = fc.oneof(
    fc.constant({ type: "tick", now: 0 } as const),
    fc
      .tuple(fc.constantFrom("accepted" as const, "ended" as const, "closed" as const), fc.nat(2))
      .map(([type, connection]) => ({ type, connection, now: 0 })),
    fc
      .tuple(
        fc.nat(2),
        fc.oneof(
          octets(40),
          message.map((one) => bytesOf(encodeSvp(one))),
        ),
        fc.nat(300),
      )
      .map(
        ([connection, bytes, cut]) =>
          ({ type: "data", connection, bytes: bytes.subarray(0, cut + 1), now: 0 }) as const,
      ),
    fc.tuple(fc.boolean(), fc.boolean()).map(([isMac, isAway]) => ({
      type: "put" as const,
      host: { ...(isAway ? away : host), mac: isMac ? mac : other },
      now: 0,
    })),
    fc.constant({ type: "remove", vnetid: 23, mac, now: 0 } as const),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(input, fc.nat(20_000)), { maxLength: 40 }), (inputs) => {
      const bench = new Bench({ connections: 2 })
      for (const [one, pause] of inputs) {
        const before = bench.state
        const given = { ...one, now: bench.now + pause }
        const effects = bench.step(given)
        messages(effects)
        assert.ok(bench.state.sessions.size <= 2)
        const after = svpHostList(bench.state.hosts)
        const [again, same] = stepSvpServer(before, given)
        assert.deepEqual(same.slice(0, -1), effects)
        assert.deepEqual(svpHostList(again.hosts), after)
        assert.deepEqual([again.log, again.sessions], [bench.state.log, bench.state.sessions])
      }
    }),
    { numRuns: 300 },
  )
})
