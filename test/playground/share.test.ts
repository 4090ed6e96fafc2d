import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, test } from "node:test"
import { deflateRawSync } from "node:zlib"
import fc from "fast-check"
import {
  type Address,
  addressWord,
  formatAddress,
  isAny,
  isIpv4,
  isLoopback,
  isMulticast,
  parse,
  parseAddress,
} from "../../core/wire/index.ts"
import { toHex } from "../../core/wire/text/index.ts"
import { inspect } from "../../playground/model/inspect/index.ts"
import { play, viewAt } from "../../playground/model/replay/index.ts"
import { PRESETS } from "../../playground/model/session/index.ts"
import { fromBase64url, toBase64url } from "../../playground/model/share/base64url.ts"
import {
  addressCloak,
  anonymiser,
  fromFragment,
  MOST_CHARACTERS,
  toFragment,
} from "../../playground/model/share/index.ts"
import { address as anyAddress, anyBytes } from "../core/wire/arbitrary.ts"
import { address, hex, MAP_REQUEST, MAP_RESPONSE } from "./packets.ts"
import { dataStep, mapStep, sessionOf } from "./sessions.ts"

const KEY = new Uint8Array(32).fill(9)

describe("links", () => {
  test("a packet and a session come back", async () => {
    const packet = { kind: "packet", bytes: MAP_REQUEST } as const
    const made = await toFragment(packet)
    assert.ok(made.ok && /^1p[01][\w-]+$/.test(made.fragment))
    assert.deepEqual(await fromFragment(`#${made.fragment}`), { ok: true, shared: packet })
    const session = {
      kind: "session",
      session: sessionOf([{ ...mapStep(0, "10.0.0.1"), answer: MAP_RESPONSE }, mapStep(5, "10.0.0.2")], { title: "Ü" }),
    } as const
    const link = await toFragment(session)
    assert.ok(link.ok && link.fragment.length < 1500)
    assert.deepEqual(await fromFragment(link.fragment), { ok: true, shared: session })
  })

  test("what is too big for a link says so", async () => {
    const noise = new Uint8Array(createHash("shake256", { outputLength: 60_000 }).update("noise").digest())
    const packet = await toFragment({ kind: "packet", bytes: noise })
    assert.ok(!packet.ok && /save it as a file/.test(packet.text))
    const long = await fromFragment("1p0".padEnd(MOST_CHARACTERS + 1, "A"))
    assert.ok(!long.ok && !long.empty)
  })

  test("a bomb is stopped where it grows over what a link may hold", async () => {
    for (const kind of ["p", "s"]) {
      const bomb = deflateRawSync(new Uint8Array(20_000_000))
      const read = await fromFragment(`1${kind}1${toBase64url(bomb)}`)
      assert.ok(!read.ok && /more than/.test(read.text))
    }
  })

  test("no link, another version, a cut one, and a session that is none", async () => {
    const why = async (text: string): Promise<string> => {
      const read = await fromFragment(text)
      return read.ok ? assert.fail("read") : `${read.empty} ${read.text}`
    }
    assert.match(await why("#"), /^true/)
    assert.match(await why("9p0AAAA"), /^false the link is of another version/)
    assert.match(await why("1p0A"), /cut or was changed/)
    assert.match(await why("1x0AAAA"), /cut or was changed/)
    assert.match(await why("1p1AAAA"), /damaged/)
    assert.match(await why(`1s0${toBase64url(new TextEncoder().encode("{}"))}`), /session in the link is not sound/)
  })

  test("base64url is the one of RFC 4648 section 5", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        assert.equal(toBase64url(bytes), Buffer.from(bytes).toString("base64url"))
        assert.deepEqual(fromBase64url(toBase64url(bytes)), bytes)
      }),
    )
    for (const wrong of ["A", "AB==", "A+", "AB", "Ü", "A B"]) assert.equal(fromBase64url(wrong), undefined, wrong)
  })

  test("any packet comes back, and any text gives something or a reason", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        const made = await toFragment({ kind: "packet", bytes })
        assert.ok(made.ok)
        const read = await fromFragment(made.fragment)
        assert.ok(read.ok && read.shared.kind === "packet")
        assert.equal(toHex(read.shared.bytes), toHex(bytes))
      }),
      { numRuns: 50 },
    )
    const texts = fc.oneof(
      fc.string(),
      fc.base64String().map((text) => `1s1${text}`),
      fc.uint8Array().map((bytes) => `1s1${toBase64url(bytes)}`),
      fc.uint8Array().map((bytes) => `1p0${toBase64url(bytes)}`),
    )
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const read = await fromFragment(text)
        assert.ok(read.ok || read.text !== "")
      }),
      { numRuns: 50 },
    )
  })
})

/** How many first bits two addresses have in common. */
const shared = (a: Address, b: Address): number => {
  for (const word of [0, 1, 2, 3] as const) {
    const differing = addressWord(a, word) ^ addressWord(b, word)
    if (differing !== 0) return 32 * word + Math.clz32(differing)
  }
  return 128
}

/** Private, shared, link-local, unique local: what people know an address by. */
const CLASSES: readonly (readonly [string, number])[] = [
  ["10.0.0.0", 104],
  ["172.16.0.0", 108],
  ["192.168.0.0", 112],
  ["100.64.0.0", 106],
  ["169.254.0.0", 112],
  ["192.0.2.0", 120],
  ["203.0.113.0", 120],
  ["fe80::", 10],
  ["fc00::", 7],
  ["2001:db8::", 32],
  ["64:ff9b::", 96],
  ["::ffff:0:0", 96],
]

const classOf = (one: Address): string =>
  [
    isAny(one),
    isLoopback(one),
    isMulticast(one),
    isIpv4(one),
    ...CLASSES.map(([text, bits]) => shared(one, address(text)) >= bits),
  ].join()

describe("anonymous addresses", () => {
  const near = fc.constantFrom(
    ...CLASSES.map(([text]) => address(text)),
    address("224.0.0.1"),
    address("255.255.255.255"),
    address("127.0.0.1"),
  )
  const ipv4 = fc.ipV4().map((text) => parseAddress(text) ?? address("192.0.2.1"))
  const any = fc.oneof(anyAddress, ipv4, near)

  test("two addresses share as many first bits afterwards as before; classes stay", () => {
    const cloak = addressCloak(KEY)
    fc.assert(
      fc.property(any, any, (a, b) => {
        if (isIpv4(a) === isIpv4(b)) assert.equal(shared(cloak(a), cloak(b)), shared(a, b))
        assert.equal(classOf(cloak(a)), classOf(a), formatAddress(a))
      }),
      { numRuns: 500 },
    )
  })

  test("what tells of nobody stays, what tells of somebody does not; the key decides", () => {
    const [one, other] = [addressCloak(KEY), addressCloak(new Uint8Array(32).fill(8))]
    for (const text of [
      "0.0.0.0",
      "::",
      "127.0.0.1",
      "::1",
      "224.0.0.1",
      "ff02::1",
      "255.255.255.255",
      "192.0.2.1",
      "2001:db8::7",
    ])
      assert.equal(formatAddress(one(address(text))), text)
    for (const text of ["10.1.2.3", "84.200.69.80", "2a02:8108:1:2:3:4:5:6", "64:ff9b::54c8:4550", "::54c8:4550"]) {
      assert.notEqual(formatAddress(one(address(text))), text)
      assert.notEqual(one(address(text)), other(address(text)))
      assert.equal(one(address(text)), addressCloak(KEY)(address(text)))
    }
    // IPv4 behind NAT64's prefix is the same IPv4.
    assert.equal(one(address("64:ff9b::54c8:4550")).slice(6), one(address("84.200.69.80")).slice(6))
  })
})

describe("anonymous packets", () => {
  const { bytes, session } = anonymiser(KEY)

  test("addresses, nonce and description change; everything else stays", () => {
    const other = inspect(bytes(MAP_REQUEST)).fields
    const changed = inspect(MAP_REQUEST).fields.flatMap((field, i) =>
      field.children.length === 0 && field.hex !== other[i].hex ? [field.name] : [],
    )
    // Of the suggested external address 203.0.113.5 and of 198.51.100.0, which are of documentation, nothing is to be hidden.
    assert.deepEqual(changed, ["PCP Client's IP Address", "Mapping Nonce", "Description"])
    assert.match(other.find(({ name }) => name === "Description")?.text ?? "", /^"[a-z]{5}"$/)
  })

  test("a request and its response go on to belong together", () => {
    const nonce = (packet: Uint8Array) => toHex(packet.subarray(24, 36))
    assert.equal(nonce(bytes(MAP_REQUEST)), nonce(bytes(MAP_RESPONSE)))
    assert.notEqual(nonce(bytes(MAP_REQUEST)), nonce(MAP_REQUEST))
  })

  test("the client's address in the reserved bits of an error is one too (RFC 6887 section 7.2)", () => {
    const error = hex("02 81 00 03 00000708 0000002a 000000000000ffff 0a000001")
    const tail = toHex(bytes(error).subarray(12))
    assert.equal(tail.slice(0, 18), "000000000000ffff0a")
    assert.equal(tail.slice(16), toHex(bytes(MAP_REQUEST).subarray(20, 24)))
  })

  test("a FILTER without host bits has none afterwards", () => {
    const filter = MAP_REQUEST.slice()
    filter.set([84, 200, 69, 0], 80)
    const other = bytes(filter)
    assert.notEqual(toHex(other.subarray(80, 83)), "54c845")
    assert.equal(other[83], 0)
  })

  test("any packet: as long as before, with the same findings", () => {
    fc.assert(
      fc.property(anyBytes, (packet) => {
        const other = bytes(packet)
        assert.equal(other.length, packet.length)
        const [before, after] = [parse(packet), parse(other)]
        assert.equal(after.ok, before.ok)
        if (before.ok && after.ok) assert.equal(after.packet.kind, before.packet.kind)
        assert.deepEqual(bytes(packet), other)
      }),
    )
  })

  test("a session plays as before: the same results, mappings and verdicts", () => {
    const given = sessionOf(
      [
        mapStep(0, "10.0.0.1", { protocol: "udp", internalPort: "5000", externalPort: "41000" }, [
          { kind: "FILTER", values: { prefix: "84.200.69.0/24" } },
        ]),
        mapStep(1, "10.0.0.2", { nonce: "0102030405060708090a0b0c" }),
        dataStep(2, "outside", ["84.200.69.80", 53], ["93.184.216.34", 41000]),
        dataStep(3, "outside", ["84.200.70.80", 53], ["93.184.216.34", 41000]),
      ],
      { configuration: { ...PRESETS.nat444, external: [address("93.184.216.34")] } },
    )
    const outcomes = (one: typeof given) => {
      const made = play(one)
      assert.ok(made.ok)
      return made.value.moments.map(({ verdict, reply, changes }) => [
        verdict?.kind,
        reply?.[3],
        changes.map(({ type }) => type),
      ])
    }
    const other = session(given)
    assert.deepEqual(outcomes(other), outcomes(given))
    assert.equal(JSON.stringify(other).includes(JSON.stringify(address("93.184.216.34"))), false)
    const replay = play(other)
    assert.ok(replay.ok && !viewAt(replay.value, 3).mappings.some(({ text }) => text.includes("10.0.0.1:")))
  })
})
