import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import process from "node:process"
import { describe, it } from "node:test"
import { LINKS, type LinkFacts } from "./link.ts"
import type { Runtime } from "./runtime.ts"

const MISSING = "network namespaces are missing: they need unshare, iproute2 and root"

const hasNamespaces = (): boolean => {
  try {
    execFileSync("unshare", ["--net", "sh", "-c", "ip link add v0 type veth peer name v1"], { stdio: "ignore" })
    return true
  } catch {
    assert.notEqual(process.env.CI, "true", MISSING)
    return false
  }
}

/** What needs links of its own: a socket's interface, neighbours and routes. `which`: the scene that has these sockets. */
export const linkSuite = (
  { name, udp, command, scene }: Pick<Runtime, "name" | "udp" | "command" | "scene">,
  which = "links",
): void => {
  describe(`${name}: two links`, () => {
    it("multicasts, hears zones, refuses and waits as the contract says", {
      skip: hasNamespaces() ? false : MISSING,
    }, () => {
      const words = [...command, scene, which]
      const run = spawnSync("unshare", ["--net", "sh", "-ec", `${LINKS}exec "$@"`, "sh", ...words], {
        encoding: "utf8",
      })
      assert.equal(run.status, 0, `${run.stdout}${run.stderr}`)
      const facts: unknown = JSON.parse(run.stdout)
      const expected: LinkFacts = {
        // Each sender's datagram leaves by the interface of its own address.
        multicast: [["10.0.1.1"], ["10.0.0.1"], ["fd00:1::1"], ["fd00::1"]],
        zones: [udp.limits.includes("zone") ? undefined : "f1", "e1"],
        byIndex: true,
        refused: ["ENODEV", "ENETUNREACH"],
        own: "10.0.1.1",
        left: 2000,
      }
      // As JSON has it: what is undefined is null in a list.
      assert.deepEqual(facts, JSON.parse(JSON.stringify(expected)))
    })
  })
}
