import type { Prefix, Translator } from "../../core/cgn/index.ts"
import { type Address, addressWord, SERVER_PORT } from "../../core/wire/index.ts"
import { prefixText } from "./permitted.ts"
import { type Element, interfaceList, type Plane } from "./plane.ts"

/** What an NPTv6 device in the kernel is made from. */
export interface NptPlaneSettings {
  /** Interfaces that lead outside. */
  readonly outside: readonly string[]
  /** One for each pair of prefixes. */
  readonly translators: readonly Translator[]
}

/** Where an address is: bits from the start of the network header, or of the transport header. */
interface Place {
  readonly header: "nh" | "th"
  readonly at: number
}

const SOURCE: Place = { header: "nh", at: 64 }
const DESTINATION: Place = { header: "nh", at: 192 }
/** Of the packet in error, which an ICMPv6 error has behind its first 8 octets. */
const ERROR_SOURCE: Place = { header: "th", at: 128 }
const ERROR_DESTINATION: Place = { header: "th", at: 256 }

const ERROR = "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } @th,64,4 6"

/** Of a packet on its way back in: its source is translated behind the forwarding. Nobody has a traffic class of that number. */
const HAIRPIN = "6296:1"

const NO_ROUTE = "reject with icmpv6 type no-route"

/**
 * An NPTv6 device (RFC 6296) as an nftables table. It keeps no connections: a prefix is written over the one that is there, and
 * the adjustment is added to the 16-bit unit that the RFC names, octet by octet, by the maps `plus-…`. What the table writes
 * leaves checksums of the transport alone: they stay right, as the mapping is neutral to them (section 2.6).
 *
 * Destinations are translated before the kernel tracks connections and routes, sources behind its forwarding: rules of others, and
 * connections, have internal addresses alone. From the inside goes out what has an external address, and from outside comes in
 * what goes to one; what no link inside has does not leave again by the default route, where a provider may send it back. A packet
 * from the inside to an external address comes back in with its sender's (section 4.3).
 */
export const nptPlane = ({ outside, translators }: NptPlaneSettings): Plane => {
  const added = new Set<number>()
  const each = (chain: (translator: Translator, i: number) => string): string => translators.map(chain).join("\n")
  const [internal, external] = [translators.map((one) => one.internal), translators.map((one) => one.external)]
  const chains = each((translator, i) => {
    const { adjustment } = translator
    const out = (place: Place): string => putRules(place, translator.external, adjustment, added)
    const back = (place: Place): string => putRules(place, translator.internal, ~adjustment & 0xffff, added)
    return `  chain out-${i} {
${out(SOURCE)}    drop
  }
  chain in-${i} {
${back(DESTINATION)}${refusal(DESTINATION, translator.external)}  }
  chain error-out-${i} {
${out(ERROR_DESTINATION)}  }
  chain error-in-${i} {
${back(ERROR_SOURCE)}  }
  chain unmapped-${i} {
${refusal(SOURCE, translator.internal)}  }`
  })
  const constants = [...added].sort((a, b) => a - b)
  const outer = interfaceList(outside)
  return {
    family: "ip6",
    sets: constants.map(setName),
    timed: new Set(),
    fixed: constants.flatMap(additions),
    body: `
${constants.map((constant) => `  map ${setName(constant)} { typeof ip6 hoplimit : ip6 hoplimit; }`).join("\n")}
${chains}
  chain unmapped {
    ip6 saddr != { ${listOf(internal)} } ${NO_ROUTE}
    ip6 saddr vmap { ${choice(internal, "goto unmapped")} }
  }
  chain out {
    ${ERROR} ${raw(ERROR_DESTINATION, 0, 128)} vmap { ${rawChoice(internal, "jump error-out")} }
    ip6 saddr vmap { ${choice(internal, "goto out")} }
  }
  chain back {
    ${ERROR} ${raw(ERROR_SOURCE, 0, 128)} vmap { ${rawChoice(external, "jump error-in")} }
    ip6 daddr vmap { ${choice(external, "goto in")} }
  }
  chain prerouting {
    type filter hook prerouting priority raw + 50; policy accept;
    iifname { ${outer} } ip6 daddr { ${listOf(internal)} } ip6 daddr != { ${listOf(external)} } fib daddr type != local drop
    ip6 daddr != { ${listOf(external)} } return
    fib daddr type local return
    iifname != { ${outer} } jump unmapped
    iifname != { ${outer} } meta priority set ${HAIRPIN}
    goto back
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname != { ${outer} } oifname { ${outer} } jump unmapped
    iifname { ${outer} } oifname != { ${outer} } ip6 daddr != { ${listOf(internal)} } ${NO_ROUTE}
    oifname { ${outer} } ip6 daddr { ${listOf(internal)} } ${NO_ROUTE}
  }
  chain postrouting {
    type filter hook postrouting priority srcnat + 10; policy accept;
    meta priority ${HAIRPIN} meta priority set none goto out
    iifname != { ${outer} } oifname { ${outer} } goto out
  }
  chain output {
    type route hook output priority raw + 50; policy accept;
    ip6 daddr != { ${listOf(external)} } return
    ip6 daddr { ${listOf(internal)} } return
    fib daddr type local return
    ${ERROR} goto back
    ip6 saddr { ${listOf(internal)} } meta priority set ${HAIRPIN} goto back
  }
  chain own {
    type filter hook input priority 110; policy accept;
    meta priority ${HAIRPIN} meta priority set none goto out
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname { ${outer} } udp dport ${SERVER_PORT} drop
  }
`,
    // Every host is mapped, always, and its connections end by themselves.
    elements: () => [],
    filters: () => [],
    connections: () => [],
  }
}

const setName = (constant: number): string => `plus-${constant}`

/** What comes of every octet by adding a constant, without the carry. */
const additions = (constant: number): readonly Element[] =>
  Array.from({ length: 256 }, (_, octet) => ({
    set: setName(constant),
    key: `${octet}`,
    data: `${(octet + constant) & 0xff}`,
  }))

/** Bits of an address, as nft names those of a header; `at` counts from the address's first. */
const raw = ({ header, at: start }: Place, at: number, bits: number): string => `@${header},${start + at},${bits}`

/**
 * The rules that put an address of another prefix in the place of one of its length: one of them is right for the packet, and
 * the last for it; none where the address has none on the other side.
 */
const putRules = (place: Place, to: Prefix, adjustment: number, added: Set<number>): string => {
  // The rest of the packet is translated behind the packet in error.
  const verdict = place.header === "th" ? "return" : "accept"
  const rules = units(to.prefixLength)
    .flatMap((unit) => {
      const [value, high, low] = [raw(place, 16 * unit, 16), raw(place, 16 * unit, 8), raw(place, 16 * unit + 8, 8)]
      const put = (at: string, constant: number): string => {
        if (constant === 0) return ""
        added.add(constant)
        return ` ${at} set ${at} map @${setName(constant)}`
      }
      return sums(adjustment).map(({ values, lows, plus }) => {
        const sum = `${put(high, plus >>> 8)}${put(low, plus & 0xff)}`
        return `    ${value} ${values} ${low} ${lows}${sum} ${raw(place, 0, to.prefixLength)} set ${prefixValue(to)} ${verdict}\n`
      })
    })
    .join("")
  if (to.prefixLength <= 48) return rules
  // Section 3.7; the kernel sends no Parameter Problem for a filter.
  return `    ${raw(place, 64, 64)} 0 ${place.header === "th" ? "return" : "drop"}\n${rules}`
}

/**
 * The 16-bit units of an address that may take the adjustment, in the order in which the first that is not 0xffff does
 * (RFC 6296 sections 3.4 and 3.5).
 */
const units = (prefixLength: number): readonly number[] => (prefixLength <= 48 ? [3] : [4, 5, 6, 7])

/** Ranges of a unit and of its low octet, and what is added to its two octets, each without a carry, when it is in both. */
interface Sum {
  readonly values: string
  readonly lows: string
  readonly plus: number
}

/**
 * The one's complement sum (RFC 1071) of a unit and the adjustment, with 0 for 0xffff, as additions modulo 65536: of the
 * adjustment itself for units that do not come to 0xffff with it, and of one more for the others. The unit is not 0xffff.
 */
const sums = (adjustment: number): readonly Sum[] => {
  const from = 0xffff - adjustment
  const parts = [
    { first: 0, last: from - 1, constant: adjustment },
    { first: from, last: 0xfffe, constant: (adjustment + 1) & 0xffff },
  ]
  return parts
    .filter(({ first, last }) => first <= last)
    .flatMap(({ first, last, constant }) => {
      const [high, low] = [constant >>> 8, constant & 0xff]
      const values = range(first, last)
      const below = { values, lows: range(0, 255 - low), plus: constant }
      return low === 0
        ? [below]
        : [below, { values, lows: range(256 - low, 255), plus: (((high + 1) & 0xff) << 8) | low }]
    })
}

const range = (first: number, last: number): string => (first === last ? `${first}` : `${first}-${last}`)

/** What the sender is told whose packet has an address that has none on the other side (RFC 6296 section 3.2). */
const refusal = (place: Place, { prefixLength }: Prefix): string =>
  prefixLength <= 48
    ? `    ${raw(place, 48, 16)} 0xffff ${NO_ROUTE}\n`
    : `    ${raw(place, 64, 64)} 0xffffffffffffffff ${NO_ROUTE}\n`

const listOf = (prefixes: readonly Prefix[]): string =>
  prefixes.map(({ address, prefixLength }) => prefixText(address, prefixLength)).join(", ")

const choice = (prefixes: readonly Prefix[], chain: string): string =>
  prefixes.map(({ address, prefixLength }, i) => `${prefixText(address, prefixLength)} : ${chain}-${i}`).join(", ")

/** The same for an address that nft knows as a number alone. */
const rawChoice = (prefixes: readonly Prefix[], chain: string): string =>
  prefixes
    .map(({ address, prefixLength }, i) => {
      const first = upper(address) << 64n
      const last = first | ((1n << BigInt(128 - prefixLength)) - 1n)
      return `0x${first.toString(16)}-0x${last.toString(16)} : ${chain}-${i}`
    })
    .join(", ")

/** The bits of a prefix, of 64 at most, as a number. */
const prefixValue = ({ address, prefixLength }: Prefix): string =>
  `0x${(upper(address) >> BigInt(64 - prefixLength)).toString(16)}`

/** The first 64 bits of an address. */
const upper = (address: Address): bigint =>
  (BigInt(addressWord(address, 0) >>> 0) << 32n) | BigInt(addressWord(address, 1) >>> 0)
