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

const bound = async (type: "udp4" | "udp6", address: string) => {
  const socket = createSocket(type)
  socket.on("message", (bytes, { address, port }) => tell("own", `${address} ${port}`, bytes))
  socket.bind(0, address)
  await once(socket, "listening")
  return socket
}
const own = await bound("udp4", "192.0.2.9")
const own6 = await bound("udp6", "2001:db8::9")
/** A host's own: the same one each time would always reach the same one of a server's workers. */
const anew = (from: string) => bound(from.includes(":") ? "udp6" : "udp4", from)
tell("ready", "", new Uint8Array())

for await (const line of createInterface({ input: process.stdin })) {
  const [address, hex, from] = line.split(" ")
  const socket = from !== undefined ? await anew(from) : address.includes(":") ? own6 : own
  socket.send(Buffer.from(hex, "hex"), 5351, address)
}
