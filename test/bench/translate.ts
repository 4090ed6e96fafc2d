/**
 * Packets a second through the in-memory translators, one thread: `node test/bench/translate.ts [most mappings, default
 * 1000000]`. Flows are established, met in random order, out and in by turns, and the clock goes on by 2 µs a packet. Each
 * packet's bytes are fresh to the translator. Three passes beside each other: an old state is kept every 1000 packets, and
 * packets that come out are in slabs, to be kept as long as anybody likes; the same in a ring, to be sent on at once; and
 * handed over: no state is kept, and the octets of the packet that came are given away. A loop that only writes the packets is taken off. Rates are the
 * median of three passes, by processor time. Octets allocated a packet are those of JavaScript's heap and of the buffers
 * beside it. Memory a mapping is the table's, sessions of TCP connections among it, beside that of as many MAP mappings.
 */
import {
  type CgnSettings,
  type CgnState,
  createCgn,
  createRing,
  createSlabs,
  memoryCgn,
  type Passage,
  translate,
  translateInPlace,
} from "../../core/cgn/index.ts"
import { memoryBytes, open } from "../../core/table/index.ts"
import { ANY4, addressFromIpv4, addressFromWords, parseNonce } from "../../core/wire/index.ts"

const MOST = Number(process.argv[2] ?? 1_000_000)
const PACKETS = 500_000
const KEEP_EACH = 1000
const STEP_MS = 0.002
/** Packets in a window in which allocations are counted. */
const ALLOCATIONS = 2000

/** Processor time of this process, milliseconds: a machine shared with others says less of it by the clock. */
const spent = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const median = (rates: readonly number[]): number => rates.toSorted((a, b) => a - b)[rates.length >> 1]

const REMOTE = 0xc6336407
const hostOf = (flow: number): number => 0x0a000000 + Math.floor(flow / 50)
const portOf = (flow: number): number => 1024 + (flow % 50)

const put16 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}
const put32 = (bytes: Uint8Array, at: number, value: number): void => {
  put16(bytes, at, value >>> 16)
  put16(bytes, at + 2, value & 0xffff)
}

const ip4 = (transport: Uint8Array, protocol: number): Uint8Array => {
  const bytes = new Uint8Array(20 + transport.length)
  bytes.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol])
  put16(bytes, 2, bytes.length)
  bytes.set(transport, 20)
  return bytes
}
const ip6 = (transport: Uint8Array, protocol: number): Uint8Array => {
  const bytes = new Uint8Array(40 + transport.length)
  bytes.set([0x60, 0, 0, 0, 0, 0, protocol, 64])
  put16(bytes, 4, transport.length)
  bytes.set(transport, 40)
  return bytes
}
/** 2001:db8::, with the host in its last 32 bits, to a remote peer behind 2001:db8:64::/96. */
const ends6 = (bytes: Uint8Array, source: number, destination: number): void => {
  put32(bytes, 8, 0x20010db8)
  put32(bytes, 20, source)
  put32(bytes, 24, 0x20010db8)
  put32(bytes, 28, 0x640000)
  put32(bytes, 36, destination)
}
const ends4 = (bytes: Uint8Array, source: number, destination: number): void => {
  put32(bytes, 12, source)
  put32(bytes, 16, destination)
  put16(bytes, 10, 0)
  let sum = 0
  for (let i = 0; i < 20; i += 2) sum += (bytes[i] << 8) | bytes[i + 1]
  sum = (sum & 0xffff) + (sum >>> 16)
  put16(bytes, 10, ~((sum & 0xffff) + (sum >>> 16)))
}

/** Transport headers with what follows; their checksums are nobody's to check on the way. */
const udp = (octets: number): Uint8Array => {
  const bytes = new Uint8Array(octets).fill(7)
  put16(bytes, 4, octets)
  return bytes
}
const tcp = (octets: number, flags: number): Uint8Array => {
  const bytes = new Uint8Array(octets).fill(7)
  bytes[12] = 0x50
  bytes[13] = flags
  return bytes
}
const [SYN, ACK] = [2, 16]

const [slabs, ring] = [createSlabs(), createRing()]

const NAT64: Partial<CgnSettings> = {
  internalFamily: "ipv6",
  translation: {
    inside: { kind: "nat64", prefix: { address: addressFromWords(0x20010db8, 0x640000, 0, 0), prefixLength: 96 } },
  },
}

const cgnWith = (settings: Partial<CgnSettings>): CgnState => {
  const made = createCgn({
    external: Array.from({ length: 32 }, (_, n) => addressFromIpv4(0xcb007100 + n)),
    ports: { first: 1024, last: 65535 },
    quota: 0,
    filterLimit: 8,
    idleTimeout: { udp: 300, tcp: 7440 },
    secret: new Uint8Array(32).fill(9),
    now: 0,
    ...settings,
  })
  if (!made.ok) throw new Error(made.error.text)
  return made.state
}

const octetsAMapping = ({ version }: CgnState, mappings: number): number => memoryBytes(open(version)) / mappings

/** Octets of a table of as many MAP mappings, of the hosts and ports that flows have. */
const explicit = (mappings: number): number => {
  const nonce = parseNonce("0102030405060708090a0b0c")
  let state = cgnWith({})
  for (let flow = 0; flow < mappings; flow++) {
    const made = memoryCgn.addMapping(
      state,
      {
        origin: "pcp",
        protocol: 17,
        internal: addressFromIpv4(hostOf(flow)),
        internalPort: portOf(flow),
        nonce,
        suggested: ANY4,
        suggestedPort: 0,
        lifetime: 7200,
        preferFailure: false,
      },
      0,
    )
    if (made.outcome === "refused") throw new Error(`refused: ${made.code}`)
    state = made.state
  }
  return octetsAMapping(state, mappings)
}

const measure = (inside: 4 | 6, protocol: 17 | 6, octets: number, mappings: number): void => {
  const settings = inside === 6 ? NAT64 : {}
  let state = cgnWith(settings)
  let now = 0
  const transport = (flags: number, length: number): Uint8Array => (protocol === 17 ? udp(length) : tcp(length, flags))
  const packetOf = (flags: number, length: number) => ip4(transport(flags, length - 20), protocol)
  const innerOf = (flags: number, length: number) =>
    inside === 4 ? packetOf(flags, length) : ip6(transport(flags, length - 20), protocol)
  const header = inside === 4 ? 20 : 40
  const endsOf = inside === 4 ? ends4 : ends6
  const externals = new Uint32Array(mappings)
  const ports = new Uint16Array(mappings)
  const pass = (bytes: Uint8Array, side: Passage["side"], through = translate, allocate = ring): Uint8Array => {
    const passed = through(state, { bytes, now, side }, allocate)
    if (passed.out.kind !== "forwarded") throw new Error(`${passed.out.kind} ${JSON.stringify(passed.out)}`)
    state = passed.state
    return passed.out.packets[0]
  }
  // The hop limit as well: in place it is written over.
  const outward = (bytes: Uint8Array, flow: number): Uint8Array => {
    bytes[inside === 4 ? 8 : 7] = 64
    endsOf(bytes, hostOf(flow), REMOTE)
    put16(bytes, header, portOf(flow))
    put16(bytes, header + 2, 443)
    return bytes
  }
  const inward = (bytes: Uint8Array, flow: number): Uint8Array => {
    bytes[8] = 64
    ends4(bytes, REMOTE, externals[flow])
    put16(bytes, 20, 443)
    put16(bytes, 22, ports[flow])
    return bytes
  }
  const syn = innerOf(SYN, 64)
  const answer = packetOf(SYN | ACK, 64)
  const packet = innerOf(ACK, octets)
  const back = packetOf(ACK, octets)
  const start = spent()
  for (let flow = 0; flow < mappings; flow++) {
    const out = pass(outward(syn, flow), "inside")
    externals[flow] = ((out[12] << 24) | (out[13] << 16) | (out[14] << 8) | out[15]) >>> 0
    ports[flow] = (out[20] << 8) | out[21]
    if (protocol === 6) pass(inward(answer, flow), "outside")
    if (protocol === 6) pass(outward(packet, flow), "inside")
  }
  const filled = spent() - start
  let kept: CgnState | undefined
  const flowOf = (n: number): number => (n * 618_033_989) % mappings
  const run = (keep: boolean, through = translate, allocate = ring, packets = PACKETS): number => {
    const from = spent()
    for (let n = 0; n < packets; n++) {
      const flow = flowOf(n)
      now += STEP_MS
      if (n % 2 === 0) pass(outward(packet, flow), "inside", through, allocate)
      else pass(inward(back, flow), "outside", through, allocate)
      if (keep && n % KEEP_EACH === 0) kept = state
    }
    return spent() - from
  }
  const idle = (): number => {
    const from = spent()
    for (let n = 0; n < PACKETS; n++)
      if (n % 2 === 0) outward(packet, flowOf(n))
      else inward(back, flowOf(n))
    return spent() - from
  }
  run(true, translate, slabs)
  run(false, translateInPlace)
  idle()
  const rate = (keep: boolean, through = translate, allocate = ring): number =>
    median([0, 1, 2].map(() => (PACKETS / (run(keep, through, allocate) - idle())) * 1000))
  const [inSlabs, inRing, owned] = [rate(true, translate, slabs), rate(true), rate(false, translateInPlace)]
  const held = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  // Windows so short that the collector seldom runs in one; where it does, the median passes over it.
  const allocated = (through: typeof translate, allocate: typeof ring): number =>
    median(
      Array.from({ length: 15 }, () => {
        globalThis.gc?.()
        const from = held()
        run(false, through, allocate, ALLOCATIONS)
        return (held() - from) / ALLOCATIONS
      }),
    )
  const allocations = [allocated(translate, slabs), allocated(translate, ring), allocated(translateInPlace, ring)]
  const k = (value: number): string => `${(value / 1e3).toFixed(0).padStart(5)}k/s`
  console.log(
    `${inside === 4 ? "NAPT44" : "NAT64 "} ${protocol === 17 ? "UDP" : "TCP"} ${String(octets).padStart(4)}  ${String(mappings).padStart(8)} mappings ` +
      `${k(inSlabs)} in slabs ${k(inRing)} in a ring ${k(owned)} handed over  made ${k((mappings / filled) * 1e3)}  ` +
      `${allocations.map((octets) => octets.toFixed(0)).join(", ")} octets allocated a packet  ${octetsAMapping(state, mappings).toFixed(0)} octets a mapping`,
  )
  if (kept === undefined) throw new Error("nothing was kept")
}

console.log(`node ${process.version}`)
for (const mappings of [1_000, 100_000, 1_000_000].filter((count) => count <= MOST)) {
  for (const inside of [4, 6] as const) {
    measure(inside, 17, 64, mappings)
    measure(inside, 6, 1400, mappings)
  }
  console.log(`MAP mappings  ${String(mappings).padStart(8)}  ${explicit(mappings).toFixed(0)} octets a mapping`)
}
