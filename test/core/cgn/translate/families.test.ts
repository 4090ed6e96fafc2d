/** NAT64 (RFC 6146), DS-Lite (RFC 6333) and layer-2 DS-Lite over the same mappings. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { memoryCgn, type Out } from "../../../../core/cgn/index.ts"
import { fragmentHeader, icmp6, inet, ip4, ip6, toHex, udp, w16 } from "../packet/build.ts"
import { address, cgnWith, lines, map, met } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  echo4,
  ends,
  error4,
  HOST,
  isPacket,
  network,
  REMOTE,
  reason,
  STRANGER,
  SYN,
  said,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"
import { echo6, HOST6, isIpv4, nat64, REMOTE6, tcp6, udp6 } from "./scene6.ts"

test("NAT64: UDP goes out with IPv4's header and comes back with IPv6's (NAT-6146-3.5.1)", () => {
  const cgn = nat64()
  const out = sent(cgn.out(udp6(ends(HOST6, 5000, REMOTE6, 53))), "outside")
  const { address: external, port } = sourceOf(out)
  assert.equal(external, EXTERNAL)
  isIpv4(out, udp4(ends(EXTERNAL, port, REMOTE, 53), 63))
  isPacket(sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port))), "inside"), udp6(ends(REMOTE6, 53, HOST6, 5000), 63))
  assert.deepEqual(lines(cgn.state), [`implicit 17 ${HOST6}:5000 ${EXTERNAL}:${port}`])
})

test("NAT-6146-3.5.2.2, NAT-6146-3.5.3: TCP sessions have their states, ICMPv6 echo becomes ICMP echo with a mapped identifier", () => {
  const cgn = nat64()
  assert.equal(reason(cgn.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), ACK))), "no-connection")
  const { port } = sourceOf(sent(cgn.out(tcp6(ends(HOST6, 5000, REMOTE6, 80), SYN)), "outside"))
  isPacket(
    sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), SYN | ACK)), "inside"),
    tcp6(ends(REMOTE6, 80, HOST6, 5000), SYN | ACK, 63),
  )
  assert.deepEqual(said(cgn.changes()).slice(1), ["created implicit", "session opening-inside", "session established"])
  const echo = sent(cgn.out(echo6(128, HOST6, REMOTE6, 9)), "outside")
  const { port: identifier } = sourceOf(echo)
  isIpv4(echo, echo4(8, EXTERNAL, REMOTE, identifier, 63))
  isPacket(sent(cgn.in(echo4(0, REMOTE, EXTERNAL, identifier)), "inside"), echo6(129, REMOTE6, HOST6, 9, 63))
})

test("NAT64: ICMP errors cross in both directions with their inner packet (NAT-6146-3.6.1, NAT-7915-4.3, NAT-7915-5.3)", () => {
  const cgn = nat64()
  const out = sent(cgn.out(udp6(ends(HOST6, 5000, REMOTE6, 53))), "outside")
  const { port } = sourceOf(out)
  const error = sent(cgn.in(error4(11, 0, "192.0.2.1", EXTERNAL, out)), "inside")
  const at = { source: "2001:db8:64::c000:201", destination: HOST6 }
  isPacket(
    error,
    ip6({ ...at, protocol: 58, hopLimit: 63 }, icmp6(at, 3, 0, [0, 0, 0, 0], udp6(ends(HOST6, 5000, REMOTE6, 53), 63))),
  )
  const back = { source: HOST6, destination: REMOTE6 }
  const inner = udp6(ends(REMOTE6, 53, HOST6, 5000), 60)
  const told = sent(cgn.out(ip6({ ...back, protocol: 58 }, icmp6(back, 1, 4, [0, 0, 0, 0], inner))), "outside")
  assert.deepEqual([...told.subarray(20, 22)], [3, 3])
  assert.equal(inet(told.subarray(20)), 0)
  assert.equal(told.subarray(12, 20).join("."), `${EXTERNAL}.${REMOTE}`)
  assert.deepEqual([told.subarray(40, 48).join("."), (told[50] << 8) | told[51]], [`${REMOTE}.${EXTERNAL}`, port])
})

test("NAT64: a MAP mapping lets IPv4 hosts in; a FILTER names them as IPv6 hosts see them", () => {
  const cgn = nat64()
  const internal = address(HOST6)
  const made = met(map(cgn.state, { internal }))
  const filters = [{ remote: address(REMOTE6), prefixLength: 128, remotePort: 0 }]
  const end = { protocol: 17, internal, internalPort: 4000, deleteFilters: false, filters }
  cgn.set(met(memoryCgn.filter(made.state, end, 0)).state)
  isPacket(
    sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, made.externalPort))), "inside"),
    udp6(ends(REMOTE6, 53, HOST6, 4000), 63),
  )
  assert.equal(reason(cgn.in(udp4(ends(STRANGER, 53, EXTERNAL, made.externalPort)))), "filtered")
})

test("NAT64: hosts meet by their external ends; what is not behind the prefix, or claims to come from there, is not carried", () => {
  const cgn = nat64()
  const { port } = sourceOf(sent(cgn.out(udp6(ends(HOST6, 5000, REMOTE6, 53))), "outside"))
  const other = "2001:db8:1::11"
  const there = sent(cgn.out(udp6(ends(other, 6000, "2001:db8:64::cb00:7101", port))), "inside")
  const from = (there[40] << 8) | there[41]
  isPacket(there, udp6(ends("2001:db8:64::cb00:7101", from, HOST6, 5000), 63))
  assert.equal(reason(cgn.out(udp6(ends(REMOTE6, 5000, REMOTE6, 53)))), "illegal-source")
  const elsewhere = cgn.out(udp6(ends(HOST6, 5000, "2001:db8:99::1", 53)))
  assert.ok(elsewhere.kind === "returned")
  assert.deepEqual([elsewhere.reason, ...elsewhere.packet.subarray(40, 42)], ["not-served", 1, 0])
  const late = cgn.out(udp6(ends(HOST6, 5000, REMOTE6, 53), 1))
  assert.ok(late.kind === "returned")
  assert.deepEqual([late.reason, ...late.packet.subarray(40, 42)], ["hop-limit", 3, 0])
  assert.equal(reason(cgn.out(udp4(ends(HOST, 1, REMOTE, 1)))), "wrong-family")
})

test("NAT64: IPv6 fragments in any order are put together first (NAT-6146-3.4)", () => {
  const at = ends(HOST6, 5000, REMOTE6, 53)
  const whole = udp(at, Array(100).fill(5))
  const pieces = [
    ip6({ ...at, protocol: 17, extensions: [fragmentHeader(0, true, 77)] }, whole.subarray(0, 64)),
    ip6({ ...at, protocol: 17, extensions: [fragmentHeader(8, false, 77)] }, whole.subarray(64)),
  ]
  for (const order of [pieces, pieces.toReversed()]) {
    const cgn = nat64()
    const outs: Out[] = order.map((piece) => cgn.out(piece))
    assert.equal(outs[0].kind, "kept")
    const out = sent(outs[1], "outside")
    isIpv4(
      out,
      ip4(
        { ...ends(EXTERNAL, 0, REMOTE, 53), protocol: 17, ttl: 63 },
        udp(ends(EXTERNAL, sourceOf(out).port, REMOTE, 53), Array(100).fill(5)),
      ),
    )
  }
})

const AFTR = "2001:db8:a::1"
const [B4, OTHER_B4] = ["2001:db8:b::4", "2001:db8:b::5"]
const softwire = (source: string, destination: string, packet: Uint8Array): Uint8Array =>
  ip6({ source, destination, protocol: 4 }, packet)

const dslite = (mtu = 1500) =>
  network(
    cgnWith({
      translation: {
        inside: { kind: "dslite", aftr: address(AFTR) },
        routers: { inside: address("192.0.0.1"), outside: undefined },
        mtu: { inside: mtu, outside: 1500 },
      },
    }),
  )

test("DS-Lite: the same internal end behind two B4s are two hosts, each answered in its own softwire (NAT-6333-6.6)", () => {
  const cgn = dslite()
  const ports = [B4, OTHER_B4].map(
    (b4) => sourceOf(sent(cgn.out(softwire(b4, AFTR, udp4(ends(HOST, 5000, REMOTE, 53)))), "outside")).port,
  )
  assert.notEqual(ports[0], ports[1])
  for (const [i, b4] of [B4, OTHER_B4].entries()) {
    const out = cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, ports[i])))
    isPacket(sent(out, "inside"), softwire(AFTR, b4, udp4(ends(REMOTE, 53, HOST, 5000), 63)))
    assert.ok(out.kind === "forwarded")
    assert.equal(out.realm, address(b4))
  }
  assert.equal(reason(cgn.out(softwire(B4, "2001:db8:a::2", udp4(ends(HOST, 5000, REMOTE, 53))))), "not-served")
  assert.equal(reason(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53)))), "not-served")
  assert.equal(reason(cgn.out(udp6(ends(HOST6, 5000, REMOTE6, 53)))), "not-a-tunnel")
})

test("DS-Lite: an ICMP error for the host goes back in its softwire; one that is too long is told the softwire's MTU", () => {
  const cgn = dslite(1400)
  const packet = udp4(ends(HOST, 5000, REMOTE, 53), 1)
  const out = cgn.out(softwire(B4, AFTR, packet))
  assert.ok(out.kind === "returned")
  assert.equal(toHex(out.packet.subarray(8, 40)), toHex(softwire(AFTR, B4, packet).subarray(8, 40)))
  assert.deepEqual([out.packet[6], ...out.packet.subarray(60, 62)], [4, 11, 0])
  assert.equal(out.packet.subarray(52, 60).join("."), `192.0.0.1.${HOST}`)
  const { port } = sourceOf(sent(cgn.out(softwire(B4, AFTR, udp4(ends(HOST, 5000, REMOTE, 53)))), "outside"))
  const at = ends(REMOTE, 53, EXTERNAL, port)
  const long = cgn.in(ip4({ ...at, protocol: 17, flags: 2 }, udp(at, Array(1333).fill(1))))
  assert.ok(long.kind === "returned")
  assert.deepEqual([...long.packet.subarray(20, 22), ...long.packet.subarray(26, 28)], [3, 4, ...w16(1360)])
  const cut = cgn.in(ip4({ ...at, protocol: 17 }, udp(at, Array(1333).fill(1))))
  assert.ok(cut.kind === "forwarded")
  assert.deepEqual(
    cut.packets.map((bytes) => [bytes.length <= 1400, bytes[6]]),
    [
      [true, 44],
      [true, 44],
    ],
  )
})

test("DS-Lite: fragments of a softwire's packet, and of the packet in it, are put together (NAT-6333-6.3)", () => {
  const cgn = dslite()
  const at = ends(HOST, 5000, REMOTE, 53)
  const whole = udp(at, Array(100).fill(5))
  const inner = [
    ip4({ ...at, protocol: 17, flags: 1 }, whole.subarray(0, 64)),
    ip4({ ...at, protocol: 17, offset: 8 }, whole.subarray(64)),
  ]
  const pieces = [
    ip6(
      { source: B4, destination: AFTR, protocol: 4, extensions: [fragmentHeader(0, true, 1)] },
      inner[0].subarray(0, 40),
    ),
    ip6(
      { source: B4, destination: AFTR, protocol: 4, extensions: [fragmentHeader(5, false, 1)] },
      inner[0].subarray(40),
    ),
    softwire(OTHER_B4, AFTR, inner[1]),
    softwire(B4, AFTR, inner[1]),
  ]
  const outs = pieces.map((piece) => cgn.out(piece))
  assert.deepEqual(
    outs.map(({ kind }) => kind),
    ["kept", "kept", "kept", "forwarded"],
  )
  const out = sent(outs[3], "outside")
  isPacket(
    out,
    ip4(
      { ...at, source: EXTERNAL, protocol: 17, ttl: 63 },
      udp(ends(EXTERNAL, sourceOf(out).port, REMOTE, 53), Array(100).fill(5)),
    ),
  )
})

test("layer-2 DS-Lite: the layer-2 id that a packet comes with keeps equal internal addresses apart", () => {
  const cgn = network(cgnWith())
  const realms = [address("::1"), address("::2")]
  const ports = realms.map(
    (realm) => sourceOf(sent(cgn.out(udp4(ends(HOST, 5000, REMOTE, 53)), 0, realm), "outside")).port,
  )
  for (const [i, realm] of realms.entries()) {
    const out = cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, ports[i])))
    isPacket(sent(out, "inside"), udp4(ends(REMOTE, 53, HOST, 5000), 63))
    assert.ok(out.kind === "forwarded")
    assert.equal(out.realm, realm)
  }
})
