/** Runs in a client's network namespace: prints every datagram that it hears as JSON, sends what standard input says. */
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { createInterface } from "node:readline"

const tell = (at: string, from: string, bytes: Uint8Array): void => {
  process.stdout.write(`${JSON.stringify({ at, from, hex: Buffer.from(bytes).toString("hex") })}\n`)
}

for (const [type, group, on] of [
  ["udp4", "224.0.0.1", "192.0.2.9"],
  ["udp6", "ff02::1", "::%v1"],
] as const) {
  const socket = createSocket({ type, reuseAddr: true, ...(type === "udp6" ? { ipv6Only: true } : {}) })
  socket.on("message", (bytes, { address, port }) => tell("multicast", `${address} ${port}`, bytes))
  socket.bind(5350)
  await once(socket, "listening")
  socket.addMembership(group, on)
}

const own = createSocket("udp4")
own.on("message", (bytes, { address, port }) => tell("own", `${address} ${port}`, bytes))
own.bind(0, "192.0.2.9")
await once(own, "listening")
tell("ready", "", new Uint8Array())

for await (const line of createInterface({ input: process.stdin })) {
  const [address, hex] = line.split(" ")
  own.send(Buffer.from(hex, "hex"), 5351, address)
}
