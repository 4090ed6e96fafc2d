import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { createNpt, nptOutbound } from "../../core/cgn/index.ts"
import { formatAddress } from "../../core/wire/index.ts"
import { COMMAND } from "../adapters/cli/command.ts"
import { address, prefix } from "../core/cgn/packet/scene.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking, type Running } from "./namespace.ts"
import { answering, externalOf, heard, unheard } from "./nftables-scene.ts"

const lack = lacking(["nft", "conntrack", "ping"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

/** The example of RFC 6296 section 3.6, whose words are computed there, and a pair of longer prefixes. */
const PAIRS = [
  ["fd01:203:405::/48", "2001:db8:1::/48"],
  ["fd02:0:0:aa40::/58", "2001:db8:2:ff00::/58"],
] as const
const HOST = "fd01:203:405:1::1234"
const SEEN = "2001:db8:1:d550::1234"
/** In its first word of the identifier that is not 0xffff a carry goes round. */
const OTHER = "fd02:0:0:aa41:ffff:f00d:0:7"
const WORLD = "2001:db8:f::1"

/** As the device in core has it, which its own tests hold to the RFC. */
const outsideOf = (internal: string, pairs: readonly (readonly [string, string])[] = PAIRS): string => {
  const made = createNpt({ pairs: pairs.map(([one, other]) => ({ internal: prefix(one), external: prefix(other) })) })
  assert.ok(made.ok)
  const external = nptOutbound(made.state, address(internal))
  assert.ok(external !== undefined)
  return formatAddress(external)
}

const path = (from: string): string => fileURLToPath(new URL(from, import.meta.url))
const MAIN = COMMAND[1]
const RUNTIMES = [
  ["Deno", [path("../../node_modules/.bin/deno"), "run", "--allow-all", MAIN]],
  ["Bun", [path("../../node_modules/.bin/bun"), MAIN]],
] as const

describe("an NPTv6 router: serve --nftables", { skip: lack ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-npt-"))
  const config = join(folder, "serve.jsonc")
  let there: Scene
  let server: Running
  before(async () => {
    there = await scene()
    // Theirs of the scene are of the external prefix here.
    there.router.sh("ip -6 addr del 2001:db8:1::1/64 dev inside")
    there.host.sh("ip -6 addr del 2001:db8:1::2/64 dev lan")
    there.router.sh(`
      ip -6 addr add fd01:203:405:1::1/64 dev inside nodad; ip -6 addr add fd02:0:0:aa41::1/64 dev inside nodad
      ip -6 addr add 2001:db8:f::44/64 dev outside nodad
      ip -6 route add default via ${WORLD}
      echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
      nft -f - <<'RULES'
table inet guard {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state invalid drop
    ct state established,related accept
    iifname "inside" accept
    ip6 daddr { ${HOST}, ${OTHER} } tcp dport 8080 accept
    ip6 daddr ${HOST} icmpv6 type echo-request accept
  }
}
RULES`)
    there.host.sh(`
      ip -6 addr add ${HOST}/64 dev lan nodad; ip -6 addr add ${OTHER}/64 dev lan nodad
      ip -6 route replace default via fd01:203:405:1::1 dev lan`)
    there.world.sh(`
      ip -6 addr add ${WORLD}/64 dev world nodad
      ip -6 route add 2001:db8:1::/48 via 2001:db8:f::44; ip -6 route add 2001:db8:2::/48 via 2001:db8:f::44
      ip -6 route add 2001:db8:3::/48 via 2001:db8:f::44; ip -6 route add fd00::/8 via 2001:db8:f::44`)
    configure(PAIRS)
    server = await serve(COMMAND)
    for (const protocol of ["tcp", "udp"] as const) {
      await answering(there.world, protocol, 53)
      await answering(there.host, protocol, 8080)
    }
  })
  after(() => {
    there.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const configure = (pairs: readonly (readonly [string, string])[]): void => {
    const prefixes = pairs.map(([internal, external]) => ({ internal, external }))
    writeFileSync(config, JSON.stringify({ profile: "nptv6", prefixes }))
  }
  const serve = async (command: readonly string[]): Promise<Running> => {
    const options = `--outside outside --json --control ${folder}/control.sock --config ${config}`
    const listen = ["--listen", "fd01:203:405:1::1", "--listen", "fd02:0:0:aa41::1"]
    const words = [...command, "serve", "--nftables", ...options.split(" "), ...listen]
    const running = there.router.start(["env", "NO_COLOR=1", ...words])
    await running.until(/"event":"listening"/)
    return running
  }
  const asked = async (what: string, json = true): ReturnType<Scene["sallyport"]> =>
    there.sallyport(`${what}${json ? " --json" : ""} --server fd01:203:405:1::1`)
  const doctor = async (): Promise<unknown> => {
    const { code, stdout, stderr } = await there.router.run([
      ...["env", "NO_COLOR=1"],
      ...COMMAND,
      ...["doctor", "--json", "--control", `${folder}/control.sock`],
    ])
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  /** Thrice: the kernel limits its errors, and they may be lost. */
  const ping = (from: "host" | "world", options: string): ReturnType<Scene["sallyport"]> =>
    there[from].run(["ping", "-n", "-c", "3", "-i", "0.3", "-W", "5", ...options.split(" ")])
  const SOUND = { put: 0, gone: 0, rebuilt: false }

  it("NAT-6296-3.6: TCP and UDP go out with the address of the RFC's example, and a longer prefix's with core's", async () => {
    for (const protocol of ["tcp", "udp"] as const) {
      const ask = { protocol, address: WORLD, port: 53, sourcePort: 4444 } as const
      assert.equal(await heard(there.host, { ...ask, source: HOST }), `${SEEN} 4444`)
      assert.equal(await heard(there.host, { ...ask, source: OTHER }), `${outsideOf(OTHER)} 4444`)
    }
  })

  it("S-46: MAP is answered with the address at which TCP comes in, and whoever asks is seen as it is", async () => {
    const mapped = await asked("map 8080/tcp --external-port 8080")
    assert.equal(mapped.code, 0, mapped.stderr)
    assert.deepEqual(externalOf(mapped.stdout), { address: SEEN, port: 8080 })
    const ask = { protocol: "tcp", port: 8080, source: WORLD, sourcePort: 6001 } as const
    assert.equal(await heard(there.world, { ...ask, address: SEEN }), `${WORLD} 6001`)
    assert.equal(await heard(there.world, { ...ask, address: outsideOf(OTHER), sourcePort: 6002 }), `${WORLD} 6002`)
    // Nobody reaches an internal address from outside, nor the server at any of the router's.
    assert.equal(await unheard(there.world, { ...ask, address: HOST, sourcePort: 6003 }), "nobody")
  })

  it("ping and its errors come and go with addresses that each side knows", async () => {
    assert.equal((await ping("host", `-I ${HOST} ${WORLD}`)).code, 0)
    assert.equal((await ping("world", SEEN)).code, 0)
    // From the router, about what it has translated already; and from the world about what it was sent.
    const far = await ping("world", `-t 1 ${SEEN}`)
    assert.match(far.stdout, /From 2001:db8:f::44 icmp_seq=\d Time exceeded/)
    const gone = await ping("host", `-I ${OTHER} 2001:db8:f::99`)
    // About what it has translated already, from an address that the sender knows too.
    assert.match(gone.stdout, /From fd0[12][:\w]*::1 icmp_seq=\d Destination unreachable/)
    there.world.sh("ip -6 route add unreachable 2001:db8:ee::/48; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
    for (const source of [HOST, OTHER]) {
      const none = await ping("host", `-I ${source} 2001:db8:ee::1`)
      assert.match(none.stdout, new RegExp(`From ${WORLD} icmp_seq=\\d Destination unreachable`))
    }
  })

  it("NAT-6296-4.3: a host reaches another by its external address, and is seen with its own", async () => {
    for (const protocol of ["tcp", "udp"] as const) {
      const ask = { protocol, address: SEEN, port: 8080, source: OTHER, sourcePort: 7001 } as const
      assert.equal(await heard(there.host, ask), `${outsideOf(OTHER)} 7001`)
      const back = { ...ask, address: outsideOf(OTHER), source: HOST, sourcePort: 7002 } as const
      assert.equal(await heard(there.host, back), `${SEEN} 7002`)
    }
  })

  it("the router's own internal address is a host's like others: reached from both sides by its external one", async () => {
    const router = "fd01:203:405:1::1"
    await answering(there.router, "tcp", 9090)
    const ask = { protocol: "tcp", address: outsideOf(router), port: 9090 } as const
    assert.equal(await heard(there.world, { ...ask, source: WORLD, sourcePort: 7101 }), `${WORLD} 7101`)
    assert.equal(await heard(there.host, { ...ask, source: HOST, sourcePort: 7102 }), `${SEEN} 7102`)
    for (const protocol of ["tcp", "udp"] as const) {
      const own = { protocol, address: SEEN, port: 8080, source: router, sourcePort: 7103 } as const
      assert.equal(await heard(there.router, own), `${outsideOf(router)} 7103`)
    }
  })

  it("an address of the router's own is that, also of an external prefix", async () => {
    there.router.sh("ip -6 addr add 2001:db8:1:aaaa::1/128 dev outside nodad")
    for (const from of ["world", "host"] as const) {
      const answered = await ping(from, "2001:db8:1:aaaa::1")
      assert.match(answered.stdout, /bytes from 2001:db8:1:aaaa::1: icmp_seq=\d/)
    }
  })

  it("NAT-6296-3.2: what has no external address does not go out, and its sender is told; no host of it is served", async () => {
    const none = "fd01:203:405:ffff::7"
    there.router.sh("ip -6 route add fd01:203:405:ffff::/64 dev inside")
    there.host.sh(`ip -6 addr add ${none}/64 dev lan nodad`)
    assert.match((await ping("host", `-I ${none} ${WORLD}`)).stdout, /icmp_seq=\d Destination unreachable: No route/)
  })

  it("what goes to an internal address that no link inside has does not go out by the default route", async () => {
    const nobody = "fd01:203:405:2::9"
    there.router.sh(`nft insert rule inet guard forward ip6 daddr ${nobody} accept`)
    there.world.sh(`nft -f - <<'RULES'
table ip6 seen {
  chain prerouting { type filter hook prerouting priority raw; ip6 daddr fd00::/8 counter; }
}
RULES`)
    const told = /icmp_seq=\d Destination unreachable: No route/
    assert.match((await ping("host", nobody)).stdout, told)
    assert.match((await ping("world", outsideOf(nobody))).stdout, told)
    // It is told about what it did not send: the address there is the internal one.
    await ping("host", outsideOf(nobody))
    assert.match((await there.world.run(["nft", "list", "table", "ip6", "seen"])).stdout, /counter packets 0 /)
  })

  it("a FILTER is refused, as no mapping is the device's to filter (S-46)", async () => {
    const { code, stderr, stdout } = await asked(`map 8080/tcp --filter ${WORLD}/128`)
    assert.notEqual(code, 0)
    assert.match(`${stderr}${stdout}`, /UNSUPP_OPTION/)
  })

  it("doctor and the server's own check mend what others did to the table", async () => {
    const { sound, ...rest } = Object(await doctor())
    assert.deepEqual(rest, SOUND)
    // Octets to which each of a few constants is added.
    assert.equal(sound % 256, 0)
    assert.ok(sound > 0 && sound <= 16 * 256, `${sound}`)
    const listed = (await there.router.run(["nft", "list", "table", "ip6", "sallyport"])).stdout
    const [, name] = /map (plus-\d+) \{/.exec(listed) ?? assert.fail(listed)
    for (const [damage, said] of [
      [`flush map ip6 sallyport ${name}`, /256 elements put in, 0 taken out/],
      ["flush chain ip6 sallyport out", /built anew/],
      ["delete table ip6 sallyport", /built anew/],
    ] as const) {
      const before = server.stderr().length
      there.router.sh(`nft ${damage}`)
      await doctor()
      assert.match(server.stderr().slice(before), said)
      assert.deepEqual(await doctor(), { sound, ...SOUND })
    }
    const ask = { protocol: "tcp", address: WORLD, port: 53, source: HOST, sourcePort: 4450 } as const
    assert.equal(await heard(there.host, ask), `${SEEN} 4450`)
  })

  it("S-83: other prefixes by SIGHUP: the epoch begins again, clients hear of it, and the kernel goes by them", async () => {
    const client = there.start("host", "map 8080/tcp --keep --json --server fd01:203:405:1::1")
    await client.until(/"event":"mapped"/)
    const pairs = [["fd01:203:405::/48", "2001:db8:3::/48"], PAIRS[1]] as const
    configure(pairs)
    server.child.kill("SIGHUP")
    await server.until(/"event":"reset"/)
    await client.until(/"event":"changed"/)
    const after = client.stdout().split("\n").slice(1).join("\n")
    assert.equal(externalOf(after).address, outsideOf(HOST, pairs))
    const ask = { protocol: "udp", address: WORLD, port: 53, source: HOST, sourcePort: 4451 } as const
    assert.equal(await heard(there.host, ask), `${outsideOf(HOST, pairs)} 4451`)
    assert.equal(await client.stop("SIGINT"), 0, client.stderr())
    configure(PAIRS)
    server.child.kill("SIGHUP")
    await server.until(/(?:read again[\s\S]*){2}/)
    assert.equal(await heard(there.host, { ...ask, sourcePort: 4452 }), `${SEEN} 4452`)
  })

  it("the table goes with the server", async () => {
    assert.equal(await server.stop(), 0, server.stderr())
    assert.doesNotMatch((await there.router.run(["nft", "list", "tables"])).stdout, /sallyport/)
  })

  for (const [runtime, command] of RUNTIMES)
    it(`under ${runtime} the kernel gives the same addresses`, async () => {
      server = await serve(command)
      const ask = { protocol: "udp", address: WORLD, port: 53, sourcePort: 4460 } as const
      assert.equal(await heard(there.host, { ...ask, source: HOST }), `${SEEN} 4460`)
      assert.equal(await heard(there.host, { ...ask, source: OTHER }), `${outsideOf(OTHER)} 4460`)
      const { sound, ...rest } = Object(await doctor())
      assert.deepEqual(rest, SOUND)
      assert.ok(sound > 0)
      assert.equal(await server.stop(), 0, server.stderr())
    })
})
