/** What PCP sets up, as packets meet it: NAT64, DS-Lite and layer-2 DS-Lite as NAPT44, by requests to the server. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type CgnSettings, listMappings, memoryCgn, type Out, reasonIndex } from "../../../../core/cgn/index.ts"
import { filter, OTHER_NONCE, option } from "../../server/scene.ts"
import { address, map, met } from "../scene.ts"
import { errorOf, fromHost, type Host, KINDS, type Kind, packetOf, subscriberRealm, toHost } from "./kinds.ts"
import { ACK, EXTERNAL, ends, FIN, isPacket, REMOTE, RST, reason, STRANGER, SYN, sent, sourceOf } from "./scene.ts"
import { field, ipv4In, Site } from "./site.ts"

const [TCP, UDP] = [6, 17]

/** Whose address somebody else has too, in the kinds where that may be. */
const twinOf = (kind: Kind, host: Host): Host | undefined =>
  kind.hosts.find((other) => other !== host && other.address === host.address)

const mapped = (kind: Kind, more?: Partial<CgnSettings>, fields = {}) => {
  const site = new Site(kind, more)
  const [host] = kind.hosts
  const reply = site.ask(host, { protocol: UDP, port: 4000, lifetime: 600, ...fields })
  assert.equal(reply.result, 0)
  const external = ipv4In(reply.external)
  return { site, host, external, port: reply.externalPort, lifetime: reply.lifetime }
}

/** From a peer to an external end. */
const from = (
  peer: string,
  port: number,
  external: string,
  externalPort: number,
  message: "udp" | "tcp" = "udp",
  flags = SYN,
) => packetOf(message, ends(peer, port, external, externalPort), 0, flags)

const isAt = (out: Out, external: string, port: number): void =>
  assert.deepEqual(sourceOf(sent(out, "outside")), { address: external, port })

for (const kind of KINDS)
  describe(kind.name, () => {
    test("S-56 a MAP mapping lets anybody in to its host, and what that sends leaves from the same external end", () => {
      const { site, host, external, port } = mapped(kind)
      for (const peer of [REMOTE, STRANGER]) {
        const came = site.in(from(peer, 9, external, port))
        isPacket(sent(came, "inside"), toHost(kind, host, "udp", 4000, 9, peer))
        assert.ok(came.kind === "forwarded" && came.realm === subscriberRealm(host))
        isAt(site.out(host, fromHost(kind, host, "udp", 4000, 9, peer)), external, port)
      }
      const twin = twinOf(kind, host)
      if (twin === undefined) return
      const other = sourceOf(sent(site.out(twin, fromHost(kind, twin, "udp", 4000, 9)), "outside"))
      assert.notEqual(other.port, port)
      isPacket(sent(site.in(from(REMOTE, 9, external, other.port)), "inside"), toHost(kind, twin, "udp", 4000, 9))
      // A MAP of the same end behind another B4 is another's, with its own nonce.
      assert.equal(site.ask(twin, { port: 4000, nonce: OTHER_NONCE }).result, 0)
      assert.notEqual(
        site.ask(host, { port: 4000 }).externalPort,
        site.ask(twin, { port: 4000, nonce: OTHER_NONCE }).externalPort,
      )
    })

    test("S-41 ICMP errors about packets of a mapping go through in both directions, while it lasts", () => {
      const { site, host, external, port } = mapped(kind)
      const about = packetOf("udp", ends(external, port, REMOTE, 53), 0)
      const error = errorOf(11, "192.0.2.1", external, about)
      const told = sent(site.in(error), "inside")
      const inner = packetOf("udp", ends(host.address, 4000, kind.remote(REMOTE), 53), 0)
      isPacket(told, kind.gets(host, errorOf(11, kind.remote("192.0.2.1"), host.address, inner, 63)))
      const got = packetOf("udp", ends(kind.remote(REMOTE), 53, host.address, 4000), 0)
      const answer = kind.sends(host, errorOf(3, host.address, kind.remote(REMOTE), got))
      const out = sent(site.out(host, answer), "outside")
      assert.deepEqual([...out.subarray(12, 16)].join("."), external)
      assert.deepEqual([out[20], (out[50] << 8) | out[51]], [3, port])
      site.wait(601)
      assert.equal(reason(site.in(error)), "no-flow")
    })

    test("S-120 S-121 FILTER: what it does not let in is dropped and counted; it names remote peers as the host has them", () => {
      const { site, host, external, port } = mapped(kind)
      const only = filter(128, 53, field(kind.remote(REMOTE)))
      assert.equal(site.ask(host, { port: 4000, lifetime: 600, options: only }).result, 0)
      sent(site.in(from(REMOTE, 53, external, port)), "inside")
      assert.deepEqual(site.counted, [])
      for (const [peer, remotePort] of [
        [REMOTE, 54],
        [STRANGER, 53],
        [STRANGER, 54],
      ] as const)
        assert.equal(reason(site.in(from(peer, remotePort, external, port))), "filtered")
      assert.deepEqual(site.counted, [{ index: reasonIndex("filtered"), count: 3 }])
      // A prefix length of 0 takes the filters away (RFC 6887 section 13.3).
      const none = filter(0, 0, field(kind.remote("0.0.0.0")))
      assert.equal(site.ask(host, { port: 4000, lifetime: 600, options: none }).result, 0)
      sent(site.in(from(STRANGER, 54, external, port)), "inside")
    })

    test("S-56 a locked mapping is not active until its filters are set", () => {
      const site = new Site(kind)
      const [host] = kind.hosts
      const end = { protocol: UDP, internal: address(host.address), internalPort: 4000, realm: subscriberRealm(host) }
      const locked = met(map(site.server.cgnState, { ...end, createAsLocked: true }))
      site.take(locked.state, locked.changes)
      const packet = from(REMOTE, 9, EXTERNAL, locked.externalPort)
      assert.equal(reason(site.in(packet)), "no-mapping")
      const remote = address(kind.name === "nat64" ? kind.remote(REMOTE) : `::ffff:${REMOTE}`)
      const filters = [{ remote, prefixLength: 128, remotePort: 0 }]
      const ask = { ...end, deleteFilters: false, filters, unlockOnSuccess: true }
      const unlocked = met(memoryCgn.filter(site.server.cgnState, ask, 0))
      site.take(unlocked.state, unlocked.changes)
      isPacket(sent(site.in(packet), "inside"), toHost(kind, host, "udp", 4000, 9))
      assert.equal(reason(site.in(from(STRANGER, 9, EXTERNAL, locked.externalPort))), "filtered")
    })

    test("S-68 S-70 PEER lets its one remote peer in for its lifetime, and the host's packets to it longer", () => {
      for (const busy of [false, true]) {
        const site = new Site(kind, { translation: { filtering: "address-and-port-dependent" } })
        const [host] = kind.hosts
        const ask = { port: 4000, remotePort: 443, remote: field(kind.remote(REMOTE)), lifetime: 600 }
        const { result, externalPort, external } = site.ask(host, ask)
        assert.equal(result, 0)
        const at = ipv4In(external)
        isPacket(sent(site.in(from(REMOTE, 443, at, externalPort)), "inside"), toHost(kind, host, "udp", 4000, 443))
        for (const [peer, port] of [
          [REMOTE, 444],
          [STRANGER, 443],
        ] as const)
          assert.equal(reason(site.in(from(peer, port, at, externalPort))), "filtered")
        site.wait(599)
        sent(site.in(from(REMOTE, 443, at, externalPort)), "inside")
        if (busy) isAt(site.out(host, fromHost(kind, host, "udp", 4000, 443)), at, externalPort)
        site.wait(2)
        const after = site.in(from(REMOTE, 443, at, externalPort))
        if (busy) sent(after, "inside")
        else assert.equal(reason(after), "no-mapping")
        site.wait(300)
        assert.equal(reason(site.in(from(REMOTE, 443, at, externalPort))), "no-mapping")
      }
    })

    test("PORT_SET: each port of the set carries packets in both directions", () => {
      const { site, host, external, port } = mapped(kind, {}, { options: option(130, [0, 8, 15, 160, 1]) })
      for (let n = 0; n < 8; n++) {
        const came = site.in(from(STRANGER, 9, external, port + n))
        isPacket(sent(came, "inside"), toHost(kind, host, "udp", 4000 + n, 9, STRANGER))
        isAt(site.out(host, fromHost(kind, host, "udp", 4000 + n, 9)), external, port + n)
      }
      assert.equal(reason(site.in(from(STRANGER, 9, external, port + 8))), "no-mapping")
    })

    test("S-45 static mappings carry packets in both directions; requests leave them alone", () => {
      const [host] = kind.hosts
      const end = { protocol: TCP, internal: address(host.address), internalPort: 22, realm: subscriberRealm(host) }
      const external = address("::ffff:203.0.113.9")
      const site = new Site(kind, { staticMappings: [{ ...end, external, externalPort: 2222 }] })
      const came = site.in(from(REMOTE, 5, "203.0.113.9", 2222, "tcp"))
      isPacket(sent(came, "inside"), toHost(kind, host, "tcp", 22, 5, REMOTE, SYN))
      isAt(site.out(host, fromHost(kind, host, "tcp", 22, 5, REMOTE, SYN | ACK)), "203.0.113.9", 2222)
      const asked = site.ask(host, { protocol: TCP, port: 22, lifetime: 600 })
      assert.deepEqual([asked.result, ipv4In(asked.external), asked.externalPort], [0, "203.0.113.9", 2222])
      site.ask(host, { protocol: TCP, port: 22, lifetime: 0 })
      sent(site.in(from(STRANGER, 5, "203.0.113.9", 2222, "tcp")), "inside")
      const { mappings } = listMappings(site.server.cgnState, site.now, 0, 10)
      assert.deepEqual(
        mappings.map((one) => one.kind),
        ["static"],
      )
    })

    test("S-132 what is deleted, or has run out, lets nobody in", () => {
      const deleted = mapped(kind)
      assert.equal(deleted.site.ask(deleted.host, { port: 4000, lifetime: 0 }).result, 0)
      assert.equal(reason(deleted.site.in(from(REMOTE, 9, deleted.external, deleted.port))), "no-mapping")
      const { site, external, port, lifetime } = mapped(kind)
      site.wait(lifetime - 1)
      sent(site.in(from(REMOTE, 9, external, port)), "inside")
      site.wait(1)
      assert.equal(reason(site.in(from(REMOTE, 9, external, port))), "no-mapping")
      assert.deepEqual(listMappings(site.server.cgnState, site.now, 0, 10).mappings, [])
    })

    test("S-131 a deletion leaves what the packets of its host keep alive, to the second", () => {
      const { site, host, external, port } = mapped(kind)
      site.wait(10)
      isAt(site.out(host, fromHost(kind, host, "udp", 4000, 9)), external, port)
      site.wait(50)
      // A packet from outside keeps nothing alive.
      sent(site.in(from(STRANGER, 9, external, port)), "inside")
      const reply = site.ask(host, { port: 4000, lifetime: 0 })
      assert.deepEqual([reply.result, reply.lifetime], [0, 250])
      site.wait(249)
      sent(site.in(from(STRANGER, 9, external, port)), "inside")
      site.wait(1)
      assert.equal(reason(site.in(from(STRANGER, 9, external, port))), "no-mapping")
    })

    test("S-135 neither RST nor FIN of either side shortens a MAP mapping; the implicit one beside it ends", () => {
      for (const over of ["rst-inside", "rst-outside", "fin"] as const) {
        const { site, host, external, port } = mapped(kind, {}, { protocol: TCP, lifetime: 86400 })
        const out = (flags: number) =>
          isAt(site.out(host, fromHost(kind, host, "tcp", 4000, 80, REMOTE, flags)), external, port)
        const back = (flags: number) => {
          const came = sent(site.in(from(REMOTE, 80, external, port, "tcp", flags)), "inside")
          isPacket(came, toHost(kind, host, "tcp", 4000, 80, REMOTE, flags))
        }
        const until = (which: string): number => {
          const { mappings } = listMappings(site.server.cgnState, site.now, 0, 10)
          return ((mappings.find((one) => one.kind === which)?.expires ?? site.now) - site.now) / 1000
        }
        back(SYN)
        out(SYN | ACK)
        back(ACK)
        out(ACK)
        assert.ok(until("implicit") >= 7440)
        if (over === "rst-inside") out(RST)
        if (over === "rst-outside") back(RST)
        if (over === "fin") {
          out(FIN | ACK)
          back(FIN | ACK)
          out(ACK)
        }
        assert.deepEqual([until("implicit"), until("map")], [240, 86400], over)
        site.wait(240)
        assert.deepEqual([until("implicit"), until("map")], [0, 86160], over)
      }
    })
  })
