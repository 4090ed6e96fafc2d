import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  ANYCAST,
  type FindServersOptions,
  findServers,
  type OwnAddress,
  parseServer,
  serverName,
} from "../../../adapters/client/index.ts"
import type { Gateway } from "../../../adapters/gateway/index.ts"
import type { Udp } from "../../../adapters/udp.ts"
import { decodeV4PcpServers } from "../../../core/client/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { fakeUdp } from "../fake.ts"
import { address } from "./server-scene.ts"

/** UDP of a host that sends from these addresses, by destination; to others there is no route. */
const routed = (routes: Readonly<Record<string, string>>): Udp => {
  const { udp } = fakeUdp()
  return {
    limits: [],
    bind: async (options, receiver) => {
      const from = routes[formatAddress(options.remote?.address ?? address("::"))]
      if (from === undefined) return { ok: false, error: { code: "ENETUNREACH", text: "no route" } }
      const bound = await udp.bind({ ...options, local: { address: address(from), port: 4000 } }, receiver)
      return bound
    },
  }
}

const gateway = (text: string, interfaceName: string): Gateway => {
  const [plain, zone] = text.split("%")
  return { address: address(plain), interfaceName, metric: 0, ...(zone === undefined ? {} : { zone }) }
}

const own = (...pairs: readonly string[]): readonly OwnAddress[] =>
  pairs.map((pair) => {
    const [text, interfaceName] = pair.split("%")
    return { address: address(text), interfaceName }
  })

const found = async (
  options: Partial<FindServersOptions> & Pick<FindServersOptions, "udp">,
  ...gateways: readonly Gateway[]
) => {
  const { servers, problems, announcements } = await findServers({
    discover: async () => ({ gateways, trials: [], none: gateways.length > 0 ? undefined : "no-default-route" }),
    ...options,
  })
  return {
    servers: servers.map(({ name, ends }) => [name, ...ends.map(({ client }) => formatAddress(client))]),
    problems: problems.map(({ code, server }) => [code, server]),
    announcements,
    protocols: servers.map(({ protocol }) => protocol),
  }
}

const ROUTER6 = gateway("fe80::1%eth0", "eth0")

describe("findServers", () => {
  test("C-02: the default routers of both families, each with its own address on the way (C-01, C-07)", async () => {
    const udp = routed({ "192.168.1.1": "192.168.1.10", "2001:db8::1": "2001:db8::10" })
    const { servers, problems, announcements } = await found(
      { udp },
      gateway("192.168.1.1", "eth0"),
      gateway("2001:db8::1", "eth0"),
    )
    assert.deepEqual(servers, [
      ["192.168.1.1", "192.168.1.10"],
      ["2001:db8::1", "2001:db8::10"],
    ])
    assert.deepEqual(problems, [])
    assert.deepEqual(announcements, [
      { family: 4, interfaceName: "eth0" },
      { family: 6, interfaceName: "eth0" },
    ])
  })

  test("C-06: a link-local router is asked from a global address of the same interface", async () => {
    const udp = routed({ "fe80::1": "fe80::10", "2001:1::1": "2001:db8:1::b" })
    const ownAddresses = () =>
      own("fe80::10%eth0", "fd00::10%eth0", "2001:db8:1::a%eth0", "2001:db8:1::b%eth0", "2001:db8:2::a%eth1")
    // The one that the system takes for the Internet, ...
    assert.deepEqual((await found({ udp, ownAddresses }, ROUTER6)).servers, [["fe80::1%eth0", "2001:db8:1::b"]])
    // ... or, where that is on another interface, the first.
    const elsewhere = routed({ "fe80::1": "fe80::10", "2001:1::1": "2001:db8:2::a" })
    assert.deepEqual((await found({ udp: elsewhere, ownAddresses }, ROUTER6)).servers, [
      ["fe80::1%eth0", "2001:db8:1::a"],
    ])
  })

  test("C-06: a global address rather than a unique local one; with link-local ones alone it is not asked", async () => {
    const udp = routed({ "fe80::1": "fe80::10", "fd00::1": "fd00::10" })
    const local = () => own("fe80::10%eth0", "fd00::10%eth0")
    assert.deepEqual((await found({ udp, ownAddresses: local }, ROUTER6)).servers, [["fe80::1%eth0", "fd00::10"]])
    const both = () => own("fd00::10%eth0", "2001:db8::10%eth0")
    assert.deepEqual((await found({ udp, ownAddresses: both }, gateway("fd00::1", "eth0"))).servers, [
      ["fd00::1", "2001:db8::10"],
    ])
    const linkLocal = () => own("fe80::10%eth0")
    assert.deepEqual(await found({ udp, ownAddresses: linkLocal }, ROUTER6), {
      servers: [],
      problems: [["no-global-address", "fe80::1%eth0"]],
      announcements: [],
      protocols: [],
    })
  })

  test("C-02: what the caller or DHCP names is all that is asked: nobody looks for gateways", async () => {
    const udp = routed({ "192.0.2.1": "192.0.2.10", "192.0.2.2": "192.0.2.10", "192.0.2.9": "192.0.2.10" })
    const discover = () => assert.fail("discovery")
    const named = [
      { address: address("192.0.2.9"), port: 0 },
      { address: address("192.0.2.9"), port: 5352 },
    ]
    assert.deepEqual((await found({ udp, discover, servers: named })).servers, [
      ["192.0.2.9", "192.0.2.10"],
      ["192.0.2.9:5352", "192.0.2.10"],
    ])
    // Two lists of DHCPv4: one server of two addresses, and one of one (RFC 7291 section 4).
    const dhcp = decodeV4PcpServers([Uint8Array.of(8, 192, 0, 2, 1, 192, 0, 2, 2, 4, 192, 0, 2, 9)])
    assert.deepEqual((await found({ udp, discover, dhcp: [dhcp] })).servers, [
      ["192.0.2.1", "192.0.2.10", "192.0.2.10"],
      ["192.0.2.9", "192.0.2.10"],
    ])
  })

  test("RFC 7723 2.1: the anycast addresses come after the default routers", async () => {
    const udp = routed({ "192.168.1.1": "192.168.1.10", "192.0.0.9": "192.168.1.10", "2001:1::1": "2001:db8::10" })
    assert.deepEqual(ANYCAST.map(formatAddress), ["192.0.0.9", "2001:1::1"])
    assert.deepEqual((await found({ udp, anycast: true }, gateway("192.168.1.1", "eth0"))).servers, [
      ["192.168.1.1", "192.168.1.10"],
      ["192.0.0.9", "192.168.1.10"],
      ["2001:1::1", "2001:db8::10"],
    ])
  })

  test("one that there is no way to is a problem, and the others are asked; nobody at all is one too", async () => {
    const udp = routed({ "192.168.1.1": "192.168.1.10" })
    const { servers, problems } = await found({ udp }, gateway("192.168.1.1", "eth0"), gateway("10.0.0.1", "tun0"))
    assert.deepEqual([servers.length, problems], [1, [["no-route", "10.0.0.1"]]])
    assert.deepEqual((await found({ udp })).problems, [["no-gateway", undefined]])
  })

  test("family, interface and own address choose among them", async () => {
    const udp = routed({ "192.168.1.1": "192.168.1.10", "192.168.2.1": "192.168.1.10", "2001:db8::1": "2001:db8::10" })
    const ownAddresses = () => own("192.168.1.10%eth0", "192.168.2.10%eth1", "2001:db8::10%eth0")
    const gateways = [gateway("192.168.1.1", "eth0"), gateway("192.168.2.1", "eth1"), gateway("2001:db8::1", "eth0")]
    const names = async (options: Partial<FindServersOptions>) =>
      (await found({ udp, ownAddresses, ...options }, ...gateways)).servers
    assert.deepEqual(await names({ family: "ipv6" }), [["2001:db8::1", "2001:db8::10"]])
    // The system would send from the other interface's.
    assert.deepEqual(await names({ interfaceName: "eth1" }), [["192.168.2.1", "192.168.2.10"]])
    assert.deepEqual(await names({ client: address("192.168.2.10") }), [
      ["192.168.1.1", "192.168.2.10"],
      ["192.168.2.1", "192.168.2.10"],
    ])
    assert.deepEqual(await names({ client: address("192.168.2.10"), family: "ipv6" }), [])
  })

  test("N-23: NAT-PMP is not asked from a public IPv4 address, unless the caller says so", async () => {
    const udp = routed({ "8.8.8.1": "8.8.8.8", "192.168.1.1": "192.168.1.10" })
    const gateways = [gateway("8.8.8.1", "eth0"), gateway("192.168.1.1", "eth1")]
    assert.deepEqual((await found({ udp }, ...gateways)).protocols, ["pcp", "auto"])
    assert.deepEqual((await found({ udp, protocol: "nat-pmp" }, ...gateways)).protocols, ["nat-pmp", "nat-pmp"])
  })

  test("a server's name is read again", () => {
    for (const text of ["192.0.2.1", "192.0.2.1:5352", "2001:db8::1", "fe80::1%eth0", "[fe80::1%eth0]:5352"]) {
      const end = parseServer(text)
      assert.ok(end !== undefined, text)
      assert.equal(serverName(end), text)
    }
    for (const text of [
      "",
      "router",
      "192.0.2.1:0",
      "192.0.2.1:65536",
      "192.0.2.1:",
      "fe80::1%",
      "fe80::1%a%b",
      "[::1",
    ])
      assert.equal(parseServer(text), undefined, text)
  })
})
