import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import { describe, it } from "node:test"
import type { Outgoing, Receiver, UdpSocket } from "../../adapters/udp.ts"
import type { Runtime } from "./runtime.ts"
import { address, bytes, hasIpv6, inbox, opener, turn } from "./udp-suite.ts"

const BURST = 10_000
/** Octets of a receive buffer that a short datagram takes on Linux, with all that the kernel keeps of it. */
const KEPT = 832
const LOOPBACK = address("127.0.0.1")
const linux = process.platform === "linux" && existsSync("/proc/net/udp") ? false : "only Linux counts a socket's drops"

/** Datagrams that the system dropped for want of room, of the socket on a port of IPv4. */
const drops = (port: number): number => {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  const row = readFileSync("/proc/net/udp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find((columns) => columns[1]?.endsWith(end))
  assert.ok(row !== undefined, `no socket on port ${port}`)
  return Number(row.at(-1))
}

const numbered = (number: number, length = 60): Uint8Array => {
  const octets = new Uint8Array(length)
  new DataView(octets.buffer).setUint32(0, number)
  return octets
}

/** Counts datagrams by their numbers and wakes whoever waits. */
const counter = () => {
  const numbers: number[] = []
  let wake = (): void => {}
  const receiver: Receiver = {
    receive: (datagram) => {
      numbers.push(new DataView(datagram.bytes.buffer, datagram.bytes.byteOffset).getUint32(0))
      wake()
    },
    error: (error) => assert.fail(error.text),
  }
  const until = async (done: () => boolean): Promise<void> => {
    while (!done())
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  return { numbers, receiver, until }
}

const ascending = (numbers: readonly number[]): boolean => numbers.every((n, i) => i === 0 || n > numbers[i - 1])

/** What every runtime's adapter must bear, on loopback. */
export const loadSuite = ({ name, udp }: Pick<Runtime, "name" | "udp">): void => {
  const open = opener(udp)
  const pair = async (left: Receiver, right: Receiver, at = LOOPBACK): Promise<readonly [UdpSocket, UdpSocket]> => {
    const local = { address: at, port: 0 }
    return [await open({ local }, left), await open({ local, receiveBuffer: BURST * KEPT }, right)]
  }

  describe(`${name}: load`, () => {
    for (const [family, loopback, skip] of [
      ["IPv4", "127.0.0.1", false],
      ["IPv6", "::1", hasIpv6 ? false : "this machine has no ::1"],
    ] as const) {
      it(`carries every length from 0 to 1100 octets, and longer ones, over ${family}`, { skip }, async () => {
        const lengths = [...Array.from({ length: 1101 }, (_, i) => i), 1232, 1472, 4096, 9000, 65_507]
        const heard: Uint8Array[] = []
        let wake = (): void => {}
        const local = { address: address(loopback), port: 0 }
        const left = await open({ local }, inbox().receiver)
        const right = await open(
          { local },
          {
            receive: (datagram) => {
              heard.push(datagram.bytes.slice())
              wake()
            },
            error: (error) => assert.fail(error.text),
          },
        )
        for (const [i, length] of lengths.entries()) {
          const octets = Uint8Array.from({ length }, (_, at) => (at * 7 + length) & 255)
          left.send(octets, right.local)
          while (heard.length <= i)
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          assert.deepEqual(Uint8Array.from(heard[i]), octets)
        }
        await Promise.all([left.close(), right.close()])
      })

      it(`loses none of 10,000 datagrams of which 64 are under way over ${family}, and keeps their order`, {
        skip,
      }, async () => {
        const count = counter()
        const [left, right] = await pair(inbox().receiver, count.receiver, address(loopback))
        for (let sent = 0; sent < BURST; ) {
          const batch: Outgoing[] = []
          for (; batch.length < 64 && sent < BURST; sent++)
            batch.push({ bytes: numbered(sent), destination: right.local })
          left.sendMany(batch)
          await count.until(() => count.numbers.length === sent)
        }
        assert.ok(ascending(count.numbers))
        await Promise.all([left.close(), right.close()])
      })
    }

    it("of 10,000 datagrams at once loses only what finds no room, and none in a buffer sized for them", {
      skip: linux,
    }, async () => {
      const count = counter()
      const [left, right] = await pair(inbox().receiver, count.receiver)
      left.sendMany(Array.from({ length: BURST }, (_, i) => ({ bytes: numbered(i), destination: right.local })))
      while (count.numbers.length + drops(right.local.port) < BURST) await turn()
      assert.equal(count.numbers.length + drops(right.local.port), BURST)
      assert.ok(ascending(count.numbers))
      if ((right.buffers?.receive ?? 0) >= BURST * KEPT) assert.equal(drops(right.local.port), 0)
      await Promise.all([left.close(), right.close()])
    })

    it("sends what was given before close", async () => {
      const count = counter()
      const [left, right] = await pair(inbox().receiver, count.receiver)
      for (let i = 0; i < 50; i++) left.send(numbered(i), right.local)
      await left.close()
      await count.until(() => count.numbers.length === 50)
      await right.close()
    })

    it("closes while datagrams arrive, and tells of none afterwards", async () => {
      let heard = 0
      let closing: Promise<void> | undefined
      const right = await open(
        { local: { address: LOOPBACK, port: 0 } },
        {
          receive: (_, socket) => {
            heard++
            if (heard === 10) closing = socket.close()
          },
          error: (error) => assert.fail(error.text),
        },
      )
      const left = await open({ local: { address: LOOPBACK, port: 0 } }, inbox().receiver)
      while (closing === undefined) {
        left.sendMany(Array.from({ length: 100 }, () => ({ bytes: bytes("x"), destination: right.local })))
        await turn()
      }
      await closing
      const then = heard
      left.send(bytes("late"), right.local)
      await turn()
      assert.equal(heard, then)
      assert.ok(then >= 10)
      await left.close()
      const again = await open({ local: right.local }, inbox().receiver)
      await again.close()
    })

    it("opens and closes thousands of sockets and keeps nothing of them", { skip: linux }, async () => {
      const cycle = async (times: number): Promise<void> => {
        for (let i = 0; i < times; i++) {
          const socket = await open({ local: { address: LOOPBACK, port: 0 } }, inbox().receiver)
          if (i % 2 === 0) socket.send(bytes("to myself"), socket.local)
          await socket.close()
        }
      }
      const files = (): number => readdirSync("/proc/self/fd").length
      await cycle(1000)
      const [before, memory] = [files(), process.memoryUsage().rss]
      await cycle(3000)
      // A pipe of the runtime's own may come or go.
      assert.ok(files() <= before + 8, `${files()} open files after ${before}`)
      const grown = process.memoryUsage().rss - memory
      assert.ok(grown < 100e6, `${grown} octets grown`)
    })
  })
}
