/** Generators of frames and their parts for property tests. */
import fc from "fast-check"
import {
  type ArpPacket,
  type DhcpMessage,
  type DhcpOption,
  type EthernetFrame,
  encodeArp,
  encodeDhcp,
  encodeEthernet,
  encodeNeighbor,
  encodeUdp4,
  encodeVxlan,
  type Mac,
  macOf,
  type NeighborMessage,
  type NeighborOption,
  type OtherArpPacket,
  type Udp4Packet,
  type VxlanPacket,
} from "../../../core/overlay/index.ts"
import { type Address, addressFromIpv4, addressFromWords, type Encoded } from "../../../core/wire/index.ts"

/** Plain objects: fast-check's own records may lack a prototype, which deep equality notices. */
export const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true })

export const bits = (count: number): fc.Arbitrary<number> =>
  fc.oneof(fc.constantFrom(0, 1, 2 ** count - 1), fc.integer({ min: 0, max: 2 ** count - 1 }))
export const octets = (maxLength: number) => fc.uint8Array({ maxLength })
export const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

export const mac: fc.Arbitrary<Mac> = fc
  .oneof(
    fc.constantFrom(0, 2 ** 48 - 1, 0x333300000001),
    fc.maxSafeNat().map((value) => value % 2 ** 48),
  )
  .map(macOf)
export const ipv4: fc.Arbitrary<Address> = bits(32).map(addressFromIpv4)
export const address: fc.Arbitrary<Address> = fc.oneof(
  ipv4,
  fc.tuple(bits(32), bits(32), bits(32), bits(32)).map(([a, b, c, d]) => addressFromWords(a, b, c, d)),
)

const tag = record({
  type: fc.constantFrom(0x8100, 0x88a8),
  priority: bits(3),
  dropEligible: fc.boolean(),
  id: bits(12),
})

export const ethernet: fc.Arbitrary<EthernetFrame> = record({
  destination: mac,
  source: mac,
  tags: fc.array(tag, { maxLength: 3 }),
  type: fc
    .oneof(fc.constantFrom(0x0800, 0x0806, 0x86dd), bits(16))
    .filter((type) => type !== 0x8100 && type !== 0x88a8),
  payload: octets(80),
})

export const arp: fc.Arbitrary<ArpPacket> = record({
  kind: fc.constant("arp" as const),
  operation: bits(16),
  senderMac: mac,
  sender: ipv4,
  targetMac: mac,
  target: ipv4,
  trailing: octets(18),
})

export const otherArp: fc.Arbitrary<OtherArpPacket> = fc
  .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }))
  .chain(([hardware, protocol]) =>
    record({
      kind: fc.constant("other-arp" as const),
      hardware: bits(16).filter((value) => value !== 1),
      protocol: bits(16),
      operation: bits(16),
      senderHardware: exactly(hardware),
      sender: exactly(protocol),
      targetHardware: exactly(hardware),
      target: exactly(protocol),
      trailing: octets(18),
    }),
  )

const neighborOption: fc.Arbitrary<NeighborOption> = fc.oneof(
  record({ kind: fc.constant("source-link-layer" as const), mac }),
  record({ kind: fc.constant("target-link-layer" as const), mac }),
  record({
    kind: fc.constant("other" as const),
    type: fc.integer({ min: 3, max: 255 }),
    data: fc.nat(3).chain((units) => exactly(6 + 8 * units)),
  }),
)

export const neighbor: fc.Arbitrary<NeighborMessage> = record({
  kind: fc.constantFrom("neighbor-solicitation" as const, "neighbor-advertisement" as const),
  trafficClass: bits(8),
  flowLabel: bits(20),
  hopLimit: bits(8),
  source: address,
  destination: address,
  code: bits(8),
  flags: bits(3),
  reserved: bits(29),
  target: address,
  options: fc.array(neighborOption, { maxLength: 3 }),
  trailing: octets(10),
})

export const udp4: fc.Arbitrary<Udp4Packet> = record({
  service: bits(8),
  id: bits(16),
  flags: bits(2).map((value) => value << 1),
  ttl: bits(8),
  source: ipv4,
  destination: ipv4,
  options: fc.nat(10).chain((words) => exactly(4 * words)),
  sourcePort: fc.oneof(fc.constantFrom(67, 68), bits(16)),
  destinationPort: fc.oneof(fc.constantFrom(67, 68, 4789), bits(16)),
  payload: octets(60),
  slack: octets(5),
  trailing: octets(5),
})

const dhcpOption: fc.Arbitrary<DhcpOption> = fc.oneof(
  fc.constant({ code: 0, data: new Uint8Array(0) }),
  record({ code: fc.integer({ min: 1, max: 254 }), data: octets(20) }),
)

export const dhcp: fc.Arbitrary<DhcpMessage> = record({
  operation: bits(8),
  hardware: bits(8),
  hardwareLength: bits(8),
  hops: bits(8),
  xid: bits(32),
  seconds: bits(16),
  flags: bits(16),
  client: ipv4,
  yours: ipv4,
  server: ipv4,
  relay: ipv4,
  clientHardware: exactly(16),
  serverName: exactly(64),
  file: exactly(128),
  options: fc.option(fc.array(dhcpOption, { maxLength: 6 }), { nil: undefined }),
  ended: fc.constant(true),
  trailing: octets(20),
}).map((message) => (message.options === undefined ? { ...message, ended: false } : message))

export const vxlan: fc.Arbitrary<VxlanPacket> = fc.oneof(
  record({ vnetid: bits(24), frame: octets(60) }),
  record({
    vnetid: bits(24),
    frame: octets(60),
    reserved: record({
      flags: bits(8).map((value) => value & 0xf7),
      middle: bits(24),
      last: fc.integer({ min: 1, max: 255 }),
    }),
  }),
)

/** The octets of what has some. */
export const bytesOf = (encoded: Encoded): Uint8Array => {
  if (!encoded.ok) throw new Error(encoded.error.text)
  return encoded.bytes
}

const around = (type: number, payload: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc.tuple(ethernet, payload).map(([frame, payload]) => bytesOf(encodeEthernet({ ...frame, type, payload })))

const plain: fc.Arbitrary<Uint8Array> = fc.oneof(
  ethernet.map((frame) => bytesOf(encodeEthernet(frame))),
  around(
    0x0806,
    arp.map((value) => bytesOf(encodeArp(value))),
  ),
  around(
    0x0806,
    otherArp.map((value) => bytesOf(encodeArp(value))),
  ),
  around(
    0x86dd,
    neighbor.map((value) => bytesOf(encodeNeighbor(value))),
  ),
  around(
    0x0800,
    udp4.map((value) => bytesOf(encodeUdp4(value))),
  ),
  around(
    0x0800,
    fc
      .tuple(udp4, dhcp)
      .map(([value, message]) =>
        bytesOf(encodeUdp4({ ...value, sourcePort: 68, destinationPort: 67, payload: bytesOf(encodeDhcp(message)) })),
      ),
  ),
)

/** Whole frames of every kind, some with a tunnel and a frame in it. */
export const frame: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: plain },
  around(
    0x0800,
    fc
      .tuple(udp4, bits(24), plain)
      .map(([value, vnetid, inner]) =>
        bytesOf(
          encodeUdp4({ ...value, destinationPort: 4789, payload: bytesOf(encodeVxlan({ vnetid, frame: inner })) }),
        ),
      ),
  ),
)

/** Octets after a few changes: one set, the end cut off, some put in. */
export const changed = (bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc.tuple(bytes, fc.array(fc.tuple(fc.nat(3), fc.nat(2000), bits(8)), { maxLength: 3 })).map(([start, changes]) =>
    changes.reduce((now, [kind, at, value]) => {
      const index = now.length === 0 ? 0 : at % now.length
      if (kind === 0) return now.slice(0, index)
      if (kind === 1) return Uint8Array.of(...now.slice(0, index), value, ...now.slice(index))
      return now.length === 0 ? now : now.with(index, value)
    }, start),
  )

/** Frames as they are, changed, and noise. */
export const anyFrame: fc.Arbitrary<Uint8Array> = fc.oneof(frame, changed(frame), octets(120))
