import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { FILTER, HOST as HOST_ROW, PINHOLE, REMOTE } from "../../../../core/cgn/firewall/layout.ts"
import {
  type FirewallState,
  firewallCgn,
  flowCount,
  listPinholes,
  type Mapping,
  pinholeCount,
  REASON_CLAUSES,
  restoreFirewall,
  saveFirewall,
  translateFirewall,
} from "../../../../core/cgn/index.ts"
import { open, rowCount } from "../../../../core/table/index.ts"
import { octets } from "../packet/build.ts"
import {
  ACK,
  back,
  datagram,
  echo,
  error,
  FIN,
  INSIDE,
  out,
  PEER,
  ROUTERS,
  RST,
  SECRET,
  STRANGER,
  SYN,
  segment,
  Wall,
} from "./wall.ts"

/** Anything that may arrive, mostly of a few ends, so that much of it belongs together. */
const packets = fc
  .record({
    inside: fc.boolean(),
    remote: fc.constantFrom(PEER, STRANGER),
    port: fc.constantFrom(1, 2, 5351),
    identifier: fc.constantFrom(0, 1),
    flags: fc.constantFrom(SYN, SYN | ACK, ACK, FIN | ACK, RST),
    kind: fc.constantFrom("udp", "tcp", "tcp", "echo", "answer", "error", "echo-error"),
    wait: fc.constantFrom(0, 0, 100, 1000, 70_000, 250_000),
  })
  .map(({ inside, remote, port, identifier, flags, kind, wait }) => {
    const ends = (inside ? out : back)(remote, port)
    const inner = datagram((inside ? back : out)(remote, port))
    const bytes =
      kind === "udp"
        ? datagram(ends)
        : kind === "tcp"
          ? segment(ends, flags)
          : kind === "error"
            ? error(ends, inner)
            : kind === "echo-error"
              ? error(ends, echo((inside ? back : out)(remote), inside ? 129 : 128, identifier))
              : echo(ends, kind === "echo" ? 128 : 129, identifier)
    return { bytes, side: inside ? ("inside" as const) : ("outside" as const), wait }
  })

/** How many rows of each kind there are. */
const rowsOf = ({ version }: FirewallState): number[] =>
  [HOST_ROW, PINHOLE, FILTER, REMOTE].map((family) => rowCount(open(version), family))

describe("any traffic at a firewall", () => {
  test("changes replay it, old states keep, a snapshot goes on as it would have, and nothing is left in the end", () => {
    fc.assert(
      fc.property(fc.array(packets, { minLength: 1, maxLength: 60 }), fc.nat(59), (sent, at) => {
        const wall = new Wall()
        wall.map(2, 17, 500, [PEER])
        const marks: (readonly [FirewallState, number, readonly Mapping[]])[] = []
        for (const [n, { bytes, side, wait }] of sent.entries()) {
          wall.now += wait
          if (n === at) {
            const saved = octets(...saveFirewall(wall.state, wall.now))
            const settings = { family: "ipv6", secret: SECRET, inside: INSIDE, routers: ROUTERS } as const
            const restored = restoreFirewall(saved, settings, { now: wall.now, elapsed: 0, lost: false })
            assert.ok(restored.ok)
            const there = translateFirewall(wall.state, { bytes, side, now: wall.now })
            const here = translateFirewall(restored.state, { bytes, side, now: wall.now })
            assert.deepEqual([here.out, here.changes], [there.out, there.changes])
          }
          const result = wall.send(bytes, side)
          assert.ok(result.kind !== "dropped" || REASON_CLAUSES[result.reason])
          marks.push([wall.state, wall.now, wall.list()])
        }
        for (const [state, now, list] of marks) assert.deepEqual(listPinholes(state, now, 0, 1000).mappings, list)
        const replayed = firewallCgn.apply(wall.first, wall.changes)
        const byEnd = (state: FirewallState) =>
          listPinholes(state, wall.now, 0, 1000)
            .mappings.map((one) => JSON.stringify(one))
            .sort()
        assert.deepEqual(byEnd(replayed), byEnd(wall.state))
        assert.equal(flowCount(replayed), flowCount(wall.state))
        wall.wait(10_000)
        wall.expire()
        assert.deepEqual([flowCount(wall.state), pinholeCount(wall.state)], [0, 0])
        assert.deepEqual(rowsOf(wall.state), [0, 0, 0, 0])
      }),
      { numRuns: 150 },
    )
  })

  test("a snapshot with a word that is not its own is refused, or is a firewall that loses nothing", () => {
    const wall = new Wall()
    wall.map(2, 17, 500, [PEER])
    for (const port of [1, 2, 3]) wall.passes(datagram(out(PEER, port)), "inside")
    wall.passes(segment(out(STRANGER), SYN), "inside")
    const saved = Uint8Array.from(saveFirewall(wall.state, wall.now).flatMap((part) => [...part]))
    const settings = { family: "ipv6", secret: SECRET, inside: INSIDE, routers: ROUTERS } as const
    let refused = 0
    const words = new DataView(saved.buffer)
    for (let at = 0; at + 4 <= saved.length; at += 4)
      // Most words are zero: of those a few.
      for (const value of words.getInt32(at) !== 0 ? [1, 2, -1] : at % 1024 === 0 ? [1] : []) {
        const forged = saved.slice()
        const view = new DataView(forged.buffer)
        view.setInt32(at, view.getInt32(at, true) ^ value, true)
        const restored = restoreFirewall(forged, settings, { now: 0, elapsed: 0, lost: false })
        if (!restored.ok) {
          refused++
          continue
        }
        let { state } = restored
        for (const sent of [datagram(back(PEER, 1)), segment(back(STRANGER), SYN | ACK)])
          state = translateFirewall(state, { bytes: sent, side: "outside", now: 1000 }).state
        for (const seconds of [10_000, 2 ** 32])
          for (let turn = 0; turn < 4; turn++) state = firewallCgn.expire(state, seconds * 1000, 1000).state
        const [hosts, pinholes, , remotes] = rowsOf(state)
        assert.equal(flowCount(state) + pinholeCount(state), pinholes)
        if (pinholes === 0) assert.deepEqual([hosts, remotes], [0, 0])
      }
    assert.ok(refused > 100, `${refused}`)
  })

  test("random octets never throw", () => {
    const wall = new Wall()
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom(0x45, 0x60),
        fc.boolean(),
        (bytes, first, inside) => {
          if (bytes.length > 0) bytes[0] = first
          wall.send(bytes, inside ? "inside" : "outside")
        },
      ),
    )
  })
})
