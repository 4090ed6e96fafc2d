/** Generators of SVP messages. */
import fc from "fast-check"
import type { SvpBody, SvpLogRecord, SvpMessage } from "../../../../core/overlay/index.ts"
import { address, bits, exactly, mac, octets, record } from "../arbitrary.ts"

const uuid = exactly(16).map((bytes) => Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join(""))

const logRecord: fc.Arbitrary<SvpLogRecord> = fc.oneof(
  record({ kind: fc.constant("vl2" as const), uuid, mac, pad: bits(16), vnetid: bits(32) }),
  record({ kind: fc.constant("vl3" as const), uuid, address, pad: bits(16), vlan: bits(16), vnetid: bits(32) }),
  record({
    kind: fc.constant("route" as const),
    uuid,
    sourceVnetid: bits(32),
    destinationVnetid: bits(32),
    dcid: bits(32),
    source: address,
    destination: address,
    destinationVlan: bits(16),
    sourceVlan: bits(16),
    sourcePrefix: bits(8),
    destinationPrefix: bits(8),
    pad: bits(16),
  }),
)

/** Too short for a record of any type. */
const rest = octets(31)

export const bodyOfOne: fc.Arbitrary<SvpBody> = fc.oneof(
  record({ kind: fc.constantFrom("ping" as const, "pong" as const) }),
  record({ kind: fc.constantFrom("vl2-request" as const, "shootdown" as const), mac, pad: bits(16), vnetid: bits(32) }),
  record({ kind: fc.constant("vl2-ack" as const), status: bits(16), port: bits(16), address }),
  record({ kind: fc.constant("vl3-request" as const), address, type: bits(32), vnetid: bits(32) }),
  record({ kind: fc.constant("vl3-ack" as const), status: bits(32), mac, port: bits(16), address }),
  record({ kind: fc.constant("bulk-request" as const), type: bits(32) }),
  record({ kind: fc.constant("bulk-ack" as const), status: bits(32), type: bits(32), data: octets(20) }),
  record({ kind: fc.constant("log-request" as const), count: bits(32), address }),
  record({
    kind: fc.constant("log-ack" as const),
    status: bits(32),
    records: fc.array(logRecord, { maxLength: 4 }),
    rest,
  }),
  record({ kind: fc.constant("log-remove" as const), uuids: fc.array(uuid, { maxLength: 4 }) }),
  record({ kind: fc.constant("log-remove-ack" as const), status: bits(32) }),
  record({
    kind: fc.constant("other" as const),
    op: fc.oneof(fc.constantFrom(0, 14, 15), fc.integer({ min: 16, max: 0xffff })),
    data: octets(50),
  }),
)

const routes: fc.Arbitrary<SvpBody> = fc.oneof(
  record({
    kind: fc.constant("route-request" as const),
    vnetid: bits(32),
    vlan: bits(16),
    pad: bits(16),
    source: address,
    destination: address,
  }),
  record({
    kind: fc.constant("route-ack" as const),
    status: bits(32),
    dcid: bits(32),
    vnetid: bits(32),
    vlan: bits(16),
    port: bits(16),
    address,
    sourceMac: mac,
    destinationMac: mac,
    sourcePrefix: bits(8),
    destinationPrefix: bits(8),
    pad: bits(16),
  }),
)

export const message: fc.Arbitrary<SvpMessage> = fc.oneof(
  { weight: 5, arbitrary: record({ version: fc.constant(1), id: bits(32), body: bodyOfOne }) },
  record({ version: fc.constant(2), id: bits(32), body: routes }),
)
