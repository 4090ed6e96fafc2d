import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  createNpt,
  type NptState,
  nptCgn,
  nptInbound,
  nptOutbound,
  type PrefixPair,
} from "../../../../core/cgn/index.ts"
import {
  type Address,
  addressFromWords,
  addressWord,
  formatAddress,
  parseAddress,
  ResultCode,
} from "../../../../core/wire/index.ts"

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

const prefix = (text: string) => {
  const [bits, length] = text.split("/")
  return { address: address(bits), prefixLength: Number(length) }
}

const npt = (...pairs: readonly (readonly [string, string])[]): NptState => {
  const made = createNpt({
    pairs: pairs.map(([internal, external]) => ({ internal: prefix(internal), external: prefix(external) })),
  })
  assert.ok(made.ok, made.ok ? "" : made.error.text)
  return made.state
}

const out = (state: NptState, text: string): string | undefined => {
  const external = nptOutbound(state, address(text))
  return external && formatAddress(external)
}
const back = (state: NptState, text: string): string | undefined => {
  const internal = nptInbound(state, address(text))
  return internal && formatAddress(internal)
}

/** The example of RFC 6296 section 3.6. */
const EXAMPLE = npt(["fd01:203:405::/48", "2001:db8:1::/48"])

describe("RFC 6296", () => {
  test("NAT-6296-3.6: the example, both ways", () => {
    assert.equal(out(EXAMPLE, "fd01:203:405:1::1234"), "2001:db8:1:d550::1234")
    assert.equal(back(EXAMPLE, "2001:db8:1:d550::1234"), "fd01:203:405:1::1234")
  })

  test("NAT-6296-3.2, NAT-6296-3.3: an adjusted word of ffff becomes 0", () => {
    // ffff - d54f = 2ab0 is the subnet that comes out as ffff, had it not become 0.
    assert.equal(out(EXAMPLE, "fd01:203:405:2ab0::1"), "2001:db8:1::1")
    assert.equal(back(EXAMPLE, "2001:db8:1::1"), "fd01:203:405:2ab0::1")
  })

  test("NAT-6296-3.2, NAT-6296-4.2: the subnet ffff has no mapping, nor has an address outside the prefix", () => {
    assert.equal(out(EXAMPLE, "fd01:203:405:ffff::1"), undefined)
    assert.equal(out(EXAMPLE, "fd01:203:406:1::1"), undefined)
    assert.equal(back(EXAMPLE, "2001:db8:2:1::1"), undefined)
  })

  test("NAT-6296-3.5: beyond 48 bits the first word of the interface identifier that is not ffff takes the adjustment", () => {
    // Sums of the /64s: fd01+0203+0405+0007 = 0311 with the carry, 2001+0db8+0001+00a0 = 2e5a; 0311 - 2e5a = d4b6.
    const state = npt(["fd01:203:405:7::/64", "2001:db8:1:a0::/64"])
    assert.equal(out(state, "fd01:203:405:7:1:2:3:4"), "2001:db8:1:a0:d4b7:2:3:4")
    assert.equal(out(state, "fd01:203:405:7:ffff:2:3:4"), "2001:db8:1:a0:ffff:d4b8:3:4")
    assert.equal(out(state, "fd01:203:405:7:ffff:ffff:ffff:4"), "2001:db8:1:a0:ffff:ffff:ffff:d4ba")
    assert.equal(out(state, "fd01:203:405:7:ffff:ffff:ffff:ffff"), undefined)
  })

  test("NAT-6296-3.7: the shorter prefix is extended with zeros, and an interface identifier of zeros is not translated", () => {
    const state = npt(["fd01:203:405::/48", "2001:db8:1:a200::/56"])
    // Sums: 030a and 2001+0db8+0001+a200 = cfba; 030a - cfba = 334f, which the identifier's first word, 0, takes.
    assert.equal(out(state, "fd01:203:405:4d::1"), "2001:db8:1:a24d:334f::1")
    assert.equal(out(state, "fd01:203:405:14d::1"), undefined)
    assert.equal(out(state, "fd01:203:405:4d::"), undefined)
  })

  test("NAT-6296-3.1: each pair of prefixes is a translator of its own", () => {
    const state = npt(["fd01:203:405::/48", "2001:db8:1::/48"], ["fd01:203:406::/48", "2001:db8:2::/48"])
    assert.equal(out(state, "fd01:203:405:1::1234"), "2001:db8:1:d550::1234")
    assert.match(out(state, "fd01:203:406:1::1234") ?? "", /^2001:db8:2:/)
  })
})

/** The 128 bits as a number: modulo 2^16-1 it is the one's complement sum of its 16-bit words. */
const asNumber = (a: Address): bigint =>
  ([0, 1, 2, 3] as const).reduce((sum, i) => (sum << 32n) | BigInt(addressWord(a, i) >>> 0), 0n)

const fromNumber = (n: bigint): Address => {
  const word = (shift: bigint): number => Number((n >> shift) & 0xffffffffn)
  return addressFromWords(word(96n), word(64n), word(32n), word(0n))
}

const low = (n: bigint, bits: number): bigint => n & ((1n << BigInt(bits)) - 1n)
const high = (n: bigint, length: number): bigint => (n >> BigInt(128 - length)) << BigInt(128 - length)

/** A pair of unicast prefixes of one length, and an address inside the internal one. */
const scene = fc
  .record({
    length: fc.integer({ min: 16, max: 64 }),
    internal: fc.bigInt({ min: 0n, max: (1n << 120n) - 1n }).map((n) => (0xfdn << 120n) | n),
    external: fc.bigInt({ min: 0n, max: (1n << 120n) - 1n }).map((n) => (0x20n << 120n) | n),
    host: fc.oneof(
      fc.bigInt({ min: 0n, max: (1n << 112n) - 1n }),
      fc.constantFrom(0n, 1n, 0xffffn << 48n, (1n << 64n) - 1n, 0xffffn << 64n),
    ),
  })
  .map(({ length, internal, external, host }) => {
    const pair: PrefixPair = {
      internal: { address: fromNumber(high(internal, length)), prefixLength: length },
      external: { address: fromNumber(high(external, length)), prefixLength: length },
    }
    return { length, pair, internal: fromNumber(high(internal, length) | low(host, 128 - length)) }
  })

describe("RFC 6296 of any prefixes", () => {
  test("NAT-6296-2.6, NAT-6296-4.1: any unicast prefixes: translation keeps the checksum and the interface's side, and comes back", () => {
    fc.assert(
      fc.property(scene, ({ length, pair, internal }) => {
        const made = createNpt({ pairs: [pair] })
        assert.ok(made.ok)
        const external = nptOutbound(made.state, internal)
        if (external === undefined) {
          const identifier = low(asNumber(internal), 64)
          const subnet = (asNumber(internal) >> 64n) & 0xffffn
          assert.ok(length > 48 ? identifier === 0n || identifier === (1n << 64n) - 1n : subnet === 0xffffn)
          return
        }
        assert.equal(high(asNumber(external), length), asNumber(pair.external.address))
        assert.equal(asNumber(external) % 0xffffn, asNumber(internal) % 0xffffn)
        if (length <= 48) assert.equal(low(asNumber(external), 64), low(asNumber(internal), 64))
        // Only an identifier that came out as zeros finds no way back (section 3.7).
        const again = nptInbound(made.state, external)
        if (length > 48 && low(asNumber(external), 64) === 0n) assert.equal(again, undefined)
        else assert.equal(again, internal)
      }),
      { numRuns: 2000 },
    )
  })

  test("any two prefixes give a state or a named fault", () => {
    const anyPrefix = fc.record({
      address: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(fromNumber),
      prefixLength: fc.oneof(fc.integer({ min: -1, max: 129 }), fc.constantFrom(0.5, Number.NaN)),
    })
    fc.assert(
      fc.property(anyPrefix, anyPrefix, (internal, external) => {
        const made = createNpt({ pairs: [{ internal, external }] })
        if (!made.ok) assert.equal(made.error.code, "bad-prefix")
      }),
    )
  })
})

describe("settings of an NPTv6 device", () => {
  const faultOf = (...pairs: readonly (readonly [string, string])[]): string => {
    const made = createNpt({
      pairs: pairs.map(([internal, external]) => ({ internal: prefix(internal), external: prefix(external) })),
    })
    return made.ok ? "" : `${made.error.code}: ${made.error.text}`
  }

  test("faults are named", () => {
    assert.equal(faultOf(), "empty-pool: there is no pair of prefixes to translate")
    assert.equal(
      faultOf(["fd01::/65", "2001:db8:1::/48"]),
      "bad-prefix: the internal prefix fd01::/65 has 65 bits, not 1 to 64",
    )
    assert.equal(
      faultOf(["fd01::/48", "ff02::/16"]),
      "bad-prefix: the external prefix ff02::/16 is not of IPv6 unicast",
    )
    assert.equal(
      faultOf(["fd01:0:0:1::/48", "2001:db8:1::/48"]),
      "bad-prefix: the internal prefix fd01:0:0:1::/48 has bits behind its first 48",
    )
    assert.equal(
      faultOf(["fd01::/48", "2001:db8:1::/48"], ["fd01:0:0:1::/64", "2001:db8:2::/64"]),
      "overlap: the internal prefixes fd01::/48 and fd01:0:0:1::/64 overlap",
    )
    assert.equal(
      faultOf(["fd01::/48", "2001:db8:1::/48"], ["fd02::/48", "2001:db8::/32"]),
      "overlap: the external prefixes 2001:db8:1::/48 and 2001:db8::/32 overlap",
    )
  })
})

describe("S-46 the answers of an NPTv6 device", () => {
  const end = { protocol: 17, internal: address("fd01:203:405:1::1234"), internalPort: 7000 }
  const ask = {
    ...end,
    origin: "pcp" as const,
    nonce: undefined,
    suggested: address("::"),
    suggestedPort: 0,
    lifetime: 600,
    preferFailure: false,
  }
  const EXTERNAL = address("2001:db8:1:d550::1234")

  test("S-46 the external end is the algorithm's, whatever is suggested, and no state changes", () => {
    for (const suggestion of [
      {},
      { suggested: address("2001:db8:9::9"), suggestedPort: 9 },
      { suggested: EXTERNAL, suggestedPort: 7000, preferFailure: true },
    ]) {
      const done = nptCgn.addMapping(EXAMPLE, { ...ask, ...suggestion }, 0)
      assert.ok(done.outcome !== "refused")
      assert.deepEqual([done.external, done.externalPort, done.lifetime, done.changes], [EXTERNAL, 7000, 600, []])
      assert.equal(done.state, EXAMPLE)
    }
  })

  test("S-50 PREFER_FAILURE with another suggestion: CANNOT_PROVIDE_EXTERNAL", () => {
    for (const suggestion of [{ suggested: address("2001:db8:9::9"), suggestedPort: 7000 }, { suggestedPort: 7001 }]) {
      const done = nptCgn.addMapping(EXAMPLE, { ...ask, ...suggestion, preferFailure: true }, 0)
      assert.ok(done.outcome === "refused")
      assert.equal(done.code, ResultCode.CANNOT_PROVIDE_EXTERNAL)
    }
  })

  test("an address that does not translate both ways is no subscriber's", () => {
    const state = npt(["fd01:203:405:7::/64", "2001:db8:1:a0::/64"])
    const codeOf = (text: string): number => nptCgn.getSubscriber(state, address(text), undefined).code
    assert.equal(codeOf("fd01:203:405:7::1"), ResultCode.SUCCESS)
    assert.equal(codeOf("fd01:203:405:8::1"), ResultCode.NOT_AUTHORIZED)
    // 2b49 + d4b6 = ffff, which becomes 0: out it goes, but nothing comes back to an identifier of zeros.
    assert.equal(out(state, "fd01:203:405:7:2b49::"), "2001:db8:1:a0::")
    assert.equal(codeOf("fd01:203:405:7:2b49::"), ResultCode.NOT_AUTHORIZED)
  })

  test("RFC 7753 1.4: a set of ports is answered whole, up to the last port", () => {
    const ports = (internalPort: number, size: number): number => {
      const done = nptCgn.addMapping(EXAMPLE, { ...ask, internalPort, portSet: { size, parity: true } }, 0)
      assert.ok(done.outcome !== "refused")
      return done.ports
    }
    assert.deepEqual([ports(7000, 100), ports(1, 65535), ports(65530, 65535), ports(0, 9)], [100, 65535, 6, 1])
  })
})
