/** What comes out of all eight kinds of translator, on both sides, with every checksum judged by tshark. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Side } from "../../../core/cgn/index.ts"
import { readPacket } from "../../../core/cgn/packet/index.ts"
import { type Random, randomFrom } from "../../fuzz/random.ts"
import {
  dccp,
  fragmentHeader,
  icmp4,
  icmp6,
  ip4,
  ip6,
  type PortEnds,
  sctp,
  tcp,
  toHex,
  udp,
  udpLite,
  w16,
} from "./packet/build.ts"
import { judge, tsharkVersion } from "./packet/tshark.ts"
import { isFour, isSoftwire, sourceSeen, type Translator, translators, turned } from "./translators.ts"

const version = tsharkVersion()
const missing = "tshark is not installed (Debian package tshark)"
if (version === undefined && process.env.CI === "true") throw new Error(missing)

const SYN = 2

interface Payload {
  readonly protocol: number
  readonly bytes: Uint8Array
}

type Protocol = "udp" | "tcp" | "echo" | "udp-lite" | "dccp" | "sctp" | "esp"

const payloadOf = (protocol: Protocol, at: PortEnds, data: Uint8Array, isAnswer: boolean): Payload => {
  const rest = [...w16(isAnswer ? at.destinationPort : at.sourcePort), 0, 1]
  switch (protocol) {
    case "udp":
      return { protocol: 17, bytes: udp(at, data) }
    case "tcp":
      return { protocol: 6, bytes: tcp(at, data, isAnswer ? SYN | 16 : SYN) }
    case "echo":
      return isFour(at.source)
        ? { protocol: 1, bytes: icmp4(isAnswer ? 0 : 8, 0, rest, data) }
        : { protocol: 58, bytes: icmp6(at, isAnswer ? 129 : 128, 0, rest, data) }
    case "udp-lite":
      return { protocol: 136, bytes: udpLite(at, data, 8) }
    case "dccp":
      return { protocol: 33, bytes: dccp(at, data) }
    case "sctp":
      return { protocol: 132, bytes: sctp(at.sourcePort, at.destinationPort) }
    case "esp":
      return { protocol: 50, bytes: data.length < 8 ? new Uint8Array(8) : data }
  }
}

interface Fields {
  readonly hops: number
  readonly class: number
  readonly id: number
}
const fieldsOf = (random: Random): Fields => ({
  hops: 3 + random.below(200),
  class: random.below(256) & 0xfc,
  id: 1 + random.below(65535),
})

const whole = (at: PortEnds, { protocol, bytes }: Payload, { hops, class: of, id }: Fields): Uint8Array =>
  isFour(at.source)
    ? ip4({ ...at, protocol, ttl: hops, tos: of, id }, bytes)
    : ip6({ ...at, protocol, hopLimit: hops, trafficClass: of }, bytes)

/** The same in three fragments. */
const pieces = (at: PortEnds, { protocol, bytes }: Payload, { hops, class: of, id }: Fields): Uint8Array[] => {
  const part = Math.ceil(bytes.length / 24) * 8
  return [0, 1, 2].map((n) => {
    const data = bytes.subarray(part * n, part * n + part)
    const offset = (part * n) / 8
    return isFour(at.source)
      ? ip4({ ...at, protocol, ttl: hops, tos: of, id, flags: n < 2 ? 1 : 0, offset }, data)
      : ip6(
          { ...at, protocol, hopLimit: hops, trafficClass: of, extensions: [fragmentHeader(offset, n < 2, id)] },
          data,
        )
  })
}

const error = (random: Random, from: string, to: string, inner: Uint8Array): Uint8Array => {
  const at = { source: from, destination: to }
  // As far as a router quotes: to the end, or at least the ports.
  const quoted = inner.subarray(
    0,
    random.once(2) ? inner.length : Math.max(isFour(inner) ? 28 : 48, random.below(inner.length)),
  )
  const [type4, code4, type6, code6] = random.pick([
    [3, 1, 1, 0],
    [3, 3, 1, 4],
    [11, 0, 3, 0],
    [3, 13, 1, 1],
  ])
  return isFour(from)
    ? ip4({ ...at, protocol: 1 }, icmp4(type4, code4, [0, 0, 0, 0], quoted.subarray(0, 548)))
    : ip6({ ...at, protocol: 58 }, icmp6(at, type6, code6, [0, 0, 0, 0], quoted.subarray(0, 1232)))
}

/** What came out, and of what. */
interface Came {
  readonly what: string
  readonly bytes: Uint8Array
}

/** A translator whose packets must all come out. */
const watched = (translator: Translator) => {
  const came: Came[] = []
  const send = (what: string, packets: readonly Uint8Array[], side: Side, wanted = "forwarded"): Uint8Array[] => {
    const out: Uint8Array[] = []
    for (const [i, bytes] of packets.entries()) {
      const { out: made } = translator.pass(bytes, side)
      if (made.kind === "forwarded") out.push(...made.packets)
      if (made.kind === "returned") out.push(made.packet)
      const text = made.kind === "forwarded" || made.kind === "kept" ? "" : made.reason
      if (i === packets.length - 1)
        assert.equal(made.kind, wanted, `${translator.name}, ${what}: ${text} ${toHex(bytes)}`)
    }
    for (const bytes of out) came.push({ what: `${translator.name}, ${what} from the ${side}`, bytes })
    return out
  }
  return { came, send }
}

const PORTED: readonly Protocol[] = ["udp", "tcp", "echo"]
const OTHERS: readonly Protocol[] = ["udp-lite", "dccp", "sctp", "esp"]

/** Conversations of both hosts: out, back, errors about either, and what the translator itself says. */
const converse = (translator: Translator, seed: number, count: number): readonly Came[] => {
  const random = randomFrom(seed)
  const { came, send } = watched(translator)
  const { host, open, peer, peerOutside, routerOutside, wrap, unwrap } = translator
  for (let n = 0; n < count; n++) {
    // Of no well-known port, where tshark would look for what the data are not.
    const ports = { sourcePort: 41000 + n, destinationPort: 42000 + random.below(1000) }
    const isOpen = n % 2 === 1
    const protocol = random.pick(isOpen ? [...PORTED, ...OTHERS] : PORTED)
    const data = new Uint8Array(random.below(random.pick([30, 500]))).map(() => random.below(256))
    const there: PortEnds = { source: isOpen ? open : host, destination: peer, ...ports }
    const [out] = send(
      protocol,
      [wrap(whole(there, payloadOf(protocol, there, data, false), fieldsOf(random)))],
      "inside",
    )
    const { source, port } = sourceSeen(out)
    const sourcePort = PORTED.includes(protocol) ? port : ports.sourcePort
    const back = turned({ ...ports, source, sourcePort, destination: peerOutside })
    const answer = payloadOf(protocol, back, data, true)
    const [got] = send(protocol, [whole(back, answer, fieldsOf(random))], "outside")
    if (protocol !== "esp") {
      send(`an error about ${protocol}`, [error(random, routerOutside, source, out)], "outside")
      send(`an error about ${protocol}`, [wrap(error(random, there.source, peer, unwrap(got)))], "inside")
    }
    if (n % 5 === 0 && protocol !== "sctp") {
      const late = { ...fieldsOf(random), hops: 1 }
      send("the last hop", [wrap(whole(there, payloadOf(protocol, there, data, false), late))], "inside", "returned")
      send("the last hop", [whole(back, answer, late)], "outside", "returned")
    }
    if (protocol === "echo" || protocol === "sctp") continue
    // In fragments, and too long for a link.
    const much = new Uint8Array(200 + random.below(1200)).map(() => random.below(256))
    const long = payloadOf(protocol, there, much, false)
    send(`fragments of ${protocol}`, pieces(there, long, fieldsOf(random)).map(wrap), "inside")
    send(`fragments of ${protocol}`, pieces(back, payloadOf(protocol, back, much, true), fieldsOf(random)), "outside")
  }
  return came
}

/** Has the packet a checksum that tshark can judge as it stands? */
const isJudged = (bytes: Uint8Array): boolean => isFour(bytes) || ![44, 50].includes(bytes[6])

/** Is it a fragment, whose transport checksum is of more than it has? */
const isPart = (bytes: Uint8Array): boolean => (isFour(bytes) ? (bytes[6] & 0x3f) + bytes[7] > 0 : bytes[6] === 44)

/** Is a packet in error cut short? Its transport checksum is nobody's to check then. */
const isCut = (bytes: Uint8Array): boolean => {
  const packet = readPacket(bytes, isSoftwire(bytes) ? 40 : 0)
  return (
    packet.ok &&
    packet.embedded !== undefined &&
    packet.embedded.end - packet.embedded.start < packet.embedded.totalLength
  )
}

describe(`every packet of all eight kinds, by ${version ?? "tshark"}`, {
  skip: version === undefined ? missing : false,
}, () => {
  const all = (): readonly Came[] =>
    translators({ translation: { mtu: { inside: 1280, outside: 1280 } } }).flatMap((one, i) =>
      converse(one, 100 + i, 60),
    )

  test("it tells a wrong octet in the last of fragments", () => {
    const came = all().filter(({ what }) => what.includes("fragments of udp from"))
    const isLast = (bytes: Uint8Array): boolean =>
      isFour(bytes) ? (bytes[6] & 0x20) === 0 : bytes[6] !== 44 || (bytes[43] & 1) === 0
    const wrong = came.map(({ bytes }) => (isLast(bytes) ? bytes.with(-1, bytes[bytes.length - 1] ^ 4) : bytes))
    const judgements = judge(wrong, true)
    for (const [i, { network, transport }] of judgements.entries())
      assert.equal([...network, ...transport].includes("0"), isLast(wrong[i]), `${came[i].what} ${toHex(wrong[i])}`)
  })

  test("NAT-7915-4, NAT-7915-5, NAT-6296-2.6, NAT-6333-6.2: no checksum is bad, in packets, errors and fragments", () => {
    const came = all()
    const bytes = came.map((one) => one.bytes)
    for (const defragment of [false, true]) {
      const judgements = judge(bytes, defragment)
      assert.equal(judgements.length, came.length)
      for (const [i, { protocols, network, transport }] of judgements.entries()) {
        const statuses = isCut(bytes[i]) || (!defragment && isPart(bytes[i])) ? network : [...network, ...transport]
        const text = `${came[i].what}: ${protocols} ${statuses.join()} ${toHex(bytes[i])}`
        assert.ok(!statuses.includes("0"), text)
        if (isJudged(bytes[i])) assert.ok(statuses.includes("1"), text)
      }
    }
    // Nothing that ought to be here is missing.
    for (const { name } of translators())
      for (const side of ["inside", "outside"])
        for (const what of ["udp", "tcp", "esp", "an error about udp", "the last hop", "fragments of udp"]) {
          const text = `${name}, ${what} from the ${side}`
          assert.ok(
            came.some((one) => one.what === text),
            text,
          )
        }
  })
})
