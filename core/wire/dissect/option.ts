import { u16 } from "../octets.ts"
import { OptionCode } from "../registry.ts"
import type { Field, Kind } from "./field.ts"
import { field } from "./field.ts"
import type { FieldNode } from "./node.ts"
import { group, leaf, readFields } from "./node.ts"

const OPTIONS = "RFC 6887 section 7.3"
const W = "portcontrol.option"

const OPTION_LIST = field("PCP Options", "group", 0, OPTIONS, "portcontrol.options")
const OPTION = field("PCP Option", "option", 0, OPTIONS, W)
const OPTION_HEADER: readonly Field[] = [
  field("Option Code", "optionCode", 1, OPTIONS, `${W}.code`),
  field("Reserved", "zeros", 1, OPTIONS, `${W}.reserved`),
  field("Option Length", "uint", 2, OPTIONS, `${W}.length`),
]
const OPTION_HEADER_LENGTH = 4
const PADDING = field("Padding", "zeros", 0, OPTIONS, `${W}.padding`)
const DATA = field("Data", "bytes", 0, OPTIONS)
const TRAILING = field("Trailing option data", "bytes", 0, OPTIONS)

/** An option's data: fields of fixed size, then what takes the rest. */
type Body = { readonly fixed: readonly Field[]; readonly rest: Field }

const AUTH = "RFC 7652 section 5"
const PORTSET = `${W}.portset`
const fixed = (...fields: readonly Field[]): Body => ({ fixed: fields, rest: TRAILING })
const rest = (last: Field, ...fields: readonly Field[]): Body => ({ fixed: fields, rest: last })
const word = (name: string, rfc: string, kind: Kind = "uint"): Body => fixed(field(name, kind, 4, rfc))

/** RFC 7753 calls the second field First Internal Port in both directions; Wireshark has an external port there. */
const portSet = (wireshark: string): Body =>
  fixed(
    field("Port Set Size", "uint", 2, "RFC 7753 section 4", `${PORTSET}.size`),
    field("First Internal Port", "uint", 2, "RFC 7753 section 4", `${PORTSET}.${wireshark}`),
    field("Reserved", "zeros", 1, "RFC 7753 section 4", `${PORTSET}.reserved`, { bit: 0, bits: 7 }),
    field("P (parity bit)", "flag", 1, "RFC 7753 section 4", `${PORTSET}.parity`, { bit: 7, bits: 1 }),
  )

const REQUEST_PORT_SET = portSet("req_sug_first_external_port")
const RESPONSE_PORT_SET = portSet("rsp_assigned_first_external_port")
const UNKNOWN: Body = rest(DATA)

const BODIES: ReadonlyMap<number, Body> = new Map<number, Body>([
  [
    OptionCode.THIRD_PARTY,
    fixed(field("Internal IP Address", "address", 16, "RFC 6887 section 13.1", `${W}.third_party.internal_ip`)),
  ],
  [OptionCode.PREFER_FAILURE, fixed()],
  [
    OptionCode.FILTER,
    fixed(
      field("Reserved", "zeros", 1, "RFC 6887 section 13.3", `${W}.filter.reserved`),
      field("Prefix Length", "prefixLength", 1, "RFC 6887 section 13.3", `${W}.filter.prefix_length`, {
        zero: "remove all filters",
      }),
      field("Remote Peer Port", "uint", 2, "RFC 6887 section 13.3", `${W}.filter.remote_peer_port`, {
        zero: "all ports",
      }),
      field("Remote Peer IP Address", "address", 16, "RFC 6887 section 13.3", `${W}.filter.remote_peer_ip`),
    ),
  ],
  [OptionCode.NONCE, word("Nonce", `${AUTH}.3`, "bytes")],
  [
    OptionCode.AUTHENTICATION_TAG,
    rest(
      field("Authentication Data", "bytes", 0, `${AUTH}.4`),
      field("Session ID", "uint", 4, `${AUTH}.4`),
      field("Sequence Number", "uint", 4, `${AUTH}.4`),
      field("Key ID", "uint", 4, `${AUTH}.4`, undefined, { zero: "the MSK itself" }),
    ),
  ],
  [
    OptionCode.PA_AUTHENTICATION_TAG,
    rest(
      field("Authentication Data", "bytes", 0, `${AUTH}.5`),
      field("Key ID", "uint", 4, `${AUTH}.5`, undefined, { zero: "the MSK itself" }),
    ),
  ],
  [OptionCode.EAP_PAYLOAD, rest(field("EAP Message", "bytes", 0, `${AUTH}.6`))],
  [OptionCode.PRF, word("PRF", `${AUTH}.7`, "prf")],
  [OptionCode.MAC_ALGORITHM, word("MAC Algorithm ID", `${AUTH}.8`, "mac")],
  [OptionCode.SESSION_LIFETIME, word("Session Lifetime", `${AUTH}.9`, "seconds")],
  [OptionCode.RECEIVED_PAK, word("Received Sequence Number", `${AUTH}.10`)],
  [OptionCode.ID_INDICATOR, rest(field("ID Indicator", "text", 0, `${AUTH}.11`))],
  [OptionCode.THIRD_PARTY_ID, rest(field("THIRD_PARTY_ID", "bytes", 0, "RFC 7843 section 4"))],
  [OptionCode.DESCRIPTION, rest(field("Description", "text", 0, "RFC 7220 section 2", `${W}.description`))],
])

const P64 = "RFC 7225 section 4.1"
const PREFIX64_LENGTH: readonly Field[] = [field("Prefix64 Length", "prefix64Length", 2, P64, `${W}.p64.length`)]
/** Prefix64 and Suffix have 12 octets together; indexed by the octets of Prefix64. */
const PREFIX64_AND_SUFFIX: readonly (readonly Field[])[] = Array.from({ length: 13 }, (_, octets) => [
  field("Prefix64", "prefix64", octets, P64, `${W}.p64.prefix64`),
  field("Suffix", "bytes", 12 - octets, P64, `${W}.p64.suffix`),
])
const PREFIX64_UNKNOWN: readonly Field[] = [field("Prefix64 and Suffix", "bytes", 12, P64)]
const IPV4_PREFIX_COUNT: readonly Field[] = [field("IPv4 Prefix Count", "uint", 2, P64, `${W}.p64.ipv4_prefix_count`)]
const IPV4_PREFIX: readonly Field[] = [
  field("IPv4 Prefix", "ipv4Prefix", 6, P64, undefined, {
    parts: [
      field("IPv4 Prefix Length", "uint", 2, P64, `${W}.p64.ipv4_prefix_length`),
      field("IPv4 Address", "ipv4", 4, P64, `${W}.p64.ipv4_address`),
    ],
  }),
]

/**
 * The options from `offset` to the end of the packet (RFC 6887 section 7.3), each:
 *
 *     Option Code 1 | Reserved 1 | Option Length 2 | data, Option Length octets | Padding to a multiple of 4
 *
 * Fewer than four octets at the end are an option whose header is cut. A length that runs past the end is met by what
 * is there, and that leaf says how much is missing.
 */
export const dissectOptions = (bytes: Uint8Array, offset: number, response: boolean): FieldNode => {
  const end = bytes.length
  const options: FieldNode[] = []
  let at = offset
  while (at < end) {
    const children: FieldNode[] = []
    const next = dissectOption(bytes, at, response, children)
    options.push(group(OPTION, at, next, bytes[at], children))
    at = next
  }
  return group(OPTION_LIST, offset, end, 0, options)
}

/** One option from `offset` into `out`; returns where the next begins. */
const dissectOption = (bytes: Uint8Array, offset: number, response: boolean, out: FieldNode[]): number => {
  const end = bytes.length
  if (readFields(bytes, offset, end, OPTION_HEADER, out) < 0) return end
  const length = u16(bytes, offset + 2)
  const data = offset + OPTION_HEADER_LENGTH
  const declaredEnd = data + length
  const dataEnd = Math.min(declaredEnd, end)
  const missing = declaredEnd - dataEnd
  dissectData(bytes, data, dataEnd, missing, response, out)
  if (missing > 0) return end
  const padding = -length & 3
  if (padding === 0) return dataEnd
  const present = Math.min(padding, end - dataEnd)
  out.push(leaf(PADDING, dataEnd, present, padding - present, 0))
  return dataEnd + present
}

/** An option's data between `data` and `end`; `missing` octets more were declared. */
const dissectData = (
  bytes: Uint8Array,
  data: number,
  end: number,
  missing: number,
  response: boolean,
  out: FieldNode[],
): void => {
  const code = bytes[data - OPTION_HEADER_LENGTH]
  let last = TRAILING
  let at: number
  if (code === OptionCode.PREFIX64) at = dissectPrefix64(bytes, data, end, missing, out)
  else {
    const body = bodyOf(code, response)
    last = body.rest
    at = readFields(bytes, data, end, body.fixed, out)
  }
  if (at >= 0 && (at < end || missing > 0)) out.push(leaf(last, at, end - at, missing, 0))
}

const bodyOf = (code: number, response: boolean): Body => {
  if (code === OptionCode.PORT_SET) return response ? RESPONSE_PORT_SET : REQUEST_PORT_SET
  return BODIES.get(code) ?? UNKNOWN
}

/**
 * PREFIX64 (RFC 7225 section 4.1): Prefix64 Length 2 | Prefix64 and Suffix, 12 | IPv4 Prefix Count 2 | count times
 * { IPv4 Prefix Length 2 | IPv4 Address 4 }, the part from the count on being optional.
 */
const dissectPrefix64 = (bytes: Uint8Array, data: number, end: number, missing: number, out: FieldNode[]): number => {
  let at = readFields(bytes, data, end, PREFIX64_LENGTH, out)
  if (at < 0) return -1
  at = readFields(bytes, at, end, PREFIX64_AND_SUFFIX[u16(bytes, data)] ?? PREFIX64_UNKNOWN, out)
  if (at < 0 || (at === end && missing === 0)) return at
  const count = at
  at = readFields(bytes, at, end, IPV4_PREFIX_COUNT, out)
  if (at < 0) return -1
  for (let left = u16(bytes, count); left > 0 && at >= 0; left--) at = readFields(bytes, at, end, IPV4_PREFIX, out)
  return at
}
