import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  discoverGatewaysOf,
  type FailureReason,
  type GatewaySystem,
  type Output,
} from "../../../adapters/gateway/index.ts"
import { RECORDINGS } from "./recorded.ts"
import { show } from "./show.ts"

const recorded = (name: string): Output => {
  const found = RECORDINGS.find((recording) => recording.name === name)
  assert.ok(found !== undefined, name)
  return { ok: true, text: found.text }
}
const text = (value: string): Output => ({ ok: true, text: value })
const fails = (reason: FailureReason): Output => ({ ok: false, reason, text: `because ${reason}` })

/** A system that answers what a test gives it, by the path or by the program and the word that tells its arguments. */
const system = (platform: string, answers: Readonly<Record<string, Output>>, endian: "little" | "big" = "little") => {
  const asked: string[] = []
  const answer = (what: string): Promise<Output> => {
    asked.push(what)
    return Promise.resolve(answers[what] ?? fails("absent"))
  }
  const made: GatewaySystem = {
    platform,
    endian,
    read: answer,
    run: (program, args) =>
      answer([program, ...args.filter((word) => /^(-rn|get|-inet6|print)$/.test(word))].join(" ")),
  }
  return { made, asked }
}

const V4 = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"

describe("discovery of gateways (RFC 6887 section 8.1, C-02)", () => {
  test("Linux reads both files, and takes words in the order of its octets", async () => {
    const line = "eth0\t00000000\tC0000201\t0003\t0\t0\t7\t00000000\t0\t0\t0\n"
    const six = `${"0".repeat(32)} 00 ${"0".repeat(32)} 00 fe80${"0".repeat(27)}1 00000400 00000001 00000000 00450003 eth0\n`
    const files = { "/proc/net/route": text(V4 + line), "/proc/net/ipv6_route": text(six) }
    const big = system("linux", files, "big")
    const found = await discoverGatewaysOf(big.made)
    assert.deepEqual(found.gateways.map(show), ["192.0.2.1 on eth0, 7", "fe80::1%eth0 on eth0, 1024"])
    assert.equal(found.none, undefined)
    assert.deepEqual(found.trials, [
      { source: "proc-net-route", outcome: "read", found: 1 },
      { source: "proc-net-ipv6-route", outcome: "read", found: 1 },
    ])
    assert.deepEqual(big.asked, ["/proc/net/route", "/proc/net/ipv6_route"])
    const little = await discoverGatewaysOf(system("linux", files, "little").made)
    assert.deepEqual(little.gateways.map(show), ["1.2.0.192 on eth0, 7", "fe80::1%eth0 on eth0, 1024"])
  })

  test("Linux without IPv6 says so, and has its IPv4 gateways", async () => {
    const found = await discoverGatewaysOf(system("linux", { "/proc/net/route": recorded("linux-docker.route") }).made)
    assert.deepEqual(found.gateways.map(show), ["192.168.8.1 on wlp4s0, 600"])
    assert.deepEqual(found.trials[1], {
      source: "proc-net-ipv6-route",
      outcome: "failed",
      reason: "absent",
      text: "because absent",
    })
  })

  test("macOS and the BSDs ask netstat, and route for the family that it has nothing of", async () => {
    const answers = {
      "netstat -rn": recorded("macos-10.14.netstat"),
      "route get": recorded("macos.route-get"),
      "route get -inet6": recorded("macos-inet6.route-get"),
    }
    for (const platform of ["darwin", "freebsd", "openbsd", "netbsd"]) {
      const both = system(platform, answers)
      const found = await discoverGatewaysOf(both.made)
      assert.deepEqual(found.gateways.map(show), ["192.168.1.254 on en0, 0", "fe80::feae:34ff:fea1:3a80%en0 on en0, 0"])
      assert.deepEqual(both.asked, ["netstat -rn"])

      const six = system(platform, { ...answers, "netstat -rn": recorded("macos-vpn-halves.netstat") })
      const more = await discoverGatewaysOf(six.made)
      assert.deepEqual(more.gateways.map(show), ["192.168.1.1 on en0, 0", "fe80::56b7:bdff:fe9e:91%en0 on en0, 0"])
      assert.deepEqual(six.asked, ["netstat -rn", "route get -inet6"])

      const none = system(platform, { ...answers, "netstat -rn": fails("timeout") })
      const all = await discoverGatewaysOf(none.made)
      assert.deepEqual(all.gateways.map(show), ["10.62.96.1 on en0, 0", "fe80::56b7:bdff:fe9e:91%en0 on en0, 0"])
      assert.deepEqual(
        all.trials.map((trial) => [trial.source, trial.outcome]),
        [
          ["netstat", "failed"],
          ["route-get", "read"],
          ["route-get-inet6", "read"],
        ],
      )
    }
  })

  test("Windows asks PowerShell, and route print where that fails or finds nothing", async () => {
    const print = recorded("windows-dual-homed.route-print")
    const shell = system("win32", { powershell: recorded("windows-two.powershell"), "route print": print })
    const found = await discoverGatewaysOf(shell.made)
    assert.deepEqual(found.gateways.map(show), ["172.18.0.2 on happ-tun, 0", "192.168.0.1 on Ethernet, 0"])
    assert.deepEqual(shell.asked, ["powershell"])
    for (const powershell of [fails("absent"), fails("exit"), text(""), text("Get-NetRoute: not recognized")]) {
      const other = system("win32", { powershell, "route print": print })
      const printed = await discoverGatewaysOf(other.made)
      assert.equal(printed.gateways.length, 3)
      assert.deepEqual(other.asked, ["powershell", "route print"])
    }
  })

  test("nothing found has its reason", async () => {
    const unsupported = await discoverGatewaysOf(system("haiku", {}).made)
    assert.deepEqual(unsupported, { gateways: [], trials: [], none: "unsupported" })
    const unreadable = await discoverGatewaysOf(system("android", { "/proc/net/route": fails("refused") }).made)
    assert.equal(unreadable.none, "unreadable")
    assert.deepEqual(
      unreadable.trials.map((trial) => trial.outcome === "failed" && trial.reason),
      ["refused", "absent"],
    )
    const empty = await discoverGatewaysOf(system("linux", { "/proc/net/route": text(V4) }).made)
    assert.equal(empty.none, "no-default-route")
    const windows = await discoverGatewaysOf(system("win32", { powershell: text("") }).made)
    assert.equal(windows.none, "no-default-route")
  })

  test("an aborted search asks nothing more, and keeps what it has", async () => {
    const before = system("linux", {})
    assert.deepEqual(await discoverGatewaysOf(before.made, AbortSignal.abort()), {
      gateways: [],
      trials: [],
      none: "aborted",
    })
    assert.deepEqual(before.asked, [])
    const controller = new AbortController()
    const { made, asked } = system("linux", { "/proc/net/route": recorded("linux-vm.route") })
    const during: GatewaySystem = {
      ...made,
      read: (path, signal) => {
        controller.abort()
        assert.equal(signal, controller.signal)
        return made.read(path, signal)
      },
    }
    const found = await discoverGatewaysOf(during, controller.signal)
    assert.deepEqual(found.gateways.map(show), ["192.168.71.2 on ens33, 100"])
    assert.equal(found.none, undefined)
    assert.deepEqual(asked, ["/proc/net/route"])
  })

  test("whatever a system answers, there are gateways or a reason, and a trial for each question", async () => {
    const platform = fc.constantFrom("linux", "android", "darwin", "freebsd", "openbsd", "netbsd", "win32", "sunos", "")
    const output = fc.oneof(
      fc.constantFrom(...RECORDINGS.map(({ name }) => recorded(name))),
      fc.constantFrom("absent", "refused", "exit", "timeout", "aborted", "other").map(fails),
      fc.string().map(text),
    )
    await fc.assert(
      fc.asyncProperty(platform, fc.array(output, { minLength: 3, maxLength: 3 }), async (name, outputs) => {
        let asked = 0
        const next = (): Promise<Output> => Promise.resolve(outputs[asked++])
        const found = await discoverGatewaysOf({ platform: name, endian: "little", read: next, run: next })
        assert.equal(found.trials.length, asked)
        assert.equal(found.none === undefined, found.gateways.length > 0)
      }),
    )
  })
})
