import type { OpenedPacket } from "../open/index.ts"
import type { Facts } from "./facts.ts"
import type { Part, Unpaired } from "./row.ts"

/** A request with its retransmissions and its answers, by their places in the list of rows. */
export interface Exchange {
  /** The first transmission, and those after it. */
  readonly requests: readonly number[]
  readonly answers: readonly number[]
  /** Milliseconds from the first and from the last transmission before it to the first answer; `undefined`: none, or no times. */
  readonly latency: number | undefined
  readonly sinceLast: number | undefined
  /** Milliseconds between transmissions, each with the least and most that the RFCs have there. */
  readonly gaps: readonly Gap[]
  /** The answer came from another address than the one that was asked: routers that share one do that (VRRP). */
  readonly answeredElsewhere: boolean
}

export interface Gap {
  readonly milliseconds: number
  readonly least: number
  readonly most: number
}

interface Open {
  readonly index: number
  readonly requests: number[]
  readonly answers: number[]
  readonly bytes: Uint8Array
  readonly destination: string
  answeredElsewhere: boolean
}

/** Goes through rows in their order and says of each what it is in which exchange. */
export interface Pairing {
  readonly add: (row: Unpaired) => { readonly part: Part; readonly exchange: number }
  readonly exchanges: (rows: readonly Unpaired[]) => readonly Exchange[]
}

const endText = (end: OpenedPacket["source"]): string => (end === undefined ? "" : `${end.address}${end.port}`)

/**
 * What a request and its response have in common: MAP and PEER their nonce, protocol and internal port (RFC 6887 section 8.3), all others
 * the client's end, the opcode, and for NAT-PMP the internal port; a FLOW_REQ and its FLOW_REPLY the client's end and its endpoint id.
 */
const keyOf = ({ protocol, opcode, nonce, transport, internalPort }: Facts, client: string): string =>
  protocol === "flow"
    ? `flow|${nonce}|${client}`
    : nonce === ""
      ? `${protocol}|${opcode}|${internalPort}|${client}`
      : `${opcode}|${nonce}|${transport}|${internalPort}`

/** Pairs in one pass: an index by key, and one by the client's end for version errors, which say nothing of what was asked. */
export const pairing = (): Pairing => {
  const open: Open[] = []
  const byKey = new Map<string, Open>()
  const byClient = new Map<string, Open>()

  const request = (row: Unpaired) => {
    const { facts, packet, index } = row
    const client = endText(packet.source)
    const key = keyOf(facts, client)
    const known = byKey.get(key)
    if (known !== undefined && known.answers.length === 0 && isSame(known.bytes, packet.bytes)) {
      known.requests.push(index)
      byClient.set(client, known)
      return { part: "retransmission", exchange: known.index } as const
    }
    const made: Open = {
      index: open.length,
      requests: [index],
      answers: [],
      bytes: packet.bytes,
      destination: packet.destination?.address ?? "",
      answeredElsewhere: false,
    }
    open.push(made)
    byKey.set(key, made)
    byClient.set(client, made)
    return { part: "request", exchange: made.index } as const
  }

  const response = ({ facts, packet, index }: Unpaired) => {
    const client = endText(packet.destination)
    const exchange = byKey.get(keyOf(facts, client)) ?? (isVersionError(facts) ? byClient.get(client) : undefined)
    if (exchange === undefined) return { part: "unsolicited", exchange: -1 } as const
    const source = packet.source?.address ?? ""
    if (source !== "" && exchange.destination !== "" && source !== exchange.destination)
      exchange.answeredElsewhere = true
    exchange.answers.push(index)
    return { part: exchange.answers.length === 1 ? "answer" : "repeated answer", exchange: exchange.index } as const
  }

  return {
    add: (row) => {
      if (row.packet.direction === undefined) return { part: "neither", exchange: -1 }
      return row.packet.direction === "request" ? request(row) : response(row)
    },
    exchanges: (rows) => open.map((one) => closed(one, rows)),
  }
}

const isVersionError = ({ protocol, result }: Facts): boolean =>
  protocol === "other" || (protocol !== "flow" && result === 1)

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((octet, i) => octet === b[i])

const closed = ({ requests, answers, answeredElsewhere }: Open, rows: readonly Unpaired[]): Exchange => {
  const times = requests.map((index) => rows[index].time)
  const answered = answers.length === 0 ? undefined : rows[answers[0]].time
  const first = times[0]
  const last = times.findLast((time) => time !== undefined && answered !== undefined && time <= answered)
  const { protocol } = rows[requests[0]].facts
  return {
    requests,
    answers,
    latency: answered === undefined || first === undefined ? undefined : answered - first,
    sinceLast: answered === undefined || last === undefined ? undefined : answered - last,
    gaps: times.flatMap((time, i) => {
      const before = i === 0 ? undefined : times[i - 1]
      // Nothing says how long a requester of flows waits.
      if (time === undefined || before === undefined || protocol === "flow") return []
      return [gapOf(time - before, i, protocol === "NAT-PMP")]
    }),
    answeredElsewhere,
  }
}

/** RFC 6887 section 8.1.1: the first wait is IRT, 3 s, each doubles up to MRT, 1024 s, all with up to a tenth at random. */
const IRT = 3000
const MRT = 1024000
/** RFC 6886 section 3.1. */
const NATPMP_WAIT = 250

const gapOf = (milliseconds: number, number: number, natPmp: boolean): Gap => {
  if (natPmp) {
    const wait = NATPMP_WAIT * 2 ** Math.min(number - 1, 8)
    return { milliseconds, least: wait, most: wait }
  }
  let [least, most] = [0.9 * IRT, 1.1 * IRT]
  for (let i = 1; i < Math.min(number, 12); i++) {
    least = 0.9 * Math.min(2 * least, MRT)
    most = 1.1 * Math.min(2 * most, MRT)
  }
  return { milliseconds, least, most }
}
