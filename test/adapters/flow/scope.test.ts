/** Link-local ends: the core's have no zones, and yet each is another one on each interface. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { scopes } from "../../../adapters/flow/scope.ts"
import { address } from "../udp-suite.ts"

const PORT = 3435

test("a link-local address is another one on each interface, and comes back with its zone", () => {
  const { in: inward, out } = scopes()
  const ends = ["eth0", "2", "eth1"].map((zone) => ({ address: address("fe80::1"), port: PORT, zone }))
  const known = ends.map(inward)
  assert.equal(new Set(known.map((end) => end.address)).size, 3)
  assert.deepEqual(known.map(out), ends)
  assert.deepEqual(inward(ends[1] ?? assert.fail()), known[1])
  // Where no zone is said there is none, and other addresses have none.
  for (const text of ["fe80::1", "2001:db8::1", "192.0.2.1", "fe80:0:0:9::1"]) {
    const end = { address: address(text), port: PORT }
    assert.deepEqual(inward(end), end)
    if (text !== "fe80:0:0:9::1") assert.deepEqual(out(end), end)
  }
  const global = { address: address("2001:db8::1"), port: PORT, zone: "eth0" }
  assert.deepEqual(inward(global), { address: global.address, port: PORT })
})
