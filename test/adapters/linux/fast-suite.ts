import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { fastUdp, openLibc } from "../../../adapters/linux/index.ts"
import { linkSuite } from "../link-suite.ts"
import { loadSuite } from "../load-suite.ts"
import type { Runtime } from "../runtime.ts"
import { udpSuite } from "../udp-suite.ts"
import { batchSuite } from "./batch-suite.ts"
import { hostileSuite } from "./hostile-suite.ts"
import { libcSuite } from "./libc-suite.ts"

/** The C library and its sockets on a runtime. */
export const fastSuites = (runtime: Pick<Runtime, "name" | "udp" | "command" | "scene">): void => {
  libcSuite(runtime.name)
  const [libc, fast] = [openLibc(), fastUdp()]
  if (!libc.ok || !fast.ok) {
    it(`${runtime.name}: sockets of the C library`, { skip: fast.ok ? "" : fast.text }, () => {})
    return
  }
  const name = `${runtime.name}, recvmmsg`
  const udp = fast.value
  describe(`${name}: its sockets`, () => {
    it("have none of the limits", () => assert.deepEqual(udp.limits, []))
  })
  udpSuite({ name, udp })
  loadSuite({ name, udp })
  batchSuite(name, libc.value, udp, runtime.udp)
  hostileSuite(name, udp)
  linkSuite({ ...runtime, name, udp }, "fast-links")
}
