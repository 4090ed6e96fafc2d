/**
 * Random requests of one server, whose changes go to the kernel: after every few the kernel's table is listed and must be what
 * the server's state says. Prints how often it was. Run in a network namespace with `library`, `elements` or `program`, and a seed.
 */
import assert from "node:assert/strict"
import {
  createTable,
  driftOf,
  listTable,
  type Nft,
  nat44Plane,
  netlinkSockets,
  nftProgram,
  openLibrary,
  withElements,
} from "../../adapters/linux/index.ts"
import type { Change } from "../../core/cgn/index.ts"
import { advance, createServer, filters, mappings, reconfigure, process as serve } from "../../core/server/index.ts"
import { type Address, addressFromIpv4 } from "../../core/wire/index.ts"
import { address, filter, map, natPmpMap, peer } from "../core/server/scene.ts"

const [way, seed] = process.argv.slice(2)
let random = Number(seed)
/** A whole number under `below` (mulberry32). */
const under = (below: number): number => {
  random = (random + 0x6d2b79f5) | 0
  let t = Math.imul(random ^ (random >>> 15), 1 | random)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) % below
}

/** Transactions that went as octets. */
let taken = 0
const openNft = (): Nft => {
  if (way === "program") return nftProgram()
  const library = openLibrary()
  assert.ok(library.ok, library.ok ? "" : library.text)
  if (way === "library") return library.value
  const sockets = netlinkSockets()
  assert.ok(sockets.ok, sockets.ok ? "" : sockets.text)
  const socket = sockets.value(0)
  assert.ok(socket !== undefined)
  const octets = withElements(library.value, socket)
  return {
    ...octets,
    way: "octets",
    elements: (...asked) => {
      const done = octets.elements?.(...asked)
      if (done?.ok === true) taken++
      return done
    },
  }
}
const nft = openNft()
const refused = nft.run("add rule ip sallyport nowhere accept")
assert.ok(!refused.ok && refused.text !== "")

const pool = (first: number): readonly Address[] => [0, 1].map((i) => addressFromIpv4(0xcb007100 + first + i))
const options = { external: pool(1), secret: new Uint8Array(32).fill(7), ports: { first: 2000, last: 2063 }, quota: 0 }
const made = createServer({ ...options, now: 0 })
assert.ok(made.ok)
let { state } = made
// The kernel's clock goes on while the server's stands still: lifetimes are long against what the test takes.
const NOW = 0
const plane = nat44Plane({
  outside: ["lo"],
  external: pool(1),
  staticExternal: [],
  implicitPorts: { first: 40000, last: 50000 },
})
const table = createTable(nft, plane)
const contents = () => ({
  mappings: mappings(state, NOW, 0, 1e6).mappings,
  filters: (end: Parameters<typeof filters>[1]) => filters(state, end),
})

const request = (source: string): readonly number[] => {
  const lifetime = [0, 3600, 7200, 7200][under(4)]
  const common = { client: source, lifetime, protocol: [6, 17][under(2)], port: 3000 + under(12) }
  switch (under(4)) {
    case 0:
      return natPmpMap(under(2) === 0 ? 1 : 2, 3000 + under(12), 2000 + under(64), lifetime)
    case 1:
      return peer({ ...common, remote: `198.51.100.${1 + under(3)}`, remotePort: 50 + under(2) })
    case 2: {
      if (lifetime === 0) return map(common)
      const some = Array.from({ length: 1 + under(3) }, () =>
        filter([96, 120, 124, 128][under(4)], [0, 80, 443][under(3)], `198.51.100.${under(4) * 16}`),
      )
      return map({ ...common, options: some.flat() })
    }
    default:
      return map(common)
  }
}

const apply = (changes: readonly Change[]): void => {
  const done = table.apply(changes, NOW)
  assert.ok(done.ok, done.ok ? "" : done.text)
}
let began = Date.now()
const agree = async (): Promise<void> => {
  const listed = await listTable(plane)
  assert.ok(listed.ok, listed.ok ? "" : listed.text)
  const drift = driftOf(table.wanted(contents(), NOW), listed.value, Date.now() - began)
  assert.deepEqual(drift, { put: [], gone: [] })
}

const built = table.build(contents(), NOW)
assert.ok(built.ok, built.ok ? "" : built.text)
const ROUNDS = 12
let most = 0
for (let round = 0; round < ROUNDS; round++) {
  // What arrives together is one transaction.
  const changes: Change[] = []
  for (let i = 0; i < 25; i++) {
    const source = `10.0.0.${1 + under(3)}`
    const bytes = Uint8Array.from(request(source))
    const [after, response] = serve(state, { bytes, now: NOW, source: address(source), sourcePort: 5350 })
    state = after
    changes.push(...response.changes)
    // What has FILTERs goes the other way, and all that is with it.
    if (way === "elements") apply(changes.splice(0))
  }
  if (round === ROUNDS / 2) {
    apply(changes.splice(0))
    // Half of the pool is another: mappings move.
    const moved = reconfigure(state, { ...options, external: pool(2) }, NOW)
    assert.ok(moved.ok)
    state = moved.state
    assert.ok(moved.pushed.changes.some(({ type }) => type === "moved"))
    changes.push(...moved.pushed.changes)
  }
  apply(changes)
  await agree()
  most = Math.max(most, contents().mappings.length)
}
// A table built of the state is the table that its changes came to.
assert.ok(table.isWhole())
const again = table.build(contents(), NOW)
assert.ok(again.ok)
began = Date.now()
await agree()
const [, { changes }] = advance(state, 1e9)
apply(changes)
const left = await listTable(plane)
assert.ok(left.ok)
assert.equal(left.value.size, 0)
assert.ok(table.remove().ok)
assert.ok(!table.isWhole())
console.log(JSON.stringify({ way: nft.way, agreed: ROUNDS, most, taken }))
nft.close()
