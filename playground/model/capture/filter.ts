import {
  type Address,
  addressWord,
  formatAddress,
  isIpv4,
  parseAddress,
  protocolName,
  RESULTS,
} from "../../../core/wire/index.ts"
import type { Row } from "./row.ts"

export type RowTest = (row: Row) => boolean

/** A word that was understood, and as what. */
export interface FilterTerm {
  readonly text: string
  /** For people: `not address 192.0.2.1`. */
  readonly meaning: string
}

export interface Filter {
  readonly test: RowTest
  readonly terms: readonly FilterTerm[]
  /** Words that mean nothing here, with their place; they are passed over. */
  readonly unknown: readonly { readonly text: string; readonly offset: number }[]
}

/** Characters of a filter that are looked at. */
const LONGEST = 2000

type Meaning = readonly [meaning: string, test: RowTest]

/**
 * Reads a filter: words that must all fit, `or` between groups of them, `not` or `-` before a word. A word is
 *
 * - an opcode (`map`, `peer`, `announce`), a protocol (`pcp`, `nat-pmp`, `flow`), a direction (`request`, `response`),
 * - a result (`ok`, `refused`, `NO_RESOURCES`), an option (`filter`, `port_set`), a transport (`udp`, `tcp`),
 * - an address or a prefix, a port (`8080`, `port 8080`), or `nonce` with the first digits of it,
 * - `finding`, `error`, `warning`, `note`: what was found, and how bad it is,
 * - `unanswered`, `retransmission`, `unsolicited`, `repeated`.
 *
 * Total: what is not understood is said, and the rest holds.
 */
export const readFilter = (
  text: string,
  exchanges: readonly { readonly answers: readonly number[] }[] = [],
): Filter => {
  const terms: FilterTerm[] = []
  const unknown: { text: string; offset: number }[] = []
  const groups: RowTest[][] = [[]]
  const words = [...text.slice(0, LONGEST).matchAll(/[^\s,]+/g)].map((found) => ({
    text: found[0],
    offset: found.index,
  }))
  let negated = false
  for (let i = 0; i < words.length; i++) {
    const word = words[i]
    const lower = word.text.toLowerCase()
    if (lower === "or" || lower === "||") {
      groups.push([])
      negated = false
      continue
    }
    if (lower === "and" || lower === "&&") continue
    if (lower === "not" || lower === "!") {
      negated = !negated
      continue
    }
    const minus = /^[-!]./.test(lower)
    const plain = minus ? lower.slice(1) : lower
    const next = words[i + 1]?.text.toLowerCase()
    const pair = next === undefined ? undefined : meaningOfPair(plain, next)
    const found = pair ?? meaningOf(plain, exchanges)
    const shown = pair === undefined ? word.text : `${word.text} ${words[i + 1].text}`
    if (pair !== undefined) i++
    if (found === undefined) unknown.push(word)
    else {
      const [meaning, test] = found
      const not = negated !== minus
      groups[groups.length - 1].push(not ? (row) => !test(row) : test)
      terms.push({ text: shown, meaning: not ? `not ${meaning}` : meaning })
    }
    negated = false
  }
  // A group of words that mean nothing would let in everything.
  const real = groups.filter((group) => group.length > 0)
  return { test: (row) => real.length === 0 || real.some((group) => group.every((test) => test(row))), terms, unknown }
}

const meaningOfPair = (word: string, next: string): Meaning | undefined => {
  switch (word) {
    case "port":
      return /^\d{1,5}$/.test(next) ? portMeaning(Number(next)) : undefined
    case "nonce": {
      const digits = next.replaceAll(":", "")
      if (!/^[\da-f]{1,24}$/.test(digits)) return undefined
      return [`nonce ${digits}…`, ({ facts }) => facts.nonce.startsWith(digits)]
    }
    case "opcode": {
      const number = Number(next)
      if (!/^\d{1,3}$/.test(next)) return undefined
      return [`opcode ${next}`, ({ facts }) => facts.opcode === number]
    }
    case "result": {
      const number = Number(next)
      if (!/^\d{1,5}$/.test(next)) return meaningOfResult(next)
      return [`result ${next}`, ({ facts }) => facts.result === number]
    }
    default:
      return undefined
  }
}

const meaningOf = (
  word: string,
  exchanges: readonly { readonly answers: readonly number[] }[],
): Meaning | undefined => {
  if (word === "unanswered")
    return [
      "request without an answer",
      ({ exchange, part }) => part !== "unsolicited" && exchange >= 0 && exchanges[exchange]?.answers.length === 0,
    ]
  return (
    WORDS.get(word) ?? meaningOfColon(word) ?? meaningOfResult(word) ?? meaningOfAddress(word) ?? meaningOfNumber(word)
  )
}

/** `port:8080`, `nonce:a1b2`, `:8080`. */
const meaningOfColon = (word: string): Meaning | undefined => {
  const match = /^(port|nonce|opcode|result|):([\w:]+)$/.exec(word)
  if (match === null) return undefined
  return meaningOfPair(match[1] === "" ? "port" : match[1], match[2])
}

const meaningOfNumber = (word: string): Meaning | undefined => {
  if (/^\d{1,5}$/.test(word)) return portMeaning(Number(word))
  if (!/^[\da-f]{6,24}$/.test(word)) return undefined
  return [`nonce ${word}…`, ({ facts }) => facts.nonce.startsWith(word)]
}

const portMeaning = (port: number): Meaning | undefined =>
  port > 65535
    ? undefined
    : [
        `port ${port}`,
        ({ facts, packet }) =>
          facts.internalPort === port ||
          facts.externalPort === port ||
          facts.remotePort === port ||
          packet.source?.port === port ||
          packet.destination?.port === port,
      ]

const meaningOfResult = (word: string): Meaning | undefined => {
  const name = word.replaceAll("-", "_").toUpperCase()
  const code = RESULTS.findIndex((one) => one.name === name)
  return code < 0 ? undefined : [`result ${name}`, ({ facts }) => facts.protocol === "PCP" && facts.result === code]
}

const meaningOfAddress = (word: string): Meaning | undefined => {
  const [host, length, ...more] = word.replace(/^\[(.*)\]$/, "$1").split("/")
  const address = parseAddress(host)
  if (address === undefined || more.length > 0) return undefined
  const most = isIpv4(address) ? 32 : 128
  if (length !== undefined && (!/^\d{1,3}$/.test(length) || Number(length) > most)) return undefined
  const own = length === undefined ? most : Number(length)
  const bits = own + 128 - most
  const has = (other: Address | undefined): boolean => other !== undefined && sharesBits(address, other, bits)
  const meaning =
    length === undefined ? `address ${formatAddress(address)}` : `addresses in ${formatAddress(address)}/${own}`
  return [
    meaning,
    ({ facts, packet }) =>
      has(packet.source?.address) || has(packet.destination?.address) || facts.addresses.some((one) => has(one)),
  ]
}

const sharesBits = (a: Address, b: Address, bits: number): boolean => {
  for (const word of [0, 1, 2, 3] as const) {
    const left = bits - 32 * word
    if (left <= 0) return true
    const mask = left >= 32 ? -1 : ~(-1 >>> left)
    if (((addressWord(a, word) ^ addressWord(b, word)) & mask) !== 0) return false
  }
  return true
}

const opcode = (name: string): Meaning => [
  `opcode ${name}`,
  ({ facts }) => facts.protocol === "PCP" && facts.opcodeName === name,
]
const transport = (number: number): Meaning => [
  `transport ${protocolName(number)}`,
  ({ facts }) => facts.transport === number,
]
const option = (name: string): Meaning => [`option ${name}`, ({ facts }) => facts.options.includes(name)]

const WORDS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["map", ["opcode MAP", ({ facts }) => facts.opcodeName === "MAP" || facts.opcodeName.startsWith("map ")]],
  ["peer", opcode("PEER")],
  ["announce", opcode("ANNOUNCE")],
  ["authentication", opcode("AUTHENTICATION")],
  ["external", ["NAT-PMP external address", ({ facts }) => facts.opcodeName === "external address"]],
  ["pcp", ["PCP", ({ facts }) => facts.protocol === "PCP"]],
  ["nat-pmp", ["NAT-PMP", ({ facts }) => facts.protocol === "NAT-PMP"]],
  ["natpmp", ["NAT-PMP", ({ facts }) => facts.protocol === "NAT-PMP"]],
  ["flow", ["flow allocation", ({ facts }) => facts.protocol === "flow"]],
  ["overlay", ["overlays", ({ facts }) => facts.protocol === "overlay"]],
  ["vxlan", ["VXLAN and SVP", ({ facts }) => facts.protocol === "overlay"]],
  ["request", ["requests", ({ packet }) => packet.direction === "request"]],
  ["response", ["responses", ({ packet }) => packet.direction === "response"]],
  ["answer", ["responses", ({ packet }) => packet.direction === "response"]],
  ["ok", ["result success", ({ facts }) => facts.result === 0]],
  ["success", ["result success", ({ facts }) => facts.result === 0]],
  ["refused", ["result no success", ({ facts }) => facts.result > 0]],
  ["finding", ["anything found", ({ findings }) => findings > 0]],
  ["error", ["an error found", ({ worst }) => worst === "error"]],
  ["warning", ["a warning or worse found", ({ worst }) => worst === "warning" || worst === "error"]],
  ["note", ["no more than notes found", ({ worst }) => worst === "note"]],
  ["delete", ["lifetime 0", ({ facts }) => facts.lifetime === 0 && !facts.response && facts.internalPort >= 0]],
  ["retransmission", ["retransmissions", ({ part }) => part === "retransmission"]],
  ["unsolicited", ["responses nobody asked for", ({ part }) => part === "unsolicited"]],
  ["repeated", ["repeated answers", ({ part }) => part === "repeated answer"]],
  ["udp", transport(17)],
  ["tcp", transport(6)],
  ["sctp", transport(132)],
  ...["THIRD_PARTY", "PREFER_FAILURE", "FILTER", "DESCRIPTION", "PREFIX64", "PORT_SET", "THIRD_PARTY_ID"].flatMap(
    (name): readonly (readonly [string, Meaning])[] => [
      [name.toLowerCase(), option(name)],
      [name.toLowerCase().replaceAll("_", "-"), option(name)],
    ],
  ),
])
