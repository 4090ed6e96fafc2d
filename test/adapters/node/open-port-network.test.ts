import assert from "node:assert/strict"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import { servingBy } from "../cli/command.ts"
import { network } from "../cli/network.ts"

/** What is missing; `undefined`: nothing. */
const missing = (): string | undefined => {
  if (spawnSync("sh", ["-c", "command -v unshare nsenter ip"]).status !== 0)
    return "unshare, nsenter or ip missing: install Debian's util-linux iproute2"
  return spawnSync("unshare", ["--net", "true"]).status === 0
    ? undefined
    : "network namespaces are not allowed here: run as root"
}
const reason = missing()
const skip = reason ?? false

const running = new Set<ChildProcess>()
const folder = mkdtempSync(join(tmpdir(), "sallyport-open-port-"))
after(() => {
  for (const child of running) child.kill("SIGKILL")
  rmSync(folder, { recursive: true })
})

/** The program in the client's namespace; `until` gives the first of its lines of that type. */
const program = (enter: readonly string[]) => {
  const script = fileURLToPath(new URL("open-port-program.ts", import.meta.url))
  const child = spawn(enter[0], [...enter.slice(1), process.execPath, script], { stdio: ["pipe", "pipe", "inherit"] })
  running.add(child)
  const ended = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => {
      running.delete(child)
      resolve(code)
    })
  })
  let text = ""
  let wake = (): void => {}
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk
    wake()
  })
  const lines = () =>
    text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
  return {
    lines,
    until: async (type: string) => {
      for (;;) {
        const found = lines().find((line) => line.type === type)
        if (found !== undefined) return found
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    stop: async (): Promise<number | null> => {
      child.stdin.end()
      return ended
    },
  }
}

const config = (name: string, settings: object): string => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify({ control: false, ...settings }))
  return path
}

describe("openPort in a network of its own", { skip }, () => {
  test("C-02 C-07: the gateway is found, and asked from the own address on the way there", async () => {
    const net = await network()
    net.run("client", "ip route add default via 192.0.2.1")
    const server = await servingBy(net.serve, ["--listen", "192.0.2.1", "--external", "203.0.113.7"])
    const client = program(net.client)
    const { external, servers } = await client.until("open")
    assert.deepEqual([external.text, external.port], ["203.0.113.7", 8080])
    assert.deepEqual(
      servers.map((one: { server: string }) => one.server),
      ["192.0.2.1"],
    )
    assert.equal(await client.stop(), 0)
    const { stdout } = await server.stop()
    assert.match(stdout, /192\.0\.2\.9/)
    net.stop()
  })

  test("C-06: a link-local router gives a pinhole for a global address, asked for from it", async () => {
    const net = await network()
    net.run("server", "ip -6 addr add fe80::1/64 dev v0 nodad")
    net.run("client", "ip -6 route add default via fe80::1 dev v1")
    const path = config("pinholes.jsonc", {
      listen: ["fe80::1%v0"],
      profile: "firewall6",
      inside: ["2001:db8::/64"],
    })
    const server = await servingBy(net.serve, ["--config", path])
    const client = program(net.client)
    const { external, servers } = await client.until("open")
    assert.deepEqual([external.text, external.port], ["2001:db8::9", 8080])
    assert.deepEqual(
      servers.map((one: { server: string }) => one.server),
      ["fe80::1%v1"],
    )
    assert.equal(await client.stop(), 0)
    await server.stop()
    net.stop()
  })

  test("C-54 C-55: an announcement by multicast tells of a restart, and the mapping is made again", async () => {
    const net = await network()
    net.run("client", "ip route add default via 192.0.2.1")
    const args = ["--listen", "192.0.2.1", "--external", "203.0.113.7"]
    const first = await servingBy(net.serve, args)
    // An Epoch Time that a new one is told apart from (RFC 6887 section 8.5).
    await new Promise((resolve) => setTimeout(resolve, 4000))
    const client = program(net.client)
    await client.until("open")
    await first.stop()
    const second = await servingBy(net.serve, args)
    await client.until("recovering")
    await client.until("renewed")
    assert.equal(await client.stop(), 0)
    const { stdout } = await second.stop()
    assert.match(stdout, /192\.0\.2\.9/)
    assert.ok(client.lines().every(({ type }) => type !== "lost"))
    net.stop()
  })
})
