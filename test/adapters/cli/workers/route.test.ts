import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { createBatch, type Forwarded, readBatch } from "../../../../adapters/cli/workers/forward.ts"
import { createRoute, type PeerMessage } from "../../../../adapters/cli/workers/route.ts"
import type { Datagram, Receiver, Udp, UdpSocket } from "../../../../adapters/udp.ts"
import { addressFromWords } from "../../../../core/wire/index.ts"
import { address } from "../../udp-suite.ts"

describe("datagrams on their way to their owner", () => {
  it("arrive as they were, in their order", () => {
    const word = fc.integer({ min: -0x80000000, max: 0x7fffffff })
    const forwarded = fc
      .record({
        socket: fc.integer({ min: 0, max: 0xffff }),
        words: fc.tuple(word, word, word, word),
        at: fc.tuple(word, word, word, word),
        port: fc.integer({ min: 0, max: 0xffff }),
        zone: fc.option(fc.stringMatching(/^[a-zé0-9.]{1,15}$/), {
          nil: undefined,
        }),
        bytes: fc.uint8Array({ maxLength: 1200 }),
      })
      .map(({ socket, words, at, port, zone, bytes }): Forwarded => {
        const source = { address: addressFromWords(...words), port }
        const local = addressFromWords(...at)
        return { socket, source: zone === undefined ? source : { ...source, zone }, local, bytes }
      })
    fc.assert(
      fc.property(fc.array(forwarded, { maxLength: 20 }), (all) => {
        const batch = createBatch()
        for (const one of all) batch.add(one)
        assert.equal(batch.count, all.length)
        const read: Forwarded[] = []
        assert.equal(
          readBatch(batch.take(), (one) => read.push({ ...one, bytes: one.bytes.slice() })),
          all.length,
        )
        assert.deepEqual(read, all)
        assert.deepEqual([batch.count, batch.take().length], [0, 0])
      }),
    )
  })
})

/** Two routes whose peers are each other, over sockets that hear what a test says. */
const scene = async () => {
  const heard: string[] = []
  const posted: PeerMessage[][] = [[], []]
  const later: (() => void)[] = []
  const says: ((datagram: Datagram) => void)[] = []
  const local = { address: address("127.0.0.1"), port: 5351 }
  const sockets = [0, 1].map(
    (number): UdpSocket => ({
      local,
      buffers: undefined,
      send: (bytes) => heard.push(`${number} sends ${bytes.join()}`),
      sendMany: () => {},
      joinMulticast: async () => ({ ok: true, value: undefined }),
      leaveMulticast: async () => ({ ok: true, value: undefined }),
      close: async () => {},
    }),
  )
  const owner = { of: ({ bytes }: Datagram): number => bytes[0] }
  const routes = [0, 1].map((number) => {
    const udp: Udp = {
      limits: [],
      bind: async (_, receiver) => {
        says[number] = (datagram) => receiver.receive(datagram, sockets[number])
        return { ok: true, value: sockets[number] }
      },
    }
    const peers = [0, 1].map((to) => (to === number ? undefined : { post: (m: PeerMessage) => posted[to].push(m) }))
    return createRoute({ udp, number, peers, owner: (one) => owner.of(one), soon: (call) => later.push(call) })
  })
  for (const [number, route] of routes.entries()) {
    // The first tries to listen where it cannot, as without IPv6, and then listens elsewhere.
    const failed = number === 0 && (await route.udp.bind({ local }, { receive: () => {}, error: () => {} }))
    if (failed !== false && failed.ok) await failed.value.close()
    const receiver: Receiver = {
      receive: ({ bytes, source }, socket) => {
        heard.push(`${number} hears ${bytes.join()} from ${source.port}`)
        socket.send(bytes, source)
      },
      error: () => {},
    }
    await route.udp.bind({ local }, receiver)
  }
  const say = (number: number, port: number, ...octets: number[]): void =>
    says[number]({ bytes: Uint8Array.from(octets), source: { address: local.address, port }, local })
  const settle = (): void => {
    for (const call of later.splice(0)) call()
    for (let busy = true; busy; ) {
      busy = false
      for (const to of [0, 1])
        for (const message of posted[to].splice(0)) {
          busy = true
          routes[to].hear(1 - to, message)
        }
    }
  }
  return { heard, later, owner, posted, routes, say, settle }
}

describe("a worker's sockets", () => {
  it("hear what is the worker's own at once, and hand the rest to its owner, who answers from his own", async () => {
    const { heard, posted, routes, say, settle } = await scene()
    say(0, 1, 0)
    assert.deepEqual(heard, [], "not before they are opened")
    for (const route of routes) route.open()
    say(0, 1, 0, 7)
    say(0, 2, 1, 8)
    say(0, 3, 1, 9)
    assert.deepEqual(heard.splice(0), ["0 hears 0,7 from 1", "0 sends 0,7"])
    settle()
    assert.deepEqual(heard, ["1 hears 1,8 from 2", "1 sends 1,8", "1 hears 1,9 from 3", "1 sends 1,9"])
    assert.deepEqual(posted, [[], []])
  })

  it("let no more wait at an owner than it can take", async () => {
    const { heard, later, posted, routes, say, settle } = await scene()
    for (const route of routes) route.open()
    for (let n = 0; n < 10_000; n++) say(0, n, 1)
    for (const call of later.splice(0)) call()
    say(0, 1, 1)
    assert.equal(posted[1].length, 1, "one batch, and nothing after it while none is done")
    settle()
    assert.equal(heard.length, 2 * 4096)
    say(0, 1, 1)
    settle()
    assert.equal(heard.length, 2 * 4097)
  })

  it("hear nothing twice or elsewhere when the owners change on the way: only what is the worker's own to both", async () => {
    const { heard, owner, routes, say, settle } = await scene()
    for (const route of routes) route.open()
    say(0, 1, 1, 7)
    // THIRD_PARTY came on, say, and the one that hears it has not read the settings yet that the other has.
    owner.of = ({ bytes }) => 1 - bytes[0]
    settle()
    assert.deepEqual(heard, [])
    say(0, 1, 1, 7)
    assert.deepEqual(heard, ["0 hears 1,7 from 1", "0 sends 1,7"])
  })
})
