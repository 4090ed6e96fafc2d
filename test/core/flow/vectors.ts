/** The golden datagrams of the reference's structures, laid out by hand. */
import { hex } from "../wire/hex.ts"

/** MD5 of "oecho", by `printf oecho | md5sum`. */
export const OECHO_HASH = "c36f43274cb781532a4bd6e0b9d47d3e"

/** FLOW_REQ from endpoint id 64 for "oecho" with the cube `raw`: 63 octets. */
export const FLOW_REQUEST = hex(`
  00 00 00 00              | eid: management
  00 00 00 40              | s_eid 64
  00 00 00 00              | d_eid
  00 00 00 00              | response
  00 00 00 00 00 00 00 00  | bandwidth
  ff ff ff ff              | delay: any
  00 00 00 01              | loss
  00 00 00 01              | ber
  ff ff ff ff              | max_gap: any
  00 01 d4 c0              | timeout 120000 ms
  01 00 00                 | FLOW_REQ; availability; in_order
  c3 6f 43 27 4c b7 81 53 2a 4b d6 e0 b9 d4 7d 3e | MD5 of "oecho"
`)

/** FLOW_REPLY that accepts it under endpoint id 65: 47 octets. */
export const FLOW_REPLY = hex(`
  00 00 00 00              | eid: management
  00 00 00 40              | s_eid 64, as asked
  00 00 00 41              | d_eid 65
  00 00 00 00              | response: accepted
  00 00 00 00 00 00 00 00  | bandwidth
  00 00 00 00              | delay
  00 00 00 00              | loss
  00 00 00 00              | ber
  00 00 00 00              | max_gap
  00 00 00 00              | timeout
  02 00 00                 | FLOW_REPLY; availability; in_order
`)
