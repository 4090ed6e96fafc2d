/**
 * Named packets to start from: every message and option of RFC 6887, its extensions and RFC 6886, put together octet by
 * octet, and the shapes on which other servers fell (CVE-2019-12111 and the miniupnpd issues of that year and before).
 */
import { put16, put32, putAddress } from "../core/server/model-message.ts"

export const SOURCE = "10.0.0.1"
const ZERO6 = "0".repeat(32)

export interface Fields {
  readonly source?: string
  readonly lifetime?: number
  readonly nonce?: number
  readonly protocol?: number
  readonly internalPort?: number
  readonly suggestedPort?: number
  readonly suggested?: string
  readonly remotePort?: number
  readonly remote?: string
  readonly options?: readonly number[]
}

const message = (opcode: number, length: number, fields: Fields): Uint8Array => {
  const { options = [] } = fields
  const bytes = new Uint8Array(length + options.length)
  bytes[0] = 2
  bytes[1] = opcode
  put32(bytes, 4, fields.lifetime ?? 3600)
  putAddress(bytes, 8, fields.source ?? SOURCE)
  if (length >= 60) {
    for (let i = 24; i < 36; i++) bytes[i] = (fields.nonce ?? 1) + i
    bytes[36] = fields.protocol ?? 17
    put16(bytes, 40, fields.internalPort ?? 4000)
    put16(bytes, 42, fields.suggestedPort ?? 0)
    putAddress(bytes, 44, fields.suggested ?? "0.0.0.0")
  }
  if (length >= 80) {
    put16(bytes, 60, fields.remotePort ?? 443)
    putAddress(bytes, 64, fields.remote ?? "198.51.100.1")
  }
  bytes.set(options, length)
  return bytes
}

export const announce = (fields: Fields = {}): Uint8Array => message(0, 24, { lifetime: 0, ...fields })
export const map = (fields: Fields = {}): Uint8Array => message(1, 60, fields)
export const peer = (fields: Fields = {}): Uint8Array => message(2, 80, fields)

/** An option with its padding (RFC 6887 section 7.3). */
export const option = (code: number, data: ArrayLike<number> = [], length = data.length): number[] => {
  const octets = [code, 0, length >> 8, length & 255, ...Array.from(data)]
  while (octets.length % 4 !== 0) octets.push(0)
  return octets
}

const octetsOf = (address: string): number[] => {
  const bytes = new Uint8Array(16)
  putAddress(bytes, 0, address)
  return [...bytes]
}

export const thirdParty = (address: string): number[] => option(1, octetsOf(address))
export const filter = (prefixLength: number, port: number, remote: string): number[] =>
  option(3, [0, prefixLength, port >> 8, port & 255, ...octetsOf(remote)])

/** RFC 6886 section 3.3. */
export const natPmp = (opcode: 1 | 2, internalPort: number, suggestedPort: number, lifetime: number): Uint8Array => {
  const bytes = new Uint8Array(12)
  bytes[1] = opcode
  put16(bytes, 4, internalPort)
  put16(bytes, 6, suggestedPort)
  put32(bytes, 8, lifetime)
  return bytes
}

const response = (request: Uint8Array, result: number): Uint8Array => {
  const bytes = request.slice()
  bytes[1] |= 128
  bytes[3] = result
  return bytes
}

/** A MAP of just `length` octets: FILTERs as far as they go, then one option that the server ignores. */
export const mapOfLength = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  const options: number[] = []
  for (let n = 0; options.length + 24 <= length - 60 - 4; n++) options.push(...filter(128, 1 + n, "198.51.100.1"))
  const rest = length - 60 - options.length
  bytes.set(map())
  bytes.set(options, 60)
  if (rest >= 4) bytes.set([200, 0, (rest - 4) >> 8, (rest - 4) & 255], 60 + options.length)
  return bytes
}

export const CORPUS: Readonly<Record<string, Uint8Array>> = {
  announce: announce(),
  map: map(),
  "map, lifetime 0": map({ lifetime: 0 }),
  "map, all of a lifetime": map({ lifetime: 0xffffffff }),
  "map, TCP, with a suggestion": map({ protocol: 6, suggestedPort: 2000, suggested: "203.0.113.1" }),
  "map, PREFER_FAILURE": map({ suggestedPort: 2000, suggested: "203.0.113.1", options: option(2) }),
  "map, FILTERs": map({
    options: [...filter(0, 0, ZERO6), ...filter(96, 0, "0.0.0.0"), ...filter(128, 80, "198.51.100.1")],
  }),
  "map, THIRD_PARTY": map({ options: thirdParty("10.0.0.2") }),
  "map, THIRD_PARTY of nobody, IPv6": map({ options: thirdParty(ZERO6) }),
  "map, THIRD_PARTY of nobody, IPv4": map({ options: thirdParty("0.0.0.0") }),
  "map, THIRD_PARTY_ID": map({ options: [...thirdParty("10.0.0.2"), ...option(13, [1, 2, 3])] }),
  "map, external address ::": map({ suggested: ZERO6 }),
  "map, external address :: and a port": map({ suggested: ZERO6, suggestedPort: 2000 }),
  "map, DESCRIPTION": map({ options: option(128, new TextEncoder().encode("Zürich")) }),
  "map, PREFIX64": map({ options: option(129, [0, 12, ...new Uint8Array(12), 0, 0]) }),
  "map, PORT_SET": map({ options: option(130, [0, 4, 15, 160, 1]) }),
  "map, option padding": map({
    options: [
      ...option(200, [1]),
      ...option(201, [1, 2]),
      ...option(202, [1, 2, 3]),
      ...filter(128, 1, "198.51.100.1"),
    ],
  }),
  "map, option length past the end": map({ options: option(200, [1, 2, 3, 4], 5) }),
  "map, option length 65535": map({ options: option(200, [], 65535) }),
  "map, FILTER cut by its length": map({ options: option(3, [0, 128, 0, 80]) }),
  "map, THIRD_PARTY cut by its length": map({ options: option(1, [0, 0, 0, 0]) }),
  "map, ports at the edges": map({ internalPort: 65535, suggestedPort: 65535 }),
  "map, port 1": map({ internalPort: 1, suggestedPort: 1 }),
  "map, all ports": map({ internalPort: 0 }),
  "map, all protocols": map({ protocol: 0, internalPort: 0 }),
  "map, 1096 octets": mapOfLength(1096),
  "map, 1100 octets": mapOfLength(1100),
  "map, 1101 octets": mapOfLength(1101),
  "map, 1104 octets": mapOfLength(1104),
  peer: peer(),
  "peer, lifetime 0": peer({ lifetime: 0 }),
  "peer, with a suggestion": peer({ suggestedPort: 2001, suggested: "203.0.113.1" }),
  "peer, PREFER_FAILURE": peer({ suggestedPort: 2001, options: option(2) }),
  "peer, remote :::": peer({ remote: ZERO6 }),
  "peer, THIRD_PARTY": peer({ options: thirdParty("10.0.0.3") }),
  authentication: message(3, 24, {
    options: [0, 0, 0, 1, 0, 0, 0, 2, ...option(7, [1, 1, 0, 5, 1]), ...option(5, new Uint8Array(28))],
  }),
  "unknown opcode": message(64, 24, { options: new Array<number>(40).fill(7) }),
  "version 1": message(1, 48, {}).fill(1, 0, 1),
  "version 3": message(1, 60, {}).fill(3, 0, 1),
  "announce response": response(announce(), 0),
  "map response": response(map({ suggestedPort: 2000, suggested: "203.0.113.1" }), 0),
  "map response, filters": response(map({ options: filter(128, 80, "198.51.100.1") }), 0),
  "map response, error": response(map(), 8),
  "version response": response(message(1, 24, {}), 1),
  "nat-pmp, external address": Uint8Array.of(0, 0),
  "nat-pmp, UDP": natPmp(1, 4000, 2000, 7200),
  "nat-pmp, TCP": natPmp(2, 4000, 0, 7200),
  "nat-pmp, delete": natPmp(1, 4000, 0, 0),
  "nat-pmp, delete all": natPmp(2, 0, 0, 0),
  "nat-pmp, ports at the edges": natPmp(1, 65535, 65535, 0xffffffff),
  "nat-pmp, external address response": Uint8Array.of(0, 128, 0, 0, 0, 0, 0, 1, 203, 0, 113, 1),
  "nat-pmp, map response": Uint8Array.of(0, 129, 0, 0, 0, 0, 0, 1, 15, 160, 7, 208, 0, 0, 28, 32),
  "nat-pmp, version error": Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 9),
  "nat-pmp, unknown opcode": Uint8Array.of(0, 9),
  nothing: new Uint8Array(0),
  "one octet": Uint8Array.of(2),
  "two octets": Uint8Array.of(2, 1),
}
