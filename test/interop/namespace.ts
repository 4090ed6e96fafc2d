/** Network namespaces of a test's own, wires between them, and processes in them. */
import assert from "node:assert/strict"
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { after } from "node:test"

/** Processes that a failed test left running would keep its file from ending. */
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill("SIGKILL")
})

const PACKAGES: ReadonlyMap<string, string> = new Map([
  ["unshare", "util-linux"],
  ["nsenter", "util-linux"],
  ["setpriv", "util-linux"],
  ["ip", "iproute2"],
  ["nft", "nftables"],
  ["miniupnpd", "miniupnpd-nftables"],
  ["conntrack", "conntrack"],
  ["knotd", "knot"],
  ["nsupdate", "bind9-dnsutils"],
  ["ping", "iputils-ping"],
  ["dnsmasq", "dnsmasq-base"],
])

/** What a test with namespaces lacks here; `undefined`: nothing. */
export const lacking = (programs: readonly string[]): string | undefined => {
  const missing = ["unshare", "nsenter", "ip", ...programs].filter(
    (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0,
  )
  if (missing.length > 0) {
    const packages = new Set(missing.map((program) => PACKAGES.get(program) ?? program))
    return `${missing.join(", ")} missing: install Debian's ${[...packages].join(" ")}`
  }
  if (spawnSync("unshare", ["--net", "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"]).status !== 0)
    return "network namespaces with veth links are not allowed here: run as root"
  return undefined
}

/** What a process has said, and how it ended. */
export interface Running {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Until its output, either of both, has this. */
  until(pattern: RegExp): Promise<void>
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface Namespace {
  readonly pid: number
  /** Runs a shell script to its end. */
  sh(script: string): void
  /** Runs a program to its end. */
  run(command: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }>
  /** Starts a program that stays. */
  start(command: readonly string[]): Running
  stop(): void
}

const start = (command: readonly string[]): Running => {
  const child = spawn(command[0], command.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  })
  running.add(child)
  child.once("exit", () => running.delete(child))
  let [out, err] = ["", ""]
  let wake = (): void => {}
  const closed = once(child, "close")
  child.stdout.on("data", (chunk) => {
    out += chunk
    wake()
  })
  child.stderr.on("data", (chunk) => {
    err += chunk
    wake()
  })
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    until: async (pattern) => {
      while (!pattern.test(out) && !pattern.test(err)) {
        assert.equal(
          child.exitCode ?? child.signalCode,
          null,
          `${command.join(" ")} ended without ${pattern}: ${out}${err}`,
        )
        await Promise.race([
          closed,
          new Promise<void>((resolve) => {
            wake = resolve
          }),
        ])
      }
    },
    stop: async (signal = "SIGTERM") => {
      child.kill(signal)
      await closed
      return child.exitCode
    },
  }
}

/** A namespace that lives as long as its process, with its loopback up. */
export const namespace = async (): Promise<Namespace> => {
  const holder = start(["unshare", "--net", "sh", "-c", "echo there; exec sleep 900"])
  await holder.until(/there/)
  const pid = holder.child.pid ?? 0
  const enter = ["nsenter", "-t", `${pid}`, "-n"]
  const sh = (script: string): void => {
    execFileSync(enter[0], [...enter.slice(1), "sh", "-ec", script], { stdio: ["ignore", "ignore", "inherit"] })
  }
  // Addresses are there at once, without a search for duplicates.
  sh("for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done; ip link set lo up")
  return {
    pid,
    sh,
    run: async (command) => {
      const one = start([...enter, ...command])
      await once(one.child, "close")
      return { code: one.child.exitCode, stdout: one.stdout(), stderr: one.stderr() }
    },
    start: (command) => start([...enter, ...command]),
    stop: () => holder.child.kill("SIGKILL"),
  }
}

/** A wire between two namespaces: the interface's name at each end, which are up. */
export const wire = (one: Namespace, name: string, other: Namespace, otherName: string): void => {
  one.sh(`ip link add ${name} type veth peer name ${otherName} netns ${other.pid}; ip link set ${name} up`)
  other.sh(`ip link set ${otherName} up`)
}
