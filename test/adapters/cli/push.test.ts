import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { sallyport, servingBy } from "./command.ts"
import { type HeardDatagram, isMissing, network } from "./network.ts"

const skip = isMissing()
const LISTEN = ["--listen", "192.0.2.1", "--listen", "192.0.2.2", "--listen", "[2001:db8::1]", "--no-control"]

describe("what a server sends of its own accord", { skip }, () => {
  it("S-82 S-83 S-84 N-06: its start, by multicast to port 5350, from each address and port that it serves on", async () => {
    const net = await network()
    const client = await net.listener()
    const server = await servingBy(net.serve, ["--external", "198.51.100.7", ...LISTEN])
    try {
      const heard = (await client.until((all) => all.filter(({ at }) => at === "multicast").length >= 15)).filter(
        ({ at }) => at === "multicast",
      )
      for (const from of ["192.0.2.1 5351", "192.0.2.2 5351", "2001:db8::1 5351"]) {
        // RFC 6887 sections 7.2 and 14.1.1: version 2, R and opcode 0, SUCCESS, lifetime 0, epoch, 12 octets of zero.
        const announced = heard.filter(
          (one) => one.from === from && /^02800000 00000000 0000000. 0{24}$/.test(spaced(one.hex)),
        )
        assert.ok(announced.length >= 2, `${from}: ${JSON.stringify(heard)}`)
      }
      // RFC 6886 section 3.2.1: version 0, opcode 128, result 0, epoch, external address.
      const natPmp = heard.filter(
        ({ from, hex }) => from === "192.0.2.1 5351" && /^00800000 0000000. c6336407$/.test(spaced(hex)),
      )
      assert.ok(natPmp.length >= 2, JSON.stringify(heard))
    } finally {
      client.stop()
      await server.stop()
      net.stop()
    }
  })
})

it("S-90 S-92 S-140: a mapping that moves is told to its client, thrice, from the address that the client asked", {
  skip,
}, async () => {
  const net = await network()
  const client = await net.listener()
  const folder = mkdtempSync(join(tmpdir(), "sallyport-update-"))
  const path = join(folder, "serve.jsonc")
  const pool = (external: string): void =>
    writeFileSync(path, JSON.stringify({ listen: ["192.0.2.1", "192.0.2.2"], external, control: false }))
  pool("198.51.100.7")
  const server = await servingBy(net.serve, ["--config", path])
  try {
    const own = (all: readonly HeardDatagram[]) => all.filter(({ at }) => at === "own")
    // RFC 6887 section 11.1: MAP of UDP port 5000 for 3600 s, and RFC 6886 section 3.3: of TCP port 8080.
    const head = "02010000 00000e10 00000000000000000000ffffc0000209 0102030405060708090a0b0c 11000000"
    client.send("192.0.2.2", `${head} 1388 1770 00000000000000000000ffff00000000`.replaceAll(" ", ""))
    await client.until((all) => own(all).length === 1)
    client.send("192.0.2.2", "000200001f901f9000000e10")
    await client.until((all) => own(all).length === 2)
    pool("198.51.100.8")
    server.child.kill("SIGHUP")
    const heard = own(await client.until((all) => own(all).length >= 8))
    assert.ok(heard.every(({ from }) => from === "192.0.2.2 5351"))
    const updates = heard.slice(2).map(({ hex }) => hex)
    const pcp = updates.filter((hex) => hex.startsWith("02810000"))
    const natPmp = updates.filter((hex) => hex.startsWith("00820000"))
    assert.deepEqual([pcp.length, natPmp.length], [3, 3])
    for (const hex of pcp) {
      // Nonce, protocol and internal port as before; 198.51.100.8 outside.
      assert.match(hex, /^.{48}0102030405060708090a0b0c110000001388.{4}0{20}ffffc6336408$/)
      assert.ok(Number.parseInt(hex.slice(16, 24), 16) <= 1, "the epoch began again")
    }
    for (const hex of natPmp) assert.match(hex, /^.{16}1f90.{4}00000e(?:10|0f|0e)$/)
  } finally {
    client.stop()
    await server.stop()
    net.stop()
    rmSync(folder, { recursive: true })
  }
})

describe("sallyport serve, without translation to a pool", { skip }, () => {
  const tail = "0102030405060708090a0b0c 11000000 1388 1388"
  const asked = (host: string, any: string): string => `02010000 00000e10 ${host} ${tail} ${any}`.replaceAll(" ", "")
  const V6 = {
    server: "2001:db8::1",
    client: "2001:db8::9",
    request: asked("20010db8000000000000000000000009", "0".repeat(32)),
  }
  const V4 = {
    server: "192.0.2.1",
    client: "192.0.2.9",
    request: asked("00000000000000000000ffffc0000209", "00000000000000000000ffff00000000"),
  }

  const answerOf = async (settings: object, { server: listen, client: host, request } = V6) => {
    const net = await network()
    const client = await net.listener()
    const folder = mkdtempSync(join(tmpdir(), "sallyport-device-"))
    const path = join(folder, "serve.jsonc")
    const control = join(folder, "control.sock")
    writeFileSync(path, JSON.stringify({ listen: [listen], control, ...settings }))
    const server = await servingBy(net.serve, ["--config", path, "--metrics", "127.0.0.1:0"])
    client.send(listen, request)
    const heard = await client.until((all) => all.some(({ at }) => at === "own"))
    const listed = await sallyport(["mappings", "--control", control])
    const revoked = await sallyport(["revoke", host, "--control", control])
    // The rules of the file apply from now on: RFC 6887 section 7.4, NOT_AUTHORIZED.
    writeFileSync(path, JSON.stringify({ listen: [listen], control, ...settings, rules: [{ action: "deny" }] }))
    server.child.kill("SIGHUP")
    await server.untilError(/serve\.jsonc: read again\n/)
    client.send(listen, request)
    await client.until((all) => all.some(({ hex }) => hex.startsWith("02810002")))
    const kept = await sallyport(["mappings", "--control", control])
    client.stop()
    const { code, stderr } = await server.stop()
    net.stop()
    rmSync(folder, { recursive: true })
    assert.equal(code, 0)
    assert.match(kept.stdout, /^No mappings/)
    const hex = heard.find(({ at }) => at === "own")?.hex ?? ""
    return { hex, listed: listed.stdout, stderr, revoked: [revoked.code, revoked.stdout] }
  }

  it("firewall6 opens a pinhole at the host's own address and port", async () => {
    const { hex, listed, stderr, revoked } = await answerOf({
      profile: "firewall6",
      inside: ["2001:db8::/64"],
      quota: 5,
    })
    assert.deepEqual(revoked, [0, "1 mapping deleted.\n"])
    assert.match(hex, /^02810000.{40}0102030405060708090a0b0c110000001388138820010db8000000000000000000000009$/)
    assert.match(listed, /^map +UDP +\[2001:db8::9\]:5000 +\[2001:db8::9\]:5000 +\d/m)
    assert.match(stderr, /^Outside +as inside: nothing is translated$/m)
  })

  it("S-140: firewall6 keeps its pinholes, and its epoch, over a restart", async () => {
    const net = await network()
    const client = await net.listener()
    const folder = mkdtempSync(join(tmpdir(), "sallyport-pinholes-"))
    const path = join(folder, "serve.jsonc")
    const state = { file: join(folder, "state") }
    writeFileSync(path, JSON.stringify({ listen: ["2001:db8::1"], profile: "firewall6", control: false, state }))
    const first = await servingBy(net.serve, ["--config", path])
    client.send("2001:db8::1", V6.request)
    await client.until((all) => all.some(({ at }) => at === "own"))
    assert.match((await first.stop()).stdout, /\[2001:db8::9\]:5000/)
    const second = await servingBy(net.serve, ["--config", path])
    const { code, stdout, stderr } = await second.stop()
    client.stop()
    net.stop()
    rmSync(folder, { recursive: true })
    assert.equal(code, 0)
    assert.match(stdout, /^map +UDP +\[2001:db8::9\]:5000 +\[2001:db8::9\]:5000 +\d/m)
    assert.doesNotMatch(stderr, /epoch begins again/)
  })

  it("S-46: nptv6 answers what RFC 6296 computes, and keeps nothing", async () => {
    const prefixes = [{ internal: "2001:db8::/48", external: "2001:db8:1::/48" }]
    const { hex, listed, stderr, revoked } = await answerOf({ profile: "nptv6", prefixes })
    assert.deepEqual(revoked, [4, ""], "there is nothing to revoke")
    // The prefix's 1 more is taken off the subnet: ones' complement 0 - 1 = fffe (RFC 6296 section 3.1).
    assert.match(hex, /^02810000.{40}0102030405060708090a0b0c110000001388138820010db80001fffe0000000000000009$/)
    assert.match(listed, /^No mappings/)
    assert.match(stderr, /^Outside +1 prefix, translated one to one$/m)
  })

  it("S-46: nat46 answers what RFC 6052 computes, or the pair of the host, and keeps nothing", async () => {
    const ipv6Prefix = "2001:db8:64::/96"
    const { hex, listed, stderr, revoked } = await answerOf({ profile: "nat46", ipv6Prefix }, V4)
    assert.deepEqual(revoked, [4, ""], "there is nothing to revoke")
    assert.match(hex, /^02810000.{40}0102030405060708090a0b0c110000001388138820010db80064000000000000c0000209$/)
    assert.match(listed, /^No mappings/)
    assert.match(stderr, /^Outside +IPv4 behind 2001:db8:64::\/96, one to one$/m)
    const addressPairs = [{ ipv4: "192.0.2.9", ipv6: "2001:db8:46::9" }]
    const paired = await answerOf({ profile: "nat46", ipv6Prefix, addressPairs }, V4)
    assert.match(paired.hex, /^02810000.{48}.{16}110000001388138820010db8004600000000000000000009$/)
  })
})

it("listens on each address of an interface that a configuration file names", { skip }, async () => {
  const net = await network()
  const folder = mkdtempSync(join(tmpdir(), "sallyport-interface-"))
  const path = join(folder, "serve.jsonc")
  writeFileSync(path, '{ "listen": ["192.0.2.2:5352"], "interfaces": ["v0"], "control": false }')
  const server = await servingBy(net.serve, ["--config", path])
  const { code, stderr } = await server.stop()
  net.stop()
  rmSync(folder, { recursive: true })
  assert.equal(code, 0)
  assert.match(
    stderr,
    /^Listening +192\.0\.2\.2:5352, 192\.0\.2\.1:5351, \[2001:db8::1\]:5351, \[fe80::[0-9a-f:]+%v0\]:5351 /,
  )
})

/** Hex digits as words of 4 octets: the first three, then the rest. */
const spaced = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 16), hex.slice(16, 24), hex.slice(24)].join(" ").trim()
