import type { Address } from "../address.ts"
import { addressFromIpv4, addressWord, formatAddress, formatMapped, readAddress, readIpv4 } from "../address.ts"
import type { Kind } from "../dissect/field.ts"
import type { Dissection, FieldNode } from "../dissect/node.ts"
import { walk } from "../dissect/node.ts"
import { isKnownOpcode } from "../dissect/pcp.ts"
import { isKnownOption } from "../names.ts"
import { NatPmpOpcode } from "../registry.ts"
import { decodeText, hex } from "./describe.ts"

/**
 * The values of one of Wireshark's fields (`portcontrol.map.nonce`, `nat-pmp.opcode` …) in the order of the packet,
 * each as `tshark -T fields -e name` prints it: numbers in decimal, octets in hex, `1` for what has no value of its own,
 * `<MISSING>` for no octets. Empty for a field that is not in the packet, cut, or not Wireshark's.
 *
 * Where tshark 4.0 prints something else than the packet holds, this is what the packet holds:
 * `portcontrol.response` is 1, a description goes on after a NUL (printed `\0`), and `….unknown` is 1 for what is
 * unknown here, which is less than what is unknown to tshark.
 */
export const fieldValues = (dissection: Dissection, name: string): string[] => {
  const derived = DERIVED.get(name)
  const values: string[] = []
  for (const node of walk(dissection.root)) {
    if (derived !== undefined) {
      if (derived(node)) values.push("1")
    } else if (node.field.wireshark === name && node.missing === 0) values.push(print(dissection.bytes, node))
  }
  return values
}

/** Fields that Wireshark derives from others: present, with the value 1, where a node says yes. */
const DERIVED: ReadonlyMap<string, (node: FieldNode) => boolean> = new Map<string, (node: FieldNode) => boolean>([
  ["portcontrol.request", ({ field, missing, value }) => field.kind === "direction" && missing === 0 && value === 0],
  ["portcontrol.response", ({ field, missing, value }) => field.kind === "direction" && missing === 0 && value === 1],
  [
    "portcontrol.opcode.unknown",
    ({ field, missing, value }) => field.kind === "opcode" && missing === 0 && !isKnownOpcode(value),
  ],
  ["portcontrol.option.unknown", ({ field, value }) => field.kind === "optionCode" && !isKnownOption(value)],
  [
    "nat-pmp.opcode.unknown",
    ({ field, missing, value }) =>
      field.kind === "natPmpOpcode" && missing === 0 && (value & 127) > NatPmpOpcode.MAP_TCP,
  ],
])

type Print = (bytes: Uint8Array, node: FieldNode) => string

const decimal: Print = (_, { value }) => `${value}`
const octets: Print = (bytes, { offset, length }) => (length === 0 ? "<MISSING>" : hex(bytes, offset, length))
const present: Print = () => "1"

/** Wireshark's type of these is not the one that their kind has elsewhere. */
const EXCEPTIONS: ReadonlyMap<string, Print> = new Map<string, Print>([
  ["portcontrol.rsp_reserved", octets],
  ["portcontrol.peer.reserved", octets],
  ["portcontrol.option.padding", octets],
  ["portcontrol.option.portset.reserved", (_, { value }) => `0x${value.toString(16).padStart(2, "0")}`],
  // A request's reserved octets are one field there even where RFC 7652 section 5.1 divides them.
  ["portcontrol.reserved", decimal],
])

/** All others are numbers. */
const PRINTS: Readonly<Partial<Record<Kind, Print>>> = {
  message: present,
  group: present,
  option: present,
  prefix64: octets,
  ipv4Prefix: present,
  address: (bytes, { offset }) => formatLikeTshark(readAddress(bytes, offset)),
  ipv4: (bytes, { offset }) => formatAddress(readIpv4(bytes, offset)),
  text: (bytes, { offset, length }) => escapeControls(decodeText(bytes, offset, length)),
  bytes: octets,
}

/** tshark ends IPv4-compatible addresses, 96 zero bits and then not 16 more, in dotted form as well: `::192.0.2.1`. */
const formatLikeTshark = (address: Address): string =>
  address.startsWith("\0\0\0\0\0\0") && address.charCodeAt(6) !== 0
    ? `::${formatAddress(addressFromIpv4(addressWord(address, 3)))}`
    : formatMapped(address)

const print: Print = (bytes, node) =>
  (EXCEPTIONS.get(node.field.wireshark ?? "") ?? PRINTS[node.field.kind] ?? decimal)(bytes, node)

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\0", "\\0"],
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\f", "\\f"],
  ["\r", "\\r"],
])

const escapeControls = (text: string): string => text.replace(/[\0\b\t\n\f\r]/g, (c) => ESCAPES.get(c) ?? c)
