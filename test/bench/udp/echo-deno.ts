/** A bare echo server over Deno.listenDatagram on 127.0.0.1, as fast as it gets there: into memory of its own. Argument: port. */
import process from "node:process"
import { listenDatagram } from "../../../adapters/deno/net.ts"

const socket = listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  reuseAddress: false,
  loopback: true,
})
console.log("ready")
const memory = new Uint8Array(65507)
for (;;) {
  const [bytes, from] = await socket.receive(memory)
  await socket.send(bytes, from)
}
