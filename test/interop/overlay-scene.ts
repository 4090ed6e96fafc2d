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
    stop: () => {
      for (const one of [far, near, guest]) one.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
