/**
 * Frames through a VXLAN endpoint and back, each looked up, against bare sockets that echo the same datagrams on the same runtime.
 * `node test/bench/overlay-endpoint.ts [seconds] [MACs]`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { clock, entropy, udp } from "#runtime"
import { startOverlayEndpoint } from "../../adapters/overlay/index.ts"
import type { Receiver, UdpSocket } from "../../adapters/udp.ts"
import { encodeVxlan, formatMac, macOf, writeMac } from "../../core/overlay/index.ts"
import { parseAddress } from "../../core/wire/index.ts"

const seconds = Number(process.argv[2] ?? 2)
const macs = Number(process.argv[3] ?? 1000)
const VNETID = 23
/** Datagrams under way. */
const WINDOW = 64
/** Rounds of each, one after the other, of which the median counts. */
const ROUNDS = 5
const address = parseAddress("127.0.0.1")
if (address === undefined) throw new Error("no address")
const local = { address, port: 0 }

const bind = async (receiver: Receiver): Promise<UdpSocket> => {
  const bound = await udp.bind({ local, receiveBuffer: 4 * 1024 * 1024 }, receiver)
  if (!bound.ok) throw new Error(bound.error.text)
  return bound.value
}

/** Asks an echo with a window of datagrams: how many come back in a second. */
const asker = async (size: number) => {
  const datagrams = Array.from({ length: 256 }, (_, i) => {
    const frame = new Uint8Array(size)
    writeMac(frame, 0, macOf(0x020000000000 + ((i * 7919) % macs)))
    writeMac(frame, 6, macOf(0x020000000000 + ((i * 104729) % macs)))
    frame[12] = 8
    const encoded = encodeVxlan({ vnetid: VNETID, frame })
    if (!encoded.ok) throw new Error(encoded.error.text)
    return encoded.bytes
  })
  let [sent, back] = [0, 0]
  let to = local
  let isDone = true
  const send = (): void => {
    const datagram = datagrams[sent++ % datagrams.length]
    if (datagram !== undefined) socket.send(datagram, to)
  }
  const socket = await bind({
    receive: () => {
      back++
      if (!isDone) send()
    },
    error: () => {},
  })
  return {
    socket,
    run: async (port: number): Promise<number> => {
      to = { address, port }
      back = 0
      isDone = false
      for (let i = 0; i < WINDOW; i++) send()
      const begun = performance.now()
      await new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / ROUNDS))
      isDone = true
      const rate = back / ((performance.now() - begun) / 1000)
      await new Promise((resolve) => setTimeout(resolve, 50))
      return rate
    },
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"))
for (const size of [64, 1414]) {
  const client = await asker(size)
  const bare = await bind({
    receive: ({ bytes, source }, socket) => socket.send(bytes.slice(), source),
    error: () => {},
  })
  const hosts = Object.fromEntries(
    Array.from({ length: macs }, (_, i) => [
      formatMac(macOf(0x020000000000 + i)),
      { ip: "127.0.0.1", port: client.socket.local.port },
    ]),
  )
  const path = join(folder, "hosts.json")
  writeFileSync(path, JSON.stringify(hosts))
  const endpoint = await startOverlayEndpoint({
    udp,
    clock,
    entropy,
    overlays: [
      {
        name: "bench",
        vnetid: VNETID,
        listen: local,
        plugin: "files",
        properties: { "files/config": path },
        // What comes from a host goes to the one that it is for, by its lookup.
        deliver: (frame) => overlay?.transmit(frame),
      },
    ],
  })
  const [overlay] = endpoint.overlays
  const rates: { bare: number[]; through: number[] } = { bare: [], through: [] }
  for (let round = 0; round < ROUNDS; round++) {
    rates.bare.push(await client.run(bare.local.port))
    rates.through.push(await client.run(overlay?.local.port ?? 0))
  }
  const [echo, through] = [median(rates.bare), median(rates.through)]
  console.log(`frames of ${size} octets, bare echo`.padEnd(44), `${Math.round(echo)}/s`)
  console.log(
    `frames of ${size} octets, an endpoint`.padEnd(44),
    `${Math.round(through)}/s, ${Math.round((through * size * 8) / 1e6)} Mbit/s, ${Math.round((through / echo) * 100)} %`,
  )
  await Promise.all([endpoint.close(), bare.close(), client.socket.close()])
}
rmSync(folder, { recursive: true })
