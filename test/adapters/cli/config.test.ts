import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { Ajv2020 } from "ajv/dist/2020.js"
import fc from "fast-check"
import { formatFault } from "../../../adapters/cli/config/fault.ts"
import { readConfig } from "../../../adapters/cli/config/load.ts"
import { makeSettings } from "../../../adapters/cli/config/settings.ts"
import { createState } from "../../../adapters/cli/device/nat.ts"
import type { ServeOptions } from "../../../adapters/cli/serve-options.ts"
import { createServer, DEFAULT_SETTINGS, process as serve } from "../../../core/server/index.ts"
import { OptionCode, ResultCode } from "../../../core/wire/index.ts"
import { serveSchema } from "../../schema.ts"
import { address } from "../udp-suite.ts"
import { octets } from "./command.ts"

const NO_OPTIONS: ServeOptions = { pcp: true, natPmp: true }

const config = (text: string) => {
  const read = readConfig(text)
  assert.ok(read.ok, read.ok ? "" : read.faults.map((fault) => formatFault("", fault)).join("\n"))
  return read.value.config
}

const settings = (text: string, options: Partial<ServeOptions> = {}) => {
  const made = makeSettings(config(text), { ...NO_OPTIONS, ...options })
  assert.ok(made.ok, made.ok ? "" : JSON.stringify(made.faults))
  return made.value
}

const faults = (text: string): readonly string[] => {
  const read = readConfig(text)
  return read.ok ? [] : read.faults.map((fault) => formatFault("f", fault))
}

/** Every setting, as a file may have it. */
const WHOLE = `{
  "$schema": "./serve.schema.json",
  "listen": ["192.0.2.1", "[2001:db8::1]:5352"], "interfaces": ["eth1"],
  "pcp": true, "natPmp": false,
  "profile": { "kind": "nat444", "thirdParty": true, "otherProtocols": true }, "threatModel": "advanced",
  "external": ["203.0.113.0/30", "198.51.100.7,198.51.100.9-198.51.100.10"], "ports": "2000-3000",
  "assignment": { "kind": "random" }, "log": "assignments",
  "staticMappings": [
    { "protocol": "tcp", "internal": "192.0.2.10:80", "external": "203.0.113.1:8080" },
    { "protocol": 41, "internal": "192.0.2.11", "external": "203.0.113.2", "realm": "2001:db8::b4" },
  ],
  "rules": [
    { "action": "deny", "clients": "192.0.2.0/24", "internalPorts": "0-1023", "protocol": "udp", "opcode": "MAP" },
    { "action": "allow", "internal": "2001:db8::/32", "externalPorts": "80", "option": "FILTER" },
  ],
  "quota": 10, "subscriberQuota": 20, "subscriberPrefix": { "ipv6": 56 },
  "lifetimes": { "min": 60, "max": 7200 }, "errorLifetimes": { "short": 5, "long": 50 },
  "idleTimeout": { "udp": 60 }, "recycleDelay": { "tcp": 0 }, "noncePolicy": "strict", "filterLimit": 3,
  "rateLimits": { "perSource": { "perSecond": 0.5, "burst": 4 }, "over": "no-resources" },
  "thirdPartySubnets": ["192.0.2.0/28"], "thirdPartyIds": { "00AB": "2001:db8::1" },
  "description": false, "portSet": false, "prefix64Unasked": true,
  "prefix64": [{ "prefix": "2001:db8::/32", "suffix": "0000000000000001", "ipv4Prefixes": ["10.0.0.0/8"] }],
  "announceCount": 4, "updateCount": 2, "updateLimit": 100, "cacheSize": 9,
  "state": { "file": "state", "period": 5 }, "metrics": "127.0.0.1:9", "control": false, // the end
}`

describe("a configuration file", () => {
  it("without settings is the server that createServer makes", () => {
    const { server, cgn, ...rest } = settings("{}")
    const secret = new Uint8Array(32)
    const made = createServer({ external: cgn.external, secret, now: 0 })
    const own = createState({ server, cgn, ...rest }, secret, 0)
    assert.ok(made.ok && own.ok)
    assert.deepEqual(own.state.settings, made.state.settings)
    assert.deepEqual(own.state.cgnState.config, made.state.cgnState.config)
  })

  it("has every setting that it may have, each with its value", () => {
    const { server, cgn } = settings(WHOLE)
    const { profile, ...rest } = server
    assert.deepEqual([profile.thirdParty, profile.otherProtocols, profile.peer], [true, true, true])
    assert.deepEqual(rest, {
      ...Object.fromEntries(Object.entries(DEFAULT_SETTINGS).filter(([name]) => name !== "profile")),
      minLifetime: 60,
      maxLifetime: 7200,
      shortError: 5,
      longError: 50,
      natPmp: false,
      threatModel: "advanced",
      description: false,
      portSet: false,
      prefix64Unasked: true,
      prefix64: [
        {
          kind: "PREFIX64",
          prefix: Uint8Array.of(0x20, 0x01, 0x0d, 0xb8),
          suffix: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1),
          ipv4Prefixes: [{ length: 8, address: address("10.0.0.0") }],
        },
      ],
      thirdPartyIds: new Map([["00ab", address("2001:db8::1")]]),
      rateLimits: { perSource: { perSecond: 0.5, burst: 4 }, global: undefined, over: "no-resources" },
      cacheSize: 9,
      announceCount: 4,
      updateCount: 2,
      updateLimit: 100,
    })
    const range = (first: number, last: number) => ({ first, last })
    assert.deepEqual(cgn, {
      external: [
        ...["203.0.113.0", "203.0.113.1", "203.0.113.2", "203.0.113.3"],
        ...["198.51.100.7", "198.51.100.9", "198.51.100.10"],
      ].map(address),
      ports: range(2000, 3000),
      assignment: { kind: "random" },
      quota: 10,
      subscriberQuota: 20,
      subscriberPrefix: { ipv4: 32, ipv6: 56 },
      filterLimit: 3,
      idleTimeout: { udp: 60, tcp: 7440 },
      recycleDelay: { udp: 120, tcp: 0 },
      staticMappings: [
        {
          protocol: 6,
          internal: address("192.0.2.10"),
          internalPort: 80,
          external: address("203.0.113.1"),
          externalPort: 8080,
          realm: undefined,
        },
        {
          protocol: 41,
          internal: address("192.0.2.11"),
          internalPort: 0,
          external: address("203.0.113.2"),
          externalPort: 0,
          realm: address("2001:db8::b4"),
        },
      ],
      noncePolicy: "strict",
      rules: [
        {
          allow: false,
          option: OptionCode.THIRD_PARTY,
          except: [{ address: address("192.0.2.0"), prefixLength: 96 + 28 }],
        },
        {
          allow: false,
          clients: { address: address("192.0.2.0"), prefixLength: 96 + 24 },
          internalPorts: range(0, 1023),
          protocol: 17,
          opcode: 1,
        },
        {
          allow: true,
          internal: { address: address("2001:db8::"), prefixLength: 32 },
          externalPorts: range(80, 80),
          option: OptionCode.FILTER,
        },
      ],
      internalFamily: "ipv4",
      otherProtocols: true,
      port0: false,
      oneToOne: false,
    })
  })

  it("gives way to the command line", () => {
    const { server, cgn } = settings(WHOLE, { quota: 7, maxLifetime: 90, ports: { first: 1, last: 2 }, pcp: true })
    assert.deepEqual([cgn.quota, cgn.ports, server.minLifetime, server.maxLifetime], [7, { first: 1, last: 2 }, 60, 90])
    assert.equal(settings("{}", { thirdParty: true }).server.threatModel, "advanced")
    assert.equal(settings("{}", { thirdParty: true }).server.profile.thirdParty, true)
  })

  it("of a device without a pool has no setting of one", () => {
    for (const [text, fault] of [
      ['{ "profile": "firewall6", "external": "192.0.2.1" }', /external firewall6 has no such setting/],
      ['{ "profile": "nptv6", "quota": 1 }', /quota nptv6 has no such setting/],
      ['{ "inside": ["192.0.2.0/24"] }', /inside nat444 has no such setting/],
      ['{ "profile": "firewall4", "prefixes": [] }', /prefixes firewall4 has no such setting/],
      ['{ "profile": "nat46", "external": "192.0.2.1" }', /external nat46 has no such setting/],
      ['{ "profile": "nptv6", "ipv6Prefix": "64:ff9b::/96" }', /ipv6Prefix nptv6 has no such setting/],
    ] as const) {
      const made = makeSettings(config(text), NO_OPTIONS)
      assert.match(made.ok ? "" : made.faults.map(({ path, text: rule }) => `${path} ${rule}`).join(), fault)
    }
  })

  it("assigns ports by blocks and by arithmetic, in DS-Lite to B4s", () => {
    const assigned = (text: string, profile = "nat444") =>
      settings(`{ "profile": "${profile}", "assignment": ${text} }`).cgn.assignment
    assert.deepEqual(assigned('{ "kind": "blocks", "size": 512 }'), { kind: "blocks", size: 512, limit: 4 })
    assert.deepEqual(
      assigned(
        '{ "kind": "deterministic", "internal": ["10.0.0.0/24"], "dynamic": { "factor": 2, "size": 64, "maximum": 500 } }',
      ),
      {
        kind: "deterministic",
        internal: [{ address: address("10.0.0.0"), prefixLength: 120 }],
        realms: false,
        dynamic: { factor: 2, size: 64, maximum: 500 },
      },
    )
    assert.deepEqual(assigned('{ "kind": "deterministic", "internal": ["2001:db8::/56"] }', "dslite"), {
      kind: "deterministic",
      internal: [{ address: address("2001:db8::"), prefixLength: 56 }],
      realms: true,
    })
    assert.match(faults('{ "assignment": { "kind": "rounds" } }')[0], /assignment.*random, blocks or deterministic/)
    assert.equal(faults('{ "assignment": { "kind": "blocks", "size": 8 } }').length, 1)
  })

  it("of another kind has hosts of another family", () => {
    assert.equal(settings('{ "profile": "nat64" }').cgn.internalFamily, "ipv6")
    assert.equal(settings('{ "profile": "dslite" }').cgn.internalFamily, "ipv4")
  })

  it("tells every fault at once, with line, column, setting and rule", () => {
    assert.deepEqual(
      faults(`{
  "listen": ["192.0.2.1", "home"],
  "quota": -1, "quota": 2,
  "profile": { "kind": "nat444", "peer": "no" },
  "rules": [{ "action": "alow", "clients": "192.0.2.1/24", "protocol": "tpc" }],
  "frob": 1, "__proto__": { },
  "external": ["203.0.113.0/29", 5],
  "lifetimes": { "min": 1.5, "most": 2 },
  "control": true
}`),
      [
        'f:2:27: listen[1]: "home" is no address: expected 192.0.2.1, 192.0.2.1:5351, ::1 or [::1]:5351.',
        "f:3:3: quota: expected 0 or more",
        "f:3:16: quota: this setting stands here twice",
        "f:4:34: profile.peer: expected true or false",
        "f:5:15: rules[0].action: expected allow or deny",
        'f:5:33: rules[0].clients: "192.0.2.1/24" has bits set after its prefix.',
        "f:5:60: rules[0].protocol: expected a protocol: all, icmp, tcp, udp, dccp, icmpv6, sctp, udp-lite, or its number from 0 to 255",
        "f:6:3: frob: there is no such setting",
        "f:6:14: __proto__: there is no such setting",
        "f:7:34: external[1]: expected a text in quotation marks",
        "f:8:18: lifetimes.min: expected a whole number",
        "f:8:30: lifetimes.most: there is no such setting",
        "f:9:3: control: expected a path, or false",
      ],
    )
  })

  it("says of one text what it would say of one in a list", () => {
    assert.deepEqual(faults('{ "external": "203.0.113.0/33" }'), ['f:1:3: external: "203.0.113.0/33" is no prefix.'])
    assert.deepEqual(faults('{ "external": 5 }'), ["f:1:3: external: expected addresses as text, or a list of them"])
  })

  it("that is no JSON tells where", () => {
    for (const [text, line] of [
      ["", "f:1:1: Expected a value."],
      ['{\n  "quota" 5\n}', "f:2:11: Expected a colon."],
      ['{ "quota": soon }', "f:1:12: This is no value: texts stand in quotation marks."],
      ["{} {}", "f:1:4: The file goes on after its end."],
      ["/* {}", "f:1:1: This comment does not end."],
    ])
      assert.equal(faults(text)[0], line)
    assert.deepEqual(faults("\ufeff{} // what a Windows editor writes\r\n"), [])
  })

  it("with settings that do not go together names the rule", () => {
    const broken = (text: string): string => {
      const made = makeSettings(config(text), NO_OPTIONS)
      if (!made.ok) return `${made.faults[0].path.join(".")}: ${made.faults[0].text}`
      const state = createState(made.value, new Uint8Array(32), 0)
      return state.ok ? "" : `${state.path.join(".")}: ${state.text}`
    }
    for (const [text, line] of [
      ['{ "profile": { "kind": "nat444", "port0": true } }', /^profile: .*\(rule port0-needs-other-protocols\)$/],
      ['{ "profile": { "kind": "nat444", "thirdPartyZeroOnly": true } }', /\(rule zero-only-needs-third-party\)$/],
      ['{ "profile": { "kind": "nat444", "firewall": true, "peer": false } }', /^profile: .*firewall/],
      [
        '{ "profile": { "kind": "nat64", "mapExternal": false } }',
        /^profile: the external addresses of nat64 are IPv4 here/,
      ],
      ['{ "external": "10.0.0.0/8" }', /^external: 16777216 addresses; 16384 is the most$/],
      ['{ "external": ["192.0.2.1", "192.0.2.1"] }', /^external: 192\.0\.2\.1 is in the pool twice$/],
      ['{ "lifetimes": { "min": 900, "max": 600 } }', /^lifetimes: .*900 s, is over the most, 600 s$/],
      [
        '{ "assignment": { "kind": "deterministic", "internal": ["10.0.0.0/8"] } }',
        /^assignment: 8 external addresses with ports 1024-65535 have too little room/,
      ],
      ['{ "profile": "firewall4", "assignment": { "kind": "random" } }', /^assignment: firewall4 has no such setting$/],
      ['{ "pcp": false, "natPmp": false }', /^pcp: neither/],
      ['{ "prefix64": [{ "prefix": "2001:db8::/33" }] }', /^prefix64\.0: .*32, 40, 48, 56, 64 or 96/],
      ['{ "prefix64": [{ "prefix": "2001:db8::/32", "suffix": "00" }] }', /^prefix64\.0: the suffix has 1 octets/],
      [
        '{ "staticMappings": [{ "protocol": "udp", "internal": "192.0.2.1:1", "external": "203.0.113.1:5351" }] }',
        /^staticMappings: .*5351 is PCP's own/,
      ],
    ] as const)
      assert.match(broken(text), line)
  })

  it("S-101: keeps THIRD_PARTY to its subnets, and lets others ask for themselves", () => {
    const made = createState(
      settings(`{
        "profile": { "kind": "nat444", "thirdParty": true }, "threatModel": "advanced",
        "thirdPartySubnets": ["192.0.2.0/28", "192.0.2.64"],
      }`),
      new Uint8Array(32),
      0,
    )
    assert.ok(made.ok)
    const { state } = made
    const result = (source: string, thirdParty: boolean): number | undefined => {
      const client = source.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))
      const map = "0102030405060708090a0b0c 11000000 1388 0000 00000000000000000000ffff00000000"
      const option = thirdParty ? "01000010 00000000000000000000ffffc00002c8" : ""
      const bytes = octets(`02010000 00000e10 00000000000000000000ffff${client.join("")} ${map} ${option}`)
      return serve(state, { bytes, now: 0, source: address(source), sourcePort: 1 })[1].reply?.[3]
    }
    assert.deepEqual(
      ["192.0.2.9", "192.0.2.64", "192.0.2.16", "198.51.100.1"].map((source) => result(source, true)),
      [0, 0, ResultCode.UNSUPP_OPTION, ResultCode.UNSUPP_OPTION],
    )
    assert.equal(result("192.0.2.16", false), 0)
  })

  it("takes any text without a throw", () => {
    const token = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"rules"',
      '"profile"',
      '"kind"',
      "1",
      "null",
      '""',
      "//",
      "\n",
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.array(token).map((all) => all.join(" ")),
        ),
        (text) => {
          const read = readConfig(text)
          assert.ok(read.ok || read.faults.length > 0)
        },
      ),
    )
  })
})

it("the README's configuration file is one", () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8")
  const blocks = [...readme.matchAll(/^```jsonc\n(.*?)^```$/gms)].map(([, text]) => text)
  assert.ok(blocks.length > 0)
  for (const text of blocks) assert.ok(createState(settings(text), new Uint8Array(32), 0).ok)
})

describe("the published schema", () => {
  const published: unknown = JSON.parse(
    readFileSync(new URL("../../../schema/serve.schema.json", import.meta.url), "utf8"),
  )
  const valid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(serveSchema())

  it("is what the check of a file says: node test/schema.ts writes it", () => {
    assert.deepEqual(published, JSON.parse(JSON.stringify(serveSchema())))
  })

  it("takes what a file may have, and refuses what it may not", () => {
    const plain = (text: string): unknown => JSON.parse(text.replace(/\/\/.*/g, "").replace(/,(\s*[}\]])/g, "$1"))
    assert.ok(valid(plain(WHOLE)), JSON.stringify(valid.errors))
    assert.ok(valid({}))
    for (const text of [
      "[]",
      '{ "frob": 1 }',
      '{ "quota": -1 }',
      '{ "announceCount": 11 }',
      '{ "profile": "nptv7" }',
      '{ "rules": [{ "clients": "192.0.2.0/24" }] }',
      '{ "lifetimes": { "most": 1 } }',
      '{ "thirdPartyIds": { "abc": "192.0.2.1" } }',
    ]) {
      assert.ok(!valid(plain(text)), text)
      assert.equal(readConfig(text).ok, false, text)
    }
  })

  it("describes every setting", () => {
    assert.ok(typeof published === "object" && published !== null && "properties" in published)
    for (const [name, setting] of Object.entries(published.properties ?? {}))
      assert.ok(typeof setting === "object" && setting !== null && "description" in setting, name)
  })
})
