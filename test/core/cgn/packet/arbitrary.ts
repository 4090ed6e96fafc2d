/** Packets at random: whole and right ones of each kind, broken ones, and octets of any sort. */
import fc from "fast-check"
import {
  dccp,
  type Ends,
  fragmentHeader,
  icmp4,
  icmp6,
  ip4,
  ip6,
  type Octets,
  octets,
  type PortEnds,
  sctp,
  tcp,
  udp,
  udpLite,
} from "./build.ts"

const port = fc.integer({ min: 0, max: 0xffff })
const data = fc.uint8Array({ maxLength: 80 })

/** Ends of one family; addresses of documentation, so that tshark finds nothing odd in them. */
export const ends4: fc.Arbitrary<PortEnds> = fc
  .tuple(fc.nat(255), fc.nat(255), port, port)
  .map(([a, b, sourcePort, destinationPort]) => ({
    source: `192.0.2.${a}`,
    destination: `198.51.100.${b}`,
    sourcePort,
    destinationPort,
  }))
export const ends6: fc.Arbitrary<PortEnds> = fc
  .tuple(port, port, port, port)
  .map(([a, b, sourcePort, destinationPort]) => ({
    source: `2001:db8:1:${a.toString(16)}::1`,
    destination: `2001:db8:2:${b.toString(16)}::2`,
    sourcePort,
    destinationPort,
  }))

type Payload = { readonly protocol: number; readonly bytes: Uint8Array }

/** Of no well-known port, where tshark would look for what the data are not. */
const transport = (ends: PortEnds, content: Octets, coverage: number): readonly Payload[] => [
  { protocol: 6, bytes: tcp(ends, content, 0x10) },
  { protocol: 17, bytes: udp(ends, content) },
  {
    protocol: 136,
    bytes: udpLite(ends, content, coverage % (content.length + 1) === 0 ? 0 : 8 + (coverage % content.length)),
  },
  { protocol: 33, bytes: dccp(ends, content) },
  { protocol: 132, bytes: sctp(ends.sourcePort, ends.destinationPort) },
]

const echo4 = (ends: PortEnds, content: Octets, type: number): Payload => ({
  protocol: 1,
  bytes: icmp4(type, 0, [ends.sourcePort >> 8, ends.sourcePort & 255, 0, 1], content),
})
const echo6 = (ends: PortEnds, content: Octets, type: number): Payload => ({
  protocol: 58,
  bytes: icmp6(ends, type, 0, [ends.sourcePort >> 8, ends.sourcePort & 255, 0, 1], content),
})

/** The fields of an IPv4 header that both ways of translation keep. */
const header = fc.record({
  ttl: fc.integer({ min: 3, max: 255 }),
  tos: fc.nat(255),
  id: fc.nat(0xffff),
})

/** A whole IPv4 packet without options, and its ends. */
export const whole4: fc.Arbitrary<{ readonly ends: PortEnds; readonly bytes: Uint8Array }> = fc
  .tuple(ends4, data, fc.nat(1000), fc.nat(6), header)
  .map(([ends, content, coverage, which, fields]) => {
    const payloads = [...transport(ends, content, coverage), echo4(ends, content, 8), echo4(ends, content, 0)]
    const { protocol, bytes } = payloads[which]
    return { ends, bytes: ip4({ ...ends, ...fields, protocol }, bytes) }
  })

/** A whole IPv6 packet without extension headers, and its ends. */
export const whole6: fc.Arbitrary<{ readonly ends: PortEnds; readonly bytes: Uint8Array }> = fc
  .tuple(ends6, data, fc.nat(1000), fc.nat(6), header)
  .map(([ends, content, coverage, which, { ttl, tos }]) => {
    const payloads = [...transport(ends, content, coverage), echo6(ends, content, 128), echo6(ends, content, 129)]
    const { protocol, bytes } = payloads[which]
    return { ends, bytes: ip6({ ...ends, protocol, hopLimit: ttl, trafficClass: tos }, bytes) }
  })

/** An ICMP error about a whole packet, sent back to where that came from. */
export const error4 = fc
  .tuple(
    whole4,
    fc.constantFrom([3, 0], [3, 1], [3, 3], [3, 4], [3, 13], [11, 0], [11, 1], [12, 0]),
    fc.integer({ min: 28, max: 200 }),
  )
  .map(([{ ends, bytes }, [type, code], left]) => {
    const outer: Ends = { source: ends.destination, destination: ends.source }
    return { ends, bytes: ip4({ ...outer, protocol: 1 }, icmp4(type, code, [0, 0, 5, 0], bytes.subarray(0, left))) }
  })
export const error6 = fc
  .tuple(
    whole6,
    fc.constantFrom([1, 0], [1, 1], [1, 3], [1, 4], [2, 0], [3, 0], [3, 1], [4, 0]),
    fc.integer({ min: 48, max: 200 }),
  )
  .map(([{ ends, bytes }, [type, code], left]) => {
    const outer: Ends = { source: ends.destination, destination: ends.source }
    const rest = type === 2 ? [0, 0, 5, 0x14] : [0, 0, 0, 0]
    return { ends, bytes: ip6({ ...outer, protocol: 58 }, icmp6(outer, type, code, rest, bytes.subarray(0, left))) }
  })

/** Any extension headers and options, in any order, lengths true or not. */
const odd4 = fc
  .tuple(ends4, fc.nat(255), fc.uint8Array({ maxLength: 40 }), data, fc.nat(7), fc.nat(0x1fff), header)
  .map(([ends, protocol, options, content, flags, offset, fields]) =>
    ip4({ ...ends, ...fields, protocol, options: options.subarray(0, options.length & ~3), flags, offset }, content),
  )
const odd6 = fc
  .tuple(
    ends6,
    fc.nat(255),
    fc.array(fc.tuple(fc.constantFrom(0, 43, 44, 60, 51, 135), fc.uint8Array({ minLength: 6, maxLength: 6 })), {
      maxLength: 4,
    }),
    data,
    fc.nat(64),
  )
  .map(([ends, protocol, extensions, content, hopLimit]) => ip6({ ...ends, protocol, hopLimit, extensions }, content))
const fragment6 = fc
  .tuple(ends6, fc.constantFrom(6, 17, 58, 132, 60), fc.nat(8191), fc.boolean(), data)
  .map(([ends, protocol, offset, more, content]) =>
    ip6({ ...ends, protocol, extensions: [fragmentHeader(offset, more, 7)] }, content),
  )
const tunnelled = fc
  .tuple(
    ends6,
    fc.oneof(
      odd4,
      whole4.map(({ bytes }) => bytes),
    ),
    fc.nat(255),
  )
  .map(([ends, bytes, trafficClass]) => ip6({ ...ends, protocol: 4, trafficClass }, bytes))

const made = fc.oneof(
  ...[whole4, whole6, error4, error6].map((arbitrary) => arbitrary.map(({ bytes }) => bytes)),
  odd4,
  odd6,
  fragment6,
  tunnelled,
)

/** The same with octets changed, or cut, or something behind. */
const broken = fc
  .tuple(
    made,
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    fc.nat(),
    fc.boolean(),
    fc.uint8Array({ maxLength: 9 }),
  )
  .map(([bytes, changes, cut, whole, behind]) => {
    const copy = octets(bytes, behind)
    for (const [at, octet] of changes) copy[at % copy.length] = octet
    return whole ? copy : copy.subarray(0, cut % (copy.length + 1))
  })

/** Octets that look like a packet, or not at all. */
export const anything: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 3, arbitrary: made },
  { weight: 5, arbitrary: broken },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 120 }) },
)
