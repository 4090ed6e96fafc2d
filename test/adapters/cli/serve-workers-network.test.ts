/** `serve --workers` with clients of many addresses, and what it multicasts. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { ownerOf } from "../../../adapters/cli/workers/owner.ts"
import { formatAddress, writeAddress } from "../../../core/wire/index.ts"
import { address } from "../udp-suite.ts"
import { records, sallyport, servingBy } from "./command.ts"
import { isMissing, network } from "./network.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-workers-network-"))
after(() => rmSync(folder, { recursive: true }))

/** Each a /64 of its own. */
const HOSTS6: readonly string[] = Array.from({ length: 8 }, (_, i) => `2001:db8:${i + 1}::9`)
const ROUTED = HOSTS6.map((host) => `ip -6 addr add ${host}/128 dev v1 nodad`).join("; ")

const hexOf = (text: string): string => {
  const octets = new Uint8Array(16)
  writeAddress(octets, 0, address(text))
  return Buffer.from(octets).toString("hex")
}

const nonceOf = (host: string): string => hexOf(host).slice(0, 24)

/** MAP of UDP port 5000 for an hour, RFC 6887 section 11.1. */
const mapOf = (host: string, options = ""): string =>
  `02010000 00000e10 ${hexOf(host)} ${nonceOf(host)} 11000000 13880000 ${"0".repeat(32)} ${options}`.replaceAll(" ", "")

/** Has `serve --workers 2` with these settings in a network with such hosts. */
const scene = async (name: string, settings: object) => {
  const net = await network()
  net.run("client", ROUTED)
  net.run("server", "ip -6 route add 2001:db8::/32 dev v0")
  const client = await net.listener()
  const [config, control] = [join(folder, `${name}.json`), join(folder, `${name}.sock`)]
  const state = { file: join(folder, name) }
  writeFileSync(config, JSON.stringify({ listen: ["2001:db8::1"], control, state, ...settings }))
  let asked = 0
  return {
    start: () => servingBy(net.serve, ["--config", config, "--json", "--workers", "2"]),
    /** From a new port of each host; their answers, by host. */
    askAll: async (options = ""): Promise<ReadonlyMap<string, string>> => {
      const before = asked
      asked += HOSTS6.length
      const ofMap = (hex: string): boolean => hex.startsWith("0281")
      for (const host of HOSTS6) client.send("2001:db8::1", mapOf(host, options), host)
      const heard = await client.until((all) => all.filter(({ hex }) => ofMap(hex)).length >= asked)
      const answers = heard.filter(({ hex }) => ofMap(hex)).slice(before)
      return new Map(
        HOSTS6.map((host) => [host, answers.find(({ hex }) => hex.slice(48, 72) === nonceOf(host))?.hex ?? ""]),
      )
    },
    listed: async () => records((await sallyport(["mappings", "--json", "--control", control])).stdout),
    revoke: async (...words: string[]) =>
      (await sallyport(["revoke", ...words, "--json", "--control", control])).stdout,
    end: (): void => {
      client.stop()
      net.stop()
    },
  }
}

const resultOf = (hex: string): string => hex.slice(6, 8)
/** External port and address. */
const endOf = (hex: string): string => hex.slice(84, 120)

describe("sallyport serve --workers, in a network", { skip: isMissing() }, () => {
  it("dslite: each B4's hosts are in one worker, told apart by it, over a restart too", async () => {
    const rule = { workers: 2, prefix: { ipv4: 32, ipv6: 64 }, dslite: true }
    const internal = address("192.0.2.9")
    const owners = HOSTS6.map((host) => ownerOf(rule, { internal, realm: address(host) }))
    assert.equal(new Set(owners).size, 2, "both workers have some")
    const external = ["198.51.100.6", "198.51.100.7"]
    const net = await scene("dslite", { profile: "dslite", threatModel: "advanced", quota: 1, external })
    const first = await net.start()
    const thirdParty = `01000010${hexOf("192.0.2.9")}`
    const made = await net.askAll(thirdParty)
    for (const [host, hex] of made) assert.equal(resultOf(hex), "00", `${host}: ${hex}`)
    assert.equal(new Set([...made.values()].map(endOf)).size, HOSTS6.length)
    for (const [host, hex] of await net.askAll(thirdParty)) assert.equal(endOf(hex), endOf(made.get(host) ?? ""), host)
    const rows = await net.listed()
    assert.deepEqual(
      rows.map(({ realm }) => realm).sort(),
      [...HOSTS6].map((host) => formatAddress(address(host))).sort(),
    )
    assert.equal((await first.stop()).code, 0)
    const second = await net.start()
    for (const [host, hex] of await net.askAll(thirdParty)) assert.equal(endOf(hex), endOf(made.get(host) ?? ""), host)
    assert.equal(await net.revoke("192.0.2.9", "--realm", HOSTS6[3]), '{"deleted":1}\n')
    assert.equal((await net.listed()).length, HOSTS6.length - 1)
    const { code, stderr } = await second.stop()
    net.end()
    assert.deepEqual([code, stderr], [0, ""])
  })

  it("firewall6: pinholes are where their hosts are, over a restart too", async () => {
    const net = await scene("firewall6", { profile: "firewall6" })
    const first = await net.start()
    const made = await net.askAll()
    for (const [host, hex] of made)
      assert.deepEqual([resultOf(hex), endOf(hex)], ["00", `1388${hexOf(host)}`], `${host}: ${hex}`)
    assert.equal((await first.stop()).code, 0)
    const second = await net.start()
    assert.equal((await net.listed()).length, HOSTS6.length)
    assert.equal(await net.revoke(HOSTS6[0]), '{"deleted":1}\n')
    await net.askAll()
    const rows = await net.listed()
    assert.equal(rows.length, HOSTS6.length, "renewed in place")
    const { code, stderr } = await second.stop()
    net.end()
    assert.deepEqual([code, stderr], [0, ""])
  })

  it("S-82: multicasts an announcement once, from each address that it serves on", async () => {
    const net = await network()
    const client = await net.listener()
    const path = join(folder, "announce.json")
    const listen = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    writeFileSync(path, JSON.stringify({ listen, external: "198.51.100.7", announceCount: 1, control: false }))
    const server = await servingBy(net.serve, ["--config", path, "--workers", "2"])
    // The one address is both workers', and each has it come and go: RFC 6887 section 8.5, one announcement again.
    writeFileSync(path, JSON.stringify({ listen, external: "198.51.100.8", announceCount: 1, control: false }))
    const isAnnounced = ({ hex }: { readonly hex: string }): boolean => /^02800000|^00800000/.test(hex)
    await client.until((all) => all.filter(isAnnounced).length >= 5)
    server.child.kill("SIGHUP")
    await server.untilError(/read again\n/)
    // Whatever comes before the answer has come.
    await client.until((all) => all.filter(isAnnounced).length >= 10)
    client.send("192.0.2.1", "0000")
    const heard = await client.until((all) => all.some(({ at }) => at === "own"))
    await server.stop()
    client.stop()
    net.stop()
    const counts = new Map<string, number>()
    for (const { at, from, hex } of heard) {
      if (at !== "multicast") continue
      const key = `${from} ${hex.startsWith("02") ? "PCP" : `NAT-PMP ${hex.slice(16)}`}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    assert.deepEqual(Object.fromEntries([...counts].sort()), {
      "192.0.2.1 5351 NAT-PMP c6336407": 1,
      "192.0.2.1 5351 NAT-PMP c6336408": 1,
      "192.0.2.1 5351 PCP": 2,
      "192.0.2.2 5351 NAT-PMP c6336407": 1,
      "192.0.2.2 5351 NAT-PMP c6336408": 1,
      "192.0.2.2 5351 PCP": 2,
      "2001:db8::1 5351 PCP": 2,
    })
  })
})
