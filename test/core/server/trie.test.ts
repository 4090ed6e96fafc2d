import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { emptyQueue, firstOf, pushed, type Queue, shifted } from "../../../core/server/queue.ts"
import { deleteFrom, emptyTrie, getFrom, setIn, type Trie } from "../../../core/server/trie.ts"

// Few keys, so that the same one comes again, and two with the same hash.
const key = fc.oneof(fc.string({ maxLength: 2 }), fc.constantFrom("a", "b", "costarring", "liquid"))

test("a trie holds what a Map holds, and every older one what it held then", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.option(fc.nat(), { nil: undefined })), { maxLength: 200 }), (steps) => {
      const map = new Map<string, number>()
      const kept: { readonly trie: Trie<number>; readonly entries: readonly (readonly [string, number])[] }[] = []
      let trie = emptyTrie<number>()
      for (const [name, value] of steps) {
        if (value === undefined) map.delete(name)
        else map.set(name, value)
        trie = value === undefined ? deleteFrom(trie, name) : setIn(trie, name, value)
        kept.push({ trie, entries: [...map] })
      }
      for (const { entries, trie: old } of kept) {
        assert.equal(old.size, entries.length)
        for (const [name, value] of entries) assert.equal(getFrom(old, name), value)
      }
      for (const [name] of steps) assert.equal(getFrom(trie, name), map.get(name))
      for (const [name] of steps) trie = deleteFrom(trie, name)
      assert.deepEqual(trie, { size: 0, root: undefined })
    }),
  )
})

/** Keys of four units whose FNV-1a hashes are all one, found by going its last two steps back. */
const colliding = (count: number): readonly string[] => {
  const prime = 0x01000193
  let inverse = prime
  for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(prime, inverse))
  const last = 0x2345678
  const third = new Map<number, number>()
  for (let unit = 0; unit < 0x10000; unit++) {
    const wanted = Math.imul((last & ~0xffff) | unit, inverse)
    third.set(wanted >>> 16, wanted)
  }
  const keys: string[] = []
  for (let n = 0; keys.length < count; n++) {
    const [a, b] = [n >>> 8, n & 255]
    const second = Math.imul(Math.imul(0x811c9dc5 ^ a, prime) ^ b, prime)
    const wanted = third.get(second >>> 16)
    if (wanted === undefined) continue
    const c = second ^ wanted
    keys.push(String.fromCharCode(a, b, c, Math.imul(second ^ c, prime) ^ last))
  }
  return keys
}

test("keys that a host made collide are in order, so that none takes a walk over all of them", () => {
  const keys = colliding(200)
  let trie = emptyTrie<number>()
  for (const [i, name] of keys.entries()) trie = setIn(trie, name, i)
  const { root } = trie
  assert.ok(root?.leaf && trie.size === 200, "they do collide")
  assert.deepEqual(
    root.entries.map(({ key }) => key),
    [...keys].sort(),
  )
  for (const [i, name] of keys.entries()) assert.equal(getFrom(trie, name), i)
  for (const name of keys.slice(1)) trie = deleteFrom(trie, name)
  assert.deepEqual([trie.size, getFrom(trie, keys[0]), getFrom(trie, keys[1])], [1, 0, undefined])
})

test("a queue gives what came first, and every older one still does", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 100 }), (steps) => {
      let queue = emptyQueue<number>()
      let list: number[] = []
      const kept: { readonly queue: Queue<number>; readonly list: readonly number[] }[] = []
      for (const value of steps) {
        queue = value === undefined ? shifted(queue) : pushed(queue, value)
        list = value === undefined ? list.slice(1) : [...list, value]
        kept.push({ queue, list })
      }
      for (const { list: wanted, queue: old } of kept) {
        assert.equal(old.size, wanted.length)
        let rest = old
        for (const item of wanted) {
          assert.equal(firstOf(rest), item)
          rest = shifted(rest)
        }
        assert.equal(firstOf(rest), undefined)
      }
    }),
  )
})
