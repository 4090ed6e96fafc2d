import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { createAdopted } from "../../../adapters/linux/adopted.ts"
import type { Conntrack, Follower } from "../../../adapters/linux/conntrack.ts"
import { namedBy } from "../../../adapters/linux/ending.ts"
import {
  type Connections,
  createTrack,
  type Track,
  type Tracked,
  type TrackSettings,
  type Tuple,
} from "../../../adapters/linux/index.ts"
import { createLive, endKey, NEWEST } from "../../../adapters/linux/live.ts"
import type { Change, Mapping } from "../../../core/cgn/index.ts"
import { createServer, mappings, type ServerState, process as serve } from "../../../core/server/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { address, type Fields, map, natPmpMap, OTHER_NONCE, option, peer, read } from "../../core/server/scene.ts"

const UDP = 17
const EXTERNAL = "203.0.113.7"
const tupleOf = (source: string, sourcePort: number, destination: string, destinationPort: number): Tuple => ({
  protocol: UDP,
  source: address(source),
  sourcePort,
  destination: address(destination),
  destinationPort,
})
/** A connection that a host began, as it leaves from an external port. */
const outbound = (port: number, externalPort: number, remotePort: number, timeout = 30): Tracked => ({
  original: tupleOf("10.0.0.1", port, "198.51.100.7", remotePort),
  reply: tupleOf("198.51.100.7", remotePort, EXTERNAL, externalPort),
  status: 0,
  timeout,
  tcpState: undefined,
})
/** One that came to an external port from outside; `status` 2: it was answered. */
const inbound = (port: number, externalPort: number, remotePort: number, status: number, timeout = 30): Tracked => ({
  original: tupleOf("198.51.100.7", remotePort, EXTERNAL, externalPort),
  reply: tupleOf("10.0.0.1", port, "198.51.100.7", remotePort),
  status,
  timeout,
  tcpState: undefined,
})
const isSame = (a: Tuple, b: Tuple): boolean =>
  a.source === b.source &&
  a.sourcePort === b.sourcePort &&
  a.destination === b.destination &&
  a.destinationPort === b.destinationPort

/** A kernel of connections, and a server that minds them. */
const scene = async (t: { after(call: () => void): void }, quota = 0, questions = 1000) => {
  const kernel: Tracked[] = []
  const prolonged: number[] = []
  let follower: Follower | undefined
  let lists = 0
  let asked = 0
  const conntrack: Conntrack = {
    way: "a test",
    questions,
    get: (tuple) => {
      asked++
      return kernel.find(({ original, reply }) => isSame(original, tuple) || isSame(reply, tuple))
    },
    prolong: (original, seconds) => {
      prolonged.push(seconds)
      const at = kernel.findIndex((one) => isSame(one.original, original))
      if (at >= 0) kernel[at] = { ...kernel[at], timeout: seconds }
      return at >= 0
    },
    end: () => {},
    idle: async () => {},
    list: async (_family, visit) => {
      lists++
      for (const one of kernel) visit(one)
      return true
    },
    follow: (told) => {
      follower = told
      return { drain: () => false, narrow: () => {}, close: () => {} }
    },
    close: () => {},
  }
  const made = createServer({
    external: [address(EXTERNAL)],
    secret: new Uint8Array(32),
    now: 0,
    minLifetime: 2,
    ports: { first: 1024, last: 32767 },
  })
  assert.ok(made.ok)
  let instant = 0
  const settings: TrackSettings = {
    external: [address(EXTERNAL)],
    implicitPorts: { first: 32768, last: 65535 },
    idleTimeout: { udp: 300, tcp: 7440 },
    quota,
    noncePolicy: "rfc",
  }
  const over: Change[] = []
  const track: Track = createTrack(
    conntrack,
    settings,
    () => instant,
    (changes) => {
      over.push(...changes)
      track.committed(changes, instant)
    },
  )
  t.after(() => track.close())
  // The first list is there.
  await new Promise((next) => setImmediate(next))
  let state: ServerState = { ...made.state, cgn: track.wrap(made.state.cgn) }
  const serveOne = (bytes: readonly number[]): { reply: Uint8Array | undefined; changes: readonly Change[] } => {
    const request = { bytes: Uint8Array.from(bytes), now: instant, source: address("10.0.0.1"), sourcePort: 5350 }
    const [after, done] = serve(state, request)
    state = after
    return done
  }
  return {
    kernel,
    prolonged,
    /** Result codes of requests of which the kernel takes all or none. */
    askTogether: (requests: readonly (readonly number[])[], isTaken: boolean): readonly number[] => {
      const before = state
      const all = requests.map(serveOne)
      if (isTaken)
        track.committed(
          all.flatMap(({ changes }) => changes),
          instant,
        )
      else {
        track.refused()
        state = before
      }
      return all.map(({ reply }) => read(reply ?? assert.fail()).result)
    },
    follower: () => follower ?? assert.fail(),
    lists: () => lists,
    asked: () => asked,
    at: (now: number) => {
      instant = now
    },
    begin: (one: Tracked) => {
      kernel.push(one)
      follower?.told("began", one)
    },
    /** The answer's octets, and what changed but for counters. */
    ask: (bytes: readonly number[]): { bytes: Uint8Array; changes: readonly Change[] } => {
      const { reply, changes } = serveOne(bytes)
      track.committed(changes, instant)
      return { bytes: reply ?? assert.fail(), changes: changes.filter(({ type }) => type !== "counted") }
    },
    expiries: (): readonly number[] => mappings(state, instant).mappings.map(({ expires }) => expires),
    adopted: () => [...track.mappings()],
    over,
    follow: (external: string) => track.follow({ ...settings, external: [address(external)] }),
    isOver: async (count: number) => {
      while (over.length < count) await new Promise((next) => setTimeout(next, 20))
    },
  }
}
const of = (port: number, lifetime: number, more: Fields = {}): Fields => ({ port, lifetime, ...more })
const peerOf = (port: number, remotePort: number, lifetime: number, more: Fields = {}): number[] =>
  peer({ ...of(port, lifetime, more), remote: "198.51.100.7", remotePort })

describe("a server that minds the kernel's connections", () => {
  it("S-131: a deletion leaves what the longest of a mapping's connections has left, a second more as the kernel cuts it", async (t) => {
    const there = await scene(t)
    const { externalPort } = read(there.ask(map(of(4000, 600))).bytes)
    there.begin(outbound(4000, externalPort, 1, 17))
    there.begin(outbound(4000, externalPort, 2, 29))
    there.begin(inbound(4000, externalPort, 3, 2, 25))
    // What nobody inside has answered, and what leaves by another port or from another one, says nothing.
    there.begin(inbound(4000, externalPort, 4, 0, 120))
    there.begin(outbound(4000, 40_000, 5, 120))
    there.begin(outbound(4001, externalPort, 6, 120))
    const deletion = there.ask(map(of(4000, 0)))
    assert.equal(read(deletion.bytes).lifetime, 30)
    assert.deepEqual(
      deletion.changes.map((change) => [change.type, "mapping" in change && change.mapping.expires]),
      [["renewed", 30_000]],
    )
    assert.deepEqual(there.expiries(), [30_000])
    // Renewed to less: no less than that either.
    assert.equal(read(there.ask(map(of(4000, 2))).bytes).lifetime, 30)
    assert.equal(read(there.ask(map(of(4000, 600))).bytes).lifetime, 600)
    there.kernel.splice(0)
    const gone = there.ask(map(of(4000, 0)))
    assert.deepEqual([read(gone.bytes).lifetime, gone.changes[0]?.type, there.expiries().length], [0, "deleted", 0])
  })

  it("S-131: with a nonce that is not its own nothing is left or renewed, and no more than the idle time is", async (t) => {
    const there = await scene(t)
    const { externalPort } = read(there.ask(map(of(4000, 600))).bytes)
    there.begin(outbound(4000, externalPort, 1, 432_000))
    const other = there.ask(map(of(4000, 0, { nonce: OTHER_NONCE })))
    assert.deepEqual([read(other.bytes).result, other.changes], [2, []])
    assert.equal(read(there.ask(map(of(4000, 0))).bytes).lifetime, 300)
    // NAT-PMP's deletion is one (RFC 6886 section 3.4).
    const made = there.ask(natPmpMap(1, 4100, 0, 600)).bytes
    there.begin(outbound(4100, (made[10] << 8) | made[11], 1, 100))
    assert.equal(there.ask(natPmpMap(1, 4100, 0, 0)).changes[0]?.type, "deleted")
  })

  it("S-131: what one request may not ask the kernel any more counts as a whole idle time: a set of ports asks no more than one", async (t) => {
    const there = await scene(t, 0, 3)
    const set = option(130, [0, 4, 0x0f, 0xa0, 0])
    const made = there.ask(map(of(4000, 600, { options: set })))
    const mapped = made.changes.flatMap((change) => (change.type === "created" ? [change.mapping] : []))
    assert.deepEqual(
      mapped.map(({ internalPort }) => internalPort),
      [4000, 4001, 4002, 4003],
    )
    for (const { internalPort, externalPort } of mapped)
      for (const remote of [1, 2]) there.begin(outbound(internalPort, externalPort, remote, 20))
    const asked = there.asked()
    const gone = there.ask(map(of(4000, 0, { options: set })))
    assert.equal(there.asked() - asked, 3)
    assert.deepEqual(
      gone.changes.map((change) => ("mapping" in change ? [change.type, change.mapping.expires] : [])),
      // Of the second nobody asked about one of the two.
      [21_000, 300_000, 300_000, 300_000].map((expires) => ["renewed", expires]),
    )
    assert.equal(read(gone.bytes).lifetime, 300)
  })

  it("a mapping without connections asks the kernel nothing", async (t) => {
    const there = await scene(t)
    for (const lifetime of [600, 120, 0]) there.ask(map(of(4000, lifetime)))
    assert.equal(there.asked(), 0)
  })

  it("S-131: when events were lost, a list of all connections tells what there is", async (t) => {
    const there = await scene(t)
    const { externalPort } = read(there.ask(map(of(4000, 600))).bytes)
    // Nothing was told of it.
    there.kernel.push(outbound(4000, externalPort, 1))
    const before = there.lists()
    there.follower().lost()
    // Until then it may be any: another's deletion leaves it all that it may have.
    there.ask(map(of(4001, 600)))
    assert.equal(read(there.ask(map(of(4001, 0))).bytes).lifetime, 300)
    for (let turns = 0; there.lists() === before; turns++) {
      assert.ok(turns < 1000)
      await new Promise((next) => setImmediate(next))
    }
    await new Promise((next) => setImmediate(next))
    assert.equal(read(there.ask(map(of(4000, 0))).bytes).lifetime, 31)
  })

  it("S-65, S-66: PEER of the kernel's connection has its external end, is kept apart from MAP's, and is its first nonce's", async (t) => {
    const there = await scene(t, 2)
    there.begin(outbound(4000, 40_000, 80))
    const first = there.ask(peerOf(4000, 80, 600))
    assert.deepEqual([read(first.bytes).externalPort, read(first.bytes).lifetime], [40_000, 600])
    assert.equal(first.changes.length, 1)
    assert.deepEqual(there.prolonged, [600])
    assert.equal(read(there.ask(peerOf(4000, 80, 600, { nonce: OTHER_NONCE })).bytes).result, 2)
    // S-69: neither asked for shorter nor asked for nothing makes it so.
    there.at(100_000)
    for (const lifetime of [0, 120]) {
      const asked = there.ask(peerOf(4000, 80, lifetime))
      assert.deepEqual([read(asked.bytes).lifetime, asked.changes], [500, []])
    }
    assert.equal(there.ask(peerOf(4000, 80, 600)).changes[0]?.type, "renewed")
    // The same external port to another peer: the kernel gives it so, and both are right.
    there.begin(outbound(4000, 40_000, 81))
    assert.equal(read(there.ask(peerOf(4000, 81, 600)).bytes).externalPort, 40_000)
    assert.equal(there.adopted().length, 2)
    // S-52: no more than the quota.
    there.begin(outbound(4000, 40_000, 82))
    assert.equal(read(there.ask(peerOf(4000, 82, 600)).bytes).result, 10)
    // S-134: MAP deletes none of them, and its own mapping has a port of its own.
    assert.equal(read(there.ask(map(of(4000, 0))).bytes).result, 2)
    assert.ok(read(there.ask(map(of(4000, 600))).bytes).externalPort < 32768)
    assert.equal(read(there.ask(map(of(4000, 0))).bytes).result, 0)
    // Of a connection that is over there is nothing left, and the next PEER is like any.
    there.kernel.splice(0)
    const anew = there.ask(peerOf(4000, 80, 600))
    assert.deepEqual(
      anew.changes.map(({ type }) => type).filter((type) => type !== "freed"),
      ["expired", "created"],
    )
    assert.ok(read(anew.bytes).externalPort < 32768)
    assert.equal(there.adopted().length, 1)
  })

  it("S-131: PEER's lifetime is no less than what its connection has left, asked for or not", async (t) => {
    const there = await scene(t)
    there.begin(outbound(4000, 40_000, 80, 29))
    const asked = there.ask(peerOf(4000, 80, 0))
    assert.deepEqual([read(asked.bytes).lifetime, read(asked.bytes).externalPort, asked.changes], [30, 40_000, []])
    assert.equal(read(there.ask(peerOf(4000, 80, 2)).bytes).lifetime, 30)
    // The same where it has a mapping's port.
    const { externalPort } = read(there.ask(map(of(4001, 600))).bytes)
    there.begin(outbound(4001, externalPort, 80, 99))
    assert.equal(read(there.ask(peerOf(4001, 80, 2)).bytes).lifetime, 100)
  })

  it("PEER of a connection ends with it, with its lifetime, and with its external address, once", async (t) => {
    const there = await scene(t)
    for (const remotePort of [80, 81, 82]) {
      there.begin(outbound(4000, 40_000, remotePort))
      there.ask(peerOf(4000, remotePort, 600 + remotePort))
    }
    const [ended] = there.kernel.splice(0, 1)
    there.follower().told("ended", ended)
    await there.isOver(1)
    there.at(681_000)
    await there.isOver(2)
    // Its address is the device's no more, and its connection has ended for that.
    there.follow("203.0.113.8")
    there.kernel.splice(0)
    await there.isOver(3)
    assert.deepEqual(
      there.over.map((change) => ("mapping" in change ? [change.type, change.mapping.remotePort] : [])),
      [80, 81, 82].map((port) => ["expired", port]),
    )
    assert.deepEqual(there.adopted(), [])
  })

  it("S-52, S-66: quota and nonce hold for requests of which the kernel takes all or none", async (t) => {
    const there = await scene(t, 2)
    for (const remotePort of [80, 81, 82]) there.begin(outbound(4000, 40_000, remotePort))
    const requests = [
      peerOf(4000, 80, 600),
      peerOf(4000, 80, 600, { nonce: OTHER_NONCE }),
      peerOf(4000, 81, 600),
      peerOf(4000, 82, 600),
    ]
    for (const isTaken of [false, true]) {
      assert.deepEqual(there.askTogether(requests, isTaken), [0, 2, 0, 10])
      assert.equal(there.adopted().length, isTaken ? 2 : 0)
    }
  })

  it("a connection that has an external port of mappings is PEER's with that port", async (t) => {
    const there = await scene(t)
    there.begin(outbound(4000, 2000, 80))
    assert.equal(read(there.ask(peerOf(4000, 80, 600)).bytes).externalPort, 2000)
    assert.equal(there.adopted().length, 0)
  })
})

describe("PEER mappings of the kernel's connections", () => {
  it("end although the kernel chooses other external ends by now, and none but the one that ended", () => {
    let kernels = EXTERNAL
    const adopted = createAdopted(({ external }) => external === address(kernels))
    const mapping: Mapping = {
      kind: "peer",
      origin: "pcp",
      protocol: UDP,
      internal: address("10.0.0.1"),
      internalPort: 4000,
      realm: undefined,
      external: address(EXTERNAL),
      externalPort: 40_000,
      remote: address("198.51.100.7"),
      remotePort: 80,
      nonce: undefined,
      expires: 600_000,
      clientPort: 5350,
      details: undefined,
    }
    adopted.fold([{ type: "created", mapping }])
    kernels = "203.0.113.8"
    // The server's own mapping of the same two ends.
    adopted.fold([{ type: "expired", mapping: { ...mapping, externalPort: 2000 } }])
    assert.deepEqual([...adopted.all()], [mapping])
    adopted.fold([{ type: "expired", mapping }])
    assert.deepEqual([adopted.size(), adopted.countOf(mapping.internal), adopted.has(mapping)], [0, 0, false])
  })
})

describe("the table of connections by mappings", () => {
  const key = endKey(UDP, address("10.0.0.1"), 4000)
  const end = { protocol: UDP, internal: address("10.0.0.1"), internalPort: 4000 }

  it("has what began and did not end, the newest first, and no more than its bounds", () => {
    const live = createLive(({ original }) => [endKey(UDP, original.source, original.sourcePort)], 2 * NEWEST)
    for (let i = 0; i < NEWEST + 5; i++) live.began(outbound(4000, 2000, i))
    live.ended(outbound(4000, 2000, NEWEST))
    live.ended(outbound(4000, 2000, 1))
    const ports = live.of(end).map(({ destinationPort }) => destinationPort)
    const expected = Array.from({ length: NEWEST }, (_, i) => NEWEST + 4 - i).filter((port) => port !== NEWEST)
    assert.deepEqual(ports, expected)
    // Others push out those of the end that had none for the longest time.
    for (let port = 5000; port < 5000 + 3 * NEWEST; port++) live.began(outbound(port, 2000, 1))
    assert.deepEqual([live.has(end), live.size(), [...live.ends()].includes(key)], [false, 2 * NEWEST, false])
  })
})

describe("connections by name", () => {
  it("are those that conntrack's own way of naming them gives, however many names there are", () => {
    const host = fc.constantFrom("10.0.0.1", "10.0.0.2", EXTERNAL)
    const port = fc.integer({ min: 1, max: 3 })
    const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined })
    const name: fc.Arbitrary<Connections> = fc
      .record({
        protocol: maybe(fc.constantFrom(6, 17)),
        source: maybe(host),
        sourcePort: maybe(port),
        destination: maybe(host),
        destinationPort: maybe(port),
        answers: maybe(host),
        answersPort: maybe(port),
      })
      .map(({ protocol, ...rest }) => ({
        family: 4,
        protocol,
        ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
      }))
    const tuple = fc.tuple(host, port, host, port).map((ends) => tupleOf(...ends))
    fc.assert(
      fc.property(fc.array(name, { maxLength: 6 }), tuple, tuple, (names, original, reply) => {
        const fits = (one: Connections): boolean =>
          (one.protocol ?? UDP) === UDP &&
          (one.source ?? formatAddress(original.source)) === formatAddress(original.source) &&
          (one.sourcePort ?? original.sourcePort) === original.sourcePort &&
          (one.destination ?? formatAddress(original.destination)) === formatAddress(original.destination) &&
          (one.destinationPort ?? original.destinationPort) === original.destinationPort &&
          (one.answers ?? formatAddress(reply.destination)) === formatAddress(reply.destination) &&
          (one.answersPort ?? reply.destinationPort) === reply.destinationPort
        const connection = { original, reply, status: 0, timeout: 1, tcpState: undefined }
        assert.equal(namedBy(names).has(connection), names.some(fits))
        assert.equal(namedBy(names.map((one) => ({ ...one, family: 6 }))).has(connection), false)
      }),
    )
  })
})
