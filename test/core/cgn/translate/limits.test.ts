/** Limits of implicit mappings a subscriber: RFC 6888 REQ-4. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  type CgnChangeable,
  type CgnSettings,
  type CgnState,
  createCgn,
  listMappings,
  memoryCgn,
  noteOutbound,
  reconfigureCgn,
  restoreCgn,
  saveCgn,
} from "../../../../core/cgn/index.ts"
import { formatAddress } from "../../../../core/wire/index.ts"
import { icmp4, ip4 } from "../packet/build.ts"
import { address, BASE, cgnWith, host, lines, map, met, UDP } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  echo4,
  ends,
  HOST,
  isPacket,
  network,
  OTHER_HOST,
  REMOTE,
  reason,
  STRANGER,
  SYN,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"

const LIMITS = { udp: 2, tcp: 1, icmp: 1 }
const limited = (settings: Partial<CgnSettings> = {}, limits = LIMITS) =>
  network(cgnWith({ ...settings, translation: { ...settings.translation, limits } }))

describe("NAT-6888-REQ-4: a subscriber has so many external ports and no more", () => {
  test("NAT-6888-REQ-4, NAT-6888-REQ-11: of each transport by itself, and its sender is told with code 1", () => {
    const cgn = limited()
    const first = [
      udp4(ends(HOST, 1, REMOTE, 1)),
      udp4(ends(HOST, 2, REMOTE, 1)),
      tcp4(ends(HOST, 1, REMOTE, 1), SYN),
      echo4(8, HOST, REMOTE, 1),
    ]
    const over = [udp4(ends(HOST, 3, REMOTE, 1)), tcp4(ends(HOST, 2, REMOTE, 1), SYN), echo4(8, HOST, REMOTE, 2)]
    for (const packet of first) sent(cgn.out(packet), "outside")
    const before = lines(cgn.state)
    for (const packet of over) {
      const out = cgn.out(packet)
      assert.ok(out.kind === "returned" && out.reason === "over-quota")
      isPacket(
        out.packet,
        ip4(
          { source: "192.0.0.8", destination: HOST, protocol: 1, id: 0, flags: 2 },
          icmp4(3, 1, [0, 0, 0, 0], packet),
        ),
      )
    }
    // What is there stays, more of its flows pass, and others have theirs.
    assert.deepEqual(lines(cgn.state), before)
    for (const packet of first) sent(cgn.out(packet), "outside")
    sent(cgn.out(udp4(ends(HOST, 1, STRANGER, 9))), "outside")
    for (const port of [1, 2]) sent(cgn.out(udp4(ends(OTHER_HOST, port, REMOTE, 1))), "outside")
    assert.equal(reason(cgn.out(udp4(ends(OTHER_HOST, 3, REMOTE, 1)))), "over-quota")
  })

  test("what has run out makes room, be it taken away already or not", () => {
    const cgn = limited()
    for (const port of [1, 2]) sent(cgn.out(udp4(ends(HOST, port, REMOTE, 1))), "outside")
    assert.equal(reason(cgn.out(udp4(ends(HOST, 3, REMOTE, 1)), 299_000)), "over-quota")
    sent(cgn.out(udp4(ends(HOST, 3, REMOTE, 1)), 300_000), "outside")
    cgn.expire(300_000)
    sent(cgn.out(udp4(ends(HOST, 4, REMOTE, 1)), 300_000), "outside")
    assert.equal(reason(cgn.out(udp4(ends(HOST, 5, REMOTE, 1)), 300_000)), "over-quota")
  })

  test("explicit mappings are the quota's: their packets pass, and they take no room until traffic wants them too", () => {
    const cgn = limited({ quota: 1 })
    for (const port of [1, 2]) sent(cgn.out(udp4(ends(HOST, port, REMOTE, 1))), "outside")
    const asked = met(map(cgn.state, { internal: address(HOST), internalPort: 3 }))
    cgn.set(asked.state)
    const { port } = sourceOf(sent(cgn.out(udp4(ends(HOST, 3, REMOTE, 1))), "outside"))
    assert.equal(asked.at, `${EXTERNAL}:${port}`)
    assert.equal(reason(cgn.out(udp4(ends(HOST, 4, REMOTE, 1)))), "over-quota")
  })

  test("with a port for each remote peer, each counts", () => {
    const cgn = limited({ translation: { mapping: "address-dependent" } })
    sent(cgn.out(udp4(ends(HOST, 1, REMOTE, 1))), "outside")
    sent(cgn.out(udp4(ends(HOST, 1, STRANGER, 1))), "outside")
    assert.equal(reason(cgn.out(udp4(ends(HOST, 1, "192.0.2.7", 1)))), "over-quota")
  })

  test("hosts of one prefix, and those behind one B4, are one subscriber", () => {
    const cgn = limited({ subscriberPrefix: { ipv4: 24, ipv6: 64 } })
    sent(cgn.out(tcp4(ends(HOST, 1, REMOTE, 1), SYN)), "outside")
    assert.equal(reason(cgn.out(tcp4(ends(OTHER_HOST, 1, REMOTE, 1), SYN))), "over-quota")
    sent(cgn.out(tcp4(ends("10.0.1.1", 1, REMOTE, 1), SYN)), "outside")
    for (const realm of [address("2001:db8::1"), address("2001:db8::2")]) {
      sent(cgn.out(tcp4(ends(HOST, 1, REMOTE, 1), SYN), 0, realm), "outside")
      assert.equal(reason(cgn.out(tcp4(ends("10.9.9.9", 1, REMOTE, 1), SYN), 0, realm)), "over-quota")
    }
  })

  test("a snapshot has the counts, and traffic that somebody else carries is held to them", () => {
    const cgn = limited()
    sent(cgn.out(tcp4(ends(HOST, 1, REMOTE, 1), SYN)), "outside")
    const { secret, now, ...changeable } = BASE
    const copyOf = (state: CgnState, settings: CgnChangeable): CgnState => {
      const bytes = new Uint8Array(saveCgn(state, 0).flatMap((part) => [...part]))
      const restored = restoreCgn(bytes, settings, { now: 0, elapsed: 0, lost: false })
      assert.ok(restored.ok)
      assert.deepEqual(restored.state.config.translation.limits, state.config.translation.limits, "those of its groups")
      const turned = reconfigureCgn(restored.state, settings, 0)
      assert.ok(turned.ok)
      return turned.state
    }
    const later = { ...changeable, translation: { limits: LIMITS } }
    const unlimited = network(cgnWith())
    sent(unlimited.out(tcp4(ends(HOST, 1, REMOTE, 1), SYN)), "outside")
    // The limits are those of the snapshot, or came while it lay there.
    for (const state of [copyOf(cgn.state, later), copyOf(unlimited.state, later)]) {
      const again = network(state)
      assert.equal(reason(again.out(tcp4(ends(HOST, 2, REMOTE, 1), SYN))), "over-quota")
      sent(again.out(tcp4(ends(HOST, 1, REMOTE, 1), ACK)), "outside")
    }
    let { state } = cgn
    for (const internalPort of [1, 2, 3])
      ({ state } = noteOutbound(state, { protocol: UDP, internal: host(1), internalPort, realm: undefined }, 0))
    assert.equal(listMappings(state, 0, 0, 9).mappings.filter(({ protocol }) => protocol === UDP).length, 2)
  })

  test("NAT-6888-REQ-5: with sessions a mapping that bounds the memory of what one host may begin", () => {
    const used = (remotes: number): number => {
      const cgn = limited({ translation: { filtering: "address-and-port-dependent", sessions: 4 } })
      for (let remote = 1; remote <= remotes; remote++)
        for (let port = 1; port <= 5; port++) {
          cgn.out(udp4(ends(HOST, port, `198.51.100.${remote}`, 1)))
          cgn.out(tcp4(ends(HOST, port, `198.51.100.${remote}`, 1), SYN))
          cgn.out(echo4(8, HOST, `198.51.100.${remote}`, port))
        }
      return saveCgn(cgn.state, 0).reduce((sum, part) => sum + part.length, 0)
    }
    assert.ok(used(4) > used(1))
    assert.equal(used(200), used(4))
  })

  test("limits that make no sense are refused", () => {
    for (const limits of [
      { udp: -1, tcp: 0, icmp: 0 },
      { udp: 0, tcp: 0.5, icmp: 0 },
      { udp: 0, tcp: 0, icmp: 2 ** 31 },
    ]) {
      const made = createCgn({ ...BASE, translation: { limits } })
      assert.equal(made.ok ? "" : made.error.code, "bad-translation", JSON.stringify(limits))
    }
  })
})

describe("NAT-6888-REQ-4, whatever comes between", () => {
  const limit = fc.constantFrom(0, 1, 2, 3)
  const settings = fc.record({
    limits: fc.record({ udp: limit, tcp: limit, icmp: limit }),
    bits: fc.constantFrom(24, 31, 32),
    quota: fc.constantFrom(0, 50),
    assignment: fc.constantFrom({ kind: "random" }, { kind: "blocks", size: 64, limit: 4 } as const),
  })
  const move = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant("packet" as const),
        host: fc.integer({ min: 1, max: 4 }),
        port: fc.integer({ min: 1, max: 5 }),
        protocol: fc.constantFrom(1, 6, 17),
        wait: fc.constantFrom(0, 0, 0, 10, 100, 301),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("settings" as const), settings }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("map" as const), host: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("expire" as const) }) },
  )
  const NAMES: ReadonlyMap<number, "udp" | "tcp" | "icmp"> = new Map([
    [17, "udp"],
    [6, "tcp"],
    [1, "icmp"],
  ])

  test("a packet that needs a mapping gets one if and only if its subscriber has fewer than its limit", () => {
    fc.assert(
      fc.property(settings, fc.array(move, { minLength: 1, maxLength: 60 }), (first, moves) => {
        let { limits, bits } = first
        let now = 0
        const settingsOf = (chosen: typeof first) => ({
          ...BASE,
          subscriberPrefix: { ipv4: chosen.bits, ipv6: 64 },
          subscriberQuota: chosen.quota,
          assignment: chosen.assignment,
          translation: { limits: chosen.limits },
        })
        const start = cgnWith(settingsOf(first))
        const cgn = network(start)
        for (const one of moves) {
          if (one.kind === "settings") {
            const turned = reconfigureCgn(cgn.state, settingsOf(one.settings), now)
            assert.ok(turned.ok)
            cgn.set(turned.state)
            ;({ limits, bits } = one.settings)
          } else if (one.kind === "map") {
            const asked = map(cgn.state, { internal: host(one.host), internalPort: 1 }, now)
            if (asked.outcome !== "refused") cgn.set(asked.state)
          } else if (one.kind === "expire") cgn.expire(now)
          else {
            now += one.wait * 1000
            const live = listMappings(cgn.state, now, 0, 1000).mappings
            const source = `10.0.0.${one.host}`
            const name = NAMES.get(one.protocol) ?? "udp"
            // 10.0.0.0 to 10.0.0.4: hosts 2 and 3 share 31 bits, and all of them 24.
            const subscriber = (n: number): number => (bits === 32 ? n : bits === 31 ? n >> 1 : 0)
            const used = live.filter(
              ({ kind, protocol, internal }) =>
                kind === "implicit" &&
                protocol === one.protocol &&
                subscriber(Number(formatAddress(internal).split(".")[3])) === subscriber(one.host),
            ).length
            const isMapped = live.some(
              ({ internal, internalPort, protocol }) =>
                formatAddress(internal) === source && internalPort === one.port && protocol === one.protocol,
            )
            const at = ends(source, one.port, REMOTE, 80)
            const out = cgn.out(
              one.protocol === 1 ? echo4(8, source, REMOTE, one.port) : one.protocol === 6 ? tcp4(at, SYN) : udp4(at),
              now,
            )
            const allowed = isMapped || limits[name] === 0 || used < limits[name]
            assert.equal(out.kind, allowed ? "forwarded" : "returned", JSON.stringify([one, used, limits]))
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test("a replica counts the same", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            host: fc.integer({ min: 1, max: 2 }),
            port: fc.integer({ min: 1, max: 4 }),
            wait: fc.constantFrom(0, 100, 301),
          }),
          { maxLength: 30 },
        ),
        (packets) => {
          const start = cgnWith({ translation: { limits: LIMITS } })
          const cgn = network(start)
          let now = 0
          for (const { host: n, port, wait } of packets) {
            now += wait * 1000
            cgn.out(udp4(ends(`10.0.0.${n}`, port, REMOTE, 1)), now)
          }
          const replica = network(memoryCgn.apply(start, cgn.changes()))
          for (const n of [1, 2])
            for (const port of [1, 2, 3, 4]) {
              const packet = udp4(ends(`10.0.0.${n}`, port, REMOTE, 1))
              assert.deepEqual(replica.out(packet, now).kind, cgn.out(packet, now).kind)
            }
        },
      ),
    )
  })
})
