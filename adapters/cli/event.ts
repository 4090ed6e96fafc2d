import {
  type Assignment,
  type Block,
  type CgnProfile,
  type Change,
  type Mapping,
  tellsWho,
} from "../../core/cgn/index.ts"
import {
  type Address,
  isIpv4,
  isLoopback,
  MAP_LENGTH,
  NATPMP_VERSION,
  NatPmpOpcode,
  natPmpOpcodeName,
  natPmpResultName,
  Opcode,
  opcodeName,
  PCP_VERSION,
  Protocol,
  ResultCode,
  resultName,
  u16,
  u32,
} from "../../core/wire/index.ts"
import type { ServerEvent } from "../server-machine.ts"
import type { Endpoint } from "../udp.ts"

/** Who asked for what. */
export interface Asked {
  readonly source: Endpoint
  readonly protocol: "pcp" | "nat-pmp" | "unknown"
  readonly version: number
  /** The opcode's name: `MAP`, `map UDP`. */
  readonly opcode: string
  /** What for; `undefined` where the message names no mapping. */
  readonly mapping: AskedMapping | undefined
}

export interface AskedMapping {
  /** IANA protocol number. */
  readonly protocol: number
  readonly internalPort: number
  /** Seconds. */
  readonly lifetime: number
}

/** One thing that the server did, as `serve` tells it. Made of what may be shown to anybody: no nonce is in it. */
export type Entry =
  | {
      readonly event: "created" | "renewed" | "deleted" | "expired"
      readonly mapping: Mapping
      /** Who asked; `undefined` when time alone did it, or the administrator. */
      readonly asked: Asked | undefined
      /** Seconds granted. */
      readonly lifetime: number | undefined
    }
  /** A subscriber was given a block of external ports, or has it no longer. */
  | { readonly event: "block" | "block-over"; readonly block: Block }
  /** Its external end became another one. */
  | { readonly event: "moved"; readonly mapping: Mapping; readonly from: Endpoint }
  | {
      readonly event: "filtered"
      readonly protocol: number
      readonly internal: Endpoint
      readonly filters: number
      readonly asked: Asked | undefined
    }
  /** Epoch Time starts again from 0: one subscriber's, or everybody's. */
  | { readonly event: "reset"; readonly internal: Address | undefined }
  /** A success that changed no mapping. */
  | { readonly event: "answered"; readonly asked: Asked; readonly reply: Uint8Array }
  | {
      readonly event: "refused"
      readonly asked: Asked
      readonly result: number
      readonly resultName: string
      /** Seconds that the error lasts; `undefined` in NAT-PMP. */
      readonly lifetime: number | undefined
      /** Why, where the result code alone would leave people guessing. */
      readonly why: string | undefined
    }
  | { readonly event: "dropped"; readonly source: Endpoint; readonly octets: number; readonly reason: string }

/**
 * What is worth a line in one event of the server, in the order in which it happened. `profile` says which hosts it serves;
 * `undefined`: any.
 */
export const entriesOf = (event: ServerEvent, profile?: CgnProfile): Entry[] => {
  switch (event.type) {
    case "dropped":
      return [{ event: "dropped", source: event.source, octets: event.request.length, reason: event.reason }]
    case "advanced":
      return event.changes.flatMap((change) => entryOf(change, undefined, undefined) ?? [])
    case "answered":
      return answeredEntries(event, profile)
  }
}

type Answered = Extract<ServerEvent, { type: "answered" }>

const answeredEntries = ({ request, reply, source, changes }: Answered, profile?: CgnProfile): Entry[] => {
  const asked = readAsked(request, source)
  const lifetime = grantedLifetime(reply)
  const entries = changes.flatMap((change) => entryOf(change, asked, lifetime) ?? [])
  const result = resultOf(reply)
  if (result !== 0) {
    const natPmp = reply[0] === NATPMP_VERSION
    const resultNamed = natPmp ? natPmpResultName(result) : resultName(result)
    const why = whyRefused(result, source, profile)
    // NAT-PMP's errors have no lifetime: octets there are whatever the client sent, which comes back as it is (RFC 6886 section 3.5).
    const lasts = natPmp ? undefined : lifetime
    entries.push({ event: "refused", asked, result, resultName: resultNamed, lifetime: lasts, why })
  } else if (entries.length === 0) entries.push({ event: "answered", asked, reply })
  return entries
}

/** What one change is worth: an entry, or none for what only machines want to know. A busy server does this for every request. */
const entryOf = (change: Change, asked: Asked | undefined, lifetime: number | undefined): Entry | undefined => {
  switch (change.type) {
    case "created":
    case "renewed":
      return { event: change.type, mapping: change.mapping, asked, lifetime }
    case "deleted":
    case "expired":
      return { event: change.type, mapping: change.mapping, asked, lifetime: undefined }
    case "moved":
      return {
        event: "moved",
        mapping: change.mapping,
        from: { address: change.external, port: change.externalPort },
      }
    case "block":
    case "block-over": {
      const { type, ...block } = change
      return { event: type, block }
    }
    case "filtered": {
      const { protocol, internal, internalPort, filters } = change
      return {
        event: "filtered",
        protocol,
        internal: { address: internal, port: internalPort },
        filters: filters.length,
        asked,
      }
    }
    case "epoch-reset":
      return { event: "reset", internal: undefined }
    case "subscriber-reset":
      return { event: "reset", internal: change.internal }
    case "held":
    case "freed":
    case "session":
    case "session-over":
    case "counted":
      return undefined
  }
}

/** Must a log have this to tell whose every external port was? */
export const isAssignmentEntry = (kind: Assignment["kind"], entry: Entry): boolean => {
  switch (entry.event) {
    case "block":
    case "block-over":
      return true
    case "created":
    case "deleted":
    case "expired":
      return tellsWho(kind, { type: entry.event, mapping: entry.mapping })
    case "moved": {
      const { mapping, from } = entry
      return tellsWho(kind, { type: "moved", mapping, external: from.address, externalPort: from.port })
    }
    default:
      return false
  }
}

/** NOT_AUTHORIZED has many causes; those that lie in the host's address can be told from outside. */
const whyRefused = (result: number, { address }: Endpoint, profile?: CgnProfile): string | undefined => {
  if (result !== ResultCode.NOT_AUTHORIZED || profile === undefined) return undefined
  if (profile.mapInternal !== isIpv4(address)) return `only ${profile.mapInternal ? "IPv4" : "IPv6"} hosts are served`
  return profile.firewall && isLoopback(address) ? "no host behind a firewall has a loopback address" : undefined
}

const readAsked = (bytes: Uint8Array, source: Endpoint): Asked => {
  const version = bytes[0]
  const opcode = bytes[1] & 127
  if (version === NATPMP_VERSION) {
    const maps = (opcode === NatPmpOpcode.MAP_UDP || opcode === NatPmpOpcode.MAP_TCP) && bytes.length >= 12
    const protocol = opcode === NatPmpOpcode.MAP_UDP ? Protocol.UDP : Protocol.TCP
    const mapping = maps ? { protocol, internalPort: u16(bytes, 4), lifetime: u32(bytes, 8) } : undefined
    return { source, protocol: "nat-pmp", version, opcode: natPmpOpcodeName(opcode), mapping }
  }
  if (version !== PCP_VERSION)
    return { source, protocol: "unknown", version, opcode: `opcode ${opcode}`, mapping: undefined }
  // MAP and PEER have these fields in the same places (RFC 6887 sections 11.1 and 12.1).
  const maps = (opcode === Opcode.MAP || opcode === Opcode.PEER) && bytes.length >= MAP_LENGTH
  const mapping = maps ? { protocol: bytes[36], internalPort: u16(bytes, 40), lifetime: u32(bytes, 4) } : undefined
  return { source, protocol: "pcp", version, opcode: opcodeName(opcode), mapping }
}

const resultOf = (reply: Uint8Array): number => (reply[0] === NATPMP_VERSION ? u16(reply, 2) : reply[3])

const grantedLifetime = (reply: Uint8Array): number | undefined => {
  if (reply[0] !== NATPMP_VERSION) return u32(reply, 4)
  return reply.length >= 16 ? u32(reply, 12) : undefined
}
