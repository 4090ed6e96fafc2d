import { COUNTER_VECTORS, type Counters, type Filter, type Mapping } from "../../core/cgn/index.ts"
import { DROP_REASONS } from "../../core/server/index.ts"
import { type Address, parseAddress } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import { type Fields, fieldsOf, instantIn, listOf, numberIn, oneOf } from "./fields.ts"
import type { LiveChange, LiveEvent, LiveMessage, LivePool, LiveRow } from "./message.ts"

const MAPPING_KINDS = ["map", "peer", "implicit", "static"] as const
const ORIGINS = ["pcp", "nat-pmp", "traffic", "administrator"] as const
const KINDS = ["dslite", "nat444", "nat64", "nat46", "nptv6", "firewall4", "firewall6", "l2dslite"] as const

/** Reads what {@link writeMessage} wrote; `undefined`: it is no such message, or of another version of it. */
export const readMessage = (text: string): LiveMessage | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const fields = fieldsOf(value)
  if (fields === undefined) return undefined
  switch (fields.type) {
    case "hello":
      return readHello(fields)
    case "snapshot": {
      const at = oneOf(fields.at, ["begin", "end"])
      return at && { type: "snapshot", at }
    }
    case "rows": {
      const rows = listOf(fields.rows, readRow)
      return rows && { type: "rows", rows }
    }
    case "tick":
      return readTick(fields)
    default:
      return undefined
  }
}

const readHello = ({ version, kind, quota, local, external, now }: Fields): LiveMessage | undefined => {
  const known = oneOf(kind, KINDS)
  const most = numberIn(quota)
  const ends = listOf(local, readEnd)
  const pool = listOf(external, readAddress)
  const at = instantIn(now)
  if (typeof version !== "string" || known === undefined || most === undefined) return undefined
  if (ends === undefined || pool === undefined || at === undefined) return undefined
  return { type: "hello", version, kind: known, quota: most, local: ends, external: pool, now: at }
}

const readTick = (fields: Fields): LiveMessage | undefined => {
  const now = instantIn(fields.now)
  const [epoch, total, missed] = [numberIn(fields.epoch), numberIn(fields.total), numberIn(fields.missed)]
  const set = listOf(fields.set, readRow)
  const gone = listOf(fields.gone, readMapping)
  const events = listOf(fields.events, readEvent)
  const counters = readCounters(fields.counters)
  const pool = fields.pool === undefined ? undefined : readPool(fields.pool)
  if (now === undefined || epoch === undefined || total === undefined || missed === undefined) return undefined
  if (set === undefined || gone === undefined || events === undefined || counters === undefined) return undefined
  if (fields.pool !== undefined && pool === undefined) return undefined
  return { type: "tick", now, epoch, total, set, gone, events, missed, counters, pool }
}

const readAddress = (value: unknown): Address | undefined =>
  typeof value === "string" ? parseAddress(value) : undefined

const readPort = (value: unknown): number | undefined => numberIn(value, 65535)

const readEnd = (value: unknown): Endpoint | undefined => {
  const fields = fieldsOf(value)
  const address = readAddress(fields?.address)
  const port = readPort(fields?.port)
  return address === undefined || port === undefined ? undefined : { address, port }
}

const readRow = (value: unknown): LiveRow | undefined => {
  const mapping = readMapping(value)
  const own = fieldsOf(value)?.filters
  const filters = own === undefined ? [] : listOf(own, readFilter)
  return mapping && filters && { mapping, filters }
}

const readMapping = (value: unknown): Mapping | undefined => {
  const fields = fieldsOf(value)
  if (fields === undefined) return undefined
  const [kind, origin] = [oneOf(fields.kind, MAPPING_KINDS), oneOf(fields.origin, ORIGINS)]
  const protocol = numberIn(fields.protocol, 255)
  const [internal, external] = [readAddress(fields.internal), readAddress(fields.external)]
  const [internalPort, externalPort] = [readPort(fields.internalPort), readPort(fields.externalPort)]
  const remotePort = fields.remotePort === undefined ? 0 : readPort(fields.remotePort)
  const expires = fields.expires === undefined ? Number.POSITIVE_INFINITY : instantIn(fields.expires)
  if (kind === undefined || origin === undefined || protocol === undefined) return undefined
  if (internal === undefined || external === undefined || expires === undefined) return undefined
  if (internalPort === undefined || externalPort === undefined || remotePort === undefined) return undefined
  const [realm, remote] = [readAddress(fields.realm), readAddress(fields.remote)]
  if ((fields.realm !== undefined && realm === undefined) || (fields.remote !== undefined && remote === undefined))
    return undefined
  return {
    kind,
    origin,
    protocol,
    internal,
    internalPort,
    ...(fields.identifier === 0 ? { identifier: 0 } : {}),
    realm,
    external,
    externalPort,
    remote,
    remotePort,
    nonce: undefined,
    expires,
    clientPort: 0,
    details: undefined,
  }
}

const readFilter = (value: unknown): Filter | undefined => {
  const fields = fieldsOf(value)
  const remote = readAddress(fields?.remote)
  const prefixLength = numberIn(fields?.prefixLength, 128)
  const remotePort = readPort(fields?.remotePort)
  if (remote === undefined || prefixLength === undefined || remotePort === undefined) return undefined
  return { remote, prefixLength, remotePort }
}

const readEvent = (value: unknown): LiveEvent | undefined => {
  const fields = fieldsOf(value)
  if (fields === undefined) return undefined
  const at = instantIn(fields.at)
  const source = fields.source === undefined ? undefined : readEnd(fields.source)
  const request = readHex(fields.request)
  const reply = readHex(fields.reply)
  const dropped = oneOf(fields.dropped, DROP_REASONS)
  const changes = fields.changes === undefined ? [] : listOf(fields.changes, readChange)
  if (at === undefined || changes === undefined) return undefined
  const isBroken =
    (fields.source !== undefined && source === undefined) ||
    (fields.request !== undefined && request === undefined) ||
    (fields.reply !== undefined && reply === undefined) ||
    (fields.dropped !== undefined && dropped === undefined)
  return isBroken ? undefined : { at, source, request, reply, dropped, changes }
}

const readChange = (value: unknown): LiveChange | undefined => {
  const fields = fieldsOf(value)
  if (fields === undefined) return undefined
  const { type } = fields
  const mapping = readMapping(fields.mapping)
  const [internal, external, realm] = [fields.internal, fields.external, fields.realm].map(readAddress)
  if (fields.realm !== undefined && realm === undefined) return undefined
  switch (type) {
    case "created":
    case "renewed":
    case "deleted":
    case "expired":
      return mapping && { type, mapping }
    case "moved": {
      const externalPort = readPort(fields.externalPort)
      if (mapping === undefined || external === undefined || externalPort === undefined) return undefined
      return { type, mapping, external, externalPort }
    }
    case "filtered": {
      const protocol = numberIn(fields.protocol, 255)
      const internalPort = readPort(fields.internalPort)
      const filters = listOf(fields.filters, readFilter)
      if (protocol === undefined || internal === undefined || internalPort === undefined || filters === undefined)
        return undefined
      return { type, protocol, internal, internalPort, realm, filters }
    }
    case "block":
    case "block-over": {
      const prefixLength = numberIn(fields.prefixLength, 128)
      const [firstPort, lastPort] = [readPort(fields.firstPort), readPort(fields.lastPort)]
      if (internal === undefined || external === undefined || prefixLength === undefined) return undefined
      if (firstPort === undefined || lastPort === undefined) return undefined
      return { type, internal, prefixLength, realm, external, firstPort, lastPort }
    }
    case "epoch-reset": {
      const at = instantIn(fields.at)
      return at === undefined ? undefined : { type, at }
    }
    case "subscriber-reset": {
      const at = instantIn(fields.at)
      return at === undefined || internal === undefined ? undefined : { type, internal, realm, at }
    }
    default:
      return undefined
  }
}

const readHex = (value: unknown): Uint8Array | undefined => {
  if (typeof value !== "string" || value.length % 2 !== 0 || !/^[0-9a-f]*$/.test(value)) return undefined
  return Uint8Array.from({ length: value.length / 2 }, (_, i) => Number.parseInt(value.slice(2 * i, 2 * i + 2), 16))
}

const readCounters = (value: unknown): Counters | undefined => {
  const vectors = listOf(value, (vector) => listOf(vector, readCount))
  if (vectors === undefined || vectors.length !== COUNTER_VECTORS.length) return undefined
  const [operation, result, option, natpmpOperation, natpmpResult, drop, cache, packet] = vectors
  return {
    operation,
    result,
    option,
    "natpmp-operation": natpmpOperation,
    "natpmp-result": natpmpResult,
    drop,
    cache,
    packet,
  }
}

const readCount = (value: unknown): Counters["drop"][number] | undefined => {
  if (!Array.isArray(value)) return undefined
  const [index, count] = [numberIn(value[0], 255), numberIn(value[1])]
  return index === undefined || count === undefined ? undefined : { index, count }
}

const readPool = (value: unknown): LivePool | undefined => {
  const fields = fieldsOf(value)
  const [udp, tcp] = [readUse(fields?.udp), readUse(fields?.tcp)]
  return udp && tcp && { udp, tcp }
}

const readUse = (value: unknown): LivePool["udp"] | undefined => {
  const fields = fieldsOf(value)
  const [ports, taken] = [numberIn(fields?.ports), numberIn(fields?.taken)]
  return ports === undefined || taken === undefined ? undefined : { ports, taken }
}
