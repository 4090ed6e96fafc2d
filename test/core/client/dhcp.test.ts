import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  type DhcpServers,
  decodeV4PcpServers,
  decodeV6PcpServers,
  OPTION_V4_PCP_SERVER,
  OPTION_V6_PCP_SERVER,
} from "../../../core/client/dhcp.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { hex } from "../wire/hex.ts"

const texts = ({ servers }: DhcpServers): string[][] => servers.map((list) => list.map(formatAddress))
const faults = ({ errors }: DhcpServers) =>
  errors.map(({ code, instance, offset, clause }) => [code, instance, offset, clause])

test("the codes are IANA's (RFC 7291 section 9)", () => {
  assert.equal(OPTION_V4_PCP_SERVER, 158)
  assert.equal(OPTION_V6_PCP_SERVER, 86)
})

describe("DHCPv4's PCP servers (RFC 7291 section 4)", () => {
  test("one server of one address, the shortest option there is", () => {
    const read = decodeV4PcpServers([hex("04 c0 00 02 01")])
    assert.deepEqual([texts(read), read.discarded, read.errors], [[["192.0.2.1"]], [], []])
  })

  test("two servers, the first by two addresses: each list is a separate server", () => {
    const read = decodeV4PcpServers([hex("08 c0 00 02 01 c0 00 02 02 04 c6 33 64 01")])
    assert.deepEqual(texts(read), [["192.0.2.1", "192.0.2.2"], ["198.51.100.1"]])
  })

  test("an option in pieces is read as one, wherever they end (RFC 3396)", () => {
    const whole = hex("08 c0 00 02 01 c0 00 02 02 04 c6 33 64 01")
    for (let first = 0; first <= whole.length; first++) {
      for (let second = first; second <= whole.length; second++) {
        const pieces = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)]
        assert.deepEqual(decodeV4PcpServers(pieces), decodeV4PcpServers([whole]))
      }
    }
  })

  test("more than 255 octets: 63 addresses of one server, and another server", () => {
    const list = Array.from({ length: 63 }, (_, index) => [10, 0, 1, index]).flat()
    const whole = Uint8Array.from([252, ...list, 4, 192, 0, 2, 1])
    const read = decodeV4PcpServers([whole.subarray(0, 255), whole.subarray(255)])
    assert.deepEqual(
      texts(read).map((server) => server.length),
      [63, 1],
    )
    assert.equal(texts(read)[0][62], "10.0.1.62")
  })

  test("multicast and host loopback are discarded in silence, all-zeros with them, and a list of nothing else is no server", () => {
    const read = decodeV4PcpServers([
      hex("0c e0 00 00 01 c0 00 02 01 7f 00 00 01 08 7f 12 34 56 00 00 00 00 04 ef ff ff ff 04 c6 33 64 01"),
    ])
    assert.deepEqual(texts(read), [["192.0.2.1"], ["198.51.100.1"]])
    assert.deepEqual(read.discarded.map(formatAddress), [
      "224.0.0.1",
      "127.0.0.1",
      "127.18.52.86",
      "0.0.0.0",
      "239.255.255.255",
    ])
    assert.deepEqual(read.errors, [])
  })

  test("an option without an instance is none, and malformed ones are errors with their offset and clause", () => {
    assert.deepEqual(decodeV4PcpServers([]), { servers: [], discarded: [], errors: [] })
    const cases: readonly (readonly [string, string, number])[] = [
      ["", "too-short", 0],
      ["04 c0 00 02", "too-short", 0],
      ["00 00 00 00 00", "list-length", 0],
      ["06 c0 00 02 01 c0 00", "list-length", 0],
      ["08 c0 00 02 01", "truncated", 0],
      ["04 c0 00 02 01 04 c6 33 64", "truncated", 5],
      ["04 c0 00 02 01 00", "list-length", 5],
      ["04 c0 00 02 01 05 c6 33 64 01 00", "list-length", 5],
      ["04 c0 00 02 01 04", "truncated", 5],
    ]
    for (const [bytes, code, offset] of cases) {
      const read = decodeV4PcpServers([hex(bytes)])
      assert.deepEqual(
        [read.servers, read.discarded, faults(read)],
        [[], [], [[code, 0, offset, "RFC 7291 4.1"]]],
        bytes,
      )
    }
  })

  test("any octets are read without a throw; servers are usable, and lists that were written come back", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), (instances) => {
        const read = decodeV4PcpServers(instances)
        assert.ok(read.servers.every((list) => list.length > 0))
        assert.ok(read.errors.length === 0 || read.servers.length === 0)
      }),
    )
    const octets = fc.tuple(fc.integer({ min: 128, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
    const lists = fc.array(fc.array(octets, { minLength: 1, maxLength: 63 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(lists, fc.nat(255), (written, cut) => {
        const data = Uint8Array.from(written.flatMap((list) => [list.length * 4, ...list.flat()]))
        const read = decodeV4PcpServers([data.subarray(0, cut), data.subarray(cut)])
        assert.deepEqual(
          texts(read),
          written.map((list) => list.map((address) => address.join("."))),
        )
      }),
    )
  })
})

describe("DHCPv6's PCP servers (RFC 7291 section 3)", () => {
  const DOC1 = "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01"
  const DOC2 = "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02"
  const MAPPED = "00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 01"

  test("each instance is a server of its own; an IPv4-mapped address is IPv4", () => {
    const read = decodeV6PcpServers([hex(`${DOC1} ${MAPPED}`), hex(DOC2)])
    assert.deepEqual(texts(read), [["2001:db8::1", "192.0.2.1"], ["2001:db8::2"]])
    assert.deepEqual([read.discarded, read.errors], [[], []])
  })

  test("multicast and host loopback of either family are discarded, and an instance of nothing else is no server", () => {
    const loopback = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01"
    const mapped = "00 00 00 00 00 00 00 00 00 00 ff ff 7f 00 00 01"
    const group = "ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01"
    const zeros = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
    const read = decodeV6PcpServers([hex(`${group} ${DOC1} ${mapped}`), hex(`${loopback} ${zeros}`)])
    assert.deepEqual(texts(read), [["2001:db8::1"]])
    assert.deepEqual(read.discarded.map(formatAddress), ["ff02::1", "127.0.0.1", "::1", "::"])
  })

  test("a malformed instance gives no server, and the others stand", () => {
    const read = decodeV6PcpServers([hex(""), hex(DOC1), hex(`${DOC1} 20`), hex("20 01"), hex(DOC2)])
    assert.deepEqual(texts(read), [["2001:db8::1"], ["2001:db8::2"]])
    assert.deepEqual(faults(read), [
      ["too-short", 0, 0, "RFC 7291 3.1"],
      ["list-length", 2, 0, "RFC 7291 3.1"],
      ["too-short", 3, 0, "RFC 7291 3.1"],
    ])
  })

  test("any octets are read without a throw", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 4 }), (instances) => {
        const read = decodeV6PcpServers(instances)
        assert.equal(read.errors.length, instances.filter(({ length }) => length === 0 || length % 16 !== 0).length)
        assert.ok(read.servers.every((list) => list.length > 0))
      }),
    )
  })
})
