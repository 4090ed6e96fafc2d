import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  activate,
  createInstance,
  createVarpd,
  encodeSvp,
  formatMac,
  getProperty,
  instanceOf,
  ipOctets,
  listProperties,
  lookup,
  macOf,
  type PluginInput,
  PORTMAP_PLUGIN,
  publishEnd,
  queryOf,
  registerPlugin,
  restoreInstance,
  saveInstance,
  setProperty,
  stringOctets,
  type TargetPoint,
  tell,
  uintOctets,
  type Varpd,
  type VarpdEffect,
} from "../../../../core/overlay/index.ts"
import { formatAddress } from "../../../../core/wire/index.ts"
import { hex, toHex } from "../../wire/hex.ts"
import { bytesOf } from "../arbitrary.ts"
import { address, error, value } from "../provider/scripted.ts"

const PATH = "/ends.json"
const NOON = 1_700_000_000
const mac = macOf(0xdeadbeef0001)
const empty = createVarpd(value(registerPlugin(new Map(), PORTMAP_PLUGIN)))
const options = { link: 1, plugin: "portmap", vnetid: 23, destination: 6 }
const [made] = value(createInstance(empty, options))
const set = (varpd: Varpd, name: string, octets: Uint8Array): Varpd => value(setProperty(varpd, 1, name, octets))
const end = { address: address("203.0.113.1"), port: 40_000 }
const moved = { address: address("203.0.113.9"), port: 40_001 }

const begin = (varpd: Varpd, text = ""): readonly [Varpd, readonly VarpdEffect[]] => {
  const [next, result, effects] = activate(varpd, 1, { files: new Map([[PATH, text]]), now: 0, wall: NOON * 1000 })
  value(result)
  return [next, effects]
}
const unicast = hex(`deadbeef0001 deadbeef0000 0800 ${"00".repeat(46)}`)
const ask = (varpd: Varpd, number: number, frame = unicast): readonly [Varpd, readonly VarpdEffect[]] => {
  const query = queryOf(frame)
  assert.ok(query !== undefined)
  return lookup(varpd, 1, number, query, frame)
}
/** Answers and changes of the cache, as words. */
const words = (effects: readonly VarpdEffect[]): readonly string[] =>
  effects.flatMap((effect) => {
    const at = ({ address, port }: TargetPoint): string => `${formatAddress(address)}:${port}`
    if (effect.type === "respond") return [`${effect.lookup} ${at(effect.target)}`]
    if (effect.type === "drop") return [`${effect.lookup} drop`]
    if (effect.type === "cache")
      return [`${formatMac(effect.mac)} ${effect.target === undefined ? "forgotten" : at(effect.target)}`]
    if (effect.type === "outside" && effect.request.type === "find") return [`find ${effect.request.name}`]
    return effect.type === "wake" ? [`wake ${effect.at}`] : []
  })
const forgotten = `${formatMac(mac)} forgotten`

describe("portmap of files", () => {
  const filed = set(made, "portmap/config", stringOctets(PATH))

  test("a host is where its gateway lets it be reached; when it publishes another end, its entry is forgotten and the next frame goes there", () => {
    const text = value(publishEnd("", mac, end))
    let [varpd] = begin(filed, text)
    assert.deepEqual(words(ask(varpd, 1)[1]), ["1 203.0.113.1:40000"])
    const input = { type: "file", path: PATH, text: value(publishEnd(text, mac, moved)), now: 1000 } as const
    const [next, effects] = tell(varpd, 1, input)
    assert.deepEqual(words(effects), [forgotten])
    varpd = next
    assert.deepEqual(words(ask(varpd, 2)[1]), ["2 203.0.113.9:40001"])
    const [gone, last] = tell(varpd, 1, { ...input, text: value(publishEnd(text, mac, undefined)), now: 2000 })
    assert.deepEqual(words(last), [forgotten])
    assert.deepEqual(words(ask(gone, 3)[1]), ["3 drop"])
  })

  test("an end whose mapping is over is forgotten at that instant, and is back when it is renewed", () => {
    const text = value(publishEnd("", mac, { ...end, expires: NOON + 120 }))
    let [varpd, effects] = begin(filed, text)
    assert.deepEqual(words(effects), ["wake 120000"])
    ;[varpd, effects] = tell(varpd, 1, { type: "tick", now: 119_999 })
    assert.deepEqual(words(effects), ["wake 120000"])
    assert.deepEqual(words(ask(varpd, 1)[1]), ["1 203.0.113.1:40000"])
    ;[varpd, effects] = tell(varpd, 1, { type: "tick", now: 120_000 })
    assert.deepEqual(words(effects), [forgotten])
    assert.deepEqual(words(ask(varpd, 2)[1]), ["2 drop"])
    const renewed = value(publishEnd(text, mac, { ...end, expires: NOON + 240 }))
    ;[varpd, effects] = tell(varpd, 1, {
      type: "file",
      path: PATH,
      text: renewed,
      now: 121_000,
      wall: (NOON + 121) * 1000,
    })
    assert.deepEqual(words(effects), ["wake 240000"])
    assert.deepEqual(words(ask(varpd, 3)[1]), ["3 203.0.113.1:40000"])
  })

  test("one that is over at the start is none; without a wall clock dates count for nothing", () => {
    const text = value(publishEnd("", mac, { ...end, expires: NOON }))
    assert.deepEqual(words(ask(begin(filed, text)[0], 1)[1]), ["1 drop"])
    const [timeless, result] = activate(filed, 1, { files: new Map([[PATH, text]]), now: 0 })
    value(result)
    assert.deepEqual(words(ask(timeless, 1)[1]), ["1 203.0.113.1:40000"])
  })

  test("ARP, neighbour discovery and DHCP are answered as by `files`; a file that is bad degrades and changes nothing", () => {
    const text = '{"de:ad:be:ef:0:1":{"ip":"203.0.113.1","port":40000,"arp":"10.55.55.2","dhcp-proxy":"2:0:0:0:0:9"}}'
    const [varpd] = begin(filed, text)
    const arp = hex("ffffffffffff deadbeef0000 0806 0001 0800 06 04 0001 deadbeef0000 0a373703 000000000000 0a373702")
    const [, effects] = ask(varpd, 1, arp)
    assert.deepEqual(
      effects.map(({ type }) => type),
      ["inject", "drop"],
    )
    const [bad, told] = tell(varpd, 1, { type: "file", path: PATH, text: "{", now: 1 })
    assert.equal(told[0].type, "status")
    assert.deepEqual(words(ask(bad, 2)[1]), ["2 203.0.113.1:40000"])
  })

  test("EAGAIN without a path, ENOENT where it cannot be read, EPROTO where it is no JSON", () => {
    assert.equal(error(activate(made, 1, { files: new Map(), now: 0 })[1]), "EAGAIN")
    assert.equal(error(activate(filed, 1, { files: new Map(), now: 0 })[1]), "ENOENT")
    assert.equal(error(activate(filed, 1, { files: new Map([[PATH, "{"]]), now: 0 })[1]), "EPROTO")
  })
})

describe("portmap of the flow directory", () => {
  const [varpd] = begin(set(made, "portmap/source", stringOctets("directory")))
  const NAME = "overlay/23/de:ad:be:ef:00:01"
  const tellFound = (varpd: Varpd, now: number, ...ends: readonly TargetPoint[]) =>
    tell(varpd, 1, { type: "found", name: NAME, ends, now })

  test("it is asked once for all lookups of a MAC, and the answer counts for the lifetime; then it is forgotten and asked for again", () => {
    let [now, effects] = ask(varpd, 1)
    assert.deepEqual(words(effects), [`find ${NAME}`, "wake 10000"])
    ;[now, effects] = ask(now, 2)
    assert.deepEqual(words(effects), [])
    ;[now, effects] = tellFound(now, 50, end)
    assert.deepEqual(words(effects), ["1 203.0.113.1:40000", "2 203.0.113.1:40000", "wake 30050"])
    ;[now, effects] = ask(now, 3)
    assert.deepEqual(words(effects), ["3 203.0.113.1:40000"])
    ;[now, effects] = tell(now, 1, { type: "tick", now: 30_049 })
    assert.deepEqual(words(effects), ["wake 30050"])
    ;[now, effects] = tell(now, 1, { type: "tick", now: 30_050 })
    assert.deepEqual(words(effects), [forgotten])
    ;[now, effects] = ask(now, 4)
    assert.deepEqual(words(effects), [`find ${NAME}`, "wake 40050"])
    ;[now, effects] = tellFound(now, 30_100, moved)
    assert.deepEqual(words(effects).slice(0, 1), ["4 203.0.113.9:40001"])
  })

  test("what it does not know, or does not say in 10 s, is dropped, and asked for again; an answer that nobody asked for is nothing", () => {
    const [asked] = ask(varpd, 1)
    assert.deepEqual(words(tellFound(asked, 1)[1]), ["1 drop"])
    assert.deepEqual(words(tellFound(asked, 1, { ...end, port: 0 })[1]), ["1 drop"])
    const [late, effects] = tell(asked, 1, { type: "tick", now: 10_000 })
    assert.deepEqual(words(effects), ["1 drop"])
    assert.deepEqual(words(tellFound(late, 10_001, end)[1]), [])
    assert.deepEqual(words(ask(late, 2)[1]), [`find ${NAME}`, "wake 20000"])
    for (const name of ["overlay/24/de:ad:be:ef:00:01", "de:ad:be:ef:00:01", "", NAME.toUpperCase()])
      assert.deepEqual(words(tell(asked, 1, { type: "found", name, ends: [end], now: 1 })[1]), ["wake 10000"])
  })

  test("a file beside it says who has which address", () => {
    const both = set(set(made, "portmap/source", stringOctets("directory")), "portmap/config", stringOctets(PATH))
    const [running] = begin(both, '{"de:ad:be:ef:0:1":{"arp":"10.55.55.2"}}')
    const arp = hex("ffffffffffff deadbeef0000 0806 0001 0800 06 04 0001 deadbeef0000 0a373703 000000000000 0a373702")
    assert.deepEqual(
      ask(running, 1, arp)[1].map(({ type }) => type),
      ["inject", "drop"],
    )
    assert.deepEqual(words(ask(running, 2)[1]), [`find ${NAME}`, "wake 10000"])
  })
})

describe("portmap of an SVP server", () => {
  const named = set(
    set(set(made, "portmap/source", stringOctets("svp")), "portmap/host", stringOctets("svp.example")),
    "portmap/underlay_ip",
    ipOctets(address("10.0.0.2")),
  )
  const say = (varpd: Varpd, input: PluginInput) => tell(varpd, 1, input)

  test("it is asked as by `svp`, and its shootdown is followed", () => {
    let [varpd] = begin(named)
    let effects: readonly VarpdEffect[]
    ;[varpd] = say(varpd, { type: "resolved", addresses: [address("192.0.2.1")], now: 0 })
    ;[varpd] = say(varpd, { type: "connected", connection: 1, now: 0 })
    ;[varpd, effects] = ask(varpd, 5)
    assert.ok(effects.some(({ type }) => type === "outside"))
    const found = bytesOf(encodeSvp({ version: 1, id: 1, body: { kind: "vl2-ack", status: 0, ...end } }))
    ;[varpd, effects] = say(varpd, { type: "data", connection: 1, bytes: found, now: 0 })
    assert.deepEqual(words(effects).slice(0, 1), ["5 203.0.113.1:40000"])
    ;[varpd] = say(varpd, { type: "tick", now: 5000 })
    const records = [{ kind: "vl2", uuid: "0".repeat(32), mac, pad: 0, vnetid: 23 }] as const
    const log = { kind: "log-ack", status: 0, records, rest: new Uint8Array(0) } as const
    ;[varpd, effects] = say(varpd, {
      type: "data",
      connection: 1,
      bytes: bytesOf(encodeSvp({ version: 1, id: 2, body: log })),
      now: 5000,
    })
    assert.deepEqual(words(effects).slice(0, 1), [forgotten])
  })

  test("EAGAIN until host and underlay_ip are set", () => {
    const without = set(made, "portmap/source", stringOctets("svp"))
    assert.equal(error(activate(without, 1, { files: new Map(), now: 0 })[1]), "EAGAIN")
  })
})

describe("B3 in its manner: properties of portmap", () => {
  test("seven, in order, with types, defaults and ranges; only the source is required, and has a default", () => {
    const [, ...own] = value(listProperties(made, 1))
    assert.deepEqual(
      own.map(({ name, type, required, writable, default: octets, possible }) => [
        name,
        type,
        required,
        writable,
        octets && toHex(octets),
        possible.kind === "ranges" ? possible.ranges : possible.kind === "strings" ? possible.strings : undefined,
      ]),
      [
        ["portmap/source", "string", true, true, "66696c657300", ["files", "svp", "directory"]],
        ["portmap/config", "string", false, true, undefined, undefined],
        ["portmap/name", "string", false, true, "6f7665726c617900", undefined],
        ["portmap/lifetime", "uint", false, true, "000000000000001e", [[1, 86400]]],
        ["portmap/host", "string", false, true, undefined, undefined],
        ["portmap/port", "uint", false, true, "0000000000000510", [[1, 65535]]],
        ["portmap/underlay_ip", "ip", false, true, undefined, undefined],
      ],
    )
  })

  test("each is read as it was set; EINVAL and EOVERFLOW for what cannot be; ENOTSUP for another destination", () => {
    for (const [name, octets] of [
      ["portmap/source", stringOctets("directory")],
      ["portmap/config", stringOctets(PATH)],
      ["portmap/name", stringOctets("fleet")],
      ["portmap/lifetime", uintOctets(86_400)],
      ["portmap/host", stringOctets("svp.example")],
      ["portmap/port", uintOctets(1)],
      ["portmap/underlay_ip", ipOctets(address("10.0.0.1"))],
    ] as const)
      assert.deepEqual(value(getProperty(set(made, name, octets), 1, name)), octets)
    for (const [name, octets, wanted] of [
      ["portmap/source", stringOctets("dns"), "EINVAL"],
      ["portmap/name", stringOctets(""), "EINVAL"],
      ["portmap/name", stringOctets("x".repeat(201)), "EINVAL"],
      ["portmap/lifetime", uintOctets(0), "EINVAL"],
      ["portmap/lifetime", uintOctets(86_401), "EINVAL"],
      ["portmap/lifetime", new Uint8Array(7), "EOVERFLOW"],
      ["portmap/port", uintOctets(0), "EINVAL"],
      ["portmap/underlay_ip", ipOctets(address("2002::1")), "EINVAL"],
    ] as const)
      assert.equal(error(setProperty(made, 1, name, octets)), wanted, name)
    for (const destination of [0, 2, 4, 7])
      assert.equal(error(createInstance(empty, { ...options, destination })), "ENOTSUP")
  })

  test("kept and restored; what was kept and cannot be is EINVAL", () => {
    const one = set(set(made, "portmap/config", stringOctets(PATH)), "portmap/port", uintOctets(99))
    const kept = saveInstance(value(instanceOf(one, 1)))
    assert.deepEqual(kept.saved, {
      "portmap/source": "files",
      "portmap/config": PATH,
      "portmap/name": "overlay",
      "portmap/lifetime": 30,
      "portmap/port": 99,
    })
    const back = value(restoreInstance(empty, kept, { vnetid: 23, destination: 6 }))
    assert.deepEqual(saveInstance(value(instanceOf(back, 1))), kept)
    for (const wrong of [
      { "portmap/source": "x" },
      { "portmap/lifetime": 0 },
      { "portmap/config": 1 },
      { "portmap/name": "" },
      { "portmap/port": 65_536 },
    ])
      assert.equal(
        error(restoreInstance(empty, { ...kept, saved: { ...kept.saved, ...wrong } }, { vnetid: 23, destination: 6 })),
        "EINVAL",
      )
  })
})

describe("what a host publishes", () => {
  test("its own end alone is another one: what is said of it and of others stays", () => {
    const before =
      '{"2:0:0:0:0:1":{"ip":"192.0.2.1","port":1},"DE:AD:BE:EF:0:1":{"ip":"192.0.2.2","port":2,"arp":"10.0.0.1"}}'
    const after: unknown = JSON.parse(value(publishEnd(before, mac, { ...end, expires: 5 })))
    assert.deepEqual(after, {
      "2:0:0:0:0:1": { ip: "192.0.2.1", port: 1 },
      "de:ad:be:ef:00:01": { arp: "10.0.0.1", ip: "203.0.113.1", port: 40_000, expires: 5 },
    })
    assert.equal(error(publishEnd("[]", mac, end)), "EINVAL")
    assert.equal(error(publishEnd("{", mac, end)), "EPROTO")
    assert.equal(error(publishEnd("", mac, { ...end, port: 0 })), "EINVAL")
    assert.equal(value(publishEnd("", mac, undefined)), "{}\n")
  })
})

test("any inputs in any order: each lookup has one answer in the end, and an old state gives the same again", () => {
  const NAME = "overlay/23/de:ad:be:ef:00:0"
  const input: fc.Arbitrary<PluginInput | { readonly type: "ask"; readonly mac: number }> = fc.oneof(
    fc.record({ type: fc.constant("ask" as const), mac: fc.nat(3) }),
    fc.constant({ type: "tick", now: 0 } as const),
    fc
      .tuple(fc.nat(3), fc.subarray([end, moved]))
      .map(([host, ends]) => ({ type: "found", name: `${NAME}${host}`, ends, now: 0 }) as const),
    fc.tuple(fc.nat(3), fc.nat(100)).map(([host, expires]) => ({
      type: "file" as const,
      path: PATH,
      text: value(publishEnd("", macOf(0xdeadbeef0000 + host), { ...end, expires })),
      now: 0,
      wall: 0,
    })),
  )
  fc.assert(
    fc.property(
      fc.constantFrom("files", "directory"),
      fc.array(fc.tuple(input, fc.nat(9000)), { maxLength: 40 }),
      (source, inputs) => {
        let [varpd] = begin(
          set(set(made, "portmap/config", stringOctets(PATH)), "portmap/source", stringOctets(source)),
          "{}",
        )
        const seen: VarpdEffect[] = []
        let [now, asked] = [0, 0]
        for (const [one, pause] of inputs) {
          now += pause
          const step = (from: Varpd) =>
            one.type === "ask" ? ask(from, asked + 1, unicast.with(5, one.mac)) : tell(from, 1, { ...one, now })
          const [next, effects] = step(varpd)
          assert.deepEqual(step(varpd)[1], effects)
          if (one.type === "ask") asked++
          seen.push(...effects)
          varpd = next
        }
        seen.push(...tell(varpd, 1, { type: "tick", now: now + 10_000 })[1])
        const ended = seen.flatMap((effect) =>
          effect.type === "respond" || effect.type === "drop" ? [effect.lookup] : [],
        )
        assert.deepEqual(
          ended.toSorted((one, other) => one - other),
          Array.from({ length: asked }, (_, index) => index + 1),
        )
        assert.ok(seen.every(({ type }) => type !== "fault"))
      },
    ),
    { numRuns: 300 },
  )
})
