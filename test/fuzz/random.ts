/** A stream of random numbers that a seed makes again: whoever reports a failure prints the seed. */
export interface Random {
  /** 0 to `n` - 1. */
  readonly below: (n: number) => number
  /** True once in `n` times. */
  readonly once: (n: number) => boolean
  readonly pick: <T>(from: readonly T[]) => T
}

/** xoshiro128** (Blackman and Vigna), its four words drawn from the seed by a multiply-and-mix. */
export const randomFrom = (seed: number): Random => {
  let z = seed | 0
  const word = (): number => {
    z = (z + 0x9e3779b9) | 0
    let t = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    t = Math.imul(t ^ (t >>> 15), 0x735a2d97)
    return t ^ (t >>> 15)
  }
  let a = word()
  let b = word()
  let c = word()
  let d = word()
  const below = (n: number): number => {
    const s = Math.imul(b, 5)
    const result = Math.imul((s << 7) | (s >>> 25), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
    return Math.floor((result / 4294967296) * n)
  }
  return { below, once: (n) => below(n) === 0, pick: (from) => from[below(from.length)] }
}

/** The seed of a test: from SALLYPORT_SEED where it is set, else its own, always the same. */
export const seedOf = (own: number, environment: string | undefined): number => {
  const given = environment === undefined || environment === "" ? own : Number(environment)
  return Number.isSafeInteger(given) ? given : own
}
