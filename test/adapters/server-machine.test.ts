import assert from "node:assert/strict"
import { it } from "node:test"
import { startHost } from "../../adapters/host.ts"
import { type ServerEvent, serverMachine } from "../../adapters/server-machine.ts"
import { createServer, mappingCount, mappings } from "../../core/server/index.ts"
import { mapRequest, octets } from "./cli/command.ts"
import { fakeClock, fakeUdp } from "./fake.ts"
import { address } from "./udp-suite.ts"

const start = async () => {
  const time = fakeClock()
  const net = fakeUdp()
  const events: ServerEvent["type"][] = []
  const created = createServer({
    external: [address("198.51.100.7")],
    secret: new Uint8Array(32),
    now: 0,
    // Ports that are held come due as well.
    recycleDelay: { udp: 0, tcp: 0 },
  })
  assert.ok(created.ok)
  const started = await startHost({
    udp: net.udp,
    clock: time.clock,
    machine: serverMachine(),
    state: created.state,
    sockets: [{ local: { address: address("127.0.0.1"), port: 5351 } }],
    listener: { events: (list) => events.push(...list.map(({ type }) => type)), fault: assert.fail },
  })
  assert.ok(started.ok)
  time.moveTo(1)
  return { time, net, events, host: started.value }
}

const peer = { address: address("127.0.0.1"), port: 40000 }

it("a server on a host answers its client, and drops what wants no answer", async () => {
  const { net, events } = await start()
  net.deliver(0, peer, octets("0000"))
  net.deliver(0, peer, octets("0280 0000"))
  assert.deepEqual(
    net.sockets[0].sent.map(({ bytes, destination }) => [bytes.length, destination.address, destination.port]),
    [[12, peer.address, peer.port]],
  )
  assert.deepEqual(events, ["answered", "dropped"])
})

it("a server on a host goes by what is known of where a datagram arrived: its side and its realm", async () => {
  const time = fakeClock()
  const net = fakeUdp()
  const created = createServer({ external: [address("198.51.100.7")], secret: new Uint8Array(32), now: 0 })
  assert.ok(created.ok)
  const inside = { address: address("127.0.0.1"), port: 5351 }
  const outside = { address: address("127.0.0.2"), port: 5351 }
  const realm = address("2001:db8::b4")
  const started = await startHost({
    udp: net.udp,
    clock: time.clock,
    machine: serverMachine(({ local }) =>
      local.address === outside.address ? { side: "outside" } : { side: "inside", realm },
    ),
    state: created.state,
    sockets: [{ local: inside }, { local: outside }],
  })
  assert.ok(started.ok)
  time.moveTo(1)
  net.deliver(1, peer, mapRequest(5000, 600))
  assert.deepEqual(net.sockets[1].sent, [])
  net.deliver(0, peer, mapRequest(5000, 600))
  assert.deepEqual(
    mappings(started.value.state(), 1).mappings.map((mapping) => mapping.realm),
    [realm],
  )
})

it("a server on a host expires a mapping at its time, with one timer for it", async () => {
  const { time, net, events, host } = await start()
  net.deliver(0, peer, mapRequest(5000, 600))
  net.deliver(0, peer, mapRequest(5001, 900))
  const pending = time.pending()
  assert.equal(pending.length, 1)
  // Whole seconds, late rather than early.
  assert.ok(pending[0] >= 600_000 && pending[0] <= 601_001, `${pending[0]}`)
  assert.equal(mappingCount(host.state()), 2)
  time.moveTo(700_000)
  assert.equal(mappingCount(host.state()), 1)
  time.moveTo(1_000_000)
  assert.equal(mappingCount(host.state()), 0)
  assert.deepEqual(events, ["answered", "answered", "advanced", "advanced"])
})
