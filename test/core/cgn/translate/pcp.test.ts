/** What PCP and the administrator set up, as packets meet it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { listMappings, memoryCgn } from "../../../../core/cgn/index.ts"
import { inet, toHex } from "../packet/build.ts"
import { address, BASE, cgnWith, host, lines, map, met, peer, remove, TCP } from "../scene.ts"
import {
  ACK,
  EXTERNAL,
  ends,
  error4,
  FIN,
  HOST,
  isPacket,
  network,
  OTHER_HOST,
  REMOTE,
  RST,
  reason,
  STRANGER,
  SYN,
  said,
  sent,
  sourceOf,
  tcp4,
  udp4,
} from "./scene.ts"

const mapped = (ask: Parameters<typeof map>[1] = {}, settings: Parameters<typeof cgnWith>[0] = {}) => {
  const made = met(map(cgnWith(settings), ask))
  return { cgn: network(made.state), port: made.externalPort }
}

test("S-56 a MAP mapping lets anybody in, and what its host sends leaves from the same external end", () => {
  const { cgn, port } = mapped()
  for (const from of [REMOTE, STRANGER]) {
    const came = cgn.in(udp4(ends(from, 9, EXTERNAL, port)))
    isPacket(sent(came, "inside"), udp4(ends(from, 9, HOST, 4000), 63))
    const went = cgn.out(udp4(ends(HOST, 4000, from, 9)))
    isPacket(sent(went, "outside"), udp4(ends(EXTERNAL, port, from, 9), 63))
  }
  assert.equal(lines(cgn.state).length, 2, "the MAP mapping, and the implicit one of the traffic, at one end")
})

test("S-41 ICMP errors about packets of a mapping reach their host in both directions, while it lasts", () => {
  const { cgn, port } = mapped({ lifetime: 100 })
  // What the host sent came out as this, and a router on the way could not forward it.
  const out = udp4(ends(EXTERNAL, port, REMOTE, 53), 1)
  isPacket(
    sent(cgn.in(error4(11, 0, "192.0.2.1", EXTERNAL, out)), "inside"),
    error4(11, 0, "192.0.2.1", HOST, udp4(ends(HOST, 4000, REMOTE, 53), 1), 63),
  )
  // What came in was this for the host, which has nobody at the port.
  const inside = udp4(ends(REMOTE, 9, HOST, 4000), 50)
  isPacket(
    sent(cgn.out(error4(3, 3, HOST, REMOTE, inside)), "outside"),
    error4(3, 3, EXTERNAL, REMOTE, udp4(ends(REMOTE, 9, EXTERNAL, port), 50), 63),
  )
  assert.deepEqual(said(cgn.changes()), [], "an error keeps nothing alive")
  assert.equal(reason(cgn.in(error4(11, 0, "192.0.2.1", EXTERNAL, out), 100_000)), "no-flow")
})

test("S-125 what a filter does not let in is dropped and counted; an ICMP error goes back where the settings say so", () => {
  for (const filteredErrors of [false, true]) {
    const { cgn, port } = mapped({}, { translation: { filteredErrors } })
    const filters = [{ remote: address("198.51.100.0"), prefixLength: 120, remotePort: 0 }]
    const end = { protocol: 17, internal: host(1), internalPort: 4000, deleteFilters: false, filters }
    cgn.set(met(memoryCgn.filter(cgn.state, end, 0)).state)
    sent(cgn.in(udp4(ends(REMOTE, 9, EXTERNAL, port))), "inside")
    const packet = udp4(ends(STRANGER, 9, EXTERNAL, port))
    const out = cgn.in(packet)
    assert.equal(reason(out), "filtered")
    const changes = cgn.changes()
    assert.deepEqual(said(changes), ["counted"])
    assert.ok(changes[0].type === "counted" && changes[0].vector === "packet")
    if (!filteredErrors) assert.equal(out.kind, "dropped")
    else {
      assert.ok(out.kind === "returned")
      // Destination Unreachable, Communication Administratively Prohibited, from the external end to the sender.
      assert.equal(inet(out.packet.subarray(20)), 0)
      assert.deepEqual([...out.packet.subarray(20, 22)], [3, 13])
      assert.equal(out.packet.subarray(12, 20).join("."), `${EXTERNAL}.${STRANGER}`)
      assert.equal(toHex(out.packet.subarray(28)), toHex(packet))
    }
  }
})

test("S-125 no ICMP error answers a filtered SYN, whose connection the host may be opening itself (RFC 5382 REQ-4)", () => {
  const { cgn, port } = mapped({ protocol: TCP }, { translation: { filteredErrors: true } })
  const filters = [{ remote: address(REMOTE), prefixLength: 128, remotePort: 80 }]
  const end = { protocol: TCP, internal: host(1), internalPort: 4000, deleteFilters: false, filters }
  cgn.set(met(memoryCgn.filter(cgn.state, end, 0)).state)
  assert.equal(cgn.in(tcp4(ends(REMOTE, 81, EXTERNAL, port), SYN)).kind, "dropped")
  assert.equal(cgn.in(tcp4(ends(REMOTE, 81, EXTERNAL, port), ACK)).kind, "returned")
  sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), SYN)), "inside")
})

test("a filter does not keep out whom the host itself sends to, and its traffic lets nobody else in", () => {
  const { cgn, port } = mapped()
  const filters = [{ remote: address("198.51.100.200"), prefixLength: 128, remotePort: 0 }]
  const end = { protocol: 17, internal: host(1), internalPort: 4000, deleteFilters: false, filters }
  cgn.set(met(memoryCgn.filter(cgn.state, end, 0)).state)
  assert.equal(reason(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port)))), "filtered")
  sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 53))), "outside")
  sent(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port))), "inside")
  assert.equal(reason(cgn.in(udp4(ends(REMOTE, 54, EXTERNAL, port)))), "filtered")
  assert.equal(reason(cgn.in(udp4(ends(STRANGER, 53, EXTERNAL, port)))), "filtered")
  assert.equal(reason(cgn.in(udp4(ends(REMOTE, 53, EXTERNAL, port)), 300_000)), "filtered")
})

/** The deadline of the mapping of a kind, seconds; 0: it is not there. */
const until = (cgn: ReturnType<typeof network>, kind: string, now: number): number =>
  (listMappings(cgn.state, now, 0, 1000).mappings.find((mapping) => mapping.kind === kind)?.expires ?? 0) / 1000

test("S-135 neither RST nor FIN of either side shortens a MAP mapping; the implicit one beside it ends", () => {
  for (const over of ["rst-inside", "rst-outside", "fin"] as const) {
    const { cgn, port } = mapped({ protocol: TCP, lifetime: 86400 })
    const out = (flags: number, now: number) => sent(cgn.out(tcp4(ends(HOST, 4000, REMOTE, 80), flags), now), "outside")
    const back = (flags: number, now: number) =>
      sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, port), flags), now), "inside")
    back(SYN, 0)
    out(SYN | ACK, 0)
    back(ACK, 0)
    out(ACK, 0)
    assert.ok(until(cgn, "implicit", 0) >= 7440)
    if (over === "rst-inside") out(RST, 1000)
    if (over === "rst-outside") back(RST, 1000)
    if (over === "fin") {
      out(FIN | ACK, 1000)
      back(FIN | ACK, 1000)
      out(ACK, 1000)
    }
    assert.equal(until(cgn, "implicit", 1000), 241, over)
    assert.equal(until(cgn, "map", 1000), 86400, over)
    cgn.expire(300_000)
    assert.deepEqual(
      lines(cgn.state, 300_000).map((line) => line.split(" ")[0]),
      ["map"],
    )
    sent(cgn.in(tcp4(ends(STRANGER, 80, EXTERNAL, port), SYN), 300_000), "inside")
  }
})

test("S-135 a PEER mapping outlives the RST of its connection as well", () => {
  const made = met(peer(cgnWith(), { protocol: TCP, remote: address(REMOTE), remotePort: 80, lifetime: 3600 }))
  const cgn = network(made.state)
  const out = (flags: number) => sent(cgn.out(tcp4(ends(HOST, 4000, REMOTE, 80), flags)), "outside")
  out(SYN)
  sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, made.externalPort), SYN | ACK)), "inside")
  out(ACK)
  out(RST)
  assert.deepEqual([until(cgn, "peer", 0), until(cgn, "implicit", 0)], [3600, 240])
})

test("S-55 when the connection that its host opened is over, the MAP mapping at its end is still there", () => {
  const cgn = network(cgnWith())
  const first = sourceOf(sent(cgn.out(tcp4(ends(HOST, 4000, REMOTE, 80), SYN)), "outside"))
  const made = met(map(cgn.state, { protocol: TCP, lifetime: 86400 }))
  assert.equal(made.externalPort, first.port, "MAP takes up the end of the outbound mapping (S-47)")
  cgn.set(made.state)
  sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, first.port), SYN | ACK)), "inside")
  sent(cgn.out(tcp4(ends(HOST, 4000, REMOTE, 80), FIN | ACK)), "outside")
  sent(cgn.in(tcp4(ends(REMOTE, 80, EXTERNAL, first.port), FIN | ACK)), "inside")
  cgn.expire(500_000)
  sent(cgn.in(tcp4(ends(STRANGER, 1, EXTERNAL, first.port), SYN), 500_000), "inside")
})

test("S-131 a deletion leaves what the packets of its host keep alive, to the second", () => {
  const { cgn, port } = mapped({ lifetime: 600 })
  sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 9)), 10_000), "outside")
  const deleted = met(remove(cgn.state, {}, 60_000))
  assert.equal(deleted.lifetime, 250, "310 s, of which 60 have passed")
  cgn.set(deleted.state)
  sent(cgn.in(udp4(ends(STRANGER, 9, EXTERNAL, port)), 309_000), "inside")
  assert.equal(reason(cgn.in(udp4(ends(STRANGER, 9, EXTERNAL, port)), 311_000)), "no-mapping")
})

test("S-131 a busy flow changes its mapping at most once a second, and packets from outside do not", () => {
  const { cgn, port } = mapped()
  for (let now = 0; now < 3000; now += 10) {
    cgn.out(udp4(ends(HOST, 4000, REMOTE, 9)), now)
    cgn.in(udp4(ends(REMOTE, 9, EXTERNAL, port)), now)
  }
  assert.deepEqual(said(cgn.changes()), ["created implicit", ...Array(3).fill("renewed implicit")])
})

test("S-56 a locked mapping is not active: nobody comes in by it until its filters are set", () => {
  const made = met(map(cgnWith(), { createAsLocked: true }))
  const cgn = network(made.state)
  const packet = udp4(ends(REMOTE, 9, EXTERNAL, made.externalPort))
  assert.equal(reason(cgn.in(packet)), "no-mapping")
  const filters = [{ remote: address(REMOTE), prefixLength: 128, remotePort: 0 }]
  const end = {
    protocol: 17,
    internal: host(1),
    internalPort: 4000,
    deleteFilters: false,
    filters,
    unlockOnSuccess: true,
  }
  cgn.set(met(memoryCgn.filter(cgn.state, end, 0)).state)
  sent(cgn.in(packet), "inside")
})

test("static mappings carry packets in both directions, and traffic makes nothing beside them", () => {
  const cgn = network(
    cgnWith({
      staticMappings: [
        { protocol: TCP, internal: host(1), internalPort: 22, external: address("203.0.113.9"), externalPort: 2222 },
      ],
    }),
  )
  isPacket(
    sent(cgn.in(tcp4(ends(REMOTE, 5, "203.0.113.9", 2222), SYN)), "inside"),
    tcp4(ends(REMOTE, 5, HOST, 22), SYN, 63),
  )
  isPacket(
    sent(cgn.out(tcp4(ends(HOST, 22, REMOTE, 5), SYN | ACK)), "outside"),
    tcp4(ends("203.0.113.9", 2222, REMOTE, 5), SYN | ACK, 63),
  )
  assert.deepEqual(lines(cgn.state), [`static 6 ${HOST}:22 203.0.113.9:2222`])
})

test("a mapping of all ports keeps them; the DMZ host gets what nobody else has", () => {
  const whole = { external: [EXTERNAL, "203.0.113.2", "203.0.113.3"].map(address), otherProtocols: true, port0: true }
  const dmz = met(map(cgnWith({ ...whole, oneToOne: true }), { protocol: 0, internalPort: 0 }))
  const cgn = network(dmz.state)
  const at = dmz.at.split(":")[0]
  isPacket(sent(cgn.in(udp4(ends(REMOTE, 9, at, 777))), "inside"), udp4(ends(REMOTE, 9, HOST, 777), 63))
  isPacket(sent(cgn.out(udp4(ends(HOST, 777, REMOTE, 9))), "outside"), udp4(ends(at, 777, REMOTE, 9), 63))
  const other = sourceOf(sent(cgn.out(udp4(ends(OTHER_HOST, 777, REMOTE, 9))), "outside"))
  assert.notEqual(other.address, at)
  const all = met(map(cgnWith(whole), { protocol: TCP, internalPort: 0 }))
  const wild = network(all.state)
  const there = all.at.split(":")[0]
  isPacket(sent(wild.in(tcp4(ends(REMOTE, 9, there, 777), SYN)), "inside"), tcp4(ends(REMOTE, 9, HOST, 777), SYN, 63))
  assert.equal(reason(wild.in(udp4(ends(REMOTE, 9, there, 777)))), "no-mapping")
})

test("the external end that PCP assigned is the one that packets have, whatever the pool", () => {
  const external = [EXTERNAL, "203.0.113.2"].map(address)
  const made = met(map(cgnWith({ ...BASE, external }), { suggested: address("203.0.113.2"), suggestedPort: 8080 }))
  const cgn = network(made.state)
  isPacket(sent(cgn.out(udp4(ends(HOST, 4000, REMOTE, 9))), "outside"), udp4(ends("203.0.113.2", 8080, REMOTE, 9), 63))
})
