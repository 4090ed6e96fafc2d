import type { Block, Mapping } from "../../core/cgn/index.ts"
import { type Address, formatAddress, isIpv4 } from "../../core/wire/index.ts"
import type { Endpoint } from "../udp.ts"
import type { Asked, Entry } from "./event.ts"
import type { WallClock } from "./wall-clock.ts"

/** What `serve --json` prints a line: plain data, times as RFC 3339 text, durations in seconds, and never a nonce. */
export const entryRecord = (entry: Entry, clock: WallClock): object => {
  const head = { time: clock.time(), event: entry.event }
  switch (entry.event) {
    case "created":
    case "renewed":
    case "deleted":
    case "expired":
      return {
        ...head,
        ...(entry.lifetime === undefined ? {} : { lifetime: entry.lifetime }),
        mapping: mappingRecord(entry.mapping, clock),
        ...(entry.asked === undefined ? {} : { asked: askedRecord(entry.asked) }),
      }
    case "block":
    case "block-over":
      return { ...head, ...blockRecord(entry.block) }
    case "moved":
      return { ...head, from: endRecord(entry.from), mapping: mappingRecord(entry.mapping, clock) }
    case "reset":
      return entry.internal === undefined ? head : { ...head, internal: formatAddress(entry.internal) }
    case "filtered": {
      const { protocol, internal, filters, asked } = entry
      const record = { ...head, protocol, internal: endRecord(internal), filters }
      return asked === undefined ? record : { ...record, asked: askedRecord(asked) }
    }
    case "answered":
      return { ...head, asked: askedRecord(entry.asked) }
    case "refused":
      return {
        ...head,
        result: { code: entry.result, name: entry.resultName },
        ...(entry.lifetime === undefined ? {} : { lifetime: entry.lifetime }),
        asked: askedRecord(entry.asked),
        ...(entry.why === undefined ? {} : { why: entry.why }),
      }
    case "dropped":
      return { ...head, reason: entry.reason, octets: entry.octets, source: endRecord(entry.source) }
  }
}

/** Whose block it is, and which. `subscriber` is left out where the realm is the subscriber. */
const blockRecord = ({ internal, prefixLength, realm, external, firstPort, lastPort }: Block): object => ({
  ...(realm === undefined ? { subscriber: formatPrefix(internal, prefixLength) } : { realm: formatAddress(realm) }),
  external: { address: formatAddress(external), firstPort, lastPort },
})

/** `192.0.2.1/32`, `2001:db8::/64`. */
export const formatPrefix = (address: Address, prefixLength: number): string =>
  `${formatAddress(address)}/${isIpv4(address) ? prefixLength - 96 : prefixLength}`

/** A mapping without its nonce; `expires` is null when it does not end. */
export const mappingRecord = (mapping: Mapping, clock: WallClock): object => ({
  kind: mapping.kind,
  origin: mapping.origin,
  protocol: mapping.protocol,
  ...(mapping.realm === undefined ? {} : { realm: formatAddress(mapping.realm) }),
  internal: endRecord({ address: mapping.internal, port: mapping.internalPort }),
  external: endRecord({ address: mapping.external, port: mapping.externalPort }),
  ...(mapping.remote === undefined ? {} : { remote: endRecord({ address: mapping.remote, port: mapping.remotePort }) }),
  expires: clock.at(mapping.expires),
  ...(mapping.details?.description === undefined ? {} : { description: mapping.details.description }),
})

export const endRecord = ({ address, port, zone }: Endpoint): object => ({
  address: zone === undefined ? formatAddress(address) : `${formatAddress(address)}%${zone}`,
  port,
})

const askedRecord = ({ source, protocol, version, opcode, mapping }: Asked): object => ({
  by: endRecord(source),
  protocol,
  version,
  opcode,
  ...(mapping === undefined ? {} : { mapping }),
})
