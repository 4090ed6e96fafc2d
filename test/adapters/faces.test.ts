import assert from "node:assert/strict"
import { test } from "node:test"
import * as browser from "../../adapters/browser/index.ts"
import * as bun from "../../adapters/bun/index.ts"
import * as deno from "../../adapters/deno/index.ts"
import * as node from "../../adapters/node/index.ts"
import type { Face } from "./runtime.ts"

/** A program written against one has the same names, of the same types, of the others: the compiler holds this. */
const faces: { readonly [name in "node" | "deno" | "bun"]: Face } = { node, deno, bun }

/** And of each, nothing that the others do not have. */
type Own<T, Name extends string> = Exclude<keyof T, `${Name}${"Udp" | "Clock" | "Runtime"}`>
const more: readonly [Exclude<Own<typeof deno, "deno">, keyof Face>, Exclude<Own<typeof bun, "bun">, keyof Face>][] = []

test("the adapters of Node, Deno and Bun export the same names, and each its own besides", () => {
  const names = Object.entries(faces).map(([runtime, face]) =>
    Object.keys(face)
      .map((name) => (name.startsWith(runtime) ? name.slice(runtime.length) : name))
      .sort(),
  )
  assert.deepEqual(names[1], names[0])
  assert.deepEqual(names[2], names[0])
  for (const own of ["Udp", "Clock", "Runtime", "udp", "clock", "runtime"]) assert.ok(names[0].includes(own), own)
  assert.deepEqual(more, [])
})

test("a browser's has those of them that a browser has", () => {
  const own = new Set(["browserClock", "browserUdp"])
  const shared = Object.keys(browser).filter((name) => !own.has(name))
  assert.deepEqual(shared.sort(), ["clock", "entropy", "udp"])
  assert.ok(shared.every((name) => name in node))
})
