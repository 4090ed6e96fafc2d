import {
  ANNOUNCE_BODY,
  ANY4,
  encode,
  type Nonce,
  type Packet,
  type PcpOption,
  parseNonce,
  ZERO_NONCE,
} from "../../../core/wire/index.ts"
import { typedChoice } from "./choice.ts"
import { mistyped, type Typed, typed } from "./edited.ts"
import {
  entry,
  type FormEntry,
  type FormFault,
  type FormReader,
  type FormValues,
  formReader,
  port,
  typedAddress,
  typedProtocol,
  typedSeconds,
} from "./form.ts"
import { OPTION_FORMS } from "./option-form.ts"
import { typedIpv4 } from "./typed.ts"

/** A packet that can be built from a form. */
export type PacketFormName =
  | "map-request"
  | "map-response"
  | "peer-request"
  | "peer-response"
  | "announce-request"
  | "announce-response"
  | "natpmp-address-request"
  | "natpmp-address-response"
  | "natpmp-map-request"
  | "natpmp-map-response"

export interface PacketForm {
  readonly name: PacketFormName
  readonly title: string
  /** NAT-PMP has no options. */
  readonly hasOptions: boolean
  readonly entries: readonly FormEntry[]
  readonly make: (reader: FormReader, options: readonly PcpOption[]) => Packet
}

const nonceOf = (text: string): Typed<Nonce> => {
  const nonce = parseNonce(text.replace(/[\s:]/g, ""))
  return nonce === undefined ? mistyped("24 hex digits are expected") : typed(nonce)
}
const pcpResult = (text: string): Typed<number> => typedChoice("result", text, 255)
const natPmpResult = (text: string): Typed<number> => typedChoice("natPmpResult", text, 65535)
const transport = (text: string): Typed<"udp" | "tcp"> => {
  const name = text.trim().toLowerCase()
  return name === "udp" || name === "tcp" ? typed(name) : mistyped("NAT-PMP maps udp or tcp")
}

const LIFETIME = entry("lifetime", "Lifetime", "seconds", "7200")
const NONE = entry("lifetime", "Lifetime", "seconds", "0")
const CLIENT = entry("client", "PCP Client's IP Address", "address", "10.0.0.1")
const RESULT = entry("result", "Result Code", "number", "SUCCESS")
const EPOCH = entry("epoch", "Epoch Time", "seconds", "3600")
const ENDS = [
  entry("nonce", "Mapping Nonce", "octets", "6e6f6e63652d6f6e652d3131"),
  entry("protocol", "Protocol", "protocol", "tcp"),
  entry("internalPort", "Internal Port, 0 for all", "port", "8080"),
]
const SUGGESTED = [
  entry("externalPort", "Suggested External Port", "port", "0"),
  entry("external", "Suggested External IP Address", "address", "0.0.0.0"),
]
const ASSIGNED = [
  entry("externalPort", "Assigned External Port", "port", "41000"),
  entry("external", "Assigned External IP Address", "address", "203.0.113.1"),
]
const REMOTE = [
  entry("remotePort", "Remote Peer Port", "port", "443"),
  entry("remote", "Remote Peer IP Address", "address", "198.51.100.7"),
]

const mapBody = ({ read }: FormReader) =>
  ({
    kind: "map",
    nonce: read("nonce", nonceOf, ZERO_NONCE),
    protocol: read("protocol", typedProtocol, 0),
    internalPort: read("internalPort", port, 0),
    externalPort: read("externalPort", port, 0),
    external: read("external", typedAddress, ANY4),
  }) as const

const peerBody = (reader: FormReader) =>
  ({
    ...mapBody(reader),
    kind: "peer",
    remotePort: reader.read("remotePort", port, 0),
    remote: reader.read("remote", typedAddress, ANY4),
  }) as const

const requestHead = ({ read }: FormReader) =>
  ({
    kind: "pcp-request",
    lifetime: read("lifetime", typedSeconds, 0),
    client: read("client", typedAddress, ANY4),
  }) as const

const responseHead = ({ read }: FormReader) =>
  ({
    kind: "pcp-response",
    result: read("result", pcpResult, 0),
    lifetime: read("lifetime", typedSeconds, 0),
    epoch: read("epoch", typedSeconds, 0),
    clientTail: undefined,
  }) as const

const pcp = (
  name: PacketFormName,
  title: string,
  entries: readonly FormEntry[],
  make: PacketForm["make"],
): PacketForm => ({ name, title, hasOptions: true, entries, make })

const natPmp = (
  name: PacketFormName,
  title: string,
  entries: readonly FormEntry[],
  make: (reader: FormReader) => Packet,
): PacketForm => ({ name, title, hasOptions: false, entries, make })

/** Every packet that has a form (RFC 6887 sections 11, 12 and 14, RFC 6886 section 3). */
export const PACKET_FORMS: readonly PacketForm[] = [
  pcp("map-request", "MAP request", [LIFETIME, CLIENT, ...ENDS, ...SUGGESTED], (reader, options) => ({
    ...requestHead(reader),
    body: mapBody(reader),
    options,
  })),
  pcp("map-response", "MAP response", [RESULT, LIFETIME, EPOCH, ...ENDS, ...ASSIGNED], (reader, options) => ({
    ...responseHead(reader),
    body: mapBody(reader),
    options,
  })),
  pcp("peer-request", "PEER request", [LIFETIME, CLIENT, ...ENDS, ...SUGGESTED, ...REMOTE], (reader, options) => ({
    ...requestHead(reader),
    body: peerBody(reader),
    options,
  })),
  pcp(
    "peer-response",
    "PEER response",
    [RESULT, LIFETIME, EPOCH, ...ENDS, ...ASSIGNED, ...REMOTE],
    (reader, options) => ({
      ...responseHead(reader),
      body: peerBody(reader),
      options,
    }),
  ),
  pcp("announce-request", "ANNOUNCE request", [NONE, CLIENT], (reader, options) => ({
    ...requestHead(reader),
    body: ANNOUNCE_BODY,
    options,
  })),
  pcp("announce-response", "ANNOUNCE response", [RESULT, NONE, EPOCH], (reader, options) => ({
    ...responseHead(reader),
    body: ANNOUNCE_BODY,
    options,
  })),
  natPmp("natpmp-address-request", "NAT-PMP external address request", [], () => ({ kind: "natpmp-address-request" })),
  natPmp(
    "natpmp-address-response",
    "NAT-PMP external address response",
    [
      entry("result", "Result Code", "number", "Success"),
      EPOCH,
      entry("external", "External IPv4 Address", "address", "203.0.113.1"),
    ],
    ({ read }) => ({
      kind: "natpmp-address-response",
      result: read("result", natPmpResult, 0),
      epoch: read("epoch", typedSeconds, 0),
      external: read("external", typedIpv4, ANY4),
    }),
  ),
  natPmp(
    "natpmp-map-request",
    "NAT-PMP mapping request",
    [
      entry("protocol", "Protocol", "protocol", "tcp"),
      entry("internalPort", "Internal Port", "port", "8080"),
      entry("externalPort", "Suggested External Port", "port", "8080"),
      LIFETIME,
    ],
    ({ read }) => ({
      kind: "natpmp-map-request",
      protocol: read("protocol", transport, "udp"),
      internalPort: read("internalPort", port, 0),
      externalPort: read("externalPort", port, 0),
      lifetime: read("lifetime", typedSeconds, 0),
    }),
  ),
  natPmp(
    "natpmp-map-response",
    "NAT-PMP mapping response",
    [
      entry("protocol", "Protocol", "protocol", "tcp"),
      entry("result", "Result Code", "number", "Success"),
      EPOCH,
      entry("internalPort", "Internal Port", "port", "8080"),
      entry("externalPort", "Mapped External Port", "port", "41000"),
      LIFETIME,
    ],
    ({ read }) => ({
      kind: "natpmp-map-response",
      protocol: read("protocol", transport, "udp"),
      result: read("result", natPmpResult, 0),
      epoch: read("epoch", typedSeconds, 0),
      internalPort: read("internalPort", port, 0),
      externalPort: read("externalPort", port, 0),
      lifetime: read("lifetime", typedSeconds, 0),
    }),
  ),
]

/** An option that was put into a form. */
export interface FormOption {
  readonly kind: PcpOption["kind"]
  readonly values: FormValues
}

export type Built =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** An entry of the option with index 2 is called `2.prefix`; `""` is the packet as a whole. */
  | { readonly ok: false; readonly faults: readonly FormFault[] }

/** The octets of a form. What is not typed has the value that the form began with. */
export const build = (name: PacketFormName, values: FormValues, options: readonly FormOption[] = []): Built => {
  const form = PACKET_FORMS.find((one) => one.name === name)
  if (form === undefined) return { ok: false, faults: [{ entry: "", text: "there is no such form" }] }
  const reader = formReader(form.entries, values)
  const faults: FormFault[] = []
  const made = (form.hasOptions ? options : []).flatMap(({ kind, values: own }, i) => {
    const option = OPTION_FORMS.find((one) => one.kind === kind)
    if (option === undefined) return []
    const optionReader = formReader(option.entries, own, `${i}.`)
    const value = option.make(optionReader)
    faults.push(...optionReader.faults)
    return [value]
  })
  const packet = form.make(reader, made)
  faults.unshift(...reader.faults)
  if (faults.length > 0) return { ok: false, faults }
  const encoded = encode(packet)
  return encoded.ok ? encoded : { ok: false, faults: [{ entry: "", text: encoded.error.text }] }
}
