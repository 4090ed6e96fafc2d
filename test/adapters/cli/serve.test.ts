import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { describe, it } from "node:test"
import { u16, u32 } from "../../../core/wire/index.ts"
import { assertNoStack, COMMAND, client, mapRequest, octets, serving, servingBy } from "./command.ts"

const NONCE = "0102030405060708090a0b0c"

describe("sallyport serve", { concurrency: 3 }, () => {
  it("answers NAT-PMP over UDP, a line an event, and lists mappings at SIGUSR1 and at its end", async () => {
    const server = await serving(["--external", "198.51.100.7"])
    const peer = await client()
    const address = await peer.ask(octets("0000"), server.port)
    assert.equal(u16(address, 2), 0)
    assert.deepEqual([...address.subarray(8)], [198, 51, 100, 7])
    const mapped = await peer.ask(octets("00020000 1f90 1f91 00000e10"), server.port)
    assert.deepEqual([u16(mapped, 2), u16(mapped, 8), u16(mapped, 10), u32(mapped, 12)], [0, 8080, 8081, 3600])
    await server.until(/created +TCP +127\.0\.0\.1:8080 +-> +198\.51\.100\.7:8081 +3600 s +NAT-PMP\n/)
    server.child.kill("SIGUSR1")
    const row =
      /1 mapping\nKIND +PROT +INTERNAL +EXTERNAL +LEFT +FROM\nmap +TCP +127\.0\.0\.1:8080 +198\.51\.100\.7:8081 +(1:00:00|59:\d\d) +NAT-PMP\n/
    await server.until(row)
    await peer.ask(octets("00020000 1f90 0000 00000000"), server.port)
    await server.until(/deleted +TCP/)
    peer.close()
    const { code, stdout, stderr } = await server.stop("SIGINT")
    assert.equal(code, 0)
    assert.match(stdout, /No mappings\.\n$/)
    assert.ok(
      stdout.split("\n").every((line) => line.length <= 80),
      stdout,
    )
    assert.match(stderr, /sallyport decode /)
    assertNoStack(stderr)
  })

  it("greets with what it was told to do: the protocols that it answers, and the addresses of its pool", async () => {
    for (const [args, told] of [
      [["--no-pcp"], /\(NAT-PMP\)\nOutside +8 addresses, 203\.0\.113\.0 to 203\.0\.113\.7\n/],
      [["--no-nat-pmp", "--external", "192.0.2.1"], /\(PCP\)\nOutside +192\.0\.2\.1\n/],
      [
        ["--external", "192.0.2.1,198.51.100.0/31"],
        /\(PCP and NAT-PMP\)\nOutside +3 addresses, 192\.0\.2\.1 and others\n/,
      ],
    ] as const) {
      const server = await serving(args)
      const { stderr } = await server.stop()
      assert.match(stderr, told)
    }
  })

  it("answers PCP over UDP, and tells each step as JSON without the nonce", async () => {
    const server = await serving(["--json", "--external", "198.51.100.0/31", "--max-lifetime", "7200", "--quota", "2"])
    const peer = await client()
    const created = await peer.ask(mapRequest(5000, 999_999), server.port)
    assert.deepEqual([created[0], created[1], created[3], u32(created, 4)], [2, 129, 0, 7200])
    const renewed = await peer.ask(mapRequest(5000, 3600), server.port)
    assert.deepEqual([renewed[3], u32(renewed, 4), u16(renewed, 42)], [0, 3600, u16(created, 42)])
    const refused = await peer.ask(mapRequest(5000, 3600, "ff".repeat(12)), server.port)
    assert.equal(refused[3], 2)
    const announce = await peer.ask(octets(`02000000 00000000 00000000000000000000ffff7f000001`), server.port)
    assert.equal(announce[3], 0)
    await peer.send(octets("02810000"), server.port)
    await peer.ask(mapRequest(5001, 3600), server.port)
    const quota = await peer.ask(mapRequest(5002, 3600), server.port)
    assert.equal(quota[3], 10)
    const deleted = await peer.ask(mapRequest(5001, 0), server.port)
    assert.equal(deleted[3], 0)
    server.child.kill("SIGUSR1")
    await server.until(/"event":"mappings"/)
    const { code, stdout, stderr } = await server.stop()
    peer.close()
    assert.deepEqual([code, stderr], [0, ""])
    assert.ok(!stdout.toLowerCase().includes(NONCE) && !stdout.includes("ffffffffffff") && !/nonce/i.test(stdout))
    const [listening, assignment, ...events] = server.records()
    assert.deepEqual([assignment.event, assignment.kind, assignment.fresh], ["assignment", "random", true])
    const told = [listening, ...events]
    assert.deepEqual(
      told.map((record) => record.event),
      ["listening", "created", "renewed", "refused", "answered", "dropped", "created", "refused", "deleted"].concat([
        "mapping",
        "mappings",
        "mapping",
        "mappings",
      ]),
    )
    const external = { address: [...renewed.subarray(56)].join("."), port: u16(renewed, 42) }
    const asked = { by: { address: "127.0.0.1", port: peer.port }, protocol: "pcp", version: 2, opcode: "MAP" }
    const mapping = {
      kind: "map",
      origin: "pcp",
      protocol: 17,
      internal: { address: "127.0.0.1", port: 5000 },
      external,
    }
    const { time, mapping: shown, ...rest } = told[1]
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(rest, {
      event: "created",
      lifetime: 7200,
      asked: { ...asked, mapping: { protocol: 17, internalPort: 5000, lifetime: 999_999 } },
    })
    assert.ok(typeof shown === "object" && shown !== null && "expires" in shown)
    const { expires, ...ends } = shown
    assert.deepEqual(ends, mapping)
    const left = Date.parse(String(expires)) - Date.parse(String(time))
    assert.ok(left >= 7_200_000 && left <= 7_202_000, `${left}`)
    assert.deepEqual(told[3].result, { code: 2, name: "NOT_AUTHORIZED" })
    assert.equal(told[5].reason, "response")
    assert.deepEqual(told[7].result, { code: 10, name: "USER_EX_QUOTA" })
    assert.equal(told[10].count, 1)
  })

  it("expires mappings when their time has come", async () => {
    const server = await serving(["--min-lifetime", "1"])
    const peer = await client()
    await peer.ask(mapRequest(5000, 1), server.port)
    await server.until(/expired +UDP +127\.0\.0\.1:5000 .*PCP\n/)
    peer.close()
    assert.match((await server.stop()).stdout, /No mappings\.\n$/)
  })

  it("listens on several addresses and answers from the one that was asked", async () => {
    const server = await serving(["--listen", "127.0.0.2:0", "--listen", "127.0.0.3:0", "--json"])
    const local = server.records()[0].local
    assert.ok(Array.isArray(local))
    const peer = await client()
    for (const { address, port } of local) {
      const answer = await peer.ask(octets("0000"), port, address)
      assert.equal(answer[1], 128)
    }
    peer.close()
    assert.equal((await server.stop()).code, 0)
  })

  it("prints no event with --quiet, and switches protocols off", async () => {
    const server = await serving(["--quiet", "--no-nat-pmp"])
    const peer = await client()
    const answer = await peer.ask(octets("0000"), server.port)
    assert.deepEqual([answer[0], answer[3]], [2, 1], "UNSUPP_VERSION, by a server that speaks version 2 alone")
    peer.close()
    assert.equal((await server.stop()).stdout, "\nNo mappings.\n")
  })

  it("stops, without a word, when nobody reads its output any more", async () => {
    const server = await serving([])
    const peer = await client()
    const ended = new Promise((resolve) => server.child.on("exit", resolve))
    server.child.stdout?.destroy()
    const again = setInterval(() => void peer.send(octets("0000"), server.port), 50)
    assert.equal(await ended, 0)
    clearInterval(again)
    peer.close()
    assert.doesNotMatch(server.stderr(), /EPIPE/)
    assertNoStack(server.stderr())
  })
})

it("ends at the first signal when its reader has gone to sleep, and says that the rest is lost", async () => {
  const server = await serving(["--json", "--min-lifetime", "0"])
  server.child.stdout?.pause()
  const peer = await client()
  // Far more lines than a pipe and this process's buffer hold.
  for (let port = 1; port < 4000; port++) await peer.ask(mapRequest(port % 900, 3600), server.port)
  peer.close()
  const { code, stderr } = await server.stop()
  assert.equal(code, 0)
  assert.match(stderr, /^sallyport: standard output: its reader takes nothing any more: the rest is lost\n$/)
})

/** A network namespace of its own, where port 5351 is free, in which a shell sets up and then becomes the command. */
const inNamespace = (setup: string): readonly string[] => [
  "unshare",
  "--net",
  "sh",
  "-c",
  `${setup} && exec "$@"`,
  "sh",
  ...COMMAND,
]

const hasNamespaces = (): boolean => {
  try {
    execFileSync("unshare", ["--net", "ip", "link", "set", "lo", "up"], { stdio: "ignore" })
    return true
  } catch {
    assert.notEqual(process.env.CI, "true", "network namespaces are missing: they need unshare, iproute2 and root")
    return false
  }
}

const skip = hasNamespaces() ? false : "network namespaces are missing: they need unshare, iproute2 and root"

describe("sallyport serve, by default", { skip }, () => {
  it("listens on both loopback addresses, port 5351, and says what to try next", async () => {
    const server = await servingBy(inNamespace("ip link set lo up"), [])
    const { code, stderr } = await server.stop()
    assert.equal(code, 0)
    assert.match(stderr, /^Listening +127\.0\.0\.1:5351, \[::1\]:5351 /)
    assert.match(stderr, /Try next +natpmpc -g 127\.0\.0\.1 -a .*\n +(?:npx )?sallyport decode /)
  })

  it("goes on with IPv4 where there is no IPv6, with a warning", async () => {
    const setup =
      "for i in all default lo; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done && ip link set lo up"
    const server = await servingBy(inNamespace(setup), [])
    const { code, stderr } = await server.stop()
    assert.equal(code, 0)
    assert.match(stderr, /^sallyport: this machine has no ::1: listening on IPv4 alone\nListening +127\.0\.0\.1:5351 /)
  })
})
