/** The oddities of real gateways, each with the octets that such a gateway sends, and what issues of other clients teach besides. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type ClientServer, type InboundRequest, QUIRKS, type QuirkName } from "../../../core/client/index.ts"
import { ANY4 } from "../../../core/wire/index.ts"
import { hexAt, word16, word32 } from "../server/model-message.ts"
import { pcpAnswer, versionError } from "./gateway.ts"
import { address, ROUTER, router, scene, TCP_8080 } from "./scene.ts"

const octets = (hex: string): Uint8Array => {
  const digits = hex.replaceAll(" ", "")
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

const NAT_PMP: readonly ClientServer[] = [router({ protocol: "nat-pmp" })]

/** A client that asked for TCP 8080, an hour, or what is given; `answer` is what comes back to the datagram sent last. */
const asking = (servers: readonly ClientServer[] = [router()], request: InboundRequest = TCP_8080) => {
  const client = scene({ servers })
  client.command({ type: "request", id: "web", request })
  const last = () => client.sent[client.sent.length - 1].bytes
  return {
    ...client,
    last,
    lastHex: () => hexAt(last(), 0, last().length),
    nonce: () => hexAt(last(), 24, 36),
    answer: (hex: string, source = ROUTER) => client.datagram(octets(hex), source),
    quirks: () => client.told("quirk").map(({ quirk }) => quirk),
  }
}

/** A PCP server's grant of TCP 8080 in octets: its lifetime, external port and IPv4 address in hexadecimal. */
const granted = (nonce: string, lifetime = "00000e10", port = "1f90", external = "cb007107", options = "") =>
  `0281 0000 ${lifetime} 000003e8 000000000000000000000000 ${nonce} 06000000 1f90 ${port} 00000000000000000000ffff${external} ${options}`

/** NAT-PMP's grant of TCP 8080. */
const leased = (lifetime = "00000e10", port = "1f90", internal = "1f90") =>
  `0082 0000 000003e8 ${internal} ${port} ${lifetime}`
const outside = (external: string) => `0080 0000 000003e8 ${external}`

/** What each row of the table is in octets. A row without one does not compile. */
const SHOWN: Readonly<Record<QuirkName, () => void>> = {
  "refuses-port-0": () => {
    // Refused, network failure, out of resources: RouterOS says "unable to allocate port for mapping *:0".
    for (const result of ["0002", "0003", "0004"]) {
      const client = asking(NAT_PMP)
      assert.equal(client.lastHex(), "000200001f90000000000e10")
      client.answer(`0082 ${result} 000003e8 1f90 0000 00000000`)
      assert.deepEqual(client.quirks(), ["refuses-port-0"])
      assert.equal(client.sent.length, 2)
      assert.equal(client.lastHex(), "000200001f901f9000000e10")
      client.answer(leased())
      client.answer(outside("cb007107"))
      assert.equal(client.told("assigned")[0]?.mapping.externalPort, 8080)
      // A port of the caller's own is no 0: a refusal is one.
      const other = asking(NAT_PMP, { ...TCP_8080, externalPort: 9000 })
      other.answer(`0082 ${result} 000003e8 1f90 0000 00000000`)
      assert.equal(other.sent.length, 1)
      assert.deepEqual(other.quirks(), [])
    }
  },
  "short-grant": () => {
    // ProtonVPN: 60 s whatever is asked for, of internal port 1, and a port of its own choice (transmission pull request 1602).
    const client = asking(NAT_PMP, { ...TCP_8080, internalPort: 1, externalPort: 1, lifetime: 7200 })
    client.answer(leased("0000003c", "b1e3", "0001"))
    client.answer(outside("cb007107"))
    assert.deepEqual(client.quirks(), ["short-grant", "other-port"])
    assert.equal(client.told("assigned")[0]?.mapping.lifetime, 60)
    const before = client.sent.length
    client.run(29_999)
    assert.equal(client.sent.length, before)
    client.run(1)
    // Half of what was granted, with the assigned port, and the lifetime that was asked for.
    assert.equal(client.lastHex(), "000200000001b1e300001c20")
    // The port changed with the renewal: that is said.
    client.answer(leased("0000003c", "b1e4", "0001"))
    assert.deepEqual(
      client.told("assigned").map(({ mapping }) => mapping.externalPort),
      [0xb1e3, 0xb1e4],
    )
  },
  "other-port": () => {
    const client = asking([router()], { ...TCP_8080, externalPort: 80 })
    client.answer(granted(client.nonce(), undefined, "c001"))
    assert.deepEqual(client.quirks(), ["other-port"])
    assert.equal(client.told("assigned")[0]?.mapping.externalPort, 0xc001)
    assert.deepEqual(client.states(), ["router running"])
    // What was not suggested is no other port.
    const free = asking()
    free.answer(granted(free.nonce(), undefined, "c001"))
    assert.deepEqual(free.quirks(), [])
  },
  "double-nat": () => {
    for (const [external, kind] of [
      ["0a000002", "private"],
      ["ac100002", "private"],
      ["c0a80002", "private"],
      ["64400001", "shared"],
      ["647fffff", "shared"],
      ["a9fe0001", "link-local"],
    ]) {
      const pcp = asking()
      pcp.answer(granted(pcp.nonce(), undefined, undefined, external))
      const natPmp = asking(NAT_PMP)
      natPmp.answer(leased())
      natPmp.answer(outside(external))
      for (const client of [pcp, natPmp]) {
        assert.equal(client.told("assigned")[0]?.mapping.class, kind, external)
        assert.deepEqual(client.quirks(), ["double-nat"], external)
      }
    }
    for (const external of ["08080808", "643fffff", "64800000"]) {
      const client = asking()
      client.answer(granted(client.nonce(), undefined, undefined, external))
      assert.equal(client.told("assigned")[0]?.mapping.class, "public", external)
      assert.deepEqual(client.quirks(), [], external)
    }
  },
  "no-address": () => {
    const client = asking(NAT_PMP)
    client.answer(leased())
    client.answer(outside("00000000"))
    assert.equal(client.told("assigned")[0]?.mapping.class, "unspecified")
    assert.deepEqual(client.quirks(), ["no-address"])
    // The line is up: the announcement brings the address (RFC 6886 section 3.2.1).
    client.run(5000)
    client.answer("0080 0000 000003ed cb007107")
    assert.equal(client.told("assigned").at(-1)?.mapping.external, address("203.0.113.7"))
    // A gateway that says an error instead is asked no more than that, and its mapping is told all the same.
    const mute = asking(NAT_PMP)
    mute.answer(leased())
    mute.answer("0080 0003 000003e8 00000000")
    assert.equal(mute.told("assigned")[0]?.mapping.external, ANY4)
    assert.deepEqual(mute.quirks(), ["no-address"])
  },
  "delete-no-resources": () => {
    const client = asking()
    const nonce = client.nonce()
    client.answer(granted(nonce))
    client.command({ type: "revoke", id: "web" })
    assert.equal(word32(client.last(), 4), 0)
    // miniupnp issue 132: result 8, 30 s, for what is not there.
    client.answer(`0281 0008 0000001e 000003e8 000000000000000000000000 ${nonce} 06000000 1f90 0000 ${"0".repeat(32)}`)
    assert.deepEqual(client.quirks(), ["delete-no-resources"])
    assert.deepEqual(client.states(), [])
    const { length } = client.sent
    client.command({ type: "request", id: "next", request: TCP_8080 })
    client.run(29_999)
    assert.equal(client.sent.length, length)
    client.run(1)
    assert.equal(client.sent.length, length + 1)
  },
  "short-reply": () => {
    // lnd issue 2008: "unexpected result size 2".
    const client = asking()
    client.answer("0080")
    assert.deepEqual(client.quirks(), ["short-reply"])
    assert.equal(client.told("ignored")[0]?.reason, "malformed")
    client.run(3300)
    assert.equal(client.sent.length, 2)
    client.answer(granted(client.nonce()))
    assert.equal(client.told("assigned").length, 1)
  },
  "options-in-reply": () => {
    // A description that nobody sent, and an option that nobody has defined: 76 octets.
    const client = asking()
    client.answer(granted(client.nonce(), undefined, undefined, undefined, "80000003 6d617000 c8000004 00000001"))
    assert.deepEqual(client.quirks(), ["options-in-reply"])
    assert.equal(client.told("assigned")[0]?.mapping.externalPort, 8080)
  },
  "port-modulo-256": () => {
    // 8080 is 0x1f90: miniupnp issue 196 lost its high octet, others swap them.
    for (const internal of ["0090", "901f", "001f"]) {
      const client = asking(NAT_PMP)
      client.answer(leased(undefined, undefined, internal))
      assert.deepEqual(client.quirks(), ["port-modulo-256"])
      assert.equal(client.told("ignored")[0]?.reason, "mismatch")
      assert.equal(client.told("assigned").length, 0)
      client.answer(leased())
      client.answer(outside("cb007107"))
      assert.equal(client.told("assigned").length, 1)
    }
  },
  "reply-from-other-address": () => {
    // tailscale issue 5502: the answer comes from the router's own address, not from the one that it shares.
    const own = address("192.168.1.2")
    const client = asking()
    client.answer(granted(client.nonce()), own)
    assert.deepEqual(client.quirks(), ["reply-from-other-address"])
    assert.equal(client.told("ignored")[0]?.reason, "source")
    const shared = asking([router({ acceptResponsesFrom: [own] })])
    shared.answer(granted(shared.nonce()), address("192.168.1.3"))
    assert.equal(shared.told("assigned").length, 0)
    shared.answer(granted(shared.nonce()), own)
    assert.equal(shared.told("assigned").length, 1)
  },
  "error-lifetime-0": () => {
    // miniupnpd: NOT_AUTHORIZED for 0 s. Half an hour is what RFC 6887 section 7.4 recommends, and half a minute for NO_RESOURCES.
    for (const [result, seconds] of [
      ["02", 1800],
      ["08", 30],
      ["63", 30],
    ] as const) {
      const client = asking()
      client.answer(
        `0281 00${result} 00000000 000003e8 000000000000000000000000 ${client.nonce()} 06000000 1f90 0000 ${"0".repeat(32)}`,
      )
      assert.deepEqual(client.quirks(), ["error-lifetime-0"])
      client.run(seconds * 1000 - 1)
      assert.equal(client.sent.length, 1, result)
      client.run(1)
      assert.equal(client.sent.length, 2, result)
    }
  },
  "version-error-without-r-bit": () => {
    const client = asking()
    assert.equal(client.last()[0], 2)
    client.answer("0000 0001 000003e8")
    assert.deepEqual(client.quirks(), ["version-error-without-r-bit"])
    assert.equal(client.lastHex(), "000200001f90000000000e10")
    client.answer(leased())
    client.answer(outside("cb007107"))
    assert.equal(client.told("assigned")[0]?.mapping.protocol, "nat-pmp")
  },
}

describe("quirks of real gateways", () => {
  test("every row of the table has a test, says what the client does, and where it was seen", () => {
    assert.deepEqual(Object.keys(SHOWN), Object.keys(QUIRKS))
    for (const { what, does, reference } of Object.values(QUIRKS))
      for (const text of [what, does, reference]) assert.ok(text.length > 8, text)
  })

  for (const [name, { what, reference }] of Object.entries(QUIRKS))
    test(`${name}: ${what} (${reference})`, () => {
      for (const [shown, show] of Object.entries(SHOWN)) if (shown === name) show()
    })
})

describe("what other clients learnt", () => {
  test("tailscale issue 1525: NOT_AUTHORIZED to an ANNOUNCE ends the probe at once", () => {
    const client = scene()
    client.command({ type: "announce", id: "probe" })
    client.datagram(octets("0280 0002 00000000 000003e8 000000000000000000000000"))
    assert.deepEqual(client.told("announced"), [
      { type: "announced", id: "probe", server: "router", protocol: "pcp", epoch: 1000, result: 2 },
    ])
    client.run(600_000)
    assert.equal(client.sent.length, 1)
    assert.equal(client.wake(), undefined)
  })

  test("bitcoin pull request 30043: renewals that fail in turn with NO_RESOURCES do not lose the mapping", () => {
    const client = scene()
    let count = 0
    client.respond(({ at, bytes }) => {
      const epoch = 1000 + Math.floor(at / 1000)
      return [pcpAnswer(bytes, count++ % 2 === 0 ? { epoch, lifetime: 120 } : { epoch, result: 8, lifetime: 30 })]
    })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(3_600_000)
    assert.equal(client.told("assigned").length, 1)
    assert.ok(client.told("renewed").length > 10)
    assert.ok(client.told("renewal-refused").length > 10)
    assert.deepEqual(
      client.events().filter((event) => event.type === "state" && event.state.kind === "expired"),
      [],
    )
    // One nonce from first to last (tailscale issue 1080).
    assert.equal(new Set(client.sent.map(({ bytes }) => hexAt(bytes, 24, 36))).size, 1)
  })

  test("two answers to two transmissions: the second error takes no mapping away, nor does one that follows a grant", () => {
    for (const second of [{ result: 8, lifetime: 30 }, {}]) {
      const client = asking()
      client.answer(granted(client.nonce()))
      client.command({ type: "renew", id: "web" })
      client.run(4000)
      const renewal = client.last()
      client.datagram(pcpAnswer(renewal, { epoch: 1004, ...second }))
      client.datagram(pcpAnswer(renewal, { epoch: 1004, result: 8, lifetime: 30 }))
      assert.deepEqual(client.states(), ["router running"])
    }
  })

  test("an error that nobody asked for takes the mapping away, as an update does (RFC 6887 8.3, 14.2)", () => {
    for (const result of [2, 11]) {
      const client = asking()
      client.answer(granted(client.nonce()))
      client.datagram(pcpAnswer(client.last(), { epoch: 1000, result, lifetime: 60 }))
      assert.deepEqual(client.states(), ["router error"])
    }
  })

  test("bitcoin issue 31663: a gateway of NAT-PMP that grants 2400 s is renewed after 1200 s", () => {
    const client = asking()
    client.datagram(versionError(0, client.last(), 1000))
    client.answer(leased("00000960"))
    client.answer(outside("cb007107"))
    const { length } = client.sent
    client.run(1_199_999)
    assert.equal(client.sent.length, length)
    client.run(1)
    assert.equal(client.lastHex(), "000200001f901f9000000e10")
  })

  test("after a loss of state a NAT-PMP gateway is asked for its address anew (RFC 6886 3.6)", () => {
    const client = asking(NAT_PMP)
    client.answer(leased())
    client.answer(outside("cb007107"))
    client.run(1_800_000)
    // The renewal is answered by a gateway that started ten seconds ago, with another address.
    client.answer("0082 0000 0000000a 1f90 1f90 00000e10")
    client.respond(({ bytes }) =>
      bytes[1] === 0 ? [octets("0080 0000 0000000c cb007108")] : [octets("0082 0000 0000000c 1f90 1f90 00000e10")],
    )
    client.run(10_000)
    assert.equal(client.told("assigned").at(-1)?.mapping.external, address("203.0.113.8"))
  })

  test("a gateway that never says its address is asked four times, and its mapping does not wait for it to be renewed", () => {
    const client = scene({ servers: NAT_PMP })
    client.respond(({ at, bytes }) => {
      const epoch = (1000 + Math.floor(at / 1000)).toString(16).padStart(8, "0")
      return bytes[1] === 0 ? [] : [octets(`0082 0000 ${epoch} 1f90 1f90 0000003c`)]
    })
    client.command({ type: "request", id: "web", request: TCP_8080 })
    client.run(600_000)
    assert.equal(client.sent.filter(({ bytes }) => bytes[1] === 0).length, 4)
    assert.deepEqual(
      client.events().flatMap((event) => (event.type === "state" && event.state.kind === "expired" ? [event] : [])),
      [],
    )
    assert.equal(client.told("assigned").length, 1)
  })

  test("announcements of a server that flaps do not keep a mapping from being renewed", () => {
    const client = scene()
    client.respond(({ at, bytes }) => [pcpAnswer(bytes, { epoch: 1000 + Math.floor(at / 1000) })])
    client.command({ type: "request", id: "web", request: TCP_8080 })
    for (let second = 0; second < 7200; second++) {
      client.run(1000)
      client.datagram(
        octets(`0280 0000 00000000 ${second % 2 === 0 ? "00000000" : "7fffffff"} 000000000000000000000000`),
      )
    }
    assert.equal(client.told("assigned").length, 1)
    assert.deepEqual(client.states(), ["router running"])
    assert.ok(word16(client.sent[0].bytes, 40) === 8080 && client.sent.length < 30, `${client.sent.length}`)
  })
})
