import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { discoverGatewaysOf } from "../../../adapters/gateway/index.ts"
import type { Runtime } from "../runtime.ts"
import { look, missing } from "./namespace.ts"
import { RECORDINGS } from "./recorded.ts"
import { show } from "./show.ts"

const folder = mkdtempSync(join(tmpdir(), "sallyport-gateway-"))
after(() => rmSync(folder, { recursive: true }))

/** A program that does what the lines of a shell script say. */
const program = (name: string, script: string): string => {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

const says = (recording: string): string => {
  const text = RECORDINGS.find(({ name }) => name === recording)?.text ?? ""
  const path = join(folder, `${recording}.txt`)
  writeFileSync(path, text)
  return `cat '${path}'`
}

const absent = join(folder, "there-is-none")
const shell = spawnSync("sh", ["-c", "exit 0"]).status === 0 ? false : "sh missing"

/** What a runtime finds out about routes. */
export const gatewaySuite = ({ name, discoverGateways, gatewaySystem, command, scene, udp }: Runtime): void => {
  describe(`${name}: gateways`, { skip: shell }, () => {
    test("programs are run with their arguments, and what they print is read", async () => {
      const args = join(folder, "args")
      const programs = {
        netstat: program("netstat", `echo "netstat $*" >>'${args}'\n${says("openbsd-5.netstat")}`),
        route: absent,
        powershell: absent,
      }
      const found = await discoverGatewaysOf(gatewaySystem("openbsd", programs, 60_000))
      assert.deepEqual(found.gateways.map(show), [
        "192.168.7.1 on vio1, 8",
        "fe80::126f:3fff:fe81:2464%vio1 on vio1, 56",
      ])
      assert.equal(spawnSync("cat", [args], { encoding: "utf8" }).stdout, "netstat -rn\n")
    })

    test("PowerShell is given one script, without a shell in between, and then route print is asked", async () => {
      const powershell = program("powershell", `printf '%s\\n' "$#" "$4" "$5" >'${folder}/script'`)
      const programs = { netstat: absent, route: program("route.exe", says("windows-german.route-print")), powershell }
      const found = await discoverGatewaysOf(gatewaySystem("win32", programs, 60_000))
      assert.deepEqual(found.gateways.map(show), ["10.211.55.1 on ?, 10", "fe80::21c:42ff:fe00:18%11 on ?, 266"])
      const [count, option, script] = spawnSync("cat", [join(folder, "script")], { encoding: "utf8" }).stdout.split(
        "\n",
      )
      assert.deepEqual([count, option], ["5", "-Command"])
      assert.match(script, /Get-NetRoute -DestinationPrefix 0\.0\.0\.0\/0,::\/0 .*\| ConvertTo-Json/)
      assert.doesNotMatch(script, /"/)
    })

    test("programs that are absent, forbidden, slow or fail say so, in a word and in a line", async () => {
      const forbidden = join(folder, "forbidden")
      writeFileSync(forbidden, "#!/bin/sh\n")
      const trial = async (netstat: string, timeout = 60_000) => {
        const programs = { netstat, route: absent, powershell: absent }
        const found = await discoverGatewaysOf(gatewaySystem("darwin", programs, timeout))
        assert.equal(found.none, "unreadable")
        const [first] = found.trials
        assert.ok(first.outcome === "failed")
        assert.match(first.text, /^[^\n]+$/)
        return [first.reason, first.text]
      }
      assert.deepEqual(await trial(absent), ["absent", "there is no such file or folder"])
      assert.deepEqual(await trial(forbidden), ["refused", "this user may not"])
      assert.deepEqual(await trial(program("slow", "exec sleep 600"), 50), ["timeout", "it took too long"])
      const failing = program("failing", "echo one >&2; echo 'route: not in table' >&2; exit 3")
      assert.deepEqual(await trial(failing), ["exit", "route: not in table"])
      assert.equal((await trial(program("killed", "kill -9 $$")))[0], "exit")
    })

    test("a search that is aborted ends its program", async () => {
      const controller = new AbortController()
      const slow = program("waiting", "exec sleep 600")
      const system = gatewaySystem("darwin", { netstat: slow, route: slow, powershell: slow }, 600_000)
      const searching = discoverGatewaysOf(system, controller.signal)
      controller.abort()
      const found = await searching
      assert.equal(found.none, "aborted")
      assert.deepEqual(
        found.trials.map((trial) => trial.outcome === "failed" && trial.reason),
        ["aborted"],
      )
    })

    test("files that are absent or folders are a failure, and an aborted reading is one", async () => {
      const system = gatewaySystem("linux", { netstat: absent, route: absent, powershell: absent }, 60_000)
      assert.deepEqual(await system.read(absent, undefined), {
        ok: false,
        reason: "absent",
        text: "there is no such file or folder",
      })
      assert.deepEqual(await system.read(folder, undefined), { ok: false, reason: "other", text: "it is a folder" })
      const aborted = await system.read(absent, AbortSignal.abort())
      assert.equal(aborted.ok || aborted.reason, "aborted")
    })

    test("every platform has an answer on this machine, and none rejects", async () => {
      for (const platform of ["linux", "android", "darwin", "freebsd", "openbsd", "netbsd", "win32", "aix", "beos"]) {
        const found = await discoverGateways({ platform })
        assert.equal(found.none === undefined, found.gateways.length > 0, platform)
      }
      assert.equal((await discoverGateways({ platform: "beos" })).none, "unsupported")
      assert.equal((await discoverGateways({ signal: AbortSignal.abort() })).none, "aborted")
      assert.equal((await discoverGateways({ platform: "win32" })).none, "unreadable")
    })
  })

  describe(`${name}: gateways in a network of its own`, { skip: missing() ?? false }, () => {
    /** Off its links such a runtime does not know where packets leave from. */
    const isDeaf = udp.limits.includes("connect")
    const probe = [...command, scene, "gateways"]

    test("finds the gateways of both families, and the own address towards each (C-02, C-07)", () => {
      const { output } = look(
        [
          "route add default via 192.0.2.1 dev v0 metric 100",
          "route add default via 198.51.100.1 dev w0 metric 50",
          "-6 route add default via fe80::1 dev v0 metric 100",
          "-6 route add default via 2001:db8:2::1 dev w0 metric 50",
          "-6 address flush dev v0 scope link",
          "address add fe80::7/64 dev v0 nodad",
        ],
        probe,
      )
      assert.deepEqual(JSON.parse(output), {
        gateways: [
          "198.51.100.1 on w0, 50",
          "192.0.2.1 on v0, 100",
          "2001:db8:2::1 on w0, 50",
          "fe80::1%v0 on v0, 100",
        ],
        trials: [
          { source: "proc-net-route", outcome: "read", found: 2 },
          { source: "proc-net-ipv6-route", outcome: "read", found: 2 },
        ],
        owns: ["198.51.100.2", "192.0.2.2", "2001:db8:2::2", "fe80::7%v0"],
        elsewhere: isDeaf ? "OTHER" : "198.51.100.2",
      })
    })

    test("without a route nothing is found, and an own address is the system's error", () => {
      assert.deepEqual(JSON.parse(look([], probe).output), {
        gateways: [],
        trials: [
          { source: "proc-net-route", outcome: "read", found: 0 },
          { source: "proc-net-ipv6-route", outcome: "read", found: 0 },
        ],
        none: "no-default-route",
        owns: [],
        elsewhere: isDeaf ? "OTHER" : "ENETUNREACH",
      })
    })
  })
}
