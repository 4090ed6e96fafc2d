/** What holds of ICMP errors that are sent later, whatever packets there are. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type CgnState, sendLate, translate } from "../../../../core/cgn/index.ts"
import { inet, ip4, octets, toHex, udp } from "../packet/build.ts"
import { cgnWith } from "../scene.ts"
import { ACK, EXTERNAL, ends, HOST, OTHER_HOST, REMOTE, STRANGER, SYN, tcp4 } from "./scene.ts"

const RUNS = { numRuns: 300 }
const MOST = 4
/** Seconds for which fragments wait. */
const TIMEOUT = 15

const happening = fc.record({
  kind: fc.constantFrom("syn", "syn", "syn", "ack", "open", "head", "tail", "junk", "late"),
  remote: fc.constantFrom(REMOTE, STRANGER),
  remotePort: fc.integer({ min: 1, max: 3 }),
  port: fc.integer({ min: 5000, max: 5002 }),
  host: fc.constantFrom(HOST, OTHER_HOST),
  later: fc.constantFrom(0, 1, 500, 2999, 3000, 6000, 20_000),
  bytes: fc.uint8Array({ maxLength: 70 }),
  side: fc.constantFrom("inside" as const, "outside" as const),
})
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

const first = (): CgnState =>
  cgnWith({
    translation: {
      ports: "preserve",
      filtering: "address-and-port-dependent",
      filteredErrors: true,
      lateErrors: MOST,
      fragments: { count: 4, octets: 4000, timeout: TIMEOUT },
    },
  })

const bytesOf = ({ kind, remote, remotePort, port, host, bytes }: Happening): Uint8Array => {
  const into = ends(remote, remotePort, EXTERNAL, port)
  const datagram = udp(into)
  switch (kind) {
    case "syn":
      return tcp4(into, SYN)
    case "ack":
      return tcp4(into, ACK)
    case "open":
      return tcp4(ends(host, port, remote, remotePort), SYN)
    case "head":
      return ip4({ ...into, protocol: 17, flags: 1, id: remotePort }, datagram.subarray(0, 16))
    case "tail":
      return ip4({ ...into, protocol: 17, offset: 2, id: remotePort }, datagram.subarray(16))
    default:
      return octets(bytes)
  }
}

const step = (state: CgnState, one: Happening, now: number) => {
  if (one.kind === "late") {
    const { state: after, packets, next } = sendLate(state, now)
    return { state: after, packets, next, out: undefined }
  }
  const side = one.kind === "open" ? "inside" : one.kind === "junk" ? one.side : "outside"
  return { ...translate(state, { bytes: bytesOf(one), now, side }), packets: [] }
}

test("as many as are set and no more, none before its time, each well made, and none of a connection that was opened", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
      let state = first()
      let now = 0
      /** `remote:port external port` -> when its unanswered SYN came. */
      const syns = new Map<string, number>()
      for (const one of happenings) {
        now += one.later
        const key = `${one.remote}:${one.remotePort} ${one.port}`
        const { state: after, packets, next, out } = step(state, one, now)
        state = after
        assert.ok((state.waiting?.late.length ?? 0) <= MOST)
        if (one.kind === "syn" && out?.kind === "dropped" && !syns.has(key)) syns.set(key, now)
        if (one.kind === "open" && out?.kind === "forwarded") {
          const bytes = out.packets[0]
          syns.delete(`${one.remote}:${one.remotePort} ${(bytes[20] << 8) | bytes[21]}`)
        }
        assert.ok(next === undefined || one.kind !== "late" || next > now)
        for (const { side, packet } of packets) {
          assert.equal(side, "outside")
          assert.equal(inet(packet.subarray(0, 20)), 0)
          assert.equal(inet(packet.subarray(20)), 0)
          const [type, code] = [packet[20], packet[21]]
          if (type === 11) {
            assert.equal(code, 1)
            continue
          }
          assert.deepEqual([type, code], [3, 3])
          const port = (at: number) => (packet[at] << 8) | packet[at + 1]
          const about = `${packet.subarray(40, 44).join(".")}:${port(48)} ${port(50)}`
          const came = syns.get(about)
          assert.ok(came !== undefined, `${about} was opened from inside, or never came`)
          assert.ok(now - came >= 6000)
          syns.delete(about)
        }
      }
    }),
    RUNS,
  )
})

test("an old state gives again what it gave", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 25 }), (happenings) => {
      let state = first()
      let now = 0
      const kept: { readonly state: CgnState; readonly now: number; readonly text: string }[] = []
      const text = (from: CgnState, at: number): string =>
        JSON.stringify(sendLate(from, at + 6000).packets.map(({ side, packet }) => [side, toHex(packet)]))
      for (const one of happenings) {
        now += one.later
        state = step(state, one, now).state
        kept.push({ state, now, text: text(state, now) })
      }
      for (const before of kept.toReversed()) assert.equal(text(before.state, before.now), before.text)
    }),
    RUNS,
  )
})
