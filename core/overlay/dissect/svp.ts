import { group } from "../../wire/dissect/make.ts"
import { type Dissection, type FieldNode, u16, u32 } from "../../wire/index.ts"
import { SVP_RECORD_SIZES, svpCrc } from "../svp/parse.ts"
import { SVP_HEADER, SvpOp } from "../svp/registry.ts"
import { field, nest, put, type Reading, readFrom, rest, take, type WordedField } from "./tree.ts"
import { addressText, checked, macText, named, uuidText } from "./words.ts"

const REQ = "SVP svp_req"
const OP_NAMES: Readonly<Record<number, string>> = {
  1: "PING",
  2: "PONG",
  3: "VL2_REQ",
  4: "VL2_ACK",
  5: "VL3_REQ",
  6: "VL3_ACK",
  7: "BULK_REQ",
  8: "BULK_ACK",
  9: "LOG_REQ",
  10: "LOG_ACK",
  11: "LOG_RM",
  12: "LOG_RM_ACK",
  13: "SHOOTDOWN",
  14: "ROUTE_REQ",
  15: "ROUTE_ACK",
}
const statusText = named({ 0: "OK", 1: "FATAL", 2: "NOTFOUND", 3: "BADL3TYPE", 4: "BADBULK" })

const crc = (bytes: Uint8Array, { offset }: FieldNode): number | undefined => {
  const from = offset - 12
  const end = from + SVP_HEADER + u32(bytes, from + 4)
  return end > bytes.length ? undefined : svpCrc(bytes, from, end)
}

const ROOT = field("SDC VXLAN Protocol", "message", 0, REQ)
const HEADER: readonly WordedField[] = [
  field("Version", "uint", 2, REQ),
  field("Operation", "uint", 2, REQ, named(OP_NAMES)),
  field("Size", "uint", 4, REQ),
  field("Id", "uint", 4, REQ),
  field("CRC-32", "uint", 4, REQ, checked(crc, 8)),
]
const DATA = field("Data", "bytes", 0, REQ)
const RECORD = field("Log record", "option", 0, "SVP svp_log")
const UUID = field("UUID", "bytes", 16, "SVP svp_log", uuidText)
const TYPE = field("Record type", "uint", 4, "SVP svp_log", named({ 1: "VL2", 2: "VL3", 3: "ROUTE" }))

const mac = (name: string): WordedField => field(name, "bytes", 6, REQ, macText)
const address = (name: string): WordedField => field(name, "address", 16, REQ, addressText)
const uint = (name: string, size: number): WordedField => field(name, "uint", size, REQ)
const status = (size: number): WordedField => field("Status", "uint", size, REQ, statusText)
const pad = field("Padding", "zeros", 2, REQ)
const vnetid = uint("Vnetid", 4)
const vl2: readonly WordedField[] = [mac("MAC"), pad, vnetid]

const BODIES: Readonly<Record<number, readonly WordedField[] | undefined>> = {
  3: vl2,
  4: [status(2), uint("Underlay port", 2), address("Underlay address")],
  5: [address("Address"), field("Type", "uint", 4, REQ, named({ 1: "IPv4", 2: "IPv6" })), vnetid],
  6: [status(4), mac("MAC"), uint("Underlay port", 2), address("Underlay address")],
  7: [field("Type", "uint", 4, REQ, named({ 1: "VL2", 2: "VL3" }))],
  8: [status(4), field("Type", "uint", 4, REQ, named({ 1: "VL2", 2: "VL3" }))],
  9: [uint("Count", 4), address("Underlay address")],
  10: [status(4)],
  11: [uint("Count", 4)],
  12: [status(4)],
  13: vl2,
  14: [vnetid, uint("VLAN", 2), pad, address("Source"), address("Destination")],
  15: [
    status(4),
    uint("Data centre", 4),
    vnetid,
    uint("VLAN", 2),
    uint("Port", 2),
    address("Address"),
    mac("Source MAC"),
    mac("Destination MAC"),
    uint("Source prefix", 1),
    uint("Destination prefix", 1),
    pad,
  ],
}

const RECORDS: Readonly<Record<number, readonly WordedField[] | undefined>> = {
  1: vl2,
  2: [address("Address"), pad, uint("VLAN", 2), vnetid],
  3: [
    uint("Source vnetid", 4),
    uint("Destination vnetid", 4),
    uint("Data centre", 4),
    address("Source"),
    address("Destination"),
    uint("Destination VLAN", 2),
    uint("Source VLAN", 2),
    uint("Source prefix", 1),
    uint("Destination prefix", 1),
    pad,
  ],
}

/** Takes one SVP message apart, as `dissectFrame` does frames: octets behind it are data. */
export const dissectSvp = (bytes: Uint8Array): Dissection => {
  const reading = readFrom(bytes, 0, bytes.length)
  if (take(reading, ...HEADER)) {
    const end = Math.min(bytes.length, SVP_HEADER + u32(bytes, 4))
    const inner = readFrom(bytes, reading.at, end)
    body(inner, u16(bytes, 2))
    rest(inner, DATA)
    reading.nodes.push(...inner.nodes)
    reading.at = end
  }
  rest(reading, DATA)
  return { bytes, root: group(ROOT, 0, bytes.length, 0, reading.nodes) }
}

const body = (reading: Reading, op: number): void => {
  const { bytes, end } = reading
  if (!take(reading, ...(BODIES[op] ?? []))) return
  if (op === SvpOp.LOG_RM) while (reading.at + 16 <= end) put(reading, UUID, 16)
  if (op !== SvpOp.LOG_ACK) return
  while (reading.at + 4 <= end) {
    const type = u32(bytes, reading.at)
    const size = SVP_RECORD_SIZES[type]
    if (size === undefined || reading.at + size > end) return
    nest(reading, RECORD, reading.at + size, DATA, (record) => {
      take(record, TYPE, UUID, ...(RECORDS[type] ?? []))
    })
  }
}
