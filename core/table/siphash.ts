/** The carry of the addition that gave `low` from `addend`: low < addend, unsigned, without a branch that nothing predicts. */
const carry = (low: number, addend: number): number => ((~low & addend) | ((~low | addend) & (low - addend))) >>> 31

/**
 * SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012) over the first `count`
 * words of `words`, each standing for four octets in little-endian order. `key`: 16 octets as four such words.
 * Returns the low 32 bits of the 64-bit hash, 0 to 2^32 - 1.
 *
 * 64-bit values are pairs of 32-bit words (low `l`, high `h`): BigInt would allocate. The rounds of the blocks and of the
 * finish are one loop, so that the round is written once.
 */
export const siphash24 = (key: readonly [number, number, number, number], words: Int32Array, count: number): number => {
  let v0l = 0x70736575 ^ key[0]
  let v0h = 0x736f6d65 ^ key[1]
  let v1l = 0x6e646f6d ^ key[2]
  let v1h = 0x646f7261 ^ key[3]
  let v2l = 0x6e657261 ^ key[0]
  let v2h = 0x6c796765 ^ key[1]
  let v3l = 0x79746573 ^ key[2]
  let v3h = 0x74656462 ^ key[3]
  let ml = 0
  let mh = 0
  const blockRounds = ((count >>> 1) + 1) * 2
  for (let round = 0; round < blockRounds + 4; round++) {
    if (round < blockRounds && (round & 1) === 0) {
      ml = round < count ? words[round] : 0
      // The last block carries the length in octets in its top octet.
      mh = round + 2 === blockRounds ? count << 26 : words[round + 1]
      v3l ^= ml
      v3h ^= mh
    }
    if (round === blockRounds) v2l ^= 0xff

    v0l = (v0l + v1l) | 0
    v0h = (v0h + v1h + carry(v0l, v1l)) | 0
    let l = (v1l << 13) | (v1h >>> 19)
    v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
    v1l = l ^ v0l
    l = v0l
    v0l = v0h
    v0h = l

    v2l = (v2l + v3l) | 0
    v2h = (v2h + v3h + carry(v2l, v3l)) | 0
    l = (v3l << 16) | (v3h >>> 16)
    v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
    v3l = l ^ v2l

    v0l = (v0l + v3l) | 0
    v0h = (v0h + v3h + carry(v0l, v3l)) | 0
    l = (v3l << 21) | (v3h >>> 11)
    v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
    v3l = l ^ v0l

    v2l = (v2l + v1l) | 0
    v2h = (v2h + v1h + carry(v2l, v1l)) | 0
    l = (v1l << 17) | (v1h >>> 15)
    v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
    v1l = l ^ v2l
    l = v2l
    v2l = v2h
    v2h = l

    if (round < blockRounds && (round & 1) === 1) {
      v0l ^= ml
      v0h ^= mh
    }
  }
  return (v0l ^ v1l ^ v2l ^ v3l) >>> 0
}
