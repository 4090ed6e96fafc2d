import type { Mapping } from "../../core/cgn/index.ts"
import {
  MAP_LENGTH,
  NATPMP_VERSION,
  NatPmpOpcode,
  natPmpOpcodeName,
  natPmpResultName,
  Opcode,
  opcodeName,
  PCP_VERSION,
  Protocol,
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
      /** Who asked; `undefined` when time alone did it. */
      readonly asked: Asked | undefined
      /** Seconds granted. */
      readonly lifetime: number | undefined
    }
  | {
      readonly event: "filtered"
      readonly protocol: number
      readonly internal: Endpoint
      readonly filters: number
      readonly asked: Asked | undefined
    }
  /** A success that changed no mapping. */
  | { readonly event: "answered"; readonly asked: Asked; readonly reply: Uint8Array }
  | {
      readonly event: "refused"
      readonly asked: Asked
      readonly result: number
      readonly resultName: string
      /** Seconds that the error lasts; `undefined` in NAT-PMP. */
      readonly lifetime: number | undefined
    }
  | { readonly event: "dropped"; readonly source: Endpoint; readonly octets: number; readonly reason: string }

/** What is worth a line in one event of the server, in the order in which it happened. */
export const entriesOf = (event: ServerEvent): Entry[] => {
  if (event.type === "dropped") {
    return [{ event: "dropped", source: event.source, octets: event.request.length, reason: event.reason }]
  }
  const asked = event.type === "answered" ? readAsked(event.request, event.source) : undefined
  const lifetime = event.type === "answered" ? grantedLifetime(event.reply) : undefined
  const entries: Entry[] = []
  for (const change of event.changes) {
    switch (change.type) {
      case "created":
      case "renewed":
        entries.push({ event: change.type, mapping: change.mapping, asked, lifetime })
        break
      case "deleted":
      case "expired":
        entries.push({ event: change.type, mapping: change.mapping, asked, lifetime: undefined })
        break
      case "filtered": {
        const internal = { address: change.internal, port: change.internalPort }
        entries.push({ event: "filtered", protocol: change.protocol, internal, filters: change.filters.length, asked })
      }
    }
  }
  if (event.type !== "answered" || asked === undefined) return entries
  const result = resultOf(event.reply)
  if (result !== 0) {
    const name = event.reply[0] === NATPMP_VERSION ? natPmpResultName(result) : resultName(result)
    entries.push({ event: "refused", asked, result, resultName: name, lifetime })
  } else if (entries.length === 0) entries.push({ event: "answered", asked, reply: event.reply })
  return entries
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
