/** Generators of packets and bytes for property tests. */
import fc from "fast-check"
import type { Address, Nonce, Packet, PcpOption, RequestBody, ResponseBody } from "../../../core/wire/index.ts"
import { ANNOUNCE_BODY, addressFromWords, encode, ResultCode, readNonce } from "../../../core/wire/index.ts"

/** Plain objects: fast-check's own records may lack a prototype, which deep equality notices. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true })

const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.oneof(fc.constantFrom(0, 1, 5350, 5351, 0xffff), fc.integer({ min: 0, max: 0xffff }))
const u32 = fc.oneof(fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff), fc.integer({ min: 0, max: 0xffffffff }))
const octets = (maxLength: number) => fc.uint8Array({ maxLength })

/** All 128 bits, with the shapes that matter often: zeros, IPv4-mapped, IPv4-compatible. */
export const address: fc.Arbitrary<Address> = fc
  .tuple(u32, u32, u32, u32, fc.constantFrom("any", "mapped", "compatible", "zeros6", "zeros4"))
  .map(([a, b, c, d, shape]) => {
    switch (shape) {
      case "mapped":
        return addressFromWords(0, 0, 0xffff, d)
      case "compatible":
        return addressFromWords(0, 0, 0, d)
      case "zeros6":
        return addressFromWords(0, 0, 0, 0)
      case "zeros4":
        return addressFromWords(0, 0, 0xffff, 0)
      default:
        return addressFromWords(a, b, c, d)
    }
  })

const ipv4: fc.Arbitrary<Address> = u32.map((value) => addressFromWords(0, 0, 0xffff, value))

export const nonce: fc.Arbitrary<Nonce> = fc
  .uint8Array({ minLength: 12, maxLength: 12 })
  .map((bytes) => readNonce(bytes, 0))

const text = fc.string({ unit: "grapheme", maxLength: 20 })

const prefix64: fc.Arbitrary<PcpOption> = record({
  prefixLength: fc.constantFrom(4, 5, 6, 7, 8, 12),
  twelve: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  ipv4Prefixes: fc.option(fc.array(record({ length: u16, address: ipv4 }), { maxLength: 5 }), { nil: undefined }),
}).map(({ prefixLength, twelve, ipv4Prefixes }) => ({
  kind: "PREFIX64",
  prefix: twelve.slice(0, prefixLength),
  suffix: twelve.slice(prefixLength),
  ipv4Prefixes,
}))

/** Every option of the registry, and unknown ones. */
export const option: fc.Arbitrary<PcpOption> = fc.oneof(
  record({ kind: fc.constant("THIRD_PARTY" as const), internal: address }),
  record({ kind: fc.constant("PREFER_FAILURE" as const) }),
  record({ kind: fc.constant("FILTER" as const), prefixLength: u8, remotePort: u16, remote: address }),
  record({ kind: fc.constant("NONCE" as const), nonce: u32 }),
  record({
    kind: fc.constant("AUTHENTICATION_TAG" as const),
    sessionId: u32,
    sequence: u32,
    keyId: u32,
    data: octets(40),
  }),
  record({ kind: fc.constant("PA_AUTHENTICATION_TAG" as const), keyId: u32, data: octets(40) }),
  record({ kind: fc.constant("EAP_PAYLOAD" as const), message: octets(60) }),
  record({ kind: fc.constant("PRF" as const), transform: u32 }),
  record({ kind: fc.constant("MAC_ALGORITHM" as const), transform: u32 }),
  record({ kind: fc.constant("SESSION_LIFETIME" as const), lifetime: u32 }),
  record({ kind: fc.constant("RECEIVED_PAK" as const), sequence: u32 }),
  record({ kind: fc.constant("ID_INDICATOR" as const), indicator: text }),
  record({ kind: fc.constant("THIRD_PARTY_ID" as const), id: octets(40) }),
  record({ kind: fc.constant("DESCRIPTION" as const), text }),
  prefix64,
  record({ kind: fc.constant("PORT_SET" as const), size: u16, firstInternalPort: u16, parity: fc.boolean() }),
  record({
    kind: fc.constant("unknown" as const),
    code: fc.constantFrom(0, 14, 63, 96, 127, 131, 200, 255),
    data: octets(30),
  }),
)

const options = fc.array(option, { maxLength: 6 })

const mapping = {
  nonce,
  protocol: fc.oneof(fc.constantFrom(0, 6, 17, 132), u8),
  internalPort: u16,
  externalPort: u16,
  external: address,
}
const map = record({ kind: fc.constant("map" as const), ...mapping })
const peer = record({ kind: fc.constant("peer" as const), ...mapping, remotePort: u16, remote: address })
const unknownOpcode = fc.integer({ min: 4, max: 127 })
/** A multiple of 4 octets: the canonical form has no other. */
const opaqueBytes = fc.integer({ min: 0, max: 20 }).chain((n) => fc.uint8Array({ minLength: 4 * n, maxLength: 4 * n }))
const opaque = record({ kind: fc.constant("opaque" as const), opcode: unknownOpcode, bytes: opaqueBytes })

const withOptions = <B extends RequestBody | ResponseBody>(body: fc.Arbitrary<B>) => fc.tuple(body, options)
const withoutOptions = <B extends RequestBody | ResponseBody>(body: fc.Arbitrary<B>) =>
  fc.tuple(body, fc.constant<PcpOption[]>([]))

const requestParts: fc.Arbitrary<readonly [RequestBody, PcpOption[]]> = fc.oneof(
  withOptions(map),
  withOptions(peer),
  withOptions(fc.constant(ANNOUNCE_BODY)),
  withOptions(record({ kind: fc.constant("authentication" as const), result: u8, sessionId: u32, sequence: u32 })),
  withoutOptions(opaque),
)

export const pcpRequest: fc.Arbitrary<Packet> = record({ lifetime: u32, client: address, parts: requestParts }).map(
  ({ lifetime, client, parts: [body, options] }) => ({ kind: "pcp-request", lifetime, client, body, options }),
)

const responseParts: fc.Arbitrary<readonly [ResponseBody, PcpOption[]]> = fc.oneof(
  withOptions(map),
  withOptions(peer),
  withOptions(fc.constant(ANNOUNCE_BODY)),
  withOptions(record({ kind: fc.constant("authentication" as const), sessionId: u32, sequence: u32 })),
  withoutOptions(opaque),
)

/** The tail is nonzero wherever it is there: `parse` gives `undefined` for zeros. */
const tail = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => bytes.with(11, bytes[11] | 1))

const successOrError: fc.Arbitrary<Packet> = record({
  result: fc.oneof(fc.constant(0), fc.integer({ min: 2, max: 255 })),
  lifetime: u32,
  epoch: u32,
  clientTail: fc.option(tail, { nil: undefined }),
  parts: responseParts,
}).map(({ result, lifetime, epoch, clientTail, parts: [body, options] }) => ({
  kind: "pcp-response",
  result,
  lifetime,
  epoch,
  clientTail: result === 0 ? undefined : clientTail,
  body,
  options,
}))

/** Any opcode: the body copies a request of another version. */
const versionError: fc.Arbitrary<Packet> = record({
  lifetime: u32,
  epoch: u32,
  opcode: fc.integer({ min: 0, max: 127 }),
  bytes: opaqueBytes,
}).map(({ lifetime, epoch, opcode, bytes }) => ({
  kind: "pcp-response",
  result: ResultCode.UNSUPP_VERSION,
  lifetime,
  epoch,
  clientTail: undefined,
  body: { kind: "opaque", opcode, bytes },
  options: [],
}))

export const pcpResponse: fc.Arbitrary<Packet> = fc.oneof({ weight: 6, arbitrary: successOrError }, versionError)

const tcpOrUdp = fc.constantFrom("udp" as const, "tcp" as const)
const otherNatPmpOpcode = fc.integer({ min: 3, max: 127 })

export const natPmp: fc.Arbitrary<Packet> = fc.oneof(
  record({ kind: fc.constant("natpmp-address-request" as const) }),
  record({ kind: fc.constant("natpmp-address-response" as const), result: u16, epoch: u32, external: ipv4 }),
  record({
    kind: fc.constant("natpmp-map-request" as const),
    protocol: tcpOrUdp,
    internalPort: u16,
    externalPort: u16,
    lifetime: u32,
  }),
  record({
    kind: fc.constant("natpmp-map-response" as const),
    protocol: tcpOrUdp,
    result: u16,
    epoch: u32,
    internalPort: u16,
    externalPort: u16,
    lifetime: u32,
  }),
  record({
    kind: fc.constant("natpmp-version-error" as const),
    opcode: fc.oneof(fc.constant(0), fc.integer({ min: 128, max: 255 })),
    epoch: u32,
  }),
  record({ kind: fc.constant("natpmp-other-request" as const), opcode: otherNatPmpOpcode, bytes: octets(30) }),
  // Not result 1, with which eight octets are a version error.
  record({
    kind: fc.constant("natpmp-other-response" as const),
    opcode: otherNatPmpOpcode,
    result: fc.integer({ min: 2, max: 0xffff }),
    bytes: octets(30),
  }),
)

export const otherVersion: fc.Arbitrary<Packet> = record({
  kind: fc.constant("other-version" as const),
  version: fc.oneof(fc.constant(1), fc.integer({ min: 3, max: 255 })),
  response: fc.boolean(),
  opcode: fc.integer({ min: 0, max: 127 }),
  bytes: octets(60),
})

/** Every kind of packet, in the form that `parse` gives. */
export const packet: fc.Arbitrary<Packet> = fc.oneof(
  { weight: 4, arbitrary: pcpRequest },
  { weight: 4, arbitrary: pcpResponse },
  { weight: 2, arbitrary: natPmp },
  otherVersion,
)

/** The bytes of a generated packet; the few that are too long for PCP become an ANNOUNCE. */
export const canonicalBytes: fc.Arbitrary<Uint8Array> = packet.map((value) => {
  const encoded = encode(value)
  return encoded.ok ? encoded.bytes : Uint8Array.of(2, 0, ...new Uint8Array(22))
})

type Mutation = readonly [kind: "flip" | "set" | "cut" | "grow" | "insert", at: number, value: number]

const mutate = (bytes: Uint8Array, [kind, at, value]: Mutation): Uint8Array => {
  const index = bytes.length === 0 ? 0 : at % bytes.length
  switch (kind) {
    case "flip":
      return bytes.length === 0 ? bytes : bytes.with(index, bytes[index] ^ (1 << (value & 7)))
    case "set":
      return bytes.length === 0 ? bytes : bytes.with(index, value)
    case "cut":
      return bytes.slice(0, index)
    case "grow":
      return Uint8Array.of(...bytes, ...new Uint8Array((value % 9) + 1).fill(at))
    case "insert":
      return Uint8Array.of(...bytes.slice(0, index), value, ...bytes.slice(index))
  }
}

/** Canonical bytes after a few changes. */
export const mutatedBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    canonicalBytes,
    fc.array(fc.tuple(fc.constantFrom("flip", "set", "cut", "grow", "insert"), fc.nat(1200), u8), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([bytes, mutations]) => mutations.reduce(mutate, bytes))

/** Noise behind octets that get it past the first checks. */
export const randomBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom([], [0], [2], [2, 1], [2, 2], [2, 3], [2, 0x80], [2, 0x81, 0, 0], [2, 0x82, 0, 3], [0, 0x81]),
    fc.oneof(octets(40), octets(200), octets(1400)),
  )
  .map(([start, rest]) => Uint8Array.of(...start, ...rest))

/** Everything: canonical, mutated, random. */
export const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(canonicalBytes, mutatedBytes, mutatedBytes, randomBytes)
