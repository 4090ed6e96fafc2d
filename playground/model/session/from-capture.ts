import type { CgnKind } from "../../../core/cgn/index.ts"
import { type Address, addressWord, isAny, isIpv4, isLoopback, isMulticast, parse } from "../../../core/wire/index.ts"
import type { Capture, Row } from "../capture/index.ts"
import { type CgnConfiguration, CLIENTS, PRESETS } from "./configuration.ts"
import { LATEST, MOST_STEPS } from "./file.ts"
import { AFTERMATH, type Session, type SessionStep } from "./session.ts"

/** External addresses that a capture's CGN is taken to have. */
const MOST_EXTERNAL = 256
/** What comes after the last packet: as long as the capture is, but enough to see something run down. Milliseconds. */
const SHORTEST_AFTERMATH = 30_000

/** A session made of a capture, and what had to be guessed for it. */
export interface CapturedSession {
  readonly session: Session
  readonly notes: readonly string[]
}

/**
 * The requests of a capture, each with the answer that it got then, against a CGN of the kind that the addresses tell of. Its pool is
 * what was assigned in the capture.
 */
export const sessionFromCapture = ({ rows, exchanges }: Capture, title: string): CapturedSession => {
  const notes: string[] = []
  const requests = rows.filter(({ packet, facts }) => packet.direction === "request" && facts.protocol !== "flow")
  const kind = kindOf(requests, rows)
  notes.push(`taken for ${kind} by the addresses in it`)
  const external = assigned(rows)
  const pooled = external.length > 0 && external.every(isIpv4) && PRESETS[kind].external.length > 0
  if (!pooled) notes.push("no external IPv4 address was assigned in it: the pool is the preset's")
  const untimed = requests.filter(({ time }) => time === undefined).length
  if (untimed > 0) notes.push(`${untimed} of its packets have no time: each is one second after the one before`)
  if (requests.length > MOST_STEPS) notes.push(`only the first ${MOST_STEPS} requests are taken`)
  const first = requests.find(({ time }) => time !== undefined)?.time ?? 0
  let clock = -1000
  const steps = requests.slice(0, MOST_STEPS).map((row): SessionStep => {
    clock = Math.min(LATEST, row.time === undefined ? clock + 1000 : Math.max(0, row.time - first))
    const answer = answerTo(row, rows, exchanges)
    return {
      type: "datagram",
      at: clock,
      side: "inside",
      source: row.packet.source ?? { address: clientOf(row) ?? CLIENTS[kind], port: 49152 },
      bytes: row.packet.bytes,
      ...(answer === undefined ? {} : { answer }),
    }
  })
  const configuration: CgnConfiguration = {
    ...PRESETS[kind],
    inside: [],
    ...(pooled ? { external } : {}),
    ...(rows.some(({ facts }) => facts.protocol === "NAT-PMP") ? { natPmp: true } : {}),
  }
  const sorted = steps.toSorted((one, other) => one.at - other.at)
  const last = sorted.at(-1)?.at ?? 0
  if (last === LATEST) notes.push("its clock leaps: what is ten years after its beginning, or more, is put there")
  const until = Math.min(LATEST, last + Math.min(AFTERMATH, Math.max(SHORTEST_AFTERMATH, last)))
  return { session: { title: title.slice(0, 200), note: notes.join("; "), configuration, steps: sorted, until }, notes }
}

/** Each transmission has the answer that came first after it. */
const answerTo = (row: Row, rows: readonly Row[], exchanges: Capture["exchanges"]): Uint8Array | undefined => {
  const own = exchanges[row.exchange]
  if (own === undefined) return undefined
  const next = own.requests.find((index) => index > row.index) ?? Number.POSITIVE_INFINITY
  const answer = own.answers.find((index) => index > row.index && index < next)
  return answer === undefined ? undefined : rows[answer].packet.bytes
}

const clientOf = ({ packet }: Row): Address | undefined => {
  const parsed = parse(packet.bytes)
  return parsed.ok && parsed.packet.kind === "pcp-request" ? parsed.packet.client : undefined
}

const assigned = (rows: readonly Row[]): readonly Address[] => {
  const found = new Set<Address>()
  for (const { facts, packet } of rows) {
    if (!facts.response || facts.result !== 0 || facts.protocol === "flow" || found.size >= MOST_EXTERNAL) continue
    const parsed = parse(packet.bytes)
    if (!parsed.ok) continue
    const { packet: message } = parsed
    if (message.kind === "natpmp-address-response") found.add(message.external)
    else if (message.kind === "pcp-response" && (message.body.kind === "map" || message.body.kind === "peer"))
      found.add(message.body.external)
  }
  return [...found].filter(isAssignable)
}

/** What no CGN assigns: all-zeros, loopback, multicast and above. A broken router's answers have them. */
const isAssignable = (address: Address): boolean => {
  const first = addressWord(address, 3) >>> 24
  return isIpv4(address) ? first > 0 && first < 224 && !isLoopback(address) : !isAny(address) && !isMulticast(address)
}

const kindOf = (requests: readonly Row[], rows: readonly Row[]): CgnKind => {
  const client = requests.map(clientOf).find((address) => address !== undefined)
  const external = assigned(rows)[0]
  const inside4 = client === undefined || isIpv4(client)
  const outside4 = external === undefined ? inside4 : isIpv4(external)
  if (inside4) return outside4 ? "nat444" : "nat46"
  if (!outside4) return "firewall6"
  return requests.some(({ facts }) => facts.options.includes("THIRD_PARTY")) ? "dslite" : "nat64"
}
