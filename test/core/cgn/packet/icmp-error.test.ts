import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type IcmpCause, icmpError, readPacket } from "../../../../core/cgn/packet/index.ts"
import { DATA, fragmentHeader, icmp4, icmp6, ip4, ip6, octets, type PortEnds, udp } from "./build.ts"
import { address, INSIDE, REMOTE, read, same } from "./scene.ts"

const ENDS: PortEnds = { source: INSIDE, sourcePort: 40000, destination: REMOTE, destinationPort: 53 }
const SIX: PortEnds = { ...ENDS, source: "2001:db8::1", destination: "2001:db8:1::2" }
const US = "10.255.255.1"
const US6 = "2001:db8:ee::1"

const about4 = (packet: Uint8Array, cause: IcmpCause) => icmpError(read(packet), cause, address(US))
const about6 = (packet: Uint8Array, cause: IcmpCause) => icmpError(read(packet), cause, address(US6))

const CAUSES: readonly (readonly [IcmpCause, number, number, readonly number[], number, number, readonly number[]])[] =
  [
    [{ kind: "hop-limit" }, 11, 0, [0, 0, 0, 0], 3, 0, [0, 0, 0, 0]],
    [{ kind: "reassembly-time" }, 11, 1, [0, 0, 0, 0], 3, 1, [0, 0, 0, 0]],
    [{ kind: "no-route" }, 3, 0, [0, 0, 0, 0], 1, 0, [0, 0, 0, 0]],
    [{ kind: "address-unreachable" }, 3, 1, [0, 0, 0, 0], 1, 3, [0, 0, 0, 0]],
    [{ kind: "port-unreachable" }, 3, 3, [0, 0, 0, 0], 1, 4, [0, 0, 0, 0]],
    [{ kind: "protocol-unreachable" }, 3, 2, [0, 0, 0, 0], 1, 4, [0, 0, 0, 0]],
    [{ kind: "prohibited" }, 3, 13, [0, 0, 0, 0], 1, 1, [0, 0, 0, 0]],
    [{ kind: "source-route-failed" }, 3, 5, [0, 0, 0, 0], 1, 0, [0, 0, 0, 0]],
    [{ kind: "too-big", mtu: 1420 }, 3, 4, [0, 0, 5, 0x8c], 2, 0, [0, 0, 5, 0x8c]],
    [{ kind: "parameter", pointer: 19 }, 12, 0, [19, 0, 0, 0], 4, 0, [0, 0, 0, 19]],
  ]

describe("ICMP errors of the translator's own", () => {
  test("NAT-5508-REQ-8, NAT-5508-7.1.1, NAT-5508-7.2, NAT-7915-4.4: over IPv4, each cause", () => {
    const packet = ip4({ ...ENDS, protocol: 17, ttl: 1, tos: 0xb9 }, udp(ENDS))
    for (const [cause, type, code, rest] of CAUSES) {
      const expected = ip4(
        { source: US, destination: INSIDE, protocol: 1, tos: 0xb8, id: 0, flags: 2 },
        icmp4(type, code, rest, packet),
      )
      same(about4(octets(packet, [1, 2, 3]), cause) ?? octets(), expected)
    }
  })

  test("NAT-7915-5.4, NAT-6146-3.4: over IPv6, each cause", () => {
    const packet = ip6({ ...SIX, protocol: 17, hopLimit: 1, trafficClass: 0xb9 }, udp(SIX))
    const ends = { source: US6, destination: SIX.source }
    for (const [cause, , , , type, code, rest] of CAUSES) {
      const expected = ip6({ ...ends, protocol: 58, trafficClass: 0xb8 }, icmp6(ends, type, code, rest, packet))
      same(about6(packet, cause) ?? octets(), expected)
    }
  })

  test("NAT-1812-4.3.2.3, NAT-4443-2.4: as much of the packet as 576 and 1280 octets hold", () => {
    const long = ip4({ ...ENDS, protocol: 17 }, udp(ENDS, new Uint8Array(1400).fill(7)))
    const error = about4(long, { kind: "prohibited" }) ?? octets()
    assert.equal(error.length, 576)
    same(error.subarray(28), long.subarray(0, 548))
    const long6 = ip6({ ...SIX, protocol: 17 }, udp(SIX, new Uint8Array(1400).fill(7)))
    const error6 = about6(long6, { kind: "prohibited" }) ?? octets()
    assert.equal(error6.length, 1280)
    same(error6.subarray(48), long6.subarray(0, 1232))
    assert.ok(readPacket(error).ok && readPacket(error6).ok)
  })

  test("NAT-1812-4.3.2.7, NAT-4443-2.4e: none about errors, later fragments, multicast, and sources that are no host", () => {
    const none4 = (packet: Uint8Array) => assert.equal(about4(packet, { kind: "hop-limit" }), undefined)
    none4(ip4({ ...ENDS, protocol: 1 }, icmp4(3, 1, [0, 0, 0, 0], ip4({ ...ENDS, protocol: 17 }, udp(ENDS)))))
    for (const type of [4, 5]) none4(ip4({ ...ENDS, protocol: 1 }, icmp4(type, 0, [0, 0, 0, 0], DATA)))
    none4(ip4({ ...ENDS, protocol: 17, offset: 9 }, DATA))
    for (const source of ["0.0.0.0", "127.0.0.1", "224.1.1.1", "255.255.255.255"])
      none4(ip4({ ...ENDS, source, protocol: 47 }, DATA))
    for (const destination of ["224.0.0.251", "255.255.255.255"])
      none4(ip4({ ...ENDS, destination, protocol: 47 }, DATA))
    assert.ok(about4(ip4({ ...ENDS, protocol: 1 }, icmp4(8, 0, [0, 1, 0, 1], DATA)), { kind: "hop-limit" }))
    assert.ok(about4(ip4({ ...ENDS, protocol: 17, flags: 1 }, udp(ENDS, DATA.subarray(0, 8))), { kind: "hop-limit" }))

    const none6 = (packet: Uint8Array) => assert.equal(about6(packet, { kind: "hop-limit" }), undefined)
    none6(ip6({ ...SIX, protocol: 58 }, icmp6(SIX, 1, 0, [0, 0, 0, 0], ip6({ ...SIX, protocol: 17 }, udp(SIX)))))
    for (const type of [0, 100, 137]) none6(ip6({ ...SIX, protocol: 58 }, icmp6(SIX, type, 0, [0, 0, 0, 0], DATA)))
    none6(ip6({ ...SIX, protocol: 17, extensions: [fragmentHeader(2, false, 1)] }, DATA))
    for (const source of ["::", "ff02::1"]) none6(ip6({ ...SIX, source, protocol: 50 }, DATA))
    const multicast = ip6({ ...SIX, destination: "ff0e::1", protocol: 50 }, DATA)
    none6(multicast)
    assert.ok(about6(multicast, { kind: "too-big", mtu: 1280 }))
    assert.ok(about6(ip6({ ...SIX, protocol: 58 }, icmp6(SIX, 128, 0, [0, 1, 0, 1], DATA)), { kind: "hop-limit" }))
  })
})
