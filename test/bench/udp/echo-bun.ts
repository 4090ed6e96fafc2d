/** A bare echo server over Bun.udpSocket on 127.0.0.1. Argument: port. */
import process from "node:process"
import { udpSocket } from "../../../adapters/bun/net.ts"

await udpSocket({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  flags: 0,
  socket: {
    data: (socket, bytes, port, from) => {
      socket.send(bytes, port, from)
    },
    drain: () => {},
    error: () => {},
  },
})
console.log("ready")
