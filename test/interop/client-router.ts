/** A host behind a router, and the world outside: three network namespaces. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after } from "node:test"
import { COMMAND } from "../adapters/cli/command.ts"
import { type Namespace, namespace, type Running, wire } from "./namespace.ts"

const NODE = COMMAND[0]

/** Says `reached` and who asks to whoever connects, by TCP at a port. */
const LISTEN = `
const port = Number(process.argv[1])
require("net").createServer((socket) => {
  socket.on("error", () => {})
  socket.end("reached from " + socket.remoteAddress)
}).listen({ port, host: "::" }, () => console.log("listens"))`

/** Connects by TCP, prints what is said there, or why nothing is. */
const CONNECT = `
const [host, port] = process.argv.slice(1)
const socket = require("net").connect({ host, port: Number(port), timeout: 3000 })
socket.on("data", (data) => process.stdout.write(data))
socket.on("timeout", () => { process.stdout.write("nobody"); socket.destroy() })
socket.on("error", () => process.stdout.write("nobody"))`

export interface Scene {
  readonly host: Namespace
  readonly router: Namespace
  readonly world: Namespace
  /** A folder for the test's files, where the host's state file is too. */
  readonly folder: string
  /** Runs `sallyport` on the host. */
  sallyport(text: string): ReturnType<Namespace["run"]>
  /** Starts `sallyport` on the host or the router. */
  start(where: "host" | "router", text: string): Running
  /** A TCP server on the host, that listens. */
  listen(port: number): Promise<Running>
  /** What the world hears at an address and port. */
  connect(address: string, port: number): Promise<string>
  stop(): void
}

/**
 * The host is 10.0.0.2 and 2001:db8:1::2 on `lan`, and has its default routes through the router, 10.0.0.1 and fe80::1 on
 * `inside`; outside, that is 11.22.33.44 on `outside`, and the world is 11.22.33.1.
 */
export const scene = async (): Promise<Scene> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-router-"))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const [host, router, world] = [await namespace(), await namespace(), await namespace()]
  wire(router, "inside", host, "lan")
  wire(router, "outside", world, "world")
  router.sh(`
    ip addr add 10.0.0.1/24 dev inside; ip addr add 11.22.33.44/24 dev outside
    ip -6 addr add fe80::1/64 dev inside nodad; ip -6 addr add 2001:db8:1::1/64 dev inside nodad
    echo 1 > /proc/sys/net/ipv4/ip_forward`)
  host.sh(`
    ip addr add 10.0.0.2/24 dev lan; ip route add default via 10.0.0.1
    ip -6 addr add 2001:db8:1::2/64 dev lan nodad; ip -6 route add default via fe80::1 dev lan`)
  world.sh("ip addr add 11.22.33.1/24 dev world")
  const env = ["env", `XDG_STATE_HOME=${folder}`, "NO_COLOR=1"]
  return {
    host,
    router,
    world,
    folder,
    sallyport: (text) => host.run([...env, ...COMMAND, ...text.split(" ")]),
    start: (where, text) => (where === "host" ? host : router).start([...env, ...COMMAND, ...text.split(" ")]),
    listen: async (port) => {
      const server = host.start([NODE, "-e", LISTEN, `${port}`])
      await server.until(/listens/)
      return server
    },
    connect: async (address, port) => (await world.run([NODE, "-e", CONNECT, address, `${port}`])).stdout,
    stop: () => {
      for (const one of [host, router, world]) one.stop()
    },
  }
}
