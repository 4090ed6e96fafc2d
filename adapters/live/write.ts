import { COUNTER_VECTORS, type Filter, type Mapping } from "../../core/cgn/index.ts"
import { type Address, formatAddress } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import type { LiveChange, LiveEvent, LiveMessage, LiveRow } from "./message.ts"

/** A message as a line of JSON: addresses as text, octets in hex, what is absent left out. {@link readMessage} reads it. */
export const writeMessage = (message: LiveMessage): string => JSON.stringify(recordOf(message))

const recordOf = (message: LiveMessage): object => {
  switch (message.type) {
    case "hello":
      return { ...message, local: message.local.map(endRecord), external: message.external.map(formatAddress) }
    case "snapshot":
      return message
    case "rows":
      return { type: "rows", rows: message.rows.map(rowRecord) }
    case "tick": {
      const { set, gone, events, counters } = message
      return {
        ...message,
        set: set.map(rowRecord),
        gone: gone.map(mappingRecord),
        events: events.map(eventRecord),
        counters: COUNTER_VECTORS.map((vector) => counters[vector].map(({ index, count }) => [index, count])),
      }
    }
  }
}

const endRecord = ({ address, port }: Endpoint): object => ({ address: formatAddress(address), port })

const optional = (address: Address | undefined): string | undefined => address && formatAddress(address)

const rowRecord = ({ mapping, filters }: LiveRow): object =>
  filters.length === 0 ? mappingRecord(mapping) : { ...mappingRecord(mapping), filters: filters.map(filterRecord) }

/** No `expires`: it does not run out. */
const mappingRecord = (mapping: Mapping): object => {
  const { kind, origin, protocol, internal, internalPort, identifier, realm, external, externalPort } = mapping
  const { remote, remotePort, expires } = mapping
  return {
    kind,
    origin,
    protocol,
    internal: formatAddress(internal),
    internalPort,
    identifier,
    realm: optional(realm),
    external: formatAddress(external),
    externalPort,
    remote: optional(remote),
    ...(remotePort === 0 ? {} : { remotePort }),
    ...(expires === Number.POSITIVE_INFINITY ? {} : { expires }),
  }
}

const filterRecord = ({ remote, prefixLength, remotePort }: Filter): object => ({
  remote: formatAddress(remote),
  prefixLength,
  remotePort,
})

const eventRecord = ({ at, source, request, reply, dropped, changes }: LiveEvent): object => ({
  at,
  source: source && endRecord(source),
  request: request && hex(request),
  reply: reply && hex(reply),
  dropped,
  ...(changes.length === 0 ? {} : { changes: changes.map(changeRecord) }),
})

const changeRecord = (change: LiveChange): object => {
  switch (change.type) {
    case "created":
    case "renewed":
    case "deleted":
    case "expired":
      return { type: change.type, mapping: mappingRecord(change.mapping) }
    case "moved": {
      const { type, mapping, external, externalPort } = change
      return { type, mapping: mappingRecord(mapping), external: formatAddress(external), externalPort }
    }
    case "filtered": {
      const { type, protocol, internal, internalPort, realm, filters } = change
      const end = { protocol, internal: formatAddress(internal), internalPort, realm: optional(realm) }
      return { type, ...end, filters: filters.map(filterRecord) }
    }
    case "block":
    case "block-over": {
      const { type, internal, prefixLength, realm, external, firstPort, lastPort } = change
      const whose = { internal: formatAddress(internal), prefixLength, realm: optional(realm) }
      return { type, ...whose, external: formatAddress(external), firstPort, lastPort }
    }
    case "epoch-reset":
      return change
    case "subscriber-reset": {
      const { type, internal, realm, at } = change
      return { type, internal: formatAddress(internal), realm: optional(realm), at }
    }
  }
}

const DIGITS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"))

const hex = (bytes: Uint8Array): string => {
  let text = ""
  for (const octet of bytes) text += DIGITS[octet]
  return text
}
