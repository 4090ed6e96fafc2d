import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { describe, it } from "node:test"
import { clock, udp as runtimeUdp } from "#runtime"
import { serverMachine, startHost } from "../../../adapters/host.ts"
import { createGate, fastUdp, type GateKeeper } from "../../../adapters/linux/index.ts"
import type { ServerEvent } from "../../../adapters/server-machine.ts"
import type { Udp, UdpSocket } from "../../../adapters/udp.ts"
import type { CgnState, Change } from "../../../core/cgn/index.ts"
import { createServer, mappings, type ServerState } from "../../../core/server/index.ts"
import { type Address, parseAddress } from "../../../core/wire/index.ts"

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

/** NAT-PMP's mapping request for UDP (RFC 6886 section 3.3). */
const request = (port: number, lifetime = 600): Uint8Array =>
  Uint8Array.of(0, 1, 0, 0, port >> 8, port & 255, port >> 8, port & 255, 0, 0, lifetime >> 8, lifetime & 255)

/** A server behind a gate, and a client of it. `refuse` says what the kernel does not take. */
const sceneOver = async (udp: Udp, refuse: (changes: readonly Change[]) => boolean) => {
  const commits: (readonly Change[])[] = []
  const followed: Change[] = []
  const events: ServerEvent[] = []
  let mended = 0
  const made = createServer({ external: [address("203.0.113.7")], secret: new Uint8Array(32), now: clock.now() })
  assert.ok(made.ok)
  const keeper: GateKeeper<CgnState> = {
    commit: (changes) => {
      const real = changes.filter(({ type }) => type !== "counted")
      commits.push(real)
      return !refuse(real)
    },
    mend: () => {
      mended++
    },
    follow: (changes) => {
      followed.push(...changes)
    },
  }
  const gate = createGate(udp, keeper)
  const started = await startHost({
    udp: gate.udp,
    clock,
    machine: serverMachine(),
    state: made.state,
    sockets: [{ local: { address: address("127.0.0.1"), port: 0 } }],
    listener: { events: gate.events((told) => events.push(...told)) },
  })
  assert.ok(started.ok)
  const host = started.value
  gate.open(host)
  const socket = createSocket("udp4")
  socket.bind(0, "127.0.0.1")
  await once(socket, "listening")
  const answers: Buffer[] = []
  socket.on("message", (message) => answers.push(message))
  return {
    host,
    commits,
    followed,
    events,
    mended: () => mended,
    /** Sends all in one turn, and waits for as many answers; by their internal ports. */
    ask: async (requests: readonly Uint8Array[]): Promise<ReadonlyMap<number, number>> => {
      answers.length = 0
      for (const one of requests) socket.send(one, host.local[0].port, "127.0.0.1")
      while (answers.length < requests.length) await once(socket, "message")
      return new Map(answers.map((bytes) => [bytes.readUInt16BE(8), bytes.readUInt16BE(2)]))
    },
    ports: (state: ServerState = host.state()): readonly number[] =>
      mappings(state, clock.now()).mappings.map(({ internalPort }) => internalPort),
    stop: async () => {
      socket.close()
      await host.stop()
    },
  }
}

const fast = fastUdp()
const UDPS: readonly (readonly [string, Udp | undefined])[] = [
  ["the runtime's own sockets", runtimeUdp],
  ["those of the C library", fast.ok ? fast.value : undefined],
]

for (const [name, udp] of UDPS)
  describe(`the gate between a server and its kernel, over ${name}`, { skip: udp === undefined }, () => {
    const scene = (refuse: (changes: readonly Change[]) => boolean) => {
      assert.ok(udp !== undefined)
      return sceneOver(udp, refuse)
    }

    it("requests that arrive together are few transactions, and each is answered when the kernel has it", async () => {
      const there = await scene(() => false)
      const asked = Array.from({ length: 20 }, (_, i) => 5000 + i)
      const answers = await there.ask(asked.map((port) => request(port)))
      assert.deepEqual(
        [...answers].sort(([a], [b]) => a - b),
        asked.map((port) => [port, 0]),
      )
      assert.ok(there.commits.length < 20, `${there.commits.length}`)
      assert.equal(there.commits.flat().filter(({ type }) => type === "created").length, 20)
      assert.equal(there.events.length, 20)
      await there.stop()
    })

    it("of a batch that is refused each request is tried alone; the refused one is answered NO_RESOURCES and changes nothing", async () => {
      const there = await scene((changes) =>
        changes.some((change) => "mapping" in change && change.mapping.internalPort === 5003),
      )
      const answers = await there.ask([5001, 5002, 5003, 5004].map((port) => request(port)))
      // RFC 6886 section 3.5: 4 is out of resources.
      assert.deepEqual(
        [...answers].sort(([a], [b]) => a - b),
        [
          [5001, 0],
          [5002, 0],
          [5003, 4],
          [5004, 0],
        ],
      )
      assert.ok(there.mended() > 0)
      assert.deepEqual([...there.ports()].sort(), [5001, 5002, 5004])
      const created = there.events.flatMap((event) => ("changes" in event ? event.changes : []))
      assert.deepEqual(
        created.flatMap((change) => (change.type === "created" ? change.mapping.internalPort : [])).sort(),
        [5001, 5002, 5004],
      )
      await there.stop()
    })

    it("a deletion that is refused leaves the mapping where it is, and it can be had again", async () => {
      let isRefusing = false
      const there = await scene((changes) => isRefusing && changes.length > 0)
      await there.ask([request(5001)])
      isRefusing = true
      assert.deepEqual([...(await there.ask([request(5001, 0)]))], [[5001, 4]])
      assert.deepEqual(there.ports(), [5001])
      // The server is the same as before: its CGN refuses nothing.
      isRefusing = false
      assert.deepEqual([...(await there.ask([request(5002)]))], [[5002, 0]])
      assert.deepEqual([...(await there.ask([request(5001, 0)]))], [[5001, 0]])
      assert.deepEqual(there.ports(), [5002])
      await there.stop()
    })

    it("what runs out is told to the kernel too", async () => {
      const there = await scene(() => false)
      await there.ask([request(5001, 1)])
      while (!there.followed.some(({ type }) => type === "expired")) await new Promise((next) => setTimeout(next, 20))
      assert.deepEqual(there.ports(), [])
      await there.stop()
    })
  })

describe("the gate between a server and its kernel", () => {
  it("holds back what a server sends many of at once too", async () => {
    const sent: number[] = []
    const bare: UdpSocket = {
      local: { address: address("127.0.0.1"), port: 5351 },
      buffers: undefined,
      send: () => sent.push(1),
      sendMany: (datagrams) => sent.push(datagrams.length),
      joinMulticast: async () => ({ ok: true, value: undefined }),
      leaveMulticast: async () => ({ ok: true, value: undefined }),
      close: async () => {},
    }
    let arrive = (): void => {}
    const made = createServer({ external: [address("203.0.113.7")], secret: new Uint8Array(32), now: clock.now() })
    assert.ok(made.ok)
    const before: number[] = []
    let taken = (): void => {}
    const committed = new Promise<void>((resolve) => {
      taken = resolve
    })
    const gate = createGate<CgnState>(
      {
        limits: [],
        bind: async (_, receiver) => {
          arrive = () => receiver.receive({ bytes: request(5001), source: bare.local, local: bare.local }, bare)
          return { ok: true, value: bare }
        },
      },
      {
        commit: () => {
          before.push(...sent)
          setImmediate(taken)
          return true
        },
        mend: () => {},
        follow: () => {},
      },
    )
    const outgoing = { bytes: request(5002), destination: bare.local }
    const bound = await gate.udp.bind(
      { local: bare.local },
      { receive: (_, socket) => socket.sendMany([outgoing, outgoing]), error: () => {} },
    )
    assert.ok(bound.ok)
    const state = made.state
    gate.open({ state: () => state, act: () => {}, local: [bare.local], stop: async () => state })
    arrive()
    await committed
    assert.deepEqual([before, sent], [[], [2]])
    // Of its own accord, there is nothing to wait for.
    bound.value.sendMany([outgoing, outgoing, outgoing])
    assert.deepEqual(sent, [2, 3])
  })
})
