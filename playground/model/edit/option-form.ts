import { type Address, ANY4, parseAddress, writeAddress } from "../../../core/wire/index.ts"
import { mistyped, typed } from "./edited.ts"
import {
  anyOctets,
  entry,
  filterPrefix,
  flag,
  type OptionForm,
  octet,
  port,
  typedAddress,
  typedSeconds,
  unicode,
  word,
} from "./form.ts"
import { typedPrefix } from "./typed.ts"

const NO_OCTETS = new Uint8Array(0)
const addressOf = (text: string): Address => parseAddress(text) ?? ANY4

/** Octets that a Pref64::/n may have (RFC 6052 section 2.2). */
const PREFIX64_LENGTHS: readonly number[] = [4, 5, 6, 7, 8, 12]

const prefix64 = (text: string) => {
  const prefix = typedPrefix(text)
  if (!prefix.ok) return prefix
  const { address, length } = prefix.value
  if (!text.includes(":") || !PREFIX64_LENGTHS.includes(length / 8))
    return mistyped("an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits is expected (RFC 6052)")
  const whole = new Uint8Array(16)
  writeAddress(whole, 0, address)
  return typed(whole.slice(0, length / 8))
}

/** Every option that can be put into a packet, as a form. */
export const OPTION_FORMS: readonly OptionForm[] = [
  {
    kind: "THIRD_PARTY",
    entries: [entry("internal", "Internal IP Address", "address", "10.0.0.9")],
    make: ({ read }) => ({ kind: "THIRD_PARTY", internal: read("internal", typedAddress, ANY4) }),
  },
  { kind: "PREFER_FAILURE", entries: [], make: () => ({ kind: "PREFER_FAILURE" }) },
  {
    kind: "FILTER",
    entries: [
      entry("prefix", "Remote peers, or none", "prefix", "198.51.100.0/24"),
      entry("remotePort", "Remote Peer Port, 0 for all", "port", "0"),
    ],
    make: ({ read }) => {
      const { address, bits } = read("prefix", filterPrefix, { address: "::", bits: 0 })
      return { kind: "FILTER", prefixLength: bits, remotePort: read("remotePort", port, 0), remote: addressOf(address) }
    },
  },
  {
    kind: "DESCRIPTION",
    entries: [entry("text", "Description", "text", "web server")],
    make: ({ read }) => ({ kind: "DESCRIPTION", text: read("text", unicode, "") }),
  },
  {
    kind: "PREFIX64",
    entries: [entry("prefix", "Prefix64; ::/96 asks", "prefix", "::/96")],
    make: ({ read }) => {
      const prefix = read("prefix", prefix64, new Uint8Array(12))
      return { kind: "PREFIX64", prefix, suffix: new Uint8Array(12 - prefix.length), ipv4Prefixes: undefined }
    },
  },
  {
    kind: "PORT_SET",
    entries: [
      entry("size", "Port Set Size", "number", "16"),
      entry("firstInternalPort", "First Internal Port", "port", "8080"),
      entry("parity", "Preserve parity", "flag", "0"),
    ],
    make: ({ read }) => ({
      kind: "PORT_SET",
      size: read("size", port, 2),
      firstInternalPort: read("firstInternalPort", port, 0),
      parity: read("parity", flag, false),
    }),
  },
  {
    kind: "THIRD_PARTY_ID",
    entries: [entry("id", "Identifier", "octets", "0001")],
    make: ({ read }) => ({ kind: "THIRD_PARTY_ID", id: read("id", anyOctets, NO_OCTETS) }),
  },
  {
    kind: "NONCE",
    entries: [entry("nonce", "Nonce", "number", "1")],
    make: ({ read }) => ({ kind: "NONCE", nonce: read("nonce", word, 0) }),
  },
  {
    kind: "AUTHENTICATION_TAG",
    entries: [
      entry("sessionId", "Session ID", "number", "1"),
      entry("sequence", "Sequence Number", "number", "1"),
      entry("keyId", "Key ID", "number", "0"),
      entry("data", "Authentication Data", "octets", "00000000000000000000000000000000"),
    ],
    make: ({ read }) => ({
      kind: "AUTHENTICATION_TAG",
      sessionId: read("sessionId", word, 0),
      sequence: read("sequence", word, 0),
      keyId: read("keyId", word, 0),
      data: read("data", anyOctets, NO_OCTETS),
    }),
  },
  {
    kind: "PA_AUTHENTICATION_TAG",
    entries: [
      entry("keyId", "Key ID", "number", "0"),
      entry("data", "Authentication Data", "octets", "00000000000000000000000000000000"),
    ],
    make: ({ read }) => ({
      kind: "PA_AUTHENTICATION_TAG",
      keyId: read("keyId", word, 0),
      data: read("data", anyOctets, NO_OCTETS),
    }),
  },
  {
    kind: "EAP_PAYLOAD",
    entries: [entry("message", "EAP message", "octets", "0101000501")],
    make: ({ read }) => ({ kind: "EAP_PAYLOAD", message: read("message", anyOctets, NO_OCTETS) }),
  },
  {
    kind: "PRF",
    entries: [entry("transform", "PRF", "number", "5")],
    make: ({ read }) => ({ kind: "PRF", transform: read("transform", word, 5) }),
  },
  {
    kind: "MAC_ALGORITHM",
    entries: [entry("transform", "MAC Algorithm ID", "number", "12")],
    make: ({ read }) => ({ kind: "MAC_ALGORITHM", transform: read("transform", word, 12) }),
  },
  {
    kind: "SESSION_LIFETIME",
    entries: [entry("lifetime", "Session Lifetime", "seconds", "3600")],
    make: ({ read }) => ({ kind: "SESSION_LIFETIME", lifetime: read("lifetime", typedSeconds, 0) }),
  },
  {
    kind: "RECEIVED_PAK",
    entries: [entry("sequence", "Received Sequence Number", "number", "1")],
    make: ({ read }) => ({ kind: "RECEIVED_PAK", sequence: read("sequence", word, 0) }),
  },
  {
    kind: "ID_INDICATOR",
    entries: [entry("indicator", "ID Indicator", "text", "realm.example")],
    make: ({ read }) => ({ kind: "ID_INDICATOR", indicator: read("indicator", unicode, "") }),
  },
  {
    kind: "unknown",
    entries: [entry("code", "Option Code", "number", "200"), entry("data", "Data", "octets", "")],
    make: ({ read }) => ({
      kind: "unknown",
      code: read("code", octet, 200),
      data: read("data", anyOctets, NO_OCTETS),
    }),
  },
]
