/** The Linux kernel's routes in a network namespace that lives as long as one run: as its files have them, and as `ip` does. */
import { spawnSync } from "node:child_process"
import { z } from "zod"

const PROGRAMS = ["unshare", "ip"]

/** What a run here lacks; `undefined`: nothing. */
export const missing = (): string | undefined => {
  const programs = PROGRAMS.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0)
  if (programs.length > 0) return `${programs.join(", ")} missing: install Debian's util-linux iproute2`
  if (spawnSync("unshare", ["--net", "true"]).status !== 0)
    return "network namespaces are not allowed here: run as root"
  const veth = ["--net", "ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1"]
  const tried = spawnSync("unshare", veth, { encoding: "utf8" })
  return tried.status === 0 ? undefined : `no veth devices here: ${tried.stderr.trim()}`
}

const hop = z.object({ gateway: z.string().optional(), dev: z.string().optional() })

/** A route as `ip -j route` prints it. */
const route = hop.extend({
  type: z.string().optional(),
  dst: z.string(),
  from: z.string().optional(),
  metric: z.number().optional(),
  nhid: z.number().optional(),
  nexthops: z.array(hop).optional(),
})

export type IpRoute = z.infer<typeof route>

export interface Seen {
  /** `/proc/net/route`. */
  readonly route: string
  /** `/proc/net/ipv6_route`. */
  readonly route6: string
  /** IPv4's main table. */
  readonly ip: readonly IpRoute[]
  /** All of IPv6's tables. */
  readonly ip6: readonly IpRoute[]
  /** What `command` printed. */
  readonly output: string
}

/**
 * Two interfaces: v0 with 192.0.2.2/24 and 2001:db8:1::2/64, w0 with 198.51.100.2/24 and 2001:db8:2::2/64. `routes` are lines of
 * arguments of `ip`; `command` is run at the end.
 */
export const look = (routes: readonly string[], command: readonly string[] = ["true"]): Seen => {
  const script = `
    ip link set lo up
    for pair in v w; do
      ip link add \${pair}0 type veth peer name \${pair}1
      echo 0 >/proc/sys/net/ipv6/conf/\${pair}0/accept_dad
      ip link set \${pair}0 up
      ip link set \${pair}1 up
    done
    ip address add 192.0.2.2/24 dev v0
    ip address add 198.51.100.2/24 dev w0
    ip address add 2001:db8:1::2/64 dev v0 nodad
    ip address add 2001:db8:2::2/64 dev w0 nodad
    ${routes.map((line) => `ip ${line}`).join("\n")}
    mark() { printf '\\n--- mark\\n'; }
    cat /proc/net/route; mark
    cat /proc/net/ipv6_route; mark
    ip -j -4 route show table main; mark
    ip -j -6 route show table all; mark
    exec "$@"
  `
  const run = spawnSync("unshare", ["--net", "sh", "-ec", script, "sh", ...command], { encoding: "utf8" })
  if (run.status !== 0) throw new Error(`the namespace was not made: ${run.stderr}`)
  const [file, file6, ip, ip6, output] = run.stdout.split("\n--- mark\n")
  const read = (json: string) => z.array(route).parse(JSON.parse(json))
  return { route: file, route6: file6, ip: read(ip), ip6: read(ip6), output }
}
