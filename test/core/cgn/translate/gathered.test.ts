/** Packets that a NAT put together of their fragments, and that are too long for the next link: they go on in fragments. */
import assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { test } from "node:test"
import type { CgnSettings, Out, Side } from "../../../../core/cgn/index.ts"
import { fragmentHeader, inet, ip4, ip6, type PortEnds, toHex, udp } from "../packet/build.ts"
import { cgnWith } from "../scene.ts"
import { fromHost, KINDS, settingsOf } from "./kinds.ts"
import { EXTERNAL, ends, network, REMOTE, reason, sent, sourceOf } from "./scene.ts"

const DATA = new Uint8Array(1900).map((_, i) => i * 11)
const MTU: CgnSettings["translation"] = { mtu: { inside: 1400, outside: 1300 } }

const kindOf = (name: string) => {
  const kind = KINDS.find((one) => one.name === name)
  assert.ok(kind !== undefined)
  return { kind, host: kind.hosts[0], cgn: network(cgnWith(settingsOf(kind, { translation: MTU }))) }
}

/** A datagram in fragments of 1000 octets of data or less; `flags`: DF is 2. */
const cut = (at: PortEnds, flags = 0): readonly Uint8Array[] => {
  const whole = udp(at, DATA)
  return [0, 1].map((n) => {
    const data = whole.subarray(1000 * n, n === 0 ? 1000 : undefined)
    return at.source.includes(":")
      ? ip6({ ...at, protocol: 17, extensions: [fragmentHeader(125 * n, n === 0, 0xabcd)] }, data)
      : ip4({ ...at, protocol: 17, id: 0xabcd, flags: flags | (n === 0 ? 1 : 0), offset: 125 * n }, data)
  })
}

/** What the packets carry together, each checked; all but the last have more to follow. */
const joined = (packets: readonly Uint8Array[], protocol: number): string => {
  let at = 0
  const data: number[] = []
  for (const [i, bytes] of packets.entries()) {
    const four = bytes[0] >> 4 === 4
    if (four) assert.equal(inet(bytes.subarray(0, 20)), 0)
    assert.equal(four ? bytes[9] : bytes[40], protocol)
    const word = four ? (bytes[6] << 8) | bytes[7] : (bytes[42] << 8) | bytes[43]
    assert.equal(four ? (word & 0x1fff) * 8 : word & 0xfff8, at)
    assert.equal((word & (four ? 0x2000 : 1)) !== 0, i < packets.length - 1)
    const payload = bytes.subarray(four ? 20 : 48)
    at += payload.length
    data.push(...payload)
  }
  return toHex(Uint8Array.from(data))
}

const all = (out: Out, side: Side): readonly Uint8Array[] => {
  assert.ok(out.kind === "forwarded", JSON.stringify(out.kind === "dropped" ? out.reason : out.kind))
  assert.equal(out.side, side)
  return out.packets
}

test("NAT-6146-3.4: of IPv6 fragments come IPv4 fragments without DF, though the whole is longer than the link carries", () => {
  const { kind, host, cgn } = kindOf("nat64")
  const [first, second] = cut(ends(host.address, 5000, kind.remote(REMOTE), 53))
  assert.equal(cgn.out(second).kind, "kept")
  const packets = all(cgn.out(first), "outside")
  const { port } = sourceOf(packets[0])
  assert.ok(packets.length === 2 && packets.every((bytes) => bytes.length <= 1300 && (bytes[6] & 0x40) === 0))
  assert.equal(joined(packets, 17), toHex(udp(ends(EXTERNAL, port, REMOTE, 53), DATA)))
  assert.deepEqual(packets[0].subarray(4, 6), packets[1].subarray(4, 6))
})

test("NAT-6146-3.4: of IPv4 fragments with DF come IPv6 fragments", () => {
  const { kind, host, cgn } = kindOf("nat64")
  const { port } = sourceOf(sent(cgn.out(fromHost(kind, host, "udp", 5000, 53)), "outside"))
  for (const flags of [0, 2]) {
    const [first, second] = cut(ends(REMOTE, 53, EXTERNAL, port), flags)
    cgn.in(first)
    const packets = all(cgn.in(second), "inside")
    assert.ok(packets.length === 2 && packets.every((bytes) => bytes.length <= 1280))
    assert.equal(joined(packets, 17), toHex(udp(ends(kind.remote(REMOTE), 53, host.address, 5000), DATA)))
  }
})

test("NAT-4787-REQ-13: IPv4 fragments with DF are short enough each: together they go on in fragments, which may be cut again", () => {
  for (const flags of [0, 2]) {
    const { host, cgn } = kindOf("nat44")
    const [first, second] = cut(ends(host.address, 5000, REMOTE, 53), flags)
    cgn.out(first)
    const packets = all(cgn.out(second), "outside")
    const { port } = sourceOf(packets[0])
    assert.ok(packets.every((bytes) => bytes.length <= 1300 && bytes[6] >> 6 === 0))
    assert.equal(joined(packets, 17), toHex(udp(ends(EXTERNAL, port, REMOTE, 53), DATA)))
  }
})

test("NAT-6333-6.3: IPv4 fragments with DF, put together, go on in fragments of the softwire's packet", () => {
  const { kind, host, cgn } = kindOf("dslite")
  const { port } = sourceOf(sent(cgn.out(fromHost(kind, host, "udp", 5000, 53)), "outside"))
  const [first, second] = cut(ends(REMOTE, 53, EXTERNAL, port), 2)
  cgn.in(first)
  const packets = all(cgn.in(second), "inside")
  assert.ok(packets.length === 2 && packets.every((bytes) => bytes.length <= 1400))
  const inner = joined(packets, 4)
  assert.equal(inner.slice(40), toHex(udp(ends(REMOTE, 53, host.address, 5000), DATA)))
})

test("NAT-4787-REQ-13: what came whole with DF, and is too long, goes no further", () => {
  const { host, cgn } = kindOf("nat44")
  const at = ends(host.address, 5000, REMOTE, 53)
  assert.equal(reason(cgn.out(ip4({ ...at, protocol: 17, flags: 2 }, udp(at, DATA)))), "too-big")
})

test("a fragment that waits is a copy, also of a Buffer, whose octets its caller writes over", () => {
  const { kind, host, cgn } = kindOf("nat44")
  const [first, second] = cut(ends(host.address, 5000, kind.remote(REMOTE), 53))
  const expected = kindOf("nat44").cgn
  assert.equal(expected.out(first).kind, "kept")
  const room = Buffer.from(first)
  assert.equal(cgn.out(room).kind, "kept")
  room.fill(0)
  assert.deepEqual(all(cgn.out(second), "outside"), all(expected.out(second), "outside"))
})
