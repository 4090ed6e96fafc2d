import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import process from "node:process"
import { describe, it } from "node:test"
import { type Clock, serverMachine, startHost } from "../../../adapters/host.ts"
import type { Endpoint, Udp, UdpSocket } from "../../../adapters/udp.ts"
import { createServer, process as serve } from "../../../core/server/index.ts"
import { addressFromIpv4 } from "../../../core/wire/index.ts"
import { inputOf } from "../../fuzz/mutate.ts"
import { randomFrom, seedOf } from "../../fuzz/random.ts"
import { address, opener } from "../udp-suite.ts"

const LOOPBACK = address("127.0.0.1")
/** Octets of the longest UDP payload over IPv4. */
const LONGEST = 65_507
const COUNT = 6000
/** Octets on their way at once: the receiver's buffer holds them, with all that the kernel keeps of each. */
const UNDER_WAY = 60_000

/** A request that is wrong in some way, or none at all; now and then as long as UDP carries. */
const hostile = (seed: number, index: number): Uint8Array => {
  const bytes = inputOf(seed, index)
  const random = randomFrom(seed + index)
  // Most are from whom they say: an address that is not the sender's has them all refused for that.
  if (bytes.length >= 24 && !random.once(8)) bytes.set([255, 255, 127, 0, 0, 1], 18)
  if (!random.once(50)) return bytes
  const longer = new Uint8Array(random.once(3) ? LONGEST : random.below(LONGEST + 1))
  longer.set(bytes.subarray(0, longer.length))
  return longer
}

/** What a socket of the C library does when hostile datagrams come. */
export const hostileSuite = (name: string, udp: Udp): void => {
  const seed = seedOf(9, process.env.SALLYPORT_SEED)
  const inputs = Array.from({ length: COUNT }, (_, i) => hostile(seed, i))

  /** A socket, and what comes back to it. */
  const openClient = async () => {
    const back: Uint8Array[] = []
    const socket = await opener(udp)(
      { local: { address: LOOPBACK, port: 0 } },
      { receive: ({ bytes }) => back.push(bytes.slice()), error: (error) => assert.fail(error.text) },
    )
    return { back, socket }
  }
  /** Sends all of them, as many at once as find room; the next when `isDone` says that so many were dealt with. */
  const sendAll = async (socket: UdpSocket, to: Endpoint, isDone: (count: number) => boolean): Promise<void> => {
    for (let next = 0; next < COUNT; ) {
      for (let size = 0; next < COUNT; next++) {
        size += inputs[next].length + 1000
        if (size > UNDER_WAY && size > inputs[next].length + 1000) break
        socket.send(inputs[next], to)
      }
      while (!isDone(next)) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  describe(`${name}: hostile datagrams (seed ${seed})`, () => {
    it("arrive as they were sent, of 0 to 65,507 octets", async () => {
      let heard = 0
      const server = await opener(udp)(
        { local: { address: LOOPBACK, port: 0 } },
        {
          receive: ({ bytes }) => {
            assert.ok(Buffer.compare(bytes, inputs[heard]) === 0, `datagram ${heard} of ${inputs[heard].length} octets`)
            heard++
          },
          error: (error) => assert.fail(error.text),
        },
      )
      const { socket } = await openClient()
      await sendAll(socket, server.local, (count) => heard >= count)
      assert.ok(inputs.some(({ length }) => length === LONGEST) && inputs.some(({ length }) => length === 0))
      await Promise.all([server.close(), socket.close()])
    })

    it("are answered as the pure server answers them, and nothing is kept of them", async () => {
      // Time stands still, so that both see the same.
      const now = 1_000_000
      const clock: Clock = { now: () => now, after: () => () => {} }
      const made = createServer({ external: [addressFromIpv4(0xcb007107)], secret: new Uint8Array(32), now })
      assert.ok(made.ok)
      let heard = 0
      const counting: Udp = {
        limits: udp.limits,
        bind: (options, receiver) =>
          udp.bind(options, {
            ...receiver,
            receive: (datagram, socket) => {
              heard++
              receiver.receive(datagram, socket)
            },
          }),
      }
      const started = await startHost({
        udp: counting,
        clock,
        machine: serverMachine(),
        state: made.state,
        sockets: [{ local: { address: LOOPBACK, port: 0 } }],
        listener: { socketError: (error) => assert.fail(error.text), fault: (cause) => assert.fail(String(cause)) },
      })
      assert.ok(started.ok)
      const { back, socket } = await openClient()
      let state = made.state
      const expected: Uint8Array[] = []
      /** How many answers there are after so many of the requests. */
      const answers: number[] = [0]
      for (const bytes of inputs) {
        const [after, { reply }] = serve(state, { bytes, now, source: LOOPBACK, sourcePort: socket.local.port })
        state = after
        if (reply !== undefined) expected.push(reply)
        answers.push(expected.length)
      }
      await sendAll(socket, started.value.local[0], (count) => heard >= count && back.length >= answers[count])
      assert.equal(back.length, expected.length)
      assert.ok(expected.length > COUNT / 10)
      for (const [i, reply] of expected.entries()) assert.ok(Buffer.compare(back[i], reply) === 0, `answer ${i}`)
      const files = (): number => readdirSync("/proc/self/fd").length
      const before = files()
      await Promise.all([started.value.stop(), socket.close()])
      assert.equal(files(), before - 2)
    })
  })
}
