/** Any octets, on either side of each of the eight kinds of translator: right packets, right ones that are changed, and others. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { createSlabs, REASON_CLAUSES, type Side } from "../../../core/cgn/index.ts"
import { readPacket } from "../../../core/cgn/packet/index.ts"
import { anything } from "./packet/arbitrary.ts"
import {
  fragmentHeader,
  icmp4,
  icmp6,
  inet,
  ip4,
  ip6,
  type PortEnds,
  tcp,
  toHex,
  udp,
  w16,
  w32,
} from "./packet/build.ts"
import { isFour, sourceSeen, type Translator, translators } from "./translators.ts"

interface Sent {
  readonly side: Side
  readonly bytes: Uint8Array
}

/** Packets of all sorts between two ends. */
const packetsOf = (at: PortEnds): readonly Uint8Array[] => {
  const rest = [...w16(at.sourcePort), 0, 1]
  const data = new Uint8Array(30).fill(7)
  const longer = udp(at, new Uint8Array(1400).fill(3))
  const back = {
    source: at.destination,
    sourcePort: at.destinationPort,
    destination: at.source,
    destinationPort: at.sourcePort,
  }
  if (isFour(at.source)) {
    const four = (protocol: number, payload: Uint8Array, more: Partial<Parameters<typeof ip4>[0]> = {}) =>
      ip4({ ...at, protocol, ...more }, payload)
    const about = ip4({ ...back, protocol: 17 }, udp(back))
    return [
      four(17, udp(at)),
      four(6, tcp(at, data, 2)),
      four(6, tcp(at, data, 0x12), { options: [1, 1, 1, 0] }),
      four(1, icmp4(8, 0, rest, data)),
      four(1, icmp4(0, 0, rest, data)),
      four(1, icmp4(3, 3, [0, 0, 0, 0], about)),
      four(1, icmp4(3, 4, [0, 0, 5, 0], ip4({ ...back, protocol: 6 }, tcp(back)))),
      four(1, icmp4(11, 0, [0, 32, 0, 0], [...about, ...new Uint8Array(128 - about.length), 0x20, 0, 0, 0])),
      four(17, longer, { flags: 2 }),
      four(17, longer.subarray(0, 800), { flags: 1 }),
      four(17, longer.subarray(800), { offset: 100 }),
      four(50, data),
    ]
  }
  const six = (protocol: number, payload: Uint8Array, more: Partial<Parameters<typeof ip6>[0]> = {}) =>
    ip6({ ...at, protocol, ...more }, payload)
  const about = ip6({ ...back, protocol: 17 }, udp(back))
  return [
    six(17, udp(at)),
    six(6, tcp(at, data, 2)),
    six(6, tcp(at, data, 0x12), { extensions: [[60, [1, 4, 0, 0, 0, 0]]] }),
    six(58, icmp6(at, 128, 0, rest, data)),
    six(58, icmp6(at, 129, 0, rest, data)),
    six(58, icmp6(at, 1, 4, [0, 0, 0, 0], about)),
    six(58, icmp6(at, 2, 0, [0, 0, 5, 0], ip6({ ...back, protocol: 6 }, tcp(back)))),
    six(58, icmp6(at, 3, 0, [16, 0, 0, 0], [...about, ...new Uint8Array(128 - about.length), 0x20, 0, 0, 0])),
    six(17, longer),
    six(17, longer.subarray(0, 800), { extensions: [fragmentHeader(0, true, 9)] }),
    six(17, longer.subarray(800), { extensions: [fragmentHeader(100, false, 9)] }),
    six(50, data),
  ]
}

/** Header checksum of IPv4 and checksum of ICMP messages made right again, so that what was changed is looked at. */
const mended = (bytes: Uint8Array): Uint8Array => {
  const copy = bytes.slice()
  const four = isFour(copy)
  const header = four ? (copy[0] & 15) * 4 : 40
  if (copy.length < header + 4 || header < 20) return copy
  if (four) {
    copy.set([0, 0], 10)
    copy.set(w16(inet(copy.subarray(0, header))), 10)
  }
  if (copy[four ? 9 : 6] !== (four ? 1 : 58)) return copy
  copy.set([0, 0], header + 2)
  const payload = copy.subarray(header)
  const pseudo = four ? [] : [...copy.subarray(8, 40), ...w32(payload.length), ...w32(58)]
  copy.set(w16(inet(pseudo, payload)), header + 2)
  return copy
}

interface Change {
  readonly octets: readonly (readonly [number, number])[]
  readonly length: number
  readonly mend: boolean
}

const change: fc.Arbitrary<Change> = fc.record({
  // Headers are changed more often than data.
  octets: fc.array(fc.tuple(fc.oneof(fc.nat(100), fc.nat(1500)), fc.nat(255)), { maxLength: 3 }),
  length: fc.oneof({ weight: 3, arbitrary: fc.constant(65536) }, { weight: 1, arbitrary: fc.nat(200) }),
  mend: fc.boolean(),
})

const changed = (bytes: Uint8Array, { octets, length, mend }: Change): Uint8Array => {
  const copy = bytes.slice(0, length)
  for (const [at, octet] of octets) if (copy.length > 0) copy[at % copy.length] = octet
  return mend ? mended(copy) : copy
}

/** What arrives: one of the translator's own packets, changed or not, or anything. */
type Arrival =
  | { readonly side: Side; readonly packet: number; readonly open: boolean; readonly change: Change | undefined }
  | { readonly side: Side; readonly bytes: Uint8Array }

const side = fc.constantFrom<Side>("inside", "outside")
const arrival: fc.Arbitrary<Arrival> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      side,
      packet: fc.nat(11),
      open: fc.boolean(),
      change: fc.option(change, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ side, bytes: anything }) },
)

const PORTS = { sourcePort: 5000, destinationPort: 6000 }

/** The translator's own packets: out of each of its hosts, and back, to where the first packets seemed to come from. */
const own = (translator: Translator) => {
  const { host, open, peer, peerOutside, wrap } = translator
  const of = (source: string) => {
    const out = packetsOf({ source, destination: peer, ...PORTS })
    const first = translator.tell(wrap(out[0]), "inside").out
    assert.ok(first.kind === "forwarded")
    const seen = sourceSeen(first.packets[0])
    const back = { source: peerOutside, sourcePort: 6000, destination: seen.source, destinationPort: seen.port }
    return { inside: out, outside: packetsOf(back) }
  }
  return { host: of(host), open: of(open) }
}

const bytesOf = (translator: Translator, packets: ReturnType<typeof own>, one: Arrival): Sent => {
  const { side } = one
  if ("bytes" in one) return one
  const packet = packets[one.open ? "open" : "host"][side][one.packet]
  const bytes = one.change === undefined ? packet : changed(packet, one.change)
  return { side, bytes: side === "inside" ? translator.wrap(bytes) : bytes }
}

/** A packet that came out is one: it can be read, and IPv4's header checksum is right, inside a softwire too. */
const isWhole = (bytes: Uint8Array): void => {
  const packet = readPacket(bytes)
  assert.ok(packet.ok, `${packet.ok ? "" : packet.code}: ${toHex(bytes)}`)
  assert.equal(packet.end, bytes.length)
  if (isFour(bytes)) assert.equal(inet(bytes.subarray(0, (bytes[0] & 15) * 4)), 0)
}

describe("any octets on either side", () => {
  for (const [i, { name }] of translators().entries())
    test(`${name}: nothing throws, what came stays as it is, what comes out is whole, and what is dropped changes nothing`, () => {
      const allocate = createSlabs()
      fc.assert(
        fc.property(fc.array(arrival, { maxLength: 30, size: "max" }), (arrivals) => {
          const translator = translators()[i]
          const packets = own(translator)
          for (const one of arrivals) {
            const { side, bytes } = bytesOf(translator, packets, one)
            const before = bytes.slice()
            const foretold = translator.tell(bytes, side, 0, allocate)
            const { out, changes } = translator.pass(bytes, side)
            assert.deepEqual(bytes, before)
            // Told before, and into other room, it is the same.
            assert.equal(JSON.stringify(foretold), JSON.stringify({ out, changes }))
            if (out.kind === "forwarded") for (const packet of out.packets) isWhole(packet)
            if (out.kind === "returned") isWhole(out.packet)
            if (out.kind === "returned" || out.kind === "dropped") {
              assert.ok(out.reason in REASON_CLAUSES)
              assert.ok(changes.every(({ type }) => type === "counted" || type === "expired"))
            }
            const made = out.kind === "forwarded" ? out.packets : out.kind === "returned" ? [out.packet] : []
            for (const packet of made) packet.fill(0xff)
            assert.deepEqual(bytes, before, "what comes out is not what came in")
          }
        }),
        { numRuns: 60 },
      )
    })

  test("the right ones among them pass", () => {
    for (const translator of translators()) {
      const { host, open } = own(translator)
      for (const packets of [host, open])
        for (const side of ["inside", "outside"] as const) {
          const kinds = packets[side].map((bytes) => {
            const { out } = translator.pass(side === "inside" ? translator.wrap(bytes) : bytes, side)
            return out.kind
          })
          // All but ESP of a host whose ports are mapped, the echo that nobody asked for, and errors about what never was.
          const passed = kinds.filter((kind) => kind === "forwarded" || kind === "kept").length
          assert.ok(passed >= 6, `${translator.name} ${side}: ${kinds.join()}`)
        }
    }
  })
})
