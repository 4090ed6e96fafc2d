import assert from "node:assert/strict"
import { test } from "node:test"
import { halfSipHash13 } from "../../../core/table/halfsiphash.ts"
import { siphash24 } from "../../../core/table/index.ts"
import { halfSipHash } from "./halfsiphash.ts"

// vectors.h of the reference implementation (github.com/veorq/SipHash, CC0): the hashes of the messages "", 00 01 02 03,
// 00 … 07, and so on (every fourth vector: only whole words are hashed here), octets in order, key 00 01 02 ….
const SIPHASH_2_4 =
  `310e0edd47db6f72 b7877127e09427cf 6224939a79f5f593 fbe50e86bc8f1e75 db9bc2577fcc2a3f 98eea21af25cd6be
  94af49f6c650adb8 a5c91da7acaa4dde ce7cf2722f512771 b4a31508beff4d31 d0a704536ba93e0e f21df2e41d4535f9
  51a9cb9ecba312e6 b274cb8ebf87870a bd838d3aafbf8db7 e1915f5cb1eca46c`.split(/\s+/)
const HALFSIPHASH_2_4 =
  `a9359f5b 2a6e4689 d0b8848f 57f0872f d9b5ac84 e34d1045 27400c63 b0644000 fee72112 e75cc6ec b6bc1840
  7705d548 69e12ce3 3b85f3d4 a5c5b940 d4e76c73`.split(/\s+/)

const octets = Uint8Array.from({ length: 64 }, (_, at) => at)
const view = new DataView(octets.buffer)
const words = Int32Array.from({ length: 16 }, (_, at) => view.getInt32(at * 4, true))

const firstWord = (hex: string): number => {
  const [a, b, c, d] = (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
  return a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24
}

test("SipHash-2-4 gives the reference implementation's hashes", () => {
  for (let count = 0; count < 16; count++) {
    assert.equal(
      siphash24([words[0], words[1], words[2], words[3]], words, count),
      firstWord(SIPHASH_2_4[count]),
      `${count}`,
    )
  }
})

test("HalfSipHash-2-4 gives the reference implementation's hashes", () => {
  for (let count = 0; count < 16; count++) {
    const hash = halfSipHash(2, 4, words[0], words[1], words, 0, count)
    assert.equal(hash >>> 0, firstWord(HALFSIPHASH_2_4[count]), `${count}`)
  }
})

test("HalfSipHash reads the words from its start, wherever that is", () => {
  const moved = new Int32Array(20)
  moved.set(words, 3)
  assert.equal(halfSipHash(1, 3, 7, 8, moved, 3, 12), halfSipHash(1, 3, 7, 8, words, 0, 9))
  assert.notEqual(halfSipHash(1, 3, 7, 8, moved, 3, 12), halfSipHash(1, 3, 8, 7, moved, 3, 12))
})

test("HalfSipHash-1-3 as the indexes hash is the general one with these rounds", () => {
  for (let from = 0; from < 16; from++) {
    for (let to = from; to <= 16; to++)
      assert.equal(
        halfSipHash13(words[from], ~to, words, from, to),
        halfSipHash(1, 3, words[from], ~to, words, from, to),
      )
  }
})
