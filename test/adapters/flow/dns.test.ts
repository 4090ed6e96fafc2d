/** The directory against a real DNS server of Debian, knot, that takes updates by RFC 2136. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { dnsDirectory, FlowError } from "../../../adapters/flow/index.ts"
import { labelOfName } from "../../../core/flow/index.ts"
import { address } from "../udp-suite.ts"
import { type Knot, lackingKnot, startKnot } from "./knot.ts"
import { bytes, codeOf, echo, layer, text } from "./layers.ts"

const ZONE = "flows.test"

describe("names in DNS, with knot", { skip: lackingKnot() ?? false }, () => {
  let server = ""
  let knot: Knot | undefined
  before(async () => {
    knot = await startKnot(ZONE)
    server = knot.server
  })
  after(() => knot?.stop())

  const name = (text: string) => ({ name: text, label: labelOfName(text) ?? assert.fail() })

  test("A7: a name is published by an update, found with its port, moved, and taken out", async () => {
    const directory = dnsDirectory({ server, zone: ZONE, ttl: 0 })
    const oecho = name("oecho")
    assert.deepEqual(await directory.lookup(oecho), [])
    await directory.publish?.(oecho, [{ address: address("192.0.2.7"), port: 40000 }])
    assert.deepEqual(await directory.lookup(oecho), [{ address: address("192.0.2.7"), port: 40000 }])
    await directory.publish?.(oecho, [
      { address: address("192.0.2.9"), port: 3435 },
      { address: address("2001:db8::9"), port: 3435 },
    ])
    assert.deepEqual(await directory.lookup(oecho), [
      { address: address("2001:db8::9"), port: 3435 },
      { address: address("192.0.2.9"), port: 3435 },
    ])
    await directory.publish?.(oecho, [])
    assert.deepEqual(await directory.lookup(oecho), [])
  })

  test("A7: a flow to a name that its server has registered there", async (t) => {
    const directory = dnsDirectory({ server, zone: ZONE, ttl: 0 })
    const [there, here] = [await layer(t, { directory }), await layer(t, { directory })]
    const serving = echo(there, "over dns")
    while ((await directory.lookup(name("over dns"))).length === 0) await new Promise((next) => setTimeout(next, 10))
    const flow = await here.flowAlloc("over dns")
    await flow.write(bytes("resolved"))
    assert.equal(text(await flow.read()), "resolved")
    await there.close()
    await serving
    assert.deepEqual(await directory.lookup(name("over dns")), [])
    assert.equal(await codeOf(here.flowAlloc("over dns")), "ENAME")
  })

  test("A7: what the server refuses is not registered: EIPCP, with the server's word", async (t) => {
    const directory = dnsDirectory({ server, zone: "elsewhere.test" })
    const there = await layer(t, { directory })
    there.createName("a")
    await assert.rejects(there.registerName("a"), (error) => {
      assert.ok(error instanceof FlowError && error.cause instanceof FlowError)
      assert.equal(error.code, "EIPCP")
      assert.match(error.cause.message, /nsupdate: .*(?:REFUSED|NOTAUTH|failed)/)
      return true
    })
    assert.equal(await codeOf(there.registerName("a")), "EIPCP")
  })
})

describe("what a DNS directory is told", () => {
  test("servers, zones and times that are none are refused before anything is sent", async () => {
    for (const options of [
      { server: "x" },
      { zone: "a b" },
      { zone: "a\nsend" },
      { zone: "a..b" },
      { ttl: -1 },
      { server: "127.0.0.1:0" },
    ])
      assert.throws(() => dnsDirectory(options), RangeError, JSON.stringify(options))
    assert.equal(dnsDirectory({}).publish, undefined)
    const missing = dnsDirectory({ server: "127.0.0.1:9", nsupdate: "/nowhere/nsupdate" })
    const publish = async () => missing.publish?.({ name: "a", label: "0".repeat(32) }, [])
    assert.equal(await codeOf(publish()), "EIPCP")
  })
})
