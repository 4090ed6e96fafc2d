import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  CROSSING_DEFAULTS,
  type Crossing,
  encapsulate,
  fitLink,
  type IcmpCause,
  type IpPacket,
  icmpError,
  nptv6Inbound,
  nptv6Outbound,
  type Rewritten,
  readPacket,
  rewrite,
  type Translated,
  toIpv4,
  toIpv6,
} from "../../../../core/cgn/packet/index.ts"
import { makeTranslator } from "../../../../core/cgn/stateless/prefix.ts"
import { error4, error6, whole4, whole6 } from "./arbitrary.ts"
import { ip4, toHex, udp } from "./build.ts"
import { address, bytesOf, packetsOf, prefix, read } from "./scene.ts"
import { judge, tsharkVersion } from "./tshark.ts"

const version = tsharkVersion()
const missing = "tshark is not installed (Debian package tshark)"
if (version === undefined && process.env.CI === "true") throw new Error(missing)

/** The same packets at every run: which of the random ports wake a dissector does not change under us. */
const sample = (arbitrary: fc.Arbitrary<{ readonly bytes: Uint8Array }>, seed: number) =>
  fc.sample(arbitrary, { seed, numRuns: 400 }).map(({ bytes }) => read(bytes))

/** Is a packet in error cut short? */
const isCut = ({ embedded }: IpPacket): boolean =>
  embedded !== undefined && embedded.end - embedded.start < embedded.totalLength

/** RFC 6296 section 3.2: a subnet without a mapping. */
const isUnmapped = (packet: IpPacket): boolean =>
  [14, 30].some((at) => packet.bytes[at] === 255 && packet.bytes[at + 1] === 255)

/** SCTP keeps its ports. */
const without = (packet: IpPacket, to: Crossing): Crossing =>
  (packet.embedded ?? packet).protocol === 132 ? { ...to, sourcePort: undefined, destinationPort: undefined } : to

const V4 = [...sample(whole4, 1), ...sample(error4, 2)]
const V6 = [...sample(whole6, 3), ...sample(error6, 4)]
const PORTS = { sourcePort: 40001, destinationPort: 40002 }
const TO6: Crossing = { ...PORTS, source: address("2001:db8:5::1"), destination: address("2001:db8:6::2") }
const TO4: Crossing = { ...PORTS, source: address("203.0.113.1"), destination: address("203.0.113.2") }
const NPT = makeTranslator({ internal: prefix("2001:db8:1::/48"), external: prefix("2001:db8:abcd::/48") })
const NPT_BACK = makeTranslator({ internal: prefix("2001:db8:1::/48"), external: prefix("2001:db8:2::/48") })
const NPT_ERROR = makeTranslator({ internal: prefix("2001:db8:abcd::/48"), external: prefix("2001:db8:1::/48") })
const TUNNEL = { local: address("2001:db8::1"), remote: address("2001:db8::2"), mtu: 1280, hopLimit: 9 }

const bytes = (results: readonly Rewritten[]): Uint8Array[] => results.map(bytesOf)
const packets = (results: readonly Translated[]): Uint8Array[] => results.flatMap(packetsOf)

/**
 * None is bad, and at least one is good. Of a packet in error that is cut the transport checksum does not count: tshark holds
 * some protocols to it even so.
 */
const hold = (out: readonly Uint8Array[], layers: RegExp): void => {
  const judgements = judge(out)
  assert.equal(judgements.length, out.length)
  judgements.forEach(({ protocols, network, transport }, i) => {
    const packet = readPacket(out[i], protocols.startsWith("raw:ipv6:ip:") ? 40 : 0)
    const statuses = packet.ok && isCut(packet) ? network : [...network, ...transport]
    const text = `${protocols} ${statuses.join()} ${toHex(out[i])}`
    assert.match(protocols, layers, text)
    assert.ok(!statuses.includes("0"), text)
    assert.ok(statuses.includes("1"), text)
  })
}

describe(`checksums by ${version ?? "tshark"}`, { skip: version === undefined ? missing : false }, () => {
  test("it tells a wrong one: a bit of each packet's last octet, and of each header", () => {
    const wrong = V4.filter(({ embedded }) => embedded === undefined).flatMap((packet) =>
      [packet.end - 1, packet.start + 15].map((at) => {
        const copy = packet.bytes.slice()
        copy[at] ^= 4
        return copy
      }),
    )
    const found = judge(wrong).filter(({ network, transport }) => [...network, ...transport].includes("0")).length
    // UDP-Lite does not cover all octets.
    assert.ok(found > wrong.length * 0.9, `${found} of ${wrong.length}`)
  })

  test("NAT44: new ends, both sides", () => {
    const out = V4.map((packet) => rewrite(packet, without(packet, TO4)))
    hold(bytes(out), /^raw:ip:(tcp|udp|udplite|dccp|sctp|icmp)/)
  })

  test("NAT-7915-4: IPv4 to IPv6", () => {
    hold(
      packets(V4.map((packet) => toIpv6(packet, without(packet, TO6), CROSSING_DEFAULTS))),
      /^raw:ipv6:(tcp|udp|udplite|dccp|sctp|icmpv6)/,
    )
  })

  test("NAT-7915-4.5: UDP without checksum", () => {
    const ends = { source: "192.0.2.1", destination: "192.0.2.2", sourcePort: 1, destinationPort: 2 }
    const bare = Array.from({ length: 50 }, (_, i) =>
      read(ip4({ ...ends, protocol: 17 }, udp({ ...ends, sourcePort: 40000 + i }, new Uint8Array(i).fill(i), 0))),
    )
    hold(packets(bare.map((packet) => toIpv6(packet, TO6, CROSSING_DEFAULTS))), /^raw:ipv6:udp/)
  })

  test("NAT-7915-5: IPv6 to IPv4", () => {
    hold(
      packets(V6.map((packet) => toIpv4(packet, without(packet, TO4), 7, CROSSING_DEFAULTS))),
      /^raw:ip:(tcp|udp|udplite|dccp|sctp|icmp)/,
    )
  })

  test("NAT-6296-2.6: NPTv6, out and in", () => {
    const mapped = V6.filter((packet) => !isUnmapped(packet))
    const inside = mapped.filter(({ embedded }) => embedded === undefined)
    hold(bytes(inside.map((packet) => nptv6Outbound(NPT, packet))), /^raw:ipv6:/)
    hold(bytes(inside.map((packet) => nptv6Inbound(NPT_BACK, packet))), /^raw:ipv6:/)
    const errors = mapped.filter(({ embedded }) => embedded !== undefined)
    hold(bytes(errors.map((packet) => nptv6Inbound(NPT_ERROR, packet))), /^raw:ipv6:icmpv6/)
  })

  test("NAT-6333-6.2: in the tunnel", () => {
    hold(packets(V4.map((packet) => encapsulate(packet, TUNNEL, 1))), /^raw:ipv6:ip:/)
  })

  test("fragments, and the translator's own ICMP errors", () => {
    const long = V4.filter(({ end, protocol }) => end > 100 && protocol !== 1)
    hold(packets(long.map((packet) => fitLink(packet, 68))), /^raw:ip:/)
    const causes: readonly IcmpCause[] = [{ kind: "hop-limit" }, { kind: "too-big", mtu: 1300 }, { kind: "prohibited" }]
    const errors = [...V4, ...V6].flatMap((packet) =>
      causes.flatMap(
        (cause) => icmpError(packet, cause, address(packet.version === 4 ? "192.0.2.9" : "2001:db8::9")) ?? [],
      ),
    )
    assert.ok(errors.length > 1000)
    hold(errors, /^raw:ip(v6:icmpv6|:icmp)/)
  })
})
