import { CORPUS } from "./corpus.ts"
import { type Random, randomFrom } from "./random.ts"

const seeds: readonly Uint8Array[] = Object.values(CORPUS)
const EDGES = [0, 1, 2, 3, 4, 5, 8, 11, 12, 16, 20, 24, 60, 80, 95, 96, 127, 128, 129, 130, 254, 255]
const LENGTHS = [0, 1, 2, 3, 4, 8, 11, 12, 16, 23, 24, 25, 28, 59, 60, 64, 80, 84, 1096, 1099, 1100, 1101, 1104, 1500]
/** Where a message's fields lie that decide the most: version, opcode, lifetime, ports, options. */
const PLACES = [0, 1, 4, 36, 40, 42, 43, 60, 61, 62, 63, 64, 65, 68, 80, 81, 82, 83]

/** Input number `index` of a seed: random octets, or a packet of the corpus with one to eight things changed. */
export const inputOf = (seed: number, index: number): Uint8Array => {
  const random = randomFrom(Math.imul(seed, 0x9e3779b1) ^ index)
  if (random.once(12))
    return noise(random, random.once(3) ? random.pick(LENGTHS) : random.below(random.once(4) ? 1300 : 120))
  let bytes: Uint8Array = random.pick(seeds).slice()
  for (let n = random.below(9); n > 0; n--) bytes = change(random, bytes)
  return bytes
}

const noise = (random: Random, length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = random.below(256)
  if (length > 1 && !random.once(4)) {
    bytes[0] = random.pick([0, 2, 2, 2, 1])
    bytes[1] = random.pick([0, 1, 2, 3, 128, 129, 130])
  }
  return bytes
}

const placeIn = (random: Random, bytes: Uint8Array): number =>
  (random.once(2) ? random.pick(PLACES) : random.below(4096)) % Math.max(1, bytes.length)

const change = (random: Random, bytes: Uint8Array): Uint8Array => {
  const at = placeIn(random, bytes)
  switch (random.below(11)) {
    case 0:
      bytes[at] ^= 1 << random.below(8)
      return bytes
    case 1:
      bytes[at] = random.below(256)
      return bytes
    case 2:
      bytes[at] = random.pick(EDGES)
      return bytes
    case 3: {
      // A 16-bit field at its edges: lengths and ports.
      const value = random.pick([0, 1, 3, 20, 21, 1023, 1024, 5350, 5351, 65535])
      bytes[at & ~1] = value >> 8
      bytes[(at & ~1) + 1] = value & 255
      return bytes
    }
    case 4:
      return bytes.slice(0, random.once(2) ? at : random.pick(LENGTHS))
    case 5: {
      const longer = new Uint8Array(
        Math.max(bytes.length, random.once(2) ? random.pick(LENGTHS) : bytes.length + random.below(40)),
      )
      longer.set(bytes)
      return longer
    }
    case 6: {
      // The front of one and the back of another.
      const other = random.pick(seeds)
      const from = random.once(2) ? at : random.below(other.length + 1)
      return joined(bytes.subarray(0, at), other.subarray(from))
    }
    case 7:
      // Octets taken out, or said twice.
      return joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at + random.below(17) - 8)))
    case 8: {
      const count = random.below(40)
      bytes.fill(random.pick([0, 255, 2]), at, at + count)
      return bytes
    }
    case 9:
      return joined(bytes, randomOption(random))
    default:
      return joined(bytes.subarray(0, bytes.length & ~3), randomOption(random))
  }
}

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both.subarray(0, 2000)
}

const randomOption = (random: Random): Uint8Array => {
  const length = random.once(3) ? random.below(40) : random.pick([0, 4, 5, 16, 20])
  const bytes = new Uint8Array((4 + length + 3) & ~3)
  for (let i = 0; i < length; i++) bytes[4 + i] = random.once(2) ? 0 : random.below(256)
  bytes[0] = random.once(4) ? random.below(256) : random.pick([1, 2, 3, 4, 5, 13, 128, 129, 130])
  bytes[2] = random.once(40) ? random.below(256) : 0
  bytes[3] = random.once(10) ? random.below(256) : length
  return bytes
}
