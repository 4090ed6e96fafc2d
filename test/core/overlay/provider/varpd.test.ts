import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  activate,
  createInstance,
  createVarpd,
  DIRECT_PLUGIN,
  destroyInstance,
  type FrameQuery,
  getProperty,
  instanceOf,
  listProperties,
  lookup,
  type PluginEffect,
  propertyInfo,
  queryOf,
  registerPlugin,
  requiredProperty,
  restoreInstance,
  saveInstance,
  setProperty,
  stringOctets,
  tell,
  type Varpd,
  type VarpdEffect,
  withDefault,
  withRange,
  withString,
} from "../../../../core/overlay/index.ts"
import { hex, toHex } from "../../wire/hex.ts"
import { activated, address, error, MAC, POINT, scripted, VXLAN, value } from "./scripted.ts"

const arpRequest = hex(
  `ffffffffffff deadbeef0000 0806 0001 0800 06 04 0001 deadbeef0000 0a373702 000000000000 0a373704`,
)
const solicitation = hex(`3333ff000003 deadbeef0001 86dd 60000000 0020 3a ff fe800000000000000000000000000004
  ff0200000000000000000001ff000003 87 00 def4 00000000 fe800000000000000000000000000003 01 01 deadbeef0001`)
const discover = hex(
  `ffffffffffff deadbeef0000 0800 4500 0148 0000 0000 40 11 0000 00000000 ffffffff 0044 0043 0134 0000 ${"00".repeat(300)}`,
)

const query = (frame: Uint8Array): FrameQuery => {
  const made = queryOf(frame)
  assert.ok(made !== undefined)
  return made
}
const ask = (varpd: Varpd, number: number, frame = arpRequest) => lookup(varpd, 1, number, query(frame), frame)
const types = (effects: readonly VarpdEffect[]): readonly string[] => effects.map(({ type }) => type)
const reply = (lookup: number): PluginEffect => ({ type: "query-reply", lookup, answer: { kind: "ok", found: POINT } })
const options = { link: 7, plugin: "scripted", vnetid: 23, destination: VXLAN }

describe("B2: registering a plugin", () => {
  const definition = scripted({})
  const {
    lookup: asks,
    arp,
    dhcp,
    ...pointed
  } = { ...definition.ops, point: () => ({ ok: true, value: POINT }) as const }
  const rule = (changes: Partial<typeof definition>): string => {
    const outcome = registerPlugin(new Map(), { ...definition, ...changes })
    return outcome.ok ? "" : `${outcome.error}: ${outcome.text}`
  }

  test("EEXIST: the first of a name stays; EINVAL: another version", () => {
    const registry = value(registerPlugin(new Map(), definition))
    assert.equal(error(registerPlugin(registry, definition)), "EEXIST")
    assert.equal(registry.size, 1)
    assert.equal(rule({ version: 2 }), "EINVAL: the interface has version 1, not 2")
    assert.equal(rule({ name: "" }), "EINVAL: a plugin has a name")
  })

  test("the wrong mix of mode and operations is refused with the rule's name", () => {
    assert.ok(asks !== undefined && arp !== undefined && dhcp !== undefined)
    assert.equal(rule({ mode: "point", ops: pointed }), "")
    assert.equal(rule({ mode: "point" }), "EINVAL: a plugin of point mode has the operation point")
    assert.equal(
      rule({ mode: "point", ops: { ...pointed, lookup: asks } }),
      "EINVAL: a plugin of point mode has no operation lookup",
    )
    assert.equal(rule({ mode: "point", ops: { ...pointed, arp } }), "EINVAL: arp and dhcp are of dynamic mode")
    assert.equal(rule({ mode: "point", ops: { ...pointed, dhcp } }), "EINVAL: arp and dhcp are of dynamic mode")
    assert.equal(rule({ ops: pointed }), "EINVAL: a plugin of dynamic mode has the operation lookup")
    assert.equal(rule({ ops: { ...pointed, lookup: asks } }), "EINVAL: a plugin of dynamic mode has no operation point")
  })
})

describe("B2: an instance's life", () => {
  const bare = (definition = scripted({})): Varpd => createVarpd(value(registerPlugin(new Map(), definition)))

  test("create: ENOENT for an unknown plugin, EEXIST for a link that has one, the plugin's own error; ids from 1", () => {
    assert.equal(error(createInstance(bare(), { ...options, plugin: "none" })), "ENOENT")
    const [one, id] = value(createInstance(bare(), options))
    assert.equal(id, 1)
    assert.equal(error(createInstance(one, options)), "EEXIST")
    assert.equal(value(createInstance(one, { ...options, link: 8 }))[1], 2)
    const refusing = bare(scripted({}, { create: () => ({ ok: false, error: "ENOTSUP", text: "no" }) }))
    assert.equal(error(createInstance(refusing, options)), "ENOTSUP")
    assert.equal(value(createInstance({ ...one, nextId: 0x7fffffff }, { ...options, link: 9 }))[1], 0x7fffffff)
    const [last] = value(createInstance({ ...one, nextId: 0x7fffffff }, { ...options, link: 9 }))
    assert.equal(value(createInstance(last, { ...options, link: 10 }))[1], 2, "1 is in use")
  })

  test("activate: EEXIST when it is; a start that fails may be tried again; what is kept comes out", () => {
    let tries = 0
    const [made] = value(
      createInstance(
        bare(
          scripted(
            {},
            {
              start: (state) =>
                tries++ === 0 ? { ok: false, error: "EAGAIN", text: "not yet" } : { ok: true, value: [state, []] },
            },
          ),
        ),
        options,
      ),
    )
    const [same, first] = activate(made, 1, { files: new Map(), now: 0 })
    assert.equal(error(first), "EAGAIN")
    const [next, second] = activate(same, 1, { files: new Map(), now: 0 })
    assert.deepEqual(value(second), {
      saved: { id: 1, link: 7, destination: 6, mode: "dynamic", plugin: "scripted", saved: { called: "create" } },
      point: undefined,
    })
    assert.equal(error(activate(next, 1, { files: new Map(), now: 0 })[1]), "EEXIST")
    assert.equal(error(activate(next, 2, { files: new Map(), now: 0 })[1]), "ENOENT")
  })

  test("no lookup before the start or after the end: it is dropped, as that of an unknown instance", () => {
    const [made] = value(createInstance(bare(scripted({ lookup: (number) => [reply(number)] })), options))
    assert.deepEqual(ask(made, 5)[1], [{ type: "drop", id: 1, lookup: 5 }])
    const running = activated(scripted({ lookup: (number) => [reply(number)] }))
    assert.deepEqual(types(ask(running, 5)[1]), ["respond"])
    const [ended] = value(destroyInstance(running, 1))
    assert.deepEqual(ask(ended, 5)[1], [{ type: "drop", id: 1, lookup: 5 }])
    assert.deepEqual(tell(made, 1, { type: "tick", now: 0 }), [made, []], "and nothing is told")
  })

  test("destroy stops the plugin, drops what it was asked and forgets what was kept; quirk: it ends one that was never activated as well", () => {
    const running = activated(scripted({ stop: () => [{ type: "inject-varp", mac: MAC, target: undefined }] }))
    const [asked] = ask(running, 5)
    const [ended, effects] = value(destroyInstance(asked, 1))
    assert.deepEqual(effects, [
      { type: "cache", id: 1, mac: MAC, target: undefined },
      { type: "drop", id: 1, lookup: 5 },
      { type: "forget", id: 1 },
    ])
    assert.equal(error(destroyInstance(ended, 1)), "ENOENT")
    const [made] = value(createInstance(bare(), options))
    const [gone, nothing] = value(destroyInstance(made, 1))
    assert.deepEqual([gone.instances.size, nothing], [0, []])
  })

  test("kept and restored: the plugin's state comes back; each mismatch has its error", () => {
    const kept = saveInstance(value(instanceOf(activated(scripted({})), 1)))
    const overlay = { vnetid: 23, destination: VXLAN }
    const back = value(restoreInstance(bare(), kept, overlay))
    assert.deepEqual(saveInstance(value(instanceOf(back, 1))), kept)
    assert.equal(value(instanceOf(back, 1)).phase, "created", "activate comes next")
    assert.equal(error(restoreInstance(back, kept, overlay)), "EEXIST")
    assert.equal(error(restoreInstance(back, { ...kept, id: 2 }, overlay)), "EEXIST", "the link")
    assert.equal(error(restoreInstance(bare(), { ...kept, plugin: "none" }, overlay)), "ENOENT")
    assert.equal(error(restoreInstance(bare(), { ...kept, mode: "point" }, overlay)), "EINVAL")
    assert.equal(error(restoreInstance(bare(), kept, { ...overlay, destination: 2 })), "EINVAL")
    for (const id of [0, 2 ** 31, 0.5]) assert.equal(error(restoreInstance(bare(), { ...kept, id }, overlay)), "EINVAL")
  })
})

describe("B2: answers", () => {
  test("now or later, once: a second answer is a fault, not a crash", () => {
    const late = activated(scripted({ input: () => [reply(5)] }))
    const [asked, none] = ask(late, 5)
    assert.deepEqual(none, [])
    const [after, effects] = tell(asked, 1, { type: "tick", now: 0 })
    assert.deepEqual(effects, [{ type: "respond", id: 1, lookup: 5, target: POINT }])
    assert.deepEqual(types(tell(after, 1, { type: "tick", now: 0 })[1]), ["fault"])
    const twice = activated(scripted({ lookup: (number) => [reply(number), reply(number)] }))
    assert.deepEqual(types(ask(twice, 5)[1]), ["respond", "fault"])
    assert.deepEqual(types(ask(asked, 5)[1]), ["fault"], "a number that is under way")
  })

  test("a point that no frame can go to is a fault and a drop", () => {
    const bad: PluginEffect = { type: "query-reply", lookup: 5, answer: { kind: "ok", found: { ...POINT, port: 0 } } }
    assert.deepEqual(types(ask(activated(scripted({ lookup: () => [bad] })), 5)[1]), ["fault", "drop"])
  })

  test("proxy_arp: the plugin's arp is asked, the answer injected, and the request dropped in every case", () => {
    const answer = (kind: "ok" | "drop") =>
      activated(
        scripted({
          lookup: (number) => [{ type: "proxy-arp", lookup: number }],
          arp: (request) => [{ type: "arp-reply", request, answer: kind === "ok" ? { kind, found: MAC } : { kind } }],
        }),
      )
    const [, effects] = ask(answer("ok"), 5)
    assert.deepEqual(types(effects), ["inject", "drop"])
    assert.ok(effects[0].type === "inject")
    assert.equal(toHex(effects[0].frame.subarray(0, 12)), "deadbeef0000deadbeef0002")
    assert.deepEqual(types(ask(answer("drop"), 5)[1]), ["drop"])
    assert.deepEqual(types(ask(answer("ok"), 5, solicitation)[1]), ["drop"], "no ARP: the plugin is not asked")
  })

  test("proxy_ndp and proxy_dhcp: an advertisement is injected, a broadcast is sent again to its server", () => {
    const ndp = activated(
      scripted({
        lookup: (number) => [{ type: "proxy-ndp", lookup: number }],
        arp: (request) => [{ type: "arp-reply", request, answer: { kind: "ok", found: MAC } }],
      }),
    )
    assert.deepEqual(types(ask(ndp, 5, solicitation)[1]), ["inject", "drop"])
    const dhcp = activated(
      scripted({
        lookup: (number) => [{ type: "proxy-dhcp", lookup: number }],
        dhcp: (request) => [{ type: "dhcp-reply", request, answer: { kind: "ok", found: MAC } }],
      }),
    )
    const [, effects] = ask(dhcp, 5, discover)
    assert.deepEqual(types(effects), ["resend", "drop"])
    assert.ok(effects[0].type === "resend")
    assert.equal(toHex(effects[0].frame.subarray(0, 6)), "deadbeef0002")
  })

  test("a proxy without its operation is ENOTSUP and a drop, where the reference panics", () => {
    const { arp: _, dhcp: __, ...ops } = scripted({ lookup: (number) => [{ type: "proxy-arp", lookup: number }] }).ops
    const { ops: others } = scripted({ lookup: (number) => [{ type: "proxy-dhcp", lookup: number }] })
    const { dhcp: ___, ...noDhcp } = others
    for (const [one, frame] of [
      [ops, arpRequest],
      [noDhcp, discover],
    ] as const) {
      const [, effects] = ask(activated({ ...scripted({}), ops: one }), 5, frame)
      assert.deepEqual(types(effects), ["fault", "drop"])
      assert.ok(effects[0].type === "fault" && effects[0].error === "ENOTSUP")
    }
  })

  test("while a proxy is at a lookup nobody else answers it; a request is answered once, in its own kind", () => {
    const both = activated(scripted({ lookup: (number) => [{ type: "proxy-arp", lookup: number }, reply(number)] }))
    assert.deepEqual(types(ask(both, 5)[1]), ["fault"])
    const ok = { kind: "ok", found: MAC } as const
    const wrong = activated(
      scripted({
        lookup: (number) => [{ type: "proxy-arp", lookup: number }],
        arp: (request) => [
          { type: "dhcp-reply", request, answer: ok },
          { type: "arp-reply", request, answer: ok },
          { type: "arp-reply", request, answer: ok },
        ],
      }),
    )
    assert.deepEqual(types(ask(wrong, 5)[1]), ["fault", "inject", "drop", "fault"])
  })

  test("inject_varp and inject_arp", () => {
    const [, effects] = tell(
      activated(
        scripted({
          input: () => [
            { type: "inject-varp", mac: MAC, target: POINT },
            { type: "inject-varp", mac: MAC, target: { ...POINT, port: 0 } },
            { type: "inject-arp", vlan: 5, mac: MAC, address: address("10.55.55.4"), destination: MAC },
            { type: "inject-arp", vlan: 5, mac: MAC, address: address("fe80::3"), destination: MAC },
          ],
        }),
      ),
      1,
      { type: "tick", now: 0 },
    )
    assert.deepEqual(types(effects), ["cache", "fault", "inject", "fault"])
    assert.ok(effects[2].type === "inject")
    assert.equal(effects[2].frame.length, 46)
  })
})

describe("B10: what is wrong", () => {
  const degrade = (text: string): PluginEffect => ({ type: "fma-degrade", text })

  test("the first degraded instance degrades the service, the last one that is well restores it; again replaces the text alone", () => {
    const script: PluginEffect[][] = [
      [degrade("one")],
      [degrade("two")],
      [degrade("two")],
      [{ type: "fma-restore" }],
      [{ type: "fma-restore" }],
    ]
    let varpd = activated(scripted({ input: () => script.shift() ?? [] }))
    const seen: VarpdEffect[] = []
    for (let turn = 0; turn < 5; turn++) {
      const [next, effects] = tell(varpd, 1, { type: "tick", now: turn })
      varpd = next
      seen.push(...effects)
    }
    assert.deepEqual(seen, [
      { type: "status", id: 1, text: "one" },
      { type: "link", id: 1, up: false },
      { type: "service", degraded: true },
      { type: "status", id: 1, text: "two" },
      { type: "status", id: 1, text: undefined },
      { type: "link", id: 1, up: true },
      { type: "service", degraded: false },
    ])
  })

  test("quirk: of two degraded instances each has its link down, not the first alone, and up when it is well itself", () => {
    const script: PluginEffect[][] = [
      [degrade("a")],
      [degrade("b")],
      [{ type: "fma-restore" }],
      [{ type: "fma-restore" }],
    ]
    const plugin = scripted({ input: () => script.shift() ?? [] })
    let varpd = activated(plugin)
    const [made, id] = value(createInstance(varpd, { link: 8, plugin: "scripted", vnetid: 24, destination: 6 }))
    varpd = activate(made, id, { files: new Map(), now: 0 })[0]
    const seen: string[] = []
    for (const one of [1, 2, 1, 2]) {
      const [next, effects] = tell(varpd, one, { type: "tick", now: 0 })
      varpd = next
      for (const effect of effects)
        if (effect.type === "link") seen.push(`${effect.id} ${effect.up}`)
        else if (effect.type === "service") seen.push(`service ${effect.degraded}`)
    }
    assert.deepEqual(seen, ["1 false", "service true", "2 false", "1 true", "2 true", "service false"])
  })

  test("a text has 255 octets at most, and no half characters; an instance that ends takes its fault with it", () => {
    const [varpd, effects] = tell(activated(scripted({ input: () => [degrade(`${"x".repeat(254)}é`)] })), 1, {
      type: "tick",
      now: 0,
    })
    assert.deepEqual(effects[0], { type: "status", id: 1, text: "x".repeat(254) })
    assert.deepEqual(types(value(destroyInstance(varpd, 1))[1]), ["forget", "service"])
  })
})

describe("B2: properties", () => {
  const [direct] = value(
    createInstance(createVarpd(value(registerPlugin(value(registerPlugin(new Map(), scripted({}))), DIRECT_PLUGIN))), {
      ...options,
      plugin: "direct",
    }),
  )

  test("property 0 is search: the plugins' names in order, readable, EPERM when set", () => {
    const [search, ...own] = value(listProperties(direct, 1))
    assert.deepEqual(search, {
      name: "search",
      type: "string",
      required: false,
      readable: true,
      writable: false,
      default: undefined,
      possible: { kind: "strings", strings: ["direct", "scripted"] },
    })
    assert.deepEqual(
      own.map(({ name }) => name),
      ["direct/dest_ip", "direct/dest_port"],
    )
    assert.deepEqual(value(getProperty(direct, 1, "search")), stringOctets("direct"))
    assert.equal(error(setProperty(direct, 1, "search", stringOctets("scripted"))), "EPERM")
  })

  test("errors: an unknown name EINVAL, of info ENOENT, no name EINVAL, too little room EOVERFLOW, not writable EPERM", () => {
    assert.equal(error(getProperty(direct, 1, "none")), "EINVAL")
    assert.equal(error(setProperty(direct, 1, "none", stringOctets(""))), "EINVAL")
    assert.equal(error(propertyInfo(direct, 1, "none")), "ENOENT")
    assert.equal(error(propertyInfo(direct, 1, "")), "EINVAL")
    assert.equal(error(getProperty(direct, 1, "search", 6)), "EOVERFLOW")
    assert.equal(error(getProperty(direct, 2, "search")), "ENOENT")
    const sealed = activated(
      scripted({}, { properties: () => [{ ...requiredProperty("scripted/a", "uint"), writable: false }] }),
    )
    assert.equal(error(setProperty(sealed, 1, "scripted/a", new Uint8Array(8))), "EPERM")
  })

  test("a default has 256 octets at most (E2BIG); a list of values 256 with its head, and what does not fit or match is left out", () => {
    const info = requiredProperty("a", "uint")
    assert.equal(error(withDefault(info, new Uint8Array(257))), "E2BIG")
    assert.equal(value(withDefault(info, new Uint8Array(256))).default?.length, 256)
    let ranged = info
    for (let i = 0; i < 40; i++) ranged = withRange(ranged, i, i)
    assert.ok(ranged.possible.kind === "ranges")
    assert.equal(ranged.possible.ranges.length, 31)
    assert.deepEqual(withString(ranged, "x"), ranged)
    const texts = withString(withString(info, "x".repeat(200)), "y".repeat(100))
    assert.deepEqual(texts.possible, { kind: "strings", strings: ["x".repeat(200)] })
    assert.deepEqual(withRange(texts, 1, 2), texts)
  })
})
