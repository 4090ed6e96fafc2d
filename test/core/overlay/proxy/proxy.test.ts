import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  askedByArp,
  askedByNdp,
  type FrameQuery,
  gratuitousArp,
  isDhcpBroadcast,
  macOf,
  parseNeighbor,
  queryOf,
  redirectDhcp,
  replyToArp,
  replyToNdp,
} from "../../../../core/overlay/index.ts"
import { type Address, formatAddress, parseAddress } from "../../../../core/wire/index.ts"
import { hex, toHex } from "../../wire/hex.ts"
import { anyFrame } from "../arbitrary.ts"

const FOUND = macOf(0xdeadbeef0002)

const query = (frame: Uint8Array): FrameQuery => {
  const made = queryOf(frame)
  assert.ok(made !== undefined)
  return made
}

const text = (address: Address | undefined): string | undefined =>
  address === undefined ? undefined : formatAddress(address)

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

describe("B7: proxy_arp", () => {
  const arp = "0001 0800 06 04 0001 deadbeef0000 0a373702 000000000000 0a373704"
  const request = hex(`ffffffffffff deadbeef0000 0806 ${arp} ${"00".repeat(18)}`)

  test("the answer in place: the ends changed, unicast, as long as the request", () => {
    assert.equal(text(askedByArp(query(request), request)), "10.55.55.4")
    const reply = replyToArp(query(request), request, FOUND)
    const wanted = `deadbeef0000 deadbeef0002 0806 0001 0800 06 04 0002 deadbeef0002 0a373704 deadbeef0000 0a373702 ${"00".repeat(18)}`
    assert.equal(toHex(reply ?? new Uint8Array(0)), toHex(hex(wanted)))
  })

  test("a VLAN tag is kept", () => {
    const tagged = hex(`ffffffffffff deadbeef0000 8100 6005 0806 ${arp}`)
    assert.deepEqual([query(tagged).headerSize, query(tagged).vlan, query(tagged).etherType], [18, 5, 0x0806])
    const reply = replyToArp(query(tagged), tagged, FOUND)
    assert.equal(
      toHex(reply?.subarray(0, 18) ?? new Uint8Array(0)),
      toHex(hex("deadbeef0000 deadbeef0002 8100 6005 0806")),
    )
  })

  test("what is dropped", () => {
    const dropped: readonly (readonly [string, Uint8Array, Partial<FrameQuery>])[] = [
      ["another EtherType", request, { etherType: 0x0800 }],
      ["27 octets", request, { packetSize: 27 }],
      ["a header of 13 octets", request, { headerSize: 13 }],
      ["more than the buffer has", request, { packetSize: 1505 }],
      ["more than was announced", request, { packetSize: 45 }],
      ["other hardware", request.with(15, 6), {}],
      ["another protocol", request.with(16, 0x86), {}],
      ["other lengths", request.with(18, 8), {}],
      ["other lengths of protocol addresses", request.with(19, 16), {}],
      ["a reply", request.with(21, 2), {}],
      ["a gratuitous request", request.with(41, 2), {}],
      ["a cut packet", request.subarray(0, 41), {}],
    ]
    for (const [name, frame, changes] of dropped) {
      const asked = { ...query(request), ...changes }
      assert.equal(askedByArp(asked, frame), undefined, name)
      assert.equal(replyToArp(asked, frame, FOUND), undefined, name)
    }
  })
})

describe("B7: proxy_ndp", () => {
  const body = "fe800000000000000000000000000003 01 01 deadbeef0001"
  const solicitation = hex(`3333ff000003 deadbeef0001 86dd 6ab12345 0020 3a 40
    fe800000000000000000000000000004 ff0200000000000000000001ff000003 87 00 0000 00000000 ${body}`)

  test("an advertisement, Solicited and Override, its header copied with the hop limit, its checksum right; the asked one's is not looked at", () => {
    assert.equal(text(askedByNdp(query(solicitation), solicitation)), "fe80::3")
    const reply = replyToNdp(query(solicitation), solicitation, FOUND) ?? new Uint8Array(0)
    assert.equal(toHex(reply.subarray(0, 14)), "deadbeef0001deadbeef000286dd")
    assert.equal(toHex(reply.subarray(14, 22)), "6ab1234500203a40")
    const parsed = parseNeighbor(reply.subarray(14))
    assert.ok(parsed.ok)
    assert.equal(parsed.value.checksum, undefined, "the right one")
    assert.deepEqual(
      [parsed.value.kind, ...[parsed.value.source, parsed.value.destination, parsed.value.target].map(formatAddress)],
      ["neighbor-advertisement", "fe80::3", "fe80::4", "fe80::3"],
    )
    assert.equal(toHex(reply.subarray(58, 62)), "60000000")
    assert.equal(toHex(reply.subarray(78)), "0201deadbeef0002")
  })

  test("any link-local group will do", () => {
    const all = Uint8Array.from(solicitation)
    all.set(hex("ff020000000000000000000000000001"), 38)
    assert.equal(text(askedByNdp(query(all), all)), "fe80::3")
  })

  const put = (at: number, octets: string): Uint8Array => {
    const changed = Uint8Array.from(solicitation)
    changed.set(hex(octets), at)
    return changed
  }

  test("what is dropped", () => {
    const dropped: readonly (readonly [string, Uint8Array, Partial<FrameQuery>])[] = [
      ["another EtherType", solicitation, { etherType: 0x0806 }],
      ["to a unicast MAC", solicitation, { destination: macOf(0xdeadbeef0003) }],
      ["63 octets", solicitation, { packetSize: 63 }],
      ["more than the buffer has", solicitation, { packetSize: 1505 }],
      ["more than was announced", solicitation, { packetSize: 71 }],
      ["IP version 5", put(14, "5a"), {}],
      ["another next header", put(20, "11"), {}],
      ["to a unicast address", put(38, "fe80"), {}],
      ["to a group of a site", put(38, "ff05"), {}],
      ["a payload longer than what is there", put(18, "0021"), {}],
      ["a target that is a group", put(62, "ff02"), {}],
      ["a target that is IPv4-mapped", put(62, "00000000000000000000ffff0a000001"), {}],
      ["a loopback target", put(62, "00000000000000000000000000000001"), {}],
      ["an option of length 0", put(79, "00"), {}],
      ["an option longer than the packet", put(79, "02"), {}],
      ["no source link-layer address", put(78, "02"), {}],
      ["no options: duplicate address detection", put(18, "0018"), {}],
    ]
    for (const [name, frame, changes] of dropped) {
      const asked = { ...query(solicitation), ...changes }
      assert.equal(askedByNdp(asked, frame), undefined, name)
      assert.equal(replyToNdp(asked, frame, FOUND), undefined, name)
    }
  })

  test("quirk: type and code both have to be right, where the reference refuses only when both are wrong", () => {
    for (const octets of ["8800", "8701", "8801"])
      assert.equal(askedByNdp(query(solicitation), put(54, octets)), undefined, octets)
  })
})

describe("B7: proxy_dhcp", () => {
  const discover = hex(
    `ffffffffffff deadbeef0000 0800 4500 0148 0000 0000 40 11 0000 00000000 ffffffff 0044 0043 0134 0000 ${"00".repeat(300)}`,
  )

  test("the broadcast goes to the server's MAC, and nothing else of it changes", () => {
    const sent = redirectDhcp(query(discover), discover, FOUND) ?? new Uint8Array(0)
    assert.equal(toHex(sent), `deadbeef0002${toHex(discover).slice(12)}`)
    assert.equal(toHex(discover.subarray(0, 6)), "ffffffffffff", "the frame given stays as it is")
  })

  test("what is dropped", () => {
    const dropped: readonly (readonly [string, Uint8Array, Partial<FrameQuery>])[] = [
      ["another EtherType", discover, { etherType: 0x0806 }],
      ["no broadcast", discover, { destination: FOUND }],
      ["327 octets", discover.subarray(0, 341), { packetSize: 327 }],
      ["less than announced", discover.subarray(0, 341), {}],
      ["more than announced", Uint8Array.of(...discover, 0), {}],
      ["more than the buffer has", discover, { packetSize: 1505 }],
      ["an IPv4 header of 16 octets", discover.with(14, 0x44), {}],
      ["an IPv4 header that leaves no room", discover.with(14, 0x46), {}],
      ["from another port", discover.with(35, 0x45), {}],
      ["to another port", discover.with(37, 0x44), {}],
    ]
    for (const [name, frame, changes] of dropped)
      assert.equal(isDhcpBroadcast({ ...query(discover), ...changes }, frame), false, name)
  })

  test("quirk: IP version and protocol both have to be right, where the reference refuses only when both are wrong", () => {
    assert.equal(isDhcpBroadcast(query(discover), discover.with(14, 0x65)), false)
    assert.equal(isDhcpBroadcast(query(discover), discover.with(23, 6)), false)
  })
})

describe("B7: inject_arp", () => {
  const sender = address("10.55.55.4")

  test("42 octets, a request with both addresses the sender's; 46 with a VLAN", () => {
    const arp = "0806 0001 0800 06 04 0001 deadbeef0002 0a373704 ffffffffffff 0a373704"
    assert.equal(
      toHex(gratuitousArp(0, FOUND, sender) ?? new Uint8Array(0)),
      toHex(hex(`ffffffffffff deadbeef0002 ${arp}`)),
    )
    const tagged = gratuitousArp(5, FOUND, sender, macOf(1)) ?? new Uint8Array(0)
    assert.equal(toHex(tagged), toHex(hex(`000000000001 deadbeef0002 8100 0005 ${arp}`)))
    assert.deepEqual([gratuitousArp(0, FOUND, sender)?.length, tagged.length], [42, 46])
  })

  test("no IPv6, and no VLAN of more than 12 bits", () => {
    assert.equal(gratuitousArp(0, FOUND, address("fe80::3")), undefined)
    assert.equal(gratuitousArp(4096, FOUND, sender), undefined)
  })
})

test("any octets, with any sizes said of them: no throw, and none is written to", () => {
  fc.assert(
    fc.property(
      anyFrame,
      fc.nat(20),
      fc.nat(200),
      fc.constantFrom(0x0800, 0x0806, 0x86dd),
      (frame, headerSize, packetSize, etherType) => {
        const before = toHex(frame)
        const said = {
          headerSize,
          packetSize,
          source: macOf(1),
          destination: macOf(0x3333ff000003),
          etherType,
          vlan: 0,
        }
        for (const one of [queryOf(frame), said]) {
          if (one === undefined) continue
          const asked = askedByArp(one, frame)
          assert.equal(replyToArp(one, frame, FOUND) === undefined, asked === undefined)
          assert.equal(replyToNdp(one, frame, FOUND) === undefined, askedByNdp(one, frame) === undefined)
          redirectDhcp({ ...one, destination: macOf(2 ** 48 - 1) }, frame, FOUND)
        }
        assert.equal(toHex(frame), before)
      },
    ),
    { numRuns: 2000 },
  )
})
