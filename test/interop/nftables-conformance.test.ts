import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { COMMAND, records } from "../adapters/cli/command.ts"
import { type Scene, scene } from "./client-router.ts"
import { lacking } from "./namespace.ts"

const lack = lacking(["nft", "conntrack"])
if (lack !== undefined) assert.notEqual(process.env.CI, "true", lack)

/** How the server is run, but for what its kind wants. */
const SERVE = "serve --nftables --fast --json"

/** A kind of device: what its server listens at, from where the kit asks, and how many cases must have been for it. */
const KINDS = [
  { kind: "nat444", listen: "10.0.0.1", clients: ["10.0.0.2", "10.0.0.3"], least: 400 },
  { kind: "firewall6", listen: "[2001:db8:1::1]", clients: ["2001:db8:1::2", "2001:db8:1::3"], least: 150 },
] as const

describe("the conformance kit against serve --nftables", { skip: lack ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-kit-"))
  let there: Scene
  before(async () => {
    there = await scene()
    // Where IPv4's default route leads is outside, and IPv6's leads elsewhere.
    there.router.sh(`
      ip route add default via 11.22.33.1 dev outside
      ip -6 route add default via 2001:db8:1::2 dev inside`)
    there.host.sh("ip addr add 10.0.0.3/24 dev lan; ip -6 addr add 2001:db8:1::3/64 dev lan nodad")
  })
  after(() => {
    there.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const { kind, listen, clients, least } of KINDS)
    it(`every case of a ${kind} that applies passes, and the kernel has what the server has`, async () => {
      const control = join(folder, `${kind}.sock`)
      const config = join(folder, `${kind}.jsonc`)
      writeFileSync(config, JSON.stringify({ profile: kind }))
      const outside = kind === "nat444" ? "" : " --outside outside"
      const server = there.start(
        "router",
        `${SERVE}${outside} --config ${config} --listen ${listen} --control ${control}`,
      )
      await server.until(/"event":"listening"/)
      assert.match(server.stderr(), /outside: outside\n/)
      const from = clients.map((client) => `--client ${client}`).join(" ")
      const words = `conformance --server ${listen} --kind ${kind} ${from} --rate 10000 --timeout 3000 --json`
      const { code, stdout, stderr } = await there.sallyport(words)
      const [report] = records(stdout)
      assert.ok(Array.isArray(report?.cases), stderr)
      assert.deepEqual(
        report.cases.filter(({ outcome }) => outcome === "fail"),
        [],
      )
      assert.equal(code, 0, stderr)
      const passed = report.cases.filter(({ outcome }) => outcome === "pass").length
      assert.ok(passed > least, `${passed} passed`)
      assert.equal(report.stopped, null)
      const doctor = await there.router.run([...COMMAND, "doctor", "--json", "--control", control])
      assert.equal(doctor.code, 0, doctor.stderr)
      const { sound, ...wrong } = Object(JSON.parse(doctor.stdout))
      assert.deepEqual(wrong, { put: 0, gone: 0, rebuilt: false })
      // What PEER made cannot be deleted: it is in the kernel still.
      assert.ok(Number(sound) >= Number(report.peerMappingsLeft), `${sound} elements`)
      assert.equal(await server.stop(), 0, server.stderr())
    })
})
