import type { PacketProtocol } from "../../../core/decode/index.ts"
import { type Field, type FieldNode, isKnownOption } from "../../../core/wire/index.ts"

/** What colour a field has: the eight classes that the page tells apart, in the order of its legend. */
export const FIELD_CLASSES = [
  "version", // version, R, opcode, result code
  "lifetime", // lifetimes and epoch times
  "nonce", // nonces, session ids and sequence numbers: what keeps exchanges apart
  "address", // addresses and prefixes
  "port", // ports and protocols
  "option", // option headers, and contents of options that have no class of their own
  "reserved", // reserved bits and padding
  "unknown", // what no specification known here describes
] as const

export type FieldClass = (typeof FIELD_CLASSES)[number]

/** The classes in words, for legends and screen readers. */
export const CLASS_WORDS: Readonly<Record<FieldClass, string>> = {
  version: "version and opcode",
  lifetime: "lifetime and epoch",
  nonce: "nonce",
  address: "address",
  port: "port and protocol",
  option: "option",
  reserved: "reserved and padding",
  unknown: "unknown",
}

/** The class of a field of a protocol; `option` is the code of the option that it is in, `undefined` outside of options. */
export const fieldClassOf = (
  { field }: FieldNode,
  option: number | undefined,
  protocol: PacketProtocol,
): FieldClass => {
  if (protocol === "flow") return classOfFlow(field)
  if (protocol !== "port-control") return classOfOverlay(field)
  switch (field.kind) {
    case "version":
    case "direction":
    case "opcode":
    case "natPmpOpcode":
    case "result":
    case "natPmpResult":
    case "message":
      return "version"
    case "group":
      return field.name === "PCP Options" ? "option" : "version"
    case "option":
    case "optionCode":
    case "prf":
    case "mac":
    case "text":
      return "option"
    case "seconds":
      return "lifetime"
    case "protocol":
    case "flag":
      return "port"
    case "address":
    case "ipv4":
    case "prefixLength":
    case "prefix64":
    case "prefix64Length":
    case "ipv4Prefix":
      return "address"
    case "zeros":
      return "reserved"
    case "uint":
      return classOfNumber(field.name)
    case "bytes":
      return classOfBytes(field.name, option)
  }
}

/** Of flow allocation: who is meant, which ends, for how long; all else of a management message is quality of service. */
const classOfFlow = ({ name, kind }: Field): FieldClass => {
  if (kind === "message" || name === "Code" || name === "Response") return "version"
  if (/endpoint id/i.test(name)) return "port"
  if (name === "Hash of the name" || name === "Name") return "address"
  if (name === "Peer timeout") return "lifetime"
  return kind === "bytes" && name !== "Bandwidth" ? "unknown" : "option"
}

/** Of frames and of SVP: who, which network and port, how long; checksums and flags are as options. */
const classOfOverlay = ({ name, kind }: Field): FieldClass => {
  if (kind === "zeros") return "reserved"
  if (kind === "message" || kind === "group" || /^(?:Version|Type|Operation|Op|Code|Status)\b/.test(name))
    return "version"
  if (/Address|address|^Destination$|^Source$|^MAC\b/.test(name) || kind === "ipv4" || kind === "address")
    return "address"
  if (/Port|port|Network Identifier|vnetid|vid\b|^Protocol/i.test(name)) return "port"
  if (/Lifetime|Time to Live|Hop Limit|seconds/i.test(name)) return "lifetime"
  if (/Transaction|xid|Identification|\bid\b/i.test(name)) return "nonce"
  return kind === "bytes" ? "unknown" : "option"
}

const classOfNumber = (name: string): FieldClass => {
  if (name.includes("Port")) return "port"
  if (name.startsWith("IPv4 Prefix")) return "address"
  return name.startsWith("Session") || name.includes("Sequence") ? "nonce" : "option"
}

/** Octets without a layout of their own: what follows an option's data, and the data of options nobody knows, say nothing. */
const classOfBytes = (name: string, option: number | undefined): FieldClass => {
  if (name.includes("Nonce")) return "nonce"
  if (option === undefined || name.startsWith("Trailing") || !isKnownOption(option)) return "unknown"
  return name.includes("Prefix") || name === "Suffix" ? "address" : "option"
}
