import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { countersOf } from "../../../adapters/cli/counter-names.ts"
import { countersFrom } from "../../../core/cgn/index.ts"
import { client, mapRequest, octets, sallyport, serving } from "./command.ts"

/** The samples of Prometheus text: name with labels, and value. */
const samples = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  )

describe("sallyport serve --metrics", () => {
  it("tells counters, mappings by kind, the pool and how long requests took, and no nonce", async () => {
    const server = await serving(["--metrics", "127.0.0.1:0", "--external", "198.51.100.7", "--no-control"])
    const base = /Metrics +(http:\S+)\/metrics/.exec(server.stderr())?.[1]
    const peer = await client()
    await peer.ask(mapRequest(5000, 3600), server.port)
    await peer.ask(mapRequest(5001, 3600), server.port)
    await peer.ask(mapRequest(5001, 0), server.port)
    await peer.ask(octets("0000"), server.port)
    await peer.send(octets("02810000"), server.port)
    await server.until(/dropped/)
    peer.close()
    const response = await fetch(`${base}/metrics`)
    assert.equal(response.status, 200)
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    const told = samples(text)
    for (const [name, value] of [
      ['sallyport_requests_total{protocol="pcp",opcode="MAP"}', 3],
      ['sallyport_requests_total{protocol="nat-pmp",opcode="external address"}', 1],
      ['sallyport_responses_total{protocol="pcp",result="SUCCESS"}', 3],
      ['sallyport_dropped_total{reason="response"}', 1],
      ['sallyport_mappings{kind="map"}', 1],
      ['sallyport_mappings{kind="peer"}', 0],
      ["sallyport_pool_addresses", 1],
      ['sallyport_mappings{kind="held"}', 1],
      ['sallyport_pool_ports{protocol="tcp"}', 65535 - 1024 + 1],
      // Without 5350 and 5351 (RFC 6887 section 11.3).
      ['sallyport_pool_ports{protocol="udp"}', 65535 - 1024 + 1 - 2],
      ['sallyport_pool_ports_used{protocol="tcp"}', 0],
      ['sallyport_pool_ports_used{protocol="udp"}', 2],
      ["sallyport_request_duration_seconds_count", 5],
    ] as const)
      assert.equal(told.get(name), value, name)
    assert.ok((told.get("sallyport_request_duration_seconds_sum") ?? 0) > 0)
    assert.doesNotMatch(text, /0102030405060708090a0b0c|nonce/i)
    const health = await fetch(`${base}/healthz`)
    assert.deepEqual([health.status, await health.text()], [200, "ok\n"])
    assert.equal((await fetch(`${base}/frob`)).status, 404)
    assert.equal((await fetch(`${base}/metrics`, { method: "POST" })).status, 405)
    assert.equal((await fetch(`${base}/metrics`, { method: "HEAD" })).status, 200)
    assert.equal((await server.stop()).code, 0)
    await assert.rejects(fetch(`${base}/healthz`))
  })

  it("says in a line that its port is taken", async () => {
    const first = await serving(["--metrics", "127.0.0.1:0", "--no-control"])
    const port = /Metrics +http:\/\/127\.0\.0\.1:(\d+)/.exec(first.stderr())?.[1]
    const { code, stderr } = await sallyport(["serve", "--listen", "127.0.0.1:0", "--metrics", `127.0.0.1:${port}`])
    assert.equal(code, 1)
    assert.equal(
      stderr,
      `sallyport: metrics: 127.0.0.1:${port} is in use already; choose another with --metrics <address[:port]>\n`,
    )
    await first.stop()
  })
})

it("every counter that the server has gets a name, and none is left out", () => {
  const counts = countersFrom((cell) => cell + 1)
  const named = countersOf(counts)
  assert.equal(named.length, Object.values(counts).flat().length)
  assert.deepEqual(new Set(named.map(({ vector }) => vector)), new Set(Object.keys(counts)))
  const labels = named.map(({ vector, labels }) => `${vector} ${JSON.stringify(labels)}`)
  assert.equal(new Set(labels).size, labels.length - duplicates(named))
})

/** Numbers beyond those that have a name of their own may share one: 0 is a hit, and whatever else a miss. */
const duplicates = (named: ReturnType<typeof countersOf>): number =>
  named.filter(({ vector, index }) => vector === "cache" && index > 1).length
