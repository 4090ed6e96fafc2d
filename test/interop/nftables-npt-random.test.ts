/**
 * Random prefixes of every length and random packets, through the kernel with the table of NPTv6 and through the device of this
 * project: what comes out is the same, octet for octet. Seeds make it again.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createTable, type Nft, nptPlane } from "../../adapters/linux/index.ts"
import { createNpt, type Prefix, translateNpt } from "../../core/cgn/index.ts"
import { isInPrefix } from "../../core/cgn/rule.ts"
import { type Address, addressFromWords, formatAddress } from "../../core/wire/index.ts"
import { fragmentHeader, icmp6, ip6, type PortEnds, tcp, toHex, udp } from "../core/cgn/packet/build.ts"
import { type Random, randomFrom, seedOf } from "../fuzz/random.ts"
import type { Sent } from "./kernel.ts"
import { carrying, compare, type Difference, inside, outside, type Step, skip } from "./kernel-compare.ts"

interface Pair {
  readonly internal: Prefix
  readonly external: Prefix
}

const octetsOf = (address: Address): string =>
  Array.from({ length: 8 }, (_, i) => address.charCodeAt(i).toString(16).padStart(4, "0")).join("")
const ofUnits = (u: readonly number[]): Address =>
  addressFromWords((u[0] << 16) | u[1], (u[2] << 16) | u[3], (u[4] << 16) | u[5], (u[6] << 16) | u[7])
const unitsOf = (address: Address): number[] => Array.from({ length: 8 }, (_, i) => address.charCodeAt(i))
const textOf = ({ address, prefixLength }: Prefix): string => `${formatAddress(address)}/${prefixLength}`

/** Units in which a carry, an overflow or 0xffff is near are as likely as all others. */
const unit = (random: Random): number =>
  random.once(3) ? random.pick([0, 1, 0xfe, 0xff, 0x100, 0x7fff, 0xff00, 0xfffe, 0xffff]) : random.below(0x10000)

/** Of unicast that routers forward, and not of IPv4. */
const someAddress = (random: Random): Address =>
  ofUnits([0x100 + random.below(0xfd00), ...Array.from({ length: 7 }, () => unit(random))])

const cut = (address: Address, length: number): Prefix => {
  const units = unitsOf(address).map((value, i) => {
    const bits = Math.max(0, Math.min(16, length - 16 * i))
    return value & (0xffff0000 >>> bits) & 0xffff
  })
  return { address: ofUnits(units), prefixLength: length }
}

const within = (random: Random, { address, prefixLength }: Prefix): Address => {
  for (;;) {
    const some = unitsOf(someAddress(random))
    const units = unitsOf(address).map((value, i) => {
      const mask = (0xffff0000 >>> Math.max(0, Math.min(16, prefixLength - 16 * i))) & 0xffff
      return (value & mask) | (some[i] & ~mask)
    })
    // What has no counterpart behind a longer prefix.
    if (random.once(6)) units.fill(random.pick([0, 0xffff]), 4)
    // Of a short prefix not what is no unicast or is not forwarded.
    if (units[0] >= 0x100 && units[0] < 0xfe00) return ofUnits(units)
  }
}

const LINK_LOCAL = ofUnits([0xfe80, 0, 0, 0, 0, 0, 0, 1])

/** Pairs of prefixes of which no two have an address in common. */
const pairsOf = (random: Random, lengths: readonly number[]): readonly Pair[] => {
  const all: Prefix[] = []
  const apart = (length: number): Prefix => {
    for (let tries = 0; tries < 10_000; tries++) {
      const one = cut(someAddress(random), length)
      if (unitsOf(one.address)[0] === 0) continue
      // Link-local addresses and multicast are not forwarded.
      if (length > 1 && isInPrefix(LINK_LOCAL, one)) continue
      if (all.some((other) => isInPrefix(one.address, other) || isInPrefix(other.address, one))) continue
      all.push(one)
      return one
    }
    throw new Error(`no room for a /${length}`)
  }
  return lengths.map((length) => {
    const internal = apart(length)
    // The other half of all unicast is none: it has multicast, or the unspecified address.
    if (length === 1) return { internal, external: internal }
    const shorter = random.once(3) ? Math.max(2, length - random.below(9)) : length
    const [one, other] = [internal, apart(length === 2 ? 2 : shorter)]
    return random.once(2) ? { internal: one, external: other } : { internal: other, external: one }
  })
}

/** Kinds of packets, from one end to another. */
const KINDS: readonly (readonly [string, (random: Random, ends: PortEnds) => Uint8Array])[] = [
  ["UDP", (_, ends) => ip6({ ...ends, protocol: 17 }, udp(ends))],
  ["TCP", (_, ends) => ip6({ ...ends, protocol: 6 }, tcp(ends))],
  ["ping", (_, ends) => ip6({ ...ends, protocol: 58 }, icmp6(ends, 128, 0, [0, 7, 0, 1], [1, 2, 3]))],
  ["ESP", (random, ends) => ip6({ ...ends, protocol: 50, flowLabel: random.below(1 << 20) }, [1, 2, 3, 4, 5, 6, 7, 8])],
  [
    "destination options",
    (_, ends) => ip6({ ...ends, protocol: 17, extensions: [[60, [1, 4, 0, 0, 0, 0]]] }, udp(ends)),
  ],
  [
    "a later fragment",
    (random, ends) =>
      ip6({ ...ends, protocol: 17, extensions: [fragmentHeader(100, false, random.below(1 << 16))] }, [1, 2, 3, 4]),
  ],
]

const between = (random: Random, source: Address, destination: Address): PortEnds => ({
  source: formatAddress(source),
  destination: formatAddress(destination),
  sourcePort: 1 + random.below(65535),
  destinationPort: 1 + random.below(65535),
})
const turned = ({ source, sourcePort, destination, destinationPort }: PortEnds): PortEnds => ({
  source: destination,
  sourcePort: destinationPort,
  destination: source,
  destinationPort: sourcePort,
})

/** The table as the server builds it. */
const tableOf = (pairs: readonly Pair[]): string => {
  const made = createNpt({ pairs })
  assert.ok(made.ok)
  let built = ""
  const nft: Nft = {
    way: "a test",
    run: (commands) => {
      built += commands
      return { ok: true, output: "" }
    },
    terse: () => ({ ok: true, output: "" }),
    close: () => {},
  }
  const plane = nptPlane({ outside: ["out"], translators: made.state.translators })
  createTable(nft, plane).build({ mappings: [], filters: () => [] }, 0)
  return built
}

const STEPS = 80

const run = (seed: number, lengths: readonly number[]): void => {
  const random = randomFrom(seed)
  const pairs = pairsOf(random, lengths)
  const known = pairs.flatMap(({ internal, external }) => [internal, external])
  const elsewhere = (): Address => {
    for (;;) {
      const address = someAddress(random)
      if (unitsOf(address)[0] < 0xfe00 && !known.some((prefix) => isInPrefix(address, prefix))) return address
    }
  }
  /** Inside, and of no pair. */
  const other = cut(elsewhere(), 64)
  const routers = { inside: elsewhere(), outside: elsewhere() }
  const made = createNpt({ pairs, routers })
  assert.ok(made.ok)
  const { translators } = made.state
  const hop = (sent: Sent): readonly Sent[] => carrying(made.state, translateNpt)(sent)

  const steps: Step[] = []
  const push = (step: Step): void => {
    const [answer] = hop(step)
    const isTold = answer !== undefined && answer.side === step.side && answer.bytes[6] === 58
    if (isTold && answer.bytes[40] === 4)
      steps.push({ ...step, otherwise: "the kernel sends no Parameter Problem for a filter: nobody is told" })
    else if (isTold && step.what.endsWith("to an internal address"))
      steps.push({ ...step, otherwise: "nobody outside is told anything of an internal address" })
    else steps.push(step)
  }
  for (let i = 0; i < STEPS; i++) {
    const at = random.below(translators.length)
    const { internal, external } = translators[at]
    const peer = elsewhere()
    const [what, make] = random.pick(KINDS)
    const home = within(random, internal)
    switch (random.below(7)) {
      case 0:
      case 1:
        push(inside(what, make(random, between(random, home, peer))))
        break
      case 2:
        push(outside(what, make(random, between(random, peer, within(random, external)))))
        break
      case 3: {
        const { external: another } = random.pick(translators)
        push(inside(`${what} to a neighbour`, make(random, between(random, home, within(random, another)))))
        break
      }
      case 4: {
        // About what came in, by the host or by a hop before it.
        const inner = between(random, peer, random.once(8) ? elsewhere() : within(random, internal))
        const error = { source: formatAddress(home), destination: inner.source }
        const quoted = ip6({ ...inner, protocol: 17 }, udp(inner))
        push(
          inside(`an error about ${what}`, ip6({ ...error, protocol: 58 }, icmp6(error, 1, 4, [0, 0, 0, 0], quoted))),
        )
        break
      }
      case 5: {
        const inner = turned(between(random, peer, within(random, external)))
        const [type, rest] = random.pick([
          [1, 0],
          [2, 1280],
          [3, 0],
          [4, 6],
        ] as const)
        const error = { source: formatAddress(elsewhere()), destination: inner.source }
        const quoted = ip6({ ...inner, protocol: 6 }, tcp(inner))
        const bytes = ip6({ ...error, protocol: 58 }, icmp6(error, type, 0, [0, 0, rest >> 8, rest & 255], quoted))
        push(outside(`an error of type ${type} about what went out`, bytes))
        break
      }
      default: {
        const units = unitsOf(within(random, other))
        // The router of a subnet, whom the kernel sends no errors.
        const nobody = ofUnits([...units.slice(0, 7), units[7] || 1])
        push(
          random.pick([
            inside(`${what} of nobody's`, make(random, between(random, nobody, peer))),
            outside(`${what} to nobody`, make(random, between(random, peer, nobody))),
            outside(
              `${what} to ${isInPrefix(home, external) ? "an external" : "an internal"} address`,
              make(random, between(random, peer, home)),
            ),
          ]),
        )
      }
    }
  }
  const isOwn = ({ bytes }: Sent): boolean => {
    const source = toHex(bytes.subarray(8, 24))
    return source === octetsOf(routers.inside) || source === octetsOf(routers.outside)
  }
  const differences: readonly Difference[] = [
    {
      why: "the kernel gives the ICMPv6 errors that it sends a flow label of its own (RFC 6437)",
      applies: isOwn,
      octets: [[1, 4]],
    },
    {
      why: "what the kernel refuses to forward has lost a hop already when it is quoted",
      applies: isOwn,
      octets: [
        [42, 44],
        [55, 56],
      ],
    },
  ]
  const router = {
    ip: [
      `-6 addr add ${formatAddress(routers.inside)}/128 dev in nodad`,
      `-6 addr add ${formatAddress(routers.outside)}/128 dev out nodad`,
      `-6 route add ${textOf(other)} dev in`,
      ...pairs.map(({ internal }) => `-6 route add ${textOf(internal)} dev in`),
    ],
    nft: tableOf(pairs),
  }
  const text = pairs.map(({ internal, external }) => `${textOf(internal)} ${textOf(external)}`).join(", ")
  try {
    compare(router, hop, steps, differences)
  } catch (cause) {
    throw new Error(`seed ${seed}, ${text}: ${cause}`, { cause })
  }
}

/** Lengths that leave room for more than one pair are tried together. */
const LENGTHS: readonly (readonly number[])[] = [
  ...Array.from({ length: 8 }, (_, i) => [i + 1]),
  ...Array.from({ length: 8 }, (_, i) => Array.from({ length: 7 }, (_, j) => 9 + 7 * i + j)),
]

describe("NPTv6 in the kernel, against core's", { skip }, () => {
  const own = seedOf(1, process.env.SALLYPORT_SEED)
  for (const lengths of LENGTHS)
    test(`NAT-6296-3.1 to 3.7 and 4.3: prefixes of ${lengths.join(", ")} bits, seed ${own}`, () => {
      run(own * 100 + lengths[0], lengths)
    })
})
