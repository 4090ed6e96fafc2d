import { type Encoded, putU16, putU32, u32, writeAddress } from "../../wire/index.ts"
import { writeMac } from "../mac.ts"
import { tooWide, unwritable, type Width } from "../parsed.ts"
import type { SvpBody, SvpLogRecord, SvpMessage, Uuid } from "./message.ts"
import { SVP_RECORD_SIZES, SVP_SIZES, svpCrc } from "./parse.ts"
import { SVP_HEADER, SvpLogType, SvpOp } from "./registry.ts"

/** The octets of a message, with its CRC. */
export const encodeSvp = ({ version, id, body }: SvpMessage): Encoded => {
  const op = opOf(body)
  const wide = tooWide([["id", id, 32], ["op", op, 16], ...widthsOf(body)])
  if (wide !== undefined) return wide
  const fault = faultOf(version, op, body)
  if (fault !== undefined) return unwritable(fault)
  const bytes = new Uint8Array(SVP_HEADER + sizeOf(body))
  putU16(bytes, 0, version)
  putU16(bytes, 2, op)
  putU32(bytes, 4, bytes.length - SVP_HEADER)
  putU32(bytes, 8, id)
  writeBody(bytes, SVP_HEADER, body)
  putU32(bytes, 12, svpCrc(bytes, 0, bytes.length))
  return { ok: true, bytes }
}

const OPS = {
  ping: SvpOp.PING,
  pong: SvpOp.PONG,
  "vl2-request": SvpOp.VL2_REQ,
  "vl2-ack": SvpOp.VL2_ACK,
  "vl3-request": SvpOp.VL3_REQ,
  "vl3-ack": SvpOp.VL3_ACK,
  "bulk-request": SvpOp.BULK_REQ,
  "bulk-ack": SvpOp.BULK_ACK,
  "log-request": SvpOp.LOG_REQ,
  "log-ack": SvpOp.LOG_ACK,
  "log-remove": SvpOp.LOG_RM,
  "log-remove-ack": SvpOp.LOG_RM_ACK,
  shootdown: SvpOp.SHOOTDOWN,
  "route-request": SvpOp.ROUTE_REQ,
  "route-ack": SvpOp.ROUTE_ACK,
} as const

const opOf = (body: SvpBody): number => (body.kind === "other" ? body.op : OPS[body.kind])

/** Fields of 16 and of 8 bits; the other numbers have 32. */
const NARROW: Readonly<Record<string, number | undefined>> = {
  port: 16,
  vlan: 16,
  pad: 16,
  sourceVlan: 16,
  destinationVlan: 16,
  sourcePrefix: 8,
  destinationPrefix: 8,
}
/** Ethernet addresses are numbers too, which fit their field by their type. */
const MACS: readonly string[] = ["mac", "sourceMac", "destinationMac"]

const widthsOf = (body: SvpBody): readonly Width[] => [
  ...numbersOf(body, body.kind === "vl2-ack" ? 16 : 32),
  ...(body.kind === "log-ack" ? body.records.flatMap((record) => numbersOf(record, 32)) : []),
]

const numbersOf = (value: object, statusBits: number): readonly Width[] =>
  Object.entries(value).flatMap(([name, number]: readonly [string, unknown]) => {
    if (typeof number !== "number" || MACS.includes(name)) return []
    return [[name, number, name === "status" ? statusBits : (NARROW[name] ?? 32)] as const]
  })

const faultOf = (version: number, op: number, body: SvpBody): string | undefined => {
  if (version !== 1 && version !== 2) return `there is no SVP version ${version}`
  const isRoute = op === SvpOp.ROUTE_REQ || op === SvpOp.ROUTE_ACK
  if (body.kind === "other")
    return SVP_SIZES[op] === undefined || (isRoute && version === 1) ? undefined : `operation ${op} has a name`
  if (isRoute && version === 1) return "version 1 has no routes"
  const uuids =
    body.kind === "log-remove" ? body.uuids : body.kind === "log-ack" ? body.records.map(({ uuid }) => uuid) : []
  if (!uuids.every((uuid) => /^[0-9a-f]{32}$/.test(uuid))) return "a uuid is 32 lower-case hex digits"
  return body.kind === "log-ack" && startsRecord(body.rest) ? "what starts with a record is no rest" : undefined
}

const startsRecord = (rest: Uint8Array): boolean => {
  const size = rest.length < 4 ? undefined : SVP_RECORD_SIZES[u32(rest, 0)]
  return size !== undefined && rest.length >= size
}

const RECORDS = { vl2: SvpLogType.VL2, vl3: SvpLogType.VL3, route: SvpLogType.ROUTE } as const
const recordSize = ({ kind }: SvpLogRecord): number => SVP_RECORD_SIZES[RECORDS[kind]] ?? 0

const sizeOf = (body: SvpBody): number => {
  switch (body.kind) {
    case "other":
      return body.data.length
    case "bulk-ack":
      return 8 + body.data.length
    case "log-ack":
      return body.records.reduce((sum, record) => sum + recordSize(record), 4) + body.rest.length
    case "log-remove":
      return 4 + 16 * body.uuids.length
    default:
      return SVP_SIZES[OPS[body.kind]]?.octets ?? 0
  }
}

const writeBody = (bytes: Uint8Array, at: number, body: SvpBody): void => {
  switch (body.kind) {
    case "ping":
    case "pong":
      break
    case "vl2-request":
    case "shootdown":
      writeMac(bytes, at, body.mac)
      putU16(bytes, at + 6, body.pad)
      putU32(bytes, at + 8, body.vnetid)
      break
    case "vl2-ack":
      putU16(bytes, at, body.status)
      putU16(bytes, at + 2, body.port)
      writeAddress(bytes, at + 4, body.address)
      break
    case "vl3-request":
      writeAddress(bytes, at, body.address)
      putU32(bytes, at + 16, body.type)
      putU32(bytes, at + 20, body.vnetid)
      break
    case "vl3-ack":
      putU32(bytes, at, body.status)
      writeMac(bytes, at + 4, body.mac)
      putU16(bytes, at + 10, body.port)
      writeAddress(bytes, at + 12, body.address)
      break
    case "bulk-request":
      putU32(bytes, at, body.type)
      break
    case "bulk-ack":
      putU32(bytes, at, body.status)
      putU32(bytes, at + 4, body.type)
      bytes.set(body.data, at + 8)
      break
    case "log-request":
      putU32(bytes, at, body.count)
      writeAddress(bytes, at + 4, body.address)
      break
    case "log-ack":
      writeLog(bytes, at, body)
      break
    case "log-remove":
      putU32(bytes, at, body.uuids.length)
      body.uuids.forEach((uuid, index) => {
        writeUuid(bytes, at + 4 + 16 * index, uuid)
      })
      break
    case "log-remove-ack":
      putU32(bytes, at, body.status)
      break
    case "route-request":
      putU32(bytes, at, body.vnetid)
      putU16(bytes, at + 4, body.vlan)
      putU16(bytes, at + 6, body.pad)
      writeAddress(bytes, at + 8, body.source)
      writeAddress(bytes, at + 24, body.destination)
      break
    case "route-ack":
      writeRouteAck(bytes, at, body)
      break
    case "other":
      bytes.set(body.data, at)
  }
}

const writeRouteAck = (bytes: Uint8Array, at: number, body: Extract<SvpBody, { kind: "route-ack" }>): void => {
  putU32(bytes, at, body.status)
  putU32(bytes, at + 4, body.dcid)
  putU32(bytes, at + 8, body.vnetid)
  putU16(bytes, at + 12, body.vlan)
  putU16(bytes, at + 14, body.port)
  writeAddress(bytes, at + 16, body.address)
  writeMac(bytes, at + 32, body.sourceMac)
  writeMac(bytes, at + 38, body.destinationMac)
  bytes[at + 44] = body.sourcePrefix
  bytes[at + 45] = body.destinationPrefix
  putU16(bytes, at + 46, body.pad)
}

const writeUuid = (bytes: Uint8Array, at: number, uuid: Uuid): void => {
  for (let i = 0; i < 16; i++) bytes[at + i] = Number.parseInt(uuid.slice(2 * i, 2 * i + 2), 16)
}

const writeLog = (bytes: Uint8Array, from: number, body: Extract<SvpBody, { kind: "log-ack" }>): void => {
  putU32(bytes, from, body.status)
  let at = from + 4
  for (const record of body.records) {
    putU32(bytes, at, RECORDS[record.kind])
    writeUuid(bytes, at + 4, record.uuid)
    writeRecord(bytes, at + 20, record)
    at += recordSize(record)
  }
  bytes.set(body.rest, at)
}

const writeRecord = (bytes: Uint8Array, at: number, record: SvpLogRecord): void => {
  switch (record.kind) {
    case "vl2":
      writeMac(bytes, at, record.mac)
      putU16(bytes, at + 6, record.pad)
      putU32(bytes, at + 8, record.vnetid)
      break
    case "vl3":
      writeAddress(bytes, at, record.address)
      putU16(bytes, at + 16, record.pad)
      putU16(bytes, at + 18, record.vlan)
      putU32(bytes, at + 20, record.vnetid)
      break
    case "route":
      putU32(bytes, at, record.sourceVnetid)
      putU32(bytes, at + 4, record.destinationVnetid)
      putU32(bytes, at + 8, record.dcid)
      writeAddress(bytes, at + 12, record.source)
      writeAddress(bytes, at + 28, record.destination)
      putU16(bytes, at + 44, record.destinationVlan)
      putU16(bytes, at + 46, record.sourceVlan)
      bytes[at + 48] = record.sourcePrefix
      bytes[at + 49] = record.destinationPrefix
      putU16(bytes, at + 50, record.pad)
  }
}
