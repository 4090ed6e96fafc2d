import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { formatNonce, parseNonce, readNonce, writeNonce, ZERO_NONCE } from "../../../core/wire/index.ts"
import { hex, toHex } from "./hex.ts"

test("a nonce is its 24 hex digits, a value and a key", () => {
  const bytes = hex("ff  a1 b2 c3 d4 e5 f6 07 18 29 3a 4b 5c")
  const nonce = readNonce(bytes, 1)
  assert.equal(formatNonce(nonce), "a1b2c3d4e5f60718293a4b5c")
  assert.equal(parseNonce("A1B2C3D4E5F60718293A4B5C"), nonce)
  assert.equal(new Map([[nonce, 1]]).get(readNonce(bytes.slice(), 1)), 1)
  assert.equal(readNonce(new Uint8Array(12), 0), ZERO_NONCE)
  assert.equal(formatNonce(ZERO_NONCE), "0".repeat(24))
})

test("what is no nonce", () => {
  for (const text of [
    "",
    "a1b2",
    `${"0".repeat(23)}g`,
    "0".repeat(23),
    "0".repeat(25),
    ` ${"0".repeat(24)}`,
    `${"0".repeat(24)}\n`,
  ]) {
    assert.equal(parseNonce(text), undefined, JSON.stringify(text))
  }
})

test("octets and text of every nonce come back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (bytes) => {
      const nonce = readNonce(bytes, 0)
      assert.equal(formatNonce(nonce), toHex(bytes))
      assert.equal(parseNonce(formatNonce(nonce)), nonce)
      const written = new Uint8Array(14)
      writeNonce(written, 1, nonce)
      assert.equal(toHex(written), `00${toHex(bytes)}00`)
    }),
  )
})
