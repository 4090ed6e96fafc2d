import assert from "node:assert/strict"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { after } from "node:test"
import { fileURLToPath } from "node:url"
import { COMMAND, records } from "./command.ts"

/** Processes that a failed test left running would keep its file from ending. */
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill("SIGKILL")
})

const started = <T extends ChildProcess>(child: T): T => {
  running.add(child)
  child.once("exit", () => running.delete(child))
  return child
}

/**
 * Two network namespaces with a wire between them: a server's with 192.0.2.1, 192.0.2.2 and 2001:db8::1 on v0, and a client's
 * with 192.0.2.9 and 2001:db8::9 on v1.
 */
export const network = async () => {
  const [inside, outside] = await Promise.all([namespace(), namespace()])
  const [client, server] = [inside.enter, outside.enter]
  const run = (enter: readonly string[], script: string): void => {
    execFileSync(enter[0], [...enter.slice(1), "sh", "-ec", script], { stdio: "ignore" })
  }
  const quick = "for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done; ip link set lo up"
  run(client, quick)
  run(server, `${quick}; ip link add v0 type veth peer name v1 netns ${inside.pid}`)
  run(client, "ip link set v1 up; ip addr add 192.0.2.9/24 dev v1; ip -6 addr add 2001:db8::9/64 dev v1 nodad")
  const addresses = "ip addr add 192.0.2.1/24 dev v0; ip addr add 192.0.2.2/24 dev v0"
  run(server, `ip link set v0 up; ${addresses}; ip -6 addr add 2001:db8::1/64 dev v0 nodad`)
  return {
    /** The command, in the server's namespace. */
    serve: [...server, ...COMMAND],
    listener: () => listener(client),
    /** What starts a program in the client's namespace. */
    client,
    /** A script of the shell in either namespace. */
    run: (side: "client" | "server", script: string): void => run(side === "client" ? client : server, script),
    stop: (): void => {
      inside.stop()
      outside.stop()
    },
  }
}

/** Why there can be no {@link network}, for a test to skip with; `false`: there can. */
export const isMissing = (): string | false => {
  const missing = "network namespaces are missing: they need unshare, nsenter, iproute2 and root"
  try {
    execFileSync("unshare", ["--net", "sh", "-c", "ip link add v0 type veth peer name v1 && nsenter --version"], {
      stdio: "ignore",
    })
    return false
  } catch {
    assert.notEqual(process.env.CI, "true", missing)
    return missing
  }
}

/** A namespace that lives as long as its process. */
const namespace = async () => {
  const child = started(
    spawn("unshare", ["--net", "sh", "-c", "echo there; exec sleep 600"], { stdio: ["ignore", "pipe", "ignore"] }),
  )
  await once(child.stdout, "data")
  const pid = child.pid ?? 0
  return { pid, enter: ["nsenter", "-t", `${pid}`, "-n"], stop: () => child.kill("SIGKILL") }
}

/** One datagram that a client heard. */
export interface HeardDatagram {
  /** `multicast`, or `own`: the client's own socket. */
  readonly at: string
  readonly from: string
  readonly hex: string
}

/** A client on the wire: hears what is multicast to port 5350, and what comes to its own socket. */
const listener = async (enter: readonly string[]) => {
  const script = fileURLToPath(new URL("network-client.ts", import.meta.url))
  const child = started(
    spawn(enter[0], [...enter.slice(1), process.execPath, script], { stdio: ["pipe", "pipe", "inherit"] }),
  )
  let text = ""
  let wake = (): void => {}
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk
    wake()
  })
  const heard = (): HeardDatagram[] =>
    records(text.slice(0, text.lastIndexOf("\n") + 1)).map(({ at, from, hex }) => ({
      at: String(at),
      from: String(from),
      hex: String(hex),
    }))
  const until = async (done: (datagrams: readonly HeardDatagram[]) => boolean): Promise<readonly HeardDatagram[]> => {
    while (!done(heard())) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return heard()
  }
  await until((datagrams) => datagrams.some(({ at }) => at === "ready"))
  return {
    until,
    /**
     * Sends to a server, port 5351, from the client's own socket of the family, 192.0.2.9 or 2001:db8::9, or from a new one of another
     * address.
     */
    send: (address: string, hex: string, from?: string): void => {
      child.stdin.write(`${address} ${hex}${from === undefined ? "" : ` ${from}`}\n`)
    },
    stop: (): void => {
      child.kill("SIGKILL")
    },
  }
}
