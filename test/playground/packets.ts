/** Packets for the tests of the playground, laid out by hand from the diagrams of the RFCs. */
import assert from "node:assert/strict"
import { type Address, parseAddress } from "../../core/wire/index.ts"

export const address = (text: string): Address => parseAddress(text) ?? assert.fail(`no address: ${text}`)

/** Octets from hex digits; what follows a bar in a line says what they are. */
export const hex = (text: string): Uint8Array =>
  Uint8Array.from(
    text
      .replace(/\|.*$/gm, "")
      .replace(/\s/g, "")
      .match(/../g)
      ?.map((pair) => Number.parseInt(pair, 16)) ?? [],
  )

/** RFC 6887 sections 7.1 and 11.1, with a FILTER (13.3), a DESCRIPTION (RFC 7220) and a PORT_SET (RFC 7753). */
export const MAP_REQUEST = hex(`
  02 01 00 00                                      | version 2; R 0, opcode 1; reserved
  00 00 1c 20                                      | requested lifetime 7200
  00 00 00 00 00 00 00 00 00 00 ff ff 0a 00 00 01  | client 10.0.0.1
  a1 b2 c3 d4 e5 f6 07 18 29 3a 4b 5c              | mapping nonce
  11 00 00 00                                      | protocol UDP; reserved
  10 92 9c 40                                      | internal port 4242; suggested external port 40000
  00 00 00 00 00 00 00 00 00 00 ff ff cb 00 71 05  | suggested external address 203.0.113.5
  03 00 00 14                                      | FILTER, 20 octets
  00 78 01 bb                                      | reserved; prefix length 120; remote port 443
  00 00 00 00 00 00 00 00 00 00 ff ff c6 33 64 00  | remote 198.51.100.0
  80 00 00 05 77 65 62 21 3f 00 00 00              | DESCRIPTION "web!?" with 3 octets of padding
`)

/** The answer to it (RFC 6887 sections 7.2 and 11.1). */
export const MAP_RESPONSE = hex(`
  02 81 00 00                                      | version 2; R 1, opcode 1; reserved; SUCCESS
  00 00 0e 10                                      | lifetime 3600
  00 01 e2 40                                      | epoch time 123456
  00 00 00 00 00 00 00 00 00 00 00 00              | reserved
  a1 b2 c3 d4 e5 f6 07 18 29 3a 4b 5c              | mapping nonce
  11 00 00 00                                      | protocol UDP; reserved
  10 92 9c 41                                      | internal port 4242; assigned external port 40001
  00 00 00 00 00 00 00 00 00 00 ff ff cb 00 71 05  | assigned external address 203.0.113.5
`)

/** RFC 7753 section 4 behind a MAP. */
export const PORT_SET_REQUEST = Uint8Array.of(
  ...MAP_REQUEST.subarray(0, 60),
  ...hex("82 00 00 05 00 10 10 92 01 00 00 00"),
)

/** RFC 6886 section 3.3: UDP 4242, suggested 40000, an hour. */
export const NATPMP_MAP_REQUEST = hex("00 01 00 00 10 92 9c 40 00 00 0e 10")
export const NATPMP_MAP_RESPONSE = hex("00 81 00 00 00 00 00 2a 10 92 9c 41 00 00 0e 10")
