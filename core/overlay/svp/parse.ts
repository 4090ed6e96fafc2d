import { readAddress, sliceOctets, u16, u32 } from "../../wire/index.ts"
import { readMac } from "../mac.ts"
import { endsEarly, readAs, unread } from "../parsed.ts"
import { crc32 } from "./crc32.ts"
import type { ParsedSvp, SvpBody, SvpLogRecord, Uuid } from "./message.ts"
import { SVP_CLAUSE, SVP_HEADER, SvpLogType, SvpOp } from "./registry.ts"

/** What a message's CRC is to be: over its header with 0 in place of it, and its payload. */
export const svpCrc = (bytes: Uint8Array, from: number, to: number): number => {
  const zeros = crc32(NO_CRC, 0, 4, crc32(bytes, from, from + SVP_HEADER - 4))
  return crc32(bytes, from + SVP_HEADER, to, zeros)
}

const NO_CRC: Uint8Array = /* @__PURE__ */ new Uint8Array(4)

/** Reads one whole message: what is behind it is an error. {@link receiveSvp} finds messages in a stream. */
export const parseSvp = (bytes: Uint8Array): ParsedSvp => {
  if (bytes.length < SVP_HEADER) return endsEarly(bytes, "an SVP header", SVP_HEADER, SVP_CLAUSE)
  const version = u16(bytes, 0)
  if (version !== 1 && version !== 2) return unread("version", 0, SVP_CLAUSE, `SVP version ${version}`)
  const end = SVP_HEADER + u32(bytes, 4)
  if (bytes.length < end) return endsEarly(bytes, "the message", end, SVP_CLAUSE)
  if (bytes.length > end)
    return unread(
      "length",
      4,
      SVP_CLAUSE,
      `a payload of ${end - SVP_HEADER} octets, here are ${bytes.length - end} more`,
    )
  const crc = svpCrc(bytes, 0, end)
  if (crc !== u32(bytes, 12)) return unread("checksum", 12, SVP_CLAUSE, `the CRC is to be 0x${crc.toString(16)}`)
  const op = u16(bytes, 2)
  const size = SVP_SIZES[op]
  const payload = end - SVP_HEADER
  const isRoute = op === SvpOp.ROUTE_REQ || op === SvpOp.ROUTE_ACK
  if (size === undefined || (isRoute && version === 1))
    return readAs({ version, id: u32(bytes, 8), body: { kind: "other", op, data: sliceOctets(bytes, SVP_HEADER) } })
  const isSized = size.exact ? payload === size.octets : payload >= size.octets
  if (!isSized || (op === SvpOp.LOG_RM && payload !== 4 + 16 * u32(bytes, SVP_HEADER)))
    return unread("length", 4, SVP_CLAUSE, `operation ${op} has no payload of ${payload} octets`)
  return readAs({ version, id: u32(bytes, 8), body: readBody(op, bytes, SVP_HEADER, end) })
}

const exact = (octets: number) => ({ octets, exact: true })
const least = (octets: number) => ({ octets, exact: false })

/** Octets of each operation's payload. */
export const SVP_SIZES: Readonly<Record<number, { readonly octets: number; readonly exact: boolean } | undefined>> = {
  1: /* @__PURE__ */ exact(0),
  2: /* @__PURE__ */ exact(0),
  3: /* @__PURE__ */ exact(12),
  4: /* @__PURE__ */ exact(20),
  5: /* @__PURE__ */ exact(24),
  6: /* @__PURE__ */ exact(28),
  7: /* @__PURE__ */ exact(4),
  8: /* @__PURE__ */ least(8),
  9: /* @__PURE__ */ exact(20),
  10: /* @__PURE__ */ least(4),
  11: /* @__PURE__ */ least(4),
  12: /* @__PURE__ */ exact(4),
  13: /* @__PURE__ */ exact(12),
  14: /* @__PURE__ */ exact(40),
  15: /* @__PURE__ */ exact(48),
}

const readBody = (op: number, bytes: Uint8Array, at: number, end: number): SvpBody => {
  switch (op) {
    case SvpOp.PING:
      return { kind: "ping" }
    case SvpOp.PONG:
      return { kind: "pong" }
    case SvpOp.VL2_REQ:
    case SvpOp.SHOOTDOWN:
      return {
        kind: op === SvpOp.VL2_REQ ? "vl2-request" : "shootdown",
        mac: readMac(bytes, at),
        pad: u16(bytes, at + 6),
        vnetid: u32(bytes, at + 8),
      }
    case SvpOp.VL2_ACK:
      return {
        kind: "vl2-ack",
        status: u16(bytes, at),
        port: u16(bytes, at + 2),
        address: readAddress(bytes, at + 4),
      }
    case SvpOp.VL3_REQ:
      return {
        kind: "vl3-request",
        address: readAddress(bytes, at),
        type: u32(bytes, at + 16),
        vnetid: u32(bytes, at + 20),
      }
    case SvpOp.VL3_ACK:
      return {
        kind: "vl3-ack",
        status: u32(bytes, at),
        mac: readMac(bytes, at + 4),
        port: u16(bytes, at + 10),
        address: readAddress(bytes, at + 12),
      }
    case SvpOp.BULK_REQ:
      return { kind: "bulk-request", type: u32(bytes, at) }
    case SvpOp.BULK_ACK:
      return {
        kind: "bulk-ack",
        status: u32(bytes, at),
        type: u32(bytes, at + 4),
        data: sliceOctets(bytes, at + 8, end),
      }
    case SvpOp.LOG_REQ:
      return { kind: "log-request", count: u32(bytes, at), address: readAddress(bytes, at + 4) }
    case SvpOp.LOG_ACK:
      return readLog(bytes, at, end)
    case SvpOp.LOG_RM:
      return { kind: "log-remove", uuids: readUuids(bytes, at + 4, end) }
    case SvpOp.LOG_RM_ACK:
      return { kind: "log-remove-ack", status: u32(bytes, at) }
    case SvpOp.ROUTE_REQ:
      return {
        kind: "route-request",
        vnetid: u32(bytes, at),
        vlan: u16(bytes, at + 4),
        pad: u16(bytes, at + 6),
        source: readAddress(bytes, at + 8),
        destination: readAddress(bytes, at + 24),
      }
    default:
      return {
        kind: "route-ack",
        status: u32(bytes, at),
        dcid: u32(bytes, at + 4),
        vnetid: u32(bytes, at + 8),
        vlan: u16(bytes, at + 12),
        port: u16(bytes, at + 14),
        address: readAddress(bytes, at + 16),
        sourceMac: readMac(bytes, at + 32),
        destinationMac: readMac(bytes, at + 38),
        sourcePrefix: bytes[at + 44],
        destinationPrefix: bytes[at + 45],
        pad: u16(bytes, at + 46),
      }
  }
}

const readUuid = (bytes: Uint8Array, at: number): Uuid => {
  let text = ""
  for (let i = at; i < at + 16; i++) text += bytes[i].toString(16).padStart(2, "0")
  return text
}

const readUuids = (bytes: Uint8Array, from: number, end: number): readonly Uuid[] => {
  const uuids: Uuid[] = []
  for (let at = from; at < end; at += 16) uuids.push(readUuid(bytes, at))
  return uuids
}

/** Octets of a record by its type. */
export const SVP_RECORD_SIZES: Readonly<Record<number, number | undefined>> = { 1: 32, 2: 44, 3: 72 }

const readLog = (bytes: Uint8Array, from: number, end: number): SvpBody => {
  const records: SvpLogRecord[] = []
  let at = from + 4
  while (at + 4 <= end) {
    const size = SVP_RECORD_SIZES[u32(bytes, at)]
    if (size === undefined || at + size > end) break
    records.push(readRecord(bytes, at))
    at += size
  }
  return { kind: "log-ack", status: u32(bytes, from), records, rest: sliceOctets(bytes, at, end) }
}

const readRecord = (bytes: Uint8Array, at: number): SvpLogRecord => {
  const uuid = readUuid(bytes, at + 4)
  switch (u32(bytes, at)) {
    case SvpLogType.VL2:
      return {
        kind: "vl2",
        uuid,
        mac: readMac(bytes, at + 20),
        pad: u16(bytes, at + 26),
        vnetid: u32(bytes, at + 28),
      }
    case SvpLogType.VL3:
      return {
        kind: "vl3",
        uuid,
        address: readAddress(bytes, at + 20),
        pad: u16(bytes, at + 36),
        vlan: u16(bytes, at + 38),
        vnetid: u32(bytes, at + 40),
      }
    default:
      return {
        kind: "route",
        uuid,
        sourceVnetid: u32(bytes, at + 20),
        destinationVnetid: u32(bytes, at + 24),
        dcid: u32(bytes, at + 28),
        source: readAddress(bytes, at + 32),
        destination: readAddress(bytes, at + 48),
        destinationVlan: u16(bytes, at + 64),
        sourceVlan: u16(bytes, at + 66),
        sourcePrefix: bytes[at + 68],
        destinationPrefix: bytes[at + 69],
        pad: u16(bytes, at + 70),
      }
  }
}
