/** Sends MAP requests of 16 loopback hosts to a port, one new internal port each, until it is ended. Arguments: the port, a number of its own. */
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { mapOf } from "./hosts.ts"

const [port, number] = process.argv.slice(2).map(Number)
const hosts = Array.from({ length: 16 }, (_, i) => `127.1.${number}.${i + 1}`)
const sockets = hosts.map((host) => createSocket("udp4").bind(0, host))
await Promise.all(sockets.map((socket) => once(socket, "listening")))
// Nobody listens there any more.
for (const socket of sockets) socket.on("error", () => {})

let internal = 1024
const more = (): void => {
  for (const [i, socket] of sockets.entries())
    for (let n = 0; n < 8; n++) socket.send(mapOf(hosts[i], internal + n, 3600), port, "127.0.0.1")
  internal = internal > 60_000 ? 1024 : internal + 8
  setImmediate(more)
}
more()
process.stdout.write("sending\n")
