import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  createSvpRemote,
  encodeSvp,
  macOf,
  numbersFrom,
  type SvpBody,
  type SvpInput,
  SvpStatus,
  stepSvp,
} from "../../../../core/overlay/index.ts"
import { bytesOf, octets } from "../arbitrary.ts"
import { message } from "./arbitrary.ts"
import { address, Scene, sent, types } from "./scene.ts"

const mac = macOf(0xdeadbeef0000)
const point = { port: 4789, address: address("10.88.88.69") }
const found: SvpBody = { kind: "vl2-ack", status: SvpStatus.OK, ...point }

/** With active connections to so many addresses. */
const active = (count: number): Scene => {
  const scene = new Scene()
  scene.tick(0)
  const addresses = Array.from({ length: count }, (_, index) => `192.0.2.${index + 1}`)
  scene.resolve(...addresses)
  scene.connect(...addresses.map((_, index) => index + 1))
  return scene
}

describe("B6: connections", () => {
  test("the name is resolved at once and every 30 s; each address gets a connection", () => {
    const scene = new Scene()
    assert.deepEqual(scene.tick(0), [{ type: "resolve", host: "svp.example" }])
    assert.deepEqual(scene.resolve("192.0.2.1", "192.0.2.2", "192.0.2.1"), [
      { type: "connect", connection: 1, address: address("192.0.2.1"), port: 1296 },
      { type: "connect", connection: 2, address: address("192.0.2.2"), port: 1296 },
    ])
    assert.deepEqual(
      types(scene.tick(29_999)).filter((type) => type === "resolve"),
      [],
    )
    assert.deepEqual(
      types(scene.tick(30_000)).filter((type) => type === "resolve"),
      ["resolve"],
    )
  })

  test("back-off: 1, 2, 4, 8, 16, 32, 32 s after failures in a row, degraded from the 7th on, restored when it connects", () => {
    const scene = new Scene()
    scene.tick(0)
    scene.resolve("192.0.2.1")
    const pauses: number[] = []
    for (let failure = 1; failure <= 8; failure++) {
      const before = scene.now
      const effects = scene.step({ type: "closed", connection: 1, now: scene.now })
      const degraded = effects.filter(({ type }) => type === "degrade")
      assert.deepEqual(degraded, failure === 7 ? [{ type: "degrade", text: "cannot reach any remote peers" }] : [])
      while (scene.state.connections.get(1)?.phase === "back-off") {
        scene.tick(scene.now + 1000)
        if (scene.state.resolveAt <= scene.now + 1000) scene.resolve("192.0.2.1")
      }
      pauses.push((scene.now - before) / 1000)
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 32, 32])
    assert.deepEqual(scene.step({ type: "connected", connection: 1, now: scene.now }), [{ type: "restore" }])
  })

  test("degraded is the backend only when all its connections are", () => {
    const scene = active(1)
    scene.resolve("192.0.2.1", "192.0.2.2")
    for (let i = 0; i < 9; i++) {
      scene.step({ type: "closed", connection: 2, now: scene.now })
      scene.now += 32_000
      scene.resolve("192.0.2.1", "192.0.2.2")
    }
    assert.equal(scene.state.connections.get(2)?.failures, 9)
    assert.deepEqual(
      types(scene.seen).filter((type) => type === "degrade"),
      [],
    )
  })

  test("a name without addresses degrades, more severely than peers that cannot be reached; the message is switched", () => {
    const scene = new Scene()
    scene.tick(0)
    scene.resolve("192.0.2.1")
    for (let i = 0; i < 7; i++) {
      scene.step({ type: "closed", connection: 1, now: scene.now })
      scene.now += 32_000
      scene.resolve("192.0.2.1")
    }
    scene.resolve()
    scene.resolve("192.0.2.1")
    scene.connect(1)
    assert.deepEqual(
      scene.seen.filter(({ type }) => type === "degrade" || type === "restore"),
      [
        { type: "degrade", text: "cannot reach any remote peers" },
        { type: "degrade", text: "failed to resolve or find entries for hostname svp.example" },
        { type: "degrade", text: "cannot reach any remote peers" },
        { type: "restore" },
      ],
    )
  })

  test("quirk: where the name cannot be asked for now it is asked for again after a second, not at once", () => {
    const scene = new Scene()
    scene.tick(0)
    assert.deepEqual(scene.step({ type: "unresolved", now: 0 }), [])
    assert.deepEqual(scene.tick(999), [])
    assert.deepEqual(types(scene.tick(1000)), ["resolve"])
  })

  test("an address that is gone: an active connection winds down with its last question, others are reaped", () => {
    const scene = active(2)
    scene.resolve("192.0.2.1", "192.0.2.2", "192.0.2.3")
    const [{ connection, message }] = sent(scene.lookup(7, mac))
    assert.equal(connection, 1)
    assert.deepEqual(scene.resolve("192.0.2.2"), [{ type: "close", connection: 3 }])
    assert.equal(scene.state.connections.get(1)?.phase, "winding-down")
    const [next] = sent(scene.lookup(8, mac))
    assert.equal(next.connection, 2, "it is asked nothing new")
    assert.deepEqual(scene.answer(1, message.id, found), [
      { type: "answer", query: 7, answer: { kind: "vl2", ...point } },
      { type: "close", connection: 1 },
    ])
    assert.deepEqual([...scene.state.connections.keys()], [2])
  })

  test("quirk: an active connection that ends is connected again after a second, not at once", () => {
    const scene = active(1)
    assert.deepEqual(scene.step({ type: "closed", connection: 1, now: 0 }), [])
    assert.deepEqual(scene.tick(999), [])
    assert.deepEqual(types(scene.tick(1000)), ["connect"])
    assert.equal(scene.state.connections.get(1)?.failures, 0)
  })
})

describe("B6: queries", () => {
  test("they go round the active connections, with ids from 1 on; none active is FATAL at once", () => {
    const scene = active(2)
    const all = [1, 2, 3].flatMap((query) => sent(scene.lookup(query, mac)))
    assert.deepEqual(
      all.map(({ connection, message }) => [connection, message.id]),
      [
        [1, 1],
        [2, 2],
        [1, 3],
      ],
    )
    assert.deepEqual(all[0].message.body, { kind: "vl2-request", mac, pad: 0, vnetid: 23 })
    const idle = new Scene()
    assert.deepEqual(
      idle.lookup(9, mac).filter(({ type }) => type === "answer"),
      [{ type: "answer", query: 9, answer: { kind: "none", status: SvpStatus.FATAL } }],
    )
  })

  test("ids end at 2^31 - 1 and begin again at 1, past those that are under way", () => {
    const scene = active(1)
    scene.lookup(1, mac)
    scene.state = { ...scene.state, nextId: 0x7fffffff }
    assert.deepEqual(
      [2, 3].flatMap((query) => sent(scene.lookup(query, mac))).map(({ message }) => message.id),
      [0x7fffffff, 2],
    )
  })

  test("VL3: type 1 for IPv4, 2 for IPv6; the answer has MAC and place", () => {
    const scene = active(1)
    const ask = (query: number, text: string) =>
      sent(scene.step({ type: "ask", query, question: { kind: "vl3", vnetid: 23, address: address(text) }, now: 0 }))[0]
        .message
    const four = ask(1, "10.55.55.2")
    assert.deepEqual(four.body, { kind: "vl3-request", address: address("10.55.55.2"), type: 1, vnetid: 23 })
    const six = ask(2, "fe80::3")
    assert.deepEqual(six.body, { kind: "vl3-request", address: address("fe80::3"), type: 2, vnetid: 23 })
    assert.deepEqual(scene.answer(1, four.id, { kind: "vl3-ack", status: 0, mac, ...point }), [
      { type: "answer", query: 1, answer: { kind: "vl3", mac, ...point } },
    ])
  })

  test("a status that is not OK is the answer; FATAL closes the connection too", () => {
    const scene = active(1)
    const [one] = sent(scene.lookup(1, mac))
    assert.deepEqual(scene.answer(1, one.message.id, { ...found, status: SvpStatus.NOTFOUND }), [
      { type: "answer", query: 1, answer: { kind: "none", status: SvpStatus.NOTFOUND } },
    ])
    const [two] = sent(scene.lookup(2, mac))
    assert.deepEqual(types(scene.answer(1, two.message.id, { ...found, status: SvpStatus.FATAL })), ["answer", "close"])
  })

  test("after 30 s without an answer: the first question fails FATAL, the others go to other connections", () => {
    const scene = active(2)
    for (const query of [1, 2, 3, 4, 5]) scene.lookup(query, mac)
    // 1, 3 and 5 are on the first connection; the second answers.
    for (const id of [2, 4]) scene.answer(2, id, found)
    const effects = scene.tick(30_000).filter(({ type }) => type !== "resolve")
    assert.deepEqual(types(effects).slice(0, 4), ["close", "answer", "send", "send"])
    assert.deepEqual(effects[1], { type: "answer", query: 1, answer: { kind: "none", status: SvpStatus.FATAL } })
    assert.deepEqual(
      sent(effects.slice(0, 4)).map(({ connection }) => connection),
      [2, 2],
    )
  })

  test("what is no answer resets the connection", () => {
    const wrong: readonly (readonly [string, (scene: Scene, id: number) => readonly { readonly type: string }[]])[] = [
      ["version 2", (scene, id) => scene.answer(1, id, found, 2)],
      ["an unknown id", (scene, id) => scene.answer(1, id + 1, found)],
      ["another question's kind", (scene, id) => scene.answer(1, id, { kind: "vl3-ack", status: 0, mac, ...point })],
      ["no answer at all", (scene, id) => scene.answer(1, id, { kind: "pong" })],
      ["a question", (scene, id) => scene.answer(1, id, { kind: "shootdown", mac, pad: 0, vnetid: 23 })],
      [
        "a wrong CRC",
        (scene, id) => {
          const bytes = bytesOf(encodeSvp({ version: 1, id, body: found }))
          return scene.step({ type: "data", connection: 1, bytes: bytes.with(35, 0), now: scene.now })
        },
      ],
      [
        "more octets than the log may have",
        (scene) =>
          scene.step({
            type: "data",
            connection: 1,
            bytes: Uint8Array.of(0, 1, 0, 10, 0, 0, 4, 1, 0, 0, 0, 1, 0, 0, 0, 0),
            now: scene.now,
          }),
      ],
      [
        "another connection's id",
        (scene, id) => {
          scene.resolve("192.0.2.1", "192.0.2.2")
          scene.connect(2)
          return scene.answer(2, id, found)
        },
      ],
    ]
    for (const [name, play] of wrong) {
      const scene = active(1)
      const [{ message }] = sent(scene.lookup(1, mac))
      assert.ok(
        play(scene, message.id).some(({ type }) => type === "close"),
        name,
      )
    }
  })

  test("a vnetid is of one instance for each backend: EEXIST where the reference panics", () => {
    const scene = new Scene()
    assert.deepEqual(
      scene.step({ type: "attach", vnetid: 23, now: 0 }).filter(({ type }) => type === "refused"),
      [],
    )
    assert.deepEqual(scene.step({ type: "attach", vnetid: 23, now: 0 }), [{ type: "refused", error: "EEXIST" }])
    assert.deepEqual(scene.step({ type: "detach", vnetid: 23, now: 0 }), [])
    assert.deepEqual(scene.step({ type: "detach", vnetid: 23, now: 0 }), [{ type: "refused", error: "ENOENT" }])
  })
})

describe("B6: the log", () => {
  const uuid = (digit: number): string => `${digit}`.repeat(32)
  const vl2 = { kind: "vl2", uuid: uuid(1), mac, pad: 0, vnetid: 23 } as const
  const vl3 = { kind: "vl3", uuid: uuid(2), address: address("10.55.55.2"), pad: 0, vlan: 5, vnetid: 23 } as const
  const log = (...records: Extract<SvpBody, { kind: "log-ack" }>["records"]): SvpBody => ({
    kind: "log-ack",
    status: 0,
    records,
    rest: new Uint8Array(0),
  })

  /** Up to the first LOG_REQ; gives its id. */
  const asked = (scene: Scene): number => {
    const [{ message }] = sent(scene.until(5000))
    assert.deepEqual(message.body, { kind: "log-request", count: 1024, address: address("10.88.88.69") })
    return message.id
  }

  test("VL2 is a shootdown; 1 s later its UUID is removed, and 1 s after that the log is asked for again", () => {
    const scene = active(1)
    const id = asked(scene)
    assert.deepEqual(scene.answer(1, id, log(vl2)), [{ type: "shootdown", vnetid: 23, mac }])
    assert.deepEqual(sent(scene.tick(5999)), [])
    const [removal] = sent(scene.tick(6000))
    assert.deepEqual(removal.message.body, { kind: "log-remove", uuids: [uuid(1)] })
    scene.answer(1, removal.message.id, { kind: "log-remove-ack", status: 0 })
    assert.deepEqual(sent(scene.tick(6999)), [])
    assert.equal(sent(scene.tick(7000))[0].message.body.kind, "log-request")
  })

  test("VL3 asks where the address is now, and the overlay is told; NOTFOUND is done with as well, another status is not", () => {
    const outcomes = [
      [SvpStatus.OK, ["moved"], 2],
      [SvpStatus.NOTFOUND, [], 2],
      [SvpStatus.BADL3TYPE, [], 1],
    ] as const
    for (const [status, told, removed] of outcomes) {
      const scene = active(1)
      const [question] = sent(scene.answer(1, asked(scene), log(vl2, vl3)))
      assert.equal(question.message.body.kind, "vl3-request")
      const effects = scene.answer(1, question.message.id, { kind: "vl3-ack", status, mac, ...point })
      assert.deepEqual(types(effects), told)
      if (status === SvpStatus.OK)
        assert.deepEqual(effects[0], {
          type: "moved",
          vnetid: 23,
          vlan: 5,
          overlay: address("10.55.55.2"),
          mac,
          ...point,
        })
      const [removal] = sent(scene.tick(scene.now + 1000))
      assert.ok(removal.message.body.kind === "log-remove")
      assert.equal(removal.message.body.uuids.length, removed)
    }
  })

  test("an IPv6 address is told to nobody", () => {
    const scene = active(1)
    const [question] = sent(scene.answer(1, asked(scene), log({ ...vl3, address: address("fe80::3") })))
    assert.deepEqual(scene.answer(1, question.message.id, { kind: "vl3-ack", status: 0, mac, ...point }), [])
  })

  test("an empty log, and one with a bad record: nothing is done, and it is looked at again after 5 to 10 s", () => {
    const bad: SvpBody = { kind: "log-ack", status: 0, records: [vl2], rest: Uint8Array.of(0, 0, 0, 9) }
    for (const body of [log(), bad]) {
      const scene = active(1)
      const effects = scene.answer(1, asked(scene), body)
      assert.deepEqual(
        types(effects).filter((type) => type !== "warning"),
        [],
      )
      const from = scene.now
      assert.deepEqual(sent(scene.tick(from + 4999)), [])
      const again = sent(scene.until(from + 10_000))
      assert.equal(again.length, 1)
    }
  })

  test("records that none can be done with leave nothing to remove: the log is looked at again after 5 to 10 s", () => {
    const scene = active(1)
    const [question] = sent(scene.answer(1, asked(scene), log(vl3)))
    scene.answer(1, question.message.id, { kind: "vl3-ack", status: SvpStatus.BADL3TYPE, mac, ...point })
    const from = scene.now
    assert.deepEqual(sent(scene.tick(from + 4999)), [])
    const [again] = sent(scene.until(from + 10_000))
    assert.equal(again.message.body.kind, "log-request")
  })

  test("a removal that fails is warned of, and the log goes on", () => {
    const scene = active(1)
    scene.answer(1, asked(scene), log(vl2))
    const [removal] = sent(scene.tick(6000))
    const effects = scene.answer(1, removal.message.id, { kind: "log-remove-ack", status: SvpStatus.NOTFOUND })
    assert.deepEqual(types(effects), ["warning"])
    assert.equal(sent(scene.tick(7000))[0].message.body.kind, "log-request")
  })
})

test("any inputs in any order: no throw, each query is answered once, and an old state gives the same again", () => {
  const input: fc.Arbitrary<SvpInput> = fc
    .tuple(
      fc.oneof(
        fc.constant({ type: "tick" } as const),
        fc
          .record({ type: fc.constant("resolved" as const), addresses: fc.subarray(["192.0.2.1", "192.0.2.2"]) })
          .map(({ addresses, type }) => ({ type, addresses: addresses.map(address) })),
        fc.constant({ type: "unresolved" } as const),
        fc.record({
          type: fc.constantFrom("connected" as const, "closed" as const),
          connection: fc.integer({ min: 1, max: 4 }),
        }),
        fc.record({
          type: fc.constant("data" as const),
          connection: fc.integer({ min: 1, max: 4 }),
          bytes: fc.oneof(
            octets(40),
            message.map((one) => bytesOf(encodeSvp(one))),
            fc.integer({ min: 1, max: 6 }).map((id) => bytesOf(encodeSvp({ version: 1, id, body: found }))),
          ),
        }),
        fc.nat(1000).map((query) => ({ type: "ask", query, question: { kind: "vl2", vnetid: 23, mac } }) as const),
      ),
      fc.nat(20_000),
    )
    .map(([happens, now]) => ({ ...happens, now }))
  fc.assert(
    fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
      let state = createSvpRemote({
        host: "h",
        port: 1,
        underlay: address("10.0.0.1"),
        seed: new Uint8Array(1),
        now: 0,
      })
      let [now, asked, ended] = [0, 0, 0]
      for (const [index, one] of inputs.entries()) {
        now += one.now
        const input = one.type === "ask" ? { ...one, now, query: index } : { ...one, now }
        if (input.type === "ask") asked++
        const [next, effects] = stepSvp(state, input)
        assert.deepEqual(stepSvp(state, input), [next, effects])
        ended += effects.filter(({ type }) => type === "answer").length
        state = next
      }
      const waiting = [...numbersFrom(state.queries)].filter(([, { asker }]) => asker.kind === "caller").length
      assert.equal(ended + waiting, asked)
    }),
    { numRuns: 400 },
  )
})
