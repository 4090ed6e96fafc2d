import assert from "node:assert/strict"
import { execFile, execFileSync } from "node:child_process"
import { describe, it } from "node:test"
import { promisify } from "node:util"
import { COMMAND, type JsonRecord, servingBy } from "../adapters/cli/command.ts"

/** natpmpc asks port 5351 of its gateway and no other: each test serves on a loopback address of its own. */
const natpmpc = async (gateway: string, ...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)("natpmpc", ["-g", gateway, ...args])).stdout

const isInstalled = (): boolean => {
  try {
    execFileSync("sh", ["-c", "command -v natpmpc"], { stdio: "ignore" })
    return true
  } catch {
    assert.notEqual(process.env.CI, "true", "natpmpc is missing: install Debian's package natpmpc")
    return false
  }
}

const skip = isInstalled() ? false : "natpmpc is missing: install Debian's package natpmpc"

/** What natpmpc prints of a mapping. Its own spelling. */
const printed = (text: string) => {
  const match = /Mapped public port (\d+) protocol (\w+) to local port (\d+) liftime (\d+)/.exec(text)
  assert.ok(match !== null, text)
  return {
    externalPort: Number(match[1]),
    protocol: match[2] === "UDP" ? 17 : 6,
    internalPort: Number(match[3]),
    lifetime: Number(match[4]),
  }
}

const end = (value: unknown): { address: unknown; port: unknown } => {
  assert.ok(typeof value === "object" && value !== null && "address" in value && "port" in value)
  return { address: value.address, port: value.port }
}

/** The same of the server: of an event, or of a mapping in its list. */
const told = (record: JsonRecord) => {
  const mapping: unknown = record.mapping ?? record
  assert.ok(typeof mapping === "object" && mapping !== null)
  assert.ok("internal" in mapping && "external" in mapping && "protocol" in mapping)
  return {
    external: end(mapping.external),
    protocol: mapping.protocol,
    internal: end(mapping.internal),
    lifetime: record.lifetime,
  }
}

const serve = async (gateway: string, ...args: readonly string[]) => {
  const server = await servingBy(COMMAND, ["--listen", gateway, "--json", ...args])
  const mark = (): number => server.records().length
  /** The events since `from`, when one of this kind has come. */
  const since = async (from: number, event: string): Promise<JsonRecord> => {
    for (let tries = 0; ; tries++) {
      const found = server
        .records()
        .slice(from)
        .find((record) => record.event === event)
      if (found !== undefined) return found
      assert.ok(tries < 10_000, `no ${event} among ${JSON.stringify(server.records().slice(from))}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const list = async (): Promise<readonly JsonRecord[]> => {
    const from = mark()
    server.child.kill("SIGUSR1")
    await since(from, "mappings")
    return server
      .records()
      .slice(from)
      .filter((record) => record.event === "mapping")
  }
  return { ...server, mark, since, list }
}

describe("natpmpc against serve", { skip, concurrency: 2 }, () => {
  it("learns the external address that its mappings then have (N-04)", async () => {
    const server = await serve("127.0.0.41", "--external", "198.51.100.64/26")
    const address = /Public IP address : (\S+)/.exec(await natpmpc("127.0.0.41"))?.[1]
    assert.match(String(address), /^198\.51\.100\.(6[4-9]|[789]\d|1[01]\d|12[0-7])$/)
    await natpmpc("127.0.0.41", "-a", "8080", "8080", "udp", "600")
    assert.equal(told(await server.since(0, "created")).external.address, address)
    assert.equal((await server.stop()).code, 0)
  })

  for (const [protocol, number, gateway] of [
    ["udp", 17, "127.0.0.42"],
    ["tcp", 6, "127.0.0.43"],
  ] as const) {
    it(`maps, maps again and deletes ${protocol.toUpperCase()}, for several lifetimes (N-03, N-04, N-05)`, async () => {
      const server = await serve(gateway, "--max-lifetime", "50000", "--external", "198.51.100.7")
      for (const [lifetime, granted] of [
        [1, 1],
        [60, 60],
        [3600, 3600],
        [99999, 50000],
      ] as const) {
        const internalPort = 20000 + (lifetime % 1000)
        const external = 30000 + (lifetime % 1000)
        for (const event of ["created", "renewed"]) {
          const from = server.mark()
          // A mapping keeps its external port, whatever the second request suggests (RFC 6886 section 3.3).
          const suggested = event === "created" ? external : external + 1
          const out = printed(await natpmpc(gateway, "-a", `${suggested}`, `${internalPort}`, protocol, `${lifetime}`))
          assert.deepEqual(out, { externalPort: external, protocol: number, internalPort, lifetime: granted })
          assert.deepEqual(told(await server.since(from, event)), {
            external: { address: "198.51.100.7", port: external },
            protocol: number,
            internal: { address: "127.0.0.1", port: internalPort },
            lifetime: granted,
          })
          if (lifetime === 1) break
        }
        if (lifetime === 1) {
          await server.since(0, "expired")
          continue
        }
        const listed = (await server.list()).map(told)
        assert.deepEqual(listed, [
          {
            external: { address: "198.51.100.7", port: external },
            protocol: number,
            internal: { address: "127.0.0.1", port: internalPort },
            lifetime: undefined,
          },
        ])
        const from = server.mark()
        const gone = printed(await natpmpc(gateway, "-a", "0", `${internalPort}`, protocol, "0"))
        assert.deepEqual(gone, { externalPort: 0, protocol: number, internalPort, lifetime: 0 })
        assert.deepEqual(told(await server.since(from, "deleted")).internal.port, internalPort)
        assert.deepEqual(await server.list(), [])
      }
      assert.equal((await server.stop()).code, 0)
    })
  }

  it("gets another port where its own is taken, and deletes all of one protocol at once (N-03, N-05)", async () => {
    const gateway = "127.0.0.44"
    const server = await serve(gateway, "--external", "198.51.100.7", "--ports", "4000-4999")
    const ports = new Set<number>()
    for (const internal of ["1001", "1002", "1003"]) {
      const { externalPort } = printed(await natpmpc(gateway, "-a", "4100", internal, "udp", "600"))
      assert.ok(externalPort >= 4000 && externalPort <= 4999)
      ports.add(externalPort)
    }
    assert.ok(ports.has(4100))
    assert.equal(ports.size, 3)
    await natpmpc(gateway, "-a", "4200", "1001", "tcp", "600")
    assert.deepEqual(
      new Set((await server.list()).filter(({ protocol }) => protocol === 17).map((row) => told(row).external.port)),
      ports,
    )
    const gone = printed(await natpmpc(gateway, "-a", "0", "0", "udp", "0"))
    assert.deepEqual([gone.internalPort, gone.lifetime], [0, 0])
    assert.deepEqual(
      (await server.list()).map(told).map(({ protocol, internal }) => [protocol, internal.port]),
      [[6, 1001]],
    )
    const again = printed(await natpmpc(gateway, "-a", "0", "0", "udp", "0"))
    assert.deepEqual([again.internalPort, again.lifetime], [0, 0], "nothing left is success too")
    assert.equal((await server.stop()).code, 0)
  })
})
