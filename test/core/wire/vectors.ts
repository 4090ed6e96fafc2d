/** Messages laid out by hand from the diagrams of the RFCs, shared by the tests of the codec. */
import assert from "node:assert/strict"
import type { Address, Nonce, Packet } from "../../../core/wire/index.ts"
import { encode, parse, parseAddress, parseNonce } from "../../../core/wire/index.ts"
import { hex, toHex } from "./hex.ts"

export const address = (text: string): Address => parseAddress(text) ?? assert.fail(`no address: ${text}`)
export const nonce = (text: string): Nonce => parseNonce(text) ?? assert.fail(`no nonce: ${text}`)

/** Asserts that `bytes` parse to `packet` without residue, and that it encodes to the same octets. */
export const isVector = (bytes: Uint8Array, packet: Packet): void => {
  const parsed = parse(bytes)
  assert.deepEqual(parsed, { ok: true, packet, residue: [] })
  const encoded = encode(packet)
  assert.ok(encoded.ok, encoded.ok ? "" : encoded.error.text)
  assert.equal(toHex(encoded.bytes), toHex(bytes))
}

/** RFC 6887 sections 7.1 and 11.1: 60 octets. */
export const MAP_REQUEST = hex(`
  02 01 00 00                                      | version 2; R 0, opcode 1; reserved
  00 00 1c 20                                      | requested lifetime 7200
  00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 21  | client 192.0.2.33
  a1 b2 c3 d4 e5 f6 07 18 29 3a 4b 5c              | mapping nonce
  11 00 00 00                                      | protocol UDP; reserved
  10 92 9c 40                                      | internal port 4242; suggested external port 40000
  00 00 00 00 00 00 00 00 00 00 ff ff cb 00 71 05  | suggested external address 203.0.113.5
`)

/** RFC 6887 sections 7.2 and 11.1: the answer to it. */
export const MAP_RESPONSE = hex(`
  02 81 00 00                                      | version 2; R 1, opcode 1; reserved; result SUCCESS
  00 00 0e 10                                      | lifetime 3600
  00 01 e2 40                                      | epoch time 123456
  00 00 00 00 00 00 00 00 00 00 00 00              | reserved
  a1 b2 c3 d4 e5 f6 07 18 29 3a 4b 5c              | mapping nonce
  11 00 00 00                                      | protocol UDP; reserved
  10 92 9c 41                                      | internal port 4242; assigned external port 40001
  00 00 00 00 00 00 00 00 00 00 ff ff cb 00 71 05  | assigned external address 203.0.113.5
`)

/** RFC 6887 sections 7.1 and 12.1: 80 octets. */
export const PEER_REQUEST = hex(`
  02 02 00 00                                      | version 2; R 0, opcode 2; reserved
  ff ff ff ff                                      | requested lifetime 4294967295
  20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01  | client 2001:db8::1
  00 01 02 03 04 05 06 07 08 09 0a 0b              | mapping nonce
  06 00 00 00                                      | protocol TCP; reserved
  c0 01 00 00                                      | internal port 49153; no suggested external port
  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  | no suggested external address
  01 bb 00 00                                      | remote peer port 443; reserved
  20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 50  | remote peer 2001:db8::50
`)

/** RFC 6887 section 14.1.1: the header alone. */
export const ANNOUNCE_REQUEST = hex(`
  02 00 00 00                                      | version 2; R 0, opcode 0; reserved
  00 00 00 00                                      | requested lifetime 0
  00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 21  | client 192.0.2.33
`)

/** `MAP_REQUEST` with options behind it. */
export const withOptions = (options: string): Uint8Array => Uint8Array.of(...MAP_REQUEST, ...hex(options))
