import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { PARSERS } from "./recorded.ts"
import { show } from "./show.ts"

describe("rows as no recording has them", () => {
  const netstat6 = (row: string): readonly string[] =>
    PARSERS.netstat(`Internet6:\nDestination        Gateway            Flags         Netif Expire\n${row}\n`).map(show)

  test("an IPv6 gateway that just fills its column is taken only if its zone shows that it is whole", () => {
    assert.deepEqual(netstat6("default            fe80::feae:34ff:fe UGc             en0"), [])
    assert.deepEqual(netstat6("default            fe80::feae:3f%en10 UGc             en10"), [
      "fe80::feae:3f%en10 on en10, 0",
    ])
    assert.deepEqual(netstat6("default            fe80::feae:34f%en1 UGc             en10"), [])
    assert.deepEqual(netstat6("default            2001:db8:feae:34:f UGc             en0"), [])
    assert.deepEqual(netstat6("default            2001:db8::ae:34:ff UGc             en0"), [])
    assert.deepEqual(netstat6("default            2001:db8::ae:34:f  UGc             en0"), [
      "2001:db8::ae:34:f on en0, 0",
    ])
  })

  test("a cut interface has the rest of its name from the zone", () => {
    assert.deepEqual(netstat6("default            fe80::1%bridge10   UGc         bridge1"), [
      "fe80::1%bridge10 on bridge10, 0",
    ])
  })

  test("a link-local gateway without a zone, as NetBSD prints it, is on its row's interface", () => {
    assert.deepEqual(netstat6("default            fe80::1            UGc             wm0"), ["fe80::1%wm0 on wm0, 0"])
    assert.deepEqual(netstat6("default            fe80:4::1          UGc             wm0"), ["fe80::1%wm0 on wm0, 0"])
    assert.deepEqual(netstat6("default            fe80::1            UGc"), [])
  })

  test("rejecting, blackholing, on-link and down routes are none (RFC 6887 section 8.1 wants a router)", () => {
    for (const flags of ["UGRS", "UGBS", "US", "GS", "UC", "U"])
      assert.deepEqual(netstat6(`default            2001:db8::1        ${flags}    em0`), [], flags)
  })

  test("a gateway of the other family than its table's is none, as FreeBSD may have (RFC 5549)", () => {
    assert.deepEqual(netstat6("default            192.0.2.1          UGS             em0"), [])
    const four = "Internet:\nDestination        Gateway            Flags     Netif Expire\n"
    assert.deepEqual(PARSERS.netstat(`${four}default            2001:db8::1        UGS         em0\n`), [])
    assert.deepEqual(PARSERS.netstat(`${four}default            192.0.2.1%em0      UGS         em0\n`), [])
  })

  test("OpenBSD's locked MTU moves the columns before the interface, not it and the priority", () => {
    const text = "Internet:\nDestination        Gateway            Flags   Refs      Use   Mtu  Prio Iface\n"
    const row = "default            192.0.2.1          UGS        0        0  1350 L   9 bge0 "
    assert.deepEqual(PARSERS.netstat(`${text}${row}\n`).map(show), ["192.0.2.1 on bge0, 9"])
  })

  test("halves of IPv6's default are no default, whatever they are called", () => {
    const half = (destination: string, mask: string): string =>
      `destination: ${destination}\n mask: ${mask}\n gateway: 2001:db8::1\n interface: tun0\n flags: <UP,GATEWAY,DONE>\n`
    assert.deepEqual(PARSERS["route-get"](half("::", "8000::")), [])
    assert.deepEqual(PARSERS["route-get"](half("8000::", "8000::")), [])
    assert.deepEqual(PARSERS["route-get"](half("::", "0.0.0.0")), [])
    assert.deepEqual(PARSERS["route-get"](half("0.0.0.0", "default")), [])
    assert.deepEqual(PARSERS["route-get"](half("constructor", "default")), [])
    assert.deepEqual(PARSERS["route-get"](half("::", "::")).map(show), ["2001:db8::1 on tun0, 0"])
    assert.deepEqual(PARSERS["route-get"](half("::", "::").replace("UP,", "UP,REJECT,")), [])
  })

  test("a persistent IPv6 default is none where the active routes are missing: its interface is 0", () => {
    const rows = (index: string): string =>
      `IPv6 Route Table\n${"=".repeat(75)}\nActive Routes:\n  None\nPersistent Routes:\n If Metric Network Destination      Gateway\n${index} 4294967295 ::/0                     fe80::1\n${"=".repeat(75)}\n`
    assert.deepEqual(PARSERS["route-print"](rows("  0")), [])
    assert.deepEqual(PARSERS["route-print"](rows("  7")).map(show), ["fe80::1%7 on ?, 4294967295"])
  })

  test("before Vista a default without a gateway has the interface's own address for one", () => {
    const row = "          0.0.0.0          0.0.0.0     192.0.2.7       192.0.2.7\t  1\n"
    assert.deepEqual(PARSERS["route-print"](row), [])
    const other = "          0.0.0.0          0.0.0.0     192.0.2.1       192.0.2.7\t  1\n"
    assert.deepEqual(PARSERS["route-print"](other).map(show), ["192.0.2.1 on ?, 1"])
  })

  test("PowerShell gives one route without an array, nulls, a byte order mark, and all-zeros for no gateway", () => {
    const one =
      '\ufeff{"DestinationPrefix":"::/0","NextHop":"fe80::1","InterfaceAlias":"Ethernet","InterfaceIndex":4}\r\n'
    assert.deepEqual(PARSERS.powershell(one).map(show), ["fe80::1%4 on Ethernet, 0"])
    const routes = [
      {
        DestinationPrefix: "0.0.0.0/0",
        NextHop: "192.0.2.1",
        InterfaceAlias: "WLAN",
        RouteMetric: 5,
        InterfaceMetric: null,
      },
      { DestinationPrefix: "0.0.0.0/0", NextHop: "0.0.0.0", InterfaceAlias: "VPN", RouteMetric: 0 },
      { DestinationPrefix: "::/0", NextHop: "::", InterfaceAlias: "VPN" },
      { DestinationPrefix: "0.0.0.0/1", NextHop: "192.0.2.2" },
      { DestinationPrefix: "0.0.0.0/0", NextHop: "2001:db8::1" },
      { DestinationPrefix: "::/0", NextHop: "fe80::1" },
      { DestinationPrefix: null, NextHop: null },
      null,
      [["0.0.0.0/0"]],
    ]
    assert.deepEqual(PARSERS.powershell(JSON.stringify(routes)).map(show), ["192.0.2.1 on WLAN, 5"])
  })

  test("of equal metrics the router that prefers itself more comes first (RFC 4191 section 2.1)", () => {
    const line = (gateway: string, flags: string): string =>
      `${"0".repeat(32)} 00 ${"0".repeat(32)} 00 fe80${"0".repeat(27)}${gateway} 00000400 00000001 00000000 ${flags} eth0\n`
    // RTF_UP, RTF_GATEWAY, RTF_DEFAULT, RTF_ADDRCONF, RTF_EXPIRES, and in bits 27 and 28 low, medium, reserved, high.
    const text = `${line("3", "18450003")}${line("2", "00450003")}${line("4", "10450003")}${line("1", "08450003")}`
    assert.deepEqual(
      PARSERS.ipv6_route(text).map(({ address }) => address.charCodeAt(7)),
      [1, 2, 4, 3],
    )
  })

  test("routes that clones, other sources or mapped addresses are of are none", () => {
    const line = (source: string, length: string, gateway: string, flags: string): string =>
      `${"0".repeat(32)} 00 ${source} ${length} ${gateway} 00000400 00000001 00000000 ${flags} eth0\n`
    const [zero, router] = ["0".repeat(32), `20010db8${"0".repeat(23)}1`]
    assert.equal(PARSERS.ipv6_route(line(zero, "00", router, "00000003")).length, 1)
    assert.deepEqual(PARSERS.ipv6_route(line(zero, "00", router, "01000003")), [])
    assert.deepEqual(PARSERS.ipv6_route(line(zero, "00", router, "00000203")), [])
    assert.deepEqual(PARSERS.ipv6_route(line(router, "40", router, "00000003")), [])
    assert.deepEqual(PARSERS.ipv6_route(line(zero, "40", router, "00000003")), [])
    assert.deepEqual(PARSERS.ipv6_route(line(router, "00", router, "00000003")), [])
    assert.deepEqual(PARSERS.ipv6_route(line(zero, "00", router, "00000003").replace(/^0/, "1")), [])
    assert.deepEqual(PARSERS.ipv6_route(line(zero, "00", `${"0".repeat(20)}ffffc0000201`, "00000003")), [])
  })

  test("a metric that an old kernel prints as signed is the large one that it is", () => {
    const line = "Iface\tDestination\tGateway\neth0\t00000000\t010200C0\t0003\t0\t0\t-1\t00000000\t0\t0\t0\n"
    assert.deepEqual(PARSERS.route(line).map(show), ["192.0.2.1 on eth0, 4294967295"])
  })
})

describe("what no gateway can be", () => {
  const proc = (gateway: string, flags = "0003", destination = "00000000", mask = "00000000"): readonly string[] =>
    PARSERS.route(`eth0\t${destination}\t${gateway}\t${flags}\t0\t0\t0\t${mask}\t0\t0\t0\n`).map(show)
  const powershell = (prefix: string, NextHop: string): readonly string[] =>
    PARSERS.powershell(JSON.stringify({ DestinationPrefix: prefix, NextHop, ifIndex: 4 })).map(show)

  test("addresses that no router has: all-zeros, loopback, multicast, reserved and broadcast", () => {
    assert.deepEqual(proc("010200C0"), ["192.0.2.1 on eth0, 0"])
    assert.deepEqual(proc("FFFFFFDF"), ["223.255.255.255 on eth0, 0"])
    for (const gateway of ["00000000", "0100007F", "010000E0", "FFFFFFEF", "010000F0", "FFFFFFFF"])
      assert.deepEqual(proc(gateway), [], gateway)
    assert.deepEqual(powershell("::/0", "2001:db8::1"), ["2001:db8::1 on ?, 0"])
    assert.deepEqual(powershell("::/0", "fe80::1"), ["fe80::1%4 on ?, 0"])
    for (const gateway of ["::", "::1", "ff02::1", "::ffff:192.0.2.1"])
      assert.deepEqual(powershell("::/0", gateway), [], gateway)
    for (const gateway of ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::ffff:0.0.0.0"])
      assert.deepEqual(powershell("0.0.0.0/0", gateway), [], gateway)
  })

  test("routes of Linux that refuse, are down, or are not of all destinations", () => {
    for (const flags of ["0203", "0002", "0001", "0201"]) assert.deepEqual(proc("010200C0", flags), [], flags)
    assert.deepEqual(proc("010200C0", "0003", "00000000", "00000080"), [])
    assert.deepEqual(proc("010200C0", "0003", "00000080", "00000000"), [])
  })

  test("numbers in other forms than the kernel's", () => {
    for (const gateway of ["10200C0", "0010200C0", "0x0200C0", "-10200C0", "010200G0"])
      assert.deepEqual(proc(gateway), [])
    assert.deepEqual(proc("010200C0", "3"), ["192.0.2.1 on eth0, 0"])
    assert.deepEqual(proc("010200C0", "0x3"), [])
  })

  test("addresses with two zones, or an empty one", () => {
    const heading = "Internet6:\nDestination        Gateway            Flags         Netif Expire\n"
    for (const row of [
      "fe80::1%en0%en1    UGc             en0",
      "fe80::1%           UGc             en0",
      "fe80::1%           UGc",
    ])
      assert.deepEqual(PARSERS.netstat(`${heading}default            ${row}\n`), [], row)
  })

  test("rows under no heading of their own table", () => {
    const heading = "Destination        Gateway            Flags     Netif Expire\n"
    const row = "default            2001:db8::1        UGS         em0\n"
    assert.equal(PARSERS.netstat(`Internet6:\n${heading}${row}`).length, 1)
    assert.deepEqual(PARSERS.netstat(`Internet:\n${heading}Internet6:\n${row}`), [])
    assert.deepEqual(PARSERS.netstat(`Internet6:\n${heading}MPLS:\n${heading}${row}`), [])
    assert.deepEqual(PARSERS.netstat(heading + row), [])
  })

  test("a row that ends before its interface names none", () => {
    const heading = "Destination        Gateway            Flags   Refs      Use   Mtu  Prio Iface\n"
    assert.deepEqual(PARSERS.netstat(`Internet6:\n${heading}default            fe80::1            UGS\n`), [])
    assert.deepEqual(PARSERS.netstat(`Internet:\n${heading}default            192.0.2.1          UGS\n`).map(show), [
      "192.0.2.1 on ?, 0",
    ])
  })

  test("what route get finds that is down, on the link, or said twice", () => {
    const get = (flags: string, more = ""): readonly string[] =>
      PARSERS["route-get"](
        `destination: default\nmask: default\ngateway: 192.0.2.1\ninterface: em0\nflags: ${flags}\n${more}`,
      ).map(show)
    assert.deepEqual(get("<UP,GATEWAY,DONE>"), ["192.0.2.1 on em0, 0"])
    assert.deepEqual(get("<UP,GATEWAY,DONE>", "gateway: 192.0.2.2\n"), ["192.0.2.1 on em0, 0"])
    for (const flags of ["<UP,DONE>", "<GATEWAY,DONE>", "<UP,GATEWAY,BLACKHOLE>", "UP,GATEWAY", "<>", ""])
      assert.deepEqual(get(flags), [], flags)
  })

  test("rows of Windows with a column too many or too few, or of the other family", () => {
    const print = (row: string): readonly string[] => PARSERS["route-print"](row).map(show)
    assert.deepEqual(print("0.0.0.0 0.0.0.0 192.0.2.1 192.0.2.7 25"), ["192.0.2.1 on ?, 25"])
    assert.deepEqual(print("0.0.0.0 0.0.0.0 192.0.2.1 192.0.2.7 25 1"), [])
    assert.deepEqual(print("0.0.0.0 0.0.0.0 192.0.2.1 192.0.2.7"), [])
    assert.deepEqual(print("0.0.0.0 0.0.0.0 192.0.2.1 192.0.2.7 2x"), [])
    assert.deepEqual(print("0.0.0.0 0.0.0.0 2001:db8::1 192.0.2.7 25"), [])
    assert.deepEqual(print("0.0.0.0 0.0.0.0 192.0.2.1 2001:db8::7 25"), [])
    assert.deepEqual(print("4 281 ::/0 2001:db8::1"), ["2001:db8::1 on ?, 281"])
    assert.deepEqual(print("4 281 ::/0 2001:db8::1 1"), [])
    assert.deepEqual(print("4 281 ::/0"), [])
    assert.deepEqual(print("4 281 ::/1 2001:db8::1"), [])
    assert.deepEqual(print("4 281 ::/0 192.0.2.1"), [])
    assert.deepEqual(print("4 281 ::/0 ::ffff:192.0.2.1"), [])
  })

  test("IPv6 routes of Windows after those that are active", () => {
    const rule = "=".repeat(75)
    const rows = `4 281 ::/0 2001:db8::1\n4 281 ::/0 2001:db8::2\n${rule}\n4 256 ::/0 2001:db8::3\n${rule}\n`
    assert.deepEqual(PARSERS["route-print"](`${rule}\n${rows}`).map(show), [
      "2001:db8::1 on ?, 281",
      "2001:db8::2 on ?, 281",
    ])
  })
})
