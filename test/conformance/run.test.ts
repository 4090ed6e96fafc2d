import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { compare } from "../../adapters/conformance/compare.ts"
import { junit } from "../../adapters/conformance/junit.ts"
import { loadKit } from "../../adapters/conformance/load.ts"
import { type RunOptions, type RunResult, run } from "../../adapters/conformance/run.ts"
import { failures, verdicts } from "../../adapters/conformance/verdict.ts"
import type { Address } from "../../core/wire/index.ts"
import { address, type Device, makeDevice } from "../vectors/device.ts"
import { networkOf, SERVER, type Serve, serveBy } from "./network.ts"

const kit = loadKit()
const CLIENTS = [address("10.0.0.1"), address("10.0.0.2")]
const PACE = { gap: 0, timeout: 60, silence: 5 }

/** The same octets in every run. */
const random = () => {
  let next = 1
  const octet = (): number => {
    next = (next * 48271) % 65521
    return next & 255
  }
  return (length: number): Uint8Array => Uint8Array.from({ length }, octet)
}

const runAgainst = async (
  serve: Serve,
  more: Partial<RunOptions> = {},
): Promise<{ result: Extract<RunResult, { ok: true }>; failed: readonly string[] }> => {
  const options: RunOptions = {
    server: SERVER,
    kind: "nat444",
    clients: CLIENTS,
    pace: PACE,
    limit: 60_000,
    random: random(),
  }
  const network = networkOf(serve)
  const result = await run(kit, network.udp, { ...options, ...more })
  assert.ok(result.ok)
  assert.equal(network.open(), 0, "sockets left open")
  const failed = failures(kit, result.results, "should").map(({ test }) => test.id)
  return { result, failed }
}

const ids = (result: Extract<RunResult, { ok: true }>, outcome: string): readonly string[] =>
  result.results.filter((one) => one.result.outcome === outcome).map(({ test }) => test.id)

const port16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]

const noMappings = (device: Device): void => {
  const left = device.mappings(0).filter(({ kind }) => kind !== "peer")
  assert.deepEqual(left, [])
}

describe("a run of the kit", () => {
  it("passes this server, and leaves no mapping of MAP or NAT-PMP there", async () => {
    const device = makeDevice({})
    const { result, failed } = await runAgainst(serveBy(device))
    assert.deepEqual(failed, [])
    assert.ok(ids(result, "pass").length > 400, `${ids(result, "pass").length} passed`)
    assert.equal(result.left, 0)
    assert.ok(result.peers > 0)
    assert.equal(device.mappings(0).filter(({ kind }) => kind === "peer").length, result.peers)
    noMappings(device)
    assert.equal(result.stopped, undefined)
  })

  it("suggests no port that the server has assigned already, which may be held: its choice may be any", async () => {
    const own = serveBy(makeDevice({ recycleDelay: { udp: 120, tcp: 120 } }))
    // Asked without a suggestion, it chooses what the case after this one would suggest.
    const { failed, result } = await runAgainst((bytes, ...from) => {
      const isPlain = bytes[0] === 2 && (bytes[1] === 1 ? bytes.length === 60 : bytes[1] === 2 && bytes.length === 80)
      const isMap = isPlain && port16(bytes, 42) === 0
      const internal = port16(bytes, 40)
      const lifetime = port16(bytes, 4) + port16(bytes, 6)
      if (!isMap || lifetime === 0 || internal < 20_000 || internal >= 40_000 || (bytes[36] !== 6 && bytes[36] !== 17))
        return own(bytes, ...from)
      const chosen = bytes.slice()
      const next = 40_000 + (internal - (internal % 4)) - 20_000 + 4
      chosen.set([next >>> 8, next & 255], 42)
      const reply = own(chosen, ...from)
      return reply !== undefined && reply[3] === 0 ? reply : own(bytes, ...from)
    })
    assert.deepEqual(failed, [])
    assert.ok(ids(result, "pass").includes("peer-suggestion"))
  })

  for (const ports of [
    { first: 1024, last: 32_767 },
    { first: 32_768, last: 65_535 },
  ])
    it(`passes a server whose mappings have ports from ${ports.first} to ${ports.last} alone`, async () => {
      const { failed, result } = await runAgainst(serveBy(makeDevice({ ports })))
      assert.deepEqual(failed, [])
      assert.ok(ids(result, "pass").includes("peer-suggestion"))
    })

  for (const [kind, client, second] of [
    ["firewall6", "2001:db8:1::1", "2001:db8:1::2"],
    ["firewall4", "10.0.0.1", "10.0.0.2"],
    ["nptv6", "2001:db8:1::1", "2001:db8:1::2"],
    ["nat64", "2001:db8:1::1", "2001:db8:1::2"],
  ] as const) {
    it(`passes a ${kind}, by the cases of its kind`, async () => {
      const device = makeDevice({ kind })
      const clients = [address(client), address(second)]
      const { result, failed } = await runAgainst(serveBy(device), { kind, clients })
      assert.deepEqual(failed, [])
      assert.ok(ids(result, "pass").length > 150, `${ids(result, "pass").length} passed`)
      assert.equal(ids(result, "pass").includes("suggested-port"), kind === "nat64")
      noMappings(device)
    })
  }

  it("passes servers of PCP alone and of NAT-PMP alone, each by its own cases", async () => {
    const pcp = await runAgainst(serveBy(makeDevice({ natPmp: false })))
    assert.deepEqual(pcp.failed, [])
    assert.ok(ids(pcp.result, "pass").includes("natpmp-unsupported-address"))
    const natPmp = await runAgainst(serveBy(makeDevice({ pcp: false })))
    assert.deepEqual(natPmp.failed, [])
    assert.ok(ids(natPmp.result, "pass").includes("natpmp-version-pcp-map"))
    assert.ok(ids(natPmp.result, "not applicable").includes("answer-map"))
  })

  it("passes a server with THIRD_PARTY, by the cases of it", async () => {
    const { result, failed } = await runAgainst(serveBy(makeDevice({ thirdParty: true })))
    assert.deepEqual(failed, [])
    assert.ok(ids(result, "pass").includes("third-party-map"))
    assert.ok(ids(result, "not applicable").includes("third-party-off-map"))
  })
})

/** Ways to be wrong, each with cases that must find it and the requirement that they belong to. */
const FAULTS: readonly {
  readonly name: string
  readonly requirement: string
  readonly found: readonly string[]
  readonly serve: (own: Serve) => Serve
}[] = [
  {
    name: "does not drop what is too short",
    requirement: "S-03",
    found: ["short-header-2", "short-header-23"],
    serve:
      (own) =>
      (bytes, ...from) =>
        own(bytes, ...from) ?? (bytes.length > 1 && bytes[1] < 128 ? Uint8Array.of(2, 129) : undefined),
  },
  {
    name: "leaves the reserved octet as it came",
    requirement: "S-04",
    found: ["reserved-header-zero"],
    serve:
      (own) =>
      (bytes, ...from) =>
        patched(own(bytes, ...from), 2, bytes[2]),
  },
  {
    name: "says version 1",
    requirement: "S-20",
    found: ["version-3", "version-255"],
    serve:
      (own) =>
      (bytes, ...from) => {
        const reply = own(bytes, ...from)
        return reply !== undefined && reply[0] === 2 && reply[3] === 1 ? patched(reply, 0, 1) : reply
      },
  },
  {
    name: "grants less than it should",
    requirement: "S-130",
    found: ["lifetime-least"],
    serve:
      (own) =>
      (bytes, ...from) => {
        const reply = own(bytes, ...from)
        return reply !== undefined && reply[0] === 2 && reply[1] === 129 && reply[3] === 0 && reply[7] !== 0
          ? patched(patched(patched(reply, 7, 9), 6, 0), 5, 0)
          : reply
      },
  },
  {
    name: "is a second late and two seconds early with its Epoch Time",
    requirement: "S-140",
    found: ["epoch-rises"],
    serve:
      (own) =>
      (bytes, ...from) => {
        const reply = own(bytes, ...from)
        return reply !== undefined && reply[0] === 2 && reply.length >= 24
          ? patched(patched(reply, 11, 7), 10, 0)
          : reply
      },
  },
  {
    name: "answers errors without the request",
    requirement: "S-08",
    found: ["copy-map", "copy-options"],
    serve:
      (own) =>
      (bytes, ...from) => {
        const reply = own(bytes, ...from)
        return reply !== undefined && reply[0] === 2 && reply[3] !== 0 ? reply.subarray(0, 24) : reply
      },
  },
]

const patched = (reply: Uint8Array | undefined, at: number, octet: number): Uint8Array | undefined => {
  if (reply === undefined || reply[0] !== 2) return reply
  const copy = reply.slice()
  copy[at] = octet
  return copy
}

describe("a server with a fault", () => {
  for (const { name, requirement, found, serve } of FAULTS) {
    it(`is found: ${name} (${requirement})`, async () => {
      const { result, failed } = await runAgainst(serve(serveBy(makeDevice({}))), {
        only: ({ requirements, id }) => requirements.includes(requirement) || found.includes(id),
      })
      for (const id of found) assert.ok(failed.includes(id), `${id} among ${failed.join(" ")}`)
      const verdict = verdicts(kit, result.results, "should").find((one) => one.requirement.id === requirement)
      assert.equal(verdict?.outcome, "fail")
    })
  }

  it("fails only what its fault is about: no nonces, and nothing else", async () => {
    const { failed } = await runAgainst(serveBy(makeDevice({ noncePolicy: "off" })))
    assert.ok(failed.includes("nonce-renewal-other"))
    const byId = new Map(kit.cases.map((test) => [test.id, test.requirements]))
    const about = ["S-44", "S-66", "S-132", "S-65"]
    assert.deepEqual(
      failed.filter((id) => !(byId.get(id) ?? []).some((requirement) => about.includes(requirement))),
      [],
    )
  })

  it("that never answers ends the run", async () => {
    const network = networkOf(() => undefined)
    const result = await run(kit, network.udp, {
      server: SERVER,
      kind: "nat444",
      clients: CLIENTS,
      pace: PACE,
      limit: 60_000,
      random: random(),
    })
    assert.ok(!result.ok)
    assert.equal(result.reason, "silent")
  })

  it("that stops answering ends the run, and what was not run does not apply", async () => {
    const own = serveBy(makeDevice({}))
    let requests = 0
    const { result } = await runAgainst((...asked) => (requests++ < 60 ? own(...asked) : undefined))
    assert.equal(result.stopped, "silent")
    const last = result.results.at(-1)?.result
    assert.ok(last?.outcome === "not applicable")
  })

  it("that loses datagrams is asked again", async () => {
    const own = serveBy(makeDevice({}))
    const lost = new Set<string>()
    const { failed } = await runAgainst(
      (bytes, source: Address, port) => {
        const key = `${port}`
        if (lost.has(key)) return own(bytes, source, port)
        lost.add(key)
        return undefined
      },
      { only: ({ requirements }) => requirements.includes("S-44") },
    )
    assert.deepEqual(failed, [])
  })

  it("is given no more time than the limit", async () => {
    const { result } = await runAgainst(serveBy(makeDevice({})), { limit: 0 })
    assert.equal(result.stopped, "limit")
  })
})

describe("a report", () => {
  it("shows wanted and got field by field", () => {
    const got = Uint8Array.from(Buffer.from(`0281000200000e1000000005${"00".repeat(12)}`, "hex"))
    const pairs = compare("02 81 ?1 00 ?4 ?4 ?12", got, new Map())
    const different = pairs.filter(({ same }) => !same)
    assert.deepEqual(
      different.map(({ name }) => name),
      ["Result Code"],
    )
    assert.match(different[0].wanted ?? "", /SUCCESS/)
    assert.match(different[0].got ?? "", /NOT_AUTHORIZED/)
    assert.ok(pairs.some(({ name, wanted }) => name === "Lifetime" && wanted === "any"))
  })

  it("is JUnit's XML, escaped, with a failure's octets", async () => {
    const { result } = await runAgainst(serveBy(makeDevice({ noncePolicy: "off" })), {
      only: ({ requirements }) => requirements.includes("S-44"),
    })
    const xml = junit('"10.0.0.254" <&>', verdicts(kit, result.results, "should"), result.results)
    assert.match(
      xml,
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="[^<>&"]*&quot;10.0.0.254&quot; &lt;&amp;&gt;">/,
    )
    assert.equal(xml.match(/<testcase /g)?.length, result.results.length)
    assert.match(xml, /<failure message="[^"]+">RFC 6887 11\.3, step 2\nsent {3}0201/)
    assert.equal(xml.match(/<testsuite /g)?.length, xml.match(/<\/testsuite>/g)?.length)
  })

  it("counts no SHOULD where only MUSTs count", async () => {
    const own = serveBy(makeDevice({ longError: 5 }))
    const { result, failed } = await runAgainst(own, { only: ({ requirements }) => requirements.includes("E-01") })
    assert.ok(failed.length > 0)
    assert.deepEqual(failures(kit, result.results, "must"), [])
  })
})
