import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { PARSERS, RECORDINGS } from "./recorded.ts"
import { show } from "./show.ts"

/** What whoever looks at each recording finds in it; `recorded/README.md` says where they are from. */
const GATEWAYS: Readonly<Record<string, readonly string[]>> = {
  "linux-vm.route": ["192.168.71.2 on ens33, 100"],
  // The default on `lo` is no route: it refuses.
  "linux-vm.ipv6_route": [],
  "linux-docker.route": ["192.168.8.1 on wlp4s0, 600"],
  "linux-blackhole.route": [],

  "macos-10.9.netstat": ["fe80::ba26:8aff:fe5f:4eef%en0 on en0, 0"],
  // Its tunnels' gateways fe80::%utun0 are only the prefix.
  "macos-10.13.netstat": ["10.10.56.1 on en0, 0"],
  "macos-10.14.netstat": ["192.168.1.254 on en0, 0", "fe80::feae:34ff:fea1:3a80%en0 on en0, 0"],
  // A name, and an address of which the end is missing: each would be another host's.
  "macos-10.14-cut-off.netstat": [],
  "macos-cut-interface.netstat": ["192.168.1.1 on en1, 0"],
  // 0/1 and 128.0/1 through the VPN are no default routes, and link#23 is no gateway.
  "macos-vpn-halves.netstat": ["192.168.1.1 on en0, 0"],
  // The default is the VPN's; the one by the router holds for who asks for en0.
  "macos-vpn-scoped.netstat": ["172.20.10.1 on en0, 1"],
  "macos-vpn-tunnel6.netstat": [],
  "macos-two-interfaces.netstat": [
    "fe80::7052:eeff:fe36:81a7%en0 on en0, 0",
    "fe80::7052:eeff:fe36:81a7%en1 on en1, 1",
  ],
  "freebsd-13.netstat": ["10.88.88.2 on ena0, 0"],
  "freebsd-13-wide.netstat": ["10.0.0.1 on vtnet0, 0"],
  "opnsense.netstat": ["fe80::2d0:f6ff:fe2d:7f88%ngeth0 on ngeth0, 0"],
  "openbsd-5.netstat": ["192.168.7.1 on vio1, 8", "fe80::126f:3fff:fe81:2464%vio1 on vio1, 56"],
  "openbsd-6.3.netstat": ["10.0.1.254 on bge0, 8"],
  "netbsd.netstat": ["172.31.16.1 on ena0, 0"],
  "linux.netstat": [],
  "solaris.netstat": [],
  "aix.netstat": [],

  "macos.route-get": ["10.62.96.1 on en0, 0"],
  // `destination: default`, but half of it: the VPN's gateway is not the router.
  "macos-vpn-half.route-get": [],
  "macos-vpn6.route-get": [],
  "macos-ipsec.route-get": [],
  "macos-inet6.route-get": ["fe80::56b7:bdff:fe9e:91%en0 on en0, 0"],
  "freebsd.route-get": ["10.0.0.1 on epair8b, 0"],
  "freebsd-truenas.route-get": ["192.168.205.1 on em0, 0"],
  "openbsd.route-get": ["192.168.122.1 on vio0, 8"],
  "openbsd-inet6.route-get": ["fdee:9f85:83be::1 on vio1, 8"],
  "openbsd-wireguard.route-get": ["10.10.10.2 on wg0, 8"],
  "netbsd-net.route-get": [],

  "windows-10.route-print": ["192.168.31.1 on ?, 30"],
  // Its persistent default is the second active one again.
  "windows-dual-homed.route-print": [
    "10.129.0.1 on ?, 25",
    "192.168.20.1 on ?, 271",
    "fe80::250:56ff:feb9:4ddf%4 on ?, 281",
  ],
  "windows-german.route-print": ["10.211.55.1 on ?, 10", "fe80::21c:42ff:fe00:18%11 on ?, 266"],
  "windows-french.route-print": ["192.168.182.1 on ?, 55"],
  // 0.0.0.0 with the mask 192.0.0.0 is a quarter, and `En vínculo` has two words.
  "windows-spanish.route-print": ["192.168.100.1 on ?, 35"],
  "windows-russian-vpn.route-print": ["192.168.0.1 on ?, 35"],
  "windows-chinese-vpn.route-print": ["10.1.1.1 on ?, 4506"],

  "windows-11-chinese.powershell": ["192.168.1.111 on ?, 276"],
  "windows-two.powershell": ["172.18.0.2 on happ-tun, 0", "192.168.0.1 on Ethernet, 0"],
  "windows-whole-table.powershell": ["192.168.64.1 on Ethernet, 0"],
}

describe("outputs of real systems", () => {
  for (const { name, kind, text } of RECORDINGS) {
    test(`${name} has the gateways that it had`, () => {
      assert.deepEqual(PARSERS[kind](text).map(show), GATEWAYS[name])
    })
  }

  test("with the ends of lines that Windows has, or with none at the end, each says the same", () => {
    for (const { name, kind, text } of RECORDINGS) {
      for (const other of [text.replace(/\r?\n/g, "\r\n"), text.trimEnd(), `\n\n${text}\n\n`])
        assert.deepEqual(PARSERS[kind](other).map(show), GATEWAYS[name], name)
    }
  })

  test("to the parsers of the other kinds each is foreign", () => {
    for (const { name, kind, text } of RECORDINGS) {
      for (const [other, parse] of Object.entries(PARSERS)) if (other !== kind) assert.deepEqual(parse(text), [], name)
    }
  })

  test("each is expected, and named with its source", () => {
    assert.deepEqual(RECORDINGS.map(({ name }) => name).toSorted(), Object.keys(GATEWAYS).toSorted())
    const readme = readFileSync(join(import.meta.dirname, "recorded/README.md"), "utf8")
    const named = [...readme.matchAll(/`([^`]+)\.txt`/g)].map((match) => match[1])
    assert.deepEqual(named.filter((name) => Object.hasOwn(GATEWAYS, name)).toSorted(), Object.keys(GATEWAYS).toSorted())
  })
})
