/**
 * Packets for the comparison with tshark, byte by byte from the RFC layouts and without the project's own encoder, so
 * that the two cannot share a mistake. The same seed gives the same packets.
 */

/** A source of numbers below a bound: mulberry32. */
export type Random = (below: number) => number

export const seeded = (seed: number): Random => {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}

type Octets = readonly number[]

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]
const some = (random: Random, length: number): number[] => Array.from({ length }, () => random(256))
const zeros = (length: number): number[] => new Array<number>(length).fill(0)
const u16 = (value: number): number[] => [(value >>> 8) & 255, value & 255]
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)]

const word = (random: Random): number[] =>
  pick(random, [u32(0), u32(1), u32(120), u32(3600), u32(86400), u32(0x7fffffff), u32(0xffffffff), some(random, 4)])
const port = (random: Random): number[] => pick(random, [u16(0), u16(80), u16(5351), u16(65535), some(random, 2)])
const mapped = (random: Random): number[] => [...zeros(10), 255, 255, ...some(random, 4)]
const address = (random: Random): number[] =>
  pick(random, [
    zeros(16),
    [...zeros(10), 255, 255, 0, 0, 0, 0],
    [...zeros(15), 1],
    mapped(random),
    mapped(random),
    [0x20, 0x01, 0x0d, 0xb8, ...zeros(8), ...some(random, 4)],
    // Runs of zeros in all places, for the "::" of RFC 5952.
    Array.from({ length: 8 }, () => (random(2) === 0 ? [0, 0] : some(random, 2))).flat(),
    [...zeros(12), ...some(random, 4)],
    [...zeros(8), 255, 255, 0, 0, ...some(random, 4)],
    some(random, 16),
  ])
const protocol = (random: Random): number => pick(random, [0, 1, 6, 17, 33, 58, 132, 136, random(256)])
/** Mostly as RFC 6887 wants it. */
const reserved = (random: Random, length: number): number[] => (random(5) === 0 ? some(random, length) : zeros(length))

const header = (random: Random, response: boolean, opcode: number): number[] =>
  response
    ? [
        ...[2, 128 | opcode, ...reserved(random, 1), random(4) === 0 ? random(256) : random(28)],
        ...word(random),
        ...word(random),
        ...reserved(random, 12),
      ]
    : [2, opcode, ...reserved(random, 2), ...word(random), ...address(random)]

const mapping = (random: Random): number[] => [
  ...some(random, 12),
  protocol(random),
  ...reserved(random, 3),
  ...port(random),
  ...port(random),
  ...address(random),
]
const peer = (random: Random): number[] => [
  ...mapping(random),
  ...port(random),
  ...reserved(random, 2),
  ...address(random),
]

/** An option with its length right and its padding there. */
const option = (random: Random, code: number, data: Octets): number[] => [
  code,
  ...reserved(random, 1),
  ...u16(data.length),
  ...data,
  ...reserved(random, -data.length & 3),
]

// Valid UTF-8 of one to four octets each, with what JSON and tab-separated output must escape.
const CHARACTERS: readonly Octets[] = [
  ...[..."aZ 09,.;:/\"'\\<&%"].map((c) => [c.charCodeAt(0)]),
  [0xc3, 0xa9],
  [0xe2, 0x82, 0xac],
  [0xf0, 0x9f, 0x98, 0x80],
  [9],
  [10],
  [13],
  [0x1b],
  [0x7f],
]
const description = (random: Random): number[] => {
  const length = 1 + random(40)
  return Array.from({ length }, () => pick(random, CHARACTERS)).flat()
}
/** Text that is not UTF-8 all through: cut sequences, overlong forms, surrogates, NUL. */
const badDescription = (random: Random): number[] => [
  ...description(random),
  ...pick<Octets>(random, [
    [0xff],
    [0xe2, 0x82],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x9f, 0x98],
    [0xf4, 0x90, 0x80, 0x80],
    [0x80],
    [0],
    [0xe2, 0],
  ]),
  ...(random(2) === 0 ? description(random) : []),
]

const prefix64 = (random: Random): number[] => {
  const octets = pick(random, [4, 5, 6, 7, 8, 12, 12, random(20)])
  const count = random(4)
  const list = Array.from({ length: count }, () => [0, random(33), ...some(random, 4)]).flat()
  const withList = random(2) === 0 ? [] : [...u16(count), ...list]
  return [...u16(octets), ...some(random, 12), ...withList]
}

const optionData = (random: Random, code: number): number[] => {
  switch (code) {
    case 1:
      return address(random)
    case 2:
      return []
    case 3:
      return [...reserved(random, 1), pick(random, [0, 96, 120, 128, random(256)]), ...port(random), ...address(random)]
    case 128:
      return random(4) === 0 ? badDescription(random) : description(random)
    case 129:
      return prefix64(random)
    case 130:
      return [...port(random), ...port(random), ...(random(4) === 0 ? some(random, 1) : [random(2)])]
    default:
      return some(random, random(24))
  }
}

/** The options that tshark 4.0 knows, twice as often as the rest. */
const KNOWN = [1, 2, 3, 128, 129, 130]
const OTHERS = [0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 64, 127, 131, 200, 255]

const knownOption = (random: Random): number[] => {
  const code = pick(random, KNOWN)
  return option(random, code, optionData(random, code))
}
const anyOption = (random: Random): number[] => {
  const code = pick(random, [...KNOWN, ...KNOWN, ...OTHERS])
  return option(random, code, optionData(random, code))
}
/** An option whose length or data are wrong. */
const badOption = (random: Random): number[] => {
  const code = pick(random, [...KNOWN, ...KNOWN, ...OTHERS])
  const data = optionData(random, code)
  switch (random(3)) {
    case 0:
      return option(random, code, data.slice(0, random(data.length + 1)))
    case 1:
      return option(random, code, [...data, ...some(random, random(9))])
    default:
      return [code, 0, ...u16(pick(random, [data.length + random(64), random(4), random(65536)])), ...data]
  }
}

const body = (random: Random, opcode: number): number[] => {
  switch (opcode) {
    case 1:
      return mapping(random)
    case 2:
      return peer(random)
    case 3:
      return [...word(random), ...word(random)]
    default:
      return []
  }
}

const times = (random: Random, most: number, make: (random: Random) => number[]): number[] =>
  Array.from({ length: random(most + 1) }, () => make(random)).flat()

/** A legal PCP message. */
export const validPcp = (random: Random): number[] => {
  const opcode = pick(random, [0, 1, 1, 1, 2, 2])
  return [...header(random, random(2) === 0, opcode), ...body(random, opcode), ...times(random, 4, knownOption)]
}

const oddPcp = (random: Random): number[] => {
  const opcode = pick(random, [0, 1, 1, 2, 2, 3, random(128)])
  return [...header(random, random(2) === 0, opcode), ...body(random, opcode), ...times(random, 5, anyOption)]
}

const brokenPcp = (random: Random): number[] => {
  const opcode = pick(random, [0, 1, 1, 2])
  const before = times(random, 2, knownOption)
  const after = times(random, 2, knownOption)
  return [
    ...header(random, random(2) === 0, opcode),
    ...body(random, opcode),
    ...before,
    ...badOption(random),
    ...after,
  ]
}

/** A NAT-PMP message, each of RFC 6886 section 3. */
export const natPmp = (random: Random): number[] => {
  const result = [0, random(3) === 0 ? random(256) : random(6)]
  switch (random(7)) {
    case 0:
      return [0, 0]
    case 1:
      return [0, 128, ...result, ...word(random), ...some(random, 4)]
    case 2:
    case 3:
      return [0, 1 + random(2), ...reserved(random, 2), ...port(random), ...port(random), ...word(random)]
    case 4:
    case 5:
      return [0, 129 + random(2), ...result, ...word(random), ...port(random), ...port(random), ...word(random)]
    default:
      return random(2) === 0 ? [0, 0, 0, 1, ...word(random)] : [0, 128 | random(128), 0, 5, ...some(random, random(12))]
  }
}

const mutated = (random: Random, packet: number[]): number[] => {
  const out = [...packet]
  for (let n = 1 + random(3); n > 0; n--) {
    const at = random(out.length + 1)
    switch (random(4)) {
      case 0:
        if (at < out.length) out[at] ^= 1 << random(8)
        break
      case 1:
        if (at < out.length) out[at] = random(256)
        break
      case 2:
        out.splice(at, 0, ...some(random, 1 + random(4)))
        break
      default:
        out.splice(at, 1 + random(4))
    }
  }
  return out
}

const truncated = (random: Random, packet: readonly number[]): number[] => packet.slice(0, random(packet.length + 1))

/** One packet: valid 45 %, with odd or broken options 20 %, mutated 15 %, truncated 15 %, noise 5 %. */
const onePacket = (random: Random): number[] => {
  const message = (): number[] => (random(6) === 0 ? natPmp(random) : validPcp(random))
  const chance = random(100)
  if (chance < 45) return message()
  if (chance < 55) return oddPcp(random)
  if (chance < 65) return brokenPcp(random)
  if (chance < 80) return mutated(random, random(2) === 0 ? message() : oddPcp(random))
  if (chance < 95) return truncated(random, random(2) === 0 ? message() : oddPcp(random))
  if (chance < 97) return [pick(random, [0, 1, 2, random(256)]), ...some(random, random(120))]
  if (chance < 98) return [1, ...validPcp(random).slice(1)]
  if (chance < 99) return [...validPcp(random), ...times(random, 60, knownOption)]
  return [...message(), ...zeros(random(12))]
}

export const generate = (seed: number, count: number): Uint8Array[] => {
  const random = seeded(seed)
  return Array.from({ length: count }, () => Uint8Array.from(onePacket(random)))
}
