import type { Side } from "../../core/cgn/index.ts"
import { type Address, formatAddress, isMulticast, protocolName } from "../../core/wire/index.ts"
import { factsOf } from "../model/capture/index.ts"
import {
  type AnswerComparison,
  changeLines,
  compareAnswers,
  type Happening,
  type IpSummary,
  ipPacket,
  readIp,
  type Story,
} from "../model/replay/index.ts"
import type { Selection } from "./room.ts"

/** One row of the sequence diagram. */
export type SequenceLine = Selection

/** A piece of an arrow's label; `class` is that of the field that it shows. */
export interface Token {
  readonly text: string
  readonly class: "version" | "lifetime" | "address" | "port" | "plain"
}

/** Where an arrow begins or ends; `undefined` for the CGN itself. */
export type Post = { readonly side: "inside" | "outside"; readonly address: Address | undefined } | undefined

/** What a row shows. A note has no ends: it is said at the CGN's lifeline. */
export interface Arrow {
  readonly from: Post
  readonly to: Post
  readonly tokens: readonly Token[]
  readonly style: "pcp" | "captured" | "data" | "stopped" | "note"
  /** What there is to open. */
  readonly bytes: Uint8Array | undefined
  /** What is said besides the label: the outcome of a comparison, a reason. */
  readonly mark: string | undefined
  readonly isFinding: boolean
}

const known = new WeakMap<Story, readonly SequenceLine[]>()

/** All rows of a replay in their order: what they show is found when they are drawn. */
export const sequenceLines = (replay: Story): readonly SequenceLine[] => {
  const lines = known.get(replay) ?? replay.moments.flatMap(linesOf)
  known.set(replay, lines)
  return lines
}

/** How many rows are of moments up to one. */
export const countUntil = (lines: readonly SequenceLine[], moment: number): number => {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (lines[middle].moment <= moment) low = middle + 1
    else high = middle
  }
  return low
}

/** The rows of one moment. */
export const linesOf = (own: Happening, moment: number): readonly SequenceLine[] => {
  const lines: SequenceLine[] = []
  const add = (part: SequenceLine["part"], index = 0): void => {
    lines.push({ moment, part, index })
  }
  const { cause } = own
  if (cause.type === "step" && cause.step.type === "datagram") {
    add("request")
    if (own.reply !== undefined) add("ours")
    else add("note")
    if (cause.step.answer !== undefined) add("captured")
  } else if (cause.type === "step" && cause.step.type === "packet") {
    add("packet")
    if (own.verdict === undefined || own.verdict.packets.length === 0) add("note")
    else for (const index of own.verdict.packets.keys()) add("out", index)
  } else if (cause.type === "step" || own.changes.some(({ type }) => type !== "counted")) add("note")
  for (const index of own.sent.keys()) add("sent", index)
  for (const index of own.packets.keys()) add("out", index)
  return lines
}

const plain = (text: string): Token => ({ text, class: "plain" })

/** A PCP or NAT-PMP packet in a few words. */
const datagramTokens = (bytes: Uint8Array): readonly Token[] => {
  const facts = factsOf(bytes)
  const tokens: Token[] = []
  // The opcode of a NAT-PMP mapping names its protocol, which stands with the ports.
  const own = facts.internalPort >= 0 ? "map" : facts.opcodeName
  const name = facts.protocol === "NAT-PMP" ? `NAT-PMP ${own}` : facts.opcodeName || "unknown"
  // An answer about a mapping needs no opcode, it stands below its request; one about anything else needs no SUCCESS.
  const said = facts.internalPort >= 0 ? facts.resultName : facts.result === 0 ? name : `${name} ${facts.resultName}`
  tokens.push({ text: facts.response && facts.resultName !== "" ? said : name, class: "version" })
  if (facts.internalPort >= 0) {
    const ports = `${protocolName(facts.transport)} ${facts.internalPort === 0 ? "all ports" : facts.internalPort}`
    tokens.push({ text: facts.externalPort > 0 ? `${ports} → ${facts.externalPort}` : ports, class: "port" })
    const isDelete = facts.lifetime === 0 && !facts.response
    tokens.push({ text: isDelete ? "delete" : `${facts.lifetime} s`, class: "lifetime" })
  } else if (facts.epoch >= 0) tokens.push({ text: `epoch ${facts.epoch} s`, class: "lifetime" })
  for (const option of facts.options) tokens.push(plain(option))
  return tokens
}

const inmost = (ip: IpSummary): IpSummary => ip.inner ?? ip

/** A packet of data: of its ends those that its lifelines do not say. */
const dataTokens = (
  bytes: Uint8Array,
  side: Side,
  way: "in" | "out",
  flags: readonly string[] = [],
): readonly Token[] => {
  const outer = readIp(bytes)
  if (outer === undefined) return [plain("no IP packet")]
  const { protocol, sourcePort, destinationPort, destination, source, text } = inmost(outer)
  if (sourcePort === 0 && destinationPort === 0) return [plain(text)]
  const name: Token = { text: [protocolName(protocol), ...flags].join(" "), class: "port" }
  const port = (value: number): Token => ({ text: `:${value}`, class: "port" })
  const bare = (value: number): Token => ({ text: `${value}`, class: "port" })
  const host = (address: Address): Token => ({ text: formatAddress(address), class: "address" })
  const to = [plain("→"), host(destination), port(destinationPort)]
  if (side === "inside") return way === "in" ? [name, bare(sourcePort), ...to] : [name, ...to]
  return way === "in" ? [name, ...to] : [name, host(source), port(sourcePort), plain("→"), bare(destinationPort)]
}

const comparisons = new WeakMap<Happening, AnswerComparison | null>()

/** The captured answer beside ours, found once. */
export const comparisonOf = (moment: Happening): AnswerComparison | undefined => {
  const found = comparisons.get(moment) ?? compareAnswers(moment) ?? null
  comparisons.set(moment, found)
  return found ?? undefined
}

const BASE = { bytes: undefined, mark: undefined, isFinding: false } as const

const note = (text: string, style: Arrow["style"] = "note", mark?: string): Arrow => ({
  ...BASE,
  from: undefined,
  to: undefined,
  tokens: [plain(text)],
  style,
  mark,
})

/** What a row shows. */
export const arrowOf = ({ moments }: Story, { moment, part, index }: SequenceLine): Arrow => {
  const own = moments[moment]
  const { cause, reply, verdict } = own
  const step = cause.type === "step" ? cause.step : undefined
  if (part === "sent") {
    const { bytes, destination } = own.sent[index]
    const to = { side: "inside", address: isMulticast(destination) ? undefined : destination } as const
    return {
      ...BASE,
      from: undefined,
      to,
      tokens: datagramTokens(bytes),
      style: "pcp",
      bytes,
      mark: isMulticast(destination) ? "to all" : "unasked",
    }
  }
  if (step?.type === "datagram") {
    const client = { side: step.side, address: step.source.address } as const
    if (part === "request")
      return {
        ...BASE,
        from: client,
        to: undefined,
        tokens: datagramTokens(step.bytes),
        style: "pcp",
        bytes: step.bytes,
      }
    if (part === "ours" && reply !== undefined)
      return {
        ...BASE,
        from: undefined,
        to: client,
        tokens: datagramTokens(reply),
        style: "pcp",
        bytes: reply,
        mark: step.answer === undefined ? undefined : "ours",
      }
    if (part === "captured" && step.answer !== undefined) {
      const { outcome, differences } = comparisonOf(own) ?? { outcome: "same", differences: [] }
      const count = differences.filter(({ weight }) => weight === "difference").length
      const mark =
        outcome === "same"
          ? "= captured"
          : outcome === "missing"
            ? "≠ captured, ours has none"
            : `≠ captured, ${count} ${count === 1 ? "field" : "fields"}`
      return {
        ...BASE,
        from: undefined,
        to: client,
        tokens: datagramTokens(step.answer),
        style: "captured",
        bytes: step.answer,
        mark,
        isFinding: outcome !== "same",
      }
    }
    return note(`no answer: ${(own.dropped ?? "nothing to say").replaceAll("-", " ")}`, "stopped")
  }
  if (step?.type === "packet" && verdict !== undefined) {
    const address = verdict.arrived === undefined ? undefined : inmost(verdict.arrived).source
    const from = { side: step.side, address } as const
    if (part === "packet") {
      const octets = ipPacket(step.packet, step.packet.destination.address)
      const tokens = dataTokens(octets, step.side, "in", step.packet.flags)
      return { ...BASE, from, to: undefined, tokens, style: "data" }
    }
    const bytes = verdict.packets[index]
    if (part === "out" && bytes !== undefined) {
      const ip = readIp(bytes)
      const to = { side: verdict.to ?? step.side, address: ip && inmost(ip).destination } as const
      return {
        ...BASE,
        from: undefined,
        to,
        tokens: dataTokens(bytes, to.side, "out"),
        style: "data",
        mark: verdict.kind,
      }
    }
    return note(verdict.reason?.replaceAll("-", " ") ?? verdict.kind, "stopped", verdict.clause)
  }
  if (part === "out") {
    const { side, packet } = own.packets[index]
    const ip = readIp(packet)
    return {
      ...BASE,
      from: undefined,
      to: { side, address: ip && inmost(ip).destination },
      tokens: dataTokens(packet, side, "out"),
      style: "data",
      mark: "of its own accord",
    }
  }
  if (step?.type === "announce") return note("the server announces itself")
  const changes = changeLines(own.changes)
  const first = changes[0] === undefined ? "nothing changed" : `${changes[0].sign} ${changes[0].text}`
  const more = changes.length > 1 ? `, and ${changes.length - 1} more` : ""
  if (step?.type === "revoke") return note(`${formatAddress(step.internal)} is gone: ${first}${more}`)
  return note(`${first}${more}`)
}

/** Addresses of the posts of a side, in the order in which they came: who has a lifeline. */
export const postsOf = (replay: Story, side: "inside" | "outside", most: number): readonly Address[] => {
  const found = new Set<Address>()
  // Who comes late in a long session shares the last lifeline.
  for (const { cause, verdict } of replay.moments.slice(0, 4096)) {
    if (found.size >= most) break
    if (cause.type !== "step") continue
    const { step } = cause
    if (step.type === "datagram" && step.side === side) found.add(step.source.address)
    if (step.type !== "packet" || verdict?.arrived === undefined) continue
    if (step.side === side) found.add(inmost(verdict.arrived).source)
    else if (verdict.to === side && verdict.left[0] !== undefined) found.add(inmost(verdict.left[0]).destination)
  }
  return [...found]
}
