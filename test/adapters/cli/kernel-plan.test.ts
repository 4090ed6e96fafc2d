import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { readConfig } from "../../../adapters/cli/config/load.ts"
import { makeSettings } from "../../../adapters/cli/config/settings.ts"
import { type Grounds, planKernel } from "../../../adapters/cli/kernel/plan.ts"
import type { ServeOptions } from "../../../adapters/cli/serve-options.ts"

const OPTIONS: ServeOptions = { pcp: true, natPmp: true }
const GROUNDS: Grounds = { outside: ["eth1"], absent: [], external: undefined, ports: undefined }

/** What a server with these settings asks of the kernel. */
const planned = (settings: object, options: Partial<ServeOptions> = {}, grounds: Partial<Grounds> = {}) => {
  const read = readConfig(JSON.stringify(settings))
  assert.ok(read.ok)
  const made = makeSettings(read.value.config, OPTIONS)
  assert.ok(made.ok)
  return planKernel({ ...OPTIONS, ...options }, { ...GROUNDS, ...grounds }, made.value)
}

describe("the external ports of connections without a mapping", () => {
  it("are the larger part that mappings leave of those from 1024 up", () => {
    for (const [ports, first, last] of [
      ["1024-32767", 32_768, 65_535],
      ["32768-65535", 1024, 32_767],
      // 31,976 below, 32,435 above; and the other way round.
      ["33000-33100", 33_101, 65_535],
      ["33400-33500", 1024, 33_399],
      ["1-100", 1024, 65_535],
    ] as const) {
      const plan = planned({ ports })
      assert.ok(plan.ok, plan.ok ? "" : plan.text)
      assert.deepEqual(plan.value.implicitPorts, { first, last }, ports)
    }
  })

  it("may be next to those of mappings, and share none with them or with a static mapping", () => {
    const implicitPorts = { first: 40_000, last: 50_000 }
    const isGood = (ports: string, externalPort?: number): boolean => {
      const one = { protocol: "tcp", internal: "10.0.0.2:80", external: `203.0.113.1:${externalPort}` }
      return planned({ ports, ...(externalPort === undefined ? {} : { staticMappings: [one] }) }, { implicitPorts }).ok
    }
    assert.deepEqual(
      ["1024-39999", "50001-65535", "1024-40000", "50000-65535", "41000-41001", "1024-65535"].map((ports) =>
        isGood(ports),
      ),
      [true, true, false, false, false, false],
    )
    assert.deepEqual(
      [39_999, 40_000, 50_000, 50_001].map((port) => isGood("1024-2000", port)),
      [true, false, false, true],
    )
  })
})

describe("the pool of external addresses", () => {
  it("goes with what the interfaces have where nobody says what it is, and a firewall has none", () => {
    const external = [{ first: 0xcb007101, count: 1 }]
    for (const [profile, grounds, follows] of [
      ["nat444", { external }, true],
      ["nat444", {}, false],
      ["firewall4", { external }, false],
      ["firewall6", {}, false],
    ] as const) {
      const plan = planned(profile === "nat444" ? { profile, ports: "1024-32767" } : { profile }, {}, grounds)
      assert.ok(plan.ok, plan.ok ? "" : plan.text)
      assert.equal(plan.value.follows, follows, profile)
      assert.deepEqual(plan.value.outside, ["eth1"])
      assert.equal(plan.value.keepRules, false)
    }
    const kept = planned({ ports: "1024-32767" }, { keepRules: true })
    assert.ok(kept.ok && kept.value.keepRules)
  })
})
