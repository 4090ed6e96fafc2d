/** The Linux kernel as a router between two tun devices, in a network namespace that lives as long as one run. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Side } from "../../core/cgn/index.ts"
import { hex, toHex } from "../core/cgn/packet/build.ts"

const PROGRAMS = ["unshare", "taskset", "ip", "nft", "perl"]

/** What a run here lacks; `undefined`: nothing. */
export const missing = (): string | undefined => {
  const programs = PROGRAMS.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0)
  if (programs.length > 0)
    return `${programs.join(", ")} missing: install Debian's util-linux iproute2 nftables perl-base`
  if (spawnSync("unshare", ["--net", "true"]).status !== 0)
    return "network namespaces are not allowed here: run as root"
  const tun = "ip tuntap add dev probe mode tun && nft add table inet probe"
  const tried = spawnSync("unshare", ["--net", "sh", "-ec", tun], { encoding: "utf8" })
  return tried.status === 0 ? undefined : `no tun device or no nftables here: ${tried.stderr.trim()}`
}

/** How the router is set up. */
export interface Router {
  /** Its addresses, and routes besides the default one, which leads outside: arguments of `ip`. */
  readonly ip: readonly string[]
  /** Its rules, as `nft -f` takes them; conntrack has been set to be strict about unknown connections. */
  readonly nft: string
}

/** A packet and where it arrives, or leaves. */
export interface Sent {
  readonly side: Side
  readonly bytes: Uint8Array
}

const SETTINGS = [
  "ipv4/ip_forward=1",
  "ipv6/conf/all/forwarding=1",
  "ipv4/conf/all/rp_filter=0",
  "ipv4/conf/default/rp_filter=0",
  "ipv4/icmp_ratelimit=0",
  "ipv6/icmp/ratelimit=0",
  "ipv4/conf/all/send_redirects=0",
  "ipv4/conf/default/send_redirects=0",
]

/** A segment of a connection that conntrack has not seen open is not of it; sequence numbers are not looked at. */
const CONNTRACK = ["netfilter/nf_conntrack_tcp_loose=0", "netfilter/nf_conntrack_tcp_be_liberal=1"]

const script = ({ ip }: Router): string => `
settings() { for setting; do echo "\${setting#*=}" >"/proc/sys/net/\${setting%=*}"; done; }
settings ${SETTINGS.join(" ")}
ip link set lo up
for device in in out; do
  ip tuntap add dev $device mode tun
  ip link set $device addrgenmode none
  settings ipv4/conf/$device/rp_filter=0 ipv4/conf/$device/send_redirects=0
  ip link set $device mtu 1500 up
done
${ip.map((words) => `ip ${words}`).join("\n")}
ip route add default dev out
ip -6 route add default dev out
nft -f "$2"
settings ${CONNTRACK.join(" ")}
exec taskset -c 0 perl "$1"
`

/** What the router makes of each packet, in order: those that come out because of it, and on which side. */
export const route = (router: Router, packets: readonly Sent[]): readonly (readonly Sent[])[] => {
  const device = { inside: "in", outside: "out" } as const
  const input = packets.map(({ side, bytes }) => `${device[side]} ${toHex(bytes)}\n`).join("")
  const folder = mkdtempSync(join(tmpdir(), "sallyport-kernel-"))
  const rules = join(folder, "rules")
  // They may be longer than an argument can be.
  writeFileSync(rules, router.nft)
  const ends = fileURLToPath(new URL("kernel.pl", import.meta.url))
  const run = spawnSync("unshare", ["--net", "sh", "-ec", script(router), "sh", ends, rules], {
    encoding: "utf8",
    input,
    maxBuffer: 1 << 28,
  })
  rmSync(folder, { recursive: true })
  if (run.status !== 0) throw new Error(`the router did not run: ${run.error ?? run.stderr}`)
  const out: Sent[][] = packets.map(() => [])
  for (const line of run.stdout.trimEnd().split("\n")) {
    const [number, name, octets] = line.split(" ")
    if (octets === undefined) continue
    out[Number(number)].push({ side: name === "in" ? "inside" : "outside", bytes: hex(octets) })
  }
  return out
}
