import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { durationText, readTimeout } from "../../../../adapters/cli/client/duration.ts"
import { filterText, readFilter } from "../../../../adapters/cli/client/filter.ts"
import { readIdentifier, readNonceText, toHexDigits } from "../../../../adapters/cli/client/hex.ts"
import { protocolText, readProtocol } from "../../../../adapters/cli/client/protocol.ts"
import { readTarget, targetText } from "../../../../adapters/cli/client/target.ts"
import { addressFromIpv4, addressFromWords, formatAddress, formatNonce } from "../../../../core/wire/index.ts"

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const address = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }).map(addressFromIpv4),
  // 2001::/16: no form of these is IPv4.
  fc.tuple(word, word, word, word).map(([a, b, c, d]) => addressFromWords((a & 0xffff) | 0x20010000, b, c, d)),
)

describe("what to map, as people write it (C-04)", () => {
  for (const [text, protocol, port, printed] of [
    ["8080/tcp", 6, 8080, "8080/tcp"],
    ["53/UDP", 17, 53, "53/udp"],
    ["tcp/8080", 6, 8080, "8080/tcp"],
    ["8080/6", 6, 8080, "8080/tcp"],
    ["0/tcp", 6, 0, "all/tcp"],
    ["all/tcp", 6, 0, "all/tcp"],
    ["tcp/all", 6, 0, "all/tcp"],
    ["tcp", 6, 0, "all/tcp"],
    ["sctp", 132, 0, "all/sctp"],
    ["9/sctp", 132, 9, "9/sctp"],
    ["all", 0, 0, "all"],
    ["ALL/all", 0, 0, "all"],
    ["0/0", 0, 0, "all"],
    ["0/47", 47, 0, "gre"],
    ["all/47", 47, 0, "gre"],
    ["gre", 47, 0, "gre"],
    ["0/200", 200, 0, "all/200"],
    ["ipv6-icmp", 58, 0, "ipv6-icmp"],
  ] as const)
    it(text, () => {
      const read = readTarget(text)
      assert.deepEqual(read, { ok: true, value: { protocol, port } })
      assert.equal(read.ok && targetText(read.value), printed)
    })

  for (const [text, why] of [
    ["8080", /has no protocol: expected 8080\/tcp or 8080\/udp/],
    ["", /expected 8080\/tcp/],
    ["/", /expected 8080\/tcp/],
    ["8080/", /expected 8080\/tcp/],
    ["8080/tcp/udp", /expected 8080\/tcp/],
    ["65536/tcp", /"65536" is no port/],
    ["-1/tcp", /"-1" is no port/],
    ["80.5/tcp", /is no port/],
    ["80/icq", /"icq" is no protocol/],
    ["80/256", /"256" is no protocol/],
    ["80/gre", /gre has no ports/],
    ["80/all", /all protocols have all ports/],
    ["80/0", /all protocols have all ports/],
  ] as const)
    it(`refuses "${text}"`, () => {
      const read = readTarget(text)
      assert.match(read.ok ? "" : read.text, why)
    })

  it("any text is read or refused in one line, and what is read is read back the same", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."0189/tcpudal-") })),
        (text) => {
          const read = readTarget(text)
          if (!read.ok) assert.ok(read.text.length > 0)
          else assert.deepEqual(readTarget(targetText(read.value)), read)
        },
      ),
    )
  })

  it("every protocol has a text that is read back", () => {
    for (let protocol = 0; protocol < 256; protocol++) {
      assert.deepEqual(readProtocol(protocolText(protocol)), { ok: true, value: protocol })
      assert.deepEqual(readProtocol(`${protocol}`), { ok: true, value: protocol })
    }
  })
})

describe("filters of remote peers, as people write them (RFC 6887 section 13.3)", () => {
  for (const [text, remote, prefixLength, remotePort, printed] of [
    ["192.0.2.0/24:443", "192.0.2.0", 24, 443, "192.0.2.0/24:443"],
    ["192.0.2.7", "192.0.2.7", 32, 0, "192.0.2.7/32"],
    ["192.0.2.7:80", "192.0.2.7", 32, 80, "192.0.2.7/32:80"],
    ["192.0.2.0/24:0", "192.0.2.0", 24, 0, "192.0.2.0/24"],
    ["2001:db8::/32", "2001:db8::", 32, 0, "2001:db8::/32"],
    ["2001:db8::7", "2001:db8::7", 128, 0, "2001:db8::7/128"],
    ["[2001:db8::]/32:443", "2001:db8::", 32, 443, "[2001:db8::/32]:443"],
    ["[2001:db8::/32]:443", "2001:db8::", 32, 443, "[2001:db8::/32]:443"],
    ["[2001:db8::7]:443", "2001:db8::7", 128, 443, "[2001:db8::7/128]:443"],
    ["[192.0.2.0/24]:443", "192.0.2.0", 24, 443, "192.0.2.0/24:443"],
  ] as const)
    it(text, () => {
      const read = readFilter(text)
      assert.ok(read.ok, read.ok ? "" : read.text)
      assert.equal(formatAddress(read.value.remote), remote)
      assert.deepEqual([read.value.prefixLength, read.value.remotePort], [prefixLength, remotePort])
      assert.equal(filterText(read.value), printed)
    })

  for (const text of [
    "",
    ":",
    "/",
    "192.0.2",
    "192.0.2.0/33",
    "192.0.2.0/0",
    "192.0.2.0/",
    "192.0.2.0/24:",
    "192.0.2.0/24:65536",
    "192.0.2.0/24/8",
    "2001:db8::/129",
    "[2001:db8::/32]/32:1",
    "[2001:db8::",
    "2001:db8::]:443",
    "localhost:80",
  ])
    it(`refuses "${text}"`, () => assert.equal(readFilter(text).ok, false))

  it("each filter has a text that is read back", () => {
    fc.assert(
      fc.property(
        address,
        fc.integer({ min: 1, max: 128 }),
        fc.integer({ min: 0, max: 65535 }),
        (remote, length, port) => {
          const prefixLength = formatAddress(remote).includes(":") ? length : ((length - 1) % 32) + 1
          const filter = { remote, prefixLength, remotePort: port }
          assert.deepEqual(readFilter(filterText(filter)), { ok: true, value: filter })
        },
      ),
    )
  })

  it("any text is read or refused", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."[]0123./:af") })),
        (text) => {
          const read = readFilter(text)
          if (read.ok) assert.deepEqual(readFilter(filterText(read.value)), read)
        },
      ),
    )
  })
})

describe("nonces and identifiers", () => {
  it("24 hex digits are a nonce, with or without anything between the octets", () => {
    for (const text of [
      "0102030405060708090a0b0c",
      "01:02:03:04:05:06:07:08:09:0A:0B:0C",
      "01020304-05060708-090a0b0c",
    ]) {
      const read = readNonceText(text)
      assert.equal(read.ok && formatNonce(read.value), "0102030405060708090a0b0c")
    }
    for (const text of ["", "01", "0102030405060708090a0b", "0102030405060708090a0b0c0d", "0102030405060708090a0b0g"])
      assert.equal(readNonceText(text).ok, false)
  })

  it("any octets are read back from their digits", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
        assert.deepEqual(readIdentifier(toHexDigits(bytes)), { ok: true, value: bytes })
      }),
    )
  })
})

describe("durations", () => {
  for (const [seconds, text] of [
    [0, "0 s"],
    [1, "1 s"],
    [59.6, "1 min"],
    [120, "2 min"],
    [3661, "1 h 1 min"],
    [7200, "2 h"],
    [86400, "1 d"],
    [4294967295, "49710 d 6 h"],
  ] as const)
    it(text, () => assert.equal(durationText(seconds), text))

  it("a time-out is seconds, perhaps with a fraction", () => {
    assert.deepEqual(readTimeout("20"), { ok: true, value: 20_000 })
    assert.deepEqual(readTimeout("0.25"), { ok: true, value: 250 })
    for (const text of ["", "0", "0.0", "-1", "1e3", "soon", "86401", "1.2345"])
      assert.equal(readTimeout(text).ok, false)
  })
})
