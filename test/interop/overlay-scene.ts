/**
 * Two hosts of an overlay and what is between them: `far` is a Linux host with the kernel's own VXLAN device; `guest` has such a device too, but
 * its other end is Sallyport's endpoint in `near`, which looks frames up and has the way to `far`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { COMMAND } from "../adapters/cli/command.ts"
import { type Namespace, namespace, type Running, wire } from "./namespace.ts"

export const VNETID = 23
export const FAR_MAC = "02:00:00:00:00:0a"
export const GUEST_MAC = "02:00:00:00:00:0b"
/** The underlay of the far host, and of the endpoint. */
export const FAR = "10.9.0.1"
export const NEAR = "10.9.0.2"

/** What takes a file over TCP, at its port, and says how much that was and what it is. */
const SINK = `
const hash = require("crypto").createHash("sha256")
let octets = 0
require("net").createServer((socket) => {
  socket.on("data", (part) => { hash.update(part); octets += part.length })
  socket.on("end", () => { console.log("got " + octets + " " + hash.digest("hex")); socket.end("thanks") })
}).listen({ port: 7000, host: "::" }, () => console.log("listens"))`

/** What sends so many octets there, and waits until they are taken. */
const SOURCE = `
const [host, count] = process.argv.slice(1)
const octets = Buffer.alloc(Number(count))
for (let i = 0; i < octets.length; i++) octets[i] = (i * 2654435761) >>> 24
console.log("sent " + octets.length + " " + require("crypto").createHash("sha256").update(octets).digest("hex"))
const socket = require("net").connect({ host, port: 7000 })
socket.on("data", (data) => process.stdout.write(data))
socket.end(octets)`

export interface OverlayScene {
  readonly far: Namespace
  readonly near: Namespace
  readonly guest: Namespace
  /** A folder for the test's files. */
  readonly folder: string
  /** Writes a file there; its path. */
  write(name: string, value: unknown): string
  /** Has the endpoint at work, with a configuration of its one overlay's plugin. */
  run(plugin: string, properties: Readonly<Record<string, string | number>>, more?: object): Promise<Running>
  /** Has an SVP server at work beside the far host, with these hosts of the overlay. */
  svpServer(hosts: Readonly<Record<string, object>>): Promise<Running>
  /** Asks the endpoint. */
  ask(text: string): ReturnType<Namespace["run"]>
  /** Sends a file over TCP from one host to the other's address: what the one says it sent, and the other that it got. */
  transfer(from: Namespace, to: Namespace, address: string, octets: number): Promise<readonly [string, string]>
  stop(): void
}

/** How a namespace gets the kernel's device. */
export const device = (one: Namespace, mac: string, local: string, remote: string): void =>
  one.sh(`
    ip link add vx type vxlan id ${VNETID} local ${local} remote ${remote} dstport 4789
    ip link set vx address ${mac} mtu 1400 gso_max_segs 1 up`)

export const overlayScene = async (): Promise<OverlayScene> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-overlay-"))
  const [far, near, guest] = [await namespace(), await namespace(), await namespace()]
  wire(far, "under", near, "under")
  wire(near, "port", guest, "port")
  far.sh(`ip addr add ${FAR}/24 dev under`)
  near.sh(`ip addr add ${NEAR}/24 dev under; ip addr add 169.254.77.1/30 dev port`)
  guest.sh("ip addr add 169.254.77.2/30 dev port")
  device(far, FAR_MAC, FAR, NEAR)
  device(guest, GUEST_MAC, "169.254.77.2", "169.254.77.1")
  far.sh("ip addr add 10.55.0.1/24 dev vx; ip -6 addr add fd55::1/64 dev vx nodad")
  guest.sh("ip addr add 10.55.0.2/24 dev vx; ip -6 addr add fd55::2/64 dev vx nodad")
  const write = (name: string, value: unknown): string => {
    const path = join(folder, name)
    writeFileSync(path, JSON.stringify(value))
    return path
  }
  const control = join(folder, "control.sock")
  return {
    far,
    near,
    guest,
    folder,
    write,
    run: async (plugin, properties, more = {}) => {
      const overlay = { name: "blue", vnetid: VNETID, listen: NEAR, plugin, properties }
      const kernel = { listen: "169.254.77.1", device: "169.254.77.2" }
      const config = write("overlay.json", { overlays: [{ ...overlay, kernel, ...more }], control })
      const running = near.start([...COMMAND, "overlay", "run", "--json", "--config", config])
      await running.until(/"event":"overlay"/)
      return running
    },
    svpServer: async (hosts) => {
      const file = write("svp.json", { [VNETID]: hosts })
      const running = far.start([...COMMAND, "overlay", "svp-server", "--json", "--hosts", file, "--listen", FAR])
      await running.until(/"event":"listening"/)
      return running
    },
    ask: (text) => near.run([...COMMAND, "overlay", ...text.split(" "), "--control", control]),
    transfer: async (from, to, address, octets) => {
      const sink = to.start([COMMAND[0] ?? "", "-e", SINK])
      await sink.until(/listens/)
      const sent = await from.run([COMMAND[0] ?? "", "-e", SOURCE, address, `${octets}`])
      if (!/thanks/.test(sent.stdout)) throw new Error(`nothing was taken: ${sent.stdout}${sent.stderr}`)
      await sink.until(/got/)
      await sink.stop()
      return [sent.stdout.replace(/thanks$/, "").trim(), sink.stdout().replace("listens\n", "").trim()]
    },
    stop: () => {
      for (const one of [far, near, guest]) one.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
