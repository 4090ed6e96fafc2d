/** The short way of established flows beside the long one: from the same state, the same of everything. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  type Allocate,
  type CgnSettings,
  type CgnState,
  createSlabs,
  listMappings,
  type Mapping,
  memoryCgn,
  type Passage,
  type Passed,
  translate,
  translateInPlace,
} from "../../../../core/cgn/index.ts"
import { passEstablished } from "../../../../core/cgn/translate/established.ts"
import { translateAny } from "../../../../core/cgn/translate/translate.ts"
import { formatAddress } from "../../../../core/wire/index.ts"
import { ip4, ip6, octets, type PortEnds, tcp, toHex, udp } from "../packet/build.ts"
import { address, cgnWith, map, TCP, UDP } from "../scene.ts"
import { ACK, EXTERNAL, ends, FIN, REMOTE, RST, STRANGER, SYN } from "./scene.ts"

const allocate = createSlabs()
/** Room that is no cleaner than it has to be. */
const used: Allocate = (length, whole) => new Uint8Array(length).fill(whole ? 0xaa : 0)

const nat64 = (prefix: string, prefixLength: number): Partial<CgnSettings> => ({
  internalFamily: "ipv6",
  translation: { inside: { kind: "nat64", prefix: { address: address(prefix), prefixLength } } },
})
const FILTERED = { filtering: "address-and-port-dependent", refresh: "both", sessions: 3 } as const

/** `hosts`, `remotes`: as they stand in packets inside. */
interface Network {
  readonly name: string
  readonly settings: Partial<CgnSettings>
  readonly hosts: readonly string[]
  readonly remotes: readonly string[]
  /** Does any packet take the short way? */
  readonly short: boolean
}

// The last of each is no host, or remote peer, of whom anything may come.
const HOSTS4 = ["10.0.0.1", "10.0.0.2", EXTERNAL]
const HOSTS6 = ["2001:db8:1::10", "fd00::2", "fe80::1"]
const REMOTES4 = [REMOTE, STRANGER, EXTERNAL]

const networks: readonly Network[] = [
  { name: "NAPT44", settings: {}, hosts: HOSTS4, remotes: REMOTES4, short: true },
  {
    name: "NAPT44 with filters, short links and short lifetimes",
    settings: {
      translation: { ...FILTERED, mtu: { inside: 600, outside: 570 } },
      idleTimeout: { udp: 5, tcp: 90 },
      staticMappings: [
        {
          protocol: UDP,
          internal: address("10.0.0.1"),
          internalPort: 1002,
          external: address("203.0.113.1"),
          externalPort: 53,
        },
      ],
    },
    hosts: HOSTS4,
    remotes: REMOTES4,
    short: true,
  },
  {
    name: "NAPT44 with address-dependent filtering",
    settings: { translation: { filtering: "address-dependent" } },
    hosts: HOSTS4,
    remotes: REMOTES4,
    short: true,
  },
  {
    name: "NAT64",
    settings: nat64("2001:db8:64::", 96),
    hosts: HOSTS6,
    remotes: ["2001:db8:64::c633:6407", "2001:db8:64::c000:0263", "2001:db8:64::cb00:7101"],
    short: true,
  },
  {
    name: "NAT64 by the Well-Known Prefix, one peer not global",
    settings: nat64("64:ff9b::", 96),
    hosts: HOSTS6,
    remotes: ["64:ff9b::808:808", "64:ff9b::c633:6407", "2001:db8::1"],
    short: true,
  },
  {
    name: "NAT64 by a prefix of 64 bits",
    settings: nat64("2001:db8:64::", 64),
    hosts: HOSTS6,
    remotes: ["2001:db8:64::c6:3364:700:0", "2001:db8:64::c0:2:6300:0", "2001:db8:64::cb:71:100:0"],
    short: false,
  },
  {
    name: "NAT64 with a Traffic Class of its own",
    settings: {
      internalFamily: "ipv6",
      translation: {
        inside: { kind: "nat64", prefix: { address: address("2001:db8:64::"), prefixLength: 96 } },
        crossing: { trafficClass: 32, tos: 64 },
      },
    },
    hosts: HOSTS6,
    remotes: ["2001:db8:64::c633:6407", "2001:db8:64::c000:0263", "2001:db8:64::cb00:7101"],
    short: false,
  },
  {
    name: "NAPT44 with mappings of one remote peer alone",
    settings: { translation: { mapping: "address-dependent", filtering: "address-dependent" } },
    hosts: HOSTS4,
    remotes: REMOTES4,
    short: false,
  },
  {
    name: "NAPT44 with a destination that is not translated",
    settings: { translation: { untranslated: [{ prefix: { address: address(STRANGER), prefixLength: 128 } }] } },
    hosts: HOSTS4,
    remotes: REMOTES4,
    short: false,
  },
  {
    name: "DS-Lite",
    settings: { translation: { inside: { kind: "dslite", aftr: address("2001:db8:ffff::1") } } },
    hosts: HOSTS4,
    remotes: REMOTES4,
    short: false,
  },
  {
    name: "NAPT44 that filters TCP alone",
    settings: { translation: { tcpFiltering: "address-and-port-dependent" } },
    hosts: HOSTS4,
    remotes: REMOTES4,
    short: true,
  },
  {
    name: "NAPT44 that filters all but TCP",
    settings: { translation: { filtering: "address-dependent", tcpFiltering: "endpoint-independent" } },
    hosts: HOSTS4,
    remotes: REMOTES4,
    short: true,
  },
]

const happening = fc.record({
  side: fc.constantFrom("inside", "outside"),
  protocol: fc.constantFrom(TCP, UDP),
  // Few ends, so that a flow is met often.
  host: fc.constantFrom(0, 0, 0, 1, 2),
  port: fc.constantFrom(1000, 1000, 1001, 1002),
  remote: fc.constantFrom(0, 0, 0, 1, 2),
  remotePort: fc.constantFrom(443, 443, 443, 80),
  flags: fc.constantFrom(ACK, ACK, ACK, ACK, ACK | 8, ACK | 32, SYN, SYN | ACK, FIN | ACK, RST),
  data: fc.constantFrom(0, 1, 18, 540, 560, 1221, 1440, 1460),
  ttl: fc.constantFrom(64, 64, 64, 64, 64, 64, 64, 64, 2, 1, 0),
  tos: fc.nat(255),
  /** DF is 2, MF 1. */
  marks: fc.constantFrom(0, 0, 0, 0, 2, 2, 2, 2, 1),
  options: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 4),
  /** An octet to be changed, with what. */
  spoilt: fc.oneof(
    { arbitrary: fc.constant(undefined), weight: 8 },
    { arbitrary: fc.tuple(fc.nat(60), fc.nat(255)), weight: 2 },
    // Lengths in TCP's and UDP's headers.
    { arbitrary: fc.tuple(fc.constantFrom(24, 25, 32, 44, 45, 52), fc.nat(80)), weight: 1 },
  ),
  sum: fc.constantFrom(undefined, undefined, undefined, 0, 0xffff),
  /** Octets behind the packet, as Ethernet pads. */
  trailer: fc.constantFrom(0, 0, 6),
  choice: fc.nat(20),
  realm: fc.oneof(
    { arbitrary: fc.constant(undefined), weight: 9 },
    { arbitrary: fc.constant(address("::1")), weight: 1 },
  ),
  later: fc.constantFrom(0, 0, 10, 1000, 4000, 90_000, 400_000),
})
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

const dataOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7)

const packetOf = (one: Happening, at: PortEnds): Uint8Array => {
  const { protocol, data, flags, ttl, tos, sum, trailer, options } = one
  const inner = protocol === TCP ? tcp(at, dataOf(data), flags, sum) : udp(at, dataOf(data), sum)
  const whole = at.source.includes(":")
    ? ip6(
        {
          ...at,
          protocol,
          hopLimit: ttl,
          trafficClass: tos,
          extensions: options > 0 ? [[60, [1, 4, 0, 0, 0, 0]]] : [],
        },
        inner,
      )
    : ip4({ ...at, protocol, ttl, tos, flags: one.marks, options: Array(options).fill(1) }, inner)
  const bytes = octets(whole, Array(trailer).fill(0xee))
  if (one.spoilt !== undefined && one.spoilt[0] < whole.length) bytes[one.spoilt[0]] = one.spoilt[1]
  return bytes
}

/** What of a passed packet is to be the same. */
const sayings = ({ out, changes, next }: Passed<CgnState>) => ({
  out:
    out.kind === "forwarded"
      ? { ...out, packets: out.packets.map(toHex) }
      : out.kind === "returned"
        ? { ...out, packet: toHex(out.packet) }
        : out,
  changes,
  next,
})

/** Takes a packet all ways from one state, and goes on behind it. */
const takes = (state: CgnState, passage: Passage, count: () => void): CgnState => {
  const given = toHex(passage.bytes)
  const long = sayings(translateAny(state, passage, allocate))
  const passed = translate(state, passage, used)
  assert.equal(toHex(passage.bytes), given, "the packet that came is what it was")
  assert.deepEqual(sayings(passed), long)
  const owned = translateInPlace(state, { ...passage, bytes: passage.bytes.slice() }, allocate)
  assert.deepEqual(sayings(owned), long)
  if (passEstablished(state, passage, allocate, false) !== undefined) count()
  return passed.state
}

const ipv4Of = (remote: string): string => {
  if (!remote.includes(":")) return remote
  if (remote.includes("808")) return "8.8.8.8"
  return remote.includes("633") || remote.includes("c6:") ? REMOTE : STRANGER
}

const PLAIN: Happening = {
  side: "inside",
  protocol: TCP,
  host: 0,
  port: 1000,
  remote: 0,
  remotePort: 443,
  flags: ACK,
  data: 0,
  ttl: 64,
  tos: 0,
  marks: 2,
  options: 0,
  spoilt: undefined,
  sum: undefined,
  trailer: 0,
  choice: 0,
  realm: undefined,
  later: 0,
}

/** The state with MAP mappings of the second host, one with a filter; of the first, one that soon gives way to a held end. */
const asked = (first: CgnState, [own, other]: readonly string[]): CgnState => {
  let state = first
  const ask = (internal: string, protocol: number, internalPort: number, lifetime: number): void => {
    const end = { protocol, internal: address(internal), internalPort }
    const made = map(state, { ...end, lifetime })
    if (made.outcome === "refused") return
    state = made.state
    const filters = [{ remote: address(REMOTE), prefixLength: 128, remotePort: 443 }]
    const kept = internalPort === 1001 ? memoryCgn.filter(state, { ...end, deleteFilters: false, filters }, 0) : made
    if (kept.outcome !== "refused") state = kept.state
  }
  ask(other, TCP, 1000, 5000)
  ask(other, UDP, 1001, 5000)
  ask(other, TCP, 1001, 5000)
  ask(own, UDP, 1002, 3)
  return state
}

/** How many packets have gone the short way. */
const runs = (network: Network, happenings: readonly Happening[]): number => {
  let short = 0
  let state = asked(cgnWith({ recycleDelay: { udp: 120, tcp: 120 }, ...network.settings }), network.hosts)
  let now = 0
  /** External ends that were ever in use. */
  const seen = new Map<string, Mapping>()
  const pass = (passage: Omit<Passage, "now">): void => {
    for (const mapping of listMappings(state, now, 0, 1000).mappings)
      seen.set(`${mapping.protocol} ${mapping.external} ${mapping.externalPort}`, mapping)
    state = takes(state, { ...passage, now }, () => {
      short++
    })
  }
  const happen = (one: Happening): void => {
    now += one.later
    if (one.later > 10 && one.choice > 9) state = memoryCgn.expire(state, now, 100).state
    const remote = network.remotes[one.remote]
    if (one.side === "inside") {
      const at = ends(network.hosts[one.host], one.port, remote, one.remotePort)
      pass({ bytes: packetOf(one, at), side: "inside", realm: one.realm })
      return
    }
    const mappings = [...seen.values()].filter(({ protocol }) => protocol === one.protocol)
    const mapping = mappings[one.choice % Math.max(1, mappings.length)]
    const external = mapping === undefined ? EXTERNAL : formatAddress(mapping.external)
    const at = ends(ipv4Of(remote), one.remotePort, external, mapping?.externalPort ?? 53)
    pass({ bytes: packetOf(one, at), side: "outside" })
  }
  happen({ ...PLAIN, flags: SYN })
  happen({
    ...PLAIN,
    side: "outside",
    choice: [...seen.values()].filter(({ protocol }) => protocol === TCP).length - 1,
    flags: SYN | ACK,
  })
  happen(PLAIN)
  happen({ ...PLAIN, protocol: UDP })
  for (const one of happenings) happen(one)
  return short
}

for (const network of networks)
  test(`the short way is the long way's, octet for octet, of ${network.name}`, () => {
    let short = 0
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        short += runs(network, happenings)
      }),
      { numRuns: 100 },
    )
    assert.equal(short > 0, network.short, `${short} packets went the short way`)
  })

test("a packet that the next link does not carry goes the long way, which says so", () => {
  for (const { settings, hosts, remotes } of [networks[1], networks[3]]) {
    const six = hosts[0].includes(":")
    const at = ends(hosts[0], 1000, remotes[0], 443)
    const inside = (length: number): Uint8Array => {
      const data = dataOf(length - (six ? 48 : 28))
      return six ? ip6({ ...at, protocol: 17 }, udp(at, data)) : ip4({ ...at, protocol: 17, flags: 2 }, udp(at, data))
    }
    const { state } = translate(cgnWith(settings), { bytes: inside(100), now: 0, side: "inside" })
    const mapping = listMappings(state, 0, 0, 10).mappings.find(({ kind }) => kind === "implicit")
    assert.ok(mapping !== undefined)
    const outside = (length: number): Uint8Array => {
      const back = ends(REMOTE, 443, formatAddress(mapping.external), mapping.externalPort)
      return ip4({ ...back, protocol: 17, flags: 2 }, udp(back, dataOf(length - 28)))
    }
    const isShort = (bytes: Uint8Array, side: "inside" | "outside"): boolean => {
      takes(state, { bytes, now: 0, side }, () => {})
      return passEstablished(state, { bytes, now: 0, side }, allocate, false) !== undefined
    }
    const most = six ? { inside: 1480, outside: 1520 } : { inside: 600, outside: 570 }
    assert.deepEqual(
      [isShort(inside(most.outside), "inside"), isShort(inside(most.outside + 1), "inside")],
      [true, false],
    )
    assert.deepEqual(
      [isShort(outside(most.inside), "outside"), isShort(outside(most.inside + 1), "outside")],
      [true, false],
    )
  }
})

test("RFC 768: a UDP checksum that comes out as zero is sent as ones, the short way as well", () => {
  for (const { settings, hosts, remotes } of [networks[0], networks[3]]) {
    const at = ends(hosts[0], 1000, remotes[0], 443)
    const offset = hosts[0].includes(":") ? 46 : 26
    const packet = (sum: number | undefined): Uint8Array =>
      hosts[0].includes(":")
        ? ip6({ ...at, protocol: 17 }, udp(at, [], sum))
        : ip4({ ...at, protocol: 17 }, udp(at, [], sum))
    const sumAt = (bytes: Uint8Array, where: number): number => (bytes[where] << 8) | bytes[where + 1]
    const opened = translate(cgnWith(settings), { bytes: packet(undefined), now: 0, side: "inside" })
    assert.ok(opened.out.kind === "forwarded")
    // Its checksum changes by the same whatever it is: less by what it came out as, it comes out as nothing.
    const sum = (sumAt(packet(undefined), offset) - sumAt(opened.out.packets[0], 26) + 0xffff) % 0xffff
    const passed = passEstablished(opened.state, { bytes: packet(sum), now: 0, side: "inside" }, allocate, false)
    assert.ok(passed?.out.kind === "forwarded")
    assert.equal(sumAt(passed.out.packets[0], 26), 0xffff)
  }
})

test("what is established goes the short way, both ways, and only a packet that is owned is written over", () => {
  for (const { settings, hosts, remotes } of [networks[0], networks[3]]) {
    const inside = (flags: number): Uint8Array => {
      const at = ends(hosts[0], 1000, remotes[0], 443)
      return hosts[0].includes(":")
        ? ip6({ ...at, protocol: 6 }, tcp(at, [], flags))
        : ip4({ ...at, protocol: 6 }, tcp(at, [], flags))
    }
    const opened = translate(cgnWith(settings), { bytes: inside(SYN), now: 0, side: "inside" })
    const [mapping] = listMappings(opened.state, 0, 0, 1).mappings
    const outside = (flags: number): Uint8Array => {
      const at = ends(REMOTE, 443, formatAddress(mapping.external), mapping.externalPort)
      return ip4({ ...at, protocol: 6, flags: 2 }, tcp(at, [], flags))
    }
    const { state } = translate(opened.state, { bytes: outside(SYN | ACK), now: 0, side: "outside" })
    // The first segment of an open connection has its session last longer.
    const first = translate(state, { bytes: inside(ACK), now: 0, side: "inside" })
    for (const [bytes, side] of [
      [inside(ACK), "inside"],
      [outside(ACK), "outside"],
    ] as const) {
      const before = toHex(bytes)
      const passed = passEstablished(first.state, { bytes, now: 10, side }, allocate, false)
      assert.ok(passed?.out.kind === "forwarded")
      assert.equal(passed.state, first.state, "nothing changes")
      assert.equal(toHex(bytes), before)
      const owned = passEstablished(first.state, { bytes, now: 10, side }, allocate, true)
      assert.ok(owned?.out.kind === "forwarded")
      assert.equal(owned.out.packets[0] === bytes, !hosts[0].includes(":"))
    }
  }
})
