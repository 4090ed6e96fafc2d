/** A bare echo server over node:dgram on 127.0.0.1, as fast as it gets there: without Node's look-up of each address. Argument: port. */
import { createSocket } from "node:dgram"

const socket = createSocket({ type: "udp4", lookup: (host, _options, callback) => callback(null, host, 4) })
socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address))
socket.bind(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"))
