/** tayga, a stateless translator between IPv4 and IPv6 in user space, in a network namespace that lives as long as one run. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { hex, toHex } from "../core/cgn/packet/build.ts"

const PROGRAMS = ["unshare", "taskset", "ip", "perl", "tayga"]

/** What a run here lacks; `undefined`: nothing. */
export const missing = (): string | undefined => {
  const programs = PROGRAMS.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0)
  if (programs.length > 0) return `${programs.join(", ")} missing: install Debian's util-linux iproute2 perl-base tayga`
  if (spawnSync("unshare", ["--net", "--pid", "--fork", "true"]).status !== 0)
    return "network and process namespaces are not allowed here: run as root"
  const tried = spawnSync("unshare", ["--net", "ip", "tuntap", "add", "dev", "probe", "mode", "tun"])
  return tried.status === 0 ? undefined : `no tun device here: ${tried.stderr.toString().trim()}`
}

/** How the translator is set up. */
export interface Tayga {
  /** Of its tun device, octets, 1280 or more. */
  readonly mtu: number
  /** Lines of tayga.conf but for the device; the prefix has 96 bits, behind which 198.18.0.0/15 is this file's own. */
  readonly conf: readonly string[]
}

/** All that runs in the process namespace ends with the first of it, which is perl. */
const script = ({ mtu, conf }: Tayga): string => `
ip tuntap add dev nat64 mode tun pi
echo 1 >/proc/sys/net/ipv6/conf/nat64/disable_ipv6
ip link set nat64 mtu ${mtu} up
tayga --nodetach --config /dev/fd/3 3<<'CONF' >/dev/null </dev/null &
tun-device nat64
${conf.join("\n")}
CONF
exec perl "$1" nat64
`

/** What tayga makes of each packet, in order. */
export const through = (tayga: Tayga, packets: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] => {
  const input = packets.map((bytes) => `${toHex(bytes)}\n`).join("")
  const shell = ["taskset", "-c", "0", "sh", "-ec", script(tayga), "sh"]
  const run = spawnSync(
    "unshare",
    ["--net", "--pid", "--fork", ...shell, fileURLToPath(new URL("tayga.pl", import.meta.url))],
    { encoding: "utf8", input, maxBuffer: 1 << 28 },
  )
  if (run.status !== 0) throw new Error(`tayga did not run: ${run.stderr}`)
  const out: Uint8Array[][] = packets.map(() => [])
  for (const line of run.stdout.trimEnd().split("\n")) {
    const [number, octets] = line.split(" ")
    if (octets !== undefined) out[Number(number)].push(hex(octets))
  }
  return out
}
